/* The user-mode stack, as a topology describes it. */
#include "devices/uplinks/user.h"

#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

struct topo_user {
    struct topo_uplink uplink;
    topo_strings hostfwd;
    const char *tftp, *bootfile, *net, *host, *dns, *dhcpstart, *hostname;
    bool restrict_host;
};

static const struct attr attrs[] = {
    {"hostfwd", ATTR_LIST, SCHEMA_AT(topo_user, hostfwd), "(none)", 0, 0, NULL,
     "redirections \"tcp:127.0.0.1:8080-10.0.2.15:80\", one or a list"},
    {"tftp", ATTR_FOLDER, SCHEMA_AT(topo_user, tftp), "(none)", 0, 0, NULL,
     "the folder that TFTP serves"},
    {"bootfile", ATTR_STRING, SCHEMA_AT(topo_user, bootfile), "(none)", 0, 0, NULL,
     "the file that BOOTP and DHCP name"},
    {"net", ATTR_STRING, SCHEMA_AT(topo_user, net), "(10.0.2.0/24)", 0, 0, NULL, "its network"},
    {"host", ATTR_STRING, SCHEMA_AT(topo_user, host), "(net + 2)", 0, 0, NULL,
     "address of the router, DHCP and TFTP server"},
    {"dns", ATTR_STRING, SCHEMA_AT(topo_user, dns), "(net + 3)", 0, 0, NULL,
     "address of the DNS server"},
    {"dhcpstart", ATTR_STRING, SCHEMA_AT(topo_user, dhcpstart), "(net + 15)", 0, 0, NULL,
     "the first of the 16 addresses handed out"},
    {"hostname", ATTR_STRING, SCHEMA_AT(topo_user, hostname), "(none)", 0, 0, NULL,
     "the name given to DHCP clients"},
    {"restrict", ATTR_BOOL, SCHEMA_AT(topo_user, restrict_host), "false", 0, 0, NULL,
     "nothing reaches the host or beyond"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static struct user_options options(const struct topo_uplink *uplink)
{
    const struct topo_user *u = (const struct topo_user *)uplink;

    return (struct user_options){
        .hostfwd = u->hostfwd.items,
        .n_hostfwd = u->hostfwd.n,
        .tftp = u->tftp,
        .bootfile = u->bootfile,
        .net = u->net,
        .host = u->host,
        .dns = u->dns,
        .dhcpstart = u->dhcpstart,
        .hostname = u->hostname,
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

static enum uplink_start start(const struct topo_uplink *u)
{
    (void)u;
    return UPLINK_UP;
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct user_options o = options(u);

    return user_create(s, u->object.name, &o, err);
}

const struct uplink_kind user_kind = {
    .schema = {"user", "user \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "A user-mode network stack: router, DHCP, DNS and TFTP server, and the way to the "
               "host's network, without privilege.",
               "one VLAN", sizeof(struct topo_user), SCHEMA_ATTRS(attrs)},
    .drawn = "user-mode stack",
    .check = check,
    .start = start,
    .create = create,
};
