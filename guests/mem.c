/* Loads and stores off the fast path: misses, misaligned ones, devices, faults, shared pages. */
#include "guests/cpu.h"

static enum cause access_fault(enum access access)
{
    return access == ACCESS_STORE ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS;
}

/* Translate and check `len` bytes within a page. False: the trap has been taken. */
static bool resolve(struct hart *h, uint64_t va, unsigned len, enum access access, uint64_t *pa)
{
    enum cause cause = tlb_translate(h, va, access, pa);

    if (cause == CAUSE_NONE && !pmp_check(h, *pa, len, access, mmu_data_priv(h)))
        cause = access_fault(access);
    if (cause == CAUSE_NONE)
        return true;
    trap_raise(h, cause, va);
    return false;
}

/* A device: time is exact when it looks, and the run ends after the instruction. */
static enum mem_status device(struct hart *h, uint64_t va, uint64_t pa, unsigned size,
                              enum access access, uint64_t value)
{
    struct hart_env *env = h->env;
    bool ok;

    fp_sync(h); /* its code gets the host's own rounding */
    if (env->actor)
        env->actor->now = hart_now(h);
    h->caches->synced = true;
    if (access == ACCESS_STORE)
        ok = bus_write(env->bus, pa, size, value);
    else
        ok = bus_read(env->bus, pa, size, &h->mem_value);
    if (ok)
        return MEM_LAST;
    trap_raise(h, access_fault(access), va);
    return MEM_FAULT;
}

