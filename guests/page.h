/* Pages: 4 KiB of guest memory, reference counted, immutable while shared. */
#ifndef GUESTS_PAGE_H
#define GUESTS_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sim/base.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK 4095u

struct code;

/**
 * `refs` is the number of pointers held. While it is above 1 the bytes never change; the only
 * holder of a page may write it in place, after dropping its code.
 *
 * `code` is what was decoded from the bytes: it belongs to the contents, so every guest that
 * holds the page runs it. It goes with the page, or when the only holder writes.
 */
struct page {
    _Atomic uint32_t refs;
    _Atomic(struct code *) code;
    uint8_t *data; /* PAGE_SIZE bytes, 64-byte aligned */
};

/** The page of zeroes, shared by everyone: a new reference. It is never freed, nor counted. */
struct page *page_zero(void);

/** A new page of unspecified contents, one reference. */
struct page *page_new(void);

struct page *page_ref(struct page *p);

/** Give up a reference; the last frees the page and its code. NULL is accepted. */
void page_unref(struct page *p);

/** Whether somebody else holds it too, so that it must be copied before it is written. */
static inline bool page_shared(const struct page *p)
{
    return atomic_load_explicit(&p->refs, memory_order_acquire) > 1;
}

/** Forget what was decoded from the page; by its only holder. */
void page_drop_code(struct page *p);

/** Pages alive in the process, the zero page not counted; and the bytes that they take. */
size_t page_alive(void);
size_t page_bytes(void);

#endif
