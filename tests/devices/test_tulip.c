/*
 * The tulip without a driver: its registers, wires and port; lists in rings and chains of either
 * byte order, filters, and misuse.
 */
#include "pci_rig.h"

#include <zlib.h>

#include "sim/rng.h"
#include "sim/vlan.h"

enum { SWR = 1, BLE = 1 << 7, DBO = 1 << 20 }; /* CSR0 */
enum { TI = 1, TPS = 2, TU = 4, TJT = 8, ANC = 0x10, RI = 0x40, RU = 0x80, RPS = 0x100 };
enum { RWT = 0x200, GTE = 0x800, LNF = 0x1000, FBE = 0x2000, AIS = 0x8000, NIS = 0x10000 };
enum { LC = 1 << 27, STATES = 0x7e0000, BUS_ERROR = 7 << 23, MASTER_ABORT = 1 << 23 };
enum { RX_WAITS = 3 << 17, RX_SUSPENDED = 4 << 17, TX_SUSPENDED = 6 << 20 };
enum { HP = 1, SR = 2, HO = 4, IF = 0x10, PR = 0x40, PM = 0x80, ST = 0x2000 }; /* CSR6 */
enum { RA = 1 << 30 };
enum { INTERNAL = 1 << 10, EXTERNAL = 2 << 10, PS = 1 << 18, TTM = 1 << 22, PCS = 1 << 23 };
enum { RING_END = 1 << 25, CHAINED = 1 << 24 }; /* of descriptors */
enum { LS = 1 << 30, FS = 1 << 29, SETUP = 1 << 27, AC = 1 << 26, DPD = 1 << 23 };
enum { HASH = 1 << 22, INVERSE = 1 << 28, HASH_ONLY = HASH | INVERSE };
enum { ES = 0x8000, DE = 0x4000, MF = 0x400, FIRST = 0x200, LAST = 0x100, TL = 0x80, FT = 0x20 };
enum { RW = 0x10, FF = 1 << 30, JABBER = 0x4000 };
#define OWN (1u << 31)
#define IC (1u << 31)
#define WHOLE (FIRST | LAST | FT)
#define N 4 /* descriptors in each ring */
#define BUFFER 1536
#define BAD 0x40000000u
#define ALL 0x0c01ffffu

static const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
static const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

static uint32_t rx_ring, tx_ring, buffers, payload, setup_at, tx_next, bus_mode;

static uint32_t csr(unsigned n)
{
    return (uint32_t)card_read(1, n * 8, 4);
}

static void put(unsigned n, uint32_t value)
{
    card_write(1, n * 8, value, 4);
}

static uint8_t *at(uint32_t addr)
{
    return rig_at(&rig, addr);
}

static void wait_ns(vtime_t ns)
{
    rig_advance(&rig, rig.actor.now + ns);
}

/* --- descriptors: where, and in the order of bytes that is set --- */

static void word_put(uint32_t addr, uint32_t v)
{
    if (bus_mode & DBO)
        store_be32(at(addr), v);
    else
        store_le32(at(addr), v);
}

static uint32_t word(uint32_t addr)
{
    return bus_mode & DBO ? load_be32(at(addr)) : load_le32(at(addr));
}

static uint32_t step(void)
{
    return 16 + (bus_mode & 0x7c);
}

static void give_at(uint32_t addr, uint32_t control, uint32_t buffer1, uint32_t buffer2)
{
    word_put(addr + 4, control);
    word_put(addr + 8, buffer1);
    word_put(addr + 12, buffer2);
    word_put(addr, OWN);
}

static void give(uint32_t ring, uint32_t i, uint32_t control, uint32_t buffer1)
{
    give_at(ring + i * step(), control | (i == N - 1 ? RING_END : 0), buffer1, 0);
}

static uint32_t status(uint32_t ring, uint32_t i)
{
    return word(ring + i * step());
}

static void rx_give(uint32_t i)
{
    give(rx_ring, i, BUFFER, buffers + BUFFER * i);
}

/* --- bringing it up --- */

static void demand(void)
{
    put(1, 1);
}

static void send_part(uint32_t control, uint32_t address)
{
    give(tx_ring, tx_next, control, address);
    tx_next = (tx_next + 1) % N;
}

static void send_frame(uint32_t len)
{
    card_fill(at(payload), len, stranger);
    send_part(FS | LS | IC | len, payload);
    demand();
}

static void ack(void)
{
    put(5, ALL);
}

/* Entry i of a setup frame. */
static void setup_entry(uint32_t place, const uint8_t *mac)
{
    uint8_t *p = at(setup_at) + place;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        p[i / 2 * 4 + i % 2] = mac[i];
}

static void setup_send(uint32_t type)
{
    send_part(SETUP | type | 192, setup_at);
    demand();
}

static void setup_perfect(const uint8_t *a, const uint8_t *b, uint32_t type)
{
    for (unsigned i = 0; i < 16; i++)
        setup_entry(i * 12, i ? b : a);
    setup_send(type);
}

/* `mode` besides SR and ST. */
static void start(uint32_t bus, uint32_t mode)
{
    put(0, SWR);
    put(0, bus);
    bus_mode = bus;
    tx_next = 0;
    for (uint32_t i = 0; i < N; i++) {
        rx_give(i);
        word_put(tx_ring + i * step(), 0);
    }
    put(3, rx_ring);
    put(4, tx_ring);
    put(6, ST);
    setup_perfect(own, everyone, 0);
    put(6, ST | SR | mode);
    ack();
}

