/* virtio over MMIO and split virtqueues; the sections are those of Virtio 1.2. */
#include "net/virtio.h"

#include "base/dtb.h"
#include "base/io.h"

/* 4.2.2, table 4.1; the legacy registers of 4.2.4 are marked. */
enum {
    MAGIC_VALUE = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    GUEST_PAGE_SIZE = 0x028, /* legacy */
    QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034,
    QUEUE_NUM = 0x038,
    QUEUE_ALIGN = 0x03c, /* legacy */
    QUEUE_PFN = 0x040,   /* legacy */
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC = 0x080,
    QUEUE_DRIVER = 0x090,
    QUEUE_DEVICE = 0x0a0,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100,
};

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };

#define MAGIC 0x74726976u
#define F_VERSION_1 (UINT64_C(1) << 32)
#define PAGE 4096u
/* The legacy layout puts the used ring on a multiple of a number the driver chooses
   (4.2.4, QueueAlign); the modern one asks for 4 (2.7). The same serves for both. */
#define USED_ALIGN 64u

static uint32_t reg_read(const struct virtio *v, unsigned reg)
{
    return io_read32(v->base + reg);
}

static void reg_write(const struct virtio *v, unsigned reg, uint32_t value)
{
    io_write32(v->base + reg, value);
}

bool virtio_find(int *node, uint32_t device_id, struct virtio *v)
{
    uint64_t base, size;

    while ((*node = dtb_compatible(*node, "virtio,mmio")) >= 0) {
        if (!dtb_reg(*node, 0, &base, &size))
            continue;
        v->base = base;
        v->irq = dtb_interrupt(*node);
        if (reg_read(v, MAGIC_VALUE) != MAGIC)
            continue;
        v->version = reg_read(v, VERSION);
        if ((v->version == 1 || v->version == 2) && reg_read(v, DEVICE_ID) == device_id)
            return true;
    }
    return false;
}

static uint64_t features_offered(const struct virtio *v)
{
    uint64_t low;

    reg_write(v, DEVICE_FEATURES_SEL, 0);
    low = reg_read(v, DEVICE_FEATURES);
    if (v->version == 1)
        return low;
    reg_write(v, DEVICE_FEATURES_SEL, 1);
    return (uint64_t)reg_read(v, DEVICE_FEATURES) << 32 | low;
}

void virtio_reset(const struct virtio *v)
{
    reg_write(v, STATUS, 0);
    io_fence();
    /* The reset is over when the status reads 0 (2.4.2). */
    while (v->version == 2 && reg_read(v, STATUS) != 0)
        ;
}

