/* Encoding of pcapng blocks (draft-ietf-opsawg-pcapng) and of classic pcap records. */
#ifndef SIM_PCAPNG_H
#define SIM_PCAPNG_H

#include "sim/base.h"

/** A growing buffer of encoded bytes; zero-initialise, free(bytes) at the end. */
struct bytes {
    uint8_t *bytes;
    uint32_t n, cap;
};

/** One packet as both formats need it. */
struct packet_record {
    uint32_t iface;
    int64_t epoch_ns;  /* since 1970 */
    const uint8_t *data;
    uint32_t caplen, len;
    uint32_t direction; /* epb_flags bits 0-1: 0 unknown, 1 inbound, 2 outbound */
    const char *comment; /* or NULL */
};

/* pcapng: little-endian, Ethernet, nanosecond timestamps. */
void pcapng_section(struct bytes *b, const char *application);
void pcapng_interface(struct bytes *b, const char *name, const char *description,
                      const char *filter, uint32_t snaplen);
void pcapng_packet(struct bytes *b, const struct packet_record *p);
void pcapng_statistics(struct bytes *b, uint32_t iface, int64_t epoch_ns, uint64_t received,
                       uint64_t accepted);

/* Classic pcap with the nanosecond magic. */
void pcap_header(struct bytes *b, uint32_t snaplen);
void pcap_packet(struct bytes *b, const struct packet_record *p);

#endif
