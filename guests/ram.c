/* Guest RAM: slots that point to shared pages, and the copy that a write makes. */
#include "guests/ram.h"

#include <assert.h>
#include <pthread.h>

#include "guests/code.h"

/* --- the table --- */

/* Every slot of fresh RAM: a leaf of zero pages that is never freed, nor written. */
static struct leaf *zero;
static pthread_once_t zero_once = PTHREAD_ONCE_INIT;

static struct leaf *leaf_new(uint32_t n, uint32_t refs)
{
    struct leaf *l = xmalloc(sizeof(*l) + n * sizeof(l->pages[0]));

    atomic_init(&l->refs, refs);
    l->n = n;
    l->marked = false;
    return l;
}

static void zero_make(void)
{
    zero = leaf_new(LEAF_PAGES, UINT32_MAX / 2); /* it always looks shared, and nobody counts */
    for (unsigned i = 0; i < LEAF_PAGES; i++)
        zero->pages[i] = page_zero();
}

static size_t leaf_bytes(const struct leaf *l)
{
    return sizeof(*l) + l->n * sizeof(l->pages[0]);
}

static bool leaf_shared(const struct leaf *l)
{
    return atomic_load_explicit(&l->refs, memory_order_acquire) > 1;
}

static struct leaf *leaf_ref(struct leaf *l)
{
    if (l != zero)
        atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

/* Give each page up once; twice is its marking. */
static void leaf_pages_unref(struct leaf *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        page_unref(l->pages[i]);
}

static void leaf_unref(struct leaf *l)
{
    if (l == zero || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (l->marked)
        leaf_pages_unref(l);
    leaf_pages_unref(l);
    free(l);
}

static size_t n_leaves(const struct ram *r)
{
    return (size_t)((r->size >> PAGE_SHIFT) + LEAF_PAGES - 1) >> LEAF_SHIFT;
}

static struct leaf *leaf_copy(const struct ram *r, size_t index)
{
    uint64_t left = (r->size >> PAGE_SHIFT) - ((uint64_t)index << LEAF_SHIFT);
    struct leaf *l = leaf_new((uint32_t)MIN(left, LEAF_PAGES), 1);

    for (uint32_t i = 0; i < l->n; i++)
        l->pages[i] = page_ref(r->leaves[index]->pages[i]);
    return l;
}

/* A leaf whose pointers this guest may change: a copy if others hold it, unmarked if none does. */
static struct leaf *leaf_own(struct ram *r, size_t index)
{
    struct leaf *l = r->leaves[index];

    if (leaf_shared(l)) {
        r->leaves[index] = leaf_copy(r, index);
        leaf_unref(l);
        return r->leaves[index];
    }
    if (l->marked) {
        l->marked = false;
        leaf_pages_unref(l);
    }
    return l;
}

/* Hold each page once more, for as long as the leaf may be shared. */
static void leaf_mark(struct leaf *l)
{
    if (l->marked || l == zero)
        return;
    l->marked = true;
    for (uint32_t i = 0; i < l->n; i++)
        page_ref(l->pages[i]);
}

void ram_init(struct ram *r, uint64_t base, uint64_t size)
{
    pthread_once(&zero_once, zero_make);
    memset(r, 0, sizeof(*r));
    r->base = base;
    r->size = size;
    r->leaves = xmalloc(n_leaves(r) * sizeof(r->leaves[0]));
    for (size_t i = 0; i < n_leaves(r); i++)
        r->leaves[i] = zero;
}

void ram_finish(struct ram *r)
{
    for (size_t i = 0; r->leaves && i < n_leaves(r); i++)
        leaf_unref(r->leaves[i]);
    free(r->leaves);
    memset(r, 0, sizeof(*r));
}

void ram_share(struct ram *to, struct ram *from)
{
    assert(to->base == from->base && to->size == from->size);
    for (size_t i = 0; i < n_leaves(from); i++) {
        leaf_mark(from->leaves[i]);
        leaf_unref(to->leaves[i]);
        to->leaves[i] = leaf_ref(from->leaves[i]);
    }
}

/* The slot of an address, to be changed. */
static struct page **slot_of(struct ram *r, uint64_t addr)
{
    uint64_t n = (addr - r->base) >> PAGE_SHIFT;

    return &leaf_own(r, (size_t)(n >> LEAF_SHIFT))->pages[n & (LEAF_PAGES - 1)];
}

/* --- pages --- */

static void changing(struct ram *r, uint64_t addr, struct page *old)
{
    if (r->changing)
        r->changing(r, addr & ~(uint64_t)PAGE_MASK, old);
}

/* Put a page into a slot, taking over the reference. */
static void slot_replace(struct ram *r, uint64_t addr, struct page *p)
{
    struct page **slot = slot_of(r, addr), *old = *slot;

    changing(r, addr, old);
    *slot = p;
    page_unref(old);
}

static uint8_t *own_copy(struct ram *r, uint64_t addr, const struct page *old)
{
    struct page *p = page_new();

    memcpy(p->data, old->data, PAGE_SIZE);
    slot_replace(r, addr, p);
    return p->data;
}

uint8_t *ram_own_bytes(struct ram *r, uint64_t addr, uint32_t len)
{
    struct page *p = ram_page(r, addr);
    struct code *code;

    if (page_shared(p)) {
        p = *slot_of(r, addr); /* perhaps only the leaf was */
        if (page_shared(p))
            return own_copy(r, addr, p);
    }
    code = atomic_load_explicit(&p->code, memory_order_relaxed);
    if (code && code_covers(code, addr & PAGE_MASK, len)) {
        changing(r, addr, p);
        page_drop_code(p);
    }
    return p->data;
}

uint8_t *ram_own(struct ram *r, uint64_t addr)
{
    return ram_own_bytes(r, addr & ~(uint64_t)PAGE_MASK, PAGE_SIZE);
}

void ram_map_page(struct ram *r, uint64_t addr, struct page *p)
{
    slot_replace(r, addr, page_ref(p));
}

/* How much of [addr, addr+len) lies in the first page. */
static uint32_t first_part(uint64_t addr, uint64_t len)
{
    uint64_t room = PAGE_SIZE - (addr & PAGE_MASK);

    return (uint32_t)MIN(room, len);
}

bool ram_read(const struct ram *r, uint64_t addr, void *buf, uint64_t len)
{
    uint8_t *to = buf;

    if (!ram_contains(r, addr, len))
        return false;
    while (len) {
        uint32_t n = first_part(addr, len);

        memcpy(to, ram_page(r, addr)->data + (addr & PAGE_MASK), n);
        to += n;
        addr += n;
        len -= n;
    }
    return true;
}

bool ram_write(struct ram *r, uint64_t addr, const void *buf, uint64_t len)
{
    const uint8_t *from = buf;

    if (!ram_contains(r, addr, len))
        return false;
    while (len) {
        uint32_t n = first_part(addr, len);

        memcpy(ram_own_bytes(r, addr, n) + (addr & PAGE_MASK), from, n);
        from += n;
        addr += n;
        len -= n;
    }
    return true;
}

bool ram_fill(struct ram *r, uint64_t addr, uint8_t byte, uint64_t len)
{
    if (!ram_contains(r, addr, len))
        return false;
    while (len) {
        uint32_t n = first_part(addr, len);

        if (n == PAGE_SIZE && byte == 0)
            slot_replace(r, addr, page_zero());
        else
            memset(ram_own_bytes(r, addr, n) + (addr & PAGE_MASK), byte, n);
        addr += n;
        len -= n;
    }
    return true;
}

bool ram_map_blob(struct ram *r, uint64_t addr, const struct blob *b, uint64_t offset,
                  uint64_t len)
{
    if (offset > b->size || len > b->size - offset || !ram_contains(r, addr, len))
        return false;
    while (len) {
        /* The last page is padded with zeroes, but only a whole page may be shared: what
         * follows in RAM is not ours. Parts are cut at page ends of both sides. */
        uint32_t n = MIN(first_part(addr, len), first_part(offset, len));
        struct page *p = b->pages[offset >> PAGE_SHIFT];

        if (n == PAGE_SIZE)
            slot_replace(r, addr, page_ref(p));
        else
            memcpy(ram_own_bytes(r, addr, n) + (addr & PAGE_MASK), p->data + (offset & PAGE_MASK),
                   n);
        addr += n;
        offset += n;
        len -= n;
    }
    return true;
}

/* Of a leaf that was shared, and is no more, each page is held once for its mark. */
uint64_t ram_private_bytes(const struct ram *r)
{
    uint64_t n = 0;

    for (size_t i = 0; i < n_leaves(r); i++) {
        const struct leaf *l = r->leaves[i];

        for (uint32_t k = 0; !leaf_shared(l) && k < l->n; k++)
            n += atomic_load_explicit(&l->pages[k]->refs, memory_order_relaxed) <= 1u + l->marked;
    }
    return n << PAGE_SHIFT;
}

size_t ram_table_bytes(const struct ram *r)
{
    size_t bytes = n_leaves(r) * sizeof(r->leaves[0]);

    for (size_t i = 0; i < n_leaves(r); i++)
        bytes += leaf_shared(r->leaves[i]) ? 0 : leaf_bytes(r->leaves[i]);
    return bytes;
}

/* Multiply and rotate, a word at a time: for comparing runs, not against an adversary. */
static uint64_t hash_step(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

static uint64_t page_hash(const struct page *p)
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < PAGE_SIZE; i += 8)
        hash = hash_step(hash, load_le64(p->data + i));
    return hash;
}

/* Equal contents have equal hashes, shared or not; the zero page is hashed once. */
uint64_t ram_hash(const struct ram *r, uint64_t hash)
{
    struct page *none = page_zero();
    uint64_t none_hash = page_hash(none);

    for (uint64_t at = 0; at < r->size; at += PAGE_SIZE) {
        const struct page *p = ram_page(r, r->base + at);

        hash = hash_step(hash, p == none ? none_hash : page_hash(p));
    }
    return hash;
}
