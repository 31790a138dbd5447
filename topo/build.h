/* Building: from the description of a network to the engine, VLANs, guests and captures. */
#ifndef TOPO_BUILD_H
#define TOPO_BUILD_H

#include "sim/sim.h"
#include "topo/topo.h"

struct network {
    struct topo *topo;
    struct sim sim;
    const char *captures; /* the folder of captures that are begun in the run; NULL: the present one */
    struct err remarks;   /* of uplinks that were removed: see network_conclude */
    bool removed_badly;   /* one of them had not done what it was asked for */
    struct err trouble;   /* captures closed in the run that could not be written */
    void **junk; /* see network_build */
    size_t n_junk;
};

/**
 * Build everything, in order of declaration, so that ids depend on nothing else. False, with
 * sentences in `err`, if something could not be made; network_finish is due all the same.
 *
 * @shuffle  not 0: scatter the objects over memory in an order that this number picks. A run
 *           must not depend on addresses; this is for testing that it does not.
 */
bool network_build(struct network *n, struct topo *t, const struct sim_options *o, uint64_t shuffle,
                   struct err *err);

/** Plug a guest's cables in, as it was declared; at a barrier. A clone's, when it has been made. */
void guest_connect(struct topo_guest *g);

/** Build one uplink or capture more, at a barrier. False with sentences; nothing of it is left. */
bool network_make(struct network *n, struct topo_object *o, struct err *err);

/** Close captures at the present time. False with sentences if one could not be written,
 * those included that were closed in the run. */
bool network_close_captures(struct network *n, struct err *err);

/**
 * When the run is over: sentences about what came of uplinks. False: what one was asked for, it could
 * not do.
 */
bool network_conclude(struct network *n, struct err *err);

void network_finish(struct network *n);

#endif
