/*
 * Checking the user-mode stack's options, each and together. A network has a prefix of 8 to 28 bits,
 * so that 16 leases fit.
 */
#include "devices/uplinks/user_options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "devices/uplinks/user_smb.h"

#define DHCP_LEASES 16 /* libslirp's NB_BOOTP_CLIENTS */
#define DHCP_ROOM 312  /* its DHCP_OPT_LEN; what does not fit it would leave out */
#define MAX_HOSTNAME 32
#define MAX_BOOTFILE 127 /* RFC 951: 128 bytes with the zero */

/* What is being checked. */
struct checking {
    struct user_plan *p;
    const struct user_options *o;
    struct err *err;
};

#define COMPLAIN(c, ...) err_at((c)->err, (c)->o->file, (c)->o->line, __VA_ARGS__)

static const char *text(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

/* --- IPv4 addresses --- */

static bool check_net(struct checking *c)
{
    char a[INET_ADDRSTRLEN];
    const char *net = c->o->net ? c->o->net : "10.0.2.0/24";
    struct user_plan *p = c->p;

    if (!user_parse_net(net, &p->net, &p->mask) || ntohl(p->mask.s_addr) < 0xff000000u ||
        ntohl(p->mask.s_addr) > 0xfffffff0u) {
        COMPLAIN(c, "net \"%s\" is not an IPv4 network such as 10.0.2.0/24 (prefix 8 to 28)", net);
        return false;
    }
    struct in_addr whole = {p->net.s_addr & p->mask.s_addr};
    if (whole.s_addr != p->net.s_addr) {
        COMPLAIN(c, "net \"%s\" is not an IPv4 network but an address in it; the network is %s", net,
                 text(whole, a));
        return false;
    }
    return true;
}

/* An address of the network: as given, or the network's plus `offset`. */
static void plan_address(struct checking *c, const char *what, const char *given, uint32_t offset,
                         struct in_addr *out)
{
    struct user_plan *p = c->p;
    uint32_t part;

    out->s_addr = htonl(ntohl(p->net.s_addr) + offset);
    if (!given)
        return;
    if (!user_parse_ipv4(given, out)) {
        COMPLAIN(c, "%s \"%s\" is not an IPv4 address", what, given);
        return;
    }
    part = out->s_addr & ~p->mask.s_addr;
    if ((out->s_addr & p->mask.s_addr) != p->net.s_addr)
        COMPLAIN(c, "%s %s is outside the stack's network %s", what, given,
                 c->o->net ? c->o->net : "10.0.2.0/24");
    else if (part == 0 || part == ~p->mask.s_addr)
        COMPLAIN(c, "%s %s is the network's %s address", what, given, part ? "broadcast" : "own");
}

/* Addresses of the stack's own, each with its option's name. */
struct own_address {
    const char *what;
    struct in_addr a;
};

static void check_leases(struct checking *c, const struct own_address *own, size_t n)
{
    char a[INET_ADDRSTRLEN];
    struct user_plan *p = c->p;
    uint32_t first = ntohl(p->dhcpstart.s_addr), last = first + DHCP_LEASES - 1;

    if (last >= ntohl(p->net.s_addr | ~p->mask.s_addr))
        COMPLAIN(c, "dhcpstart %s leaves no room for %d leases in the network",
                 text(p->dhcpstart, a), DHCP_LEASES);
    for (size_t i = 0; i < n; i++)
        if (ntohl(own[i].a.s_addr) >= first && ntohl(own[i].a.s_addr) <= last)
            COMPLAIN(c, "%s %s is among the leases from dhcpstart", own[i].what,
                     text(own[i].a, a));
}

static void check_ipv4(struct checking *c)
{
    char a[INET_ADDRSTRLEN];
    struct user_plan *p = c->p;
    size_t before = c->err->n;

    if (!check_net(c))
        return;
    plan_address(c, "host", c->o->host, 2, &p->host);
    plan_address(c, "dns", c->o->dns, 3, &p->dns);
    plan_address(c, "dhcpstart", c->o->dhcpstart, 15, &p->dhcpstart);
    plan_address(c, "smbserver", c->o->smbserver, 4, &p->smbserver);
    if (c->err->n != before)
        return;
    const struct own_address own[] = {
        {"host", p->host}, {"dns", p->dns}, {"smbserver", p->smbserver}};
    size_t n = c->o->smb ? 3 : 2;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (own[i].a.s_addr == own[j].a.s_addr)
                COMPLAIN(c, "%s and %s are both %s", own[j].what, own[i].what, text(own[i].a, a));
    check_leases(c, own, n);
}

/* --- IPv6 addresses --- */

/* "fec0::" or "fec0::/64", and the length said by itself. */
static bool check_net6(struct checking *c)
{
    char address[INET6_ADDRSTRLEN];
    const char *net = c->o->ipv6_net ? c->o->ipv6_net : "fec0::";
    size_t len = strcspn(net, "/");
    unsigned said = 0;
    int used = 0;
    struct user_plan *p = c->p;

    if (len < sizeof(address)) {
        memcpy(address, net, len);
        address[len] = '\0';
    }
    if (len >= sizeof(address) || !user_parse_ipv6(address, &p->net6) ||
        (net[len] && (!isdigit((unsigned char)net[len + 1]) ||
                      sscanf(net + len, "/%3u%n", &said, &used) != 1 || net[len + (size_t)used]))) {
        COMPLAIN(c, "ipv6_net \"%s\" is not an IPv6 network such as fec0::/64", net);
        return false;
    }
    p->prefix6 = c->o->ipv6_prefixlen ? c->o->ipv6_prefixlen : net[len] ? said : 64;
    if (net[len] && c->o->ipv6_prefixlen && c->o->ipv6_prefixlen != said)
        COMPLAIN(c, "ipv6_net \"%s\" and ipv6_prefixlen %u say different lengths", net,
                 c->o->ipv6_prefixlen);
    else if (p->prefix6 < 1 || p->prefix6 > 126)
        COMPLAIN(c, "ipv6_net \"%s\": the prefix length %u is outside 1..126", net, p->prefix6);
    else
        return true;
    return false;
}

static bool same_prefix(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return memcmp(a, b, bytes) == 0 &&
           (!rest || ((a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest)) == 0);
}

static void plan_address6(struct checking *c, const char *what, const char *given, uint8_t last,
                          struct in6_addr *out)
{
    char net[INET6_ADDRSTRLEN];

    *out = c->p->net6;
    out->s6_addr[15] |= last;
    if (given && !user_parse_ipv6(given, out))
        COMPLAIN(c, "%s \"%s\" is not an IPv6 address", what, given);
    else if (!same_prefix(out, &c->p->net6, c->p->prefix6))
        COMPLAIN(c, "%s %s is outside the stack's network %s/%u", what, given,
                 inet_ntop(AF_INET6, &c->p->net6, net, sizeof(net)), c->p->prefix6);
}

static bool host_bits_zero(const struct in6_addr *a, unsigned bits)
{
    struct in6_addr net = {.s6_addr = {0}};

    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;
        net.s6_addr[i] = (uint8_t)(a->s6_addr[i] & (0xff00u >> kept));
    }
    return memcmp(a, &net, sizeof(net)) == 0;
}

