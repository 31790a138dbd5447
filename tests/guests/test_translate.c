/* The translator at its edges: programs that a translator may get wrong, each run to every count. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "guests/cpu.h"
#include "guests/translate/arena.h"
#include "guests/translate/translate.h"
#include "sim/actor.h"
#include "sim/rng.h"
#include "tests/guests/asm.h"

#define BASE 0x80000000ULL
#define RAM_PAGES 16
#define DEVICE 0x10000000ULL
#define HANDLER_AT 0xc00 /* in every program's first page */
#define DATA_AT 0x4000
#define ROOT_AT 0x8000
#define LAST_AT 0xa000
#define COUNT_MAX 2048

/* One or two harts, RAM, and a device that notes what it sees. */
struct guest {
    struct ram ram;
    struct bus bus;
    struct actor actor;
    struct hart_env env;
    struct hart harts[2];
    struct device device;
    uint64_t seen;
};

/* What a test runs, and up to which count; `irq_at`: then the timer's interrupt is pending. */
struct program {
    void (*load)(struct guest *g);
    unsigned n;
    uint64_t irq_at;
};

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
static unsigned parameter; /* of a program that is one of many */

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

static void guest_start(struct guest *g, enum engine e, unsigned n_harts)
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

static void guest_stop(struct guest *g)
{
    for (unsigned i = 0; i < g->env.n_harts; i++)
        hart_finish(&g->harts[i]);
    ram_finish(&g->ram);
}

static uint64_t state_of(const struct guest *g)
{
    uint64_t hash = ram_hash(&g->ram, g->seen);

    for (unsigned i = 0; i < g->env.n_harts; i++)
        hash = state_hash(hart_fields, &g->harts[i], hash);
    return hash;
}

static void put(struct guest *g, uint64_t offset, const uint32_t *words, size_t n)
{
    assert_true(ram_write(&g->ram, BASE + offset, words, n * 4));
}

#define PUT(g, offset, ...)                                                                        \
    do {                                                                                           \
        const uint32_t words_[] = {__VA_ARGS__};                                                   \
        put(g, offset, words_, ARRAY_LEN(words_));                                                 \
    } while (0)

/* Goes on after the instruction, wherever that was (after a fetch fault: to ra), and sums up. */
static void put_handler(struct guest *g)
{
    PUT(g, HANDLER_AT,
        CSRR(T6, MCAUSE), ADD(S10, S10, T6), BLT(T6, X0, 4 * 12), /* an interrupt: 14 */
        CSRR(T5, MTVAL), XOR(S11, S11, T5), CSRR(T5, MEPC), ADD(S11, S11, T5),
        CSRR(T4, MINSTRET), ADD(S11, S11, T4), ADDI(T4, X0, 1), BEQ(T6, T4, 4 * 7),
        ADDI(T5, T5, 4), CSRW(MEPC, T5), MRET,
        /* 14 */ CSRW(MIE, X0), SLLI(S10, S10, 1), MRET,
        /* 17 */ CSRW(MEPC, RA), MRET);
}

/* --- running --- */

static void run_to(struct guest *g, const struct program *p, uint64_t until, uint64_t slice)
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

/* The interpreter's state after each instruction is every engine's, however it got there. */
static void agree_on(const struct program *p)
{
    static struct guest g;

    assert_true(p->n <= COUNT_MAX);
    guest_start(&g, ENGINE_INTERPRETER, 1);
    p->load(&g);
    for (unsigned n = 1; n <= p->n; n++) {
        run_to(&g, p, n, 1);
        expected[n] = state_of(&g);
    }
    guest_stop(&g);
    for (unsigned w = 0; w < ARRAY_LEN(ways); w++) {
        for (unsigned n = p->n; n > 0; n -= MIN(n, n > 150 ? 13 : 1)) {
            bool same;

            guest_start(&g, ways[w].engine, 1);
            p->load(&g);
            run_to(&g, p, n, ways[w].slice);
            same = state_of(&g) == expected[n];
            guest_stop(&g);
            if (!same)
                complain(p, w, n);
        }
    }
}

static void agree(void (*load)(struct guest *g), unsigned n)
{
    const struct program p = {load, n, 0};

    agree_on(&p);
    assert_int_equal(page_alive(), 0);
}

/* --- code that changes --- */