static int setup(void **state)
{
    (void)state;
    card_start("tulip");
    rx_ring = (uint32_t)rig_alloc(&rig, 4096);
    tx_ring = (uint32_t)rig_alloc(&rig, 4096);
    buffers = (uint32_t)rig_alloc(&rig, N * BUFFER);
    payload = (uint32_t)rig_alloc(&rig, 16384);
    setup_at = (uint32_t)rig_alloc(&rig, 192);
    start(0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

/* --- registers --- */

static void it_says_who_it_is(void **state)
{
    (void)state;

    assert_int_equal(config_read(8, PCI_VENDOR_ID, 4), 0x00191011);
    assert_int_equal(config_read(8, PCI_REVISION, 4), 0x02000041);
    assert_int_equal(config_read(8, PCI_INTERRUPT_PIN, 1), 1);
    config_write(8, 0x40, ~0u, 4); /* CFDD */
    assert_int_equal(config_read(8, 0x40, 4), 0xc000ff00);
}

static void registers_begin_as_the_manual_says(void **state)
{
    static const uint32_t values[] = {0xfe000000, 0xffffffff, 0xffffffff, 0,          0, 0xf0000000,
                                      0x32000040, 0xf3fe0000, 0xe0000000, 0xfffc83ff, 0, 0xfffe0000,
                                      0xc6,       0xffff0000, 0xffffffff, 0x8ff00000};
    (void)state;

    put(0, SWR);
    for (unsigned n = 0; n < ARRAY_LEN(values); n++) {
        assert_int_equal(card_read(1, n * 8, 4), values[n]);
        assert_int_equal(card_read(0, n * 8, 4), values[n]);
    }
}

static void what_is_not_there_is_not_written(void **state)
{
    (void)state;

    put(0, SWR);
    for (unsigned n = 1; n < 16; n++)
        if (n != 6)
            put(n, n == 12 ? 0 : ~0u);
    assert_int_equal(csr(3), 0xfffffffc);
    assert_int_equal(csr(4), 0xfffffffc);
    assert_int_equal(csr(5), 0xf0000000);
    assert_int_equal(csr(7), 0xf3fe0000 | ALL);
    assert_int_equal(csr(8), 0xe0000000);
    put(6, ~0u & ~(uint32_t)(SR | ST));
    assert_int_equal(csr(6), (0xc5eefeeau | 0x32000000) & ~(uint32_t)(SR | ST));
    card_write(1, 4, 0x8000, 4); /* between two, and behind the last */
    card_write(1, 0x80, 1, 4);
    assert_int_equal(card_read(1, 4, 4), 0);
    assert_int_equal(card_read(1, 0x3fc, 4), 0);
    assert_int_equal(csr(0), 0xfe000000);
}

static void registers_may_be_written_in_parts(void **state)
{
    (void)state;

    put(0, SWR);
    card_write(0, 15 * 8, 0x1234, 2);
    assert_int_equal(csr(15), 0x8ff01234);
    card_write(0, 15 * 8 + 2, 0x05, 1);
    assert_int_equal(csr(15), 0x8f051234);
    assert_int_equal(card_read(1, 15 * 8 + 1, 1), 0x12);
    assert_int_equal(card_read(1, 15 * 8 + 2, 2), 0x8f05);
    put(4, tx_ring);
    word_put(tx_ring, 0);
    put(6, ST); /* TU */
    card_write(1, 5 * 8 + 1, 0xff, 1);
    assert_true(csr(5) & TU);
    card_write(1, 5 * 8, TU, 1);
    assert_false(csr(5) & TU);
}

static void a_software_reset_keeps_the_port_and_nothing_else(void **state)
{
    (void)state;

    put(6, ST | SR | PS | PM);
    put(11, 0x10001);
    put(7, ~0u);
    send_frame(100);
    assert_true(rig.line[CARD_LINE]);
    put(0, SWR | BLE);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(csr(0), 0xfe000000);
    assert_int_equal(csr(6), 0x32000040 | PS);
    assert_int_equal(csr(5), 0xf0000000);
    wait_ns(NS_PER_MS);
    assert_int_equal(csr(5), 0xf0000000);
    device_reset(&nic->dev);
    config_write(8, PCI_BAR0 + 4, 0x40000000, 4);
    config_write(8, PCI_COMMAND, 7, 2);
    assert_int_equal(csr(6), 0x32000040);
}

static void causes_are_summed_up_as_they_are_enabled(void **state)
{
    (void)state;

    put(7, NIS | AIS);
    send_frame(100);
    assert_int_equal(csr(5) & ALL, TI | TU); /* neither is enabled: no sum, no interrupt */
    assert_false(rig.line[CARD_LINE]);
    put(7, TI);
    assert_int_equal(csr(5) & ALL, TI | TU | NIS);
    assert_false(rig.line[CARD_LINE]); /* the sum is not enabled */
    put(7, TI | AIS);
    assert_false(rig.line[CARD_LINE]);
    put(7, TI | NIS);
    assert_true(rig.line[CARD_LINE]);
    put(5, TU);
    assert_true(rig.line[CARD_LINE]);
    put(5, TI);
    assert_int_equal(csr(5) & ALL, 0);
    assert_false(rig.line[CARD_LINE]);
    put(7, TPS | AIS);
    put(6, SR);
    assert_int_equal(csr(5) & ALL, TPS | AIS);
    assert_true(rig.line[CARD_LINE]);
    config_write(8, PCI_COMMAND, 0x407, 2);
    assert_false(rig.line[CARD_LINE]);
}

static void lists_are_given_to_processes_that_have_stopped(void **state)
{
    (void)state;

    put(3, payload);
    put(4, payload);
    assert_int_equal(csr(3), rx_ring);
    assert_int_equal(csr(4), tx_ring);
    put(6, 0);
    put(3, payload + 3);
    put(4, payload);
    assert_int_equal(csr(3), payload);
    assert_int_equal(csr(4), payload);
}

static void the_timer_counts_down_once_or_for_ever(void **state)
{
    static const struct {
        uint32_t mode;
        vtime_t unit;
    } modes[] = {{0, 204800}, {PS, 81920}, {PS | TTM, 819200}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        put(6, modes[i].mode);
        put(11, 10);
        assert_int_equal(csr(11), 0xfffe000a);
        wait_ns(modes[i].unit * 3);
        assert_int_equal(csr(11) & 0xffff, 7);
        wait_ns(modes[i].unit * 7 - 1);
        assert_false(csr(5) & GTE);
        wait_ns(1);
        assert_true(csr(5) & GTE);
        assert_int_equal(csr(11) & 0xffff, 0);
        ack();
        wait_ns(modes[i].unit * 20);
        assert_false(csr(5) & GTE);
    }
    put(11, 0x10000 | 2);
    for (unsigned i = 0; i < 5; i++) {
        wait_ns(819200 * 2);
        assert_true(csr(5) & GTE);
        ack();
    }
    put(11, 0x10000); /* of no time: none */
    wait_ns(NS_PER_SEC);
    assert_false(csr(5) & GTE);
}

/* --- the serial ROM, and the PHY --- */

static unsigned rom_bit(unsigned wires, unsigned in)
{
    wires |= in ? 4 : 0;
    put(9, wires);
    put(9, wires | 2);
    unsigned out = csr(9) >> 3 & 1;
    put(9, wires);
    return out;
}

static unsigned rom_word(unsigned i, unsigned select)
{
    unsigned v = 0, command = 6u << 6 | i;

    put(9, select);
    for (unsigned n = 9; n-- > 0;)
        rom_bit(select | 1, command >> n & 1);
    assert_int_equal(csr(9) >> 3 & 1, select & 0x800 ? 0 : 1); /* a zero before the word */
    for (unsigned n = 0; n < 16; n++)
        v = v << 1 | rom_bit(select | 1, 0);
    put(9, select);
    return v;
}

static void the_serial_rom_has_what_drivers_look_for(void **state)
{
    uint8_t rom[128], crc = 0xff;
    (void)state;

    for (unsigned i = 0; i < 64; i++)
        store_le16(rom + 2 * i, (uint16_t)rom_word(i, 0x4800));
    assert_memory_equal(rom + 20, own, ETH_ALEN);
    assert_int_equal(load_le32(rom), config_read(8, PCI_SUBSYSTEM_VENDOR, 4));
    assert_int_equal(rom[18], 4); /* format */
    assert_int_equal(rom[19], 1); /* controllers */
    assert_int_equal(load_le16(rom + 126), crc32(0, rom, 126) & 0xffff);
    for (unsigned i = 0; i < 17; i++) /* words, upper byte first, without the byte for the CRC */
        for (unsigned bit = 8; bit-- > 0;) {
            unsigned in = rom[i == 16 ? 17 : i ^ 1] >> bit & 1;
            crc = (uint8_t)(crc << 1 ^ (in ^ crc >> 7 ? 7 : 0));
        }
    assert_int_equal(rom[16], crc);
    const uint8_t *leaf = rom + load_le16(rom + 27);
    assert_int_equal(load_le16(leaf), 0x0800);
    assert_int_equal(leaf[2], 1);
    assert_int_equal(leaf[3], 0x8d); /* a block of 13 bytes, */
    assert_int_equal(leaf[4], 3);    /* for a PHY on the MII */
    assert_int_equal(load_le16(leaf + 10), 0x01e0);
}

static void the_serial_rom_is_read_when_it_is_selected(void **state)
{
    (void)state;

    assert_int_equal(rom_word(10, 0x4000), 0xffff);
    assert_int_equal(rom_word(10, 0x4800), load_le16(own));
}

/* One bit of a management frame; what the wire was just before. */
static unsigned mii_bit(unsigned wires)
{
    put(9, wires);
    unsigned out = csr(9) >> 19 & 1;
    put(9, wires | 1 << 16);
    return out;
}

static void mii_out(uint32_t bits, unsigned n)
{
    while (n-- > 0)
        mii_bit(bits >> n & 1 ? 1u << 17 : 0);
}

static unsigned mii_get(unsigned phy, unsigned reg)
{
    unsigned v = 0;

    mii_out(~0u, 32);
    mii_out(6u << 10 | phy << 5 | reg, 14);
    for (unsigned n = 0; n < 19; n++)
        v = v << 1 | mii_bit(1 << 18);
    assert_int_equal(v & 1, 1);                  /* nobody drives it any more */
    assert_int_equal(v >> 17, phy == 1 ? 2 : 3); /* the turnaround */
    return v >> 1 & 0xffff;
}

static void mii_put(unsigned phy, unsigned reg, uint16_t value)
{
    mii_out(~0u, 32);
    mii_out(5u << 28 | phy << 23 | reg << 18 | 2u << 16 | value, 32);
    mii_bit(1 << 18);
}

static void cable(bool up)
{
    port_set_up(&nic->port, up);
    wait_ns(0);
}

static void a_phy_answers_at_its_address(void **state)
{
    (void)state;

    assert_int_equal(mii_get(1, 0), 0x3100);
    assert_int_equal(mii_get(1, 1), 0x786d);
    assert_int_equal(mii_get(1, 2), 0x2000);
    assert_int_equal(mii_get(1, 3), 0x5c01);
    assert_int_equal(mii_get(1, 4), 0x01e1);
    assert_int_equal(mii_get(1, 5), 0x45e1);
    assert_int_equal(mii_get(1, 6), 1);
    assert_int_equal(mii_get(1, 31), 0);
    assert_int_equal(mii_get(0, 1), 0xffff);
    mii_put(1, 4, 0x0041);
    mii_put(2, 4, 0x1234);
    mii_put(1, 1, 0x1234);
    assert_int_equal(mii_get(1, 4), 0x0041);
    mii_put(1, 0, 0xffff & ~0x8000);
    assert_int_equal(mii_get(1, 0), 0x7d80); /* negotiated anew already */
    assert_int_equal(mii_get(1, 1), 0x7849); /* isolated, and off: no link */
    assert_int_equal(mii_get(1, 5), 0);
    mii_put(1, 0, 0x8000);
    assert_int_equal(mii_get(1, 0), 0x3100);
    assert_int_equal(mii_get(1, 4), 0x01e1);
    put(0, SWR); /* is not the PHY's */
    mii_put(1, 0, 0x0100);
    assert_int_equal(mii_get(1, 1), 0x784d); /* nothing was negotiated */
    put(0, SWR);
    assert_int_equal(mii_get(1, 0), 0x0100);
}

static void frames_that_make_no_sense_are_passed_over(void **state)
{
    (void)state;

    mii_out(0, 32);                     /* zeroes are no start, */
    mii_out(4u << 10 | 1 << 5 | 2, 14); /* nor are these operations */
    mii_out(7u << 10 | 1 << 5 | 2, 14);
    assert_int_equal(mii_get(1, 2), 0x2000);
    mii_bit(1 << 18); /* a wire that nobody drives is high, */
    mii_out(3, 2);
    mii_out(5u << 28 | 1 << 23 | 4 << 18 | 2u << 16 | 0x0061, 32); /* and two ones are enough */
    assert_int_equal(mii_get(1, 4), 0x0061);
}

static void that_the_link_was_lost_shows_once(void **state)
{
    (void)state;

    put(7, ~0u);
    cable(false);
    assert_int_equal(mii_get(1, 1), 0x7849);
    assert_int_equal(mii_get(1, 1), 0x7849);
    assert_int_equal(mii_get(1, 5), 0);
    cable(true);
    assert_int_equal(mii_get(1, 1), 0x7869);
    assert_int_equal(mii_get(1, 1), 0x786d);
    cable(false);
    cable(true);
    assert_int_equal(mii_get(1, 1), 0x7869);
    put(6, ST | SR | PS); /* the MII: no interrupt tells */
    ack();
    cable(false);
    assert_int_equal(csr(5) & (LC | LNF | ANC), 0);
}

/* --- the SIA --- */

static void the_link_shows_at_the_port_that_is_selected(void **state)
{
    (void)state;

    assert_int_equal(csr(12), 0xc6); /* the SIA is in reset */
    put(6, ST | SR | PS | PCS);
    assert_int_equal(csr(12), 0xc4);
    cable(false);
    assert_int_equal(csr(12), 0xc6);
    assert_int_equal(csr(5) & (LC | LNF | ANC), LC);
    ack();
    cable(true);
    assert_int_equal(csr(5) & (LC | LNF | ANC), LC);
    ack();
    put(6, ST | SR);
    put(14, 0);
    put(13, 1);
    assert_int_equal(csr(12), 0xc2); /* 10BASE-T */
    cable(false);
    assert_int_equal(csr(5) & (LC | LNF | ANC), LNF);
    ack();
    cable(true);
    assert_int_equal(csr(5) & (LC | LNF | ANC), ANC);
}

static void negotiating_takes_its_time_and_gives_the_partners_word(void **state)
{
    (void)state;

    put(12, 1 << 12); /* the SIA is in reset */
    wait_ns(NS_PER_SEC);
    assert_int_equal(csr(12) >> 12 & 7, 0);
    put(13, 1);
    put(14, 0x3ffff);
    put(12, 1 << 12);
    assert_int_equal(csr(12) >> 12 & 7, 1);
    assert_false(csr(5) & ANC);
    wait_ns(NS_PER_SEC);
    assert_int_equal(csr(12), 0x45e1d0c4);
    assert_true(csr(5) & ANC);
    ack();
    put(12, 0); /* only one writes */
    assert_int_equal(csr(12), 0x45e1d0c4);
    cable(false);
    assert_int_equal(csr(12), 0x20c6);
    assert_true(csr(5) & LNF);
    cable(true);
    assert_false(csr(5) & ANC);
    wait_ns(NS_PER_SEC);
    assert_true(csr(5) & ANC);
    put(14, 0x3ff7f);
    assert_int_equal(csr(12), 0xc2);
    put(14, 0x3ffff);
    put(12, 1 << 12);
    put(13, 0);
    ack();
    wait_ns(NS_PER_SEC);
    assert_false(csr(5) & ANC);
}

/* --- sending --- */

static void a_descriptor_is_a_frame(void **state)
{
    (void)state;

    put(7, NIS | TI);
    send_frame(200);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 200);
    assert_int_equal(status(tx_ring, 1), 0);
    assert_int_equal(csr(5) & (ALL | STATES), TI | TU | NIS | TX_SUSPENDED | RX_WAITS);
    assert_true(rig.line[CARD_LINE]);
    ack();
    send_part(FS | LS | 200, payload); /* without IC */
    demand();
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(csr(5) & ALL, TU);
    send_part(FS | LS | IC | 10, payload); /* what is short is padded */
    demand();
    assert_int_equal(nic->port.stats.drops[DROP_RUNT], 1);
    send_part(FS | LS | IC | 20, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 2)->len, 60);
}

