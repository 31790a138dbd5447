/* A queue of timed events, totally ordered, with events embedded in their owners. */
#ifndef SIM_EVQ_H
#define SIM_EVQ_H

#include <stdbool.h>

#include "sim/base.h"

struct evq;

/** One thing that may happen later. Embedded; armed at most once at a time. */
struct event {
    vtime_t at;    /* when, while armed */
    uint32_t key;  /* breaks ties: the order in which events were initialised on the queue */
    uint32_t slot; /* heap position + 1; 0 while not armed */
    void (*fire)(struct event *ev, vtime_t now);
};

/**
 * A binary heap by (at, key). Equal times fire in the order in which the events were
 * *initialised*, never in the order in which they were armed: arming order depends on how
 * a run is cut into windows, and the result must not.
 */
struct evq {
    struct event **heap;
    uint32_t n, cap;
    uint32_t next_key;
};

/** Bind an event to a queue's key sequence; call in a deterministic order. */
void event_init(struct evq *q, struct event *ev, void (*fire)(struct event *, vtime_t));

/** Arm, or move, an event. */
void evq_arm(struct evq *q, struct event *ev, vtime_t at);

/** Disarm; harmless if it is not armed. */
void evq_cancel(struct evq *q, struct event *ev);

/** Arm as `from`, an event of another queue, is armed; or disarm, as that one is. */
void evq_copy(struct evq *q, struct event *ev, const struct event *from);

static inline bool event_armed(const struct event *ev)
{
    return ev->slot != 0;
}

/** When the earliest event is due; VTIME_NEVER when empty. */
static inline vtime_t evq_next(const struct evq *q)
{
    return q->n ? q->heap[0]->at : VTIME_NEVER;
}

/** Fire, in order, everything due at or before `now`, including what that arms. */
void evq_run(struct evq *q, vtime_t now);

/** Free the heap; the events belong to their owners. */
void evq_finish(struct evq *q);

#endif
