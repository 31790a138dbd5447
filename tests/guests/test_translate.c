/* The translator at its edges: programs that a translator may get wrong, each run to every count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "guests/translate/arena.h"
#include "tests/guests/edges.h"

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

/* What is changed was only ever reached in the middle of a trace, by a jump. */
static void load_changes_far(struct guest *g)
{
    put_handler(g);
    PUT(g, 0, LW(A0, GP, 4 * 8), ADDI(A2, A2, 1), SLLI(A1, A2, 20), ADD(A1, A1, A0),
        ANDI(A3, A2, 3), BNE(A3, X0, 8), SW(A1, GP, 0x204), J(0x200 - 28), ADDI(A4, A4, 0));
    PUT(g, 0x200, ADDI(A5, A5, 1), ADDI(A4, A4, 0), J(4 - 0x208));
}

static void code_that_changes(void **state)
{
    (void)state;
    agree(load_changes_far, 500);
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
    guest_put(g, 0x1000 - 4 + (parameter & 2), across, ARRAY_LEN(across));
}

static void page_ends(void **state)
{
    (void)state;
    for (parameter = 0; parameter <= 62; parameter += 6)
        agree(load_page_end, 200);
    parameter = 0;
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
    print = guest_print(&g);
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
        prints[2 * i] = guest_print(&g[0]);
        prints[2 * i + 1] = guest_print(&g[1]);
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
    print = guest_print(&g);
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
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* a sanitizer needs more addresses than that itself */
#endif
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit small = {512 << 20, 512 << 20};
        struct translate_stats stats;

        setrlimit(RLIMIT_AS, &small); /* less than the addresses that it takes */
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
    uint8_t *last[ARENA_PARTS] = {NULL}, *chunk;

    (void)state;
    assert_int_equal(run_some(ENGINE_EAGER), print);
    for (unsigned p = 0; p < ARENA_PARTS; p++)
        while ((chunk = arena_take((enum arena_part)p)) != NULL)
            last[p] = chunk;
    translate_stats(&before);
    assert_int_equal(run_some(ENGINE_EAGER), print);
    translate_stats(&after);
    assert_int_equal(after.traces, before.traces);
    for (unsigned p = 0; p < ARENA_PARTS; p++) /* and with room for one page of two */
        arena_give((enum arena_part)p, last[p]);
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
        cmocka_unit_test(whatever_interrupts_a_trace_anywhere),
        cmocka_unit_test(interrupts_come_at_their_count),
        cmocka_unit_test(translations_that_change),
        cmocka_unit_test(harts_that_change_each_others_code),
        cmocka_unit_test(guests_that_share_code_and_change_it),
        cmocka_unit_test(a_full_arena_leaves_the_rest_to_the_interpreter),
    };

    return cmocka_run_group_tests_name("the translator at its edges", tests, NULL, NULL);
}
