/*
 * Virtio over PCI. The modern interface is one memory BAR with four parts, found by capabilities:
 *
 *     0x0000 common configuration (4.1.4.3)      0x1000 ISR status (4.1.4.5)
 *     0x2000 device configuration (4.1.4.6)      0x3000 notifications (4.1.4.4), 4 bytes a queue
 *
 * and a transitional device has the legacy one besides (4.1.4.8), in I/O ports. Interrupts are
 * INTx, or messages (pci_msix.h) once software turns those on. Which interface is in use is decided
 * by who first writes the device status after a reset.
 */
#include "devices/virtio_pci.h"

#include "devices/pci_host.h"

#define VENDOR 0x1af4
#define CAP_VENDOR 0x09
#define MODERN_BAR 4
#define MSIX_BAR 1
#define PART 0x1000
#define LEGACY_BAR 0
#define LEGACY_VECTORS 0x14
#define NOTIFY_MULTIPLIER 4

enum { CFG_COMMON = 1, CFG_NOTIFY, CFG_ISR, CFG_DEVICE, CFG_ACCESS };

static struct virtio_pci *pci_of(struct device *dev)
{
    return ((struct virtio *)dev->object)->transport;
}

/* The queue selected; NULL: there is none. */
static struct virtio_queue *selected(struct virtio_pci *m)
{
    struct virtio_queue *q;

    if (m->queue_select >= m->virtio->n_queues)
        return NULL;
    q = &m->virtio->queues[m->queue_select];
    return q->max ? q : NULL;
}

/* Reading takes the causes back, and the line with them (4.1.4.5). */
static uint8_t isr_take(struct virtio *v)
{
    uint8_t isr = v->isr;

    v->isr = 0;
    v->changed(v);
    return isr;
}

/* --- messages --- */

static void vectors_forget(struct virtio_pci *m)
{
    m->config_vector = VIRTIO_NO_VECTOR;
    for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
        m->queue_vectors[i] = VIRTIO_NO_VECTOR;
}

/* A vector that is not in the table is none, which the driver sees when it reads back (4.1.5.1.2).
 */
static uint16_t vector_of(const struct virtio_pci *m, uint64_t v)
{
    return v < m->msix.vectors ? (uint16_t)v : VIRTIO_NO_VECTOR;
}

static void message_send(struct pci_msix *x, unsigned vector)
{
    if (!pci_msix_hold(x, vector))
        pci_msix_store(x, vector);
}

static bool pci_message(struct virtio *v, const struct virtio_queue *q)
{
    struct virtio_pci *m = v->transport;
    uint16_t vector = q ? m->queue_vectors[q - v->queues] : m->config_vector;

    if (!pci_msix_enabled(&m->msix))
        return false;
    if (vector != VIRTIO_NO_VECTOR)
        message_send(&m->msix, vector);
    return true;
}

static void status_write(struct virtio_pci *m, uint8_t status, bool legacy)
{
    struct virtio *v = m->virtio;

    if (!v->status)
        v->legacy = legacy;
    virtio_set_status(v, status);
    if (status)
        return;
    m->device_feature_select = m->driver_feature_select = m->queue_select = 0;
    vectors_forget(m);
}

/* --- common configuration --- */

static uint64_t features_read(struct virtio_pci *m)
{
    return m->device_feature_select > 1
               ? 0
               : (uint32_t)(virtio_offer(m->virtio) >> 32 * m->device_feature_select);
}

static uint64_t accepted_read(struct virtio_pci *m)
{
    return m->driver_feature_select > 1
               ? 0
               : (uint32_t)(m->virtio->accepted >> 32 * m->driver_feature_select);
}

static void accepted_write(struct virtio_pci *m, uint64_t v)
{
    uint64_t f = m->virtio->accepted;

    if (m->driver_feature_select == 0)
        virtio_accept(m->virtio, (f & ~0xffffffffULL) | v);
    else if (m->driver_feature_select == 1)
        virtio_accept(m->virtio, (f & 0xffffffff) | v << 32);
}

static uint64_t device_select_read(struct virtio_pci *m)
{
    return m->device_feature_select;
}

