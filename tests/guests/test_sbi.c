/* The SBI's calls, made by a small supervisor program and answered as version 2.0 says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/guests/rig.h"

#define KERNEL 0x80200000ULL
#define TABLE_OFFSET 0x1000 /* of the calls: a count, then 64 bytes for each */
#define RESULTS (KERNEL + 0x2000)
#define DATA (KERNEL + 0x4000)

#define EXT_BASE 0x10
#define EXT_TIME 0x54494d45
#define EXT_IPI 0x735049
#define EXT_RFENCE 0x52464e43
#define EXT_HSM 0x48534d
#define EXT_SRST 0x53525354
#define EXT_DBCN 0x4442434e

/*
 * Makes each call of the table and stores a0 and a1, then sleeps. At `entry2` begins a hart that
 * HSM starts: it stores a0 and a1 at the address in a1, and stops.
 */
static const uint32_t program[] = {
    0x00001417, /*        auipc s0, 1        the table */
    0x00002497, /*        auipc s1, 2        the results */
    0xffc48493, /*        addi  s1, s1, -4 */
    0x00043903, /*        ld    s2, 0(s0) */
    0x04040413, /*        addi  s0, s0, 64 */
    0x02090c63, /* loop:  beqz  s2, done */
    0x00043503, /*        ld    a0, 0(s0) */
    0x00843583, /*        ld    a1, 8(s0) */
    0x01043603, /*        ld    a2, 16(s0) */
    0x01843683, /*        ld    a3, 24(s0) */
    0x03043803, /*        ld    a6, 48(s0) */
    0x03843883, /*        ld    a7, 56(s0) */
    0x00000073, /*        ecall */
    0x00a4b023, /*        sd    a0, 0(s1) */
    0x00b4b423, /*        sd    a1, 8(s1) */
    0x04040413, /*        addi  s0, s0, 64 */
    0x01048493, /*        addi  s1, s1, 16 */
    0xfff90913, /*        addi  s2, s2, -1 */
    0xfcdff06f, /*        j     loop */
    0x10500073, /* done:  wfi */
    0xffdff06f, /*        j     done */
};
static const uint32_t started[] = {
    0x00a5b023, /* sd a0, 0(a1) */
    0x00b5b423, /* sd a1, 8(a1) */
    0x004858b7, /* lui a7, 0x485 */
    0x34d88893, /* addi a7, a7, 0x34d     HSM */
    0x00100813, /* li a6, 1               hart_stop */
    0x00000073, /* ecall */
};
#define STARTED (KERNEL + 0x100)

struct call {
    uint64_t extension, function, a0, a1, a2;
    int64_t error;
    uint64_t value;
};

static struct rig rig;
static const char *typed; /* on the console at time 0, if not NULL */
static uint64_t enabled;  /* interrupts in sie of hart 0 */

static int teardown(void **state)
{
    (void)state;
    rig_finish(&rig);
    files_remove();
    typed = NULL;
    enabled = 0;
    return 0;
}

static void add_word(struct bytes *b, uint64_t v)
{
    uint8_t le[8];

    store_le64(le, v);
    bytes_add(b, le, sizeof(le));
}

static void add_program(struct bytes *b, size_t at, const uint32_t *words, size_t n)
{
    bytes_pad(b, at);
    for (size_t i = 0; i < n; i++) {
        uint8_t le[4];

        store_le32(le, words[i]);
        bytes_add(b, le, sizeof(le));
    }
}

