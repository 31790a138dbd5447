/* The e1000 receives: buffers, filters, tags, checksums. */
#include "e1000_rig.h"

#include <zlib.h>

#include "sim/offload.h"

static void a_frame_fills_the_next_buffer(void **state)
{
    (void)state;

    put(IMS, RXT0);
    card_receive(own, 100);
    assert_int_equal(load_le16(rx_at(0) + 8), 100);
    assert_int_equal(rx_at(0)[12] & 3, 3); /* DD, EOP */
    assert_int_equal(rig_at(&rig, buffers)[ETH_HLEN], ETH_HLEN);
    assert_int_equal(get(RDH), 1);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(get(GPRC), 1);
    assert_int_equal(get(GPRC), 0); /* read to clear */
    assert_int_equal(get(GORCL), 104);
    assert_int_equal(get(GORCH), 0);
    assert_int_equal(get(GORCL), 0);
}

static void the_crc_is_there_unless_it_is_stripped(void **state)
{
    uint8_t copy[100];
    (void)state;

    put(RCTL, EN | BAM);
    card_receive(own, 100);
    assert_int_equal(load_le16(rx_at(0) + 8), 104);
    memcpy(copy, rig_at(&rig, buffers), 100);
    assert_int_equal(load_le32(rig_at(&rig, buffers + 100)), crc32(0, copy, 100));
}

static void a_long_frame_takes_several_buffers(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE | 3 << 16); /* of 256 bytes */
    card_receive(own, 600);
    assert_int_equal(load_le16(rx_at(0) + 8), 256);
    assert_int_equal(rx_at(0)[12], 1); /* DD alone */
    assert_int_equal(load_le16(rx_at(2) + 8), 88);
    assert_int_equal(rx_at(2)[12] & 3, 3);
    assert_int_equal(get(RDH), 3);
}

static void the_first_descriptor_has_the_packet_checksum(void **state) /* 3.2.3 */
{
    uint32_t sum = 0;
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE | 3 << 16);
    card_receive(own, 600);
    for (unsigned i = 0; i < 3; i++)
        sum = inet_sum(sum, rig_at(&rig, buffers + 2048 * i), load_le16(rx_at(i) + 8));
    assert_int_equal(load_le16(rx_at(0) + 10), inet_fold(sum));
    assert_int_equal(load_le16(rx_at(2) + 10), 0);
}

/* 317694, 7.1.7.2: DD is all that changes in one without a buffer, and nothing goes there. */
static void descriptors_without_a_buffer_are_passed_over(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE | 3 << 16); /* of 256 bytes */
    store_le64(rig_at(&rig, rx_ring), 0);
    store_le64(rig_at(&rig, rx_ring + 32), 0);
    store_le16(rig_at(&rig, rx_ring + 32 + 8), 0x1234);
    card_receive(own, 300);
    assert_int_equal(rx_at(0)[12], 1);
    assert_int_equal(load_le16(rx_at(1) + 8), 256);
    assert_int_equal(rx_at(2)[12], 1);
    assert_int_equal(load_le16(rx_at(2) + 8), 0x1234);
    assert_int_equal(load_le16(rx_at(3) + 8), 44);
    assert_int_equal(rx_at(3)[12] & 3, 3);
    assert_int_equal(get(RDH), 4);
    store_le64(rig_at(&rig, rx_ring + 16 * 5), 0);
    card_receive(own, 513); /* three are needed, and two are there */
    assert_int_equal(get(RDH), 4);
    put(RDT, 0);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH), 0);
}

/* 3.2.8: the delay is from the first packet; of the others it would begin anew. */
static void the_82544s_delay_is_absolute(void **state)
{
    vtime_t first;
    (void)state;

    put(RDTR, 20);
    put(IMS, RXT0);
    card_receive(own, 100);
    first = rig.actor.now;
    rig_advance(&rig, first + 15000);
    card_receive(own, 100);
    rig_advance(&rig, first + 21 * 1024);
    assert_true(rig.line[CARD_LINE]);
}

static void without_lpe_giants_are_counted_and_dropped(void **state)
{
    (void)state;

    card_receive(own, 1519);
    assert_int_equal(get(ROC), 1);
    assert_int_equal(get(RLEC), 1);
    assert_int_equal(get(RDH), 0);
    card_receive(own, 1518);
    assert_int_equal(get(RDH), 1);
}

