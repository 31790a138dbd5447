/*
 * External interrupts through the PLIC: priorities, thresholds, claim and completion, both
 * contexts of the hart. PLIC 1.0.0; the sources are the board's UART (10) and its real-time
 * clock (11), which machine programs can raise at will.
 */
#include "insn.h"

#define UART_IRQ 10
#define RTC_IRQ 11
#define PRIORITY(n)  (PLIC + 4 * (n))
#define PENDING      (PLIC + 0x1000)
#define ENABLE(c)    (PLIC + 0x2000 + 0x80 * (c))
#define THRESHOLD(c) (PLIC + 0x200000 + 0x1000 * (c))
#define CLAIM(c)     (THRESHOLD(c) + 4)
#define MACHINE 0               /* the contexts of hart 0 */
#define SUPERVISOR 1
#define BOTH (1 << UART_IRQ | 1 << RTC_IRQ)

#define RTC_ALARM_LOW 8
#define RTC_ALARM_HIGH 12
#define RTC_IRQ_ENABLED 16
#define RTC_CLEAR_INTERRUPT 28

#define PUT(address, value) li t0, address; li t1, value; sw t1, 0(t0)
#define GET(address) li t0, address; lwu t3, 0(t0)
#define SETTLE(c) PUT(THRESHOLD(c), 0)
#define IS(address, want) GET(address); CHECK(t3, want)
/* The line may take its time: until mip & mask is want. t0-t2, t6. */
#define WAIT_MIP(mask, want) \
    li t6, 100000; li t1, mask; li t2, want; \
    75: csrr t0, mip; and t0, t0, t1; addi t6, t6, -1; beqz t6, 74f; bne t0, t2, 75b; \
    74: CHECK(t0, want)
#define WAIT_PENDING(want) \
    li t6, 100000; li t1, BOTH; li t2, want; li t4, PENDING; \
    75: lwu t0, 0(t4); and t0, t0, t1; addi t6, t6, -1; beqz t6, 74f; bne t0, t2, 75b; \
    74: CHECK(t0, want)

/* The UART asks while its transmitter is empty and IER says so (bit 1). */
#define UART_RAISE li t0, UART; li t1, 2; sb t1, 1(t0)
#define UART_LOWER li t0, UART; sb zero, 1(t0)
/* The clock asks once an alarm in the past is set, until cleared. */
#define RTC_RAISE \
    li t0, RTC; li t1, 1; sw t1, RTC_IRQ_ENABLED(t0); sw zero, RTC_ALARM_HIGH(t0); \
    sw t1, RTC_ALARM_LOW(t0)
#define RTC_LOWER li t0, RTC; li t1, 1; sw t1, RTC_CLEAR_INTERRUPT(t0)

/* A line that is still up asks again on completion (PLIC 1.0.0, 1.4 and 9). QEMU 7 waits
 * for it to rise, so that it is also made to. */
