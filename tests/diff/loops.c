/* Random programs that never end: what is in them, and how they start. */
#include "tests/diff/loops.h"

#include "tests/diff/gen.h"
#include "tests/diff/table.h"

#define CODE_AT 0x2000u
#define DATA_AT 0x4000u
#define ROOT_AT 0x6000u
#define MID_AT 0x7000u
#define LAST_AT 0x8000u

enum { RA = 1 };

static const uint8_t usual[N_CLASSES] = {
    [CLASS_INT] = 20,    [CLASS_MUL] = 4,    [CLASS_BITS] = 8,         [CLASS_MEMORY] = 16,
    [CLASS_BRANCH] = 0,  [CLASS_ATOMIC] = 4, [CLASS_SINGLE] = 6,       [CLASS_DOUBLE] = 6,
    [CLASS_CONVERT] = 4, [CLASS_CSR] = 1,    [CLASS_COMPRESSED] = 24,
};

/* The code as it grows. */
struct writer {
    struct gen g;
    uint8_t *code;
    unsigned at, end;
    unsigned weights[N_CLASSES]; /* this program's */
    unsigned calm, rows;         /* turns of eight in a straight line; of 32 in rows of accesses */
};

static void put(struct writer *w, uint32_t word, unsigned size)
{
    if (w->at + size > w->end)
        return;
    if (size == 4)
        store_le32(w->code + w->at, word);
    else
        store_le16(w->code + w->at, (uint16_t)word);
    w->at += size;
}

/* How far a jump goes, in bytes: mostly near, forwards and backwards, sometimes anywhere. */
static uint32_t distance(struct writer *w, unsigned reach)
{
    unsigned span = MIN(below(&w->g, 8) ? 96u : 3000u, reach);
    int d = 2 * (int)below(&w->g, span) - (int)span;

    return (uint32_t)(d & ~1);
}

static uint32_t b_field(uint32_t v)
{
    return bits(v, 11, 11, 7) | bits(v, 4, 1, 8) | bits(v, 10, 5, 25) | bits(v, 12, 12, 31);
}

static uint32_t j_field(uint32_t v)
{
    return bits(v, 19, 12, 12) | bits(v, 11, 11, 20) | bits(v, 10, 1, 21) | bits(v, 20, 20, 31);
}

static uint32_t cb_field(uint32_t v)
{
    return bits(v, 4, 3, 10) | bits(v, 7, 6, 5) | bits(v, 2, 1, 3) | bits(v, 5, 5, 2) |
           bits(v, 8, 8, 12);
}

static uint32_t cj_field(uint32_t v)
{
    return bits(v, 4, 4, 11) | bits(v, 9, 8, 9) | bits(v, 10, 10, 8) | bits(v, 6, 6, 7) |
           bits(v, 7, 7, 6) | bits(v, 3, 1, 3) | bits(v, 5, 5, 2) | bits(v, 11, 11, 12);
}

static uint32_t operand(struct writer *w, const struct row *r, char c)
{
    switch (c) {
    case 'b': return b_field(distance(w, 4000));
    case 'a': return j_field(distance(w, 4000));
    case 'B': return cb_field(distance(w, 250));
    case 'A': return cj_field(distance(w, 2000));
    default: return r->size == 4 ? operand_wide(&w->g, c) : operand_narrow(&w->g, c);
    }
}

static void put_row(struct writer *w, const struct row *r)
{
    uint32_t word = r->match;

    for (const char *c = r->operands; *c; c++)
        word |= operand(w, r, *c);
    /* The return address stays what it is more often than not. */
    if (r->operands[0] == 'd' && r->class != CLASS_BRANCH && (word >> 7 & 31) == RA)
        word |= 10u << 7;
    put(w, word, r->size);
}

static void put_class(struct writer *w, enum insn_class class)
{
    unsigned n = 0;

    for (unsigned i = 0; i < n_rows; i++)
        n += rows[i].class == class;
    n = below(&w->g, n);
    for (unsigned i = 0; i < n_rows; i++)
        if (rows[i].class == class && n-- == 0) {
            put_row(w, &rows[i]);
            return;
        }
}

