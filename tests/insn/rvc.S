/* Compressed instructions, C: Unprivileged chapter 16. */
#include "insn.h"

/* Registers s0, s1, a0-a5 only in most forms; a0-a2 belong to CHECK, so a3-a5 here. */
#define RVC(...) .option push; .option rvc; __VA_ARGS__; .option pop; .balign 4

#define TEST_C(want, a, ...) li a3, a; RVC(__VA_ARGS__; c.nop); CHECK(a3, want)
#define TEST_C2(want, a, b, ...) \
    li a3, a; li a4, b; RVC(__VA_ARGS__; c.nop); CHECK(a3, want)
/* A 16-bit word that must be illegal. */
#define ILLEGAL_C(word) ILLEGAL(.half word, 1)

    TEST_BEGIN

    /* 16.5 integer computation */
    TEST_C(31, 5, c.li a3, 31)
    TEST_C(-32, 5, c.li a3, -32)
    TEST_C(0, 5, c.li a3, 0)
    TEST_C(0x1f000, 5, c.lui a3, 31)
    TEST_C(0xfffffffffffe0000, 5, c.lui a3, 0xfffe0)
    TEST_C(36, 5, c.addi a3, 31)
    TEST_C(-27, 5, c.addi a3, -32)
    TEST_C(0x8000000000000000, 0x7fffffffffffffff, c.addi a3, 1)
    TEST_C(0xffffffff80000000, 0x7fffffff, c.addiw a3, 1)
    TEST_C(0xffffffff80000000, 0x180000000, c.addiw a3, 0)
    TEST_C(-32, 0x100000000, c.addiw a3, -32)
    TEST_C(10, 5, c.slli a3, 1)
    TEST_C(0x8000000000000000, 5, c.slli a3, 63)
    TEST_C(0x500000000, 5, c.slli a3, 32)
    TEST_C(1, 0x8000000000000000, c.srli a3, 63)
    TEST_C(0xffffffff, -1, c.srli a3, 32)
    TEST_C(-1, 0x8000000000000000, c.srai a3, 63)
    TEST_C(0xf800000000000000, 0x8000000000000000, c.srai a3, 4)
    TEST_C(0x1f, 0xfff, c.andi a3, 31)
    TEST_C(0xfe0, 0xfff, c.andi a3, -32)
    TEST_C2(7, 5, 7, c.mv a3, a4)
    TEST_C2(12, 5, 7, c.add a3, a4)
    TEST_C2(0x8000000000000000, 0x7fffffffffffffff, 1, c.add a3, a4)
    TEST_C2(5, 5, 7, c.and a3, a4)
    TEST_C2(7, 5, 7, c.or a3, a4)
    TEST_C2(2, 5, 7, c.xor a3, a4)
    TEST_C2(-2, 5, 7, c.sub a3, a4)
    TEST_C2(0xffffffff80000000, 0x7fffffff, 1, c.addw a3, a4)
    TEST_C2(0x7fffffff, 0x80000000, 1, c.subw a3, a4)
    TEST_C2(-2, 0xf00000005, 7, c.subw a3, a4)

    /* the stack pointer: addi16sp and addi4spn */
    mv t5, sp
    RVC(c.addi16sp sp, 496; c.nop)
    sub t1, sp, t5
    CHECK(t1, 496)
    mv sp, t5
    RVC(c.addi16sp sp, -512; c.nop)
    sub t1, sp, t5
    mv sp, t5
    CHECK(t1, -512)
    RVC(c.addi4spn a3, sp, 1020; c.nop)
    sub a3, a3, sp
    CHECK(a3, 1020)
    RVC(c.addi4spn a3, sp, 4; c.nop)
    sub a3, a3, sp
    CHECK(a3, 4)

    /* 16.3 loads and stores: each offset bit is somewhere else in the word */
    la t0, data
    li t1, 0
1:  add t2, t0, t1              /* each doubleword of data says where it is */
    li t3, 0x8000000100000000
    add t3, t3, t1
    sd t3, 0(t2)
    addi t1, t1, 8
    li t3, 512
    bne t1, t3, 1b
#define VALUE(n) (0x8000000100000000 + (n))
    mv a4, t0
#define TEST_CLD(n) TEST_C(VALUE(n), 0, c.ld a3, n(a4))
    TEST_CLD(0)
    TEST_CLD(8)
    TEST_CLD(16)
    TEST_CLD(32)
    TEST_CLD(64)
    TEST_CLD(128)
    TEST_CLD(248)
