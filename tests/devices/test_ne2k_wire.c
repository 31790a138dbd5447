/* The DP8390 on both buses sends, receives into its ring, and loops back. */
#include "ne2k_rig.h"

#include <zlib.h>

/* --- transmission --- */

static void a_frame_is_sent_from_the_ram(void **state)
{
    uint8_t bytes[200];
    (void)state;
    start(0);
    card_fill(bytes, 200, other);
    ram_write(TX_PAGE * 256, bytes, 200);
    out(7, 0xff);
    transmit(200);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, bytes, 200);
    assert_string_equal(rig_frame(&rig, 0)->origin.guest, "rig");
    assert_int_equal(in(7), ISR_PTX);
    assert_true(in(4) & TSR_PTX);
    assert_int_equal(in(0), START); /* TXP is over */
    assert_true(line());
}

static void a_full_line_makes_it_wait(void **state)
{
    unsigned n = 0;
    (void)state;
    start(0);
    nic->port.link.rate_bps = 10000000;
    nic->port.link.queue_bytes = 3000;
    for (; n < 100 && !(in(0) & CR_TXP); n++)
        transmit(1000);
    assert_true(n > 2 && n < 10);
    out(0, SEND); /* has no effect now */
    assert_int_equal(rig_sent(&rig), n - 1);
    out(7, 0xff);
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_MS);
    assert_int_equal(rig_sent(&rig), n);
    assert_int_equal(in(7), ISR_PTX);
    assert_int_equal(nic->port.stats.drops[DROP_QUEUE_OUT], 0);
}

/* Frames until one waits for the line; returns how many are on it. */
static unsigned line_fill(uint64_t rate_bps)
{
    unsigned n = 0;

    start(0);
    nic->port.link.rate_bps = rate_bps;
    nic->port.link.queue_bytes = 2100; /* the fourth waits nearly as long as one takes */
    for (; n < 100 && !(in(0) & CR_TXP); n++)
        transmit(1000);
    assert_true(in(0) & CR_TXP);
    assert_int_equal(rig_sent(&rig), n - 1);
    out(7, 0xff);
    return n - 1;
}

static void stopping_lets_what_waits_for_the_line_leave(void **state)
{
    unsigned before = line_fill(10000000);
    (void)state;
    out(0, STOP);
    assert_true(in(0) & CR_TXP);
    assert_int_equal(in(7), 0); /* no RST yet (7) */
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_MS);
    assert_int_equal(rig_sent(&rig), before + 1);
    assert_int_equal(nic->port.stats.drops[DROP_QUEUE_OUT], 0);
    assert_int_equal(in(7), ISR_PTX | ISR_RST);
    assert_false(in(0) & CR_TXP);
}

static void a_start_before_the_frame_has_left_takes_the_stop_back(void **state)
{
    unsigned before = line_fill(1000000); /* a frame takes 8 ms */
    (void)state;
    out(0, STOP);
    rig_advance(&rig, rig.actor.now + 1 * NS_PER_MS);
    out(0, START);
    rig_advance(&rig, rig.actor.now + 5 * NS_PER_MS);
    assert_int_equal(in(7), 0);
    assert_true(in(0) & CR_TXP);
    rig_advance(&rig, rig.actor.now + 5 * NS_PER_MS);
    assert_int_equal(rig_sent(&rig), before + 1);
    assert_int_equal(nic->port.stats.drops[DROP_QUEUE_OUT], 0);
    assert_int_equal(in(7), ISR_PTX);
}

static void a_stopped_card_waits_no_longer_than_for_the_longest_packet(void **state)
{
    unsigned before = line_fill(1000000);
    vtime_t stopped = rig.actor.now;
    (void)state;
    out(0, STOP);
    rig_advance(&rig, stopped + 1 * NS_PER_MS);
    out(0, STOP); /* which is no new beginning */
    assert_int_equal(in(7), 0);
    rig_advance(&rig, stopped + 1300 * NS_PER_US);
    assert_int_equal(in(7), ISR_PTX | ISR_RST);
    assert_int_equal(rig_sent(&rig), before);
    assert_int_equal(nic->port.stats.drops[DROP_QUEUE_OUT], 1);
}

static void a_reset_ends_what_waits_for_the_line(void **state)
{
    unsigned before = line_fill(10000000);
    (void)state;
    out(0, STOP);
    out(RESET, 0);
    assert_int_equal(in(0), STOP);
    assert_int_equal(in(7), ISR_RST);
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_MS);
    assert_int_equal(rig_sent(&rig), before);
    assert_int_equal(in(7), ISR_RST);
}

