/* An inlet: where the outside world enters, at barriers only; what enters is noted, or played. */
#ifndef SIM_INLET_H
#define SIM_INLET_H

#include <stdbool.h>

#include "sim/base.h"

struct inlet;
struct sim;

/**
 * What enters the network from outside - frames, carrier, peers, typing - passes an inlet, which
 * gives it a time. While a run is recorded every entry is noted with that time; when a recording is
 * played nothing outside is opened, and the entries come from the file at the same times.
 */
enum inlet_kind {
    /* These act later, by an event of an actor: played up to a window and more before their time.
     */
    INLET_FRAME = 1,   /* an uplink's frame enters its port */
    INLET_ANSWER = 2,  /* what a question to the outside gave: see inlet_answer */
    INLET_VERDICT = 3, /* an uplink did not just take a frame that was for the host */
    /* These act at their barrier, before its control events. */
    INLET_BARRIER = 128, /* the first of them */
    INLET_CARRIER = 128, /* an uplink's port gained or lost its carrier */
    INLET_JOIN,          /* an uplink has one port more: a peer came */
    INLET_LEAVE,         /* and one less */
    INLET_READY,         /* an uplink that held a frame takes frames again */
    INLET_CONSOLE,       /* typed at a console */
    INLET_COMMAND,       /* typed at the command prompt */
    INLET_END,           /* the run was ended from outside, or is over */
};

struct inlet_ops {
    /**
     * Something came (inlet_poke). At the barrier that gives it its time, before control events:
     * arm events at sim->now, set carriers, add and remove ports; and note it. May be NULL.
     */
    void (*admit)(struct inlet *in);

    /**
     * Played instead: an entry that was noted, its bytes borrowed. Entries of one inlet come in
     * the order in which they were noted. Kinds below INLET_BARRIER come early, and act at `at`;
     * the others at sim->now == at. May be NULL if it never notes.
     */
    void (*play)(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len);
};

/** Embedded in what it is the way into; recovered with container_of. */
struct inlet {
    const struct inlet_ops *ops;
    struct sim *sim;
    uint32_t id;      /* the order of creation, by which a recording knows it */
    bool poked;       /* in the engine's list */
    uint64_t waiting; /* the playback's: the last round in which an entry of it had to wait */
    char **answers;   /* played and not taken yet, a list; NULL: that there was none */
    uint32_t n_answers, cap_answers;
};

/**
 * Register with the engine. Ids must not depend on the outside: whether something that was to be
 * made could be made there is an answer, and what could not be made has an id all the same
 * (inlet_skip).
 */
void inlet_init(struct inlet *in, const struct inlet_ops *ops, struct sim *s);
void inlet_finish(struct inlet *in);

/** Use up the ids below `id`, if they are not. */
void inlet_skip(struct sim *s, uint32_t id);

/** Something came from outside: ops->admit is due. Callable from the loop's callbacks. */
void inlet_poke(struct inlet *in);

/**
 * Note an entry. `at` is sim->now for kinds from INLET_BARRIER on; a time in the present window,
 * and for each inlet never decreasing, for the others. On the main thread only. Nothing happens
 * unless the run is recorded.
 */
void inlet_note(struct inlet *in, uint8_t kind, vtime_t at, const void *p, size_t len);

/**
 * An answer that only the outside could give ("listening on port 40123"), at a barrier: noted with
 * a recorded run; when that is played, the one that was noted is returned instead, in the same
 * order.
 * @live is taken, heap or NULL; the result is the caller's, NULL if there is none.
 */
char *inlet_answer(struct inlet *in, char *live);

/** Hand over an entry of a recording; the playback's. */
void inlet_play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len);

/** Let in what came, and play what is due; the engine's, once when a barrier has been reached. */
void inlets_admit(struct sim *s);

/** Whether a recording is played: nothing outside may be opened or asked. */
bool inlet_played(const struct inlet *in);

#endif
