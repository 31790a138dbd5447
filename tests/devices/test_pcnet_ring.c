/* The pcnet sends and receives through rings of three layouts. */
#include "pcnet_rig.h"

#include <zlib.h>

/* --- sending --- */

static void a_descriptor_is_a_frame(void **state)
{
    (void)state;

    put(0, IENA);
    send_frame(200);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 200);
    assert_int_equal(status_of(tx_ring, 0), STP | ENP);
    assert_true(csr(0) & TINT);
    assert_true(rig.line[CARD_LINE]);
    ack();
    assert_false(rig.line[CARD_LINE]);
    put(3, TINT);
    send_frame(200);
    assert_true(csr(0) & TINT); /* masked: a cause, and no interrupt */
    assert_false(rig.line[CARD_LINE]);
    assert_true(csr(4) & 8); /* TXSTRT */
    put(4, 0x0115 | 8);
    assert_false(csr(4) & 8);
}

static void a_packet_may_be_in_several_descriptors(void **state)
{
    (void)state;

    card_fill(at(payload), 300, stranger);
    send_part(payload, 20, STP);
    send_part(payload + 20, 100, 0);
    send_part(payload + 120, 180, ENP);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 300);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 300);
    send_part(payload, 100, ENP); /* with no beginning */
    send_part(payload, 100, STP | ENP);
    demand();
    assert_int_equal(rig_sent(&rig), 2);
}

static void a_packet_over_several_descriptors_stays_in_its_buffer(void **state) /* CVE-2015-3209 */
{
    (void)state;

    send_part(payload, 4096, STP);
    send_part(payload, 4096, 0);
    send_part(payload, 4096, ENP);
    demand();
    assert_int_equal(rig_sent(&rig), 0);
    assert_true(csr(0) & BABL);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 1);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
    send_part(payload, 5, STP | ENP);
    demand();
    assert_int_equal(nic->port.stats.drops[DROP_RUNT], 1);
}

/* The errors of a descriptor for sending. */
static uint32_t errors_of(uint32_t i)
{
    const uint8_t *w = descriptor(tx_ring, i);

    return style ? load_le32(w + (style == 3 ? 0 : 8)) : (uint32_t)load_le16(w + 6) << 16;
}

static void a_packet_without_an_end_turns_the_transmitter_off(void **state)
{
    (void)state;

    put(5, 0x8000); /* TOKINTD: an error is told all the same */
    send_part(payload, 100, STP);
    send_part(payload, 100, 0);
    demand();
    assert_int_equal(status_of(tx_ring, 0), STP);
    assert_int_equal(errors_of(0), 0);
    assert_int_equal(status_of(tx_ring, 1), ERR);
    assert_int_equal(errors_of(1), BUFF | UFLO);
    assert_int_equal(csr(0) & (TINT | TXON | RXON), TINT | RXON);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    start(0);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
}

static void with_dxsuflo_it_goes_on_with_the_next_beginning(void **state)
{
    (void)state;

    put(3, 0x40); /* DXSUFLO */
    send_part(payload, 100, STP);
    demand();
    assert_int_equal(status_of(tx_ring, 0), STP | ERR);
    assert_int_equal(csr(0) & (TINT | TXON), TINT | TXON);
    send_part(payload, 100, ENP); /* the rest comes too late */
    send_part(payload, 100, STP);
    send_frame(200);
    assert_int_equal(status_of(tx_ring, 1), ENP);
    assert_int_equal(errors_of(1), 0);
    assert_int_equal(errors_of(2), BUFF | UFLO); /* a beginning is no end */
    assert_int_equal(errors_of(3), 0);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
}

static void a_ring_of_one_descriptor_has_no_next(void **state)
{
    (void)state;

    put(0, STOP);
    put(78, (uint16_t)-1);
    put(0, STRT);
    give(tx_ring, 0, payload, 100, OWN | STP);
    demand();
    assert_int_equal(errors_of(0), BUFF | UFLO);
    assert_false(csr(0) & TXON);
}

static void without_a_cable_there_is_no_carrier(void **state)
{
    (void)state;

    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    put(5, 0x8000); /* TOKINTD */
    send_frame(100);
    assert_int_equal(status_of(tx_ring, 0), STP | ENP | ERR);
    assert_int_equal(errors_of(0), LCAR);
    assert_int_equal(csr(0) & (CERR | TINT | TXON), CERR | TINT | TXON);
    assert_int_equal(nic->port.stats.drops[DROP_DOWN], 1);
    ack();
    assert_false(csr(0) & CERR);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    send_frame(100);
    assert_int_equal(status_of(tx_ring, 1), STP | ENP);
    assert_false(csr(0) & (CERR | TINT));
    assert_int_equal(rig_sent(&rig), 1);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    start(LOOP);
    send_frame(100);
    assert_int_equal(status_of(tx_ring, 0), STP | ENP);
    assert_false(csr(0) & CERR);
}

