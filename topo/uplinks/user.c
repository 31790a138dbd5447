/* The user-mode stack, as a topology describes it. */
#include "devices/uplinks/user.h"

#include "topo/schema.h"
#include "topo/tests.h"
#include "topo/handle.h"
#include "topo/uplinks/uplinks.h"

struct topo_user {
    struct topo_uplink uplink;
    topo_strings hostfwd, guestfwd, dnssearch;
    const char *tftp, *tftp_server_name, *bootfile, *smb, *smbserver;
    const char *net, *host, *dns, *dhcpstart, *hostname, *domainname;
    const char *ipv6_net, *ipv6_host, *ipv6_dns;
    uint64_t ipv6_prefixlen;
    bool restrict_host, ipv4, ipv6;
};

static const struct attr attrs[] = {
    {"hostfwd", ATTR_LIST, SCHEMA_AT(topo_user, hostfwd), "(none)", 0, 0, NULL,
     "redirections \"tcp:127.0.0.1:8080-10.0.2.15:80\" (udp:, unix:PATH), one or a list"},
    {"guestfwd", ATTR_LIST, SCHEMA_AT(topo_user, guestfwd), "(none)", 0, 0, NULL,
     "the other way: \"tcp:10.0.2.100:80-tcp:127.0.0.1:8080\" (-unix:PATH, -cmd:COMMAND)"},
    {"tftp", ATTR_FOLDER, SCHEMA_AT(topo_user, tftp), "(none)", 0, 0, NULL,
     "the folder that TFTP serves"},
    {"tftp_server_name", ATTR_STRING, SCHEMA_AT(topo_user, tftp_server_name), "(none)", 0, 0, NULL,
     "the TFTP server's name told by DHCP (option 66)"},
    {"bootfile", ATTR_STRING, SCHEMA_AT(topo_user, bootfile), "(none)", 0, 0, NULL,
     "the file that BOOTP and DHCP name"},
    {"smb", ATTR_FOLDER, SCHEMA_AT(topo_user, smb), "(none)", 0, 0, NULL,
     "the folder that SMB shares as \"qemu\"; needs Samba's smbd"},
    {"smbserver", ATTR_STRING, SCHEMA_AT(topo_user, smbserver), "(net + 4)", 0, 0, NULL,
     "address of the SMB server"},
    {"net", ATTR_STRING, SCHEMA_AT(topo_user, net), "(10.0.2.0/24)", 0, 0, NULL,
     "its network, with a prefix length or a mask"},
    {"host", ATTR_STRING, SCHEMA_AT(topo_user, host), "(net + 2)", 0, 0, NULL,
     "address of the router, DHCP and TFTP server"},
    {"dns", ATTR_STRING, SCHEMA_AT(topo_user, dns), "(net + 3)", 0, 0, NULL,
     "address of the DNS server"},
    {"dhcpstart", ATTR_STRING, SCHEMA_AT(topo_user, dhcpstart), "(net + 15)", 0, 0, NULL,
     "the first of the 16 addresses handed out"},
    {"hostname", ATTR_STRING, SCHEMA_AT(topo_user, hostname), "(none)", 0, 0, NULL,
     "the name given to DHCP clients"},
    {"domainname", ATTR_STRING, SCHEMA_AT(topo_user, domainname), "(none)", 0, 0, NULL,
     "the domain given to DHCP clients"},
    {"dnssearch", ATTR_LIST, SCHEMA_AT(topo_user, dnssearch), "(none)", 0, 0, NULL,
     "domains that DHCP clients shall search, one or a list"},
    {"restrict", ATTR_BOOL, SCHEMA_AT(topo_user, restrict_host), "false", 0, 0, NULL,
     "nothing reaches the host or beyond but by redirections"},
    {"ipv4", ATTR_BOOL, SCHEMA_AT(topo_user, ipv4), "true", 0, 0, NULL, "whether it has IPv4"},
    {"ipv6", ATTR_BOOL, SCHEMA_AT(topo_user, ipv6), "(true if an ipv6 attribute is said)", 0, 0,
     NULL, "whether it has IPv6; then it advertises itself every few minutes"},
    {"ipv6_net", ATTR_STRING, SCHEMA_AT(topo_user, ipv6_net), "(fec0::/64)", 0, 0, NULL,
     "its IPv6 network"},
    {"ipv6_prefixlen", ATTR_INT, SCHEMA_AT(topo_user, ipv6_prefixlen), "(ipv6_net's, or 64)", 1,
     126, NULL, "the length of that network's prefix"},
    {"ipv6_host", ATTR_STRING, SCHEMA_AT(topo_user, ipv6_host), "(ipv6_net + 2)", 0, 0, NULL,
     "the router's IPv6 address"},
    {"ipv6_dns", ATTR_STRING, SCHEMA_AT(topo_user, ipv6_dns), "(ipv6_net + 3)", 0, 0, NULL,
     "the DNS server's IPv6 address; advertised if it is said, or if IPv4 is off"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static bool has_ipv6(const struct topo_user *u)
{
    static const char *const said[] = {"ipv6_net", "ipv6_prefixlen", "ipv6_host", "ipv6_dns"};
    const struct topo_object *o = &u->uplink.object;

    if (schema_given(o, "ipv6"))
        return u->ipv6;
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (schema_given(o, said[i]))
            return true;
    return false;
}

void user_families_said(const struct topo_object *o, bool *ipv4, bool *ipv6)
{
    const struct topo_user *u = (const struct topo_user *)o;

    *ipv4 = u->ipv4;
    *ipv6 = u->ipv6;
}

static struct user_options options(const struct topo_uplink *uplink)
{
    const struct topo_user *u = (const struct topo_user *)uplink;

    return (struct user_options){
        .hostfwd = u->hostfwd.items,
        .n_hostfwd = u->hostfwd.n,
        .guestfwd = u->guestfwd.items,
        .n_guestfwd = u->guestfwd.n,
        .dnssearch = u->dnssearch.items,
        .n_dnssearch = u->dnssearch.n,
        .tftp = u->tftp,
        .tftp_server_name = u->tftp_server_name,
        .bootfile = u->bootfile,
        .smb = u->smb,
        .smbserver = u->smbserver,
        .net = u->net,
        .host = u->host,
        .dns = u->dns,
        .dhcpstart = u->dhcpstart,
        .hostname = u->hostname,
        .domainname = u->domainname,
        .ipv6_net = u->ipv6_net,
        .ipv6_prefixlen = (unsigned)u->ipv6_prefixlen,
        .ipv6_host = u->ipv6_host,
        .ipv6_dns = u->ipv6_dns,
        .ipv4_off = !u->ipv4,
        .ipv6 = has_ipv6(u),
        .restrict_host = u->restrict_host,
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

static void check(struct topo *t, struct topo_uplink *u)
{
    struct user_options o = options(u);

    user_options_check(&o, &t->err);
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct user_options o = options(u);

    return user_create(s, u->object.name, &o, err);
}

/* --- methods --- */

/* The stack whose method a running test calls. */
static struct topo_uplink *self(lua_State *L, const char *method)
{
    return tests_uplink(L, TOPO_USER, method);
}

/* Raises the sentence that was added, as the running line's. */
static int fail(lua_State *L, struct err *err)
{
    lua_pushstring(L, err->texts[0]);
    err_finish(err);
    return script_error(L, "%s", lua_tostring(L, -1));
}

/* u:hostfwd_add(rule): the host's port. */
static int stack_hostfwd_add(lua_State *L)
{
    struct topo_uplink *u = self(L, "hostfwd_add");
    struct err err = {0};
    int port = user_hostfwd_add(u->built, luaL_checkstring(L, 2), NULL, 0, &err);

    if (port < 0)
        return fail(L, &err);
    lua_pushinteger(L, port);
    return 1;
}

static int stack_hostfwd_remove(lua_State *L)
{
    struct topo_uplink *u = self(L, "hostfwd_remove");
    struct err err = {0};

    if (!user_hostfwd_remove(u->built, luaL_checkstring(L, 2), NULL, 0, &err))
        return fail(L, &err);
    return 0;
}

/* u:hostfwd(): the host's ports by rule. */
static int stack_hostfwd(lua_State *L)
{
    struct topo_uplink *u = self(L, "hostfwd");
    char *list = user_hostfwd_list(u->built);

    lua_newtable(L);
    for (char *line = list, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        char *port = strrchr(line, ' ');
        if (!port)
            continue;
        lua_pushlstring(L, line, (size_t)(port - line));
        lua_pushinteger(L, atoi(port + 1));
        lua_rawset(L, -3);
    }
    free(list);
    return 1;
}

static int stack_info(lua_State *L)
{
    struct topo_uplink *u = self(L, "info");
    char *info = user_info(u->built);

    lua_pushstring(L, info);
    free(info);
    return 1;
}

static const luaL_Reg methods[] = {
    {"hostfwd_add", stack_hostfwd_add},
    {"hostfwd_remove", stack_hostfwd_remove},
    {"hostfwd", stack_hostfwd},
    {"info", stack_info},
    {NULL, NULL},
};

const struct uplink_kind user_kind = {
    .schema = {"user", "user \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "A user-mode network stack: router, DHCP, DNS, TFTP and SMB server, and the way to "
               "the host's network, without privilege.",
               "one VLAN", sizeof(struct topo_user), SCHEMA_ATTRS(attrs)},
    .drawn = "user-mode stack",
    .check = check,
    .create = create,
    .methods = methods,
};
