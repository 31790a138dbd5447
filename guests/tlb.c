/* Translation caches: data TLBs by mode, the fetch TLB, and the cache of jump targets. */
#include "guests/cpu.h"

/*
 * Sizes start small, because a hundred thousand small guests must fit, and double when
 * entries keep replacing each other. Everything that decides what is cached
 * depends on the guest's own accesses only, never on what other guests share (see cpu.h).
 */
#define TLB_MIN 64u
#define TLB_MAX 1024u
#define JUMPS_MIN 64u
#define FETCH_MAX 8192u
#define JUMPS_MAX 16384u
#define CONFLICTS_PER_ENTRY 4u
#define JUMPS_BUSY 128u /* instructions per jump lost: a cache that loses more is too small */

/* What harts look at before they have caches: never matches. */
static struct tlb_entry no_entry = {TAG_NONE, TAG_NONE, 0, 0};
static struct jump no_jump = {1, NULL};

static uint64_t page_of(uint64_t addr)
{
    return addr & ~(uint64_t)PAGE_MASK;
}

static enum bank bank_of(const struct hart *h)
{
    switch (mmu_data_priv(h)) {
    case PRIV_U: return BANK_U;
    case PRIV_S: return h->mstatus & MSTATUS_SUM ? BANK_S_SUM : BANK_S;
    default: return BANK_M;
    }
}

void tlb_select(struct hart *h)
{
    struct tlb *t = h->caches->banks[bank_of(h)];
    struct jump_cache *j = h->caches->jumps;

    h->tlb = t ? t->e : &no_entry;
    h->tlb_mask = t ? (t->n - 1) * sizeof(struct tlb_entry) : 0;
    h->jumps = j ? j->e : &no_jump;
    h->jump_mask = j ? (j->n - 1) * sizeof(struct jump) : 0;
    h->jump_xor = (uint64_t)h->priv << 60; /* no address with these bits has a block */
    h->may_zero = mem_may_zero(h);
}

static void clear_bank(struct tlb *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        t->e[i] = no_entry;
    memset(t->seen, 0, t->n);
    t->super_low = UINT64_MAX;
    t->super_high = 0;
}

/* The bit of `seen` for a physical page. */
static uint64_t seen_bit(const struct tlb *t, uint64_t pa, uint64_t **word)
{
    uint64_t i = pa >> PAGE_SHIFT & (8 * t->n - 1);

    *word = &t->seen[i / 64];
    return BIT(i % 64);
}

static void new_bank(struct hart *h, enum bank b, uint32_t n)
{
    struct tlb *t;

    free(h->caches->banks[b]);
    t = xmalloc(sizeof(*t) + n * (sizeof(t->e[0]) + sizeof(t->pa[0]) + 1));
    t->n = n;
    t->conflicts = 0;
    t->pa = (uint64_t *)(t->e + n);
    t->seen = t->pa + n;
    memset(t->pa, 0, n * sizeof(t->pa[0]));
    clear_bank(t);
    h->caches->banks[b] = t;
    tlb_select(h);
}

static void new_jumps(struct hart *h, uint32_t n)
{
    struct jump_cache *j;

    free(h->caches->jumps);
    j = xmalloc(sizeof(*j) + n * sizeof(j->e[0]));
    j->n = n;
    j->conflicts = 0;
    j->since = h->icount;
    h->caches->jumps = j;
    tlb_flush_jumps(h);
    tlb_select(h);
}

static void new_fetch(struct hart *h, uint32_t n)
{
    free(h->caches->fetch);
    h->caches->fetch = xcalloc(1, sizeof(struct fetch_tlb) + n * sizeof(struct fetch_entry));
    h->caches->fetch->n = n;
    h->caches->fetch->super_low = UINT64_MAX;
    tlb_flush_jumps(h);
}

void tlb_flush_jumps(struct hart *h)
{
    struct jump_cache *j = h->caches->jumps;

    for (uint32_t i = 0; j && i < j->n; i++)
        j->e[i] = no_jump;
}

void tlb_flush(struct hart *h)
{
    struct fetch_tlb *f = h->caches->fetch;

    for (unsigned b = 0; b < BANK_COUNT; b++)
        if (h->caches->banks[b])
            clear_bank(h->caches->banks[b]);
    if (f) {
        memset(f->e, 0, f->n * sizeof(f->e[0]));
        f->super_low = UINT64_MAX;
        f->super_high = 0;
    }
    tlb_flush_jumps(h);
}

/* Whether an entry's translation came from a leaf that also translates va. */
static bool same_leaf(uint64_t entry_va, unsigned level, uint64_t va)
{
    return (entry_va ^ va) >> (PAGE_SHIFT + 9 * level) == 0;
}

