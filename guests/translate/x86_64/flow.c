/* Control flow: branches, jumps, the ways out of a trace and the budget. */
#include "guests/translate/arena.h"
#include "guests/translate/x86_64/gen.h"

static bool in_page(int32_t to)
{
    return to >= 0 && to < (int32_t)PAGE_SIZE;
}

/* To the pc in RAX, wherever it is: by the jump cache, else out. */
static void go_indirect(struct gen *g)
{
    struct assembler *a = &g->a;

    asm_modrm(a, false, 0x8b, RCX, in_reg(RAX));
    asm_modrm(a, false, 0xc1, 4, in_reg(RCX)); /* shl ecx, 3: two bytes of pc, 16 of cache */
    asm_8(a, 3);
    asm_modrm(a, false, 0x23, RCX, FIELD_AT(jump_mask));
    asm_modrm(a, true, 0x03, RCX, FIELD_AT(jumps));
    asm_load(a, RDX, in_reg(RAX));
    asm_modrm(a, true, 0x33, RDX, FIELD_AT(jump_xor));
    asm_modrm(a, true, 0x3b, RDX, in_mem(RCX, offsetof(struct jump, key)));
    asm_jcc(a, CC_NE, common.leave);
    asm_load(a, RCX, in_mem(RCX, offsetof(struct jump, block)));
    asm_load(a, RDX, in_reg(RAX));
    asm_group1(a, true, G1_AND, in_reg(RDX), -(int32_t)PAGE_SIZE);
    asm_store(a, FIELD_AT(page_va), RDX);
    asm_modrm(a, false, 0xff, 4, in_mem(RCX, offsetof(struct block, native))); /* jmp */
}

/* An exit's far side, until it is patched: ask where to go. */
static void ask(struct gen *g, uint8_t *site, int32_t to)
{
    g->exits[g->n_exits] = (struct native_exit){.site = site + g->a.exec, .off = to};
    g->exit_refs[g->n_exits++] = asm_lea_ahead(&g->a, RAX);
    asm_jmp(&g->a, common.exit);
}

/* To a place relative to the page. */
static void go(struct gen *g, int32_t to)
{
    if (!in_page(to)) {
        gen_page_address(g, RAX, to);
        go_indirect(g);
    } else if (to == g->t->off) {
        asm_jmp(&g->a, g->entry);
    } else {
        asm_align_site(&g->a, 1);
        g->detours[g->n_detours++] =
            (struct detour){.site = asm_jmp_ahead(&g->a), .kind = DETOUR_ASK, .to = to};
    }
}

static void exit_if(struct gen *g, enum cc cc, int32_t to)
{
    if (gen_after(g) == 0 && to == g->t->off) {
        asm_jcc(&g->a, cc, g->entry);
        return;
    }
    if (gen_after(g) == 0)
        asm_align_site(&g->a, 2);
    g->detours[g->n_detours++] = (struct detour){.site = asm_jcc_ahead(&g->a, cc),
                                                 .insn = (uint16_t)g->i,
                                                 .kind = DETOUR_EXIT,
                                                 .to = to};
}

/* The condition with its operands exchanged. */
static enum cc mirrored(enum cc cc)
{
    switch (cc) {
    case CC_L: return CC_G;
    case CC_GE: return CC_LE;
    case CC_B: return CC_A;
    case CC_AE: return CC_BE;
    default: return cc;
    }
}

static enum cc compare(struct gen *g, const struct insn *in)
{
    static const uint8_t conditions[8] = {CC_E, CC_NE, 0, 0, CC_L, CC_GE, CC_B, CC_AE};
    enum cc cc = conditions[in->bits >> 12 & 7];
    unsigned rs1 = insn_rs1(in), rs2 = insn_rs2(in);

    if (rs1 == 0) {
        rs1 = rs2;
        rs2 = 0;
        cc = mirrored(cc);
    }
    if (rs2 == 0 && host_of[rs1])
        asm_modrm(&g->a, true, 0x85, host_of[rs1], in_reg(host_of[rs1])); /* test */
    else if (rs2 == 0)
        asm_group1(&g->a, true, G1_CMP, place(rs1), 0);
    else if (host_of[rs1] || !host_of[rs2])
        asm_modrm(&g->a, true, 0x3b, gen_use(g, rs1, RAX), place(rs2));
    else
        asm_modrm(&g->a, true, 0x39, host_of[rs2], place(rs1)); /* cmp r/m, r */
    return cc;
}

