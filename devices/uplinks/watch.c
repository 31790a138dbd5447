/*
 * The loop's handles live until the loop has closed them, which may be after their uplink has gone:
 * so they are on the heap, and free themselves.
 */
#include "devices/uplinks/watch.h"

#include <unistd.h>

#include "sim/base.h"

struct watch {
    uv_poll_t poll;
    int fd, events;
    void (*ready)(void *opaque, int events);
    void *opaque;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;

    if (status < 0) /* libuv stops for any error, also for one that reading it ends */
        uv_poll_start(&w->poll, w->events, on_ready);
    w->ready(w->opaque, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

struct watch *watch_open(uv_loop_t *loop, int fd, void (*ready)(void *opaque, int events),
                         void *opaque)
{
    struct watch *w = xcalloc(1, sizeof(*w));

    if (uv_poll_init(loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    w->fd = fd;
    w->ready = ready;
    w->opaque = opaque;
    return w;
}

struct search {
    int fd;
    bool found;
};

static void compare(uv_handle_t *h, void *opaque)
{
    struct search *s = opaque;
    int fd;

    s->found |= h->type == UV_POLL && !uv_is_closing(h) && uv_fileno(h, &fd) == 0 && fd == s->fd;
}

bool watch_exists(uv_loop_t *loop, int fd)
{
    struct search s = {fd, false};

    uv_walk(loop, compare, &s);
    return s.found;
}

void watch_set(struct watch *w, int events)
{
    if (w->events == events)
        return;
    w->events = events;
    if (events)
        uv_poll_start(&w->poll, events, on_ready);
    else
        uv_poll_stop(&w->poll);
}

void watch_want(struct watch *w, int events, bool wanted)
{
    watch_set(w, wanted ? w->events | events : w->events & ~events);
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

int watch_release(struct watch *w)
{
    int fd = w->fd;

    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_closed);
    return fd;
}

void watch_close(struct watch *w)
{
    if (w)
        close(watch_release(w));
}

struct alarm {
    uv_timer_t timer;
    void (*ring)(void *opaque);
    void *opaque;
};

static void on_timer(uv_timer_t *t)
{
    struct alarm *a = t->data;

    a->ring(a->opaque);
}

struct alarm *alarm_open(uv_loop_t *loop, void (*ring)(void *opaque), void *opaque)
{
    struct alarm *a = xcalloc(1, sizeof(*a));

    uv_timer_init(loop, &a->timer);
    a->timer.data = a;
    a->ring = ring;
    a->opaque = opaque;
    return a;
}

void alarm_set(struct alarm *a, uint64_t ms)
{
    uv_update_time(a->timer.loop);
    uv_timer_start(&a->timer, on_timer, ms, 0);
}

void alarm_cancel(struct alarm *a)
{
    uv_timer_stop(&a->timer);
}

void alarm_close(struct alarm *a)
{
    if (a)
        uv_close((uv_handle_t *)&a->timer, on_closed);
}
