/*
 * Datagram links.
 *
 *     unicast   one socket, bound to localaddr; frames are sent from it, so that the other end can
 *               know us by it as we know the other end
 *     group     in:  bound to the group's address and port, which others on this host share
 *               out: a socket with a port of its own, so that our own frames can be told from those
 *                    of others on this host, who all have the same address
 *
 * Simplifications: groups are IPv4's, as in QEMU; a host's name is looked up once.
 */
#include "devices/uplinks/dgram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/uplinks/address.h"
#include "devices/uplinks/datagrams.h"

struct dgram {
    struct datagrams base;
    struct sockaddr_any remote; /* a peer, or the group; len 0: the descriptor's own */
    struct sockaddr_any own;    /* where we send to the group from */
    struct sockaddr_any bound;  /* a unix socket's, to be removed */
    char alias[sizeof(
        struct sockaddr_un)]; /* what the peer calls its unix socket, if not as we do */
    bool group, from_anyone;
    uint64_t own_frames, strangers;
};

static struct dgram *dgram_of(const struct uplink *u)
{
    return container_of(u, struct dgram, base.uplink);
}

/* --- in --- */

static bool same_address(const struct sockaddr_any *a, const struct datagram *g)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->to;
    const struct sockaddr_in *from = (const struct sockaddr_in *)g->from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->to;
    const struct sockaddr_in6 *from6 = (const struct sockaddr_in6 *)g->from;

    if (!g->from_len || a->to.ss_family != g->from->ss_family)
        return false;
    if (a->to.ss_family == AF_INET)
        return in->sin_port == from->sin_port && in->sin_addr.s_addr == from->sin_addr.s_addr;
    if (a->to.ss_family == AF_INET6)
        return in6->sin6_port == from6->sin6_port &&
               memcmp(&in6->sin6_addr, &from6->sin6_addr, sizeof(in6->sin6_addr)) == 0;
    return a->len == g->from_len && memcmp(&a->to, g->from, a->len) == 0;
}

/* A unix socket is called what its owner called it, which may be another path to the same file. */
static bool same_file(struct dgram *k, const struct datagram *g)
{
    const struct sockaddr_un *mine = (const struct sockaddr_un *)&k->remote.to;
    const struct sockaddr_un *theirs = (const struct sockaddr_un *)g->from;
    struct stat a, b;

    if (g->from_len <= offsetof(struct sockaddr_un, sun_path) || theirs->sun_family != AF_UNIX ||
        !theirs->sun_path[0] || !mine->sun_path[0] || g->from_len > sizeof(k->alias))
        return false;
    if (memcmp(k->alias, g->from, g->from_len) == 0)
        return true;
    if (stat(mine->sun_path, &a) != 0 || stat(theirs->sun_path, &b) != 0 || a.st_dev != b.st_dev ||
        a.st_ino != b.st_ino)
        return false;
    memset(k->alias, 0, sizeof(k->alias));
    memcpy(k->alias, g->from, g->from_len);
    return true;
}

static void refuse_stranger(struct dgram *k, const struct datagram *g)
{
    struct sockaddr_any from = {.len = g->from_len};

    memcpy(&from.to, g->from, g->from_len);
    char *text = g->from_len ? address_format(&from) : xstrdup("someone without an address");
    datagrams_refuse(&k->base, &k->strangers,
                     "a datagram from %s, who is not the remote, is dropped: from_anyone = true "
                     "would take it",
                     text);
    free(text);
}

static ssize_t dgram_unwrap(struct datagrams *d, const struct datagram *g)
{
    struct dgram *k = container_of(d, struct dgram, base);

    if (k->group && same_address(&k->own, g)) {
        k->own_frames++;
        return -1;
    }
    if (k->group || k->from_anyone || !k->remote.len || same_address(&k->remote, g) ||
        (k->remote.to.ss_family == AF_UNIX && same_file(k, g)))
        return 0;
    refuse_stranger(k, g);
    return -1;
}

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

    if (!o->mcast && !o->remote && o->fd < 0)
        problem = "it needs mcast = \"GROUP:PORT\", or remote and localaddr, or fd";
    else if (o->mcast && o->remote)
        problem = "mcast and remote exclude each other";
    else if (o->fd >= 0 && o->remote)
        problem = "fd and remote exclude each other: the descriptor is connected already";
    else if (o->fd >= 0 && o->localaddr && !o->mcast)
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

struct plan {
    struct sockaddr_any to, local; /* len 0: none */
};

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
static bool plan_pair(struct plan *p, const struct address_list *to,
                      const struct address_list *local)
{
    for (unsigned i = 0; i < to->n; i++)
        for (unsigned k = 0; k < local->n; k++)
            if (to->items[i].to.ss_family == local->items[k].to.ss_family) {
                *p = (struct plan){to->items[i], local->items[k]};
                return true;
            }
    return false;
}

