/* virtio-net with several pairs of queues: which there are, how many are used, where packets go. */
#include "net_rig.h"

#include "sim/rng.h"

#define PAIRS 4
#define MQ (VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ)
#define HELD_MOST (PORT_MAX_HELD / PAIRS)
#define NOWHERE 99u

static int several(void **state)
{
    (void)state;
    make(&(struct nic_config){.queues = PAIRS});
    return 0;
}

static int several_legacy(void **state)
{
    (void)state;
    make(&(struct nic_config){.queues = PAIRS, .legacy = true});
    return 0;
}

#define EITHER(f)                                                                                  \
    {#f " (modern)", f, several, teardown, NULL},                                                  \
    {                                                                                              \
#f " (legacy)", f, several_legacy, teardown, NULL                                          \
    }

/* --- a driver of all pairs --- */

static uint64_t buffers[PAIRS]; /* where each pair receives, again and again */

static void start_with(uint64_t features)
{
    driver_start(&drv, &rig, &nic->dev, features | MQ, 2 * PAIRS + 1, 16);
    for (unsigned i = 0; i < PAIRS; i++)
        buffers[i] = rig_alloc(&rig, 4096);
}

static uint8_t control(const uint8_t *data, uint32_t len)
{
    static uint64_t out;
    unsigned queue = virtio_has(&net()->virtio, VIRTIO_NET_F_MQ) ? 2 * PAIRS : 2;

    out = RIG_RAM_BASE + RIG_RAM_SIZE - 4096;
    memcpy(rig_at(&rig, out), data, len);
    *rig_at(&rig, out + 100) = 0xee;
    driver_add(&drv, queue, (struct buf[]){{out, len, 0}, {out + 100, 1, DESC_WRITE}}, 2);
    driver_kick(&drv, queue);
    return *rig_at(&rig, out + 100);
}

static uint8_t use_pairs(unsigned n)
{
    return control((uint8_t[]){4, 0, (uint8_t)n, (uint8_t)(n >> 8)}, 4);
}

static void give_to(unsigned pair, unsigned n)
{
    while (n--)
        driver_add(&drv, 2 * pair, &(struct buf){buffers[pair], 2048, DESC_WRITE}, 1);
    driver_kick(&drv, 2 * pair);
    rig_advance(&rig, rig.actor.now);
}

static void start_pairs(unsigned n)
{
    start_with(0);
    assert_int_equal(use_pairs(n), 0);
    for (unsigned i = 0; i < PAIRS; i++)
        give_to(i, 8);
}

/* Which pair has received a packet since it was last asked, and no other has; it gets a new buffer.
 */
static unsigned where(void)
{
    unsigned found = NOWHERE;
    uint32_t id, len;

    for (unsigned i = 0; i < PAIRS; i++)
        while (driver_used(&drv, 2 * i, &id, &len)) {
            assert_int_equal(found, NOWHERE);
            found = i;
            give_to(i, 1);
        }
    return found;
}

/* --- frames of flows --- */

/* TCP between a host and port of ours (10.0.0.1) and one of theirs; in from them or out to them. */
static uint32_t tcp(uint8_t *p, unsigned ours, unsigned theirs, bool in)
{
    uint32_t len = tcp_frame(p, 10);

    if (in) {
        store_be32(p + 26, 0x0a000002);
        store_be32(p + 30, 0x0a000001);
    }
    store_be16(p + 34, (uint16_t)(in ? theirs : ours));
    store_be16(p + 36, (uint16_t)(in ? ours : theirs));
    return len;
}

static void send_from(unsigned pair, const uint8_t *bytes, uint32_t len)
{
    uint64_t at = RIG_RAM_BASE + RIG_RAM_SIZE - 8192;
    uint32_t id, written;

    memset(rig_at(&rig, at), 0, header());
    memcpy(rig_at(&rig, at + header()), bytes, len);
    driver_add(&drv, 2 * pair + 1, &(struct buf){at, header() + len, 0}, 1);
    driver_kick(&drv, 2 * pair + 1);
    assert_true(driver_used(&drv, 2 * pair + 1, &id, &written));
    rig_forget(&rig);
}

static void arrive(const uint8_t *bytes, uint32_t len)
{
    struct frame *f = frame_from(bytes, len);

    rig_receive(&rig, &nic->port, f);
    frame_unref(f);
}

static void send_tcp(unsigned pair, unsigned ours, unsigned theirs)
{
    uint8_t p[100];

    send_from(pair, p, tcp(p, ours, theirs, false));
}

static void receive_tcp(unsigned ours, unsigned theirs)
{
    uint8_t p[100];

    arrive(p, tcp(p, ours, theirs, true));
}

static unsigned answer_to(unsigned ours, unsigned theirs)
{
    receive_tcp(ours, theirs);
    return where();
}

/* --- which queues there are (5.1.2) --- */

static unsigned size_of(unsigned queue)
{
    mm_write(&drv, MM_QUEUE_SEL, queue);
    return mm_read(&drv, MM_NUM_MAX);
}

static void what_there_is_is_offered(void **state)
{
    (void)state;
    drv = (struct driver){.rig = &rig, .dev = &nic->dev};
    assert_true(driver_offered(&drv) & VIRTIO_NET_F_MQ);
    assert_true(driver_offered(&drv) & VIRTIO_NET_F_CTRL_VQ);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 8, 2), PAIRS);
}

