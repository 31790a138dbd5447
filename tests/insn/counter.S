/* Counters, Zicntr: Unprivileged chapter 10; Privileged 3.1.10 to 3.1.12, 4.1.5. */
#include "insn.h"

#define CY 1
#define TM 2
#define IR 4

#define TRAP_ONLY(...) li s4, NO_TRAP; la s9, 77f; __VA_ARGS__; 77:

    TEST_BEGIN

    /* instret counts instructions: straight code, a loop */
    csrw mcountinhibit, zero
    csrr t0, minstret
    nop
    nop
    nop
    csrr t1, minstret
    sub t2, t1, t0
    sltiu t3, t2, 4             /* at least these four */
    CHECK(t3, 0)
    csrr t0, minstret
    li t4, 1000
1:  addi t4, t4, -1
    bnez t4, 1b
    csrr t1, minstret
    sub t2, t1, t0
    li t3, 2002                 /* li, 1000 pairs, one of the two reads */
    /* QEMU counts host time unless told otherwise */
    NOT_ON_QEMU7(CHECK_REG(t2, t3))
    /* the same through the unprivileged name */
    csrr t0, instret
    nop
    nop
    csrr t1, instret
    sub t2, t1, t0
    NOT_ON_QEMU7(CHECK(t2, 3))
    /* an instruction that traps does not retire: one of the two reads, li, la (2)
     * and the trap recorder's eight */
    NOT_ON_QEMU7(csrr t0, instret; TRAP_ONLY(.word 0); csrr t1, instret; \
        sub t2, t1, t0; CHECK(t2, 12))
    /* writing: the write takes effect after the instruction (3.1.10) */
    li t0, 0x123456789
    NOT_ON_QEMU7(csrw minstret, t0; csrr t1, minstret; CHECK(t1, 0x123456789))
    csrw minstret, t0
    csrr t1, minstret
    sltu t2, t1, t0
    CHECK(t2, 0)
    csrw mcycle, t0
    csrr t1, mcycle
    sltu t2, t1, t0
    CHECK(t2, 0)
    csrr t1, cycle
    sltu t2, t1, t0
    CHECK(t2, 0)
    srli t1, t1, 33             /* and not far above */
    CHECK(t1, 0)

    /* inhibited counters stand still, if they can be inhibited (3.1.12 lets the bits be 0) */
    li t0, CY | IR
    csrw mcountinhibit, t0
    csrr t4, mcountinhibit
    andi t4, t4, CY | IR
    beqz t4, 1f
    CHECK(t4, CY | IR)
    csrr t0, minstret
    csrr t1, mcycle
    nop
    nop
    csrr t2, minstret
    csrr t3, mcycle
    /* QEMU 7 brings them up to date at the first reading */
    NOT_ON_QEMU7(CHECK_REG(t0, t2); CHECK_REG(t1, t3))
1:  csrw mcountinhibit, zero
    csrr t1, mcycle
    nop
    csrr t3, mcycle
    sltu t2, t1, t3
    CHECK(t2, 1)

    /* time is mtime, at any moment between two readings of it */
    li t4, MTIME
    li t5, 100
1:  ld t0, 0(t4)
    csrr t1, time
    ld t2, 0(t4)
    sltu t3, t1, t0
    sltu t6, t2, t1
    or t3, t3, t6
    bnez t3, 2f
    addi t5, t5, -1
    bnez t5, 1b
2:  CHECK(t3, 0)
    /* and mtime can be read by halves */
    lwu t0, 4(t4)
    ld t1, 0(t4)
    srli t1, t1, 32
    CHECK_REG(t0, t1)
    /* it goes on */
    csrr t0, time
    li t5, 100000
1:  addi t5, t5, -1
    bnez t5, 1b
    csrr t1, time
    sltu t3, t0, t1
    CHECK(t3, 1)

    /* S needs mcounteren, U both */
#define ALLOW(m, s) li t0, m; csrw mcounteren, t0; li t0, s; csrw scounteren, t0
    ALLOW(0, 7)
    ILLEGAL_IN(S, csrr t0, cycle)
    ILLEGAL_IN(S, csrr t0, time)
    ILLEGAL_IN(S, csrr t0, instret)
    ILLEGAL_IN(U, csrr t0, cycle)
    ILLEGAL_IN(U, csrr t0, time)
    ILLEGAL_IN(U, csrr t0, instret)
    RUNS(csrr t0, cycle; csrr t0, time; csrr t0, instret)
    ALLOW(7, 0)
    RUNS_IN(S, csrr t0, cycle; csrr t0, time; csrr t0, instret)
    ILLEGAL_IN(U, csrr t0, cycle)
    ILLEGAL_IN(U, csrr t0, time)
    ILLEGAL_IN(U, csrr t0, instret)
    ALLOW(7, 7)
    RUNS_IN(U, csrr t0, cycle; csrr t0, time; csrr t0, instret)
    ALLOW(TM, 7)
    RUNS_IN(U, csrr t0, time)
    ILLEGAL_IN(U, csrr t0, cycle)
    ILLEGAL_IN(S, csrr t0, instret)
    ALLOW(7, IR)
    RUNS_IN(U, csrr t0, instret)
    ILLEGAL_IN(U, csrr t0, time)
    RUNS_IN(S, csrr t0, time)
    /* never writable below M */
    ALLOW(7, 7)
    ILLEGAL_IN(S, csrw cycle, t0)
    ILLEGAL_IN(U, csrw time, t0)
    ILLEGAL_IN(S, csrw minstret, t0)

    TEST_END