#define TEST_CLW(n, want) TEST_C(want, 0, c.lw a3, n(a4))
    TEST_CLW(0, 0)
    TEST_CLW(4, 0xffffffff80000001)
    TEST_CLW(8, 8)
    TEST_CLW(16, 16)
    TEST_CLW(32, 32)
    TEST_CLW(64, 64)
    TEST_CLW(120, 120)
    TEST_CLW(124, 0xffffffff80000001)
    mv t5, sp
    mv sp, t0
#define TEST_CLDSP(n) TEST_C(VALUE(n), 0, c.ldsp a3, n(sp))
    TEST_CLDSP(0)
    TEST_CLDSP(8)
    TEST_CLDSP(16)
    TEST_CLDSP(32)
    TEST_CLDSP(64)
    TEST_CLDSP(128)
    TEST_CLDSP(256)
    TEST_CLDSP(504)
    TEST_C(0, 1, c.lwsp a3, 0(sp))
    TEST_C(0xffffffff80000001, 1, c.lwsp a3, 4(sp))
    TEST_C(8, 1, c.lwsp a3, 8(sp))
    TEST_C(128, 1, c.lwsp a3, 128(sp))
    TEST_C(64, 1, c.lwsp a3, 64(sp))
    TEST_C(0xffffffff80000001, 1, c.lwsp a3, 252(sp))
    /* stores */
    la t0, room
    mv a4, t0
    li a3, 0x1122334455667788
#define TEST_CST(want, offset, ...) \
    sd zero, (offset) & ~7(t0); RVC(__VA_ARGS__; c.nop); \
    ld t2, (offset) & ~7(t0); CHECK(t2, want)
    TEST_CST(0x1122334455667788, 0, c.sd a3, 0(a4))
    TEST_CST(0x1122334455667788, 64, c.sd a3, 64(a4))
    TEST_CST(0x1122334455667788, 248, c.sd a3, 248(a4))
    TEST_CST(0x55667788, 0, c.sw a3, 0(a4))
    TEST_CST(0x5566778800000000, 4, c.sw a3, 4(a4))
    TEST_CST(0x55667788, 64, c.sw a3, 64(a4))
    TEST_CST(0x5566778800000000, 124, c.sw a3, 124(a4))
    mv sp, t0
    TEST_CST(0x1122334455667788, 0, c.sdsp a3, 0(sp))
    TEST_CST(0x1122334455667788, 256, c.sdsp a3, 256(sp))
    TEST_CST(0x1122334455667788, 504, c.sdsp a3, 504(sp))
    TEST_CST(0x55667788, 128, c.swsp a3, 128(sp))
    TEST_CST(0x5566778800000000, 252, c.swsp a3, 252(sp))
    /* floating point, doubles only on RV64 */
    li t1, MSTATUS_FS
    csrs mstatus, t1
    fmv.d.x fa3, a3
    TEST_CST(0x1122334455667788, 248, c.fsd fa3, 248(a4))
    TEST_CST(0x1122334455667788, 504, c.fsdsp fa3, 504(sp))
    RVC(c.fld fa4, 248(a4); c.fldsp fa5, 504(sp))
    fmv.x.d t2, fa4
    CHECK(t2, 0x1122334455667788)
    fmv.x.d t2, fa5
    CHECK(t2, 0x1122334455667788)
    li t1, MSTATUS_FS
    csrc mstatus, t1
    ILLEGAL(.option push; .option rvc; c.fld fa4, 248(a4); c.nop; .option pop)
    ILLEGAL(.option push; .option rvc; c.fsdsp fa4, 504(sp); c.nop; .option pop)
    mv sp, t5
    /* the registers at the ends of the short range */
    mv t4, s0
    mv t5, s1
    la s0, data
    RVC(c.ld s1, 8(s0); c.ld a5, 16(s0))
    mv t2, s1
    mv s0, t4
    mv s1, t5
    CHECK(t2, VALUE(8))
    CHECK(a5, VALUE(16))

    /* 16.4 control transfer: links point after two bytes */
    li t3, 0
    RVC(c.j 2f; 1: c.addi a3, 1; c.j 3f; c.nop; 2: c.li a3, 5; c.j 1b; 3: c.nop)
    CHECK(a3, 6)
    la a4, 2f
    li a3, 0
    RVC(c.jalr a4; 1: c.nop; c.nop; 2: c.li a3, 9)
    mv t2, ra
    CHECK(a3, 9)
    CHECK_AT(t2, 1b)
    la a4, 2f
    RVC(c.jr a4; c.li a3, 1; c.nop; 2: c.nop)
    CHECK(a3, 9)
    /* ra as the target of c.jalr: taken before it is written */
    la ra, 2f
    RVC(c.jalr ra; 1: c.li a3, 1; c.nop; 2: c.nop)
    mv t2, ra
    CHECK(a3, 9)
    CHECK_AT(t2, 1b)