static void one_pair_is_what_it_always_was(void **state)
{
    (void)state;
    drv = (struct driver){.rig = &rig, .dev = &nic->dev};
    assert_false(driver_offered(&drv) & VIRTIO_NET_F_MQ);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 8, 2), 1);
    start(~0ULL);
    assert_int_equal(size_of(2), 64);
    assert_int_equal(size_of(3), 0);
    assert_null(net()->mq);
    driver_add(
        &drv, CTRL,
        (struct buf[]){{buffers[0] = rig_alloc(&rig, 16), 4, 0}, {buffers[0] + 8, 1, DESC_WRITE}},
        2);
    memcpy(rig_at(&rig, buffers[0]), (uint8_t[]){4, 0, 1, 0}, 4);
    driver_kick(&drv, CTRL);
    assert_int_equal(*rig_at(&rig, buffers[0] + 8), 1); /* no such command without MQ */
}

static void the_control_queue_is_behind_the_pairs_negotiated(void **state)
{
    (void)state;
    driver_prepare(&drv, &rig, &nic->dev, MQ, 0, 16);
    for (unsigned i = 0; i < 2 * PAIRS; i++)
        assert_int_equal(size_of(i), 256);
    assert_int_equal(size_of(2 * PAIRS), 64);
    assert_int_equal(size_of(2 * PAIRS + 1), 0);
    assert_int_equal(size_of(0xffffffff), 0);
    driver_prepare(&drv, &rig, &nic->dev, VIRTIO_NET_F_CTRL_VQ, 0,
                   16); /* the same card, without MQ */
    assert_int_equal(size_of(2), 64);
    for (unsigned i = 3; i <= 2 * PAIRS + 1; i++)
        assert_int_equal(size_of(i), 0);
    start(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX);
    assert_int_equal(control((uint8_t[]){0, 0, 0}, 3), 0); /* on queue 2 */
    assert_int_equal(use_pairs(1), 1);
    give(2048);
    receive(own, 60);
    assert_int_equal(load_le16(rig_at(&rig, drv.rings[RX].used + 2)), 1);
    start_pairs(PAIRS); /* and back */
}

/* 5.1.3.1; legacy drivers are not asked, and have one pair then. */
static void multiqueue_needs_the_control_queue(void **state)
{
    (void)state;
    if (!net()->virtio.legacy) {
        drv = (struct driver){.rig = &rig, .dev = &nic->dev};
        mm_write(&drv, MM_STATUS, 3);
        mm_write(&drv, MM_ACCEPT_SEL, 1);
        mm_write(&drv, MM_ACCEPT, 1);
        mm_write(&drv, MM_ACCEPT_SEL, 0);
        mm_write(&drv, MM_ACCEPT, (uint32_t)VIRTIO_NET_F_MQ);
        mm_write(&drv, MM_STATUS, 3 | VIRTIO_FEATURES_OK);
        assert_false(mm_read(&drv, MM_STATUS) & VIRTIO_FEATURES_OK);
        mm_write(&drv, MM_ACCEPT, (uint32_t)MQ);
        mm_write(&drv, MM_STATUS, 3 | VIRTIO_FEATURES_OK);
        assert_true(mm_read(&drv, MM_STATUS) & VIRTIO_FEATURES_OK);
        return;
    }
    driver_start(&drv, &rig, &nic->dev, VIRTIO_NET_F_MQ, 2 * PAIRS + 1, 16);
    assert_int_equal(use_pairs(2), 0xee); /* nobody listens */
    assert_int_equal(net()->mq->pairs, 1);
}

