/* Datagram links: UDP, multicast and unix datagrams, one frame in each, as QEMU sends them. */
#ifndef UPLINKS_DGRAM_H
#define UPLINKS_DGRAM_H

#include "devices/uplinks/uplink.h"
#include "sim/err.h"

/** One of: a group; a peer and an address of our own; a descriptor. Texts as address.h reads them.
 */
struct dgram_options {
    const char *mcast;     /* "230.0.0.1:1234": all who join are on one network */
    const char *remote;    /* "127.0.0.1:5001", "unix:/a" */
    const char *localaddr; /* where datagrams for us come; of a group: the interface's address */
    const char *fd;        /* a datagram socket of our parent's: its number or name; NULL: none */
    unsigned ttl;          /* of what is sent to a group: networks that it crosses, 0..255 */
    bool from_anyone;      /* not only from `remote` */
    const char *file;      /* where the topology says so, for errors */
    int line;
};

/** Check what can be checked without opening or asking anything. Adds sentences to err. */
bool dgram_options_check(const struct dgram_options *o, struct err *err);

/**
 * Make one, live, with one port that has its carrier. NULL with a sentence.
 *
 * Wire: the datagram is the frame, from its destination address on, without FCS.
 * What does not come from `remote` is dropped and counted; so are our own frames to a group, known
 * by the address and port that they are sent from, which no other socket has.
 */
struct uplink *dgram_create(struct sim *s, const char *name, const struct dgram_options *o,
                            struct err *err);

/** Where datagrams for it come, "127.0.0.1:40123"; the caller frees it. Only of dgram_create's. */
char *dgram_address(const struct uplink *u);

#endif