static void the_ring_goes_round(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 3 * N; i++)
        send_frame(100 + i);
    assert_int_equal(rig_sent(&rig), 3 * N);
    assert_int_equal(rig_frame(&rig, 3 * N - 1)->len, 100 + 3 * N - 1);
    rig_forget(&rig);
    for (unsigned i = 0; i < N; i++) /* all of it at once */
        send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(rig_sent(&rig), N);
}

static void a_packet_may_be_in_several_descriptors_of_two_buffers(void **state)
{
    (void)state;

    card_fill(at(payload), 600, stranger);
    give_at(tx_ring + 16, FS | 5 | 15 << 11, payload, payload + 5);
    give_at(tx_ring + 32, 0, payload, payload); /* of nothing */
    give_at(tx_ring + 48, RING_END | LS | IC | 0 | 580 << 11, BAD, payload + 20);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 600);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 600);
    assert_int_equal(status(tx_ring, 1), 0);
    assert_int_equal(status(tx_ring, 3), 0);
    tx_next = 0;
    send_part(LS | 100, payload); /* with no beginning */
    send_part(FS | 50, payload);  /* with no end */
    send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(rig_frame(&rig, 1)->len, 100);
    ack();
    send_part(FS | IC | 50, payload); /* whose end comes later */
    demand();
    assert_false(csr(5) & TI);
    send_part(LS | IC | 50, payload + 50);
    demand();
    assert_int_equal(rig_sent(&rig), 3);
    assert_int_equal(rig_frame(&rig, 2)->len, 100);
}

