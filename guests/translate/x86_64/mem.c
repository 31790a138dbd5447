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

/* RAX, a virtual address, becomes the host's, or the instruction is done by the interpreter; see
   tlb_at and tlb_tag. RCX and RDX are used. */
static void translate(struct gen *g, size_t tag, unsigned size)
{
    struct assembler *a = &g->a;

    asm_modrm(a, false, 0x8b, RCX, in_reg(RAX));
    asm_modrm(a, false, 0xc1, 5, in_reg(RCX)); /* shr ecx */
    asm_8(a, PAGE_SHIFT - 5);
    asm_modrm(a, false, 0x23, RCX, FIELD_AT(tlb_mask));
    asm_modrm(a, true, 0x03, RCX, FIELD_AT(tlb));
    asm_load(a, RDX, in_reg(RAX));
    asm_group1(a, true, G1_AND, in_reg(RDX), (int32_t)(~PAGE_MASK | (size - 1)));
    asm_modrm(a, true, 0x3b, RDX, in_mem(RCX, (int32_t)tag));
    gen_step_if(g, CC_NE, DETOUR_STEP);
    asm_modrm(a, true, 0x03, RAX, in_mem(RCX, offsetof(struct tlb_entry, addend)));
}

void mem_translate_load(struct gen *g, unsigned rs1, int32_t offset, unsigned size)
{
    address(g, rs1, offset);
    translate(g, offsetof(struct tlb_entry, tag_load), size);
}

void mem_translate_store(struct gen *g, unsigned rs1, int32_t offset, unsigned size)
{
    address(g, rs1, offset);
    translate(g, offsetof(struct tlb_entry, tag_store), size);
}

/* opcode: the move from memory; arg: bytes; arg2: 64 bits wide. */
RULE emit_load(RULE_ARGS)
{
    unsigned rd = insn_rd(in), dst = gen_target(rd);

    mem_translate_load(g, insn_rs1(in), imm_i(in->bits), r->arg);
    asm_modrm(&g->a, r->arg2, r->opcode, dst, in_mem(RAX, 0));
    gen_put(g, rd, dst);
    gen_step_back(g);
}

RULE emit_store(RULE_ARGS)
{
    unsigned value;

    mem_translate_store(g, insn_rs1(in), imm_s(in->bits), r->arg);
    value = gen_use(g, insn_rs2(in), RDX);
    if (r->arg == 1)
        asm_modrm8(&g->a, r->opcode, value, in_mem(RAX, 0));
    else
        asm_modrm(&g->a, r->arg2, r->opcode, value, in_mem(RAX, 0));
    gen_step_back(g);
}

/* Atomics (8.4): harts run in turn, so a plain read and write. opcode: rs2 op memory, or 0: swap;
   arg: bytes. A misaligned address has no tag. */
RULE emit_amo(RULE_ARGS)
{
    struct assembler *a = &g->a;
    bool w = r->arg == 8;

    mem_translate_store(g, insn_rs1(in), 0, r->arg);
    asm_modrm(a, true, w ? 0x8b : 0x63, RCX, in_mem(RAX, 0));
    gen_move(g, RDX, insn_rs2(in));
    if (r->opcode)
        asm_modrm(a, w, r->opcode, RDX, in_reg(RCX));
    asm_modrm(a, w, 0x89, RDX, in_mem(RAX, 0));
    gen_put(g, insn_rd(in), RCX);
    gen_step_back(g);
}

/* LR, SC, and the minima and maxima are steps. */
const struct rule mem_rules[OP_COUNT] = {
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
