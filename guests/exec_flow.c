/* Branches, jumps (Unprivileged 2.5), and the way from block to block. */
#include "guests/exec.h"
#include "guests/exec_flow.h"

/* Enter a block if the budget has room for all of it. */
#define ENTER(b)                                                                                   \
    do {                                                                                           \
        left -= (b)->n;                                                                            \
        op = (b)->ops;                                                                             \
        DISPATCH();                                                                                \
    } while (0)

/* To `target`, in whatever page: by the jump cache, or through hart_run's loop. */
static inline void flow_far(HANDLER_ARGS, uint64_t target)
{
    const struct jump *j = jump_at(h, target);

    if (j->key == (target ^ h->jump_xor) && left >= j->block->n) {
        page_va = target & ~(uint64_t)PAGE_MASK;
        ENTER(j->block);
    }
    h->pc = target;
    h->icount = h->caches->until - (uint64_t)left;
    LEAVE();
}

/* To a target by the link `which` of the ending block, made here if the target is known. */
static inline struct block *follow(const struct op *op, unsigned which, uint64_t page_va,
                                   uint64_t target)
{
    const struct block *from = block_of(op);
    struct block_link *link = (struct block_link *)(uintptr_t)(op + 1);
    struct block *to;

    if (!from->code || (target & ~(uint64_t)PAGE_MASK) != page_va)
        return NULL;
    to = code_find(from->code, target & PAGE_MASK);
    if (to)
        atomic_store_explicit(&link->to[which], to, memory_order_release);
    return to;
}

static void flow(HANDLER_ARGS, unsigned which, uint64_t target)
{
    struct block *to = follow(op, which, page_va, target);

    if (to && left >= to->n)
        ENTER(to);
    TAIL_RETURN flow_far(PASS, target);
}

COLD void flow_taken(HANDLER_ARGS)
{
    TAIL_RETURN flow(PASS, 1, page_va + (uint64_t)(int64_t)op->imm);
}

COLD void flow_next(HANDLER_ARGS)
{
    const struct block *b = block_of(op);

    TAIL_RETURN flow(PASS, 0, page_va + block_offs(b)[b->n]);
}

#define BRANCH(name)                                                                               \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        BRANCH_##name;                                                                             \
    }

BRANCH(beq)
BRANCH(bne)
BRANCH(blt)
BRANCH(bge)
BRANCH(bltu)
BRANCH(bgeu)

HANDLER(jal)
{
    RD = page_va + (uint64_t)(op->rs1 | op->rs2 << 8);
    GO_LINK(1, flow_taken);
}

HANDLER(jalr)
{
    uint64_t target = (RS1 + (uint64_t)(int64_t)(op->imm >> 16)) & ~1ULL;
    const struct jump *j = jump_at(h, target);

    RD = page_va + (uint64_t)(op->imm & 0xffff);
    if (LIKELY(j->key == (target ^ h->jump_xor) && left >= j->block->n)) {
        page_va = target & ~(uint64_t)PAGE_MASK;
        ENTER(j->block);
    }
    TAIL_RETURN flow_far(PASS, target);
}

HANDLER(next)
{
    GO_LINK(0, flow_next);
}

HANDLER(exit)
{
    const struct block *b = block_of(op);

    h->pc = page_va + block_offs(b)[b->n];
    h->icount = h->caches->until - (uint64_t)left;
    LEAVE();
}
