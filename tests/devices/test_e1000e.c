/*
 * The e1000e without a driver: what it has beyond the e1000 (test_e1000.c), and misuse of that.
 */
#include "pci_rig.h"

#include <stdio.h>

#include "sim/offload.h"
#include "sim/rng.h"

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    CTRL_EXT = 0x0018,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    EIAC = 0x00dc,
    IAM = 0x00e0,
    IVAR = 0x00e4,
    EITR = 0x00e8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    EXTCNF_CTRL = 0x0f00,
    PBA = 0x1000,
    EEWR = 0x102c,
    PSRCTL = 0x2170,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    QUEUE = 0x100, /* from a register of a ring to that of the second one */
    RNBC = 0x40a0,
    IAC = 0x4100,
    RXCSUM = 0x5000,
    RFCTL = 0x5008,
    RAL = 0x5400,
    MRQC = 0x5818,
    RETA = 0x5c00,
    RSSRK = 0x5c80,
    SWSM = 0x5b50,
    SYSTIML = 0xb600,
    SYSTIMH = 0xb604,
    TIMINCA = 0xb608,
};
enum { SLU = 0x40, VME = 1 << 30, RST = 1 << 26 };
enum { EN = 2, UPE = 8, LPE = 0x20, MAC_LOOP = 0x40, SPLIT = 0x400, BAM = 0x8000, SECRC = 1 << 26 };
enum { TXDW = 1, LSC = 4, RXDMT0 = 0x10, RXT0 = 0x80 };
enum { RXQ0 = 1 << 20, RXQ1 = 1 << 21, TXQ0 = 1 << 22, TXQ1 = 1 << 23, OTHER = 1 << 24 };
enum { EXTEN = 0x8000, IPOFL_TUOFL = 0x300, PCSD = 0x2000 };
#define ASSERTED 0x80000000u
#define IAME (1u << 27)
#define EIAME (1u << 24)
#define N 8 /* units of 16 bytes in each ring */
#define EOP 0x01000000u
#define RS 0x08000000u

static uint64_t tx_ring[2], rx_ring[2], buffers[2], payload;
static const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

static uint32_t get(unsigned reg)
{
    return (uint32_t)card_read(0, reg, 4);
}

static void put(unsigned reg, uint32_t value)
{
    card_write(0, reg, value, 4);
}

/* Extended descriptors, each with a buffer of 2 KiB; they are written over, so they are given anew.
 */
static void give_buffers(unsigned q)
{
    for (unsigned i = 0; i < N; i++) {
        store_le64(rig_at(&rig, rx_ring[q] + 16 * i), buffers[q] + 2048 * i);
        store_le64(rig_at(&rig, rx_ring[q] + 16 * i + 8), 0);
    }
}

static void ring_start(unsigned q)
{
    unsigned at = q * QUEUE;

    put(RDBAL + at, (uint32_t)rx_ring[q]);
    put(RDLEN + at, N * 16);
    put(RDH + at, 0);
    put(TDBAL + at, (uint32_t)tx_ring[q]);
    put(TDLEN + at, N * 16);
    give_buffers(q);
    put(RDT + at, N - 1);
}

static void configure(void)
{
    put(CTRL, SLU);
    put(RFCTL, EXTEN);
    put(RXCSUM, IPOFL_TUOFL | PCSD);
    for (unsigned q = 0; q < 2; q++)
        ring_start(q);
    put(RCTL, EN | BAM | SECRC);
    put(TCTL, EN);
    get(ICR);
    put(IMC, 0xffffffff);
    get(ICR);
}