static void device_select_write(struct virtio_pci *m, uint64_t v)
{
    m->device_feature_select = (uint32_t)v;
}

static uint64_t driver_select_read(struct virtio_pci *m)
{
    return m->driver_feature_select;
}

static void driver_select_write(struct virtio_pci *m, uint64_t v)
{
    m->driver_feature_select = (uint32_t)v;
}

static uint64_t config_vector_read(struct virtio_pci *m)
{
    return m->config_vector;
}

static void config_vector_write(struct virtio_pci *m, uint64_t v)
{
    m->config_vector = vector_of(m, v);
}

static uint64_t queue_vector_read(struct virtio_pci *m)
{
    return selected(m) ? m->queue_vectors[m->queue_select] : VIRTIO_NO_VECTOR;
}

static void queue_vector_write(struct virtio_pci *m, uint64_t v)
{
    if (selected(m))
        m->queue_vectors[m->queue_select] = vector_of(m, v);
}

static uint64_t num_queues_read(struct virtio_pci *m)
{
    return m->virtio->n_queues;
}

static uint64_t status_read(struct virtio_pci *m)
{
    return m->virtio->status;
}

static void modern_status_write(struct virtio_pci *m, uint64_t v)
{
    status_write(m, (uint8_t)v, false);
}

static uint64_t generation_read(struct virtio_pci *m)
{
    return (uint8_t)m->virtio->generation;
}

static uint64_t select_read(struct virtio_pci *m)
{
    return m->queue_select;
}

static void select_write(struct virtio_pci *m, uint64_t v)
{
    m->queue_select = (uint16_t)v;
}

static uint64_t size_read(struct virtio_pci *m)
{
    struct virtio_queue *q = selected(m);

    return !q ? 0 : q->size ? q->size : q->max;
}

static void size_write(struct virtio_pci *m, uint64_t v)
{
    virtio_queue_resize(m->virtio, m->queue_select, (uint32_t)v);
}

static uint64_t enable_read(struct virtio_pci *m)
{
    struct virtio_queue *q = selected(m);

    return q && q->ready;
}

static void enable_write(struct virtio_pci *m, uint64_t v)
{
    if (v == 1) /* nothing else means anything (4.1.4.3.2) */
        virtio_queue_enable(m->virtio, m->queue_select);
}

static uint64_t notify_offset_read(struct virtio_pci *m)
{
    return m->queue_select;
}

/* Half of a queue's address; fixed while the queue is in use. */
static void half_write(struct virtio_pci *m, uint64_t *at, unsigned half, uint64_t v)
{
    struct virtio_queue *q = selected(m);

    if (q->ready)
        device_warn(m->virtio->dev, "queue %u moved while in use", m->queue_select);
    else
        *at = half ? (*at & 0xffffffff) | v << 32 : (*at & ~0xffffffffULL) | v;
}

#define QUEUE_ADDRESS(part)                                                                        \
    static uint64_t part##_low_read(struct virtio_pci *m)                                          \
    {                                                                                              \
        return selected(m) ? (uint32_t)selected(m)->part : 0;                                      \
    }                                                                                              \
    static uint64_t part##_high_read(struct virtio_pci *m)                                         \
    {                                                                                              \
        return selected(m) ? selected(m)->part >> 32 : 0;                                          \
    }                                                                                              \
    static void part##_low_write(struct virtio_pci *m, uint64_t v)                                 \
    {                                                                                              \
        if (selected(m))                                                                           \
            half_write(m, &selected(m)->part, 0, v);                                               \
    }                                                                                              \
    static void part##_high_write(struct virtio_pci *m, uint64_t v)                                \
    {                                                                                              \
        if (selected(m))                                                                           \
            half_write(m, &selected(m)->part, 1, v);                                               \
    }
QUEUE_ADDRESS(desc)
QUEUE_ADDRESS(avail)
QUEUE_ADDRESS(used)

/* Fields of a structure that a driver reads and writes whole. */
struct reg {
    const char *name;
    uint8_t offset, size;
    uint64_t (*read)(struct virtio_pci *m);
    void (*write)(struct virtio_pci *m, uint64_t v);
};

