/* Branches that are also halves of pairs, as statements on the current op. */
#ifndef GUESTS_EXEC_FLOW_H
#define GUESTS_EXEC_FLOW_H

#include "guests/exec.h"

/* Where a link is not known, or the budget ends: taken to imm, or on to what follows. */
op_fn flow_taken, flow_next;

/** Go to the block that link `which` of the current, last op names. */
#define GO_LINK(which, slow)                                                                       \
    do {                                                                                           \
        const struct block *to_ = atomic_load_explicit(                                            \
            &((const struct block_link *)(op + 1))->to[which], memory_order_acquire);                    \
        if (UNLIKELY(!to_ || left < to_->n))                                                       \
            TAIL_RETURN slow(PASS);                                                                \
        left -= to_->n;                                                                            \
        op = to_->ops;                                                                             \
        DISPATCH();                                                                                \
    } while (0)

#define BRANCH_IF(cond)                                                                            \
    do {                                                                                           \
        if (cond)                                                                                  \
            GO_LINK(1, flow_taken);                                                                \
        GO_LINK(0, flow_next);                                                                     \
    } while (0)

#define BRANCH_beq BRANCH_IF(RS1 == RS2)
#define BRANCH_bne BRANCH_IF(RS1 != RS2)
#define BRANCH_blt BRANCH_IF((int64_t)RS1 < (int64_t)RS2)
#define BRANCH_bge BRANCH_IF((int64_t)RS1 >= (int64_t)RS2)
#define BRANCH_bltu BRANCH_IF(RS1 < RS2)
#define BRANCH_bgeu BRANCH_IF(RS1 >= RS2)

#endif