static void lists_may_be_chains(void **state)
{
    uint32_t a = payload + 8192, b = payload + 8192 + 100, c = payload + 8192 + 200;
    (void)state;

    put(6, SR);
    give_at(a, CHAINED | FS | LS | 100 | 50 << 11, payload, b + 3); /* no second buffer; aligned */
    give_at(b, CHAINED | FS | LS | 101, payload, c);
    give_at(c, CHAINED | RING_END | FS | LS | 102, payload, BAD); /* the end of a ring wins */
    put(4, a);
    put(6, SR | ST);
    assert_int_equal(rig_sent(&rig), 3);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    assert_int_equal(rig_frame(&rig, 2)->len, 102);
    give_at(a, CHAINED | FS | LS | 103, payload, a); /* itself */
    demand();
    assert_int_equal(rig_sent(&rig), 4);
    assert_int_equal(csr(5) & (7 << 20), TX_SUSPENDED);
}

static void longwords_may_be_skipped(void **state)
{
    (void)state;

    start(31 << 2, 0);
    send_frame(100);
    send_frame(101);
    send_frame(102);
    send_frame(103); /* at the start again */
    card_receive(own, 100);
    card_receive(own, 101);
    assert_int_equal(rig_sent(&rig), 4);
    assert_int_equal(status(rx_ring, 1) >> 16, 105);
}

static void descriptors_may_be_big_endian(void **state)
{
    (void)state;

    start(DBO, 0);
    send_frame(300);
    card_receive(own, 100);
    assert_int_equal(rig_frame(&rig, 0)->len, 300);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 300);
    assert_int_equal(load_be32(at(tx_ring + 16)), 0);
    assert_int_equal(load_be32(at(rx_ring)), 104u << 16 | WHOLE);
    assert_int_equal(at(buffers)[50], 50);
}

