/* The engine's small parts: event queue, units, random numbers, errors, consoles. */
#include "rig.h"

#include "sim/console.h"
#include "sim/err.h"
#include "sim/rng.h"
#include "sim/state.h"
#include "sim/tap.h"
#include "sim/units.h"

/* --- events --- */

static int order[64];
static unsigned n_order;

struct numbered {
    struct event event;
    int number;
};

static void number_fire(struct event *ev, vtime_t now)
{
    (void)now;
    order[n_order++] = container_of(ev, struct numbered, event)->number;
}

static void equal_times_fire_in_order_of_initialisation(void **state)
{
    struct evq q = {0};
    struct numbered e[16];
    (void)state;
    n_order = 0;
    for (int i = 0; i < 16; i++) {
        event_init(&q, &e[i].event, number_fire);
        e[i].number = i;
    }
    for (int i = 15; i >= 0; i--) /* armed backwards, twice */
        evq_arm(&q, &e[i].event, 50);
    for (int i = 0; i < 16; i++)
        evq_arm(&q, &e[i].event, i % 2 ? 7 : 5);
    evq_cancel(&q, &e[4].event);
    evq_cancel(&q, &e[4].event);
    evq_run(&q, 6);
    assert_int_equal(n_order, 7);
    evq_run(&q, 7);
    assert_int_equal(n_order, 15);
    static const int even[] = {0, 2, 6, 8, 10, 12, 14};
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(order[i], even[i]);
    for (unsigned i = 7; i < 15; i++)
        assert_int_equal(order[i], (int)(i - 7) * 2 + 1);
    assert_int_equal(evq_next(&q), VTIME_NEVER);
    evq_finish(&q);
}

static void a_heap_of_random_times_fires_sorted(void **state)
{
    struct evq q = {0};
    static struct numbered e[500];
    struct rng r;
    vtime_t last = 0;
    (void)state;
    rng_init(&r, 3, "heap");
    for (int i = 0; i < 500; i++) {
        event_init(&q, &e[i].event, number_fire);
        evq_arm(&q, &e[i].event, (vtime_t)rng_below(&r, 1000));
    }
    for (int i = 0; i < 500; i += 3)
        evq_arm(&q, &e[i].event, (vtime_t)rng_below(&r, 1000));
    for (int i = 0; i < 500; i += 7)
        evq_cancel(&q, &e[i].event);
    while (q.n) {
        vtime_t t = evq_next(&q);
        assert_true(t >= last);
        last = t;
        evq_cancel(&q, q.heap[0]);
    }
    evq_finish(&q);
}

/* --- units --- */

static void units_are_parsed_whole_or_not_at_all(void **state)
{
    vtime_t t;
    uint64_t n;
    char buf[32];
    (void)state;
    assert_true(units_time("20us", &t) && t == 20000);
    assert_true(units_time("1.5 ms", &t) && t == 1500000);
    assert_true(units_time("0", &t) && t == 0);
    assert_true(units_time("2h", &t) && t == 7200 * NS_PER_SEC);
    assert_true(units_rate("1Gbit", &n) && n == 1000000000);
    assert_true(units_rate("10Mbit/s", &n) && n == 10000000);
    assert_true(units_size("64M", &n) && n == 64 << 20);
    assert_true(units_size("512", &n) && n == 512);
    const char *bad[] = {"", "20", "us", "-1us", "1e3us", "0x10us", "20 us ", "20uss", "1..5s",
                         "99999999999999h"};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(units_time(bad[i], &t));
    assert_false(units_size("12Q", &n));
    assert_false(units_rate("1Gb ", &n));
    assert_string_equal(units_format_time(1500000, buf, sizeof(buf)), "1.5ms");
    assert_string_equal(units_format_size(3 << 20, buf, sizeof(buf)), "3 MiB");
}

/* --- random numbers --- */

static void generators_depend_on_seed_and_name_alone(void **state)
{
    struct rng a, b, c, d;
    (void)state;
    rng_init(&a, 1, "h1");
    rng_init(&b, 1, "h1");
    rng_init(&c, 2, "h1");
    rng_init(&d, 1, "h2");
    uint64_t x = rng_next(&a);
    assert_true(x == rng_next(&b));
    assert_true(x != rng_next(&c) && x != rng_next(&d));
    for (unsigned i = 0; i < 1000; i++)
        assert_true(rng_below(&a, 7) < 7);
}

/* --- errors --- */

static void sentences_name_file_and_line(void **state)
{
    struct err e = {0};
    (void)state;
    assert_false(err_any(&e));
    err_at(&e, "lan.lua", 4, "vlan tag %d is outside 1..4094", 5000);
    err_at(&e, NULL, 0, "plain");
    assert_string_equal(e.texts[0], "lan.lua:4: vlan tag 5000 is outside 1..4094");
    assert_string_equal(e.texts[1], "plain");
    err_finish(&e);
}

