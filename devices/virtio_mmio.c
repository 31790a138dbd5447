/*
 * Virtio over MMIO: the registers of virtio 1.2, 4.2.2 (modern, version 2) and 4.2.4 (legacy,
 * version 1), one table for both.
 */
#include "devices/virtio_mmio.h"

#define MAGIC 0x74726976 /* "virt" */
#define CONFIG 0x100

enum { MODERN = 1, LEGACY = 2, BOTH = 3 };

/* The queue that QueueSel names; NULL if there is none. */
static struct virtio_queue *selected(struct virtio_mmio *m)
{
    struct virtio_queue *q;

    if (m->queue_sel >= m->virtio->n_queues)
        return NULL;
    q = &m->virtio->queues[m->queue_sel];
    return q->max ? q : NULL;
}

static uint32_t magic_read(struct virtio_mmio *m)
{
    (void)m;
    return MAGIC;
}

static uint32_t version_read(struct virtio_mmio *m)
{
    return m->virtio->legacy ? 1 : 2;
}

static uint32_t device_id_read(struct virtio_mmio *m)
{
    return m->virtio->ops->id;
}

static uint32_t vendor_read(struct virtio_mmio *m)
{
    (void)m;
    return VIRTIO_MMIO_VENDOR;
}

static uint32_t features_read(struct virtio_mmio *m)
{
    uint64_t f = virtio_offer(m->virtio);

    return m->device_features_sel > 1 ? 0 : (uint32_t)(f >> 32 * m->device_features_sel);
}

static void features_sel_write(struct virtio_mmio *m, uint32_t v)
{
    m->device_features_sel = v;
}

static void accept_write(struct virtio_mmio *m, uint32_t v)
{
    uint64_t f = m->virtio->accepted;

    if (m->driver_features_sel == 0)
        virtio_accept(m->virtio, (f & ~0xffffffffULL) | v);
    else if (m->driver_features_sel == 1)
        virtio_accept(m->virtio, (f & 0xffffffff) | (uint64_t)v << 32);
}

static void accept_sel_write(struct virtio_mmio *m, uint32_t v)
{
    m->driver_features_sel = v;
}

static void page_size_write(struct virtio_mmio *m, uint32_t v)
{
    if (v == 0 || (v & (v - 1)))
        device_warn(m->virtio->dev, "page size %u is no power of two", (unsigned)v);
    else
        m->guest_page_size = v;
}

static void queue_sel_write(struct virtio_mmio *m, uint32_t v)
{
    m->queue_sel = v;
}

static uint32_t num_max_read(struct virtio_mmio *m)
{
    struct virtio_queue *q = selected(m);

    return q ? q->max : 0;
}

static void num_write(struct virtio_mmio *m, uint32_t v)
{
    virtio_queue_resize(m->virtio, m->queue_sel, v);
}

static void align_write(struct virtio_mmio *m, uint32_t v)
{
    if (v == 0 || (v & (v - 1)) || !selected(m))
        device_warn(m->virtio->dev, "queue alignment %u is no power of two", (unsigned)v);
    else
        m->queue_align[m->queue_sel] = v;
}

static uint32_t pfn_read(struct virtio_mmio *m)
{
    struct virtio_queue *q = selected(m);

    return q && q->ready && m->guest_page_size ? (uint32_t)(q->desc / m->guest_page_size) : 0;
}

/* The three parts lie one behind the other, the used ring on a boundary of its own (2.7.2). */
static void pfn_write(struct virtio_mmio *m, uint32_t v)
{
    struct virtio_queue *q = selected(m);
    uint64_t size, align;

    if (!q)
        return;
    q->ready = false;
    if (v == 0)
        return;
    if (!m->guest_page_size) {
        device_warn(m->virtio->dev, "a queue was placed before the page size was set");
        return;
    }
    size = q->size ? q->size : q->max;
    align = m->queue_align[m->queue_sel] ? m->queue_align[m->queue_sel] : 4096;
    q->desc = (uint64_t)v * m->guest_page_size;
    q->avail = q->desc + 16 * size;
    q->used = (q->avail + 6 + 2 * size + align - 1) & ~(align - 1);
    virtio_queue_enable(m->virtio, m->queue_sel);
}

