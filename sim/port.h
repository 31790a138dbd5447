/* A port: an endpoint on a VLAN, with the link that joins it. */
#ifndef SIM_PORT_H
#define SIM_PORT_H

#include <stdbool.h>

#include "sim/evq.h"
#include "sim/frame.h"

struct actor;
struct port;
struct sent;
struct tap;
struct vlan;

enum port_verdict {
    PORT_TAKEN,   /* received; the port's own counters say how */
    PORT_HOLD,    /* no room now: keep it and ask again after port_ready() */
    PORT_DROPPED, /* refused, and counted by the port under the reason it knows */
};

struct port_ops {
    const char *kind; /* "nic", "user", "tap" */

    /** A frame has arrived (borrowed), at the owner's time. Called within the owner's run. */
    enum port_verdict (*rx)(struct port *p, struct frame *f);

    /** The carrier came or went. May be NULL. */
    void (*carrier)(struct port *p, bool up);
};

/** What lies between a port and its VLAN; the same both ways, full duplex. */
struct link {
    vtime_t delay_ns;  /* propagation, each way; >= LINK_MIN_DELAY */
    uint64_t rate_bps; /* 0: infinitely fast */
    uint64_t queue_bytes; /* what may wait for the line in each direction; more is dropped */
};

#define LINK_MIN_DELAY (500 /* ns: half the engine's time grid, see sim.h */)
#define LINK_DEFAULT_DELAY (10 * NS_PER_US)
#define LINK_DEFAULT_RATE 1000000000ULL
#define LINK_DEFAULT_QUEUE (512 * 1024ULL)
#define PORT_MAX_HELD 1024 /* frames that may wait for a receiver with no room */
#define PORT_MAX_BURST (4u << 20) /* bytes that an infinitely fast line takes in a microsecond */

/** Why frames were lost on the way; every drop is in exactly one of these. */
enum port_drop {
    DROP_DOWN,       /* sent or received while the carrier is down or on no VLAN */
    DROP_QUEUE_OUT,  /* the queue towards the VLAN was full */
    DROP_QUEUE_IN,   /* the queue from the VLAN was full */
    DROP_HELD,       /* the receiver had no room for too long: PORT_MAX_HELD waiting */
    DROP_REFUSED,    /* the receiver answered PORT_DROPPED */
    DROP_RUNT,       /* shorter than an Ethernet header */
    DROP_GIANT,      /* longer than FRAME_MAX_LEN */
    DROP_MALFORMED,  /* an offload request that does not fit the frame, or for segments too small */
    DROP_KINDS
};

struct port_stats {
    uint64_t tx_frames, tx_bytes; /* handed to port_send */
    uint64_t rx_frames, rx_bytes; /* taken by the port */
    uint64_t drops[DROP_KINDS];
};

/** "link queue full, towards the VLAN" and so on, indexed by enum port_drop. */
extern const char *const port_drop_names[DROP_KINDS];

struct arrival {
    vtime_t at;
    struct frame *frame;
};

/** A ring; cap is a power of two or 0. */
struct arrivals {
    struct arrival *ring;
    uint32_t head, n, cap;
};

/** Append a frame (taken). */
void arrivals_push(struct arrivals *q, struct frame *f, vtime_t at);

/** The oldest; NULL if there is none. */
static inline struct arrival *arrivals_first(const struct arrivals *q)
{
    return q->n ? &q->ring[q->head] : NULL;
}

/** Take the oldest, with its reference. */
struct frame *arrivals_pop(struct arrivals *q);

/** Give up all frames, and the memory. */
void arrivals_finish(struct arrivals *q);

struct port {
    const struct port_ops *ops;
    struct actor *owner;
    struct port *next, *prev; /* of the same owner */
    char *name;        /* "h1.eth0", unique */
    uint32_t id;       /* order of creation: breaks ties between frames of equal time */
    struct vlan *vlan; /* NULL: detached */
    uint32_t vlan_slot; /* its place in vlan->ports */
    bool up;           /* administrative carrier, both ways */
    struct link link;
    vtime_t busy_out, busy_in; /* until when each direction of the line is occupied */
    vtime_t burst_at;          /* the microsecond in which `burst` bytes were sent */
    uint64_t burst;
    uint64_t n_sent;           /* numbers the frames sent (struct passage) */
    uint32_t under_way;        /* frames it sent that have not passed the VLAN */
    struct tap *taps;          /* who watches this port */

    struct arrivals inbox; /* on the line, in order of arrival time */
    struct arrivals held;  /* arrived, and refused by PORT_HOLD until port_ready */
    bool holding;
    struct event rx_event;
    struct event carrier_event;
    struct event delay_event; /* in the engine's queue of delays, armed while attached */
    struct port_stats stats;
};

/**
 * Make a port of an actor; it is on no VLAN. `name` is copied. Needs no cleanup on failure:
 * it cannot fail.
 */
void port_init(struct port *p, const struct port_ops *ops, struct actor *owner, const char *name);

/**
 * Detach, and give up every frame that waits, which is counted. Call at a barrier. Its counters stay:
 * in the port's memory for the owner, in sim->gone for the totals.
 */
void port_finish(struct port *p);

/** Join a VLAN (leaving another); at a barrier only. */
void port_attach(struct port *p, struct vlan *v, const struct link *link);
void port_detach(struct port *p);

/**
 * Set the carrier, at a barrier. The port's owner is told by an event at the present time; what
 * is sent or arrives while down is dropped.
 */
void port_set_up(struct port *p, bool up);

/**
 * Send a frame into the port's link.
 *
 * @f  taken; immutable from here on. Padded by the caller to FRAME_MIN_WIRE if it means to.
 *
 * The frame leaves at the owner's `now`: it is dropped, and counted, if its line has no room for
 * it, and waits in the owner's outbox for the barrier otherwise. So a guest that sends without end
 * fills no more than its line does. Order: one port's frames arrive in sending order.
 * f->origin is filled in by the caller where it knows (NICs do).
 */
void port_send(struct port *p, struct frame *f);

/** When the line towards the VLAN takes a frame without loss: the owner's now, or later. */
vtime_t port_room_at(const struct port *p);

/** After PORT_HOLD: there is room again. The held frame is offered again at the owner's now. */
void port_ready(struct port *p);

/** At a barrier: show taps what an owner sent, and hand it, with its reference, to the VLAN. */
void port_transmit(const struct sent *x);

/**
 * A frame leaves the VLAN towards this port at `at`: queue, line, inbox. The VLAN's; touches
 * nothing but the port and, for taps, the VLAN. True: the owner must be woken (port_wake).
 */
bool port_receive(struct port *p, struct frame *f, vtime_t at);

/** Arm the owner's event for what is first in the inbox; the engine's, on the main thread. */
void port_wake(struct port *p);

/** Add counters to counters. */
void port_stats_add(struct port_stats *sum, const struct port_stats *s);

/** Sum of drops over all reasons. */
uint64_t port_stats_dropped(const struct port_stats *s);

static inline uint64_t port_dropped(const struct port *p)
{
    return port_stats_dropped(&p->stats);
}

#endif
