/* Blocks: decoding them, and finding them by their offset in the page. */
#include <pthread.h>

#include "guests/code.h"
#include "guests/exec.h"
#include "guests/translate/translate.h"

static pthread_mutex_t insert_lock = PTHREAD_MUTEX_INITIALIZER;

struct code *code_of(struct page *p, bool *made)
{
    struct code *c = atomic_load_explicit(&p->code, memory_order_acquire), *fresh;

    *made = false;
    if (c)
        return c;
    fresh = xcalloc(1, sizeof(*fresh));
    atomic_init(&fresh->refs, 1);
    if (!atomic_compare_exchange_strong(&p->code, &c, fresh)) {
        free(fresh); /* another holder of the page was faster */
        return c;
    }
    *made = true;
    return fresh;
}

void code_ref(struct code *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
}

#define ADDRESS_BITS 48
#define TABLE_MIN 16u

static struct block *slot_block(uint64_t slot)
{
    return (struct block *)(uintptr_t)(slot & ((1ULL << ADDRESS_BITS) - 1));
}

static uint32_t slot_of(const struct code_table *t, uint32_t off)
{
    return (off >> 1) * 0x9e3779b1u >> 8 & (t->cap - 1);
}

static void table_free(struct code_table *t)
{
    struct code_table *older;

    for (; t; t = older) {
        older = t->older;
        free(t);
    }
}

void code_unref(struct code *c)
{
    struct code_table *t;

    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    t = atomic_load_explicit(&c->table, memory_order_acquire);
    for (uint32_t i = 0; t && i < t->cap; i++)
        free(slot_block(atomic_load_explicit(&t->slots[i], memory_order_relaxed)));
    table_free(t);
    translate_free(c);
    free(c);
}

struct block *code_find(const struct code *c, uint32_t off)
{
    const struct code_table *t = atomic_load_explicit(&c->table, memory_order_acquire);
    uint64_t slot;

    if (!t)
        return NULL;
    for (uint32_t i = slot_of(t, off);; i = (i + 1) & (t->cap - 1)) {
        slot = atomic_load_explicit(&t->slots[i], memory_order_acquire);
        if (slot >> ADDRESS_BITS == off && slot)
            return slot_block(slot);
        if (!slot)
            return NULL;
    }
}

/* Under the lock. */
static void table_put(struct code_table *t, uint64_t slot)
{
    uint32_t i = slot_of(t, (uint32_t)(slot >> ADDRESS_BITS));

    while (atomic_load_explicit(&t->slots[i], memory_order_relaxed))
        i = (i + 1) & (t->cap - 1);
    atomic_store_explicit(&t->slots[i], slot, memory_order_release);
    t->n++;
}

/* The table with room for one more. */
static struct code_table *table_grow(struct code *c)
{
    struct code_table *t = atomic_load_explicit(&c->table, memory_order_relaxed), *bigger;
    uint32_t cap = t ? t->cap * 2 : TABLE_MIN;
    uint64_t slot;

    if (t && (t->n + 1) * 2 <= t->cap)
        return t;
    bigger = xcalloc(1, sizeof(*bigger) + cap * sizeof(bigger->slots[0]));
    bigger->cap = cap;
    bigger->older = t;
    for (uint32_t i = 0; t && i < t->cap; i++) {
        slot = atomic_load_explicit(&t->slots[i], memory_order_relaxed);
        if (slot)
            table_put(bigger, slot);
    }
    atomic_store_explicit(&c->table, bigger, memory_order_release);
    return bigger;
}

/* The lines that a block's bytes touch. */
static uint64_t lines_of(const struct block *b)
{
    unsigned first = b->off >> 6, last = MIN((block_offs(b)[b->n] - 1u) >> 6, 63u);

    return (~0ULL << first) & (~0ULL >> (63 - last));
}

/* Publish a block unless another thread decoded the same meanwhile. */
static struct block *insert(struct code *c, struct block *b)
{
    struct block *found;

    pthread_mutex_lock(&insert_lock);
    found = code_find(c, b->off);
    if (!found) {
        atomic_fetch_or_explicit(&c->lines, lines_of(b), memory_order_relaxed);
        table_put(table_grow(c), (uint64_t)b->off << ADDRESS_BITS | (uintptr_t)b);
    }
    pthread_mutex_unlock(&insert_lock);
    if (!found)
        return b;
    free(b);
    return found;
}

struct block *code_get(struct code *c, const uint8_t *data, uint32_t off)
{
    _Alignas(16) uint8_t room[BLOCK_BYTES(BLOCK_MAX)];
    struct block *tmp = (struct block *)room, *b = code_find(c, off);

