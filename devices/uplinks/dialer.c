/*
 * Connecting, with back-off. A connection that was lost soon after it was made does not begin the
 * back-off anew: a peer that accepts and closes is not asked ten times a second for ever.
 */
#include "devices/uplinks/dialer.h"

#include <errno.h>
#include <unistd.h>

#include "devices/uplinks/watch.h"
#include "sim/base.h"
#include "sim/host_time.h"

#define FIRST_MS 100
#define LONGEST_MS 5000
#define ATTEMPT_MS 10000 /* for one address to answer */

struct dialer {
    uv_loop_t *loop;
    struct address_list to;
    unsigned next; /* the address after the one that is tried */
    int64_t again_ms, wait_ms;
    void (*connected)(void *opaque, int fd);
    void *opaque;
    int fd;              /* of the attempt under way */
    struct watch *watch; /* its; NULL: there is none */
    struct alarm *alarm; /* the attempt's end, or the next one's begin */
    bool was_connected;
    int64_t connected_at; /* host ns */
    uint64_t attempts;
    int error;
};

static void try_next(struct dialer *d);

static void drop_attempt(struct dialer *d)
{
    watch_close(d->watch);
    d->watch = NULL;
}

/* All addresses have been tried. */
static void wait_for_next(struct dialer *d)
{
    int64_t ms = d->was_connected && d->again_ms > 0 ? d->again_ms : d->wait_ms;

    d->wait_ms = MIN(d->wait_ms * 2, LONGEST_MS);
    d->next = 0;
    alarm_set(d->alarm, (uint64_t)ms);
}

/*
 * A port of this host that nobody listens on may be the one that the kernel picks for our end: TCP
 * then connects the socket to itself (RFC 9293, 3.5, simultaneous open).
 */
static bool is_itself(int fd)
{
    struct sockaddr_any own = {.len = sizeof(own.to)}, peer = {.len = sizeof(peer.to)};

    return getsockname(fd, (struct sockaddr *)&own.to, &own.len) == 0 &&
           own.to.ss_family != AF_UNIX &&
           getpeername(fd, (struct sockaddr *)&peer.to, &peer.len) == 0 && own.len == peer.len &&
           memcmp(&own.to, &peer.to, own.len) == 0;
}

static void succeed(struct dialer *d, int fd)
{
    alarm_cancel(d->alarm);
    d->next = 0;
    d->attempts = 0;
    d->error = 0;
    d->was_connected = true;
    d->connected_at = host_now_ns();
    d->connected(d->opaque, fd);
}

static void on_ready(void *opaque, int events)
{
    struct dialer *d = opaque;
    socklen_t len = sizeof(d->error);

    (void)events;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &d->error, &len) != 0)
        d->error = errno;
    if (!d->error && is_itself(d->fd))
        d->error = ECONNREFUSED;
    if (d->error) {
        drop_attempt(d);
        try_next(d);
        return;
    }
    int fd = watch_release(d->watch);
    d->watch = NULL;
    succeed(d, fd);
}

static void on_alarm(void *opaque)
{
    struct dialer *d = opaque;

    if (d->watch) {
        d->error = ETIMEDOUT;
        drop_attempt(d);
    }
    try_next(d);
}

/* Begin with one address: true if it is under way or done. */
static bool begin(struct dialer *d, const struct sockaddr_any *to)
{
    int fd = socket(to->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        d->error = errno;
        return false;
    }
    if (connect(fd, (const struct sockaddr *)&to->to, to->len) == 0 && !is_itself(fd)) {
        succeed(d, fd);
        return true;
    }
    d->error = errno ? errno : ECONNREFUSED;
    if (d->error != EINPROGRESS) { /* EAGAIN: a unix listener's queue is full; later, then */
        close(fd);
        return false;
    }
    d->fd = fd;
    d->watch = watch_open(d->loop, fd, on_ready, d);
    watch_set(d->watch, UV_WRITABLE);
    alarm_set(d->alarm, ATTEMPT_MS);
    return true;
}

static void try_next(struct dialer *d)
{
    while (d->next < d->to.n) {
        const struct sockaddr_any *to = &d->to.items[d->next++];
        d->attempts++;
        errno = 0;
        if (begin(d, to))
            return;
    }
    wait_for_next(d);
}

struct dialer *dialer_create(uv_loop_t *loop, const struct address_list *to, int64_t again_ms,
                             void (*connected)(void *opaque, int fd), void *opaque)
{
    struct dialer *d = xcalloc(1, sizeof(*d));

    *d = (struct dialer){.loop = loop,
                         .to = *to,
                         .again_ms = again_ms,
                         .wait_ms = FIRST_MS,
                         .connected = connected,
                         .opaque = opaque};
    d->alarm = alarm_open(loop, on_alarm, d);
    return d;
}

void dialer_start(struct dialer *d)
{
    try_next(d);
}

bool dialer_lost(struct dialer *d)
{
    if (d->again_ms == DIALER_NEVER)
        return false;
    if (host_now_ns() - d->connected_at > LONGEST_MS * NS_PER_MS)
        d->wait_ms = FIRST_MS;
    wait_for_next(d);
    return true;
}

const char *dialer_problem(const struct dialer *d)
{
    return d->error && d->error != EINPROGRESS ? strerror(d->error) : NULL;
}

uint64_t dialer_attempts(const struct dialer *d)
{
    return d->attempts;
}

void dialer_destroy(struct dialer *d)
{
    if (!d)
        return;
    drop_attempt(d);
    alarm_close(d->alarm);
    free(d);
}
