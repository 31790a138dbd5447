/* Loads and stores: the translation cache's fast path; all else is a step. */
#include "guests/translate/x86_64/gen.h"

#define RULE static void
#define RULE_ARGS struct gen *g, const struct insn *in, const struct rule *r

/* RAX = rs1 + offset. */
static void address(struct gen *g, unsigned rs1, int32_t offset)
{
    if (host_of[rs1] && offset) {
        asm_modrm(&g->a, true, 0x8d, RAX, in_mem(host_of[rs1], offset));
        return;
    }
    asm_load(&g->a, RAX, place(rs1));
    if (offset)
        asm_group1(&g->a, true, G1_ADD, in_reg(RAX), offset);
}

/*
 * RAX, a virtual address, becomes the host's if the translation cache has its page, all `span` bytes lie in
 * that, and, for an atomic, they are aligned; see tlb_at. Flags say NE if not. RCX and RDX go.
 * (An access across the page's end has the next page's number, which another entry has.)
 */
static void look_up(struct gen *g, size_t tag, unsigned span, bool aligned)
{
    struct assembler *a = &g->a;

    asm_modrm(a, false, 0x8b, RCX, in_reg(RAX));
    asm_modrm(a, false, 0xc1, 5, in_reg(RCX)); /* shr ecx */
    asm_8(a, PAGE_SHIFT - 5);
    asm_modrm(a, false, 0x23, RCX, FIELD_AT(tlb_mask));
    asm_modrm(a, true, 0x03, RCX, FIELD_AT(tlb));
    if (aligned || span == 1)
        asm_load(a, RDX, in_reg(RAX));
    else
        asm_modrm(a, true, 0x8d, RDX, in_mem(RAX, (int32_t)span - 1)); /* lea */
    asm_group1(a, true, G1_AND, in_reg(RDX), (int32_t)(~PAGE_MASK | (aligned ? span - 1 : 0)));
    asm_modrm(a, true, 0x3b, RDX, in_mem(RCX, (int32_t)tag));
}

static void to_host(struct gen *g)
{
    asm_modrm(&g->a, true, 0x03, RAX, in_mem(RCX, offsetof(struct tlb_entry, addend)));
}

#define TAG_LOAD offsetof(struct tlb_entry, tag_load)
#define TAG_STORE offsetof(struct tlb_entry, tag_store)

static void translate(struct gen *g, size_t tag, unsigned size, bool aligned)
{
    look_up(g, tag, size, aligned);
    gen_step_if(g, CC_NE, DETOUR_STEP);
    to_host(g);
}

void mem_translate_load(struct gen *g, unsigned rs1, int32_t offset, unsigned size)
{
    address(g, rs1, offset);
    translate(g, TAG_LOAD, size, false);
}

void mem_translate_store(struct gen *g, unsigned rs1, int32_t offset, unsigned size)
{
    address(g, rs1, offset);
    translate(g, TAG_STORE, size, false);
}

/* The accesses themselves, at RAX + disp. opcode: the move; arg: bytes; arg2: 64 bits wide. */
static void load_at(struct gen *g, const struct insn *in, const struct rule *r, int32_t disp)
{
    unsigned rd = insn_rd(in), dst = host_of[rd] ? host_of[rd] : RDX;

    asm_modrm(&g->a, r->arg2, r->opcode, dst, in_mem(RAX, disp));
    gen_put(g, rd, dst);
}

static void store_at(struct gen *g, const struct insn *in, const struct rule *r, int32_t disp)
{
    unsigned value = gen_use(g, insn_rs2(in), RDX);

    if (r->arg == 1)
        asm_modrm8(&g->a, r->opcode, value, in_mem(RAX, disp));
    else
        asm_modrm(&g->a, r->arg2, r->opcode, value, in_mem(RAX, disp));
}

RULE emit_load(RULE_ARGS)
{
    mem_translate_load(g, insn_rs1(in), imm_i(in->bits), r->arg);
    load_at(g, in, r, 0);
    gen_step_back(g);
}

RULE emit_store(RULE_ARGS)
{
    mem_translate_store(g, insn_rs1(in), imm_s(in->bits), r->arg);
    store_at(g, in, r, 0);
    gen_step_back(g);
}

/* --- several in a row --- */

#define GROUP_MAX 16
#define GROUP_SPAN 1024

/* Loads, or stores, in a row off one register: one look at the translation cache does for all. */
struct group {
    unsigned n;
    int32_t low, high; /* the bytes they reach from there */
};

static int32_t offset_of(const struct insn *in)
{
    return in->format == FMT_S ? imm_s(in->bits) : imm_i(in->bits);
}

/* Whether instruction i goes on with the group. */
static bool joins(const struct gen *g, const struct group *q, uint32_t i)
{
    const struct insn *in = &g->t->insns[i].in, *first = &g->ti->in;
    const struct rule *r = &mem_rules[in->id];
    int32_t off = offset_of(in);

    return r->emit && r->emit == mem_rules[first->id].emit && insn_rs1(in) == insn_rs1(first) &&
           MAX(q->high, off + r->arg) - MIN(q->low, off) <= GROUP_SPAN;
}

