/* Physical memory protection: Privileged 3.7. */
#include "insn.h"

#define R 1
#define W 2
#define X 4
#define TOR (1 << 3)
#define NA4 (2 << 3)
#define NAPOT (3 << 3)
#define L 0x80

/* One byte of pmpcfg0; t5, t6. */
#define CFG(n, value) \
    csrr t5, pmpcfg0; li t6, 0xff << (8 * (n)); not t6, t6; and t5, t5, t6; \
    li t6, (value) << (8 * (n)); or t5, t5, t6; csrw pmpcfg0, t5
#define CFG_ZERO csrw pmpcfg0, zero
#define ADDR(n, label) la t5, label; srli t5, t5, 2; csrw pmpaddr##n, t5
#define NAPOT_ADDR(n, label, size) \
    la t5, label; srli t5, t5, 2; ori t5, t5, (size) / 8 - 1; csrw pmpaddr##n, t5
#define ALLOW_ALL(on) li t5, (on) << 56; csrw pmpcfg2, t5

/* An access in U-mode at t0 + offset. */
#define LD_OK(offset) RUNS_IN(U, ld t1, offset(t0))
#define ST_OK(offset) RUNS_IN(U, sd t1, offset(t0))
#define LD_NO(offset) TRAP_IN(U, CAUSE_LOAD_ACCESS, ld t1, offset(t0)); \
    addi t1, t0, offset; CHECK_REG(s5, t1)
#define ST_NO(offset) TRAP_IN(U, CAUSE_STORE_ACCESS, sd t1, offset(t0)); \
    addi t1, t0, offset; CHECK_REG(s5, t1)

    TEST_BEGIN

    la t0, zone                 /* 4 KiB aligned, 8 KiB long */

    /* with none that matches: nothing for S and U, everything for M (3.7.1) */
    NAPOT_ADDR(7, zone + 4096, 4096) /* one entry somewhere: without any, QEMU 7 refuses mret */
    CFG(7, NAPOT)
    ALLOW_ALL(0)
    TRAP_IN(U, CAUSE_FETCH_ACCESS, nop)
    CHECK_AT(s6, 78b)
    CHECK_AT(s5, 78b)
    TRAP_IN(S, CAUSE_FETCH_ACCESS, nop)
    RUNS(ld t1, 0(t0); sd t1, 0(t0))
    /* and by MPRV, with M's own fetches untouched */
    li t2, MSTATUS_MPP
    csrc mstatus, t2
    li t2, MSTATUS_MPRV
    csrs mstatus, t2
    TRAP(CAUSE_LOAD_ACCESS, ld t1, 0(t0))
    csrc mstatus, t2
    CHECK_REG(s5, t0)
    ALLOW_ALL(NAPOT | R | W | X)
    CFG_ZERO
    LD_OK(0)
    ST_OK(8)

    /* NAPOT 4 KiB, and each permission; 15 lets everything else through */
    NAPOT_ADDR(0, zone, 4096)
    CFG(0, NAPOT | R)
    LD_OK(0)
    LD_OK(2040)
    ST_NO(0)
    ST_NO(2040)
    TRAP_IN(U, CAUSE_FETCH_ACCESS, jr t0)
    CHECK_REG(s5, t0)
    CHECK_REG(s6, t0)
    la t0, zone + 4096
    LD_OK(0)
    ST_OK(0)
    ST_NO(-8)
    LD_OK(-8)
    la t0, zone
    ST_OK(-8)
    CFG(0, NAPOT)
    LD_NO(0)
    ST_NO(8)
    TRAP_IN(S, CAUSE_LOAD_ACCESS, lb t1, 0(t0))
    CFG(0, NAPOT | R | W)
    LD_OK(0)
    ST_OK(0)
    RUNS_IN(U, amoadd.d t1, t1, (t0); lr.w t1, (t0); sc.w t1, t1, (t0))
    CFG(0, NAPOT | R)
    TRAP_IN(U, CAUSE_STORE_ACCESS, amoadd.d t1, t1, (t0))
    RUNS_IN(U, lr.w t1, (t0))
    CFG(0, NAPOT | X)
    LD_NO(0)
    li t1, 0x00000073           /* ecall */
    sw t1, 0(t0)
    fence.i
    TRAP_IN(U, CAUSE_ECALL_U, jr t0)
    CHECK_REG(s6, t0)
    CFG(0, NAPOT | R | W)
    TRAP_IN(U, CAUSE_FETCH_ACCESS, jr t0)
    /* M is not held by an entry that is not locked */
    CFG(0, NAPOT)
    RUNS(ld t1, 0(t0); sd t1, 0(t0))

    /* the smaller sizes exist if the granularity is 4: ask as 3.7.1 says */
    CFG_ZERO
    li t1, -1
    csrw pmpaddr0, t1
    csrr t1, pmpaddr0
    andi t1, t1, 1
    beqz t1, coarse
    NAPOT_ADDR(0, zone + 16, 8)
    CFG(0, NAPOT)
    LD_OK(8)
    LD_NO(16)
    LD_OK(24)
    ADDR(0, zone + 20)
    CFG(0, NA4)
    RUNS_IN(U, lw t1, 16(t0))
    TRAP_IN(U, CAUSE_LOAD_ACCESS, lw t1, 20(t0))
    TRAP_IN(U, CAUSE_LOAD_ACCESS, lbu t1, 23(t0))
    RUNS_IN(U, lw t1, 24(t0))
    /* an access that an entry matches in part fails, whatever the entry allows (3.7.1) */
    CFG(0, NA4 | R | W | X)
    TRAP_IN(U, CAUSE_LOAD_ACCESS, ld t1, 16(t0))
    TRAP_IN(U, CAUSE_STORE_ACCESS, sd t1, 16(t0))
    RUNS_IN(U, lw t1, 20(t0))
    /* also M's */
    TRAP(CAUSE_LOAD_ACCESS, ld t1, 16(t0))
    CFG_ZERO
