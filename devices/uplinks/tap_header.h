/* The virtio-net header before a TAP interface's frames, and what it asks for. */
#ifndef UPLINKS_TAP_HEADER_H
#define UPLINKS_TAP_HEADER_H

#include <linux/virtio_net.h>

#include "sim/frame.h"

/**
 * In the host's byte order (virtio 1.2, 5.1.6):
 *
 *     flags u8 | gso_type u8 | hdr_len u16 | gso_size u16 | csum_start u16 | csum_offset u16
 */
#define TAP_HEADER 10 /* bytes */

struct virtio_net_hdr tap_header_of(const struct frame_offload *o);

/** What the kernel asks of a frame of `len` bytes. False: nothing that we know, or that fits. */
bool tap_offload_of(const struct virtio_net_hdr *h, uint32_t len, struct frame_offload *o);

#endif