static void a_stopped_card_sends_nothing(void **state)
{
    (void)state;
    start(0);
    out(0, STOP);
    out(0, STOP | CR_TXP);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(in(0), STOP);
}

static void lengths_that_are_no_frames_are_dropped(void **state)
{
    static const unsigned lengths[] = {0, 1, 13, 1523, 0xffff};
    (void)state;
    start(0);
    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        out(7, 0xff);
        transmit(lengths[i]);
        assert_int_equal(in(7), ISR_PTX);
    }
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_RUNT], 3);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 2);
}

static void a_crc_of_the_drivers_own_leaves_the_frame(void **state)
{
    uint8_t bytes[104];
    (void)state;
    start(0);
    card_fill(bytes, 100, other);
    store_le32(bytes + 100, (uint32_t)crc32(0, bytes, 100));
    ram_write(TX_PAGE * 256, bytes, 104);
    out(0xd, TCR_CRC);
    transmit(104);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    transmit(103);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
}

static void a_pulled_cable_is_lost_carrier(void **state)
{
    (void)state;
    start(0);
    port_set_up(&nic->port, false);
    transmit(100);
    assert_int_equal(in(4), TSR_PTX | TSR_ND | TSR_CRS);
    port_set_up(&nic->port, true);
    transmit(100);
    assert_int_equal(in(4), TSR_PTX | TSR_ND);
}

/* --- reception --- */

static void a_packet_is_stored_with_its_header_and_crc(void **state)
{
    uint8_t bytes[300], got[308];
    (void)state;
    start(RCR_AB);
    card_receive(own, 300);
    card_fill(bytes, 300, own);
    assert_int_equal(curr(), FIRST + 3);
    assert_int_equal(in(7), ISR_PRX);
    assert_int_equal(in(0xc), RSR_PRX);
    assert_true(line());
    ram_read((FIRST + 1) * 256, got, 308);
    assert_int_equal(got[0], RSR_PRX);
    assert_int_equal(got[1], FIRST + 3);
    assert_int_equal(load_le16(got + 2), 304);
    assert_memory_equal(got + 4, bytes, 300);
    assert_int_equal(load_le32(got + 304), crc32(0, bytes, 300));
    card_receive(broadcast, 40); /* a cable pads it */
    ram_read((FIRST + 3) * 256, got, 4);
    assert_int_equal(got[0], RSR_PRX | RSR_PHY);
    assert_int_equal(load_le16(got + 2), 64);
}

static void only_what_concerns_it_is_stored(void **state)
{
    (void)state;
    start(0);
    assert_true(packets(own));
    assert_false(packets(other));
    assert_false(packets(broadcast));
    assert_false(packets(group));
    out(0xc, RCR_PRO);
    assert_true(packets(other));
    assert_false(packets(group)); /* PRO is for physical addresses (10.3) */
    out(0xc, RCR_AB);
    assert_true(packets(broadcast));
    assert_false(packets(group));
    assert_int_equal(refused(), 0);
}

/* 01:00:5e:00:00:01 has bit 31 of the table (its CRC begins 011111), broadcast bit 63. */
static void groups_pass_by_their_bit_of_the_table(void **state)
{
    unsigned bit = 64, hits = 0;
    (void)state;
    start(RCR_AM);
    for (unsigned i = 0; i < 64; i++) {
        page_out(P1, 8 + i / 8, 1 << i % 8);
        if (packets(group)) {
            bit = i;
            hits++;
        }
        page_out(P1, 8 + i / 8, 0);
    }
    assert_int_equal(hits, 1);
    assert_int_equal(bit, 31);
    page_out(P1, 15, 0x80);
    assert_true(packets(broadcast));
    out(0xc, 0);
    assert_false(packets(broadcast));
}

static void monitor_mode_counts_and_stores_nothing(void **state)
{
    (void)state;
    start(RCR_AB | RCR_MON);
    assert_false(packets(own));
    assert_false(packets(other));
    assert_int_equal(in(0xc), RSR_DIS | RSR_MPA);
    assert_int_equal(in(7), ISR_RXE);
    assert_int_equal(in(0xf), 1);
    assert_int_equal(in(0xf), 0); /* reading clears */
    out(0xc, RCR_AB);
    assert_false(in(0xc) & RSR_DIS);
    assert_true(packets(own));
}

static void giants_are_refused(void **state)
{
    (void)state;
    start(RCR_AB);
    card_receive(own, 1518);
    assert_int_equal(curr(), FIRST + 7);
    card_receive(own, 1519);
    assert_int_equal(curr(), FIRST + 7);
    assert_int_equal(refused(), 1);
}

