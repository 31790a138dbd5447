/*
 * Floating point (11, 12) on the SSE unit, where that does exactly the hart's work.
 *
 * The unit is the hart's while fp_live is FP_DYN (see hart.h): then FS is dirty, the host rounds as
 * frm says, and flags accumulate in MXCSR as fpu_x86.c has it. Results that are NaN, singles that
 * are not boxed and static rounding modes are steps: the interpreter does such an instruction once
 * more, which raises the same flags.
 */
#include "guests/translate/x86_64/gen.h"

#define RULE static void
#define RULE_ARGS struct gen *g, const struct insn *in, const struct rule *r

enum { XMM0, XMM1 };
enum { SINGLE = 0xf3, DOUBLE = 0xf2 }; /* the prefixes of scalar instructions, and rules' arg */

#define RM(in) ((in)->bits >> 12 & 7)

/* The unit must be the hart's. */
static void need_unit(struct gen *g)
{
    if (g->fp_sure)
        return;
    asm_modrm(&g->a, false, 0x80, G1_CMP, FIELD_AT(fp_live));
    asm_8(&g->a, FP_DYN);
    gen_step_if(g, CC_NE, DETOUR_STEP_FP);
    g->fp_sure = g->fs_dirty = g->fs_on = true;
}

static void need_on(struct gen *g)
{
    if (g->fs_on)
        return;
    asm_modrm(&g->a, false, 0xf7, 0, FIELD_AT(mstatus)); /* test */
    asm_32(&g->a, MSTATUS_FS);
    gen_step_if(g, CC_E, DETOUR_STEP);
    g->fs_on = true;
}

static void need_dirty(struct gen *g)
{
    if (g->fs_dirty)
        return;
    asm_modrm(&g->a, false, 0x8b, RAX, FIELD_AT(mstatus));
    asm_modrm(&g->a, false, 0xf7, 2, in_reg(RAX)); /* not */
    asm_8(&g->a, 0xa9);                            /* test eax, imm32 */
    asm_32(&g->a, MSTATUS_FS);
    gen_step_if(g, CC_NE, DETOUR_STEP);
    g->fs_dirty = g->fs_on = true;
}

static struct loc upper_half(unsigned f)
{
    struct loc l = place_f(f);

    l.disp += 4;
    return l;
}

static void need_boxed(struct gen *g, unsigned kind, unsigned f)
{
    if (kind != SINGLE)
        return;
    asm_group1(&g->a, false, G1_CMP, upper_half(f), -1);
    gen_step_if(g, CC_NE, DETOUR_STEP);
}

static void box(struct gen *g, unsigned f)
{
    asm_modrm(&g->a, false, 0xc7, 0, upper_half(f));
    asm_32(&g->a, UINT32_MAX);
}

static void load_f(struct gen *g, unsigned kind, unsigned xmm, unsigned f)
{
    asm_modrm(&g->a, false, OPC(kind, 0x0f10), xmm, place_f(f));
}

/* f[rd] = xmm, which must not be NaN. */
static void put_f(struct gen *g, unsigned kind, unsigned rd, unsigned xmm)
{
    asm_modrm(&g->a, false, kind == SINGLE ? 0x0f2eu : OPC(0x66, 0x0f2e), xmm, in_reg(xmm));
    gen_step_if(g, CC_P, DETOUR_STEP);
    asm_modrm(&g->a, false, OPC(kind, 0x0f11), xmm, place_f(rd));
    if (kind == SINGLE)
        box(g, rd);
    gen_step_back(g);
}

/* Arithmetic: opcode: of the scalar instruction; arg: kind. */
RULE emit_arith(RULE_ARGS)
{
    if (RM(in) != FP_DYN) {
        gen_step(g);
        return;
    }
    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    need_boxed(g, r->arg, insn_rs2(in));
    load_f(g, r->arg, XMM0, insn_rs1(in));
    asm_modrm(&g->a, false, OPC(r->arg, r->opcode), XMM0, place_f(insn_rs2(in)));
    put_f(g, r->arg, insn_rd(in), XMM0);
}

/* The root has one operand; its rs2 field is zero. */
RULE emit_sqrt(RULE_ARGS)
{
    if (RM(in) != FP_DYN) {
        gen_step(g);
        return;
    }
    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    asm_modrm(&g->a, false, OPC(r->arg, 0x0f51), XMM0, place_f(insn_rs1(in)));
    put_f(g, r->arg, insn_rd(in), XMM0);
}

