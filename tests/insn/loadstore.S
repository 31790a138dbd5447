/* Loads and stores of RV64I, aligned and not: Unprivileged 2.6 and 5.3. */
#include "insn.h"

#define PAGE 4096

/* op from data + offset */
#define TEST_LD(op, want, offset) \
    la t0, data; op t2, offset(t0); CHECK(t2, want)
/* The same address through a register that already holds it, at displacement d. */
#define TEST_LD_AT(op, want, offset, d) \
    la t0, data; li t1, offset - d; add t0, t0, t1; op t2, d(t0); CHECK(t2, want)
/* Store, then look at the doubleword at wide (an aligned one), and restore it. */
#define TEST_ST(op, want, value, offset) \
    la t0, room; li t1, 0xeeeeeeeeeeeeeeee; sd t1, 0(t0); sd t1, 8(t0); \
    li t1, value; op t1, offset(t0); ld t2, 0(t0); CHECK(t2, want)
#define CHECK_NEXT(want) la t0, room; ld t2, 8(t0); CHECK(t2, want)

    TEST_BEGIN

    TEST_LD(lb, 0x11, 0)
    TEST_LD(lb, -1, 1)
    TEST_LD(lb, 0x7f, 2)
    TEST_LD(lb, 0xffffffffffffff80, 3)
    TEST_LD(lbu, 0xff, 1)
    TEST_LD(lbu, 0x80, 3)
    TEST_LD(lh, 0xffffffffffffff11, 0)
    TEST_LD(lh, 0xffffffffffff807f, 2)
    TEST_LD(lhu, 0xff11, 0)
    TEST_LD(lhu, 0x807f, 2)
    TEST_LD(lh, 0x5544, 4)
    TEST_LD(lw, 0xffffffff807fff11, 0)
    TEST_LD(lwu, 0x807fff11, 0)
    TEST_LD(lw, 0x77665544, 4)
    TEST_LD(lwu, 0x77665544, 4)
    TEST_LD(ld, 0x77665544807fff11, 0)
    TEST_LD_AT(lb, 0x77, 7, 2047)
    TEST_LD_AT(lb, 0x77, 7, -2048)
    TEST_LD_AT(ld, 0x77665544807fff11, 0, -1)
    TEST_LD_AT(lw, 0x77665544, 4, 2047)

    /* rd = rs1, and rd = x0 */
    la t0, data
    ld t0, 0(t0)
    CHECK(t0, 0x77665544807fff11)
    la t0, data
    ld zero, 0(t0)
    CHECK(zero, 0)

    /* misaligned at every offset: done by the machine, as on the reference board */
    TEST_LD(lh, 0x7fff, 1)
    TEST_LD(lhu, 0x4480, 3)
    TEST_LD(lh, 0xffffffffffff8877, 7)
    TEST_LD(lhu, 0x8877, 7)
    TEST_LD(lw, 0x44807fff, 1)
    TEST_LD(lw, 0x5544807f, 2)
    TEST_LD(lw, 0x66554480, 3)
    TEST_LD(lw, 0xffffffff88776655, 5)
    TEST_LD(lw, 0xffffffff99887766, 6)
    TEST_LD(lwu, 0x99887766, 6)
    TEST_LD(lwu, 0xaa998877, 7)
    TEST_LD(ld, 0x8877665544807fff, 1)
    TEST_LD(ld, 0x998877665544807f, 2)
    TEST_LD(ld, 0xaa99887766554480, 3)
    TEST_LD(ld, 0xbbaa998877665544, 4)
    TEST_LD(ld, 0xccbbaa9988776655, 5)
    TEST_LD(ld, 0xddccbbaa99887766, 6)
    TEST_LD(ld, 0xeeddccbbaa998877, 7)

    TEST_ST(sb, 0xeeeeeeeeeeeeee80, 0x1280, 0)
    TEST_ST(sb, 0x80eeeeeeeeeeeeee, 0xffffffffffffff80, 7)
    TEST_ST(sb, 0xeeeeee12eeeeeeee, 0x12, 4)
    TEST_ST(sh, 0xeeeeeeeeeeee8001, 0xabcd8001, 0)
    TEST_ST(sh, 0x1234eeeeeeeeeeee, 0x1234, 6)
    TEST_ST(sw, 0xeeeeeeee80000001, 0xabcd123480000001, 0)
    TEST_ST(sw, 0x12345678eeeeeeee, 0x12345678, 4)
    TEST_ST(sd, 0x0123456789abcdef, 0x0123456789abcdef, 0)
    TEST_ST(sd, 0, 0, 0)
    CHECK_NEXT(0xeeeeeeeeeeeeeeee)
    TEST_ST(sh, 0xeeeeeeeeee1234ee, 0x1234, 1)
    TEST_ST(sh, 0x34eeeeeeeeeeeeee, 0x1234, 7)
    CHECK_NEXT(0xeeeeeeeeeeeeee12)
    TEST_ST(sw, 0xeeeeee12345678ee, 0x12345678, 1)
    TEST_ST(sw, 0xee12345678eeeeee, 0x12345678, 3)
    TEST_ST(sw, 0x345678eeeeeeeeee, 0x12345678, 5)
    CHECK_NEXT(0xeeeeeeeeeeeeee12)
    TEST_ST(sw, 0x78eeeeeeeeeeeeee, 0x12345678, 7)
    CHECK_NEXT(0xeeeeeeeeee123456)
    TEST_ST(sd, 0x23456789abcdefee, 0x0123456789abcdef, 1)
    CHECK_NEXT(0xeeeeeeeeeeeeee01)
    TEST_ST(sd, 0x89abcdefeeeeeeee, 0x0123456789abcdef, 4)
    CHECK_NEXT(0xeeeeeeee01234567)
    TEST_ST(sd, 0xefeeeeeeeeeeeeee, 0x0123456789abcdef, 7)
    CHECK_NEXT(0xee0123456789abcd)

    /* across a page boundary: each size, each split */
    la t3, pages + PAGE - 8
    li t0, 0x0123456789abcdef
    li t1, 0xfedcba9876543210
    sd t0, 0(t3)
    sd t1, 8(t3)
    lh t2, 7(t3)
    CHECK(t2, 0x1001)
    lhu t2, 7(t3)
    CHECK(t2, 0x1001)
    lw t2, 5(t3)
    CHECK(t2, 0x10012345)
    lw t2, 6(t3)
    CHECK(t2, 0x32100123)
    lwu t2, 7(t3)
    CHECK(t2, 0x54321001)
    ld t2, 1(t3)
    CHECK(t2, 0x100123456789abcd)
    ld t2, 2(t3)
    CHECK(t2, 0x32100123456789ab)
    ld t2, 3(t3)
    CHECK(t2, 0x5432100123456789)
    ld t2, 4(t3)
    CHECK(t2, 0x7654321001234567)
    ld t2, 5(t3)
    CHECK(t2, 0x9876543210012345)
    ld t2, 6(t3)
    CHECK(t2, 0xba98765432100123)
    ld t2, 7(t3)
    CHECK(t2, 0xdcba987654321001)
    li t0, 0xa5a6
    sh t0, 7(t3)
    ld t2, 0(t3)
    CHECK(t2, 0xa623456789abcdef)
    ld t2, 8(t3)
    CHECK(t2, 0xfedcba98765432a5)
    li t0, 0xb1b2b3b4
    sw t0, 6(t3)
    ld t2, 0(t3)
    CHECK(t2, 0xb3b4456789abcdef)
    ld t2, 8(t3)
    CHECK(t2, 0xfedcba987654b1b2)
    li t0, 0xc1c2c3c4c5c6c7c8
    sd t0, 3(t3)
    ld t2, 0(t3)
    CHECK(t2, 0xc4c5c6c7c8abcdef)
    ld t2, 8(t3)
    CHECK(t2, 0xfedcba9876c1c2c3)

    /* address arithmetic wraps: base -1 plus the address plus 1 is the address */
    la t0, data
    li t1, 0x800
    add t0, t0, t1
    ld t2, -0x800(t0)
    CHECK(t2, 0x77665544807fff11)

    /* a store is seen by a load of another size at once */
    la t0, room
    li t1, 0x1122334455667788
    sd t1, 0(t0)
    sb zero, 3(t0)
    lw t2, 0(t0)
    CHECK(t2, 0x00667788)
    lwu t2, 2(t0)
    CHECK(t2, 0x33440066)

    /* unknown widths */
    ILLEGAL(.word 0x00007003)   /* load, funct3 7 */
    ILLEGAL(.word 0x00004023)   /* store, funct3 4 */
    ILLEGAL(.word 0x00007023)

    TEST_END

    .data
    .balign 16
data:
    .word 0x807fff11, 0x77665544, 0xbbaa9988, 0xffeeddcc
    .dword 0
    .bss
    .balign 8
room: .space 32
    .balign 4096
pages: .space 2 * PAGE
