/*
 *     near --read--> [way 0: 64 KiB] --write--> far
 *     near <--write-- [way 1: 64 KiB] <--read-- far
 *
 * A way reads when it has room and writes when it has something; a full one stops its reader, so
 * that the sender's own flow control does the rest.
 */
#include "devices/uplinks/user_relay.h"

#include <errno.h>
#include <sys/socket.h>

#include "devices/uplinks/watch.h"
#include "sim/base.h"

/* One direction: from ends[i] to ends[!i]. */
struct way {
    uint8_t *bytes;
    uint32_t start, n;
    bool closed; /* its reader has come to the end */
    bool over;   /* and so has its writer */
};

struct end {
    struct relay *relay;
    struct watch *watch;
    int fd;
};

struct relay {
    struct end ends[2];
    struct way ways[2];
    bool connecting, dead;
    void (*ended)(void *opaque, bool failed);
    void *opaque;
};

static bool is_later(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* False: the connection is broken. */
static bool way_read(struct way *w, int fd)
{
    ssize_t n;

    if (w->closed || w->n == RELAY_BUFFER)
        return true;
    if (w->start) {
        memmove(w->bytes, w->bytes + w->start, w->n);
        w->start = 0;
    }
    n = recv(fd, w->bytes + w->n, RELAY_BUFFER - w->n, 0);
    if (n > 0)
        w->n += (uint32_t)n;
    w->closed = n == 0;
    return n >= 0 || is_later(n);
}

static bool way_write(struct way *w, int fd)
{
    ssize_t n = 0;

    if (w->n) {
        n = send(fd, w->bytes + w->start, w->n, MSG_NOSIGNAL);
        if (n > 0) {
            w->start += (uint32_t)n;
            w->n -= (uint32_t)n;
        }
    }
    if (w->closed && !w->n && !w->over) {
        w->over = true;
        shutdown(fd, SHUT_WR);
    }
    return n >= 0 || is_later(n);
}

static void want(struct relay *r, unsigned i)
{
    const struct way *from = &r->ways[i], *to = &r->ways[!i];
    int events = 0;

    if (!from->closed && from->n < RELAY_BUFFER && !(r->connecting))
        events |= UV_READABLE;
    if (to->n || (i == 1 && r->connecting))
        events |= UV_WRITABLE;
    watch_set(r->ends[i].watch, events);
}

static void finish(struct relay *r, bool failed)
{
    r->dead = true;
    for (unsigned i = 0; i < 2; i++)
        watch_set(r->ends[i].watch, 0);
    r->ended(r->opaque, failed);
}

static bool connected(struct relay *r)
{
    int error = 0;
    socklen_t len = sizeof(error);

    r->connecting = false;
    getsockopt(r->ends[1].fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error == 0;
}

static void on_ready(void *opaque, int events)
{
    struct end *e = opaque;
    struct relay *r = e->relay;
    bool whole = true;

    (void)events;
    if (r->dead)
        return;
    if (r->connecting && !connected(r)) {
        finish(r, true);
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        whole &= way_read(&r->ways[i], r->ends[i].fd) && way_write(&r->ways[i], r->ends[!i].fd);
    if (!whole || (r->ways[0].over && r->ways[1].over)) {
        finish(r, false);
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        want(r, i);
}

struct relay *relay_open(uv_loop_t *loop, int near, int far, bool connecting,
                         void (*ended)(void *opaque, bool failed), void *opaque)
{
    struct relay *r = xcalloc(1, sizeof(*r));

    r->connecting = connecting;
    r->ended = ended;
    r->opaque = opaque;
    for (unsigned i = 0; i < 2; i++) {
        r->ends[i].relay = r;
        r->ends[i].fd = i ? far : near;
        r->ends[i].watch = watch_open(loop, r->ends[i].fd, on_ready, &r->ends[i]);
        r->ways[i].bytes = xmalloc(RELAY_BUFFER);
    }
    for (unsigned i = 0; i < 2; i++)
        want(r, i);
    return r;
}

void relay_close(struct relay *r)
{
    for (unsigned i = 0; i < 2; i++) {
        watch_close(r->ends[i].watch);
        free(r->ways[i].bytes);
    }
    free(r);
}
