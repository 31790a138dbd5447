/* VLANs, links and the engine's windows. */
#include "rig.h"

#include "sim/offload.h"
#include "sim/tap.h"

#define FAR (20 * NS_PER_US) /* two links of the default delay */

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_finish(&rig);
    return 0;
}

/* A VLAN of `n` talkers, with lines too fast to matter. */
static struct vlan *lan(enum vlan_kind kind, unsigned n, struct talker **t)
{
    struct vlan *v = vlan_create(&rig.sim, "lan", kind);

    v->link.rate_bps = 0;
    for (unsigned i = 0; i < n; i++)
        t[i] = rig_talker(&rig, v);
    return v;
}

static void unknown_unicast_floods_its_own_vlan_only(void **state)
{
    struct talker *a[3], *b[1];
    (void)state;
    lan(VLAN_SWITCH, 3, a);
    lan(VLAN_SWITCH, 1, b);
    rig_send_at(a[0], 100, 9, 60, 1);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(a[0]->n_seen, 0);
    assert_int_equal(a[1]->n_seen, 1);
    assert_int_equal(a[2]->n_seen, 1);
    assert_int_equal(b[0]->n_seen, 0);
    assert_int_equal(a[1]->seen[0].at, 100 + FAR);
}

static void a_switch_learns_and_a_hub_does_not(void **state)
{
    struct talker *s[3], *h[3];
    (void)state;
    lan(VLAN_SWITCH, 3, s);
    lan(VLAN_HUB, 3, h);
    rig_send_at(s[1], 0, 0xff, 60, 1);
    rig_send_at(s[0], 50 * NS_PER_US, 2, 60, 2);
    rig_send_at(h[1], 0, 0xff, 60, 1);
    rig_send_at(h[0], 50 * NS_PER_US, 5, 60, 2);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(s[2]->n_seen, 1); /* the broadcast alone */
    assert_int_equal(s[1]->n_seen, 1);
    assert_int_equal(h[2]->n_seen, 2);
}

static void an_unused_address_is_forgotten_after_the_ageing_time(void **state)
{
    struct talker *t[3];
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 3, t);
    v->ageing_ns = NS_PER_SEC;
    rig_send_at(t[1], 0, 0xff, 60, 0);
    rig_send_at(t[0], NS_PER_SEC / 2, 2, 60, 0);
    rig_send_at(t[0], 2 * NS_PER_SEC, 2, 60, 0);
    sim_run(&rig.sim, 3 * NS_PER_SEC);
    assert_int_equal(t[2]->n_seen, 2); /* the broadcast, and the flood after ageing */
}

static void an_address_that_moves_is_followed(void **state)
{
    struct talker *t[3];
    (void)state;
    lan(VLAN_SWITCH, 3, t);
    rig_send_at(t[1], 0, 0xff, 60, 0);
    t[2]->number = 2; /* speaks with t[1]'s address from now on */
    rig_send_at(t[2], 100 * NS_PER_US, 0xff, 60, 0);
    rig_send_at(t[0], 200 * NS_PER_US, 2, 60, 7);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(t[2]->seen[t[2]->n_seen - 1].mark, 7);
    assert_int_not_equal(t[1]->seen[t[1]->n_seen - 1].mark, 7);
}

static void a_full_table_floods_and_counts(void **state)
{
    struct talker *t[3];
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 3, t);
    v->fdb_max = 1;
    rig_send_at(t[0], 0, 0xff, 60, 0);
    rig_send_at(t[1], 1000, 0xff, 60, 0);
    rig_send_at(t[0], 100 * NS_PER_US, 2, 60, 0);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(v->stats.fdb_full, 1);
    assert_int_equal(t[2]->n_seen, 3);
}

/* A port's addresses go with it, even where its place in the table of ports is another's now. */
static void the_addresses_of_a_port_that_left_are_unknown(void **state)
{
    struct talker *t[8];
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 8, t);
    for (unsigned i = 0; i < 8; i++)
        rig_send_at(t[i], 1000 * i, 0xff, 60, 0);
    sim_run(&rig.sim, NS_PER_MS);
    for (unsigned i = 0; i < 5; i++) /* more than half: the array is closed up */
        port_detach(&t[i]->port);
    port_attach(&t[0]->port, v, &v->link);
    for (unsigned i = 0; i < 8; i++)
        t[i]->n_seen = 0;
    rig_send_at(t[6], 2 * NS_PER_MS, 8, 60, 1);  /* still known */
    rig_send_at(t[6], 3 * NS_PER_MS, 2, 60, 2);  /* gone: flooded */
    rig_send_at(t[6], 4 * NS_PER_MS, 1, 60, 3);  /* back, but silent: flooded */
    sim_run(&rig.sim, 10 * NS_PER_MS);
    assert_int_equal(t[7]->n_seen, 3);
    assert_int_equal(t[5]->n_seen, 2);
    assert_int_equal(t[0]->n_seen, 2);
    assert_int_equal(t[1]->n_seen, 0);
}

