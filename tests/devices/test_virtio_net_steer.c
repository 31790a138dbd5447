/* virtio-net with several pairs of queues: which of them packets come to, and how they wait there.
 */
#include "mq_rig.h"

/* --- steering (5.1.6.5.6) --- */

static void answers_come_to_the_pair_that_sent(void **state)
{
    (void)state;
    start_pairs(PAIRS);
    for (unsigned i = 0; i < 40; i++)
        send_tcp(i % PAIRS, 2000 + i, 443);
    for (unsigned i = 40; i-- > 0;)
        assert_int_equal(answer_to(2000 + i, 443), i % PAIRS);
    for (unsigned i = 0; i < 40; i++) /* flows move with their sender */
        send_tcp((i + 1) % PAIRS, 2000 + i, 443);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(answer_to(2000 + i, 443), (i + 1) % PAIRS);
}

static void flows_of_a_pair_no_longer_used_go_to_others(void **state)
{
    (void)state;
    start_pairs(PAIRS);
    send_tcp(0, 1, 2);
    send_tcp(1, 3, 4);
    send_tcp(3, 5, 6);
    assert_int_equal(answer_to(5, 6), 3);
    assert_int_equal(use_pairs(2), 0);
    assert_int_equal(answer_to(1, 2), 0);
    assert_int_equal(answer_to(3, 4), 1);
    assert_true(answer_to(5, 6) < 2);
    send_tcp(3, 3, 4); /* not a pair in use: sent, but nothing is learned of it */
    assert_int_equal(answer_to(3, 4), 1);
    assert_int_equal(use_pairs(PAIRS), 0);
    assert_int_equal(answer_to(5, 6), 3);
}

/* No pair is left out, and a flow is never in two places. */
static void flows_that_nobody_sent_are_spread_over_all_pairs_in_use(void **state)
{
    unsigned count[PAIRS];
    (void)state;
    start_pairs(PAIRS);
    for (unsigned used = PAIRS; used >= 2; used--) {
        memset(count, 0, sizeof(count));
        assert_int_equal(use_pairs(used), 0);
        for (unsigned i = 0; i < 400; i++) {
            unsigned at = answer_to(3000 + i, 80);
            assert_true(at < used);
            assert_int_equal(answer_to(3000 + i, 80), at);
            count[at]++;
        }
        for (unsigned i = 0; i < used; i++)
            assert_true(count[i] > 400 / used / 2);
    }
}

/* The table holds some flows; whichever push out which, the last ones sent are there. */
static void more_flows_than_the_table_holds_do_no_harm(void **state)
{
    (void)state;
    start_pairs(PAIRS);
    for (unsigned i = 0; i < 20000; i++) {
        send_tcp(i % PAIRS, i, 9);
        if (i % 16 == 0)
            assert_int_equal(answer_to(i, 9), i % PAIRS);
    }
    for (unsigned i = 0; i < 300; i++)
        assert_true(answer_to(i, 9) < PAIRS);
}

/* A frame out on pair 2, whose hash alone would not bring the answer there for all these. */
static void check_answer(const uint8_t *out, const uint8_t *in, uint32_t len, bool same)
{
    unsigned hits = 0;

    for (unsigned pair = 0; pair < PAIRS; pair++) {
        send_from(pair, out, len);
        arrive(in, len);
        hits += where() == pair;
    }
    if (same)
        assert_int_equal(hits, PAIRS);
    else
        assert_true(hits < PAIRS);
}

static void swap(uint8_t *p, unsigned a, unsigned b, unsigned len)
{
    uint8_t t[16];

    memcpy(t, p + a, len);
    memcpy(p + a, p + b, len);
    memcpy(p + b, t, len);
}

static void tag(uint8_t *to, const uint8_t *from, uint32_t len, uint16_t type, uint16_t id)
{
    memcpy(to, from, 12);
    store_be16(to + 12, type);
    store_be16(to + 14, id);
    memcpy(to + 16, from + 12, len - 12);
}

