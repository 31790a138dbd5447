/* The hart: exact stops wherever a run is cut, code that changes, pages that are shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/cpu.h"
#include "sim/actor.h"
#include "sim/rng.h"

#define BASE 0x80000000ULL
#define RAM_PAGES 16
#define DEVICE 0x10000000ULL

/* --- A little assembler --- */

enum { X0, RA, SP, T0 = 5, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, S2 = 18, S3 };

static uint32_t i_type(uint32_t op, unsigned rd, unsigned rs1, int imm)
{
    return op | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t r_type(uint32_t op, unsigned rd, unsigned rs1, unsigned rs2)
{
    return op | rd << 7 | rs1 << 15 | rs2 << 20;
}

static uint32_t s_type(uint32_t op, unsigned rs2, unsigned rs1, int imm)
{
    return op | ((uint32_t)imm & 31) << 7 | rs1 << 15 | rs2 << 20 | (uint32_t)imm >> 5 << 25;
}

static uint32_t b_type(uint32_t op, unsigned rs1, unsigned rs2, int to)
{
    uint32_t v = (uint32_t)to;

    return op | rs1 << 15 | rs2 << 20 | (v >> 11 & 1) << 7 | (v >> 1 & 15) << 8 |
           (v >> 5 & 63) << 25 | (v >> 12 & 1) << 31;
}

#define ADDI(rd, rs, i) i_type(0x13, rd, rs, i)
#define SLLI(rd, rs, i) i_type(0x1013, rd, rs, i)
#define LUI(rd, i) (0x37u | (uint32_t)(rd) << 7 | (uint32_t)(i) << 12)
#define AUIPC(rd, i) (0x17u | (uint32_t)(rd) << 7 | (uint32_t)(i) << 12)
#define ADD(rd, a, b) r_type(0x33, rd, a, b)
#define XOR(rd, a, b) r_type(0x4033, rd, a, b)
#define MUL(rd, a, b) r_type(0x2000033, rd, a, b)
#define LD(rd, rs, i) i_type(0x3003, rd, rs, i)
#define LW(rd, rs, i) i_type(0x2003, rd, rs, i)
#define SD(v, rs, i) s_type(0x3023, v, rs, i)
#define SW(v, rs, i) s_type(0x2023, v, rs, i)
#define BNE(a, b, to) b_type(0x1063, a, b, to)
#define JALR(rd, rs, i) i_type(0x67, rd, rs, i)
#define J_SELF 0x6fu
#define ECALL 0x73u
#define MRET 0x30200073u
#define WFI 0x10500073u
#define FENCE_I 0x100fu
#define CSRW(csr, rs) i_type(0x1073, X0, rs, csr)
#define CSRR(rd, csr) i_type(0x2073, rd, X0, csr)
#define FCVT_D_L(fd, rs) r_type(0xd2200053u, fd, rs, 0)
#define FDIV_D(fd, a, b) r_type(0x1a007053u, fd, a, b)
#define FMV_X_D(rd, fs) r_type(0xe2000053u, rd, fs, 0)

/* --- A hart, RAM, and one device that notes what it sees --- */

struct rig {
    struct ram ram;
    struct bus bus;
    struct actor actor;
    struct hart_env env;
    struct hart hart;
    struct device device;
    uint64_t seen_value, seen_pc, seen_icount;
    vtime_t seen_now;
};

static struct rig rig, other;

static void device_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct rig *r = dev->object;

    (void)offset;
    (void)size;
    r->seen_value = value;
    r->seen_pc = r->hart.pc;
    r->seen_icount = r->hart.icount;
    r->seen_now = r->actor.now;
}

static void changing(struct ram *ram, uint64_t addr, struct page *old)
{
    struct rig *r = ram->changing_opaque;

    hart_page_changing(&r->hart, addr, old);
}

static uint64_t mtime(struct hart *h)
{
    return (uint64_t)hart_now(h) / 100;
}

static void rig_start(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    ram_init(&r->ram, BASE, RAM_PAGES * PAGE_SIZE);
    r->ram.changing = changing;
    r->ram.changing_opaque = r;
    r->device.object = r;
    r->device.region = (struct region){"test", DEVICE, 0x100, 4, 4, NULL, device_write};
    bus_attach(&r->bus, &r->device);
    r->env = (struct hart_env){.ram = &r->ram, .bus = &r->bus, .actor = &r->actor, .mips = 1000,
                               .n_harts = 1, .harts = &r->hart, .mtime = mtime};
    hart_init(&r->hart, &r->env, 0);
    hart_reset(&r->hart, BASE);
}