#define TEST_CB(op, value, want) \
    li a3, value; li a4, 0; RVC(c.j 1f; 2: c.addi a4, 4; c.j 3f; \
    1: op a3, 4f; c.addi a4, 1; c.j 3f; 4: op a3, 2b; 3: c.nop); CHECK(a4, want)
    TEST_CB(c.beqz, 0, 4)
    TEST_CB(c.beqz, 1, 1)
    TEST_CB(c.beqz, 0x100000000, 1)
    TEST_CB(c.bnez, 0, 1)
    TEST_CB(c.bnez, 0x8000000000000000, 4)
    /* the farthest c.beqz and c.j */
    li a3, 0
    .option push
    .option rvc
    c.beqz a3, 2f
1:  c.addi a3, 1
    c.j 3f
    .space 254 - 4
2:  c.addi a3, 2
    c.j 4f
    .space 2046 - 254 - 4 - 4
4:  c.addi a3, 4
    c.j 1b
    .balign 4
3:
    .option pop
    CHECK(a3, 7)

    /* c.ebreak: epc is its own; mtval is epc or 0 (Privileged 3.1.16) */
    TRAP(CAUSE_BREAKPOINT, .option push; .option rvc; 78: c.ebreak; c.nop; .option pop)
    CHECK_AT(s6, 78b)
    beqz s5, 1f
    CHECK_REG(s5, s6)
1:
    /* hints (16.7 table): no trap and no effect */
    li a3, 7
    RUNS(.half 0x0085, 1)       /* c.nop with an immediate */
    RUNS(.half 0x4005, 1)       /* c.li x0, 1 */
    RUNS(.half 0x6005, 1)       /* c.lui x0, 1 */
    RUNS(.half 0x8016, 1)       /* c.mv x0, t0 */
    RUNS(.half 0x9016, 1)       /* c.add x0, t0 */
    RUNS(.half 0x0686 & ~0x0f80, 1) /* c.slli x0, 1 */
    RUNS(.half 0x0681, 1)       /* c.addi a3, 0 */
    CHECK(a3, 7)
    CHECK(zero, 0)

    /* reserved encodings */
    ILLEGAL_C(0x0000)           /* defined illegal */
    ILLEGAL_C(0x0004)           /* c.addi4spn a0, 0 */
    ILLEGAL_C(0x2001)           /* c.addiw x0 */
    ILLEGAL_C(0x6101)           /* c.addi16sp 0 */
    ILLEGAL_C(0x6681)           /* c.lui a3, 0 */
    ILLEGAL_C(0x4002)           /* c.lwsp x0 */
    ILLEGAL_C(0x6002)           /* c.ldsp x0 */
    ILLEGAL_C(0x8002)           /* c.jr x0 */
    ILLEGAL_C(0x8000)           /* quadrant 0, funct3 4 */
    ILLEGAL_C(0x9c41)           /* quadrant 1, reserved arithmetic */
    ILLEGAL_C(0x9c61)

    /* 32-bit instructions at 2 modulo 4, and across two pages */
    li a3, 0
    j 1f
    .balign 4
    .option push
    .option rvc
    .half 1
1:  .option norvc
    addi a3, a3, 100
    jal t1, 3f
2:  .option rvc
    c.nop
    .option norvc
3:  addi a3, a3, 200
    .option rvc
    .balign 4
    .option pop
    CHECK(a3, 300)
    CHECK_AT(t1, 2b)
    li a3, 1
    li t4, 3
1:  call crossing               /* thrice: decoded once, run again */
    addi t4, t4, -1
    bnez t4, 1b
    CHECK(a3, 1 + 3 * 0x155)
    la t0, crossing_branch
    jalr ra, 0(t0)
    CHECK(a3, 77)
    /* an illegal one there: epc is its first half, tval its bits or 0 */
    la s9, 1f
    li s4, NO_TRAP
    j crossing_illegal
1:  li s9, 0
    la a1, crossing_illegal
    li a2, __LINE__
    call check_illegal

    TEST_END

    .data
    .balign 8
room: .space 512
data: .space 512

    .text
    .option rvc
    .balign 4096
    .space 4094
    .option norvc
crossing:
    addi a3, a3, 0x155
    ret
    .option rvc
    .balign 4096
    .space 4094
    .option norvc
crossing_branch:
    beq zero, zero, 1f
    li a3, 1
1:  li a3, 77
    ret
    .option rvc
    .balign 4096
    .space 4094
crossing_illegal:
    .word 0xffff307f
    .half 1
    .balign 4
