/* The hart: its life, its clock, and the loop that runs it from block to block. */
#include "guests/exec.h"
#include "guests/translate/backend.h"

#define PC_MASK (~1ULL)

const struct field hart_fields[] = {
    FIELD(struct hart, x, FIELD_U64, 0),
    FIELD(struct hart, f, FIELD_U64, 0),
    FIELD(struct hart, pc, FIELD_U64, 0),
    FIELD(struct hart, icount, FIELD_U64, 0),
    FIELD(struct hart, priv, FIELD_U32, PRIV_M),
    FIELD(struct hart, wfi, FIELD_BOOL, 0),
    FIELD(struct hart, stopped, FIELD_BOOL, 0),
    FIELD(struct hart, idle_ns, FIELD_U64, 0),
    FIELD(struct hart, mstatus, FIELD_U64, MSTATUS_XL),
    FIELD(struct hart, medeleg, FIELD_U64, 0),
    FIELD(struct hart, mideleg, FIELD_U64, 0),
    FIELD(struct hart, mie, FIELD_U64, 0),
    FIELD(struct hart, mip, FIELD_U64, 0),
    FIELD(struct hart, mtvec, FIELD_U64, 0),
    FIELD(struct hart, mepc, FIELD_U64, 0),
    FIELD(struct hart, mcause, FIELD_U64, 0),
    FIELD(struct hart, mtval, FIELD_U64, 0),
    FIELD(struct hart, mscratch, FIELD_U64, 0),
    FIELD(struct hart, mcounteren, FIELD_U64, 0),
    FIELD(struct hart, mcountinhibit, FIELD_U64, 0),
    FIELD(struct hart, menvcfg, FIELD_U64, 0),
    FIELD(struct hart, mseccfg, FIELD_U64, 0),
    FIELD(struct hart, stvec, FIELD_U64, 0),
    FIELD(struct hart, sepc, FIELD_U64, 0),
    FIELD(struct hart, scause, FIELD_U64, 0),
    FIELD(struct hart, stval, FIELD_U64, 0),
    FIELD(struct hart, sscratch, FIELD_U64, 0),
    FIELD(struct hart, scounteren, FIELD_U64, 0),
    FIELD(struct hart, senvcfg, FIELD_U64, 0),
    FIELD(struct hart, satp, FIELD_U64, 0),
    FIELD(struct hart, stimecmp, FIELD_U64, UINT64_MAX), /* never due until it is set */
    FIELD(struct hart, mcycle_offset, FIELD_U64, 0),
    FIELD(struct hart, minstret_offset, FIELD_U64, 0),
    FIELD(struct hart, fflags, FIELD_U8, 0),
    FIELD(struct hart, frm, FIELD_U8, 0),
    FIELD(struct hart, pmpaddr, FIELD_U64, 0),
    FIELD(struct hart, pmpcfg, FIELD_U8, 0),
    FIELD(struct hart, reserve_addr, FIELD_U64, UINT64_MAX),
    FIELD(struct hart, reserve_value, FIELD_U64, 0),
    FIELD(struct hart, sei_line, FIELD_BOOL, 0),
    FIELD(struct hart, sei_soft, FIELD_BOOL, 0),
    FIELD(struct hart, n_traps, FIELD_U64, 0),
    FIELD_END,
};

void hart_init(struct hart *h, struct hart_env *env, uint32_t id)
{
    memset(h, 0, sizeof(*h));
    h->env = env;
    h->id = id;
    h->caches = xcalloc(1, sizeof(*h->caches));
    hart_reset(h, 0);
}

/* Time goes on: a hart that is reset keeps its clock. */
void hart_reset(struct hart *h, uint64_t pc)
{
    uint64_t icount = h->icount, idle_ns = h->idle_ns, n_traps = h->n_traps;

    h->fp_on = 0;
    h->fp_live = UINT8_MAX;
    state_reset(hart_fields, h);
    h->icount = icount;
    h->idle_ns = idle_ns;
    h->n_traps = n_traps;
    h->pc = pc & PC_MASK;
    hart_flush(h);
}

void hart_finish(struct hart *h)
{
    struct hart_caches *c = h->caches;

    if (!c)
        return;
    for (unsigned b = 0; b < BANK_COUNT; b++)
        free(c->banks[b]);
    free(c->fetch);
    free(c->jumps);
    for (uint32_t i = 0; i < c->n_dead; i++)
        code_unref(c->dead[i]);
    free(c->dead);
    free(c);
    memset(h, 0, sizeof(*h));
}