/* --- how many are in use --- */

/* A queue index out of range (CVE-2024-6505). */
static void pairs_are_from_one_to_what_there_is(void **state)
{
    static const unsigned wrong[] = {0, PAIRS + 1, 8, 9, 0x100, 0x8000, 0xffff};
    (void)state;
    start_with(0);
    for (unsigned i = 1; i <= PAIRS; i++) {
        assert_int_equal(use_pairs(i), 0);
        assert_int_equal(net()->mq->pairs, i);
        for (unsigned k = 0; k < ARRAY_LEN(wrong); k++)
            assert_int_equal(use_pairs(wrong[k]), 1);
        assert_int_equal(net()->mq->pairs, i);
    }
    assert_int_equal(control((uint8_t[]){4, 0, 1}, 3), 1);
    assert_int_equal(control((uint8_t[]){4, 0, 1, 0, 0}, 5), 1);
    assert_int_equal(control((uint8_t[]){4, 0}, 2), 1);
    assert_int_equal(control((uint8_t[]){4, 1, 1, 0}, 4), 1); /* RSS_CONFIG, HASH_CONFIG */
    assert_int_equal(control((uint8_t[]){4, 2, 1, 0}, 4), 1);
    assert_int_equal(net()->mq->pairs, PAIRS);
}

/* 5.1.6.5.6.1: the driver configures the queues first. */
static void pairs_that_are_not_set_up_cannot_be_used(void **state)
{
    (void)state;
    driver_prepare(&drv, &rig, &nic->dev, MQ, 2 * PAIRS + 1, 16);
    mm_write(&drv, MM_QUEUE_SEL, 5);
    mm_write(&drv, drv.legacy ? MM_PFN : MM_READY, 0);
    mm_write(&drv, MM_STATUS, mm_read(&drv, MM_STATUS) | VIRTIO_DRIVER_OK);
    assert_int_equal(use_pairs(3), 1);
    assert_int_equal(use_pairs(4), 1);
    assert_int_equal(use_pairs(2), 0);
    assert_int_equal(net()->mq->pairs, 2);
}

/* 5.1.6.5.6.2: after a reset, the first receive queue only. */
static void until_told_there_is_one_pair(void **state)
{
    (void)state;
    start_pairs(1);
    for (unsigned i = 0; i < 50; i++) {
        send_tcp(i % PAIRS, 1000 + i, 80);
        assert_int_equal(answer_to(1000 + i, 80), 0);
    }
    assert_int_equal(use_pairs(2), 0);
    for (unsigned i = 0; i < 50; i++)
        assert_true(answer_to(1000 + i, 80) < 2);
}

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

/* --- interrupts: one line for all --- */

static void every_pair_interrupts_if_its_driver_wants(void **state)
{
    uint8_t p[100];
    uint32_t id, len;
    (void)state;
    start_pairs(PAIRS);
    rig_advance(&rig, NS_PER_MS);
    mm_write(&drv, MM_ACK, 3);
    for (unsigned i = 0; i < PAIRS; i++) {
        driver_add(&drv, 2 * i + 1, &(struct buf){buffers[i], header() + tcp(p, i, 9, false), 0},
                   1);
        driver_kick(&drv, 2 * i + 1);
        assert_true(driver_used(&drv, 2 * i + 1, &id, &len));
        assert_false(rig.line[LINE]);
        rig_advance(&rig, rig.actor.now + 100 * NS_PER_US);
        assert_true(rig.line[LINE]); /* what was sent, a little later */
        mm_write(&drv, MM_ACK, 1);
        rig_advance(&rig, rig.actor.now + NS_PER_MS);
        send_tcp(i, i, 80);
        receive_tcp(i, 80);
        assert_true(rig.line[LINE]); /* what was received, at once */
        mm_write(&drv, MM_ACK, 1);
        assert_int_equal(where(), i);
        rig_advance(&rig, rig.actor.now + NS_PER_MS);
        assert_false(rig.line[LINE]); /* which told of both */
        driver_set_avail_flags(&drv, 2 * i, 1);
        receive_tcp(i, 80);
        assert_int_equal(where(), i);
        rig_advance(&rig, rig.actor.now + NS_PER_MS);
        assert_false(rig.line[LINE]);
    }
}

/* --- hostile drivers --- */

