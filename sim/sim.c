/*
 * The engine's loop: how far windows go; window.c carries them out.
 *
 * At a barrier every actor has come exactly to `now`, and every frame sent before `now` is known.
 * A frame sent later reaches its VLAN no sooner than now + d, where d is the smallest delay of a
 * link; so VLANs can be processed up to that horizon, in their total order, and everything they
 * hand on arrives no sooner than now + d as well. What an actor sends from now on comes out of a
 * VLAN at now + d or later, and reaches another actor after a second link, at now + 2d: until
 * then each actor may run alone. That is the window.
 *
 * Control events (tests, stops) are known when a window begins, and windows end at them; they are
 * armed CONSOLE_DELAY after what caused them, so no window is longer than that.
 */
#include "sim/sim.h"

#include <assert.h>
#include <poll.h>
#include <time.h>

#include "sim/capture.h"
#include "sim/console.h"
#include "sim/host_time.h"
#include "sim/inlet.h"
#include "sim/port.h"
#include "sim/recording.h"
#include "sim/vlan.h"
#include "sim/window.h"
#include "sim/workers.h"

#define POLL_INTERVAL (5 * NS_PER_MS)       /* of host time, when nothing outside is waited for */
#define LIVE_POLL_INTERVAL (50 * NS_PER_US) /* likewise, while an actor holds host sockets */

static vtime_t grid_floor(vtime_t t)
{
    return t - t % SIM_GRID;
}

static vtime_t grid_ceil(vtime_t t)
{
    return t > VTIME_NEVER - SIM_GRID ? VTIME_NEVER : grid_floor(t + SIM_GRID - 1);
}

/* --- life --- */

void sim_init(struct sim *s, const struct sim_options *o)
{
    static const struct inlet_ops answers = {NULL, NULL};

    *s = (struct sim){.options = *o, .admitted_at = -1};
    s->recording = o->recording;
    s->playback = o->playback;
    inlet_init(&s->answers, &answers, s);
    if (s->options.pace <= 0)
        s->options.pace = 1;
    if (!s->options.threads)
        s->options.threads = workers_cores();
    s->options.threads = MIN(s->options.threads, WORKERS_MAX);
    s->window = window_create(s);
    if (uv_loop_init(&s->loop) != 0)
        abort(); /* no descriptors left for epoll */
    uv_timer_init(&s->loop, &s->timer);
    uv_unref((uv_handle_t *)&s->timer);
}

void sim_finish(struct sim *s)
{
    window_destroy(s->window);
    for (uint32_t i = 0; i < s->n_vlans; i++)
        vlan_destroy(s->vlans[i]);
    uv_close((uv_handle_t *)&s->timer, NULL);
    do /* once more after sim_stop, whose uv_stop ends the first at once */
        uv_run(&s->loop, UV_RUN_DEFAULT);
    while (uv_loop_alive(&s->loop));
    int rc = uv_loop_close(&s->loop);
    assert(rc == 0);
    (void)rc;
    evq_finish(&s->control);
    evq_finish(&s->vlans_due);
    evq_finish(&s->delays);
    inlet_finish(&s->answers);
    free(s->vlans);
    free(s->actors);
    free(s->due);
    free(s->poked);
    free(s->inlets);
}

int64_t sim_thread_ns(const struct sim *s, unsigned n)
{
    return window_thread_ns(s->window, n);
}

void sim_stop(struct sim *s)
{
    s->stopping = true;
    uv_stop(&s->loop);
}

void sim_at(struct sim *s, struct event *ev, vtime_t at)
{
    evq_arm(&s->control, ev, MAX(at, s->now));
}

/* --- windows --- */

/* The smallest delay of any attached port, at most CONSOLE_DELAY. */
static vtime_t min_delay(const struct sim *s)
{
    return MIN(evq_next(&s->delays), CONSOLE_DELAY);
}

vtime_t sim_lookahead(struct sim *s)
{
    return MIN(2 * min_delay(s), CONSOLE_DELAY);
}

static void captures_barrier(struct sim *s)
{
    if (!s->captures)
        return;
    int64_t start = host_now_ns();
    for (struct capture *c = s->captures; c; c = capture_next(c))
        capture_barrier(c, s->now);
    host_time_add(HOST_CAPTURE, host_now_ns() - start);
}

/* --- the host's clock --- */

static bool follows_host(const struct sim *s)
{
    return s->options.paced || s->n_live > 0;
}

