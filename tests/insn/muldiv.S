/* Multiplication and division, M: Unprivileged chapter 7. */
#include "insn.h"

#define MAX 0x7fffffffffffffff
#define MIN 0x8000000000000000
#define MINW 0xffffffff80000000

    TEST_BEGIN

    TEST_RR(mul, 42, 6, 7)
    TEST_RR(mul, 1, -1, -1)
    TEST_RR(mul, -6, 2, -3)
    TEST_RR(mul, MIN, MIN, -1)
    TEST_RR(mul, 0, MIN, 2)
    TEST_RR(mul, 1, MAX, MAX)
    TEST_RR(mul, 0xfffffffe00000001, 0xffffffff, 0xffffffff)
    TEST_RR(mul, 0, 0x100000000, 0x100000000)
    TEST_RR_SRC1(mul, 143, 13, 11)
    TEST_RR_SRC2(mul, 154, 14, 11)
    TEST_RR_SAME(mul, 169, 13)
    TEST_RR_ZERO(mul, 3, 4)

    TEST_RR(mulh, 0, 6, 7)
    TEST_RR(mulh, 0, -1, -1)
    TEST_RR(mulh, -1, 1, -1)
    TEST_RR(mulh, 0x4000000000000000, MIN, MIN)
    TEST_RR(mulh, 0x3fffffffffffffff, MAX, MAX)
    TEST_RR(mulh, 0xc000000000000000, MIN, MAX)
    TEST_RR(mulh, 1, 0x100000000, 0x100000000)
    TEST_RR(mulh, 0, MIN, -1)
    TEST_RR_SAME(mulh, 1, 0x100000000)
    TEST_RR(mulhu, 0, 6, 7)
    TEST_RR(mulhu, 0xfffffffffffffffe, -1, -1)
    TEST_RR(mulhu, 0, 1, -1)
    TEST_RR(mulhu, 0x4000000000000000, MIN, MIN)
    TEST_RR(mulhu, 0x7fffffffffffffff, MIN, -1)
    TEST_RR(mulhsu, -1, -1, -1)
    TEST_RR(mulhsu, 0, 1, -1)
    TEST_RR(mulhsu, -1, -1, 1)
    TEST_RR(mulhsu, 0xc000000000000000, MIN, MIN)
    TEST_RR(mulhsu, 0x8000000000000000, MIN, -1)
    TEST_RR(mulhsu, 0x7ffffffffffffffe, MAX, -1)

    TEST_RR(mulw, 42, 6, 7)
    TEST_RR(mulw, 1, 0xffffffff, 0xffffffff)
    TEST_RR(mulw, MINW, 0x80000000, 1)
    TEST_RR(mulw, 0, 0x100000000, 5)
    TEST_RR(mulw, MINW, 0x40000000, 2)
    TEST_RR(mulw, -2, 0x7fffffff, 2)

    /* division rounds towards zero, the remainder has the dividend's sign */
    TEST_RR(div, 6, 20, 3)
    TEST_RR(div, -6, -20, 3)
    TEST_RR(div, -6, 20, -3)
    TEST_RR(div, 6, -20, -3)
    TEST_RR(rem, 2, 20, 3)
    TEST_RR(rem, -2, -20, 3)
    TEST_RR(rem, 2, 20, -3)
    TEST_RR(rem, -2, -20, -3)
    TEST_RR(div, 0, 2, 3)
    TEST_RR(rem, 2, 2, 3)
    TEST_RR(div, MIN, MIN, 1)
    TEST_RR(rem, 0, MIN, 1)
    TEST_RR(div, -1, MIN, MAX)
    TEST_RR(rem, -1, MIN, MAX)
    /* table 7.1: by zero, and overflow; neither traps */
    TEST_RR(div, -1, 20, 0)
    TEST_RR(div, -1, -20, 0)
    TEST_RR(div, -1, 0, 0)
    TEST_RR(rem, 20, 20, 0)
    TEST_RR(rem, MIN, MIN, 0)
    TEST_RR(div, MIN, MIN, -1)
    TEST_RR(rem, 0, MIN, -1)
    TEST_RR_SRC1(div, 5, 15, 3)
    TEST_RR_SRC2(div, 5, 15, 3)
    TEST_RR_SAME(div, 1, -7)
    TEST_RR_SAME(div, -1, 0)
    TEST_RR_ZERO(div, 1, 0)

    TEST_RR(divu, 6, 20, 3)
    TEST_RR(divu, 0x5555555555555555, -1, 3)
    TEST_RR(divu, 0, 20, -3)
    TEST_RR(divu, 0, MIN, -1)
    TEST_RR(divu, 1, -1, MIN)
    TEST_RR(divu, -1, 20, 0)
    TEST_RR(divu, -1, 0, 0)
    TEST_RR(remu, 2, 20, 3)
    TEST_RR(remu, 0, -1, 3)
    TEST_RR(remu, 20, 20, -3)
    TEST_RR(remu, MIN, MIN, -1)
    TEST_RR(remu, MAX, -1, MIN)
    TEST_RR(remu, 20, 20, 0)
    TEST_RR(remu, -1, -1, 0)

    TEST_RR(divw, -6, -20, 3)
    TEST_RR(divw, 6, 0xf00000014, 3)
    TEST_RR(divw, -1, 1, 0)
    TEST_RR(divw, -1, 0xf00000001, 0xf00000000)
    TEST_RR(divw, MINW, 0x80000000, 0xffffffff)
    TEST_RR(remw, 0, 0x80000000, 0xffffffff)
    TEST_RR(remw, -2, -20, 3)
    TEST_RR(remw, MINW, 0x0000000080000000, 0)
    TEST_RR(remw, 1, 0xf00000001, 0xf00000000)
    TEST_RR(divuw, MINW, 0x80000000, 1)
    TEST_RR(divuw, 0x55555555, -1, 3)
    TEST_RR(divuw, -1, 5, 0)
    TEST_RR(divuw, 0, 0x80000000, 0xffffffff)
    TEST_RR(divuw, -1, 0xffffffff, 0xf00000001)
    TEST_RR(remuw, MINW, 0x80000000, 0xffffffff)
    TEST_RR(remuw, -1, 0xffffffff, 0)
    TEST_RR(remuw, MINW, 0xf80000000, 0)
    TEST_RR(remuw, 2, 20, 3)

    /*
     * Laws, on 500 pairs of a xorshift sequence of changing magnitude:
     * the 128-bit product from four 32-bit ones, and q * d + r = n.
     */
    li t5, 0x9e3779b97f4a7c15
    li t4, 500
    li t3, 0                    /* how often a law failed */
