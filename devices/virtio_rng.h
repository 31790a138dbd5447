/* virtio-rng: entropy from the guest's own seeded generator (virtio 1.2, 5.4). */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

#include "devices/virtio_mmio.h"
#include "sim/rng.h"

struct virtio_rng {
    struct virtio virtio; /* first: see virtio.h */
    struct virtio_queue queues[1];
    struct virtio_mmio mmio;
    struct device dev;
    struct rng rng; /* from env->run_seed and the name; a reset does not rewind it */
};

/** Its device is r->dev. */
void virtio_rng_init(struct virtio_rng *r, struct device_env *env, const char *name, bool legacy);

#endif
