/*
 * virtio-blk (virtio 1.2, 5.2).
 *
 *   request  { le32 type, reserved; le64 sector; data } to read, { data; u8 status } to write
 */
#include "devices/virtio_blk.h"

#define QUEUE_SIZE 256
#define SECTOR 512
#define HDR 16
#define ID_LEN 20
#define ZEROES_MAX 8192 /* sectors of one WRITE_ZEROES */
#define CHUNK 4096

#define BLK_F_SEG_MAX (1ULL << 2)
#define BLK_F_RO (1ULL << 5)
#define BLK_F_BLK_SIZE (1ULL << 6)
#define BLK_F_FLUSH (1ULL << 9)
#define BLK_F_WRITE_ZEROES (1ULL << 14)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

struct request {
    struct virtio_blk *b;
    const struct virtio_chain *chain;
    uint64_t sector;
    uint32_t written; /* bytes of data given to the driver */
};

/* Whether `len` bytes at a sector are whole sectors inside of the disk (5.2.6.1). */
static bool inside(const struct virtio_blk *b, uint64_t sector, uint64_t len)
{
    uint64_t sectors = b->image.bytes / SECTOR;

    return len % SECTOR == 0 && sector <= sectors && len / SECTOR <= sectors - sector;
}

static uint8_t do_read(struct request *r)
{
    uint64_t len = r->chain->in_len - 1, at = r->sector * SECTOR;
    uint8_t bytes[CHUNK];
    size_t part;

    r->b->reads++;
    if (!inside(r->b, r->sector, len))
        return S_IOERR;
    for (uint64_t done = 0; done < len; done += part) {
        part = (size_t)MIN(len - done, sizeof bytes);
        if (!blk_image_read(&r->b->image, at + done, bytes, part) ||
            !virtio_chain_write(&r->b->virtio, r->chain, done, bytes, part))
            return S_IOERR;
        r->written += (uint32_t)part;
    }
    return S_OK;
}

static uint8_t do_write(struct request *r)
{
    uint64_t len = r->chain->out_len - HDR, at = r->sector * SECTOR;
    uint8_t bytes[CHUNK];
    size_t part;

    r->b->writes++;
    if (r->b->read_only || !inside(r->b, r->sector, len))
        return S_IOERR;
    for (uint64_t done = 0; done < len; done += part) {
        part = (size_t)MIN(len - done, sizeof bytes);
        if (!virtio_chain_read(&r->b->virtio, r->chain, HDR + done, bytes, part) ||
            !blk_image_write(&r->b->image, at + done, bytes, part))
            return S_IOERR;
    }
    return S_OK;
}

static uint8_t do_flush(struct request *r)
{
    return blk_image_flush(&r->b->image) ? S_OK : S_IOERR;
}

/* The serial number: 20 bytes, zero-padded (5.2.6). */
static uint8_t do_get_id(struct request *r)
{
    uint8_t id[ID_LEN] = {0};
    size_t len = (size_t)MIN(r->chain->in_len - 1, ID_LEN);

    memcpy(id, r->b->dev.name, MIN(strlen(r->b->dev.name), sizeof id));
    if (!virtio_chain_write(&r->b->virtio, r->chain, 0, id, len))
        return S_IOERR;
    r->written = (uint32_t)len;
    return S_OK;
}

/* One segment { le64 sector; le32 num_sectors; le32 flags } (5.2.6.2). */
static uint8_t do_write_zeroes(struct request *r)
{
    static const uint8_t zeroes[CHUNK];
    uint8_t seg[16];
    uint64_t sector, len, part;

    r->b->writes++;
    if (r->chain->out_len != HDR + sizeof seg ||
        !virtio_chain_read(&r->b->virtio, r->chain, HDR, seg, sizeof seg))
        return S_IOERR;
    if (load_le32(seg + 12) & ~1u) /* flags other than `unmap` */
        return S_UNSUPP;
    sector = load_le64(seg);
    len = (uint64_t)load_le32(seg + 8) * SECTOR;
    if (r->b->read_only || len > (uint64_t)ZEROES_MAX * SECTOR || !inside(r->b, sector, len))
        return S_IOERR;
    for (uint64_t done = 0; done < len; done += part) {
        part = MIN(len - done, CHUNK);
        if (!blk_image_write(&r->b->image, sector * SECTOR + done, zeroes, (size_t)part))
            return S_IOERR;
    }
    return S_OK;
}

static const struct {
    uint32_t type;
    uint8_t (*run)(struct request *r);
} kinds[] = {
    {T_IN, do_read},       {T_OUT, do_write},
    {T_FLUSH, do_flush},   {T_GET_ID, do_get_id},
    {T_WRITE_ZEROES, do_write_zeroes},
};

static uint8_t execute(struct virtio_blk *b, const struct virtio_chain *c, const uint8_t *hdr,
                       uint32_t *written)
{
    struct request r = {b, c, load_le64(hdr + 8), 0};
    uint8_t status = S_UNSUPP;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].type == load_le32(hdr))
            status = kinds[i].run(&r);
    if (status != S_OK) {
        b->errors++;
        device_warn(&b->dev, "request %u at sector %llu: status %u", (unsigned)load_le32(hdr),
                    (unsigned long long)r.sector, status);
    }
    *written = r.written;
    return status;
}