/* How far virtual time may go now, when it follows the host's clock. */
static vtime_t pace_limit(struct sim *s)
{
    int64_t host = host_now_ns();

    if (!s->host_start_ns) {
        s->host_start_ns = host;
        s->pace_base = s->now;
    }
    return s->pace_base + (vtime_t)((double)(host - s->host_start_ns) * s->options.pace);
}

/*
 * A host that is busy may come to the loop when the timer is due already. It then fires before the
 * loop waits, and with no timer left that would be for ever, but for this.
 */
static void on_timer(uv_timer_t *t)
{
    uv_stop(t->loop);
}

/* The loop's own waits are in milliseconds. What it is to watch since it ran last is not seen. */
static void wait_briefly(struct sim *s, int64_t ns)
{
    struct pollfd loop = {.fd = uv_backend_fd(&s->loop), .events = POLLIN};

    ppoll(&loop, 1, &(struct timespec){.tv_nsec = ns}, NULL);
}

/* Let the host side happen; wait for it up to `wait_ns` of host time. */
static void poll_host(struct sim *s, int64_t wait_ns)
{
    int64_t start = host_now_ns();

    if (wait_ns >= NS_PER_MS) {
        uv_update_time(&s->loop);
        uv_timer_start(&s->timer, on_timer, (uint64_t)(wait_ns / NS_PER_MS), 0);
        uv_ref((uv_handle_t *)&s->timer);
        uv_run(&s->loop, UV_RUN_ONCE);
        uv_unref((uv_handle_t *)&s->timer);
        uv_timer_stop(&s->timer);
    } else {
        if (wait_ns > 0)
            wait_briefly(s, MIN(wait_ns, LIVE_POLL_INTERVAL));
        uv_run(&s->loop, UV_RUN_NOWAIT);
    }
    s->polled_ns = host_now_ns();
    host_time_add(HOST_IDLE, s->polled_ns - start);
}

static void poll_if_time(struct sim *s)
{
    if (host_now_ns() - s->polled_ns >= (s->n_live ? LIVE_POLL_INTERVAL : POLL_INTERVAL))
        poll_host(s, 0);
}

/*
 * When virtual time follows the host's: wait until the host has reached `next`, or something
 * came in. Returns how far virtual time may go. What is to stop waits for nothing.
 */
static vtime_t keep_pace(struct sim *s, vtime_t next)
{
    if (s->stopping)
        return VTIME_NEVER;
    if (!follows_host(s)) {
        s->host_start_ns = 0;
        poll_if_time(s);
        return VTIME_NEVER;
    }
    vtime_t limit = pace_limit(s);
    if (next > limit) {
        double ahead = (double)(MIN(next, limit + NS_PER_SEC) - limit) / s->options.pace;
        poll_host(s, (int64_t)ahead);
        limit = pace_limit(s);
    } else {
        poll_if_time(s);
    }
    s->stats.lag_ns = MAX(0, limit - s->now);
    return limit;
}

/* --- the loop --- */

/* Where a window must end: taps, sinks and the loop may have armed something since it was asked. */
static vtime_t next_control(const struct sim *s, vtime_t until)
{
    vtime_t t = MIN(grid_ceil(evq_next(&s->control)), until);

    return s->playback ? MIN(t, playback_next(s->playback)) : t;
}

/* The earliest thing due anywhere: nothing at all happens before it. */
static vtime_t next_due(const struct sim *s, vtime_t until)
{
    vtime_t t = s->n_due ? s->due[0].at : VTIME_NEVER;

    return MIN(MIN(t, evq_next(&s->vlans_due)), next_control(s, until));
}

/*
 * The barrier for what waits to be let in, or for a stop that the outside asked for: not before
 * VLANs stand there too, so that whoever knows of that barrier beforehand, as a playback does, has
 * the same network at it. The host's time if we follow it, else the next one.
 */
static vtime_t next_admission(const struct sim *s, vtime_t limit)
{
    vtime_t first = MAX(s->now + SIM_GRID, grid_ceil(s->vlans_now));

    if (s->stopping)
        return grid_ceil(s->vlans_now);
    if (!s->n_poked)
        return VTIME_NEVER;
    return limit == VTIME_NEVER ? first : MAX(first, limit);
}

/* Let VLANs hand on what reaches them soon. */
static void look_ahead(struct sim *s, vtime_t horizon)
{
    if (evq_next(&s->vlans_due) >= horizon)
        return;
    s->vlans_now = horizon;
    window_vlans(s->window, horizon);
}