static void load_changes_ahead(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        LW(A0, GP, 4 * 9), ADDI(A2, X0, 40),
        SLLI(A1, A2, 20), ADD(A1, A1, A0), SW(A1, GP, 4 * 6), ADDI(A3, A3, 1),
        ADDI(A4, A4, 1), /* 6: its immediate changes each time */
        ADDI(A2, A2, -1), BNE(A2, X0, 4 * (2 - 8)),
        ADDI(A4, A4, 0), J(4 * (1 - 10)));
}

static void load_changes_behind(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        LW(A0, GP, 4 * 8), ADDI(A4, A4, 1), /* 1: changes every eighth time */
        ADDI(A2, A2, 1), ANDI(A3, A2, 7), BNE(A3, X0, 4 * (1 - 4)),
        SLLI(A1, A2, 20), ADD(A1, A1, A0), J(4 * (9 - 7)),
        ADDI(A4, A4, 0), SW(A1, GP, 4 * 1), J(4 * (1 - 10)));
}

/* Half an instruction, data in a line of code, data in another line, and fence.i. */
static void load_changes_halves(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        ADDI(A2, A2, 1), SLLI(A1, A2, 4), SH(A1, GP, 4 * 6 + 2), SD(A2, GP, 4 * 12),
        SD(A2, GP, 0x200), FENCE_I,
        ADDI(A4, A4, 1), /* 6 */
        LD(A5, GP, 4 * 12), ADD(A4, A4, A5), SB(A2, GP, 0x201), LH(A5, GP, 0x200),
        J(-4 * 11), 0, 0);
}

/* A loop that is copied elsewhere, run there, and changed there. */
static void load_copies_itself(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        LUI(S1, 1), ADD(S1, S1, GP), LD(A0, GP, 0x100), LD(A1, GP, 0x108), ADDI(A2, A2, 1),
        ANDI(A3, A2, 15), SLLI(A3, A3, 4), ADD(S2, S1, A3), SD(A0, S2, 0), SD(A1, S2, 8), FENCE_I,
        JALR(RA, S2, 0), ADDI(A5, A5, 1), J(4 * (4 - 13)));
    PUT(g, 0x100, ADDI(A4, A4, 3), XORI(A4, A4, 0x55), ADDI(T0, X0, 9), RET);
}

static void code_that_changes(void **state)
{
    (void)state;
    agree(load_changes_ahead, 400);
    agree(load_changes_behind, 400);
    agree(load_changes_halves, 400);
    agree(load_copies_itself, 700);
}

/* --- the flow --- */

/* 32-bit instructions whose upper halves are instructions too, entered at both. */
static void load_odd_halves(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        AUIPC(S1, 0), ADDI(A2, A2, 1), ANDI(A3, A2, 1), SLLI(A3, A3, 1), ADD(A3, A3, S1),
        JALR(RA, A3, 0x40), ADDI(A5, A5, 7), J(4 * (1 - 7)));
    /* lui a0, 0x05050: its upper half is c.addi a0, 1; then c.j into an upper half, or not. */
    PUT(g, 0x40, 0x05050537 | 0u, 0x050d0537, 0x00a60633, RET);
}

/* Entries in the middle of what has been a trace, and a loop that grows. */
static void load_middle_entries(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        AUIPC(S1, 0), ADDI(A2, A2, 1), MUL(A3, A2, A2), ANDI(A3, A3, 7), SLLI(A3, A3, 2),
        ADD(A3, A3, S1), JALR(X0, A3, 4 * 7),
        ADDI(A4, A4, 1), ADDI(A4, A4, 2), ADDI(A4, A4, 4), SD(A4, S0, 0), LD(A5, S0, 0),
        XOR(A4, A4, A2), BNE(A4, A5, 8), ADDI(A4, A4, 9), BLT(A5, X0, 4 * (9 - 15)),
        J(4 * (1 - 16)));
}

/* Loops of one and two instructions, counted out by an interrupt or by themselves. */
static void load_small_loops(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        ADDI(A2, X0, 50), ADDI(A2, A2, -1), BNE(A2, X0, -4), 0x157d0001, /* c.nop; c.addi a0, -1 */
        ADDI(A3, X0, 30), BEQ(X0, X0, 4), BLT(X0, A3, 8), J(0),
        ADDI(A3, A3, -1), BNE(A3, X0, -4 * 4), BEQ(A0, A0, 0));
}

static void load_self(struct guest *g)
{
    put_handler(g);
    PUT(g, 0, parameter ? BEQ(X0, X0, 0) : J(0));
}