static int setup(void **state)
{
    (void)state;
    card_start("e1000e");
    for (unsigned q = 0; q < 2; q++) {
        tx_ring[q] = rig_alloc(&rig, N * 16);
        rx_ring[q] = rig_alloc(&rig, N * 16);
        buffers[q] = rig_alloc(&rig, N * 2048);
    }
    payload = rig_alloc(&rig, 80000);
    configure();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

static const uint8_t *rx_at(unsigned q, unsigned unit)
{
    return rig_at(&rig, rx_ring[q] + 16 * unit);
}

static uint32_t status_of(unsigned q, unsigned unit)
{
    return load_le32(rx_at(q, unit) + 8);
}

static uint16_t length_of(unsigned q, unsigned unit)
{
    return load_le16(rx_at(q, unit) + 12);
}

static void receive(struct frame *f)
{
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

/* A TCP or UDP packet over IPv4 or IPv6, with good checksums of IPv4 (and none of UDP). */
struct flow {
    const uint8_t *from, *to; /* 4 bytes, or 16 */
    uint16_t from_port, to_port;
    bool v6, udp;
};

static struct frame *flow_packet(const struct flow *w, uint32_t data)
{
    uint32_t ip = w->v6 ? 40 : 20, l4 = w->udp ? 8 : 20, len = ETH_HLEN + ip + l4 + data;
    struct frame *f = frame_new(len);
    uint8_t *p = f->data, *t = p + ETH_HLEN + ip;

    f->len = len;
    card_fill(p, len, own);
    store_be16(p + 12, w->v6 ? 0x86dd : 0x0800);
    memset(p + ETH_HLEN, 0, ip + l4);
    if (w->v6) {
        p[14] = 0x60;
        store_be16(p + 18, (uint16_t)(l4 + data));
        p[20] = w->udp ? 17 : 6;
        memcpy(p + 22, w->from, 16);
        memcpy(p + 38, w->to, 16);
    } else {
        p[14] = 0x45;
        store_be16(p + 16, (uint16_t)(len - ETH_HLEN));
        store_be16(p + 18, 0x1234);
        p[22] = 64;
        p[23] = w->udp ? 17 : 6;
        memcpy(p + 26, w->from, 4);
        memcpy(p + 30, w->to, 4);
        store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    }
    store_be16(t, w->from_port);
    store_be16(t + 2, w->to_port);
    if (w->udp) {
        store_be16(t + 4, (uint16_t)(8 + data));
    } else {
        t[12] = 0x50;
        if (!w->v6)
            store_be16(t + 16, inet_fold(inet_sum(inet_sum(6 + len - 34, p + 26, 8), t, len - 34)));
    }
    return f;
}

/* --- extended descriptors --- */

static void an_extended_descriptor_says_what_the_packet_is(void **state)
{
    (void)state;

    card_receive(own, 100);
    assert_int_equal(load_le64(rx_at(0, 0)), 0);      /* not hashed */
    assert_int_equal(status_of(0, 0) & 0xff0000f, 7); /* DD, EOP, IXSM */
    assert_int_equal(length_of(0, 0), 100);
    assert_int_equal(rig_at(&rig, buffers[0])[ETH_HLEN], ETH_HLEN);
    assert_int_equal(get(RDH), 1);
    assert_true(get(ICR) & RXT0);
}

static const uint8_t v4_from[] = {66, 9, 149, 187}, v4_to[] = {161, 142, 100, 80};
static const struct flow v4_tcp = {v4_from, v4_to, 2794, 1766, false, false};
static const struct flow v4_udp = {v4_from, v4_to, 2794, 1766, false, true};

static void checksums_are_in_the_extended_status(void **state)
{
    struct frame *f = flow_packet(&v4_tcp, 60);
    (void)state;

    receive(frame_ref(f));
    assert_int_equal(status_of(0, 0) & 0x64, 0x60); /* TCPCS, IPCS, no IXSM */
    assert_int_equal(status_of(0, 0) >> 24, 0);
    f->data[80] ^= 1;
    receive(f);
    assert_int_equal(status_of(0, 1) >> 24, 0x20); /* TCPE */
}

static void without_pcsd_there_is_the_identification_and_a_sum(void **state)
{
    (void)state;

    put(RXCSUM, 14);
    receive(flow_packet(&v4_udp, 60));
    assert_int_equal(load_le16(rx_at(0, 0) + 4), 0x1234);
    assert_int_not_equal(load_le16(rx_at(0, 0) + 6), 0);
    assert_int_equal(status_of(0, 0) & 0x600, 0x600); /* IPIDV, UDPV */
}

static void a_long_frame_takes_several_extended_descriptors(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE);
    card_receive(own, 5000);
    assert_int_equal(status_of(0, 0), 1);
    assert_int_equal(length_of(0, 0), 2048);
    assert_int_equal(status_of(0, 2) & 3, 3);
    assert_int_equal(length_of(0, 2), 904);
    assert_int_equal(get(RDH), 3);
}

static void a_stripped_tag_is_in_the_extended_descriptor(void **state)
{
    struct frame *f = frame_new(100);
    (void)state;

    put(CTRL, SLU | VME);
    f->len = 100;
    card_fill(f->data, 100, own);
    store_be32(f->data + 12, 0x81002005);
    receive(f);
    assert_int_equal(length_of(0, 0), 96);
    assert_int_equal(load_le16(rx_at(0, 0) + 14), 0x2005);
    assert_true(status_of(0, 0) & 8);
}

static void without_exten_descriptors_are_the_old_ones(void **state)
{
    (void)state;

    put(RFCTL, 0);
    card_receive(own, 100);
    assert_int_equal(load_le64(rx_at(0, 0)), buffers[0]);
    assert_int_equal(load_le16(rx_at(0, 0) + 8), 100);
    assert_int_equal(rx_at(0, 0)[12] & 3, 3);
}

static void a_full_ring_holds_and_goes_on_where_it_wraps(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 2; i++)
        card_receive(own, 100 + i);
    assert_int_equal(get(RDH), N - 1);
    assert_true(get(RNBC) > 0);
    assert_true(get(ICR) & RXDMT0);
    give_buffers(0);
    put(RDT, 2);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH), 2);
    assert_int_equal(length_of(0, N - 1), 100 + N - 1);
    assert_int_equal(length_of(0, 1), 100 + N + 1);
}