coarse:

    /* TOR: from the address register below up to, without, this one */
    ADDR(0, zone)
    ADDR(1, zone + 4096)
    CFG(1, TOR | R)
    LD_OK(0)
    ST_NO(0)
    ST_OK(-8)
    la t0, zone + 4096
    ST_NO(-8)
    ST_OK(0)
    la t0, zone
    /* entry 0's bound is 0 */
    CFG_ZERO
    ADDR(0, zone + 4096)
    CFG(0, TOR | R | X)
    LD_OK(0)
    ST_NO(0)
    ST_NO(-8)
    la t0, zone + 4096
    ST_OK(0)
    la t0, zone
    /* an empty range matches nothing */
    CFG_ZERO
    ADDR(0, zone + 4096)
    ADDR(1, zone)
    CFG(1, TOR)
    LD_OK(0)
    ST_OK(2040)

    /* the lowest number decides */
    CFG_ZERO
    NAPOT_ADDR(0, zone, 4096)
    NAPOT_ADDR(1, zone, 8192)
    CFG(0, NAPOT | R)
    CFG(1, NAPOT)
    LD_OK(0)
    ST_NO(0)
    la t0, zone + 4096
    LD_NO(0)
    la t0, zone
    CFG(0, NAPOT)
    CFG(1, NAPOT | R | W)
    LD_NO(0)
    la t0, zone + 4096
    LD_OK(0)
    la t0, zone
    CFG(0, 0)
    LD_OK(0)
    CFG_ZERO

    /* the address registers hold 54 bits, the upper ones read 0 */
    li t1, -1
    csrw pmpaddr3, t1
    csrr t1, pmpaddr3
    srli t1, t1, 54
    NOT_ON_QEMU7(CHECK(t1, 0))
    csrw pmpaddr3, zero
    /* bits 5 and 6 of an entry are always 0 */
    CFG(3, 0x60)
    csrr t1, pmpcfg0
    srli t1, t1, 24
    NOT_ON_QEMU7(CHECK_BITS(t1, 0x60, 0))
    CFG_ZERO

    /* locked: holds for M as well, and neither entry nor address can change (3.7.1) */
    NAPOT_ADDR(4, zone, 4096)
    CFG(4, L | NAPOT | R)
    RUNS(ld t1, 0(t0))
    TRAP(CAUSE_STORE_ACCESS, sd t1, 0(t0))
    CHECK_REG(s5, t0)
    TRAP(CAUSE_FETCH_ACCESS, jr t0)
    CHECK_REG(s5, t0)
    ST_NO(0)
    csrr t4, pmpaddr4
    csrw pmpaddr4, zero
    csrr t1, pmpaddr4
    CHECK_REG(t1, t4)
    csrw pmpcfg0, zero
    csrr t1, pmpcfg0
    srli t1, t1, 32
    CHECK(t1, L | NAPOT | R)
    TRAP(CAUSE_STORE_ACCESS, sd t1, 0(t0))
    /* a lower entry that is not locked still goes first, and lets M pass */
    NAPOT_ADDR(0, zone, 4096)
    CFG(0, NAPOT)
    RUNS(sd t1, 0(t0))
    LD_NO(0)
    CFG(0, 0)
    TRAP(CAUSE_STORE_ACCESS, sd t1, 0(t0))
    /* a locked TOR entry locks the address below it */
    la t5, zone + 4096
    srli t5, t5, 2
    csrw pmpaddr5, t5
    la t5, zone + 8192
    srli t5, t5, 2
    csrw pmpaddr6, t5
    CFG(6, L | TOR | R | W | X)
    csrw pmpaddr5, zero
    la t1, zone + 4096
    srli t1, t1, 2
    csrr t2, pmpaddr5
    CHECK_REG(t2, t1)

    TEST_END

    .bss
    .balign 8192
zone: .space 8192
    .space 4096
