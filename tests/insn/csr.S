/* CSR instructions and the machine's and supervisor's CSRs: Unprivileged chapter 9,
 * Privileged chapters 2, 3.1 and 4.1. */
#include "insn.h"

/* A register that holds 64 bits of anything. */
#define HOLDS(csr) \
    csrr t4, csr; li t0, 0x5a5aa5a5deadbeef; csrw csr, t0; csrr t1, csr; CHECK_REG(t1, t0); \
    not t0, t0; csrw csr, t0; csrr t1, csr; CHECK_REG(t1, t0); csrw csr, t4
/* Under mask, bits can be set and cleared; outside it the register may do as it likes. */
#define HOLDS_BITS(csr, mask) \
    csrr t4, csr; li t0, mask; csrs csr, t0; csrr t1, csr; and t1, t1, t0; CHECK_REG(t1, t0); \
    csrc csr, t0; csrr t1, csr; and t1, t1, t0; CHECK(t1, 0); csrw csr, t4
/* Bits that read 0 whatever is written. */
#define READS_0(csr, mask) \
    csrr t4, csr; li t0, -1; csrw csr, t0; csrr t1, csr; csrw csr, t4; CHECK_BITS(t1, mask, 0)

    TEST_BEGIN

    /* the six forms, on mscratch */
    li t0, 0xff00
    csrw mscratch, t0
    li t1, 0x0ff0
    csrrw t2, mscratch, t1
    CHECK(t2, 0xff00)
    csrrs t2, mscratch, t0
    CHECK(t2, 0x0ff0)
    csrrc t2, mscratch, t1
    CHECK(t2, 0xfff0)
    csrrwi t2, mscratch, 31
    CHECK(t2, 0xf000)
    csrrsi t2, mscratch, 0
    CHECK(t2, 31)
    csrrci t2, mscratch, 5
    CHECK(t2, 31)
    csrrsi t2, mscratch, 4
    CHECK(t2, 26)
    CHECK_CSR(mscratch, 30)
    /* rd = rs1: swap; rd = x0 */
    li t0, 77
    csrrw t0, mscratch, t0
    CHECK(t0, 30)
    csrrw zero, mscratch, t0
    CHECK(zero, 0)
    CHECK_CSR(mscratch, 30)
    csrrs t0, mscratch, zero
    CHECK(t0, 30)
    li t0, 1
    csrrs t0, mscratch, t0
    CHECK(t0, 30)
    CHECK_CSR(mscratch, 31)
    csrrc t0, mscratch, t0      /* 30: leaves bit 0 */
    CHECK(t0, 31)
    CHECK_CSR(mscratch, 1)
    ILLEGAL(.word 0x34004073)   /* SYSTEM, funct3 4 */

    /* read-only CSRs: any write is illegal, csrrs/csrrc with x0 or 0 is none (9.1) */
    RUNS(csrr t0, mhartid)
    RUNS(csrrsi t0, mhartid, 0)
    RUNS(csrrc t0, mvendorid, zero)
    RUNS(csrrci t0, marchid, 0)
    RUNS(csrr t0, mimpid)
    RUNS(csrr t0, mconfigptr)
    ILLEGAL(csrw mhartid, zero)
    ILLEGAL(csrrwi zero, mhartid, 0)
    ILLEGAL(csrrs t0, mhartid, t1)
    ILLEGAL(csrrc t0, mvendorid, t1)
    ILLEGAL(csrrsi t0, marchid, 1)
    ILLEGAL(csrrci t0, mimpid, 1)
    ILLEGAL(csrw mconfigptr, t0)
    ILLEGAL(csrw cycle, t0)
    li t0, 1
    ILLEGAL(csrrs zero, instret, t0)
    ILLEGAL(csrw time, zero)
    /* a register holding 0, unlike x0, is a write (9.1); QEMU 7 looks at the value */
    li t1, 0
    NOT_ON_QEMU7(ILLEGAL(csrrs t0, mhartid, t1))
    /* rd = x0 with a read-only one is still a read */
    RUNS(csrrs zero, mhartid, zero)

    /* not there */
    ILLEGAL(csrr t0, 0x7ff)
    ILLEGAL(csrr t0, 0x5ff)
    ILLEGAL(csrr t0, 0x0ff)
    ILLEGAL(csrr t0, 0x8ff)
    ILLEGAL(csrr t0, 0xbff)
    ILLEGAL(csrr t0, 0xfff)
    ILLEGAL(csrr t0, 0x310)     /* mstatush: RV32 only */
    ILLEGAL(csrr t0, 0x31a)     /* menvcfgh */
    ILLEGAL(csrr t0, 0xc80)     /* cycleh */
    ILLEGAL(csrr t0, 0xb80)     /* mcycleh */
    ILLEGAL(csrr t0, 0x3a1)     /* pmpcfg1: RV32 only */
    ILLEGAL(csrr t0, 0x3a3)
    ILLEGAL(csrr t0, 0x15d)     /* stimecmph */
    ILLEGAL(csrr t0, 0x102)     /* sedeleg: gone */
    ILLEGAL(csrr t0, 0x004)     /* uie: N is gone */
    ILLEGAL(csrr t0, 0x000)     /* ustatus */
    ILLEGAL_IN(S, csrr t0, 0x5ff)
    ILLEGAL_IN(U, csrr t0, 0x8ff)

    /* the lowest privilege is in bits 9:8 of the number (2.1) */
    ILLEGAL_IN(S, csrr t0, mstatus)
    ILLEGAL_IN(S, csrr t0, mhartid)
    ILLEGAL_IN(S, csrw mscratch, t0)
    ILLEGAL_IN(S, csrr t0, mcycle)
    ILLEGAL_IN(S, csrr t0, pmpcfg0)
    ILLEGAL_IN(S, csrr t0, menvcfg)
    ILLEGAL_IN(S, csrr t0, mie)
    ILLEGAL_IN(U, csrr t0, mstatus)
    ILLEGAL_IN(U, csrr t0, sstatus)
    ILLEGAL_IN(U, csrr t0, satp)
    ILLEGAL_IN(U, csrr t0, sip)
    ILLEGAL_IN(U, csrw sscratch, t0)
    ILLEGAL_IN(U, csrr t0, senvcfg)
    RUNS_IN(S, csrr t0, sstatus)
    RUNS_IN(S, csrr t0, sie; csrr t0, sip; csrr t0, stvec; csrr t0, scounteren)
    RUNS_IN(S, csrr t0, senvcfg; csrr t0, satp; csrr t0, stval; csrr t0, scause)

    HOLDS(mscratch)
    HOLDS(sscratch)

    /* mepc, sepc: bit 0 is always 0; bit 1 is kept, since C is there (3.1.14).
     * QEMU 7 hides bit 0 on return only. */
    li t0, 0x80001237
    csrw mepc, t0
    csrw sepc, t0
    CHECK_CSR_BITS(mepc, ~1, 0x80001236)
    CHECK_CSR_BITS(sepc, ~1, 0x80001236)
    NOT_ON_QEMU7(CHECK_CSR_BITS(mepc, 1, 0); CHECK_CSR_BITS(sepc, 1, 0))
    li t0, 0x3ffffffffe
    csrw mepc, t0
    CHECK_CSR(mepc, 0x3ffffffffe)
    /* mtval and stval hold every valid address; mcause and scause every cause */
    li t0, 0xffffffffc0000004
    csrw mtval, t0
    CHECK_CSR(mtval, 0xffffffffc0000004)
    csrw stval, t0
    CHECK_CSR(stval, 0xffffffffc0000004)
    li t0, 0x8000000000000009
    csrw mcause, t0
    CHECK_CSR(mcause, 0x8000000000000009)
    csrw scause, t0
    CHECK_CSR(scause, 0x8000000000000009)
    csrwi mcause, 15
    CHECK_CSR(mcause, 15)
    csrwi scause, 13
    CHECK_CSR(scause, 13)

    /* tvec: mode 0 or 1, base a multiple of 4; 2 and 3 are never read back (3.1.7) */
    csrr t5, mtvec
    li t0, 0x80004001
    csrw mtvec, t0
    csrr t1, mtvec
    csrw stvec, t0
    csrr t2, stvec
    li t0, 0x80004102
    csrw mtvec, t0
    csrr t3, mtvec
    csrw stvec, t0
    csrr t4, stvec
    csrw mtvec, t5
    CHECK(t1, 0x80004001)
    CHECK(t2, 0x80004001)
    CHECK_BITS(t3, 2, 0)
    CHECK_BITS(t4, 2, 0)

    /* misa: MXL 2, IMAFDCSU, and no reserved letter; writing it may change nothing that
     * this program needs, so only what it must show is looked at (3.1.1) */
    csrr t0, misa
    srli t1, t0, 62
    CHECK(t1, 2)