    if (b)
        return b;
    if (!block_decode(tmp, data, off, BLOCK_MAX, op_next))
        return NULL;
    b = xmalloc(BLOCK_BYTES(tmp->n));
    memcpy(b, tmp, BLOCK_BYTES(tmp->n));
    b->code = c;
    translate_new_block(b);
    return insert(c, b);
}

/* An integer destination: writes to x0 go where nobody looks. */
static uint8_t x_dest(uint32_t bits)
{
    uint32_t rd = bits >> 7 & 31;

    return (uint8_t)(rd ? rd : 32);
}

static int32_t imm_of(const struct insn *in, uint32_t off)
{
    uint32_t bits = in->bits, next = off + in->len;

    switch (in->format) {
    case FMT_I:
    case FMT_FI: return imm_i(bits);
    case FMT_S: return imm_s(bits);
    case FMT_SH: return bits >> 20 & 63;
    case FMT_U: return (int32_t)(bits & 0xfffff000);
    case FMT_UPC: return (int32_t)((bits & 0xfffff000) + off);
    case FMT_B: return imm_b(bits) + (int32_t)off;
    case FMT_J: return imm_j(bits) + (int32_t)off;
    case FMT_JR: return (int32_t)((uint32_t)imm_i(bits) << 16 | next);
    case FMT_FM:
    case FMT_XM: return bits >> 12 & 7;
    case FMT_F4: return (int32_t)((bits >> 12 & 7) | (bits >> 27) << 8);
    default: return (int32_t)bits;
    }
}

static bool f_dest(enum op_format f)
{
    return f == FMT_FI || f == FMT_FR || f == FMT_FM || f == FMT_F4;
}

void op_fill(struct op *op, const struct insn *in, uint32_t off, unsigned idx)
{
    uint32_t bits = in->bits, next = off + in->len;

    op->handler = op_handlers[in->id];
    op->imm = imm_of(in, off);
    op->rd = f_dest(in->format) ? (uint8_t)(bits >> 7 & 31) : x_dest(bits);
    op->rs1 = bits >> 15 & 31;
    op->rs2 = bits >> 20 & 31;
    op->idx = (uint8_t)idx;
    if (in->format == FMT_J) {
        op->rs1 = (uint8_t)next;
        op->rs2 = (uint8_t)(next >> 8);
    }
}

/* Whether it never goes on to the next op of its block. */
static bool leaves(enum op_format f)
{
    return f == FMT_B || f == FMT_J || f == FMT_JR || f == FMT_SYS || f == FMT_ILLEGAL;
}

/* Two ops in one step, where that is common: see exec_pair.c. */
static void pair_up(struct block *b, const uint8_t *ids)
{
    for (unsigned i = 0; i + 1 < b->n; i++) {
        op_fn *f = op_pair((enum op_id)ids[i], (enum op_id)ids[i + 1]);

        if (f) {
            b->ops[i].handler = f;
            i++;
        }
    }
}

/* What follows the last op: the one that goes on, if need be, and empty links. */
static void close_block(struct block *b, bool left, op_fn *end)
{
    struct op *op = &b->ops[b->n];

    memset(op, 0, 2 * sizeof(*op));
    if (!left)
        *op = (struct op){.handler = end, .idx = (uint8_t)b->n};
}

bool block_decode(struct block *b, const uint8_t *data, uint32_t off, unsigned max, op_fn *end)
{
    uint16_t offs[BLOCK_MAX + 1];
    uint8_t ids[BLOCK_MAX];
    bool left = false;

    *b = (struct block){.off = (uint16_t)off};
    while (b->n < max && b->n < BLOCK_MAX && off < PAGE_SIZE && !left) {
        uint32_t bits = load_le16(data + off);
        struct insn in;

        if (!decode_is_compressed(bits)) {
            if (off + 4 > PAGE_SIZE)
                break;
            bits = load_le32(data + off);
        }
        in = decode(bits);
        op_fill(&b->ops[b->n], &in, off, b->n);
        ids[b->n] = (uint8_t)in.id;
        offs[b->n++] = (uint16_t)off;
        off += in.len;
        left = leaves(in.format);
    }
    if (b->n == 0)
        return false;
    close_block(b, left, end);
    offs[b->n] = (uint16_t)off;
    memcpy(block_offs(b), offs, (b->n + 1) * sizeof(offs[0]));
    pair_up(b, ids);
    return true;
}

void block_decode_one(struct block *b, uint32_t bits, uint32_t off, op_fn *end)
{
    struct insn in = decode(bits);

    *b = (struct block){.off = (uint16_t)off, .n = 1};
    op_fill(&b->ops[0], &in, off, 0);
    close_block(b, leaves(in.format), end);
    block_offs(b)[0] = (uint16_t)off;
    block_offs(b)[1] = (uint16_t)(off + in.len);
}
