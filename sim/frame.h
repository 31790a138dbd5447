/* One Ethernet frame: a contiguous, reference-counted buffer, shared by all who hold it. */
#ifndef SIM_FRAME_H
#define SIM_FRAME_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sim/base.h"

#define ETH_ALEN 6
#define ETH_HLEN 14
#define FRAME_MIN_WIRE 60     /* without FCS: shorter frames are padded when sent */
#define FRAME_MAX_LEN 65562   /* a 64 KiB segmentation request with its headers */

/** Work that a NIC left to whoever needs the finished packet (virtio 1.2, 5.1.6). */
enum frame_gso {
    FRAME_GSO_NONE,
    FRAME_GSO_TCPV4,
    FRAME_GSO_UDP, /* one datagram, in IP fragments */
    FRAME_GSO_TCPV6,
    FRAME_GSO_UDP_L4, /* datagrams, each with a UDP header (virtio 1.3, 5.1.6) */
};

struct frame_offload {
    bool needs_csum;      /* the checksum at csum_start+csum_offset is only the pseudo-header's */
    bool csum_valid;      /* the sender vouches for the data: a receiver may skip checking */
    uint16_t csum_start;  /* where summing starts, bytes from the frame's start */
    uint16_t csum_offset; /* where the sum goes, bytes from csum_start */
    uint8_t gso;          /* enum frame_gso */
    bool ecn;             /* the first segment only carries CWR */
    uint16_t gso_size;    /* payload bytes per segment; > 0 when gso */
    uint16_t hdr_len;     /* headers to repeat on each segment; a hint, checked before use */
};

/** Which instruction sent it; capture can write this as the packet's comment. */
struct frame_origin {
    const char *guest; /* name, lives as long as the run; NULL: not sent by a guest */
    uint32_t hart;
    uint64_t pc;
    uint64_t icount;   /* instructions the hart had retired */
};

/**
 * `refs` is the number of pointers held. A frame is written only by the one that made it,
 * before it is sent; from then on it is immutable. Functions borrow unless named `take`.
 */
struct frame {
    _Atomic uint32_t refs;
    uint32_t len;   /* bytes in data, no FCS */
    uint32_t cap;   /* bytes allocated in data */
    struct frame_offload offload;
    struct frame_origin origin;
    uint8_t data[];
};

/**
 * A new frame with room for at least `cap` bytes, len 0, one reference: the caller's. Any thread
 * may make and free frames: they come from pools without a lock for each.
 */
struct frame *frame_new(uint32_t cap);

/** A new frame with room for at least `cap` bytes, holding a copy of f's (NULL: of none). */
struct frame *frame_with_room(const struct frame *f, uint32_t cap);

/** A new frame holding a copy of these bytes. */
struct frame *frame_from(const void *bytes, uint32_t len);

static inline struct frame *frame_ref(struct frame *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

/** Frees a frame to which nobody holds a reference: frame_unref's. */
void frame_free(struct frame *f);

/** Give up one reference; the last one frees. NULL is accepted. */
static inline void frame_unref(struct frame *f)
{
    /* Whoever holds the only reference need not tell others of it: nobody can add one. */
    if (f && (atomic_load_explicit(&f->refs, memory_order_acquire) == 1 ||
              atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1))
        frame_free(f);
}

/**
 * Frames alive in the process; tests assert that it returns to zero. Exact while no other thread
 * makes or frees any.
 */
size_t frame_alive(void);

/** Append zeroes up to the minimum length of the wire (IEEE 802.3, 4.2.3.3); only by the maker. */
void frame_pad(struct frame *f);

static inline bool eth_is_multicast(const uint8_t mac[ETH_ALEN])
{
    return mac[0] & 1;
}

static inline bool eth_is_broadcast(const uint8_t mac[ETH_ALEN])
{
    return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff;
}

#endif
