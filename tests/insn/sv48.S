/* Sv48, and which modes satp takes: Privileged 4.1.11, 4.5. */
#include "paging.h"

#define VA(i) (3 << 39 | 1 << 30 | (i) << 12)
#define MODE_IS(want) csrr t0, satp; srli t0, t0, 60; CHECK(t0, want)

    TEST_BEGIN
    PAGES_INIT

    /* satp: Bare, Sv39 and Sv48 are taken; with another mode the whole write has no effect */
    csrw satp, zero
    CHECK_CSR(satp, 0)
    SATP(SV39, 0, root)
    MODE_IS(SV39)
    csrr t4, satp
    .irp mode, 1, 2, 7, 11, 12, 15
    li t0, \mode << 60 | 0x12345
    csrw satp, t0
    csrr t0, satp
    CHECK_REG(t0, t4)
    .endr
    SATP(SV48, 0, root)
    MODE_IS(SV48)
    /* Sv57 may be there: then it is kept, otherwise nothing changes */
    csrr t4, satp
    li t0, SV57 << 60
    csrw satp, t0
    csrr t1, satp
    beq t1, t0, 1f
    CHECK_REG(t1, t4)
1:  csrw satp, zero
    /* the PPN keeps its bits */
    li t0, SV39 << 60 | 0x80000
    csrw satp, t0
    CHECK_CSR_BITS(satp, 0xfff << 32 | 0xffffffff, 0x80000)
    csrw satp, zero
    CHECK_CSR(satp, 0)

    PTE(root, 3, upper, V)
    PTE(root, 511, upper, V)
    PTE(upper, 1, middle, V)
    PTE(upper, 511, middle, V)
    PTE(upper, 2, middle, V)
    PTE(middle, 0, leaves, V)
    PTE(leaves, 0, page_1, RWX)
    PTE(leaves, 1, page_2, RWX | UU)
    PTE(leaves, 2, page_3, V | R | A | D)
    SATP(SV48, 0, root)

    LD_OK(S, VA(0), IS_1)
    ST_OK(S, VA(0) + 8, 9)
    LD_OK(S, VA(0) + 8, 9)
    X_OK(S, VA(0))
    LD_NO(U, VA(0))
    LD_OK(U, VA(1), IS_2)
    X_OK(U, VA(1))
    LD_NO(S, VA(1))
    LD_OK(S, VA(2), IS_3)
    ST_NO(S, VA(2))
    X_NO(S, VA(2))
    LD_NO(S, VA(3))
    LD_NO(S, 4 << 39)
    LD_NO(S, 3 << 39 | 5 << 30)
    LD_OK(S, 3 << 39 | 2 << 30, IS_1)
    /* the lower half of Sv39's top addresses is an ordinary address here */
    LD_NO(S, 1 << 38)
    /* the top: bits 63:48 equal bit 47 */
    LD_OK(S, 0xffffffffc0000000, IS_1)
    X_OK(S, 0xffffffffc0000000)
    LD_NO(S, 0x0000ffffc0000000)
    LD_NO(S, 1 << 48 | VA(0))
    LD_NO(S, 1 << 63 | VA(0))
    X_NO(S, 1 << 55 | VA(0))

    /* superpages of 2 MiB, 1 GiB and 512 GiB, and misaligned ones */
    PTE_AT(middle, 1, 0x80000000, RWX)
    PTE_AT(middle, 2, 0x80001000, RWX)
    PTE_AT(upper, 5, 0x80000000, RWX)
    PTE_AT(upper, 6, 0x80200000, RWX)
    PTE_AT(upper, 7, 0x80008000, RWX)
    PTE_AT(root, 0, 0, RWX)
    PTE_AT(root, 1, 0x40000000, RWX)
    PTE_AT(root, 2, 0x00200000, RWX)
    FENCE
    la t4, page_3
    li t1, 0x80000000
    sub t4, t4, t1
    AS(S, VA(0) | 1 << 21, add t5, t5, t4; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_3)
    AS(S, 3 << 39 | 5 << 30, add t5, t5, t4; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_3)
    AS(S, 0x80000000, add t5, t5, t4; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_3)
    LD_NO(S, VA(0) | 2 << 21)
    LD_NO(S, 3 << 39 | 6 << 30)
    ST_NO(S, 3 << 39 | 7 << 30)
    LD_NO(S, 1 << 39)
    X_NO(S, 2 << 39)
    /* S runs in the 512 GiB page */
    RUNS_IN(S, nop)
    /* A and D at the top level */
    PTE_AT(root, 0, 0, V | R | W | X)
    FENCE
    AS(S, 0x80000000, lw t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK_PTE(root, 0, V | R | W | X | A)

    /* the same tables read as Sv39 are something else: root's entry 3 ends in upper */
    csrw satp, zero
    PTE(upper, 0, leaves, V)
    SATP(SV39, 0, root)
    LD_OK(S, 3 << 30, IS_1)
    LD_NO(S, VA(0))
    csrw satp, zero
    FENCE
    /* Bare: S's addresses are physical */
    la t1, page_2
    AS(S, 0, add t5, t5, t1; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_2)

    TEST_END

    .bss
    .balign 4096
root: .space PAGE
upper: .space PAGE
middle: .space PAGE
leaves: .space PAGE
page_1: .space PAGE
page_2: .space PAGE
page_3: .space PAGE
