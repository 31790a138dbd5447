/* The board's own devices: UART, CLINT, PLIC, RTC and finisher, by their data sheets. */
#include "rig.h"

#include "devices/clint.h"
#include "devices/finisher.h"
#include "devices/goldfish_rtc.h"
#include "devices/plic.h"
#include "devices/uart16550.h"

#define LINE 10
#define EPOCH 1700000000123456789LL

static struct rig rig;
static struct uart16550 uart;
static struct clint clint;
static struct plic plic;
static struct goldfish_rtc rtc;
static struct finisher finisher;

static bool hart_line[2][16]; /* [hart][bit of mip] */
static bool context_line[4];
static unsigned mtime_moved;

static void clint_set(void *opaque, unsigned hart, unsigned irq, bool level)
{
    (void)opaque;
    hart_line[hart][irq] = level;
}

static void clint_moved(void *opaque)
{
    (void)opaque;
    mtime_moved++;
}

static void plic_set(void *opaque, unsigned context, bool level)
{
    (void)opaque;
    context_line[context] = level;
}

static const struct clint_ops clint_ops = {clint_set, clint_moved};

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    memset(hart_line, 0, sizeof hart_line);
    memset(context_line, 0, sizeof context_line);
    mtime_moved = 0;
    uart16550_init(&uart, &rig.env, "rig.uart", "rig");
    rig_wire(&rig, &uart.dev, LINE);
    clint_init(&clint, &rig.env, "rig.clint", 2, &clint_ops, NULL);
    plic_init(&plic, &rig.env, "rig.plic", 4, plic_set, NULL);
    goldfish_rtc_init(&rtc, &rig.env, "rig.rtc", EPOCH);
    rig_wire(&rig, &rtc.dev, LINE + 1);
    finisher_init(&finisher, &rig.env, "rig.test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    device_finish(&uart.dev);
    device_finish(&clint.dev);
    device_finish(&plic.dev);
    device_finish(&rtc.dev);
    device_finish(&finisher.dev);
    rig_finish(&rig);
    return 0;
}

/* --- UART --- */

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static uint8_t in(unsigned reg)
{
    return (uint8_t)rig_read(&uart.dev, reg, 1);
}

static void out(unsigned reg, uint8_t v)
{
    rig_write(&uart.dev, reg, v, 1);
}

static void type(const char *text)
{
    assert_true(console_feed(&uart.console, text, strlen(text), rig.actor.now));
    rig_advance(&rig, rig.actor.now);
}

static void bytes_written_reach_the_console(void **state)
{
    (void)state;
    for (const char *p = "hello"; *p; p++) {
        assert_int_equal(in(LSR), 0x60);
        out(RBR, (uint8_t)*p);
    }
    assert_int_equal(uart.console.n_out, 5);
    assert_memory_equal(uart.console.out, "hello", 5);
}

static void bytes_typed_can_be_read_with_and_without_fifo(void **state)
{
    (void)state;
    type("a lot of text, longer than a FIFO");
    assert_int_equal(in(LSR), 0x61);
    for (const char *p = "a lot of te"; *p; p++)
        assert_int_equal(in(RBR), *p);
    out(IIR, 0x01); /* turning FIFOs on clears them: one byte is lost, as on the real thing */
    for (const char *p = "t, longer than a FIFO"; *p; p++)
        assert_int_equal(in(RBR), *p);
    assert_int_equal(in(LSR), 0x60);
}

static void data_interrupts_follow_the_trigger_level(void **state)
{
    (void)state;
    out(IIR, 0x81); /* trigger 8 */
    out(IER, 1);
    type("1234567");
    assert_false(rig.line[LINE]);
    type("8");
    assert_true(rig.line[LINE]);
    assert_int_equal(in(IIR), 0xc4);
    in(RBR);
    assert_false(rig.line[LINE]);
    assert_int_equal(in(IIR), 0xc1);
}

static void bytes_below_the_trigger_time_out_after_four_characters(void **state)
{
    /* 8N1 at 115200: 40 bits take 347.2 us. */
    (void)state;
    out(LCR, 3);
    out(IIR, 0x81);
    out(IER, 1);
    type("ab");
    rig_advance(&rig, 347 * NS_PER_US);
    assert_false(rig.line[LINE]);
    rig_advance(&rig, 348 * NS_PER_US);
    assert_true(rig.line[LINE]);
    assert_int_equal(in(IIR), 0xcc);
    in(RBR);
    assert_false(rig.line[LINE]);
    rig_advance(&rig, 700 * NS_PER_US);
    assert_true(rig.line[LINE]); /* one is still there */
    in(RBR);
    rig_advance(&rig, NS_PER_SEC);
    assert_false(rig.line[LINE]);
}