/* Calls whose return address stays, changes by an instruction of each kind, or lies in t0. */
static void load_calls(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        ADDI(A2, A2, 1), JAL(RA, 0x100 - 4), ADDI(A4, A4, 1), JAL(RA, 0x140 - 12),
        ADDI(A4, A4, 2), JAL(RA, 0x180 - 20), ADDI(A4, A4, 4), ADDI(A4, A4, 8),
        JAL(T0, 0x1c0 - 32), JAL(RA, 0x200 - 36), ADDI(A4, A4, 16), ADDI(A4, A4, 32), J(-48));
    PUT(g, 0x100, ADDI(A5, A5, 1), RET);
    PUT(g, 0x140, SD(RA, S0, 0), ADDI(RA, X0, 0), LD(RA, S0, 0), RET);
    PUT(g, 0x180, ADDI(RA, RA, 4), RET);
    PUT(g, 0x1c0, JALR(X0, T0, 0));
    PUT(g, 0x200, ADDI(A0, RA, 4), SD(A0, S0, 8), ADDI(A1, S0, 8), AMO_D(1, RA, X0, A1),
        JAL(RA, 8), J(12), ADDI(A5, A5, 3), RET, /* 4: a call in the call; 5: goes on */
        ADD(RA, A0, X0), RET);
}

/* sum(n) = n + sum(n - 1), with a stack. */
static void load_recursion(struct guest *g)
{
    g->harts[0].x[SP] = BASE + 0x3000;
    put_handler(g);
    PUT(g, 0, ADDI(A0, X0, 12), JAL(RA, 12), ADD(A4, A4, A0), J(-12),
        /* 4 */ BNE(A0, X0, 8), RET,
        ADDI(SP, SP, -16), SD(RA, SP, 0), SD(A0, SP, 8), ADDI(A0, A0, -1), JAL(RA, 4 * (4 - 10)),
        LD(A1, SP, 8), ADD(A0, A0, A1), LD(RA, SP, 0), ADDI(SP, SP, 16), RET);
}

/* jalr with rd = rs1, odd targets, negative offsets; each goes to a return that adds. */
static void load_jalr(struct guest *g)
{
    put_handler(g);
    PUT(g, 0,
        AUIPC(RA, 0), JALR(RA, RA, 0x80), AUIPC(T0, 0), JALR(T0, T0, 0x91 - 8),
        AUIPC(A0, 0), ADDI(A0, A0, 0x200), JALR(RA, A0, -0x200 - 16 + 0x84), AUIPC(A1, 0),
        JALR(A1, A1, 0xa1 - 28), ADDI(A2, A2, 1), J(-40));
    PUT(g, 0x80, ADD(A4, A4, RA), ADD(A5, A5, RA), RET, 0,
        ADD(A4, A4, T0), JALR(X0, T0, 1), 0, 0, ADD(A4, A4, A1), JALR(A1, A1, 0));
}

static void the_flow(void **state)
{
    (void)state;
    agree(load_odd_halves, 300);
    agree(load_middle_entries, 600);
    agree(load_small_loops, 200);
    for (parameter = 0; parameter < 2; parameter++)
        agree(load_self, 60);
    parameter = 0;
    agree(load_calls, 600);
    agree(load_recursion, 700);
    agree(load_jalr, 400);
}

/* Traces that end at a page's end, and instructions that lie across it. */
static void load_page_end(struct guest *g)
{
    const uint32_t across[] = {ADDI(A4, A4, 77), ADDI(A5, A5, 1), RET};

    put_handler(g);
    PUT(g, 0, LUI(S1, 1), ADD(S1, S1, GP), ADDI(A2, A2, 1), JALR(RA, S1, (int)parameter - 64),
        ADDI(A3, A3, 1), J(-12));
    for (unsigned at = 0x1000 + parameter - 64; at < 0x1000 - 4; at += 4)
        PUT(g, at, ADDI(A1, A1, 1));
    put(g, 0x1000 - 4 + (parameter & 2), across, ARRAY_LEN(across));
}

static void load_faults(struct guest *g);

static void page_ends(void **state)
{
    (void)state;
    for (parameter = 0; parameter <= 62; parameter += 6)
        agree(load_page_end, 200);
    parameter = 0;
}

/* --- results that go nowhere --- */

