/* What the translator's tests share: a guest, and running it to every count by every engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/rng.h"
#include "tests/guests/edges.h"

static const struct {
    const char *name;
    enum engine engine;
    unsigned slice;
} ways[] = {
    {"eager", ENGINE_EAGER, UINT32_MAX},
    {"eager in slices of 7", ENGINE_EAGER, 7},
    {"eager in slices of 23", ENGINE_EAGER, 23},
    {"translator", ENGINE_TRANSLATOR, UINT32_MAX},
    {"translator in slices of 5", ENGINE_TRANSLATOR, 5},
};

static uint64_t expected[COUNT_MAX + 1];
unsigned parameter;

/* --- a guest --- */

static void note(struct guest *g, uint64_t offset, uint64_t value)
{
    const uint64_t what[] = {g->seen, g->harts[0].pc, g->harts[0].icount, (uint64_t)g->actor.now,
                             offset, value};

    g->seen = hash_bytes(RNG_HASH_START, what, sizeof(what));
}

static void device_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    note(dev->object, offset + size, value);
}

static uint64_t device_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct guest *g = dev->object;

    note(g, offset + size, 0);
    return g->seen;
}

static void changing(struct ram *ram, uint64_t addr, struct page *old)
{
    struct guest *g = ram->changing_opaque;

    for (unsigned i = 0; i < g->env.n_harts; i++)
        hart_page_changing(&g->harts[i], addr, old);
}

static uint64_t mtime(struct hart *h)
{
    return (uint64_t)hart_now(h) / 100;
}

void guest_start(struct guest *g, enum engine e, unsigned n_harts)
{
    translate_choose(e);
    memset(g, 0, sizeof(*g));
    ram_init(&g->ram, BASE, RAM_PAGES * PAGE_SIZE);
    g->ram.changing = changing;
    g->ram.changing_opaque = g;
    g->device.object = g;
    g->device.region = (struct region){"test", DEVICE, 0x100, 1, 8, device_read, device_write};
    bus_attach(&g->bus, &g->device);
    g->env = (struct hart_env){.ram = &g->ram, .bus = &g->bus, .actor = &g->actor, .mips = 1000,
                               .n_harts = n_harts, .harts = g->harts, .mtime = mtime};
    for (unsigned i = 0; i < n_harts; i++) {
        hart_init(&g->harts[i], &g->env, i);
        hart_reset(&g->harts[i], BASE);
        g->harts[i].mtvec = BASE + HANDLER_AT;
        g->harts[i].pmpaddr[0] = UINT64_MAX >> 10;
        g->harts[i].pmpcfg[0] = 0x1f;
        g->harts[i].mcounteren = g->harts[i].scounteren = 7;
        g->harts[i].x[S0] = BASE + DATA_AT;
        g->harts[i].x[GP] = BASE;
    }
}

void guest_stop(struct guest *g)
{
    for (unsigned i = 0; i < g->env.n_harts; i++)
        hart_finish(&g->harts[i]);
    ram_finish(&g->ram);
}

uint64_t guest_print(const struct guest *g)
{
    uint64_t hash = ram_hash(&g->ram, g->seen);

    for (unsigned i = 0; i < g->env.n_harts; i++)
        hash = state_hash(hart_fields, &g->harts[i], hash);
    return hash;
}

void guest_put(struct guest *g, uint64_t offset, const uint32_t *words, size_t n)
{
    assert_true(ram_write(&g->ram, BASE + offset, words, n * 4));
}

/* Goes on after the instruction, wherever that was (after a fetch fault: to ra), and sums up. */
void put_handler(struct guest *g)
{
    PUT(g, HANDLER_AT,
        CSRR(T6, MCAUSE), ADD(S10, S10, T6), BLT(T6, X0, 4 * 12), /* an interrupt: 14 */
        CSRR(T5, MTVAL), XOR(S11, S11, T5), CSRR(T5, MEPC), ADD(S11, S11, T5),
        CSRR(T4, MINSTRET), ADD(S11, S11, T4), ADDI(T4, X0, 1), BEQ(T6, T4, 4 * 7),
        ADDI(T5, T5, 4), CSRW(MEPC, T5), MRET,
        /* 14 */ CSRW(MIE, X0), SLLI(S10, S10, 1), MRET,
        /* 17 */ CSRW(MEPC, RA), MRET);
}

/* --- pages --- */

static void map(struct guest *g, unsigned root, unsigned page, uint64_t pa, unsigned flags)
{
    uint64_t mid = BASE + ROOT_AT + 0x1000 + root * 0x3000ULL;
    uint64_t e[] = {mid >> 2 | 1, (mid + 0x1000) >> 2 | 1, pa >> 2 | flags};

    assert_true(ram_write(&g->ram, mid - 0x1000 + 2 * 8, &e[0], 8));
    assert_true(ram_write(&g->ram, mid, &e[1], 8));
    assert_true(ram_write(&g->ram, mid + 0x1000 + 8 * page, &e[2], 8));
}