static void a_full_table_makes_room_of_addresses_whose_port_has_left(void **state)
{
    struct talker *t[3];
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 3, t);
    v->fdb_max = 1;
    rig_send_at(t[0], 0, 0xff, 60, 0);
    sim_run(&rig.sim, NS_PER_MS);
    port_detach(&t[0]->port);
    rig_send_at(t[1], 2 * NS_PER_MS, 0xff, 60, 1);
    rig_send_at(t[2], 3 * NS_PER_MS, 2, 60, 2);
    sim_run(&rig.sim, 5 * NS_PER_MS);
    assert_int_equal(v->stats.flooded, 2); /* the third is not */
    assert_int_equal(v->stats.fdb_full, 1);
}

static void send_from(struct talker *t, uint64_t mac)
{
    struct frame *f = frame_new(60);

    memset(f->data, 0, 60);
    f->data[5] = 0xfe;
    for (unsigned i = 0; i < ETH_ALEN; i++)
        f->data[ETH_ALEN + i] = (uint8_t)(mac >> 8 * (ETH_ALEN - 1 - i));
    f->len = 60;
    port_send(&t->port, f);
}

/* The longest way from where an address belongs to where it is. */
static uint32_t longest_run(const struct vlan *v)
{
    uint32_t longest = 0, run = 0;

    for (uint32_t i = 0; i < 2 * v->fdb_cap; i++) {
        run = v->fdb[i & (v->fdb_cap - 1)].mac ? run + 1 : 0;
        longest = MAX(longest, run);
    }
    return longest;
}

/* Addresses that fell into one place of a table whose hash had no key. */
static void addresses_cannot_be_chosen_to_make_a_table_slow(void **state)
{
    (void)state;
    for (unsigned stride = 0; stride < 40; stride += 13) {
        struct talker *t = rig_talker(&rig, NULL);
        struct vlan *v = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
        v->link.rate_bps = 0;
        port_attach(&t->port, v, &v->link);
        rig_send_at(t, rig.sim.now, 0xff, 60, 0); /* so that its turn comes */
        for (uint64_t i = 1; i <= 8192; i++)
            send_from(t, (i << stride) & 0xfeffffffffff);
        for (uint64_t mac = 1, n = 0; n < 4096; mac++)
            if ((mac * 0x9e3779b97f4a7c15ULL >> 32 & 8191) == 0 && ++n)
                send_from(t, mac);
        sim_run(&rig.sim, rig.sim.now + NS_PER_MS);
        assert_true(v->fdb_n > 4096);
        assert_true(longest_run(v) < 400);
    }
}

static void a_bridge_keeps_reserved_group_addresses(void **state)
{
    struct talker *t[2];
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 2, t);
    struct frame *f = frame_from((uint8_t[60]){0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1}, 60);
    t[0]->actor.now = rig.sim.now;
    port_send(&t[0]->port, f);
    rig_send_at(t[0], 10, 2, 60, 1);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(v->stats.reserved, 1);
    assert_int_equal(t[1]->n_seen, 1);
}

static void a_line_takes_its_time_and_its_queue_is_bounded(void **state)
{
    struct talker *t[2];
    (void)state;
    struct vlan *v = vlan_create(&rig.sim, "slow", VLAN_SWITCH);
    v->link = (struct link){10 * NS_PER_US, 10000000, 3000}; /* 10 Mbit/s */
    for (unsigned i = 0; i < 2; i++)
        t[i] = rig_talker(&rig, v);
    for (unsigned i = 0; i < 10; i++)
        rig_send_at(t[0], 0, 0xff, 976, (uint8_t)i); /* 1000 bytes on the line: 800 us */
    sim_run(&rig.sim, NS_PER_SEC);
    /* One on the line and up to 3000 bytes behind it. */
    assert_int_equal(t[1]->n_seen, 4);
    assert_int_equal(t[0]->port.stats.drops[DROP_QUEUE_OUT], 6);
    assert_int_equal(t[1]->seen[0].at, 2 * (800 + 10) * NS_PER_US);
    assert_int_equal(t[1]->seen[3].at - t[1]->seen[0].at, 3 * 800 * NS_PER_US);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(t[1]->seen[i].mark, i);
}