static void load_x0(struct guest *g)
{
    g->harts[0].mstatus |= MSTATUS_FS;
    g->harts[0].f[1] = 0x3ff8000000000000ULL;
    put_handler(g);
    PUT(g, 0,
        LD(X0, S0, 0), LW(X0, S0, 3), LD(X0, X0, 0), ADDI(X0, A2, 5), ADD(X0, A2, A2),
        MUL(X0, A2, A2), DIV(X0, A2, X0), LUI(X0, 5), AUIPC(X0, 5), SLLI(X0, A2, 3),
        AMO_D(0, X0, A2, S0), AMO_W(4, X0, A2, S0), SC_D(X0, A2, S0), LR_D(X0, S0),
        CSRRW(X0, FFLAGS, X0), 0xc2209053 & ~(31u << 7), /* fcvt.l.d x0, f1, rtz: inexact */
        CSRR(A3, FFLAGS), 0xa2109053 & ~(31u << 7), /* flt.d x0, f1, f1 */
        JAL(X0, 8), ADDI(A4, A4, 1), CSRRS(X0, CYCLE, X0), ADD(A5, A5, X0), ADDI(A2, A2, 1),
        SUB(A5, X0, A2), J(-4 * 24));
}

static void results_for_x0(void **state)
{
    (void)state;
    agree(load_x0, 500);
}

/* --- faults, devices and counters at each place of a trace --- */

#define PLACES 12

/* parameter: the place * 64 + which intruder stands there instead of an addition. */
static void load_faults(struct guest *g)
{
    const uint32_t intruders[] = {
        LD(A1, X0, 0), SW(A1, X0, 8), JALR(RA, X0, 0), ECALL, EBREAK, ILLEGAL,
        AMO_W(0, A1, A2, T0), LR_D(A1, T0), LW(A1, T0, 0), SD(A2, T0, 4093), LW(A1, S1, 0),
        SW(A2, S1, 4), LD(A1, S1, 8), SB(A2, S1, 1), CSRR(A1, INSTRET), CSRR(A1, CYCLE),
        CSRW(MINSTRET, A2), CSRW(MCYCLE, A2), CSRR(A1, 0xc01), CSRW(INSTRET, A2), CSRSI(MIP, 2),
        CSRSI(MSTATUS, 8), FENCE_I, FENCE, SFENCE_VMA, CSRW(SATP, X0), LW(A1, GP, 0x7c),
        SW(A1, GP, 0x7c), AMO_W(1, A1, A2, S1), CSRW(0xc00, A1), JAL(RA, 4), BEQ(X0, X0, 4),
        BNE(X0, X0, 4), CSRWI(0x7c0, 1),
    };
    unsigned place = parameter / 64, which = parameter % 64 % ARRAY_LEN(intruders);

    put_handler(g);
    PUT(g, 0, LUI(S1, 0x10000), ADDI(T0, S0, 1));
    for (unsigned i = 0; i < PLACES; i++)
        PUT(g, 8 + 4 * i, i == place ? intruders[which] : ADDI(A4, A4, 1 << i % 10));
    PUT(g, 8 + 4 * PLACES, ADDI(A2, A2, 3), ADD(A5, A5, A1), J(-4 * (PLACES + 2)));
    g->harts[0].mie = BIT(IRQ_SSI);
}

static void whatever_interrupts_a_trace_anywhere(void **state)
{
    (void)state;
    for (unsigned place = 0; place < PLACES; place += 1 + place / 4)
        for (unsigned which = 0; which < 34; which++) {
            parameter = place * 64 + which;
            agree(load_faults, 320);
        }
    parameter = 0;
}

/* An interrupt arrives at any count. */
static void load_interrupted(struct guest *g)
{
    load_calls(g);
    g->harts[0].mstatus |= MSTATUS_MIE;
    g->harts[0].mie = BIT(IRQ_MTI);
}

static void interrupts_come_at_their_count(void **state)
{
    struct program p = {load_interrupted, 170, 0};

    (void)state;
    for (p.irq_at = 60; p.irq_at < 130; p.irq_at += 3)
        agree_on(&p);
}

/* --- pages: one code at two addresses, and translations that change --- */

static void map(struct guest *g, unsigned root, unsigned page, uint64_t pa, unsigned flags)
{
    uint64_t mid = BASE + ROOT_AT + 0x1000 + root * 0x3000ULL;
    uint64_t e[] = {mid >> 2 | 1, (mid + 0x1000) >> 2 | 1, pa >> 2 | flags};

    assert_true(ram_write(&g->ram, mid - 0x1000 + 2 * 8, &e[0], 8));
    assert_true(ram_write(&g->ram, mid, &e[1], 8));
    assert_true(ram_write(&g->ram, mid + 0x1000 + 8 * page, &e[2], 8));
}

