/* Images: what a file is (ELF, Linux Image, flat; packed or not), and where its parts go. */
#ifndef GUESTS_LOADER_H
#define GUESTS_LOADER_H

#include "guests/blob.h"

enum image_kind { IMAGE_ELF, IMAGE_LINUX, IMAGE_FLAT };

#define IMAGE_MAX_PARTS 32

/** Bytes of the file that belong at a physical address; the rest up to mem_len is zero. */
struct image_part {
    uint64_t addr, mem_len;
    uint64_t offset, file_len;
};

/** What is asked for, and the RAM it must fit into. */
struct image_request {
    const char *what;            /* "h1: kernel", opens every sentence */
    const char *path;
    uint64_t ram_base, ram_size;
    uint64_t at;                 /* where an image goes that may lie anywhere, or says nothing */
};

struct image {
    enum image_kind kind;
    struct blob *file;   /* as it was read; a reference, which keeps what was unpacked cached */
    struct blob *blob;   /* unpacked; a reference */
    uint64_t entry;
    uint64_t start, end; /* what it occupies, bss included */
    struct image_part parts[IMAGE_MAX_PARTS];
    unsigned n_parts;
};

/**
 * Read, unpack, and check a file against RAM; nothing is written yet. False with one sentence
 * in err; the image needs no cleanup then.
 *
 * Formats: ELF64 little-endian RISC-V, ET_EXEC and ET_DYN (RISC-V ELF psABI, chapter 8); the
 * Linux Image header (Documentation/arch/riscv/boot-image-header.rst); either of them, or
 * anything else as a flat binary, inside gzip (RFC 1952), zstd (RFC 8878) or EFI zboot.
 */
bool image_open(struct image *im, const struct image_request *r, struct err *err);

/** The same for bytes that are at hand; `b` is borrowed. */
bool image_open_blob(struct image *im, const struct image_request *r, struct blob *b,
                     struct err *err);

/** Put it into RAM, which is zero where it goes. */
void image_load(const struct image *im, struct ram *ram);

void image_finish(struct image *im);

/** Everything that is done with an image, on any bytes; for fuzzing. */
void loader_probe(const uint8_t *bytes, size_t len);

/* --- loader_elf.c, loader_linux.c: by format; both add to `im`, which is zero before --- */

bool elf_is(const struct blob *b);
bool elf_open(struct image *im, const struct image_request *r, struct err *err);
bool linux_image_is(const struct blob *b);
bool linux_image_open(struct image *im, const struct image_request *r, struct err *err);

/** Add a part; false with a sentence if it does not lie in RAM or the file. */
bool image_add_part(struct image *im, const struct image_request *r, const struct image_part *part,
                    struct err *err);

/* --- loader_unpack.c --- */

/**
 * What is inside: `b` itself, or what its layers of compression hold, unpacked once for all
 * guests. A new reference, or NULL with a sentence. `max`: bytes that may come out.
 */
struct blob *image_unpack(struct blob *b, const char *what, const char *path, uint64_t max,
                          struct err *err);

#endif
