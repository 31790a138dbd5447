/*
 * One connection of a stream link.
 *
 *     loop       socket -> scratch -> frames -> uplink_receive     many frames per read
 *     run        frame -> out                                      bytes, framed
 *     barrier    out -> socket                                     many frames per write
 *
 * What waits for a peer is bytes, so that a write which the socket takes in part loses no framing,
 * and TLS and plain sockets are written alike. A peer that does not read fills its own `out`, then
 * its port's queue of held frames; from then on its frames are dropped, and counted there.
 */
#include "devices/uplinks/stream_peer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "devices/device.h"
#include "devices/uplinks/address.h"
#include "sim/offload.h"
#include "sim/sim.h"

#define READ_SIZE (256u << 10)
#define WRITE_AT (64u << 10)  /* bytes that are not worth waiting for the barrier with */
#define OUT_KEPT (128u << 10) /* a larger buffer is given back once it is empty */

unsigned stream_handshake_ms = 10000;

void stream_trace(const struct uplink *u, const char *fmt, ...)
{
    va_list ap;

    if (!device_trace)
        return;
    fprintf(stderr, "%s stream: ", u->actor.name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* The connection is over. Its memory stays until the barrier. */
static void lose(struct stream_peer *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void lose(struct stream_peer *p, const char *fmt, ...)
{
    va_list ap;

    if (p->state == STREAM_LOST)
        return;
    va_start(ap, fmt);
    vsnprintf(p->why, sizeof(p->why), fmt, ap);
    va_end(ap);
    p->refused = p->state == STREAM_SHAKING;
    if (p->refused || p->misbehaved)
        device_warnings++;
    p->state = STREAM_LOST;
    watch_set(p->watch, 0);
    stream_trace(p->uplink, "%s: %s", p->name, p->why);
    uplink_poke(p->uplink);
}

/* --- the socket, in the clear or not: bytes, 0 to wait, -1 with why --- */

static ssize_t socket_read(struct stream_peer *p, void *to, size_t len, const char **why)
{
    if (p->tls)
        return stream_tls_read(p->tls, to, len, why);
    ssize_t n = recv(p->fd, to, len, 0);
    if (n > 0)
        return n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    *why = n == 0 ? "it closed the connection" : strerror(errno);
    return -1;
}

static ssize_t socket_write(struct stream_peer *p, const void *from, size_t len, const char **why)
{
    if (p->tls)
        return stream_tls_write(p->tls, from, len, why);
    ssize_t n = send(p->fd, from, len, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    *why = strerror(errno);
    return -1;
}

/* --- in --- */

static void take_frame(void *opaque, struct frame *f)
{
    struct stream_peer *p = opaque;

    if (!uplink_receive(p->port, f))
        watch_want(p->watch, UV_READABLE, false);
}

static bool take_bytes(struct stream_peer *p, const uint8_t *bytes, size_t n)
{
    if (stream_frame_feed(&p->in, bytes, n, take_frame, p))
        return true;
    p->misbehaved = true;
    lose(p, "it announced a frame of %u bytes, which is outside 1..%u", p->in.bad_length,
         STREAM_MAX_LEN);
    return false;
}

/* One read, or the TLS records that there are, up to the same amount. */
static void read_some(struct stream_peer *p)
{
    static uint8_t scratch[READ_SIZE]; /* the main thread's */
    size_t total = 0;
    const char *why = NULL;

    do {
        ssize_t n = socket_read(p, scratch, sizeof(scratch), &why);
        if (n < 0)
            lose(p, "%s%s", why, stream_frame_between(&p->in) ? "" : " in the middle of a frame");
        if (n <= 0 || !take_bytes(p, scratch, (size_t)n))
            return;
        total += (size_t)n;
    } while (p->tls && total < READ_SIZE);
}

void stream_peer_read_on(struct stream_peer *p)
{
    if (p->state == STREAM_OPEN)
        watch_want(p->watch, UV_READABLE, true);
}

/* --- out --- */

static uint32_t out_waiting(const struct stream_peer *p)
{
    return p->out_end - p->out_head;
}

/* Room for `len` more bytes at out_end. */
static void out_reserve(struct stream_peer *p, uint32_t len)
{
    if (p->out_end + len <= p->out_cap)
        return;
    if (p->out_head && p->out_head >= p->out_cap / 2) { /* less than what was written since */
        memmove(p->out, p->out + p->out_head, out_waiting(p));
        p->out_end -= p->out_head;
        p->out_head = 0;
    }
    array_reserve(p->out, &p->out_cap, p->out_end + len);
}

static void out_written(struct stream_peer *p, uint32_t n)
{
    p->out_head += n;
    if (out_waiting(p))
        return;
    p->out_head = p->out_end = 0;
    if (p->out_cap > OUT_KEPT) {
        free(p->out);
        p->out = NULL;
        p->out_cap = 0;
    }
}

static void write_out(struct stream_peer *p)
{
    const char *why = NULL;
    ssize_t n = 1;

    while (n > 0 && out_waiting(p)) {
        n = socket_write(p, p->out + p->out_head, out_waiting(p), &why);
        if (n > 0)
            out_written(p, (uint32_t)n);
    }
    p->blocked = n == 0;
    if (n < 0)
        lose(p, "%s", why);
    else
        watch_want(p->watch, UV_WRITABLE, p->blocked);
}

/* A finished packet. A request for very small segments may be larger than any queue. */
static void append(void *opaque, struct frame *f)
{
    struct stream_peer *p = opaque;
    uint32_t len = STREAM_HEADER + f->len;

    if (out_waiting(p) + len > 2 * STREAM_MAX_OUT) {
        p->dropped++;
        return;
    }
    out_reserve(p, len);
    store_be32(p->out + p->out_end, f->len);
    memcpy(p->out + p->out_end + STREAM_HEADER, f->data, f->len);
    p->out_end += len;
}

enum port_verdict stream_peer_send(struct stream_peer *p, struct frame *f)
{
    if (p->state != STREAM_OPEN)
        return PORT_DROPPED;
    if (out_waiting(p) >= STREAM_MAX_OUT) {
        p->holding = true;
        return PORT_HOLD;
    }
    if (frame_is_finished(f))
        append(p, f);
    else if (!offload_finish(f, append, p))
        return PORT_DROPPED;
    if (out_waiting(p) >= WRITE_AT && !p->blocked)
        write_out(p);
    else
        uplink_poke(p->uplink);
    return PORT_TAKEN;
}

void stream_peer_woken(struct stream_peer *p)
{
    if (p->state == STREAM_OPEN && out_waiting(p) && !p->blocked)
        write_out(p);
    if (p->holding && out_waiting(p) <= STREAM_MAX_OUT / 2) {
        p->holding = false;
        uplink_ready(p->port);
    }
}

/* --- the handshake --- */

static void opened(struct stream_peer *p)
{
    p->state = STREAM_OPEN;
    alarm_close(p->deadline);
    p->deadline = NULL;
    watch_set(p->watch, 0); /* until it has a port */
    uplink_poke(p->uplink);
}

static void shake(struct stream_peer *p)
{
    const char *why = NULL;

    switch (stream_tls_handshake(p->tls, &why)) {
    case TLS_DONE: opened(p); break;
    case TLS_WANTS_READ: watch_set(p->watch, UV_READABLE); break;
    case TLS_WANTS_WRITE: watch_set(p->watch, UV_WRITABLE); break;
    case TLS_REFUSED: lose(p, "%s", why); break;
    }
}

static void on_deadline(void *opaque)
{
    lose(opaque, "it did not show the secret within %u ms", stream_handshake_ms);
}

/* --- life --- */

static void on_ready(void *opaque, int events)
{
    struct stream_peer *p = opaque;

    if (p->state == STREAM_SHAKING) {
        shake(p);
        return;
    }
    if (p->state == STREAM_OPEN && (events & UV_WRITABLE)) {
        write_out(p);
        if (p->holding && out_waiting(p) <= STREAM_MAX_OUT / 2)
            uplink_poke(p->uplink);
    }
    if (p->state == STREAM_OPEN && (events & UV_READABLE))
        read_some(p);
}

struct stream_peer *stream_peer_create(struct uplink *u, int fd, bool server,
                                       const struct stream_secret *secret)
{
    struct stream_peer *p = xcalloc(1, sizeof(*p));
    uv_loop_t *loop = &u->actor.sim->loop;

    p->uplink = u;
    p->fd = fd;
    p->name = address_of_peer(fd);
    p->watch = watch_open(loop, fd, on_ready, p);
    assert(p->watch); /* a socket can always be watched */
    if (!secret) {
        opened(p);
        return p;
    }
    p->tls = stream_tls_create(secret, fd, server);
    p->deadline = alarm_open(loop, on_deadline, p);
    alarm_set(p->deadline, stream_handshake_ms);
    shake(p);
    return p;
}

void stream_peer_join(struct stream_peer *p, struct uplink_port *port)
{
    p->port = port;
    port->peer = p;
    watch_set(p->watch, UV_READABLE);
}

void stream_peer_destroy(struct stream_peer *p)
{
    if (!p)
        return;
    stream_tls_destroy(p->tls);
    watch_close(p->watch);
    alarm_close(p->deadline);
    stream_frame_reset(&p->in);
    free(p->out);
    free(p->name);
    free(p);
}