/* S-mode: RAM at its own address, code again at page 32, data of two kinds at page 40. */
static void start_paged(struct guest *g)
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

static void load_aliases(struct guest *g)
{
    start_paged(g);
    PUT(g, 0,
        AUIPC(A0, 0), XOR(A0, A0, S6), /* the other address of this code */
        ADDI(A2, A2, 1), AUIPC(A1, 0), ADD(A4, A4, A1), JAL(RA, 0x100 - 20), ADD(A4, A4, RA),
        SUB(A5, A4, A0), JALR(X0, A0, 0));
    PUT(g, 0x100, AUIPC(A3, 0), SLLI(A4, A4, 1), ADD(A4, A4, A3), RET);
}

/* The page table's entry for the data changes; the fence comes a loop later. */
static void load_fences(struct guest *g)
{
    start_paged(g);
    PUT(g, 0,
        LD(A0, S3, 8 * (DATA_AT >> 12)), LD(A1, S3, 8 * ((DATA_AT >> 12) + 1)),
        ADDI(A2, A2, 1), SD(A0, S3, 8 * 40), LD(A3, S2, 0), ADD(A4, A4, A3), SFENCE_VMA,
        LD(A3, S2, 0), ADD(A4, A4, A3), SD(A1, S3, 8 * 40), LD(A3, S2, 0), ADD(A4, A4, A3),
        0x12090073, /* sfence.vma s2 */
        LD(A3, S2, 0), ADD(A4, A4, A3), SD(A2, S2, 8), CSRW(SATP, S5), LD(A3, S2, 0),
        ADD(A4, A4, A3), CSRW(SATP, S4), SFENCE_VMA, J(4 * (2 - 21)));
}

/* The code's own page loses X (1), all rights (2) or A (3), with a fence; ra is a way out. */
static void load_rights(struct guest *g)
{
    start_paged(g);
    g->harts[0].x[S7] = parameter == 1 ? 8 : parameter == 2 ? 1 : 0x40;
    PUT(g, 0,
        LUI(S8, 0x21), ADD(S8, S8, GP), /* page 33 */
        LD(A0, S3, 8 * 33), XOR(A1, A0, S7), ADDI(A2, A2, 1), JALR(RA, S8, 0), ADDI(A2, A2, 1),
        SD(A1, S3, 8 * 33), SFENCE_VMA, JALR(RA, S8, 0), ADDI(A2, A2, 1), SD(A0, S3, 8 * 33),
        SFENCE_VMA, J(4 * (4 - 13)));
    PUT(g, 0x1000, ADDI(A4, A4, 1), SLLI(A4, A4, 1), RET);
    /* A fetch that faults goes on at ra (cause 12, too). */
    PUT(g, HANDLER_AT, CSRR(T6, MCAUSE), ADD(S10, S10, T6), CSRR(T5, MTVAL), XOR(S11, S11, T5),
        CSRR(T5, MEPC), ADD(S11, S11, T5), CSRW(MEPC, RA), MRET);
}

static void translations_that_change(void **state)
{
    (void)state;
    agree(load_aliases, 400);
    agree(load_fences, 600);
    for (parameter = 1; parameter <= 3; parameter++)
        agree(load_rights, 400);
    parameter = 0;
}

/* --- floating point: each instruction under each mode, its flags after it --- */

#define FP3(base, kind) ((base) | (kind) << 25)