#define LETTER(c) (1 << ((c) - 'A'))
#define GC LETTER('I') | LETTER('M') | LETTER('A') | LETTER('F') | LETTER('D') | LETTER('C')
    CHECK_BITS(t0, GC | LETTER('S') | LETTER('U'), GC | LETTER('S') | LETTER('U'))
    CHECK_BITS(t0, LETTER('E') | LETTER('K') | LETTER('O') | LETTER('R') | LETTER('W') | LETTER('Y') | LETTER('Z'), 0)
    CHECK_BITS(t0, 0xffffffff << 26 & 0x3fffffffffffffff, 0)
    csrw misa, t0
    csrr t1, misa
    CHECK_REG(t1, t0)

    /* mstatus: what can be written, what is fixed (3.1.6) */
    HOLDS_BITS(mstatus, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP)
    HOLDS_BITS(mstatus, MSTATUS_MPP)
    HOLDS_BITS(mstatus, MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR)
    HOLDS_BITS(mstatus, MSTATUS_FS)
    /* reserved fields, UIE, UPIE: the first are WPRI, the N extension is not there */
    READS_0(mstatus, 1 << 0 | 1 << 2 | 1 << 4)
    /* UXL and SXL are 2: 64 bits; S-mode sees the one it may */
    CHECK_CSR_BITS(mstatus, 0xf << 32, 0xa << 32)
    CHECK_CSR_BITS(sstatus, 0xf << 32, 0x2 << 32)
    li t0, 0xf << 32
    csrc mstatus, t0
    CHECK_CSR_BITS(mstatus, 0xf << 32, 0xa << 32)
    /* MBE, SBE, UBE: little-endian only here */
    CHECK_CSR_BITS(mstatus, 1 << 6 | 1 << 36 | 1 << 37, 0)
    /* MPP holds M, S and U; the reserved 2 is not read back (WARL) */
    li t1, MSTATUS_MPP
    csrc mstatus, t1
    CHECK_CSR_BITS(mstatus, MSTATUS_MPP, 0)
    li t0, 1 << 11
    csrs mstatus, t0
    CHECK_CSR_BITS(mstatus, MSTATUS_MPP, 1 << 11)
    csrs mstatus, t1
    CHECK_CSR_BITS(mstatus, MSTATUS_MPP, MSTATUS_MPP)
    /* QEMU 7 keeps it */
    NOT_ON_QEMU7(csrc mstatus, t0; csrr t2, mstatus; and t2, t2, t1; li t3, 2 << 11; \
        sub t2, t2, t3; snez t2, t2; CHECK(t2, 1))
    csrc mstatus, t1

    /* sstatus is a view of mstatus */
    li t0, MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_FS
    csrs sstatus, t0
    CHECK_CSR_BITS(mstatus, MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_FS, \
        MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_FS)
    csrc sstatus, t0
    CHECK_CSR_BITS(mstatus, MSTATUS_SUM | MSTATUS_MXR | MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_FS, 0)
    li t0, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_TSR | MSTATUS_TW | MSTATUS_TVM
    csrc mstatus, t0
    csrs sstatus, t0            /* not its bits */
    CHECK_CSR_BITS(mstatus, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_TSR | MSTATUS_TW | MSTATUS_TVM, 0)
    csrs mstatus, t0
    CHECK_CSR_BITS(sstatus, MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_TSR | MSTATUS_TW | MSTATUS_TVM, 0)
    csrc mstatus, t0

    /* medeleg: page faults, ecall from U, illegal, breakpoint can be given away; ecall from
     * M cannot, for it can never be delegated (3.1.8) */
    HOLDS_BITS(medeleg, 1 << 2 | 1 << 3 | 1 << 8 | 1 << 12 | 1 << 13 | 1 << 15)
    NOT_ON_QEMU7(READS_0(medeleg, 1 << 11))
    HOLDS_BITS(mideleg, IRQ_SSI | IRQ_STI | IRQ_SEI)
    READS_0(mideleg, IRQ_MSI | IRQ_MTI | IRQ_MEI)

    /* counters */
    HOLDS_BITS(mcounteren, 7)
    HOLDS_BITS(scounteren, 7)
    csrw mcountinhibit, zero
    NOT_ON_QEMU7(READS_0(mcountinhibit, 2)) /* time has no inhibit bit (3.1.12) */
    /* mhpmcounters and mhpmevents are there, if only as zeros (3.1.10) */
    RUNS(csrr t0, mhpmcounter3; csrr t0, mhpmevent3)
    NOT_ON_QEMU7(RUNS(csrr t0, mhpmcounter31; csrr t0, mhpmevent31))

    /* menvcfg, senvcfg: FIOM is WARL; the reserved bits read 0 */
    READS_0(menvcfg, 0x1ffffffffffff00e)
    READS_0(senvcfg, 0xfffffffffffffc0e & ~0x300000000)

    TEST_END
