/*
 * The vocabulary of the instruction tests: constants of the board and of the
 * privileged architecture, and the macros that run one case and compare.
 *
 * Registers kept by the framework (start.S): s4-s7 record the last trap (cause, tval,
 * epc, status), s8 marks a record made in S-mode, s9 is where a trap goes on to
 * (0: no trap is expected), s10 counts the comparisons passed, s11 is the source line of
 * the last one. The macros use a0-a2, ra and those they name; everything else is the
 * test's. Code is not compressed and not relaxed, so that what is written is what runs.
 */
#ifndef INSN_H
#define INSN_H

    .option norelax
    .option norvc

#define UART            0x10000000
#define FINISHER        0x00100000
#define RTC             0x00101000
#define MSIP            0x02000000
#define MTIMECMP        0x02004000
#define MTIME           0x0200bff8
#define PLIC            0x0c000000

#define CAUSE_FETCH_MISALIGNED  0
#define CAUSE_FETCH_ACCESS      1
#define CAUSE_ILLEGAL           2
#define CAUSE_BREAKPOINT        3
#define CAUSE_LOAD_MISALIGNED   4
#define CAUSE_LOAD_ACCESS       5
#define CAUSE_STORE_MISALIGNED  6
#define CAUSE_STORE_ACCESS      7
#define CAUSE_ECALL_U           8
#define CAUSE_ECALL_S           9
#define CAUSE_ECALL_M           11
#define CAUSE_FETCH_PAGE        12
#define CAUSE_LOAD_PAGE         13
#define CAUSE_STORE_PAGE        15
#define INTERRUPT               (1 << 63)
#define NO_TRAP                 -1

#define MSTATUS_SIE     (1 << 1)
#define MSTATUS_MIE     (1 << 3)
#define MSTATUS_SPIE    (1 << 5)
#define MSTATUS_MPIE    (1 << 7)
#define MSTATUS_SPP     (1 << 8)
#define MSTATUS_MPP     (3 << 11)
#define MSTATUS_FS      (3 << 13)
#define MSTATUS_MPRV    (1 << 17)
#define MSTATUS_SUM     (1 << 18)
#define MSTATUS_MXR     (1 << 19)
#define MSTATUS_TVM     (1 << 20)
#define MSTATUS_TW      (1 << 21)
#define MSTATUS_TSR     (1 << 22)
#define MSTATUS_SD      (1 << 63)

#define IRQ_SSI (1 << 1)
#define IRQ_MSI (1 << 3)
#define IRQ_STI (1 << 5)
#define IRQ_MTI (1 << 7)
#define IRQ_SEI (1 << 9)
#define IRQ_MEI (1 << 11)

#define U 0
#define S 1
#define M 3

/* Assembled as the only function of a test; the end of it is the end of the test. */
#define TEST_BEGIN .text; .globl test_main; test_main: la a3, test_ra; sd ra, 0(a3)
#define TEST_END   la a3, test_ra; ld ra, 0(a3); ret; .bss; .balign 8; test_ra: .space 8; .text

/* ---- comparing ---- */

#define CHECK(reg, want)   mv a0, reg; li a1, want; li a2, __LINE__; call check
#define CHECK_REG(reg, r2) mv a0, reg; mv a1, r2; li a2, __LINE__; call check
#define CHECK_AT(reg, lab) mv a0, reg; la a1, lab; li a2, __LINE__; call check
/* The bits of reg under mask. */
#define CHECK_BITS(reg, mask, want) \
    mv a0, reg; li a1, mask; and a0, a0, a1; li a1, want; li a2, __LINE__; call check
#define CHECK_CSR(csr, want) csrr a0, csr; li a1, want; li a2, __LINE__; call check
#define CHECK_CSR_BITS(csr, mask, want) \
    csrr a0, csr; li a1, mask; and a0, a0, a1; li a1, want; li a2, __LINE__; call check

/* ---- one instruction: t0, t1, t2 ---- */

