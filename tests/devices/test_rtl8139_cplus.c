/* The rtl8139's rings of the C+: packets in parts, checksums, large sends, tags. */
#include "rtl8139_rig.h"

#include "sim/offload.h"

/* --- C+: sending --- */

static uint32_t ip_packet(uint8_t proto, uint32_t data)
{
    uint8_t *p = rig_at(&rig, payload);
    uint32_t head = proto == 6 ? 20 : 8, len = 34 + head + data;

    card_fill(p, len, own);
    store_be16(p + 12, 0x0800);
    memset(p + 14, 0, 20 + head);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(len - 14));
    p[22] = 64;
    p[23] = proto;
    store_be32(p + 26, 0x0a000001);
    store_be32(p + 30, 0x0a000002);
    if (proto == 6)
        p[46] = 0x50;
    else
        store_be16(p + 38, (uint16_t)(8 + data));
    return len;
}

static void check_sums(const struct frame *f, uint32_t at, uint8_t proto)
{
    const uint8_t *ip = f->data + at;
    uint32_t len = load_be16(ip + 2);

    assert_int_equal(inet_fold(inet_sum(0, ip, 20)), 0);
    assert_int_equal(inet_fold(inet_sum(inet_sum(proto + len - 20, ip + 12, 8), ip + 20, len - 20)),
                     0);
}

static void a_packet_may_be_in_several_descriptors(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 300, stranger);
    part(payload, 50, FS, 0);
    part(payload + 50, 0, 0, 0);
    part(payload + 50, 250, LS, 0);
    poll_rings();
    assert_int_equal(rig_sent(&rig), 1);
    assert_memory_equal(rig_frame(&rig, 0)->data, rig_at(&rig, payload), 300);
    assert_int_equal(load_le32(tx_at(0)), FS | 50);
    assert_int_equal(load_le32(tx_at(2)), LS | 250);
    assert_int_equal(causes(), TOK | TDU);
    part(payload, 100, FS | LS, 0); /* the last: EOR */
    poll_rings();
    assert_int_equal(load_le32(tx_at(3)), EOR | FS | LS | 100);
    part(payload, 100, FS | LS, 0);
    poll_rings();
    assert_int_equal(rig_sent(&rig), 3);
    part(payload, 100, LS, 0); /* with no beginning */
    poll_rings();
    assert_int_equal(rig_sent(&rig), 3);
}

static void checksums_are_made(void **state)
{
    static const uint8_t protos[] = {6, 17};
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        uint32_t len = ip_packet(protos[i], 1);
        memset(rig_at(&rig, payload + len), 0x99, 20); /* what a driver padded with */
        part(payload, 64, FS | LS | 1u << 18 | (protos[i] == 6 ? 1u << 16 : 1u << 17), 0);
        poll_rings();
        struct frame *done = offload_checksum(rig_frame(&rig, i));
        check_sums(done, 14, protos[i]);
        frame_unref(done);
        assert_int_equal(load_le32(tx_at(i)), FS | LS | 64); /* no collisions */
    }
    card_fill(rig_at(&rig, payload), 100, stranger); /* no IPv4: goes as it is */
    part(payload, 100, FS | LS | 7u << 16, 0);
    poll_rings();
    assert_memory_equal(rig_frame(&rig, 2)->data, rig_at(&rig, payload), 100);
}

static unsigned segments;

static void check_segment(void *opaque, struct frame *f)
{
    check_sums(f, *(uint32_t *)opaque, 6);
    segments++;
}

static void ignore_segment(void *opaque, struct frame *f)
{
    (void)opaque;
    (void)f;
}

static void a_large_send_stays_one_frame(void **state)
{
    uint32_t len = ip_packet(6, 10000), at = 14;
    (void)state;

    part(payload, 100, FS | LGSEN | 1460u << 16, 0);
    part(payload + 100, len - 100, LS | LGSEN | 1460u << 16, 0);
    poll_rings();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(offload_finish(rig_frame(&rig, 0), check_segment, &at), 7);
    assert_int_equal(load_le32(tx_at(0)) & 0x0fff0000, 0); /* no error of the bits of its MSS */
    part(payload, len, FS | LS | LGSEN | 1460u << 16, 0x20000 | 0x0520);
    poll_rings();
    at = 18;
    assert_int_equal(load_be32(rig_frame(&rig, 1)->data + 12), 0x81002005);
    assert_int_equal(offload_finish(rig_frame(&rig, 1), check_segment, &at), 7);
    assert_int_equal(segments, 14);
}

