/*
 * Interrupts from the CLINT and by hand, their enables, delegation, order and views, WFI
 * and Sstc: Privileged 3.1.6.1, 3.1.9, 3.3.3, 4.1.3; Sstc 1.0.
 */
#include "insn.h"

#define M_SOFT 3
#define M_TIMER 7
#define S_SOFT 1
#define S_TIMER 5
#define S_EXT 9
#define S_BITS (IRQ_SSI | IRQ_STI | IRQ_SEI)
#define STCE (1 << 63)

/* Let time pass until an interrupt comes, but not for ever. t6. */
#define SPIN li t6, 100000; 76: addi t6, t6, -1; bnez t6, 76b
/* With MIE set, the interrupt comes; s4 is then its cause, or -1. */
#define IRQ_M(want, ...) \
    li s4, NO_TRAP; la s9, 77f; __VA_ARGS__; csrsi mstatus, 8; SPIN; \
    77: li s9, 0; csrci mstatus, 8; CHECK(s4, want)
/* In S or U, with SIE as it is; the code spins to its ecall if nothing comes. */
#define IRQ_IN(mode, want, ...) li s8, 0; IN(mode, __VA_ARGS__; SPIN); CHECK(s4, want)
/* The same, and it must have come to S-mode. */
#define IRQ_S_IN(mode, want, ...) IRQ_IN(mode, want, __VA_ARGS__); CHECK(s8, 2); li s8, 0
#define MIE_IS(bits) li t0, bits; csrw mie, t0
#define SET_MIP(bits) li t0, bits; csrw mip, t0
#define MTIMECMP_IS(value) li t0, MTIMECMP; li t1, value; sd t1, 0(t0)
#define MSIP_IS(value) li t0, MSIP; li t1, value; sw t1, 0(t0)
/* Until mip & mask is want: a device's line may take its time. t0-t2, t6. */
#define WAIT_MIP(mask, want) \
    li t6, 100000; li t1, mask; li t2, want; \
    75: csrr t0, mip; and t0, t0, t1; addi t6, t6, -1; beqz t6, 74f; bne t0, t2, 75b; \
    74: CHECK(t0, want)

/* NOT_ON_QEMU7 for these macros, which have its labels inside. */
#define ORDERED(...) \
    csrr t6, marchid; srli t6, t6, 16; addi t6, t6, -7; beqz t6, 71f; __VA_ARGS__; 71:

    TEST_BEGIN
    la t0, trap_s
    csrw stvec, t0
    MTIMECMP_IS(-1)
    MSIP_IS(0)
    SET_MIP(0)
    WAIT_MIP(IRQ_MSI | IRQ_MTI, 0)

    /* machine software interrupt */
    MSIP_IS(1)
    WAIT_MIP(IRQ_MSI | IRQ_MTI, IRQ_MSI)
    IRQ_M(NO_TRAP, nop)         /* not enabled in mie */
    MIE_IS(IRQ_MSI)
    RUNS(nop; nop; nop)         /* MIE is 0 */
    IRQ_M(INTERRUPT | M_SOFT, nop)
    CHECK(s5, 0)
    CHECK_BITS(s7, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP, MSTATUS_MPIE | MSTATUS_MPP)
    /* the interrupt is taken before the instruction after the one that enables it */
    li s4, NO_TRAP
    la s9, 1f
    csrsi mstatus, 8
2:  li t5, 1
1:  li s9, 0
    CHECK(s4, INTERRUPT | M_SOFT)
    CHECK_AT(s6, 2b)
    /* MIE counts only in M: S and U are interrupted whatever it says */
    IRQ_IN(S, INTERRUPT | M_SOFT, nop)
    CHECK_AT(s6, 78b)           /* at once */
    IRQ_IN(U, INTERRUPT | M_SOFT, nop)
    CHECK_AT(s6, 78b)
    /* mret that sets MIE */
    la t0, 2f
    csrw mepc, t0
    li t0, MSTATUS_MPP | MSTATUS_MPIE
    csrs mstatus, t0
    TRAP(INTERRUPT | M_SOFT, mret; 2: nop; nop)
    CHECK_AT(s6, 2b)
    csrci mstatus, 8
    /* msip: only bit 0 is there; mip.MSIP cannot be written */
    li t0, MSIP
    li t1, -2
    sw t1, 0(t0)
    lw t1, 0(t0)
    CHECK(t1, 0)
    WAIT_MIP(IRQ_MSI, 0)
    SET_MIP(IRQ_MSI | IRQ_MTI | IRQ_MEI)
    CHECK_CSR_BITS(mip, IRQ_MSI | IRQ_MTI | IRQ_MEI, 0)

    /* machine timer: pending while mtime >= mtimecmp */
    MTIMECMP_IS(0)
    WAIT_MIP(IRQ_MTI, IRQ_MTI)
    MIE_IS(IRQ_MTI)
    IRQ_M(INTERRUPT | M_TIMER, nop)
    MTIMECMP_IS(-1)
    WAIT_MIP(IRQ_MTI, 0)
    li t0, MTIMECMP
    ld t1, 0(t0)
    CHECK(t1, -1)
    /* by halves */
    li t1, 0x12345678
    sw t1, 0(t0)
    lw t1, 0(t0)
    CHECK(t1, 0x12345678)
    lwu t1, 4(t0)
    CHECK(t1, 0xffffffff)
    /* a little later: not before its time */
    li t3, MTIME
    ld t4, 0(t3)
    li t1, 20000                /* 2 ms of the board's 10 MHz */
    add t4, t4, t1
    sd t4, 0(t0)
    li s4, NO_TRAP
    la s9, 1f
    csrsi mstatus, 8
