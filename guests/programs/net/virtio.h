/*
 * virtio over MMIO (Virtio 1.2, 4.2), both the modern interface (version 2) and the
 * legacy one (version 1), and split virtqueues (2.7).
 */
#ifndef PROGRAMS_NET_VIRTIO_H
#define PROGRAMS_NET_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIRTIO_ID_NET = 1, VIRTIO_ID_RNG = 4 };
enum { VIRTIO_IRQ_RING = 1, VIRTIO_IRQ_CONFIG = 2 };
enum { VIRTIO_STATUS_NEEDS_RESET = 64 };

struct virtio {
    uintptr_t base;
    uint32_t version; /* 1: legacy, 2: modern */
    uint32_t irq;     /* at the PLIC */
};

enum { VQ_DESC_NEXT = 1, VQ_DESC_WRITE = 2, VQ_NO_INTERRUPT = 1 };

struct vq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct vq_used {
    uint32_t id, len;
};

/* The most descriptors a queue here has, and the bytes its three parts take. */
enum { VQ_MAX = 128 };

struct vq {
    unsigned index, size; /* descriptors: a power of two */
    struct vq_desc *desc;
    volatile uint16_t *avail; /* flags, idx, ring[size] */
    volatile uint16_t *used;  /* flags, idx, then struct vq_used ring[size] */
    uint16_t avail_idx, used_idx;
};

/* Bytes of memory that a queue of this size needs, a multiple of 16. */
size_t vq_bytes(unsigned size);

/* The next device of a kind behind tree node `*node` (start with -1), in the order of
   the tree; an empty slot has device id 0. Returns false when there is no more. */
bool virtio_find(int *node, uint32_t device_id, struct virtio *v);

/* Reset the device and settle on features: those of `wanted` that it offers, stored in
   `*got`. Returns false when it refuses. */
bool virtio_start(const struct virtio *v, uint64_t wanted, uint64_t *got);

/* The largest size for queue `index` that is at most `most`: 0 when there is none. */
unsigned virtio_queue_size(const struct virtio *v, unsigned index, unsigned most);

/* Set up a queue in `memory`: vq_bytes(size) zeroed bytes on a page boundary. */
bool virtio_queue_start(const struct virtio *v, struct vq *q, unsigned index, unsigned size,
                        void *memory);

void virtio_ready(const struct virtio *v);
void virtio_reset(const struct virtio *v);
uint32_t virtio_status(const struct virtio *v);

/* Which interrupts are pending; they are acknowledged. */
uint32_t virtio_irq_take(const struct virtio *v);

uint8_t virtio_config8(const struct virtio *v, unsigned offset);
uint16_t virtio_config16(const struct virtio *v, unsigned offset);
/* Changes when the configuration does; always 0 on the legacy interface. */
uint32_t virtio_config_generation(const struct virtio *v);

/* Offer the chain that starts at descriptor `head`; vq_kick() tells the device. */
void vq_offer(struct vq *q, uint16_t head);
void vq_kick(const struct virtio *v, struct vq *q);

/* Take one used chain. Returns false when there is none. */
bool vq_take(struct vq *q, struct vq_used *u);

/* Ask for interrupts, or say that none are needed: a hint (2.7.7). */
void vq_want_interrupts(struct vq *q, bool want);

#endif
