/*
 * The state around floating point: fcsr and its parts, invalid rounding modes, the FS
 * field and SD. Unprivileged 11.2; Privileged 3.1.6.6.
 */
#include "insn.h"

#define FS_OFF      0
#define FS_INITIAL  (1 << 13)
#define FS_CLEAN    (2 << 13)
#define FS_DIRTY    (3 << 13)

#define SET_FS(state) li t0, MSTATUS_FS; csrc mstatus, t0; li t0, state; csrs mstatus, t0
/* Writing to the state makes it dirty, and SD says so in both views. */
#define DIRTIES(...) \
    SET_FS(FS_CLEAN); CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, FS_CLEAN); \
    __VA_ARGS__; CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, MSTATUS_SD | FS_DIRTY); \
    CHECK_CSR_BITS(sstatus, MSTATUS_SD | MSTATUS_FS, MSTATUS_SD | FS_DIRTY)

    TEST_BEGIN

    /* misa says F and D, and the reset value of frm and fflags is writable */
    CHECK_CSR_BITS(misa, 1 << 3 | 1 << 5, 1 << 3 | 1 << 5)
    SET_FS(FS_INITIAL)
    CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, FS_INITIAL)

    /* fcsr = frm << 5 | fflags; the other bits are 0 */
    li t0, -1
    csrw fcsr, t0
    CHECK_CSR(fcsr, 0xff)
    CHECK_CSR(fflags, 0x1f)
    CHECK_CSR(frm, 7)
    csrw fflags, zero
    CHECK_CSR(fcsr, 0xe0)
    csrwi frm, 2
    CHECK_CSR(fcsr, 0x40)
    li t0, 0xffffffffffffff15
    csrw fflags, t0
    CHECK_CSR(fcsr, 0x55)
    li t0, 0xfffffffffffffffb
    csrw frm, t0
    CHECK_CSR(fcsr, 0x75)
    csrrci t2, fflags, 4
    CHECK(t2, 0x15)
    CHECK_CSR(fcsr, 0x71)
    csrrsi t2, frm, 4
    CHECK(t2, 3)
    CHECK_CSR(fcsr, 0xf1)
    csrrwi t2, fcsr, 0
    CHECK(t2, 0xf1)
    CHECK_CSR(fcsr, 0)

    /* flags accumulate */
    csrw fcsr, zero
    li t0, 0x3ff0000000000000
    fmv.d.x ft1, t0
    fmv.d.x ft0, zero
    fdiv.d ft2, ft1, ft0        /* DZ */
    CHECK_CSR(fflags, 8)
    fdiv.d ft2, ft0, ft0        /* NV */
    CHECK_CSR(fflags, 0x18)
    fadd.d ft2, ft1, ft1        /* nothing */
    CHECK_CSR(fflags, 0x18)
    li t0, 1
    fmv.d.x ft3, t0
    fadd.d ft2, ft1, ft3        /* NX */
    CHECK_CSR(fflags, 0x19)
    fmul.d ft2, ft3, ft3        /* UF NX */
    CHECK_CSR(fflags, 0x1b)
    li t0, 0x7fefffffffffffff
    fmv.d.x ft3, t0
    fadd.d ft2, ft3, ft3        /* OF NX */
    CHECK_CSR(fflags, 0x1f)

    /* rounding modes 5 and 6 are illegal as static ones, and so is 7 or 5 or 6 in frm */
