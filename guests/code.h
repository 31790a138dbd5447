/* Decoded code: blocks of operations that belong to a page's contents. */
#ifndef GUESTS_CODE_H
#define GUESTS_CODE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "guests/page.h"

struct hart;
struct block;
struct insn;
struct op;

/**
 * One operation's handler. `op` is where execution is, `page_va` the virtual address of the page
 * that the block lies in, `left` the instructions of the budget that come after this block.
 */
typedef void op_fn(struct hart *h, const struct op *op, uint64_t page_va, int64_t left);

/**
 * A decoded instruction. Exactly one per instruction, so that its position in the block says
 * how many retired before it; a pair that runs in one step (see code.c) differs in the first
 * one's handler only. Register numbers are ready for use: x0 as a destination is 32.
 */
struct op {
    op_fn *handler;
    int32_t imm; /* as the format says: see decode.h */
    uint8_t rd, rs1, rs2;
    uint8_t idx; /* position in the block */
};

/** In the slot after a block's last op: the blocks that follow in the same page, once known. */
struct block_link {
    _Atomic(struct block *) to[2]; /* [0] next in memory, [1] the branch's target */
};

#define BLOCK_MAX 64 /* ops: bounds the work at the end of a budget */

/**
 * A straight line of instructions within one page, up to a control transfer. It knows offsets
 * in its page only, so it runs wherever, and in whichever guest, the page is mapped.
 *
 * ops[n] is an op that goes on to the next instruction, or, if ops[n-1] always leaves, the
 * links; links follow the last op in either case. After the slots come n+1 page offsets: those
 * of each instruction and of the one after the last.
 */
struct block {
    struct code *code;  /* NULL: a temporary block, never linked */
    uint32_t n;
    uint16_t off;
    /* The translator's (translate/): how often the block was entered, the handler that
     * interprets its start, and the machine code, which needs so many instructions of the budget
     * (0: there is none, and `native` leads out). */
    _Atomic uint16_t heat;
    _Atomic uint32_t native_n;
    op_fn *first;
    _Atomic(const uint8_t *) native;
    struct op ops[];
};

_Static_assert(sizeof(struct op) == 16, "an op is two words");
_Static_assert(sizeof(struct block_link) == sizeof(struct op), "links take an op's place");

#define BLOCK_BYTES(n) (sizeof(struct block) + ((n) + 2) * sizeof(struct op) + ((n) + 1) * 2)

static inline uint16_t *block_offs(const struct block *b)
{
    return (uint16_t *)(uintptr_t)(b->ops + b->n + 2);
}

static inline struct block *block_of(const struct op *op)
{
    return (struct block *)((uintptr_t)(op - op->idx) - offsetof(struct block, ops));
}

struct native_chunk;

/**
 * Blocks by page offset: open addressing, at most half full. A slot is the offset in its 16 upper
 * bits and the block's address in the others, so that a search looks at nothing else. A table that
 * is full gets a successor and stays until the code goes, for those who still search it.
 */
struct code_table {
    struct code_table *older;
    uint32_t n, cap; /* cap: a power of two */
    _Atomic uint64_t slots[];
};

/** The blocks of a page. Readers take no lock; a block is published complete. */
struct code {
    _Atomic uint32_t refs; /* the page, and harts that may still be executing it */
    _Atomic uint64_t lines; /* which 64-byte lines hold decoded instructions */
    _Atomic(struct code_table *) table;
    struct native_chunk *native[2]; /* memory of its machine code; the translator's */
};

/** The code of a page, made if there is none yet (then *made is true). Borrowed. */
struct code *code_of(struct page *p, bool *made);

void code_ref(struct code *c);
void code_unref(struct code *c); /* NULL is accepted */

/** Whether any of `len` bytes at page offset `off` was decoded, as far as lines can tell. */
static inline bool code_covers(const struct code *c, uint32_t off, uint32_t len)
{
    uint32_t first = off >> 6, last = (off + len - 1) >> 6;
    uint64_t mask = (~0ULL << first) & (~0ULL >> (63 - last));

    return (atomic_load_explicit(&c->lines, memory_order_relaxed) & mask) != 0;
}

/** The block that starts at `off`, or NULL. */
struct block *code_find(const struct code *c, uint32_t off);

/**
 * The same, decoded from the page's `data` if it was not there. NULL: the instruction at
 * `off` crosses the end of the page.
 */
struct block *code_get(struct code *c, const uint8_t *data, uint32_t off);

/**
 * Decode at most `max` instructions at `off` into a block with room for BLOCK_MAX, which ends
 * with `end` unless its last op always leaves. False: the first one crosses the page's end.
 */
bool block_decode(struct block *b, const uint8_t *data, uint32_t off, unsigned max, op_fn *end);

/** Make the op of a decoded instruction at `off`, the idx-th of its block. */
void op_fill(struct op *op, const struct insn *in, uint32_t off, unsigned idx);

/** A block of one instruction given by its bits, whatever page its second half lies in. */
void block_decode_one(struct block *b, uint32_t bits, uint32_t off, op_fn *end);

#endif
