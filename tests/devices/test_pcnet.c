/* The pcnet without a driver: its registers of two widths, its rings in three layouts, and misuse.
 */
#include "pci_rig.h"

#include <zlib.h>

#include "sim/rng.h"

enum { RDP = 0x10, RESET16 = 0x14, RESET32 = 0x18 };
enum { INIT = 1, STRT = 2, STOP = 4, TDMD = 8, TXON = 0x10, RXON = 0x20, IENA = 0x40, INTR = 0x80 };
enum { IDON = 0x100, TINT = 0x200, RINT = 0x400, MERR = 0x800, MISS = 0x1000, BABL = 0x4000 };
enum { PROM = 0x8000, DRCVBC = 0x4000, DRCVPA = 0x2000, DXMTFCS = 8, LOOP = 4, DTX = 2, DRX = 1 };
#define N 4    /* descriptors in each ring */
#define CODE 2 /* N as a power of two */
#define BUFFER 256
#define OWN 0x80
#define STP 2
#define ENP 1

static const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
static const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

/* Style 0 can only name 16 MiB, so RAM is seen at 0 too, as it would be on a small machine. */
static bool (*ram_read)(struct dma *dma, uint64_t addr, void *buf, size_t len);
static bool (*ram_write)(struct dma *dma, uint64_t addr, const void *buf, size_t len);

static uint64_t in_ram(uint64_t addr)
{
    return addr < RIG_RAM_SIZE ? addr + RIG_RAM_BASE : addr;
}

static bool low_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    return ram_read(dma, in_ram(addr), buf, len);
}

static bool low_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    return ram_write(dma, in_ram(addr), buf, len);
}

static unsigned style;
static bool wide_registers;
static uint32_t block, rx_ring, tx_ring, buffers, payload, tx_next;

static unsigned width(void)
{
    return wide_registers ? 4 : 2;
}

static uint16_t indirect(unsigned at, unsigned n)
{
    card_write(0, RDP + width(), n, width());
    return (uint16_t)card_read(0, RDP + at * width(), width());
}

static void indirect_put(unsigned at, unsigned n, uint16_t value)
{
    card_write(0, RDP + width(), n, width());
    card_write(0, RDP + at * width(), value, width());
}

static uint16_t csr(unsigned n)
{
    return indirect(0, n);
}

static void put(unsigned n, uint16_t value)
{
    indirect_put(0, n, value);
}

static uint16_t bcr(unsigned n)
{
    return indirect(3, n);
}

static void bcr_put(unsigned n, uint16_t value)
{
    indirect_put(3, n, value);
}

static uint32_t low(uint64_t at)
{
    return (uint32_t)(at - RIG_RAM_BASE);
}

static uint8_t *at(uint32_t addr)
{
    return rig_at(&rig, addr + RIG_RAM_BASE);
}

/* --- descriptors, whatever their layout --- */

static uint8_t *descriptor(uint32_t ring, uint32_t i)
{
    return at(ring + i * (style ? 16 : 8));
}

static void give(uint32_t ring, uint32_t i, uint32_t address, uint32_t len, uint8_t status)
{
    uint8_t *w = descriptor(ring, i);
    uint16_t count = (uint16_t)(0xf000 | ((0x1000 - len) & 0xfff));

    if (style == 0) {
        store_le32(w, address | (uint32_t)status << 24);
        store_le16(w + 4, count);
        store_le16(w + 6, 0);
    } else {
        store_le32(w + (style == 3 ? 8 : 0), address);
        store_le32(w + 4, count | (uint32_t)status << 24);
        store_le32(w + (style == 3 ? 0 : 8), 0);
    }
}

static uint8_t status_of(uint32_t ring, uint32_t i)
{
    return descriptor(ring, i)[style ? 7 : 3];
}

static uint32_t message(uint32_t i)
{
    return load_le16(descriptor(rx_ring, i) + (style == 0 ? 6 : style == 3 ? 0 : 8));
}

/* --- bringing it up --- */

static void block_fill(uint16_t mode)
{
    uint8_t *b = at(block);

    memset(b, 0, 28);
    store_le16(b, mode);
    if (style) {
        b[2] = CODE << 4;
        b[3] = CODE << 4;
        memcpy(b + 4, own, ETH_ALEN);
        store_le32(b + 20, rx_ring);
        store_le32(b + 24, tx_ring);
    } else {
        memcpy(b + 2, own, ETH_ALEN);
        store_le32(b + 16, rx_ring | (uint32_t)CODE << 29);
        store_le32(b + 20, tx_ring | (uint32_t)CODE << 29);
    }
}