static void put_weighted(struct writer *w)
{
    unsigned total = 0, roll, class = 0;

    for (unsigned i = 0; i < N_CLASSES; i++)
        total += w->weights[i];
    for (roll = below(&w->g, total); roll >= w->weights[class]; class++)
        roll -= w->weights[class];
    put_class(w, (enum insn_class)class);
}

/* --- what loops need --- */

static void put_branch(struct writer *w)
{
    put_class(w, CLASS_BRANCH);
}

static void put_call(struct writer *w)
{
    put(w, 0x6f | RA << 7 | j_field(distance(w, 2000)), 4);
}

static void put_return(struct writer *w)
{
    if (below(&w->g, 2))
        put(w, 0x8082, 2);
    else
        put(w, 0x67 | RA << 15 | (below(&w->g, 8) ? 0 : below(&w->g, 4) << 20), 4);
}

/* auipc r; jalr rd, r: also with r = rd. */
static void put_indirect(struct writer *w)
{
    unsigned r = nonzero_target(&w->g), rd = below(&w->g, 3) ? RA : below(&w->g, 2) ? r : 0;

    put(w, 0x17 | r << 7, 4);
    put(w, 0x67 | rd << 7 | r << 15 | (distance(w, 2000) & 0xfff) << 20, 4);
}

/* s1 points to another page: code, data, tables, or a device if the program can tell its address. */
static void put_pointer(struct writer *w)
{
    static const int8_t pages[] = {0, 0, 1, -1, 2, 2, 3, 3, 5, 6};
    unsigned page = (unsigned)pages[below(&w->g, ARRAY_LEN(pages))] & 0xfffff;
    unsigned offset = below(&w->g, 4096);

    if (below(&w->g, 8)) { /* auipc s1; addi s1, s1 */
        put(w, 0x17 | S1 << 7 | page << 12, 4);
        put(w, 0x13 | S1 << 7 | S1 << 15 | (below(&w->g, 2) ? offset & 0xff8 : offset) << 20, 4);
    } else { /* lui s1 */
        put(w, 0x37 | S1 << 7 | (uint32_t)(LOOPS_DEVICE & 0xfffff000), 4);
    }
}

/* An instruction moves to another place: s1 points to some page. */
static void put_copy(struct writer *w)
{
    unsigned r = 10 + below(&w->g, 8), from = below(&w->g, 128) * 2, to = below(&w->g, 128) * 2;

    put(w, 0x17 | S1 << 7, 4);
    put(w, 0x2003 | r << 7 | S1 << 15 | from << 20, 4); /* lw */
    put(w, 0x2023 | S1 << 15 | r << 20 | bits(to, 4, 0, 7) | bits(to, 11, 5, 25), 4); /* sw */
    if (below(&w->g, 2))
        put(w, 0x100f, 4); /* fence.i */
}

/* Loads, or stores, in a row off one register, which one of them may overwrite; also near a page's end. */
static void put_row_of_accesses(struct writer *w)
{
    static const uint32_t loads[] = {0x0003, 0x1003, 0x2003, 0x3003, 0x4003,
                                     0x5003, 0x6003, 0x3003, 0x3007, 0x2007};
    static const uint32_t stores[] = {0x0023, 0x1023, 0x2023, 0x3023,
                                      0x3023, 0x2023, 0x3027, 0x2027};
    static const uint8_t bases[] = {SP, S0, S1};
    unsigned from = bases[below(&w->g, 3)], base = 10 + below(&w->g, 8);
    bool store = below(&w->g, 2), even = below(&w->g, 2), far = below(&w->g, 8) == 0;

    put(w, 0x13 | base << 7 | from << 15 | (below(&w->g, 64) * (even ? 8 : 1)) << 20, 4);
    for (unsigned n = 2 + below(&w->g, 20); n; n--) {
        int offset = (int)below(&w->g, far ? 4096 : 512) - (far ? 2048 : 256);
        uint32_t v = (uint32_t)(even ? offset & ~7 : offset) & 0xfff;

        if (below(&w->g, 16) == 0)
            put_weighted(w);
        if (store)
            put(w, stores[below(&w->g, ARRAY_LEN(stores))] | base << 15 | source_reg(&w->g) << 20 |
                       bits(v, 4, 0, 7) | bits(v, 11, 5, 25), 4);
        else
            put(w, loads[below(&w->g, ARRAY_LEN(loads))] | base << 15 | v << 20 |
                       (below(&w->g, 12) ? 11 + below(&w->g, 20) : below(&w->g, 2) * base) << 7, 4);
    }
}

