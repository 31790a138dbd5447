/* A capture file played into a VLAN on virtual time. */
#ifndef UPLINKS_PCAP_FILE_H
#define UPLINKS_PCAP_FILE_H

#include "sim/err.h"

struct sim;
struct uplink;

struct pcap_file_options {
    const char *path;
    const char *filter; /* a libpcap expression, or NULL: everything */
    uint64_t speed;     /* billionths of the original; 0: as fast as the line takes it */
    vtime_t start_ns;   /* when the file's first packet is due */
    vtime_t gap_ns;     /* from the file's last packet to its first of the next pass */
    uint64_t loops;     /* how many passes */
    const char *file;   /* where the topology says so, for errors */
    int line;
};

/** Whether the file is a capture of Ethernet, and the filter one. False with a sentence. */
bool pcap_file_check(const struct pcap_file_options *o, const char *name, struct err *err);

/**
 * Make a player with one port; plugged in by uplink_attach, ended by uplink_destroy. NULL with a
 * sentence. The file must stay as it is for as long.
 *
 * Time: it is exact, and part of the network as a guest's image is: never live, nothing of it is
 * noted in a recording. A packet is sent when it is due, or when the line is free: none is lost for
 * want of room. One that comes for it is taken and counted, and that is all.
 */
struct uplink *pcap_file_create(struct sim *s, const char *name, const struct pcap_file_options *o,
                                struct err *err);

#endif