static void start(uint16_t mode)
{
    put(0, STOP);
    block_fill(mode);
    for (uint32_t i = 0; i < N; i++) {
        give(rx_ring, i, buffers + BUFFER * i, BUFFER, OWN);
        give(tx_ring, i, 0, 1, 0);
    }
    put(1, (uint16_t)block);
    put(2, (uint16_t)(block >> 16));
    put(0, INIT | STRT);
    put(0, IDON);
    tx_next = 0;
}

static void bring_up(unsigned of_style, bool wide)
{
    card_start("pcnet");
    ram_read = rig.dma.read;
    ram_write = rig.dma.write;
    rig.dma.read = low_read;
    rig.dma.write = low_write;
    block = low(rig_alloc(&rig, 64));
    rx_ring = low(rig_alloc(&rig, N * 16));
    tx_ring = low(rig_alloc(&rig, N * 16));
    buffers = low(rig_alloc(&rig, N * BUFFER));
    payload = low(rig_alloc(&rig, 8192));
    style = of_style;
    wide_registers = wide;
    if (wide)
        card_write(0, RDP, 0, 4);
    bcr_put(20, (uint16_t)style);
    start(0);
}

static int narrow(void **state)
{
    (void)state;
    bring_up(0, false);
    return 0;
}

static int wide2(void **state)
{
    (void)state;
    bring_up(2, true);
    return 0;
}