/* The same bytes, turned round in each longword. */
static void turn(uint32_t addr, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 4)
        store_be32(at(addr + i), load_le32(at(addr + i)));
}

static void buffers_may_be_big_endian(void **state)
{
    uint8_t sent[303];
    (void)state;

    start(BLE, PR);
    card_fill(at(payload + 1), 303, stranger);
    memcpy(sent, at(payload + 1), sizeof(sent));
    turn(payload, 304);
    send_part(FS | LS | 303, payload + 1);
    demand();
    assert_int_equal(rig_frame(&rig, 0)->len, 303);
    assert_memory_equal(rig_frame(&rig, 0)->data, sent, 303);
    memset(at(buffers), 0x77, 256);
    card_receive(own, 102);
    assert_int_equal(status(rx_ring, 0) >> 16, 106 | FF >> 16);
    turn(buffers, 112);
    assert_memory_equal(at(buffers), own, ETH_ALEN);
    assert_int_equal(at(buffers)[101], 101);
    assert_int_equal(at(buffers)[106], 0x77);
    setup_entry(0, own);
    turn(setup_at, 192);
    setup_send(0); /* so is this */
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 1), 104u << 16 | WHOLE);
}

static void a_driver_may_send_its_own_crc(void **state)
{
    (void)state;

    card_fill(at(payload), 100, stranger);
    store_le32(at(payload) + 100, (uint32_t)crc32(0, at(payload), 100));
    send_part(FS | AC | LS | 104, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    at(payload)[50] ^= 1;
    send_part(FS | AC | LS | 104, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
    send_part(FS | 52, payload);
    send_part(AC | LS | 52, payload + 52); /* the first says it */
    demand();
    assert_int_equal(rig_frame(&rig, 1)->len, 104);
    send_part(FS | AC | LS | 50, payload); /* padded, and so with a CRC */
    demand();
    assert_int_equal(rig_frame(&rig, 2)->len, 60);
    send_part(FS | AC | DPD | LS | 50, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 3);
}

static void a_packet_over_several_descriptors_stays_in_its_buffer(void **state) /* CVE-2015-3209 */
{
    (void)state;

    ack();
    give_at(tx_ring + 16, FS | 2047 | 2047 << 11, payload, payload);
    give_at(tx_ring + 32, 2047 | 2047 << 11, payload, payload);
    give_at(tx_ring + 48, RING_END | LS | IC | 2047 | 2047 << 11, payload, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 1);
    assert_int_equal(status(tx_ring, 3), JABBER | ES);
    assert_int_equal(csr(5) & (7 << 20), 0); /* stopped */
    assert_int_equal(csr(5) & (TJT | TPS | TU), TJT | TPS);
    tx_next = 0;
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    put(6, SR);
    put(6, SR | ST);
    assert_int_equal(rig_sent(&rig), 1);
    send_part(FS | 2040, payload);
    send_part(LS | 520, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 1)->len, 2560);
}

static void an_empty_ring_suspends_and_a_demand_resumes(void **state)
{
    (void)state;

    demand();
    assert_int_equal(csr(5) & (ALL | 7 << 20), TU | TX_SUSPENDED);
    put(6, SR);
    assert_int_equal(csr(5) & (ALL | 7 << 20), TU | TPS);
    ack();
    put(6, SR);
    assert_int_equal(csr(5) & ALL, 0); /* it did not run */
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    put(6, SR | ST); /* where it was */
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(csr(1), 0xffffffff);
    send_part(FS | 50, payload);
    demand();
    put(6, SR);
    put(6, SR | ST);
    send_part(LS | 50, payload); /* its beginning was given up */
    send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 2);
}

static void setup_frames_are_of_one_size_and_four_kinds(void **state)
{
    static const uint32_t kinds[][2] = {{0, 0}, {HASH, HP}, {INVERSE, IF}, {HASH_ONLY, HP | HO}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        uint32_t at_slot = tx_next;
        ack();
        setup_send(kinds[i][0] | (i & 1 ? IC : 0));
        assert_int_equal(csr(6) & (HP | HO | IF), kinds[i][1]);
        assert_int_equal(status(tx_ring, at_slot), 0x7fffffff);
        assert_int_equal(csr(5) & TI, i & 1);
    }
    put(6, ST | SR | HP | IF); /* are not to be written */
    assert_int_equal(csr(6) & (HP | HO | IF), HP | HO);
    send_part(SETUP | 191, setup_at);
    send_part(SETUP | 0, setup_at);
    send_part(SETUP | 193, setup_at);
    demand();
    assert_int_equal(csr(6) & (HP | HO | IF), HP | HO);
    assert_int_equal(rig_sent(&rig), 0);
}

static void expect_fatal(void)
{
    assert_int_equal(csr(5) & (FBE | STATES | BUS_ERROR), FBE | MASTER_ABORT);
    ack();
    put(6, 0);
    put(6, SR | ST); /* nothing goes until a reset */
    demand();
    put(2, 1);
    card_receive(own, 100);
    assert_int_equal(csr(5) & (ALL | STATES), 0);
    rig_forget(&rig);
    start(0, 0);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
    rig_forget(&rig);
}

static void what_is_not_ram_is_a_fatal_bus_error(void **state)
{
    (void)state;

    send_part(FS | LS | 100, BAD);
    demand();
    expect_fatal();
    send_part(SETUP | 192, BAD);
    demand();
    expect_fatal();
    put(6, SR);
    put(4, BAD);
    put(6, SR | ST);
    expect_fatal();
    put(6, ST);
    put(3, 0xfffffffc);
    put(6, ST | SR);
    expect_fatal();
    give(rx_ring, 0, BUFFER, BAD);
    card_receive(own, 100);
    expect_fatal();
    give_at(rx_ring, CHAINED | 64, buffers, BAD);
    card_receive(own, 100);
    expect_fatal();
    give_at(tx_ring + 16 * tx_next, CHAINED | FS | LS | 64, payload,
            RIG_RAM_BASE + RIG_RAM_SIZE - 8);
    demand();
    rig_forget(&rig);
    expect_fatal();
}

static void without_bus_mastering_memory_is_not_reached(void **state)
{
    (void)state;

    config_write(8, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status(tx_ring, 1), OWN);
    assert_true(csr(5) & FBE);
    config_write(8, PCI_COMMAND, 7, 2);
    expect_fatal();
}