static void runts_and_giants_are_dropped_and_counted(void **state)
{
    struct talker *t[2];
    (void)state;
    lan(VLAN_HUB, 2, t);
    rig_send_at(t[0], 0, 2, 13, 0);
    rig_send_at(t[0], 1, 2, FRAME_MAX_LEN + 1, 0);
    rig_send_at(t[0], 2, 2, ETH_HLEN, 0);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(t[1]->n_seen, 1);
    assert_int_equal(t[0]->port.stats.drops[DROP_RUNT], 1);
    assert_int_equal(t[0]->port.stats.drops[DROP_GIANT], 1);
}

/* What a receiver would have to make tens of thousands of packets of does not come to one. */
static void requests_for_tiny_segments_are_dropped_and_counted(void **state)
{
    struct talker *t[2];
    (void)state;
    lan(VLAN_HUB, 2, t);
    for (uint16_t size = OFFLOAD_MIN_SEGMENT - 1; size <= OFFLOAD_MIN_SEGMENT; size++) {
        struct frame *f = frame_new(60000);
        memset(f->data, 0xff, 60000);
        f->len = 60000;
        f->offload.gso = FRAME_GSO_TCPV4;
        f->offload.gso_size = size;
        port_send(&t[0]->port, f);
    }
    rig_send_at(t[0], 0, 2, 60, 0); /* so that it runs */
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(t[1]->n_seen, 2);
    assert_int_equal(t[0]->port.stats.drops[DROP_MALFORMED], 1);
}

struct wake {
    struct event event;
    struct talker *talker;
    enum port_verdict verdict;
};

static void wake_fire(struct event *ev, vtime_t now)
{
    struct wake *w = container_of(ev, struct wake, event);
    (void)now;
    w->talker->verdict = w->verdict;
    port_ready(&w->talker->port);
}

static void a_full_receiver_loses_nothing_until_its_bound_and_keeps_order(void **state)
{
    struct talker *t[2];
    struct wake w;
    (void)state;
    lan(VLAN_HUB, 2, t);
    t[1]->verdict = PORT_HOLD;
    for (unsigned i = 0; i < 20; i++)
        rig_send_at(t[0], i, 2, 60, (uint8_t)i);
    event_init(&t[1]->actor.events, &w.event, wake_fire);
    w.talker = t[1];
    w.verdict = PORT_TAKEN;
    evq_arm(&t[1]->actor.events, &w.event, 500 * NS_PER_US);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(t[1]->n_seen, 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(t[1]->seen[i].mark, i);
        assert_int_equal(t[1]->seen[i].at, 500 * NS_PER_US);
    }
}

static void a_receiver_that_never_reads_loses_the_newest_and_counts(void **state)
{
    struct talker *t[3];
    (void)state;
    lan(VLAN_HUB, 3, t);
    t[1]->verdict = PORT_HOLD;
    for (unsigned i = 0; i < PORT_MAX_HELD + 10; i++)
        rig_send_at(t[0], i * 10, 3, 60, (uint8_t)i);
    t[2]->verdict = PORT_DROPPED;
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(t[1]->port.held.n, PORT_MAX_HELD);
    assert_int_equal(t[1]->port.stats.drops[DROP_HELD], 10);
    assert_int_equal(t[2]->port.stats.drops[DROP_REFUSED], PORT_MAX_HELD + 10);
}

static void a_port_that_is_down_neither_sends_nor_receives(void **state)
{
    struct talker *t[3];
    (void)state;
    lan(VLAN_HUB, 3, t);
    port_set_up(&t[1]->port, false);
    rig_send_at(t[0], 0, 2, 60, 0);
    rig_send_at(t[1], 0, 1, 60, 0);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(t[1]->n_seen, 0);
    assert_int_equal(t[0]->n_seen, 0);
    assert_int_equal(t[2]->n_seen, 1);
    assert_int_equal(t[1]->port.stats.drops[DROP_DOWN], 2);
    assert_int_equal(t[1]->carrier_changes, 1);
}

static void a_port_can_leave_while_its_frames_are_under_way(void **state)
{
    struct talker *t[3];
    (void)state;
    lan(VLAN_SWITCH, 3, t);
    rig_send_at(t[0], 0, 0xff, 60, 0);
    rig_send_at(t[1], 0, 0xff, 60, 0);
    sim_run(&rig.sim, 2 * NS_PER_US);
    port_detach(&t[0]->port);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(t[0]->n_seen, 0);
    assert_int_equal(t[2]->n_seen, 1);
    assert_int_equal(t[0]->port.stats.drops[DROP_DOWN], 1);
}

/* --- windows --- */

