/* Page tables: Sv39 and Sv48 (Privileged 4.3.2, 4.4, 4.5), A and D set by hardware. */
#include "guests/cpu.h"

#define PTE_V 1u
#define PTE_R 2u
#define PTE_W 4u
#define PTE_X 8u
#define PTE_U 16u
#define PTE_A 64u
#define PTE_D 128u
#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK ((1ULL << 44) - 1)
#define PTE_RESERVED (~0ULL << 54) /* N, PBMT and the rest: no such extension here */

#define SATP_MODE_SHIFT 60
#define LEVEL_BITS 9

static const enum cause page_fault[] = {
    [ACCESS_LOAD] = CAUSE_LOAD_PAGE,
    [ACCESS_STORE] = CAUSE_STORE_PAGE,
    [ACCESS_FETCH] = CAUSE_FETCH_PAGE,
};
static const enum cause access_fault[] = {
    [ACCESS_LOAD] = CAUSE_LOAD_ACCESS,
    [ACCESS_STORE] = CAUSE_STORE_ACCESS,
    [ACCESS_FETCH] = CAUSE_FETCH_ACCESS,
};

enum priv mmu_data_priv(const struct hart *h)
{
    if (h->priv == PRIV_M && (h->mstatus & MSTATUS_MPRV))
        return (enum priv)((h->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT);
    return h->priv;
}

/* Levels of the tables that satp selects; 0: Bare. */
static unsigned levels_of(const struct hart *h)
{
    unsigned mode = (unsigned)(h->satp >> SATP_MODE_SHIFT);

    return mode == 8 ? 3 : mode == 9 ? 4 : 0;
}

/* The bits above the virtual address repeat its top bit. */
static bool canonical(uint64_t va, unsigned levels)
{
    unsigned unused = 64 - (PAGE_SHIFT + LEVEL_BITS * levels);

    return (uint64_t)((int64_t)(va << unused) >> unused) == va;
}

static bool malformed(uint64_t pte)
{
    return !(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W || (pte & PTE_RESERVED);
}

/* Steps 5 and 6 of 4.3.2: whether a leaf allows the access. */
static bool allowed(const struct hart *h, uint64_t pte, enum access access, enum priv priv)
{
    if (priv == PRIV_U && !(pte & PTE_U))
        return false;
    if (priv == PRIV_S && (pte & PTE_U) &&
        (access == ACCESS_FETCH || !(h->mstatus & MSTATUS_SUM)))
        return false;
    switch (access) {
    case ACCESS_FETCH: return pte & PTE_X;
    case ACCESS_STORE: return pte & PTE_W;
    default: return (pte & PTE_R) || ((pte & PTE_X) && (h->mstatus & MSTATUS_MXR));
    }
}

/* Step 7: the walk's own accesses are S-mode's, and PMP may forbid them. */
static enum cause set_accessed(struct hart *h, uint64_t addr, uint64_t pte, enum access access,
                               bool update)
{
    uint64_t need = PTE_A | (access == ACCESS_STORE ? PTE_D : 0);
    uint8_t bytes[8];

    if ((pte & need) == need)
        return CAUSE_NONE;
    if (!pmp_check(h, addr, 8, ACCESS_STORE, PRIV_S))
        return access_fault[access];
    if (update) {
        store_le64(bytes, pte | need);
        ram_write(h->env->ram, addr, bytes, sizeof(bytes));
    }
    return CAUSE_NONE;
}

static enum cause leaf(struct hart *h, uint64_t va, uint64_t addr, uint64_t pte, unsigned level,
                       enum access access, enum priv priv, bool update, uint64_t *pa)
{
    uint64_t ppn = pte >> PTE_PPN_SHIFT & PTE_PPN_MASK;
    uint64_t low = (1ULL << LEVEL_BITS * level) - 1; /* of the page number, from va */
    enum cause cause;

    if (!allowed(h, pte, access, priv) || (ppn & low))
        return page_fault[access];
    cause = set_accessed(h, addr, pte, access, update);
    *pa = (ppn | (va >> PAGE_SHIFT & low)) << PAGE_SHIFT | (va & PAGE_MASK);
    return cause;
}

enum cause mmu_walk(struct hart *h, uint64_t va, enum access access, enum priv priv, bool update,
                    uint64_t *pa, unsigned *level)
{
    unsigned levels = priv == PRIV_M ? 0 : levels_of(h);
    uint64_t table = (h->satp & PTE_PPN_MASK) << PAGE_SHIFT;

    *level = 0;
    *pa = va;
    if (levels == 0)
        return CAUSE_NONE;
    if (!canonical(va, levels))
        return page_fault[access];
    for (unsigned i = levels; i-- > 0;) {
        uint64_t vpn = va >> (PAGE_SHIFT + LEVEL_BITS * i) & ((1u << LEVEL_BITS) - 1);
        uint64_t addr = table + vpn * 8, pte;
        uint8_t bytes[8];

        if (!pmp_check(h, addr, 8, ACCESS_LOAD, PRIV_S) ||
            !ram_read(h->env->ram, addr, bytes, sizeof(bytes)))
            return access_fault[access];
        pte = load_le64(bytes);
        if (malformed(pte))
            return page_fault[access];
        *level = i;
        if (pte & (PTE_R | PTE_X))
            return leaf(h, va, addr, pte, i, access, priv, update, pa);
        if (pte & (PTE_D | PTE_A | PTE_U)) /* reserved in a pointer (4.3.1) */
            return page_fault[access];
        table = (pte >> PTE_PPN_SHIFT & PTE_PPN_MASK) << PAGE_SHIFT;
    }
    return page_fault[access];
}

bool hart_translate(struct hart *h, uint64_t va, uint64_t *pa)
{
    unsigned level;

    return mmu_walk(h, va, ACCESS_LOAD, mmu_data_priv(h), false, pa, &level) == CAUSE_NONE;
}
