/* The e1000 without a driver: registers, rings, filters, offloads, interrupts, and misuse. */
#include "pci_rig.h"

#include <stdio.h>
#include <zlib.h>

#include "sim/offload.h"
#include "sim/rng.h"

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EERD = 0x0014,
    MDIC = 0x0020,
    VET = 0x0038,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    RADV = 0x282c,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    TIDV = 0x3820,
    TADV = 0x382c,
    RNBC = 0x40a0,
    ROC = 0x40ac,
    GPRC = 0x4074,
    GORCL = 0x4088,
    GORCH = 0x408c,
    RXCSUM = 0x5000,
    MTA = 0x5200,
    RAL = 0x5400,
    RAH = 0x5404,
    VFTA = 0x5600,
};
enum { SLU = 0x40, VME = 1 << 30, RST = 1 << 26 };
enum { EN = 2, UPE = 8, MPE = 0x10, LPE = 0x20, BAM = 0x8000, VFE = 1 << 18, SECRC = 1 << 26 };
enum { TXDW = 1, TXQE = 2, LSC = 4, RXDMT0 = 0x10, RXT0 = 0x80 };
#define N 8 /* descriptors in each ring */
#define EOP 0x01000000u
#define IFCS 0x02000000u
#define RS 0x08000000u
#define DEXT 0x20000000u
#define VLE 0x40000000u
#define IDE 0x80000000u
#define DATA 0x00100000u
#define TSE 0x04000000u

static uint64_t tx_ring, rx_ring, buffers, payload;
static uint32_t tail;
static const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
static const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

static uint32_t get(unsigned reg)
{
    return (uint32_t)card_read(0, reg, 4);
}

static void put(unsigned reg, uint32_t value)
{
    card_write(0, reg, value, 4);
}

static int setup(void **state)
{
    (void)state;
    card_start("e1000");
    tx_ring = rig_alloc(&rig, N * 16);
    rx_ring = rig_alloc(&rig, N * 16);
    buffers = rig_alloc(&rig, N * 2048);
    payload = rig_alloc(&rig, 80000);
    put(CTRL, SLU);
    put(RDBAL, (uint32_t)rx_ring);
    put(RDLEN, N * 16);
    put(TDBAL, (uint32_t)tx_ring);
    put(TDLEN, N * 16);
    for (unsigned i = 0; i < N; i++)
        store_le64(rig_at(&rig, rx_ring + 16 * i), buffers + 2048 * i);
    put(RDT, N - 1);
    put(RCTL, EN | BAM | SECRC);
    put(TCTL, EN);
    get(ICR);
    tail = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

/* A descriptor at the tail; it is seen when the tail is written. */
static void descriptor(uint64_t low, uint32_t second, uint32_t third)
{
    uint8_t *w = rig_at(&rig, tx_ring + 16 * tail);

    store_le64(w, low);
    store_le32(w + 8, second);
    store_le32(w + 12, third);
    tail = (tail + 1) % N;
}

static void send_all(void)
{
    put(TDT, tail);
}

static const uint8_t *rx_at(unsigned i)
{
    return rig_at(&rig, rx_ring + 16 * i);
}

/* --- sending --- */

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

/* An IPv4 TCP packet without sums and lengths, as a driver leaves it for segmentation. */
static uint32_t tcp_packet(uint32_t data, bool lengths)
{
    uint8_t *p = rig_at(&rig, payload);
    uint32_t len = 54 + data;

    card_fill(p, len, stranger);
    store_be16(p + 12, 0x0800);
    memset(p + 14, 0, 40);
    p[14] = 0x45;
    store_be16(p + 16, lengths ? (uint16_t)(len - 14) : 0);
    p[22] = 64;
    p[23] = 6;
    store_be32(p + 26, 0x0a000001);
    store_be32(p + 30, 0x0a000002);
    p[46] = 0x50;
    p[47] = 0x18;
    store_be16(p + 50, (uint16_t)~inet_fold(inet_sum(6 + (lengths ? 20 + data : 0), p + 26, 8)));
    return len;
}

static void context(uint32_t mss, uint32_t hdrlen, uint32_t data, uint32_t tucmd)
{
    descriptor(14 | 24 << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40, data | tucmd << 24 | DEXT,
               hdrlen << 8 | mss << 16);
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

static unsigned n_segments;
static uint32_t segment_bytes;

static void check_segment(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_int_equal(load_be16(f->data + 16), f->len - 14);
    assert_int_equal(inet_fold(inet_sum(0, f->data + 14, 20)), 0);
    assert_int_equal(
        inet_fold(inet_sum(inet_sum(6 + f->len - 34, f->data + 26, 8), f->data + 34, f->len - 34)),
        0);
    n_segments++;
    segment_bytes += f->len - 54;
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

/* --- receiving --- */

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

static void without_lpe_giants_are_counted_and_dropped(void **state)
{
    (void)state;

    card_receive(own, 1519);
    assert_int_equal(get(ROC), 1);
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

static void a_request_for_segments_arrives_as_segments(void **state)
{
    uint32_t len = tcp_packet(4000, true);
    struct frame *f = frame_from(rig_at(&rig, payload), len);
    (void)state;

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
    assert_int_equal(get(RDH), 3);
    assert_int_equal(load_le16(rx_at(0) + 8), 1514);
    assert_int_equal(load_le16(rx_at(2) + 8), 54 + 4000 - 2920);
}

/* --- interrupts, link, EEPROM, PHY --- */

static void causes_interrupt_as_the_mask_says(void **state)
{
    (void)state;

    put(ICS, RXT0);
    assert_false(rig.line[CARD_LINE]);
    put(IMS, RXT0);
    assert_true(rig.line[CARD_LINE]);
    put(IMC, RXT0);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(get(IMS), 0);
    assert_int_equal(get(ICR), RXT0);
    assert_int_equal(get(ICR), 0);
}

static void the_throttle_keeps_interrupts_apart(void **state)
{
    vtime_t first = rig.actor.now;
    (void)state;

    put(ITR, 400); /* 102.4 us */
    put(IMS, RXT0);
    put(ICS, RXT0);
    assert_int_equal(rig.rises[CARD_LINE], 1);
    get(ICR);
    put(ICS, RXT0);
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, first + 102399);
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, first + 102400);
    assert_true(rig.line[CARD_LINE]);
}

static void delayed_interrupts_come_when_it_is_quiet_or_too_long(void **state)
{
    vtime_t t;
    (void)state;

    put(IMS, RXT0 | TXDW);
    put(RDTR, 100);
    put(RADV, 150);
    card_receive(own, 100);
    t = rig.actor.now;
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, t + 80 * 1024);
    card_receive(own, 100); /* starts the first timer anew */
    rig_advance(&rig, t + 140 * 1024);
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, t + 150 * 1024);
    assert_true(rig.line[CARD_LINE]);
    get(ICR);
    put(TIDV, 10);
    card_fill(rig_at(&rig, payload), 100, stranger);
    descriptor(payload, 100 | EOP | RS | IDE, 0);
    send_all();
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, rig.actor.now + 10 * 1024);
    assert_true(rig.line[CARD_LINE]);
    assert_true(get(ICR) & TXDW);
}

