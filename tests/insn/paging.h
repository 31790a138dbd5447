/*
 * Page tables and accesses through them, for the virtual memory tests. Loads and stores
 * are made in M-mode through MPRV; fetches by mret to a page that holds an ecall.
 */
#include "insn.h"

#define V 0x01
#define R 0x02
#define W 0x04
#define X 0x08
#define UU 0x10                 /* the U bit; U is the mode */
#define G 0x20
#define A 0x40
#define D 0x80
#define RSW 0x300
#define RW (V | R | W | A | D)
#define RX (V | R | X | A | D)
#define RWX (V | R | W | X | A | D)

#define BARE 0
#define SV39 8
#define SV48 9
#define SV57 10

#define PAGE 4096

/* table[index] = a PTE to the page at label; t0-t2. */
#define PTE(table, index, label, bits) \
    la t0, label; srli t0, t0, 2; li t1, bits; or t0, t0, t1; \
    la t1, table; li t2, (index) * 8; add t1, t1, t2; sd t0, 0(t1)
/* table[index] = a PTE to a physical address known here. */
#define PTE_AT(table, index, address, bits) \
    li t0, (address) >> 2 | (bits); la t1, table; li t2, (index) * 8; add t1, t1, t2; sd t0, 0(t1)
#define FENCE sfence.vma
/* The PTE's low ten bits. */
#define CHECK_PTE(table, index, bits) \
    la t1, table; li t2, (index) * 8; add t1, t1, t2; ld t1, 0(t1); CHECK_BITS(t1, 0x3ff, bits)

#define SATP(mode, asid, root) \
    la t0, root; srli t0, t0, 12; li t1, (mode) << 60 | (asid) << 44; or t0, t0, t1; \
    csrw satp, t0; sfence.vma

/* An access as the mode would make it: t5 the address, t3 the value. */
#define AS(mode, va, ...) \
    li s4, NO_TRAP; la s9, 77f; li t5, va; li t6, MSTATUS_MPP | MSTATUS_MPRV; csrc mstatus, t6; \
    li t6, (mode) << 11 | MSTATUS_MPRV; csrs mstatus, t6; __VA_ARGS__; \
    77: li t6, MSTATUS_MPRV; csrc mstatus, t6; li s9, 0
#define LD_OK(mode, va, want) AS(mode, va, ld t3, 0(t5)); CHECK(s4, NO_TRAP); CHECK(t3, want)
#define ST_OK(mode, va, value) \
    li t3, value; AS(mode, va, sd t3, 0(t5)); CHECK(s4, NO_TRAP)
#define LD_NO(mode, va) AS(mode, va, ld t3, 0(t5)); CHECK(s4, CAUSE_LOAD_PAGE); CHECK(s5, va)
#define ST_NO(mode, va) AS(mode, va, sd t3, 0(t5)); CHECK(s4, CAUSE_STORE_PAGE); CHECK(s5, va)
/* A fetch: the page's first instruction is an ecall. */
#define GO(mode, va) \
    li s4, NO_TRAP; la s9, 77f; li t5, va; csrw mepc, t5; li t6, MSTATUS_MPP; \
    csrc mstatus, t6; li t6, (mode) << 11; csrs mstatus, t6; mret; 77: li s9, 0
#define X_OK(mode, va) GO(mode, va); CHECK(s4, 8 + (mode)); CHECK(s6, va)
#define X_NO(mode, va) \
    GO(mode, va); CHECK(s4, CAUSE_FETCH_PAGE); CHECK(s5, va); CHECK(s6, va)

/* Three data pages that say who they are, and hold an ecall. */
#define PAGES_INIT \
    la t0, page_1; li t1, 0x1100000073; sd t1, 0(t0); \
    la t0, page_2; li t1, 0x2200000073; sd t1, 0(t0); \
    la t0, page_3; li t1, 0x3300000073; sd t1, 0(t0); fence.i
#define IS_1 0x1100000073
#define IS_2 0x2200000073
#define IS_3 0x3300000073