2:  wfi
    j 2b
1:  li s9, 0
    csrci mstatus, 8
    ld t1, 0(t3)
    CHECK(s4, INTERRUPT | M_TIMER)
    sltu t1, t1, t4
    CHECK(t1, 0)
    /* wfi wakes for what is enabled in mie although MIE is 0, and does not trap */
    MTIMECMP_IS(-1)
    WAIT_MIP(IRQ_MTI, 0)
    ld t4, 0(t3)
    li t1, 10000
    add t4, t4, t1
    li t0, MTIMECMP
    sd t4, 0(t0)
2:  RUNS(wfi)
    csrr t0, mip
    andi t0, t0, IRQ_MTI
    beqz t0, 2b
    ld t1, 0(t3)
    sltu t1, t1, t4
    CHECK(t1, 0)
    /* with something pending it is over at once */
    RUNS(wfi)
    RUNS(wfi)
    MTIMECMP_IS(-1)
    WAIT_MIP(IRQ_MTI, 0)
    csrw mie, zero

    /* S-level interrupts raised by M through mip */
    SET_MIP(S_BITS)
    CHECK_CSR_BITS(mip, S_BITS, S_BITS)
    SET_MIP(0)
    CHECK_CSR_BITS(mip, S_BITS, 0)
    /* not delegated: to M, and sip and sie show nothing (4.1.3) */
    SET_MIP(IRQ_SSI)
    MIE_IS(IRQ_SSI)
    CHECK_CSR(sip, 0)
    CHECK_CSR(sie, 0)
    IRQ_M(INTERRUPT | S_SOFT, nop)
    IRQ_IN(S, INTERRUPT | S_SOFT, nop)
    CHECK(s8, 0)
    /* delegated: M is never interrupted, S if SIE, U always */
    li t0, S_BITS
    csrw mideleg, t0
    CHECK_CSR(sip, IRQ_SSI)
    CHECK_CSR(sie, IRQ_SSI)
    IRQ_M(NO_TRAP, nop)
    csrci sstatus, 2
    IRQ_IN(S, CAUSE_ECALL_S, nop)
    CHECK(s8, 0)
    csrsi sstatus, 2
    IRQ_S_IN(S, INTERRUPT | S_SOFT, nop)
    CHECK_AT(s6, 78b)
    CHECK_BITS(s7, MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE, MSTATUS_SPP | MSTATUS_SPIE)
    csrci sstatus, 2
    IRQ_S_IN(U, INTERRUPT | S_SOFT, nop)
    CHECK_AT(s6, 78b)
    CHECK_BITS(s7, MSTATUS_SPP, 0)
    /* SIE set inside S: at once */
    IRQ_S_IN(S, INTERRUPT | S_SOFT, csrsi sstatus, 2; 73: nop)
    CHECK_AT(s6, 73b)
    csrci sstatus, 2
    /* S clears SSIP through sip, and cannot touch STIP and SEIP */
    SET_MIP(S_BITS)
    RUNS_IN(S, csrw sip, zero)
    CHECK_CSR_BITS(mip, S_BITS, IRQ_STI | IRQ_SEI)
    RUNS_IN(S, csrwi sip, 2)
    CHECK_CSR_BITS(mip, S_BITS, S_BITS)
    SET_MIP(0)
    RUNS_IN(S, li t0, S_BITS; csrs sip, t0)
    CHECK_CSR_BITS(mip, S_BITS, IRQ_SSI)
    SET_MIP(0)
    /* sie is the delegated part of mie */
    MIE_IS(IRQ_MTI | IRQ_SSI | IRQ_SEI)
    CHECK_CSR(sie, IRQ_SSI | IRQ_SEI)
    li t0, -1
    csrw sie, t0
    CHECK_CSR_BITS(mie, 0xaaa, S_BITS | IRQ_MTI)
    csrw sie, zero
    CHECK_CSR_BITS(mie, 0xaaa, IRQ_MTI)
    li t0, IRQ_SSI
    csrw mideleg, t0
    MIE_IS(S_BITS)
    CHECK_CSR(sie, IRQ_SSI)
    csrw mideleg, zero

    /* order: MEI MSI MTI SEI SSI STI (3.1.9); MEI is the PLIC's, in plic.S. QEMU 7
     * takes the lowest number instead, within a privilege level. */
    MSIP_IS(1)
    MTIMECMP_IS(0)
    WAIT_MIP(IRQ_MSI | IRQ_MTI, IRQ_MSI | IRQ_MTI)
    SET_MIP(S_BITS)
    MIE_IS(IRQ_MSI | IRQ_MTI | S_BITS)
    ORDERED(IRQ_M(INTERRUPT | M_SOFT, nop))
    MIE_IS(IRQ_MTI | S_BITS)
    ORDERED(IRQ_M(INTERRUPT | M_TIMER, nop))
    MIE_IS(S_BITS)
    ORDERED(IRQ_M(INTERRUPT | S_EXT, nop))
    MIE_IS(IRQ_SSI | IRQ_STI)
    IRQ_M(INTERRUPT | S_SOFT, nop)
    MIE_IS(IRQ_STI)
    IRQ_M(INTERRUPT | S_TIMER, nop)
    /* the more privileged first, whatever the order of the causes */
    li t0, IRQ_SEI | IRQ_STI
    csrw mideleg, t0
    MIE_IS(IRQ_SEI | IRQ_SSI | IRQ_STI)
    IRQ_IN(U, INTERRUPT | S_SOFT, nop)
    CHECK(s8, 0)
    MIE_IS(IRQ_SEI | IRQ_STI | IRQ_MTI)
    IRQ_IN(S, INTERRUPT | M_TIMER, nop)
    CHECK(s8, 0)
    MIE_IS(IRQ_SEI | IRQ_STI)
    ORDERED(IRQ_S_IN(U, INTERRUPT | S_EXT, nop))
    MIE_IS(IRQ_STI)
    IRQ_S_IN(U, INTERRUPT | S_TIMER, nop)
    li t0, S_BITS
    csrw mideleg, t0
    MIE_IS(S_BITS)
    ORDERED(IRQ_S_IN(U, INTERRUPT | S_EXT, nop))
    MIE_IS(IRQ_SSI | IRQ_STI)
    IRQ_S_IN(U, INTERRUPT | S_SOFT, nop)
    MSIP_IS(0)
    MTIMECMP_IS(-1)
    SET_MIP(0)
    MIE_IS(0)
    WAIT_MIP(IRQ_MSI | IRQ_MTI, 0)

    /* wfi in S: wakes for an enabled interrupt with SIE 0 */
    li t3, MTIME
    MIE_IS(IRQ_STI)
    SET_MIP(IRQ_STI)
    csrci sstatus, 2
    RUNS_IN(S, wfi)
    SET_MIP(0)
    MIE_IS(0)

    /* Sstc: stimecmp needs menvcfg.STCE and, for S, mcounteren.TM */
    li t1, STCE
    RUNS(csrr t0, 0x14d)
    csrw 0x14d, t1
    li t4, 7
    csrw mcounteren, t4
    csrc menvcfg, t1
    ILLEGAL_IN(S, csrr t0, 0x14d)
    ILLEGAL_IN(S, csrw 0x14d, t0)
    csrs menvcfg, t1
    CHECK_CSR_BITS(menvcfg, STCE, STCE)
    RUNS_IN(S, csrr t0, 0x14d)
    ILLEGAL_IN(U, csrr t0, 0x14d)
    csrci mcounteren, 2
    ILLEGAL_IN(S, csrr t0, 0x14d)
    csrsi mcounteren, 2
    RUNS_IN(S, li t0, -1; csrw 0x14d, t0)
    CHECK_CSR(0x14d, -1)
    /* STIP follows it: set while time >= stimecmp, and cannot be written any more */
    WAIT_MIP(IRQ_STI, 0)
    csrw 0x14d, zero
    WAIT_MIP(IRQ_STI, IRQ_STI)
    SET_MIP(0)
    WAIT_MIP(IRQ_STI, IRQ_STI)
    MIE_IS(IRQ_STI)
    IRQ_S_IN(U, INTERRUPT | S_TIMER, nop)
    li t0, -1
    csrw 0x14d, t0
    WAIT_MIP(IRQ_STI, 0)
    /* and on its time */
    csrr t4, time
    li t1, 20000
    add t4, t4, t1
    csrsi sstatus, 2
    li s8, 0
    IN(S, csrw 0x14d, t4; 72: wfi; j 72b)
    csrr t2, time
    CHECK(s4, INTERRUPT | S_TIMER)
    CHECK(s8, 2)
    li s8, 0
    sltu t2, t2, t4
    CHECK(t2, 0)
    csrci sstatus, 2
    li t0, -1
    csrw 0x14d, t0
    WAIT_MIP(IRQ_STI, 0)
    /* without STCE, STIP is M's to write again */
    li t1, STCE
    csrc menvcfg, t1
    MIE_IS(0)
    SET_MIP(IRQ_STI)
    CHECK_CSR_BITS(mip, IRQ_STI, IRQ_STI)
    SET_MIP(0)
    CHECK_CSR_BITS(mip, IRQ_STI, 0)

    TEST_END