laws:
    call next_random
    mv a3, t5
    call next_random
    srl a4, t5, t4              /* fewer and more bits in turn */
    call mulhu_by_parts
    mulhu t0, a3, a4
    sub t0, t0, t1
    snez t0, t0
    add t3, t3, t0
    /* mulh = mulhu - (a < 0 ? b : 0) - (b < 0 ? a : 0) */
    srai t0, a3, 63
    and t0, t0, a4
    sub t1, t1, t0
    mulhsu t2, a3, a4
    sub t2, t2, t1
    snez t2, t2
    add t3, t3, t2
    srai t0, a4, 63
    and t0, t0, a3
    sub t1, t1, t0
    mulh t2, a3, a4
    sub t2, t2, t1
    snez t2, t2
    add t3, t3, t2
#define LAW(quotient, remainder, product, difference) \
    quotient t0, a3, a4; remainder t1, a3, a4; product t0, t0, a4; \
    add t0, t0, t1; difference t0, t0, a3; snez t0, t0; add t3, t3, t0
    LAW(div, rem, mul, sub)
    LAW(divu, remu, mul, sub)
    LAW(divw, remw, mulw, subw)
    LAW(divuw, remuw, mulw, subw)
    /* and the remainder is smaller than the divisor */
    beqz a4, 1f
    remu t0, a3, a4
    sltu t0, t0, a4
    xori t0, t0, 1
    add t3, t3, t0
1:  addi t4, t4, -1
    bnez t4, laws
    CHECK(t3, 0)

    TEST_END

next_random:                    /* t5, uses t6 */
    slli t6, t5, 13
    xor t5, t5, t6
    srli t6, t5, 7
    xor t5, t5, t6
    slli t6, t5, 17
    xor t5, t5, t6
    ret

mulhu_by_parts:                 /* t1 = high half of a3 * a4; uses t0, t2, t6, a5-a7 */
    slli t0, a3, 32
    srli t0, t0, 32             /* a.lo */
    srli t1, a3, 32             /* a.hi */
    slli t2, a4, 32
    srli t2, t2, 32             /* b.lo */
    srli t6, a4, 32             /* b.hi */
    mul a5, t0, t2
    srli a5, a5, 32             /* carry of lo * lo */
    mul a6, t1, t2
    add a5, a5, a6              /* no overflow: (2^32-1)^2 + 2^32 - 1 < 2^64 */
    slli a7, a5, 32
    srli a7, a7, 32
    srli a5, a5, 32
    mul a6, t0, t6
    add a7, a7, a6
    srli a7, a7, 32
    mul t1, t1, t6
    add t1, t1, a5
    add t1, t1, a7
    ret