/* Counters, FS, pending bits, and translations: most of them for M or S mode only. */
static void put_system(struct writer *w)
{
    static const uint32_t words[] = {
        0xc0002073, /* rdcycle */
        0xc0202073, /* rdinstret */
        0xc0102073, /* rdtime */
        0x30002073, /* csrr mstatus */
        0x10002073, /* csrr sstatus */
        0x1000a073, /* csrs sstatus, x1 */
        0x34416073, /* csrsi mip, 2 */
        0x14416073, /* csrsi sip, 2 */
        0x12000073, /* sfence.vma */
        0x12048073, /* sfence.vma s1 */
        0x0000100f, /* fence.i */
        0x0000000f, /* fence */
        0x00000073, /* ecall */
        0x00100073, /* ebreak */
        0x18002073, /* csrr satp */
        0x0004200f, /* cbo.zero (s0) */
    };
    uint32_t word = words[below(&w->g, ARRAY_LEN(words))];

    if ((word & 0xfff) == 0x73 && word >> 12 & 7)
        word |= (10 + below(&w->g, 8)) << 7;
    put(w, word, 4);
}

/* FS off, initial, clean or dirty: csrc mstatus, both; csrs mstatus, some. */
static void put_fs(struct writer *w)
{
    unsigned csr = below(&w->g, 2) ? 0x300 : 0x100, r = 10 + below(&w->g, 8);

    put(w, 0x37 | r << 7 | 6u << 12, 4); /* lui r, 6 */
    put(w, 0x3073 | r << 15 | csr << 20, 4);
    put(w, 0x37 | r << 7 | below(&w->g, 4) * 2 << 12, 4);
    put(w, 0x2073 | r << 15 | csr << 20, 4);
}

/* A conversion between exact widths with a mode that is reserved: illegal all the same (11.2). */
static void put_reserved_mode(struct writer *w)
{
    static const uint32_t words[] = {0xd2000053, 0xd2100053, 0x42000053, 0xd2200053};

    put(w, words[below(&w->g, ARRAY_LEN(words))] | (5 + below(&w->g, 2)) << 12 |
               below(&w->g, 32) << 7 | below(&w->g, 32) << 15, 4);
}

/* A small loop that ends, round what is random. */
static void put_counted_loop(struct writer *w)
{
    unsigned counter = 28 + below(&w->g, 4), from;

    put(w, 0x13 | counter << 7 | (2 + below(&w->g, 60)) << 20, 4);
    from = w->at;
    for (unsigned n = 1 + below(&w->g, 12); n; n--)
        put_weighted(w);
    put(w, 0xfff00013 | counter << 7 | counter << 15, 4);
    put(w, 0x1063 | counter << 15 | b_field(from - w->at), 4);
}

/* Each program has its own taste. */
static void choose_weights(struct writer *w)
{
    static const uint8_t times[] = {0, 1, 1, 4};

    for (unsigned i = 0; i < N_CLASSES; i++)
        w->weights[i] = usual[i] * times[below(&w->g, ARRAY_LEN(times))];
    w->weights[CLASS_INT] += 5;
    w->calm = below(&w->g, 8);
    w->rows = below(&w->g, 4) ? 0 : below(&w->g, 16);
}

