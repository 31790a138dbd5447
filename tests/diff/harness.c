/*
 * The guest side of the differential test: machine code that surrounds each random program, so that
 * its outcome lies in memory and any two machines can be compared by reading that.
 */
#include "tests/diff/diff.h"

enum { X_BASE = 31 }; /* points to the outcome wherever the harness itself runs */

enum csr {
    CSR_FCSR = 3, SATP = 0x180, MSTATUS = 0x300, MEDELEG = 0x302, MIE = 0x304, MTVEC,
    MSCRATCH = 0x340, MEPC, MCAUSE, MTVAL, PMPCFG0 = 0x3a0, PMPADDR0 = 0x3b0,
};

struct code {
    uint32_t *words;
    unsigned n, max;
};

static void emit(struct code *c, uint32_t word)
{
    if (c->n < c->max)
        c->words[c->n] = word;
    c->n++;
}

static void i_type(struct code *c, uint32_t match, unsigned rd, unsigned rs1, int imm)
{
    emit(c, match | rd << 7 | rs1 << 15 | (uint32_t)imm << 20);
}

static void s_type(struct code *c, uint32_t match, unsigned rs1, unsigned rs2, int imm)
{
    uint32_t i = (uint32_t)imm;

    emit(c, match | (i & 31) << 7 | rs1 << 15 | rs2 << 20 | (i >> 5 & 127) << 25);
}

static void branch(struct code *c, uint32_t match, unsigned rs1, unsigned rs2, unsigned offset)
{
    emit(c, match | rs1 << 15 | rs2 << 20 | (offset >> 11 & 1) << 7 | (offset >> 1 & 15) << 8 |
                (offset >> 5 & 63) << 25);
}

static void addi(struct code *c, unsigned rd, unsigned rs1, int imm)
{
    i_type(c, 0x13, rd, rs1, imm);
}

static void load(struct code *c, unsigned rd, int imm)
{
    i_type(c, 0x3003, rd, X_BASE, imm);
}

static void store(struct code *c, unsigned rs2, int imm)
{
    s_type(c, 0x3023, X_BASE, rs2, imm);
}

static void csr_read(struct code *c, unsigned rd, enum csr csr)
{
    i_type(c, 0x2073, rd, 0, (int)csr);
}

static void csr_write(struct code *c, enum csr csr, unsigned rs1)
{
    i_type(c, 0x1073, 0, rs1, (int)csr);
}

/** rd = an address at a multiple of 4096 from the harness, plus a small rest. */
static void address(struct code *c, unsigned rd, uint64_t target)
{
    uint32_t away = (uint32_t)(target - (HARNESS_ADDR + 4 * c->n)) + 0x800;

    emit(c, 0x17 | rd << 7 | (away & 0xfffff000)); /* auipc */
    addi(c, rd, rd, (int)(away & 0xfff) - 0x800);
}

#define START_OFFSET ((int)(START_ADDR - OUTCOME_ADDR))
#define OFFSET(field) ((int)offsetof(struct outcome, field))

#define START(field) (START_OFFSET + (int)offsetof(struct start, field))

/** Let S and U mode reach everything: entry 0 is NAPOT over all of memory, RWX. */
static void emit_pmp(struct code *c)
{
    addi(c, 1, 0, -1);
    csr_write(c, PMPADDR0, 1);
    addi(c, 1, 0, 0x1f);
    csr_write(c, PMPCFG0, 1);
}

static void emit_start(struct code *c, unsigned handler)
{
    address(c, X_BASE, OUTCOME_ADDR);
    address(c, 1, HARNESS_ADDR + 4 * handler);
    csr_write(c, MTVEC, 1);
    csr_write(c, MSCRATCH, X_BASE);
    csr_write(c, MIE, 0);
    csr_write(c, MEDELEG, 0);
    emit_pmp(c);
    load(c, 1, START(mstatus));
    csr_write(c, MSTATUS, 1);
    load(c, 1, START(satp));
    csr_write(c, SATP, 1);
    emit(c, 0x12000073);         /* sfence.vma */
    store(c, 0, OFFSET(n_traps));
    emit(c, 0x180fa02f);         /* sc.w x0, x0, (x31): no reservation from before; x[0] is spare */
    emit(c, 0x0000100f);         /* fence.i */
    address(c, 1, CODE_ADDR);
    csr_write(c, MEPC, 1);
    load(c, 1, START(fcsr));
    csr_write(c, CSR_FCSR, 1);
    for (unsigned i = 0; i < 32; i++) /* fld */
        i_type(c, 0x3007, i, X_BASE, START(f) + 8 * (int)i);
    for (unsigned i = 1; i < 32; i++) /* x31 last */
        load(c, i, START(x) + 8 * (int)i);
    emit(c, 0x30200073); /* mret */
}

