/* A virtio driver in forty lines, and its mistakes. */
#include "driver.h"

uint64_t driver_offered(struct driver *d)
{
    uint64_t low, high;

    mm_write(d, MM_FEATURES_SEL, 0);
    low = mm_read(d, MM_FEATURES);
    mm_write(d, MM_FEATURES_SEL, 1);
    high = mm_read(d, MM_FEATURES);
    return low | high << 32;
}

static void address(struct driver *d, unsigned reg, uint64_t v)
{
    mm_write(d, reg, (uint32_t)v);
    mm_write(d, reg + 4, (uint32_t)(v >> 32));
}

static void queue_setup(struct driver *d, unsigned n, uint32_t size)
{
    struct ring *q = &d->rings[n];
    uint64_t at = rig_alloc(d->rig, 32 * size + 8192);

    *q = (struct ring){.size = size, .desc = at, .avail = at + 16 * size};
    q->used = (q->avail + 6 + 2 * size + 4095) & ~4095ULL;
    mm_write(d, MM_QUEUE_SEL, n);
    assert_true(mm_read(d, MM_NUM_MAX) >= size);
    mm_write(d, MM_NUM, size);
    if (d->legacy) {
        assert_int_equal(mm_read(d, MM_PFN), 0);
        mm_write(d, MM_ALIGN, 4096);
        mm_write(d, MM_PFN, (uint32_t)(at / 4096));
        assert_int_equal(mm_read(d, MM_PFN), at / 4096);
        return;
    }
    assert_int_equal(mm_read(d, MM_READY), 0);
    address(d, MM_DESC, q->desc);
    address(d, MM_DRIVER, q->avail);
    address(d, MM_DEVICE, q->used);
    mm_write(d, MM_READY, 1);
    assert_int_equal(mm_read(d, MM_READY), 1);
}

void driver_prepare(struct driver *d, struct rig *r, struct device *dev, uint64_t features,
                    unsigned n, uint32_t size)
{
    uint64_t take;

    *d = (struct driver){.rig = r, .dev = dev};
    assert_int_equal(mm_read(d, MM_MAGIC), 0x74726976);
    d->legacy = mm_read(d, MM_VERSION) == 1;
    mm_write(d, MM_STATUS, 0);
    assert_int_equal(mm_read(d, MM_STATUS), 0);
    mm_write(d, MM_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    take = driver_offered(d) & (features | VIRTIO_F_VERSION_1);
    mm_write(d, MM_ACCEPT_SEL, 0);
    mm_write(d, MM_ACCEPT, (uint32_t)take);
    mm_write(d, MM_ACCEPT_SEL, 1);
    mm_write(d, MM_ACCEPT, (uint32_t)(take >> 32));
    if (d->legacy) {
        mm_write(d, MM_PAGE_SIZE, 4096);
    } else {
        mm_write(d, MM_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
        assert_true(mm_read(d, MM_STATUS) & VIRTIO_FEATURES_OK);
    }
    r->heap = RIG_RAM_BASE;
    memset(r->ram, 0, RIG_RAM_SIZE);
    for (unsigned i = 0; i < n; i++)
        queue_setup(d, i, size);
}

void driver_start(struct driver *d, struct rig *r, struct device *dev, uint64_t features,
                  unsigned n, uint32_t size)
{
    driver_prepare(d, r, dev, features, n, size);
    mm_write(d, MM_STATUS, mm_read(d, MM_STATUS) | VIRTIO_DRIVER_OK);
}

void driver_desc(struct driver *d, unsigned q, unsigned i, struct buf b, uint16_t next)
{
    uint8_t *p = rig_at(d->rig, d->rings[q].desc + 16 * i);

    store_le64(p, b.addr);
    store_le32(p + 8, b.len);
    store_le16(p + 12, b.flags);
    store_le16(p + 14, next);
}

void driver_offer(struct driver *d, unsigned q, uint16_t head)
{
    struct ring *g = &d->rings[q];

    store_le16(rig_at(d->rig, g->avail + 4 + 2 * (g->idx % g->size)), head);
    store_le16(rig_at(d->rig, g->avail + 2), ++g->idx);
}

uint16_t driver_add(struct driver *d, unsigned q, const struct buf *bufs, unsigned n)
{
    struct ring *g = &d->rings[q];
    uint16_t head = g->free;

    for (unsigned i = 0; i < n; i++) {
        struct buf b = bufs[i];
        uint16_t next = (uint16_t)((g->free + 1) % g->size);

        b.flags |= i + 1 < n ? DESC_NEXT : 0;
        driver_desc(d, q, g->free, b, next);
        g->free = next;
    }
    driver_offer(d, q, head);
    return head;
}

void driver_kick(struct driver *d, unsigned q)
{
    mm_write(d, MM_NOTIFY, q);
}

bool driver_used(struct driver *d, unsigned q, uint32_t *id, uint32_t *len)
{
    struct ring *g = &d->rings[q];
    uint8_t *e;

    if (load_le16(rig_at(d->rig, g->used + 2)) == g->seen)
        return false;
    e = rig_at(d->rig, g->used + 4 + 8 * (g->seen++ % g->size));
    *id = load_le32(e);
    *len = load_le32(e + 4);
    return true;
}

uint16_t driver_used_flags(struct driver *d, unsigned q)
{
    return load_le16(rig_at(d->rig, d->rings[q].used));
}

uint16_t driver_avail_event(struct driver *d, unsigned q)
{
    return load_le16(rig_at(d->rig, d->rings[q].used + 4 + 8 * d->rings[q].size));
}

void driver_set_used_event(struct driver *d, unsigned q, uint16_t v)
{
    store_le16(rig_at(d->rig, d->rings[q].avail + 4 + 2 * d->rings[q].size), v);
}

void driver_set_avail_flags(struct driver *d, unsigned q, uint16_t v)
{
    store_le16(rig_at(d->rig, d->rings[q].avail), v);
}

void driver_expect_failed(struct driver *d, unsigned q)
{
    struct virtio *v = d->dev->object;

    assert_true(v->queues[q].broken);
    if (!d->legacy) {
        assert_true(mm_read(d, MM_STATUS) & VIRTIO_NEEDS_RESET);
        assert_true(mm_read(d, MM_ISR) & VIRTIO_ISR_CONFIG);
        assert_true(d->dev->irq.level);
    }
    mm_write(d, MM_STATUS, 0);
    assert_int_equal(mm_read(d, MM_STATUS), 0);
    assert_false(d->dev->irq.level);
    assert_false(v->queues[q].broken);
}