/* Parts of superpages are looked for only if the address may lie in one. */
static void flush_bank_page(struct tlb *t, uint64_t va)
{
    bool super = va >= t->super_low && va <= t->super_high;

    for (uint32_t i = 0; super && i < t->n; i++) {
        struct tlb_entry *e = &t->e[i];

        if (same_leaf(e->arch, e->arch >> ARCH_LEVEL_SHIFT & 3, va))
            *e = no_entry;
    }
    if (page_of(t->e[va >> PAGE_SHIFT & (t->n - 1)].arch) == page_of(va))
        t->e[va >> PAGE_SHIFT & (t->n - 1)] = no_entry;
}

/* Drop the jumps into the page of a fetch entry. */
static void forget_page(struct hart *h, uint64_t fetch_key)
{
    struct jump_cache *j = h->caches->jumps;
    uint64_t key = page_of(fetch_key) ^ (fetch_key >> 4 & 3) << 60;

    for (uint32_t i = 0; j && i < j->n; i++)
        if (page_of(j->e[i].key) == key)
            j->e[i] = no_jump;
}

static void drop_fetch(struct hart *h, struct fetch_entry *e)
{
    if (e->key)
        forget_page(h, e->key);
    e->key = 0;
}

/* Modes that run the same page do not fight for one entry. */
static struct fetch_entry *fetch_at(struct fetch_tlb *f, uint64_t va, unsigned priv)
{
    return &f->e[((va >> PAGE_SHIFT) + priv * 21) & (f->n - 1)];
}

void tlb_flush_page(struct hart *h, uint64_t va)
{
    struct fetch_tlb *f = h->caches->fetch;

    for (unsigned b = 0; b < BANK_COUNT; b++)
        if (h->caches->banks[b])
            flush_bank_page(h->caches->banks[b], va);
    for (uint32_t i = 0; f && f->super_low <= va && va <= f->super_high && i < f->n; i++)
        if (f->e[i].key && same_leaf(f->e[i].key, f->e[i].key >> 2 & 3, va))
            drop_fetch(h, &f->e[i]);
    for (unsigned p = PRIV_U; f && p <= PRIV_M; p++)
        if (page_of(fetch_at(f, va, p)->key) == page_of(va))
            drop_fetch(h, fetch_at(f, va, p));
}

/* The entry for va in the current bank, free for it: another page's has gone. */
static struct tlb_entry *take_entry(struct hart *h, enum bank b, uint64_t va)
{
    struct tlb *t = h->caches->banks[b];
    struct tlb_entry *e = tlb_at(h, va);

    if (!e->arch || page_of(e->arch) == page_of(va))
        return e;
    if (++t->conflicts > t->n * CONFLICTS_PER_ENTRY && t->n < TLB_MAX)
        new_bank(h, b, t->n * 2);
    return tlb_at(h, va);
}

static void note_super(uint64_t *low, uint64_t *high, uint64_t va, unsigned level)
{
    uint64_t inside = (1ULL << (PAGE_SHIFT + 9 * level)) - 1;

    *low = MIN(*low, va & ~inside);
    *high = MAX(*high, va | inside);
}

enum cause tlb_translate(struct hart *h, uint64_t va, enum access access, uint64_t *pa)
{
    enum bank b = bank_of(h);
    uint64_t right = access == ACCESS_STORE ? ARCH_W : ARCH_R;
    struct tlb_entry *e;
    unsigned level;
    enum cause cause;
    uint64_t *word, bit;
    struct tlb *t;

    if (!h->caches->banks[b])
        new_bank(h, b, TLB_MIN);
    e = tlb_at(h, va);
    t = h->caches->banks[b];
    if (page_of(e->arch) == page_of(va) && (e->arch & right)) {
        *pa = t->pa[e - t->e] | (va & PAGE_MASK);
        return CAUSE_NONE;
    }
    cause = mmu_walk(h, va, access, mmu_data_priv(h), true, pa, &level);
    if (cause != CAUSE_NONE)
        return cause;
    e = take_entry(h, b, va);
    t = h->caches->banks[b];
    if (page_of(e->arch) == page_of(va) && t->pa[e - t->e] == page_of(*pa))
        right |= e->arch & (ARCH_R | ARCH_W);
    *e = no_entry;
    e->arch = page_of(va) | right | (uint64_t)level << ARCH_LEVEL_SHIFT;
    t->pa[e - t->e] = page_of(*pa);
    bit = seen_bit(t, *pa, &word);
    *word |= bit;
    if (level > 0)
        note_super(&t->super_low, &t->super_high, va, level);
    return CAUSE_NONE;
}

