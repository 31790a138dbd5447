/*
 * The Linux Image: a flat kernel with a header that says where it wants to lie.
 *
 *     0   code0 (4)  code1 (4)      16  image_size (8)      48  magic "RISCV\0\0\0" (8)
 *     8   text_offset (8)           24  flags (8)           56  magic2 "RSC\x05" (4)
 *
 * Documentation/arch/riscv/boot-image-header.rst; `magic` is deprecated, magic2 decides.
 */
#include "guests/loader.h"

#include <inttypes.h>

#define HEADER_SIZE 64
#define FLAG_BIG_ENDIAN 1

bool linux_image_is(const struct blob *b)
{
    uint8_t magic2[4];

    return b->size >= HEADER_SIZE && blob_read(b, 56, magic2, 4) &&
           memcmp(magic2, "RSC\x05", 4) == 0;
}

bool linux_image_open(struct image *im, const struct image_request *r, struct err *err)
{
    uint8_t h[HEADER_SIZE];
    uint64_t text_offset, image_size, flags;
    struct image_part part = {.file_len = im->blob->size};

    blob_read(im->blob, 0, h, sizeof(h));
    text_offset = load_le64(h + 8);
    image_size = load_le64(h + 16);
    flags = load_le64(h + 24);
    if (flags & FLAG_BIG_ENDIAN) {
        err_add(err, "%s %s: it is a big-endian Linux kernel", r->what, r->path);
        return false;
    }
    /* Before 4.20 both were 0. The request's place wins over a smaller offset: firmware is below. */
    part.addr = MAX(r->at, r->ram_base + MIN(text_offset, r->ram_size));
    part.mem_len = MAX(image_size, im->blob->size);
    im->kind = IMAGE_LINUX;
    im->entry = part.addr;
    return image_add_part(im, r, &part, err);
}
