/* The rtl8139 without a driver: registers, both ways to send and to receive, and misuse. */
#include "pci_rig.h"

#include <zlib.h>

#include "sim/offload.h"
#include "sim/rng.h"

enum {
    IDR = 0,
    MAR = 8,
    TSD = 0x10,
    TSAD = 0x20,
    TNPDS = 0x20,
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4c,
    CR9346 = 0x50,
    CONFIG1 = 0x52,
    TIMERINT = 0x54,
    MSR = 0x58,
    RERID = 0x5e,
    SUMMARY = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    CSCR = 0x74,
    CONFIG5 = 0xd8,
    TPPOLL = 0xd9,
    CPCR = 0xe0,
    RDSAR = 0xe4,
};
enum { BUFE = 1, TE = 4, RE = 8, RST = 0x10 };
enum {
    ROK = 1,
    TOK = 4,
    TER = 8,
    RDU = 0x10,
    LINK = 0x20,
    TDU = 0x80,
    SWINT = 0x100,
    TIMEOUT = 0x4000,
    SERR = 0x8000
};
enum { AAP = 1, APM = 2, AM = 4, AB = 8, WRAP = 0x80 };
#define OWN (1u << 31)
#define EOR (1u << 30)
#define FS (1u << 29)
#define LS (1u << 28)
#define LGSEN (1u << 27)
#define N 4 /* descriptors in each ring */
#define BUFFER 512
#define SIZE 8192 /* of the classic buffer */

static uint64_t buffer, payload, tx_ring, rx_ring;
static uint32_t tx_next;
static const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
static const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

static uint32_t get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(1, reg, size);
}

static void put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(1, reg, value, size);
}

static uint16_t causes(void)
{
    uint16_t v = (uint16_t)get(ISR, 2);

    put(ISR, v, 2);
    return v;
}

static void start(const char *model)
{
    card_start(model);
    buffer = rig_alloc(&rig, SIZE + 4096);
    payload = rig_alloc(&rig, 80000);
    tx_ring = rig_alloc(&rig, 64 * 16);
    rx_ring = rig_alloc(&rig, 64 * 16);
    tx_next = 0;
}

/* --- the classic way --- */

static int classic(void **state)
{
    (void)state;
    start("rtl8139c");
    put(CR, RST, 1);
    put(RBSTART, (uint32_t)buffer, 4);
    put(CR, TE | RE, 1);
    put(RCR, APM | AB | WRAP, 4);
    put(IMR, 0xffff, 2);
    return 0;
}

static void classic_send(uint32_t len)
{
    card_fill(rig_at(&rig, payload), len, stranger);
    put(TSAD + 4 * tx_next, (uint32_t)payload, 4);
    put(TSD + 4 * tx_next, len, 4);
    tx_next = (tx_next + 1) % 4;
}

/* --- the rings of the C+ --- */

static uint8_t *tx_at(uint32_t i)
{
    return rig_at(&rig, tx_ring + 16 * i);
}

static uint8_t *rx_at(uint32_t i)
{
    return rig_at(&rig, rx_ring + 16 * i);
}

static void give(uint32_t i, uint32_t size)
{
    store_le32(rx_at(i), OWN | (i == N - 1 ? EOR : 0) | size);
    store_le32(rx_at(i) + 4, 0);
    store_le64(rx_at(i) + 8, buffer + i * BUFFER);
}

