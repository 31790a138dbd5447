/* Which instructions make a trace. */
#include "guests/translate/trace.h"

#define RA 1
#define NOT_KNOWN (-1)

struct former {
    struct trace *t;
    const struct code *code;
    const uint8_t *data;
    uint32_t off;  /* of the next instruction */
    int32_t ra;    /* page offset that the return address register holds, or NOT_KNOWN */
    uint64_t seen[PAGE_SIZE / 2 / 64]; /* starts of instructions in the trace */
};

static bool is_seen(const struct former *f, int32_t off)
{
    return f->seen[off >> 7] >> (off >> 1 & 63) & 1;
}

/* Whether a trace may go on there: in this page, and not yet in the trace. */
static bool may_follow(const struct former *f, int32_t to)
{
    return to >= 0 && to < (int32_t)PAGE_SIZE && !is_seen(f, to);
}

/* The next instruction; false: it crosses the page's end. */
static bool next_insn(const struct former *f, struct trace_insn *i)
{
    uint32_t bits;

    if (f->off >= PAGE_SIZE)
        return false;
    bits = load_le16(f->data + f->off);
    if (!decode_is_compressed(bits)) {
        if (f->off + 4 > PAGE_SIZE)
            return false;
        bits = load_le32(f->data + f->off);
    }
    i->in = decode(bits);
    i->off = (uint16_t)f->off;
    i->next = (uint16_t)(f->off + i->in.len);
    i->flow = FLOW_ON;
    if (i->in.format == FMT_B)
        i->target = (int32_t)f->off + imm_b(i->in.bits);
    else if (i->in.format == FMT_J)
        i->target = (int32_t)f->off + imm_j(i->in.bits);
    return true;
}

/* Whether the interpreter has only ever seen the branch at the end of this block taken. */
static bool always_taken(const struct former *f, const struct trace_insn *i)
{
    const struct block *b;
    const struct block_link *link;

    for (uint32_t start = i->off; start + BLOCK_MAX * 2 > i->off; start -= 2) {
        b = code_find(f->code, start);
        if (b && block_offs(b)[b->n - 1] == i->off) {
            link = (const struct block_link *)(b->ops + b->n);
            return atomic_load_explicit(&link->to[1], memory_order_relaxed) &&
                   !atomic_load_explicit(&link->to[0], memory_order_relaxed);
        }
        if (start < 2)
            break;
    }
    return false;
}

static void end_at(struct trace *t, enum trace_end end, int32_t to)
{
    t->end = (uint8_t)end;
    t->to = to;
}

/* A branch ends the trace if it goes back, as loops do: what comes after one is another matter. */
static bool add_branch(struct former *f, struct trace_insn *i)
{
    if (i->target > i->off && may_follow(f, i->target) && always_taken(f, i)) {
        i->flow = FLOW_SIDE_NOT;
        f->off = (uint32_t)i->target;
        return true;
    }
    i->flow = FLOW_SIDE;
    f->off = i->next;
    if (i->target > i->off)
        return true;
    end_at(f->t, END_GOTO, i->next);
    return false;
}

static bool add_jump(struct former *f, struct trace_insn *i)
{
    i->flow = FLOW_JUMP;
    if (insn_rd(&i->in) == RA)
        f->ra = i->next;
    f->off = (uint32_t)i->target;
    if (may_follow(f, i->target))
        return true;
    end_at(f->t, END_GOTO, i->target);
    return false;
}

/* A plain return to a call that is in the trace goes on after the call. */
static bool add_indirect(struct former *f, struct trace_insn *i)
{
    const struct insn *in = &i->in;

    if (insn_rs1(in) == RA && insn_rd(in) == 0 && imm_i(in->bits) == 0 && f->ra != NOT_KNOWN &&
        may_follow(f, f->ra)) {
        i->flow = FLOW_RETURN;
        f->off = (uint32_t)f->ra;
        return true;
    }
    end_at(f->t, END_INDIRECT, 0);
    return false;
}

static bool writes_x(enum op_format f)
{
    return f != FMT_S && f != FMT_B && f != FMT_FI && f != FMT_FR && f != FMT_FM && f != FMT_F4;
}

/* Add one; false: it was the last. */
static bool add(struct former *f, struct trace_insn *i)
{
    struct trace *t = f->t;
    bool on = true;

    f->seen[i->off >> 7] |= 1ULL << (i->off >> 1 & 63);
    t->lines |= 1ULL << (i->off >> 6) | 1ULL << ((i->next - 1) >> 6);
    if (i->in.format == FMT_B) {
        on = add_branch(f, i);
    } else if (i->in.format == FMT_J) {
        on = add_jump(f, i);
    } else if (i->in.format == FMT_JR) {
        on = add_indirect(f, i);
    } else {
        if (writes_x(i->in.format) && insn_rd(&i->in) == RA)
            f->ra = NOT_KNOWN;
        f->off = i->next;
    }
    t->insns[t->n++] = *i;
    return on;
}

bool trace_form(struct trace *t, const struct block *b, const uint8_t *data, unsigned max)
{
    struct former f = {.t = t, .code = b->code, .data = data, .off = b->off, .ra = NOT_KNOWN};
    struct trace_insn i = {.flow = FLOW_ON};

    *t = (struct trace){.off = b->off};
    for (;;) {
        if (t->n == max || f.off >= PAGE_SIZE || is_seen(&f, (int32_t)f.off)) {
            end_at(t, END_GOTO, (int32_t)f.off);
            break;
        }
        if (!next_insn(&f, &i) || i.in.format == FMT_SYS || i.in.format == FMT_ILLEGAL) {
            end_at(t, END_LEAVE, (int32_t)f.off);
            break;
        }
        if (!add(&f, &i))
            break;
    }
    return t->n > 0;
}