static uint32_t ready_read(struct virtio_mmio *m)
{
    struct virtio_queue *q = selected(m);

    return q && q->ready;
}

static void ready_write(struct virtio_mmio *m, uint32_t v)
{
    if (v & 1)
        virtio_queue_enable(m->virtio, m->queue_sel);
    else if (selected(m))
        selected(m)->ready = false;
}

static void notify_write(struct virtio_mmio *m, uint32_t v)
{
    virtio_kick(m->virtio, v);
}

static uint32_t isr_read(struct virtio_mmio *m)
{
    return m->virtio->isr;
}

static void isr_ack(struct virtio_mmio *m, uint32_t v)
{
    m->virtio->isr &= (uint8_t)~v;
    m->virtio->changed(m->virtio);
}

static uint32_t status_read(struct virtio_mmio *m)
{
    return m->virtio->status;
}

static void status_write(struct virtio_mmio *m, uint32_t v)
{
    virtio_set_status(m->virtio, (uint8_t)v);
}

/* Replace one half of an address; a queue in use keeps its place. */
static void half_write(struct virtio_mmio *m, uint64_t *addr, unsigned half, uint32_t v)
{
    if (selected(m)->ready)
        device_warn(m->virtio->dev, "queue %u was moved while in use", (unsigned)m->queue_sel);
    else
        *addr = half ? (*addr & 0xffffffff) | (uint64_t)v << 32 : (*addr & ~0xffffffffULL) | v;
}

#define ADDRESS_REGISTER(part)                                                                     \
    static void part##_low_write(struct virtio_mmio *m, uint32_t v)                                \
    {                                                                                              \
        if (selected(m))                                                                           \
            half_write(m, &selected(m)->part, 0, v);                                               \
    }                                                                                              \
    static void part##_high_write(struct virtio_mmio *m, uint32_t v)                               \
    {                                                                                              \
        if (selected(m))                                                                           \
            half_write(m, &selected(m)->part, 1, v);                                               \
    }
ADDRESS_REGISTER(desc)
ADDRESS_REGISTER(avail)
ADDRESS_REGISTER(used)

/* There are no shared memory regions: length and base of all ones (4.2.2, SHMLenLow). */
static uint32_t shm_read(struct virtio_mmio *m)
{
    (void)m;
    return 0xffffffff;
}

static uint32_t generation_read(struct virtio_mmio *m)
{
    return m->virtio->generation;
}

static void write_ignored(struct virtio_mmio *m, uint32_t v)
{
    (void)m;
    (void)v;
}

struct reg {
    const char *name;
    unsigned who;
    uint32_t (*read)(struct virtio_mmio *m);
    void (*write)(struct virtio_mmio *m, uint32_t v);
};

static const struct reg registers[CONFIG / 4] = {
    [0x000 / 4] = {"MagicValue", BOTH, magic_read, NULL},
    [0x004 / 4] = {"Version", BOTH, version_read, NULL},
    [0x008 / 4] = {"DeviceID", BOTH, device_id_read, NULL},
    [0x00c / 4] = {"VendorID", BOTH, vendor_read, NULL},
    [0x010 / 4] = {"DeviceFeatures", BOTH, features_read, NULL},
    [0x014 / 4] = {"DeviceFeaturesSel", BOTH, NULL, features_sel_write},
    [0x020 / 4] = {"DriverFeatures", BOTH, NULL, accept_write},
    [0x024 / 4] = {"DriverFeaturesSel", BOTH, NULL, accept_sel_write},
    [0x028 / 4] = {"GuestPageSize", LEGACY, NULL, page_size_write},
    [0x030 / 4] = {"QueueSel", BOTH, NULL, queue_sel_write},
    [0x034 / 4] = {"QueueNumMax", BOTH, num_max_read, NULL},
    [0x038 / 4] = {"QueueNum", BOTH, NULL, num_write},
    [0x03c / 4] = {"QueueAlign", LEGACY, NULL, align_write},
    [0x040 / 4] = {"QueuePFN", LEGACY, pfn_read, pfn_write},
    [0x044 / 4] = {"QueueReady", MODERN, ready_read, ready_write},
    [0x050 / 4] = {"QueueNotify", BOTH, NULL, notify_write},
    [0x060 / 4] = {"InterruptStatus", BOTH, isr_read, NULL},
    [0x064 / 4] = {"InterruptACK", BOTH, NULL, isr_ack},
    [0x070 / 4] = {"Status", BOTH, status_read, status_write},
    [0x080 / 4] = {"QueueDescLow", MODERN, NULL, desc_low_write},
    [0x084 / 4] = {"QueueDescHigh", MODERN, NULL, desc_high_write},
    [0x090 / 4] = {"QueueDriverLow", MODERN, NULL, avail_low_write},
    [0x094 / 4] = {"QueueDriverHigh", MODERN, NULL, avail_high_write},
    [0x0a0 / 4] = {"QueueDeviceLow", MODERN, NULL, used_low_write},
    [0x0a4 / 4] = {"QueueDeviceHigh", MODERN, NULL, used_high_write},
    [0x0ac / 4] = {"SHMSel", MODERN, NULL, write_ignored},
    [0x0b0 / 4] = {"SHMLenLow", MODERN, shm_read, NULL},
    [0x0b4 / 4] = {"SHMLenHigh", MODERN, shm_read, NULL},
    [0x0b8 / 4] = {"SHMBaseLow", MODERN, shm_read, NULL},
    [0x0bc / 4] = {"SHMBaseHigh", MODERN, shm_read, NULL},
    [0x0fc / 4] = {"ConfigGeneration", MODERN, generation_read, NULL},
};