void tlb_map(struct hart *h, uint64_t va)
{
    struct tlb_entry *e = tlb_at(h, va);
    struct tlb *t = h->caches->banks[bank_of(h)];
    uint64_t pa = t->pa[e - t->e];
    enum priv priv = mmu_data_priv(h);
    struct ram *ram = h->env->ram;
    struct page *p;

    if (page_of(e->arch) != page_of(va) || !ram_contains(ram, pa, PAGE_SIZE))
        return;
    p = ram_page(ram, pa);
    e->addend = (uint64_t)(uintptr_t)p->data - page_of(va);
    if ((e->arch & ARCH_R) && pmp_check_page(h, pa, ACCESS_LOAD, priv) == PMP_ALLOW)
        e->tag_load = page_of(va);
    if ((e->arch & ARCH_W) && !page_shared(p) &&
        !atomic_load_explicit(&p->code, memory_order_acquire) &&
        pmp_check_page(h, pa, ACCESS_STORE, priv) == PMP_ALLOW)
        e->tag_store = page_of(va);
}

/* Entries, in any bank, that map the physical page lose the host pointer for stores, or both. */
static void drop_tags(struct hart *h, uint64_t pa, bool loads)
{
    for (unsigned b = 0; b < BANK_COUNT; b++) {
        struct tlb *t = h->caches->banks[b];
        uint64_t *word, bit;

        if (!t)
            continue;
        bit = seen_bit(t, pa, &word);
        if (!(*word & bit))
            continue;
        for (uint32_t i = 0; i < t->n; i++) {
            if (t->pa[i] != pa)
                continue;
            t->e[i].tag_store = TAG_NONE;
            if (loads)
                t->e[i].tag_load = TAG_NONE;
        }
    }
}

void tlb_protect(struct hart_env *env, uint64_t pa)
{
    for (unsigned i = 0; i < env->n_harts; i++)
        if (env->harts[i].caches)
            drop_tags(&env->harts[i], page_of(pa), false);
}

/* A run may be in the middle of a block of that page: its code is kept until the run ends. */
static void keep_code(struct hart_caches *c, struct code *code)
{
    if (c->n_dead == c->cap_dead) {
        c->cap_dead = c->cap_dead ? 2 * c->cap_dead : 4;
        c->dead = xrealloc(c->dead, c->cap_dead * sizeof(c->dead[0]));
    }
    code_ref(code);
    c->dead[c->n_dead++] = code;
    c->code_changed = true;
}

void hart_page_changing(struct hart *h, uint64_t addr, struct page *old)
{
    struct code *code = atomic_load_explicit(&old->code, memory_order_acquire);

    if (!h->caches)
        return;
    drop_tags(h, page_of(addr), true);
    if (!code)
        return;
    tlb_flush_jumps(h);
    if (h->caches->running)
        keep_code(h->caches, code);
}

enum cause tlb_fetch(struct hart *h, uint64_t va, uint64_t *pa)
{
    struct fetch_tlb *f = h->caches->fetch;
    uint64_t who = FETCH_VALID | (uint64_t)h->priv << 4;
    struct fetch_entry *e;
    unsigned level;
    enum cause cause;

    if (!f) {
        new_fetch(h, TLB_MIN);
        f = h->caches->fetch;
    }
    e = fetch_at(f, va, h->priv);
    if ((e->key & ~12ULL) == (page_of(va) | who)) {
        *pa = e->pa | (va & PAGE_MASK);
        return CAUSE_NONE;
    }
    cause = mmu_walk(h, va, ACCESS_FETCH, h->priv, true, pa, &level);
    if (cause != CAUSE_NONE)
        return cause;
    if (e->key) {
        forget_page(h, e->key); /* a jump may not know it longer than the fetch TLB does */
        if (++f->conflicts > f->n / 4 && f->n < FETCH_MAX) {
            new_fetch(h, f->n * 2);
            f = h->caches->fetch;
            e = fetch_at(f, va, h->priv);
        }
    }
    if (level > 0)
        note_super(&f->super_low, &f->super_high, va, level);
    e->key = page_of(va) | who | (uint64_t)level << 2;
    e->pa = page_of(*pa);
    return CAUSE_NONE;
}

void tlb_add_jump(struct hart *h, uint64_t pc, struct block *b)
{
    struct jump_cache *j = h->caches->jumps;
    struct jump *e;

    if (!j) {
        new_jumps(h, JUMPS_MIN);
        j = h->caches->jumps;
    }
    e = jump_at(h, pc);
    if (e->block && ++j->conflicts > j->n && j->n < JUMPS_MAX) {
        if (h->icount - j->since < (uint64_t)j->n * JUMPS_BUSY)
            new_jumps(h, j->n * 2);
        j = h->caches->jumps;
        j->conflicts = 0;
        j->since = h->icount;
        e = jump_at(h, pc);
    }
    *e = (struct jump){pc ^ h->jump_xor, b};
}
