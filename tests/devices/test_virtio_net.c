/* virtio-net: frames through its rings, both interfaces. */
#include "net_rig.h"

#include "sim/vlan.h"

/* Let microseconds pass. */
static void pass(unsigned us)
{
    rig_advance(&rig, rig.actor.now + us * NS_PER_US);
}

/* --- identity --- */

static void the_registers_say_what_it_is(void **state)
{
    (void)state;
    drv = (struct driver){.rig = &rig, .dev = &nic->dev};
    assert_int_equal(mm_read(&drv, MM_VERSION), net()->virtio.legacy ? 1 : 2);
    assert_int_equal(mm_read(&drv, MM_DEVICE_ID), 1);
    assert_int_equal(mm_read(&drv, MM_VENDOR), 0x554d4551);
    assert_int_equal(!!(driver_offered(&drv) & VIRTIO_F_VERSION_1), !net()->virtio.legacy);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(rig_read(&nic->dev, MM_CONFIG + i, 1), own[i]);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 6, 2), 1);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 10, 2), net()->nic.config.mtu);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 16, 1), 1);
}

static void reset_gives_every_field_its_value(void **state)
{
    (void)state;
    start(~0ULL);
    device_reset(&nic->dev);
    assert_memory_equal(net()->mac, own, ETH_ALEN);
    memset(net()->nic.config.mac, 0, ETH_ALEN); /* which the table holds as zero */
    rig_check_reset(&rig, &nic->dev);
}

static void an_address_written_by_a_legacy_driver_is_its_own(void **state)
{
    (void)state;
    start(0);
    rig_write(&nic->dev, MM_CONFIG + 5, 0x99, 1);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 5, 1), net()->virtio.legacy ? 0x99 : 0x56);
}

/* --- transmission --- */

static void a_frame_is_gathered_from_its_chain(void **state)
{
    uint8_t bytes[100];
    uint32_t id, len;
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    transmit(NULL, bytes, sizeof bytes);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    assert_memory_equal(rig_frame(&rig, 0)->data, bytes, 100);
    assert_string_equal(rig_frame(&rig, 0)->origin.guest, "rig");
    assert_int_equal(rig_frame(&rig, 0)->origin.icount, 42);
    assert_true(driver_used(&drv, TX, &id, &len));
    assert_int_equal(len, 0);
    pass(100);
    assert_true(rig.line[LINE]);
    mm_write(&drv, MM_ACK, VIRTIO_ISR_QUEUE);
    assert_false(rig.line[LINE]);
}

static void header_and_frame_may_share_a_buffer_or_be_cut_anywhere(void **state)
{
    uint64_t at;
    unsigned cut;
    (void)state;
    start(0);
    at = rig_alloc(&rig, 4096);
    fill(rig_at(&rig, at + header()), 60, own);
    driver_add(&drv, TX, &(struct buf){at, header() + 60, 0}, 1);
    for (cut = 1; cut < 60; cut += 13)
        driver_add(&drv, TX,
                   (struct buf[]){{at, cut, 0}, {at + cut, header() + 60 - cut, 0}}, 2);
    driver_kick(&drv, TX);
    assert_int_equal(rig_sent(&rig), 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(rig_frame(&rig, i)->len, 60);
        assert_memory_equal(rig_frame(&rig, i)->data, rig_at(&rig, at + header()), 60);
    }
}

static void frames_sent_before_driver_ok_wait_for_it(void **state)
{
    uint64_t at;
    (void)state;
    driver_prepare(&drv, &rig, &nic->dev, 0, 3, 16);
    at = rig_alloc(&rig, 4096);
    driver_add(&drv, TX, &(struct buf){at, 100, 0}, 1);
    driver_kick(&drv, TX);
    assert_int_equal(rig_sent(&rig), 0);
    mm_write(&drv, MM_STATUS, mm_read(&drv, MM_STATUS) | VIRTIO_DRIVER_OK);
    assert_int_equal(rig_sent(&rig), 1);
}