static void emit_log(struct code *c)
{
    i_type(c, 0x1073, X_BASE, X_BASE, MSCRATCH); /* swap */
    for (unsigned i = 1; i < 31; i++)
        store(c, i, 8 * (int)i);
    csr_read(c, 1, MSCRATCH);
    store(c, 1, 8 * 31);
    csr_write(c, MSCRATCH, X_BASE);

    csr_read(c, 1, MCAUSE);
    csr_read(c, 2, MEPC);
    csr_read(c, 3, MTVAL);
    csr_read(c, 4, MSTATUS);
    load(c, 5, OFFSET(n_traps));
    emit(c, 0x00529313); /* slli x6, x5, 5 */
    emit(c, 0x01f30333); /* add x6, x6, x31 */
    for (unsigned i = 1; i <= 4; i++)
        s_type(c, 0x3023, 6, i, OFFSET(traps) + 8 * (int)(i - 1));
    addi(c, 5, 5, 1);
    store(c, 5, OFFSET(n_traps));
}

/** Skip what trapped and resume, or go on to the end: `finish` words from here on. */
static void emit_resume(struct code *c, unsigned finish)
{
    load(c, 7, START(end));
    branch(c, 0x7063, 2, 7, 4 * (finish - c->n)); /* bgeu mepc, end */
    addi(c, 8, 0, MAX_TRAPS);
    branch(c, 0x7063, 5, 8, 4 * (finish - c->n));
    i_type(c, 0x5003, 8, 2, 0); /* lhu: the low two bits tell its size */
    emit(c, 0x00347413);        /* andi x8, x8, 3 */
    addi(c, 9, 0, 3);
    addi(c, 2, 2, 2);
    branch(c, 0x1063, 8, 9, 8);
    addi(c, 2, 2, 2);
    csr_write(c, MEPC, 2);
    for (unsigned i = 1; i < 32; i++)
        load(c, i, 8 * (int)i);
    emit(c, 0x30200073);
}

static void emit_finish(struct code *c)
{
    for (unsigned i = 0; i < 32; i++) /* fsd */
        s_type(c, 0x3027, X_BASE, i, OFFSET(f) + 8 * (int)i);
    csr_read(c, 1, CSR_FCSR);
    store(c, 1, OFFSET(fcsr));
}

unsigned harness_encode(uint32_t *words, unsigned max, uint64_t *wfi)
{
    unsigned handler = 0, finish = 0;
    struct code c = {.words = words, .max = max};

    for (int pass = 0; pass < 2; pass++) { /* the first finds where the parts begin */
        c.n = 0;
        emit_start(&c, handler);
        handler = c.n;
        emit_log(&c);
        emit_resume(&c, finish);
        finish = c.n;
        emit_finish(&c);
    }
    *wfi = HARNESS_ADDR + 4 * c.n;
    emit(&c, 0x10500073); /* wfi */
    emit(&c, 0xffdff06f); /* jal back to it */
    return c.n;
}

#define PAGE 4096u
#define PTE_V 1u
#define PTE_LEAF 0xcfu /* D, A, X, W, R, V */
#define PTE_U 0x10u

static void pte(uint8_t *tables, unsigned table, unsigned index, uint64_t addr, unsigned flags)
{
    store_le64(tables + PAGE * table + 8 * index, addr >> 12 << 10 | flags);
}

/*
 * Table 0 is the root for U mode, table 1 for S mode. In both, RAM is one gigapage at its own
 * address; the alias is 4 KiB pages by two more levels for U mode, and another gigapage for S mode.
 */
void tables_fill(uint8_t tables[TABLES_BYTES])
{
    unsigned own = RAM_BASE >> 30, alias = (unsigned)(SCRATCH_ALIAS >> 30);
    unsigned scratch = (SCRATCH_ADDR >> 12) & 511;

    memset(tables, 0, TABLES_BYTES);
    pte(tables, 0, own, RAM_BASE, PTE_LEAF | PTE_U);
    pte(tables, 0, alias, TABLES_ADDR + 2 * PAGE, PTE_V);
    pte(tables, 2, 0, TABLES_ADDR + 3 * PAGE, PTE_V);
    pte(tables, 3, scratch, SCRATCH_ADDR, PTE_LEAF | PTE_U);
    pte(tables, 1, own, RAM_BASE, PTE_LEAF);
    pte(tables, 1, alias, RAM_BASE, PTE_LEAF);
}

uint64_t tables_satp(bool user)
{
    return 8ULL << 60 | (TABLES_ADDR + (user ? 0 : PAGE)) >> 12;
}