static void the_transmitter_interrupt_comes_when_it_empties_or_is_enabled(void **state)
{
    (void)state;
    assert_int_equal(in(IIR), 1);
    out(IER, 2);
    assert_true(rig.line[LINE]);
    assert_int_equal(in(IIR), 2); /* reading it clears it */
    assert_int_equal(in(IIR), 1);
    assert_false(rig.line[LINE]);
    out(RBR, 'x');
    assert_true(rig.line[LINE]);
    out(IER, 0);
    assert_false(rig.line[LINE]);
    out(IER, 2);
    assert_int_equal(in(IIR), 2);
    out(IER, 2); /* no change: no new one */
    assert_int_equal(in(IIR), 1);
}

static void the_divisor_hides_behind_dlab(void **state)
{
    (void)state;
    out(LCR, 0x83);
    out(RBR, 0x0c);
    out(IER, 0x01);
    assert_int_equal(in(RBR), 0x0c);
    assert_int_equal(in(IER), 0x01);
    out(LCR, 0x03);
    assert_int_equal(in(IER), 0);
    assert_int_equal(uart.console.n_out, 0);
    out(SCR, 0xa5);
    assert_int_equal(in(SCR), 0xa5);
}

static void loopback_joins_both_ends(void **state)
{
    (void)state;
    out(IIR, 1);
    out(MCR, 0x10);
    assert_int_equal(in(MSR) & 0xf0, 0);
    assert_int_equal(in(MSR), 0); /* deltas were read away */
    out(MCR, 0x1f);
    assert_int_equal(in(MSR), 0xfb); /* RI counts when it ends */
    out(MCR, 0x1b);
    assert_int_equal(in(MSR), 0xb4);
    out(RBR, 'q');
    type("outside");
    assert_int_equal(uart.console.n_out, 0);
    assert_int_equal(in(RBR), 'q');
    assert_int_equal(in(LSR), 0x60);
    out(IER, 4);
    for (unsigned i = 0; i < 17; i++)
        out(RBR, (uint8_t)i);
    assert_int_equal(in(IIR), 0xc6); /* overrun */
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(in(RBR), i);
    out(MCR, 0x0b);
    assert_int_equal(in(RBR), 'o');
}

static void modem_changes_interrupt(void **state)
{
    (void)state;
    out(IER, 8);
    out(MCR, 0x10);
    assert_true(rig.line[LINE]);
    assert_int_equal(in(IIR), 0);
    in(MSR);
    assert_false(rig.line[LINE]);
}

/* --- CLINT --- */

static void mtime_is_virtual_time_at_10_mhz(void **state)
{
    (void)state;
    rig_advance(&rig, 12345678);
    assert_int_equal(rig_read(&clint.dev, 0xbff8, 8), 123456);
    rig_write(&clint.dev, 0xbff8, 0x100000000ULL, 8);
    assert_int_equal(mtime_moved, 1);
    rig_advance(&rig, 12345678 + 1000);
    assert_int_equal(rig_read(&clint.dev, 0xbff8, 4), 10);
    assert_int_equal(rig_read(&clint.dev, 0xbffc, 4), 1);
    rig_write(&clint.dev, 0xbffc, 0, 4);
    assert_int_equal(clint_mtime(&clint), 10);
}

static void the_timer_rises_at_exactly_mtimecmp(void **state)
{
    (void)state;
    rig_write(&clint.dev, 0x4008, 1000, 8);
    rig_advance(&rig, 99999);
    assert_false(hart_line[1][CLINT_MTI]);
    rig_advance(&rig, 100000);
    assert_true(hart_line[1][CLINT_MTI]);
    assert_false(hart_line[0][CLINT_MTI]);
    rig_write(&clint.dev, 0x4008, 0xffffffff, 4);
    assert_false(hart_line[1][CLINT_MTI]);
    rig_write(&clint.dev, 0x400c, 0xffffffff, 4);
    assert_int_equal(evq_next(&rig.actor.events), VTIME_NEVER);
    assert_int_equal(rig_read(&clint.dev, 0x4008, 8), ~0ULL);
    rig_write(&clint.dev, 0x4000, 5, 8); /* in the past: at once */
    assert_true(hart_line[0][CLINT_MTI]);
}

static void writing_mtime_moves_the_timers(void **state)
{
    (void)state;
    rig_write(&clint.dev, 0x4000, 5000, 8);
    rig_write(&clint.dev, 0xbff8, 4000, 8);
    assert_int_equal(evq_next(&rig.actor.events), 1000 * 100);
    rig_write(&clint.dev, 0xbff8, 5000, 8);
    assert_true(hart_line[0][CLINT_MTI]);
    rig_write(&clint.dev, 0xbff8, 0, 8);
    assert_false(hart_line[0][CLINT_MTI]);
}