static void rig_stop(struct rig *r)
{
    hart_finish(&r->hart);
    ram_finish(&r->ram);
}

static int setup(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_start(&other);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&rig);
    rig_stop(&other);
    assert_int_equal(page_alive(), 0);
    return 0;
}

static void load(struct rig *r, uint64_t offset, const uint32_t *words, size_t n)
{
    assert_true(ram_write(&r->ram, BASE + offset, words, n * 4));
}

#define LOAD(r, offset, words) load(r, offset, words, ARRAY_LEN(words))

static uint64_t state_of(struct rig *r)
{
    return ram_hash(&r->ram, state_hash(hart_fields, &r->hart, 1));
}

/*
 * An endless loop with memory, floating point, a trap, a counter, an instruction across a page's
 * end and a store into code that runs next: whatever could notice where a run is cut.
 */
static void load_busy_program(struct rig *r)
{
    const uint32_t code[] = {
        AUIPC(T0, 0),
        ADDI(T1, T0, 0x200),        /* the trap handler */
        CSRW(0x305, T1),
        LUI(T2, 6),                 /* FS */
        CSRW(0x300, T2),
        AUIPC(S0, 2),               /* data: page 2 */
        AUIPC(S1, 1),
        ADDI(S1, S1, 0xffe - 0x1018), /* across a page's end: 0xffe */
        ADDI(S2, T0, 4 * 28),       /* the instruction that is changed */
        LW(S3, S2, 0),
        ADDI(A1, X0, 3),
        ADDI(A0, A0, 1),            /* 11: the loop */
        MUL(A2, A0, A0),
        SD(A2, S0, 8),
        LD(A3, S0, 5),              /* misaligned */
        XOR(A4, A4, A3),
        FCVT_D_L(1, A2),
        FCVT_D_L(2, A1),
        FDIV_D(3, 1, 2),
        FMV_X_D(A5, 3),
        ADD(A4, A4, A5),
        ECALL,
        CSRR(A5, 0xb02),
        ADD(A4, A4, A5),
        JALR(RA, S1, 0),            /* and back */
        SLLI(T1, A0, 20),
        ADD(T1, T1, S3),
        SW(T1, S2, 0),
        ADDI(SP, SP, 0),            /* 28: its immediate becomes a0 */
        BNE(X0, A1, 4 * (11 - 29)),
    };
    const uint32_t handler[] = {
        CSRR(T1, 0x341), ADDI(T1, T1, 4), CSRW(0x341, T1), MRET,
    };
    const uint32_t across[] = {ADDI(A4, A4, 77), JALR(X0, RA, 0)};

    LOAD(r, 0, code);
    LOAD(r, 0x200, handler);
    LOAD(r, 0xffe, across);
}

static void wherever_a_run_is_cut_the_state_is_the_same(void **state)
{
    struct rng rng;
    uint64_t total = 20000;

    (void)state;
    load_busy_program(&rig);
    load_busy_program(&other);
    assert_int_equal(hart_run(&rig.hart, total), HART_BUDGET);
    assert_int_equal(rig.hart.icount, total);
    assert_true(rig.hart.x[A0] > 500);
    rng_init(&rng, 1, "cuts");
    while (other.hart.icount < total) {
        uint64_t to = MIN(total, other.hart.icount + rng_below(&rng, 40));

        assert_int_equal(hart_run(&other.hart, to), HART_BUDGET);
        assert_int_equal(other.hart.icount, to);
    }
    assert_int_equal(state_of(&rig), state_of(&other));
}

static void caches_may_be_dropped_at_any_time(void **state)
{
    (void)state;
    load_busy_program(&rig);
    load_busy_program(&other);
    hart_run(&rig.hart, 5000);
    for (uint64_t n = 0; n <= 5000; n += 50) {
        hart_flush(&other.hart);
        hart_run(&other.hart, n);
    }
    assert_int_equal(state_of(&rig), state_of(&other));
}