/* In pairs that the hardware works on: f10, f11, f12; x10. Integers go to x13. rm is filled in. */
static const struct {
    uint32_t word;
    bool rounds;
} fp_insns[] = {
    {0x00b50753, true}, {0x02b50753, true}, {0x08b50753, true}, {0x0ab50753, true}, /* fadd, fsub */
    {0x10b50753, true}, {0x12b50753, true}, {0x18b50753, true}, {0x1ab50753, true}, /* fmul, fdiv */
    {0x58050753, true}, {0x5a050753, true},                                         /* fsqrt */
    {0x60b50743, true}, {0x62b50743, true}, {0x60b50747, true}, {0x62b50747, true}, /* fmadd, fmsub */
    {0x60b5074b, true}, {0x62b5074b, true}, {0x60b5074f, true}, {0x62b5074f, true}, /* fnm... */
    {0x40150753, true}, {0x42050753, true},                                         /* fcvt.s.d, d.s */
    {0xc00506d3, true}, {0xc01506d3, true}, {0xc02506d3, true}, {0xc03506d3, true}, /* to integers */
    {0xc20506d3, true}, {0xc21506d3, true}, {0xc22506d3, true}, {0xc23506d3, true},
    {0xd0050753, true}, {0xd0150753, true}, {0xd0250753, true}, {0xd0350753, true}, /* and from */
    {0xd2050753, true}, {0xd2150753, true}, {0xd2250753, true}, {0xd2350753, true},
    {0x20b50753, false}, {0x20b51753, false}, {0x20b52753, false}, {0x22b50753, false}, /* fsgnj */
    {0x22b51753, false}, {0x22b52753, false}, {0x28b50753, false}, {0x28b51753, false}, /* fmin */
    {0x2ab50753, false}, {0x2ab51753, false}, {0xa0b526d3, false}, {0xa0b516d3, false}, /* feq, flt */
    {0xa0b506d3, false}, {0xa2b526d3, false}, {0xa2b516d3, false}, {0xa2b506d3, false},
    {0xe00506d3, false}, {0xe20506d3, false}, {0xe00516d3, false}, {0xe20516d3, false}, /* fmv.x */
    {0xf0050753, false}, {0xf2050753, false}, {0x00042707, false}, {0x00043707, false}, /* flw, fld */
    {0x00a42427, false}, {0x00a43427, false},                                           /* fsw, fsd */
};

static const uint64_t fp_values[] = {
    0, 0x8000000000000000, 0x3ff0000000000000, 0xbff8000000000001, 0x7ff0000000000000,
    0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff8000000001234, 1,
    0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x43e0000000000000,
    0xc3e0000000000000, 0x41dfffffffc00000, 0xc1e0000000000000, 0x3fe0000000000000,
    0x4330000000000001, 0xffffffff00000000, 0xffffffff3f800000, 0xffffffff80000001,
    0xffffffff7f800000, 0xffffffff7fc00000, 0xffffffff7f800001, 0xffffffff7f7fffff,
    0xffffffff00800000, 0xffffffff4f000000, 0xffffffffcf000000, 0xffffffff5f000000,
    0xffffffff3effffff, 0xffffffffbfc00000, 0x3f8000003f800000, 0x00000000ffffffff,
};

/* parameter: instruction * 8 + rm; each turn takes three other values, and frm changes slowly. */
static void load_fp(struct guest *g)
{
    uint32_t word = fp_insns[parameter / 8].word;

    if (fp_insns[parameter / 8].rounds)
        word |= (parameter % 8) << 12;
    put_handler(g);
    g->harts[0].mstatus |= MSTATUS_FS;
    for (unsigned i = 0; i < ARRAY_LEN(fp_values); i++)
        assert_true(ram_write(&g->ram, BASE + DATA_AT + 0x100 + 8 * i, &fp_values[i], 8));
    PUT(g, 0,
        ADDI(A1, X0, ARRAY_LEN(fp_values)), ADDI(S1, S0, 0x100), LUI(S7, 0x9e378),
        /* 3 */ ADDI(A2, A2, 1), MUL(T1, A2, S7), SRLI(T2, T1, 20), 0x02b3f3b3 /* remu t2, t2, a1 */,
        SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b507 /* fld fa0, 0(t2) */, LD(A0, T2, 0),
        SRLI(T2, T1, 25), 0x02b3f3b3, SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b587 /* fa1 */,
        SRLI(T2, T1, 30), 0x02b3f3b3, SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b607 /* fa2 */,
        word, CSRR(T0, FFLAGS), ADD(A4, A4, T0), word, 0x00e43827 /* fsd fa4, 16(s0) */,
        LD(T0, S0, 16), XOR(A4, A4, T0), ADD(A5, A5, A3), ANDI(T1, A2, 7), BNE(T1, X0, 4 * (3 - 30)),
        SRLI(T1, A2, 3), CSRW(FRM, T1), CSRW(FFLAGS, X0), J(4 * (3 - 34)));
}

/* Longer runs are compared at fewer counts. */
static void floating_point(void **state)
{
    struct program p = {load_fp, 2040, 0};
    static struct guest g;
    uint64_t states[3];

    (void)state;
    for (parameter = 0; parameter < 8 * ARRAY_LEN(fp_insns); parameter++) {
        if (!fp_insns[parameter / 8].rounds && parameter % 8)
            continue;
        for (unsigned e = 0; e < 3; e++) {
            guest_start(&g, (enum engine)e, 1);
            load_fp(&g);
            run_to(&g, &p, 12000, e == ENGINE_EAGER ? 777 : UINT32_MAX);
            states[e] = state_of(&g);
            guest_stop(&g);
        }
        if (states[0] != states[2] || states[1] != states[2])
            agree_on(&p);
        assert_int_equal(states[ENGINE_TRANSLATOR], states[ENGINE_INTERPRETER]);
        assert_int_equal(states[ENGINE_EAGER], states[ENGINE_INTERPRETER]);
    }
    parameter = 0;
}

