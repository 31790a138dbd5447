/* Packets between libslirp and the wire: TCP in large pieces, the rest in frames that fit. */
#ifndef DEVICES_USER_PACKET_H
#define DEVICES_USER_PACKET_H

#include "sim/frame.h"

/** What libslirp may be told of its interface's MTU at most. */
#define USER_MTU 65521

/**
 * Turn a guest's frame into packets for libslirp, given one by one to `input`, which borrows
 * them. A segmentation request of TCP stays one packet. False: the frame was malformed.
 */
bool user_packet_in(struct frame *f, void (*input)(void *opaque, struct frame *packet),
                    void *opaque);

/**
 * Turn a packet of libslirp's, which may be as long as USER_MTU allows, into frames for the
 * wire, given one by one to `send`, which takes them.
 */
void user_packet_out(const uint8_t *packet, uint32_t len,
                     void (*send)(void *opaque, struct frame *f), void *opaque);

#endif
