/* A VLAN: a broadcast domain made of a hub or a learning switch. */
#ifndef SIM_VLAN_H
#define SIM_VLAN_H

#include <stdbool.h>

#include "sim/port.h"

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

/** One learnt address. */
struct fdb_entry {
    uint64_t mac;     /* big-endian value in the low 48 bits; 0: empty */
    struct port *port;
    vtime_t seen;     /* when last used as a source */
};

/** A frame on its way to the VLAN, ordered by (at, port id, number). */
struct passage {
    vtime_t at;
    struct port *from;
    uint64_t number;
    struct frame *frame;
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
    uint32_t busy_slot;    /* position + 1 in the engine's list of busy VLANs; 0: idle */
    struct fdb_entry *fdb; /* open addressing, a power of two */
    uint32_t fdb_cap, fdb_n, fdb_max;
    vtime_t fdb_purge_at;  /* a full table is not searched for aged addresses before this */
    struct tap *taps;
    struct vlan_stats stats;
};

#define VLAN_DEFAULT_AGEING (300 * NS_PER_SEC) /* 802.1D-2004, table 7-5 */
#define VLAN_DEFAULT_FDB 16384                 /* addresses, as mid-range switches hold */

/** A new VLAN, registered with the engine; lives as long as it. `name` is copied. */
struct vlan *vlan_create(struct sim *sim, const char *name, enum vlan_kind kind);

/** Pass every frame that reaches the VLAN before `horizon` to its ports; the engine's. */
void vlan_process(struct vlan *v, vtime_t horizon);

/** A frame has left `from` and reaches the VLAN at `at`; f is borrowed. The engine's. */
void vlan_accept(struct vlan *v, struct port *from, uint64_t number, struct frame *f, vtime_t at);

/** When the earliest frame on its way reaches it; VTIME_NEVER if none is. */
static inline vtime_t vlan_next(const struct vlan *v)
{
    return v->n_heap ? v->heap[0].at : VTIME_NEVER;
}

/** A port joins, or leaves: port.c's. What the leaving one has under way is lost, and counted. */
void vlan_add_port(struct vlan *v, struct port *p);
void vlan_remove_port(struct vlan *v, struct port *p);

/** Detach every port and free. To end a large network, end its VLANs first: that is linear. */
void vlan_destroy(struct vlan *v);

#endif
