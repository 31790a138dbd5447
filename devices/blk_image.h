/* A disk image: a host file beneath, what the guest wrote above it. */
#ifndef DEVICES_BLK_IMAGE_H
#define DEVICES_BLK_IMAGE_H

#include <stdbool.h>

#include "sim/err.h"

#define BLK_BLOCK 4096u /* what one copied page holds */

struct blk_page;

struct blk_image {
    int fd;
    bool writable;           /* writes go to the file */
    uint64_t bytes;          /* of the image, a multiple of 512 */
    struct blk_page **table; /* else they are here: a hash table by block number */
    uint32_t n, cap;         /* pages held; slots, a power of two */
};

/**
 * Open `path`. False with a sentence in err (at file:line where file is not NULL): it cannot be
 * opened, is no regular file, or holds no sector.
 */
bool blk_image_open(struct blk_image *im, const char *path, bool writable, const char *file,
                    int line, struct err *err);
void blk_image_close(struct blk_image *im);

/* Bytes [at, at + len) must lie inside the image. False: the host could not do it. */
bool blk_image_read(struct blk_image *im, uint64_t at, void *buf, size_t len);
bool blk_image_write(struct blk_image *im, uint64_t at, const void *buf, size_t len);

/** Make what was written reach the host's disk. */
bool blk_image_flush(struct blk_image *im);

/** Host bytes held for what the guest wrote. */
size_t blk_image_held(const struct blk_image *im);

/**
 * Hold what the guest of another image of the same file wrote, sharing it until either writes
 * again. This one has been written by nobody.
 */
void blk_image_clone(struct blk_image *im, const struct blk_image *from);

/** Forget what the guest wrote: the image is the file again. */
void blk_image_revert(struct blk_image *im);

#endif