bool virtio_start(const struct virtio *v, uint64_t wanted, uint64_t *got)
{
    uint64_t offered;

    virtio_reset(v);
    reg_write(v, STATUS, ACKNOWLEDGE);
    reg_write(v, STATUS, ACKNOWLEDGE | DRIVER);
    offered = features_offered(v);
    if (v->version == 2)
        wanted |= F_VERSION_1;
    *got = offered & wanted;

    reg_write(v, DRIVER_FEATURES_SEL, 0);
    reg_write(v, DRIVER_FEATURES, (uint32_t)*got);
    if (v->version == 1) {
        reg_write(v, GUEST_PAGE_SIZE, PAGE);
        return true;
    }
    reg_write(v, DRIVER_FEATURES_SEL, 1);
    reg_write(v, DRIVER_FEATURES, (uint32_t)(*got >> 32));
    reg_write(v, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if ((*got & F_VERSION_1) && (reg_read(v, STATUS) & FEATURES_OK))
        return true;
    reg_write(v, STATUS, FAILED);
    return false;
}

void virtio_ready(const struct virtio *v)
{
    io_fence();
    reg_write(v, STATUS, reg_read(v, STATUS) | DRIVER_OK);
}

uint32_t virtio_status(const struct virtio *v)
{
    return reg_read(v, STATUS);
}

unsigned virtio_queue_size(const struct virtio *v, unsigned index, unsigned most)
{
    unsigned max, size = most;

    reg_write(v, QUEUE_SEL, index);
    max = reg_read(v, QUEUE_NUM_MAX);
    while (size > max)
        size /= 2;
    return size;
}

static size_t used_offset(unsigned size)
{
    size_t avail_end = sizeof(struct vq_desc) * size + 2 * (3 + (size_t)size);

    return (avail_end + USED_ALIGN - 1) & ~(size_t)(USED_ALIGN - 1);
}

size_t vq_bytes(unsigned size)
{
    size_t end = used_offset(size) + 6 + sizeof(struct vq_used) * size;

    return (end + 15) & ~(size_t)15;
}

static void reg_write_address(const struct virtio *v, unsigned reg, const volatile void *at)
{
    reg_write(v, reg, (uint32_t)(uintptr_t)at);
    reg_write(v, reg + 4, (uint32_t)((uintptr_t)at >> 32));
}

bool virtio_queue_start(const struct virtio *v, struct vq *q, unsigned index, unsigned size,
                        void *memory)
{
    char *at = memory;

    *q = (struct vq){.index = index, .size = size};
    q->desc = (struct vq_desc *)at;
    q->avail = (uint16_t *)(at + sizeof(struct vq_desc) * size);
    q->used = (uint16_t *)(at + used_offset(size));

    reg_write(v, QUEUE_SEL, index);
    /* 4.2.3.2: a queue must not be in use already. */
    if (reg_read(v, v->version == 1 ? QUEUE_PFN : QUEUE_READY) != 0)
        return false;
    reg_write(v, QUEUE_NUM, size);
    io_fence();
    if (v->version == 1) {
        reg_write(v, QUEUE_ALIGN, USED_ALIGN);
        reg_write(v, QUEUE_PFN, (uint32_t)((uintptr_t)memory / PAGE));
        return true;
    }
    reg_write_address(v, QUEUE_DESC, q->desc);
    reg_write_address(v, QUEUE_DRIVER, q->avail);
    reg_write_address(v, QUEUE_DEVICE, q->used);
    io_fence();
    reg_write(v, QUEUE_READY, 1);
    return true;
}

uint32_t virtio_irq_take(const struct virtio *v)
{
    uint32_t pending = reg_read(v, INTERRUPT_STATUS);

    reg_write(v, INTERRUPT_ACK, pending);
    /* What is used after the acknowledgement asks again: look at the rings behind it. */
    io_fence();
    return pending;
}

uint8_t virtio_config8(const struct virtio *v, unsigned offset)
{
    return io_read8(v->base + CONFIG + offset);
}

uint16_t virtio_config16(const struct virtio *v, unsigned offset)
{
    return *(volatile uint16_t *)(v->base + CONFIG + offset);
}

uint32_t virtio_config_generation(const struct virtio *v)
{
    return v->version == 1 ? 0 : reg_read(v, CONFIG_GENERATION);
}

void vq_offer(struct vq *q, uint16_t head)
{
    q->avail[2 + q->avail_idx % q->size] = head;
    /* 2.7.13.2: the entry is there before the index says so. */
    memory_fence();
    q->avail[1] = ++q->avail_idx;
}

void vq_kick(const struct virtio *v, struct vq *q)
{
    /* 2.7.13.3: the index is there before the device's flags are read. */
    io_fence();
    if (!(q->used[0] & VQ_NO_INTERRUPT)) /* VIRTQ_USED_F_NO_NOTIFY has the same value */
        reg_write(v, QUEUE_NOTIFY, q->index);
}

bool vq_take(struct vq *q, struct vq_used *u)
{
    const volatile struct vq_used *ring = (const volatile struct vq_used *)(q->used + 2);

    if (q->used[1] == q->used_idx)
        return false;
    memory_fence(); /* the entry is read after the index */
    u->id = ring[q->used_idx % q->size].id;
    u->len = ring[q->used_idx % q->size].len;
    q->used_idx++;
    return true;
}

void vq_want_interrupts(struct vq *q, bool want)
{
    q->avail[0] = want ? 0 : VQ_NO_INTERRUPT;
    memory_fence();
}
