/* Actors: registration, and their place in the engine's heap of due times. */
#include "sim/actor.h"

#include <assert.h>

#include "sim/port.h"
#include "sim/sim.h"

static vtime_t due(const struct actor *a)
{
    return a->ops->next_due ? a->ops->next_due(a) : evq_next(&a->events);
}

static bool before(const struct due *x, const struct due *y)
{
    return x->at != y->at ? x->at < y->at : x->actor->id < y->actor->id;
}

static void place(struct sim *s, uint32_t i, struct due d)
{
    s->due[i] = d;
    d.actor->due_slot = i + 1;
}

static void sift(struct sim *s, uint32_t i, struct due d)
{
    for (; i > 0 && before(&d, &s->due[(i - 1) / 2]); i = (i - 1) / 2)
        place(s, i, s->due[(i - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= s->n_due)
            break;
        if (child + 1 < s->n_due && before(&s->due[child + 1], &s->due[child]))
            child++;
        if (!before(&s->due[child], &d))
            break;
        place(s, i, s->due[child]);
        i = child;
    }
    place(s, i, d);
}

static void due_remove(struct sim *s, struct actor *a)
{
    uint32_t i = a->due_slot - 1;
    struct due last = s->due[--s->n_due];

    a->due_slot = 0;
    if (last.actor != a)
        sift(s, i, last);
}

static void due_set(struct actor *a, vtime_t at)
{
    struct sim *s = a->sim;

    if (at == VTIME_NEVER) {
        if (a->due_slot)
            due_remove(s, a);
        return;
    }
    if (!a->due_slot) {
        array_reserve(s->due, &s->cap_due, s->n_due + 1);
        a->due_slot = ++s->n_due;
    } else if (s->due[a->due_slot - 1].at == at) {
        return;
    }
    sift(s, a->due_slot - 1, (struct due){at, a});
}

void actor_due_changed(struct actor *a)
{
    due_set(a, due(a));
}

struct actor *actor_due_first(struct sim *s)
{
    struct actor *a = s->due[0].actor;

    due_remove(s, a);
    return a;
}

/* --- running --- */

static void run_events(struct actor *a, vtime_t until)
{
    for (vtime_t t; (t = evq_next(&a->events)) < until;) {
        a->now = MAX(a->now, t);
        evq_run(&a->events, a->now);
    }
    a->now = until;
}

void actor_run(struct actor *a, vtime_t until)
{
    if (a->ops->run)
        a->ops->run(a, until);
    else
        run_events(a, until);
    a->due = due(a);
}

void actor_control(struct actor *a, struct event *ev, vtime_t at)
{
    array_reserve(a->requests, &a->cap_requests, a->n_requests + 1);
    a->requests[a->n_requests++] = (struct actor_request){ev, at};
}

void actor_ran(struct actor *a)
{
    due_set(a, a->due);
    for (uint32_t i = 0; i < a->n_requests; i++)
        sim_at(a->sim, a->requests[i].event, a->requests[i].at);
    a->n_requests = 0;
}

/* --- life --- */

void actor_init(struct actor *a, const struct actor_ops *ops, struct sim *s, const char *name)
{
    *a = (struct actor){.ops = ops, .sim = s, .name = xstrdup(name), .now = s->now};
    array_reserve(s->actors, &s->cap_actors, s->n_actors + 1);
    a->id = s->n_actors;
    a->home = (uint8_t)(a->id % s->options.threads);
    s->actors[s->n_actors++] = a;
    s->stats.n_actors++;
}

void actor_set_live(struct actor *a, bool live)
{
    if (a->live == live)
        return;
    a->live = live;
    if (live)
        a->sim->n_live++;
    else
        a->sim->n_live--;
}

void actor_finish(struct actor *a)
{
    struct sim *s = a->sim;

    assert(!a->ports && !a->consoles);
    actor_set_live(a, false);
    if (a->due_slot)
        due_remove(s, a);
    for (uint32_t i = 0; i < a->n_out; i++)
        frame_unref(a->outbox[i].frame);
    s->actors[a->id] = NULL;
    s->stats.n_actors--;
    free(a->outbox);
    free(a->requests);
    free(a->name);
    evq_finish(&a->events);
}
