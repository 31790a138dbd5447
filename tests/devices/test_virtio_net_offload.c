/* virtio-net: what a driver leaves undone, and what it takes unfinished. */
#include "net_rig.h"

/* --- offloads of the sender --- */

struct hdr {
    uint8_t flags, gso;
    uint16_t len, size, start, offset;
};

static void transmit_with(const struct hdr *h, const uint8_t *bytes, uint32_t len)
{
    uint8_t raw[12] = {h->flags, h->gso};

    store_le16(raw + 2, h->len);
    store_le16(raw + 4, h->size);
    store_le16(raw + 6, h->start);
    store_le16(raw + 8, h->offset);
    transmit(raw, bytes, len);
}

static void offload_requests_travel_beside_the_frame(void **state)
{
    uint8_t bytes[4000];
    struct frame_offload *o;
    uint32_t len;
    (void)state;
    start(ALL_OFFLOADS);
    len = tcp_frame(bytes, 3000);
    transmit_with(&(struct hdr){1, 1, 54, 1448, 34, 16}, bytes, len);
    assert_int_equal(rig_sent(&rig), 1);
    o = &rig_frame(&rig, 0)->offload;
    assert_true(o->needs_csum);
    assert_int_equal(o->csum_start, 34);
    assert_int_equal(o->csum_offset, 16);
    assert_int_equal(o->gso, FRAME_GSO_TCPV4);
    assert_int_equal(o->gso_size, 1448);
    assert_int_equal(o->hdr_len, 54);
}

static void a_driver_without_csum_has_its_header_ignored(void **state)
{
    uint8_t bytes[60];
    (void)state;
    start(0);
    fill(bytes, sizeof bytes, own);
    transmit_with(&(struct hdr){0xff, 0xff, 0xffff, 0xffff, 0xffff, 0xffff}, bytes, sizeof bytes);
    assert_int_equal(rig_sent(&rig), 1);
    assert_true(frame_is_finished(rig_frame(&rig, 0)));
}

/* Offload trusts header lengths (CVE-2015-5165); MSS of zero; checksum past the packet
 * (CVE-2016-2857); header length that does not fit. */
static void a_request_that_does_not_fit_its_frame_is_dropped(void **state)
{
    static const struct hdr wrong[] = {
        {1, 0, 0, 0, 100, 0},       /* sums from beyond the end */
        {1, 0, 0, 0, 34, 0xffff},   /* puts the sum beyond the end */
        {1, 0, 0, 0, 98, 1},        /* half of it */
        {1, 0, 0, 0, 0, 0},         /* inside of the Ethernet header */
        {1, 1, 54, 0, 34, 16},      /* MSS 0 */
        {0, 1, 54, 100, 34, 16},    /* segmentation without checksum */
        {1, 2, 54, 100, 34, 16},    /* a kind there is not */
        {1, 1, 54, 100, 90, 0},     /* a TCP header that is not there */
        {1, 0x81, 54, 100, 34, 16}, /* ECN, not negotiated below */
    };
    uint8_t bytes[200];
    uint32_t len, id, used;
    (void)state;
    start(ALL_OFFLOADS & ~VIRTIO_NET_F_HOST_ECN);
    len = tcp_frame(bytes, 46);
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        uint64_t before = nic->port.stats.drops[DROP_MALFORMED];

        transmit_with(&wrong[i], bytes, len);
        assert_int_equal(rig_sent(&rig), 0);
        assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], before + 1);
        assert_true(driver_used(&drv, TX, &id, &used));
    }
    bytes[46] = 0x40; /* a data offset below 5 */
    transmit_with(&(struct hdr){1, 1, 54, 100, 34, 16}, bytes, len);
    bytes[46] = 0xf0; /* and one beyond the end */
    transmit_with(&(struct hdr){1, 1, 54, 100, 34, 16}, bytes, 80);
    assert_int_equal(rig_sent(&rig), 0);
    bytes[46] = 0x50;
    transmit_with(&(struct hdr){1, 1, 54, 20, 34, 16}, bytes, len);
    assert_int_equal(rig_sent(&rig), 1);
}

/* --- offloads of the receiver --- */

static void a_driver_with_offloads_gets_the_frame_unfinished(void **state)
{
    uint64_t at;
    uint32_t id, len;
    (void)state;
    start(ALL_OFFLOADS | VIRTIO_NET_F_MRG_RXBUF);
    at = give(4096);
    receive_tso(3000, 1000);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, 12 + 3054);
    assert_int_equal(*rig_at(&rig, at), 1);
    assert_int_equal(*rig_at(&rig, at + 1), 1);
    assert_int_equal(load_le16(rig_at(&rig, at + 2)), 54);
    assert_int_equal(load_le16(rig_at(&rig, at + 4)), 1000);
    assert_int_equal(load_le16(rig_at(&rig, at + 6)), 34);
    assert_int_equal(load_le16(rig_at(&rig, at + 8)), 16);
}

