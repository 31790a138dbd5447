/* L2TPv3 links: Ethernet pseudowires without a control connection (RFC 3931, RFC 4719). */
#ifndef UPLINKS_L2TPV3_H
#define UPLINKS_L2TPV3_H

#include "devices/uplinks/uplink.h"
#include "sim/err.h"

#define L2TPV3_MAX_OFFSET 1024

/** QEMU's options. */
struct l2tpv3_options {
    const char *src, *dst; /* hosts, both needed */
    bool udp;              /* over UDP, from srcport to dstport; otherwise straight over IP */
    bool ipv6;
    unsigned srcport, dstport;
    uint32_t txsession; /* 1 and up */
    uint32_t rxsession; /* 0: the same as txsession */
    bool cookies;       /* both are there; a frame with another one is dropped */
    bool cookie64;      /* they are of 8 bytes, not of 4 */
    uint64_t txcookie, rxcookie;
    bool counter;    /* four bytes that count frames, as the default sublayer has them */
    bool pincounter; /* but that stay 0 */
    unsigned offset; /* bytes between header and frame, at most L2TPV3_MAX_OFFSET */
    const char *file;
    int line;
};

/** Check what can be checked without opening anything. Adds sentences to err. */
bool l2tpv3_options_check(const struct l2tpv3_options *o, struct err *err);

/**
 * Make one, live, with one port that has its carrier. NULL with a sentence; over IP the reason may
 * be that a raw socket needs privilege.
 *
 * What comes from another host than dst, has another session or cookie, is a control message or
 * too short is dropped, and counted each for itself.
 */
struct uplink *l2tpv3_create(struct sim *s, const char *name, const struct l2tpv3_options *o,
                             struct err *err);

#endif
