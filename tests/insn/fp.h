/*
 * The table-driven part of the floating-point tests. Each operation is a function of
 * raw bits (a3-a5 in, a3 out) in six forms of 32 bytes: the five static rounding
 * modes, then the dynamic one. FP_TABLE runs each row of fptables.py in all of them.
 */
#include "insn.h"

#define FORM(...) .balign 32; __VA_ARGS__; ret
#define IN1 fmv.d.x fa0, a3
#define IN2 IN1; fmv.d.x fa1, a4
#define IN3 IN2; fmv.d.x fa2, a5
#define OUT fmv.x.d a3, fa0

/* Each form of an operation from its text with the rounding mode as last operand. */
#define FORMS(name, in, out, ...) \
    .balign 32; name: \
    FORM(in; __VA_ARGS__, rne; out); FORM(in; __VA_ARGS__, rtz; out); \
    FORM(in; __VA_ARGS__, rdn; out); FORM(in; __VA_ARGS__, rup; out); \
    FORM(in; __VA_ARGS__, rmm; out); FORM(in; __VA_ARGS__, dyn; out)

#define NOTHING .option norvc

#define ROW(op, a, b, c, r0, f0, r1, f1, r2, f2, r3, f3, r4, f4) \
    .dword op, a, b, c, r0, f0, r1, f1, r2, f2, r3, f3, r4, f4, __LINE__;
#define ROW_BYTES (15 * 8)

/*
 * Rows from t3 to t4. A failure names the row's line in its .inc file; s1 is the rounding
 * mode, s2 is 0 for the static form, 1 for the dynamic one.
 */
#define FP_RUN_ROWS \
fp_run: \
    sd ra, 0(sp); \
1:  li s1, 0; \
2:  li s2, 0; \
3:  slli t0, s1, 5; \
    beqz s2, 4f; \
    li t0, 5 << 5; \
4:  ld t1, 0(t3); \
    add t0, t0, t1; \
    mv t5, s1; \
    bnez s2, 5f; \
    li t5, 4; sub t5, t5, s1;   /* the static form must not look at frm */ \
5:  slli t5, t5, 5; \
    csrw fcsr, t5; \
    ld a3, 8(t3); ld a4, 16(t3); ld a5, 24(t3); \
    jalr t0; \
    csrr t6, fcsr; \
    sub t6, t6, t5; \
    slli t1, s1, 4; \
    add t1, t1, t3; \
    mv a0, a3; ld a1, 32(t1); ld a2, 112(t3); call check; \
    mv a0, t6; ld a1, 40(t1); ld a2, 112(t3); call check; \
    addi s2, s2, 1; \
    li t0, 2; \
    bne s2, t0, 3b; \
    addi s1, s1, 1; \
    li t0, 5; \
    bne s1, t0, 2b; \
    addi t3, t3, ROW_BYTES; \
    bne t3, t4, 1b; \
    ld ra, 0(sp); \
    ret

#define FP_RUN(first, last) \
    addi sp, sp, -16; la t3, first; la t4, last; call fp_run; addi sp, sp, 16

#define FP_ON li t0, MSTATUS_FS; csrs mstatus, t0; csrw fcsr, zero
