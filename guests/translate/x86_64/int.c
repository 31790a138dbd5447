/* Integer instructions: RV64I (chapters 2, 5), M (7), and the rotations of Zbb. */
#include "guests/translate/x86_64/gen.h"

#define RULE static void
#define RULE_ARGS struct gen *g, const struct insn *in, const struct rule *r

/* How wide the operation is, and what becomes of its result. */
enum { W64, W32 }; /* W32: the lower half, sign-extended */

static void sign_extend(struct gen *g, unsigned reg)
{
    asm_modrm(&g->a, true, 0x63, reg, in_reg(reg)); /* movsxd */
}

static void finish(struct gen *g, unsigned rd, unsigned reg, unsigned width)
{
    if (width == W32)
        sign_extend(g, reg);
    gen_put(g, rd, reg);
}

static bool same(unsigned dst, unsigned x)
{
    return host_of[x] && host_of[x] == dst;
}

/* rd = rs1 op rs2: opcode is "op r, r/m"; arg: width; arg2: whether operands may be exchanged. */
RULE emit_alu(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), rs2 = insn_rs2(in), dst = gen_target(rd);

    if (!rd)
        return;
    if (same(dst, rs2) && !same(dst, rs1)) {
        if (r->arg2) {
            rs2 = rs1;
            rs1 = insn_rs2(in);
        } else {
            dst = RAX;
        }
    }
    if (!same(dst, rs1))
        gen_move(g, dst, rs1);
    asm_modrm(&g->a, r->arg == W64, r->opcode, dst, place(rs2));
    finish(g, rd, dst, r->arg);
}

/* rd = rs1 + rs2, also by LEA. */
RULE emit_add(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), rs2 = insn_rs2(in), dst = gen_target(rd);

    if (rd && rs1 && rs2 && host_of[rs1] && host_of[rs2] && !same(dst, rs1) && !same(dst, rs2) &&
        host_of[rs2] != R12 && host_of[rs2] != R13) {
        asm_lea(&g->a, true, dst, host_of[rs1], host_of[rs2], 1, 0);
        gen_put(g, rd, dst);
    } else if (rd && rs1 == 0) {
        asm_load(&g->a, dst, place(rs2));
        gen_put(g, rd, dst);
    } else {
        emit_alu(g, in, r);
    }
}

/* rd = value. */
static void load_constant(struct gen *g, unsigned rd, int64_t value)
{
    if (!rd)
        return;
    if (host_of[rd]) {
        asm_mov_imm(&g->a, host_of[rd], (uint64_t)value);
    } else {
        asm_modrm(&g->a, true, 0xc7, 0, home(rd));
        asm_32(&g->a, (uint32_t)value);
    }
}

/* rd = rs1 op imm, by number in group 1. */
RULE emit_alu_imm(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), dst = gen_target(rd);
    int32_t imm = imm_i(in->bits);

    if (!rd)
        return;
    if (r->opcode == G1_ADD && rs1 == 0) {
        load_constant(g, rd, imm);
    } else if (r->opcode == G1_ADD && imm && host_of[rs1] && !same(dst, rs1)) {
        asm_modrm(&g->a, true, 0x8d, dst, in_mem(host_of[rs1], imm));
        gen_put(g, rd, dst);
    } else if (rd == rs1 && !host_of[rd]) {
        asm_group1(&g->a, true, (enum group1)r->opcode, home(rd), imm);
    } else {
        if (!same(dst, rs1))
            gen_move(g, dst, rs1);
        if (r->opcode == G1_XOR && imm == -1)
            asm_modrm(&g->a, true, 0xf7, 2, in_reg(dst)); /* not */
        else if (imm || r->opcode == G1_AND)
            asm_group1(&g->a, true, (enum group1)r->opcode, in_reg(dst), imm);
        gen_put(g, rd, dst);
    }
}