/* The register at an offset for this kind of driver; NULL, and a word, if there is none. */
static const struct reg *find(struct virtio_mmio *m, uint64_t offset, unsigned size)
{
    const struct reg *r = &registers[offset / 4];

    if (size == 4 && (r->who & (m->virtio->legacy ? LEGACY : MODERN)))
        return r;
    device_warn(m->virtio->dev, "no register of %u bytes at 0x%x", size, (unsigned)offset);
    return NULL;
}

static struct virtio_mmio *mmio_of(struct device *dev)
{
    return ((struct virtio *)dev->object)->transport;
}

static uint64_t mmio_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct virtio_mmio *m = mmio_of(dev);
    const struct reg *r;

    if (offset >= CONFIG)
        return virtio_config_read(m->virtio, (uint32_t)(offset - CONFIG), size);
    r = find(m, offset, size);
    return r && r->read ? r->read(m) : 0;
}

static void mmio_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_mmio *m = mmio_of(dev);
    const struct reg *r;

    if (offset >= CONFIG) {
        virtio_config_write(m->virtio, (uint32_t)(offset - CONFIG), value, size);
        return;
    }
    r = find(m, offset, size);
    if (r && r->write)
        r->write(m, (uint32_t)value);
}

static void mmio_changed(struct virtio *v)
{
    irq_set(&v->dev->irq, v->isr != 0);
}

void virtio_mmio_init(struct virtio_mmio *m, struct virtio *v, bool legacy)
{
    m->virtio = v;
    v->transport = m;
    v->changed = mmio_changed;
    v->legacy = legacy;
    v->dev->region = (struct region){
        .name = "virtio-mmio",
        .size = VIRTIO_MMIO_SIZE,
        .min_size = 1,
        .max_size = 4,
        .read = mmio_read,
        .write = mmio_write,
    };
}

/* --- an empty slot: all a driver can learn is that there is nothing (4.2.3.1.1) --- */

static uint64_t empty_v1_read(struct device *dev, uint64_t offset, unsigned size)
{
    (void)dev;
    if (size != 4)
        return 0;
    return offset == 0 ? MAGIC : offset == 4 ? 1 : offset == 12 ? VIRTIO_MMIO_VENDOR : 0;
}

static uint64_t empty_v2_read(struct device *dev, uint64_t offset, unsigned size)
{
    return size == 4 && offset == 4 ? 2 : empty_v1_read(dev, offset, size);
}

static const struct device_ops empty_ops = {
    .name = "virtio-mmio",
    .help = "empty virtio-mmio slot",
};

void virtio_mmio_empty_init(struct device *dev, struct device_env *env, const char *name,
                            bool legacy)
{
    device_init(dev, &empty_ops, dev, name, env);
    dev->region = (struct region){
        .name = "virtio-mmio",
        .size = VIRTIO_MMIO_SIZE,
        .min_size = 1,
        .max_size = 4,
        .read = legacy ? empty_v1_read : empty_v2_read,
    };
}
