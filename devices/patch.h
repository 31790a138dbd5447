/* A patch: a cable between two VLANs. What enters at one end leaves at the other. */
#ifndef DEVICES_PATCH_H
#define DEVICES_PATCH_H

#include "sim/actor.h"
#include "sim/port.h"

struct vlan;

/** An actor with two ports; recovered from them with container_of. */
struct patch {
    struct actor actor;
    struct port ends[2]; /* "NAME.VLAN" */
};

/**
 * Make a patch and plug its ends into two VLANs, each by a link of its own; at a barrier.
 *
 * Timing: a frame crosses the link of the end it comes in by and that of the end it leaves by; the
 * patch itself takes no time. What finds no room on its way out is dropped, and counted there.
 * Offload requests pass unfinished. Nothing here stops frames from going round in a circle of
 * patches: whoever makes the network sees to it that there is none.
 */
struct patch *patch_create(struct sim *s, const char *name, struct vlan *const vlans[2],
                           const struct link links[2]);

/** Plug both ends in or pull them out; at a barrier. */
void patch_set_up(struct patch *p, bool up);

/** Unplug and free. NULL is accepted. */
void patch_destroy(struct patch *p);

#endif
