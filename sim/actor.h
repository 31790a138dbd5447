/* An actor: anything that lives in virtual time by itself - a guest, a user-mode stack. */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include <stdbool.h>

#include "sim/evq.h"
#include "sim/rng.h"

struct actor;
struct console;
struct frame;
struct port;
struct sim;

struct actor_ops {
    const char *kind; /* "machine", "user" */

    /**
     * Advance to exactly `until`, alone: fire events (evq_run) at their times, execute what
     * lies between. May touch nothing that another actor can see, except through port_send,
     * console_write and actor_control, which wait in the actor until the barrier. It runs on any
     * thread, beside other actors, unless main_thread says otherwise. On return a->now ==
     * until, or the actor sleeps and next_due says until when. NULL: events are all there is.
     * The result must not depend on how a span of time is cut into calls.
     */
    void (*run)(struct actor *a, vtime_t until);

    /** When it next has something to do: a->now while it executes. NULL: evq_next(events). */
    vtime_t (*next_due)(const struct actor *a);

    /** Its run uses what belongs to the main thread: a library's globals, the loop. */
    bool main_thread;
};

/** A frame that has found room on its line and waits for the barrier. */
struct sent {
    vtime_t begin; /* when its first bit leaves */
    vtime_t there; /* when the VLAN has it */
    struct port *port;
    uint64_t number; /* on that port, so that equal times keep their order */
    struct frame *frame;
};

/** A control event that an actor's run asked for. */
struct actor_request {
    struct event *event;
    vtime_t at;
};

/** Embedded in what it drives; recovered with container_of. */
struct actor {
    const struct actor_ops *ops;
    struct sim *sim;
    char *name;
    uint32_t id;       /* the order of creation */
    uint32_t due_slot; /* position + 1 in the engine's heap of due actors; 0: not there */
    vtime_t now;       /* how far it has come; exact whenever a device or port looks */
    struct evq events; /* its timers and arrivals */
    bool live;         /* see actor_set_live */
    uint8_t home;      /* the thread it ran on last */
    vtime_t due;       /* after a run: when it is due next */

    struct sent *outbox; /* frames sent in this window, in order of time */
    uint32_t n_out, cap_out;
    struct console *consoles; /* those of this actor, a list */
    struct port *ports, *last_port; /* likewise */

    struct actor_request *requests; /* made in this window */
    uint32_t n_requests, cap_requests;
};

/** Register with the engine; `name` is copied. The actor starts asleep at sim->now. */
void actor_init(struct actor *a, const struct actor_ops *ops, struct sim *sim, const char *name);

/** Tell the engine that next_due may have become earlier; call outside of run only. */
void actor_due_changed(struct actor *a);

/**
 * Arm a control event from within the actor's run: done at the barrier. `at` must be at least
 * CONSOLE_DELAY after a->now, as with sim_at in a sink.
 */
void actor_control(struct actor *a, struct event *ev, vtime_t at);

/** Advance it by its ops to exactly `until`, and note when it is due next; the engine's. */
void actor_run(struct actor *a, vtime_t until);

/** Take the actor that is due first out of the heap. The engine's, with actor_ran for each. */
struct actor *actor_due_first(struct sim *s);

/** After its run, at the barrier: into the heap again, and carry out what it asked for. */
void actor_ran(struct actor *a);

/**
 * Say whether it holds host sockets or descriptors whose input can come at any time. While any
 * actor does, the run follows the host's clock and the loop is polled between windows. On the
 * main thread only.
 */
void actor_set_live(struct actor *a, bool live);

/** Take it out of the engine. Its ports must be finished. */
void actor_finish(struct actor *a);

#endif
