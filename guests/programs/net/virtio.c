/* virtio, whatever the transport, and split virtqueues; the sections are those of Virtio 1.2. */
#include "net/virtio.h"

#include "base/io.h"

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };

#define F_VERSION_1 (UINT64_C(1) << 32)

void virtio_reset(const struct virtio *v)
{
    v->transport->status_set(v, 0);
    io_fence();
    /* The reset is over when the status reads 0 (2.4.2). */
    while (v->version == 2 && v->transport->status(v) != 0)
        ;
}

bool virtio_start(const struct virtio *v, uint64_t wanted, uint64_t *got)
{
    const struct virtio_transport *t = v->transport;
    uint64_t offered;

    virtio_reset(v);
    t->status_set(v, ACKNOWLEDGE);
    t->status_set(v, ACKNOWLEDGE | DRIVER);
    offered = t->offered(v);
    if (v->version == 2)
        wanted |= F_VERSION_1;
    *got = offered & wanted;
    t->accept(v, *got);
    if (v->version == 1)
        return true;
    t->status_set(v, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if ((*got & F_VERSION_1) && (t->status(v) & FEATURES_OK))
        return true;
    t->status_set(v, FAILED);
    return false;
}

void virtio_ready(const struct virtio *v)
{
    io_fence();
    v->transport->status_set(v, v->transport->status(v) | DRIVER_OK);
}

uint32_t virtio_status(const struct virtio *v)
{
    return v->transport->status(v);
}

unsigned virtio_queue_size(const struct virtio *v, unsigned index, unsigned most)
{
    unsigned max = v->transport->queue_max(v, index), size = most;

    while (size > max)
        size /= 2;
    return size;
}

static size_t used_offset(unsigned size)
{
    size_t avail_end = sizeof(struct vq_desc) * size + 2 * (3 + (size_t)size);

    return (avail_end + VQ_USED_ALIGN - 1) & ~(size_t)(VQ_USED_ALIGN - 1);
}

size_t vq_bytes(unsigned size)
{
    size_t end = used_offset(size) + 6 + sizeof(struct vq_used) * size;

    return (end + 15) & ~(size_t)15;
}

bool virtio_queue_start(const struct virtio *v, struct vq *q, unsigned index, unsigned size,
                        void *memory)
{
    char *at = memory;

    *q = (struct vq){.index = index, .size = size};
    q->desc = (struct vq_desc *)at;
    q->avail = (uint16_t *)(at + sizeof(struct vq_desc) * size);
    q->used = (uint16_t *)(at + used_offset(size));
    return v->transport->queue_set(v, q);
}

uint32_t virtio_irq_take(const struct virtio *v)
{
    uint32_t pending = v->transport->irq_take(v);

    /* What is used after the acknowledgement asks again: look at the rings behind it. */
    io_fence();
    return pending;
}

uint8_t virtio_config8(const struct virtio *v, unsigned offset)
{
    return io_read8(v->config + offset);
}

uint16_t virtio_config16(const struct virtio *v, unsigned offset)
{
    return io_read16(v->config + offset);
}

uint32_t virtio_config_generation(const struct virtio *v)
{
    return v->transport->generation(v);
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
        v->transport->kick(v, q);
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
