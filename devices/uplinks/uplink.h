/* An uplink: an actor with ports whose far side is the host. */
#ifndef UPLINKS_UPLINK_H
#define UPLINKS_UPLINK_H

#include <stdio.h>

#include "sim/actor.h"
#include "sim/err.h"
#include "sim/inlet.h"
#include "sim/port.h"
#include "sim/tap.h"

struct sim;
struct uplink;
struct uplink_port;

/**
 * How a kind of uplink meets the host. All of it runs on the main thread: `send` and `room` within
 * the actor's run, `woken`, `describe` and `close` at barriers; what the kind has the loop call
 * (watch.h) runs between windows, and may do no more than uplink_receive and uplink_poke.
 */
struct uplink_ops {
    const char *kind; /* "tap" */

    /**
     * A frame leaves the network for the host (borrowed; it may carry an offload request: see
     * offload_finish). PORT_HOLD if the host takes nothing now: uplink_ready is due in `woken`.
     */
    enum port_verdict (*send)(struct uplink_port *p, struct frame *f);

    /** uplink_receive said that it is full; now it has room again. May be NULL. */
    void (*room)(struct uplink_port *p);

    /**
     * After uplink_poke, at the barrier: peers join and leave, carriers change, held frames go on.
     * May be NULL.
     */
    void (*woken)(struct uplink *u);

    /** Its state in a line, for `info network`: "ifname=tap0". Without the newline. May be NULL. */
    void (*describe)(const struct uplink *u, FILE *to);

    /**
     * At the end of a run: sentences about what the user must know came of it. False: it was not
     * what was asked for. May be NULL.
     */
    bool (*conclude)(struct uplink *u, struct err *err);

    /** Let go of everything outside. The struct is freed by uplink_destroy. */
    void (*close)(struct uplink *u);

    /** It sends by uplink_send in its own run, when it pleases, and loses what its line cannot
     * take. */
    bool direct;

    /** Direct, and what it sends depends on the network alone, of which its files are a part: it is
     * not noted, and sent again when a recording is played. */
    bool exact;
};

/** Frames on their way in, each with the time at which it may enter. A ring. */
struct uplink_queue {
    struct arrivals frames;
    uint32_t bytes;
};

#define UPLINK_MAX_QUEUED (512u << 10) /* bytes received and not sent yet, per port */

/** In a playback: how an offered frame was answered, by its number; ports take the others. */
struct uplink_verdict {
    uint64_t number;
    enum port_verdict verdict;
};

/** One port: the uplink's only one, or that of one peer of many. */
struct uplink_port {
    struct port port;
    struct uplink *uplink;
    struct uplink_port *next;
    struct tap tap;               /* shows what it sees to the uplink's taps */
    uint32_t number;              /* within the uplink, never used again */
    struct uplink_queue received; /* since the last barrier */
    struct uplink_queue admitted; /* they have a time, and wait for it or for room on the line */
    struct event incoming;        /* the first of them may enter */
    vtime_t clear_at;             /* by then all that it sent has passed its VLAN */
    uint64_t n_offered;           /* frames for the host, each time they were offered */
    struct uplink_verdict *verdicts; /* played and not given yet, a list */
    uint32_t n_verdicts, cap_verdicts;
    bool full;                    /* uplink_receive has said so */
    bool leaving;                 /* gone outside; it stays until what it sent has passed */
    bool carrier;                 /* whether the host's side is there */
    void *peer;                   /* the kind's own */
};

/** The first member of each kind's struct, which is on the heap. */
struct uplink {
    const struct uplink_ops *ops;
    struct actor actor;
    struct inlet inlet;
    struct uplink_port *ports; /* in order of joining */
    uint32_t next_number;
    struct vlan *vlan; /* where ports join; NULL: none yet */
    struct link link;
    struct tap *taps; /* who watches all its ports, those to come too */
    uint64_t refused; /* frames from outside that could not be frames */
    struct port_stats gone; /* the counters of ports that have left */
    uint32_t n_gone;
    bool switched_off; /* link down by the user's word, also of ports to come */
    bool admitting;   /* in `woken`: what changes is noted */
    bool stands_in;   /* for one that was recorded */
};

/* --- for the kinds --- */

/** Register an actor and an inlet; no port yet. Whether it is live (actor_set_live) is the kind's.
 */
void uplink_init(struct uplink *u, const struct uplink_ops *ops, struct sim *s, const char *name);

/**
 * Add a port, at creation or in `woken`; it joins the uplink's VLAN. `name` is copied; NULL: the
 * uplink's own. Carrier: up or down at first.
 */
struct uplink_port *uplink_join(struct uplink *u, const char *name, bool carrier);

/**
 * Its peer has gone; in `woken`. The port leaves, and p->peer must not be used any more, once what
 * came from the peer has passed the VLAN; what is for the peer is dropped.
 */
void uplink_leave(struct uplink_port *p);

/** The host's side came or went; at creation or in `woken`. */
void uplink_carrier(struct uplink_port *p, bool up);

/**
 * A frame came from outside (taken); from the loop. It enters at the next barrier's time, when the
 * line has room. Runts are padded, giants dropped and counted. False: it was taken, but no more
 * should be read until ops->room.
 */
bool uplink_receive(struct uplink_port *p, struct frame *f);

/** `woken` is due; from the loop. */
void uplink_poke(struct uplink *u);

/** After PORT_HOLD, in `woken`: the host takes frames again. */
void uplink_ready(struct uplink_port *p);

/** Of a direct uplink, in its actor's run: a frame (taken) enters now. */
void uplink_send(struct uplink_port *p, struct frame *f);

/* --- for those who have one --- */

/** Plug it into a VLAN (NULL: out of any): all its ports, and those to come. At a barrier. */
void uplink_attach(struct uplink *u, struct vlan *v, const struct link *link);

/** Link up or down by the user's word, for all its ports and those to come. At a barrier. */
void uplink_set_up(struct uplink *u, bool up);

/**
 * What a kind begins with: ports for peers to come; or one port, with or without its carrier. One that
 * is exact needs nothing that stands in for it.
 */
enum uplink_start { UPLINK_NO_PORT, UPLINK_DOWN, UPLINK_UP, UPLINK_EXACT };

/**
 * What stands in for an uplink when a recording is played: it opens nothing, and what entered
 * enters again.
 */
struct uplink *uplink_stand_in(struct sim *s, const char *name, enum uplink_start start);

/** The counters of all its ports together, those that have left included. */
struct port_stats uplink_counters(const struct uplink *u);

/** inlet_answer at the uplink's own inlet. */
char *uplink_answer(struct uplink *u, char *live);

/** Close, finish and free. NULL is accepted. */
void uplink_destroy(struct uplink *u);

#endif