/* S-mode: RAM at its own address, code again at page 32, data of two kinds at page 40. */
void start_paged(struct guest *g)
{
    for (unsigned root = 0; root < 2; root++) {
        for (unsigned i = 0; i < RAM_PAGES; i++)
            map(g, root, i, BASE + i * PAGE_SIZE, 0xcf);
        map(g, root, 32, BASE, 0xcf);
        map(g, root, 33, BASE + 0x1000, 0xcf);
        map(g, root, 40, BASE + DATA_AT + root * 0x1000, 0xcf);
    }
    for (unsigned i = 0; i < 2; i++)
        PUT(g, DATA_AT + i * 0x1000, 100 + i * 100, 0, 0, 0);
    g->harts[0].satp = 8ULL << 60 | (BASE + ROOT_AT) >> 12;
    g->harts[0].priv = PRIV_S;
    g->harts[0].x[S2] = BASE + 40 * PAGE_SIZE;
    g->harts[0].x[S3] = BASE + LAST_AT;
    g->harts[0].x[S4] = 8ULL << 60 | (BASE + ROOT_AT) >> 12;
    g->harts[0].x[S5] = 8ULL << 60 | (BASE + ROOT_AT + 0x3000) >> 12;
    g->harts[0].x[S6] = 0x20000;
    put_handler(g);
}

/* --- running --- */

void run_to(struct guest *g, const struct program *p, uint64_t until, uint64_t slice)
{
    struct hart *h = &g->harts[0];

    while (h->icount < until) {
        uint64_t to = MIN(until, h->icount + slice);

        if (h->icount < p->irq_at)
            to = MIN(to, p->irq_at);
        hart_run(h, to);
        assert_true(h->icount <= to);
        if (p->irq_at && h->icount == p->irq_at)
            hart_set_pending(h, IRQ_MTI, true);
    }
}

static void complain(const struct program *p, unsigned way, unsigned n)
{
    static struct guest g;

    fprintf(stderr, "%s: differs after instruction %u (parameter %u, interrupt at %llu)\n",
            ways[way].name, n, parameter, (unsigned long long)p->irq_at);
    for (unsigned i = 0; i < 2; i++) {
        guest_start(&g, i ? ways[way].engine : ENGINE_INTERPRETER, 1);
        p->load(&g);
        run_to(&g, p, n, i ? ways[way].slice : 1);
        fprintf(stderr, "%s: ram %llx, device %llx\n", i ? "it has" : "the interpreter has",
                (unsigned long long)ram_hash(&g.ram, 1), (unsigned long long)g.seen);
        state_dump(hart_fields, &g.harts[0], "hart", stderr);
        guest_stop(&g);
    }
    fail();
}

void agree_on(const struct program *p)
{
    static struct guest g;

    assert_true(p->n <= COUNT_MAX);
    guest_start(&g, ENGINE_INTERPRETER, 1);
    p->load(&g);
    for (unsigned n = 1; n <= p->n; n++) {
        run_to(&g, p, n, 1);
        expected[n] = guest_print(&g);
    }
    guest_stop(&g);
    for (unsigned w = 0; w < ARRAY_LEN(ways); w++) {
        for (unsigned n = p->n; n > 0; n -= MIN(n, n > 150 ? 13 : 1)) {
            bool same;

            guest_start(&g, ways[w].engine, 1);
            p->load(&g);
            run_to(&g, p, n, ways[w].slice);
            same = guest_print(&g) == expected[n];
            guest_stop(&g);
            if (!same)
                complain(p, w, n);
        }
    }
}

void agree(void (*load)(struct guest *g), unsigned n)
{
    const struct program p = {load, n, 0};

    agree_on(&p);
    assert_int_equal(page_alive(), 0);
}


void agree_at_end(const struct program *p, uint64_t end)
{
    static struct guest g;
    uint64_t prints[3];

    for (unsigned e = 0; e < 3; e++) {
        guest_start(&g, (enum engine)e, 1);
        p->load(&g);
        run_to(&g, p, end, e == ENGINE_EAGER ? 777 : UINT32_MAX);
        prints[e] = guest_print(&g);
        guest_stop(&g);
    }
    if (prints[0] != prints[2] || prints[1] != prints[2])
        agree_on(p);
    assert_int_equal(prints[ENGINE_TRANSLATOR], prints[ENGINE_INTERPRETER]);
    assert_int_equal(prints[ENGINE_EAGER], prints[ENGINE_INTERPRETER]);
}
