/*
 * What rounds nothing in F and D: comparing, minimum and maximum, classes, sign injection,
 * moves, loads and stores, and NaN boxing. Unprivileged 11.5 to 11.9, 12.2 to 12.7.
 */
#include "insn.h"

#define BOX(x)  (0xffffffff00000000 | (x))
#define S0      BOX(0x00000000)
#define SN0     BOX(0x80000000)
#define S1      BOX(0x3f800000)
#define SN1     BOX(0xbf800000)
#define SINF    BOX(0x7f800000)
#define SNINF   BOX(0xff800000)
#define SQ      BOX(0x7fc00000)
#define SQP     BOX(0xffc12345)     /* quiet with sign and payload */
#define SS      BOX(0x7f800001)     /* signaling */
#define SSUB    BOX(0x00000001)
#define SNSUB   BOX(0x807fffff)
#define SMAX    BOX(0x7f7fffff)
#define D0      0x0000000000000000
#define DN0     0x8000000000000000
#define D1      0x3ff0000000000000
#define DN1     0xbff0000000000000
#define DINF    0x7ff0000000000000
#define DNINF   0xfff0000000000000
#define DQ      0x7ff8000000000000
#define DQP     0xfff8000012345678
#define DS      0x7ff0000000000001
#define DSUB    0x0000000000000001
#define DNSUB   0x800fffffffffffff
#define DMAX    0x7fefffffffffffff
#define NV      16

#define FLAGS(want) csrr t6, fflags; CHECK(t6, want)
/* raw bits in, raw bits out */
#define TEST_FF(op, want, flags, a, b) \
    li t0, a; li t1, b; fmv.d.x ft0, t0; fmv.d.x ft1, t1; csrw fcsr, zero; \
    op ft2, ft0, ft1; FLAGS(flags); fmv.x.d t2, ft2; CHECK(t2, want)
/* an integer result of two, of one */
#define TEST_CMP(op, want, flags, a, b) \
    li t0, a; li t1, b; fmv.d.x ft0, t0; fmv.d.x ft1, t1; csrw fcsr, zero; \
    op t2, ft0, ft1; FLAGS(flags); CHECK(t2, want)
#define TEST_F(op, want, a) \
    li t0, a; fmv.d.x ft0, t0; csrw fcsr, zero; op t2, ft0; FLAGS(0); CHECK(t2, want)

/* The same table for both precisions: p is S or D, l the suffix. */
#define BOTH(test) test(S, s); test(D, d)