/* Start a machine that makes the calls, and run it for `t`. */
static void run_calls(const struct call *calls, size_t n, unsigned harts, vtime_t t)
{
    struct machine_config c;
    struct bytes b = {0};

    add_program(&b, 0, program, ARRAY_LEN(program));
    add_program(&b, 0x100, started, ARRAY_LEN(started));
    bytes_pad(&b, TABLE_OFFSET);
    add_word(&b, n);
    bytes_pad(&b, TABLE_OFFSET + 64);
    for (size_t i = 0; i < n; i++) {
        const uint64_t a[8] = {calls[i].a0, calls[i].a1, calls[i].a2, 0, 0, 0, calls[i].function,
                               calls[i].extension};

        for (size_t k = 0; k < ARRAY_LEN(a); k++)
            add_word(&b, a[k]);
    }
    bytes_pad(&b, DATA - KERNEL);
    bytes_add(&b, "Hello, console", 14);
    rig_init(&rig, 1, 0);
    machine_config_init(&c);
    c.ram_bytes = 8 << 20;
    c.harts = harts;
    c.kernel = file_make(b.p, b.n);
    bytes_finish(&b);
    rig_start(&rig, &c);
    rig.machine->harts[0].mie |= enabled;
    if (typed)
        assert_true(console_feed(machine_console(rig.machine, 0), typed, strlen(typed), 0));
    sim_run(&rig.sim, t);
}

static void check_calls(const struct call *calls, size_t n, unsigned harts)
{
    run_calls(calls, n, harts, NS_PER_MS);
    for (size_t i = 0; i < n; i++) {
        int64_t error = (int64_t)rig_word(&rig, RESULTS + 16 * i);
        uint64_t value = rig_word(&rig, RESULTS + 16 * i + 8);

        if (error != calls[i].error || value != calls[i].value)
            fail_msg("call %zu (0x%llx, %llu): error %lld, value 0x%llx; wanted %lld, 0x%llx", i,
                     (unsigned long long)calls[i].extension, (unsigned long long)calls[i].function,
                     (long long)error, (unsigned long long)value, (long long)calls[i].error,
                     (unsigned long long)calls[i].value);
    }
}

#define CHECK(calls, harts) check_calls(calls, ARRAY_LEN(calls), harts)

static void the_base_says_what_is_there(void **state)
{
    static const struct call calls[] = {
        {EXT_BASE, 0, 0, 0, 0, 0, 2 << 24},
        {EXT_BASE, 3, EXT_TIME, 0, 0, 0, 1},
        {EXT_BASE, 3, EXT_HSM, 0, 0, 0, 1},
        {EXT_BASE, 3, EXT_DBCN, 0, 0, 0, 1},
        {EXT_BASE, 3, 1, 0, 0, 0, 1},
        {EXT_BASE, 3, 0x504d55, 0, 0, 0, 0}, /* PMU */
        {EXT_BASE, 3, 0x12345678, 0, 0, 0, 0},
        {EXT_BASE, 4, 0, 0, 0, 0, 0},
        {EXT_BASE, 7, 0, 0, 0, -2, 0},
        {EXT_TIME, 1, 0, 0, 0, -2, 0},
        {EXT_RFENCE, 3, 0, 0, 0, -2, 0}, /* no hypervisor extension */
        {0x09000000, 0, 0, 0, 0, -2, 0},
    };

    (void)state;
    CHECK(calls, 1);
}

static void masks_of_harts_are_checked(void **state)
{
    static const struct call calls[] = {
        {EXT_IPI, 0, 3, 0, 0, 0, 0},
        {EXT_IPI, 0, 0, UINT64_MAX, 0, 0, 0},
        {EXT_IPI, 0, 4, 0, 0, -3, 0},
        {EXT_IPI, 0, 1, 2, 0, -3, 0},
        {EXT_IPI, 0, 0, 77, 0, 0, 0},
        {EXT_RFENCE, 0, 3, 0, 0, 0, 0},
        {EXT_RFENCE, 1, 1, 1, 0, 0, 0},
        {EXT_RFENCE, 2, 2, 1, 0, -3, 0},
    };

    (void)state;
    CHECK(calls, 2);
}