static void queues_that_are_not_there_are_not_kicked(void **state)
{
    uint64_t before = device_warnings;
    (void)state;
    start_pairs(2);
    for (unsigned i = 2 * PAIRS + 1; i < 100; i++)
        driver_kick(&drv, i);
    driver_kick(&drv, 0xffffffff);
    assert_int_equal(device_warnings - before, 100 - 2 * PAIRS);
    driver_start(&drv, &rig, &nic->dev, VIRTIO_NET_F_CTRL_VQ, 3, 16);
    before = device_warnings;
    for (unsigned i = 3; i < 20; i++)
        driver_kick(&drv, i);
    assert_int_equal(device_warnings - before, 17);
}

/* Set up with MQ, and then the features are chosen again without: nothing is left of it. */
static void features_changed_after_the_queues_were_set_up(void **state)
{
    (void)state;
    driver_start(&drv, &rig, &nic->dev, MQ, 2 * PAIRS + 1, 16);
    assert_int_equal(use_pairs(PAIRS), 0);
    mm_write(&drv, MM_STATUS, 3); /* no reset */
    mm_write(&drv, MM_ACCEPT_SEL, 0);
    mm_write(&drv, MM_ACCEPT, (uint32_t)VIRTIO_NET_F_CTRL_VQ);
    mm_write(&drv, MM_STATUS, 15);
    assert_int_equal(net()->mq->pairs, 1);
    for (unsigned i = 0; i < 64; i++) {
        receive_tcp(i, i);
        driver_kick(&drv, i % 20);
    }
    for (unsigned i = 1; i < PAIRS; i++)
        assert_int_equal(load_le16(rig_at(&rig, drv.rings[2 * i].used + 2)), 0);
}

static void a_pair_whose_ring_lies_stops(void **state)
{
    (void)state;
    start_pairs(PAIRS);
    send_tcp(2, 1, 80);
    store_le16(rig_at(&rig, drv.rings[4].avail + 2), 0x4000);
    receive_tcp(1, 80);
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 1);
    driver_expect_failed(&drv, 4);
    start_pairs(PAIRS);
    driver_offer(&drv, 7, 99);
    driver_kick(&drv, 7);
    driver_expect_failed(&drv, 7);
}

/* Frames wait, and then a queue breaks: they are lost, and counted as that. */
static void frames_that_wait_for_a_queue_that_breaks_are_refused(void **state)
{
    const struct port_stats *s = &nic->port.stats;
    (void)state;
    start_with(0);
    assert_int_equal(use_pairs(PAIRS), 0);
    send_tcp(2, 1, 80);
    for (unsigned i = 0; i < 5; i++)
        receive_tcp(1, 80);
    store_le16(rig_at(&rig, drv.rings[4].avail + 2), 0x4000);
    driver_kick(&drv, 4);
    assert_int_equal(s->drops[DROP_REFUSED], 5);
    assert_int_equal(s->rx_frames, 0);
    assert_int_equal(s->rx_bytes, 0);
}

/* --- reset and clone --- */

static void a_reset_takes_it_all_back(void **state)
{
    const struct port_stats *s = &nic->port.stats;
    (void)state;
    start_pairs(PAIRS);
    send_tcp(3, 1, 80);
    for (unsigned i = 0; i < 20; i++)
        receive_tcp(1, 80); /* eight buffers */
    assert_int_equal(s->rx_frames, 20);
    mm_write(&drv, MM_STATUS, 0);
    assert_int_equal(s->rx_frames, 8);
    assert_int_equal(s->drops[DROP_REFUSED], 12);
    assert_int_equal(net()->mq->pairs, 1);
    assert_int_equal(size_of(2), 64);
    assert_int_equal(size_of(3), 0);
    for (unsigned i = 0; i < VIRTIO_NET_FLOWS; i++)
        assert_int_equal(net()->mq->flows[i], 0);
    start_pairs(PAIRS);
    device_reset(&nic->dev);
    assert_int_equal(net()->mq->pairs, 1);
    memset(net()->nic.config.mac, 0, ETH_ALEN); /* which the table holds as zero */
    rig_check_reset(&rig, &nic->dev);
}