#define FADD_S(rm) .word 0x00208053 | (rm) << 12    /* fadd.s f0, f1, f2 */
#define FADD_D(rm) .word 0x02208053 | (rm) << 12
#define FMADD_D(rm) .word 0x1a208043 | (rm) << 12
#define FCVT_W_D(rm) .word 0xc2008053 | (rm) << 12
#define FSQRT_S(rm) .word 0x58008053 | (rm) << 12
    csrw fcsr, zero
    ILLEGAL(FADD_S(5))
    ILLEGAL(FADD_S(6))
    ILLEGAL(FADD_D(5))
    ILLEGAL(FADD_D(6))
    ILLEGAL(FMADD_D(5))
    ILLEGAL(FCVT_W_D(6))
    ILLEGAL(FSQRT_S(5))
    RUNS(FADD_D(4))
    RUNS(FADD_D(7))
    csrwi frm, 5
    ILLEGAL(FADD_S(7))
    ILLEGAL(FCVT_W_D(7))
    RUNS(FADD_S(0))
    csrwi frm, 6
    ILLEGAL(FMADD_D(7))
    csrwi frm, 7
    ILLEGAL(FADD_D(7))
    ILLEGAL(FSQRT_S(7))
    RUNS(FADD_D(1))
    /* what does not round does not look at frm */
    RUNS(fsgnj.d ft0, ft1, ft2)
    RUNS(feq.d t0, ft1, ft2)
    RUNS(fmv.x.d t0, ft1)
    RUNS(fmin.s ft0, ft1, ft2)
    RUNS(fclass.s t0, ft1)
    csrwi frm, 4
    RUNS(FADD_D(7))
    csrwi frm, 0

    /* unknown formats and fields */
    ILLEGAL(.word 0x06208053)   /* fadd.q: no Q */
    ILLEGAL(.word 0x0000b053 | 0x22 << 25)  /* fsgnj.d, funct3 3 */
    ILLEGAL(.word 0xa2003053)   /* fcompare.d, funct3 3 */
    ILLEGAL(.word 0x58108053)   /* fsqrt.s with rs2 = 1 */
    ILLEGAL(.word 0xc0408053)   /* fcvt.?.s with rs2 = 4 */
    ILLEGAL(.word 0x40008053)   /* fcvt.s.s */
    ILLEGAL(.word 0x00000007 | 4 << 12 | 5 << 15)   /* flq */

    /* FS off: every floating-point instruction and CSR is illegal, in every mode */
    la t4, room
    SET_FS(FS_OFF)
    CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, 0)
    ILLEGAL(fadd.s ft0, ft1, ft2)
    ILLEGAL(fadd.d ft0, ft1, ft2)
    ILLEGAL(fmadd.s ft0, ft1, ft2, ft3)
    ILLEGAL(fsgnj.s ft0, ft1, ft2)
    ILLEGAL(feq.d t0, ft1, ft2)
    ILLEGAL(fclass.d t0, ft1)
    ILLEGAL(fmv.x.w t0, ft1)
    ILLEGAL(fmv.x.d t0, ft1)
    ILLEGAL(fmv.w.x ft1, t0)
    ILLEGAL(fmv.d.x ft1, t0)
    ILLEGAL(fcvt.d.w ft1, t0)
    ILLEGAL(fcvt.lu.d t0, ft1)
    ILLEGAL(flw ft0, 0(t4))
    ILLEGAL(fld ft0, 0(t4))
    ILLEGAL(fsw ft0, 0(t4))
    ILLEGAL(fsd ft0, 0(t4))
    ILLEGAL(csrr t0, fcsr)
    ILLEGAL(csrr t0, frm)
    ILLEGAL(csrr t0, fflags)
    ILLEGAL(csrwi fflags, 0)
    ILLEGAL_IN(S, fadd.d ft0, ft1, ft2)
    ILLEGAL_IN(U, fld ft0, 0(t4))
    ILLEGAL_IN(U, csrr t0, fcsr)
    /* S may switch it on and off for itself through sstatus */
    RUNS_IN(S, li t0, FS_INITIAL; csrs sstatus, t0; fmv.d.x ft0, zero)
    CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, MSTATUS_SD | FS_DIRTY)
    RUNS_IN(U, fadd.d ft0, ft0, ft0; csrr t0, fcsr)

    /* what makes it dirty */
    li t1, 0x3ff0000000000000
    fmv.d.x ft1, t1
    fmv.d.x ft2, t1
    DIRTIES(fadd.d ft0, ft1, ft2)
    DIRTIES(fmv.d.x ft0, zero)
    DIRTIES(fmv.w.x ft0, zero)
    DIRTIES(flw ft0, 0(t4))
    DIRTIES(fld ft0, 0(t4))
    DIRTIES(fsgnj.d ft0, ft1, ft2)
    DIRTIES(fcvt.s.w ft0, zero)
    DIRTIES(fmadd.s ft0, ft1, ft2, ft3)
    DIRTIES(csrwi fflags, 1)
    DIRTIES(csrwi frm, 1)
    DIRTIES(csrwi fcsr, 3)
    csrwi fcsr, 0
    /* an integer result dirties when it raises a flag, which QEMU 7 misses */
    NOT_ON_QEMU7(DIRTIES(fcvt.w.d t0, ft3))
    li t1, 0x7ff0000000000001
    fmv.d.x ft2, t1
    csrwi fcsr, 0
    NOT_ON_QEMU7(DIRTIES(feq.d t0, ft1, ft2))
    /* a store changes nothing; reading neither */
    SET_FS(FS_CLEAN)
    fsd ft0, 0(t4)
    CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, FS_CLEAN)
    SET_FS(FS_INITIAL)
    fmv.x.d t0, ft0
    CHECK_CSR_BITS(mstatus, MSTATUS_SD | MSTATUS_FS, FS_INITIAL)
    SET_FS(FS_DIRTY)
    /* SD is read-only */
    SET_FS(FS_OFF)
    li t0, MSTATUS_SD
    csrs mstatus, t0
    CHECK_CSR_BITS(mstatus, MSTATUS_SD, 0)

    TEST_END

    .bss
    .balign 8
room: .space 16
