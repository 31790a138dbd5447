/*
 * Frames from a descriptor that keeps them apart by itself: up to READ_ROUNDS batches per wake-up,
 * into one buffer for all uplinks, since the loop calls one at a time.
 */
#include "devices/uplinks/datagrams.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices/device.h"
#include "sim/sim.h"

enum {
    BATCH = 64,
    READ_ROUNDS = 4,
    MAX_DATAGRAM = 66 << 10, /* a unix socket may bring the largest frame, and more */
    MAX_ERRORS = 64,         /* in a row: then it is broken */
    RCVBUF = 8 << 20,
};

static struct datagrams *datagrams_of(struct uplink *u)
{
    return container_of(u, struct datagrams, uplink);
}

void datagrams_refuse(struct datagrams *d, uint64_t *count, const char *fmt, ...)
{
    va_list ap;

    device_warnings++;
    if (++*count > 1 || !device_trace)
        return;
    fprintf(stderr, "%s %s: ", d->uplink.actor.name, d->uplink.ops->kind);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs(" (further ones are only counted)\n", stderr);
}

static void mark_broken(struct datagrams *d)
{
    d->broken = true;
    if (d->watch)
        watch_set(d->watch, 0);
    if (d->ops->broke)
        d->ops->broke(d);
    uplink_poke(&d->uplink);
}

/* --- in --- */

static void take(struct datagrams *d, const struct datagram *g)
{
    ssize_t at = d->ops->unwrap ? d->ops->unwrap(d, g) : 0;

    d->n_errors = 0;
    if (at < 0)
        return;
    size_t len = g->len - (size_t)at;
    if (len > FRAME_MAX_LEN) {
        datagrams_refuse(d, &d->too_long, "a datagram with a frame of %zu bytes is dropped", len);
        return;
    }
    struct frame *f = frame_new(MAX((uint32_t)len, (uint32_t)FRAME_MIN_WIRE));
    memcpy(f->data, g->bytes + at, len);
    f->len = (uint32_t)len;
    if (!uplink_receive(d->uplink.ports, f))
        d->full = true;
}

/* An error that the host told in place of a datagram. False: there is nothing more to read. */
static bool survive(struct datagrams *d)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        d->n_errors = 0;
        return false;
    }
    if (errno == EINTR)
        return true;
    datagrams_refuse(d, &d->errors, "reading: %s", strerror(errno));
    if (++d->n_errors >= MAX_ERRORS)
        mark_broken(d);
    return !d->broken;
}

static uint8_t buffers[BATCH][MAX_DATAGRAM];

/* How many were read; BATCH: perhaps there are more. */
static int read_batch(struct datagrams *d)
{
    struct sockaddr_storage from[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr m[BATCH] = {0};

    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){buffers[i], MAX_DATAGRAM};
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof(from[i]),
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1};
    }
    int n = recvmmsg(d->fd, m, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        if (m[i].msg_hdr.msg_flags & MSG_TRUNC)
            datagrams_refuse(d, &d->too_long, "a datagram of over %d bytes is dropped",
                             MAX_DATAGRAM);
        else
            take(d,
                 &(struct datagram){buffers[i], m[i].msg_len, &from[i], m[i].msg_hdr.msg_namelen});
    }
    return n;
}

static int read_one_by_one(struct datagrams *d)
{
    int n = 0;

    for (ssize_t len = 0; n < BATCH; n++) {
        len = d->ops->read(d, buffers[0], MAX_DATAGRAM);
        if (len < 0)
            return n ? n : -1;
        take(d, &(struct datagram){.bytes = buffers[0], .len = (size_t)len});
    }
    return n;
}

static void read_all(struct datagrams *d)
{
    int n = BATCH;

    for (int i = 0; i < READ_ROUNDS && n == BATCH && !d->full && !d->broken; i++) {
        n = d->ops->read ? read_one_by_one(d) : read_batch(d);
        if (n < 0 && survive(d))
            n = BATCH;
    }
    if (d->full)
        watch_want(d->watch, UV_READABLE, false);
}

static void on_ready(void *opaque, int events)
{
    struct datagrams *d = opaque;

    if (events & UV_READABLE && !d->full)
        read_all(d);
    if (events & UV_WRITABLE && d->blocked && !d->broken) {
        watch_want(d->watch, UV_WRITABLE, false); /* until `woken` has tried */
        uplink_poke(&d->uplink);
    }
}

void datagrams_room(struct uplink_port *p)
{
    struct datagrams *d = datagrams_of(p->uplink);

    d->full = false;
    if (d->watch && !d->broken)
        watch_want(d->watch, UV_READABLE, true);
}

/* --- life --- */

void datagrams_buffer(int fd)
{
    int size = RCVBUF;

    /* The first needs a privilege, the second goes as far as net.core.rmem_max. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void datagrams_init(struct datagrams *d, const struct uplink_ops *uplink_ops,
                    const struct datagrams_ops *ops, struct sim *s, const char *name, bool carrier)
{
    uplink_init(&d->uplink, uplink_ops, s, name);
    uplink_join(&d->uplink, NULL, carrier);
    actor_set_live(&d->uplink.actor, true);
    d->ops = ops;
    d->fd = d->out = -1;
    d->max_frame = FRAME_MAX_LEN;
}

bool datagrams_open(struct datagrams *d, int fd, int out)
{
    d->watch = watch_open(&d->uplink.actor.sim->loop, fd, on_ready, d);
    if (!d->watch) {
        if (out != fd)
            close(out);
        close(fd);
        return false;
    }
    d->fd = fd;
    d->out = out;
    d->broken = false;
    d->n_errors = 0;
    watch_set(d->watch, d->full ? 0 : UV_READABLE);
    return true;
}

void datagrams_shut(struct datagrams *d)
{
    if (d->out != d->fd)
        close(d->out);
    watch_close(d->watch);
    watch_close(d->probe);
    alarm_close(d->retry);
    d->watch = d->probe = NULL;
    d->retry = NULL;
    d->fd = d->out = -1;
    arrivals_finish(&d->waiting);
    d->waiting = (struct arrivals){0};
}

void datagrams_describe(const struct datagrams *d, FILE *to)
{
    const struct {
        const char *what;
        uint64_t n;
    } counts[] = {{"too long", d->too_long},
                  {"not sent", d->unreachable},
                  {"errors", d->errors},
                  {"refused", d->uplink.refused}};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i].n)
            fprintf(to, ", %s %llu", counts[i].what, (unsigned long long)counts[i].n);
    if (d->broken)
        fputs(", broken", to);
}