void hart_flush(struct hart *h)
{
    tlb_flush(h);
    tlb_select(h);
}

size_t hart_cache_bytes(const struct hart *h)
{
    const struct hart_caches *c = h->caches;
    size_t n = sizeof(*c) + c->cap_dead * sizeof(c->dead[0]);

    for (unsigned b = 0; b < BANK_COUNT; b++)
        if (c->banks[b])
            n += sizeof(struct tlb) + c->banks[b]->n * (sizeof(struct tlb_entry) + 9);
    if (c->fetch)
        n += sizeof(struct fetch_tlb) + c->fetch->n * sizeof(struct fetch_entry);
    if (c->jumps)
        n += sizeof(struct jump_cache) + c->jumps->n * sizeof(struct jump);
    return n;
}

uint64_t hart_icount_at(const struct hart *h, vtime_t t)
{
    unsigned mips = h->env->mips;
    uint64_t d;

    if (t <= 0 || (uint64_t)t <= h->idle_ns)
        return 0;
    d = (uint64_t)t - h->idle_ns;
    if (mips == 1000)
        return d;
    /* floor(n * 1000 / mips) >= d is n * 1000 >= d * mips */
    return (uint64_t)(((unsigned __int128)d * mips + 999) / 1000);
}

void hart_skip_to(struct hart *h, vtime_t t)
{
    vtime_t now = hart_now(h);

    if (t > now)
        h->idle_ns += (uint64_t)(t - now);
}

void hart_set_pending(struct hart *h, unsigned irq_bit, bool level)
{
    if (irq_bit == IRQ_SEI) {
        h->sei_line = level;
        level |= h->sei_soft;
    }
    if (level)
        h->mip |= BIT(irq_bit);
    else
        h->mip &= ~BIT(irq_bit);
}

void fp_sync(struct hart *h)
{
    if (!h->fp_on)
        return;
    fpu_leave(&h->caches->fpu, &h->fflags);
    h->fp_on = 0;
    h->fp_live = UINT8_MAX;
}

/* --- The run --- */

static struct block *temp_block(struct hart *h)
{
    return (struct block *)h->caches->block;
}

/* Translate and check a half instruction. False: the trap has been taken. */
static bool fetch_half(struct hart *h, uint64_t va, uint16_t *half)
{
    uint64_t pa;
    enum cause cause = tlb_fetch(h, va, &pa);

    if (cause == CAUSE_NONE && (!pmp_check(h, pa, 2, ACCESS_FETCH, h->priv) ||
                                !ram_contains(h->env->ram, pa, 2)))
        cause = CAUSE_FETCH_ACCESS;
    if (cause != CAUSE_NONE) {
        trap_raise(h, cause, va);
        return false;
    }
    *half = load_le16(ram_page(h->env->ram, pa)->data + (pa & PAGE_MASK));
    return true;
}

/* One instruction by itself: it crosses a page's end, or PMP splits the page. */
static struct block *fetch_one(struct hart *h)
{
    uint16_t low, high = 0;

    if (!fetch_half(h, h->pc, &low) ||
        (!decode_is_compressed(low) && !fetch_half(h, h->pc + 2, &high)))
        return NULL;
    block_decode_one(temp_block(h), low | (uint32_t)high << 16, h->pc & PAGE_MASK, op_exit);
    return temp_block(h);
}

/* The block at pc in a page that may be executed as a whole; NULL: not as a block. */
static struct block *page_block(struct hart *h, uint64_t pa)
{
    struct page *p = ram_page(h->env->ram, pa);
    struct block *b;
    bool made;
    struct code *c = code_of(p, &made);

    if (made)
        tlb_protect(h->env, pa);
    b = code_get(c, p->data, pa & PAGE_MASK);
    if (b)
        tlb_add_jump(h, h->pc, b);
    return b;
}

/* The block to run at pc; NULL: an exception was taken instead. */
static struct block *fetch(struct hart *h)
{
    const struct jump *j = jump_at(h, h->pc);
    enum cause cause;
    uint64_t pa;
    struct block *b = NULL;

    if (j->key == (h->pc ^ h->jump_xor))
        return j->block;
    cause = tlb_fetch(h, h->pc, &pa);
    if (cause != CAUSE_NONE) {
        trap_raise(h, cause, h->pc);
        return NULL;
    }
    if (ram_contains(h->env->ram, pa, 2) &&
        pmp_check_page(h, pa, ACCESS_FETCH, h->priv) == PMP_ALLOW)
        b = page_block(h, pa);
    return b ? b : fetch_one(h);
}