static void the_driver_is_interrupted_only_if_it_wants(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    driver_set_avail_flags(&drv, TX, 1);
    transmit(NULL, bytes, sizeof bytes);
    pass(1000);
    assert_false(rig.line[LINE]);
    driver_set_avail_flags(&drv, TX, 0);
    transmit(NULL, bytes, sizeof bytes);
    pass(1000);
    assert_true(rig.line[LINE]);
}

static void event_indices_suppress_interrupts_and_kicks(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(VIRTIO_F_EVENT_IDX);
    fill(bytes, sizeof bytes, own);
    driver_set_used_event(&drv, TX, 2);
    transmit(NULL, bytes, sizeof bytes); /* the first time it cannot know: it interrupts */
    pass(1000);
    assert_true(rig.line[LINE]);
    mm_write(&drv, MM_ACK, 1);
    assert_int_equal(driver_avail_event(&drv, TX), 1);
    transmit(NULL, bytes, sizeof bytes);
    pass(1000);
    assert_false(rig.line[LINE]);
    transmit(NULL, bytes, sizeof bytes);
    pass(1000);
    assert_true(rig.line[LINE]);
    assert_int_equal(driver_avail_event(&drv, TX), 3);
}

/* --- interrupts are moderated --- */

static void sent_frames_interrupt_a_little_later_and_together(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    transmit(NULL, bytes, sizeof bytes);
    pass(50);
    transmit(NULL, bytes, sizeof bytes);
    assert_int_equal(rig.rises[LINE], 0);
    pass(50);
    assert_int_equal(rig.rises[LINE], 1);
    mm_write(&drv, MM_ACK, 1);
    pass(1000);
    assert_int_equal(rig.rises[LINE], 1); /* both were told of */
}

static void a_received_frame_interrupts_at_once_the_next_after_a_gap(void **state)
{
    (void)state;
    start(0);
    pass(1000);
    for (unsigned i = 0; i < 8; i++)
        give(2048);
    receive(own, 60);
    assert_int_equal(rig.rises[LINE], 1);
    mm_write(&drv, MM_ACK, 1);
    pass(10);
    receive(own, 60);
    receive(own, 60);
    assert_int_equal(rig.rises[LINE], 1);
    pass(39);
    assert_int_equal(rig.rises[LINE], 1);
    pass(1);
    assert_int_equal(rig.rises[LINE], 2);
    mm_write(&drv, MM_ACK, 1);
    pass(50);
    receive(own, 60);
    assert_int_equal(rig.rises[LINE], 3);
}

static void one_interrupt_tells_of_sent_and_received_frames(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    give(2048);
    transmit(NULL, bytes, sizeof bytes);
    receive(own, 60);
    assert_int_equal(rig.rises[LINE], 1);
    mm_write(&drv, MM_ACK, 1);
    pass(1000);
    assert_int_equal(rig.rises[LINE], 1);
}

/* A driver that waits for its ring waits no longer for the moderation. */
static void half_a_ring_or_the_last_buffer_interrupts_at_once(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    transmit(NULL, bytes, sizeof bytes); /* from the second interrupt on the distance is known */
    pass(1000);
    mm_write(&drv, MM_ACK, 1);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(rig.rises[LINE], 1);
        transmit(NULL, bytes, sizeof bytes);
    }
    assert_int_equal(rig.rises[LINE], 2);
    mm_write(&drv, MM_ACK, 1);
    give(2048);
    give(2048);
    receive(own, 60);
    mm_write(&drv, MM_ACK, 1);
    receive(own, 60);
    assert_int_equal(rig.rises[LINE], 3);
    receive(own, 60); /* no buffer is left for it */
    assert_int_equal(rig.rises[LINE], 4);
}