static void the_debug_console_writes_memory_it_has(void **state)
{
    static const struct call calls[] = {
        {EXT_DBCN, 0, 14, DATA, 0, 0, 14},
        {EXT_DBCN, 2, '!', 0, 0, 0, 0},
        {1, 0, '\n', 0, 0, 0, 0},                     /* legacy putchar keeps a1 */
        {EXT_DBCN, 0, 14, 0x80800000, 0, -3, 0},      /* behind RAM */
        {EXT_DBCN, 0, 14, 0x10000000, 0, -3, 0},      /* the UART */
        {EXT_DBCN, 0, UINT64_MAX, DATA, 0, -3, 0},
        {EXT_DBCN, 0, 14, DATA, 1, -3, 0},
        {EXT_DBCN, 1, 16, DATA + 64, 0, 0, 0},        /* nothing was typed */
        {2, 0, 0, 7, 0, -1, 7},                       /* legacy getchar */
    };

    (void)state;
    CHECK(calls, 1);
    assert_string_equal(rig_output(&rig), "Hello, console!\n");
}

/* The first bytes typed lie in the UART, which takes what arrives: firmware looks there. */
static void what_is_typed_reaches_the_firmware_whole(void **state)
{
    static const struct call calls[] = {
        {2, 0, 0, 7, 0, 'a', 7},
        {EXT_DBCN, 1, 2, DATA + 64, 0, 0, 2},
        {2, 0, 0, 7, 0, 'd', 7},
        {2, 0, 0, 7, 0, -1, 7},
    };

    (void)state;
    typed = "abcd";
    CHECK(calls, 1);
    assert_int_equal(rig_word(&rig, DATA + 64), 'b' | 'c' << 8);
}

static void harts_start_and_stop(void **state)
{
    static const struct call calls[] = {
        {EXT_HSM, 2, 0, 0, 0, 0, 0},
        {EXT_HSM, 2, 1, 0, 0, 0, 1},
        {EXT_HSM, 2, 2, 0, 0, -3, 0},
        {EXT_HSM, 0, 2, STARTED, 0, -3, 0},
        {EXT_HSM, 0, 0, STARTED, 0, -6, 0},
        {EXT_HSM, 0, 1, 0x1000, 0, -5, 0},
        {EXT_HSM, 0, 1, STARTED, DATA, 0, 0},
        {EXT_HSM, 0, 1, STARTED, DATA, -6, 0},
        {EXT_HSM, 3, 5, 0, 0, -3, 0},
    };

    (void)state;
    CHECK(calls, 2);
    assert_int_equal(rig_word(&rig, DATA), 1);
    assert_int_equal(rig_word(&rig, DATA + 8), DATA);
    assert_true(rig.machine->harts[1].stopped);
    assert_int_equal(rig.machine->slots[1].hsm, HSM_STOPPED);
}

/* A suspended hart wakes for an interrupt in sie: here none, so it sleeps for ever. */
static void a_suspended_hart_sleeps(void **state)
{
    static const struct call calls[] = {
        {EXT_TIME, 0, 1000, 0, 0, 0, 0},
        {EXT_HSM, 3, 0x80000000, STARTED, DATA, 0, 0},
    };

    (void)state;
    run_calls(calls, ARRAY_LEN(calls), 1, NS_PER_SEC);
    assert_int_equal(rig.machine->slots[0].hsm, HSM_SUSPENDED);
    assert_true(rig.machine->harts[0].wfi);
    rig.machine->harts[0].mie |= 1 << IRQ_STI;
    actor_due_changed(&rig.machine->actor);
    sim_run(&rig.sim, NS_PER_SEC + NS_PER_MS);
    assert_int_equal(rig_word(&rig, DATA), 0); /* its hart number, after the resumption */
    assert_int_equal(rig_word(&rig, DATA + 8), DATA);
    assert_true(rig.machine->harts[0].stopped);
}

