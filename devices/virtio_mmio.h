/* The virtio-mmio transport, modern and legacy (virtio 1.2, 4.2). */
#ifndef DEVICES_VIRTIO_MMIO_H
#define DEVICES_VIRTIO_MMIO_H

#include "devices/virtio.h"

#define VIRTIO_MMIO_SIZE 0x1000
#define VIRTIO_MMIO_VENDOR 0x554d4551

struct virtio_mmio {
    struct virtio *virtio;
    uint32_t device_features_sel, driver_features_sel, queue_sel;
    uint32_t guest_page_size;                /* legacy */
    uint32_t queue_align[VIRTIO_MAX_QUEUES]; /* legacy */
};

/* Rows for the state table of a struct `st` whose member `mmio` is the struct virtio_mmio. */
#define VIRTIO_MMIO_FIELDS(st)                                                                     \
    FIELD(st, mmio.device_features_sel, FIELD_U32, 0),                                             \
        FIELD(st, mmio.driver_features_sel, FIELD_U32, 0), FIELD(st, mmio.queue_sel, FIELD_U32, 0),\
        FIELD(st, mmio.guest_page_size, FIELD_U32, 0), FIELD(st, mmio.queue_align, FIELD_U32, 0)

/** Put a virtio device on its dev's region (VIRTIO_MMIO_SIZE bytes, base to be set). */
void virtio_mmio_init(struct virtio_mmio *m, struct virtio *v, bool legacy);

/** A slot without a device: magic, version, device id 0. */
void virtio_mmio_empty_init(struct device *dev, struct device_env *env, const char *name,
                            bool legacy);

#endif