static void a_driver_that_has_looked_is_not_interrupted(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(VIRTIO_F_EVENT_IDX);
    fill(bytes, sizeof bytes, own);
    transmit(NULL, bytes, sizeof bytes);
    pass(1000);
    mm_write(&drv, MM_ACK, 1);
    driver_set_used_event(&drv, TX, 1);
    transmit(NULL, bytes, sizeof bytes); /* it would interrupt for this one */
    driver_set_used_event(&drv, TX, 2);  /* but has seen it by itself */
    pass(1000);
    assert_int_equal(rig.rises[LINE], 1);
    transmit(NULL, bytes, sizeof bytes);
    mm_write(&drv, MM_STATUS, 0); /* nor after a reset */
    pass(1000);
    assert_int_equal(rig.rises[LINE], 1);
}

/* Packet size not bounded by the buffer (CVE-2012-0029), lengths that truncate
 * (CVE-2018-17963). */
static void a_chain_too_short_or_too_long_for_a_frame_is_dropped(void **state)
{
    uint64_t at;
    struct buf big[8];
    (void)state;
    start(0);
    at = rig_alloc(&rig, 65536);
    driver_add(&drv, TX, &(struct buf){at, 0, 0}, 1);
    driver_add(&drv, TX, &(struct buf){at, header(), 0}, 1);
    driver_add(&drv, TX, &(struct buf){at, header() + 13, 0}, 1);
    driver_kick(&drv, TX);
    assert_int_equal(nic->port.stats.drops[DROP_RUNT], 3);
    for (unsigned i = 0; i < 8; i++)
        big[i] = (struct buf){at, 0x10000, 0};
    driver_add(&drv, TX, big, 8);
    for (unsigned i = 0; i < 8; i++)
        big[i] = (struct buf){at, 0x1fffffff, 0};
    driver_add(&drv, TX, big, 5);
    driver_kick(&drv, TX);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 2);
    assert_int_equal(rig_sent(&rig), 0);
    driver_add(&drv, TX, &(struct buf){at, header() + 14, 0}, 1);
    driver_kick(&drv, TX);
    assert_int_equal(rig_sent(&rig), 1);
}

/* Use after unmap, mapping leaked on the error path (CVE-2021-3748, CVE-2022-26353); DMA at the
 * device's own registers (CVE-2021-3416). */
static void buffers_outside_of_ram_stop_the_queue(void **state)
{
    static const uint64_t where[] = {0, 0x10008000, RIG_RAM_BASE + RIG_RAM_SIZE - 50, ~0ULL - 10};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(where); i++) {
        start(0);
        driver_add(&drv, TX, &(struct buf){where[i], 100, 0}, 1);
        driver_kick(&drv, TX);
        assert_int_equal(rig_sent(&rig), 0);
        driver_expect_failed(&drv, TX);
        start(0);
        driver_add(&drv, RX, &(struct buf){where[i], 100, DESC_WRITE}, 1);
        receive(own, 80);
        driver_expect_failed(&drv, RX);
    }
}

/* --- reception --- */

static void a_frame_fills_a_buffer_behind_its_header(void **state)
{
    uint32_t id, len;
    uint64_t at;
    uint8_t want[100];
    (void)state;
    start(0);
    at = give(2048);
    driver_kick(&drv, RX);
    assert_int_equal(driver_used_flags(&drv, RX), 1); /* it has enough: no kicks please */
    receive(own, 100);
    fill(want, 100, own);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, header() + 100);
    assert_memory_equal(rig_at(&rig, at + header()), want, 100);
    if (header() == 12)
        assert_int_equal(load_le16(rig_at(&rig, at + 10)), 1);
    assert_true(rig.line[LINE]);
}

static void a_frame_waits_for_a_buffer_and_is_received_once(void **state)
{
    uint32_t id, len;
    (void)state;
    start(0);
    driver_kick(&drv, RX);
    receive(own, 60);
    receive(own, 61);
    assert_true(nic->port.holding);
    assert_int_equal(driver_used_flags(&drv, RX), 0); /* tell me of new buffers */
    give(2048);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, header() + 60);
    assert_false(driver_used(&drv, RX, &id, &len));
    give(2048);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, header() + 61);
    assert_int_equal(nic->port.stats.rx_frames, 2);
    assert_int_equal(port_dropped(&nic->port), 0);
}