/* Fill the ring with packets of a page each, up to the boundary; returns how many it took. */
static unsigned ring_fill(void)
{
    unsigned n = 0;

    while (n < 256 && packets(own))
        n++;
    return n;
}

static void a_full_ring_overflows_and_goes_on_when_pages_are_free(void **state)
{
    (void)state;
    start(RCR_AB);
    /* CURR is a page ahead of the boundary: all pages but that one. */
    assert_int_equal(ring_fill(), END - FIRST - 1);
    assert_int_equal(curr(), FIRST);
    assert_int_equal(in(7), ISR_PRX | ISR_RXE | ISR_OVW | ISR_RST);
    assert_int_equal(in(0xf), 1);
    assert_int_equal(in(0xc), RSR_MPA);
    assert_int_equal(refused(), 1);
    out(7, 0xff);
    assert_true(in(7) & ISR_RST); /* until something is removed */
    assert_false(packets(own));
    out(3, FIRST + 1);
    assert_false(in(7) & ISR_RST);
    assert_true(packets(own));
    assert_false(packets(own));
}

static void a_long_packet_does_not_reach_into_the_boundary(void **state)
{
    (void)state;
    start(RCR_AB);
    out(3, FIRST + 4); /* three pages free: 0x47 to 0x49 */
    card_receive(own, 3 * 256 - 8 + 1);
    assert_int_equal(curr(), FIRST + 1);
    assert_true(in(7) & ISR_OVW);
    assert_false(packets(own)); /* though it would fit: nothing has been removed yet */
    out(3, FIRST + 4);
    card_receive(own, 3 * 256 - 8);
    assert_int_equal(curr(), FIRST + 4);
    assert_false(packets(own)); /* CURR at the boundary, from behind: full */
}

static void a_boundary_set_to_curr_is_an_empty_ring(void **state)
{
    (void)state;
    start(RCR_AB);
    out(3, FIRST + 1);
    assert_int_equal(ring_fill(), END - FIRST);
    assert_int_equal(curr(), FIRST + 1);
    out(3, FIRST + 1); /* software has read all of it */
    assert_true(packets(own));
}

static void a_packet_wraps_to_the_start_of_the_ring(void **state)
{
    uint8_t bytes[600], got[608];
    (void)state;
    start(RCR_AB);
    page_out(P1, 7, END - 1);
    out(3, FIRST + 8);
    card_receive(own, 600);
    card_fill(bytes, 600, own);
    assert_int_equal(curr(), FIRST + 2);
    ram_read((END - 1) * 256, got, 608);
    assert_int_equal(got[1], FIRST + 2);
    assert_memory_equal(got + 4, bytes, 600);
    card_receive(own, 256 - 8); /* and one that ends with a page needs no next one */
    assert_int_equal(curr(), FIRST + 3);
}

static void the_counter_of_missed_packets_asks_at_128_and_stops_at_192(void **state)
{
    (void)state;
    start(RCR_MON);
    for (unsigned i = 0; i < 127; i++)
        card_receive(own, 60);
    assert_false(in(7) & ISR_CNT);
    card_receive(own, 60);
    assert_true(in(7) & ISR_CNT);
    for (unsigned i = 0; i < 200; i++)
        card_receive(own, 60);
    assert_int_equal(in(0xf), 192);
    out(7, 0xff);
    card_receive(own, 60);
    assert_false(in(7) & ISR_CNT);
}

static void bytes_of_words_are_swapped_for_those_who_want_it(void **state)
{
    uint8_t got[8];
    (void)state;
    start(RCR_AB);
    out(0xe, 0x4b);
    card_receive(own, 300);
    ram_read((FIRST + 1) * 256, got, 8);
    assert_int_equal(got[0], RSR_PRX); /* but not those of the header */
    assert_int_equal(got[1], FIRST + 3);
    assert_int_equal(load_le16(got + 2), 304);
    assert_int_equal(got[5], own[0]);
    assert_int_equal(got[4], own[1]);
}

static void the_send_packet_command_reads_a_header_with_bos_too(void **state)
{
    (void)state;
    start(RCR_AB);
    out(0xe, 0x5b);
    out(3, FIRST + 1);
    card_receive(own, 300);
    out(7, 0xff);
    out(0, 2 | RD_SEND);
    for (unsigned i = 0; i < 304; i += 2) {
        assert_false(in(7) & ISR_RDC);
        in_n(DATA, 2);
    }
    assert_true(in(7) & ISR_RDC);
    assert_int_equal(in(3), FIRST + 3);
}

/* --- loopback (12) --- */

