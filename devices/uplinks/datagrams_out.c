/*
 * Frames to a descriptor that keeps them apart by itself: a frame is finished (offload.h), and what
 * it became waits in `waiting` until the descriptor has taken all of it; the next one is held
 * meanwhile.
 *
 * A unix socket that is connected to nobody counts as writable also when the receiver's queue is
 * full, so another socket, connected to that receiver, is watched in its place (`probe`).
 */
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices/uplinks/datagrams.h"
#include "sim/offload.h"
#include "sim/sim.h"

enum {
    BATCH = 64,
    MAX_WAITING = 4096, /* frames that one request to segment may become */
    RETRY_MS = 1,
};

static struct datagrams *datagrams_of(struct uplink *u)
{
    return container_of(u, struct datagrams, uplink);
}

/* --- waiting until the host takes more --- */

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

/* --- frames --- */

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
    if (!d->broken && !flush(d)) {
        wait_for_host(d);
        return;
    }
    d->blocked = false;
    uplink_ready(u->ports);
}
