/* Address translation with Sv39: Privileged 4.3.2, 4.4, 4.2.1, 3.1.6.3. */
#include "paging.h"

/* The virtual address of entry i of the page table behind entry 1, 0. */
#define VA(i) (1 << 30 | (i) << 12)
#define VA2(i) (1 << 30 | (i) << 21)

    TEST_BEGIN
    PAGES_INIT
    PTE(root, 1, middle, V)
    PTE(middle, 0, leaves, V)
    PTE(leaves, 0, page_1, RWX)
    PTE(leaves, 1, page_2, RWX | UU)
    PTE(leaves, 2, page_3, V | R | A | D)
    PTE(leaves, 3, page_3, V | X | A | D)
    PTE(leaves, 4, page_3, RX | UU)
    PTE(leaves, 5, page_3, V | X | A | D | UU)
    PTE(leaves, 6, page_3, 0xfe)            /* V is 0: the rest means nothing */
    PTE(leaves, 7, page_3, V | W | A | D)   /* reserved */
    PTE(leaves, 8, page_3, V | W | X | A | D)
    PTE(leaves, 9, page_3, V)               /* a pointer at the last level */
    PTE(leaves, 10, page_3, RW | G | RSW)
    PTE(leaves, 11, page_1, RW)
    SATP(SV39, 0, root)

    /* page by page: read, write, execute, by S and by U */
    LD_OK(S, VA(0), IS_1)
    ST_OK(S, VA(0) + 8, 77)
    LD_OK(S, VA(0) + 8, 77)
    LD_OK(S, VA(11) + 8, 77)
    la t1, page_1
    ld t3, 8(t1)
    CHECK(t3, 77)
    X_OK(S, VA(0))
    LD_NO(U, VA(0))
    ST_NO(U, VA(0))
    X_NO(U, VA(0))
    LD_OK(U, VA(1), IS_2)
    ST_OK(U, VA(1) + 16, 1)
    X_OK(U, VA(1))
    X_NO(S, VA(1))
    LD_NO(S, VA(1))
    ST_NO(S, VA(1))
    LD_OK(S, VA(2), IS_3)
    ST_NO(S, VA(2))
    X_NO(S, VA(2))
    LD_NO(S, VA(3))
    ST_NO(S, VA(3))
    X_OK(S, VA(3))
    X_OK(U, VA(4))
    LD_OK(U, VA(4), IS_3)
    ST_NO(U, VA(4))
    LD_NO(S, VA(6))
    X_NO(S, VA(6))
    LD_NO(S, VA(7))
    ST_NO(S, VA(7))
    LD_NO(S, VA(8))
    ST_NO(S, VA(8))
    X_NO(S, VA(8))
    LD_NO(S, VA(9))
    X_NO(S, VA(9))
    LD_OK(S, VA(10), IS_3)
    /* nothing there at each level */
    LD_NO(S, VA(100))
    ST_NO(S, VA2(3))
    LD_NO(S, 5 << 30)
    X_NO(S, 5 << 30)
    /* atomics: a store's fault, but lr's is a load's */
    AS(S, VA(2), amoadd.d t3, t3, (t5))
    CHECK(s4, CAUSE_STORE_PAGE)
    CHECK(s5, VA(2))
    AS(S, VA(2), lr.d t3, (t5))
    CHECK(s4, NO_TRAP)
    AS(S, VA(100), lr.d t3, (t5))
    CHECK(s4, CAUSE_LOAD_PAGE)
    AS(S, VA(2), lr.d t3, (t5); sc.d t3, t3, (t5))
    CHECK(s4, CAUSE_STORE_PAGE)

    /* M itself is never translated; MPRV with MPP = M neither */
    la t1, page_1
    ld t3, 0(t1)
    CHECK(t3, IS_1)
    li t1, MSTATUS_MPP | MSTATUS_MPRV
    csrs mstatus, t1
    la t1, page_2
    ld t3, 0(t1)
    li t1, MSTATUS_MPRV
    csrc mstatus, t1
    CHECK(t3, IS_2)

    /* SUM: S may read and write U's pages, never execute them */
    li t1, MSTATUS_SUM
    csrs mstatus, t1
    LD_OK(S, VA(1), IS_2)
    ST_OK(S, VA(1) + 16, 5)
    X_NO(S, VA(1))
    LD_NO(U, VA(0))
    LD_NO(S, VA(5))             /* execute only stays so */
    csrc mstatus, t1
    LD_NO(S, VA(1))
    /* MXR: what is executable can be read */
    li t1, MSTATUS_MXR
    csrs mstatus, t1
    LD_OK(S, VA(3), IS_3)
    ST_NO(S, VA(3))
    LD_OK(U, VA(5), IS_3)
    LD_NO(S, VA(5))
    LD_NO(S, VA(9))
    csrc mstatus, t1
    LD_NO(S, VA(3))

    /* misaligned accesses over two pages: the two are far apart, and either may fault */
    PTE(leaves, 20, page_1, RW)
    PTE(leaves, 21, page_3, RW)
    PTE(leaves, 23, page_2, RW)
    PTE(leaves, 24, page_3, V | R | A | D)
    FENCE
    ST_OK(S, VA(21) - 3, 0x0123456789abcdef)
    LD_OK(S, VA(21) - 3, 0x0123456789abcdef)
    la t1, page_1 + PAGE - 8
    ld t3, 0(t1)
    srli t3, t3, 40
    CHECK(t3, 0xabcdef)
    la t1, page_3
    ld t3, 0(t1)
    slli t3, t3, 24
    CHECK(t3, 0x0123456789000000)
    AS(S, VA(22) - 4, ld t3, 0(t5))     /* the second page is not there */
    CHECK(s4, CAUSE_LOAD_PAGE)
    CHECK(s5, VA(22))           /* the part that faulted: 3.1.16 */
    AS(S, VA(23) - 4, ld t3, 0(t5))     /* the first is not */
    CHECK(s4, CAUSE_LOAD_PAGE)
    CHECK(s5, VA(23) - 4)
    AS(S, VA(24) - 4, sd t3, 0(t5))
    CHECK(s4, CAUSE_STORE_PAGE)
    CHECK(s5, VA(24))
    AS(S, VA(24) - 6, lw t3, 0(t5))
    CHECK(s4, NO_TRAP)
    /* the same for an instruction over two pages: epc is its start, tval the page */
    la t1, page_1 + PAGE - 4
    li t3, 0x00130001           /* c.nop, and the first half of addi */
    sw t3, 0(t1)
    fence.i
    PTE(leaves, 20, page_1, RX)
    FENCE
    GO(S, VA(21) - 4)
    CHECK(s4, CAUSE_FETCH_PAGE)
    CHECK(s6, VA(21) - 2)
    CHECK(s5, VA(21))
    PTE(leaves, 21, page_2, RX)
    la t1, page_2
    li t3, 0x0000000000730000   /* the second half of addi, then ecall */
    sd t3, 0(t1)
    fence.i
    FENCE
    GO(S, VA(21) - 4)
    CHECK(s4, CAUSE_ECALL_S)
    CHECK(s6, VA(21) + 2)
    PAGES_INIT

    /* superpages: 2 MiB and 1 GiB, and misaligned ones (4.3.2 step 6) */
    PTE_AT(middle, 1, 0x80000000, RWX)
    PTE_AT(middle, 2, 0x80001000, RWX)
    PTE_AT(middle, 3, 0x80100000, RWX)
    PTE_AT(root, 2, 0x80000000, RWX)
    PTE_AT(root, 3, 0x80200000, RWX)
    PTE_AT(root, 4, 0x80001000, RWX)
    FENCE
    la t4, page_2
    li t1, 0x80000000
    sub t4, t4, t1              /* offset of page_2 in RAM, below 2 MiB */
    AS(S, VA2(1), add t5, t5, t4; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_2)
    AS(S, 2 << 30, add t5, t5, t4; ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK(t3, IS_2)
    LD_NO(S, VA2(2))
    ST_NO(S, VA2(3))
    LD_NO(S, 3 << 30)
    X_NO(S, 4 << 30)
    /* S runs in a page of 1 GiB where M's code lies */
    RUNS_IN(S, nop)
    TRAP_IN(U, CAUSE_FETCH_PAGE, nop)

    /* addresses: bits 63:39 equal bit 38 */
    LD_NO(S, 1 << 39 | VA(0))
    LD_NO(S, 1 << 63 | VA(0))
    LD_NO(S, 1 << 38)
    X_NO(S, 1 << 40 | VA(0))
    PTE(root, 511, middle, V)
    PTE(root, 256, middle, V)
    FENCE
    LD_OK(S, 0xffffffffc0000000, IS_1)
    X_OK(S, 0xffffffffc0000000)
    LD_OK(S, 0xffffffc000000000, IS_1)
    LD_NO(S, 0x0000007fc0000000)
    LD_NO(S, 0x0000004000000000)
    AS(S, -4, ld t3, 0(t5))
    CHECK(s4, CAUSE_LOAD_PAGE)

    /* reserved bits: 60:54; 63 without Svnapot; 62:61 without Svpbmt; and A, D, U in a
     * pointer (4.4.1) */
#define RESERVED(bit) \
    PTE(leaves, 30, page_1, RW | 1 << (bit)); FENCE; LD_NO(S, VA(30))
    RESERVED(54)
    RESERVED(57)
    RESERVED(60)
    RESERVED(63)
    RESERVED(61)
#define RESERVED_POINTER(bit) PTE(middle, 4, leaves, V | (bit)); FENCE; LD_NO(S, VA2(4))
    RESERVED_POINTER(1 << 54)
    RESERVED_POINTER(1 << 63)
    RESERVED_POINTER(A)
    RESERVED_POINTER(D)
    RESERVED_POINTER(UU)
    PTE(middle, 4, leaves, V | RSW)
    FENCE
    LD_OK(S, VA2(4), IS_1)

    /* A and D are set by the machine, as on the reference board: a read sets A, a write both,
     * also in a superpage; and nothing is set where the access faults */
    PTE(leaves, 31, page_1, V | R | W)
    PTE(leaves, 32, page_1, V | R | W)
    PTE(leaves, 33, page_1, V | R)
    PTE(leaves, 34, page_1, V | X)
    PTE_AT(middle, 5, 0x80000000, V | R | W | X)
    FENCE
    LD_OK(S, VA(31), IS_1)
    CHECK_PTE(leaves, 31, V | R | W | A)
    ST_OK(S, VA(31) + 8, 3)
    CHECK_PTE(leaves, 31, V | R | W | A | D)
    ST_OK(S, VA(32) + 8, 4)
    CHECK_PTE(leaves, 32, V | R | W | A | D)
    ST_NO(S, VA(33))
    CHECK_PTE(leaves, 33, V | R)
    LD_NO(U, VA(33))
    CHECK_PTE(leaves, 33, V | R)
    X_OK(S, VA(34))
    CHECK_PTE(leaves, 34, V | X | A)
    AS(S, VA2(5), ld t3, 0(t5))
    CHECK(s4, NO_TRAP)
    CHECK_PTE(middle, 5, V | R | W | X | A)
    CHECK_PTE(middle, 0, V)

    /* sfence.vma: after it a changed entry holds, in every form of it */
#define CHANGED(...) \
    PTE(leaves, 0, page_2, RW); __VA_ARGS__; LD_OK(S, VA(0), IS_2); \
    PTE(leaves, 0, page_1, RW); __VA_ARGS__; LD_OK(S, VA(0), IS_1)
    li a3, VA(0)
    CHANGED(sfence.vma)
    CHANGED(sfence.vma a3, zero)
    CHANGED(sfence.vma zero, zero)
    CHANGED(li a4, 0; sfence.vma a3, a4)
    CHANGED(li a4, 0; sfence.vma zero, a4)
    PTE(leaves, 0, page_1, V | R | A | D)
    sfence.vma a3, zero
    ST_NO(S, VA(0))
    PTE(leaves, 0, page_1, 0)
    FENCE
    LD_NO(S, VA(0))
    PTE(leaves, 0, page_1, RWX)
    FENCE
    X_OK(S, VA(0))
    /* a fetch too */
    PTE(leaves, 0, page_1, RW)
    FENCE
    X_NO(S, VA(0))
    /* an upper level that goes away takes all below with it */
    LD_OK(S, VA(0), IS_1)
    PTE(root, 1, middle, 0)
    FENCE
    LD_NO(S, VA(0))
    PTE(root, 1, middle, V)
    FENCE
    /* another root, with another ASID, then back */
    PTE(root_2, 1, middle_2, V)
    PTE(middle_2, 0, leaves_2, V)
    PTE(leaves_2, 0, page_3, RW)
    SATP(SV39, 1, root_2)
    LD_OK(S, VA(0), IS_3)
    SATP(SV39, 0, root)
    LD_OK(S, VA(0), IS_1)
    /* tables where there is no memory: an access fault of the access's kind (4.3.2) */
    PTE_AT(middle, 6, 0x0a000000, V)
    PTE_AT(leaves, 40, 0x0a000000, RWX)
    FENCE
    /* (QEMU 7 says page fault) */
    NOT_ON_QEMU7(AS(S, VA2(6), ld t3, 0(t5)); CHECK(s4, CAUSE_LOAD_ACCESS); CHECK(s5, VA2(6)))
    NOT_ON_QEMU7(AS(S, VA2(6), sd t3, 0(t5)); CHECK(s4, CAUSE_STORE_ACCESS))
    NOT_ON_QEMU7(GO(S, VA2(6)); CHECK(s4, CAUSE_FETCH_ACCESS))
    AS(S, VA(40), ld t3, 8(t5))
    CHECK(s4, CAUSE_LOAD_ACCESS)
    CHECK(s5, VA(40) + 8)
    GO(S, VA(40))
    CHECK(s4, CAUSE_FETCH_ACCESS)
    CHECK(s5, VA(40))
    /* PMP is asked about the physical address, and about the tables */
    la t0, leaves
    srli t0, t0, 2
    ori t0, t0, PAGE / 8 - 1
    csrw pmpaddr0, t0
    li t0, 3 << 3               /* NAPOT, nothing allowed */
    csrs pmpcfg0, t0
    FENCE
    AS(S, VA(0), ld t3, 0(t5))
    CHECK(s4, CAUSE_LOAD_ACCESS)
    CHECK(s5, VA(0))
    csrc pmpcfg0, t0
    li t0, 3 << 3
    csrc pmpcfg0, t0
    FENCE
    LD_OK(S, VA(0), IS_1)

    /* page faults go to S when delegated, with stval */
    la t0, trap_s
    csrw stvec, t0
    li t0, 1 << 12 | 1 << 13 | 1 << 15
    csrw medeleg, t0
    li t4, VA(100) + 6
    li s8, 0
    IN(S, lw t3, 2(t4))
    CHECK(s8, 2)
    CHECK(s4, CAUSE_LOAD_PAGE)
    CHECK(s5, VA(100) + 8)
    CHECK_AT(s6, 78b)
    li s8, 0
    IN(S, sb t3, 0(t4))
    CHECK(s8, 2)
    CHECK(s4, CAUSE_STORE_PAGE)
    li s8, 0
    IN(S, jr t4)
    CHECK(s8, 2)
    CHECK(s4, CAUSE_FETCH_PAGE)
    CHECK(s5, VA(100) + 6)
    li s8, 0
    csrw medeleg, zero
    csrw satp, zero

    TEST_END

    .bss
    .balign 4096
root: .space PAGE
middle: .space PAGE
leaves: .space PAGE
root_2: .space PAGE
middle_2: .space PAGE
leaves_2: .space PAGE
page_1: .space PAGE
page_2: .space PAGE
page_3: .space PAGE