/* a * b + c: opcode: of vf(n)m{add,sub}231 (VEX.66.0F38), which has W for doubles. */
RULE emit_fma(RULE_ARGS)
{
    struct assembler *a = &g->a;
    struct loc b = place_f(insn_rs2(in));

    if (RM(in) != FP_DYN || !__builtin_cpu_supports("fma")) {
        gen_step(g);
        return;
    }
    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    need_boxed(g, r->arg, insn_rs2(in));
    need_boxed(g, r->arg, in->bits >> 27);
    load_f(g, r->arg, XMM0, insn_rs1(in));
    load_f(g, r->arg, XMM1, in->bits >> 27);
    asm_8(a, 0xc4);
    asm_8(a, 0xe2); /* no extended registers, map 0F38 */
    asm_8(a, r->arg == DOUBLE ? 0xf9 : 0x79); /* W, second operand XMM0 */
    asm_modrm(a, false, r->opcode, XMM1, b);
    put_f(g, r->arg, insn_rd(in), XMM1);
}

/* Loads and stores of F registers: the integer ones' fast path. */
RULE emit_load(RULE_ARGS)
{
    need_dirty(g);
    mem_translate_load(g, insn_rs1(in), imm_i(in->bits), r->arg == SINGLE ? 4 : 8);
    asm_modrm(&g->a, r->arg == DOUBLE, 0x8b, RAX, in_mem(RAX, 0));
    asm_modrm(&g->a, r->arg == DOUBLE, 0x89, RAX, place_f(insn_rd(in)));
    if (r->arg == SINGLE)
        box(g, insn_rd(in));
    gen_step_back(g);
}

RULE emit_store(RULE_ARGS)
{
    need_on(g);
    mem_translate_store(g, insn_rs1(in), imm_s(in->bits), r->arg == SINGLE ? 4 : 8);
    asm_modrm(&g->a, r->arg == DOUBLE, 0x8b, RDX, place_f(insn_rs2(in)));
    asm_modrm(&g->a, r->arg == DOUBLE, 0x89, RDX, in_mem(RAX, 0));
    gen_step_back(g);
}

/* Comparisons: flt and fle signal (opcode 2F), feq does not (2E); arg2: the condition. */
RULE emit_compare(RULE_ARGS)
{
    unsigned prefix = r->arg == DOUBLE ? 0x66 : 0, first = insn_rs2(in), second = insn_rs1(in);
    struct assembler *a = &g->a;

    need_unit(g);
    need_boxed(g, r->arg, first);
    need_boxed(g, r->arg, second);
    load_f(g, r->arg, XMM0, first);
    asm_modrm(a, false, OPC(prefix, r->opcode), XMM0, place_f(second));
    asm_modrm8(a, 0x0f90u | r->arg2, 0, in_reg(RAX));
    if (r->arg2 == CC_E) { /* unordered is "equal" with parity */
        asm_modrm8(a, 0x0f90u | CC_NP, 0, in_reg(RCX));
        asm_modrm(a, false, 0x21, RCX, in_reg(RAX));
    }
    asm_modrm(a, false, 0x0fb6, RAX, in_reg(RAX)); /* movzx eax, al */
    gen_put(g, insn_rd(in), RAX);
    gen_step_back(g);
}

/* From integers: arg2: the source is 64 bits wide; opcode: it rounds. */
RULE emit_from_int(RULE_ARGS)
{
    struct assembler *a = &g->a;

    if (r->opcode && RM(in) != FP_DYN) {
        gen_step(g);
        return;
    }
    need_unit(g);
    asm_modrm(a, false, OPC(0x66, 0x0fef), XMM0, in_reg(XMM0)); /* pxor: no false dependency */
    asm_modrm(a, r->arg2, OPC(r->arg, 0x0f2a), XMM0, place(insn_rs1(in)));
    put_f(g, r->arg, insn_rd(in), XMM0);
}

RULE emit_from_unsigned(RULE_ARGS)
{
    struct assembler *a = &g->a;

    need_unit(g);
    asm_modrm(a, false, 0x8b, RAX, place(insn_rs1(in)));
    asm_modrm(a, false, OPC(0x66, 0x0fef), XMM0, in_reg(XMM0));
    asm_modrm(a, true, OPC(r->arg, 0x0f2a), XMM0, in_reg(RAX));
    put_f(g, r->arg, insn_rd(in), XMM0);
}

