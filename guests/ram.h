/* Guest RAM: a table of pages that a guest shares until it writes them. */
#ifndef GUESTS_RAM_H
#define GUESTS_RAM_H

#include "guests/page.h"

struct blob;

#define LEAF_SHIFT 6
#define LEAF_PAGES (1u << LEAF_SHIFT)

/**
 * A part of the table: LEAF_PAGES page pointers, or as many as RAM has left. A clone shares its
 * original's leaves: while `refs` is above 1 none of the pointers changes. A leaf that is
 * shared, or was, is `marked`: it holds each of its pages twice, so that page_shared answers for
 * a page what is true of its leaf, and whoever asks need not know of leaves.
 */
struct leaf {
    _Atomic uint32_t refs; /* tables that hold it */
    uint32_t n;            /* pointers, none of them NULL */
    bool marked;           /* changed by its only holder */
    struct page *pages[];
};

/** RAM from `base` for `size` bytes, both multiples of PAGE_SIZE. */
struct ram {
    uint64_t base, size;
    struct leaf **leaves; /* size / PAGE_SIZE / LEAF_PAGES of them, rounded up; never NULL */
    /**
     * Called before a slot's page is replaced (by its private copy) or its code dropped, so that
     * whoever holds host pointers to it lets go. May be NULL.
     */
    void (*changing)(struct ram *r, uint64_t addr, struct page *old);
    void *changing_opaque;
};

/** All zeroes: the zero page in every slot. */
void ram_init(struct ram *r, uint64_t base, uint64_t size);
void ram_finish(struct ram *r);

/**
 * Make `to`, which ram_init made as large and which nobody has written, hold what `from` holds:
 * every page is shared afterwards, so `from` must have no host pointer for stores when it next
 * runs. Costs a reference per leaf, and once for each leaf of the original one per page.
 */
void ram_share(struct ram *to, struct ram *from);

static inline bool ram_contains(const struct ram *r, uint64_t addr, uint64_t len)
{
    return addr >= r->base && addr - r->base <= r->size && len <= r->size - (addr - r->base);
}

/** The page at an address inside RAM; borrowed. */
static inline struct page *ram_page(const struct ram *r, uint64_t addr)
{
    uint64_t n = (addr - r->base) >> PAGE_SHIFT;

    return r->leaves[n >> LEAF_SHIFT]->pages[n & (LEAF_PAGES - 1)];
}

/**
 * The bytes of the page at an address inside RAM, ready to be written by this guest: copied
 * first if shared, without code afterwards. Valid until the slot changes.
 */
uint8_t *ram_own(struct ram *r, uint64_t addr);

/**
 * The same for a write of `len` bytes within the page only: code decoded from other bytes of
 * the page stays, so that data beside code does not cost its decoding each time.
 */
uint8_t *ram_own_bytes(struct ram *r, uint64_t addr, uint32_t len);

/** Put a page, which is borrowed, at an address inside RAM: it is shared until it is written. */
void ram_map_page(struct ram *r, uint64_t addr, struct page *p);

/** Copy out of or into RAM; false, with nothing done, if any of it lies outside. */
bool ram_read(const struct ram *r, uint64_t addr, void *buf, uint64_t len);
bool ram_write(struct ram *r, uint64_t addr, const void *buf, uint64_t len);
bool ram_fill(struct ram *r, uint64_t addr, uint8_t byte, uint64_t len);

/** A file's contents as pages, shared by all guests that load it (see blob_get). */
struct blob {
    char *path;
    uint64_t size;
    struct page **pages; /* the last one is padded with zeroes */
    size_t n_pages;
};

/**
 * Put bytes [offset, offset+len) of a blob at `addr`. Whole pages that are aligned alike in
 * both are shared; the rest is copied. False if it does not fit in RAM.
 */
bool ram_map_blob(struct ram *r, uint64_t addr, const struct blob *b, uint64_t offset,
                  uint64_t len);

/** Pages this guest alone holds, in bytes: what it cost. */
uint64_t ram_private_bytes(const struct ram *r);

/** Host bytes of the table: what it alone holds of it. */
size_t ram_table_bytes(const struct ram *r);

/** A hash of the contents. */
uint64_t ram_hash(const struct ram *r, uint64_t hash);

#endif
