/*
 * Exceptions, their causes and values, delegation, vectors, and the returns:
 * Privileged 3.1.6 to 3.1.8, 3.1.15, 3.1.16, 3.3, 4.1.
 */
#include "insn.h"

#define NOWHERE 0x0a000000      /* the board has nothing there */

/* The trap's value is the address, or nothing where that is allowed. */
#define CHECK_TVAL_OR_0(reg) beqz s5, 75f; CHECK_REG(s5, reg); 75:
/* A trap delegated to S-mode: s8 = 2 says that trap_s has recorded it. */
#define TO_S(mode, cause, ...) \
    li s8, 0; IN(mode, __VA_ARGS__); CHECK(s8, 2); CHECK(s4, cause); li s8, 0
#define NOT_TO_S(mode, cause, ...) \
    li s8, 0; IN(mode, __VA_ARGS__); CHECK(s8, 0); CHECK(s4, cause)

    TEST_BEGIN
    la t0, trap_s
    csrw stvec, t0
    csrr s3, mtvec

    /* calls: the cause is by the mode; epc is their own address; tval 0 */
    TRAP_VAL(CAUSE_ECALL_M, 0, ecall)
    CHECK_BITS(s7, MSTATUS_MPP, MSTATUS_MPP)
    TRAP_IN(S, CAUSE_ECALL_S, ecall)
    CHECK_AT(s6, 78b)
    CHECK(s5, 0)
    CHECK_BITS(s7, MSTATUS_MPP, 1 << 11)
    TRAP_IN(U, CAUSE_ECALL_U, ecall)
    CHECK_AT(s6, 78b)
    CHECK(s5, 0)
    CHECK_BITS(s7, MSTATUS_MPP, 0)

    TRAP(CAUSE_BREAKPOINT, 78: ebreak)
    CHECK_AT(s6, 78b)
    CHECK_TVAL_OR_0(s6)
    TRAP_IN(S, CAUSE_BREAKPOINT, ebreak)
    TRAP_IN(U, CAUSE_BREAKPOINT, ebreak)

    /* accesses to nothing */
    li t0, NOWHERE
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE, lb t1, 0(t0))
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE + 8, ld t1, 8(t0))
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE + 4, lwu t1, 4(t0))
    TRAP_VAL(CAUSE_STORE_ACCESS, NOWHERE + 1, sb t1, 1(t0))
    TRAP_VAL(CAUSE_STORE_ACCESS, NOWHERE + 8, sd t1, 8(t0))
    /* an AMO never raises a load exception (8.4); QEMU 7 does */
    NOT_ON_QEMU7(TRAP_VAL(CAUSE_STORE_ACCESS, NOWHERE, amoadd.d t1, t1, (t0)))
    NOT_ON_QEMU7(TRAP_VAL(CAUSE_STORE_ACCESS, NOWHERE, amoswap.w t1, t1, (t0)))
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE, lr.d t1, (t0))
    TRAP_IN(S, CAUSE_LOAD_ACCESS, lb t1, 0(t0))
    CHECK(s5, NOWHERE)
    TRAP_IN(U, CAUSE_STORE_ACCESS, sb t1, 0(t0))
    CHECK(s5, NOWHERE)
    li t2, MSTATUS_FS
    csrs mstatus, t2
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE, fld ft0, 0(t0))
    TRAP_VAL(CAUSE_STORE_ACCESS, NOWHERE, fsw ft0, 0(t0))
    /* a faulting load leaves its destination, and one with rd = x0 faults too */
    li t1, 55
    TRAP(CAUSE_LOAD_ACCESS, ld t1, 0(t0))
    CHECK(t1, 55)
    TRAP_VAL(CAUSE_LOAD_ACCESS, NOWHERE, ld zero, 0(t0))
    /* the physical address space ends: far above it there is nothing either */
    li t0, 1 << 55
    TRAP_VAL(CAUSE_LOAD_ACCESS, 1 << 55, ld t1, 0(t0))
    TRAP_VAL(CAUSE_STORE_ACCESS, 1 << 55, sd t1, 0(t0))
    li t0, -8
    TRAP_VAL(CAUSE_LOAD_ACCESS, -8, ld t1, 0(t0))
    /* fetches: epc and tval are the target, not the jump */
    li t0, NOWHERE
    TRAP(CAUSE_FETCH_ACCESS, jr t0)
    CHECK(s6, NOWHERE)
    CHECK(s5, NOWHERE)
    IN(U, jr t0)
    CHECK(s4, CAUSE_FETCH_ACCESS)
    CHECK(s6, NOWHERE)

    /* illegal below M */
    ILLEGAL_IN(S, .word 0)
    ILLEGAL_IN(U, .word 0xffffffff)
    ILLEGAL_IN(S, mret)
    ILLEGAL_IN(U, mret)
    ILLEGAL_IN(U, sret)
    ILLEGAL_IN(U, sfence.vma)
    ILLEGAL(.word 0x00200073)   /* uret: N is gone */
    ILLEGAL(.word 0x30200073 | 1 << 7)  /* mret with rd = 1 */
    ILLEGAL(.word 0x7b200073)   /* dret outside debug mode */
    RUNS(sfence.vma)
    RUNS(sfence.vma t0, t1)
    RUNS_IN(S, sfence.vma zero, t1)
    RUNS_IN(S, csrw satp, zero)

    /* TVM, TW, TSR (3.1.6.5) */
    li t1, MSTATUS_TVM
    csrs mstatus, t1
    ILLEGAL_IN(S, sfence.vma)
    ILLEGAL_IN(S, csrr t0, satp)
    ILLEGAL_IN(S, csrw satp, zero)
    RUNS(sfence.vma)
    RUNS(csrr t0, satp)
    csrc mstatus, t1
    li t1, MSTATUS_TSR
    csrs mstatus, t1
    ILLEGAL_IN(S, sret)
    csrc mstatus, t1
    li t1, MSTATUS_TW
    csrs mstatus, t1
    csrw mie, zero
    ILLEGAL_IN(S, wfi)
    ILLEGAL_IN(U, wfi)
    csrc mstatus, t1

    /* mret: to MPP, MIE from MPIE, MPIE 1, MPP to the least mode, MPRV off unless to M */
    li t1, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE
    csrc mstatus, t1
    la t0, 1f
    csrw mepc, t0
    li t1, MSTATUS_MPP | MSTATUS_MPRV
    csrs mstatus, t1
    mret
    j test_fell