/* To signed integers, truncating or as frm says; the smallest is what x86 answers when out of
   range. arg2: 64 bits wide. */
RULE emit_to_int(RULE_ARGS)
{
    struct assembler *a = &g->a;

    if (RM(in) != FP_DYN && RM(in) != FP_RTZ) {
        gen_step(g);
        return;
    }
    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    asm_modrm(a, r->arg2, OPC(r->arg, RM(in) == FP_RTZ ? 0x0f2c : 0x0f2d), RAX,
              place_f(insn_rs1(in)));
    asm_mov_imm(a, RCX, r->arg2 ? 1ULL << 63 : 1U << 31);
    asm_modrm(a, r->arg2, 0x3b, RAX, in_reg(RCX));
    gen_step_if(g, CC_E, DETOUR_STEP);
    if (!r->arg2)
        asm_modrm(a, true, 0x63, RAX, in_reg(RAX)); /* movsxd */
    gen_put(g, insn_rd(in), RAX);
    gen_step_back(g);
}

/* Between the widths: arg is the source's kind; to a double it is exact. */
RULE emit_convert(RULE_ARGS)
{
    if (r->arg == DOUBLE && RM(in) != FP_DYN) {
        gen_step(g);
        return;
    }
    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    asm_modrm(&g->a, false, OPC(r->arg, 0x0f5a), XMM0, place_f(insn_rs1(in)));
    put_f(g, r->arg == DOUBLE ? SINGLE : DOUBLE, insn_rd(in), XMM0);
}

RULE emit_move_to_x(RULE_ARGS)
{
    need_on(g);
    if (r->arg == DOUBLE)
        asm_load(&g->a, RAX, place_f(insn_rs1(in)));
    else
        asm_modrm(&g->a, true, 0x63, RAX, place_f(insn_rs1(in)));
    gen_put(g, insn_rd(in), RAX);
    gen_step_back(g);
}

RULE emit_move_from_x(RULE_ARGS)
{
    need_unit(g);
    asm_load(&g->a, RAX, place(insn_rs1(in)));
    asm_modrm(&g->a, r->arg == DOUBLE, 0x89, RAX, place_f(insn_rd(in)));
    if (r->arg == SINGLE)
        box(g, insn_rd(in));
    gen_step_back(g);
}

/* Sign injection: opcode: what becomes of rs2's sign: or'ed in, or'ed in inverted, xor'ed. */
enum { SIGN_OF, SIGN_NOT_OF, SIGN_XOR };

RULE emit_sign(RULE_ARGS)
{
    struct assembler *a = &g->a;
    bool w = r->arg == DOUBLE;

    need_unit(g);
    need_boxed(g, r->arg, insn_rs1(in));
    need_boxed(g, r->arg, insn_rs2(in));
    asm_modrm(a, w, 0x8b, RAX, place_f(insn_rs1(in)));
    asm_modrm(a, w, 0x8b, RCX, place_f(insn_rs2(in)));
    asm_mov_imm(a, RDX, w ? 1ULL << 63 : 1U << 31);
    if (r->opcode == SIGN_NOT_OF)
        asm_modrm(a, w, 0xf7, 2, in_reg(RCX)); /* not */
    asm_modrm(a, w, 0x23, RCX, in_reg(RDX));
    if (r->opcode != SIGN_XOR) {
        asm_modrm(a, w, 0x0fba, 6, in_reg(RAX)); /* btr */
        asm_8(a, w ? 63 : 31);
    }
    asm_modrm(a, w, r->opcode == SIGN_XOR ? 0x33 : 0x0b, RAX, in_reg(RCX));
    asm_modrm(a, w, 0x89, RAX, place_f(insn_rd(in)));
    if (r->arg == SINGLE)
        box(g, insn_rd(in));
    gen_step_back(g);
}

