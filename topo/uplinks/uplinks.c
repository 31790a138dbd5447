/* The table of uplinks, and what building has in common. */
#include "topo/uplinks/uplinks.h"

#include "sim/sim.h"

const struct uplink_kind *const uplink_kinds[TOPO_KINDS] = {
    [TOPO_PCAP] = &pcap_kind,
    [TOPO_USER] = &user_kind,
    [TOPO_DGRAM] = &dgram_kind,
    [TOPO_L2TPV3] = &l2tpv3_kind,
    [TOPO_VDE] = &vde_kind,
    [TOPO_STREAM] = &stream_kind,
    [TOPO_TAP] = &tap_kind,
};

bool topo_uplink_build(struct sim *s, struct topo_uplink *u, struct err *err)
{
    const struct uplink_kind *k = uplink_kinds[u->object.kind];
    enum uplink_start start = k->start ? k->start(u) : UPLINK_UP;

    if (s->playback && start != UPLINK_EXACT)
        u->built = uplink_stand_in(s, u->object.name, start);
    else
        u->built = k->create(s, u, err);
    if (u->built)
        uplink_attach(u->built, u->vlan->built, &u->link);
    return u->built != NULL;
}
