/* Entropy from a virtio entropy device (Virtio 1.2, 5.4). */
#ifndef PROGRAMS_NET_VIRTIO_RNG_H
#define PROGRAMS_NET_VIRTIO_RNG_H

#include <stddef.h>

/* Fill `to` with up to `len` (at most 64) random bytes from the first such device, and
   put the device back to rest. Returns how many there were, 0 without a device. */
size_t virtio_rng_read(void *to, size_t len);

#endif