static void a_store_into_the_executing_block_takes_effect(void **state)
{
    const uint32_t code[] = {
        AUIPC(S0, 0),
        LW(A0, S0, 4 * 6),  /* the other instruction */
        SW(A0, S0, 4 * 4),
        ADDI(A1, A1, 1),
        ADDI(A2, A2, 1),    /* becomes addi a2, a2, 100 */
        J_SELF,
        ADDI(A2, A2, 100),
    };

    (void)state;
    LOAD(&rig, 0, code);
    hart_run(&rig.hart, 5);
    assert_int_equal(rig.hart.x[A1], 1);
    assert_int_equal(rig.hart.x[A2], 100);
}

static void fence_i_needs_nothing_more(void **state)
{
    const uint32_t code[] = {
        AUIPC(S0, 0), LW(A0, S0, 4 * 8), JALR(RA, S0, 4 * 9), SW(A0, S0, 4 * 9), FENCE_I,
        JALR(RA, S0, 4 * 9), J_SELF, J_SELF, ADDI(A2, A2, 100),
        ADDI(A2, A2, 1), JALR(X0, RA, 0), /* 9: called, changed, called again */
    };

    (void)state;
    LOAD(&rig, 0, code);
    hart_run(&rig.hart, 20);
    assert_int_equal(rig.hart.x[A2], 101);
}

static void code_in_a_shared_page_stays_when_one_guest_writes(void **state)
{
    const uint32_t code[] = {ADDI(A0, A0, 1), J_SELF};
    uint32_t changed = ADDI(A0, A0, 5);
    struct page *p;

    (void)state;
    LOAD(&rig, 0, code);
    p = ram_page(&rig.ram, BASE);
    ram_map_page(&other.ram, BASE, p);
    hart_run(&rig.hart, 3);
    hart_run(&other.hart, 3);
    assert_non_null(p->code);
    ram_write(&other.ram, BASE, &changed, 4);
    hart_reset(&rig.hart, BASE);
    hart_reset(&other.hart, BASE);
    hart_run(&rig.hart, 6);
    hart_run(&other.hart, 6);
    assert_ptr_equal(ram_page(&rig.ram, BASE), p);
    assert_int_equal(rig.hart.x[A0], 1);
    assert_int_equal(other.hart.x[A0], 5);
}

static void a_device_sees_the_exact_instruction_and_time(void **state)
{
    const uint32_t code[] = {
        LUI(S0, 0x10000), ADDI(A0, X0, 42), ADDI(A1, X0, 1), SW(A0, S0, 0), ADDI(A1, A1, 1), J_SELF,
    };

    (void)state;
    LOAD(&rig, 0, code);
    assert_int_equal(hart_run(&rig.hart, 1000), HART_SYNC);
    assert_int_equal(rig.seen_value, 42);
    assert_int_equal(rig.seen_pc, BASE + 12);
    assert_int_equal(rig.seen_icount, 3);
    assert_int_equal(rig.seen_now, 3);
    assert_int_equal(rig.hart.icount, 4);
    assert_int_equal(rig.hart.pc, BASE + 16);
    assert_int_equal(rig.hart.x[A1], 1);
}

static void a_guest_that_only_faults_comes_to_its_budget(void **state)
{
    (void)state;
    hart_reset(&rig.hart, 0); /* nothing is there, nor at mtvec */
    assert_int_equal(hart_run(&rig.hart, 1000), HART_BUDGET);
    assert_int_equal(rig.hart.icount, 1000);
    assert_int_equal(rig.hart.n_traps, 1000);
    assert_int_equal(rig.hart.minstret_offset, -1000);
}

static void wfi_sleeps_until_an_enabled_interrupt_is_pending(void **state)
{
    const uint32_t code[] = {
        ADDI(A0, X0, 0x80), CSRW(0x304, A0), WFI, ADDI(A1, X0, 1), J_SELF,
    };

    (void)state;
    LOAD(&rig, 0, code);
    assert_int_equal(hart_run(&rig.hart, 1000), HART_WFI);
    assert_int_equal(rig.hart.icount, 3);
    assert_int_equal(hart_run(&rig.hart, 1000), HART_WFI);
    hart_skip_to(&rig.hart, 5000);
    assert_int_equal(hart_now(&rig.hart), 5000);
    assert_int_equal(hart_icount_at(&rig.hart, 6000), 1003);
    hart_set_pending(&rig.hart, IRQ_SEI, true);
    assert_int_equal(hart_run(&rig.hart, 1000), HART_WFI);
    hart_set_pending(&rig.hart, IRQ_MTI, true);
    assert_int_equal(hart_run(&rig.hart, 1000), HART_BUDGET);
    assert_int_equal(rig.hart.x[A1], 1);
}

