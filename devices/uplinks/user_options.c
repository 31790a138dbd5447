/*
 * Parsing and checking the user-mode stack's options.
 *
 *     net        10.0.2.0/24 (prefix 8 to 28, so that 16 leases fit)
 *     hostfwd    tcp:127.0.0.1:8080-10.0.2.15:80, either address may be empty
 */
#include "devices/uplinks/user_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define DHCP_LEASES 16 /* libslirp's NB_BOOTP_CLIENTS */

static const char *text(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

static bool parse_address(const char *s, struct in_addr *a)
{
    return inet_pton(AF_INET, s, a) == 1;
}

/* "10.0.2.0/24"; host bits must be zero, as a network has none. */
static bool parse_net(const char *s, struct user_plan *p)
{
    char address[INET_ADDRSTRLEN + 1];
    unsigned prefix;
    int used = -1;

    if (sscanf(s, "%15[0-9.]/%2u%n", address, &prefix, &used) != 2 || s[used] != '\0' ||
        !parse_address(address, &p->net) || prefix < 8 || prefix > 28)
        return false;
    p->mask.s_addr = htonl(~0u << (32 - prefix));
    return (p->net.s_addr & ~p->mask.s_addr) == 0;
}

static bool inside(const struct user_plan *p, struct in_addr a)
{
    return (a.s_addr & p->mask.s_addr) == p->net.s_addr;
}

/* An address of the network: as given, or the network's plus `offset`. */
static void plan_address(struct user_plan *p, const struct user_options *o, const char *what,
                         const char *given, uint32_t offset, struct in_addr *out, struct err *err)
{
    if (!given)
        out->s_addr = htonl(ntohl(p->net.s_addr) + offset);
    else if (!parse_address(given, out))
        err_at(err, o->file, o->line, "%s \"%s\" is not an IPv4 address", what, given);
    else if (!inside(p, *out))
        err_at(err, o->file, o->line, "%s %s is outside the stack's network %s", what, given,
               o->net ? o->net : "10.0.2.0/24");
}

static bool port_number(const char *s, size_t len, uint16_t *port)
{
    unsigned n = 0;

    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s[i] - '0');
    }
    *port = (uint16_t)n;
    return n <= 65535;
}

/* "ADDRESS:PORT" in s[0..len); an empty address leaves *a alone. */
static bool endpoint(const char *s, size_t len, struct in_addr *a, uint16_t *port)
{
    const char *colon = memchr(s, ':', len);
    char address[INET_ADDRSTRLEN];

    if (!colon || (size_t)(colon - s) >= sizeof(address))
        return false;
    memcpy(address, s, (size_t)(colon - s));
    address[colon - s] = '\0';
    return (address[0] == '\0' || parse_address(address, a)) &&
           port_number(colon + 1, len - (size_t)(colon - s) - 1, port);
}

static bool parse_hostfwd(const char *s, struct user_hostfwd *f)
{
    if (strncmp(s, "tcp:", 4) == 0)
        f->udp = false;
    else if (strncmp(s, "udp:", 4) == 0)
        f->udp = true;
    else
        return false;
    s += 4;
    const char *dash = strchr(s, '-');
    return dash && endpoint(s, (size_t)(dash - s), &f->host, &f->host_port) &&
           endpoint(dash + 1, strlen(dash + 1), &f->guest, &f->guest_port) &&
           f->guest_port != 0;
}

static void plan_forwards(struct user_plan *p, const struct user_options *o, struct err *err)
{
    p->forwards = xcalloc(o->n_hostfwd, sizeof(*p->forwards));
    for (size_t i = 0; i < o->n_hostfwd; i++) {
        struct user_hostfwd *f = &p->forwards[p->n_forwards];
        *f = (struct user_hostfwd){.guest = p->dhcpstart};
        if (parse_hostfwd(o->hostfwd[i], f))
            p->n_forwards++;
        else
            err_at(err, o->file, o->line,
                   "hostfwd \"%s\" is not of the form tcp:HOSTADDR:PORT-GUESTADDR:PORT (or udp:)",
                   o->hostfwd[i]);
    }
}

static void check_distinct(const struct user_plan *p, const struct user_options *o, struct err *err)
{
    char a[INET_ADDRSTRLEN];
    uint32_t first = ntohl(p->dhcpstart.s_addr), last = first + DHCP_LEASES - 1;
    uint32_t broadcast = ntohl(p->net.s_addr | ~p->mask.s_addr);

    if (p->host.s_addr == p->dns.s_addr)
        err_at(err, o->file, o->line, "host and dns are both %s", text(p->host, a));
    if (last >= broadcast)
        err_at(err, o->file, o->line, "dhcpstart %s leaves no room for %d leases in the network",
               text(p->dhcpstart, a), DHCP_LEASES);
    if (ntohl(p->host.s_addr) >= first && ntohl(p->host.s_addr) <= last)
        err_at(err, o->file, o->line, "host %s is among the leases from dhcpstart",
               text(p->host, a));
    if (ntohl(p->dns.s_addr) >= first && ntohl(p->dns.s_addr) <= last)
        err_at(err, o->file, o->line, "dns %s is among the leases from dhcpstart", text(p->dns, a));
}

static void check_tftp(const struct user_options *o, struct err *err)
{
    struct stat st;

    if (!o->tftp)
        return;
    if (stat(o->tftp, &st) != 0)
        err_at(err, o->file, o->line, "tftp folder %s: %s", o->tftp, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        err_at(err, o->file, o->line, "tftp \"%s\" is not a folder", o->tftp);
}

bool user_plan_make(struct user_plan *p, const struct user_options *o, struct err *err)
{
    size_t before = err->n;

    *p = (struct user_plan){0};
    if (!parse_net(o->net ? o->net : "10.0.2.0/24", p)) {
        err_at(err, o->file, o->line,
               "net \"%s\" is not an IPv4 network such as 10.0.2.0/24 (prefix 8 to 28)", o->net);
        return false;
    }
    plan_address(p, o, "host", o->host, 2, &p->host, err);
    plan_address(p, o, "dns", o->dns, 3, &p->dns, err);
    plan_address(p, o, "dhcpstart", o->dhcpstart, 15, &p->dhcpstart, err);
    if (err->n == before)
        check_distinct(p, o, err);
    plan_forwards(p, o, err);
    check_tftp(o, err);
    return err->n == before;
}

void user_plan_finish(struct user_plan *p)
{
    free(p->forwards);
    *p = (struct user_plan){0};
}

bool user_options_check(const struct user_options *o, struct err *err)
{
    struct user_plan p;
    bool ok = user_plan_make(&p, o, err);

    user_plan_finish(&p);
    return ok;
}
