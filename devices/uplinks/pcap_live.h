/* A live interface of the host, read and written through libpcap. */
#ifndef UPLINKS_PCAP_LIVE_H
#define UPLINKS_PCAP_LIVE_H

#include "sim/err.h"

struct sim;
struct uplink;

struct pcap_live_options {
    const char *ifname;
    const char *filter; /* of what comes in: a libpcap expression, or NULL */
    bool promisc;       /* also what is for others' addresses */
    uint32_t snaplen;   /* bytes taken of a packet: zeroes stand for the rest */
    const char *file;   /* where the topology says so, for errors */
    int line;
};

#define PCAP_LIVE_SNAPLEN 262144 /* libpcap's own maximum: all of any packet */

/** What can be known to be wrong without opening anything. False with sentences. */
bool pcap_live_check(const struct pcap_live_options *o, const char *name, struct err *err);

/**
 * Make an uplink with one port, live from here on. NULL with a sentence: no such interface, no
 * right to it, not an Ethernet.
 *
 * In: what the interface receives; neither what was sent through here nor what the host itself
 * sends. Out: to the wire, as it is when offload requests have been carried out; the host itself
 * does not receive it. The port's carrier is the interface's; when that goes away, and when it
 * comes back.
 */
struct uplink *pcap_live_create(struct sim *s, const char *name, const struct pcap_live_options *o,
                                struct err *err);

#endif
