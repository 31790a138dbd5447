/* The driver's side of a virtio-mmio device: enough of one to do things right, or wrong. */
#ifndef TESTS_DEVICES_DRIVER_H
#define TESTS_DEVICES_DRIVER_H

#include "rig.h"

#include "devices/virtio_mmio.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

/* Registers (virtio 1.2, 4.2.2 and 4.2.4). */
enum {
    MM_MAGIC = 0x000, MM_VERSION = 0x004, MM_DEVICE_ID = 0x008, MM_VENDOR = 0x00c,
    MM_FEATURES = 0x010, MM_FEATURES_SEL = 0x014, MM_ACCEPT = 0x020, MM_ACCEPT_SEL = 0x024,
    MM_PAGE_SIZE = 0x028, MM_QUEUE_SEL = 0x030, MM_NUM_MAX = 0x034, MM_NUM = 0x038,
    MM_ALIGN = 0x03c, MM_PFN = 0x040, MM_READY = 0x044, MM_NOTIFY = 0x050, MM_ISR = 0x060,
    MM_ACK = 0x064, MM_STATUS = 0x070, MM_DESC = 0x080, MM_DRIVER = 0x090, MM_DEVICE = 0x0a0,
    MM_GENERATION = 0x0fc, MM_CONFIG = 0x100,
};

struct ring {
    uint32_t size;
    uint64_t desc, avail, used;
    uint16_t free;  /* the next descriptor to use, round and round */
    uint16_t idx;   /* of the available ring */
    uint16_t seen;  /* of the used ring */
};

struct driver {
    struct rig *rig;
    struct device *dev;
    bool legacy;
    struct ring rings[VIRTIO_MAX_QUEUES];
};

struct buf {
    uint64_t addr;
    uint32_t len;
    uint16_t flags; /* DESC_WRITE, ... */
};

static inline uint32_t mm_read(struct driver *d, unsigned reg)
{
    return (uint32_t)rig_read(d->dev, reg, 4);
}

static inline void mm_write(struct driver *d, unsigned reg, uint32_t v)
{
    rig_write(d->dev, reg, v, 4);
}

/** What the device offers, all 64 bits. */
uint64_t driver_offered(struct driver *d);

/**
 * Reset the device and bring it to DRIVER_OK with these features (of those offered) and
 * queues 0..n-1 of `size` descriptors.
 */
void driver_start(struct driver *d, struct rig *r, struct device *dev, uint64_t features,
                  unsigned n, uint32_t size);

/** The same, up to but not including DRIVER_OK. */
void driver_prepare(struct driver *d, struct rig *r, struct device *dev, uint64_t features,
                    unsigned n, uint32_t size);

/** Write one descriptor, whatever it says. */
void driver_desc(struct driver *d, unsigned q, unsigned i, struct buf b, uint16_t next);

/** Make a descriptor index available, whatever it is. */
void driver_offer(struct driver *d, unsigned q, uint16_t head);

/** Chain buffers and make them available; returns the head. */
uint16_t driver_add(struct driver *d, unsigned q, const struct buf *bufs, unsigned n);
void driver_kick(struct driver *d, unsigned q);

/** Take the next used entry; false: there is none. */
bool driver_used(struct driver *d, unsigned q, uint32_t *id, uint32_t *len);

/** used->flags; and the last words of the rings, for VIRTIO_F_EVENT_IDX. */
uint16_t driver_used_flags(struct driver *d, unsigned q);
uint16_t driver_avail_event(struct driver *d, unsigned q);
void driver_set_used_event(struct driver *d, unsigned q, uint16_t v);
void driver_set_avail_flags(struct driver *d, unsigned q, uint16_t v);

/** Assert that the device asks for a reset (modern) or has stopped the queue, and that it
 * works again after one. */
void driver_expect_failed(struct driver *d, unsigned q);

#endif