/* --- split packets --- */

static void split_start(uint32_t psrctl)
{
    put(PSRCTL, psrctl);
    put(RCTL, EN | BAM | SECRC | LPE | SPLIT);
    for (unsigned i = 0; i < N / 2; i++)
        for (unsigned k = 0; k < 4; k++)
            store_le64(rig_at(&rig, rx_ring[0] + 32 * i + 8 * k),
                       buffers[0] + 4096 * i + (k ? 256 + 1024 * (k - 1) : 0));
    put(RDT, N - 2);
}
#define SIZES (2 | 1 << 8 | 1 << 16 | 1 << 24) /* 256 bytes, and thrice 1 KiB */

static void headers_and_data_go_apart(void **state)
{
    struct frame *f = flow_packet(&v4_tcp, 1400);
    (void)state;

    split_start(SIZES);
    receive(frame_ref(f));
    assert_int_equal(get(RDH), 2);
    assert_int_equal(status_of(0, 0) & 3, 3);
    assert_int_equal(length_of(0, 0), 54);
    assert_int_equal(load_le16(rx_at(0, 1)), 0x8000 | 54);
    assert_int_equal(load_le16(rx_at(0, 1) + 2), 1024);
    assert_int_equal(load_le16(rx_at(0, 1) + 4), 376);
    assert_int_equal(load_le16(rx_at(0, 1) + 6), 0);
    assert_memory_equal(rig_at(&rig, buffers[0]), f->data, 54);
    assert_memory_equal(rig_at(&rig, buffers[0] + 256), f->data + 54, 1024);
    assert_memory_equal(rig_at(&rig, buffers[0] + 1280), f->data + 1078, 376);
    frame_unref(f);
}

static void what_has_no_headers_begins_in_the_first_buffer(void **state)
{
    (void)state;

    split_start(SIZES);
    card_receive(own, 1000);
    assert_int_equal(length_of(0, 0), 256);
    assert_int_equal(load_le16(rx_at(0, 1)), 0);
    assert_int_equal(load_le16(rx_at(0, 1) + 2), 744);
}

static void a_packet_of_several_split_descriptors(void **state)
{
    (void)state;

    split_start(SIZES);
    receive(flow_packet(&v4_udp, 4000));
    assert_int_equal(get(RDH), 4);
    assert_int_equal(length_of(0, 0), 42);
    assert_int_equal(status_of(0, 0), 1);
    assert_int_equal(length_of(0, 2), 0); /* only the first has headers */
    assert_int_equal(load_le16(rx_at(0, 3) + 2), 4000 - 3072);
    assert_int_equal(status_of(0, 2) & 3, 3);
    receive(flow_packet(&v4_udp, 4000)); /* one is left: it waits */
    assert_int_equal(get(RDH), 4);
    assert_true(get(RNBC) > 0);
}

static void split_buffers_of_no_bytes_do_not_hang(void **state)
{
    (void)state;

    split_start(0);
    receive(flow_packet(&v4_tcp, 100));
    split_start(2); /* no buffers for data: nothing goes apart */
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 2);
    assert_int_equal(length_of(0, 0), 154);
    split_start(1 << 8); /* none for headers */
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 4);
    put(RDH, 7); /* the last unit: half of it is beyond the ring */
    put(RDT, 5);
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 1);
}

/* --- receive-side scaling --- */

/* The key and results that the specification of RSS gives for verification. */
static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
static const uint8_t v6_from[] = {0x3f, 0xfe, 0x25, 1, 2, 0, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7};
static const uint8_t v6_to[] = {0x3f, 0xfe, 0x25, 1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1};
static const struct flow v6_tcp = {v6_from, v6_to, 2794, 1766, true, false};
static const struct flow v6_udp = {v6_from, v6_to, 2794, 1766, true, true};

static void rss_start(uint32_t mrqc)
{
    for (unsigned i = 0; i < 10; i++)
        put(RSSRK + 4 * i, load_le32(key + 4 * i));
    put(MRQC, mrqc);
}

