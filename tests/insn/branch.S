/* Branches and jumps: Unprivileged 2.5. */
#include "insn.h"

/* t3 is 1 if taken forward and back again, 0 if not taken; anything else is wrong. */
#define TEST_BR(op, taken, a, b) \
    li t0, a; li t1, b; li t3, 0; j 2f; \
1:  addi t3, t3, -2; j 3f; \
2:  op t0, t1, 4f; j 3f; \
    nop; \
4:  li t3, 3; op t0, t1, 1b; li t3, 99; \
3:  CHECK(t3, taken)

    TEST_BEGIN

    TEST_BR(beq, 1, 0, 0)
    TEST_BR(beq, 1, -1, -1)
    TEST_BR(beq, 0, 0, 1)
    TEST_BR(beq, 0, 0x100000000, 0)
    TEST_BR(beq, 0, 0x8000000000000000, 0)
    TEST_BR(bne, 0, 5, 5)
    TEST_BR(bne, 1, 0x100000001, 1)
    TEST_BR(bne, 1, -1, 0xffffffff)
    TEST_BR(blt, 1, -1, 0)
    TEST_BR(blt, 0, 0, -1)
    TEST_BR(blt, 0, 7, 7)
    TEST_BR(blt, 1, 0x8000000000000000, 0x7fffffffffffffff)
    TEST_BR(blt, 0, 0x80000000, 0x7fffffff)
    TEST_BR(bge, 0, -1, 0)
    TEST_BR(bge, 1, 0, -1)
    TEST_BR(bge, 1, 7, 7)
    TEST_BR(bge, 0, 0x8000000000000000, 0x7fffffffffffffff)
    TEST_BR(bltu, 0, -1, 0)
    TEST_BR(bltu, 1, 0, -1)
    TEST_BR(bltu, 0, 7, 7)
    TEST_BR(bltu, 0, 0x8000000000000000, 0x7fffffffffffffff)
    TEST_BR(bgeu, 1, -1, 0)
    TEST_BR(bgeu, 0, 0, -1)
    TEST_BR(bgeu, 1, 7, 7)
    TEST_BR(bgeu, 1, 0xffffffff80000000, 0x7fffffff)

    /* a register with itself */
    li t0, 9
    li t3, 0
    beq t0, t0, 1f
    li t3, 1
1:  bne t0, t0, 2f
    addi t3, t3, 2
2:  CHECK(t3, 2)

    /* the farthest branch forward and back */
    li t3, 0
    j 1f
5:  addi t3, t3, 1
    j 6f
1:  beq zero, zero, far_forward
    .space 4080, 0
far_back_from:
    beq zero, zero, 6f
far_forward:
    addi t3, t3, 4
    beq zero, zero, far_back_from
6:  CHECK(t3, 4)

    /* jal and jalr write the address after themselves */
    jal t1, 1f
2:  nop
1:  CHECK_AT(t1, 2b)
    la t0, 1f
    jalr t1, 0(t0)
2:  nop
1:  CHECK_AT(t1, 2b)
    /* rd = rs1: the target is taken first */
    la t0, 1f
    jalr t0, 0(t0)
2:  nop
1:  CHECK_AT(t0, 2b)
    /* bit 0 of the sum is cleared */
    la t0, 1f
    jalr t1, 1(t0)
2:  nop
1:  CHECK_AT(t1, 2b)
    la t0, 1f + 1
    li t3, 0
    jalr zero, 0(t0)
    li t3, 1
1:  CHECK(t3, 0)
    la t0, 1f + 2047
    li t3, 0
    jalr zero, -2047(t0)
    li t3, 1
1:  CHECK(t3, 0)
    la t0, 1f - 2047
    li t3, 0
    jalr zero, 2047(t0)
    li t3, 1
1:  CHECK(t3, 0)

    /* with C, every even address is good: a 32-bit instruction at 2 modulo 4 */
    li t3, 0
    j odd_halfword
    .balign 4
    .half 0
odd_halfword:
    addi t3, t3, 5
    addi t3, t3, 6
    j 1f
    .half 0
    .balign 4
1:  CHECK(t3, 11)

    /* a jump far out and back, over a page, both by jal and by auipc + jalr */
    li t3, 0
    jal ra, far_function
    CHECK(t3, 7)
    call far_function
    CHECK(t3, 14)

    /* a counted loop, so that a block runs many times */
    li t0, 100000
    li t1, 0
1:  add t1, t1, t0
    addi t0, t0, -1
    bnez t0, 1b
    CHECK(t1, 5000050000)

    /* reserved funct3 */
    ILLEGAL(.word 0x00002063)
    ILLEGAL(.word 0x00003063)
    ILLEGAL(.word 0x00001067)   /* jalr, funct3 1 */

    /* a jump to where there is nothing faults at the target, not at the jump */
    la s9, 1f
    li s4, NO_TRAP
    li t0, 0x0a000000
    jalr t1, 0(t0)
2:  nop
1:  li s9, 0
    CHECK(s4, CAUSE_FETCH_ACCESS)
    CHECK(s6, 0x0a000000)
    CHECK(s5, 0x0a000000)
    CHECK_AT(t1, 2b)

    TEST_END

    .balign 4096
    .space 500000
far_function:
    addi t3, t3, 7
    ret