static void what_has_no_buffer_waits_and_comes_in_order(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 3; i++)
        card_receive(own, 100 + i);
    assert_int_equal(get(RDH), N - 1);
    assert_true(get(RNBC) > 0);
    assert_true(get(ICR) & RXDMT0);
    put(RDT, 1); /* room for two */
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH), 1);
    assert_int_equal(load_le16(rx_at(N - 1) + 8), 100 + N - 1);
    assert_int_equal(load_le16(rx_at(0) + 8), 100 + N);
}

/* Nor would it with all the buffers there are: it is given up, and does not bar the way. */
static void what_the_whole_ring_cannot_hold_is_dropped(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE | 3 << 16); /* buffers of 256 bytes */
    card_receive(own, 256 * N);
    card_receive(own, 100);
    assert_int_equal(nic->port.stats.drops[DROP_REFUSED], 1);
    assert_int_equal(get(RDH), 1);
    card_receive(own, 256 * (N - 1)); /* waits for the one that was used */
    assert_int_equal(get(RDH), 1);
    put(RDT, 0);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH), 0);
}

static bool takes(const uint8_t *to)
{
    uint32_t head = get(RDH);

    card_receive(to, 100);
    bool taken = get(RDH) != head;
    put(RDT, (get(RDH) + N - 1) % N);
    return taken;
}

static void the_filters_are_the_cards(void **state)
{
    (void)state;

    assert_true(takes(own));
    assert_true(takes(everyone));
    assert_false(takes(stranger));
    assert_false(takes(group));
    put(RCTL, EN | SECRC);
    assert_false(takes(everyone));
    put(RCTL, EN | SECRC | UPE);
    assert_true(takes(stranger));
    assert_false(takes(group));
    put(RCTL, EN | SECRC | MPE);
    assert_true(takes(group));
    assert_true(takes(everyone));
    assert_false(takes(stranger));
    put(RCTL, EN | SECRC);
    put(RAL + 8, load_le32(stranger)); /* another exact address */
    put(RAH + 8, load_le16(stranger + 4) | 1u << 31);
    assert_true(takes(stranger));
    put(RAH + 8, load_le16(stranger + 4));
    assert_false(takes(stranger));
}

/* RAH.AS: an address may be compared with the sender's (13.5.2). */
static void a_filter_may_be_of_the_sender(void **state)
{
    (void)state;

    put(RAL + 8, load_le32((const uint8_t[]){2, 0, 0, 0})); /* who card_fill says it is */
    put(RAH + 8, 1u << 31 | 1u << 16 | 9 << 8);
    assert_true(takes(stranger));
    put(RAH + 8, 1u << 31 | 9 << 8);
    assert_false(takes(stranger));
    put(RAH + 8, 1u << 31 | 2u << 16 | 9 << 8); /* reserved */
    assert_false(takes(stranger));
}

/* Groups that begin as the broadcast address does are none the less groups. */
static void groups_and_broadcasts_are_counted_apart(void **state)
{
    static const uint8_t like[ETH_ALEN] = {255, 255, 255, 255, 255, 254};
    (void)state;

    put(RCTL, EN | MPE | BAM | SECRC);
    card_receive(like, 100);
    card_receive(everyone, 100);
    assert_int_equal(get(MPRC), 1);
    assert_int_equal(get(BPRC), 1);
}

static void the_multicast_hash_takes_the_bits_that_mo_says(void **state)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    (void)state;

    for (unsigned mo = 0; mo < 4; mo++) {
        unsigned hash = load_le16(group + 4) >> shifts[mo] & 0xfff;
        put(RCTL, EN | SECRC | mo << 12);
        assert_false(takes(group));
        put(MTA + 4 * (hash >> 5), 1u << (hash & 31));
        assert_true(takes(group));
        put(MTA + 4 * (hash >> 5), 0);
    }
}