static void the_link_follows_the_carrier(void **state)
{
    (void)state;

    put(IMS, LSC);
    assert_true(get(STATUS) & 2);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_false(get(STATUS) & 2);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(get(ICR), LSC);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    assert_true(get(STATUS) & 2);
    assert_int_equal(get(ICR), LSC);
}

static void the_eeprom_has_the_address_and_a_checksum(void **state)
{
    uint16_t sum = 0;
    (void)state;

    for (unsigned i = 0; i < 64; i++) {
        put(EERD, i << 8 | 1);
        uint32_t v = get(EERD);
        assert_true(v & 0x10);
        sum = (uint16_t)(sum + (v >> 16));
        if (i < 3)
            assert_int_equal(v >> 16, load_le16(own + 2 * i));
    }
    assert_int_equal(sum, 0xbaba);
    put(EERD, 200 << 8 | 1);
    assert_int_equal(get(EERD) >> 16, 0xffff);
    assert_int_equal(get(RAL), load_le32(own));
    assert_int_equal(get(RAH), 0x80000000 | load_le16(own + 4));
}

static uint32_t phy(unsigned reg)
{
    put(MDIC, 2u << 26 | 1u << 21 | reg << 16);
    assert_true(get(MDIC) >> 28 & 1);
    return get(MDIC) & 0xffff;
}

static void the_phy_says_who_it_is_and_whether_there_is_a_link(void **state)
{
    (void)state;

    assert_int_equal(phy(2), 0x0141);
    assert_int_equal(phy(3), 0x0c20);
    assert_true(phy(1) & 4);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_false(phy(1) & 4);
    put(MDIC, 2u << 26 | 7u << 21 | 1u << 16); /* nobody there */
    assert_true(get(MDIC) >> 30 & 1);
}

