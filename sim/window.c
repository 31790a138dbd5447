/*
 * Windows, and who carries them out.
 *
 * The actors of a window touch nothing but themselves, and VLANs nothing but themselves and
 * their own ports; so either may be shared out among threads. What they want of the engine waits in
 * them - frames in an actor's outbox, control events in its requests, ports to be woken and
 * glimpses for taps in a VLAN - and the main thread carries it out at the barrier, in an order that
 * is fixed before anything runs: actors by (time due, id), VLANs by (time due, id). That is
 * why the number of threads cannot be seen in the result.
 *
 * Whether sharing out pays is guessed from how long such work took lately. The guess depends on
 * the host; since it cannot change a result, it may.
 */
#include "sim/window.h"

#include <assert.h>

#include "sim/console.h"
#include "sim/host_time.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/vlan.h"
#include "sim/workers.h"

#define WORTH_SHARING (12 * NS_PER_US) /* of work altogether: some times what a barrier costs */
#define CHUNK_NS (2 * NS_PER_US)       /* of work taken at once */
#define FIRST_GUESS_ACTOR (2 * NS_PER_US)
#define FIRST_GUESS_FRAME 300 /* ns */

/* How long an item of some kind takes, ns: the average, newer ones count more. */
struct estimate {
    int64_t ns16; /* 16 times it */
};

struct window {
    struct sim *sim;
    struct workers *workers; /* NULL until they are first needed */
    vtime_t end;             /* of the window, or the VLANs' horizon */

    struct actor **actors; /* those that run, by (due, id) */
    uint32_t n_actors, cap_actors;
    uint32_t n_main;      /* of them, those that only the main thread may run */
    struct actor **items; /* those that are shared out, by thread */
    uint32_t cap_items;
    struct estimate per_actor, per_main;

    struct vlan **vlans; /* those that have something to pass on, by (due, id) */
    uint32_t n_vlans, cap_vlans;
    struct estimate per_frame;

    uint32_t first[WORKERS_MAX + 1]; /* see workers_begin */
};

/* --- whether to share out --- */

static void estimate_learn(struct estimate *e, int64_t ns, uint64_t items)
{
    int64_t each = ns / (int64_t)MAX(items, 1u);

    if (items)
        e->ns16 += each - e->ns16 / 16;
}

static int64_t estimate_of(const struct estimate *e, uint64_t items)
{
    return e->ns16 * (int64_t)items / 16;
}

static uint32_t chunk_of(const struct estimate *e)
{
    return (uint32_t)MIN(CHUNK_NS / MAX(e->ns16 / 16, 1) + 1, 64);
}

static bool worth_sharing(const struct window *w, uint32_t n, int64_t work_ns)
{
    const struct sim_options *o = &w->sim->options;

    return n > 1 && o->threads > 1 && (o->eager || work_ns > WORTH_SHARING);
}

/* One actor and those of the main thread: all of it, or what is the shorter. */
static bool actors_worth_sharing(const struct window *w)
{
    uint32_t others = w->n_actors - w->n_main;
    int64_t theirs = estimate_of(&w->per_actor, others), own = estimate_of(&w->per_main, w->n_main);

    return others && worth_sharing(w, w->n_actors, others > 1 ? theirs + own : MIN(theirs, own));
}

static struct workers *workers_of(struct window *w)
{
    if (!w->workers)
        w->workers = workers_create(w->sim->options.threads);
    return w->workers;
}

/* What all threads together have worked on items so far. */
static int64_t busy_ns(const struct window *w)
{
    int64_t sum = 0;

    for (unsigned t = 0; t < w->sim->options.threads; t++)
        sum += workers_busy_ns(w->workers, t);
    return sum;
}

/* --- actors --- */

static void actors_gather(struct window *w, vtime_t end)
{
    struct sim *s = w->sim;

    w->n_main = 0;
    for (w->n_actors = 0; s->n_due && s->due[0].at < end; w->n_actors++) {
        array_reserve(w->actors, &w->cap_actors, w->n_actors + 1);
        w->actors[w->n_actors] = actor_due_first(s);
        w->n_main += w->actors[w->n_actors]->ops->main_thread;
    }
}

static void actor_item(void *opaque, uint32_t item, unsigned thread)
{
    struct window *w = opaque;
    struct actor *a = w->items[item];

    a->home = (uint8_t)thread; /* it stays where its data is now, until another thread is idle */
    actor_run(a, w->end);
}

/*
 * Sort the actors by the thread that each ran on last, those that are due first at the end of its
 * part, from where they are taken: they run through the whole window, the others are short.
 */
static void actors_by_home(struct window *w)
{
    uint32_t *first = w->first, n = w->sim->options.threads;

    memset(first, 0, (n + 1) * sizeof(*first));
    for (uint32_t i = 0; i < w->n_actors; i++)
        if (!w->actors[i]->ops->main_thread)
            first[w->actors[i]->home]++;
    for (uint32_t t = 0, sum = 0; t <= n; t++) /* where each part ends... */
        first[t] = sum += first[t];
    array_reserve(w->items, &w->cap_items, w->n_actors);
    for (uint32_t i = 0; i < w->n_actors; i++)
        if (!w->actors[i]->ops->main_thread)
            w->items[--first[w->actors[i]->home]] = w->actors[i]; /* ...and begins */
}