1:  CHECK_CSR_BITS(mstatus, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPRV, MSTATUS_MPIE | MSTATUS_MPRV)
    li t1, MSTATUS_MPRV
    csrc mstatus, t1
    li t1, MSTATUS_MPIE
    csrs mstatus, t1
    csrs mstatus, t1
    la t0, 1f
    csrw mepc, t0
    li t1, MSTATUS_MPP
    csrs mstatus, t1
    mret
    j test_fell
1:  CHECK_CSR_BITS(mstatus, MSTATUS_MPIE | MSTATUS_MIE, MSTATUS_MPIE | MSTATUS_MIE)
    csrci mstatus, 8
    /* a trap: MPIE from MIE, MIE 0, MPP the old mode */
    csrsi mstatus, 8
    TRAP(CAUSE_ECALL_M, ecall)
    CHECK_BITS(s7, MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP, MSTATUS_MPIE | MSTATUS_MPP)
    TRAP(CAUSE_ECALL_M, ecall)
    CHECK_BITS(s7, MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP, MSTATUS_MPP)
    /* MPRV is cleared on the way to S and U */
    li t1, MSTATUS_MPRV
    csrs mstatus, t1
    IN(S, nop)
    NOT_ON_QEMU7(CHECK_BITS(s7, MSTATUS_MPRV, 0))   /* keeps MPRV, here and in sret */
    csrc mstatus, t1
    /* a return to what was written with bit 0 set; QEMU 7 goes to the odd address */
    NOT_ON_QEMU7(la t0, 1f + 1; csrw mepc, t0; li t1, MSTATUS_MPP; csrs mstatus, t1; \
        mret; j test_fell; 1: CHECK(zero, 0))

    /* sret from M and from S: to SPP, SIE from SPIE, SPIE 1, SPP 0, MPRV off */
    la t0, 2f
    csrw sepc, t0
    li t1, MSTATUS_SPP | MSTATUS_SIE | MSTATUS_SPIE
    csrc sstatus, t1
    li t1, MSTATUS_SPP | MSTATUS_SPIE
    csrs sstatus, t1
    li t1, MSTATUS_MPRV
    csrs mstatus, t1
    TRAP(CAUSE_ECALL_S, sret; ebreak; 2: ecall)
    CHECK_BITS(s7, MSTATUS_SPP | MSTATUS_SIE | MSTATUS_SPIE, MSTATUS_SIE | MSTATUS_SPIE)
    NOT_ON_QEMU7(CHECK_BITS(s7, MSTATUS_MPRV, 0)) /* 3.1.6.3 */
    csrc mstatus, t1
    la t0, 2f
    csrw sepc, t0
    li t1, MSTATUS_SIE | MSTATUS_SPIE
    csrc sstatus, t1
    TRAP_IN(S, CAUSE_ECALL_U, sret; ebreak; 2: ecall)
    CHECK_BITS(s7, MSTATUS_SPP | MSTATUS_SIE | MSTATUS_SPIE, MSTATUS_SPIE)

    /* delegation: from S and U to S, never from M; the S registers are written, not M's */
    li t1, 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8
    csrw medeleg, t1
    csrwi mcause, 7
    TO_S(U, CAUSE_BREAKPOINT, ebreak)
    CHECK_BITS(s7, MSTATUS_SPP, 0)
    CHECK_AT(s6, 78b)
    TO_S(S, CAUSE_BREAKPOINT, ebreak)
    CHECK_BITS(s7, MSTATUS_SPP, MSTATUS_SPP)
    TO_S(U, CAUSE_ECALL_U, ecall)
    CHECK(s5, 0)
    TO_S(S, CAUSE_ILLEGAL, csrr t0, mstatus)
    li t0, NOWHERE
    TO_S(U, CAUSE_LOAD_ACCESS, ld t1, 8(t0))
    CHECK(s5, NOWHERE + 8)
    NOT_TO_S(U, CAUSE_STORE_ACCESS, sd t1, 8(t0))
    NOT_TO_S(S, CAUSE_ECALL_S, ecall)
    csrwi scause, 7
    csrwi sepc, 8
    TRAP(CAUSE_BREAKPOINT, ebreak)
    CHECK_CSR(scause, 7)
    CHECK_CSR(sepc, 8)
    /* SPIE from SIE, SIE 0, in an S trap; the M stack stays as it was on entry */
    csrsi sstatus, 2
    TO_S(U, CAUSE_BREAKPOINT, ebreak)
    CHECK_BITS(s7, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP, MSTATUS_SPIE)
    csrci sstatus, 2
    /* not delegated: M's registers, with S's left alone */
    csrw medeleg, zero
    csrwi scause, 7
    NOT_TO_S(U, CAUSE_BREAKPOINT, ebreak)
    CHECK_CSR(scause, 7)
    CHECK_CSR(mcause, CAUSE_BREAKPOINT)

    /* vectored mode: exceptions go to the base, software interrupt 3 to base + 12 */
    la t0, vectors + 1
    csrw mtvec, t0
    li t5, 0
    TRAP(CAUSE_ECALL_M, ecall)
    CHECK(t5, 0)
    li t0, MSIP
    li t1, 1
    sw t1, 0(t0)
    csrsi mie, 8
    la s9, 1f
    li s4, NO_TRAP
    csrsi mstatus, 8
    li t1, 10000