static bool group_check(const struct plan *p, const struct dgram_options *o, struct err *err)
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

static bool plan_make(struct plan *p, const struct dgram_options *o, struct err *err)
{
    struct address_list to, local;

    *p = (struct plan){0};
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

/* The descriptor of someone else: ours is another for the same socket. */
static int fd_take(const struct dgram_options *o, struct err *err)
{
    int type = 0, fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
    socklen_t len = sizeof(type);
    char text[16];

    snprintf(text, sizeof(text), "%d", o->fd);
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
        return fail(o, fd, err, "fd", text);
    if (type == SOCK_DGRAM)
        return fd;
    err_at(err, o->file, o->line, "fd %d is no datagram socket", o->fd);
    close(fd);
    return -1;
}

static int unicast_open(const struct dgram_options *o, const struct plan *p, struct err *err)
{
    int fd = socket(p->local.to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* Not SO_REUSEADDR: two who share a port would each miss what the other gets. */
    if (fd < 0 || address_bind(fd, &p->local) != 0)
        return fail(o, fd, err, "cannot bind", o->localaddr);
    return fd;
}

static struct in_addr interface_of(const struct plan *p)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&p->local.to;

    return p->local.len ? in->sin_addr : (struct in_addr){htonl(INADDR_ANY)};
}

static int group_open_in(const struct dgram_options *o, const struct plan *p, struct err *err)
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
static int group_open_out(const struct dgram_options *o, const struct plan *p, struct err *err)
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

/* --- life --- */

static void dgram_describe(const struct uplink *u, FILE *to)
{
    const struct dgram *k = dgram_of(u);
    char *own = dgram_address(u), *remote = k->remote.len ? address_format(&k->remote) : NULL;

    if (k->group)
        fprintf(to, "mcast=%s, from %s", remote, own);
    else if (remote)
        fprintf(to, "remote=%s, localaddr=%s", remote, own);
    else
        fprintf(to, "fd, %s", own);
    if (k->own_frames)
        fprintf(to, ", own frames heard %llu", (unsigned long long)k->own_frames);
    if (k->strangers)
        fprintf(to, ", strangers' datagrams %llu", (unsigned long long)k->strangers);
    datagrams_describe(&k->base, to);
    free(own);
    free(remote);
}

char *dgram_address(const struct uplink *u)
{
    return address_of_socket(dgram_of(u)->base.out);
}

static void dgram_close(struct uplink *u)
{
    struct dgram *k = dgram_of(u);

    datagrams_shut(&k->base);
    address_unlink(&k->bound);
}

static const struct uplink_ops dgram_ops = {.kind = "dgram",
                                            .send = datagrams_send,
                                            .room = datagrams_room,
                                            .woken = datagrams_woken,
                                            .describe = dgram_describe,
                                            .close = dgram_close};
static const struct datagrams_ops dgram_datagrams = {.unwrap = dgram_unwrap};

static bool open_ends(int *in, int *out, const struct dgram_options *o, const struct plan *p,
                      struct err *err)
{
    *in = o->fd >= 0 ? fd_take(o, err)
          : o->mcast ? group_open_in(o, p, err)
                     : unicast_open(o, p, err);
    *out = *in;
    if (*in >= 0 && o->mcast)
        *out = group_open_out(o, p, err);
    if (*out < 0 && *in >= 0)
        close(*in);
    return *out >= 0;
}

struct uplink *dgram_create(struct sim *s, const char *name, const struct dgram_options *o,
                            struct err *err)
{
    struct plan p;
    int in, out;

    if (!dgram_options_check(o, err) || !plan_make(&p, o, err) || !open_ends(&in, &out, o, &p, err))
        return NULL;
    struct dgram *k = xcalloc(1, sizeof(*k));
    datagrams_init(&k->base, &dgram_ops, &dgram_datagrams, s, name, true);
    datagrams_buffer(in);
    k->remote = p.to;
    k->group = o->mcast;
    k->from_anyone = o->from_anyone;
    if (p.to.to.ss_family != AF_UNIX)
        k->base.max_frame = DATAGRAM_MAX_UDP;
    if (o->remote) {
        k->base.to = p.to.to;
        k->base.to_len = p.to.len;
        k->bound = p.local;
    }
    k->own.len = sizeof(k->own.to);
    getsockname(out, (struct sockaddr *)&k->own.to, &k->own.len);
    if (!datagrams_open(&k->base, in, out)) {
        err_at(err, o->file, o->line, "the socket cannot be watched: %s", strerror(errno));
        uplink_destroy(&k->base.uplink);
        return NULL;
    }
    return &k->base.uplink;
}
