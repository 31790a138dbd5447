/* What decoded code there is, and how much of it guests share: counted for those who ask. */
#include "guests/code_stats.h"

#include "guests/code.h"
#include "guests/ram.h"

void code_stats_add(struct code_stats *s, const struct ram *r)
{
    for (uint64_t at = 0; at < r->size; at += PAGE_SIZE) {
        struct page *p = ram_page(r, r->base + at);
        const struct code *c = atomic_load_explicit(&p->code, memory_order_acquire);

        if (!c)
            continue;
        array_reserve(s->uses, &s->cap, s->n_uses + 1);
        s->uses[s->n_uses++] = (struct code_use){c, s->n_guests};
    }
    s->n_guests++;
}

/* By address, which says nothing, but brings the uses of each page together. */
static int compare(const void *a, const void *b)
{
    const struct code_use *x = a, *y = b;

    if (x->code != y->code)
        return (uintptr_t)x->code < (uintptr_t)y->code ? -1 : 1;
    return (x->guest > y->guest) - (x->guest < y->guest);
}

static uint64_t blocks_of(const struct code *c)
{
    const struct code_table *t = atomic_load_explicit(&c->table, memory_order_acquire);

    return t ? t->n : 0;
}

void code_stats_end(struct code_stats *s)
{
    const struct code_use *u = s->uses;

    if (s->n_uses)
        qsort(s->uses, s->n_uses, sizeof(*u), compare);
    for (uint32_t i = 0, next; i < s->n_uses; i = next) {
        uint64_t guests = 1;

        for (next = i + 1; next < s->n_uses && u[next].code == u[i].code; next++)
            guests += u[next].guest != u[next - 1].guest;
        s->pages++;
        s->shared += guests > 1;
        s->held += guests;
        s->blocks += blocks_of(u[i].code);
    }
}

void code_stats_finish(struct code_stats *s)
{
    free(s->uses);
    memset(s, 0, sizeof(*s));
}
