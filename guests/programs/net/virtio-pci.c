/* virtio over PCI, the modern interface (Virtio 1.2, 4.1), interrupting by a line. */
#include "base/io.h"
#include "net/virtio.h"

/* The kinds of structures that capabilities lead to (4.1.4). */
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4 };
enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_MULTIPLIER = 16 };

/* 4.1.4.3. */
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    STATUS = 0x14,
    GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
};

static uint32_t status(const struct virtio *v)
{
    return io_read8(v->base + STATUS);
}

static void status_set(const struct virtio *v, uint32_t value)
{
    io_write8(v->base + STATUS, (uint8_t)value);
}

static uint64_t offered(const struct virtio *v)
{
    uint64_t low;

    io_write32(v->base + DEVICE_FEATURE_SELECT, 0);
    low = io_read32(v->base + DEVICE_FEATURE);
    io_write32(v->base + DEVICE_FEATURE_SELECT, 1);
    return (uint64_t)io_read32(v->base + DEVICE_FEATURE) << 32 | low;
}

static void accept(const struct virtio *v, uint64_t features)
{
    io_write32(v->base + DRIVER_FEATURE_SELECT, 0);
    io_write32(v->base + DRIVER_FEATURE, (uint32_t)features);
    io_write32(v->base + DRIVER_FEATURE_SELECT, 1);
    io_write32(v->base + DRIVER_FEATURE, (uint32_t)(features >> 32));
}

static unsigned queue_max(const struct virtio *v, unsigned index)
{
    io_write16(v->base + QUEUE_SELECT, (uint16_t)index);
    return io_read16(v->base + QUEUE_SIZE);
}

static void write_address(uintptr_t reg, const volatile void *at)
{
    io_write32(reg, (uint32_t)(uintptr_t)at);
    io_write32(reg + 4, (uint32_t)((uintptr_t)at >> 32));
}

static bool queue_set(const struct virtio *v, struct vq *q)
{
    io_write16(v->base + QUEUE_SELECT, (uint16_t)q->index);
    if (io_read16(v->base + QUEUE_ENABLE) != 0)
        return false;
    io_write16(v->base + QUEUE_SIZE, (uint16_t)q->size);
    write_address(v->base + QUEUE_DESC, q->desc);
    write_address(v->base + QUEUE_DRIVER, q->avail);
    write_address(v->base + QUEUE_DEVICE, q->used);
    q->notify = v->notify + io_read16(v->base + QUEUE_NOTIFY_OFF) * (uintptr_t)v->multiplier;
    io_fence();
    io_write16(v->base + QUEUE_ENABLE, 1);
    return true;
}

static void kick(const struct virtio *v, const struct vq *q)
{
    (void)v;
    io_write16(q->notify, (uint16_t)q->index);
}

/* Reading acknowledges. */
static uint32_t irq_take(const struct virtio *v)
{
    return io_read8(v->isr);
}

static uint32_t generation(const struct virtio *v)
{
    return io_read8(v->base + GENERATION);
}

static const struct virtio_transport pci = {status,    status_set, offered,  accept,    queue_max,
                                            queue_set, kick,       irq_take, generation};

static uintptr_t *structure_of(struct virtio *v, unsigned type)
{
    switch (type) {
    case CAP_COMMON: return &v->base;
    case CAP_NOTIFY: return &v->notify;
    case CAP_ISR: return &v->isr;
    case CAP_DEVICE: return &v->config;
    default: return NULL;
    }
}

/* Of several of a kind the first that can be reached is the one to use (4.1.4.1). */
static void structure_note(struct virtio *v, const struct pci_card *card, unsigned cap)
{
    unsigned bar = io_read8(card->config + cap + CAP_BAR);
    uintptr_t *at = structure_of(v, io_read8(card->config + cap + CAP_TYPE));

    if (!at || *at || bar >= PCI_BARS || !card->bars[bar])
        return;
    *at = card->bars[bar] + io_read32(card->config + cap + CAP_OFFSET);
    if (at == &v->notify)
        v->multiplier = io_read32(card->config + cap + CAP_MULTIPLIER);
}

bool virtio_pci_open(struct virtio *v, const struct pci_card *card)
{
    *v = (struct virtio){.transport = &pci, .version = 2};
    for (unsigned cap = 0; (cap = pci_capability(card, PCI_CAP_VENDOR, cap)) != 0;)
        structure_note(v, card, cap);
    return v->base && v->config && v->isr && v->notify;
}