static void hashes_are_those_of_the_specification(void **state)
{
    static const struct {
        const struct flow *flow;
        uint32_t type, hash;
    } known[] = {{&v4_tcp, 1, 0x51ccc178},
                 {&v4_udp, 2, 0x323e8fc2},
                 {&v6_tcp, 3, 0x40207d3d},
                 {&v6_udp, 5, 0x2cc18cd5}};
    (void)state;

    rss_start(1 | 0x170000);
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        receive(flow_packet(known[i].flow, 20));
        assert_int_equal(load_le32(rx_at(0, i)), known[i].type);
        assert_int_equal(load_le32(rx_at(0, i) + 4), known[i].hash);
    }
    card_receive(own, 100); /* neither */
    assert_int_equal(load_le64(rx_at(0, 4)), 0);
    put(MRQC, 0x170000); /* not enabled */
    receive(flow_packet(&v4_tcp, 20));
    assert_int_equal(load_le64(rx_at(0, 5)), 0);
}

static void the_table_chooses_the_queue(void **state)
{
    uint32_t entry = 0x51ccc178 & 127;
    (void)state;

    rss_start(1 | 0x10000);
    put(RETA + (entry & ~3u), 0x80u << 8 * (entry & 3));
    receive(flow_packet(&v4_tcp, 20));
    receive(flow_packet(&v4_udp, 20)); /* not hashed: the first queue */
    assert_int_equal(get(RDH), 1);
    assert_int_equal(get(RDH + QUEUE), 1);
    assert_int_equal(load_le32(rx_at(1, 0)), 0x101);
    assert_int_equal(load_le32(rx_at(1, 0) + 4), 0x51ccc178);
    assert_int_equal(get(ICR) & (RXQ0 | RXQ1), RXQ0 | RXQ1);
    put(RDLEN + QUEUE, 0); /* a queue without a ring (CVE-2024-6505): what is for it waits */
    receive(flow_packet(&v4_tcp, 20));
    put(RDLEN + QUEUE, N * 16);
    put(RDT + QUEUE, N - 1);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH + QUEUE), 2);
}

static void headers_that_lie_are_not_hashed(void **state)
{
    (void)state;

    rss_start(1 | 0x3f0000);
    for (uint32_t len = ETH_HLEN; len < 80; len++)
        for (unsigned first = 0; first < 4; first++) {
            static const uint8_t versions[] = {0x4f, 0x41, 0x60, 0x6f};
            struct frame *f = frame_new(len);
            f->len = len;
            memset(f->data, 0xff, len);
            memcpy(f->data, own, ETH_ALEN);
            store_be16(f->data + 12, first < 2 ? 0x0800 : 0x86dd);
            if (len > 20) {
                f->data[14] = versions[first];
                f->data[20] = (uint8_t)(first == 2 ? 0 : 43); /* extensions without end */
            }
            receive(f);
            give_buffers(0);
            put(RDT, (get(RDH) + N - 1) % N);
        }
}

/* --- the second ring for sending --- */

static void descriptor(unsigned q, unsigned i, uint64_t addr, uint32_t second)
{
    uint8_t *w = rig_at(&rig, tx_ring[q] + 16 * i);

    store_le64(w, addr);
    store_le32(w + 8, second);
    store_le32(w + 12, 0);
}

static void both_rings_send_and_do_not_mix(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 300, stranger);
    descriptor(0, 0, payload, 100); /* not its end */
    put(TDT, 1);
    descriptor(1, 0, payload, 200 | EOP | RS);
    put(TDT + QUEUE, 1);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_int_equal(get(ICR) & (TXDW | TXQ0 | TXQ1), TXDW | TXQ1);
    descriptor(0, 1, payload + 100, 200 | EOP | RS);
    put(TDT, 2);
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(rig_frame(&rig, 1)->len, 300);
    assert_memory_equal(rig_frame(&rig, 1)->data, rig_at(&rig, payload), 300);
    assert_int_equal(get(ICR) & (TXDW | TXQ0 | TXQ1), TXDW | TXQ0);
}

static void a_head_beyond_the_second_ring_does_nothing(void **state)
{
    (void)state;

    put(TDH + QUEUE, 200); /* CVE-2016-1981 */
    put(TDT + QUEUE, 3);
    put(TDH + QUEUE, 0);
    put(TDBAL + QUEUE, 0x1000); /* no RAM */
    put(TDT + QUEUE, 2);
    put(TDLEN + QUEUE, 0);
    put(TDT + QUEUE, 1);
    assert_int_equal(rig_sent(&rig), 0);
    put(TDBAL + QUEUE, (uint32_t)tx_ring[1]);
    put(TDLEN + QUEUE, N * 16);
    descriptor(1, 0, payload, EOP); /* of nothing: it makes progress (CVE-2015-6815) */
    descriptor(1, 1, payload, 100 | EOP);
    put(TDT + QUEUE, 2);
    assert_int_equal(get(TDH + QUEUE), 2);
    assert_int_equal(rig_sent(&rig), 1);
}

