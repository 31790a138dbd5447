/* Clearing a cache block, Zicboz: Base Cache Management Operation extensions 1.0. */
#include "insn.h"

    TEST_BEGIN

    /* U and S need permission: menvcfg.CBZE, senvcfg.CBZE (bit 7). M does not. */
    la t0, blocks + 1024
    NEEDS("Zicboz", cbo.zero (t0))

    /* The block's size is found by clearing: a naturally aligned power of two. */
    la t0, blocks
    li t1, 2048
    li t2, -1
1:  sd t2, 0(t0)
    addi t0, t0, 8
    addi t1, t1, -8
    bnez t1, 1b
    la t0, blocks + 1024
    cbo.zero (t0)
    mv t3, t0
2:  lbu t2, 0(t3)
    bnez t2, 3f
    addi t3, t3, 1
    j 2b
3:  sub t3, t3, t0
    CHECK(t3, 64)               /* what the board's device tree says */
    ld t2, -8(t0)
    CHECK(t2, -1)
    ld t2, 64(t0)
    CHECK(t2, -1)
    /* any address in the block names it */
    la t0, blocks + 512 + 63
    cbo.zero (t0)
    ld t2, -63(t0)
    CHECK(t2, 0)
    ld t2, -7(t0)
    CHECK(t2, 0)
    ld t2, 1(t0)
    CHECK(t2, -1)
    ld t2, -71(t0)
    CHECK(t2, -1)
    /* faults are a store's */
    li t0, 0x0a000000
    TRAP(CAUSE_STORE_ACCESS, cbo.zero (t0))
    CHECK(s5, 0x0a000000)
    /* permission */
    li t1, 0x80
    la t0, blocks
    csrc menvcfg, t1
    ILLEGAL_IN(S, cbo.zero (t0))
    csrs menvcfg, t1
    csrc senvcfg, t1
    RUNS_IN(S, cbo.zero (t0))
    ILLEGAL_IN(U, cbo.zero (t0))
    csrs senvcfg, t1
    RUNS_IN(U, cbo.zero (t0))
    csrc menvcfg, t1
    ILLEGAL_IN(U, cbo.zero (t0))

    TEST_END

    .bss
    .balign 4096
blocks: .space 4096