static void a_flow_is_found_in_frames_of_all_kinds(void **state)
{
    uint8_t out[100] = {0}, in[100], tagged[2][104], twice[2][108];
    uint32_t len;
    (void)state;
    start_pairs(PAIRS);
    len = tcp(out, 7, 8, false);
    tcp(in, 7, 8, true);
    tag(tagged[0], out, len, 0x8100, 5);
    tag(tagged[1], in, len, 0x8100, 5);
    check_answer(tagged[0], tagged[1], len + 4, true);
    tag(twice[0], tagged[0], len + 4, 0x88a8, 6);
    tag(twice[1], tagged[1], len + 4, 0x88a8, 6);
    check_answer(twice[0], twice[1], len + 8, true);
    in[23] = out[23] = 17; /* UDP */
    check_answer(out, in, len, true);
    in[37]++; /* another port is another flow */
    check_answer(out, in, len, false);
    in[37]--;
    in[23] = 6; /* another protocol too */
    check_answer(out, in, len, false);
    out[20] = 0x20; /* the first of some fragments, and one behind it */
    in[21] = 100;
    in[23] = 17;
    memset(in + 34, 0x77, 20);
    check_answer(out, in, len, true);
    in[21] = out[20] = 0;
    in[23] = out[23] = 1; /* ICMP has no ports */
    check_answer(out, in, len, true);
    in[14] = out[14] = 0x4f; /* headers that end behind the frame: the addresses are there */
    in[23] = out[23] = 6;
    check_answer(out, in, len, true);
    store_be16(out + 12, 0x86dd);
    out[14] = 0x60;
    out[20] = 6;
    memcpy(in, out, sizeof(in));
    swap(in, 22, 38, 16);
    swap(in, 54, 56, 2);
    check_answer(out, in, 60, true);
    in[20] = out[20] = 17;
    check_answer(out, in, 60, true);
    in[55] ^= 1;
    check_answer(out, in, 60, false);
    store_be16(out + 12, 0x88b5); /* neither: the Ethernet addresses */
    memcpy(in, out, sizeof(in));
    swap(in, 0, 6, 6);
    memset(in + 14, 0x33, 50);
    check_answer(out, in, 60, true);
}

/* Headers read before the length is checked. */
static void frames_cut_anywhere_go_somewhere(void **state)
{
    static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806};
    uint8_t p[100];
    (void)state;
    start_pairs(PAIRS);
    for (unsigned t = 0; t < ARRAY_LEN(types); t++)
        for (uint32_t len = ETH_HLEN; len < 64; len++) {
            tcp(p, 1, 2, true);
            if (types[t] == 0x86dd)
                p[14] = 0x60;
            store_be16(p + 12, types[t]);
            arrive(p, len);
            assert_true(where() < PAIRS);
            send_from(2, p, len);
        }
}

/* --- queues without buffers --- */

static void a_pair_without_buffers_keeps_no_other_waiting(void **state)
{
    uint32_t id, len;
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    for (unsigned i = 0; i < PAIRS; i++)
        send_tcp(i, i, 80);
    give_to(0, 8);
    give_to(2, 8);
    for (unsigned i = 0; i < 3; i++)
        receive_tcp(1, 80); /* three wait */
    receive_tcp(3, 80);
    assert_false(nic->port.holding);
    assert_int_equal(answer_to(0, 80), 0);
    assert_int_equal(answer_to(2, 80), 2);
    assert_false(driver_used(&drv, 2, &id, &len));
    give_to(1, 2);
    assert_true(driver_used(&drv, 2, &id, &len));
    assert_true(driver_used(&drv, 2, &id, &len));
    assert_false(driver_used(&drv, 2, &id, &len));
    receive_tcp(1, 80); /* behind the one that waits */
    give_to(1, 1);
    assert_true(driver_used(&drv, 2, &id, &len));
    assert_false(driver_used(&drv, 2, &id, &len));
    give_to(1, 1);
    assert_true(driver_used(&drv, 2, &id, &len));
    assert_false(driver_used(&drv, 6, &id, &len));
    give_to(3, 1);
    assert_true(driver_used(&drv, 6, &id, &len));
    assert_int_equal(nic->port.stats.rx_frames, 7);
    assert_int_equal(port_dropped(&nic->port), 0);
}

static void what_waits_keeps_its_order(void **state)
{
    uint8_t p[100];
    uint32_t id, len, size;
    uint64_t at[9];
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    send_tcp(2, 1, 80);
    for (unsigned i = 0; i < 8; i++) {
        size = tcp(p, 1, 80, true);
        p[60] = (uint8_t)i;
        arrive(p, size);
    }
    for (unsigned i = 0; i < 9; i++) {
        at[i] = rig_alloc(&rig, 256);
        driver_add(&drv, 4, &(struct buf){at[i], 256, DESC_WRITE}, 1);
        if (i == 6) { /* there are buffers, but the ones that wait come first */
            p[60] = 8;
            arrive(p, size);
        }
        if (i % 4 == 0)
            driver_kick(&drv, 4);
    }
    for (unsigned i = 0; i < 9; i++) {
        assert_true(driver_used(&drv, 4, &id, &len));
        assert_int_equal(*rig_at(&rig, at[i] + header() + 60), i);
    }
}