static void what_loops_in_the_mac_comes_later(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | MAC_LOOP);
    card_fill(rig_at(&rig, payload), 200, own);
    descriptor(0, 0, payload, 200 | EOP);
    put(TDT, 1);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(get(RDH), 0); /* CVE-2021-20257 */
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(get(RDH), 1);
    assert_int_equal(length_of(0, 0), 200);
}

/* --- interrupts --- */

static void causes_are_kept_until_the_card_has_interrupted(void **state)
{
    (void)state;

    put(IMS, TXDW);
    put(ICS, RXT0); /* it is there, but masked */
    assert_int_equal(get(ICR), RXT0);
    assert_int_equal(get(ICR), RXT0); /* reading takes nothing */
    put(ICS, TXDW);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(get(ICR), ASSERTED | RXT0 | TXDW);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(get(ICR), 0);
    put(ICS, RXT0);
    put(IMC, 0xffffffff);
    assert_int_equal(get(ICR), RXT0); /* nothing may interrupt: it is taken */
    assert_int_equal(get(ICR), 0);
    put(ICS, RXT0 | TXDW);
    put(ICR, RXT0);
    assert_int_equal(get(ICR), TXDW);
    assert_int_equal(get(IAC), 1);
}

static void reading_masks_what_iam_says(void **state)
{
    (void)state;

    put(CTRL_EXT, IAME);
    put(IAM, RXT0);
    put(IMS, RXT0 | TXDW);
    put(ICS, RXT0);
    get(ICR);
    assert_int_equal(get(IMS), TXDW);
    put(IMS, RXT0);
    put(CTRL_EXT, 0);
    put(ICS, RXT0);
    get(ICR);
    assert_int_equal(get(IMS), RXT0 | TXDW);
}

static void the_throttle_holds_for_intx(void **state)
{
    vtime_t first = rig.actor.now;
    (void)state;

    put(ITR, 400); /* 102.4 us */
    put(IMS, RXT0);
    put(ICS, RXT0);
    get(ICR);
    put(ICS, RXT0);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(get(ICR), RXT0); /* not asserted: it stays */
    rig_advance(&rig, first + 102400);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(get(ICR), ASSERTED | RXT0);
}

static void a_link_that_goes_is_an_other_cause(void **state)
{
    (void)state;

    put(IMS, LSC);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_false(get(STATUS) & 2);
    assert_int_equal(get(ICR), ASSERTED | LSC | OTHER);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    assert_true(get(STATUS) & 2);
    assert_int_equal(get(ICR), ASSERTED | LSC | OTHER);
}

/* --- MSI-X --- */

static unsigned capability_find(uint8_t id)
{
    unsigned at = config_read(1 << 3, PCI_CAPABILITIES, 1);

    while (at && config_read(1 << 3, at, 1) != id)
        at = config_read(1 << 3, at + 1, 1);
    assert_int_not_equal(at, 0);
    return at;
}

static uint64_t messages; /* where each vector's goes */

static void msix_start(void)
{
    messages = rig_alloc(&rig, 64);
    for (unsigned v = 0; v < 5; v++) {
        card_write(3, 16 * v, messages + 4 * v, 4);
        card_write(3, 16 * v + 4, 0, 4);
        card_write(3, 16 * v + 8, 0x100 + v, 4);
        card_write(3, 16 * v + 12, 0, 4);
    }
    put(IVAR, 0x000cba98); /* RXQ0, RXQ1, TXQ0, TXQ1, OTHER: 0, 1, 2, 3, 4 */
    put(EIAC, RXQ0 | RXQ1 | TXQ0 | TXQ1);
    put(IMS, RXQ0 | RXQ1 | TXQ0 | TXQ1 | OTHER | LSC);
    config_write(1 << 3, capability_find(0x11) + 2, 0x8000, 2);
}

/* The message of a vector, if there is one; it is taken. */
static uint32_t message(unsigned v)
{
    uint8_t *p = rig_at(&rig, messages + 4 * v);
    uint32_t data = load_le32(p);

    store_le32(p, 0);
    return data;
}