/* Run those of the main thread, or the others; returns the time it took. */
static int64_t actors_run(struct window *w, bool main_thread)
{
    int64_t start = host_now_ns();

    for (uint32_t i = 0; i < w->n_actors; i++)
        if (w->actors[i]->ops->main_thread == main_thread)
            actor_run(w->actors[i], w->end);
    return host_now_ns() - start;
}

static void learn_actors(struct window *w, int64_t own, int64_t others)
{
    host_time_add(HOST_GUESTS, own + others);
    estimate_learn(&w->per_main, own, w->n_main);
    estimate_learn(&w->per_actor, others, w->n_actors - w->n_main);
}

static void actors_run_here(struct window *w)
{
    int64_t own = w->n_main ? actors_run(w, true) : 0;
    int64_t others = w->n_actors > w->n_main ? actors_run(w, false) : 0;

    learn_actors(w, own, others);
}

static void actors_share(struct window *w)
{
    struct workers *workers = workers_of(w);
    int64_t before = busy_ns(w), own;

    actors_by_home(w);
    workers_begin(workers, actor_item, w, w->first, chunk_of(&w->per_actor));
    own = actors_run(w, true);
    host_time_add(HOST_WAIT, workers_join(workers));
    learn_actors(w, own, busy_ns(w) - before);
    w->sim->stats.shared++;
}

/* Hand what an actor sent to the VLANs, and show what its consoles said. */
static void collect(struct sim *s, struct actor *a)
{
    for (uint32_t i = 0; i < a->n_out; i++)
        port_transmit(&a->outbox[i]);
    s->stats.frames += a->n_out;
    a->n_out = 0;
    for (struct console *c = a->consoles; c; c = c->next)
        if (c->n_out)
            console_drain(c);
}

void window_run(struct window *w, vtime_t end)
{
    struct sim *s = w->sim;

    actors_gather(w, end);
    w->end = end;
    if (actors_worth_sharing(w))
        actors_share(w);
    else
        actors_run_here(w);

    int64_t start = host_now_ns();
    s->now = end;
    for (uint32_t i = 0; i < w->n_actors; i++) {
        assert(w->actors[i]->due >= end);
        actor_ran(w->actors[i]);
        collect(s, w->actors[i]);
    }
    host_time_add(HOST_VLANS, host_now_ns() - start);
    s->stats.windows++;
    s->stats.actor_runs += w->n_actors;
    s->stats.n_awake = w->n_actors;
}

/* --- VLANs --- */

/* Returns how many frames are on their way to them. */
static uint64_t vlans_gather(struct window *w, vtime_t horizon)
{
    struct evq *q = &w->sim->vlans_due;
    uint64_t frames = 0;

    for (w->n_vlans = 0; evq_next(q) < horizon; w->n_vlans++) {
        struct vlan *v = container_of(q->heap[0], struct vlan, due);
        evq_cancel(q, &v->due);
        array_reserve(w->vlans, &w->cap_vlans, w->n_vlans + 1);
        w->vlans[w->n_vlans] = v;
        frames += vlan_waiting(v);
    }
    return frames;
}

static void vlan_item(void *opaque, uint32_t item, unsigned thread)
{
    struct window *w = opaque;

    (void)thread;
    vlan_process(w->vlans[item], w->end, true);
}

/* Even parts: which VLANs are the busy ones is not known before. */
static void vlans_share(struct window *w)
{
    uint32_t n = w->sim->options.threads;
    struct workers *workers = workers_of(w);
    int64_t waited;

    for (uint32_t t = 0; t <= n; t++)
        w->first[t] = (uint32_t)((uint64_t)w->n_vlans * t / n);
    workers_begin(workers, vlan_item, w, w->first, 1);
    waited = workers_join(workers);
    host_time_add(HOST_WAIT, waited);
    w->sim->stats.vlans_shared++;
}

void window_vlans(struct window *w, vtime_t horizon)
{
    uint64_t frames;
    int64_t start, busy = 0;
    bool share;

    if (evq_next(&w->sim->vlans_due) >= horizon)
        return;
    start = host_now_ns();
    w->end = horizon;
    frames = vlans_gather(w, horizon);
    share = worth_sharing(w, w->n_vlans, estimate_of(&w->per_frame, frames));
    if (share) {
        workers_of(w);
        busy = busy_ns(w);
        vlans_share(w);
        busy = busy_ns(w) - busy;
    } else {
        for (uint32_t i = 0; i < w->n_vlans; i++)
            vlan_process(w->vlans[i], horizon, false);
        busy = host_now_ns() - start;
    }
    estimate_learn(&w->per_frame, busy, frames);
    for (uint32_t i = 0; i < w->n_vlans; i++)
        vlan_processed(w->vlans[i]);
    host_time_add(HOST_VLANS, host_now_ns() - start);
}

/* --- life --- */

int64_t window_thread_ns(const struct window *w, unsigned thread)
{
    return w->workers ? workers_busy_ns(w->workers, thread) : 0;
}

struct window *window_create(struct sim *s)
{
    struct window *w = xcalloc(1, sizeof(*w));

    w->sim = s;
    w->per_actor.ns16 = w->per_main.ns16 = 16 * FIRST_GUESS_ACTOR;
    w->per_frame.ns16 = 16 * FIRST_GUESS_FRAME;
    return w;
}

void window_destroy(struct window *w)
{
    if (!w)
        return;
    workers_destroy(w->workers);
    free(w->actors);
    free(w->items);
    free(w->vlans);
    free(w);
}
