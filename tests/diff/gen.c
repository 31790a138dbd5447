/*
 * Random programs: straight lines with forward branches, so that each ends. Registers x2, x8 and x9
 * point to the scratch and are written by nothing else; everything else is fair game.
 */
#include "tests/diff/gen.h"
#include "tests/diff/table.h"

static const uint8_t weights[N_CLASSES] = {
    [CLASS_INT] = 14,    [CLASS_MUL] = 6,     [CLASS_BITS] = 12,   [CLASS_MEMORY] = 16,
    [CLASS_BRANCH] = 6,  [CLASS_ATOMIC] = 4,  [CLASS_SINGLE] = 14, [CLASS_DOUBLE] = 14,
    [CLASS_CONVERT] = 8, [CLASS_CSR] = 2,     [CLASS_COMPRESSED] = 16, [CLASS_ILLEGAL] = 1,
};

static unsigned emit(struct gen *g, const char *name, uint32_t word, unsigned size)
{
    g->p->insns[g->p->n] = (struct insn){.name = name, .word = word, .size = (uint8_t)size};
    return g->p->n++;
}

static void fix_later(struct gen *g, unsigned at, unsigned from, char kind)
{
    g->fixups[g->n_fixups++] =
        (struct fixup){.at = at, .from = from, .skip = 1 + below(g, 6), .kind = kind};
}

static void emit_row(struct gen *g, const struct row *r)
{
    uint32_t word = r->match;
    unsigned at = g->p->n;

    for (const char *c = r->operands; *c; c++) {
        if (strchr("baBA", *c))
            fix_later(g, at, at, *c);
        else
            word |= r->size == 4 ? operand_wide(g, *c) : operand_narrow(g, *c);
    }
    emit(g, r->name, word, r->size);
}

static void emit_class(struct gen *g, enum insn_class class)
{
    unsigned first = 0, n = 0;

    while (rows[first].class != class)
        first++;
    /* The rows of a class need not be together. */
    for (unsigned i = first; i < n_rows; i++)
        n += rows[i].class == class;
    n = below(g, n);
    for (unsigned i = first;; i++)
        if (rows[i].class == class && n-- == 0) {
            emit_row(g, &rows[i]);
            return;
        }
}

static enum insn_class class_any(struct gen *g)
{
    unsigned total = 0, roll;
    unsigned class = 0;

    for (unsigned i = 0; i < N_CLASSES; i++)
        total += weights[i];
    for (roll = below(g, total); roll >= weights[class]; class++)
        roll -= weights[class];
    return (enum insn_class)class;
}

/* --- groups of instructions that make sense only together --- */

static void group_pointer(struct gen *g)
{
    int offset = (int)below(g, 512) - 256;

    if (below(g, 4))
        offset &= ~7;
    emit(g, "addi (pointer)", 0x00040493 | (uint32_t)offset << 20, 4); /* addi s1, s0, offset */
}

static void group_reservation(struct gen *g)
{
    unsigned base = below(g, 2) ? SP : S0, size = 2 + below(g, 2);
    uint32_t common = 0x2f | size << 12 | base << 15;

    emit(g, size == 2 ? "lr.w" : "lr.d", 0x10000000 | common | nonzero_target(g) << 7, 4);
    for (unsigned n = below(g, 3); n; n--)
        emit_class(g, CLASS_INT);
    emit(g, size == 2 ? "sc.w" : "sc.d",
         0x18000000 | common | target_reg(g) << 7 | source_reg(g) << 20 | below(g, 4) << 25, 4);
    if (below(g, 4) == 0) /* the reservation has gone: this one fails */
        emit(g, "sc.w", 0x1800202f | base << 15 | target_reg(g) << 7 | source_reg(g) << 20, 4);
}

static void group_jalr(struct gen *g)
{
    unsigned r = nonzero_target(g);
    unsigned from = emit(g, "auipc", 0x17 | r << 7, 4);

    bool link = below(g, 2);

    if (below(g, 2)) {
        fix_later(g, emit(g, "jalr", 0x67 | r << 15 | target_reg(g) << 7, 4), from, 'i');
        return;
    }
    fix_later(g, emit(g, "addi", 0x13 | r << 15 | r << 7, 4), from, 'i');
    g->fixups[g->n_fixups - 1].skip++; /* over the jump itself, too */
    emit(g, link ? "c.jalr" : "c.jr", 0x8002 | r << 7 | (link ? 0x1000u : 0), 2);
}

