/*
 * Split virtqueues (virtio 1.2, 2.7), walked with nothing taken on trust.
 *
 *   descriptor  { le64 addr; le32 len; le16 flags; le16 next }        size of them, at desc
 *   available   { le16 flags, idx, ring[size], used_event }           at avail
 *   used        { le16 flags, idx; { le32 id, len } ring[size]; le16 avail_event }  at used
 */
#include "devices/virtio.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

#define DESC_SIZE 16

static bool read16(struct virtio *v, uint64_t addr, uint16_t *out)
{
    struct dma *dma = v->dev->env->dma;
    uint8_t le[2];

    if (!dma->read(dma, addr, le, sizeof le))
        return false;
    *out = load_le16(le);
    return true;
}

static void write16(struct virtio *v, struct virtio_queue *q, uint64_t addr, uint16_t value)
{
    struct dma *dma = v->dev->env->dma;
    uint8_t le[2];

    store_le16(le, value);
    if (!dma->write(dma, addr, le, sizeof le))
        virtio_fail(v, q, "the used ring is not in RAM");
}

bool virtio_pending(struct virtio *v, struct virtio_queue *q)
{
    uint16_t idx;

    if (!q->ready || q->broken || !virtio_live(v))
        return false;
    if (!read16(v, q->avail + 2, &idx)) {
        virtio_fail(v, q, "the available ring is not in RAM");
        return false;
    }
    if ((uint16_t)(idx - q->next) > q->size) {
        virtio_fail(v, q, "the available index moved by more than the queue's size");
        return false;
    }
    return idx != q->next;
}

/* --- chains --- */

/* A table of descriptors: the queue's own, or an indirect one. */
struct walk {
    uint64_t table;
    uint32_t count;
    bool indirect;
};

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

static const char *desc_read(struct virtio *v, const struct walk *w, uint32_t i, struct desc *d)
{
    struct dma *dma = v->dev->env->dma;
    uint8_t le[DESC_SIZE];

    if (i >= w->count)
        return "a descriptor's index is outside of its table";
    if (!dma->read(dma, w->table + (uint64_t)i * DESC_SIZE, le, sizeof le))
        return "a descriptor table is not in RAM";
    *d = (struct desc){load_le64(le), load_le32(le + 8), load_le16(le + 12), load_le16(le + 14)};
    return NULL;
}

/* The rules of 2.7.5.3.1. */
static const char *enter_indirect(struct virtio *v, struct walk *w, const struct desc *d)
{
    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC))
        return "an indirect descriptor that was not negotiated";
    if (w->indirect)
        return "an indirect descriptor inside of an indirect table";
    if (d->flags & DESC_NEXT)
        return "an indirect descriptor that goes on";
    if (d->len == 0 || d->len % DESC_SIZE)
        return "an indirect table whose length is no multiple of 16";
    *w = (struct walk){d->addr, d->len / DESC_SIZE, true};
    return NULL;
}

static const char *chain_add(struct virtio_chain *c, const struct desc *d)
{
    bool in = d->flags & DESC_WRITE;

    if (c->n_out + c->n_in >= VIRTIO_MAX_CHAIN)
        return "a chain with too many buffers";
    if (!in && c->n_in)
        return "a readable buffer behind a writable one"; /* 2.7.4.2 */
    c->bufs[c->n_out + c->n_in] = (struct virtio_buf){d->addr, d->len};
    c->n_in += in;
    c->n_out += !in;
    c->in_len += in ? d->len : 0;
    c->out_len += in ? 0 : d->len;
    if (c->in_len + c->out_len > 1ULL << 32) /* 2.7.5 */
        return "a chain of more than 4 GiB";
    return NULL;
}

/* Returns what is wrong with the chain at c->head, or NULL. */
static const char *chain_walk(struct virtio *v, struct virtio_queue *q, struct virtio_chain *c)
{
    struct walk w = {q->desc, q->size, false};
    uint32_t i = c->head, steps = 0;
    const char *wrong;
    struct desc d;

    for (;;) {
        wrong = desc_read(v, &w, i, &d);
        if (!wrong && (d.flags & DESC_INDIRECT)) {
            wrong = enter_indirect(v, &w, &d);
            i = steps = 0;
            if (!wrong)
                continue;
        }
        if (!wrong)
            wrong = chain_add(c, &d);
        if (wrong || !(d.flags & DESC_NEXT))
            return wrong;
        if (++steps >= w.count) /* more links than descriptors: it loops */
            return "a chain longer than its table";
        i = d.next;
    }
}

/* Count a chain; NULL, or that it is too much. */
static const char *work_add(struct virtio *v, const struct virtio_chain *c)
{
    vtime_t at = v->dev->env->actor->now / NS_PER_US;

    if (v->work_at != at)
        v->work = 0;
    v->work_at = at;
    v->work += 64u * (c->n_out + c->n_in) + MIN(c->out_len + c->in_len, 64u << 10);
    return v->work > VIRTIO_MAX_WORK ? "more buffers in a microsecond than a program can fill" : NULL;
}