static void what_loops_back_comes_later_and_alone(void **state)
{
    (void)state;

    put(MDIC, 1u << 26 | 1u << 21 | 0x4140); /* PHY loopback */
    card_fill(rig_at(&rig, payload), 200, own);
    descriptor(payload, 200 | EOP, 0);
    send_all();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(get(RDH), 0); /* not within the driver's store (CVE-2021-20257) */
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(get(RDH), 1);
    card_receive(own, 100); /* the cable is cut off */
    assert_int_equal(get(RDH), 1);
}

static void registers_can_be_reached_by_io_ports(void **state)
{
    (void)state;

    card_write(1, 0, VET, 4);
    assert_int_equal(card_read(1, 4, 4), 0x8100);
    card_write(1, 4, 0x88a8, 4);
    assert_int_equal(get(VET), 0x88a8);
    card_write(1, 0, 0xffffffff, 4);
    card_read(1, 4, 4);
}

static void a_reset_forgets_everything(void **state)
{
    (void)state;

    for (unsigned at = 0; at < 0x6000; at += 4)
        if (at != CTRL)
            put(at, 0x5a5a5a5a & ~(at == RCTL || at == TCTL ? 2u : 0u));
    put(CTRL, RST);
    assert_int_equal(get(RCTL), 0);
    assert_int_equal(get(TDT), 0);
    assert_int_equal(get(MTA), 0);
    assert_int_equal(get(VET), 0x8100);
    assert_int_equal(get(RAL), load_le32(own));
    assert_false(rig.line[CARD_LINE]);
}

/* --- noise --- */

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

static void random_registers_and_rings_harm_nobody(void **state)
{
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "e1000");
    for (unsigned i = 0; i < 60000; i++) {
        static const uint16_t likely[] = {CTRL,  ICR,   IMS, RCTL, TCTL,   RDBAL, RDLEN, RDH, RDT,
                                          TDBAL, TDLEN, TDH, TDT,  RXCSUM, MDIC,  0x10,  0x14};
        unsigned reg = rng_below(&g, 2) ? likely[rng_below(&g, ARRAY_LEN(likely))]
                                        : rng_below(&g, 0x8000) * 4 & 0x1fffc;
        uint32_t value = (uint32_t)rng_next(&g);
        if (reg == RDBAL || reg == TDBAL)
            value = (uint32_t)(rng_below(&g, 2) ? tx_ring : rx_ring);
        else if (reg == RDLEN || reg == TDLEN)
            value = rng_below(&g, 64) * 128;
        else if (rng_below(&g, 2))
            value &= 0x3f;
        put(reg, value);
        get(reg);
        for (unsigned k = 0; k < 16; k++)
            rig_at(&rig, (rng_below(&g, 2) ? tx_ring : rx_ring) + rng_below(&g, N * 16))[0] =
                (uint8_t)rng_next(&g);
        card_receive(rng_below(&g, 2) ? own : everyone, 14 + rng_below(&g, 1600));
        rig_forget(&rig);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_legacy_descriptor_is_a_frame),
        T(a_packet_may_be_in_many_descriptors_and_several_kicks),
        T(a_packet_longer_than_any_frame_is_dropped),
        T(head_and_tail_beyond_the_ring_do_nothing),
        T(a_ring_that_is_not_ram_stops_it),
        T(a_legacy_checksum_is_inserted),
        T(checksums_are_left_to_whoever_needs_them),
        T(a_segmentation_request_stays_one_frame),
        T(a_tag_moves_what_was_asked_of_offsets),
        T(segmentation_that_makes_no_sense_is_dropped),
        T(a_segmentation_context_does_not_disturb_checksums),
        T(a_frame_fills_the_next_buffer),
        T(the_crc_is_there_unless_it_is_stripped),
        T(a_long_frame_takes_several_buffers),
        T(without_lpe_giants_are_counted_and_dropped),
        T(what_has_no_buffer_waits_and_comes_in_order),
        T(the_filters_are_the_cards),
        T(the_multicast_hash_takes_the_bits_that_mo_says),
        T(tags_are_filtered_and_stripped),
        T(checksums_are_checked_when_asked),
        T(a_request_for_segments_arrives_as_segments),
        T(causes_interrupt_as_the_mask_says),
        T(the_throttle_keeps_interrupts_apart),
        T(delayed_interrupts_come_when_it_is_quiet_or_too_long),
        T(the_link_follows_the_carrier),
        T(the_eeprom_has_the_address_and_a_checksum),
        T(the_phy_says_who_it_is_and_whether_there_is_a_link),
        T(what_loops_back_comes_later_and_alone),
        T(registers_can_be_reached_by_io_ports),
        T(a_reset_forgets_everything),
        T(a_ring_full_of_work_is_done_in_pieces),
        T(random_registers_and_rings_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