/* Those that are not here (fmin, fmax, fclass, conversions of unsigned...) are steps. */
const struct rule fp_rules[OP_COUNT] = {
    [OP_flw] = {emit_load, 0, SINGLE, 0},
    [OP_fld] = {emit_load, 0, DOUBLE, 0},
    [OP_fsw] = {emit_store, 0, SINGLE, 0},
    [OP_fsd] = {emit_store, 0, DOUBLE, 0},
    [OP_fadd_s] = {emit_arith, 0x0f58, SINGLE, 0},
    [OP_fsub_s] = {emit_arith, 0x0f5c, SINGLE, 0},
    [OP_fmul_s] = {emit_arith, 0x0f59, SINGLE, 0},
    [OP_fdiv_s] = {emit_arith, 0x0f5e, SINGLE, 0},
    [OP_fadd_d] = {emit_arith, 0x0f58, DOUBLE, 0},
    [OP_fsub_d] = {emit_arith, 0x0f5c, DOUBLE, 0},
    [OP_fmul_d] = {emit_arith, 0x0f59, DOUBLE, 0},
    [OP_fdiv_d] = {emit_arith, 0x0f5e, DOUBLE, 0},
    [OP_fsqrt_s] = {emit_sqrt, 0, SINGLE, 0},
    [OP_fsqrt_d] = {emit_sqrt, 0, DOUBLE, 0},
    [OP_fmadd_s] = {emit_fma, 0xb9, SINGLE, 0},
    [OP_fmsub_s] = {emit_fma, 0xbb, SINGLE, 0},
    [OP_fnmsub_s] = {emit_fma, 0xbd, SINGLE, 0},
    [OP_fnmadd_s] = {emit_fma, 0xbf, SINGLE, 0},
    [OP_fmadd_d] = {emit_fma, 0xb9, DOUBLE, 0},
    [OP_fmsub_d] = {emit_fma, 0xbb, DOUBLE, 0},
    [OP_fnmsub_d] = {emit_fma, 0xbd, DOUBLE, 0},
    [OP_fnmadd_d] = {emit_fma, 0xbf, DOUBLE, 0},
    [OP_feq_s] = {emit_compare, 0x0f2e, SINGLE, CC_E},
    [OP_flt_s] = {emit_compare, 0x0f2f, SINGLE, CC_A},
    [OP_fle_s] = {emit_compare, 0x0f2f, SINGLE, CC_AE},
    [OP_feq_d] = {emit_compare, 0x0f2e, DOUBLE, CC_E},
    [OP_flt_d] = {emit_compare, 0x0f2f, DOUBLE, CC_A},
    [OP_fle_d] = {emit_compare, 0x0f2f, DOUBLE, CC_AE},
    [OP_fcvt_s_w] = {emit_from_int, true, SINGLE, false},
    [OP_fcvt_s_l] = {emit_from_int, true, SINGLE, true},
    [OP_fcvt_d_w] = {emit_from_int, false, DOUBLE, false},
    [OP_fcvt_d_l] = {emit_from_int, true, DOUBLE, true},
    [OP_fcvt_d_wu] = {emit_from_unsigned, 0, DOUBLE, 0},
    [OP_fcvt_w_s] = {emit_to_int, 0, SINGLE, false},
    [OP_fcvt_l_s] = {emit_to_int, 0, SINGLE, true},
    [OP_fcvt_w_d] = {emit_to_int, 0, DOUBLE, false},
    [OP_fcvt_l_d] = {emit_to_int, 0, DOUBLE, true},
    [OP_fcvt_s_d] = {emit_convert, 0, DOUBLE, 0},
    [OP_fcvt_d_s] = {emit_convert, 0, SINGLE, 0},
    [OP_fmv_x_w] = {emit_move_to_x, 0, SINGLE, 0},
    [OP_fmv_x_d] = {emit_move_to_x, 0, DOUBLE, 0},
    [OP_fmv_w_x] = {emit_move_from_x, 0, SINGLE, 0},
    [OP_fmv_d_x] = {emit_move_from_x, 0, DOUBLE, 0},
    [OP_fsgnj_s] = {emit_sign, SIGN_OF, SINGLE, 0},
    [OP_fsgnjn_s] = {emit_sign, SIGN_NOT_OF, SINGLE, 0},
    [OP_fsgnjx_s] = {emit_sign, SIGN_XOR, SINGLE, 0},
    [OP_fsgnj_d] = {emit_sign, SIGN_OF, DOUBLE, 0},
    [OP_fsgnjn_d] = {emit_sign, SIGN_NOT_OF, DOUBLE, 0},
    [OP_fsgnjx_d] = {emit_sign, SIGN_XOR, DOUBLE, 0},
};
