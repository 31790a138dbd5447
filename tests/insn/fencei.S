/* Code that changes, Zifencei: Unprivileged chapter 3. */
#include "insn.h"

#define ADDI_A3(n) (0x00068693 | (n) << 20)     /* addi a3, a3, n */

    TEST_BEGIN

    /* A function is changed fifty times and called each time. */
    li t3, 0                    /* sum expected */
    li a3, 0                    /* sum made by the patched code */
    li t4, 50
1:  la t0, patched
    li t1, ADDI_A3(0)
    slli t2, t4, 20
    or t1, t1, t2
    sw t1, 0(t0)
    fence.i
    add t3, t3, t4
    call patched
    addi t4, t4, -1
    bnez t4, 1b
    CHECK_REG(a3, t3)
    CHECK(t3, 1275)

    /* The same by bytes and by halfwords: only a part of the instruction is new. */
    li a3, 0
    la t0, patched
    li t1, ADDI_A3(0x011)
    sw t1, 0(t0)
    fence.i
    call patched
    li t1, 0x02
    sb t1, 3(t0)                /* 0x02 << 4: the immediate is now 0x021 */
    fence.i
    call patched
    li t1, 0x0336
    sh t1, 2(t0)                /* the immediate 0x033, rs1 still a3 */
    fence.i
    call patched
    CHECK(a3, 0x11 + 0x21 + 0x33)

    /* Code changes the instruction right after it, in the page that executes. */
    li a3, 0
    la t0, 2f
    li t1, ADDI_A3(5)
    sw t1, 0(t0)
    fence.i
2:  addi a3, a3, 1
    CHECK(a3, 5)

    /* And one it has already executed, in a loop: 1, then 10 each time. */
    li a3, 0
    li t4, 4
    la t0, 3f
    li t1, ADDI_A3(10)
3:  addi a3, a3, 1
    sw t1, 0(t0)
    fence.i
    addi t4, t4, -1
    bnez t4, 3b
    CHECK(a3, 31)

    /* Data in a page of code that runs: the store is seen, the code unharmed. */
    li t4, 1000
    la t0, counter
    sd zero, 0(t0)
4:  ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    addi t4, t4, -1
    bnez t4, 4b
    ld t1, 0(t0)
    CHECK(t1, 1000)

    /* An instruction across two pages: either half may change. */
    la t0, page_end
    li t1, ADDI_A3(7) & 0xffff
    sh t1, -2(t0)
    li t1, ADDI_A3(7) >> 16
    sh t1, 0(t0)
    li t1, 0x00008067           /* ret */
    sh t1, 2(t0)
    srli t1, t1, 16
    sh t1, 4(t0)
    fence.i
    li a3, 100
    la t2, page_end - 2
    jalr ra, 0(t2)
    CHECK(a3, 107)
    li t1, ADDI_A3(9) >> 16     /* the second page */
    sh t1, 0(t0)
    fence.i
    jalr ra, 0(t2)
    CHECK(a3, 116)
    li t1, 0x8693 | 0x1000      /* the first: funct3 1, slli by 9 */
    sh t1, -2(t0)
    fence.i
    li a3, 1
    jalr ra, 0(t2)
    CHECK(a3, 512)

    /* Code copied to fresh memory and to memory that held other code. */
    la t0, page_end
    la t1, patched
    ld t2, 0(t1)
    sd t2, 64(t0)
    fence.i
    li a3, 0
    addi t0, t0, 64
    jalr ra, 0(t0)
    CHECK(a3, 0x33)
    li t2, 0x00008067
    sw t2, 0(t0)
    fence.i
    jalr ra, 0(t0)
    CHECK(a3, 0x33)
    /* An illegal word, then a good one. */
    sw zero, 0(t0)
    fence.i
    TRAP(CAUSE_ILLEGAL, jr t0)
    CHECK_REG(s6, t0)
    sw t2, 0(t0)
    fence.i
    RUNS(jalr ra, 0(t0))

    /* fence.i ignores its reserved fields (3.1) */
    RUNS(.word 0xfff7900f | 3 << 7)

    TEST_END

counter: .dword 0
    .balign 8
patched:
    addi a3, a3, 0
    ret

    .bss
    .balign 4096
    .space 4096
page_end: .space 4096