static void each_cause_has_its_message(void **state)
{
    (void)state;

    assert_int_equal(config_read(1 << 3, capability_find(0x11) + 2, 2), 4); /* five vectors */
    msix_start();
    card_receive(own, 100);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(message(0), 0x100);
    assert_int_equal(get(ICR) & RXQ0, 0); /* EIAC: it cleared itself */
    descriptor(1, 0, payload, 100 | EOP | RS);
    card_fill(rig_at(&rig, payload), 100, stranger);
    put(TDT + QUEUE, 1);
    assert_int_equal(message(3), 0x103);
    put(ICS, LSC);
    assert_int_equal(message(4), 0x104);
    assert_true(get(ICR) & ASSERTED);
    assert_int_equal(message(1) | message(2), 0);
    assert_int_equal(get(IAC), 3);
}

static void masked_vectors_wait(void **state)
{
    (void)state;

    msix_start();
    card_write(3, 12, 1, 4);
    put(ICS, RXQ0);
    assert_int_equal(message(0), 0);
    assert_int_equal(card_read(3, 0x2000, 4), 1);
    card_write(3, 12, 0, 4);
    assert_int_equal(message(0), 0x100);
    assert_int_equal(card_read(3, 0x2000, 4), 0);
    config_write(1 << 3, capability_find(0x11) + 2, 0xc000, 2);
    put(ICS, RXQ1);
    assert_int_equal(card_read(3, 0x2000, 4), 2);
    config_write(1 << 3, capability_find(0x11) + 2, 0x8000, 2);
    assert_int_equal(message(1), 0x101);
    put(IMC, RXQ0);
    put(ICS, RXQ0);
    assert_int_equal(message(0), 0);
    put(IMS, RXQ0);
    assert_int_equal(message(0), 0x100);
}

static void messages_are_throttled_and_mask_themselves(void **state)
{
    vtime_t first = rig.actor.now;
    (void)state;

    msix_start();
    put(EITR + 4, 400);
    put(ICS, RXQ1);
    assert_int_equal(message(1), 0x101);
    put(ICS, RXQ1);
    put(ICS, RXQ0); /* the others are not */
    assert_int_equal(message(1), 0);
    assert_int_equal(message(0), 0x100);
    rig_advance(&rig, first + 102400);
    assert_int_equal(message(1), 0x101);
    put(EITR + 4, 0);
    rig_advance(&rig, first + 300000);
    put(CTRL_EXT, EIAME);
    put(IAM, RXQ1);
    put(ICS, RXQ1);
    assert_int_equal(message(1), 0x101);
    assert_false(get(IMS) & RXQ1);
    put(ICS, RXQ1);
    assert_int_equal(message(1), 0);
}

/* CVE-2021-3416: a message at the card's own registers would enter it again. */
static void a_message_that_nobody_hears_is_lost(void **state)
{
    (void)state;

    msix_start();
    card_write(3, 0, 0x40000000 + CTRL, 4);
    card_write(3, 8, RST, 4);
    put(ICS, RXQ0);
    assert_int_equal(get(RCTL), EN | BAM | SECRC);
    config_write(1 << 3, PCI_COMMAND, PCI_COMMAND_MEMORY, 2); /* no bus master */
    put(ICS, RXQ1);
    assert_int_equal(message(1), 0);
}

static void without_msix_it_is_intx_again(void **state)
{
    (void)state;

    msix_start();
    put(EIAC, 0);
    put(ICS, RXQ0);
    assert_int_equal(message(0), 0x100);
    assert_false(rig.line[CARD_LINE]);
    config_write(1 << 3, capability_find(0x11) + 2, 0, 2);
    assert_true(rig.line[CARD_LINE]);
    get(ICR);
    assert_false(rig.line[CARD_LINE]);
}

/* --- NVM, PHY, semaphores, clock --- */

static void the_nvm_has_the_address_and_a_checksum(void **state)
{
    uint16_t sum = 0;
    (void)state;

    assert_int_equal(get(EECD) & 0x300, 0x300); /* there, and read */
    for (unsigned i = 0; i < 64; i++) {
        put(EERD, i << 2 | 1);
        uint32_t v = get(EERD);
        assert_true(v & 2);
        sum = (uint16_t)(sum + (v >> 16));
        if (i < 3)
            assert_int_equal(v >> 16, load_le16(own + 2 * i));
    }
    assert_int_equal(sum, 0xbaba);
    put(EERD, 0x3fffu << 2 | 1);
    assert_int_equal(get(EERD) >> 16, 0xffff);
    put(EEWR, 0x12340000 | 1); /* write-protected */
    assert_true(get(EEWR) & 2);
    put(EERD, 1);
    assert_int_equal(get(EERD) >> 16, load_le16(own));
    assert_int_equal(get(RAL), load_le32(own));
    put(EECD, 0x40);
    assert_true(get(EECD) & 0x80);
}

