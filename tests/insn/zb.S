/* Bit manipulation, Zba, Zbb and Zbs: Bit-Manipulation ISA extensions 1.0.0. */
#include "insn.h"

#define MIN 0x8000000000000000
#define MINW 0xffffffff80000000

    TEST_BEGIN

    /* Zba: shift and add; .uw takes the low word of rs1 as unsigned */
    TEST_RR(sh1add, 0x17, 9, 5)
    TEST_RR(sh1add, 5, MIN, 5)
    TEST_RR(sh2add, 0x29, 9, 5)
    TEST_RR(sh2add, 1, 0xc000000000000000, 1)
    TEST_RR(sh3add, 0x4d, 9, 5)
    TEST_RR(sh3add, -9, -1, -1)
    TEST_RR(sh1add.uw, 0x1ffffffff, -1, 1)
    TEST_RR(sh2add.uw, 0x3fffffffd, 0xabcdef01ffffffff, 1)
    TEST_RR(sh3add.uw, 0x400000000, MINW, 0)
    TEST_RR(add.uw, 0x100000000, -1, 1)
    TEST_RR(add.uw, 0xfffffffe, 0x11111111ffffffff, -1)
    TEST_RR_SRC1(add.uw, 7, 0x500000003, 4)
    TEST_RI(slli.uw, 0x80000000, MINW, 0)
    TEST_RI(slli.uw, 0xffffffff00000000, -1, 32)
    TEST_RI(slli.uw, MIN, 0xf00000001, 63)
    TEST_RI(slli.uw, 0x80000000000, 0x100000001, 43)

    /* Zbb: logic with negate */
    TEST_RR(andn, 0xf000f000f000f000, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR(orn, 0xfff0fff0fff0fff0, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR(xnor, 0x0ff00ff00ff00ff0, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR_SAME(andn, 0, 0x1234)
    TEST_RR_SAME(orn, -1, 0x1234)
    /* counting: of zero it is the width */
    TEST_R(clz, 64, 0)
    TEST_R(clz, 63, 1)
    TEST_R(clz, 0, -1)
    TEST_R(clz, 32, 0xffffffff)
    TEST_R(clz, 31, 0x1ffffffff)
    TEST_R(ctz, 64, 0)
    TEST_R(ctz, 0, 1)
    TEST_R(ctz, 63, MIN)
    TEST_R(ctz, 32, 0x500000000)
    TEST_R(cpop, 0, 0)
    TEST_R(cpop, 64, -1)
    TEST_R(cpop, 32, 0x5555aaaa5555aaaa)
    TEST_R(cpop, 1, MIN)
    TEST_R(clzw, 32, 0)
    TEST_R(clzw, 32, 0xffffffff00000000)
    TEST_R(clzw, 0, 0x80000000)
    TEST_R(clzw, 31, 0xf00000001)
    TEST_R(ctzw, 32, 0)
    TEST_R(ctzw, 32, 0xffffffff00000000)
    TEST_R(ctzw, 31, 0x80000000)
    TEST_R(ctzw, 4, 0x30)
    TEST_R(cpopw, 0, 0xffffffff00000000)
    TEST_R(cpopw, 32, -1)
    TEST_R(cpopw, 3, 0xf80000011)
    /* smaller and larger */
    TEST_RR(max, 5, 5, -6)
    TEST_RR(max, 5, -6, 5)
    TEST_RR(max, -5, MIN, -5)
    TEST_RR(maxu, -6, 5, -6)
    TEST_RR(maxu, MIN, MIN, 0x7fffffffffffffff)
    TEST_RR(min, -6, 5, -6)
    TEST_RR(min, MIN, MIN, 0x7fffffffffffffff)
    TEST_RR(min, 4, 4, 4)
    TEST_RR(minu, 5, 5, -6)
    TEST_RR(minu, 0, 0, -1)
    /* extending */
    TEST_R(sext.b, 0xffffffffffffff80, 0x180)
    TEST_R(sext.b, 0x7f, 0xffffffffffffff7f)
    TEST_R(sext.h, 0xffffffffffff8000, 0x18000)
    TEST_R(sext.h, 0x7fff, 0xffffffffffff7fff)
    TEST_R(zext.h, 0x8000, 0xffffffffffff8000)
    TEST_R(zext.h, 0xffff, -1)
    /* rotations: the amount is taken modulo the width */
    TEST_RR(rol, 0x23456789abcdef01, 0x0123456789abcdef, 8)
    TEST_RR(rol, 0x0123456789abcdef, 0x0123456789abcdef, 64)
    TEST_RR(rol, 1, MIN, 1)
    TEST_RR(rol, MIN, 1, -1)
    TEST_RR(ror, 0xef0123456789abcd, 0x0123456789abcdef, 8)
    TEST_RR(ror, MIN, 1, 0x41)
    TEST_RR(ror, 0x0123456789abcdef, 0x0123456789abcdef, 0)
    TEST_RI(rori, 0xf0123456789abcde, 0x0123456789abcdef, 4)
    TEST_RI(rori, 2, 1, 63)
    TEST_RI(rori, 0x89abcdef01234567, 0x0123456789abcdef, 32)
    TEST_RR(rolw, 0x34567812, 0xffffffff12345678, 8)
    TEST_RR(rolw, 0xffffffff81234567, 0x78123456, 4)
    TEST_RR(rolw, 0x12345678, 0xffffffff12345678, 32)
    TEST_RR(rorw, 0x78123456, 0xffffffff12345678, 8)
    TEST_RR(rorw, MINW, 1, 1)
    TEST_RR(rorw, MINW, 0x80000000, 0x20)
    TEST_RI(roriw, MINW, 1, 1)
    TEST_RI(roriw, 0xffffffff81234567, 0xabcdef0112345678, 4)
    TEST_RI(roriw, 2, 0x100000001, 31)
    /* or-combine, byte reverse */
    TEST_R(orc.b, 0, 0)
    TEST_R(orc.b, 0x00ff00ff00ff00ff, 0x0001000200800040)
    TEST_R(orc.b, 0xff000000000000ff, 0x1000000000000001)
    TEST_R(orc.b, -1, 0x0101010101010101)
    TEST_R(rev8, 0xefcdab8967452301, 0x0123456789abcdef)
    TEST_R(rev8, 0x0100000000000000, 1)

    /* Zbs: one bit, the index modulo 64 */
    TEST_RR(bclr, 0xfffffffffffffffe, -1, 0)
    TEST_RR(bclr, 0x7fffffffffffffff, -1, 63)
    TEST_RR(bclr, 0xfffffffffffffffd, -1, 65)
    TEST_RR(bset, MIN, 0, 63)
    TEST_RR(bset, 1, 0, 64)
    TEST_RR(bset, 9, 8, -64)
    TEST_RR(binv, 0x7fffffffffffffff, -1, 63)
    TEST_RR(binv, 0x100000000, 0, 32)
    TEST_RR(bext, 1, MIN, 63)
    TEST_RR(bext, 0, MIN, 62)
    TEST_RR(bext, 1, 2, 65)
    TEST_RI(bclri, 0xfffffffeffffffff, -1, 32)
    TEST_RI(bclri, 0x7fffffffffffffff, -1, 63)
    TEST_RI(bseti, MIN, 0, 63)
    TEST_RI(bseti, 0x80000000, 0, 31)
    TEST_RI(binvi, 0, 0x800000000000, 47)
    TEST_RI(binvi, 1, 0, 0)
    TEST_RI(bexti, 1, MIN, 63)
    TEST_RI(bexti, 0, 0xfffffffffffffffe, 0)

    /* laws between them, on 200 numbers */
    li t0, 0x9e3779b97f4a7c15
    li t3, 0
    li t4, 200
1:  slli t1, t0, 13
    xor t0, t0, t1
    srli t1, t0, 7
    xor t0, t0, t1
    slli t1, t0, 17
    xor t0, t0, t1
    cpop t1, t0                 /* the ones of x and of not x are 64 */
    not t2, t0
    cpop t2, t2
    add t1, t1, t2
    addi t1, t1, -64
    snez t1, t1
    add t3, t3, t1
    rol t1, t0, t4              /* there and back */
    ror t1, t1, t4
    sub t1, t1, t0
    snez t1, t1
    add t3, t3, t1
    rolw t1, t0, t4
    rorw t1, t1, t4
    subw t1, t1, t0
    snez t1, t1
    add t3, t3, t1
    neg t1, t0                  /* the lowest one is where ctz says */
    and t1, t1, t0
    ctz t2, t0
    bclr t1, t1, t2
    snez t1, t1
    add t3, t3, t1
    rev8 t1, t0
    rev8 t1, t1
    sub t1, t1, t0
    snez t1, t1
    add t3, t3, t1
    addi t4, t4, -1
    bnez t4, 1b
    CHECK(t3, 0)

    /* unknown neighbours of these encodings */
    ILLEGAL(.word 0x60301013 + (13 << 20))  /* Zbb unary, selector 16 */
    ILLEGAL(.word 0x6a105013)               /* of the shape of rev8, another selector */
    ILLEGAL(.word 0x0a003033 & ~0x7000)     /* minu's funct7, funct3 0 */

    TEST_END
