/* Images: what a file is, where its parts go in RAM, and putting them there. */
#include "guests/loader.h"

#include <inttypes.h>

bool image_add_part(struct image *im, const struct image_request *r, const struct image_part *part,
                    struct err *err)
{
    uint64_t offset = part->addr - r->ram_base;

    if (part->addr < r->ram_base || offset > r->ram_size || part->mem_len > r->ram_size - offset) {
        err_add(err,
                "%s %s: its part of 0x%" PRIx64 " bytes at 0x%" PRIx64
                " does not fit the RAM at 0x%" PRIx64 "-0x%" PRIx64 "; give it more memory",
                r->what, r->path, part->mem_len, part->addr, r->ram_base,
                r->ram_base + r->ram_size - 1);
        return false;
    }
    if (part->file_len > part->mem_len || part->offset > im->blob->size ||
        part->file_len > im->blob->size - part->offset) {
        err_add(err, "%s %s: it is cut short or damaged: a part of 0x%" PRIx64
                " bytes at offset 0x%" PRIx64 " is not in the file",
                r->what, r->path, part->file_len, part->offset);
        return false;
    }
    if (im->n_parts == IMAGE_MAX_PARTS) {
        err_add(err, "%s %s: it has more than %d loadable segments", r->what, r->path,
                IMAGE_MAX_PARTS);
        return false;
    }
    if (im->n_parts == 0 || part->addr < im->start)
        im->start = part->addr;
    if (part->addr + part->mem_len > im->end)
        im->end = part->addr + part->mem_len;
    im->parts[im->n_parts++] = *part;
    return true;
}

static bool flat_open(struct image *im, const struct image_request *r, struct err *err)
{
    struct image_part all = {r->at, im->blob->size, 0, im->blob->size};

    im->kind = IMAGE_FLAT;
    im->entry = r->at;
    return image_add_part(im, r, &all, err);
}

static bool image_identify(struct image *im, const struct image_request *r, struct err *err)
{
    if (elf_is(im->blob))
        return elf_open(im, r, err);
    if (linux_image_is(im->blob))
        return linux_image_open(im, r, err);
    return flat_open(im, r, err);
}

bool image_open_blob(struct image *im, const struct image_request *r, struct blob *b,
                     struct err *err)
{
    /* A file may hold what RAM does not take: an ELF's symbols. */
    uint64_t max = MIN(BLOB_MAX, r->ram_size + (64 << 20));

    memset(im, 0, sizeof(*im));
    im->file = blob_ref(b);
    im->blob = image_unpack(b, r->what, r->path, max, err);
    if (im->blob && image_identify(im, r, err))
        return true;
    image_finish(im);
    return false;
}

bool image_open(struct image *im, const struct image_request *r, struct err *err)
{
    struct blob *b = blob_get(r->what, r->path, err);
    bool ok;

    memset(im, 0, sizeof(*im));
    ok = b && image_open_blob(im, r, b, err);
    blob_put(b);
    return ok;
}

void image_load(const struct image *im, struct ram *ram)
{
    for (unsigned i = 0; i < im->n_parts; i++) {
        const struct image_part *p = &im->parts[i];

        if (p->file_len == im->blob->size && (p->addr & PAGE_MASK) == 0)
            blob_map(im->blob, ram, p->addr);
        else
            ram_map_blob(ram, p->addr, im->blob, p->offset, p->file_len);
    }
}

void image_finish(struct image *im)
{
    blob_put(im->blob);
    blob_put(im->file);
    memset(im, 0, sizeof(*im));
}

void loader_probe(const uint8_t *bytes, size_t len)
{
    struct image_request r = {.what = "probe: kernel",
                              .path = "(bytes)",
                              .ram_base = 0x80000000,
                              .ram_size = 16 << 20,
                              .at = 0x80200000};
    struct blob *b = blob_from_bytes(r.path, bytes, len);
    struct err err = {0};
    struct image im;

    if (image_open_blob(&im, &r, b, &err)) {
        struct ram ram;

        ram_init(&ram, r.ram_base, r.ram_size);
        image_load(&im, &ram);
        ram_finish(&ram);
        image_finish(&im);
    }
    blob_put(b);
    err_finish(&err);
}
