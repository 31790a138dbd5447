/*
 * Disk images. Unless writable, the file is opened for reading only, and written blocks live in
 * memory: a run never changes its image, and reads of the file are an input that stays the same.
 */
#include "devices/blk_image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* Never changed while clones share it. */
struct blk_page {
    _Atomic uint32_t refs;
    uint64_t block;
    uint8_t data[BLK_BLOCK];
};

bool blk_image_open(struct blk_image *im, const char *path, bool writable, const char *file,
                    int line, struct err *err)
{
    const char *wrong = NULL;
    struct stat st;
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        wrong = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = "it is not a regular file";
    else if (st.st_size < 512)
        wrong = "it is shorter than a sector of 512 bytes";
    if (wrong) {
        if (fd >= 0)
            close(fd);
        if (file)
            err_at(err, file, line, "cannot use the disk image %s: %s", path, wrong);
        else
            err_add(err, "cannot use the disk image %s: %s", path, wrong);
        return false;
    }
    *im = (struct blk_image){fd, writable, (uint64_t)st.st_size & ~511ULL, NULL, 0, 0};
    return true;
}

/* --- the pages --- */

static struct blk_page **slot(struct blk_page **table, uint32_t cap, uint64_t block)
{
    uint32_t i = (uint32_t)((block * 0x9e3779b97f4a7c15ULL) >> 32) & (cap - 1);

    while (table[i] && table[i]->block != block)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static struct blk_page *find(const struct blk_image *im, uint64_t block)
{
    return im->cap ? *slot(im->table, im->cap, block) : NULL;
}

static void grow(struct blk_image *im)
{
    uint32_t cap = im->cap ? im->cap * 2 : 64;
    struct blk_page **table = xcalloc(cap, sizeof(*table));

    for (uint32_t i = 0; i < im->cap; i++)
        if (im->table[i])
            *slot(table, cap, im->table[i]->block) = im->table[i];
    free(im->table);
    im->table = table;
    im->cap = cap;
}

static bool file_read(const struct blk_image *im, uint64_t at, uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = pread(im->fd, buf, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* an error, or the file was cut short under us */
            return false;
        buf += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static bool file_write(const struct blk_image *im, uint64_t at, const uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = pwrite(im->fd, buf, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static void page_unref(struct blk_page *p)
{
    if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
        free(p);
}

/* A page for a block that is about to be written, holding what the file has there. */
static struct blk_page *page_make(struct blk_image *im, uint64_t block)
{
    uint64_t at = block * BLK_BLOCK;
    struct blk_page *p = xcalloc(1, sizeof *p);

    atomic_init(&p->refs, 1);
    p->block = block;
    if (!file_read(im, at, p->data, (size_t)MIN(im->bytes - at, BLK_BLOCK))) {
        free(p);
        return NULL;
    }
    if (im->n * 4 >= im->cap * 3)
        grow(im);
    *slot(im->table, im->cap, block) = p;
    im->n++;
    return p;
}

/* The page held for a block, to be written: a copy if others hold it too. */
static struct blk_page *page_own(struct blk_image *im, struct blk_page *shared)
{
    struct blk_page *p;

    if (atomic_load_explicit(&shared->refs, memory_order_acquire) == 1)
        return shared;
    p = xmalloc(sizeof(*p));
    atomic_init(&p->refs, 1);
    p->block = shared->block;
    memcpy(p->data, shared->data, BLK_BLOCK);
    *slot(im->table, im->cap, p->block) = p; /* in the place of that of the same number */
    page_unref(shared);
    return p;
}

void blk_image_clone(struct blk_image *im, const struct blk_image *from)
{
    assert(im->n == 0 && !im->cap);
    if (!from->cap)
        return;
    im->n = from->n;
    im->cap = from->cap;
    im->table = xmalloc(im->cap * sizeof(*im->table));
    memcpy(im->table, from->table, im->cap * sizeof(*im->table));
    for (uint32_t i = 0; i < im->cap; i++)
        if (im->table[i])
            atomic_fetch_add_explicit(&im->table[i]->refs, 1, memory_order_relaxed);
}

/* --- access --- */

bool blk_image_read(struct blk_image *im, uint64_t at, void *buf, size_t len)
{
    uint8_t *to = buf;
    size_t part;

    for (; len; at += part, to += part, len -= part) {
        struct blk_page *p = find(im, at / BLK_BLOCK);

        part = MIN(len, BLK_BLOCK - at % BLK_BLOCK);
        if (p)
            memcpy(to, p->data + at % BLK_BLOCK, part);
        else if (!file_read(im, at, to, part))
            return false;
    }
    return true;
}

bool blk_image_write(struct blk_image *im, uint64_t at, const void *buf, size_t len)
{
    const uint8_t *from = buf;
    size_t part;

    if (im->writable)
        return file_write(im, at, from, len);
    for (; len; at += part, from += part, len -= part) {
        struct blk_page *p = find(im, at / BLK_BLOCK);

        part = MIN(len, BLK_BLOCK - at % BLK_BLOCK);
        p = p ? page_own(im, p) : page_make(im, at / BLK_BLOCK);
        if (!p)
            return false;
        memcpy(p->data + at % BLK_BLOCK, from, part);
    }
    return true;
}

bool blk_image_flush(struct blk_image *im)
{
    return !im->writable || fdatasync(im->fd) == 0;
}

size_t blk_image_held(const struct blk_image *im)
{
    return im->n * sizeof(struct blk_page) + im->cap * sizeof(*im->table);
}

void blk_image_revert(struct blk_image *im)
{
    for (uint32_t i = 0; i < im->cap; i++)
        page_unref(im->table[i]);
    free(im->table);
    im->table = NULL;
    im->n = im->cap = 0;
}

void blk_image_close(struct blk_image *im)
{
    blk_image_revert(im);
    if (im->fd >= 0)
        close(im->fd);
    im->fd = -1;
}
