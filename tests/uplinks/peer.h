/* A VLAN with a talker and an uplink whose other end is the test: for uplinks that carry datagrams.
 */
#ifndef TESTS_UPLINKS_PEER_H
#define TESTS_UPLINKS_PEER_H

#include "tests/sim/rig.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/uplink.h"

struct peer_rig {
    struct rig rig;
    struct vlan *vlan;
    struct talker *talker;
    struct uplink *uplink;
};

/** The VLAN and the talker. */
void peer_rig_init(struct peer_rig *r);

/** The uplink, which peer_rig_finish destroys. */
void peer_rig_attach(struct peer_rig *r, struct uplink *u);

/** Run for so many ms; a live uplink's run takes as long. */
void peer_rig_run(struct peer_rig *r, unsigned ms);

/** Run until the talker has seen so many frames, 2 s at most; whether it has. */
bool peer_rig_until(struct peer_rig *r, unsigned n_seen);

void peer_rig_finish(struct peer_rig *r);

/** A frame to everyone from 02:00:00:00:01:MARK, `mark` after the header, and bytes that vary. */
void peer_frame(uint8_t *bytes, size_t len, uint8_t mark);

#endif