static int rings(void **state)
{
    (void)state;
    start("rtl8139");
    put(CR, RST, 1);
    put(CPCR, 3, 2);
    for (uint32_t i = 0; i < N; i++)
        give(i, BUFFER);
    put(TNPDS, (uint32_t)tx_ring, 4);
    put(RDSAR, (uint32_t)rx_ring, 4);
    put(CR, TE | RE, 1);
    put(RCR, APM | AB, 4);
    put(IMR, 0xffff, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

static void part(uint64_t at, uint32_t len, uint32_t flags, uint32_t tag)
{
    store_le32(tx_at(tx_next), OWN | (tx_next == N - 1 ? EOR : 0) | flags | len);
    store_le32(tx_at(tx_next) + 4, tag);
    store_le64(tx_at(tx_next) + 8, at);
    tx_next = (tx_next + 1) % N;
}

static void poll(void)
{
    put(TPPOLL, 0x40, 1);
}

/* --- registers --- */

static void registers_begin_as_the_data_sheet_says(void **state)
{
    (void)state;

    put(CR, RST, 1);
    assert_int_equal(get(CR, 1), BUFE);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(get(TSD + 4 * i, 4), 0x2000);
    assert_int_equal(get(SUMMARY, 2), 0x000f);
    assert_int_equal(get(CAPR, 2), 0xfff0);
    assert_int_equal(get(CBR, 2), 0);
    assert_int_equal(get(ISR, 2), 0);
    assert_int_equal(get(IMR, 2), 0);
    assert_int_equal(get(TCR, 4) & 0x7cc00000, get(RERID, 1) == 0x20 ? 0x74800000 : 0x74000000);
    assert_int_equal(get(RCR, 4), 0);
    assert_int_equal(get(BMCR, 2), 0x3100);
    assert_int_equal(get(RERID, 1), config_read(1u << 3, PCI_REVISION, 1));
    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(get(IDR + i, 1), own[i]);
}

static void configuration_is_written_only_when_unlocked(void **state)
{
    (void)state;

    put(CONFIG1, 0x30, 1);
    assert_int_equal(get(CONFIG1, 1), 0x0c);
    put(CR9346, 0xc0, 1);
    put(CONFIG1, 0x30, 1);
    assert_int_equal(get(CONFIG1, 1), 0x3c); /* the maps are the bus's */
    put(BMCR, 0xb300, 2);
    assert_int_equal(get(BMCR, 2), 0x3100); /* reset and negotiation are done */
    put(CR9346, 0, 1);
    put(CONFIG1, 0, 1);
    assert_int_equal(get(CONFIG1, 1), 0x3c);
}

static void registers_are_bytes_to_those_who_want_them(void **state)
{
    (void)state;

    put(MAR + 5, 0x5a, 1);
    assert_int_equal(get(MAR + 4, 4), 0x5a00);
    card_write(0, MAR, 0x11223344, 4); /* the same in ports */
    assert_int_equal(get(MAR + 1, 1), 0x33);
    put(ISR + 1, 0xff, 1);
    put(0x38, 0x1234, 2);
    assert_int_equal(get(CAPR, 2), 0x1234);
}

static uint16_t eeprom_read(unsigned word)
{
    uint32_t command = 6u << 6 | word;
    uint16_t v = 0;

    put(CR9346, 0x80, 1);
    put(CR9346, 0x88, 1);
    for (int i = 8; i >= 0; i--) {
        uint32_t in = command >> i & 1 ? 2 : 0;
        put(CR9346, 0x88 | in, 1);
        put(CR9346, 0x8c | in, 1);
    }
    for (unsigned i = 0; i < 16; i++) {
        put(CR9346, 0x88, 1);
        put(CR9346, 0x8c, 1);
        v = (uint16_t)(v << 1 | (get(CR9346, 1) & 1));
    }
    put(CR9346, 0, 1);
    return v;
}

static void the_eeprom_has_the_address(void **state)
{
    (void)state;

    assert_int_equal(eeprom_read(0), 0x8129);
    assert_int_equal(eeprom_read(2), 0x8139);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(eeprom_read(7 + i), load_le16(own + 2 * i));
    put(IDR, 0, 4);
    put(CR9346, 0x40, 1); /* load again */
    assert_int_equal(get(IDR, 4), load_le32(own));
    assert_int_equal(get(CR9346, 1) & 0xc0, 0);
}

static void the_timer_counts_and_interrupts(void **state)
{
    vtime_t t = rig.actor.now;
    (void)state;

    put(TCTR, 0, 4);
    put(TIMERINT, 1000, 4);
    rig_advance(&rig, t + 29999);
    assert_int_equal(get(TCTR, 4), 999);
    assert_false(rig.line[CARD_LINE]);
    rig_advance(&rig, t + 30000);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(causes(), TIMEOUT);
    put(TIMERINT, 0, 4);
    put(TCTR, 0, 4);
    rig_advance(&rig, t + 100000000);
    assert_int_equal(causes(), 0);
}

static void causes_interrupt_as_the_mask_says(void **state)
{
    (void)state;

    put(IMR, 0, 2);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(ISR, 2), LINK);
    assert_false(rig.line[CARD_LINE]);
    put(IMR, LINK, 2);
    assert_true(rig.line[CARD_LINE]);
    put(ISR, ROK, 2);
    assert_true(rig.line[CARD_LINE]);
    put(ISR, LINK, 2);
    assert_false(rig.line[CARD_LINE]);
}

static void the_link_follows_the_carrier(void **state)
{
    (void)state;

    assert_false(get(MSR, 1) & 4);
    assert_int_equal(get(BMSR, 2), 0x782d);
    assert_false(get(CSCR, 2) & 0x0800);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_true(get(MSR, 1) & 4);
    assert_int_equal(get(BMSR, 2), 0x7809);
    assert_int_equal(get(CSCR, 2) & 0x0c00, 0x0800); /* it has changed, and is down */
    assert_int_equal(causes(), LINK);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    assert_false(get(MSR, 1) & 4);
    assert_int_equal(get(CSCR, 2) & 0x0c00, 0x0c00);
}

static void the_missed_packets_counter_is_cleared_by_any_write(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < N; i++)
        give(i, 16);
    card_receive(own, 400); /* more than all buffers hold */
    rig_advance(&rig, rig.actor.now + 100 * NS_PER_MS);
    assert_int_equal(get(MPC, 4), 1);
    assert_true(causes() & RDU);
    put(MPC, 77, 4);
    assert_int_equal(get(MPC, 4), 0);
}

