/* Carrying out what a NIC left undone: checksums and segmentation. */
#ifndef SIM_OFFLOAD_H
#define SIM_OFFLOAD_H

#include "sim/frame.h"

/**
 * Bytes of headers that a segmentation request may repeat. Every stack's are shorter by far; with
 * none, extension headers of 60 KB on segments of one byte would make gigabytes of one frame.
 */
#define OFFLOAD_MAX_HEADERS 512

/**
 * Bytes of payload that a segment must have at least. Whatever carries IPv4 takes packets of 68
 * bytes, the longest header and a fragment of 8 (RFC 791, 3.2), so nobody needs to ask for less;
 * and one request makes 8,192 packets at most, of which each receiver has its own.
 */
#define OFFLOAD_MIN_SEGMENT 8

/** Whether the frame is already what a wire would carry. */
static inline bool frame_is_finished(const struct frame *f)
{
    return !f->offload.needs_csum && f->offload.gso == FRAME_GSO_NONE;
}

/** Whether it asks for segments so small that nobody carries them out: port_send drops it. */
static inline bool offload_is_too_fine(const struct frame *f)
{
    return f->offload.gso != FRAME_GSO_NONE && f->offload.gso_size < OFFLOAD_MIN_SEGMENT;
}

/**
 * Turn one frame into the packets a wire would carry.
 *
 * @f     borrowed
 * @emit  called once per finished packet, in order, with a frame it borrows
 *
 * Every header length is checked against the frame; a request that does not fit its bytes
 * is answered by dropping it. Returns packets emitted (0: the request was malformed).
 */
unsigned offload_finish(struct frame *f, void (*emit)(void *opaque, struct frame *packet),
                        void *opaque);

/**
 * Carry out only the checksum request, into a new frame (or another reference to f when there
 * is none). NULL if the request does not fit the bytes.
 */
struct frame *offload_checksum(struct frame *f);

/**
 * One packet of a request to segment TCP over IPv4, as long as it is: for a receiver that takes
 * such a packet at once. NULL if the request is another or does not fit the bytes.
 */
struct frame *offload_whole(const struct frame *f);

/** The Internet checksum's running sum (RFC 1071) over bytes; fold with inet_fold. */
uint32_t inet_sum(uint32_t sum, const void *p, size_t len);
uint16_t inet_fold(uint32_t sum);

/** Of a pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1): the IP header's addresses, `len` bytes of
 * `proto`. */
uint32_t inet_pseudo_sum(const uint8_t *ip, bool v6, uint8_t proto, uint32_t len);

#endif
