/* Changes to a network that runs: the same for a script's tests and for the command prompt. */
#ifndef TOPO_LIVE_H
#define TOPO_LIVE_H

#include "topo/build.h"

/*
 * All of it is done in control events: every actor stands at exactly sim.now, so what a test
 * changes is the same change in every run. Actors, inlets and ports that are added get the next
 * numbers; what could not be made leaves no gap in them, but in the inlets'.
 */

/**
 * Make an uplink or a capture that was added to the topology: check it, build it, plug it in. False
 * with sentences in the topology's err; it is removed from the topology then.
 */
bool live_make(struct network *n, struct topo_object *o);

/** Unplug an uplink and let go of it; its name is free again. Its last word is told at the end. */
void live_remove(struct network *n, struct topo_uplink *u);

/** End a capture; its file is complete. What could not be written is told in n->trouble. */
void live_close(struct network *n, struct topo_capture *c);

/** The link of a NIC, an uplink or (both ends) a patch, up or down, as its far side sees it. */
void live_set_up(struct topo_object *o, bool up);

/**
 * Move a NIC or an uplink to another VLAN; NULL: to none. Its link gets from that VLAN what was
 * not said.
 */
void live_attach(struct topo_object *o, struct topo_vlan *v);

/* live_info.c: texts of lines, heap. */

/** Each VLAN with its ports, their links and counters. */
char *live_info_network(const struct network *n);

/** The captures that are open. */
char *live_info_capture(const struct network *n);

/**
 * An uplink in a line, what only the host knows: an answer, noted with a recorded run. NULL: there
 * is none. In live_info_network too, so both belong to what is done again when that is played.
 */
char *live_describe(const struct topo_uplink *u);

#endif
