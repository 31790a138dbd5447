/*
 * Virtio devices in general: status, features, configuration, interrupts (virtio 1.2, 2 and 3).
 *
 * The transport calls in from one side, the device type from the other. Rings are in
 * virtio_queue.c. Simplification: a legacy driver's buffers, too, are used from DRIVER_OK on, though
 * it may give them before (3.1.2).
 */
#include "devices/virtio.h"

#include <assert.h>

#define RING_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

void virtio_init(struct virtio *v, const struct virtio_ops *ops, struct device *dev,
                 uint64_t offered, struct virtio_queue *queues, uint16_t n)
{
    assert(ops->config_size <= VIRTIO_CONFIG_MAX && n <= VIRTIO_MAX_QUEUES);
    v->ops = ops;
    v->dev = dev;
    v->queues = queues;
    v->n_queues = n;
    v->offered = offered | RING_FEATURES | VIRTIO_F_ANY_LAYOUT | VIRTIO_F_VERSION_1;
}

void virtio_add_queue(struct virtio *v, unsigned n, uint16_t max)
{
    assert(n < v->n_queues && max <= VIRTIO_MAX_QUEUE_SIZE && !(max & (max - 1)));
    v->queues[n].max = max;
}

uint64_t virtio_offer(const struct virtio *v)
{
    /* Bits 32 and above are not visible to legacy drivers (4.2.4); ANY_LAYOUT means something
     * to them only (6.3). */
    return v->legacy ? v->offered & 0xffffffff : v->offered & ~VIRTIO_F_ANY_LAYOUT;
}

void virtio_accept(struct virtio *v, uint64_t features)
{
    if (v->status & (VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK))
        return;
    v->accepted = features & virtio_offer(v);
    if (v->ops->chosen)
        v->ops->chosen(v);
}

static void queue_clear(struct virtio_queue *q)
{
    *q = (struct virtio_queue){.max = q->max};
}

void virtio_reset(struct virtio *v)
{
    v->status = v->isr = 0;
    v->accepted = 0;
    for (unsigned i = 0; i < v->n_queues; i++)
        queue_clear(&v->queues[i]);
    if (v->ops->reset)
        v->ops->reset(v);
    if (v->changed)
        v->changed(v);
}

void virtio_clone(struct virtio *v, const struct virtio *from)
{
    memcpy(v->config, from->config, sizeof(v->config));
    v->work_at = from->work_at;
    v->work = from->work;
}

/* A driver that took everything it was offered but VERSION_1 is served as QEMU serves it: some
 * small kernels do so on modern transports. */
void virtio_set_status(struct virtio *v, uint8_t status)
{
    uint8_t was = v->status;

    if (status == 0) {
        virtio_reset(v);
        return;
    }
    status = (status & ~VIRTIO_NEEDS_RESET) | (was & VIRTIO_NEEDS_RESET);
    if ((status & ~was & VIRTIO_FEATURES_OK) && v->ops->features_ok &&
        !v->ops->features_ok(v, v->accepted))
        status &= ~VIRTIO_FEATURES_OK; /* which tells the driver (3.1.1, step 6) */
    v->status = status;
    if (!(status & ~was & VIRTIO_DRIVER_OK))
        return;
    if (v->ops->start)
        v->ops->start(v);
    for (unsigned i = 0; i < v->n_queues; i++) /* legacy drivers kick early (3.1.2) */
        if (v->queues[i].ready)
            virtio_kick(v, i);
}

void virtio_queue_resize(struct virtio *v, unsigned queue, uint32_t size)
{
    struct virtio_queue *q = queue < v->n_queues ? &v->queues[queue] : NULL;

    if (!q || q->ready || size == 0 || size > q->max || (size & (size - 1)))
        device_warn(v->dev, "queue %u cannot have %u descriptors", queue, (unsigned)size);
    else
        q->size = (uint16_t)size;
}

void virtio_queue_enable(struct virtio *v, unsigned queue)
{
    struct virtio_queue *q = queue < v->n_queues ? &v->queues[queue] : NULL;

    if (!q || !q->max) {
        device_warn(v->dev, "there is no queue %u", queue);
        return;
    }
    if (q->ready)
        return;
    if (!q->size)
        q->size = q->max;
    q->ready = true;
    q->broken = q->signalled_valid = false;
    q->next = q->used_idx = q->signalled = 0;
    if ((q->desc & 15) || (q->avail & 1) || (q->used & 3)) /* 2.7, table of alignments */
        virtio_fail(v, q, "a part of it is not aligned");
}

void virtio_kick(struct virtio *v, unsigned queue)
{
    if (queue >= v->n_queues || !v->queues[queue].max) {
        device_warn(v->dev, "notified of queue %u, which does not exist", queue);
        return;
    }
    if (virtio_live(v) && v->queues[queue].ready && !v->queues[queue].broken)
        v->ops->kick(v, queue);
}

void virtio_interrupt(struct virtio *v, const struct virtio_queue *q)
{
    if (!q) /* with MSI-X, too (4.1.4.5.1) */
        v->isr |= VIRTIO_ISR_CONFIG;
    if (v->message && v->message(v, q))
        return;
    if (q)
        v->isr |= VIRTIO_ISR_QUEUE;
    v->changed(v);
}

void virtio_notify(struct virtio *v, struct virtio_queue *q)
{
    if (virtio_wants_interrupt(v, q))
        virtio_interrupt(v, q);
}

void virtio_config_changed(struct virtio *v)
{
    v->generation++;
    if (v->status & VIRTIO_DRIVER_OK)
        virtio_interrupt(v, NULL);
}

void virtio_fail(struct virtio *v, struct virtio_queue *q, const char *what)
{
    device_warn(v->dev, "queue %u: %s", (unsigned)(q - v->queues), what);
    q->broken = true;
    if (v->legacy) /* which knows no such status */
        return;
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        virtio_interrupt(v, NULL);
}

uint64_t virtio_config_read(struct virtio *v, uint32_t offset, unsigned size)
{
    uint8_t bytes[8] = {0};

    if (v->ops->config_read)
        v->ops->config_read(v);
    for (unsigned i = 0; i < size && offset + i < v->ops->config_size; i++)
        bytes[i] = v->config[offset + i];
    return load_le64(bytes);
}

void virtio_config_write(struct virtio *v, uint32_t offset, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    if (!v->ops->config_written || offset >= v->ops->config_size ||
        size > v->ops->config_size - offset) {
        device_warn(v->dev, "configuration byte 0x%x is not to be written", (unsigned)offset);
        return;
    }
    store_le64(bytes, value);
    memcpy(v->config + offset, bytes, size);
    v->ops->config_written(v, offset, size);
}
