/* The e1000 sends: descriptors of each kind, checksums, segmentation, and much at once. */
#include "e1000_rig.h"

#include <zlib.h>

#include "sim/offload.h"

static void check_datagram(void *opaque, struct frame *f)
{
    uint32_t len = f->len - 34;
    (void)opaque;

    assert_int_equal(load_be16(f->data + 16), 20 + len);
    assert_int_equal(load_be16(f->data + 20) & 0x3fff, 0); /* no fragment */
    assert_int_equal(load_be16(f->data + 38), len);
    assert_int_equal(inet_fold(inet_sum(inet_sum(17 + len, f->data + 26, 8), f->data + 34, len)),
                     0);
}

static void a_legacy_descriptor_is_a_frame(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 200, stranger);
    descriptor(payload, 200 | EOP | IFCS | RS, 0);
    put(IMS, TXDW);
    send_all();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, rig_at(&rig, payload), 200);
    assert_int_equal(rig_frame(&rig, 0)->origin.icount, 42);
    assert_int_equal(rig_at(&rig, tx_ring)[12] & 1, 1); /* DD */
    assert_int_equal(get(TDH), 1);
    assert_true(rig.line[CARD_LINE]);
    assert_true(get(ICR) & TXDW);
    assert_false(rig.line[CARD_LINE]);
}

static void a_packet_may_be_in_many_descriptors_and_several_kicks(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 300, stranger);
    descriptor(payload, 20, 0);
    send_all();
    descriptor(payload + 20, 0, 0); /* nothing: makes progress (CVE-2015-6815) */
    descriptor(payload + 20, 100, 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 0);
    descriptor(payload + 120, 180 | EOP, 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 300);
    assert_memory_equal(rig_frame(&rig, 0)->data, rig_at(&rig, payload), 300);
}

/* No data: no address, or no length, and nothing that is wrong (3.3.3). */
static void descriptors_without_data_are_passed_over(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 300, stranger);
    descriptor(0, 100, 0);
    descriptor(payload, 300, 0);
    descriptor(0, 0 | EOP | RS, 0);
    descriptor(0, 0 | EOP | RS, 0); /* not even a packet */
    send_all();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 300);
    assert_int_equal(rig_at(&rig, tx_ring + 48)[12] & 1, 1);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 0);
}

static void a_driver_may_bring_its_own_crc(void **state)
{
    uint8_t *p = rig_at(&rig, payload);
    (void)state;

    card_fill(p, 200, stranger);
    store_le32(p + 200, (uint32_t)crc32(0, p, 200));
    descriptor(payload, 204 | EOP, 0);
    descriptor(payload, 204 | EOP | IFCS, 0); /* or have one more inserted */
    descriptor(payload, 150 | EOP, 0);        /* one that forgot to ask */
    send_all();
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_int_equal(rig_frame(&rig, 1)->len, 204);
    assert_int_equal(rig_frame(&rig, 2)->len, 150);
}

/* 3.3.3.1: the 82544's other way to ask for a report. */
static void rps_reports_too(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 100, stranger);
    descriptor(payload, 100 | EOP | 0x10000000, 0);
    get(ICR);
    send_all();
    assert_int_equal(rig_at(&rig, tx_ring)[12] & 1, 1);
    assert_true(get(ICR) & TXDW);
}

static void a_packet_longer_than_any_frame_is_dropped(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 6; i++)
        descriptor(payload, 15000 | (i == 5 ? EOP : 0), 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 1);
    descriptor(payload, 100 | EOP, 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 1);
}

static void head_and_tail_beyond_the_ring_do_nothing(void **state)
{
    (void)state;

    put(TDH, 200); /* CVE-2016-1981 */
    put(TDT, 3);
    assert_int_equal(rig_sent(&rig), 0);
    put(TDH, 0);
    put(TDT, 0xffff);
    assert_int_equal(rig_sent(&rig), 0);
    put(TDLEN, 0);
    put(TDT, 1);
    put(RDLEN, 0);
    card_receive(own, 100);
    put(RDLEN, N * 16);
    put(RDH, 100);
    card_receive(own, 100);
    assert_int_equal(rx_at(0)[12], 0);
}

static void a_ring_that_is_not_ram_stops_it(void **state)
{
    (void)state;

    put(TDBAL, 0x1000);
    put(TDT, 3);
    put(RDBAL, 0x1000);
    card_receive(own, 100);
    assert_int_equal(rig_sent(&rig), 0);
    put(RDBAL, (uint32_t)rx_ring);
    store_le64(rig_at(&rig, rx_ring), 0x40000000); /* the card's own registers */
    card_receive(own, 100);
    assert_int_equal(get(CTRL), SLU);
}