/*
 * QEMU 7.2's ctzw goes on counting in the upper word when the lower is zero, where Unprivileged
 * 28.4 says 32. So either the upper word is cleared first, or a bit is set in the lower.
 */
static void group_ctzw(struct gen *g)
{
    unsigned r = nonzero_target(g);

    if (below(g, 2))
        emit(g, "zext.w", 0x0800003b | r << 7 | source_reg(g) << 15, 4);
    else
        emit(g, "bseti", 0x28001013 | r << 7 | source_reg(g) << 15 | below(g, 32) << 20, 4);
    emit(g, "ctzw", 0x6010101b | target_reg(g) << 7 | r << 15, 4);
}

/** The second works on what the first has made: what a decoder may take together as one step. */
static void group_dependent(struct gen *g)
{
    static const enum insn_class seconds[] = {CLASS_INT, CLASS_INT, CLASS_BITS, CLASS_BRANCH};
    unsigned r = nonzero_target(g), first = g->p->n;
    struct insn *in = &g->p->insns[first];

    emit_class(g, CLASS_INT);
    in[0].word = (in[0].word & ~(31u << 7)) | r << 7;
    emit_class(g, seconds[below(g, ARRAY_LEN(seconds))]);
    if ((in[1].word & 0x17) == 0x13 || (in[1].word & 0x77) == 0x63) /* has rs1 */
        in[1].word = (in[1].word & ~(31u << 15)) | r << 15;
    if ((in[1].word & 0x17) == 0x13 && below(g, 2)) /* and rd */
        in[1].word = (in[1].word & ~(31u << 7)) | r << 7;
}

/** A zero, infinity, one, NaN, limit or subnormal of either sign, in a floating-point register. */
static void emit_special(struct gen *g, bool is_double, unsigned f)
{
    static const uint16_t exponents[] = {0, 0, 0x7ff, 0x7ff, 0x3ff, 0x7fe, 1};
    unsigned exponent = exponents[below(g, ARRAY_LEN(exponents))];
    unsigned r = 10 + below(g, 8), up = is_double ? 52 : 23;

    if (!is_double) /* the middle of its exponent goes */
        exponent = (exponent >> 3 & 0xf0) | (exponent & 0xf);
    exponent |= below(g, 2) << (is_double ? 11 : 8);
    emit(g, "addi (special)", 0x13 | r << 7 | exponent << 20, 4);
    emit(g, "slli (special)", 0x1013 | r << 7 | r << 15 | up << 20, 4);
    if (below(g, 3) == 0)
        emit(g, "ori (special)", 0x6013 | r << 7 | r << 15 | (1 + below(g, 2047)) << 20, 4);
    emit(g, is_double ? "fmv.d.x" : "fmv.w.x", (is_double ? 0xf2000053 : 0xf0000053) | f << 7 | r << 15,
         4);
}

/** Two or three special values meet. */
static void group_special(struct gen *g)
{
    bool is_double = below(g, 2);
    unsigned a = below(g, 16), b = below(g, 16), c = below(g, 16);
    struct insn *in;
    uint32_t op, funct5;

    emit_special(g, is_double, a);
    emit_special(g, is_double, b);
    if (below(g, 2))
        emit_special(g, is_double, c);
    in = &g->p->insns[g->p->n];
    emit_class(g, is_double ? CLASS_DOUBLE : CLASS_SINGLE);
    op = in->word & 0x7f;
    funct5 = in->word >> 27;
    in->word = (in->word & ~(31u << 15)) | a << 15;
    if (op != 0x53 || (funct5 != 0x0b && funct5 != 0x1c)) /* but fsqrt and fclass have one */
        in->word = (in->word & ~(31u << 20)) | b << 20;
    if (op != 0x53)
        in->word = (in->word & ~(31u << 27)) | c << 27;
}

static void group_csr(struct gen *g)
{
    emit_class(g, CLASS_CSR);
    if (below(g, 4)) /* mostly back to a mode that lets floating point go on */
        emit(g, "csrrwi frm", 0x00205073 | below(g, 5) << 15, 4);
}

