/* Datagram links: who sent what comes, and whether it is let in. */
#include "devices/uplinks/dgram.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "devices/uplinks/address.h"
#include "devices/uplinks/datagrams.h"
#include "devices/uplinks/dgram_open.h"
#include "sim/sim.h"

struct dgram {
    struct datagrams base;
    struct sockaddr_any remote; /* a peer, or the group; len 0: the descriptor's own */
    struct sockaddr_any own;    /* where we send to the group from */
    struct sockaddr_any bound;  /* a unix socket's, to be removed */
    /* What the peer calls its unix socket, if not as we do. */
    char alias[sizeof(struct sockaddr_un)];
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
    char *text = NULL;

    memcpy(&from.to, g->from, g->from_len);
    if (!k->strangers) /* the first, who is told of */
        text = g->from_len ? address_format(&from) : xstrdup("someone without an address");
    datagrams_refuse(&k->base, &k->strangers,
                     "a datagram from %s, who is not the remote, is dropped: from_anyone = true "
                     "would take it",
                     text ? text : "");
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

struct uplink *dgram_create(struct sim *s, const char *name, const struct dgram_options *o,
                            struct err *err)
{
    struct dgram_plan p;
    int in, out;

    if (!dgram_options_check(o, err) || !dgram_plan_make(&p, o, err) ||
        !dgram_open(&s->loop, &in, &out, o, &p, err))
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