/* --- state tables --- */

struct thing {
    uint8_t a;
    uint16_t b[3];
    uint64_t c;
};

static void a_field_table_resets_and_hashes(void **state)
{
    static const struct field fields[] = {
        FIELD(struct thing, a, FIELD_U8, 7),
        FIELD(struct thing, b, FIELD_U16, 0x1234),
        FIELD(struct thing, c, FIELD_U64, 0),
        FIELD_END,
    };
    struct thing x = {1, {2, 3, 4}, 5}, y;
    (void)state;
    state_reset(fields, &x);
    assert_int_equal(x.a, 7);
    assert_int_equal(x.b[2], 0x1234);
    assert_int_equal(x.c, 0);
    memset(&y, 0xff, sizeof(y));
    state_reset(fields, &y);
    assert_true(state_hash(fields, &x, 1) == state_hash(fields, &y, 1));
    y.b[1]++;
    assert_true(state_hash(fields, &x, 1) != state_hash(fields, &y, 1));
}

/* --- consoles --- */

struct echo {
    struct actor actor;
    struct console console;
    struct console_sink sink;
    char got[64];
    unsigned n_got;
    vtime_t last;
};

static void echo_input(struct console *c)
{
    uint8_t buf[8];
    size_t n;

    while ((n = console_read(c, buf, sizeof(buf))) > 0)
        console_write(c, buf, n);
}

static void echo_sink(struct console_sink *s, vtime_t at, const uint8_t *p, size_t n)
{
    struct echo *e = container_of(s, struct echo, sink);

    memcpy(e->got + e->n_got, p, n);
    e->n_got += (unsigned)n;
    e->last = at;
}

static void console_bytes_keep_their_order_and_times(void **state)
{
    static const struct actor_ops ops = {.kind = "echo"};
    struct rig r;
    struct echo e = {0};
    (void)state;
    rig_init(&r, NULL);
    actor_init(&e.actor, &ops, &r.sim, "e");
    console_init(&e.console, &e.actor, "e");
    e.console.input = echo_input;
    e.sink.bytes = echo_sink;
    console_add_sink(&e.console, &e.sink);
    assert_true(console_feed(&e.console, "hello ", 6, 100));
    assert_true(console_feed(&e.console, "world", 5, 5000));
    assert_true(console_feed(&e.console, "!", 1, 2)); /* not before what was fed first */
    sim_run(&r.sim, 4000);
    assert_int_equal(e.n_got, 6);
    assert_int_equal(e.last, 100);
    sim_run(&r.sim, VTIME_NEVER);
    assert_int_equal(e.n_got, 12);
    assert_memory_equal(e.got, "hello world!", 12);
    assert_int_equal(e.last, 5000);
    static char big[CONSOLE_MAX_INPUT + 1];
    assert_false(console_feed(&e.console, big, sizeof(big), 6000));
    console_finish(&e.console);
    actor_finish(&e.actor);
    rig_finish(&r);
}

struct stop {
    struct event event;
    struct sim *sim;
};

static void stop_fire(struct event *ev, vtime_t now)
{
    (void)now;
    sim_stop(container_of(ev, struct stop, event)->sim);
}

static void control_events_stop_the_run_on_the_grid(void **state)
{
    struct rig r;
    struct stop s;
    (void)state;
    rig_init(&r, NULL);
    event_init(&r.sim.control, &s.event, stop_fire);
    s.sim = &r.sim;
    sim_at(&r.sim, &s.event, 12345678);
    assert_int_equal(sim_run(&r.sim, VTIME_NEVER), SIM_STOPPED);
    assert_int_equal(r.sim.now, 12346000);
    assert_int_equal(sim_run(&r.sim, 20000000), SIM_REACHED);
    rig_finish(&r);
}

/* A tap that arms a control event, as an `expect` on a VLAN does. */
struct waiter {
    struct tap tap;
    struct stop stop;
};

static void waiter_seen(struct tap *t, vtime_t at, struct port *port, enum tap_dir dir,
                        struct frame *f)
{
    struct waiter *w = container_of(t, struct waiter, tap);

    (void)port, (void)dir;
    if (f->data[ETH_HLEN] == 1)
        sim_at(w->stop.sim, &w->stop.event, at + CONSOLE_DELAY);
}

