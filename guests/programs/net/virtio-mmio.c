/* virtio over MMIO, modern and legacy; the sections are those of Virtio 1.2. */
#include "base/dtb.h"
#include "base/io.h"
#include "net/virtio.h"

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

#define MAGIC 0x74726976u
#define PAGE 4096u

static uint32_t reg_read(const struct virtio *v, unsigned reg)
{
    return io_read32(v->base + reg);
}

static void reg_write(const struct virtio *v, unsigned reg, uint32_t value)
{
    io_write32(v->base + reg, value);
}

static uint32_t status(const struct virtio *v)
{
    return reg_read(v, STATUS);
}

static void status_set(const struct virtio *v, uint32_t value)
{
    reg_write(v, STATUS, value);
}

static uint64_t offered(const struct virtio *v)
{
    uint64_t low;

    reg_write(v, DEVICE_FEATURES_SEL, 0);
    low = reg_read(v, DEVICE_FEATURES);
    if (v->version == 1)
        return low;
    reg_write(v, DEVICE_FEATURES_SEL, 1);
    return (uint64_t)reg_read(v, DEVICE_FEATURES) << 32 | low;
}

static void accept(const struct virtio *v, uint64_t features)
{
    reg_write(v, DRIVER_FEATURES_SEL, 0);
    reg_write(v, DRIVER_FEATURES, (uint32_t)features);
    if (v->version == 1) {
        reg_write(v, GUEST_PAGE_SIZE, PAGE);
        return;
    }
    reg_write(v, DRIVER_FEATURES_SEL, 1);
    reg_write(v, DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static unsigned queue_max(const struct virtio *v, unsigned index)
{
    reg_write(v, QUEUE_SEL, index);
    return reg_read(v, QUEUE_NUM_MAX);
}

static void reg_write_address(const struct virtio *v, unsigned reg, const volatile void *at)
{
    reg_write(v, reg, (uint32_t)(uintptr_t)at);
    reg_write(v, reg + 4, (uint32_t)((uintptr_t)at >> 32));
}

static bool queue_set(const struct virtio *v, struct vq *q)
{
    reg_write(v, QUEUE_SEL, q->index);
    /* 4.2.3.2: a queue must not be in use already. */
    if (reg_read(v, v->version == 1 ? QUEUE_PFN : QUEUE_READY) != 0)
        return false;
    reg_write(v, QUEUE_NUM, q->size);
    io_fence();
    if (v->version == 1) {
        reg_write(v, QUEUE_ALIGN, VQ_USED_ALIGN);
        reg_write(v, QUEUE_PFN, (uint32_t)((uintptr_t)q->desc / PAGE));
        return true;
    }
    reg_write_address(v, QUEUE_DESC, q->desc);
    reg_write_address(v, QUEUE_DRIVER, q->avail);
    reg_write_address(v, QUEUE_DEVICE, q->used);
    io_fence();
    reg_write(v, QUEUE_READY, 1);
    return true;
}

static void kick(const struct virtio *v, const struct vq *q)
{
    reg_write(v, QUEUE_NOTIFY, q->index);
}

static uint32_t irq_take(const struct virtio *v)
{
    uint32_t pending = reg_read(v, INTERRUPT_STATUS);

    reg_write(v, INTERRUPT_ACK, pending);
    return pending;
}

static uint32_t generation(const struct virtio *v)
{
    return v->version == 1 ? 0 : reg_read(v, CONFIG_GENERATION);
}

static const struct virtio_transport mmio = {status,    status_set, offered,  accept,    queue_max,
                                             queue_set, kick,       irq_take, generation};

bool virtio_mmio_open(struct virtio *v, int node)
{
    uint64_t base, size;

    if (!dtb_reg(node, 0, &base, &size))
        return false;
    *v = (struct virtio){.transport = &mmio, .base = base, .config = base + CONFIG};
    if (reg_read(v, MAGIC_VALUE) != MAGIC)
        return false;
    v->version = reg_read(v, VERSION);
    return v->version == 1 || v->version == 2;
}

uint32_t virtio_mmio_id(const struct virtio *v)
{
    return reg_read(v, DEVICE_ID);
}

bool virtio_mmio_find(int *node, uint32_t device_id, struct virtio *v)
{
    while ((*node = dtb_compatible(*node, "virtio,mmio")) >= 0)
        if (virtio_mmio_open(v, *node) && virtio_mmio_id(v) == device_id)
            return true;
    return false;
}
