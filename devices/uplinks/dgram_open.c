/*
 * The sockets of a datagram link.
 *
 *     unicast   one socket, bound to localaddr; frames are sent from it, so that the other end can
 *               know us by it as we know the other end
 *     group     in:  bound to the group's address and port, which others on this host share
 *               out: a socket with a port of its own, so that our own frames can be told from those
 *                    of others on this host, who all have the same address
 *
 * Simplifications: groups are IPv4's, as in QEMU; a host's name is looked up once.
 */
#include "devices/uplinks/dgram_open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "devices/uplinks/inherited.h"

/* --- options --- */

static bool is_group(const struct sockaddr_any *s)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&s->to;

    return s->to.ss_family == AF_INET && IN_MULTICAST(ntohl(in->sin_addr.s_addr));
}

static bool address_check(const struct dgram_options *o, const char *name, const char *text,
                          struct address *a, struct err *err)
{
    const char *problem = address_parse(a, text);

    if (problem)
        err_at(err, o->file, o->line, "%s \"%s\": %s", name, text, problem);
    return !problem;
}

/* The address of an interface may do without a port. */
static char *localaddr_text(const struct dgram_options *o)
{
    return xasprintf("%s%s", o->localaddr, o->mcast && !strchr(o->localaddr, ':') ? ":0" : "");
}

static bool combination_check(const struct dgram_options *o, struct err *err)
{
    const char *problem = NULL;

    if (!o->mcast && !o->remote && !o->fd)
        problem = "it needs mcast = \"GROUP:PORT\", or remote and localaddr, or fd";
    else if (o->mcast && o->remote)
        problem = "mcast and remote exclude each other";
    else if (o->fd && o->remote)
        problem = "fd and remote exclude each other: the descriptor is connected already";
    else if (o->fd && o->localaddr && !o->mcast)
        problem = "fd and localaddr exclude each other: the descriptor is bound already";
    else if (o->remote && !o->localaddr)
        problem = "remote needs localaddr, where the other end sends its datagrams";
    if (problem)
        err_at(err, o->file, o->line, "%s", problem);
    return !problem;
}

bool dgram_options_check(const struct dgram_options *o, struct err *err)
{
    const char *to_text = o->mcast ? o->mcast : o->remote;
    struct address to = {0}, local = {0};
    bool ok = combination_check(o, err);
    char *local_text = o->localaddr ? localaddr_text(o) : NULL;

    if (ok && to_text)
        ok = address_check(o, o->mcast ? "mcast" : "remote", to_text, &to, err);
    if (ok && local_text)
        ok = address_check(o, "localaddr", local_text, &local, err);
    if (ok && to_text && (!to.path && (!to.host || !to.port))) {
        err_at(err, o->file, o->line, "%s \"%s\": it needs a host and a port",
               o->mcast ? "mcast" : "remote", to_text);
        ok = false;
    } else if (ok && o->mcast && to.kind != ADDRESS_INET) {
        err_at(err, o->file, o->line, "mcast \"%s\": a group is an IPv4 address and a port",
               o->mcast);
        ok = false;
    } else if (ok && local_text && to_text &&
               (to.kind == ADDRESS_INET) != (local.kind == ADDRESS_INET)) {
        err_at(err, o->file, o->line, "remote is %s and localaddr is not",
               to.kind == ADDRESS_INET ? "a UDP address" : "a unix socket");
        ok = false;
    }
    address_finish(&to);
    address_finish(&local);
    free(local_text);
    return ok;
}

/* --- opening --- */

static bool resolve(const struct dgram_options *o, const char *text, bool passive,
                    struct address_list *l, struct err *err)
{
    struct address a = {0};
    const char *problem = address_parse(&a, text);

    if (!problem)
        problem = address_resolve(&a, SOCK_DGRAM, passive, l);
    if (problem)
        err_at(err, o->file, o->line, "\"%s\": %s", text, problem);
    address_finish(&a);
    return !problem;
}

/* The first two of one kind, IPv4 or IPv6. */
static bool plan_pair(struct dgram_plan *p, const struct address_list *to,
                      const struct address_list *local)
{
    for (unsigned i = 0; i < to->n; i++)
        for (unsigned k = 0; k < local->n; k++)
            if (to->items[i].to.ss_family == local->items[k].to.ss_family) {
                *p = (struct dgram_plan){to->items[i], local->items[k]};
                return true;
            }
    return false;
}