/* Of a packet in very many descriptors, it has taken some when it is cloned. */
static void a_clone_sends_the_rest_of_a_packet(void **state)
{
    enum { PARTS = 600 };
    struct nic *n;
    (void)state;

    put(0, STOP);
    tx_ring = low(rig_alloc(&rig, PARTS * 16));
    put(30, (uint16_t)tx_ring);
    put(31, (uint16_t)(tx_ring >> 16));
    put(78, (uint16_t)-PARTS);
    put(0, STRT);
    card_fill(at(payload), PARTS, stranger);
    for (uint32_t i = 0; i < PARTS; i++)
        give(tx_ring, i, payload + i, 1,
             (uint8_t)(OWN | (i == 0 ? STP : 0) | (i == PARTS - 1 ? ENP : 0)));
    demand();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status_of(tx_ring, 511), 0);
    n = card_clone("pcnet", true);
    put(0, STOP); /* here it is given up */
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(nic->port.stats.tx_frames, 0);
    assert_int_equal(n->port.stats.tx_frames, 1);
    assert_int_equal(n->port.stats.tx_bytes, PARTS);
    nic_destroy(n);
}

static void what_is_longer_than_any_frame_babbles(void **state)
{
    (void)state;

    send_frame(1514);
    assert_false(csr(0) & BABL);
    send_frame(1515);
    assert_true(csr(0) & BABL);
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(rig_frame(&rig, 1)->len, 1515);
    assert_int_equal(status_of(tx_ring, 1), STP | ENP);
}

static void what_is_not_ram_is_a_master_abort(void **state)
{
    uint32_t nowhere = style ? 0x40000000 : 0xf00000;
    (void)state;

    send_part(nowhere, 100, STP | ENP);
    demand();
    assert_int_equal(csr(0), STOP);
    assert_true(aborted());
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status_of(tx_ring, 0), OWN | STP | ENP);
    start(0);
    send_part(payload, 100, STP);
    send_part(nowhere, 100, ENP);
    demand();
    assert_int_equal(csr(0), STOP);
    assert_true(aborted());
    start(0);
    give(rx_ring, 0, nowhere, BUFFER, OWN);
    card_receive(own, 100);
    assert_int_equal(csr(0), STOP);
    assert_true(aborted());
    start(0);
    send_frame(100);
    card_receive(own, 100);
    assert_int_equal(message(0), 104);
}

static void rings_that_are_not_ram_are_a_master_abort(void **state)
{
    (void)state;

    for (unsigned base = 25; base <= 31; base += 6) {
        start(0);
        put(0, STOP);
        put(base, style ? 0x4000 : 0x00f0);
        put(0, STRT);
        send_frame(100);
        card_receive(own, 100);
        assert_int_equal(csr(0), STOP);
        assert_true(aborted());
    }
    assert_int_equal(rig_sent(&rig), 1); /* from the ring that was there */
}

/* What waits for buffers is given up, and the line is not blocked. */
static void a_master_abort_leaves_nothing_waiting(void **state)
{
    uint64_t refused;
    (void)state;

    for (unsigned i = 0; i < N + 3; i++)
        card_receive(own, 100);
    refused = nic->port.stats.drops[DROP_REFUSED];
    send_part(style ? 0x40000000 : 0xf00000, 100, STP | ENP);
    demand();
    rig_advance(&rig, rig.actor.now);
    assert_true(aborted());
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], refused + 3);
    start(LOOP | PROM);
    give(rx_ring, 0, style ? 0x40000000 : 0xf00000, BUFFER, OWN);
    for (unsigned i = 0; i < 3; i++)
        send_frame(100);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_true(aborted()); /* amid the frames that have come back */
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], refused + 6);
}

static void ends_of_packets_are_told_as_csr5_says(void **state)
{
    (void)state;

    put(5, 0x4000); /* LTINTEN */
    send_frame(100);
    assert_false(csr(0) & TINT);
    card_fill(at(payload), 100, stranger);
    send_part(payload, 100, STP | ENP | 0x10); /* LTINT */
    demand();
    assert_true(csr(0) & TINT);
    assert_int_equal(status_of(tx_ring, 1), STP | ENP); /* MORE: no collision */
    ack();
    put(5, 0x8000); /* TOKINTD */
    send_frame(100);
    assert_false(csr(0) & TINT);
    put(5, 0xc000); /* means nothing with LTINTEN */
    send_part(payload, 100, STP | ENP | 0x10);
    demand();
    assert_true(csr(0) & TINT);
    assert_int_equal(rig_sent(&rig), 4);
}