static const struct reg common[] = {
    {"device_feature_select", 0, 4, device_select_read, device_select_write},
    {"device_feature", 4, 4, features_read, NULL},
    {"driver_feature_select", 8, 4, driver_select_read, driver_select_write},
    {"driver_feature", 12, 4, accepted_read, accepted_write},
    {"config_msix_vector", 16, 2, config_vector_read, config_vector_write},
    {"num_queues", 18, 2, num_queues_read, NULL},
    {"device_status", 20, 1, status_read, modern_status_write},
    {"config_generation", 21, 1, generation_read, NULL},
    {"queue_select", 22, 2, select_read, select_write},
    {"queue_size", 24, 2, size_read, size_write},
    {"queue_msix_vector", 26, 2, queue_vector_read, queue_vector_write},
    {"queue_enable", 28, 2, enable_read, enable_write},
    {"queue_notify_off", 30, 2, notify_offset_read, NULL},
    {"queue_desc", 32, 4, desc_low_read, desc_low_write},
    {"queue_desc", 36, 4, desc_high_read, desc_high_write},
    {"queue_driver", 40, 4, avail_low_read, avail_low_write},
    {"queue_driver", 44, 4, avail_high_read, avail_high_write},
    {"queue_device", 48, 4, used_low_read, used_low_write},
    {"queue_device", 52, 4, used_high_read, used_high_write},
};

/* --- the legacy interface --- */

static uint64_t legacy_features_read(struct virtio_pci *m)
{
    return (uint32_t)m->virtio->offered;
}

static uint64_t legacy_accepted_read(struct virtio_pci *m)
{
    return (uint32_t)m->virtio->accepted;
}

static void legacy_accepted_write(struct virtio_pci *m, uint64_t v)
{
    if (!m->virtio->status)
        m->virtio->legacy = true;
    virtio_accept(m->virtio, v);
}

static uint64_t pfn_read(struct virtio_pci *m)
{
    struct virtio_queue *q = selected(m);

    return q && q->ready ? (uint32_t)(q->desc >> 12) : 0;
}

/* The three parts lie one behind the other, the used ring on a page of its own (2.7.2). */
static void pfn_write(struct virtio_pci *m, uint64_t v)
{
    struct virtio_queue *q = selected(m);

    if (!q)
        return;
    q->ready = false;
    if (!v)
        return;
    q->size = q->max; /* legacy drivers cannot choose another (4.1.5.1.3.1) */
    q->desc = v << 12;
    q->avail = q->desc + 16ULL * q->size;
    q->used = (q->avail + 6 + 2ULL * q->size + 4095) & ~4095ULL;
    virtio_queue_enable(m->virtio, m->queue_select);
}

static uint64_t legacy_size_read(struct virtio_pci *m)
{
    struct virtio_queue *q = selected(m);

    return q ? q->max : 0;
}

static void legacy_notify_write(struct virtio_pci *m, uint64_t v)
{
    virtio_kick(m->virtio, (unsigned)v);
}

static void legacy_status_write(struct virtio_pci *m, uint64_t v)
{
    status_write(m, (uint8_t)v, true);
}

static uint64_t legacy_isr_read(struct virtio_pci *m)
{
    return isr_take(m->virtio);
}

static const struct reg legacy[] = {
    {"device_features", 0, 4, legacy_features_read, NULL},
    {"driver_features", 4, 4, legacy_accepted_read, legacy_accepted_write},
    {"queue_address", 8, 4, pfn_read, pfn_write},
    {"queue_size", 12, 2, legacy_size_read, NULL},
    {"queue_select", 14, 2, select_read, select_write},
    {"queue_notify", 16, 2, NULL, legacy_notify_write},
    {"device_status", 18, 1, status_read, legacy_status_write},
    {"isr_status", 19, 1, legacy_isr_read, NULL},
    /* These are there only while messages are on; otherwise the configuration begins here. */
    {"config_msix_vector", 20, 2, config_vector_read, config_vector_write},
    {"queue_msix_vector", 22, 2, queue_vector_read, queue_vector_write},
};

/* --- access --- */