static void check_ipv6(struct checking *c)
{
    char a[INET6_ADDRSTRLEN];
    struct user_plan *p = c->p;
    size_t before = c->err->n;

    if (!check_net6(c))
        return;
    if (!host_bits_zero(&p->net6, p->prefix6)) {
        COMPLAIN(c, "ipv6_net \"%s\" is an address in a network of %u bits, not the network",
                 c->o->ipv6_net, p->prefix6);
        return;
    }
    plan_address6(c, "ipv6_host", c->o->ipv6_host, 2, &p->host6);
    plan_address6(c, "ipv6_dns", c->o->ipv6_dns, 3, &p->dns6);
    if (c->err->n == before && memcmp(&p->host6, &p->dns6, sizeof(p->host6)) == 0)
        COMPLAIN(c, "ipv6_host and ipv6_dns are both %s",
                 inet_ntop(AF_INET6, &p->host6, a, sizeof(a)));
}

/* --- which of both there are --- */

struct named {
    const char *name;
    bool said;
};

static void check_families(struct checking *c)
{
    const struct user_options *o = c->o;
    const struct named of4[] = {
        {"net", o->net},           {"host", o->host},           {"dns", o->dns},
        {"dhcpstart", o->dhcpstart}, {"smb", o->smb},           {"smbserver", o->smbserver},
        {"guestfwd", o->n_guestfwd}, {"hostname", o->hostname}, {"domainname", o->domainname},
        {"dnssearch", o->n_dnssearch}, {"tftp_server_name", o->tftp_server_name},
    };
    const struct named of6[] = {
        {"ipv6_net", o->ipv6_net},
        {"ipv6_prefixlen", o->ipv6_prefixlen},
        {"ipv6_host", o->ipv6_host},
        {"ipv6_dns", o->ipv6_dns},
    };

    if (o->ipv4_off && !o->ipv6)
        COMPLAIN(c, "ipv4 and ipv6 are both off: a stack needs one");
    for (size_t i = 0; i < ARRAY_LEN(of4) && o->ipv4_off; i++)
        if (of4[i].said)
            COMPLAIN(c, "%s needs IPv4, which is off", of4[i].name);
    for (size_t i = 0; i < ARRAY_LEN(of6) && !o->ipv6; i++)
        if (of6[i].said)
            COMPLAIN(c, "%s needs IPv6, which is off", of6[i].name);
}

