/* A VLAN: a broadcast domain made of a hub or a learning switch. */
#ifndef SIM_VLAN_H
#define SIM_VLAN_H

#include <stdbool.h>

#include "sim/port.h"
#include "sim/tap.h"

struct sim;

enum vlan_kind {
    VLAN_SWITCH, /* learns, ages, floods unknowns (IEEE 802.1D-2004, 7.7 to 7.9) */
    VLAN_HUB,    /* repeats every frame to every other port */
};

struct vlan_stats {
    uint64_t frames;    /* that reached it */
    uint64_t copies;    /* handed to ports' links */
    uint64_t flooded;   /* frames sent to all ports */
    uint64_t filtered;  /* destination on the port it came from */
    uint64_t reserved;  /* to 01:80:c2:00:00:0x, which a bridge keeps (7.12.6) */
    uint64_t fdb_full;  /* addresses not learnt: the table was full */
};

/** One learnt address. Its port may have left since: then the slot holds another, or none. */
struct fdb_entry {
    uint64_t mac;      /* big-endian value in the low 48 bits; 0: empty */
    uint32_t port_id, port_slot;
    vtime_t seen;      /* when last used as a source */
};

/** A frame on its way to the VLAN, ordered by (at, port id, number). */
struct passage {
    vtime_t at;
    struct port *from;
    uint64_t number;
    struct frame *frame;
};

/** What a tap will be shown when the VLAN was processed on another thread. */
struct glimpse {
    struct tap *taps;
    vtime_t at;
    struct port *port;
    struct frame *frame;
    enum tap_dir dir;
};

struct vlan {
    char *name;
    enum vlan_kind kind;
    struct sim *sim;
    uint32_t id;
    vtime_t ageing_ns;     /* forget an address unused for this long; 0: never */
    struct link link;      /* what ports get that ask for nothing else */
    struct port **ports;   /* in order of joining; NULL where one has left */
    uint32_t n_ports, cap_ports;
    uint32_t n_gone;       /* how many of them are NULL */
    struct passage *heap;  /* frames on their way here */
    uint32_t n_heap, cap_heap;
    struct passage *fresh; /* likewise, handed over since and not in the heap yet */
    uint32_t n_fresh, cap_fresh;
    struct event due;      /* when the earliest of all is there: in the engine's queue of VLANs */
    struct port **woken;   /* those whose owners are to be woken when it has been processed */
    uint32_t n_woken, cap_woken;
    bool elsewhere;        /* on another thread now: what taps see waits in `glimpses` */
    struct glimpse *glimpses;
    uint32_t n_glimpses, cap_glimpses;
    struct fdb_entry *fdb; /* open addressing, a power of two */
    uint32_t fdb_cap, fdb_n, fdb_max;
    uint64_t fdb_key;      /* of its hash, from the run's seed: addresses cannot be chosen to collide */
    bool fdb_stale;        /* addresses of ports that have left may be in it */
    vtime_t fdb_purge_at;  /* a full table is not searched for aged addresses before this */
    struct tap *taps;
    struct vlan_stats stats;
};

#define VLAN_DEFAULT_AGEING (300 * NS_PER_SEC) /* 802.1D-2004, table 7-5 */
#define VLAN_DEFAULT_FDB 16384                 /* addresses, as mid-range switches hold */

/** A new VLAN, registered with the engine; lives as long as it. `name` is copied. */
struct vlan *vlan_create(struct sim *sim, const char *name, enum vlan_kind kind);

/**
 * Pass every frame that reaches the VLAN before `horizon` to its ports; the engine's, followed
 * by vlan_processed. Touches nothing but the VLAN and its ports, so different VLANs may be
 * processed at once; `elsewhere`: not on the main thread, so taps are shown afterwards.
 */
void vlan_process(struct vlan *v, vtime_t horizon, bool elsewhere);

/** On the main thread: wake the owners of ports, show taps what they missed, be due again. */
void vlan_processed(struct vlan *v);

/** A frame has left `from` and reaches the VLAN at `at`; f is taken. The engine's. */
void vlan_accept(struct vlan *v, struct port *from, uint64_t number, struct frame *f, vtime_t at);

/** Show a frame to the taps of the VLAN or of one of its ports, now or when that may be. */
void vlan_show(struct vlan *v, struct tap *taps, vtime_t at, struct port *p, enum tap_dir dir,
               struct frame *f);

/** Frames on their way to it. */
static inline uint32_t vlan_waiting(const struct vlan *v)
{
    return v->n_heap + v->n_fresh;
}

/** The port that an address was learnt on; NULL if that has left. */
static inline struct port *fdb_port(const struct vlan *v, const struct fdb_entry *e)
{
    struct port *p = e->port_slot < v->n_ports ? v->ports[e->port_slot] : NULL;

    return p && p->id == e->port_id ? p : NULL;
}

/** A port joins, or leaves: port.c's. What the leaving one has under way is lost, and counted. */
void vlan_add_port(struct vlan *v, struct port *p);
void vlan_remove_port(struct vlan *v, struct port *p);

/** Detach every port and free. */
void vlan_destroy(struct vlan *v);

#endif