static const struct reg *reg_find(struct virtio_pci *m, const struct reg *table, size_t n,
                                  uint64_t offset, unsigned size)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].offset == offset && table[i].size == size)
            return &table[i];
    device_warn(m->virtio->dev, "no register of %u bytes at 0x%x", size, (unsigned)offset);
    return NULL;
}

static uint64_t common_read(struct virtio_pci *m, uint64_t offset, unsigned size)
{
    const struct reg *r = reg_find(m, common, ARRAY_LEN(common), offset, size);

    return r && r->read ? r->read(m) : 0;
}

static void common_write(struct virtio_pci *m, uint64_t offset, uint64_t value, unsigned size)
{
    const struct reg *r = reg_find(m, common, ARRAY_LEN(common), offset, size);

    if (r && r->write)
        r->write(m, value);
}

static uint64_t modern_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct virtio_pci *m = pci_of(dev);
    uint64_t at = offset % PART;

    switch (offset / PART) {
    case 0: return common_read(m, at, size);
    case 1: return at == 0 ? isr_take(m->virtio) : 0;
    case 2: return virtio_config_read(m->virtio, (uint32_t)at, size);
    default: return 0;
    }
}

static void modern_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_pci *m = pci_of(dev);
    uint64_t at = offset % PART;

    switch (offset / PART) {
    case 0: common_write(m, at, value, size); break;
    case 2: virtio_config_write(m->virtio, (uint32_t)at, value, size); break;
    case 3: virtio_kick(m->virtio, (unsigned)(at / NOTIFY_MULTIPLIER)); break;
    default: break;
    }
}

/* Where the device's own configuration begins. Drivers read bytes of any size and alignment there.
 */
static uint32_t legacy_config(const struct virtio_pci *m)
{
    return LEGACY_VECTORS + (pci_msix_enabled(&m->msix) ? 4 : 0);
}

static uint64_t legacy_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct virtio_pci *m = pci_of(dev);
    uint32_t config = legacy_config(m);
    const struct reg *r;

    if (offset >= config)
        return virtio_config_read(m->virtio, (uint32_t)offset - config, size);
    r = reg_find(m, legacy, ARRAY_LEN(legacy), offset, size);
    return r && r->read ? r->read(m) : 0;
}

static void legacy_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_pci *m = pci_of(dev);
    uint32_t config = legacy_config(m);
    const struct reg *r;

    if (offset >= config) {
        virtio_config_write(m->virtio, (uint32_t)offset - config, value, size);
        return;
    }
    r = reg_find(m, legacy, ARRAY_LEN(legacy), offset, size);
    if (r && r->write)
        r->write(m, value);
}

static uint64_t table_read(struct device *dev, uint64_t offset, unsigned size)
{
    (void)size;
    return pci_msix_read(&pci_of(dev)->msix, offset);
}

static void table_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    pci_msix_write(&pci_of(dev)->msix, offset, value);
}

/* --- capabilities --- */

/* struct virtio_pci_cap (4.1.4): id, next, length, type, bar, id, padding, offset, length. */
static unsigned capability_add(struct pci_function *f, uint8_t type, uint8_t bar, uint32_t offset,
                               uint32_t length, unsigned size)
{
    unsigned at = pci_add_capability(f, CAP_VENDOR, size);

    f->initial[at + 2] = (uint8_t)size;
    f->initial[at + 3] = type;
    f->initial[at + 4] = bar;
    store_le32(f->initial + at + 8, offset);
    store_le32(f->initial + at + 12, length);
    return at;
}

/*
 * The window for those who cannot map memory (4.1.4.9): bar, offset and length, then the data.
 * Whether software means the data, and what it asks for is there: then its place and size.
 */