/* One step from the barrier at `now`: skip idle time or run a window. False: nothing is due. */
static bool step(struct sim *s, vtime_t until)
{
    vtime_t delay = min_delay(s);

    look_ahead(s, MIN(s->now + delay, next_control(s, until)));
    vtime_t next = next_due(s, until);
    if (next == VTIME_NEVER && s->now < s->vlans_now) { /* the last frame, and nobody heard it */
        s->now = grid_ceil(s->vlans_now);
        return true;
    }
    if (next == VTIME_NEVER && !s->n_live && !s->n_poked)
        return false;

    vtime_t limit = keep_pace(s, s->n_poked ? s->now : next);
    if (s->stopping && s->now >= s->vlans_now)
        return true;
    next = next_due(s, until); /* what came in while we waited may be due sooner */
    next = grid_floor(MIN(MIN(next, next_admission(s, limit)), limit));
    if (next > s->now) {
        s->now = next;
        return true;
    }
    if (s->now > limit)
        return true;
    vtime_t longest = s->options.max_window ? grid_ceil(s->options.max_window) : CONSOLE_DELAY;
    vtime_t end = s->now + MIN(longest, sim_lookahead(s));
    window_run(s->window, grid_floor(MIN(end, next_control(s, until))));
    return true;
}

enum sim_stop sim_run(struct sim *s, vtime_t until)
{
    until = grid_ceil(until);
    s->stopping = false;
    if (s->recording)
        recording_begin(s->recording);
    for (;;) {
        window_vlans(s->window, s->now); /* control events see a network that is whole up to now */
        if (s->now >= s->vlans_now)
            inlets_admit(s);
        evq_run(&s->control, s->now);
        if (s->playback && s->now == s->admitted_at)
            playback_play(s->playback, s, true);
        captures_barrier(s);
        if (s->stopping && s->now >= s->vlans_now)
            return SIM_STOPPED;
        if (s->now >= until)
            return SIM_REACHED;
        s->stats.barriers++;
        if (!step(s, until))
            return SIM_IDLE;
    }
}

/* --- fingerprint --- */

static uint64_t fold(uint64_t h, uint64_t v)
{
    uint8_t le[8];

    store_le64(le, v);
    return hash_bytes(h, le, sizeof(le));
}

static uint64_t frame_hash(uint64_t h, vtime_t at, const struct frame *f)
{
    return hash_bytes(fold(fold(h, (uint64_t)at), f->len), f->data, f->len);
}

static uint64_t port_hash(uint64_t h, const struct port *p)
{
    h = hash_bytes(h, p->name, strlen(p->name));
    h = fold(fold(fold(h, p->n_sent), (uint64_t)p->busy_out), (uint64_t)p->busy_in);
    h = fold(fold(h, p->stats.rx_frames), port_dropped(p));
    for (uint32_t i = 0; i < p->inbox.n; i++) {
        const struct arrival *a = &p->inbox.ring[(p->inbox.head + i) & (p->inbox.cap - 1)];
        h = frame_hash(h, a->at, a->frame);
    }
    return h;
}

static uint64_t passage_hash(const struct passage *x)
{
    return frame_hash(fold(RNG_HASH_START, x->number), x->at, x->frame);
}

/* A heap's and a table's layout depend on history: their entries are summed, not chained. */
static uint64_t vlan_hash(uint64_t h, const struct vlan *v)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < v->n_heap; i++)
        sum += passage_hash(&v->heap[i]);
    for (uint32_t i = 0; i < v->n_fresh; i++)
        sum += passage_hash(&v->fresh[i]);
    for (uint32_t i = 0; i < v->fdb_cap; i++)
        if (v->fdb[i].mac && fdb_port(v, &v->fdb[i]))
            sum += fold(fold(fold(RNG_HASH_START, v->fdb[i].mac), v->fdb[i].port_id),
                        (uint64_t)v->fdb[i].seen);
    return fold(fold(fold(h, sum), v->stats.frames), v->stats.copies);
}

uint64_t sim_fingerprint(const struct sim *s)
{
    uint64_t h = fold(RNG_HASH_START, (uint64_t)s->now);

    for (uint32_t i = 0; i < s->n_vlans; i++)
        if (s->vlans[i])
            h = vlan_hash(h, s->vlans[i]);
    for (uint32_t i = 0; i < s->n_actors; i++)
        for (const struct port *p = s->actors[i] ? s->actors[i]->ports : NULL; p; p = p->next)
            h = port_hash(h, p);
    return h;
}
