/*
 * virtio over MMIO (Virtio 1.2, 4.2), both the modern interface (version 2) and the
 * legacy one (version 1), and over PCI (4.1), modern; and split virtqueues (2.7).
 */
#ifndef PROGRAMS_NET_VIRTIO_H
#define PROGRAMS_NET_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/pci.h"

enum { VIRTIO_ID_NET = 1, VIRTIO_ID_RNG = 4 };
enum { VIRTIO_IRQ_RING = 1, VIRTIO_IRQ_CONFIG = 2 };
enum { VIRTIO_STATUS_NEEDS_RESET = 64 };

struct virtio_transport;

struct virtio {
    const struct virtio_transport *transport;
    uint32_t version;      /* 1: legacy, 2: modern */
    uintptr_t base;        /* registers; over PCI the common configuration */
    uintptr_t config;      /* the device's own configuration */
    uintptr_t isr, notify; /* over PCI */
    uint32_t multiplier;
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

/* The legacy layout puts the used ring on a multiple of a number the driver chooses
   (4.2.4, QueueAlign); the modern one asks for 4 (2.7). The same serves for both. */
#define VQ_USED_ALIGN 64u

struct vq {
    unsigned index, size; /* descriptors: a power of two */
    struct vq_desc *desc;
    volatile uint16_t *avail; /* flags, idx, ring[size] */
    volatile uint16_t *used;  /* flags, idx, then struct vq_used ring[size] */
    uint16_t avail_idx, used_idx;
    uintptr_t notify; /* over PCI: where to say that something was offered */
};

/* Bytes of memory that a queue of this size needs, a multiple of 16. */
size_t vq_bytes(unsigned size);

/* The device at a node that is compatible with "virtio,mmio", and what it is: an empty slot
   has id 0. Returns false when there is none that can be used. */
bool virtio_mmio_open(struct virtio *v, int node);
uint32_t virtio_mmio_id(const struct virtio *v);

/* The next device of a kind behind tree node `*node` (start with -1), in the order of
   the tree. Returns false when there is no more. */
bool virtio_mmio_find(int *node, uint32_t device_id, struct virtio *v);

/* The device on a PCI card. Returns false when it lacks the modern interface. */
bool virtio_pci_open(struct virtio *v, const struct pci_card *card);

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

/* Device configuration. */
uint8_t virtio_config8(const struct virtio *v, unsigned offset);
uint16_t virtio_config16(const struct virtio *v, unsigned offset);
/* Changes when the configuration does; always 0 on the legacy interface. */
uint32_t virtio_config_generation(const struct virtio *v);

/* Offer the chain that starts at descriptor `head`; vq_kick() tells the device. */
void vq_offer(struct vq *q, uint16_t head);
void vq_kick(const struct virtio *v, struct vq *q);

/* Take one used chain. Returns false when there is none. */
bool vq_take(struct vq *q, struct vq_used *u);

/* What a transport does (2.1 to 2.6): status, features, queues, notifications. */
struct virtio_transport {
    uint32_t (*status)(const struct virtio *v);
    void (*status_set)(const struct virtio *v, uint32_t status);
    uint64_t (*offered)(const struct virtio *v);
    void (*accept)(const struct virtio *v, uint64_t features);
    unsigned (*queue_max)(const struct virtio *v, unsigned index);
    /* The queue is `q`, its parts in one piece from q->desc on. False: it is in use. */
    bool (*queue_set)(const struct virtio *v, struct vq *q);
    void (*kick)(const struct virtio *v, const struct vq *q);
    uint32_t (*irq_take)(const struct virtio *v);
    uint32_t (*generation)(const struct virtio *v);
};

/* Ask for interrupts, or say that none are needed: a hint (2.7.7). */
void vq_want_interrupts(struct vq *q, bool want);

#endif