/* FS goes from off to dirty round the same instructions, in one trace. */
static void load_fs(struct guest *g)
{
    const uint32_t ops[] = {0x02b50753, 0x00043707, 0x00e43827, 0xe20706d3, 0xf2050753, 0xa2b516d3};

    put_handler(g);
    g->harts[0].f[10] = 0x3ff8000000000000;
    g->harts[0].f[11] = 0x4008000000000001;
    PUT(g, 0, LUI(S7, 6), LUI(S8, 2), LUI(S9, 4));
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        uint64_t at = 12 + i * 40;

        PUT(g, at, CSRRC(X0, MSTATUS, S7), ops[i], CSRRS(X0, MSTATUS, S8), ops[i], CSRR(T0, MSTATUS),
            ADD(A4, A4, T0), CSRRS(X0, MSTATUS, S9), ops[i], CSRR(T0, MSTATUS), XOR(A4, A4, T0));
    }
    PUT(g, 12 + ARRAY_LEN(ops) * 40, ADDI(A2, A2, 1), J(-4 * (int)(10 * ARRAY_LEN(ops) + 1)));
}

static void the_state_of_floating_point(void **state)
{
    (void)state;
    agree(load_fs, 900);
}

/* --- atomics and misaligned accesses --- */

static void load_atomics(struct guest *g)
{
    static const uint8_t kinds[] = {0, 1, 4, 8, 12, 16, 20, 24, 28};
    uint64_t at = 16;

    put_handler(g);
    PUT(g, 0, LUI(S7, 0x87654), ADDI(S1, S0, 8), ADDI(A2, A2, 1), MUL(A0, A2, S7));
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++, at += 16)
        PUT(g, at, AMO_W(kinds[i], A1, A0, S0), ADD(A4, A4, A1), AMO_D(kinds[i], A1, A0, S1),
            ADD(A4, A4, A1));
    PUT(g, at, LR_W(A1, S0), ADDI(A1, A1, 1), BLT(A1, X0, 8), SC_W(A3, A1, S0), ADD(A5, A5, A3),
        SC_W(A3, A1, S0), ADD(A5, A5, A3), LR_D(A1, S1), SD(A2, S1, 0), SC_D(A3, A1, S1),
        ADD(A5, A5, A3), LR_D(A1, S1), JAL(RA, 8), J(8), RET, SC_D(A3, A2, S1), ADD(A5, A5, A3),
        LR_W(A1, S0), SC_D(A3, A1, S0), ADD(A5, A5, A3), J((int)(8 - (int)at - 80)));
}

static void load_misaligned(struct guest *g)
{
    uint64_t at = 12;

    put_handler(g);
    PUT(g, 0, LUI(S1, 1), ADD(S1, S1, S0), ADDI(A2, A2, 1));
    for (int i = -7; i < 2; i++, at += 28) /* over a page's end */
        PUT(g, at, SD(A2, S1, i), LD(A1, S1, i - 1), ADD(A4, A4, A1), SW(A4, S1, i + 2),
            LW(A1, S1, i), SH(A1, S1, i), LH(A3, S1, i - 1));
    PUT(g, at, ADD(A4, A4, A3), J((int)(8 - (int)at - 4)));
}

static void atomics_and_misaligned_accesses(void **state)
{
    (void)state;
    agree(load_atomics, 500);
    agree(load_misaligned, 500);
}

/* --- who shares code --- */

/* Two harts in turns of 61 instructions; the first changes what the second runs. */
static uint64_t run_two_harts(enum engine e)
{
    static struct guest g;
    uint64_t print;

    guest_start(&g, e, 2);
    load_changes_ahead(&g);
    PUT(&g, 0x100, ADDI(A2, A2, 1), JAL(RA, 0x18 - 0x104), J(-8));
    g.harts[1].pc = BASE + 0x108 - 8;
    for (uint64_t n = 61; n < 6100; n += 61)
        for (unsigned i = 0; i < 2; i++)
            hart_run(&g.harts[i], n);
    print = state_of(&g);
    guest_stop(&g);
    return print;
}

