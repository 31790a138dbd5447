/* virtio-blk: a disk on a file, which a run leaves as it was (virtio 1.2, 5.2). */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "devices/blk_image.h"
#include "devices/virtio_mmio.h"

#define VIRTIO_BLK_LATENCY (20 * NS_PER_US) /* from a kick to its completion: about NVMe's */

/* Bytes of requests after which a round ends: buffers may overlap, and name gigabytes of RAM. */
#define VIRTIO_BLK_ROUND (64ULL << 20)

struct virtio_blk_config {
    const char *path;  /* the image; its length in bytes is rounded down to 512 */
    bool writable;     /* write through to the file; otherwise writes live in memory */
    bool read_only;    /* the guest is told that it cannot write */
    bool legacy;
    const char *file;  /* where the topology says so, for errors; NULL: nowhere */
    int line;
};

/**
 * Requests complete in the order in which they were made available, those of one kick together,
 * VIRTIO_BLK_LATENCY later; those made meanwhile wait for the next round, as do those that
 * follow VIRTIO_BLK_ROUND bytes. What the guest wrote
 * survives a reset of the machine.
 */
struct virtio_blk {
    struct virtio virtio; /* first: see virtio.h */
    struct virtio_queue queues[1];
    struct virtio_mmio mmio;
    struct device dev;
    struct blk_image image;
    bool read_only;
    struct event event;
    uint16_t due;         /* up to where, in the available ring, the event completes */
    uint64_t reads, writes, errors; /* requests done; errors: answered with one */
};

/**
 * Open the image and make the disk; its device is b->dev. False with a sentence in err if the
 * file cannot be opened or is no image; nothing needs to be finished then.
 */
bool virtio_blk_init(struct virtio_blk *b, struct device_env *env, const char *name,
                     const struct virtio_blk_config *c, struct err *err);

#endif