bool virtio_take(struct virtio *v, struct virtio_queue *q, struct virtio_chain *c)
{
    const char *wrong;

    if (!virtio_pending(v, q))
        return false;
    c->n_out = c->n_in = 0;
    c->out_len = c->in_len = 0;
    if (!read16(v, q->avail + 4 + 2 * (uint64_t)(q->next & (q->size - 1)), &c->head))
        wrong = "the available ring is not in RAM";
    else if (c->head >= q->size)
        wrong = "a head outside of the descriptor table";
    else
        wrong = chain_walk(v, q, c);
    if (!wrong)
        wrong = work_add(v, c);
    if (wrong) {
        virtio_fail(v, q, wrong);
        return false;
    }
    q->next++;
    return true;
}

void virtio_untake(struct virtio_queue *q, uint16_t n)
{
    q->next -= n;
}

uint16_t virtio_given(struct virtio *v, struct virtio_queue *q)
{
    uint16_t idx;

    return read16(v, q->avail + 2, &idx) ? (uint16_t)(idx - q->next) : 0;
}

/* --- copies --- */

/* Walk [offset, offset + len) of some buffers, copying one way. */
static bool bufs_copy(struct dma *dma, const struct virtio_buf *b, unsigned n, uint64_t offset,
                      uint8_t *to, const uint8_t *from, size_t len)
{
    for (; n && len; b++, n--) {
        size_t part;
        bool ok;

        if (offset >= b->len) {
            offset -= b->len;
            continue;
        }
        part = MIN(len, b->len - offset);
        if (b->addr + offset < offset)
            return false;
        ok = to ? dma->read(dma, b->addr + offset, to, part)
                : dma->write(dma, b->addr + offset, from, part);
        if (!ok)
            return false;
        if (to)
            to += part;
        else
            from += part;
        len -= part;
        offset = 0;
    }
    return len == 0;
}

bool virtio_chain_read(struct virtio *v, const struct virtio_chain *c, uint64_t offset, void *buf,
                       size_t len)
{
    return bufs_copy(v->dev->env->dma, c->bufs, c->n_out, offset, buf, NULL, len);
}

bool virtio_chain_write(struct virtio *v, const struct virtio_chain *c, uint64_t offset,
                        const void *buf, size_t len)
{
    return bufs_copy(v->dev->env->dma, c->bufs + c->n_out, c->n_in, offset, NULL, buf, len);
}

/* --- the used ring --- */

void virtio_put(struct virtio *v, struct virtio_queue *q, uint16_t head, uint32_t written,
                uint16_t ahead)
{
    struct dma *dma = v->dev->env->dma;
    uint16_t slot = (uint16_t)(q->used_idx + ahead) & (q->size - 1);
    uint8_t le[8];

    if (q->broken)
        return;
    store_le32(le, head);
    store_le32(le + 4, written);
    if (!dma->write(dma, q->used + 4 + 8 * (uint64_t)slot, le, sizeof le))
        virtio_fail(v, q, "the used ring is not in RAM");
}

void virtio_publish(struct virtio *v, struct virtio_queue *q, uint16_t n)
{
    if (q->broken)
        return;
    /* The distance to `signalled` must stay below 2^16 for the comparison to mean anything. */
    if ((uint32_t)(uint16_t)(q->used_idx - q->signalled) + n > 0xffff)
        q->signalled_valid = false;
    q->used_idx += n;
    write16(v, q, q->used + 2, q->used_idx);
}

void virtio_done(struct virtio *v, struct virtio_queue *q, uint16_t head, uint32_t written)
{
    virtio_put(v, q, head, written, 0);
    virtio_publish(v, q, 1);
}

bool virtio_wants_interrupt(struct virtio *v, struct virtio_queue *q)
{
    uint16_t was = q->signalled, word;
    bool valid = q->signalled_valid, event = virtio_has(v, VIRTIO_F_EVENT_IDX);

    if (q->broken || !q->ready || (valid && was == q->used_idx))
        return false;
    q->signalled = q->used_idx;
    q->signalled_valid = true;
    if (!read16(v, event ? q->avail + 4 + 2 * (uint64_t)q->size : q->avail, &word)) {
        virtio_fail(v, q, "the available ring is not in RAM");
        return false;
    }
    if (!event)
        return !(word & AVAIL_NO_INTERRUPT);
    /* Has used_idx passed used_event since the last interrupt (2.7.7.2)? */
    return !valid || (uint16_t)(q->used_idx - word - 1) < (uint16_t)(q->used_idx - was);
}

void virtio_want_kicks(struct virtio *v, struct virtio_queue *q, bool wanted)
{
    if (q->broken || !q->ready)
        return;
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        write16(v, q, q->used, wanted ? 0 : USED_NO_NOTIFY);
    /* What is given after what there is now, some of which may have been put back (2.7.10). */
    else if (wanted)
        write16(v, q, q->used + 4 + 8 * (uint64_t)q->size,
                (uint16_t)(q->next + virtio_given(v, q)));
}