/* 61 = 7 * 8 + 5 bytes with the CRC, so that the FIFO ends as the data sheet shows. */
static void loop_packet(const uint8_t *to, unsigned tcr, bool words)
{
    uint8_t bytes[62] = {0}, wide[122] = {0}; /* whole words */

    card_fill(bytes, 57, to);
    store_le32(bytes + 57, (uint32_t)crc32(0, bytes, 57));
    for (unsigned i = 0; i < 61; i++)
        wide[2 * i + 1] = bytes[i];
    out(0xe, words ? 0x41 : 0x49);
    if (words)
        ram_write(TX_PAGE * 256, wide, 122);
    else
        ram_write(TX_PAGE * 256, bytes, 62);
    out(0xe, words ? 0x41 : 0x40); /* LS: loopback */
    out(0xd, tcr);
    out(7, 0xff);
    transmit((tcr & TCR_CRC ? 61 : 57) * (words ? 2 : 1));
}

static void check_looped(unsigned tsr, unsigned rsr)
{
    assert_int_equal(in(4), tsr);
    assert_int_equal(in(0xc), rsr);
    assert_int_equal(in(7), ISR_PTX);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(curr(), FIRST + 1);
}

static void loopback_comes_back_to_the_fifo_in_each_mode(void **state)
{
    static const unsigned tsr[] = {0, 0x53, 0x43, 0x03};
    uint8_t bytes[61];
    (void)state;
    card_fill(bytes, 57, own);
    store_le32(bytes + 57, (uint32_t)crc32(0, bytes, 57));
    for (unsigned mode = 1; mode < 4; mode++) {
        for (unsigned words = 0; words < 2; words++) {
            start(0x1f);
            loop_packet(own, mode << 1, words);
            check_looped(tsr[mode], RSR_CRC); /* its own CRC is always wrong to it */
            for (unsigned i = 0; i < 5; i++)
                assert_int_equal(in(6), bytes[56 + i]);
            assert_int_equal(in(6), 61);
            assert_int_equal(in(6), 0);
            assert_int_equal(in(6), 0);
            assert_int_equal(in(6), bytes[56]); /* and round */
        }
    }
}

static void loopback_checks_addresses_and_crcs(void **state)
{
    (void)state;
    start(RCR_AB);
    loop_packet(own, LB_NIC | TCR_CRC, false);
    check_looped(0x53, RSR_PRX);
    loop_packet(broadcast, LB_NIC | TCR_CRC, false);
    check_looped(0x53, RSR_PRX | RSR_PHY);
    loop_packet(own, LB_NIC, false);
    check_looped(0x53, RSR_CRC);
    loop_packet(other, LB_NIC, false); /* bad, but not for us */
    check_looped(0x53, RSR_PRX);
    assert_int_equal(in(0xe), 1); /* CRC errors */
}

static void what_comes_during_loopback_is_not_received(void **state)
{
    (void)state;
    start(RCR_AB);
    out(0xd, LB_NIC);
    assert_false(packets(own));
    assert_int_equal(refused(), 1);
    transmit(100);
    assert_int_equal(rig_sent(&rig), 0);
    out(0xd, 0);
    assert_true(packets(own));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BOTH(a_frame_is_sent_from_the_ram),
        PCI(a_full_line_makes_it_wait),
        PCI(stopping_lets_what_waits_for_the_line_leave),
        PCI(a_start_before_the_frame_has_left_takes_the_stop_back),
        PCI(a_stopped_card_waits_no_longer_than_for_the_longest_packet),
        PCI(a_reset_ends_what_waits_for_the_line),
        PCI(a_stopped_card_sends_nothing),
        PCI(lengths_that_are_no_frames_are_dropped),
        PCI(a_crc_of_the_drivers_own_leaves_the_frame),
        PCI(a_pulled_cable_is_lost_carrier),
        BOTH(a_packet_is_stored_with_its_header_and_crc),
        PCI(only_what_concerns_it_is_stored),
        PCI(groups_pass_by_their_bit_of_the_table),
        PCI(monitor_mode_counts_and_stores_nothing),
        PCI(giants_are_refused),
        PCI(a_full_ring_overflows_and_goes_on_when_pages_are_free),
        PCI(a_long_packet_does_not_reach_into_the_boundary),
        PCI(a_boundary_set_to_curr_is_an_empty_ring),
        PCI(a_packet_wraps_to_the_start_of_the_ring),
        PCI(the_counter_of_missed_packets_asks_at_128_and_stops_at_192),
        PCI(bytes_of_words_are_swapped_for_those_who_want_it),
        PCI(the_send_packet_command_reads_a_header_with_bos_too),
        PCI(loopback_comes_back_to_the_fifo_in_each_mode),
        PCI(loopback_checks_addresses_and_crcs),
        PCI(what_comes_during_loopback_is_not_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
