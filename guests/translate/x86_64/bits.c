/* Address generation, bits and bytes: Zba, Zbb, Zbs. */
#include "guests/translate/x86_64/gen.h"

#define RULE static void
#define RULE_ARGS struct gen *g, const struct insn *in, const struct rule *r

/* rd = rs2 + (rs1 << arg); arg2: only the lower half of rs1. */
RULE emit_shift_add(RULE_ARGS)
{
    unsigned rd = insn_rd(in);

    if (!rd)
        return;
    if (r->arg2)
        asm_modrm(&g->a, false, 0x8b, RAX, place(insn_rs1(in)));
    else
        asm_load(&g->a, RAX, place(insn_rs1(in)));
    gen_shift(g, true, 4, RAX, r->arg);
    asm_modrm(&g->a, true, 0x03, RAX, place(insn_rs2(in)));
    gen_put(g, rd, RAX);
}

RULE emit_slli_uw(RULE_ARGS)
{
    (void)r;
    if (!insn_rd(in))
        return;
    asm_modrm(&g->a, false, 0x8b, RAX, place(insn_rs1(in)));
    gen_shift(g, true, 4, RAX, in->bits >> 20 & 63);
    gen_put(g, insn_rd(in), RAX);
}

/* rd = rs1 extended; opcode: the move that does it, from a byte or a word. */
RULE emit_extend(RULE_ARGS)
{
    unsigned rd = insn_rd(in), dst = gen_target(rd);

    if (!rd)
        return;
    asm_modrm(&g->a, true, r->opcode, dst, place(insn_rs1(in)));
    gen_put(g, rd, dst);
}

/* rd = rs1 op ~rs2, or ~(rs1 ^ rs2). */
RULE emit_logic_not(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    asm_load(&g->a, RAX, place(insn_rs2(in)));
    if (r->opcode != 0x33)
        asm_modrm(&g->a, true, 0xf7, 2, in_reg(RAX)); /* not */
    asm_modrm(&g->a, true, r->opcode, RAX, place(insn_rs1(in)));
    if (r->opcode == 0x33)
        asm_modrm(&g->a, true, 0xf7, 2, in_reg(RAX));
    gen_put(g, insn_rd(in), RAX);
}

/* Minimum and maximum: opcode: the condition under which rs2 replaces rs1. */
RULE emit_min_max(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    gen_move(g, RAX, insn_rs1(in));
    asm_modrm(&g->a, true, 0x3b, RAX, place(insn_rs2(in)));
    asm_modrm(&g->a, true, 0x0f40u | r->opcode, RAX, place(insn_rs2(in))); /* cmovcc */
    gen_put(g, insn_rd(in), RAX);
}

RULE emit_rev8(RULE_ARGS)
{
    (void)r;
    if (!insn_rd(in))
        return;
    gen_move(g, RAX, insn_rs1(in));
    asm_8(&g->a, 0x48); /* bswap rax */
    asm_8(&g->a, 0x0f);
    asm_8(&g->a, 0xc8);
    gen_put(g, insn_rd(in), RAX);
}

/* One bit: opcode: the extension of bt, bts, btr, btc with an immediate. */
enum { BIT_TEST = 4, BIT_SET, BIT_CLEAR, BIT_INVERT };

static void finish_bit(struct gen *g, unsigned rd, unsigned what)
{
    if (what == BIT_TEST)
        gen_set(g, rd, CC_B);
    else
        gen_put(g, rd, RAX);
}

RULE emit_bit_imm(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    gen_move(g, RAX, insn_rs1(in));
    asm_modrm(&g->a, true, 0x0fba, r->opcode, in_reg(RAX));
    asm_8(&g->a, in->bits >> 20 & 63);
    finish_bit(g, insn_rd(in), r->opcode);
}

RULE emit_bit(RULE_ARGS)
{
    static const uint32_t opcodes[] = {0x0fa3, 0x0fab, 0x0fb3, 0x0fbb};

    if (!insn_rd(in))
        return;
    gen_move(g, RAX, insn_rs1(in));
    asm_modrm(&g->a, true, opcodes[r->opcode - BIT_TEST], gen_use(g, insn_rs2(in), RCX),
              in_reg(RAX));
    finish_bit(g, insn_rd(in), r->opcode);
}

