/*
 * The user-mode stack's networks and its own addresses in them. A network of IPv4 has a prefix of 8
 * to 28 bits, so that 16 leases fit.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "devices/uplinks/user_checking.h"

#define DHCP_LEASES 16 /* libslirp's NB_BOOTP_CLIENTS */

static const char *text(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

/* --- IPv4 addresses --- */

static bool check_net(struct user_checking *c)
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
        COMPLAIN(c, "net \"%s\" is not an IPv4 network but an address in it; the network is %s",
                 net, text(whole, a));
        return false;
    }
    return true;
}

/* An address of the network: as given, or the network's plus `offset`. */
static void plan_address(struct user_checking *c, const char *what, const char *given,
                         uint32_t offset, struct in_addr *out)
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

static void check_leases(struct user_checking *c, const struct own_address *own, size_t n)
{
    char a[INET_ADDRSTRLEN];
    struct user_plan *p = c->p;
    uint32_t first = ntohl(p->dhcpstart.s_addr), last = first + DHCP_LEASES - 1;

    if (last >= ntohl(p->net.s_addr | ~p->mask.s_addr))
        COMPLAIN(c, "dhcpstart %s leaves no room for %d leases in the network",
                 text(p->dhcpstart, a), DHCP_LEASES);
    for (size_t i = 0; i < n; i++)
        if (ntohl(own[i].a.s_addr) >= first && ntohl(own[i].a.s_addr) <= last)
            COMPLAIN(c, "%s %s is among the leases from dhcpstart", own[i].what, text(own[i].a, a));
}

void user_check_ipv4(struct user_checking *c)
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
static bool check_net6(struct user_checking *c)
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

static void plan_address6(struct user_checking *c, const char *what, const char *given,
                          uint8_t last, struct in6_addr *out)
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

void user_check_ipv6(struct user_checking *c)
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
