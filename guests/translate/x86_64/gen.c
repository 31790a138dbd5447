/* A trace as x86-64 machine code: the order of things, and the pieces that emitters share. */
#include "guests/translate/x86_64/gen.h"

#include "guests/exec.h"
#include "guests/translate/arena.h"

unsigned gen_use(struct gen *g, unsigned x, unsigned scratch)
{
    if (host_of[x])
        return host_of[x];
    if (x == 0)
        asm_modrm(&g->a, false, 0x31, scratch, in_reg(scratch)); /* xor */
    else
        asm_load(&g->a, scratch, home(x));
    return scratch;
}

void gen_put(struct gen *g, unsigned rd, unsigned from)
{
    if (rd)
        asm_store(&g->a, place(rd), from);
}

void gen_move(struct gen *g, unsigned dst, unsigned x)
{
    if (x == 0)
        asm_modrm(&g->a, false, 0x31, dst, in_reg(dst)); /* xor */
    else
        asm_load(&g->a, dst, place(x));
}

void gen_set(struct gen *g, unsigned rd, enum cc cc)
{
    unsigned dst = gen_target(rd);

    asm_modrm8(&g->a, 0x0f90u | cc, 0, in_reg(RAX));
    asm_modrm(&g->a, false, 0x0fb6, dst, in_reg(RAX)); /* movzx, from al */
    gen_put(g, rd, dst);
}

void gen_shift(struct gen *g, bool w, unsigned ext, unsigned reg, unsigned n)
{
    if (!n)
        return;
    asm_modrm(&g->a, w, 0xc1, ext, in_reg(reg));
    asm_8(&g->a, n);
}

void gen_page_address(struct gen *g, unsigned dst, int32_t offset)
{
    asm_load(&g->a, dst, FIELD_AT(page_va));
    if (offset)
        asm_group1(&g->a, true, G1_ADD, in_reg(dst), offset);
}

/* --- the interpreter for single instructions --- */

static uint16_t step_slot(struct gen *g, uint16_t insn)
{
    for (uint32_t i = g->n_steps; i-- > 0;)
        if (g->steps[i] == insn)
            return (uint16_t)i;
    g->steps[g->n_steps] = insn;
    return (uint16_t)g->n_steps++;
}

void gen_step_op(struct gen *g, uint16_t insn)
{
    g->step_slots[g->n_step_refs] = step_slot(g, insn);
    g->step_refs[g->n_step_refs++] = asm_lea_ahead(&g->a, RAX);
}

void gen_step(struct gen *g)
{
    gen_step_op(g, (uint16_t)g->i);
    asm_call(&g->a, common.step);
    g->fp_sure = g->fs_on = g->fs_dirty = false; /* it may have been a CSR */
}

void gen_step_if(struct gen *g, enum cc cc, enum detour_kind kind)
{
    g->detours[g->n_detours++] = (struct detour){.site = asm_jcc_ahead(&g->a, cc),
                                                 .insn = (uint16_t)g->i,
                                                 .kind = (uint8_t)kind,
                                                 .to = 1};
}

void gen_steps_if(struct gen *g, enum cc cc, unsigned n)
{
    gen_step_if(g, cc, DETOUR_STEP);
    g->detours[g->n_detours - 1].to = (int32_t)n;
}

void gen_step_back(struct gen *g)
{
    for (uint32_t i = g->n_detours; i-- > 0 && g->detours[i].insn == g->i;)
        if (g->detours[i].kind == DETOUR_STEP || g->detours[i].kind == DETOUR_STEP_FP)
            g->detours[i].back = asm_here(&g->a);
}

/* --- data behind the code --- */

static void align(struct assembler *a, unsigned to)
{
    while ((uintptr_t)asm_here(a) % to && !a->full)
        asm_8(a, 0xcc);
}

static void *data(struct assembler *a, size_t len)
{
    uint8_t *at;

    align(a, 16);
    at = a->p;
    if ((size_t)(a->end - a->p) < len) {
        a->full = true;
        return NULL;
    }
    a->p += len;
    return at;
}