/* One that finds its interrupt already pending resumes where it asked to, and nowhere before. */
static void a_suspension_that_ends_at_once_resumes_at_its_address(void **state)
{
    static const struct call calls[] = {
        {EXT_TIME, 0, 0, 0, 0, 0, 0},
        {EXT_HSM, 3, 0x80000000, STARTED, DATA, 0, 0},
        {EXT_DBCN, 2, 'x', 0, 0, 0, 0},
    };

    (void)state;
    for (unsigned harts = 1; harts <= 2; harts++) {
        if (harts > 1)
            rig_finish(&rig);
        enabled = 1 << IRQ_STI;
        run_calls(calls, ARRAY_LEN(calls), harts, NS_PER_MS);
        assert_int_equal(rig_word(&rig, DATA + 8), DATA);
        assert_true(rig.machine->harts[0].stopped);
        assert_string_equal(rig_output(&rig), "");
    }
}

static void the_timer_raises_an_interrupt_at_its_time(void **state)
{
    static const struct call calls[] = {{EXT_TIME, 0, 12345, 0, 0, 0, 0}};

    (void)state;
    run_calls(calls, ARRAY_LEN(calls), 1, 1234 * NS_PER_US);
    assert_false(rig.machine->harts[0].mip >> IRQ_STI & 1);
    assert_int_equal(evq_next(&rig.machine->actor.events), 1234500);
    sim_run(&rig.sim, 1235 * NS_PER_US);
    assert_true(rig.machine->harts[0].mip >> IRQ_STI & 1);
}

static unsigned told;

static void on_power(void *opaque, struct machine *m)
{
    (void)opaque;
    (void)m;
    told++;
}

static void assert_power(const struct call *call, enum machine_power want, uint32_t want_code)
{
    uint32_t code;

    told = 0;
    run_calls(call, 1, 2, 100 * NS_PER_US);
    machine_on_power(rig.machine, on_power, NULL);
    assert_int_equal(machine_power_state(rig.machine, &code), want);
    assert_int_equal(code, want_code);
    assert_int_equal(told, 0);
    sim_run(&rig.sim, 3 * NS_PER_MS);
    assert_int_equal(told, want != MACHINE_RUNNING);
}

static void a_machine_stops_when_asked(void **state)
{
    static const struct call shutdown = {EXT_SRST, 0, 0, 0, 0, 0, 0};
    static const struct call failure = {EXT_SRST, 0, 0, 1, 0, 0, 0};
    static const struct call legacy = {8, 0, 0, 0, 0, 0, 0};
    static const struct call wrong[] = {{EXT_SRST, 0, 3, 0, 0, -3, 0}, {EXT_SRST, 0, 0, 9, 0, -3, 0}};

    (void)state;
    assert_power(&shutdown, MACHINE_OFF, 0);
    rig_finish(&rig);
    assert_power(&failure, MACHINE_FAILED, 1);
    rig_finish(&rig);
    assert_power(&legacy, MACHINE_OFF, 0);
    rig_finish(&rig);
    CHECK(wrong, 1);
}

static void a_machine_starts_again_when_asked(void **state)
{
    static const struct call again[] = {
        {EXT_DBCN, 2, 'x', 0, 0, 0, 0},
        {EXT_SRST, 0, 1, 0, 0, 0, 0},
    };

    (void)state;
    run_calls(again, ARRAY_LEN(again), 1, 20 * NS_PER_US);
    assert_int_equal(machine_power_state(rig.machine, NULL), MACHINE_RUNNING);
    assert_true(rig.machine->n_resets > 100);
    /* Each start writes one x; the last one may not have come to it. */
    assert_in_range(strlen(rig_output(&rig)), rig.machine->n_resets, rig.machine->n_resets + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_base_says_what_is_there),
        TEST(masks_of_harts_are_checked),
        TEST(the_debug_console_writes_memory_it_has),
        TEST(what_is_typed_reaches_the_firmware_whole),
        TEST(harts_start_and_stop),
        TEST(a_suspended_hart_sleeps),
        TEST(a_suspension_that_ends_at_once_resumes_at_its_address),
        TEST(the_timer_raises_an_interrupt_at_its_time),
        TEST(a_machine_stops_when_asked),
        TEST(a_machine_starts_again_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