/* Wherever it is: the card may not reach its own registers (CVE-2021-3416). */
static void buffers_in_its_own_registers_are_not_reached(void **state)
{
    uint32_t self = config_read(8, PCI_BAR0 + 4, 4);
    (void)state;

    give(rx_ring, 0, BUFFER, self);
    card_receive(own, 100);
    expect_fatal();
    put(6, 0);
    put(4, self);
    put(6, ST);
    expect_fatal();
}

static void a_list_without_end_is_taken_in_pieces(void **state) /* CVE-2016-8910 */
{
    unsigned sent;
    (void)state;

    put(6, 0);
    memset(at((uint32_t)RIG_RAM_BASE), 0xff, RIG_RAM_SIZE);
    for (uint32_t i = 0; i < 4096; i++)
        give_at((uint32_t)RIG_RAM_BASE + i * 16, FS | LS | 100, payload, 0);
    put(4, (uint32_t)RIG_RAM_BASE);
    put(6, ST);
    assert_int_equal(csr(5) & (7 << 20), 1 << 20); /* it runs on */
    sent = rig_sent(&rig);
    assert_in_range(sent, 1, 300);
    demand(); /* not before its time */
    assert_int_equal(rig_sent(&rig), sent);
    wait_ns(10 * NS_PER_US);
    assert_int_equal(rig_sent(&rig), 2 * sent);
    put(6, 0);
    rig_forget(&rig);
    wait_ns(NS_PER_MS);
    assert_int_equal(rig_sent(&rig), 0);
}

/* --- receiving --- */

static void a_frame_fills_the_next_buffer_with_its_crc(void **state)
{
    uint8_t copy[200];
    (void)state;

    put(7, NIS | RI);
    card_receive(own, 200);
    assert_int_equal(status(rx_ring, 0), 204u << 16 | WHOLE);
    memcpy(copy, at(buffers), 200);
    assert_int_equal(load_le32(at(buffers) + 200), crc32(0, copy, 200));
    assert_int_equal(csr(5) & (ALL | 7 << 17), RI | NIS | RX_WAITS);
    assert_true(rig.line[CARD_LINE]);
    card_receive(everyone, 60);
    assert_int_equal(status(rx_ring, 1), 64u << 16 | WHOLE | MF);
    card_receive(own, 1514);
    assert_int_equal(status(rx_ring, 2), 1518u << 16 | WHOLE);
    card_receive(own, 1518); /* with a tag, it may be: told as too long all the same */
    assert_int_equal(status(rx_ring, 3), 1522u << 16 | WHOLE | TL | ES);
    rx_give(0);
    put(2, 1);
    struct frame *f = frame_new(60);
    f->len = 60;
    card_fill(f->data, 60, own);
    store_be16(f->data + 12, 46);
    rig_receive(&rig, &nic->port, f);
    wait_ns(20000);
    frame_unref(f);
    assert_int_equal(status(rx_ring, 0), 64u << 16 | FIRST | LAST); /* a length, not a type */
}

static void a_long_frame_takes_as_many_buffers_as_it_needs(void **state)
{
    (void)state;

    memset(at(buffers), 0x77, 4 * BUFFER);
    give_at(rx_ring, 100 | 200 << 11, buffers, buffers + 512);
    give_at(rx_ring + 16, 0, buffers, buffers); /* of nothing */
    give_at(rx_ring + 32, 0 | 300 << 11, BAD, buffers + 1024);
    card_receive(own, 596); /* with the CRC it is just full (CVE-2015-7504) */
    assert_int_equal(status(rx_ring, 0), FIRST);
    assert_int_equal(status(rx_ring, 1), 0);
    assert_int_equal(status(rx_ring, 2), 600u << 16 | LAST | FT);
    assert_int_equal(status(rx_ring, 3), OWN);
    assert_int_equal(at(buffers)[99], 99);
    assert_int_equal(at(buffers)[100], 0x77);
    assert_int_equal(at(buffers + 512)[0], 100);
    assert_int_equal(at(buffers + 1024)[0], (uint8_t)300);
    assert_int_equal(at(buffers + 1024)[300], 0x77);
}

static void what_does_not_fit_is_a_descriptor_error(void **state)
{
    (void)state;

    give(rx_ring, 0, 64, buffers);
    word_put(rx_ring + 16, 0);
    memset(at(buffers), 0x77, 128);
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 0), 104u << 16 | WHOLE | DE | ES);
    assert_int_equal(at(buffers)[63], 63);
    assert_int_equal(at(buffers)[64], 0x77);
    assert_int_equal(csr(5) & (RI | RU | 7 << 17), RI | RU | RX_SUSPENDED);
}

static void lists_that_loop_end(void **state)
{
    (void)state;

    put(6, ST);
    give_at(rx_ring, CHAINED | 16, buffers, rx_ring); /* itself */
    put(3, rx_ring);
    put(6, ST | SR);
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 0), 104u << 16 | WHOLE | DE | ES);
    put(6, ST);
    for (uint32_t i = 0; i < 4000; i++) /* descriptors without room, and without end */
        give_at(payload + i % 1000 * 16, i % 1000 == 999 ? RING_END : 0, buffers, 0);
    put(3, payload);
    put(6, ST | SR);
    card_receive(own, 100);
    assert_int_equal(word(payload), FIRST);
    assert_int_equal(word(payload + 255 * 16), 104u << 16 | LAST | FT | DE | ES);
    assert_int_equal(word(payload + 256 * 16), OWN);
    put(6, ST);
    give_at(rx_ring, CHAINED | 64, rx_ring + 16, rx_ring + 16); /* what is stored undoes the next */
    rx_give(1);
    put(3, rx_ring);
    put(6, ST | SR);
    card_receive(own, 600);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
}

static void without_buffers_a_frame_waits_and_is_then_missed(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N; i++)
        card_receive(own, 100 + i);
    assert_int_equal(csr(5) & (RU | 7 << 17), RU | RX_SUSPENDED); /* before another comes */
    ack();
    card_receive(own, 100 + N);
    assert_false(csr(5) & RU); /* told once */
    rx_give(0);
    wait_ns(10 * NS_PER_MS);
    assert_int_equal(status(rx_ring, 0) >> 16, 104 + N); /* found by looking */
    assert_true(csr(5) & RU);
    card_receive(own, 200);
    rx_give(1);
    put(2, 1);
    wait_ns(0);
    assert_int_equal(status(rx_ring, 1) >> 16, 204); /* on demand */
    assert_int_equal(csr(8), 0xe0000000);
    card_receive(own, 300);
    card_receive(own, 301);
    wait_ns(100 * NS_PER_MS);
    assert_int_equal(csr(8), 0xe0000002);
    assert_int_equal(csr(8), 0xe0000000); /* cleared by reading */
    rx_give(2);
    put(2, 1);
    card_receive(own, 400);
    assert_int_equal(status(rx_ring, 2) >> 16, 404);
    assert_int_equal(csr(2), 0xffffffff);
}