/* What was done before it left RAM is told all the same. */
static void a_ring_that_leaves_ram_tells_of_what_it_did(void **state)
{
    uint64_t end = RIG_RAM_BASE + RIG_RAM_SIZE - 16;
    (void)state;

    put(TDBAL, (uint32_t)end);
    put(TDH, 0);
    get(ICR);
    card_fill(rig_at(&rig, payload), 100, stranger);
    store_le64(rig_at(&rig, end), payload);
    store_le64(rig_at(&rig, end + 8), 100 | EOP | RS);
    put(TDT, 2);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(get(TDH), 1);
    assert_int_equal(get(ICR), TXDW);
}

static void a_legacy_checksum_is_inserted(void **state)
{
    uint8_t *p = rig_at(&rig, payload);
    (void)state;

    card_fill(p, 100, stranger);
    store_be16(p + 50, 0);
    descriptor(payload, 100 | 50 << 16 | EOP | 0x04000000, 34 << 8); /* IC, CSO, CSS */
    send_all();
    const uint8_t *sent = rig_frame(&rig, 0)->data;
    assert_int_equal(inet_fold(inet_sum(0, sent + 34, 66)), 0);
}

/* Table 3-9: where summing starts is said by the first descriptor. */
static void a_legacy_checksum_may_be_of_several_descriptors(void **state)
{
    uint8_t *p = rig_at(&rig, payload);
    (void)state;

    card_fill(p, 100, stranger);
    store_be16(p + 50, 0);
    descriptor(payload, 40 | 50 << 16, 34 << 8);
    descriptor(payload + 40, 60 | 50 << 16 | EOP | 0x04000000, 0);
    send_all();
    const uint8_t *sent = rig_frame(&rig, 0)->data;
    assert_int_equal(inet_fold(inet_sum(0, sent + 34, 66)), 0);
}

static void checksums_are_left_to_whoever_needs_them(void **state)
{
    uint32_t len = tcp_packet(100, true);
    (void)state;

    context(0, 0, 0, 3);
    descriptor(payload, len | DATA | DEXT | EOP, 3 << 8);
    send_all();
    struct frame *f = rig_frame(&rig, 0);
    assert_true(f->offload.needs_csum);
    assert_int_equal(f->offload.csum_start, 34);
    assert_int_equal(f->offload.csum_offset, 16);
    assert_int_equal(inet_fold(inet_sum(0, f->data + 14, 20)), 0);
    struct frame *done = offload_checksum(f);
    assert_int_equal(
        inet_fold(inet_sum(inet_sum(6 + len - 34, done->data + 26, 8), done->data + 34, len - 34)),
        0);
    frame_unref(done);
}

static void a_segmentation_request_stays_one_frame(void **state)
{
    uint32_t len = tcp_packet(10000, false);
    (void)state;

    context(1460, 54, 10000, 7);
    descriptor(payload, 54 | DATA | DEXT | TSE, 3 << 8);
    descriptor(payload + 54, (len - 54) | DATA | DEXT | TSE | EOP, 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 1);
    struct frame *f = rig_frame(&rig, 0);
    assert_int_equal(f->offload.gso, FRAME_GSO_TCPV4);
    n_segments = segment_bytes = 0;
    assert_int_equal(offload_finish(f, check_segment, NULL), 7);
    assert_int_equal(segment_bytes, 10000);
}

/* The counters are of what the wire carries (13.7). */
static void segments_are_counted_one_by_one(void **state)
{
    (void)state;

    tcp_packet(9000, false);
    context(1460, 54, 9000, 7);
    descriptor(payload, 9054 | DATA | DEXT | TSE | EOP, 3 << 8);
    send_all();
    assert_int_equal(get(TSCTC), 1);
    assert_int_equal(get(GPTC), 7);
    assert_int_equal(get(GOTCL), 9000 + 7 * 58);
    assert_int_equal(get(PTC1522), 6);
    assert_int_equal(get(PTC511), 1);
}

static void a_tag_moves_what_was_asked_of_offsets(void **state)
{
    uint32_t len = tcp_packet(3000, false);
    (void)state;

    put(CTRL, SLU | VME);
    context(1460, 54, 3000, 7);
    descriptor(payload, len | DATA | DEXT | TSE | EOP | VLE, 3 << 8 | 0x2005u << 16);
    send_all();
    struct frame *f = rig_frame(&rig, 0);
    assert_int_equal(load_be32(f->data + 12), 0x81002005);
    assert_int_equal(load_be16(f->data + 16), 0x0800);
    assert_int_equal(f->offload.csum_start, 38);
    assert_int_equal(f->offload.hdr_len, 58);
}

