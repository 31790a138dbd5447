/* The engine: actors run in windows of virtual time, frames cross VLANs at the barriers. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <uv.h>

#include "sim/actor.h"
#include "sim/evq.h"
#include "sim/inlet.h"
#include "sim/port.h"

struct capture;
struct playback;
struct recording;
struct vlan;
struct window;

/**
 * Every window ends on this grid, wherever the links' delays would allow it to end. Several
 * harts of one guest take turns on the same grid, so that their interleaving does not depend
 * on how time is cut into windows.
 */
#define SIM_GRID (1 * NS_PER_US)

struct sim_options {
    uint64_t seed;      /* of every random draw */
    vtime_t max_window; /* no window longer than this; 0: as the lookahead allows */
    bool paced;         /* hold virtual time back to the host's clock */
    double pace;        /* with paced: virtual seconds per host second; 0 means 1 */
    unsigned threads;   /* that run actors, the caller's included; 0: one per core it may use */
    bool eager;         /* hand out every window, however little there is to do: for tests */
    struct recording *recording; /* of what enters from outside, or NULL; the caller's */
    struct playback *playback;   /* what enters comes from here, or NULL; the caller's */
};

struct sim_stats {
    uint64_t windows, barriers;
    uint64_t shared;       /* of the windows, those handed out to several threads */
    uint64_t vlans_shared; /* how often VLANs were */
    uint64_t frames;     /* that left a port */
    uint64_t actor_runs;
    uint32_t n_actors, n_awake; /* n_awake: those that ran in the last window */
    int64_t lag_ns;      /* paced: how far virtual time is behind the host's clock */
};

/** An actor in the engine's heap, and when it has something to do. */
struct due {
    vtime_t at;
    struct actor *actor;
};

struct sim {
    struct sim_options options;
    vtime_t now;          /* the barrier: every actor has come exactly this far */
    vtime_t vlans_now;    /* VLANs have handed on what reached them before; may be ahead of now */
    struct due *due;      /* heap by (at, id) of actors that have something to do */
    uint32_t n_due, cap_due;
    struct actor **actors; /* all, by id; NULL where one finished */
    uint32_t n_actors, cap_actors;
    struct vlan **vlans;   /* all, by id; NULL where one was destroyed */
    uint32_t n_vlans, cap_vlans;
    struct evq vlans_due;  /* VLANs with frames on their way, by the first of them */
    struct evq delays;     /* links' delays: the smallest is what windows depend on */
    uint32_t next_port_id;
    struct port_stats gone; /* the counters of ports that are no more */
    uint32_t n_live;       /* actors that hold host sockets */
    struct evq control;    /* what happens between windows: tests, stops, changes */
    struct capture *captures;
    uv_loop_t loop;        /* the host side: sockets, terminal, signals */
    bool stopping;
    struct sim_stats stats;
    int64_t host_start_ns; /* paced: the host's clock at virtual time pace_base */
    vtime_t pace_base;
    int64_t polled_ns;     /* host clock when the loop was last asked */
    uv_timer_t timer;       /* wakes the loop when the host's clock has caught up */
    struct window *window;  /* window.c's */
    struct inlet **inlets;  /* all, by id; NULL where one finished */
    uint32_t n_inlets, cap_inlets;
    struct inlet **poked;   /* those by which something came from outside; NULL likewise */
    uint32_t n_poked, cap_poked;
    vtime_t admitted_at;    /* the last time at which things were let in */
    struct inlet answers;   /* inlet 0: what only the outside can tell of no uplink in particular */
    struct recording *recording; /* as the options say */
    struct playback *playback;
};

/** Make an engine at time 0 with nothing in it. Cannot fail. */
void sim_init(struct sim *s, const struct sim_options *o);

/** Free what is left: VLANs. Captures must have been closed, and actors finished. */
void sim_finish(struct sim *s);

enum sim_stop {
    SIM_REACHED,  /* virtual time is `until` */
    SIM_STOPPED,  /* sim_stop was called */
    SIM_IDLE,     /* nothing will ever happen again: no event, no live uplink */
};

/**
 * Run until `until` (VTIME_NEVER: without limit), sim_stop, or for ever idle.
 *
 * Control events fire between windows with every actor at exactly their time (rounded up to
 * SIM_GRID). Exactness: the result depends on the actors, the VLANs and the seed, not on
 * options.max_window, options.threads, or where things lie in memory.
 */
enum sim_stop sim_run(struct sim *s, vtime_t until);

/** How long thread `n` of options.threads has worked on what was handed out, ns. */
int64_t sim_thread_ns(const struct sim *s, unsigned n);

/** End sim_run at the next barrier; callable from control events, taps, sinks, and the loop. */
void sim_stop(struct sim *s);

/**
 * Arm a control event; may be called from taps, sinks and control events. Sooner than the
 * engine's present horizon is not possible: `at` must be >= s->now, and what taps and sinks
 * arm must be at least CONSOLE_DELAY after the time they were told.
 */
void sim_at(struct sim *s, struct event *ev, vtime_t at);

/** The smallest delay between two ports through any VLAN: what a window may be. */
vtime_t sim_lookahead(struct sim *s);

/** The state of the whole engine (times, VLAN tables, queues) folded into a hash. */
uint64_t sim_fingerprint(const struct sim *s);

#endif
