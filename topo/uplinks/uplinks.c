/* The table of uplinks, and what building has in common. */
#include "topo/uplinks/uplinks.h"

#include "sim/sim.h"

const struct uplink_kind *const uplink_kinds[TOPO_KINDS] = {
    [TOPO_USER] = &user_kind,
    [TOPO_TAP] = &tap_kind,
};

bool topo_uplink_build(struct sim *s, struct topo_uplink *u, struct err *err)
{
    const struct uplink_kind *k = uplink_kinds[u->object.kind];

    if (s->playback)
        u->built = uplink_stand_in(s, u->object.name, k->start(u));
    else
        u->built = k->create(s, u, err);
    if (u->built)
        uplink_attach(u->built, u->vlan->built, &u->link);
    return u->built != NULL;
}
