/* A capture file being read: its packets as frames, and the times between them. */
#ifndef UPLINKS_PCAP_READER_H
#define UPLINKS_PCAP_READER_H

#include <pcap/pcap.h>
#include <stdio.h>

#include "sim/err.h"
#include "sim/frame.h"

struct pcap_reader;

/** What was not as a wire would have it. */
struct pcap_counts {
    uint64_t packets;   /* all, those that a filter left out too */
    uint64_t cut;       /* captured in part only: zeroes stand for the rest */
    uint64_t runts;     /* shorter than an Ethernet header: left out */
    uint64_t giants;    /* longer than FRAME_MAX_LEN: left out */
    uint64_t backwards; /* earlier than the one before: taken to be of the same time */
};

/**
 * A packet of libpcap's as a frame, as short as it was captured (at a sender, before the wire's
 * padding) with room for that: the caller's. NULL if it cannot be one; counted, but for `packets`.
 */
struct frame *pcap_packet_frame(const struct pcap_pkthdr *h, const uint8_t *bytes,
                                struct pcap_counts *counts);

/** Whether an expression is one, for Ethernet. False: libpcap says in `why` what is wrong. */
bool pcap_filter_check(const char *filter, char why[PCAP_ERRBUF_SIZE]);

/** A reader, or NULL and in `why` what is wrong: no capture, not of Ethernet, a wrong filter. */
struct pcap_reader *pcap_reader_open(const char *path, const char *filter,
                                     char why[PCAP_ERRBUF_SIZE]);

/** The same of a stream, which is taken. It cannot be rewound. */
struct pcap_reader *pcap_reader_from(FILE *f, const char *filter, char why[PCAP_ERRBUF_SIZE]);

/**
 * The next frame that the filter accepts: the caller's. NULL: there is none, see pcap_reader_fault.
 *
 * @at  its time, or that of the last packet: ns since the file's first packet (whether the filter
 *      accepts that or not), never decreasing, at most PCAP_MAX_SPAN
 */
struct frame *pcap_reader_next(struct pcap_reader *r, vtime_t *at);

#define PCAP_MAX_SPAN (VTIME_NEVER / 4) /* 73 years */

/** Begin again with the first packet; counts go on. False: see pcap_reader_fault. */
bool pcap_reader_rewind(struct pcap_reader *r);

/** Why it ended before the file's end, in libpcap's words; NULL: it has not, or nothing is wrong.
 */
const char *pcap_reader_fault(const struct pcap_reader *r);

const struct pcap_counts *pcap_reader_counts(const struct pcap_reader *r);

/** NULL is accepted. */
void pcap_reader_close(struct pcap_reader *r);

#endif