static uint32_t phy_read(unsigned reg)
{
    put(MDIC, 2u << 26 | 1u << 21 | reg << 16);
    assert_true(get(MDIC) >> 28 & 1);
    return get(MDIC) & 0xffff;
}

static void phy_write(unsigned reg, uint16_t value)
{
    put(MDIC, 1u << 26 | 1u << 21 | reg << 16 | value);
}

static void the_phy_has_pages(void **state)
{
    (void)state;

    assert_int_equal(phy_read(2), 0x0141);
    assert_int_equal(phy_read(3), 0x0cb1);
    phy_write(22, 769);
    phy_write(17, 0x1234);
    assert_int_equal(phy_read(17), 0x1234);
    assert_int_equal(phy_read(2), 0x0141); /* the lower half is on every page */
    phy_write(22, 2);
    assert_int_equal(phy_read(17), 0);
    for (unsigned page = 3; page < 40; page++) { /* more than are remembered */
        phy_write(22, (uint16_t)page);
        phy_write(16, (uint16_t)page);
    }
    assert_int_equal(phy_read(16), 0);
    phy_write(22, 0);
    assert_true(phy_read(17) & 0x400); /* a link, as ever */
}

static void semaphores_can_be_taken(void **state)
{
    (void)state;

    assert_int_equal(get(SWSM) & 1, 0);
    assert_int_equal(get(SWSM) & 1, 1); /* who read it has it */
    put(SWSM, 2);
    assert_int_equal(get(SWSM), 2);
    put(EXTCNF_CTRL, 0x20);
    assert_int_equal(get(EXTCNF_CTRL), 0x20);
}

static void the_bus_masters_end_is_said(void **state)
{
    (void)state;

    assert_true(get(STATUS) >> 19 & 1);
    put(CTRL, SLU | 4);
    assert_false(get(STATUS) >> 19 & 1);
    put(PBA, 32);
    assert_int_equal(get(PBA), 8 << 16 | 32);
    put(PBA, 63);
    assert_int_equal(get(PBA), 40);
}

static void the_clock_runs_as_timinca_says(void **state)
{
    vtime_t t = rig.actor.now;
    (void)state;

    put(TIMINCA, 1u << 24 | 40);
    put(SYSTIMH, 7);
    put(SYSTIML, 0xffffff00);
    rig_advance(&rig, t + 80000);
    assert_int_equal(get(SYSTIML), 80000 - 0x100);
    assert_int_equal(get(SYSTIMH), 8);
    put(TIMINCA, 0); /* it stands */
    rig_advance(&rig, t + 160000);
    assert_int_equal(get(SYSTIML), 80000 - 0x100);
}

static void a_reset_forgets_everything(void **state)
{
    (void)state;

    for (unsigned at = 0; at < 0x10000; at += 4)
        if (at != CTRL && at != CTRL + 4)
            put(at, 0x5a5a5a5a & ~(at == RCTL || at == TCTL ? 2u : 0u));
    put(CTRL, RST);
    assert_int_equal(get(RCTL), 0);
    assert_int_equal(get(RFCTL), 0);
    assert_int_equal(get(RDT + QUEUE), 0);
    assert_int_equal(get(TDT + QUEUE), 0);
    assert_int_equal(get(RETA), 0);
    assert_int_equal(get(EITR), 0);
    assert_int_equal(get(IVAR), 0);
    assert_int_equal(get(RAL), load_le32(own));
    assert_false(rig.line[CARD_LINE]);
}

/* --- noise --- */

static uint32_t noise_value(struct rng *g, unsigned reg)
{
    unsigned base = reg & ~(unsigned)QUEUE;

    if (base == RDBAL || base == TDBAL)
        return (uint32_t)(rng_below(g, 2) ? tx_ring : rx_ring)[rng_below(g, 2)];
    if (base == RDLEN || base == TDLEN)
        return rng_below(g, 4) ? N * 16 : rng_below(g, 64) * 128;
    if (base == RDH || base == RDT || base == TDH || base == TDT)
        return rng_below(g, 4) ? rng_below(g, N) : (uint32_t)rng_next(g);
    if ((reg == RCTL || reg == TCTL) && rng_below(g, 2))
        return EN | UPE | SECRC | (uint32_t)rng_next(g);
    return (uint32_t)rng_next(g) & (rng_below(g, 2) ? 0x3fu : ~0u);
}

/* A descriptor for sending, of which the greater part may make sense. */
static void noise_out(struct rng *g)
{
    uint8_t *w = rig_at(&rig, tx_ring[rng_below(g, 2)] + 16 * rng_below(g, N));

    store_le64(w, payload + rng_below(g, 256));
    store_le32(w + 8, (uint32_t)rng_next(g) & (rng_below(g, 2) ? 0xff3001ffu : 0x0b0003ffu));
    store_le32(w + 12, (uint32_t)rng_next(g) & 0x0fff4f4f);
}