/* Counts of bits; opcode: of lzcnt, tzcnt or popcnt, which not every host has; arg: 64 bits wide. */
static bool counts_bits(void)
{
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("lzcnt") &&
           __builtin_cpu_supports("popcnt");
}

RULE emit_count(RULE_ARGS)
{
    unsigned rd = insn_rd(in), dst = gen_target(rd);

    if (!counts_bits()) {
        gen_step(g);
    } else if (rd) {
        asm_modrm(&g->a, r->arg, OPC(0xf3, r->opcode), dst, place(insn_rs1(in)));
        gen_put(g, rd, dst);
    }
}

/* Bytes that are zero become ones, twice. */
RULE emit_orc_b(RULE_ARGS)
{
    struct assembler *a = &g->a;

    (void)r;
    if (!insn_rd(in))
        return;
    asm_modrm(a, true, OPC(0x66, 0x0f6e), 0, place(insn_rs1(in))); /* movq xmm0, rs1 */
    asm_modrm(a, false, OPC(0x66, 0x0fef), 1, in_reg(1));          /* pxor xmm1, xmm1 */
    asm_modrm(a, false, OPC(0x66, 0x0f74), 0, in_reg(1));          /* pcmpeqb xmm0, xmm1 */
    asm_modrm(a, false, OPC(0x66, 0x0f74), 0, in_reg(1));
    asm_modrm(a, true, OPC(0x66, 0x0f7e), 0, in_reg(RAX)); /* movq rax, xmm0 */
    gen_put(g, insn_rd(in), RAX);
}

const struct rule bit_rules[OP_COUNT] = {
    [OP_clz] = {emit_count, 0x0fbd, true, 0},
    [OP_ctz] = {emit_count, 0x0fbc, true, 0},
    [OP_cpop] = {emit_count, 0x0fb8, true, 0},
    [OP_clzw] = {emit_count, 0x0fbd, false, 0},
    [OP_ctzw] = {emit_count, 0x0fbc, false, 0},
    [OP_cpopw] = {emit_count, 0x0fb8, false, 0},
    [OP_orc_b] = {emit_orc_b, 0, 0, 0},
    [OP_sh1add] = {emit_shift_add, 0, 1, false},
    [OP_sh2add] = {emit_shift_add, 0, 2, false},
    [OP_sh3add] = {emit_shift_add, 0, 3, false},
    [OP_add_uw] = {emit_shift_add, 0, 0, true},
    [OP_sh1add_uw] = {emit_shift_add, 0, 1, true},
    [OP_sh2add_uw] = {emit_shift_add, 0, 2, true},
    [OP_sh3add_uw] = {emit_shift_add, 0, 3, true},
    [OP_slli_uw] = {emit_slli_uw, 0, 0, 0},
    [OP_zext_h] = {emit_extend, 0x0fb7, 0, 0},
    [OP_sext_h] = {emit_extend, 0x0fbf, 0, 0},
    [OP_sext_b] = {emit_extend, 0x0fbe, 0, 0},
    [OP_andn] = {emit_logic_not, 0x23, 0, 0},
    [OP_orn] = {emit_logic_not, 0x0b, 0, 0},
    [OP_xnor] = {emit_logic_not, 0x33, 0, 0},
    [OP_min] = {emit_min_max, CC_G, 0, 0},
    [OP_max] = {emit_min_max, CC_L, 0, 0},
    [OP_minu] = {emit_min_max, CC_A, 0, 0},
    [OP_maxu] = {emit_min_max, CC_B, 0, 0},
    [OP_rev8] = {emit_rev8, 0, 0, 0},
    [OP_bset] = {emit_bit, BIT_SET, 0, 0},
    [OP_bclr] = {emit_bit, BIT_CLEAR, 0, 0},
    [OP_binv] = {emit_bit, BIT_INVERT, 0, 0},
    [OP_bext] = {emit_bit, BIT_TEST, 0, 0},
    [OP_bseti] = {emit_bit_imm, BIT_SET, 0, 0},
    [OP_bclri] = {emit_bit_imm, BIT_CLEAR, 0, 0},
    [OP_binvi] = {emit_bit_imm, BIT_INVERT, 0, 0},
    [OP_bexti] = {emit_bit_imm, BIT_TEST, 0, 0},
};
