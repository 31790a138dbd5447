/*
 * The host's side of a TAP interface: its MTU, an address, and up.
 *
 * Without the privilege it is enough that somebody else has set the same before.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/tap_open.h"

struct host_address {
    int family;
    struct in_addr v4;
    struct in6_addr v6;
    unsigned prefix;
};

static bool host_address_parse(const char *text, struct host_address *a)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    int used = -1;

    if (!slash || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' || slash[1] > '9' ||
        sscanf(slash + 1, "%3u%n", &a->prefix, &used) != 1 || slash[1 + used])
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    a->family = AF_INET;
    if (inet_pton(AF_INET, host, &a->v4) == 1)
        return a->prefix >= 1 && a->prefix <= 32;
    a->family = AF_INET6;
    return inet_pton(AF_INET6, host, &a->v6) == 1 && a->prefix >= 1 && a->prefix <= 128;
}

bool tap_address_valid(const char *text)
{
    struct host_address a;

    return host_address_parse(text, &a);
}

static struct ifreq request_of(const char *ifname)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, ifname, MIN(strlen(ifname), sizeof(r.ifr_name) - 1));
    return r;
}

static bool set_v4(int s, const char *ifname, unsigned long what, struct in_addr a)
{
    struct ifreq r = request_of(ifname);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = a};

    memcpy(&r.ifr_addr, &sin, sizeof(sin));
    return ioctl(s, what, &r) == 0;
}

static bool address_add(int s, const char *ifname, const struct host_address *a)
{
    if (a->family == AF_INET)
        return set_v4(s, ifname, SIOCSIFADDR, a->v4) &&
               set_v4(s, ifname, SIOCSIFNETMASK, (struct in_addr){htonl(~0u << (32 - a->prefix))});

    struct in6_ifreq r = {.ifr6_addr = a->v6,
                          .ifr6_prefixlen = a->prefix,
                          .ifr6_ifindex = (int)if_nametoindex(ifname)};
    return ioctl(s, SIOCSIFADDR, &r) == 0 || errno == EEXIST;
}

static bool same_address(const struct sockaddr *there, const struct host_address *a)
{
    if (!there || there->sa_family != a->family)
        return false;
    if (a->family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)there)->sin_addr.s_addr == a->v4.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)(const void *)there)->sin6_addr, &a->v6,
                  sizeof(a->v6)) == 0;
}

/* Whether the interface has the address already, and is up. */
static bool address_there(const char *ifname, const struct host_address *a)
{
    struct ifaddrs *all;
    bool there = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        there |= strcmp(i->ifa_name, ifname) == 0 && (i->ifa_flags & IFF_UP) &&
                 same_address(i->ifa_addr, a);
    freeifaddrs(all);
    return there;
}

static bool set_mtu(int s, const char *ifname, uint64_t mtu)
{
    struct ifreq r = request_of(ifname);

    if (ioctl(s, SIOCGIFMTU, &r) == 0 && (uint64_t)r.ifr_mtu == mtu)
        return true;
    r.ifr_mtu = (int)mtu;
    return ioctl(s, SIOCSIFMTU, &r) == 0;
}

static bool set_up(int s, const char *ifname)
{
    struct ifreq r = request_of(ifname);

    if (ioctl(s, SIOCGIFFLAGS, &r) != 0)
        return false;
    if (r.ifr_flags & IFF_UP)
        return true;
    r.ifr_flags |= IFF_UP;
    return ioctl(s, SIOCSIFFLAGS, &r) == 0;
}

bool tap_host_setup(const char *ifname, const struct tap_options *o, struct err *err)
{
    struct host_address a = {.family = AF_INET};
    size_t before = err->n;

    if (o->address && !host_address_parse(o->address, &a))
        return false; /* the check has said so */
    int s = socket(a.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (o->mtu && !set_mtu(s, ifname, o->mtu))
        err_at(
            err, o->file, o->line,
            "mtu = %llu of %s cannot be set: %s; it can be set beforehand: ip link set %s mtu %llu",
            (unsigned long long)o->mtu, ifname, strerror(errno), ifname,
            (unsigned long long)o->mtu);
    if (o->address && !address_there(ifname, &a) &&
        !(address_add(s, ifname, &a) && set_up(s, ifname)))
        err_at(err, o->file, o->line,
               "address %s of %s cannot be set: %s; it can be set beforehand: ip addr add %s dev "
               "%s; ip link set %s up",
               o->address, ifname, strerror(errno), o->address, ifname, ifname);
    if (s >= 0)
        close(s);
    return err->n == before;
}
