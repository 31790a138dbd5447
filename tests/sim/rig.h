/* A small network for engine tests: talkers that send at given times and note what arrives. */
#ifndef TESTS_SIM_RIG_H
#define TESTS_SIM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/port.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define RIG_MAX_SEEN 4096

/** What arrived: when, from which source MAC (its last byte), how long, its 15th byte. */
struct rig_seen {
    vtime_t at;
    uint8_t from, mark;
    uint32_t len;
};

struct talker {
    struct actor actor;
    struct port port;
    uint8_t number; /* its MAC is 02:00:00:00:00:number */
    struct rig_seen seen[RIG_MAX_SEEN];
    unsigned n_seen;
    enum port_verdict verdict;      /* what rx answers */
    struct rig_plan *plans;         /* frames to send */
    void (*on_rx)(struct talker *t, struct frame *f); /* e.g. answer; may be NULL */
    unsigned carrier_changes;
};

struct rig {
    struct sim sim;
    struct talker *talkers[32];
    unsigned n;
};

void rig_init(struct rig *r, const struct sim_options *o);

/** A new talker on a VLAN (NULL: on none), with the VLAN's link. */
struct talker *rig_talker(struct rig *r, struct vlan *v);

/** Send a frame to talker `to` (0xff: broadcast) at `at`, `len` bytes long. */
void rig_send_at(struct talker *t, vtime_t at, uint8_t to, uint32_t len, uint8_t mark);

/** The same at once; within on_rx. */
void rig_send(struct talker *t, uint8_t to, uint32_t len, uint8_t mark);

/** End everything, and assert that no frame is alive. */
void rig_finish(struct rig *r);

#endif
