/* A datagram link whose other ends are sockets of the test. */
#ifndef TESTS_UPLINKS_DGRAM_RIG_H
#define TESTS_UPLINKS_DGRAM_RIG_H

#include "devices/uplinks/datagrams.h"
#include "devices/uplinks/dgram.h"
#include "tests/uplinks/peer.h"

extern struct peer_rig r;
extern char dgram_remote[128], dgram_localaddr[128]; /* room for a link's options */

/** A link in this network; NULL with its sentences. Their place is net.lua:3. */
struct uplink *dgram_make(const struct dgram_options *o, struct err *err);

/** A network with this link; fails the test if it cannot be made. */
void dgram_start(const struct dgram_options *o);
struct datagrams *dgram_base(void);

/** Its description holds this. */
void dgram_described(const char *part);

#endif