static bool access_wanted(struct virtio_pci *m, unsigned offset, uint32_t *at, uint32_t *size)
{
    const uint8_t *cap = m->pci.config + m->access_capability;

    *at = load_le32(cap + 8);
    *size = load_le32(cap + 12);
    return offset == m->access_capability + 16u && cap[4] == MODERN_BAR &&
           (*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 && *at <= 4 * PART - *size;
}

static void access_reading(struct pci_function *f, unsigned offset, unsigned len)
{
    struct virtio_pci *m = container_of(f, struct virtio_pci, pci);
    uint32_t at, size;

    (void)len;
    if (access_wanted(m, offset, &at, &size))
        store_le32(f->config + offset, (uint32_t)modern_read(m->virtio->dev, at, size));
}

static void config_written(struct pci_function *f, unsigned offset, unsigned len)
{
    struct virtio_pci *m = container_of(f, struct virtio_pci, pci);
    uint32_t at, size;

    if (pci_msix_written(&m->msix, offset, len)) {
        m->virtio->changed(m->virtio);
        pci_msix_flush(&m->msix);
    }
    if (access_wanted(m, offset, &at, &size) && len >= size)
        modern_write(m->virtio->dev, at,
                     load_le32(f->config + offset) & (uint32_t)((1ULL << 8 * size) - 1), size);
}

static void capabilities_add(struct virtio_pci *m)
{
    struct pci_function *f = &m->pci;
    unsigned at;

    capability_add(f, CFG_COMMON, MODERN_BAR, 0, 56, 16);
    capability_add(f, CFG_ISR, MODERN_BAR, PART, 4, 16);
    capability_add(f, CFG_DEVICE, MODERN_BAR, 2 * PART, PART, 16);
    at = capability_add(f, CFG_NOTIFY, MODERN_BAR, 3 * PART,
                        NOTIFY_MULTIPLIER * MAX(m->virtio->n_queues, 4u), 20);
    store_le32(f->initial + at + 16, NOTIFY_MULTIPLIER);
    at = capability_add(f, CFG_ACCESS, 0, 0, 0, 20);
    f->writable[at + 4] = 0xff;
    memset(f->writable + at + 8, 0xff, 12);
    m->access_capability = (uint8_t)at;
    f->reading = access_reading;
    f->written = config_written;
}

static void pci_changed(struct virtio *v)
{
    struct virtio_pci *m = v->transport;

    pci_interrupt(&m->pci, v->isr != 0 && !pci_msix_enabled(&m->msix));
}

void virtio_pci_reset(struct virtio_pci *m)
{
    pci_msix_reset(&m->msix);
    vectors_forget(m);
    pci_reset(&m->pci);
}

void virtio_pci_init(struct virtio_pci *m, struct virtio *v, enum virtio_pci_kind kind,
                     uint32_t class_code, unsigned vectors)
{
    static const struct pci_bar modern_bar = {
        "virtio", 4 * PART, PCI_BAR_64BIT | PCI_BAR_PREFETCH, 1, 4, modern_read, modern_write};
    static const struct pci_bar msix_bar = {"virtio-msix", PCI_MSIX_BAR_SIZE, PCI_BAR_MEMORY, 4, 4,
                                            table_read,    table_write};
    static const struct pci_bar legacy_bar = {"virtio-legacy", 128,         PCI_BAR_IO, 1, 4,
                                              legacy_read,     legacy_write};
    bool both = kind == VIRTIO_PCI_TRANSITIONAL;
    /* 4.1.2.1: 0x1040 and the type; transitional ones have numbers of their own, 0x1000 for a NIC.
     */
    struct pci_id id = {.vendor = VENDOR,
                        .device = (uint16_t)(both ? 0x1000 : 0x1040 + v->ops->id),
                        .subsystem_vendor = VENDOR,
                        .subsystem = (uint16_t)(both ? v->ops->id : 0x1100),
                        .revision = both ? 0 : 1,
                        .class_code = class_code,
                        .pin = 1};

    m->virtio = v;
    v->transport = m;
    v->changed = pci_changed;
    v->message = pci_message;
    pci_init(&m->pci, v->dev, &id);
    pci_set_bar(&m->pci, MODERN_BAR, &modern_bar);
    if (both)
        pci_set_bar(&m->pci, LEGACY_BAR, &legacy_bar);
    capabilities_add(m);
    if (!vectors)
        return;
    pci_set_bar(&m->pci, MSIX_BAR, &msix_bar);
    pci_msix_init(&m->msix, &m->pci, MSIX_BAR, vectors, message_send);
}