/* --- classic: sending --- */

static void a_descriptor_is_a_frame(void **state)
{
    (void)state;

    classic_send(200);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, rig_at(&rig, payload), 200);
    assert_int_equal(get(TSD, 4), 0xa000 | 200); /* TOK, OWN */
    assert_int_equal(get(SUMMARY, 2), 0x100f);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(causes(), TOK);
    classic_send(30);
    assert_int_equal(rig_frame(&rig, 1)->len, 60); /* padded */
}

static void descriptors_are_sent_in_turn(void **state)
{
    (void)state;

    classic_send(100);
    card_fill(rig_at(&rig, payload), 300, stranger);
    put(TSAD + 8, (uint32_t)payload, 4);
    put(TSD + 8, 300, 4); /* the one after the next */
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(get(TSD + 8, 4), 300);
    put(TSAD + 4, (uint32_t)payload, 4);
    put(TSD + 4, 200, 4);
    assert_int_equal(rig_sent(&rig), 3);
    assert_int_equal(rig_frame(&rig, 1)->len, 200);
    tx_next = 3;
    classic_send(100);
    put(TSD + 4, 100, 4); /* not its turn: what was said of the last packet is gone */
    assert_int_equal(get(TSD + 4, 4), 100);
    put(CR, RE, 1);
    put(CR, RE | TE, 1); /* begins anew at the first */
    put(TSD, 100, 4);
    assert_int_equal(rig_sent(&rig), 6);
}

