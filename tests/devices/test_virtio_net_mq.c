/* virtio-net with several pairs of queues: which there are, how many are used, misuse, reset,
 * clones. */
#include "mq_rig.h"

#include "sim/rng.h"

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