static void a_long_frame_is_merged_over_several_buffers(void **state)
{
    uint64_t at[4];
    uint32_t id, len, total = 0;
    uint8_t want[300];
    (void)state;
    start(VIRTIO_NET_F_MRG_RXBUF);
    at[0] = give(100);
    at[1] = give(100);
    at[2] = give(100);
    receive(own, 300);
    assert_true(nic->port.holding); /* 312 bytes: nothing is used until all of it fits */
    assert_false(driver_used(&drv, RX, &id, &len));
    at[3] = give(100);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(driver_used(&drv, RX, &id, &len));
        assert_int_equal(len, i < 3 ? 100 : 12);
        total += len;
    }
    assert_int_equal(total, 312);
    fill(want, 300, own);
    assert_int_equal(load_le16(rig_at(&rig, at[0] + 10)), 4);
    assert_memory_equal(rig_at(&rig, at[0] + 12), want, 88);
    assert_memory_equal(rig_at(&rig, at[1]), want + 88, 100);
    assert_memory_equal(rig_at(&rig, at[3]), want + 288, 12);
}

/* 2.7.10: what is there already was put back, and nobody will kick for it. */
static void a_frame_that_waits_asks_for_a_kick_that_comes(void **state)
{
    (void)state;
    start(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_EVENT_IDX);
    give(100);
    give(100);
    receive(own, 300);
    assert_true(nic->port.holding);
    assert_int_equal(driver_avail_event(&drv, RX), 2);
}

/* 5.1.4.1: nothing longer than the MTU, which is 1500 here. */
static void a_driver_that_was_told_an_mtu_gets_no_more(void **state)
{
    uint32_t id, len;
    (void)state;
    start(VIRTIO_NET_F_MTU);
    give(2000);
    receive(own, 1515);
    assert_false(driver_used(&drv, RX, &id, &len));
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 1);
    receive(own, 1514);
    assert_true(driver_used(&drv, RX, &id, &len));
}

/* 5.1.3.1 */
static void features_without_what_they_need_are_refused(void **state)
{
    static const uint64_t pairs[][2] = {
        {VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_UFO, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ},
    };
    struct virtio *v = &net()->virtio;
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_false(v->ops->features_ok(v, pairs[i][0]));
        assert_true(v->ops->features_ok(v, pairs[i][0] | pairs[i][1]));
    }
}

static void a_frame_too_long_for_its_buffer_is_dropped(void **state)
{
    uint32_t id, len;
    (void)state;
    start(0);
    give(100);
    receive(own, 300);
    assert_false(driver_used(&drv, RX, &id, &len));
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 1);
    receive(own, 60);
    assert_true(driver_used(&drv, RX, &id, &len));
}

/* Zero-length buffers make no progress (CVE-2015-6815); header of another size than negotiated
 * (CVE-2023-6693). */
static void a_buffer_with_no_room_stops_the_queue(void **state)
{
    (void)state;
    start(VIRTIO_NET_F_MRG_RXBUF);
    give(11);
    receive(own, 60);
    driver_expect_failed(&drv, RX);
    start(VIRTIO_NET_F_MRG_RXBUF);
    give(20);
    driver_add(&drv, RX, &(struct buf){RIG_RAM_BASE, 0, DESC_WRITE}, 1);
    receive(own, 60);
    driver_expect_failed(&drv, RX);
    start(0);
    driver_add(&drv, RX, &(struct buf){RIG_RAM_BASE, 100, 0}, 1); /* not writable */
    receive(own, 60);
    driver_expect_failed(&drv, RX);
}

static void frames_before_the_driver_starts_are_refused(void **state)
{
    (void)state;
    receive(own, 60);
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 1);
    start(0);
    receive(own, 60);
    assert_true(nic->port.holding);
    mm_write(&drv, MM_STATUS, 0);
    rig_advance(&rig, rig.actor.now);
    assert_false(nic->port.holding);
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 2);
}

