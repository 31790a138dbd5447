/* What handlers are made of: registers, going on, leaving, and the order of things. */
#ifndef GUESTS_EXEC_H
#define GUESTS_EXEC_H

#include "guests/code.h"
#include "guests/cpu.h"
#include "guests/decode.h"

/*
 * Threading. A handler ends in a jump to the next op's handler: a tail call, which gcc and clang
 * make where they optimise. Where they do not (-O0, sanitizers), the op to go on with is
 * left in the caches, and hart_run's loop calls it.
 *
 * A handler that goes on must have no local whose address another function has seen: with
 * one, a compiler may not make the jump a jump, and the stack would grow.
 */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&    \
    !defined(LANARIUM_NO_TAIL_CALLS)
#define TAIL_CALLS 1
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2") /* -O1 and -Og leave some calls as they are */
#endif
#else
#define TAIL_CALLS 0
#endif

/* `return f(...)` of a void function: what a handler hands over to. */
#define TAIL_RETURN return

#define HANDLER_ARGS struct hart *h, const struct op *op, uint64_t page_va, int64_t left
#define PASS h, op, page_va, left
#define HANDLER(name) void op_##name(HANDLER_ARGS)
/** A handler's rare half: out of line, so that the other half needs no stack. */
#define COLD __attribute__((noinline, cold))

/* A block's first handler changes when the block is translated, whoever may be running it. */
static inline op_fn *op_handler(const struct op *op)
{
    return __atomic_load_n(&op->handler, __ATOMIC_RELAXED);
}

#if TAIL_CALLS
#define DISPATCH() return op_handler(op)(PASS)
#define LEAVE()                                                                                    \
    do {                                                                                           \
        (void)op, (void)page_va, (void)left;                                                       \
        return;                                                                                    \
    } while (0)
#else
#define DISPATCH()                                                                                 \
    do {                                                                                           \
        h->caches->resume = (struct resume){op, page_va, left};                                    \
        return;                                                                                    \
    } while (0)
#define LEAVE()                                                                                    \
    do {                                                                                           \
        (void)op, (void)page_va, (void)left;                                                       \
        h->caches->resume.op = NULL;                                                               \
        return;                                                                                    \
    } while (0)
#endif

#define NEXT()                                                                                     \
    do {                                                                                           \
        op++;                                                                                      \
        DISPATCH();                                                                                \
    } while (0)

/* Registers of an op, as the instruction reads and writes them. */
#define RD h->x[op->rd]
#define RS1 h->x[op->rs1]
#define RS2 h->x[op->rs2]

/** Make pc and icount those of `op`, which has not retired. */
static inline void sync_before(HANDLER_ARGS)
{
    const struct block *b = block_of(op);

    h->pc = page_va + block_offs(b)[op->idx];
    h->icount = h->caches->until - (uint64_t)left - (b->n - op->idx);
}

/** Make pc and icount those after `op`, which retires. */
static inline void sync_after(HANDLER_ARGS)
{
    const struct block *b = block_of(op);

    h->pc = page_va + block_offs(b)[op->idx + 1];
    h->icount = h->caches->until - (uint64_t)left - (b->n - op->idx - 1u);
}

/* Handlers: one per instruction, and those that code.c puts where it needs them. */
#define OP(name, match, mask, format) op_fn op_##name;
#include "guests/ops.h"
#undef OP
op_fn op_illegal;
op_fn op_next; /* goes on to the block that follows in memory */
op_fn op_exit; /* leaves, to what follows in memory */
op_fn op_cold; /* a block's start: counts, and has it translated when it is hot */
op_fn op_native; /* a block's start: its machine code */
op_fn op_return; /* after a single instruction: back to machine code */

extern op_fn *const op_handlers[OP_COUNT];

/** One handler for two ops in a row, or NULL. */
op_fn *op_pair(enum op_id first, enum op_id second);

#endif