/* The first n instructions at pc, whose block is too long for what is left of the budget. */
static struct block *fetch_part(struct hart *h, unsigned n)
{
    uint64_t pa;

    tlb_fetch(h, h->pc, &pa); /* cannot fail: the pc was just found there */
    block_decode(temp_block(h), ram_page(h->env->ram, pa)->data, pa & PAGE_MASK, n, op_exit);
    return temp_block(h);
}

/* Call a handler, and those that follow it until one leaves. */
static void call_handler(op_fn *first, struct hart *h, const struct op *op, uint64_t page_va,
                         int64_t left)
{
    first(h, op, page_va, left);
#if !TAIL_CALLS
    for (struct resume *r = &h->caches->resume; r->op;)
        op_handler(r->op)(h, r->op, r->page_va, r->left);
#endif
}

bool native_step(struct hart *h, const struct op *op, uint64_t page_va, int64_t left)
{
    h->stepped = false;
    call_handler(op->handler, h, op, page_va, left);
    return h->stepped;
}

/* The block at pc, by machine code if the budget has room for that. */
static void execute(struct hart *h, struct block *b)
{
    uint64_t left = h->caches->until - h->icount;
    bool interpret = atomic_load_explicit(&b->native_n, memory_order_acquire) > left;
    op_fn *first = interpret ? b->first : op_handler(b->ops);

    call_handler(first, h, b->ops, h->pc & ~(uint64_t)PAGE_MASK, (int64_t)(left - b->n));
}

/* No block is executing any more: what was dropped meanwhile can go. */
static void bury(struct hart_caches *c)
{
    while (c->n_dead)
        code_unref(c->dead[--c->n_dead]);
}

/* Run from block to block until there is a reason to stop. */
static enum hart_stop run(struct hart *h)
{
    struct hart_caches *c = h->caches;

    for (;;) {
        struct block *b;

        if (UNLIKELY(c->n_dead))
            bury(c);
        if (h->wfi && !hart_has_wakeup(h))
            return HART_WFI;
        h->wfi = false;
        if (c->synced || h->stopped)
            return HART_SYNC;
        if (h->icount >= c->until)
            return HART_BUDGET;
        trap_interrupt(h);
        b = fetch(h);
        if (!b)
            continue;
        if (b->n > c->until - h->icount)
            b = fetch_part(h, (unsigned)(c->until - h->icount));
        execute(h, b);
    }
}

/* --- tracing --- */

/* TIME HART PRIVILEGE PC BITS [xN=VALUE]: an instruction, and the register that it changed. */
static void trace_line(struct hart *h, const struct hart *before, uint32_t bits)
{
    fprintf(h->trace, "%lld %u %c %016llx %08x", (long long)hart_now(before), h->id,
            "US?M"[before->priv], (unsigned long long)before->pc, (unsigned)bits);
    for (unsigned i = 1; i < 32; i++)
        if (h->x[i] != before->x[i])
            fprintf(h->trace, " x%u=%llx", i, (unsigned long long)h->x[i]);
    fputc('\n', h->trace);
}

/* The same run, one instruction at a time: a run may be cut anywhere. */
static enum hart_stop run_traced(struct hart *h)
{
    struct hart_caches *c = h->caches;
    uint64_t until = c->until;
    enum hart_stop stop = HART_BUDGET;

    while (stop == HART_BUDGET && h->icount < until) {
        struct hart before;
        uint32_t bits;

        if (!h->wfi)
            trap_interrupt(h); /* here, so that the line tells what is executed */
        before = *h;
        bits = mem_insn_bits(h);
        c->until = h->icount + 1;
        stop = run(h);
        if (h->icount > before.icount)
            trace_line(h, &before, bits);
    }
    c->until = until;
    return stop;
}

enum hart_stop hart_run(struct hart *h, uint64_t until_icount)
{
    struct hart_caches *c = h->caches;
    enum hart_stop stop;

    if (h->stopped)
        return HART_WFI;
    c->until = until_icount;
    c->synced = false;
    c->running = true;
    tlb_select(h);
    stop = h->trace ? run_traced(h) : run(h);
    c->running = false;
    fp_sync(h);
    h->x[32] = 0; /* nobody reads it, but it would be seen in a hash */
    return stop;
}