static void put_something(struct writer *w)
{
    unsigned roll = below(&w->g, 8) < w->calm ? 0 : below(&w->g, 200);

    if (below(&w->g, 32) < w->rows)
        put_row_of_accesses(w);
    else if (roll < 120)
        put_weighted(w);
    else if (roll < 155)
        put_branch(w);
    else if (roll < 165)
        put_call(w);
    else if (roll < 174)
        put_return(w);
    else if (roll < 179)
        put_indirect(w);
    else if (roll < 185)
        put_pointer(w);
    else if (roll < 187)
        put_copy(w);
    else if (roll < 191)
        put_system(w);
    else if (roll < 192)
        put_fs(w);
    else if (roll < 197)
        put_row_of_accesses(w);
    else if (roll == 197 && below(&w->g, 4) == 0)
        put_reserved_mode(w);
    else
        put_counted_loop(w);
}

/* --- the rest of memory --- */

/* Goes on after the instruction, or, three times of four, somewhere in the code. */
static const uint32_t handler[] = {
    0x00001f17, /*     auipc x30, 1 */
    0x000f3f83, /*     ld x31, 0(x30) */
    0x21ffcfb3, /*     sh2add x31, x31, x31 */
    0x34102ef3, /*     csrr x29, mepc */
    0x01df8fb3, /*     add x31, x31, x29 */
    0x34202ef3, /*     csrr x29, mcause */
    0x01dfcfb3, /*     xor x31, x31, x29 */
    0x34302ef3, /*     csrr x29, mtval */
    0x01df8fb3, /*     add x31, x31, x29 */
    0xb0202ef3, /*     csrr x29, minstret */
    0x01df8fb3, /*     add x31, x31, x29 */
    0x01ff3023, /*     sd x31, 0(x30) */
    0x34417073, /*     csrci mip, 2 */
    0x008f3e83, /*     ld x29, 8(x30) */
    0x03fe8eb3, /*     mul x29, x29, x31 */
    0x020ede93, /*     srli x29, x29, 32 */
    0x003efe13, /*     andi x28, x29, 3 */
    0x000e0e63, /*     beqz x28, 1f */
    0x010f3e03, /*     ld x28, 16(x30) */
    0x01cefeb3, /*     and x29, x29, x28 */
    0x018f3e03, /*     ld x28, 24(x30) */
    0x01ce8eb3, /*     add x29, x29, x28 */
    0x341e9073, /*     csrw mepc, x29 */
    0x30200073, /*     mret */
    0x34102ef3, /* 1:  csrr x29, mepc */
    0x004e8e93, /*     addi x29, x29, 4 */
    0x341e9073, /*     csrw mepc, x29 */
    0x30200073, /*     mret */
};

static uint64_t table_entry(uint64_t at)
{
    return (RAM_BASE + at) >> 2 | 1;
}

static uint64_t page_entry(struct writer *w, unsigned page, bool user)
{
    uint64_t flags = 0xcf | (user ? 0x10 : 0);

    switch (below(&w->g, 24)) {
    case 0: flags &= ~1ULL; break;        /* not there */
    case 1: flags &= ~4ULL; break;        /* read only */
    case 2: flags &= ~8ULL; break;        /* not to be executed */
    case 3:
    case 4: flags &= ~0xc0ULL; break;     /* A and D are the hart's to set */
    case 5: flags ^= 0x10; break;         /* the other mode's */
    default: break;
    }
    return (RAM_BASE + page * 4096ULL) >> 2 | flags;
}

static void fill_tables(struct writer *w, uint8_t *ram, bool user)
{
    store_le64(ram + ROOT_AT + 2 * 8, table_entry(MID_AT));
    store_le64(ram + MID_AT, table_entry(LAST_AT));
    for (unsigned i = 0; i < LOOPS_PAGES; i++) {
        store_le64(ram + LAST_AT + i * 8, page_entry(w, i, user));
        store_le64(ram + LAST_AT + ((LOOPS_ALIAS >> 12) + i) * 8, page_entry(w, i, user));
    }
    /* The device's page, by a gigapage. */
    store_le64(ram + ROOT_AT, 0xcf | (user ? 0x10 : 0));
}