#define TEST_RR(op, want, a, b) \
    li t0, a; li t1, b; op t2, t0, t1; CHECK(t2, want)
/* The destination is also the first, the second, or both sources. */
#define TEST_RR_SRC1(op, want, a, b) \
    li t0, a; li t1, b; op t0, t0, t1; CHECK(t0, want)
#define TEST_RR_SRC2(op, want, a, b) \
    li t0, a; li t1, b; op t1, t0, t1; CHECK(t1, want)
#define TEST_RR_SAME(op, want, a) \
    li t0, a; op t0, t0, t0; CHECK(t0, want)
#define TEST_RR_ZERO(op, a, b) \
    li t0, a; li t1, b; op zero, t0, t1; CHECK(zero, 0)
#define TEST_RI(op, want, a, imm) \
    li t0, a; op t2, t0, imm; CHECK(t2, want)
#define TEST_RI_SAME(op, want, a, imm) \
    li t0, a; op t0, t0, imm; CHECK(t0, want)
#define TEST_R(op, want, a) \
    li t0, a; op t2, t0; CHECK(t2, want)

/* ---- traps ---- */

/* The code (its last instruction as a rule) traps to M-mode with this cause. */
#define TRAP(cause, ...) \
    li s4, NO_TRAP; la s9, 77f; __VA_ARGS__; 77: li s9, 0; CHECK(s4, cause)
/* One instruction that traps: cause, epc and tval. */
#define TRAP_VAL(cause, tval, ...) \
    li s4, NO_TRAP; la s9, 77f; 78: __VA_ARGS__; 77: li s9, 0; \
    CHECK(s4, cause); CHECK_AT(s6, 78b); CHECK(s5, tval)
#define TRAP_VAL_REG(cause, reg, ...) \
    li s4, NO_TRAP; la s9, 77f; 78: __VA_ARGS__; 77: li s9, 0; \
    CHECK(s4, cause); CHECK_AT(s6, 78b); CHECK_REG(s5, reg)
/* The code runs without a trap. */
#define RUNS(...) TRAP(NO_TRAP, __VA_ARGS__)
/* One illegal instruction. */
#define ILLEGAL(...) \
    li s4, NO_TRAP; la s9, 77f; 78: __VA_ARGS__; 77: li s9, 0; \
    la a1, 78b; li a2, __LINE__; call check_illegal

/* Code in another mode; it ends in a trap to M-mode, its own or the last ecall. Uses t6. */
#define IN(mode, ...) \
    li s4, NO_TRAP; la s9, 77f; la t6, 78f; csrw mepc, t6; \
    li t6, MSTATUS_MPP; csrc mstatus, t6; li t6, mode << 11; csrs mstatus, t6; \
    mret; 78: __VA_ARGS__; ecall; 77: li s9, 0
#define TRAP_IN(mode, cause, ...) IN(mode, __VA_ARGS__); CHECK(s4, cause)
#define ILLEGAL_IN(mode, ...) IN(mode, __VA_ARGS__); \
    la a1, 78b; li a2, __LINE__; call check_illegal
/* Runs to its ecall: cause 8 + mode. */
#define RUNS_IN(mode, ...) IN(mode, __VA_ARGS__); CHECK(s4, 8 + mode)

/* A case that QEMU 7 gets wrong is left out there; it knows itself by its marchid. Uses t6. */
#define NOT_ON_QEMU7(...) \
    csrr t6, marchid; srli t6, t6, 16; addi t6, t6, -7; beqz t6, 76f; __VA_ARGS__; 76:

/* Skip the rest of the file, well, if this instruction is illegal. */
#define NEEDS(what, ...) \
    li s4, NO_TRAP; la s9, 77f; __VA_ARGS__; 77: li s9, 0; li a0, CAUSE_ILLEGAL; \
    la a1, 79f; bne s4, a0, 78f; mv a0, a1; j test_skip; \
    .pushsection .rodata; 79: .asciz what; .popsection; 78:

#endif