static void emit_group(struct gen *g)
{
    unsigned first = g->p->n;
    enum insn_class class = class_any(g);

    switch (below(g, 40)) {
    case 0: group_reservation(g); break;
    case 1: group_jalr(g); break;
    case 2: group_pointer(g); break;
    case 3: group_ctzw(g); break;
    case 4:
    case 5: group_dependent(g); break;
    case 6: group_special(g); break;
    default:
        if (class == CLASS_CSR)
            group_csr(g);
        else
            emit_class(g, class);
    }
    for (unsigned i = first + 1; i < g->p->n; i++)
        g->inside[i] = true;
}

/* --- jumps --- */

static uint32_t b_immediate(uint32_t v)
{
    return bits(v, 11, 11, 7) | bits(v, 4, 1, 8) | bits(v, 10, 5, 25);
}

static uint32_t j_immediate(uint32_t v)
{
    return bits(v, 19, 12, 12) | bits(v, 11, 11, 20) | bits(v, 10, 1, 21);
}

static uint32_t cb_immediate(uint32_t v)
{
    return bits(v, 4, 3, 10) | bits(v, 7, 6, 5) | bits(v, 2, 1, 3) | bits(v, 5, 5, 2);
}

static uint32_t cj_immediate(uint32_t v)
{
    return bits(v, 4, 4, 11) | bits(v, 9, 8, 9) | bits(v, 10, 10, 8) | bits(v, 6, 6, 7) |
           bits(v, 7, 7, 6) | bits(v, 3, 1, 3) | bits(v, 5, 5, 2);
}

static void fix(struct gen *g, const struct fixup *f)
{
    unsigned target = MIN(f->at + 1 + f->skip, g->p->n);
    uint32_t *word = &g->p->insns[f->at].word;
    uint32_t offset;

    while (g->inside[target])
        target++;
    offset = (uint32_t)(program_address(g->p, target) - program_address(g->p, f->from));
    switch (f->kind) {
    case 'b': *word |= b_immediate(offset); break;
    case 'a': *word |= j_immediate(offset); break;
    case 'B': *word |= cb_immediate(offset); break;
    case 'A': *word |= cj_immediate(offset); break;
    default: *word |= offset << 20; break;
    }
}

/* --- programs --- */

/** Half of them in M mode, the others in S or U mode with Sv39, where sp points to the alias. */
static void start_mode(struct gen *g)
{
    struct start *s = &g->p->start;
    unsigned mode = below(g, 4); /* as in MPP; 2 does not exist */

    if (mode == 2)
        mode = 3;
    s->mstatus = 0x6000 | mode << 11; /* FS is dirty */
    if (mode != 3) {
        s->satp = tables_satp(mode == 0);
        s->x[SP] += SCRATCH_ALIAS - SCRATCH_ADDR;
    }
}

static void start_registers(struct gen *g)
{
    struct start *s = &g->p->start;

    for (unsigned i = 1; i < 32; i++)
        s->x[i] = value_any(&g->dice);
    s->x[SP] = s->x[S0] = s->x[S1] = SCRATCH_ADDR + SCRATCH_MIDDLE;
    for (unsigned i = 0; i < 32; i++)
        s->f[i] = value_any(&g->dice);
    s->fcsr = below(g, 5) << 5 | (below(g, 2) ? 0 : below(g, 32));
    start_mode(g);
}

void program_generate(struct program *p, uint64_t seed, unsigned length)
{
    struct gen g = {.dice = {seed}, .p = p};

    memset(p, 0, sizeof(*p));
    start_registers(&g);
    for (unsigned i = 0; i < SCRATCH_BYTES; i += 8)
        store_le64(p->scratch + i, value_any(&g.dice));
    while (p->n < length && p->n < MAX_INSNS - 16)
        emit_group(&g);
    for (unsigned i = 0; i < g.n_fixups; i++)
        fix(&g, &g.fixups[i]);
}

uint64_t program_address(const struct program *p, unsigned i)
{
    uint64_t a = CODE_ADDR;

    while (i)
        a += p->insns[--i].size;
    return a;
}

void program_encode(struct program *p, unsigned n, uint8_t *code, unsigned *len)
{
    uint8_t *at = code;

    for (unsigned i = 0; i < p->n; i++) {
        uint32_t word = p->insns[i].word;

        if (i >= n) /* ecall or c.ebreak */
            word = p->insns[i].size == 4 ? 0x73 : 0x9002;
        if (p->insns[i].size == 4)
            store_le32(at, word);
        else
            store_le16(at, (uint16_t)word);
        at += p->insns[i].size;
    }
    store_le32(at, 0x73);
    *len = (unsigned)(at - code) + 4;
    p->start.end = program_address(p, n);
}