/* 3.3.7.1: of what is segmented, the first descriptor says the tag; of other packets the last. */
static void a_tag_is_the_firsts_or_the_lasts(void **state)
{
    uint32_t len = tcp_packet(3000, false);
    (void)state;

    put(CTRL, SLU | VME);
    context(1460, 54, 3000, 7);
    descriptor(payload, 54 | DATA | DEXT | TSE | VLE, 3 << 8 | 0x2005u << 16);
    descriptor(payload + 54, (len - 54) | DATA | DEXT | TSE | EOP, 0);
    descriptor(payload, 54 | DATA | DEXT | VLE, 0x2006u << 16);
    descriptor(payload + 54, 100 | DATA | DEXT | EOP, 0);
    send_all();
    assert_int_equal(load_be32(rig_frame(&rig, 0)->data + 12), 0x81002005);
    assert_int_equal(load_be16(rig_frame(&rig, 1)->data + 12), 0x0800);
}

/* 3.5.9: each has a UDP header of its own. */
static void udp_is_segmented_into_datagrams(void **state)
{
    uint8_t *p = rig_at(&rig, payload);
    (void)state;

    tcp_packet(3000, false);
    p[23] = 17;
    memset(p + 34, 0, 8);
    store_be16(p + 40, (uint16_t)~inet_fold(inet_sum(17, p + 26, 8)));
    descriptor(14 | 24 << 8 | 33ull << 16 | 34ull << 32 | 40ull << 40, 3000 | 6u << 24 | DEXT,
               42 << 8 | 1400u << 16);
    descriptor(payload, 3042 | DATA | DEXT | TSE | EOP, 3 << 8);
    send_all();
    struct frame *f = rig_frame(&rig, 0);
    assert_int_equal(f->offload.gso, FRAME_GSO_UDP_L4);
    assert_int_equal(offload_finish(f, check_datagram, NULL), 3);
}

static void segmentation_that_makes_no_sense_is_dropped(void **state)
{
    static const uint32_t wrong[][2] = {{0, 54}, {1460, 10}, {1460, 255}, {1460, 40}};
    (void)state;

    tcp_packet(200, false);
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        context(wrong[i][0], wrong[i][1], 100, 7);
        descriptor(payload, 154 | DATA | DEXT | TSE | EOP, 3 << 8);
        send_all();
    }
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], ARRAY_LEN(wrong));
}

static void a_segmentation_context_does_not_disturb_checksums(void **state)
{
    uint32_t len;
    (void)state;

    context(0, 0, 0, 3);                                  /* checksums: TUCSS 34 */
    descriptor(0, DEXT | 7u << 24, 60 << 8 | 100u << 16); /* segmentation: all zero but its own */
    len = tcp_packet(64, true);
    descriptor(payload, len | DATA | DEXT | EOP, 2 << 8);
    send_all();
    assert_int_equal(rig_frame(&rig, 0)->offload.csum_start, 34);
}

static void a_ring_full_of_work_is_done_in_pieces(void **state)
{
    uint64_t ring = rig_alloc(&rig, 4096 * 16);
    (void)state;

    put(TDBAL, (uint32_t)ring);
    put(TDLEN, 4096 * 16);
    put(TDH, 0);
    for (unsigned i = 0; i < 4096; i++) {
        store_le64(rig_at(&rig, ring + 16 * i), payload);
        store_le32(rig_at(&rig, ring + 16 * i + 8), 0x2000 | EOP);
    }
    put(TDT, 4095);
    assert_true(get(TDH) < 200); /* a megabyte at once, no more */
    rig_forget(&rig);
    for (unsigned i = 0; i < 100; i++) {
        rig_advance(&rig, rig.actor.now + 8 * NS_PER_US);
        rig_forget(&rig);
    }
    assert_int_equal(get(TDH), 4095);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_legacy_descriptor_is_a_frame),
        T(a_packet_may_be_in_many_descriptors_and_several_kicks),
        T(descriptors_without_data_are_passed_over),
        T(a_driver_may_bring_its_own_crc),
        T_82544(rps_reports_too),
        T(a_legacy_checksum_may_be_of_several_descriptors),
        T(a_tag_is_the_firsts_or_the_lasts),
        T(udp_is_segmented_into_datagrams),
        T(a_packet_longer_than_any_frame_is_dropped),
        T(head_and_tail_beyond_the_ring_do_nothing),
        T(a_ring_that_is_not_ram_stops_it),
        T(a_ring_that_leaves_ram_tells_of_what_it_did),
        T(a_legacy_checksum_is_inserted),
        T(checksums_are_left_to_whoever_needs_them),
        T(a_segmentation_request_stays_one_frame),
        T(segments_are_counted_one_by_one),
        T(a_tag_moves_what_was_asked_of_offsets),
        T(segmentation_that_makes_no_sense_is_dropped),
        T(a_segmentation_context_does_not_disturb_checksums),
        T(a_ring_full_of_work_is_done_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
