/* virtio-rng: fills whatever buffers the driver offers (virtio 1.2, 5.4). */
#include "devices/virtio_rng.h"

#define QUEUE_SIZE 64
#define MOST 65536 /* bytes for one request; the driver is told how many it got */

static bool fill(struct virtio_rng *r, const struct virtio_chain *c, uint32_t len)
{
    uint8_t bytes[256];
    uint32_t part;

    for (uint32_t at = 0; at < len; at += part) {
        part = MIN(len - at, (uint32_t)sizeof bytes);
        rng_fill(&r->rng, bytes, part);
        if (!virtio_chain_write(&r->virtio, c, at, bytes, part))
            return false;
    }
    return true;
}

static void rng_kick(struct virtio *v, unsigned queue)
{
    struct virtio_rng *r = container_of(v, struct virtio_rng, virtio);
    struct virtio_queue *q = &v->queues[queue];
    struct virtio_chain c;
    uint32_t len;

    for (unsigned i = 0; i < q->size && virtio_take(v, q, &c); i++) {
        len = (uint32_t)MIN(c.in_len, MOST);
        if (len == 0 || !fill(r, &c, len)) { /* 5.4.6.1: buffers are writable */
            virtio_fail(v, q, "an entropy buffer that cannot be written");
            return;
        }
        virtio_done(v, q, c.head, len);
    }
    virtio_want_kicks(v, q, true);
    virtio_notify(v, q);
}

static void rng_device_reset(struct device *dev)
{
    virtio_reset(dev->object);
}

static void rng_device_clone(struct device *dev, const struct device *from)
{
    virtio_clone(dev->object, from->object);
}

static const struct field rng_fields[] = {
    VIRTIO_FIELDS(struct virtio_rng),
    VIRTIO_QUEUE_FIELDS(struct virtio_rng, queues[0]),
    VIRTIO_MMIO_FIELDS(struct virtio_rng),
    FIELD_END,
};

static const struct device_ops rng_device_ops = {
    .name = "virtio-rng",
    .help = "virtio entropy device",
    .state = rng_fields,
    .reset = rng_device_reset,
    .clone = rng_device_clone,
};

static const struct virtio_ops rng_ops = {.name = "rng", .id = 4, .kick = rng_kick};

void virtio_rng_init(struct virtio_rng *r, struct device_env *env, const char *name, bool legacy)
{
    *r = (struct virtio_rng){0};
    device_init(&r->dev, &rng_device_ops, r, name, env);
    rng_init(&r->rng, env->run_seed, name);
    virtio_init(&r->virtio, &rng_ops, &r->dev, 0, r->queues, 1);
    virtio_add_queue(&r->virtio, 0, QUEUE_SIZE);
    virtio_mmio_init(&r->mmio, &r->virtio, legacy);
}