static bool group_check(const struct dgram_plan *p, const struct dgram_options *o, struct err *err)
{
    if (o->mcast && !is_group(&p->to))
        err_at(err, o->file, o->line,
               "mcast \"%s\": a group is an IPv4 address, 224.0.0.0 to "
               "239.255.255.255",
               o->mcast);
    else if (o->remote && is_group(&p->to))
        err_at(err, o->file, o->line, "remote \"%s\" is a group: write mcast = \"%s\"", o->remote,
               o->remote);
    return !!o->mcast == is_group(&p->to);
}

bool dgram_plan_make(struct dgram_plan *p, const struct dgram_options *o, struct err *err)
{
    struct address_list to, local;

    *p = (struct dgram_plan){0};
    if (!o->mcast && !o->remote)
        return true;
    if (!resolve(o, o->mcast ? o->mcast : o->remote, false, &to, err))
        return false;
    p->to = to.items[0];
    if (!o->localaddr)
        return group_check(p, o, err);
    char *text = localaddr_text(o);
    bool ok = resolve(o, text, true, &local, err);
    free(text);
    if (ok && !plan_pair(p, &to, &local)) {
        err_at(err, o->file, o->line, "%s and \"%s\" are not both IPv4 or both IPv6",
               o->mcast ? o->mcast : o->remote, o->localaddr);
        ok = false;
    }
    return ok && group_check(p, o, err);
}

static int fail(const struct dgram_options *o, int fd, struct err *err, const char *what,
                const char *address)
{
    const char *remedy = errno == EADDRINUSE ? "; another program has it"
                         : (errno == ENODEV || errno == ENETUNREACH) && o->mcast
                             ? "; give the address of an interface as localaddr"
                             : "";

    err_at(err, o->file, o->line, "%s %s: %s%s", what, address, strerror(errno), remedy);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int fd_take(uv_loop_t *loop, const struct dgram_options *o, struct err *err)
{
    const char *why = "it is no datagram socket";
    int type = 0, fd = inherited_fd(loop, o->fd, &why);
    socklen_t len = sizeof(type);

    if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM)
        return fd;
    err_at(err, o->file, o->line, "fd = \"%s\": %s", o->fd, why);
    return -1;
}

static int unicast_open(const struct dgram_options *o, const struct dgram_plan *p, struct err *err)
{
    int fd = socket(p->local.to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* Not SO_REUSEADDR: two who share a port would each miss what the other gets. */
    if (fd < 0 || address_bind(fd, &p->local) != 0)
        return fail(o, fd, err, "cannot bind", o->localaddr);
    return fd;
}

static struct in_addr interface_of(const struct dgram_plan *p)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&p->local.to;

    return p->local.len ? in->sin_addr : (struct in_addr){htonl(INADDR_ANY)};
}

static int group_open_in(const struct dgram_options *o, const struct dgram_plan *p, struct err *err)
{
    const struct sockaddr_in *group = (const struct sockaddr_in *)&p->to.to;
    struct ip_mreq join = {.imr_multiaddr = group->sin_addr, .imr_interface = interface_of(p)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    /* Each who shares a group's port gets all that comes to it. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&p->to.to, p->to.len) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) != 0)
        return fail(o, fd, err, "cannot join", o->mcast);
    return fd;
}

/* Others on this host hear us only with IP_MULTICAST_LOOP. */
static int group_open_out(const struct dgram_options *o, const struct dgram_plan *p,
                          struct err *err)
{
    struct in_addr interface = interface_of(p);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    int ttl = (int)o->ttl;

    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) != 0 ||
        (p->local.len &&
         setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)) != 0) ||
        connect(fd, (const struct sockaddr *)&p->to.to, p->to.len) != 0)
        return fail(o, fd, err, "cannot send to", o->mcast);
    return fd;
}

bool dgram_open(uv_loop_t *loop, int *in, int *out, const struct dgram_options *o,
                const struct dgram_plan *p, struct err *err)
{
    *in = o->fd      ? fd_take(loop, o, err)
          : o->mcast ? group_open_in(o, p, err)
                     : unicast_open(o, p, err);
    *out = *in;
    if (*in >= 0 && o->mcast)
        *out = group_open_out(o, p, err);
    if (*out < 0 && *in >= 0)
        close(*in);
    return *out >= 0;
}