static void header_lengths_of_a_large_send_are_not_trusted(void **state) /* CVE-2015-5165 */
{
    uint32_t len = ip_packet(6, 100);
    (void)state;

    for (unsigned i = 0; i < 16; i++) {
        rig_at(&rig, payload)[14] = (uint8_t)(0x40 | i);
        rig_at(&rig, payload)[46] = (uint8_t)(i << 4);
        part(payload, len, FS | LS | LGSEN | 100u << 16, 0);
        part(payload, 40 + i, FS | LS | 1u << 18 | 1u << 16, 0);
        poll_rings();
    }
    for (unsigned i = 0; i < rig_sent(&rig); i++)
        offload_finish(rig_frame(&rig, i), ignore_segment, NULL);
}

static void a_segment_size_of_zero_is_dropped(void **state)
{
    uint32_t len = ip_packet(6, 100);
    (void)state;

    part(payload, len, FS | LS | LGSEN, 0);
    poll_rings();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
}

static void a_tag_is_inserted(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 50, stranger);
    part(payload, 50, FS | LS, 0x20000 | 0x0520);
    part(payload, 14, FS | LS, 0x20000 | 0x0520);
    poll_rings();
    assert_int_equal(load_be32(rig_frame(&rig, 0)->data + 12), 0x81002005);
    assert_int_equal(load_be16(rig_frame(&rig, 0)->data + 16), 0x88b5);
    assert_int_equal(rig_frame(&rig, 1)->len, 60);
}

static void a_packet_longer_than_any_frame_is_dropped(void **state)
{
    (void)state;

    part(payload, 65535, FS, 0);
    part(payload, 65535, LS, 0);
    part(0x40000000, 100, FS | LS, 0);
    part(payload, 13, FS | LS, 0);
    poll_rings();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 3);
}

static void
a_ring_that_is_given_again_and_again_is_taken_in_pieces(void **state) /* CVE-2016-8910 */
{
    (void)state;

    for (uint32_t i = 0; i < 64; i++) {
        store_le32(tx_at(i), OWN | FS | LS | 0xffff);
        store_le64(tx_at(i) + 8, payload);
    }
    poll_rings();
    assert_true(load_le32(tx_at(40)) & OWN); /* a megabyte at once */
    rig_forget(&rig);
    for (unsigned i = 0; i < 20; i++) {
        rig_advance(&rig, rig.actor.now + 10 * NS_PER_US);
        rig_forget(&rig);
    }
    assert_false(load_le32(tx_at(63)) & OWN);
    put(TNPDS, 0x40000000, 4); /* not RAM */
    poll_rings();
}

/* --- C+: receiving --- */

static void a_frame_fills_the_next_buffer(void **state)
{
    (void)state;

    card_receive(own, 200);
    assert_int_equal(load_le32(rx_at(0)), FS | LS | 1u << 25 | 204); /* PAM */
    assert_int_equal(rig_at(&rig, buffer)[199], 199);
    card_receive(everyone, 600);
    assert_int_equal(load_le32(rx_at(1)), FS | BUFFER);
    assert_int_equal(load_le32(rx_at(2)), LS | 1u << 24 | 604); /* BAR */
    card_receive(own, 100);
    assert_int_equal(load_le32(rx_at(3)), EOR | FS | LS | 1u << 25 | 104);
    assert_int_equal(causes(), ROK);
    give(0, BUFFER);
    card_receive(own, 100);
    assert_int_equal(load_le32(rx_at(0)), FS | LS | 1u << 25 | 104);
}

static void without_buffers_a_frame_waits(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 1; i++)
        card_receive(own, 100 + i);
    give(0, BUFFER);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(load_le32(rx_at(0)) & 0x1fff, 100 + N + 4);
    assert_int_equal(get(MPC, 4), 0);
}

static void a_ring_of_nothing_ends(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < N; i++)
        give(i, 0);
    card_receive(own, 100);
    for (uint32_t i = 0; i < 64; i++) {
        store_le32(rx_at(i), OWN | (i < 63 ? 0 : 200)); /* 63 of no length, and one */
        store_le64(rx_at(i) + 8, rx_ring);              /* whose buffer is the ring */
    }
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
}

