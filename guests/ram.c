/* Guest RAM: slots that point to shared pages, and the copy that a write makes. */
#include "guests/code.h"
#include "guests/ram.h"

void ram_init(struct ram *r, uint64_t base, uint64_t size)
{
    memset(r, 0, sizeof(*r));
    r->base = base;
    r->size = size;
    r->pages = xmalloc((size_t)(size >> PAGE_SHIFT) * sizeof(struct page *));
    for (uint64_t i = 0; i < size >> PAGE_SHIFT; i++)
        r->pages[i] = page_zero();
}

void ram_finish(struct ram *r)
{
    if (!r->pages)
        return;
    for (uint64_t i = 0; i < r->size >> PAGE_SHIFT; i++)
        page_unref(r->pages[i]);
    free(r->pages);
    memset(r, 0, sizeof(*r));
}

static struct page **slot_of(struct ram *r, uint64_t addr)
{
    return &r->pages[(addr - r->base) >> PAGE_SHIFT];
}

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
    struct page *p = *slot_of(r, addr);
    struct code *code;

    if (page_shared(p))
        return own_copy(r, addr, p);
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

uint64_t ram_private_bytes(const struct ram *r)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < r->size >> PAGE_SHIFT; i++)
        n += !page_shared(r->pages[i]);
    return n << PAGE_SHIFT;
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
    struct page *zero = page_zero();
    uint64_t zero_hash = page_hash(zero);

    for (uint64_t i = 0; i < r->size >> PAGE_SHIFT; i++)
        hash = hash_step(hash, r->pages[i] == zero ? zero_hash : page_hash(r->pages[i]));
    return hash;
}