static int wide3(void **state)
{
    (void)state;
    bring_up(3, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

static void send_part(uint32_t address, uint32_t len, uint8_t status)
{
    give(tx_ring, tx_next, address, len, (uint8_t)(OWN | status));
    tx_next = (tx_next + 1) % N;
}

static void demand(void)
{
    put(0, (uint16_t)(TDMD | (csr(0) & IENA)));
}

static void send_frame(uint32_t len)
{
    card_fill(at(payload), len, stranger);
    send_part(payload, len, STP | ENP);
    demand();
}

static void ack(void)
{
    put(0, (uint16_t)(0x7f00 | (csr(0) & IENA)));
}

/* --- registers --- */

static void it_says_who_it_is(void **state)
{
    (void)state;

    assert_int_equal(csr(88), 0x1003);
    assert_int_equal(csr(89), 0x0262);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(card_read(0, i, 1), own[i]);
    assert_int_equal(card_read(0, 14, 1), 'W');
    assert_int_equal(card_read(0, 15, 1), 'W');
    uint16_t sum = 0;
    for (unsigned i = 0; i < 16; i++)
        sum = (uint16_t)(sum + (i == 12 || i == 13 ? 0 : card_read(0, i, 1)));
    assert_int_equal(card_read(0, 12, 2), sum);
}

static void registers_begin_as_the_data_sheet_says(void **state)
{
    static const uint16_t bcrs[][2] = {{0, 5},       {1, 5},      {2, 2},       {5, 0x84},
                                       {6, 0x88},    {7, 0x90},   {18, 0x9001}, {19, 2},
                                       {20, 0x0200}, {22, 0xff06}};
    (void)state;

    device_reset(&nic->dev);
    config_write(1u << 3, PCI_BAR0, 0x1000, 4);
    config_write(1u << 3, PCI_COMMAND, 7, 2);
    wide_registers = false;
    assert_int_equal(csr(0), STOP);
    assert_int_equal(csr(3), 0);
    assert_int_equal(csr(4), 0x0115);
    assert_int_equal(csr(58), 0x0200);
    assert_int_equal(csr(80), 0x1410);
    for (unsigned i = 0; i < ARRAY_LEN(bcrs); i++)
        assert_int_equal(bcr(bcrs[i][0]), bcrs[i][1]);
    assert_int_equal(csr(12), load_le16(own)); /* from the EEPROM */
}

static void the_first_write_of_32_bits_makes_registers_wide(void **state)
{
    (void)state;

    card_write(0, RDP, 0, 4);
    assert_int_equal(card_read(0, 0x14, 4), 0); /* RAP is there now */
    wide_registers = true;
    assert_true(bcr(18) & 0x80);
    bcr_put(18, 0x0860);
    assert_int_equal(bcr(18), 0x08e0); /* DWIO is not to be written */
    card_read(0, RESET32, 4);
    assert_int_equal(csr(0), STOP);
    assert_true(bcr(18) & 0x80); /* and stays */
}

static void a_read_resets_all_but_where_and_how(void **state)
{
    uint16_t was = bcr(20);
    (void)state;

    bcr_put(9, 1);
    put(3, 0x5f00);
    card_read(0, wide_registers ? RESET32 : RESET16, width());
    assert_int_equal(csr(0), STOP);
    assert_int_equal(csr(3), 0);
    assert_int_equal(csr(15), 0);
    assert_int_equal(bcr(9), 1);
    assert_int_equal(bcr(20), was);
    put(0, STRT); /* rings and addresses are still there */
    card_receive(own, 100);
    assert_int_equal(message(0), 104);
}

static void the_address_prom_is_written_only_when_enabled(void **state)
{
    (void)state;

    card_write(0, 0, 0x99, 1);
    assert_int_equal(card_read(0, 0, 1), own[0]);
    bcr_put(2, 0x0100);
    card_write(0, 0, 0x99, 1);
    assert_int_equal(card_read(0, 0, 1), 0x99);
}

static void a_style_that_does_not_exist_is_refused(void **state)
{
    uint16_t was = csr(58);
    (void)state;

    bcr_put(20, 9);
    assert_int_equal(csr(58), was);
    put(58, 3);
    assert_int_equal(bcr(20), 0x0303);
}

/* --- initialization --- */

static void the_block_says_everything(void **state)
{
    (void)state;

    put(0, STOP);
    block_fill(PROM);
    store_le64(at(block) + (style ? 12 : 8), 0x1122334455667788);
    put(0, INIT);
    assert_int_equal(csr(0), INTR | IDON | INIT);
    assert_false(rig.line[CARD_LINE]);
    put(0, IENA);
    assert_true(rig.line[CARD_LINE]);
    put(0, IDON | IENA);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(csr(8), 0x7788);
    assert_int_equal(csr(11), 0x1122);
    assert_int_equal(csr(12), load_le16(own));
    assert_int_equal(csr(15), PROM);
    assert_int_equal(csr(24), (uint16_t)rx_ring);
    assert_int_equal(csr(30), (uint16_t)tx_ring);
    assert_int_equal((uint16_t)-csr(76), N);
    assert_int_equal((uint16_t)-csr(78), N);
    put(0, STRT);
    assert_int_equal(csr(0) & (TXON | RXON | STRT), TXON | RXON | STRT);
    start(DTX | DRX);
    assert_int_equal(csr(0) & (TXON | RXON | STRT), STRT);
    start(0);
    put(0, STOP | IENA);
    assert_int_equal(csr(0), STOP);
}

static void a_block_that_is_not_ram_is_a_memory_error(void **state)
{
    (void)state;

    put(0, STOP);
    put(2, 0x4000);
    put(0, INIT);
    assert_true(csr(0) & MERR);
    assert_false(csr(0) & IDON);
    assert_true(csr(0) & 0x8000); /* ERR */
}

static void rings_may_have_more_than_the_block_can_say(void **state)
{
    (void)state;

    put(0, STOP);
    put(78, (uint16_t)-3); /* a transmit ring of three */
    put(0, STRT);
    for (unsigned i = 0; i < 5; i++) {
        give(tx_ring, i % 3, payload, 100, OWN | STP | ENP);
        demand();
    }
    assert_int_equal(rig_sent(&rig), 5);
}

static void a_ring_of_no_length_does_nothing(void **state) /* CVE-2016-7909 */
{
    (void)state;

    put(0, STOP);
    put(76, 0);
    put(78, 0);
    put(0, STRT);
    send_frame(100);
    card_receive(own, 100);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status_of(rx_ring, 0), OWN);
}

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
    demand();
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

static void what_is_not_ram_is_a_memory_error(void **state)
{
    (void)state;

    send_part(style ? 0x40000000 : 0xf00000, 100, STP | ENP);
    demand();
    assert_true(csr(0) & MERR);
    assert_int_equal(rig_sent(&rig), 0);
    ack();
    give(rx_ring, 0, style ? 0x40000000 : 0xf00000, BUFFER, OWN);
    card_receive(own, 100);
    assert_true(csr(0) & MERR);
    put(0, STOP);
    put(25, 0x4000);
    put(31, 0x4000);
    put(0, STRT);
    send_frame(100);
    card_receive(own, 100);
    assert_true(csr(0) & MERR);
    assert_int_equal(rig_sent(&rig), 0);
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
    assert_int_equal(rig_sent(&rig), 3);
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

    put(5, 1);
    assert_int_equal(csr(5) & 1, 1);
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
}

static bool takes(const uint8_t *to)
{
    uint32_t next = (uint16_t)-csr(72) ? N - (uint16_t)-csr(72) : 0;

    card_receive(to, 100);
    bool taken = !(status_of(rx_ring, next) & OWN);
    give(rx_ring, next, buffers, BUFFER, OWN);
    return taken;
}

static void the_filters_are_the_cards(void **state)
{
    uint32_t bit = ~(uint32_t)crc32(0, group, ETH_ALEN) >> 26;
    (void)state;

    assert_true(takes(own));
    assert_true(takes(everyone));
    assert_false(takes(stranger));
    assert_false(takes(group));
    put(0, STOP);
    put(8 + bit / 16, (uint16_t)(1u << bit % 16));
    put(0, STRT);
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

static void the_link_shows_in_a_led(void **state)
{
    (void)state;

    assert_int_equal(bcr(4), 0x80c0);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(bcr(4), 0x00c0);
}

static void a_user_may_interrupt_itself(void **state)
{
    (void)state;

    put(0, IENA);
    put(4, 0x0115 | 0x80); /* UINTCMD */
    assert_true(rig.line[CARD_LINE]);
    assert_true(csr(4) & 0x40);
    put(4, 0x0115 | 0x40);
    assert_false(rig.line[CARD_LINE]);
}

static void a_card_that_holds_a_frame_can_go(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 3; i++)
        card_receive(own, 100);
}

/* --- noise --- */

static void random_registers_and_rings_harm_nobody(void **state)
{
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "pcnet");
    for (unsigned i = 0; i < 40000; i++) {
        unsigned n = rng_below(&g, 2) ? rng_below(&g, 8) : rng_below(&g, 128);
        if (rng_below(&g, 100) == 0)
            start((uint16_t)rng_next(&g));
        else if (rng_below(&g, 4))
            put(n, (uint16_t)rng_next(&g));
        else
            bcr_put(n, (uint16_t)rng_next(&g));
        csr(n);
        for (unsigned k = 0; k < 8; k++)
            at((rng_below(&g, 2) ? tx_ring : rx_ring) + rng_below(&g, N * 16))[0] =
                (uint8_t)rng_next(&g);
        card_receive(rng_below(&g, 2) ? own : everyone, 14 + rng_below(&g, 5000));
        rig_forget(&rig);
    }
}