static void what_makes_no_sense_is_aborted(void **state)
{
    (void)state;

    classic_send(4);
    assert_int_equal(causes(), TER);
    assert_int_equal(get(SUMMARY, 2), 0x001f);
    classic_send(1793);
    put(TSAD + 8, 0x40000000, 4);
    put(TSD + 8, 100, 4);
    assert_int_equal(rig_sent(&rig), 0);
    tx_next = 3;
    classic_send(1792);
    assert_int_equal(rig_sent(&rig), 1);
}

static void a_driver_may_send_its_own_crc(void **state)
{
    (void)state;

    put(TCR, 1u << 16, 4);
    card_fill(rig_at(&rig, payload), 100, stranger);
    store_le32(rig_at(&rig, payload + 100), (uint32_t)crc32(0, rig_at(&rig, payload), 100));
    put(TSAD, (uint32_t)payload, 4);
    put(TSD, 104, 4);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    rig_at(&rig, payload)[20] ^= 1;
    put(TSAD + 4, (uint32_t)payload, 4);
    put(TSD + 4, 104, 4);
    assert_int_equal(rig_sent(&rig), 1);
}

/* --- classic: receiving --- */

static void a_frame_goes_into_the_ring_of_bytes(void **state)
{
    const uint8_t *p = rig_at(&rig, buffer);
    (void)state;

    assert_true(get(CR, 1) & BUFE);
    card_receive(own, 201);
    assert_int_equal(load_le16(p), 0x4001); /* PAM, ROK */
    assert_int_equal(load_le16(p + 2), 205);
    assert_int_equal(load_le32(p + 4 + 201), crc32(0, p + 4, 201));
    assert_int_equal(get(CBR, 2), 212); /* a multiple of four */
    assert_false(get(CR, 1) & BUFE);
    assert_int_equal(causes(), ROK);
    put(CAPR, 212 - 16, 2);
    assert_true(get(CR, 1) & BUFE);
    card_receive(everyone, 60);
    assert_int_equal(load_le16(p + 212), 0x2001); /* BAR */
}

static void fill_to(uint32_t at)
{
    while (get(CBR, 2) + 508 <= at) {
        card_receive(own, 500);
        put(CAPR, (get(CBR, 2) - 16) & 0xffff, 2);
    }
}

static void a_frame_at_the_end_wraps_or_runs_over(void **state)
{
    (void)state;

    fill_to(SIZE - 300);
    uint32_t at = get(CBR, 2);
    card_receive(own, 600);
    assert_int_equal(rig_at(&rig, buffer + at + 4)[600 - 1], 599 & 255); /* into the tail */
    assert_int_equal(get(CBR, 2), (at + 608) % SIZE);
    put(CAPR, (get(CBR, 2) - 16) & 0xffff, 2);
    put(RCR, APM, 4);
    while (get(CBR, 2) + 508 <= SIZE - 300) {
        card_receive(own, 500);
        put(CAPR, (get(CBR, 2) - 16) & 0xffff, 2);
    }
    at = get(CBR, 2);
    memset(rig_at(&rig, buffer + SIZE), 0x77, 16);
    card_receive(own, 700);
    assert_int_equal(rig_at(&rig, buffer + SIZE)[0], 0x77);
    uint32_t i = SIZE - at - 4; /* the byte of the frame that is first again */
    assert_int_equal(rig_at(&rig, buffer)[0], i & 255);
}

static void a_full_buffer_keeps_frames_waiting(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 10; i++)
        card_receive(own, 1000 + i);
    assert_true(causes() & RDU); /* an overflow, but for the loss */
    uint32_t before = get(CBR, 2);
    assert_true(before < SIZE && before > SIZE - 1100);
    put(CAPR, (uint16_t)(before - 16), 2); /* all read */
    causes(); /* clears ISR behind it, and must be told of the next all the same */
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_US);
    assert_true(causes() & ROK);
    assert_int_equal(load_le16(rig_at(&rig, buffer + before + 2)) - 4, 1000 + before / 1008);
}