static void software_interrupts_have_one_bit(void **state)
{
    (void)state;
    rig_write(&clint.dev, 4, 0xffffffff, 4);
    assert_true(hart_line[1][CLINT_MSI]);
    assert_int_equal(rig_read(&clint.dev, 4, 4), 1);
    assert_int_equal(rig_read(&clint.dev, 0, 8), 1ULL << 32);
    rig_write(&clint.dev, 4, 0xfffffffe, 4);
    assert_false(hart_line[1][CLINT_MSI]);
    rig_write(&clint.dev, 8, 1, 4); /* no such hart */
    assert_int_equal(rig_read(&clint.dev, 8, 4), 0);
    clint_set_msip(&clint, 0, true);
    device_reset(&clint.dev);
    assert_false(hart_line[0][CLINT_MSI]);
}

/* --- PLIC --- */

static void pw(uint64_t at, uint32_t v)
{
    rig_write(&plic.dev, at, v, 4);
}

static uint32_t pr(uint64_t at)
{
    return (uint32_t)rig_read(&plic.dev, at, 4);
}

static void line(uint32_t n, bool level)
{
    plic.sink.set(&plic.sink, n, level);
}

#define S0_ENABLE 0x2080
#define S0_CONTEXT 0x201000

static void the_highest_priority_is_claimed_first_then_the_lowest_number(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 4; i++)
        pw(4 * i, i == 3 ? 7 : 2);
    pw(S0_ENABLE, 0x1e);
    for (unsigned i = 4; i >= 1; i--)
        line(i, true);
    assert_true(context_line[1]);
    assert_false(context_line[0]);
    assert_int_equal(pr(0x1000), 0x1e);
    assert_int_equal(pr(S0_CONTEXT + 4), 3);
    assert_int_equal(pr(S0_CONTEXT + 4), 1);
    assert_int_equal(pr(S0_CONTEXT + 4), 2);
    assert_int_equal(pr(S0_CONTEXT + 4), 4);
    assert_int_equal(pr(S0_CONTEXT + 4), 0);
    assert_false(context_line[1]);
}

static void a_level_interrupts_again_after_completion(void **state)
{
    (void)state;
    pw(4 * 33, 1);
    pw(S0_ENABLE + 4, 2);
    line(33, true);
    assert_int_equal(pr(S0_CONTEXT + 4), 33);
    assert_int_equal(pr(0x1004), 0);
    pw(S0_CONTEXT + 4, 33);
    assert_true(context_line[1]);
    assert_int_equal(pr(S0_CONTEXT + 4), 33);
    line(33, false);
    pw(S0_CONTEXT + 4, 33);
    assert_false(context_line[1]);
    line(33, true);
    line(33, false); /* a request once made stays */
    assert_int_equal(pr(S0_CONTEXT + 4), 33);
}

static void the_threshold_masks_and_zero_priority_never_interrupts(void **state)
{
    (void)state;
    pw(4 * 5, 3);
    pw(S0_ENABLE, 1 << 5 | 1 << 6);
    pw(S0_CONTEXT, 3);
    line(5, true);
    line(6, true);
    assert_false(context_line[1]);
    assert_int_equal(pr(S0_CONTEXT + 4), 5); /* the threshold does not matter to a claim */
    pw(S0_CONTEXT + 4, 5);
    pw(S0_CONTEXT, 2);
    assert_true(context_line[1]);
    pw(S0_CONTEXT, 0xffffffff);
    assert_int_equal(pr(S0_CONTEXT), 7);
    assert_false(context_line[1]);
}

static void what_cannot_be_written_stays(void **state)
{
    (void)state;
    pw(0, 7);
    pw(0x1000, ~0u);
    pw(S0_ENABLE, ~0u);
    pw(4 * 96, 7);
    pw(0x2000 + 0x80 * 4, ~0u); /* a context there is not */
    pw(0x200000 + 0x1000 * 4, 7);
    assert_int_equal(pr(0), 0);
    assert_int_equal(pr(0x1000), 0);
    assert_int_equal(pr(S0_ENABLE), ~1u);
    assert_int_equal(pr(4 * 96), 0);
    assert_int_equal(pr(0x2000 + 0x80 * 4), 0);
    assert_int_equal(pr(0x200000 + 0x1000 * 4), 0);
    pw(S0_CONTEXT + 4, 95);
    pw(S0_CONTEXT + 4, 1000); /* completions of nothing */
    assert_int_equal(pr(S0_CONTEXT + 4), 0);
}

