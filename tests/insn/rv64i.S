/* Integer arithmetic of RV64I: Unprivileged 2.4 and 5.2. */
#include "insn.h"

#define MAX 0x7fffffffffffffff
#define MIN 0x8000000000000000
#define MAXW 0x7fffffff
#define MINW 0xffffffff80000000

    TEST_BEGIN

    /* addi: 12-bit immediate, sign-extended; overflow ignored */
    TEST_RI(addi, 0, 0, 0)
    TEST_RI(addi, 2047, 0, 2047)
    TEST_RI(addi, -2048, 0, -2048)
    TEST_RI(addi, MIN, MAX, 1)
    TEST_RI(addi, MAX, MIN, -1)
    TEST_RI(addi, 0x80000000, MAXW, 1)
    TEST_RI_SAME(addi, 24, 13, 11)
    li t0, 5
    addi zero, t0, 7
    CHECK(zero, 0)

    /* slti and sltiu: the immediate is sign-extended, then taken as unsigned */
    TEST_RI(slti, 1, -1, 0)
    TEST_RI(slti, 0, 0, 0)
    TEST_RI(slti, 0, 0, -1)
    TEST_RI(slti, 1, MIN, -2048)
    TEST_RI(slti, 0, MAX, 2047)
    TEST_RI(slti, 1, -2048, 2047)
    TEST_RI(sltiu, 0, -1, 0)
    TEST_RI(sltiu, 1, 0, 1)
    TEST_RI(sltiu, 1, 0, -1)
    TEST_RI(sltiu, 0, -1, -1)
    TEST_RI(sltiu, 1, 2047, -2048)
    TEST_RI(sltiu, 1, -2049, -2048)
    TEST_RI(sltiu, 0, -2047, -2048)

    TEST_RI(xori, -1, 0, -1)
    TEST_RI(xori, 0xffffffffff00f00f, 0x0000000000ff0800, -2033)
    TEST_RI(xori, 0x0f0, 0x00f, 0x0ff)
    TEST_RI(ori, 0xfffffffffffff80f, 0x00f, -2048)
    TEST_RI(ori, 0x7ff, 0x123, 0x7ff)
    TEST_RI(andi, 0xff00ff00ff00f800, 0xff00ff00ff00ff00, -2048)
    TEST_RI(andi, 0x0f0, 0x0ff0f0f0, 0x0ff)

    /* shifts by a constant: 6 bits on RV64 */
    TEST_RI(slli, 1, 1, 0)
    TEST_RI(slli, MIN, 1, 63)
    TEST_RI(slli, 0x100000000, 1, 32)
    TEST_RI(slli, 0x23456789abcdef00, 0x0123456789abcdef, 8)
    TEST_RI(srli, 1, MIN, 63)
    TEST_RI(srli, 0x00123456789abcde, 0x0123456789abcdef, 4)
    TEST_RI(srli, 0xffffffff, -1, 32)
    TEST_RI(srli, -1, -1, 0)
    TEST_RI(srai, -1, MIN, 63)
    TEST_RI(srai, 0xfffffffff8000000, 0xffffffff80000000, 4)
    TEST_RI(srai, 0x07ffffffffffffff, MAX, 4)
    TEST_RI(srai, 0xfffffffffedcba98, 0xfedcba9876543210, 32)

    /* register forms */
    TEST_RR(add, 0, 0, 0)
    TEST_RR(add, MIN, MAX, 1)
    TEST_RR(add, 0, MIN, MIN)
    TEST_RR(add, -2, -1, -1)
    TEST_RR(add, 0x100000000, 0xffffffff, 1)
    TEST_RR_SRC1(add, 24, 13, 11)
    TEST_RR_SRC2(add, 25, 14, 11)
    TEST_RR_SAME(add, 26, 13)
    TEST_RR_ZERO(add, 16, 30)
    TEST_RR(sub, MAX, MIN, 1)
    TEST_RR(sub, MIN, 0, MIN)
    TEST_RR(sub, 1, 0, -1)
    TEST_RR_SRC1(sub, 2, 13, 11)
    TEST_RR_SRC2(sub, 3, 14, 11)
    TEST_RR_SAME(sub, 0, 13)
    TEST_RR(slt, 1, MIN, MAX)
    TEST_RR(slt, 0, MAX, MIN)
    TEST_RR(slt, 0, -5, -5)
    TEST_RR(slt, 1, -6, -5)
    TEST_RR(slt, 1, 0xffffffff80000000, 0)
    TEST_RR(sltu, 0, MIN, MAX)
    TEST_RR(sltu, 1, MAX, MIN)
    TEST_RR(sltu, 1, 0, -1)
    TEST_RR(sltu, 0, 0, 0)
    TEST_RR(sltu, 1, 0xffffffff, 0x100000000)
    TEST_RR(and, 0x0f000f000f000f00, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR(or, 0xff0fff0fff0fff0f, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR(xor, 0xf00ff00ff00ff00f, 0xff00ff00ff00ff00, 0x0f0f0f0f0f0f0f0f)
    TEST_RR_SAME(xor, 0, 0x1234567890)
    TEST_RR_SRC2(and, 0x10, 0x11, 0x30)

    /* register shifts use the low 6 bits of rs2 only */
    TEST_RR(sll, MIN, 1, 63)
    TEST_RR(sll, 1, 1, 64)
    TEST_RR(sll, 2, 1, 0xffffffffffffffc1)
    TEST_RR(sll, 0x8000000000, 0x80, 32)
    TEST_RR_SRC2(sll, 0x30, 3, 4)
    TEST_RR(srl, 1, -1, 63)
    TEST_RR(srl, -1, -1, 64)
    TEST_RR(srl, 0x7fffffffffffffff, -1, 0xffffffffffffffc1)
    TEST_RR(sra, -1, -1, 63)
    TEST_RR(sra, 0xc000000000000000, MIN, 1)
    TEST_RR(sra, MIN, MIN, 0x40)
    TEST_RR(sra, 0, MAX, 63)

    /* word forms: the low 32 bits are used, the result is sign-extended */
    TEST_RI(addiw, MINW, MAXW, 1)
    TEST_RI(addiw, MAXW, MINW, -1)
    TEST_RI(addiw, 0, 0xffffffff, 1)
    TEST_RI(addiw, -1, 0x12345678ffffffff, 0)
    TEST_RI(addiw, 0x12345678, 0xabcdef0012345678, 0)
    TEST_RI(slliw, MINW, 1, 31)
    TEST_RI(slliw, 0x34567000, 0xffff000001234567 , 12)
    TEST_RI(slliw, 1, 0xf00000001, 0)
    TEST_RI(srliw, 1, 0xffffffff80000000, 31)
    TEST_RI(srliw, MINW, 0x80000000, 0)
    TEST_RI(srliw, 0x0fffffff, 0x12345678ffffffff, 4)
    TEST_RI(sraiw, -1, 0x80000000, 31)
    TEST_RI(sraiw, MINW, 0x0000000180000000, 0)
    TEST_RI(sraiw, 0xfffffffff8000000, 0x0000000080000000, 4)
    TEST_RI(sraiw, 0x07ffffff, 0xffffffff7fffffff, 4)
    TEST_RR(addw, MINW, MAXW, 1)
    TEST_RR(addw, 0, 0xffffffff00000000, 0x0000000100000000)
    TEST_RR(addw, -2, 0x7fffffffffffffff, 0x7fffffffffffffff)
    TEST_RR(subw, MAXW, 0x80000000, 1)
    TEST_RR(subw, MINW, 0, 0x80000000)
    TEST_RR(subw, 1, 0x100000000, 0xffffffff)
    TEST_RR(sllw, 1, 1, 32)
    TEST_RR(sllw, MINW, 1, 31)
    TEST_RR(sllw, 0, 0xffffffff00000000, 3)
    TEST_RR(sllw, 2, 1, 0xffffffffffffffe1)
    TEST_RR(srlw, 1, 0xffffffff80000000, 31)
    TEST_RR(srlw, MINW, 0x80000000, 32)
    TEST_RR(srlw, 0x7fffffff, -1, 0x21)
    TEST_RR(sraw, -1, 0x80000000, 31)
    TEST_RR(sraw, MINW, 0x80000000, 0x20)
    TEST_RR(sraw, 0x3fffffff, 0xffffffff7fffffff, 1)

    /* lui sign-extends from bit 31; auipc adds to its own address */
    lui t0, 0x80000
    CHECK(t0, 0xffffffff80000000)
    lui t0, 0x7ffff
    CHECK(t0, 0x7ffff000)
    lui t0, 0
    CHECK(t0, 0)
    lui zero, 0xfffff
    CHECK(zero, 0)
1:  auipc t0, 0
    CHECK_AT(t0, 1b)
1:  auipc t0, 0x12345
    la t1, 1b
    sub t0, t0, t1
    CHECK(t0, 0x12345000)
1:  auipc t0, 0x80000
    la t1, 1b
    sub t0, t0, t1
    CHECK(t0, 0xffffffff80000000)

    /* x0 stays 0 as a destination of every kind */
    la t0, 1b
    lw zero, 0(t0)
    CHECK(zero, 0)
    csrr zero, mhartid
    CHECK(zero, 0)
    jal zero, 1f
1:  CHECK(zero, 0)

    /* fence in every form, also with reserved fields, is a hint or an order: no trap
     * (Unprivileged 2.7: "base implementations shall ignore these fields"). */
    RUNS(fence)
    RUNS(fence rw, w)
    RUNS(fence.tso)
    RUNS(fence i, o)
    RUNS(.word 0x0ff0000f | 5 << 7 | 6 << 15)
    RUNS(.word 0x20f0000f)
    /* hints: rd = x0 (2.9) */
    RUNS(lui zero, 1)
    RUNS(slti zero, t0, 5)
    RUNS(srai zero, t0, 7)
    RUNS(.word 0x0100000f)      /* pause: fence w, 0 */

    /* reserved shift encodings: bit 5 of a word shift, and unknown upper bits */
    ILLEGAL(.word 0x02101013 | 0x40 << 25)  /* slli, bit 31 set */
    ILLEGAL(.word 0x0210101b)  /* slliw by 33 */
    ILLEGAL(.word 0x0210501b)
    ILLEGAL(.word 0x4210501b)               /* sraiw by 33 */
    ILLEGAL(.word 0x8000003b)               /* OP-32, unknown funct7 */
    ILLEGAL(.word 0x40001033)               /* OP, sll with bit 30 */
    ILLEGAL(.word 0x4000003b | 1 << 12)     /* sllw with bit 30 */
    ILLEGAL(.word 0x0000301b)               /* OP-IMM-32, unknown funct3 */
    ILLEGAL(.word 0x0000001f)               /* longer than 32 bits */
    ILLEGAL(.word 0x0000003f)
    ILLEGAL(.word 0x0000007f)
    ILLEGAL(.word 0xffffffff)
    ILLEGAL(.word 0x00000000)
    ILLEGAL(.word 0x0000007b)               /* custom-3 */
    ILLEGAL(.word 0x0000006b)               /* reserved */
    ILLEGAL(.word 0x00000077)

    TEST_END