static void enabling_reception_begins_at_the_start(void **state)
{
    (void)state;

    card_receive(own, 100);
    put(CR, TE, 1);
    card_receive(own, 100); /* not received */
    put(CR, TE | RE, 1);
    assert_int_equal(get(CBR, 2), 0);
    assert_int_equal(get(CAPR, 2), 0xfff0);
    assert_true(get(CR, 1) & BUFE);
}

static void a_buffer_that_is_not_ram_is_a_system_error(void **state)
{
    (void)state;

    put(RBSTART, 0x40000000, 4); /* the card's own registers */
    card_receive(own, 100);
    assert_int_equal(causes(), SERR);
    assert_int_equal(get(CBR, 2), 0);
}

static bool takes(const uint8_t *to)
{
    card_receive(to, 100);
    return causes() & ROK;
}

static void the_filters_are_the_cards(void **state)
{
    uint32_t crc = ~(uint32_t)crc32(0, group, ETH_ALEN), bit = 0;
    (void)state;

    for (unsigned i = 0; i < 6; i++)
        bit = bit << 1 | (crc >> i & 1);
    assert_true(takes(own));
    assert_true(takes(everyone));
    assert_false(takes(stranger));
    put(RCR, AM, 4);
    assert_false(takes(own));
    assert_false(takes(everyone));
    assert_false(takes(group));
    put(MAR + bit / 8, 1u << bit % 8, 1);
    assert_true(takes(group));
    put(RCR, APM, 4);
    assert_false(takes(group));
    put(RCR, AAP, 4);
    assert_true(takes(stranger));
    assert_true(takes(group));
}

static void what_loops_back_comes_later_and_alone(void **state)
{
    (void)state;

    put(TCR, 3u << 17, 4);
    card_fill(rig_at(&rig, payload), 200, own);
    put(TSAD, (uint32_t)payload, 4);
    put(TSD, 200, 4);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(get(CBR, 2), 0);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(get(CBR, 2), 208);
    card_receive(own, 100);
    assert_int_equal(get(CBR, 2), 208);
}

static void without_rings_their_registers_are_not_there(void **state)
{
    (void)state;

    put(CPCR, 3, 2);
    assert_int_equal(get(CPCR, 2), 0);
    put(CR9346, 0xc0, 1);
    put(CONFIG5, 1, 1);
    assert_int_equal(get(CONFIG5, 1), 1);
}

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
    poll();
    assert_int_equal(rig_sent(&rig), 1);
    assert_memory_equal(rig_frame(&rig, 0)->data, rig_at(&rig, payload), 300);
    assert_int_equal(load_le32(tx_at(0)), FS | 50);
    assert_int_equal(load_le32(tx_at(2)), LS | 250);
    assert_int_equal(causes(), TOK | TDU);
    part(payload, 100, FS | LS, 0); /* the last: EOR */
    poll();
    assert_int_equal(load_le32(tx_at(3)), EOR | FS | LS | 100);
    part(payload, 100, FS | LS, 0);
    poll();
    assert_int_equal(rig_sent(&rig), 3);
    part(payload, 100, LS, 0); /* with no beginning */
    poll();
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
        poll();
        struct frame *done = offload_checksum(rig_frame(&rig, i));
        check_sums(done, 14, protos[i]);
        frame_unref(done);
        assert_int_equal(load_le32(tx_at(i)), FS | LS | 64); /* no collisions */
    }
    card_fill(rig_at(&rig, payload), 100, stranger); /* no IPv4: goes as it is */
    part(payload, 100, FS | LS | 7u << 16, 0);
    poll();
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
    poll();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(offload_finish(rig_frame(&rig, 0), check_segment, &at), 7);
    assert_int_equal(load_le32(tx_at(0)) & 0x0fff0000, 0); /* no error of the bits of its MSS */
    part(payload, len, FS | LS | LGSEN | 1460u << 16, 0x20000 | 0x0520);
    poll();
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
        poll();
    }
    for (unsigned i = 0; i < rig_sent(&rig); i++)
        offload_finish(rig_frame(&rig, i), ignore_segment, NULL);
}