static void start_registers(struct loops *p, struct writer *w)
{
    for (unsigned i = 1; i < 32; i++)
        p->x[i] = value_any(&w->g.dice);
    for (unsigned i = 0; i < 32; i++)
        p->f[i] = value_any(&w->g.dice);
    p->x[RA] = RAM_BASE + CODE_AT + below(&w->g, 0x800) * 2;
    p->x[SP] = RAM_BASE + DATA_AT + below(&w->g, 0x2000);
    p->x[S0] = RAM_BASE + DATA_AT + 512 + below(&w->g, 2) * 8;
    p->x[S1] = RAM_BASE + DATA_AT + 0x1000 + 8 * below(&w->g, 64);
    p->frm = (uint8_t)below(&w->g, 6);
    p->pc = RAM_BASE + CODE_AT;
}

static void start_mode(struct loops *p, struct writer *w)
{
    static const uint8_t modes[] = {PRIV_M, PRIV_M, PRIV_S, PRIV_U};
    bool paged;

    p->priv = modes[below(&w->g, 4)];
    paged = p->priv != PRIV_M;
    p->mstatus = below(&w->g, 4) * 0x2000 | (below(&w->g, 2) ? 0x8 : 0) | 0x80 |
                 (below(&w->g, 2) ? 0x40000 : 0);
    if (below(&w->g, 4))
        p->mstatus |= 0x6000;
    if (paged) {
        fill_tables(w, p->ram, p->priv == PRIV_U);
        p->satp = 8ULL << 60 | (RAM_BASE + ROOT_AT) >> 12;
    }
    store_le64(p->ram + 0x1000 + 8, 0x9e3779b97f4a7c15ULL);
    store_le64(p->ram + 0x1000 + 16, 0x1ffe | (paged ? LOOPS_ALIAS : 0));
    store_le64(p->ram + 0x1000 + 24, RAM_BASE + CODE_AT);
    p->pmp_hole = below(&w->g, 8) == 0;
    p->pmp_hole_addr = RAM_BASE + CODE_AT + below(&w->g, 256) * 32;
    p->period = 200 + below(&w->g, 800);
}

void loops_generate(struct loops *p, uint64_t seed)
{
    static struct program unused;
    struct writer w = {.g = {.dice = {seed}, .p = &unused}};

    memset(p, 0, sizeof(*p));
    w.code = p->ram + CODE_AT;
    w.end = LOOPS_MAX_CODE;
    for (unsigned i = 0; i < ARRAY_LEN(handler); i++)
        store_le32(p->ram + i * 4, handler[i]);
    choose_weights(&w);
    while (w.at + 4 < w.end)
        put_something(&w);
    for (unsigned i = 0; i < 0x2000; i += 8)
        store_le64(p->ram + DATA_AT + i, value_any(&w.g.dice));
    start_registers(p, &w);
    start_mode(p, &w);
}

void loops_start(const struct loops *p, struct ram *ram, struct hart *h)
{
    ram_write(ram, RAM_BASE, p->ram, sizeof(p->ram));
    hart_reset(h, p->pc);
    memcpy(h->x, p->x, sizeof(p->x));
    memcpy(h->f, p->f, sizeof(p->f));
    h->priv = (enum priv)p->priv;
    h->mstatus |= p->mstatus;
    h->satp = p->satp;
    h->frm = p->frm;
    h->mtvec = RAM_BASE;
    h->mie = 1ULL << IRQ_MTI | 1ULL << IRQ_SSI;
    h->mcounteren = h->scounteren = 7;
    h->menvcfg = 1ULL << 7; /* cbo.zero */
    h->senvcfg = 1ULL << 7;
    h->pmpaddr[1] = UINT64_MAX >> 10;
    h->pmpcfg[1] = 0x1f;
    if (p->pmp_hole) {
        h->pmpaddr[0] = p->pmp_hole_addr >> 2 | 1; /* 16 bytes, NAPOT */
        h->pmpcfg[0] = 0x18;
    }
    hart_flush(h);
}