/* "Must be a multiple of 8 bytes" (the descriptor's Buffer_Size). */
static void a_descriptor_without_a_buffer_ends_the_ring(void **state)
{
    (void)state;

    give(0, 7);
    card_receive(own, 100);
    assert_int_equal(load_le32(rx_at(0)), OWN | 7);
    assert_true(load_le32(rx_at(1)) & OWN);
    give(0, 8);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(load_le32(rx_at(0)), FS | 8);
    assert_int_equal(load_le32(rx_at(1)) & 0x1fff, 104);
}

/* The first buffer is the next descriptor, which is overwritten with a size of 2. */
static void a_buffer_that_vanishes_is_a_system_error(void **state)
{
    (void)state;

    put(RCR, AAP, 4);
    give(0, 8);
    store_le64(rx_at(0) + 8, rx_ring + 16);
    card_receive(stranger, 100);
    assert_int_equal(causes(), SERR);
    assert_true(load_le32(rx_at(2)) & OWN);
}

/* Thousands of packets may be given up at once, of which each would look at the ring again. */
static void what_is_given_up_together_is_one_look(void **state)
{
    struct frame *f = frame_from(rig_at(&rig, payload), ip_packet(6, 8000));
    (void)state;

    f->offload = (struct frame_offload){.needs_csum = true,
                                        .csum_start = 34,
                                        .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV4,
                                        .gso_size = 100,
                                        .hdr_len = 54};
    for (uint32_t i = 0; i < N; i++)
        store_le32(rx_at(i), 0);
    rig.dma_reads = 0;
    for (unsigned i = 0; i < 3; i++)
        rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
    frame_unref(f);
    assert_int_equal(get(MPC, 4), 240);
    assert_in_range(rig.dma_reads, 1, 20);
    give(0, BUFFER);
    card_receive(own, 100); /* at another time */
    assert_int_equal(load_le32(rx_at(0)) & 0x1fff, 104);
}