static void answer(struct talker *t, struct frame *f)
{
    if (f->data[ETH_HLEN] > 0)
        rig_send(t, f->data[11], 60 + f->data[ETH_HLEN], (uint8_t)(f->data[ETH_HLEN] - 1));
}

/* A busy conversation of eight; returns the engine's fingerprint and the arrivals' hash. */
static uint64_t conversation(vtime_t max_window)
{
    struct rig r;
    uint64_t h = RNG_HASH_START;

    rig_init(&r, &(struct sim_options){.seed = 1, .max_window = max_window});
    struct vlan *v = vlan_create(&r.sim, "lan", VLAN_SWITCH);
    v->link = (struct link){7 * NS_PER_US, 100000000, 2000};
    for (unsigned i = 0; i < 8; i++)
        rig_talker(&r, v)->on_rx = answer;
    for (unsigned i = 0; i < 8; i++) {
        rig_send_at(r.talkers[i], i * 300, 0xff, 100, 3);
        rig_send_at(r.talkers[i], i * 700, (uint8_t)(1 + (i * 3) % 8), 1000, 6);
    }
    sim_run(&r.sim, 50 * NS_PER_MS);
    for (unsigned i = 0; i < 8; i++)
        h = hash_bytes(h, r.talkers[i]->seen, r.talkers[i]->n_seen * sizeof(struct rig_seen));
    h ^= sim_fingerprint(&r.sim);
    assert_true(r.talkers[0]->n_seen > 10);
    rig_finish(&r);
    return h;
}

static void the_result_does_not_depend_on_the_size_of_windows(void **state)
{
    (void)state;
    uint64_t whole = conversation(0);
    assert_int_equal(whole, conversation(7 * NS_PER_US));
    assert_int_equal(whole, conversation(3 * NS_PER_US));
    assert_int_equal(whole, conversation(NS_PER_US));
}

static void idle_time_costs_no_windows(void **state)
{
    struct talker *t[2];
    (void)state;
    lan(VLAN_SWITCH, 2, t);
    rig_send_at(t[0], 3600 * NS_PER_SEC, 2, 60, 0);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(t[1]->seen[0].at, 3600 * NS_PER_SEC + FAR);
    assert_true(rig.sim.stats.windows < 10);
}

struct noted {
    struct tap tap;
    vtime_t at[8];
    unsigned n;
};

static void note(struct tap *t, vtime_t at, struct port *p, enum tap_dir dir, struct frame *f)
{
    struct noted *x = container_of(t, struct noted, tap);
    (void)p, (void)dir, (void)f;
    x->at[x->n++] = at;
}

static void taps_see_the_vlan_and_both_directions_of_a_port(void **state)
{
    struct talker *t[2];
    struct noted on_vlan = {.tap.seen = note}, on_port = {.tap.seen = note};
    (void)state;
    struct vlan *v = lan(VLAN_SWITCH, 2, t);
    tap_add(&v->taps, &on_vlan.tap);
    tap_add(&t[1]->port.taps, &on_port.tap);
    t[1]->on_rx = answer;
    rig_send_at(t[0], 0, 2, 60, 1);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(on_vlan.n, 2);
    assert_int_equal(on_vlan.at[0], FAR / 2);
    assert_int_equal(on_port.n, 2);
    assert_int_equal(on_port.at[0], FAR);
    assert_int_equal(on_port.at[1], FAR);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unknown_unicast_floods_its_own_vlan_only),
        TEST(a_switch_learns_and_a_hub_does_not),
        TEST(an_unused_address_is_forgotten_after_the_ageing_time),
        TEST(an_address_that_moves_is_followed),
        TEST(a_full_table_floods_and_counts),
        TEST(the_addresses_of_a_port_that_left_are_unknown),
        TEST(a_full_table_makes_room_of_addresses_whose_port_has_left),
        TEST(addresses_cannot_be_chosen_to_make_a_table_slow),
        TEST(a_bridge_keeps_reserved_group_addresses),
        TEST(a_line_takes_its_time_and_its_queue_is_bounded),
        TEST(runts_and_giants_are_dropped_and_counted),
        TEST(requests_for_tiny_segments_are_dropped_and_counted),
        TEST(a_full_receiver_loses_nothing_until_its_bound_and_keeps_order),
        TEST(a_receiver_that_never_reads_loses_the_newest_and_counts),
        TEST(a_port_that_is_down_neither_sends_nor_receives),
        TEST(a_port_can_leave_while_its_frames_are_under_way),
        TEST(the_result_does_not_depend_on_the_size_of_windows),
        TEST(idle_time_costs_no_windows),
        TEST(taps_see_the_vlan_and_both_directions_of_a_port),
    };
    return cmocka_run_group_tests_name("vlan", tests, NULL, NULL);
}