#define COMPARE(p, l); \
    TEST_CMP(feq.l, 1, 0, p##1, p##1); \
    TEST_CMP(feq.l, 1, 0, p##0, p##N0); \
    TEST_CMP(feq.l, 0, 0, p##1, p##N1); \
    TEST_CMP(feq.l, 1, 0, p##INF, p##INF); \
    TEST_CMP(feq.l, 0, 0, p##INF, p##NINF); \
    TEST_CMP(feq.l, 0, 0, p##SUB, p##0); \
    TEST_CMP(feq.l, 0, 0, p##Q, p##Q); \
    TEST_CMP(feq.l, 0, 0, p##1, p##QP); \
    TEST_CMP(feq.l, 0, NV, p##S, p##1); \
    TEST_CMP(feq.l, 0, NV, p##Q, p##S); \
    TEST_CMP(flt.l, 0, 0, p##1, p##1); \
    TEST_CMP(flt.l, 0, 0, p##N0, p##0); \
    TEST_CMP(flt.l, 1, 0, p##N1, p##1); \
    TEST_CMP(flt.l, 0, 0, p##1, p##N1); \
    TEST_CMP(flt.l, 1, 0, p##NINF, p##NSUB); \
    TEST_CMP(flt.l, 1, 0, p##NSUB, p##N0); \
    TEST_CMP(flt.l, 1, 0, p##MAX, p##INF); \
    TEST_CMP(flt.l, 0, NV, p##Q, p##1); \
    TEST_CMP(flt.l, 0, NV, p##1, p##QP); \
    TEST_CMP(flt.l, 0, NV, p##S, p##S); \
    TEST_CMP(fle.l, 1, 0, p##1, p##1); \
    TEST_CMP(fle.l, 1, 0, p##0, p##N0); \
    TEST_CMP(fle.l, 1, 0, p##N1, p##1); \
    TEST_CMP(fle.l, 0, 0, p##1, p##N1); \
    TEST_CMP(fle.l, 0, 0, p##INF, p##MAX); \
    TEST_CMP(fle.l, 0, NV, p##Q, p##Q); \
    TEST_CMP(fle.l, 0, NV, p##1, p##S)

/* minimumNumber and maximumNumber; -0 is below +0; two NaNs give the canonical one */
#define MINMAX(p, l); \
    TEST_FF(fmin.l, p##N1, 0, p##1, p##N1); \
    TEST_FF(fmax.l, p##1, 0, p##N1, p##1); \
    TEST_FF(fmin.l, p##N0, 0, p##0, p##N0); \
    TEST_FF(fmin.l, p##N0, 0, p##N0, p##0); \
    TEST_FF(fmax.l, p##0, 0, p##0, p##N0); \
    TEST_FF(fmax.l, p##0, 0, p##N0, p##0); \
    TEST_FF(fmin.l, p##NINF, 0, p##NINF, p##MAX); \
    TEST_FF(fmax.l, p##INF, 0, p##MAX, p##INF); \
    TEST_FF(fmin.l, p##NSUB, 0, p##SUB, p##NSUB); \
    TEST_FF(fmin.l, p##1, 0, p##Q, p##1); \
    TEST_FF(fmax.l, p##1, 0, p##1, p##QP); \
    TEST_FF(fmin.l, p##1, NV, p##1, p##S); \
    TEST_FF(fmax.l, p##N1, NV, p##S, p##N1); \
    TEST_FF(fmin.l, p##Q, 0, p##QP, p##QP); \
    TEST_FF(fmax.l, p##Q, NV, p##S, p##QP); \
    TEST_FF(fmax.l, p##Q, NV, p##QP, p##S)

/* table 11.5 */
#define CLASS(p, l); \
    TEST_F(fclass.l, 1 << 0, p##NINF); \
    TEST_F(fclass.l, 1 << 1, p##N1); \
    TEST_F(fclass.l, 1 << 2, p##NSUB); \
    TEST_F(fclass.l, 1 << 3, p##N0); \
    TEST_F(fclass.l, 1 << 4, p##0); \
    TEST_F(fclass.l, 1 << 5, p##SUB); \
    TEST_F(fclass.l, 1 << 6, p##MAX); \
    TEST_F(fclass.l, 1 << 7, p##INF); \
    TEST_F(fclass.l, 1 << 8, p##S); \
    TEST_F(fclass.l, 1 << 9, p##Q); \
    TEST_F(fclass.l, 1 << 9, p##QP)

/* no flags and no canonical NaN: the bits pass */
#define SIGNS(p, l); \
    TEST_FF(fsgnj.l, p##N1, 0, p##1, p##N0); \
    TEST_FF(fsgnj.l, p##1, 0, p##N1, p##0); \
    TEST_FF(fsgnj.l, p##S, 0, p##S, p##1); \
    TEST_FF(fsgnjn.l, p##1, 0, p##1, p##N0); \
    TEST_FF(fsgnjn.l, p##N1, 0, p##1, p##S); \
    TEST_FF(fsgnjx.l, p##1, 0, p##N1, p##NINF); \
    TEST_FF(fsgnjx.l, p##N0, 0, p##0, p##N1); \
    TEST_FF(fsgnjx.l, p##QP, 0, p##QP, p##1)

    TEST_BEGIN
    li t0, MSTATUS_FS
    csrs mstatus, t0

    BOTH(COMPARE)
    BOTH(MINMAX)
    BOTH(CLASS)
    BOTH(SIGNS)

    /* 12.2: a single that is not boxed is read as the canonical NaN by arithmetic */
    TEST_F(fclass.s, 1 << 9, 0x000000003f800000)
    TEST_F(fclass.s, 1 << 9, 0xfffffffe3f800000)
    TEST_F(fclass.s, 1 << 6, BOX(0x3f800000))
    TEST_FF(fmin.s, S1, 0, 0x0000000080000000, S1)
    TEST_FF(fmax.s, SQ, 0, 0x000000007f800001, 0x7fffffff3f800000)
    TEST_FF(fadd.s, SQ, 0, S1, 0x000000003f800000)
    TEST_FF(fadd.s, BOX(0x40000000), 0, S1, S1)
    TEST_FF(fmul.s, SQ, 0, 0x3ff0000000000000, S1)
    TEST_FF(fsgnj.s, SQ, 0, 0x000000003f800000, S1)
    TEST_FF(fsgnjn.s, BOX(0xbf800000), 0, S1, 0x00000000bf800000)
    TEST_FF(fsgnj.s, S1, 0, SN1, 0x00000000bf800000)
    TEST_CMP(feq.s, 0, 0, 0x000000003f800000, 0x000000003f800000)
    TEST_CMP(flt.s, 0, NV, 0x000000003f800000, S1)
    TEST_CMP(fle.s, 1, 0, S1, S1)
    li t0, 0x000000003f800000
    fmv.d.x ft0, t0
    csrw fcsr, zero
    fcvt.w.s t2, ft0
    CHECK(t2, 0x7fffffff)
    FLAGS(NV)
    csrw fcsr, zero
    fcvt.d.s ft1, ft0
    fmv.x.d t2, ft1
    CHECK(t2, DQ)
    FLAGS(0)
    fsqrt.s ft1, ft0
    fmv.x.d t2, ft1
    CHECK(t2, SQ)
    li t1, S1
    fmv.d.x ft1, t1
    fmadd.s ft2, ft1, ft1, ft0
    fmv.x.d t2, ft2
    CHECK(t2, SQ)
    /* but moves and stores take the low bits as they are */
    li t0, 0x1234567880000001
    fmv.d.x ft0, t0
    fmv.x.w t2, ft0
    CHECK(t2, 0xffffffff80000001)
    la t3, room
    li t1, -1
    sd t1, 0(t3)
    fsw ft0, 0(t3)
    ld t2, 0(t3)
    CHECK(t2, 0xffffffff80000001)
    fsd ft0, 0(t3)
    ld t2, 0(t3)
    CHECK(t2, 0x1234567880000001)
    /* what writes a single boxes it: load, move, conversion */
    flw ft1, 4(t3)
    fmv.x.d t2, ft1
    CHECK(t2, 0xffffffff12345678)
    fmv.w.x ft1, t0
    fmv.x.d t2, ft1
    CHECK(t2, 0xffffffff80000001)
    li t1, 1
    fcvt.s.w ft1, t1
    fmv.x.d t2, ft1
    CHECK(t2, S1)
    fld ft1, 0(t3)
    fmv.x.d t2, ft1
    CHECK(t2, 0x1234567880000001)
    /* signaling NaNs pass through loads, stores and moves */
    li t0, DS
    sd t0, 0(t3)
    csrw fcsr, zero
    fld ft1, 0(t3)
    fsd ft1, 8(t3)
    ld t2, 8(t3)
    CHECK(t2, DS)
    FLAGS(0)
    /* displacements and misaligned floating-point accesses */
    li t0, 0x0123456789abcdef
    addi t3, t3, 16
    fmv.d.x ft0, t0
    fsd ft0, -13(t3)
    fld ft1, -13(t3)
    fmv.x.d t2, ft1
    CHECK(t2, 0x0123456789abcdef)
    flw ft1, -11(t3)
    fmv.x.w t2, ft1
    CHECK(t2, 0x456789ab)
    fsw ft0, -7(t3)
    lw t2, -7(t3)
    CHECK(t2, 0xffffffff89abcdef)
    /* all 32 registers are different ones */
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li t0, \n + 100
    fmv.d.x f\n, t0
    .endr
    li t4, 0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d t0, f\n
    addi t0, t0, -100 - \n
    or t4, t4, t0
    .endr
    CHECK(t4, 0)

    TEST_END

    .bss
    .balign 16
room: .space 64