RULE emit_addiw(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), dst = gen_target(rd);
    int32_t imm = imm_i(in->bits);

    (void)r;
    if (!rd)
        return;
    if (rs1 == 0) {
        load_constant(g, rd, imm);
        return;
    }
    if (imm == 0) {
        asm_modrm(&g->a, true, 0x63, dst, place(rs1)); /* movsxd */
    } else {
        if (host_of[rs1] && !same(dst, rs1))
            asm_modrm(&g->a, false, 0x8d, dst, in_mem(host_of[rs1], imm));
        else {
            gen_move(g, dst, rs1);
            asm_group1(&g->a, false, G1_ADD, in_reg(dst), imm);
        }
        sign_extend(g, dst);
    }
    gen_put(g, rd, dst);
}

RULE emit_lui(RULE_ARGS)
{
    (void)r;
    load_constant(g, insn_rd(in), (int32_t)(in->bits & 0xfffff000));
}

RULE emit_auipc(RULE_ARGS)
{
    unsigned rd = insn_rd(in), dst = gen_target(rd);
    int64_t offset = (int64_t)(int32_t)(in->bits & 0xfffff000) + g->ti->off;

    (void)r;
    if (!rd)
        return;
    if (offset <= INT32_MAX) {
        gen_page_address(g, dst, (int32_t)offset);
    } else {
        gen_page_address(g, dst, (int32_t)(in->bits & 0xfffff000));
        asm_group1(&g->a, true, G1_ADD, in_reg(dst), g->ti->off);
    }
    gen_put(g, rd, dst);
}

/* Shifts and rotations; opcode: the extension in group 2. */
RULE emit_shift_imm(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), dst = gen_target(rd);
    unsigned mask = r->arg == W64 ? 63 : 31;

    if (!rd)
        return;
    if (!same(dst, rs1))
        gen_move(g, dst, rs1);
    gen_shift(g, r->arg == W64, r->opcode, dst, in->bits >> 20 & mask);
    finish(g, rd, dst, r->arg);
}

RULE emit_shift(RULE_ARGS)
{
    unsigned rd = insn_rd(in), rs1 = insn_rs1(in), rs2 = insn_rs2(in), dst = gen_target(rd);

    if (!rd)
        return;
    asm_load(&g->a, RCX, place(rs2));
    if (!same(dst, rs1))
        gen_move(g, dst, rs1);
    asm_modrm(&g->a, r->arg == W64, 0xd3, r->opcode, in_reg(dst));
    finish(g, rd, dst, r->arg);
}

RULE emit_set(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    asm_modrm(&g->a, true, 0x3b, gen_use(g, insn_rs1(in), RAX), place(insn_rs2(in)));
    gen_set(g, insn_rd(in), (enum cc)r->opcode);
}

RULE emit_set_imm(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    asm_group1(&g->a, true, G1_CMP, place(insn_rs1(in)), imm_i(in->bits));
    gen_set(g, insn_rd(in), (enum cc)r->opcode);
}

/* The upper half of a product; opcode: the extension in group 3 (4 unsigned, 5 signed). */
RULE emit_mulh(RULE_ARGS)
{
    if (!insn_rd(in))
        return;
    gen_move(g, RAX, insn_rs1(in));
    asm_modrm(&g->a, true, 0xf7, r->opcode, place(insn_rs2(in)));
    gen_put(g, insn_rd(in), RDX);
}

/* Division (7.2): opcode 6 unsigned, 7 signed; arg: width; arg2: whether the remainder. By zero,
   and the smallest by -1, go their own ways, where x86 would fault. */
RULE emit_divide(RULE_ARGS)
{
    struct assembler *a = &g->a;
    unsigned rd = insn_rd(in);
    bool w = r->arg == W64, is_signed = r->opcode == 7;
    uint8_t *by_zero, *by_minus_one = NULL, *done, *done2 = NULL;

    if (!rd)
        return;
    gen_move(g, RCX, insn_rs2(in));
    gen_move(g, RAX, insn_rs1(in));
    asm_modrm(a, w, 0x85, RCX, in_reg(RCX)); /* test */
    by_zero = asm_jcc_ahead(a, CC_E);
    if (is_signed) {
        asm_group1(a, w, G1_CMP, in_reg(RCX), -1);
        by_minus_one = asm_jcc_ahead(a, CC_E);
        if (w)
            asm_8(a, 0x48);
        asm_8(a, 0x99); /* cqo, cdq */
    } else {
        asm_modrm(a, false, 0x31, RDX, in_reg(RDX));
    }
    asm_modrm(a, w, 0xf7, r->opcode, in_reg(RCX));
    if (r->arg2)
        asm_load(a, RAX, in_reg(RDX));
    done = asm_jmp_ahead(a);
    if (is_signed) {
        asm_bind(a, by_minus_one);
        if (r->arg2)
            asm_modrm(a, false, 0x31, RAX, in_reg(RAX));
        else
            asm_modrm(a, w, 0xf7, 3, in_reg(RAX)); /* neg */
        done2 = asm_jmp_ahead(a);
    }
    asm_bind(a, by_zero);
    if (!r->arg2)
        asm_mov_imm(a, RAX, UINT64_MAX);
    asm_bind(a, done);
    if (done2)
        asm_bind(a, done2);
    finish(g, rd, RAX, r->arg);
}