static void the_counter_of_missed_frames_overflows(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < N; i++)
        card_receive(own, 60);
    for (uint32_t i = 0; i < 0x10002; i++) {
        card_receive(own, 60);
        if (i % 1000 == 999)
            wait_ns(100 * NS_PER_SEC);
    }
    wait_ns(100 * NS_PER_SEC);
    assert_int_equal(csr(8), 0xe0010002);
    assert_int_equal(csr(8), 0xe0000000);
}

static void a_process_that_was_stopped_takes_nothing(void **state)
{
    (void)state;

    put(6, ST);
    assert_int_equal(csr(5) & (ALL | 7 << 17), RPS);
    ack();
    put(6, ST);
    card_receive(own, 100);
    put(2, 1);
    assert_int_equal(status(rx_ring, 0), OWN);
    assert_int_equal(csr(5) & ALL, 0);
    put(6, ST | SR);
    card_receive(own, 100);
    card_receive(own, 100);
    put(6, ST);
    put(6, ST | SR); /* it goes on where it was */
    card_receive(own, 200);
    assert_int_equal(status(rx_ring, 2) >> 16, 204);
    word_put(rx_ring + 48, 0);
    put(6, ST);
    ack();
    put(6, ST | SR); /* an empty list */
    assert_int_equal(csr(5) & (RU | 7 << 17), RU | RX_SUSPENDED);
    card_receive(own, 300);
    put(6, ST); /* with a frame that waits */
    wait_ns(NS_PER_MS);
    rx_give(3);
    put(6, ST | SR);
    card_receive(own, 400);
    assert_int_equal(status(rx_ring, 3) >> 16, 404);
}

static void the_watchdog_cuts_frames(void **state)
{
    (void)state;

    card_receive(own, 2556);
    assert_int_equal(status(rx_ring, 1), 2560u << 16 | LAST | FT | TL | ES);
    assert_false(csr(5) & RWT);
    card_receive(own, 9000); /* CVE-2015-7512 */
    assert_int_equal(status(rx_ring, 3), 2560u << 16 | LAST | FT | TL | RW | ES);
    assert_true(csr(5) & RWT);
    for (uint32_t i = 0; i < N; i++)
        rx_give(i);
    put(15, 0x10); /* RWD */
    put(2, 1);
    ack();
    card_receive(own, 4000);
    assert_int_equal(status(rx_ring, 2), 4004u << 16 | LAST | FT | TL | ES);
    assert_false(csr(5) & RWT);
    card_receive(own, 4097);
    assert_int_equal(status(rx_ring, 3), OWN);
}

/* --- filters --- */

/* Whether a frame is let in; *told: its status. */
static bool lets_in(const uint8_t *to, uint32_t *told)
{
    uint32_t i;

    for (i = 0; i < N; i++)
        rx_give(i);
    put(2, 1);
    card_receive(to, 100);
    for (i = 0; i < N && (status(rx_ring, i) & OWN); i++)
        ;
    if (i == N)
        return false;
    *told = status(rx_ring, i);
    return true;
}

static bool takes(const uint8_t *to)
{
    uint32_t told;

    return lets_in(to, &told) && !(told & FF) && !(told & MF) == !(to[0] & 1);
}

static bool fails_filter(const uint8_t *to)
{
    uint32_t told;

    return lets_in(to, &told) && (told & FF);
}

static void sixteen_addresses_are_let_in(void **state)
{
    uint8_t mac[ETH_ALEN];
    (void)state;

    for (unsigned i = 0; i < 16; i++) {
        memcpy(mac, own, ETH_ALEN);
        mac[i % ETH_ALEN] ^= (uint8_t)(i * 2 + 2);
        setup_entry(i * 12, mac);
    }
    setup_send(0);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(mac, own, ETH_ALEN);
        mac[i % ETH_ALEN] ^= (uint8_t)(i * 2 + 2);
        assert_true(takes(mac));
    }
    assert_false(takes(own));
    assert_false(takes(everyone)); /* which is a group like any other */
    assert_false(takes(group));
    setup_perfect(own, group, 0);
    assert_true(takes(own));
    assert_true(takes(group));
    assert_false(takes(everyone));
}

static void or_all_but_sixteen(void **state)
{
    (void)state;

    setup_perfect(own, group, INVERSE);
    assert_false(takes(own));
    assert_false(takes(group));
    assert_true(takes(everyone));
    assert_true(takes(stranger));
}

static void hash_put(const uint8_t *mac)
{
    uint32_t bit = ~(uint32_t)crc32(0, mac, ETH_ALEN) & 511;

    at(setup_at)[bit / 16 * 4 + bit % 16 / 8] |= (uint8_t)(1u << bit % 8);
}

static void groups_may_be_hashed_and_all_may_be(void **state)
{
    (void)state;

    memset(at(setup_at), 0, 192);
    hash_put(group);
    hash_put(stranger);
    setup_entry(156, own);
    setup_send(HASH);
    assert_true(takes(group));
    assert_true(takes(own));
    assert_false(takes(stranger));
    assert_false(takes(everyone));
    setup_send(HASH_ONLY);
    assert_true(takes(group));
    assert_true(takes(stranger));
    assert_false(takes(own));
    assert_false(takes(everyone));
}

/* 255, as drivers have it. */
static void everyone_is_a_known_bit_of_the_hash(void **state)
{
    (void)state;

    memset(at(setup_at), 0, 192);
    at(setup_at)[255 / 16 * 4 + 1] = 0x80;
    setup_send(HASH);
    assert_true(takes(everyone));
}

static void modes_let_in_what_the_filter_does_not(void **state)
{
    (void)state;

    put(6, ST | SR | PM);
    assert_true(takes(group));
    assert_true(takes(own));
    assert_false(takes(stranger));
    put(6, ST | SR | PR);
    assert_true(fails_filter(stranger));
    assert_true(fails_filter(group));
    assert_true(takes(own));
    put(6, ST | SR | RA);
    assert_true(fails_filter(stranger));
    assert_true(fails_filter(group));
    assert_true(takes(everyone));
    put(6, ST | SR);
    assert_false(fails_filter(stranger));
}