#define T(f)                                                                                       \
    {#f " (style 0)", f, narrow, teardown, NULL}, {#f " (style 2)", f, wide2, teardown, NULL},     \
    {                                                                                              \
#f " (style 3)", f, wide3, teardown, NULL                                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_says_who_it_is),
        T(registers_begin_as_the_data_sheet_says),
        cmocka_unit_test_setup_teardown(the_first_write_of_32_bits_makes_registers_wide, narrow,
                                        teardown),
        T(a_read_resets_all_but_where_and_how),
        T(the_address_prom_is_written_only_when_enabled),
        T(a_style_that_does_not_exist_is_refused),
        T(the_block_says_everything),
        T(a_block_that_is_not_ram_is_a_memory_error),
        T(rings_may_have_more_than_the_block_can_say),
        T(a_ring_of_no_length_does_nothing),
        T(a_descriptor_is_a_frame),
        T(a_packet_may_be_in_several_descriptors),
        T(a_packet_over_several_descriptors_stays_in_its_buffer),
        T(what_is_not_ram_is_a_memory_error),
        T(ends_of_packets_are_told_as_csr5_says),
        T(a_driver_may_send_its_own_fcs),
        T(what_is_asked_for_while_suspended_is_done_afterwards),
        T(a_ring_without_end_is_taken_in_pieces),
        T(a_frame_fills_the_next_buffer_with_its_fcs),
        T(a_long_frame_takes_several_buffers_and_no_more_bytes),
        T(a_frame_longer_than_the_card_can_hold_is_refused),
        T(without_buffers_a_frame_waits_and_is_then_missed),
        T(the_filters_are_the_cards),
        T(padding_is_stripped_from_frames_with_a_length),
        T(what_loops_back_comes_later_and_alone),
        T(the_link_shows_in_a_led),
        T(a_user_may_interrupt_itself),
        T(a_card_that_holds_a_frame_can_go),
        T(random_registers_and_rings_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