/* Little-endian values of 1 to 8 bytes. */
static uint64_t get_bytes(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static void put_bytes(uint8_t *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static const uint8_t *ram_at(struct hart *h, uint64_t pa)
{
    return ram_page(h->env->ram, pa)->data + (pa & PAGE_MASK);
}

static enum mem_status done(struct hart *h)
{
    return h->caches->code_changed ? MEM_LAST : MEM_OK;
}

static enum mem_status ram_store(struct hart *h, uint64_t va, uint64_t pa, unsigned size,
                                 uint64_t value)
{
    uint8_t *p = ram_own_bytes(h->env->ram, pa, size) + (pa & PAGE_MASK);

    put_bytes(p, size, value);
    tlb_map(h, va);
    return done(h);
}

/* How many bytes of an access lie in its first page. */
static unsigned first_part(uint64_t va, unsigned size)
{
    return MIN(size, PAGE_SIZE - (unsigned)(va & PAGE_MASK));
}

/*
 * Across a page's end: both parts are translated before anything is done, so that a fault in
 * the second leaves the first alone. A device does not answer to half an access.
 */
static bool resolve_parts(struct hart *h, uint64_t va, unsigned size, enum access access,
                          uint64_t pa[2])
{
    unsigned n = first_part(va, size);

    if (!resolve(h, va, n, access, &pa[0]) || !resolve(h, va + n, size - n, access, &pa[1]))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        if (ram_contains(h->env->ram, pa[i], 1))
            continue;
        trap_raise(h, access_fault(access), va + (i ? n : 0));
        return false;
    }
    return true;
}

static enum mem_status load_parts(struct hart *h, uint64_t va, unsigned size)
{
    unsigned n = first_part(va, size);
    uint64_t pa[2];

    if (!resolve_parts(h, va, size, ACCESS_LOAD, pa))
        return MEM_FAULT;
    h->mem_value = get_bytes(ram_at(h, pa[0]), n);
    h->mem_value |= get_bytes(ram_at(h, pa[1]), size - n) << 8 * n;
    return done(h);
}

static enum mem_status store_parts(struct hart *h, uint64_t va, unsigned size, uint64_t value)
{
    unsigned n = first_part(va, size);
    uint64_t pa[2];

    if (!resolve_parts(h, va, size, ACCESS_STORE, pa))
        return MEM_FAULT;
    ram_store(h, va, pa[0], n, value);
    ram_store(h, va + n, pa[1], size - n, value >> 8 * n);
    return done(h);
}

enum mem_status mem_load(struct hart *h, uint64_t va, unsigned size)
{
    uint64_t pa;

    h->caches->code_changed = false;
    if (first_part(va, size) < size)
        return load_parts(h, va, size);
    if (!resolve(h, va, size, ACCESS_LOAD, &pa))
        return MEM_FAULT;
    if (!ram_contains(h->env->ram, pa, size))
        return device(h, va, pa, size, ACCESS_LOAD, 0);
    h->mem_value = get_bytes(ram_at(h, pa), size);
    tlb_map(h, va);
    return done(h);
}

enum mem_status mem_store(struct hart *h, uint64_t va, unsigned size, uint64_t value)
{
    uint64_t pa;

    h->caches->code_changed = false;
    if (first_part(va, size) < size)
        return store_parts(h, va, size, value);
    if (!resolve(h, va, size, ACCESS_STORE, &pa))
        return MEM_FAULT;
    if (!ram_contains(h->env->ram, pa, size))
        return device(h, va, pa, size, ACCESS_STORE, value);
    return ram_store(h, va, pa, size, value);
}

/* Misaligned ones trap (8.2, 8.4), and devices support no atomics (Privileged 3.6.3). */
uint8_t *mem_atomic(struct hart *h, uint64_t va, unsigned size, enum access access)
{
    uint64_t pa;
    uint8_t *page;

    h->caches->code_changed = false;
    if (va & (size - 1)) {
        trap_raise(h, access == ACCESS_STORE ? CAUSE_STORE_MISALIGNED : CAUSE_LOAD_MISALIGNED,
                   va);
        return NULL;
    }
    if (!resolve(h, va, size, access, &pa))
        return NULL;
    if (!ram_contains(h->env->ram, pa, size)) {
        trap_raise(h, access_fault(access), va);
        return NULL;
    }
    if (access == ACCESS_STORE)
        page = ram_own_bytes(h->env->ram, pa, size);
    else
        page = ram_page(h->env->ram, pa)->data;
    tlb_map(h, va);
    h->mem_value = pa;
    return page + (pa & PAGE_MASK);
}

bool mem_may_zero(const struct hart *h)
{
    if (h->priv == PRIV_M)
        return true;
    return (h->menvcfg & MENVCFG_CBZE) && (h->priv == PRIV_S || (h->senvcfg & MENVCFG_CBZE));
}

/* Like a store to every byte of the block (CMO 2.5.3); a fault reports the address given. */
static bool block_is_zero(const struct ram *r, uint64_t pa)
{
    static const uint8_t zero[64];

    return memcmp(ram_page(r, pa)->data + (pa & PAGE_MASK), zero, 64) == 0;
}

enum mem_status mem_zero_block(struct hart *h, uint64_t va)
{
    enum cause cause;
    uint64_t pa;

    h->caches->code_changed = false;
    cause = tlb_translate(h, va, ACCESS_STORE, &pa);
    pa &= ~63ULL;
    if (cause == CAUSE_NONE && (!pmp_check(h, pa, 64, ACCESS_STORE, mmu_data_priv(h)) ||
                                !ram_contains(h->env->ram, pa, 64)))
        cause = CAUSE_STORE_ACCESS;
    if (cause != CAUSE_NONE) {
        trap_raise(h, cause, va);
        return MEM_FAULT;
    }
    /* Clearing what is zero and shared takes no copy: kernels clear pages that nobody wrote. */
    if (!page_shared(ram_page(h->env->ram, pa)) || !block_is_zero(h->env->ram, pa))
        memset(ram_own_bytes(h->env->ram, pa, 64) + (pa & PAGE_MASK), 0, 64);
    tlb_map(h, va);
    return done(h);
}

uint32_t mem_insn_bits(struct hart *h)
{
    unsigned level;
    uint32_t bits = 0;

    for (unsigned i = 0; i < 4; i += 2) {
        uint64_t pa;
        uint8_t half[2];

        /* The first half was just fetched; a compressed instruction has no second. */
        if (mmu_walk(h, h->pc + i, ACCESS_FETCH, h->priv, false, &pa, &level) != CAUSE_NONE ||
            !ram_read(h->env->ram, pa, half, sizeof(half)))
            break;
        bits |= (uint32_t)load_le16(half) << 8 * i;
        if ((bits & 3) != 3)
            break;
    }
    return bits;
}
