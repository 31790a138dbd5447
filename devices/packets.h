/* Packets that a card has from one frame, and waits to put into its driver's buffers. */
#ifndef DEVICES_PACKETS_H
#define DEVICES_PACKETS_H

#include "sim/port.h"

struct packets {
    struct port *port;     /* whose drops are counted */
    struct frame **frames; /* from `next` to n, one reference each */
    uint32_t n, next, cap;
};

/** `q` is zeroed. */
static inline void packets_init(struct packets *q, struct port *p)
{
    q->port = p;
}

static inline bool packets_any(const struct packets *q)
{
    return q->next < q->n;
}

/** Append one (borrowed) to the struct packets; what offload_finish calls for each. */
void packets_add(void *packets, struct frame *packet);

/**
 * Offer a frame to a card that takes only finished packets: `place` is called for each packet, and
 * answers as port_ops.rx. What it holds waits in the queue, and the frame counts as taken.
 * Frames whose offload request makes no sense are dropped; short ones are padded as on a cable.
 */
enum port_verdict packets_offer(struct packets *q, struct frame *f,
                                enum port_verdict (*place)(void *opaque, struct frame *packet),
                                void *opaque);

/** Offer what waits again; PORT_HOLD if some still does. What `place` drops is counted. */
enum port_verdict packets_deliver(struct packets *q,
                                  enum port_verdict (*place)(void *opaque, struct frame *packet),
                                  void *opaque);

/** The same for a card whose looped frames come back as short as they were sent. */
enum port_verdict
packets_deliver_runts(struct packets *q,
                      enum port_verdict (*place)(void *opaque, struct frame *packet), void *opaque);

/**
 * A frame (borrowed) that the card itself has sent comes back: it waits as what it
 * would be on a cable, to be delivered by an event. Where too much waits already it is dropped, and
 * counted.
 */
void packets_loop(struct packets *q, struct frame *f);

/** The checksums of an IPv4 packet. */
struct packet_sums {
    bool ip, ip_bad;   /* there is one, of the IP header; it is wrong */
    uint8_t transport; /* 6, 17: TCP's or UDP's header follows, of a whole datagram; else 0 */
    bool l4, l4_bad;   /* there is one, of that; it is wrong */
};

/** Check them, of what begins at `l3`; TCP's or UDP's only if `l4`, for that reads it all. */
void packet_sums_check(const struct frame *f, uint32_t l3, bool l4, struct packet_sums *s);

/** Insert a tag (IEEE 802.1Q) behind the addresses of a frame (taken); a request's offsets move. */
struct frame *frame_tagged(struct frame *f, uint16_t type, uint16_t tag);

/** A driver that sends with a CRC of its own: cut it off. False: there is none, or a wrong one. */
bool frame_cut_fcs(struct frame *f);

/** Give up what waits, which is counted. */
void packets_forget(struct packets *q);
void packets_finish(struct packets *q);

#endif