/* --- the carrier --- */

static void the_carrier_shows_in_the_status_with_an_interrupt(void **state)
{
    uint32_t generation;
    (void)state;
    start(VIRTIO_NET_F_STATUS);
    generation = net()->virtio.generation;
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 6, 2), 0);
    assert_int_equal(mm_read(&drv, MM_ISR), VIRTIO_ISR_CONFIG);
    assert_int_equal(net()->virtio.generation, generation + 1);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 6, 2), 1);
}

/* The backend is removed while its NIC lives (CVE-2023-3301). */
static void a_nic_taken_off_its_vlan_lives_on(void **state)
{
    struct vlan *v = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    uint8_t bytes[60];
    uint32_t id, len;
    (void)state;
    start(0);
    port_attach(&nic->port, v, &v->link);
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 12, 4), 1000); /* Mbit/s */
    receive(own, 60);
    rig_advance(&rig, NS_PER_MS);
    assert_true(nic->port.holding); /* a frame waits for a buffer */
    port_detach(&nic->port);
    fill(bytes, sizeof bytes, own);
    transmit(NULL, bytes, sizeof bytes);
    assert_true(driver_used(&drv, TX, &id, &len));
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 12, 4), 0xffffffff);
    give(2048);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_false(driver_used(&drv, RX, &id, &len));
}

static void a_configuration_that_cannot_be_is_one_sentence(void **state)
{
    static const struct nic_config wrong[] = {
        {.queue_size = 100}, {.queue_size = 2048}, {.mac = {1}}, {.mtu = 60}};
    struct err err = {0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_null(virtio_net_create(&rig.env, "rig.eth1", &wrong[i], &err));
        assert_int_equal(err.n, i + 1);
    }
    err_finish(&err);
    assert_null(nic_model_find("e9000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_registers_say_what_it_is),
        BOTH(reset_gives_every_field_its_value),
        BOTH(an_address_written_by_a_legacy_driver_is_its_own),
        BOTH(a_frame_is_gathered_from_its_chain),
        BOTH(header_and_frame_may_share_a_buffer_or_be_cut_anywhere),
        BOTH(frames_sent_before_driver_ok_wait_for_it),
        BOTH(the_driver_is_interrupted_only_if_it_wants),
        BOTH(event_indices_suppress_interrupts_and_kicks),
        BOTH(sent_frames_interrupt_a_little_later_and_together),
        BOTH(a_received_frame_interrupts_at_once_the_next_after_a_gap),
        BOTH(one_interrupt_tells_of_sent_and_received_frames),
        BOTH(half_a_ring_or_the_last_buffer_interrupts_at_once),
        BOTH(a_driver_that_has_looked_is_not_interrupted),
        BOTH(a_chain_too_short_or_too_long_for_a_frame_is_dropped),
        BOTH(buffers_outside_of_ram_stop_the_queue),
        BOTH(a_frame_fills_a_buffer_behind_its_header),
        BOTH(a_frame_waits_for_a_buffer_and_is_received_once),
        BOTH(a_long_frame_is_merged_over_several_buffers),
        BOTH(a_frame_that_waits_asks_for_a_kick_that_comes),
        {"a_driver_that_was_told_an_mtu_gets_no_more", a_driver_that_was_told_an_mtu_gets_no_more,
         modern, teardown, NULL},
        BOTH(features_without_what_they_need_are_refused),
        BOTH(a_frame_too_long_for_its_buffer_is_dropped),
        BOTH(a_buffer_with_no_room_stops_the_queue),
        BOTH(frames_before_the_driver_starts_are_refused),
        BOTH(the_carrier_shows_in_the_status_with_an_interrupt),
        BOTH(a_nic_taken_off_its_vlan_lives_on),
        BOTH(a_configuration_that_cannot_be_is_one_sentence),
    };

    return cmocka_run_group_tests_name("virtio-net", tests, NULL, NULL);
}