/* So that the data, which the guest copies, begins where a buffer does. */
static void the_headers_of_a_large_frame_have_a_buffer_to_themselves(void **state)
{
    uint64_t at[4];
    uint32_t id, len;
    uint8_t want[3054];
    (void)state;
    start(ALL_OFFLOADS | VIRTIO_NET_F_MRG_RXBUF);
    for (unsigned i = 0; i < 4; i++)
        at[i] = give(2048);
    receive_tso(3000, 1000);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(driver_used(&drv, RX, &id, &len));
        assert_int_equal(len, i == 0 ? 12 + 54 : i == 1 ? 2048 : 952);
    }
    assert_false(driver_used(&drv, RX, &id, &len));
    tcp_frame(want, 3000);
    assert_int_equal(load_le16(rig_at(&rig, at[0] + 10)), 3);
    assert_memory_equal(rig_at(&rig, at[0] + 12), want, 54);
    assert_memory_equal(rig_at(&rig, at[1]), want + 54, 2048);
    assert_memory_equal(rig_at(&rig, at[2]), want + 54 + 2048, 952);
    receive_tso(1000, 500); /* it fits one buffer */
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, 12 + 1054);
}

/* With half of a ring given the driver gives no more: what does not fit there is cut up. */
static void a_frame_too_large_for_a_short_ring_comes_in_segments(void **state)
{
    uint32_t id, len;
    (void)state;
    start(ALL_OFFLOADS | VIRTIO_NET_F_MRG_RXBUF); /* rings of 16 */
    for (unsigned i = 0; i < 7; i++)
        give(200);
    receive_tso(2000, 100);
    assert_true(nic->port.holding); /* more will be given */
    give(200);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    assert_false(nic->port.holding);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(driver_used(&drv, RX, &id, &len));
        assert_int_equal(len, header() + 154);
    }
    for (unsigned i = 0; i < 12; i++)
        give(200);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    for (unsigned i = 0; i < 12; i++)
        assert_true(driver_used(&drv, RX, &id, &len));
}

static void a_driver_without_offloads_gets_finished_packets(void **state)
{
    uint64_t at[4];
    uint32_t id, len;
    (void)state;
    start(0);
    for (unsigned i = 0; i < 4; i++)
        at[i] = give(2048);
    receive_tso(3000, 1000);
    receive_tso(500, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(driver_used(&drv, RX, &id, &len));
        assert_int_equal(len, header() + 54 + (i < 3 ? 1000 : 500));
        assert_int_equal(*rig_at(&rig, at[i]), 0);
        check_tcp_sum(rig_at(&rig, at[i] + header()), len - header());
    }
}

static void segments_wait_for_buffers_in_order_and_are_received_once(void **state)
{
    uint64_t at;
    uint32_t id, len;
    (void)state;
    start(0);
    receive_tso(5000, 1000);
    receive(own, 60);
    for (unsigned i = 0; i < 5; i++) {
        assert_false(driver_used(&drv, RX, &id, &len));
        at = give(2048);
        driver_kick(&drv, RX);
        rig_advance(&rig, rig.actor.now);
        assert_true(driver_used(&drv, RX, &id, &len));
        assert_int_equal(load_be32(rig_at(&rig, at + header() + 38)), 1000 + 1000 * i);
    }
    give(2048);
    driver_kick(&drv, RX);
    rig_advance(&rig, rig.actor.now);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, header() + 60);
}

static void segments_still_waiting_go_with_a_reset(void **state)
{
    (void)state;
    start(0);
    receive_tso(5000, 1000);
    mm_write(&drv, MM_STATUS, 0);
    assert_int_equal(net()->cut.n, 0);
}

static void csum_without_tso_gets_segments(void **state)
{
    uint32_t id, len;
    uint64_t at;
    (void)state;
    start(VIRTIO_NET_F_GUEST_CSUM);
    at = give(2048);
    give(2048);
    receive_tso(500, 0);
    assert_int_equal(*rig_at(&rig, at), 1); /* NEEDS_CSUM passed on */
    receive_tso(2000, 1000);
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_true(driver_used(&drv, RX, &id, &len));
    assert_int_equal(len, header() + 1054);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(offload_requests_travel_beside_the_frame),
        BOTH(a_driver_without_csum_has_its_header_ignored),
        BOTH(a_request_that_does_not_fit_its_frame_is_dropped),
        BOTH(a_driver_with_offloads_gets_the_frame_unfinished),
        BOTH(the_headers_of_a_large_frame_have_a_buffer_to_themselves),
        BOTH(a_frame_too_large_for_a_short_ring_comes_in_segments),
        BOTH(a_driver_without_offloads_gets_finished_packets),
        BOTH(segments_wait_for_buffers_in_order_and_are_received_once),
        BOTH(segments_still_waiting_go_with_a_reset),
        BOTH(csum_without_tso_gets_segments),
    };

    return cmocka_run_group_tests_name("virtio-net offloads", tests, NULL, NULL);
}