static struct group group_at(const struct gen *g)
{
    struct group q = {0, INT16_MAX, INT16_MIN};

    for (uint32_t i = g->i; i < g->t->n && q.n < GROUP_MAX; i++) {
        const struct insn *in = &g->t->insns[i].in;
        int32_t off = offset_of(in);

        if (q.n && !joins(g, &q, i))
            break;
        q.low = MIN(q.low, off);
        q.high = MAX(q.high, off + mem_rules[in->id].arg);
        q.n++;
        if (in->format == FMT_I && insn_rd(in) == insn_rs1(in))
            break; /* the register is another from here on */
    }
    return q;
}

unsigned mem_group(struct gen *g)
{
    const struct rule *r = &mem_rules[g->ti->in.id];
    struct group q;

    if (r->emit != emit_load && r->emit != emit_store)
        return 0;
    q = group_at(g);
    if (q.n < 2)
        return 0;
    address(g, insn_rs1(&g->ti->in), q.low);
    look_up(g, r->emit == emit_load ? TAG_LOAD : TAG_STORE, (unsigned)(q.high - q.low), false);
    gen_steps_if(g, CC_NE, q.n);
    to_host(g);
    for (unsigned i = 0; i < q.n; i++) {
        const struct insn *in = &g->t->insns[g->i + i].in;

        if (r->emit == emit_load)
            load_at(g, in, &mem_rules[in->id], offset_of(in) - q.low);
        else
            store_at(g, in, &mem_rules[in->id], offset_of(in) - q.low);
    }
    gen_step_back(g);
    return q.n;
}

/* Atomics (8.4): harts run in turn, so a plain read and write. opcode: rs2 op memory, or 0: swap;
   arg: bytes. A misaligned address has no tag. */
RULE emit_amo(RULE_ARGS)
{
    struct assembler *a = &g->a;
    bool w = r->arg == 8;

    address(g, insn_rs1(in), 0);
    translate(g, TAG_STORE, r->arg, true);
    asm_modrm(a, true, w ? 0x8b : 0x63, RCX, in_mem(RAX, 0));
    gen_move(g, RDX, insn_rs2(in));
    if (r->opcode)
        asm_modrm(a, w, r->opcode, RDX, in_reg(RCX));
    asm_modrm(a, w, 0x89, RDX, in_mem(RAX, 0));
    gen_put(g, insn_rd(in), RCX);
    gen_step_back(g);
}

/* Zeroes for the 64 bytes around rs1 (CMO 2.5.3). */
RULE emit_zero(RULE_ARGS)
{
    struct assembler *a = &g->a;

    (void)r;
    asm_modrm(a, false, 0x80, G1_CMP, FIELD_AT(may_zero));
    asm_8(a, 0);
    gen_step_if(g, CC_E, DETOUR_STEP);
    address(g, insn_rs1(in), 0);
    asm_group1(a, true, G1_AND, in_reg(RAX), -64);
    translate(g, TAG_STORE, 64, true);
    asm_modrm(a, false, 0x0f57, 0, in_reg(0)); /* xorps xmm0, xmm0 */
    for (int32_t i = 0; i < 64; i += 16)
        asm_modrm(a, false, 0x0f29, 0, in_mem(RAX, i)); /* movaps */
    gen_step_back(g);
}

/* LR, SC, and the minima and maxima are steps. */
const struct rule mem_rules[OP_COUNT] = {
    [OP_cbo_zero] = {emit_zero, 0, 0, 0},
    [OP_amoswap_w] = {emit_amo, 0, 4, 0},
    [OP_amoadd_w] = {emit_amo, 0x03, 4, 0},
    [OP_amoxor_w] = {emit_amo, 0x33, 4, 0},
    [OP_amoand_w] = {emit_amo, 0x23, 4, 0},
    [OP_amoor_w] = {emit_amo, 0x0b, 4, 0},
    [OP_amoswap_d] = {emit_amo, 0, 8, 0},
    [OP_amoadd_d] = {emit_amo, 0x03, 8, 0},
    [OP_amoxor_d] = {emit_amo, 0x33, 8, 0},
    [OP_amoand_d] = {emit_amo, 0x23, 8, 0},
    [OP_amoor_d] = {emit_amo, 0x0b, 8, 0},
    [OP_lb] = {emit_load, 0x0fbe, 1, true},
    [OP_lh] = {emit_load, 0x0fbf, 2, true},
    [OP_lw] = {emit_load, 0x63, 4, true},
    [OP_ld] = {emit_load, 0x8b, 8, true},
    [OP_lbu] = {emit_load, 0x0fb6, 1, false},
    [OP_lhu] = {emit_load, 0x0fb7, 2, false},
    [OP_lwu] = {emit_load, 0x8b, 4, false},
    [OP_sb] = {emit_store, 0x88, 1, false},
    [OP_sh] = {emit_store, OPC(0x66, 0x89), 2, false},
    [OP_sw] = {emit_store, 0x89, 4, false},
    [OP_sd] = {emit_store, 0x89, 8, true},
};