/* Returns what is wrong with the chain itself, or NULL. */
static const char *chain_run(struct virtio_blk *b, struct virtio_queue *q,
                             const struct virtio_chain *c)
{
    uint8_t hdr[HDR], status;
    uint32_t written;

    if (c->out_len < HDR || c->in_len < 1)
        return "a request without its header or room for the status";
    if (!virtio_chain_read(&b->virtio, c, 0, hdr, HDR))
        return "a request's header is not in RAM";
    status = execute(b, c, hdr, &written);
    if (!virtio_chain_write(&b->virtio, c, c->in_len - 1, &status, 1))
        return "a request's status is not in RAM";
    virtio_done(&b->virtio, q, c->head, written + 1);
    return NULL;
}

static void later(struct virtio_blk *b)
{
    struct actor *a = b->dev.env->actor;
    struct virtio_queue *q = &b->virtio.queues[0];
    uint8_t le[2];

    if (event_armed(&b->event) || !virtio_pending(&b->virtio, q) ||
        !b->dev.env->dma->read(b->dev.env->dma, q->avail + 2, le, sizeof le))
        return;
    b->due = load_le16(le);
    evq_arm(&a->events, &b->event, a->now + VIRTIO_BLK_LATENCY);
}

static void complete(struct event *ev, vtime_t now)
{
    struct virtio_blk *b = container_of(ev, struct virtio_blk, event);
    struct virtio *v = &b->virtio;
    struct virtio_queue *q = &v->queues[0];
    const char *wrong = NULL;
    struct virtio_chain c;
    uint64_t bytes = 0;

    (void)now;
    while (bytes < VIRTIO_BLK_ROUND && q->next != b->due && virtio_take(v, q, &c)) {
        bytes += c.in_len + c.out_len;
        wrong = chain_run(b, q, &c);
        if (wrong) {
            virtio_fail(v, q, wrong);
            return;
        }
    }
    virtio_want_kicks(v, q, true);
    virtio_notify(v, q);
    later(b);
}

static void blk_kick(struct virtio *v, unsigned queue)
{
    (void)queue;
    later(container_of(v, struct virtio_blk, virtio));
}

/* 5.2.4 */
static void blk_config_read(struct virtio *v)
{
    struct virtio_blk *b = container_of(v, struct virtio_blk, virtio);

    store_le64(v->config, b->image.bytes / SECTOR);
    store_le32(v->config + 12, QUEUE_SIZE - 2); /* seg_max */
    store_le32(v->config + 20, SECTOR);         /* blk_size */
    store_le32(v->config + 48, ZEROES_MAX);     /* max_write_zeroes_sectors */
    store_le32(v->config + 52, 1);              /* max_write_zeroes_seg */
}

static void blk_virtio_reset(struct virtio *v)
{
    struct virtio_blk *b = container_of(v, struct virtio_blk, virtio);

    evq_cancel(&b->dev.env->actor->events, &b->event);
}

static void blk_reset(struct device *dev)
{
    virtio_reset(dev->object);
}

static void blk_clone(struct device *dev, const struct device *from)
{
    struct virtio_blk *b = dev->object;
    const struct virtio_blk *other = from->object;

    virtio_clone(&b->virtio, &other->virtio);
    blk_image_clone(&b->image, &other->image);
    evq_copy(&dev->env->actor->events, &b->event, &other->event);
}

static void blk_finish(struct device *dev)
{
    struct virtio_blk *b = dev->object;

    evq_cancel(&dev->env->actor->events, &b->event);
    blk_image_close(&b->image);
}

static const struct field blk_fields[] = {
    VIRTIO_FIELDS(struct virtio_blk),
    VIRTIO_QUEUE_FIELDS(struct virtio_blk, queues[0]),
    VIRTIO_MMIO_FIELDS(struct virtio_blk),
    FIELD(struct virtio_blk, due, FIELD_U16, 0),
    FIELD(struct virtio_blk, reads, FIELD_U64, 0),
    FIELD(struct virtio_blk, writes, FIELD_U64, 0),
    FIELD(struct virtio_blk, errors, FIELD_U64, 0),
    FIELD_END,
};

static const struct device_ops blk_device_ops = {
    .name = "virtio-blk",
    .help = "virtio block device on a file",
    .state = blk_fields,
    .reset = blk_reset,
    .finish = blk_finish,
    .clone = blk_clone,
};

static const struct virtio_ops blk_ops = {
    .name = "blk",
    .id = 2,
    .config_size = 60,
    .kick = blk_kick,
    .config_read = blk_config_read,
    .reset = blk_virtio_reset,
};

bool virtio_blk_init(struct virtio_blk *b, struct device_env *env, const char *name,
                     const struct virtio_blk_config *c, struct err *err)
{
    *b = (struct virtio_blk){.read_only = c->read_only};
    if (!blk_image_open(&b->image, c->path, c->writable, c->file, c->line, err))
        return false;
    device_init(&b->dev, &blk_device_ops, b, name, env);
    event_init(&env->actor->events, &b->event, complete);
    virtio_init(&b->virtio, &blk_ops, &b->dev,
                BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH | BLK_F_WRITE_ZEROES |
                    (c->read_only ? BLK_F_RO : 0),
                b->queues, 1);
    virtio_add_queue(&b->virtio, 0, QUEUE_SIZE);
    virtio_mmio_init(&b->mmio, &b->virtio, c->legacy);
    return true;
}