static void refer(uint8_t *site, const void *to)
{
    store_le32(site, (uint32_t)((const uint8_t *)to - (site + 4)));
}

static void data_exits(struct gen *g, struct code *code)
{
    struct native_exit *x = data(&g->a, g->n_exits * sizeof(*x));

    for (uint32_t i = 0; x && i < g->n_exits; i++) {
        x[i] = g->exits[i];
        x[i].code = code;
        refer(g->exit_refs[i], &x[i]);
    }
}

/* Each step's count: native_step's handler sees `left` short by imm (see backend.h). */
static void data_steps(struct gen *g)
{
    uint32_t n = 2 * g->n_steps;
    struct block *b = data(&g->a, BLOCK_BYTES(n));

    if (!b)
        return;
    *b = (struct block){.n = n};
    for (uint32_t i = 0; i < g->n_steps; i++) {
        const struct trace_insn *ti = &g->t->insns[g->steps[i]];
        struct op *op = &b->ops[2 * i];

        op_fill(op, &ti->in, ti->off, 2 * i);
        op[1] = (struct op){.handler = op_return,
                            .imm = (int32_t)(g->t->n - g->steps[i]) - (int32_t)(n - 2 * i),
                            .idx = (uint8_t)(2 * i + 1)};
        block_offs(b)[2 * i] = ti->off;
        block_offs(b)[2 * i + 1] = ti->next;
    }
    block_offs(b)[n] = 0;
    for (uint32_t i = 0; i < g->n_step_refs; i++)
        refer(g->step_refs[i], &b->ops[2 * g->step_slots[i]]);
}

void gen_data(struct gen *g, struct code *code)
{
    if (g->a.full)
        return;
    if (g->n_exits)
        data_exits(g, code);
    if (g->n_steps)
        data_steps(g);
}

/* --- a trace --- */

static void emit_insn(struct gen *g)
{
    const struct insn *in = &g->ti->in;
    const struct rule *tables[] = {int_rules, bit_rules, mem_rules, fp_rules};

    switch (in->format) {
    case FMT_B: flow_branch(g, in); return;
    case FMT_J: flow_jump(g, in); return;
    case FMT_JR: flow_jalr(g, in); return;
    case FMT_N: return; /* FENCE */
    default: break;
    }
    for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
        if (tables[i][in->id].emit) {
            tables[i][in->id].emit(g, in, &tables[i][in->id]);
            return;
        }
    gen_step(g);
}

static struct assembler assemble_in(const struct room *r)
{
    uint8_t *rw = arena_writable(r->exec);

    return (struct assembler){.p = rw, .end = rw + r->size, .exec = r->exec - rw};
}

static void emit_insns(struct gen *g)
{
    for (g->i = 0; g->i < g->t->n; g->i++) {
        unsigned n;

        g->ti = &g->t->insns[g->i];
        n = mem_group(g);
        if (n)
            g->i += n - 1;
        else
            emit_insn(g);
    }
}

/* How much of its room a part took. False: it was too little. */
static bool finish_part(struct gen *g, struct room *r)
{
    r->used = (size_t)(asm_here(&g->a) - r->exec);
    return !g->a.full;
}

bool backend_emit(const struct trace *t, struct emission *e, enum arena_part *full)
{
    struct gen g = {.a = assemble_in(&e->part[ARENA_HOT]),
                    .t = t,
                    .entry = e->part[ARENA_HOT].exec};

    *full = ARENA_HOT;
    flow_start(&g);
    emit_insns(&g);
    flow_end(&g);
    if (!finish_part(&g, &e->part[ARENA_HOT]))
        return false;
    *full = ARENA_COLD;
    g.a = assemble_in(&e->part[ARENA_COLD]);
    flow_detours(&g);
    gen_data(&g, e->code);
    return finish_part(&g, &e->part[ARENA_COLD]);
}