/* Nothing else is due: neither idleness nor a far event may hide what the tap has armed. */
static void what_a_tap_arms_fires_at_its_time(void **state)
{
    (void)state;
    for (unsigned far = 0; far < 2; far++) {
        struct rig r;
        rig_init(&r, NULL);
        struct vlan *v = vlan_create(&r.sim, "lan", VLAN_SWITCH);
        struct talker *t = rig_talker(&r, v);
        struct waiter w = {.tap.seen = waiter_seen, .stop.sim = &r.sim};
        v->link.rate_bps = 0;
        port_attach(&t->port, v, &v->link);
        tap_add(&v->taps, &w.tap);
        event_init(&r.sim.control, &w.stop.event, stop_fire);
        rig_send_at(t, 50 * NS_PER_US, 0xff, 60, 0); /* begins a window of 20 us */
        rig_send_at(t, 65 * NS_PER_US, 0xff, 60, 1); /* reaches the VLAN after it */
        if (far)
            rig_send_at(t, NS_PER_SEC, 0xff, 60, 2);
        assert_int_equal(sim_run(&r.sim, VTIME_NEVER), SIM_STOPPED);
        assert_int_equal(r.sim.now, 75 * NS_PER_US + CONSOLE_DELAY);
        rig_finish(&r);
    }
}

/* --- floods --- */

static void a_sender_fills_its_line_and_no_more(void **state)
{
    static const uint64_t rates[] = {1000000000, 0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rates); i++) {
        struct rig r;
        rig_init(&r, NULL);
        struct vlan *v = vlan_create(&r.sim, "lan", VLAN_SWITCH);
        v->link.rate_bps = rates[i];
        struct talker *t = rig_talker(&r, v);
        for (unsigned n = 0; n < 10000; n++) /* 15 MB at one instant */
            rig_send(t, 0xff, 1500, 1);
        assert_true(frame_alive() < 3000);
        assert_int_equal(frame_alive() + t->port.stats.drops[DROP_QUEUE_OUT], 10000);
        assert_int_equal(t->port.stats.tx_frames, 10000);
        rig_finish(&r);
    }
}

static void console_output_is_bounded_by_virtual_time(void **state)
{
    struct rig r;
    struct console c;
    uint8_t bytes[1000] = {0};
    (void)state;
    rig_init(&r, NULL);
    struct talker *t = rig_talker(&r, NULL);
    console_init(&c, &t->actor, "c");
    for (unsigned n = 0; n < 1000; n++)
        assert_int_equal(console_write(&c, bytes, sizeof(bytes)),
                         (n + 1) * sizeof(bytes) <= CONSOLE_MAX_BURST);
    assert_int_equal(c.n_out, CONSOLE_MAX_BURST);
    assert_int_equal(c.out_lost, 1000000 - CONSOLE_MAX_BURST);
    t->actor.now += NS_PER_US;
    assert_true(console_write(&c, "x", 1));
    console_finish(&c);
    rig_finish(&r);
}

/* A megabyte fed at once, read byte by byte as a UART does: not the square of it. */
static void console_input_is_read_in_order_byte_by_byte(void **state)
{
    static uint8_t fed[CONSOLE_MAX_INPUT];
    struct rig r;
    struct console c;
    uint8_t byte = 0, more[1000];
    (void)state;
    rig_init(&r, NULL);
    struct talker *t = rig_talker(&r, NULL);
    console_init(&c, &t->actor, "c");
    for (unsigned i = 0; i < sizeof(fed); i++)
        fed[i] = (uint8_t)(i ^ i >> 8);
    assert_true(console_feed(&c, fed, sizeof(fed), 0));
    assert_false(console_feed(&c, fed, 1, 0));
    evq_run(&t->actor.events, 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(console_read(&c, &byte, 1), 1);
        assert_int_equal(byte, fed[i]);
        more[i] = (uint8_t)i;
    }
    assert_true(console_feed(&c, more, sizeof(more), 0));
    evq_run(&t->actor.events, 0);
    for (unsigned i = 1000; i < sizeof(fed); i++)
        if (console_read(&c, &byte, 1) != 1 || byte != fed[i])
            fail_msg("byte %u", i);
    assert_true(console_feed(&c, fed, 10, 0)); /* behind what is left */
    for (unsigned i = 0; i < sizeof(more); i++)
        if (console_read(&c, &byte, 1) != 1 || byte != more[i])
            fail_msg("byte %u of the second", i);
    assert_int_equal(console_available(&c), 0);
    assert_true(c.cap_in <= 4 * CONSOLE_MAX_INPUT);
    console_finish(&c);
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_times_fire_in_order_of_initialisation),
        cmocka_unit_test(a_heap_of_random_times_fires_sorted),
        cmocka_unit_test(units_are_parsed_whole_or_not_at_all),
        cmocka_unit_test(generators_depend_on_seed_and_name_alone),
        cmocka_unit_test(sentences_name_file_and_line),
        cmocka_unit_test(a_field_table_resets_and_hashes),
        cmocka_unit_test(console_bytes_keep_their_order_and_times),
        cmocka_unit_test(control_events_stop_the_run_on_the_grid),
        cmocka_unit_test(what_a_tap_arms_fires_at_its_time),
        cmocka_unit_test(a_sender_fills_its_line_and_no_more),
        cmocka_unit_test(console_output_is_bounded_by_virtual_time),
        cmocka_unit_test(console_input_is_read_in_order_byte_by_byte),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
