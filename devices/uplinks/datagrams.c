/*
 * Frames to and from a descriptor that keeps them apart by itself.
 *
 * Out: a frame is finished (offload.h), and what it became waits in `waiting` until the descriptor
 * has taken all of it; the next one is held meanwhile. In: up to READ_ROUNDS batches per wake-up,
 * into one buffer for all uplinks, since the loop calls one at a time.
 *
 * A unix socket that is connected to nobody counts as writable also when the receiver's queue is
 * full, so another socket, connected to that receiver, is watched in its place (`probe`).
 */
#include "devices/uplinks/datagrams.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices/device.h"
#include "sim/offload.h"
#include "sim/sim.h"

enum {
    BATCH = 64,
    READ_ROUNDS = 4,
    MAX_DATAGRAM = 65536, /* the largest is a raw IPv4 packet: 65535 */
    MAX_WAITING = 4096,   /* frames that one request to segment may become */
    MAX_ERRORS = 64,      /* in a row: then it is broken */
    RETRY_MS = 1,
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

/* --- out: waiting until the host takes more --- */

static void on_probe(void *opaque, int events)
{
    struct datagrams *d = opaque;

    (void)events;
    watch_set(d->probe, 0);
    uplink_poke(&d->uplink);
}

static void on_retry(void *opaque)
{
    uplink_poke(&((struct datagrams *)opaque)->uplink);
}

/* Anew each time: whoever has bound the receiver's name now is the one to wait for. */
static bool probe_open(struct datagrams *d)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    watch_close(d->probe);
    d->probe = NULL;
    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&d->to, d->to_len) == 0)
        d->probe = watch_open(&d->uplink.actor.sim->loop, fd, on_probe, d);
    if (!d->probe)
        close(fd);
    return d->probe != NULL;
}

/* Be poked when it is worth trying again. */
static void wait_for_host(struct datagrams *d)
{
    struct pollfd p = {.fd = d->out, .events = POLLOUT};
    bool says_writable = poll(&p, 1, 0) == 1;

    d->blocked = true;
    if (d->out == d->fd && !says_writable) {
        watch_want(d->watch, UV_WRITABLE, true);
    } else if (says_writable && d->to.ss_family == AF_UNIX && probe_open(d)) {
        watch_set(d->probe, UV_WRITABLE);
    } else {
        if (!d->retry)
            d->retry = alarm_open(&d->uplink.actor.sim->loop, on_retry, d);
        alarm_set(d->retry, RETRY_MS);
    }
}

/* --- out --- */

static struct frame *waiting_at(const struct datagrams *d, uint32_t i)
{
    return d->waiting.ring[(d->waiting.head + i) & (d->waiting.cap - 1)].frame;
}

/* How many were taken; -1 and errno. */
static int write_batch(struct datagrams *d)
{
    static uint8_t headers[BATCH][DATAGRAM_MAX_HEADER];
    struct iovec iov[BATCH][2];
    struct mmsghdr m[BATCH] = {0};
    uint32_t n = MIN(d->waiting.n, (uint32_t)BATCH);

    for (uint32_t i = 0; i < n; i++) {
        struct frame *f = waiting_at(d, i);
        size_t len = d->ops->wrap ? d->ops->wrap(d, headers[i], d->n_sent + i) : 0;
        iov[i][0] = (struct iovec){headers[i], len};
        iov[i][1] = (struct iovec){f->data, f->len};
        m[i].msg_hdr = (struct msghdr){.msg_name = d->to_len ? &d->to : NULL,
                                       .msg_namelen = d->to_len,
                                       .msg_iov = iov[i],
                                       .msg_iovlen = 2};
    }
    return sendmmsg(d->out, m, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int write_some(struct datagrams *d)
{
    const struct frame *f = waiting_at(d, 0);

    if (!d->ops->write)
        return write_batch(d);
    return d->ops->write(d, f->data, f->len) < 0 ? -1 : 1;
}

static void waiting_pop(struct datagrams *d, uint32_t n)
{
    while (n--)
        frame_unref(arrivals_pop(&d->waiting));
}

/* Hand over what waits. False: the host takes no more now. */
static bool flush(struct datagrams *d)
{
    bool told = false;

    while (d->waiting.n) {
        int n = write_some(d);
        if (n > 0) {
            d->n_sent += (unsigned)n;
            waiting_pop(d, (uint32_t)n);
            told = false;
            continue;
        }
        /* A connected socket tells in this way what became of an earlier datagram. */
        if (errno == ECONNREFUSED && !d->to_len && !told) {
            told = true;
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        if (errno == EINTR)
            continue;
        datagrams_refuse(d, errno == EMSGSIZE ? &d->too_long : &d->unreachable, "sending: %s",
                         strerror(errno));
        waiting_pop(d, 1);
    }
    return true;
}

static void finished(void *opaque, struct frame *f)
{
    struct datagrams *d = opaque;

    if (f->len > d->max_frame)
        datagrams_refuse(d, &d->too_long, "a frame of %u bytes does not fit a datagram", f->len);
    else if (d->waiting.n < MAX_WAITING || flush(d) || d->waiting.n < MAX_WAITING)
        arrivals_push(&d->waiting, frame_ref(f), 0);
    else
        datagrams_refuse(d, &d->unreachable, "a frame became over %d", MAX_WAITING);
}

enum port_verdict datagrams_send(struct uplink_port *p, struct frame *f)
{
    struct datagrams *d = datagrams_of(p->uplink);

    if (d->broken)
        return PORT_DROPPED;
    if (d->blocked)
        return PORT_HOLD;
    if (frame_is_finished(f) && f->len > d->max_frame) {
        finished(d, f);
        return PORT_DROPPED;
    }
    if (frame_is_finished(f))
        finished(d, f);
    else if (!offload_finish(f, finished, d))
        return PORT_DROPPED;
    if (!flush(d))
        wait_for_host(d);
    return PORT_TAKEN;
}

void datagrams_woken(struct uplink *u)
{
    struct datagrams *d = datagrams_of(u);

    if (d->broken) {
        uplink_carrier(u->ports, false);
        waiting_pop(d, d->waiting.n);
    }
    if (!d->blocked)
        return;
    if (!flush(d)) {
        wait_for_host(d);
        return;
    }
    d->blocked = false;
    uplink_ready(u->ports);
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