static void too_many_that_wait_are_lost_and_counted(void **state)
{
    const struct port_stats *s = &nic->port.stats;
    unsigned got = 0;
    uint32_t id, len;
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    send_tcp(3, 1, 80);
    send_tcp(1, 2, 80);
    for (unsigned i = 0; i < HELD_MOST + 10; i++)
        receive_tcp(1, 80);
    assert_int_equal(s->drops[DROP_HELD], 10);
    assert_int_equal(s->rx_frames, HELD_MOST);
    assert_int_equal(s->rx_bytes, HELD_MOST * 64);
    give_to(1, 1);
    receive_tcp(2, 80);
    assert_true(driver_used(&drv, 2, &id, &len));
    for (unsigned i = 0; i < HELD_MOST; i++) {
        give_to(3, 1);
        got += driver_used(&drv, 6, &id, &len);
    }
    assert_int_equal(got, HELD_MOST);
    assert_int_equal(s->rx_frames, HELD_MOST + 1);
    assert_int_equal(port_dropped(&nic->port), 10);
}

static void what_waits_for_a_pair_goes_with_its_flow_when_that_is_not_used_any_more(void **state)
{
    uint32_t id, len;
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    for (unsigned i = 0; i < PAIRS; i++)
        send_tcp(i, i, 80);
    give_to(0, 8);
    for (unsigned i = 0; i < 5; i++)
        receive_tcp(3, 80);
    receive_tcp(2, 80);
    assert_int_equal(use_pairs(1), 0);
    for (unsigned i = 0; i < 6; i++)
        assert_true(driver_used(&drv, 0, &id, &len));
    assert_false(driver_used(&drv, 0, &id, &len));
    give_to(3, 8); /* 5.1.6.5.6.2: nothing goes there now */
    receive_tcp(3, 80);
    assert_int_equal(load_le16(rig_at(&rig, drv.rings[6].used + 2)), 0);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(nic->port.stats.rx_frames, 7);
    assert_int_equal(port_dropped(&nic->port), 0);
}

/* Segments of a large packet, which wait too; switching to and fro makes no endless list of them.
 */
static void segments_that_wait_move_and_are_bounded(void **state)
{
    const struct port_stats *s = &nic->port.stats;
    uint8_t p[6000];
    uint32_t id, len, n = 0;
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    tcp_frame(p, 10);
    send_from(3, p, 64); /* the flow of receive_tso */
    receive_tso(5000, 1000);
    assert_int_equal(s->rx_frames, 1);
    assert_int_equal(use_pairs(1), 0);
    assert_int_equal(s->rx_frames, 6);
    give_to(0, 8);
    while (driver_used(&drv, 0, &id, &len))
        n++;
    assert_int_equal(n, 5);
    give_to(0, 5); /* the ring is full: no more of them */
    for (unsigned i = 0; i < 8; i++)
        receive(own, 60);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(use_pairs(PAIRS), 0);
        receive_tso(5000, 1000);
        assert_int_equal(use_pairs(1), 0);
    }
    assert_int_equal(net()->mq->held[0].n, HELD_MOST);
    assert_true(s->drops[DROP_HELD] > 500);
    assert_true(s->rx_frames < 1000 + 2 * HELD_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EITHER(answers_come_to_the_pair_that_sent),
        EITHER(flows_of_a_pair_no_longer_used_go_to_others),
        EITHER(flows_that_nobody_sent_are_spread_over_all_pairs_in_use),
        EITHER(more_flows_than_the_table_holds_do_no_harm),
        EITHER(a_flow_is_found_in_frames_of_all_kinds),
        EITHER(frames_cut_anywhere_go_somewhere),
        EITHER(a_pair_without_buffers_keeps_no_other_waiting),
        EITHER(what_waits_keeps_its_order),
        EITHER(too_many_that_wait_are_lost_and_counted),
        EITHER(what_waits_for_a_pair_goes_with_its_flow_when_that_is_not_used_any_more),
        EITHER(segments_that_wait_move_and_are_bounded),
    };

    return cmocka_run_group_tests_name("virtio-net steering", tests, NULL, NULL);
}