static void receive_ip(uint8_t proto, bool good)
{
    uint32_t len = ip_packet(proto, 100);
    uint8_t *p = rig_at(&rig, payload);
    uint32_t sum = proto == 6 ? 50 : 40;

    store_be16(p + sum,
               inet_fold(inet_sum(inet_sum(proto + len - 34, p + 26, 8), p + 34, len - 34)));
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    p[len - 1] ^= !good;
    struct frame *f = frame_from(p, len);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

static void checksums_are_checked_when_asked(void **state)
{
    static const uint32_t expected[] = {1u << 16, 1u << 16 | 1u << 13, 2u << 16,
                                        2u << 16 | 1u << 14};
    (void)state;

    put(CPCR, 0x23, 2);
    for (unsigned i = 0; i < 4; i++) {
        receive_ip(i < 2 ? 6 : 17, !(i & 1));
        assert_int_equal(load_le32(rx_at(i)) & 0x3e000, expected[i]); /* PID, IPF, UDPF, TCPF */
    }
    give(0, BUFFER);
    card_receive(own, 100);
    assert_int_equal(load_le32(rx_at(0)) & 0x3e000, 0);
}

static void tags_are_stripped_when_asked(void **state)
{
    struct frame *f = frame_new(100);
    (void)state;

    put(CPCR, 0x43, 2);
    f->len = 100;
    card_fill(f->data, 100, own);
    store_be32(f->data + 12, 0x81002005);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
    assert_int_equal(load_le32(rx_at(0)) & 0x1fff, 100);
    assert_int_equal(load_le32(rx_at(0) + 4), 1u << 16 | 0x0520);
    assert_int_equal(rig_at(&rig, buffer)[12], 16);
}

static void software_interrupts_and_the_other_ring(void **state)
{
    (void)state;

    put(TPPOLL, 1, 1);
    assert_int_equal(causes(), SWINT);
    part(payload, 100, FS | LS, 0);
    put(TPPOLL, 0x80, 1);
    assert_int_equal(rig_sent(&rig), 0);
}

/* --- the tally counters --- */

static const uint8_t *tally_dump(void)
{
    put(DTCCR + 4, 0, 4);
    put(DTCCR, (uint32_t)payload | 8, 4);
    assert_int_equal(get(DTCCR, 4), payload); /* it is done */
    return rig_at(&rig, payload);
}

static void packets_are_counted(void **state)
{
    uint32_t len = ip_packet(6, 10000);
    (void)state;

    put(MAR, 0xffffffff, 4);
    put(MAR + 4, 0xffffffff, 4);
    put(RCR, APM | AB | AM, 4);
    part(payload, len, FS | LS | LGSEN | 1460u << 16, 0); /* 7 packets */
    part(payload, 100, FS | LS, 0);
    part(payload, 13, FS | LS, 0); /* none */
    poll_rings();
    card_receive(own, 100);
    card_receive(everyone, 60);
    card_receive(everyone, 60);
    card_receive(group, 60);
    card_receive(stranger, 60);
    card_receive(own, 60); /* for which there is no buffer */
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
    const uint8_t *t = tally_dump();
    static const uint64_t expected[8] = {8, 4, 0, 1ull << 32, 0, 1, 2, 1};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(load_le64(t + 8 * i), expected[i]);
    put(CR, RST, 1); /* which they survive, */
    put(CPCR, 3, 2);
    assert_int_equal(load_le64(tally_dump()), 8);
    put(CR9346, 0x40, 1); /* but not this */
    put(CPCR, 3, 2);
    assert_int_equal(load_le64(tally_dump()), 0);
}

static void counters_go_nowhere_but_to_ram(void **state)
{
    uint8_t *p = rig_at(&rig, payload);
    (void)state;

    memset(p, 0x55, 128);
    put(DTCCR + 4, 0, 4);
    put(DTCCR, (uint32_t)payload, 4); /* no command */
    assert_int_equal(p[0], 0x55);
    put(DTCCR, (uint32_t)payload | 0x3f, 4); /* of multiples of 64 */
    assert_int_equal(p[0], 0);
    assert_int_equal(p[64], 0x55);
    assert_int_equal(causes(), 0);
    put(DTCCR, 0x40000008, 4); /* the card's own registers */
    assert_int_equal(get(DTCCR, 4), 0x40000000);
    assert_int_equal(causes(), SERR);
    put(TSD + 8, 100, 4); /* nothing is there */
    assert_int_equal(get(TSD + 8, 4), 0);
    put(CPCR, 2, 2); /* those that send are there again */
    assert_int_equal(get(TSD, 4), 0x2000);
    memset(p, 0x55, 128);
    put(TSD, (uint32_t)payload | 8, 4);
    assert_int_equal(p[0], 0x55);
}

static void a_clone_counts_on(void **state)
{
    (void)state;

    card_receive(own, 100);
    struct nic *n = card_clone("rtl8139", true);
    const struct pci_bar *bar = &n->pci->bars[1];
    bar->write(&n->dev, DTCCR, payload | 8, 4);
    nic_destroy(n);
    assert_int_equal(load_le64(rig_at(&rig, payload + 8)), 1);
}

static void a_frame_longer_than_the_card_can_hold_is_refused(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < N; i++)
        give(i, 0x1fff);
    card_receive(own, 4092);
    assert_false(load_le32(rx_at(0)) & OWN);
    card_receive(own, 4093);
    card_receive(own, 9000);
    assert_true(load_le32(rx_at(1)) & OWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        R(a_packet_may_be_in_several_descriptors),
        R(checksums_are_made),
        R(a_large_send_stays_one_frame),
        R(header_lengths_of_a_large_send_are_not_trusted),
        R(a_segment_size_of_zero_is_dropped),
        R(a_tag_is_inserted),
        R(a_packet_longer_than_any_frame_is_dropped),
        R(a_ring_that_is_given_again_and_again_is_taken_in_pieces),
        R(a_frame_fills_the_next_buffer),
        R(without_buffers_a_frame_waits),
        R(a_ring_of_nothing_ends),
        R(a_descriptor_without_a_buffer_ends_the_ring),
        R(a_buffer_that_vanishes_is_a_system_error),
        R(what_is_given_up_together_is_one_look),
        R(checksums_are_checked_when_asked),
        R(tags_are_stripped_when_asked),
        R(software_interrupts_and_the_other_ring),
        R(packets_are_counted),
        R(counters_go_nowhere_but_to_ram),
        R(a_clone_counts_on),
        R(a_frame_longer_than_the_card_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