/* --- what DHCP tells --- */

/* Letters, digits, "-", "_" and dots between labels of 1 to 63 (RFC 1035, 2.3.4; RFC 2181, 11). */
static bool is_domain(const char *s)
{
    size_t label = 0, len = strlen(s);

    for (const char *p = s; *p; p++) {
        if (*p == '.' && (label == 0 || label > 63))
            return false;
        if (*p != '.' && !isalnum((unsigned char)*p) && *p != '-' && *p != '_')
            return false;
        label = *p == '.' ? 0 : label + 1;
    }
    return len && len <= 253 && label > 0 && label <= 63;
}

static void check_domain(struct checking *c, const char *what, const char *name)
{
    if (name && !is_domain(name))
        COMPLAIN(c, "%s \"%s\" is not a domain's name", what, name);
}

static size_t option_size(const char *s)
{
    return s ? 2 + strlen(s) : 0;
}

static void check_dhcp(struct checking *c)
{
    const struct user_options *o = c->o;
    size_t search = 0, fixed = 4 + 3 + 5 * 6 + 1;

    check_domain(c, "domainname", o->domainname);
    for (size_t i = 0; i < o->n_dnssearch; i++) {
        check_domain(c, "dnssearch", o->dnssearch[i]);
        search += option_size(o->dnssearch[i]);
    }
    search += (search + 254) / 255 * 2;
    if (o->hostname && (!o->hostname[0] || strlen(o->hostname) > MAX_HOSTNAME))
        COMPLAIN(c, "hostname \"%s\" is not 1 to %d characters long", o->hostname, MAX_HOSTNAME);
    if (o->bootfile && strlen(o->bootfile) > MAX_BOOTFILE)
        COMPLAIN(c, "bootfile \"%s\" is longer than %d characters", o->bootfile, MAX_BOOTFILE);
    if (o->tftp_server_name && (!o->tftp_server_name[0] || strlen(o->tftp_server_name) > 255))
        COMPLAIN(c, "tftp_server_name is not 1 to 255 characters long");
    size_t all = fixed + search + option_size(o->hostname) + option_size(o->domainname) +
                 option_size(o->tftp_server_name);
    if (o->bootfile && strncmp(o->bootfile, "http://", 7) == 0)
        all += 12; /* then it says that it is one for HTTP */
    if (all >= DHCP_ROOM)
        COMPLAIN(c,
                 "hostname, domainname, dnssearch and tftp_server_name need %zu bytes of a DHCP "
                 "answer, which has %d",
                 all, DHCP_ROOM);
}

