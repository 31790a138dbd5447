/* The network of the tests of uplinks that carry datagrams. */
#include "tests/uplinks/peer.h"

void peer_rig_init(struct peer_rig *r)
{
    memset(r, 0, sizeof(*r));
    rig_init(&r->rig, NULL);
    r->vlan = vlan_create(&r->rig.sim, "lan", VLAN_SWITCH);
    r->talker = rig_talker(&r->rig, r->vlan);
}

void peer_rig_attach(struct peer_rig *r, struct uplink *u)
{
    r->uplink = u;
    uplink_attach(u, r->vlan, &r->vlan->link);
}

void peer_rig_run(struct peer_rig *r, unsigned ms)
{
    sim_run(&r->rig.sim, r->rig.sim.now + ms * NS_PER_MS);
}

bool peer_rig_until(struct peer_rig *r, unsigned n_seen)
{
    for (int i = 0; i < 2000 && r->talker->n_seen < n_seen; i++)
        peer_rig_run(r, 1);
    return r->talker->n_seen >= n_seen;
}

void peer_rig_finish(struct peer_rig *r)
{
    uplink_destroy(r->uplink);
    rig_finish(&r->rig);
}

void peer_frame(uint8_t *bytes, size_t len, uint8_t mark)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + mark);
    memset(bytes, 0xff, ETH_ALEN);
    memcpy(bytes + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 1, mark}, ETH_ALEN);
    bytes[ETH_HLEN] = mark;
}