static void a_driver_may_send_its_own_fcs(void **state)
{
    (void)state;

    start(DXMTFCS);
    card_fill(at(payload), 100, stranger);
    store_le32(at(payload) + 100, (uint32_t)crc32(0, at(payload), 100));
    send_part(payload, 104, STP | ENP);
    demand();
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    at(payload)[50] ^= 1;
    send_part(payload, 104, STP | ENP);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    send_part(payload, 104, STP | ENP | 0x20); /* ADD_FCS */
    demand();
    assert_int_equal(rig_frame(&rig, 1)->len, 104);
}

static void what_is_asked_for_while_suspended_is_done_afterwards(void **state)
{
    (void)state;

    put(5, SPND);
    assert_int_equal(csr(5) & SPND, SPND);
    send_frame(100);
    card_receive(own, 100);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status_of(rx_ring, 0), OWN);
    put(15, PROM); /* may be written now */
    put(5, 0);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(csr(15), PROM);
    assert_int_equal(message(0), 104);
    put(15, 0);
    assert_int_equal(csr(15), PROM);
}

static void a_ring_without_end_is_taken_in_pieces(void **state)
{
    (void)state;

    put(0, STOP);
    put(78, 2); /* 65534 descriptors; all RAM says OWN */
    memset(at(0), 0xff, RIG_RAM_SIZE);
    put(0, STRT);
    rig_forget(&rig);
    for (unsigned i = 0; i < 20; i++)
        rig_advance(&rig, rig.actor.now + 10 * NS_PER_US);
    put(0, STOP);
    rig_forget(&rig);
}

/* --- receiving --- */

static void a_frame_fills_the_next_buffer_with_its_fcs(void **state)
{
    uint8_t copy[200];
    (void)state;

    put(0, IENA);
    card_receive(own, 200);
    assert_int_equal(status_of(rx_ring, 0), STP | ENP);
    assert_int_equal(message(0), 204);
    memcpy(copy, at(buffers), 200);
    assert_int_equal(load_le32(at(buffers) + 200), crc32(0, copy, 200));
    assert_true(csr(0) & RINT);
    assert_true(rig.line[CARD_LINE]);
    if (style)
        assert_int_equal(descriptor(rx_ring, 0)[6] & 0xf0, 0x40); /* PAM */
    card_receive(everyone, 60);
    if (style)
        assert_int_equal(descriptor(rx_ring, 1)[6] & 0xf0, 0x10); /* BAM */
}

static void a_long_frame_takes_several_buffers_and_no_more_bytes(void **state) /* CVE-2015-7504 */
{
    (void)state;

    memset(at(buffers + 3 * BUFFER), 0x77, BUFFER);
    card_receive(own, 3 * BUFFER - 4); /* with the FCS it is just three */
    assert_int_equal(status_of(rx_ring, 0), STP);
    assert_int_equal(status_of(rx_ring, 1), 0);
    assert_int_equal(status_of(rx_ring, 2), ENP);
    assert_int_equal(message(2), 3 * BUFFER);
    assert_int_equal(at(buffers + 3 * BUFFER)[0], 0x77);
    assert_int_equal(status_of(rx_ring, 3), OWN);
}

static void a_frame_longer_than_the_card_can_hold_is_refused(void **state) /* CVE-2015-7512 */
{
    (void)state;

    card_receive(own, 4096);
    card_receive(own, 4097);
    card_receive(own, 9000);
    assert_int_equal(status_of(rx_ring, 0), OWN);
    rig_advance(&rig, rig.actor.now + 1000 * NS_PER_MS);
}

static void what_is_given_up_together_is_one_look(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 40; i++)
        card_receive(own, 100);
    rig.dma_reads = 0;
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
    assert_int_equal(csr(112), 40);
    assert_in_range(rig.dma_reads, 1, 12);
}

static void without_buffers_a_frame_waits_and_is_then_missed(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 1; i++)
        card_receive(own, 100 + i);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_false(csr(0) & MISS);
    give(rx_ring, 0, buffers, BUFFER, OWN);
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_MS);
    assert_int_equal(message(0), 100 + N + 4); /* found by looking */
    card_receive(own, 100);
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
    assert_true(csr(0) & MISS);
    assert_int_equal(csr(112), 1);
    put(112, 7); /* is read only */
    put(114, 7);
    assert_int_equal(csr(112), 1);
    assert_int_equal(csr(114), 0);
    put(0, STOP);
    assert_int_equal(csr(112), 0);
}