static void noise_in(struct rng *g)
{
    static const struct flow *const flows[] = {&v4_tcp, &v4_udp, &v6_tcp, &v6_udp};
    struct frame *f = flow_packet(flows[rng_below(g, 4)], rng_below(g, 3000));

    for (unsigned k = rng_below(g, 3); k; k--)
        f->data[12 + rng_below(g, MIN(50u, f->len - 12))] = (uint8_t)rng_next(g);
    f->len = rng_below(g, 4) ? f->len : ETH_HLEN + rng_below(g, f->len - ETH_HLEN);
    receive(f);
}

static void random_registers_rings_and_packets_harm_nobody(void **state)
{
    static const uint16_t likely[] = {
        CTRL,          ICR,           IMS,           RCTL,  TCTL, RDBAL, RDLEN,       RDH,
        RDT,           RDT + QUEUE,   TDBAL,         TDLEN, TDH,  TDT,   TDT + QUEUE, RDBAL + QUEUE,
        RDLEN + QUEUE, IVAR,          PSRCTL,        RFCTL, MRQC, RETA,  RSSRK,       MDIC,
        CTRL_EXT,      TDBAL + QUEUE, TDLEN + QUEUE, ICS,   EIAC, RXCSUM};
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "e1000e");
    msix_start();
    for (unsigned i = 0; i < 40000; i++) {
        unsigned reg = rng_below(&g, 3) ? likely[rng_below(&g, ARRAY_LEN(likely))]
                                        : rng_below(&g, 0x8000) * 4 & 0x1fffc;
        put(reg, noise_value(&g, reg));
        get(reg);
        if (rng_below(&g, 16) == 0) { /* whatever was done to it, it works again */
            put(CTRL, RST);
            put(MDIC, 1u << 26 | 1u << 21 | 0x9140);
            configure();
            put(RCTL, EN | UPE | SECRC | LPE | (rng_below(&g, 2) ? SPLIT : 0u));
        }
        if (rng_below(&g, 16) == 0)
            card_write(3, rng_below(&g, 0x1000) * 4, (uint32_t)rng_next(&g) & 1, 4);
        if (rng_below(&g, 64) == 0)
            config_write(1 << 3, capability_find(0x11) + 2, (uint32_t)rng_next(&g) & 0xffff, 2);
        for (unsigned k = 0; k < 16; k++)
            rig_at(&rig, (rng_below(&g, 2) ? tx_ring : rx_ring)[rng_below(&g, 2)] +
                             rng_below(&g, N * 16))[0] = (uint8_t)rng_next(&g);
        noise_out(&g);
        noise_in(&g);
        rig_forget(&rig);
    }
    assert_true(nic->port.stats.rx_frames > 1000 && nic->port.stats.tx_frames > 50);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_extended_descriptor_says_what_the_packet_is),
        T(checksums_are_in_the_extended_status),
        T(without_pcsd_there_is_the_identification_and_a_sum),
        T(a_long_frame_takes_several_extended_descriptors),
        T(a_stripped_tag_is_in_the_extended_descriptor),
        T(without_exten_descriptors_are_the_old_ones),
        T(a_full_ring_holds_and_goes_on_where_it_wraps),
        T(headers_and_data_go_apart),
        T(what_has_no_headers_begins_in_the_first_buffer),
        T(a_packet_of_several_split_descriptors),
        T(split_buffers_of_no_bytes_do_not_hang),
        T(hashes_are_those_of_the_specification),
        T(the_table_chooses_the_queue),
        T(headers_that_lie_are_not_hashed),
        T(both_rings_send_and_do_not_mix),
        T(a_head_beyond_the_second_ring_does_nothing),
        T(what_loops_in_the_mac_comes_later),
        T(causes_are_kept_until_the_card_has_interrupted),
        T(reading_masks_what_iam_says),
        T(the_throttle_holds_for_intx),
        T(a_link_that_goes_is_an_other_cause),
        T(each_cause_has_its_message),
        T(masked_vectors_wait),
        T(messages_are_throttled_and_mask_themselves),
        T(a_message_that_nobody_hears_is_lost),
        T(without_msix_it_is_intx_again),
        T(the_nvm_has_the_address_and_a_checksum),
        T(the_phy_has_pages),
        T(semaphores_can_be_taken),
        T(the_bus_masters_end_is_said),
        T(the_clock_runs_as_timinca_says),
        T(a_reset_forgets_everything),
        T(random_registers_rings_and_packets_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