/* MULHSU is a step. */
const struct rule int_rules[OP_COUNT] = {
    [OP_lui] = {emit_lui, 0, 0, 0},
    [OP_auipc] = {emit_auipc, 0, 0, 0},
    [OP_addi] = {emit_alu_imm, G1_ADD, 0, 0},
    [OP_xori] = {emit_alu_imm, G1_XOR, 0, 0},
    [OP_ori] = {emit_alu_imm, G1_OR, 0, 0},
    [OP_andi] = {emit_alu_imm, G1_AND, 0, 0},
    [OP_addiw] = {emit_addiw, 0, 0, 0},
    [OP_slti] = {emit_set_imm, CC_L, 0, 0},
    [OP_sltiu] = {emit_set_imm, CC_B, 0, 0},
    [OP_slt] = {emit_set, CC_L, 0, 0},
    [OP_sltu] = {emit_set, CC_B, 0, 0},
    [OP_add] = {emit_add, 0x03, W64, true},
    [OP_sub] = {emit_alu, 0x2b, W64, false},
    [OP_xor] = {emit_alu, 0x33, W64, true},
    [OP_or] = {emit_alu, 0x0b, W64, true},
    [OP_and] = {emit_alu, 0x23, W64, true},
    [OP_addw] = {emit_alu, 0x03, W32, true},
    [OP_subw] = {emit_alu, 0x2b, W32, false},
    [OP_mul] = {emit_alu, 0x0faf, W64, true},
    [OP_mulw] = {emit_alu, 0x0faf, W32, true},
    [OP_mulh] = {emit_mulh, 5, 0, 0},
    [OP_mulhu] = {emit_mulh, 4, 0, 0},
    [OP_slli] = {emit_shift_imm, 4, W64, 0},
    [OP_srli] = {emit_shift_imm, 5, W64, 0},
    [OP_srai] = {emit_shift_imm, 7, W64, 0},
    [OP_slliw] = {emit_shift_imm, 4, W32, 0},
    [OP_srliw] = {emit_shift_imm, 5, W32, 0},
    [OP_sraiw] = {emit_shift_imm, 7, W32, 0},
    [OP_sll] = {emit_shift, 4, W64, 0},
    [OP_srl] = {emit_shift, 5, W64, 0},
    [OP_sra] = {emit_shift, 7, W64, 0},
    [OP_sllw] = {emit_shift, 4, W32, 0},
    [OP_srlw] = {emit_shift, 5, W32, 0},
    [OP_sraw] = {emit_shift, 7, W32, 0},
    [OP_rol] = {emit_shift, 0, W64, 0},
    [OP_ror] = {emit_shift, 1, W64, 0},
    [OP_rolw] = {emit_shift, 0, W32, 0},
    [OP_rorw] = {emit_shift, 1, W32, 0},
    [OP_rori] = {emit_shift_imm, 1, W64, 0},
    [OP_roriw] = {emit_shift_imm, 1, W32, 0},
    [OP_div] = {emit_divide, 7, W64, false},
    [OP_divu] = {emit_divide, 6, W64, false},
    [OP_rem] = {emit_divide, 7, W64, true},
    [OP_remu] = {emit_divide, 6, W64, true},
    [OP_divw] = {emit_divide, 7, W32, false},
    [OP_divuw] = {emit_divide, 6, W32, false},
    [OP_remw] = {emit_divide, 7, W32, true},
    [OP_remuw] = {emit_divide, 6, W32, true},
};