static bool takes(const uint8_t *to)
{
    uint32_t next = (uint16_t)-csr(72) ? N - (uint16_t)-csr(72) : 0;

    card_receive(to, 100);
    bool taken = !(status_of(rx_ring, next) & OWN);
    give(rx_ring, next, buffers, BUFFER, OWN);
    return taken;
}

/* Let in what an address hashes to, and nothing else. */
static void hash_put(const uint8_t *to)
{
    uint32_t bit = ~(uint32_t)crc32(0, to, ETH_ALEN) >> 26;

    put(0, STOP);
    put(8 + bit / 16, (uint16_t)(1u << bit % 16));
    put(0, STRT);
}

static void the_filters_are_the_cards(void **state)
{
    (void)state;

    assert_true(takes(own));
    assert_true(takes(everyone));
    assert_false(takes(stranger));
    assert_false(takes(group));
    hash_put(group);
    assert_true(takes(group));
    start(DRCVBC | DRCVPA);
    assert_false(takes(everyone));
    assert_false(takes(own));
    start(PROM);
    assert_true(takes(stranger));
    assert_true(takes(group));
    start(DRX);
    assert_false(takes(own));
}

/* DRCVBC keeps broadcasts from being let in as such; their hash is that of any group. */
static void a_broadcast_may_pass_by_its_hash(void **state)
{
    (void)state;

    start(DRCVBC);
    hash_put(everyone);
    card_receive(everyone, 100);
    assert_int_equal(status_of(rx_ring, 0), STP | ENP);
    if (style)
        assert_int_equal(descriptor(rx_ring, 0)[6] & 0xf0, 0x20); /* LAFM */
}

static void padding_is_stripped_from_frames_with_a_length(void **state)
{
    struct frame *f = frame_new(60);
    (void)state;

    put(4, 0x0115 | 0x0400);
    f->len = 60;
    card_fill(f->data, 60, own);
    store_be16(f->data + 12, 20);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
    assert_int_equal(message(0), ETH_HLEN + 20);
    card_receive(own, 60); /* a type */
    assert_int_equal(message(1), 64);
}

static void what_loops_back_comes_later_and_alone(void **state)
{
    (void)state;

    start(LOOP);
    card_fill(at(payload), 200, own);
    send_part(payload, 200, STP | ENP);
    demand();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status_of(rx_ring, 0), OWN); /* not within the driver's write */
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(message(0), 204);
    card_receive(own, 100);
    assert_int_equal(status_of(rx_ring, 1), OWN);
}

static void what_loops_back_may_be_a_runt(void **state)
{
    (void)state;

    start(LOOP);
    for (uint32_t len = ETH_HLEN; len <= 32; len += 18) {
        uint32_t i = tx_next;
        card_fill(at(payload), len, own);
        send_part(payload, len, STP | ENP);
        demand();
        rig_advance(&rig, rig.actor.now + NS_PER_MS);
        assert_int_equal(message(i), len + 4);
        assert_memory_equal(at(buffers + BUFFER * i), at(payload), len);
    }
    put(4, 0x0115 | 0x0800); /* APAD_XMT */
    send_part(payload, 32, STP | ENP);
    demand();
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(message(2), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_descriptor_is_a_frame),
        T(a_packet_may_be_in_several_descriptors),
        T(a_packet_over_several_descriptors_stays_in_its_buffer),
        T(a_packet_without_an_end_turns_the_transmitter_off),
        T(with_dxsuflo_it_goes_on_with_the_next_beginning),
        T(a_ring_of_one_descriptor_has_no_next),
        T(without_a_cable_there_is_no_carrier),
        T(a_clone_sends_the_rest_of_a_packet),
        T(what_is_longer_than_any_frame_babbles),
        T(what_is_not_ram_is_a_master_abort),
        T(rings_that_are_not_ram_are_a_master_abort),
        T(a_master_abort_leaves_nothing_waiting),
        T(ends_of_packets_are_told_as_csr5_says),
        T(a_driver_may_send_its_own_fcs),
        T(what_is_asked_for_while_suspended_is_done_afterwards),
        T(a_ring_without_end_is_taken_in_pieces),
        T(a_frame_fills_the_next_buffer_with_its_fcs),
        T(a_long_frame_takes_several_buffers_and_no_more_bytes),
        T(a_frame_longer_than_the_card_can_hold_is_refused),
        T(without_buffers_a_frame_waits_and_is_then_missed),
        T(what_is_given_up_together_is_one_look),
        T(the_filters_are_the_cards),
        T(a_broadcast_may_pass_by_its_hash),
        T(padding_is_stripped_from_frames_with_a_length),
        T(what_loops_back_comes_later_and_alone),
        T(what_loops_back_may_be_a_runt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