/* --- loopback --- */

static void what_loops_back_comes_later_and_alone(void **state)
{
    static const uint32_t modes[][2] = {{INTERNAL, 1 << 12}, {EXTERNAL, 2 << 12}, {0, 2 << 12}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        start(0, modes[i][0]);
        if (!modes[i][0])
            mii_put(1, 0, 0x4000); /* the PHY's own */
        card_fill(at(payload), 200, own);
        send_part(FS | LS | IC | 200, payload);
        demand();
        assert_int_equal(rig_sent(&rig), 0);
        assert_int_equal(status(rx_ring, 0),
                         OWN); /* not within the driver's write (CVE-2021-20257) */
        wait_ns(NS_PER_MS);
        assert_int_equal(status(rx_ring, 0), 204u << 16 | WHOLE | modes[i][1]);
        assert_int_equal(csr(5) & (TI | RI), TI | RI);
        card_receive(own, 100);
        assert_int_equal(status(rx_ring, 1), OWN);
        send_frame(100); /* the filter stays */
        wait_ns(NS_PER_MS);
        assert_int_equal(status(rx_ring, 1), OWN);
        assert_int_equal(rig_sent(&rig), 0);
    }
    for (unsigned i = 0; i < 400; i++) { /* more than it keeps */
        card_fill(at(payload), 200, own);
        send_part(FS | LS | 200, payload);
        demand();
    }
    assert_in_range(frame_alive(), 1, 260);
}

/* --- life --- */

static void a_card_that_holds_a_frame_can_go(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 3; i++)
        card_receive(own, 100);
    send_part(FS | 100, payload);
    demand();
}

static void a_clone_goes_on_with_an_address_of_its_own(void **state)
{
    struct nic_config c = {.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x99}};
    struct err err = {0};
    struct nic *first = nic,
               *other = nic_model_find("tulip")->create(&rig.env, "h2.eth0", &c, &err);
    (void)state;

    pci_attach(&host, other->pci, NULL, 16);
    port_attach(&other->port, lan, &lan->link);
    card_fill(at(payload), 100, stranger);
    send_part(FS | 50, payload);
    demand();
    put(11, 5);
    device_clone(&other->dev, &first->dev);
    device_reset(&first->dev); /* both would answer */
    nic = other;
    assert_int_equal(csr(11), 0xfffe0005);
    wait_ns(5 * 204800);
    assert_true(csr(5) & GTE);
    send_part(LS | 50, payload + 50);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 100);
    card_receive(own, 100); /* until the driver has read its new one */
    assert_int_equal(status(rx_ring, 0) >> 16, 104);
    assert_int_equal(rom_word(12, 0x4800), 0x9934);
    nic = first;
    rig_forget(&rig);
    nic_destroy(other);
}

/* --- noise --- */

static void random_registers_and_lists_harm_nobody(void **state)
{
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "tulip");
    for (unsigned i = 0; i < 30000; i++) {
        unsigned n = (unsigned)rng_below(&g, 16);
        uint32_t v = (uint32_t)rng_next(&g);
        if (rng_below(&g, 50) == 0)
            start(v & (BLE | DBO | 0x7c), v & 0xc5eefe00);
        else if (rng_below(&g, 2))
            put(n, n == 3 || n == 4 ? rx_ring + (v & 4095) : v);
        else
            card_write(1, rng_below(&g, 128), v, 1);
        csr(n);
        for (unsigned k = 0; k < 8; k++)
            at((rng_below(&g, 2) ? tx_ring : rx_ring) + (uint32_t)rng_below(&g, N * 16))[0] =
                (uint8_t)rng_next(&g);
        card_receive(rng_below(&g, 2) ? own : everyone, 14 + (uint32_t)rng_below(&g, 5000));
        rig_forget(&rig);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_says_who_it_is),
        T(registers_begin_as_the_manual_says),
        T(what_is_not_there_is_not_written),
        T(registers_may_be_written_in_parts),
        T(a_software_reset_keeps_the_port_and_nothing_else),
        T(causes_are_summed_up_as_they_are_enabled),
        T(lists_are_given_to_processes_that_have_stopped),
        T(the_timer_counts_down_once_or_for_ever),
        T(the_serial_rom_has_what_drivers_look_for),
        T(the_serial_rom_is_read_when_it_is_selected),
        T(a_phy_answers_at_its_address),
        T(frames_that_make_no_sense_are_passed_over),
        T(that_the_link_was_lost_shows_once),
        T(the_link_shows_at_the_port_that_is_selected),
        T(negotiating_takes_its_time_and_gives_the_partners_word),
        T(a_descriptor_is_a_frame),
        T(the_ring_goes_round),
        T(a_packet_may_be_in_several_descriptors_of_two_buffers),
        T(lists_may_be_chains),
        T(longwords_may_be_skipped),
        T(descriptors_may_be_big_endian),
        T(buffers_may_be_big_endian),
        T(a_driver_may_send_its_own_crc),
        T(a_packet_over_several_descriptors_stays_in_its_buffer),
        T(an_empty_ring_suspends_and_a_demand_resumes),
        T(setup_frames_are_of_one_size_and_four_kinds),
        T(what_is_not_ram_is_a_fatal_bus_error),
        T(without_bus_mastering_memory_is_not_reached),
        T(buffers_in_its_own_registers_are_not_reached),
        T(a_list_without_end_is_taken_in_pieces),
        T(a_frame_fills_the_next_buffer_with_its_crc),
        T(a_long_frame_takes_as_many_buffers_as_it_needs),
        T(what_does_not_fit_is_a_descriptor_error),
        T(lists_that_loop_end),
        T(without_buffers_a_frame_waits_and_is_then_missed),
        T(the_counter_of_missed_frames_overflows),
        T(a_process_that_was_stopped_takes_nothing),
        T(the_watchdog_cuts_frames),
        T(sixteen_addresses_are_let_in),
        T(or_all_but_sixteen),
        T(groups_may_be_hashed_and_all_may_be),
        T(everyone_is_a_known_bit_of_the_hash),
        T(modes_let_in_what_the_filter_does_not),
        T(what_loops_back_comes_later_and_alone),
        T(a_card_that_holds_a_frame_can_go),
        T(a_clone_goes_on_with_an_address_of_its_own),
        T(random_registers_and_lists_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