static void receive_tagged(uint16_t tag)
{
    struct frame *f = frame_new(100);

    f->len = 100;
    card_fill(f->data, 100, own);
    store_be16(f->data + 12, 0x8100);
    store_be16(f->data + 14, tag);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

static void tags_are_filtered_and_stripped(void **state)
{
    (void)state;

    put(CTRL, SLU | VME);
    put(RCTL, EN | SECRC | VFE);
    receive_tagged(5);
    assert_int_equal(get(RDH), 0);
    put(VFTA, 1u << 5);
    receive_tagged(0x6005);
    assert_int_equal(get(RDH), 1);
    assert_int_equal(load_le16(rx_at(0) + 8), 96);
    assert_int_equal(load_le16(rx_at(0) + 14), 0x6005);
    assert_true(rx_at(0)[12] & 8); /* VP */
    assert_int_equal(rig_at(&rig, buffers)[12], 16);
}

/* The packet checksum is of what goes to memory from RXCSUM.PCSS on (3.2.9), complemented. */
static void the_packet_checksum_is_of_what_the_driver_gets(void **state)
{
    (void)state;

    put(RXCSUM, 14);
    for (unsigned i = 0; i < 4; i++) {
        put(CTRL, SLU | (i & 1 ? VME : 0u));
        put(RCTL, EN | BAM | (i & 2 ? SECRC : 0u));
        receive_tagged(7);
        uint32_t len = load_le16(rx_at(i) + 8);
        const uint8_t *p = rig_at(&rig, buffers + 2048 * i);
        assert_int_equal(load_le16(rx_at(i) + 10), inet_fold(inet_sum(0, p + 14, len - 14)));
    }
}

static void receive_tcp(bool good)
{
    uint32_t len = tcp_packet(100, true);
    uint8_t *p = rig_at(&rig, payload);
    struct frame *f;

    memcpy(p, own, ETH_ALEN);
    store_be16(p + 50, 0);
    store_be16(p + 50, inet_fold(inet_sum(inet_sum(6 + len - 34, p + 26, 8), p + 34, len - 34)));
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    p[60] ^= !good;
    f = frame_from(p, len);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

static void checksums_are_checked_when_asked(void **state)
{
    (void)state;

    receive_tcp(true);
    assert_true(rx_at(0)[12] & 4); /* IXSM: nothing was checked */
    put(RXCSUM, 0x300);
    receive_tcp(true);
    assert_int_equal(rx_at(1)[12] & 0x64, 0x60);
    assert_int_equal(rx_at(1)[13], 0);
    receive_tcp(false);
    assert_int_equal(rx_at(2)[12] & 0x64, 0x60);
    assert_int_equal(rx_at(2)[13], 0x20); /* TCPE */
}

/* A frame of three segments arrives. */
static void receive_segments(void)
{
    uint32_t len = tcp_packet(4000, true);
    struct frame *f = frame_from(rig_at(&rig, payload), len);

    memcpy(f->data, own, ETH_ALEN);
    f->offload = (struct frame_offload){.needs_csum = true,
                                        .csum_start = 34,
                                        .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV4,
                                        .gso_size = 1460,
                                        .hdr_len = 54};
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

static void a_request_for_segments_arrives_as_segments(void **state)
{
    (void)state;

    receive_segments();
    assert_int_equal(get(RDH), 3);
    assert_int_equal(load_le16(rx_at(0) + 8), 1514);
    assert_int_equal(load_le16(rx_at(2) + 8), 54 + 4000 - 2920);
}

/* Of a frame that was taken, and cut up, each packet that is lost is counted. */
static void segments_that_are_given_up_are_counted(void **state)
{
    static const uint32_t regs[] = {RCTL, CTRL};
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t before = nic->port.stats.drops[DROP_REFUSED];
        for (unsigned k = 0; k < N - 3; k++)
            card_receive(own, 100);
        receive_segments(); /* there is room for two */
        assert_int_equal(get(RDH), N - 1);
        assert_int_equal(nic->port.stats.drops[DROP_REFUSED], before);
        put(regs[i], i ? RST : 0);
        assert_int_equal(nic->port.stats.drops[DROP_REFUSED], before + 1);
        configure();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_frame_fills_the_next_buffer),
        T(the_crc_is_there_unless_it_is_stripped),
        T(a_long_frame_takes_several_buffers),
        T(the_first_descriptor_has_the_packet_checksum),
        T(descriptors_without_a_buffer_are_passed_over),
        T_82544(the_82544s_delay_is_absolute),
        T(without_lpe_giants_are_counted_and_dropped),
        T(what_has_no_buffer_waits_and_comes_in_order),
        T(what_the_whole_ring_cannot_hold_is_dropped),
        T(the_filters_are_the_cards),
        T(a_filter_may_be_of_the_sender),
        T(groups_and_broadcasts_are_counted_apart),
        T(the_multicast_hash_takes_the_bits_that_mo_says),
        T(tags_are_filtered_and_stripped),
        T(the_packet_checksum_is_of_what_the_driver_gets),
        T(checksums_are_checked_when_asked),
        T(a_request_for_segments_arrives_as_segments),
        T(segments_that_are_given_up_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