static void a_completion_by_a_context_without_the_source_is_ignored(void **state)
{
    (void)state;
    pw(4 * 7, 1);
    pw(S0_ENABLE, 1 << 7);
    line(7, true);
    assert_int_equal(pr(S0_CONTEXT + 4), 7);
    pw(0x203000 + 4, 7);
    assert_false(context_line[1]);
    pw(S0_CONTEXT + 4, 7);
    assert_true(context_line[1]);
}

/* --- RTC and finisher --- */

static uint64_t rtc_time(void)
{
    uint64_t low = rig_read(&rtc.dev, 0, 4);

    return low | rig_read(&rtc.dev, 4, 4) << 32;
}

static void the_clock_is_its_epoch_and_virtual_time(void **state)
{
    (void)state;
    rig_advance(&rig, 5 * NS_PER_SEC + 7);
    assert_int_equal(rtc_time(), EPOCH + 5 * NS_PER_SEC + 7);
    rig_read(&rtc.dev, 0, 4);
    rig_advance(&rig, 20 * NS_PER_SEC); /* the high half is the one that was latched */
    assert_int_equal(rig_read(&rtc.dev, 4, 4), (uint64_t)(EPOCH + 5 * NS_PER_SEC) >> 32);
    rig_write(&rtc.dev, 4, 1, 4);
    rig_write(&rtc.dev, 0, 2, 4);
    assert_int_equal(rtc_time(), 0x100000002ULL);
}

static void the_alarm_rings_at_its_time(void **state)
{
    uint64_t at = EPOCH + 1000;
    (void)state;
    rig_write(&rtc.dev, 0x10, 1, 4);
    rig_write(&rtc.dev, 0x0c, at >> 32, 4);
    rig_write(&rtc.dev, 0x08, at & 0xffffffff, 4);
    assert_int_equal(rig_read(&rtc.dev, 0x18, 4), 1);
    rig_advance(&rig, 999);
    assert_false(rig.line[LINE + 1]);
    rig_advance(&rig, 1000);
    assert_true(rig.line[LINE + 1]);
    assert_int_equal(rig_read(&rtc.dev, 0x18, 4), 0);
    rig_write(&rtc.dev, 0x1c, 1, 4);
    assert_false(rig.line[LINE + 1]);
    rig_write(&rtc.dev, 0x08, (at + 5000) & 0xffffffff, 4);
    rig_write(&rtc.dev, 0x14, 1, 4);
    rig_advance(&rig, NS_PER_SEC);
    assert_false(rig.line[LINE + 1]);
}

static void the_finisher_passes_fails_and_resets(void **state)
{
    (void)state;
    rig_write(&finisher.dev, 0, 0x5555, 4);
    assert_int_equal(rig.power_what, POWER_OFF);
    rig_write(&finisher.dev, 0, 0x3333 | 42u << 16, 4);
    assert_int_equal(rig.power_what, POWER_FAIL);
    assert_int_equal(rig.power_code, 42);
    rig_write(&finisher.dev, 0, 0x7777, 4);
    assert_int_equal(rig.power_what, POWER_RESET);
    rig_write(&finisher.dev, 0, 0x1234, 4);
    rig_write(&finisher.dev, 4, 0x5555, 4);
    assert_int_equal(rig.power_requests, 3);
}

static void reset_gives_every_field_its_value(void **state)
{
    struct device *all[] = {&uart.dev, &clint.dev, &plic.dev, &rtc.dev, &finisher.dev};
    (void)state;
    line(9, true);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        rig_check_reset(&rig, all[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_written_reach_the_console),
        TEST(bytes_typed_can_be_read_with_and_without_fifo),
        TEST(data_interrupts_follow_the_trigger_level),
        TEST(bytes_below_the_trigger_time_out_after_four_characters),
        TEST(the_transmitter_interrupt_comes_when_it_empties_or_is_enabled),
        TEST(the_divisor_hides_behind_dlab),
        TEST(loopback_joins_both_ends),
        TEST(modem_changes_interrupt),
        TEST(mtime_is_virtual_time_at_10_mhz),
        TEST(the_timer_rises_at_exactly_mtimecmp),
        TEST(writing_mtime_moves_the_timers),
        TEST(software_interrupts_have_one_bit),
        TEST(the_highest_priority_is_claimed_first_then_the_lowest_number),
        TEST(a_level_interrupts_again_after_completion),
        TEST(the_threshold_masks_and_zero_priority_never_interrupts),
        TEST(what_cannot_be_written_stays),
        TEST(a_completion_by_a_context_without_the_source_is_ignored),
        TEST(the_clock_is_its_epoch_and_virtual_time),
        TEST(the_alarm_rings_at_its_time),
        TEST(the_finisher_passes_fails_and_resets),
        TEST(reset_gives_every_field_its_value),
    };

    return cmocka_run_group_tests_name("board devices", tests, NULL, NULL);
}