static void a_clone_has_the_pairs_and_the_flows(void **state)
{
    struct nic_config config = net()->nic.config;
    struct nic *original = nic, *clone;
    struct err err = {0};
    (void)state;
    start_pairs(3);
    for (unsigned i = 0; i < 3; i++)
        send_tcp(i, i, 80);
    for (unsigned i = 0; i < 20; i++)
        receive_tcp(1, 80); /* some wait, which are the original's */
    config.mac[5] ^= 1;
    clone = nic_model_find("virtio-net")->create(&rig.env, "rig.eth1", &config, &err);
    assert_non_null(clone);
    rig_wire(&rig, &clone->dev, LINE);
    device_clone(&clone->dev, &nic->dev);
    assert_int_equal(state_hash(clone->dev.ops->state, clone->dev.object, 1) ^
                         state_hash(nic->dev.ops->state, nic->dev.object, 1),
                     state_hash(clone->dev.ops->state, clone->dev.object, 1) ^
                         state_hash(clone->dev.ops->state, nic->dev.object, 1));
    nic = clone; /* in the same memory, the original standing still */
    drv.dev = &clone->dev;
    nic->port.up = true;
    assert_int_equal(net()->mq->pairs, 3);
    assert_int_equal(net()->mq->held[1].n, 0);
    for (unsigned i = 0; i < PAIRS; i++)
        drv.rings[2 * i].seen = load_le16(rig_at(&rig, drv.rings[2 * i].used + 2));
    give_to(1, 8);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(answer_to(i, 80), i);
    assert_int_equal(use_pairs(5), 1);
    assert_int_equal(use_pairs(4), 0); /* the control queue is where it was */
    assert_int_equal(size_of(2 * PAIRS), 64);
    nic = original;
    nic_destroy(clone);
}

/* --- at random --- */

/* Whether a pair can be given a buffer more. */
static bool lacking(unsigned pair)
{
    const struct ring *g = &drv.rings[2 * pair];

    return (uint16_t)(g->idx - load_le16(rig_at(&rig, g->used + 2))) < g->size;
}

static void any_sequence_leaves_nothing_behind(void **state)
{
    struct rng rng;
    uint64_t seed = rig_seed();
    (void)state;
    rng_init(&rng, seed, "multiqueue");
    start_pairs(PAIRS);
    for (unsigned i = 0; i < 5000; i++) {
        unsigned what = (unsigned)rng_below(&rng, 100), any = (unsigned)rng_below(&rng, PAIRS);
        unsigned flow = (unsigned)rng_below(&rng, 30);

        if (what < 40)
            receive_tcp(flow, 80);
        else if (what < 60)
            send_tcp(any, flow, 80);
        else if (what < 75 && lacking(any))
            give_to(any, 1);
        else if (what < 80)
            receive_tso(3000, 700);
        else if (what < 98)
            use_pairs(any + (unsigned)rng_below(&rng, 3));
        else
            start_pairs(1 + any);
        assert_true(virtio_live(&net()->virtio)); /* nothing was wrong */
        assert_false(nic->port.holding);
        for (unsigned q = net()->mq->pairs; q < PAIRS; q++)
            assert_int_equal(net()->mq->held[q].n, 0);
        rig_forget(&rig);
    }
}

static void a_number_of_pairs_that_cannot_be_is_one_sentence(void **state)
{
    struct err err = {0};
    (void)state;
    assert_null(nic_model_find("virtio-net")
                    ->create(&rig.env, "rig.eth1", &(struct nic_config){.queues = 9}, &err));
    assert_null(nic_model_find("virtio-net-pci")
                    ->create(&rig.env, "rig.eth1", &(struct nic_config){.queues = 9}, &err));
    assert_int_equal(err.n, 2);
    err_finish(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EITHER(what_there_is_is_offered),
        BOTH(one_pair_is_what_it_always_was),
        EITHER(the_control_queue_is_behind_the_pairs_negotiated),
        EITHER(multiqueue_needs_the_control_queue),
        EITHER(pairs_are_from_one_to_what_there_is),
        EITHER(pairs_that_are_not_set_up_cannot_be_used),
        EITHER(until_told_there_is_one_pair),
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
        EITHER(every_pair_interrupts_if_its_driver_wants),
        EITHER(queues_that_are_not_there_are_not_kicked),
        EITHER(features_changed_after_the_queues_were_set_up),
        EITHER(a_pair_whose_ring_lies_stops),
        EITHER(frames_that_wait_for_a_queue_that_breaks_are_refused),
        EITHER(a_reset_takes_it_all_back),
        EITHER(a_clone_has_the_pairs_and_the_flows),
        EITHER(any_sequence_leaves_nothing_behind),
        EITHER(a_number_of_pairs_that_cannot_be_is_one_sentence),
    };

    return cmocka_run_group_tests_name("virtio-net multiqueue", tests, NULL, NULL);
}