static void a_segment_size_of_zero_is_dropped(void **state)
{
    uint32_t len = ip_packet(6, 100);
    (void)state;

    part(payload, len, FS | LS | LGSEN, 0);
    poll();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
}

static void a_tag_is_inserted(void **state)
{
    (void)state;

    card_fill(rig_at(&rig, payload), 50, stranger);
    part(payload, 50, FS | LS, 0x20000 | 0x0520);
    part(payload, 14, FS | LS, 0x20000 | 0x0520);
    poll();
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
    poll();
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
    poll();
    assert_true(load_le32(tx_at(40)) & OWN); /* a megabyte at once */
    rig_forget(&rig);
    for (unsigned i = 0; i < 20; i++) {
        rig_advance(&rig, rig.actor.now + 10 * NS_PER_US);
        rig_forget(&rig);
    }
    assert_false(load_le32(tx_at(63)) & OWN);
    put(TNPDS, 0x40000000, 4); /* not RAM */
    poll();
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

/* --- noise --- */

static void random_registers_and_rings_harm_nobody(void **state)
{
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "rtl8139");
    for (unsigned i = 0; i < 40000; i++) {
        unsigned size = 1u << rng_below(&g, 3), reg = rng_below(&g, 0x100) & ~(size - 1);
        uint32_t value = (uint32_t)rng_next(&g);
        if (reg == RBSTART || (reg >= TSAD && reg < TSAD + 16) || reg == RDSAR)
            value = (uint32_t)(rng_below(&g, 2) ? tx_ring : rx_ring);
        if (reg == CR)
            value &= rng_below(&g, 16) ? 0x0c : 0xff;
        put(reg, value, size);
        get(reg, size);
        for (unsigned k = 0; k < 8; k++)
            rig_at(&rig, (rng_below(&g, 2) ? tx_ring : rx_ring) + rng_below(&g, N * 16))[0] =
                (uint8_t)rng_next(&g);
        card_receive(rng_below(&g, 2) ? own : everyone, 14 + rng_below(&g, 5000));
        rig_forget(&rig);
    }
}

#define C(f) cmocka_unit_test_setup_teardown(f, classic, teardown)
#define R(f) cmocka_unit_test_setup_teardown(f, rings, teardown)
#define T(f)                                                                                       \
    {#f " (C)", f, classic, teardown, NULL},                                                       \
    {                                                                                              \
#f " (C+)", f, rings, teardown, NULL                                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(registers_begin_as_the_data_sheet_says),
        T(configuration_is_written_only_when_unlocked),
        T(registers_are_bytes_to_those_who_want_them),
        T(the_eeprom_has_the_address),
        T(the_timer_counts_and_interrupts),
        T(causes_interrupt_as_the_mask_says),
        T(the_link_follows_the_carrier),
        R(the_missed_packets_counter_is_cleared_by_any_write),
        C(a_descriptor_is_a_frame),
        C(descriptors_are_sent_in_turn),
        C(what_makes_no_sense_is_aborted),
        C(a_driver_may_send_its_own_crc),
        C(a_frame_goes_into_the_ring_of_bytes),
        C(a_frame_at_the_end_wraps_or_runs_over),
        C(a_full_buffer_keeps_frames_waiting),
        C(enabling_reception_begins_at_the_start),
        C(a_buffer_that_is_not_ram_is_a_system_error),
        C(the_filters_are_the_cards),
        C(what_loops_back_comes_later_and_alone),
        C(without_rings_their_registers_are_not_there),
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
        R(checksums_are_checked_when_asked),
        R(tags_are_stripped_when_asked),
        R(software_interrupts_and_the_other_ring),
        R(a_frame_longer_than_the_card_can_hold_is_refused),
        T(random_registers_and_rings_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
