/* Pairs of instructions that often come together, in one handler: one jump less. */
#include "guests/exec_flow.h"
#include "guests/exec_int.h"
#include "guests/exec_mem.h"

/*
 * Both ops stay in the block, so positions and counts are those of single instructions; a
 * pair's handler steps to the second op in between. If the first half cannot go the fast way it
 * leaves through its own slow handler, which goes on with the second one alone.
 *
 * The product of those that are most frequent in compiled code, as X(kind, name): the handler
 * of a pair is made from the statements kind_name of exec_int.h, exec_mem.h, exec_flow.h.
 */
#define FIRSTS(X, ...)                                                                             \
    X(INT, addi, __VA_ARGS__)                                                                      \
    X(INT, add, __VA_ARGS__)                                                                       \
    X(INT, addiw, __VA_ARGS__)                                                                     \
    X(INT, addw, __VA_ARGS__)                                                                      \
    X(INT, sub, __VA_ARGS__)                                                                       \
    X(INT, lui, __VA_ARGS__)                                                                       \
    X(INT, auipc, __VA_ARGS__)                                                                     \
    X(INT, slli, __VA_ARGS__)                                                                      \
    X(INT, srli, __VA_ARGS__)                                                                      \
    X(INT, slliw, __VA_ARGS__)                                                                     \
    X(INT, andi, __VA_ARGS__)                                                                      \
    X(INT, and, __VA_ARGS__)                                                                       \
    X(INT, or, __VA_ARGS__)                                                                        \
    X(INT, xor, __VA_ARGS__)                                                                       \
    X(INT, mul, __VA_ARGS__)                                                                       \
    X(INT, mulw, __VA_ARGS__)                                                                      \
    X(LOAD, ld, __VA_ARGS__)                                                                       \
    X(LOAD, lw, __VA_ARGS__)                                                                       \
    X(LOAD, lh, __VA_ARGS__)                                                                       \
    X(LOAD, lhu, __VA_ARGS__)                                                                      \
    X(LOAD, lbu, __VA_ARGS__)                                                                      \
    X(STORE, sd, __VA_ARGS__)                                                                      \
    X(STORE, sw, __VA_ARGS__)                                                                      \
    X(STORE, sb, __VA_ARGS__)

/* The same list once more: a macro cannot expand itself. */
#define SECONDS(X, k, n)                                                                           \
    X(k, n, INT, addi)                                                                             \
    X(k, n, INT, add)                                                                              \
    X(k, n, INT, addiw)                                                                            \
    X(k, n, INT, addw)                                                                             \
    X(k, n, INT, sub)                                                                              \
    X(k, n, INT, lui)                                                                              \
    X(k, n, INT, slli)                                                                             \
    X(k, n, INT, srli)                                                                             \
    X(k, n, INT, slliw)                                                                            \
    X(k, n, INT, andi)                                                                             \
    X(k, n, INT, and)                                                                              \
    X(k, n, INT, or)                                                                               \
    X(k, n, INT, xor)                                                                              \
    X(k, n, INT, mul)                                                                              \
    X(k, n, INT, mulw)                                                                             \
    X(k, n, LOAD, ld)                                                                              \
    X(k, n, LOAD, lw)                                                                              \
    X(k, n, LOAD, lh)                                                                              \
    X(k, n, LOAD, lhu)                                                                             \
    X(k, n, LOAD, lbu)                                                                             \
    X(k, n, STORE, sd)                                                                             \
    X(k, n, STORE, sw)                                                                             \
    X(k, n, STORE, sb)                                                                             \
    X(k, n, BRANCH, beq)                                                                           \
    X(k, n, BRANCH, bne)                                                                           \
    X(k, n, BRANCH, blt)                                                                           \
    X(k, n, BRANCH, bge)                                                                           \
    X(k, n, BRANCH, bltu)                                                                          \
    X(k, n, BRANCH, bgeu)

/* What follows the second half: a branch has left already. */
#define AFTER_INT NEXT()
#define AFTER_LOAD NEXT()
#define AFTER_STORE NEXT()
#define AFTER_BRANCH

#define HANDLER_OF(k1, n1, k2, n2)                                                                 \
    static void pair_##n1##_##n2(HANDLER_ARGS)                                                     \
    {                                                                                              \
        k1##_##n1;                                                                                 \
        op++;                                                                                      \
        k2##_##n2;                                                                                 \
        AFTER_##k2;                                                                                \
    }
#define HANDLERS_OF(k, n, ...) SECONDS(HANDLER_OF, k, n)
FIRSTS(HANDLERS_OF, )

/* Positions in the table: 0 is for those that are not in a pair. */
#define FIRST_NUMBER(k, n, ...) FIRST_##n,
#define SECOND_NUMBER(k1, n1, k2, n2) SECOND_##n2,
enum { FIRST_NONE, FIRSTS(FIRST_NUMBER, ) FIRST_COUNT };
enum { SECOND_NONE, SECONDS(SECOND_NUMBER, , ) SECOND_COUNT };

#define FIRST_INDEX(k, n, ...) [OP_##n] = FIRST_##n,
#define SECOND_INDEX(k1, n1, k2, n2) [OP_##n2] = SECOND_##n2,
static const uint8_t first_index[OP_COUNT] = {FIRSTS(FIRST_INDEX, )};
static const uint8_t second_index[OP_COUNT] = {SECONDS(SECOND_INDEX, , )};

#define ENTRY(k1, n1, k2, n2) [FIRST_##n1][SECOND_##n2] = pair_##n1##_##n2,
#define ENTRIES(k, n, ...) SECONDS(ENTRY, k, n)
static op_fn *const pairs[FIRST_COUNT][SECOND_COUNT] = {FIRSTS(ENTRIES, )};

op_fn *op_pair(enum op_id first, enum op_id second)
{
    return pairs[first_index[first]][second_index[second]];
}