void flow_branch(struct gen *g, const struct insn *in)
{
    enum cc cc = compare(g, in);

    if (g->ti->flow == FLOW_SIDE_NOT)
        exit_if(g, cc ^ 1, g->ti->next);
    else
        exit_if(g, cc, g->ti->target);
}

static void link_register(struct gen *g, unsigned rd)
{
    unsigned dst = host_of[rd] ? host_of[rd] : RDX;

    if (!rd)
        return;
    gen_page_address(g, dst, g->ti->next);
    gen_put(g, rd, dst);
}

void flow_jump(struct gen *g, const struct insn *in)
{
    link_register(g, insn_rd(in));
}

void flow_jalr(struct gen *g, const struct insn *in)
{
    if (g->ti->flow == FLOW_RETURN)
        return;
    asm_load(&g->a, RAX, place(insn_rs1(in)));
    if (imm_i(in->bits))
        asm_group1(&g->a, true, G1_ADD, in_reg(RAX), imm_i(in->bits));
    asm_group1(&g->a, true, G1_AND, in_reg(RAX), -2);
    link_register(g, insn_rd(in));
    go_indirect(g);
}

void flow_start(struct gen *g)
{
    asm_group1(&g->a, true, G1_SUB, in_reg(LEFT), (int32_t)g->t->n);
    g->detours[g->n_detours++] =
        (struct detour){.site = asm_jcc_ahead(&g->a, CC_S), .kind = DETOUR_BUDGET};
}

/* Out, to the interpreter, at a place relative to the page. */
static void leave_at(struct gen *g, int32_t to)
{
    gen_page_address(g, RAX, to);
    asm_jmp(&g->a, common.leave);
}

void flow_end(struct gen *g)
{
    if (g->t->end == END_GOTO)
        go(g, g->t->to);
    else if (g->t->end == END_LEAVE)
        leave_at(g, g->t->to);
}

static void give_back(struct gen *g, uint32_t n)
{
    if (n)
        asm_group1(&g->a, true, G1_ADD, in_reg(LEFT), (int32_t)n);
}

static void detour_exit(struct gen *g, const struct detour *d)
{
    uint32_t after = g->t->n - d->insn - 1;

    asm_bind(&g->a, d->site);
    give_back(g, after);
    if (after == 0 && in_page(d->to))
        ask(g, d->site, d->to); /* the branch itself is patched */
    else
        go(g, d->to);
}

static void detour_step(struct gen *g, const struct detour *d)
{
    asm_bind(&g->a, d->site);
    for (int32_t i = 0; i < d->to; i++) {
        gen_step_op(g, (uint16_t)(d->insn + i));
        asm_call(&g->a, common.step);
    }
    if (d->kind == DETOUR_STEP) {
        asm_jmp(&g->a, d->back);
        return;
    }
    asm_modrm(&g->a, false, 0x80, G1_CMP, FIELD_AT(fp_live));
    asm_8(&g->a, FP_DYN);
    asm_jcc(&g->a, CC_E, d->back);
    give_back(g, g->t->n - d->insn - 1u);
    leave_at(g, g->t->insns[d->insn].next);
}

void flow_detours(struct gen *g)
{
    for (uint32_t i = 0; i < g->n_detours; i++) {
        const struct detour *d = &g->detours[i]; /* exits add some */

        switch (d->kind) {
        case DETOUR_EXIT: detour_exit(g, d); break;
        case DETOUR_ASK:
            asm_bind(&g->a, d->site);
            ask(g, d->site, d->to);
            break;
        case DETOUR_BUDGET:
            asm_bind(&g->a, d->site);
            give_back(g, g->t->n);
            leave_at(g, g->t->off);
            break;
        default: detour_step(g, d);
        }
    }
}

void backend_patch(const struct native_exit *exit, const uint8_t *entry)
{
    uint8_t *site = arena_writable(exit->site);

    __atomic_store_n((uint32_t *)(void *)site, (uint32_t)(entry - (exit->site + 4)),
                     __ATOMIC_RELEASE);
}