static void budgets_fit_the_clock_at_any_speed(void **state)
{
    static const unsigned mips[] = {1, 7, 333, 1000, 1001, 2500, 100000};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(mips); i++) {
        struct hart *h = &rig.hart;

        rig.env.mips = mips[i];
        h->idle_ns = 12345;
        for (vtime_t t = 12346; t < 200000; t += 997) {
            h->icount = hart_icount_at(h, t);
            assert_true(hart_now(h) >= t);
            h->icount--;
            assert_true(hart_now(h) < t);
        }
        assert_int_equal(hart_icount_at(h, 12345), 0);
    }
}

/* A three-level table: one 4 KiB page of code at virtual 0, its twin at 0x1000. */
static void map_two_pages(struct rig *r, uint64_t second)
{
    uint64_t root = BASE + 8 * PAGE_SIZE, mid = root + PAGE_SIZE, last = mid + PAGE_SIZE;
    uint64_t v;

    v = mid >> 2 | 1;
    ram_write(&r->ram, root, &v, 8);
    v = last >> 2 | 1;
    ram_write(&r->ram, mid, &v, 8);
    v = (BASE >> 2) | 0xcf;
    ram_write(&r->ram, last, &v, 8);
    v = (second >> 2) | 0xcf;
    ram_write(&r->ram, last + 8, &v, 8);
    r->hart.satp = 8ULL << 60 | root >> 12;
}

/* A translation stays until sfence.vma, also if another guest's doings move the page's bytes. */
static void a_stale_translation_does_not_depend_on_sharing(void **state)
{
    const uint32_t code[] = {
        LUI(S0, 1), LD(A0, S0, 0), LD(A1, S0, 0), J_SELF,
    };
    uint64_t one = 1, two = 2;

    (void)state;
    for (unsigned pass = 0; pass < 2; pass++) {
        struct rig *r = pass ? &other : &rig;

        LOAD(r, 0, code);
        ram_write(&r->ram, BASE + 4 * PAGE_SIZE, &one, 8);
        ram_write(&r->ram, BASE + 5 * PAGE_SIZE, &two, 8);
        map_two_pages(r, BASE + 4 * PAGE_SIZE);
        r->hart.priv = PRIV_S;
        r->hart.pc = 0;
        r->hart.pmpaddr[0] = UINT64_MAX >> 10;
        r->hart.pmpcfg[0] = 0x1f;
        hart_run(&r->hart, 2);
        map_two_pages(r, BASE + 5 * PAGE_SIZE); /* and no fence */
        if (pass)
            hart_page_changing(&r->hart, BASE + 4 * PAGE_SIZE, ram_page(&r->ram, BASE));
        hart_run(&r->hart, 3);
        assert_int_equal(r->hart.x[A0], 1);
        assert_int_equal(r->hart.x[A1], 1);
        hart_flush(&r->hart);
        r->hart.pc = 0;
        hart_run(&r->hart, 6);
        assert_int_equal(r->hart.x[A1], 2);
    }
}

static void a_small_guest_has_small_caches(void **state)
{
    (void)state;
    load_busy_program(&rig);
    hart_run(&rig.hart, 10000);
    assert_true(hart_cache_bytes(&rig.hart) <= 20000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(wherever_a_run_is_cut_the_state_is_the_same),
        TEST(caches_may_be_dropped_at_any_time),
        TEST(a_store_into_the_executing_block_takes_effect),
        TEST(fence_i_needs_nothing_more),
        TEST(code_in_a_shared_page_stays_when_one_guest_writes),
        TEST(a_device_sees_the_exact_instruction_and_time),
        TEST(a_guest_that_only_faults_comes_to_its_budget),
        TEST(wfi_sleeps_until_an_enabled_interrupt_is_pending),
        TEST(budgets_fit_the_clock_at_any_speed),
        TEST(a_stale_translation_does_not_depend_on_sharing),
        TEST(a_small_guest_has_small_caches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