static void check_tftp(struct checking *c)
{
    struct stat st;

    if (!c->o->tftp)
        return;
    if (stat(c->o->tftp, &st) != 0)
        COMPLAIN(c, "tftp folder %s: %s", c->o->tftp, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        COMPLAIN(c, "tftp \"%s\" is not a folder", c->o->tftp);
}

static void check_smb(struct checking *c)
{
    if (c->o->smbserver && !c->o->smb)
        COMPLAIN(c, "smbserver says where, but smb does not say which folder");
    if (c->o->smb)
        user_smb_check(c->o->smb, c->o->file, c->o->line, c->err);
}

/* --- redirections --- */

static void check_hostfwd(struct checking *c)
{
    const struct user_options *o = c->o;
    struct user_plan *p = c->p;

    p->hostfwd = xcalloc(o->n_hostfwd, sizeof(*p->hostfwd));
    for (size_t i = 0; i < o->n_hostfwd; i++)
        if (user_hostfwd_parse(o->hostfwd[i], !o->ipv4_off, o->ipv6, &p->hostfwd[p->n_hostfwd],
                               o->file, o->line, c->err))
            p->n_hostfwd++;
}

/* An address that is the stack's already, or taken by another. */
static void check_server(struct checking *c, const char *rule, struct user_guestfwd *f)
{
    struct user_plan *p = c->p;
    char a[INET_ADDRSTRLEN];

    if (!f->server.s_addr)
        f->server.s_addr = htonl(ntohl(p->net.s_addr) + 4);
    text(f->server, a);
    if ((f->server.s_addr & p->mask.s_addr) != p->net.s_addr)
        COMPLAIN(c, "guestfwd \"%s\": %s is outside the stack's network", rule, a);
    else if (f->server.s_addr == p->host.s_addr || f->server.s_addr == p->dns.s_addr)
        COMPLAIN(c, "guestfwd \"%s\": %s is the address of %s", rule, a,
                 f->server.s_addr == p->host.s_addr ? "host" : "dns");
    else if (c->o->smb && f->server.s_addr == p->smbserver.s_addr &&
             (f->port == 139 || f->port == 445))
        COMPLAIN(c, "guestfwd \"%s\": that is the SMB server's port", rule);
    for (size_t i = 0; i < p->n_guestfwd; i++)
        if (p->guestfwd[i].server.s_addr == f->server.s_addr && p->guestfwd[i].port == f->port)
            COMPLAIN(c, "guestfwd \"%s\": another one has %s port %u", rule, a, f->port);
}

static void check_guestfwd(struct checking *c)
{
    const struct user_options *o = c->o;
    struct user_plan *p = c->p;

    p->guestfwd = xcalloc(o->n_guestfwd, sizeof(*p->guestfwd));
    for (size_t i = 0; i < o->n_guestfwd; i++) {
        struct user_guestfwd *f = &p->guestfwd[p->n_guestfwd];
        if (!user_guestfwd_parse(o->guestfwd[i], f, o->file, o->line, c->err))
            continue;
        check_server(c, o->guestfwd[i], f);
        p->n_guestfwd++;
    }
}

/* --- all of it --- */

bool user_plan_make(struct user_plan *p, const struct user_options *o, struct err *err)
{
    struct checking c = {p, o, err};
    size_t before = err->n;

    *p = (struct user_plan){.n_hostfwd = 0};
    check_families(&c);
    if (!o->ipv4_off)
        check_ipv4(&c);
    if (o->ipv6)
        check_ipv6(&c);
    check_dhcp(&c);
    check_tftp(&c);
    check_smb(&c);
    check_hostfwd(&c);
    if (err->n == before) /* addresses are known */
        check_guestfwd(&c);
    return err->n == before;
}

void user_plan_finish(struct user_plan *p)
{
    free(p->hostfwd);
    free(p->guestfwd);
    *p = (struct user_plan){.n_hostfwd = 0};
}

bool user_options_check(const struct user_options *o, struct err *err)
{
    struct user_plan p;
    bool ok = user_plan_make(&p, o, err);

    user_plan_finish(&p);
    return ok;
}