2:  addi t1, t1, -1
    bnez t1, 2b
1:  li s9, 0
    sw zero, 0(t0)
    csrw mie, zero
    csrci mstatus, 8
    csrw mtvec, s3
    CHECK(s4, INTERRUPT | 3)
    CHECK(t5, 3)
    /* the same in S: supervisor software interrupt, stvec + 4 */
    la t0, vectors_s + 1
    csrw stvec, t0
    csrwi mideleg, 2
    csrwi mie, 2
    csrwi mip, 2
    li t5, 0
    csrsi sstatus, 2
    TO_S(S, INTERRUPT | 1, nop; nop)
    CHECK(t5, 1)
    csrci sstatus, 2
    csrwi mip, 0
    csrw mie, zero
    li t1, 1 << 3
    csrw medeleg, t1
    li t5, 0
    TO_S(U, CAUSE_BREAKPOINT, ebreak)
    CHECK(t5, 0)
    csrw medeleg, zero
    csrw mideleg, zero

    TEST_END

test_fell:                      /* a return did not go where it should */
    li s4, -2
    CHECK(s4, 0)

    .balign 256
vectors:
    j trap_m
    j 9f
    j 9f
    j 1f
    .rept 12
    j 9f
    .endr
1:  li t5, 3
    j trap_m
9:  li t5, 99
    j trap_m
    .balign 256
vectors_s:
    j 2f
    j 1f
    .rept 14
    j 9f
    .endr
1:  li t5, 1
2:  la s8, trap_s
    jr s8
9:  li t5, 99
    j 2b