static void harts_that_change_each_others_code(void **state)
{
    uint64_t print = run_two_harts(ENGINE_INTERPRETER);

    (void)state;
    assert_int_equal(run_two_harts(ENGINE_EAGER), print);
    assert_int_equal(run_two_harts(ENGINE_TRANSLATOR), print);
}

/* A second guest shares every page of a first that runs; either changes its code. */
static void run_sharing(enum engine e, uint64_t prints[4])
{
    static struct guest g[2];
    static const unsigned first[] = {0, 1};

    for (unsigned i = 0; i < ARRAY_LEN(first); i++) {
        guest_start(&g[0], e, 1);
        load_copies_itself(&g[0]);
        hart_run(&g[0].harts[0], 333);
        guest_start(&g[1], e, 1);
        ram_share(&g[1].ram, &g[0].ram);
        hart_clone(&g[1].harts[0], &g[0].harts[0]);
        for (uint64_t n = 350; n < 3000; n += 50) {
            hart_run(&g[first[i]].harts[0], n);
            hart_run(&g[!first[i]].harts[0], n);
        }
        prints[2 * i] = state_of(&g[0]);
        prints[2 * i + 1] = state_of(&g[1]);
        guest_stop(&g[0]);
        guest_stop(&g[1]);
    }
}

static void guests_that_share_code_and_change_it(void **state)
{
    uint64_t expect[4], got[4];

    (void)state;
    run_sharing(ENGINE_INTERPRETER, expect);
    assert_int_equal(expect[0], expect[1]);
    assert_int_equal(expect[0], expect[2]);
    run_sharing(ENGINE_EAGER, got);
    assert_memory_equal(got, expect, sizeof(got));
    run_sharing(ENGINE_TRANSLATOR, got);
    assert_memory_equal(got, expect, sizeof(got));
}

/* --- no memory for machine code --- */

static uint64_t run_some(enum engine e)
{
    static struct guest g;
    const struct program p = {load_calls, 0, 0};
    uint64_t print;

    guest_start(&g, e, 1);
    load_calls(&g);
    run_to(&g, &p, 5000, UINT32_MAX);
    print = state_of(&g);
    guest_stop(&g);
    return print;
}

/* A host that gives no such memory: in a process that has not asked for it yet. */
static void without_an_arena_the_interpreter_does_it_all(void **state)
{
    uint64_t print = 0;
    int pipes[2], status;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit small = {1 << 20, 1 << 20};
        struct translate_stats stats;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        print = run_some(ENGINE_EAGER);
        translate_stats(&stats);
        if (write(pipes[1], &print, sizeof(print)) < 0)
            _exit(2);
        _exit(stats.traces != 0);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &print, sizeof(print)), sizeof(print));
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(print, run_some(ENGINE_INTERPRETER));
}

/* The last test: what it took it does not give back, since that would touch all of it. */
static void a_full_arena_leaves_the_rest_to_the_interpreter(void **state)
{
    uint64_t print = run_some(ENGINE_INTERPRETER);
    struct translate_stats before, after;
    uint8_t *last = NULL, *chunk;

    (void)state;
    assert_int_equal(run_some(ENGINE_EAGER), print);
    while ((chunk = arena_take()) != NULL)
        last = chunk;
    translate_stats(&before);
    assert_int_equal(run_some(ENGINE_EAGER), print);
    translate_stats(&after);
    assert_int_equal(after.traces, before.traces);
    arena_give(last); /* and with room for one page of two */
    agree(load_page_end, 200);
    assert_int_equal(run_some(ENGINE_EAGER), print);
    translate_stats(&after);
    assert_true(after.traces > before.traces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_arena_the_interpreter_does_it_all),
        cmocka_unit_test(code_that_changes),
        cmocka_unit_test(the_flow),
        cmocka_unit_test(page_ends),
        cmocka_unit_test(results_for_x0),
        cmocka_unit_test(whatever_interrupts_a_trace_anywhere),
        cmocka_unit_test(interrupts_come_at_their_count),
        cmocka_unit_test(translations_that_change),
        cmocka_unit_test(floating_point),
        cmocka_unit_test(the_state_of_floating_point),
        cmocka_unit_test(atomics_and_misaligned_accesses),
        cmocka_unit_test(harts_that_change_each_others_code),
        cmocka_unit_test(guests_that_share_code_and_change_it),
        cmocka_unit_test(a_full_arena_leaves_the_rest_to_the_interpreter),
    };

    return cmocka_run_group_tests_name("the translator at its edges", tests, NULL, NULL);
}
