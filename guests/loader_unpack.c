/*
 * Compressed images: gzip, zstd, and the EFI zboot form in which distributions ship kernels.
 *
 * zboot is a PE file that would unpack itself under EFI. Its header says where the packed
 * kernel lies (Linux, drivers/firmware/efi/libstub/zboot-header.S):
 *
 *     0  "MZ"    4  "zimg"    8  offset (4)   12  size (4)   24  "gzip", "zstd"... (32, 0-ended)
 *
 * What comes out is bounded, so that a small file cannot fill the host's memory.
 */
#include "guests/loader.h"

#include <inttypes.h>
#include <zlib.h>
#include <zstd.h>

#define MAX_LAYERS 4

/* The packed bytes: a range of a blob. */
struct packed {
    const struct blob *blob;
    uint64_t at, end;
    const char *what, *path; /* for sentences */
};

/* The next run of bytes; 0 at the end. */
static size_t packed_next(struct packed *p, const uint8_t **bytes)
{
    size_t n = (size_t)MIN(blob_span(p->blob, p->at, bytes), p->end - p->at);

    p->at += n;
    return n;
}

static bool too_large(const struct packed *p, uint64_t max, struct err *err)
{
    err_add(err, "%s %s: it unpacks to more than %" PRIu64 " MiB, which the machine cannot hold",
            p->what, p->path, max >> 20);
    return false;
}

static bool damaged(const struct packed *p, const char *how, struct err *err)
{
    err_add(err, "%s %s: the %s data is cut short or damaged", p->what, p->path, how);
    return false;
}

/* --- gzip --- */

static bool inflate_all(z_stream *z, struct packed *p, struct blob_writer *w, struct err *err)
{
    uint8_t out[16 * PAGE_SIZE];
    const uint8_t *in;
    int status = Z_OK;

    while (status != Z_STREAM_END) {
        if (z->avail_in == 0) {
            z->avail_in = (uInt)packed_next(p, &in);
            z->next_in = (Bytef *)(uintptr_t)in;
            if (z->avail_in == 0)
                return damaged(p, "gzip", err);
        }
        z->next_out = out;
        z->avail_out = sizeof(out);
        status = inflate(z, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return damaged(p, "gzip", err);
        if (!blob_writer_add(w, out, sizeof(out) - z->avail_out))
            return too_large(p, w->max, err);
    }
    return true; /* what follows the stream is padding, which initrds and kernels have */
}

static bool gzip_unpack(struct packed *p, struct blob_writer *w, struct err *err)
{
    z_stream z = {0};
    bool ok;

    if (inflateInit2(&z, 15 + 16) != Z_OK) /* 15: any window; 16: gzip, not zlib */
        abort();
    ok = inflate_all(&z, p, w, err);
    inflateEnd(&z);
    return ok;
}

/* --- zstd --- */

static bool zstd_all(ZSTD_DStream *z, struct packed *p, struct blob_writer *w, struct err *err)
{
    uint8_t out[16 * PAGE_SIZE];
    ZSTD_inBuffer in = {0};
    size_t left = 1;

    while (left != 0) {
        ZSTD_outBuffer o = {out, sizeof(out), 0};

        if (in.pos == in.size) {
            const uint8_t *bytes = NULL;

            in = (ZSTD_inBuffer){NULL, packed_next(p, &bytes), 0};
            in.src = bytes;
            if (in.size == 0)
                return damaged(p, "zstd", err);
        }
        left = ZSTD_decompressStream(z, &o, &in);
        if (ZSTD_isError(left))
            return damaged(p, "zstd", err);
        if (!blob_writer_add(w, out, o.pos))
            return too_large(p, w->max, err);
    }
    return true;
}

static bool zstd_unpack(struct packed *p, struct blob_writer *w, struct err *err)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    bool ok;

    if (!z)
        abort();
    ok = zstd_all(z, p, w, err);
    ZSTD_freeDStream(z);
    return ok;
}

/* --- which --- */

static const struct packing {
    const char *name; /* as zboot calls it */
    uint8_t magic[4];
    size_t magic_len;
    bool (*unpack)(struct packed *p, struct blob_writer *w, struct err *err);
} packings[] = {
    {"gzip", {0x1f, 0x8b, 8}, 3, gzip_unpack},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_unpack},
};

static const struct packing *packing_of(const struct blob *b)
{
    uint8_t magic[4];

    if (!blob_read(b, 0, magic, sizeof(magic)))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(packings); i++)
        if (memcmp(magic, packings[i].magic, packings[i].magic_len) == 0)
            return &packings[i];
    return NULL;
}

static bool zboot_is(const struct blob *b)
{
    uint8_t h[8];

    return blob_read(b, 0, h, sizeof(h)) && memcmp(h, "MZ", 2) == 0 && memcmp(h + 4, "zimg", 4) == 0;
}

/* The packed kernel of a zboot image; NULL with a sentence if there is none we can read. */
static const struct packing *zboot_find(struct packed *p, struct err *err)
{
    uint8_t h[57] = {0};

    if (!blob_read(p->blob, 0, h, 56)) {
        damaged(p, "zboot", err);
        return NULL;
    }
    p->at = load_le32(h + 8);
    p->end = p->at + load_le32(h + 12);
    if (p->end > p->blob->size || p->at == p->end) {
        damaged(p, "zboot", err);
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(packings); i++)
        if (strcmp((const char *)h + 24, packings[i].name) == 0)
            return &packings[i];
    err_add(err, "%s %s: the kernel in it is packed in a way that is not gzip or zstd", p->what,
            p->path);
    return NULL;
}

/* Take off one layer; NULL with a sentence. */
static struct blob *layer_unpack(struct packed *p, const struct packing *how, uint64_t max,
                                 struct err *err)
{
    struct blob_writer w;
    struct blob *out;
    bool ok;

    blob_writer_init(&w, p->path, max);
    ok = how->unpack(p, &w, err);
    out = blob_writer_end(&w);
    if (ok && out->size == 0)
        ok = damaged(p, how->name, err);
    if (ok)
        return out;
    blob_put(out);
    return NULL;
}

struct blob *image_unpack(struct blob *b, const char *what, const char *path, uint64_t max,
                          struct err *err)
{
    blob_ref(b);
    for (unsigned layer = 0; layer < MAX_LAYERS; layer++) {
        struct packed p = {b, 0, b->size, what, path};
        const struct packing *how = packing_of(b);
        struct blob *inner = NULL;
        bool packed = how || zboot_is(b);

        if (!packed)
            return b;
        if (!how)
            how = zboot_find(&p, err);
        if (how)
            inner = blob_derived(b);
        if (how && !inner) {
            inner = layer_unpack(&p, how, max, err);
            if (inner)
                inner = blob_derive(b, inner);
        }
        blob_put(b);
        if (!inner)
            return NULL;
        b = inner;
    }
    err_add(err, "%s %s: it is packed more than %d times", what, path, MAX_LAYERS);
    blob_put(b);
    return NULL;
}