#define ASKS_AGAIN \
    NOT_ON_QEMU7(WAIT_PENDING(BOTH)); UART_LOWER; RTC_LOWER; UART_RAISE; RTC_RAISE; \
    WAIT_PENDING(BOTH)

    TEST_BEGIN
    la t0, trap_s
    csrw stvec, t0
    UART_LOWER
    RTC_LOWER

    /* registers: priority 0 to 7, thresholds, enables; source 0 does not exist */
    PUT(PRIORITY(UART_IRQ), 7)
    IS(PRIORITY(UART_IRQ), 7)
    PUT(PRIORITY(UART_IRQ), 0)
    IS(PRIORITY(UART_IRQ), 0)
    IS(PRIORITY(0), 0)
    PUT(ENABLE(MACHINE), BOTH)
    IS(ENABLE(MACHINE), BOTH)
    PUT(ENABLE(SUPERVISOR), 0)
    IS(ENABLE(SUPERVISOR), 0)
    PUT(THRESHOLD(MACHINE), 5)
    IS(THRESHOLD(MACHINE), 5)
    PUT(THRESHOLD(MACHINE), 0)
    PUT(THRESHOLD(SUPERVISOR), 0)
    IS(CLAIM(MACHINE), 0)       /* nothing: 0 */
    IS(PENDING, 0)

    /* pending, but priority 0 never interrupts */
    UART_RAISE
    WAIT_PENDING(1 << UART_IRQ)
    WAIT_MIP(IRQ_MEI | IRQ_SEI, 0)
    IS(CLAIM(MACHINE), 0)
    /* pending is read-only */
    PUT(PENDING, 0)
    WAIT_PENDING(1 << UART_IRQ)
    /* with a priority above the threshold it does */
    PUT(PRIORITY(UART_IRQ), 1)
    WAIT_MIP(IRQ_MEI | IRQ_SEI, IRQ_MEI)
    PUT(THRESHOLD(MACHINE), 1)
    WAIT_MIP(IRQ_MEI, 0)        /* not above it */
    PUT(PRIORITY(UART_IRQ), 2)
    WAIT_MIP(IRQ_MEI, IRQ_MEI)
    PUT(THRESHOLD(MACHINE), 7)
    WAIT_MIP(IRQ_MEI, 0)        /* 7 masks everything */
    PUT(THRESHOLD(MACHINE), 0)
    WAIT_MIP(IRQ_MEI, IRQ_MEI)
    /* disabled there, and enabled again; QEMU 7 looks at the line again only when
     * something else is written, hence SETTLE below */
    PUT(ENABLE(MACHINE), 1 << RTC_IRQ)
    NOT_ON_QEMU7(WAIT_MIP(IRQ_MEI, 0))
    IS(CLAIM(MACHINE), 0)
    PUT(ENABLE(MACHINE), BOTH)
    NOT_ON_QEMU7(WAIT_MIP(IRQ_MEI, IRQ_MEI))
    SETTLE(MACHINE)
    WAIT_MIP(IRQ_MEI, IRQ_MEI)

    /* the interrupt itself; MEI comes before all others */
    li t0, IRQ_MEI
    csrw mie, t0
    TRAP(INTERRUPT | 11, csrsi mstatus, 8; nop; nop)
    csrci mstatus, 8
    CHECK(s5, 0)
    PUT(MSIP, 1)
    PUT(MTIMECMP, 0)
    PUT(MTIMECMP + 4, 0)
    WAIT_MIP(IRQ_MSI | IRQ_MTI, IRQ_MSI | IRQ_MTI)
    li t0, IRQ_MEI | IRQ_MSI | IRQ_MTI | IRQ_SSI | IRQ_STI
    csrw mie, t0
    csrw mip, t0
    /* QEMU 7 takes the lowest number */
    NOT_ON_QEMU7(TRAP(INTERRUPT | 11, csrsi mstatus, 8; nop; nop))
    csrci mstatus, 8
    PUT(MSIP, 0)
    PUT(MTIMECMP, -1)
    PUT(MTIMECMP + 4, -1)
    csrw mip, zero
    csrw mie, zero

    /* claim: the number, and it is pending no longer; a second claim finds nothing, though
     * the line is still up, until the completion */
    IS(CLAIM(MACHINE), UART_IRQ)
    WAIT_PENDING(0)
    WAIT_MIP(IRQ_MEI, 0)
    IS(CLAIM(MACHINE), 0)
    PUT(CLAIM(MACHINE), UART_IRQ)
    NOT_ON_QEMU7(WAIT_PENDING(1 << UART_IRQ))   /* a level: it asks again */
    UART_LOWER
    UART_RAISE
    WAIT_PENDING(1 << UART_IRQ)
    WAIT_MIP(IRQ_MEI, IRQ_MEI)
    IS(CLAIM(MACHINE), UART_IRQ)
    UART_LOWER
    PUT(CLAIM(MACHINE), UART_IRQ)
    WAIT_PENDING(0)
    WAIT_MIP(IRQ_MEI, 0)
    /* completion of what was never claimed, or is no source, is ignored */
    PUT(CLAIM(MACHINE), 0)
    PUT(CLAIM(MACHINE), 1023)
    PUT(CLAIM(MACHINE), RTC_IRQ)
    IS(CLAIM(MACHINE), 0)

    /* two at once: the higher priority first, of equal ones the lower number */
    PUT(PRIORITY(RTC_IRQ), 3)
    UART_RAISE
    RTC_RAISE
    WAIT_PENDING(BOTH)
    IS(CLAIM(MACHINE), RTC_IRQ)
    IS(CLAIM(MACHINE), UART_IRQ)
    IS(CLAIM(MACHINE), 0)
    PUT(CLAIM(MACHINE), UART_IRQ)
    PUT(CLAIM(MACHINE), RTC_IRQ)
    ASKS_AGAIN
    PUT(PRIORITY(UART_IRQ), 3)
    IS(CLAIM(MACHINE), UART_IRQ)
    IS(CLAIM(MACHINE), RTC_IRQ)
    PUT(CLAIM(MACHINE), RTC_IRQ)
    PUT(CLAIM(MACHINE), UART_IRQ)
    ASKS_AGAIN
    /* the threshold holds back the interrupt, not the claim (PLIC 1.0.0, 8) */
    PUT(THRESHOLD(MACHINE), 7)
    WAIT_MIP(IRQ_MEI, 0)
    PUT(THRESHOLD(MACHINE), 0)
    /* a claim in one context takes it from the other */
    PUT(ENABLE(SUPERVISOR), BOTH)
    SETTLE(SUPERVISOR)
    WAIT_MIP(IRQ_MEI | IRQ_SEI, IRQ_MEI | IRQ_SEI)
    IS(CLAIM(SUPERVISOR), UART_IRQ)
    IS(CLAIM(MACHINE), RTC_IRQ)
    WAIT_MIP(IRQ_MEI | IRQ_SEI, 0)
    IS(CLAIM(SUPERVISOR), 0)
    PUT(CLAIM(SUPERVISOR), UART_IRQ)
    PUT(CLAIM(MACHINE), RTC_IRQ)
    ASKS_AGAIN
    WAIT_MIP(IRQ_MEI | IRQ_SEI, IRQ_MEI | IRQ_SEI)

    /* SEI: delegated, S is interrupted; sip.SEIP is read-only there; mip.SEIP is the line
     * or M's own bit (3.1.9) */
    PUT(ENABLE(MACHINE), 0)
    SETTLE(MACHINE)
    WAIT_MIP(IRQ_MEI | IRQ_SEI, IRQ_SEI)
    li t0, IRQ_SEI
    csrw mideleg, t0
    csrw mie, t0
    li s8, 0
    IN(U, nop; nop)
    CHECK(s4, INTERRUPT | 9)
    CHECK(s8, 2)
    li s8, 0
    li t0, IRQ_SEI
    csrc sip, t0
    CHECK_CSR_BITS(sip, IRQ_SEI, IRQ_SEI)
    IS(CLAIM(SUPERVISOR), UART_IRQ)
    IS(CLAIM(SUPERVISOR), RTC_IRQ)
    WAIT_MIP(IRQ_SEI, 0)
    li t0, IRQ_SEI
    csrs mip, t0
    CHECK_CSR_BITS(mip, IRQ_SEI, IRQ_SEI)
    PUT(CLAIM(SUPERVISOR), UART_IRQ)
    PUT(CLAIM(SUPERVISOR), RTC_IRQ)
    ASKS_AGAIN
    WAIT_MIP(IRQ_SEI, IRQ_SEI)
    li t0, IRQ_SEI
    csrc mip, t0                /* M's bit goes, the line stays */
    CHECK_CSR_BITS(mip, IRQ_SEI, IRQ_SEI)
    IS(CLAIM(SUPERVISOR), UART_IRQ)
    IS(CLAIM(SUPERVISOR), RTC_IRQ)
    UART_LOWER
    RTC_LOWER
    PUT(CLAIM(SUPERVISOR), UART_IRQ)
    PUT(CLAIM(SUPERVISOR), RTC_IRQ)
    WAIT_MIP(IRQ_SEI, 0)

    /* wfi wakes for it */
    PUT(ENABLE(MACHINE), BOTH)
    PUT(ENABLE(SUPERVISOR), 0)
    SETTLE(MACHINE)
    li t0, IRQ_MEI
    csrw mie, t0
    RTC_RAISE
    RUNS(wfi)
    IS(CLAIM(MACHINE), RTC_IRQ)
    RTC_LOWER
    PUT(CLAIM(MACHINE), RTC_IRQ)
    WAIT_MIP(IRQ_MEI, 0)

    TEST_END
