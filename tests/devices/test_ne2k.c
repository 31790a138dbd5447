/* ne2k_pci and ne2k_isa: the DP8390's registers, rings and DMA, driven at their ports. */
#include <zlib.h>

#include "pci_rig.h"

#include "devices/dp8390.h"
#include "devices/isa.h"
#include "devices/ne2k_isa.h"
#include "sim/rng.h"
#include "sim/vlan.h"

enum { DATA = 0x10, RESET = 0x1f };
enum { P0 = 0x00, P1 = 0x40, P2 = 0x80, P3 = 0xc0, STOP = 0x21, START = 0x22, SEND = 0x26 };
enum { ALL = 0x7f, TX_PAGE = 0x40, FIRST = 0x46, END = 0x80 };

#define ISA_LINE 64

static struct isa_bus isa;
static struct nic *pci_nic, *isa_nic;
static bool on_isa;
static const uint8_t other[ETH_ALEN] = {0x52, 0x54, 0, 0x12, 0x34, 0x57};
static const uint8_t broadcast[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[ETH_ALEN] = {0x01, 0, 0x5e, 0, 0, 1};

/* --- surroundings: a PCI card, and an ISA card beside it --- */

static int pci_setup(void **state)
{
    (void)state;
    card_start("ne2k_pci");
    pci_nic = nic;
    isa_nic = NULL;
    on_isa = false;
    return 0;
}

static int isa_setup(void **state)
{
    struct nic_config c = {.iobase = 0x320, .irq = 5};
    struct err err = {0};

    pci_setup(state);
    memcpy(c.mac, own, ETH_ALEN);
    isa = (struct isa_bus){.sink = &rig.sink, .first_line = ISA_LINE};
    host.isa = &isa;
    isa_nic = nic_model_find("ne2k_isa")->create(&rig.env, "h1.eth1", &c, &err);
    assert_non_null(isa_nic);
    isa_attach(&isa, isa_nic->isa);
    port_attach(&isa_nic->port, lan, &lan->link);
    nic = isa_nic;
    on_isa = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nic_destroy(isa_nic);
    nic = pci_nic;
    card_finish();
    return 0;
}

static struct dp8390 *chip(void)
{
    return nic->dev.object;
}

static uint64_t in_n(unsigned port, unsigned size)
{
    return on_isa ? io_read(0x320 + port, size) : card_read(0, port, size);
}

static void out_n(unsigned port, uint64_t v, unsigned size)
{
    if (on_isa)
        io_write(0x320 + port, v, size);
    else
        card_write(0, port, v, size);
}

static unsigned in(unsigned port)
{
    return (unsigned)in_n(port, 1);
}

static void out(unsigned port, unsigned v)
{
    out_n(port, v & 0xff, 1);
}

/* A register of page 1 to 3; page 0 is selected afterwards. */
static unsigned page_in(unsigned page, unsigned reg)
{
    unsigned v;

    out(0, page | START);
    v = in(reg);
    out(0, P0 | START);
    return v;
}

static void page_out(unsigned page, unsigned reg, unsigned v)
{
    out(0, page | START);
    out(reg, v);
    out(0, P0 | START);
}

static bool line(void)
{
    return rig.line[on_isa ? ISA_LINE + 5 : CARD_LINE];
}

/* As a driver brings it up: word transfers, the ring from FIRST to END. */
static void start(unsigned rcr)
{
    out(0, STOP);
    out(0xe, 0x49);
    out(0xa, 0);
    out(0xb, 0);
    out(0xc, rcr);
    out(0xd, 0);
    out(1, FIRST);
    out(2, END);
    out(3, FIRST);
    out(7, 0xff);
    out(0xf, ALL);
    out(0, P1 | STOP);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        out(1 + i, own[i]);
    for (unsigned i = 0; i < 8; i++)
        out(8 + i, 0);
    out(7, FIRST + 1);
    out(0, START);
}

static void remote(unsigned command, unsigned at, unsigned len)
{
    out(8, at);
    out(9, at >> 8);
    out(0xa, len);
    out(0xb, len >> 8);
    out(0, 2 | command);
}

static void ram_read(unsigned at, void *to, unsigned len)
{
    uint8_t *p = to;

    remote(RD_READ, at, len);
    for (unsigned i = 0; i < len; i += 2)
        store_le16(p + i, (uint16_t)in_n(DATA, 2));
    out(0, START);
}

static void ram_write(unsigned at, const void *from, unsigned len)
{
    const uint8_t *p = from;

    remote(RD_WRITE, at, len);
    for (unsigned i = 0; i < len; i += 2)
        out_n(DATA, load_le16(p + i), 2);
    out(0, START);
}

static void transmit(unsigned len)
{
    out(4, TX_PAGE);
    out(5, len);
    out(6, len >> 8);
    out(0, SEND);
}

static unsigned curr(void)
{
    return page_in(P1, 7);
}

static uint64_t refused(void)
{
    return nic->port.stats.drops[DROP_REFUSED];
}

/* --- identity and registers --- */

static void the_pci_card_is_realteks(void **state)
{
    (void)state;
    assert_int_equal(config_read(8, PCI_VENDOR_ID, 4), 0x802910ec);
    assert_int_equal(config_read(8, PCI_CLASS, 1), 0);
    assert_int_equal(config_read(8, PCI_CLASS + 1, 2), 0x0200);
    assert_int_equal(config_read(8, PCI_INTERRUPT_PIN, 1), 1);
    assert_int_equal(in(0xa), 'P');
    assert_int_equal(in(0xb), 'C');
    assert_int_equal(page_in(P3, 0xe), 0x29);
    assert_int_equal(page_in(P3, 0xf), 0x80);
}

static void configuration_is_written_only_if_9346cr_allows(void **state)
{
    (void)state;
    page_out(P3, 6, 0x40);
    assert_int_equal(page_in(P3, 6), 0x01);
    page_out(P3, 1, 0xc0);
    page_out(P3, 6, 0xff);
    page_out(P3, 5, 0xff);
    assert_int_equal(page_in(P3, 6), 0x47);
    assert_int_equal(page_in(P3, 5), 0xe0);
    assert_int_equal(page_in(P3, 1), 0xc0);
}

static void the_isa_card_has_no_page_3_and_no_id(void **state)
{
    (void)state;
    assert_int_equal(in(0xa), 0xff);
    assert_int_equal(in(0xb), 0xff);
    assert_int_equal(page_in(P3, 0xe), 0xff);
}

static void reset_gives_every_field_its_value(void **state)
{
    (void)state;
    start(0x1f);
    card_receive(own, 100);
    for (unsigned i = 0; i < 16; i++)
        out(i, 0xa5);
    rig_check_reset(&rig, &nic->dev);
    assert_false(line());
}

static void after_a_reset_it_rests(void **state)
{
    (void)state;
    start(RCR_AB);
    in(RESET);
    assert_int_equal(in(0), 0x21);
    assert_int_equal(in(7), ISR_RST);
    assert_int_equal(page_in(P2, 0xf), 0);
    out(0, STOP);
    card_receive(own, 100);
    assert_int_equal(refused(), 1);
    start(RCR_AB);
    out(RESET, 0);
    assert_int_equal(in(7), ISR_RST);
}

static void pages_show_what_was_written(void **state)
{
    (void)state;
    start(0);
    for (unsigned i = 1; i < 16; i++)
        page_out(P1, i, 0x30 + i);
    for (unsigned i = 1; i < 16; i++)
        assert_int_equal(page_in(P1, i), 0x30 + i);
    out(4, 0x55);
    out(0xc, 0xff);
    out(0xd, 0xf9);
    assert_int_equal(page_in(P2, 1), FIRST);
    assert_int_equal(page_in(P2, 2), END);
    assert_int_equal(page_in(P2, 4), 0x55);
    assert_int_equal(page_in(P2, 0xc), 0x3f);
    assert_int_equal(page_in(P2, 0xd), 0x19);
    assert_int_equal(page_in(P2, 0xe), 0x49);
    assert_int_equal(page_in(P2, 0xf), ALL);
    page_out(P2, 1, 0x34);
    page_out(P2, 2, 0x12);
    assert_int_equal(in(1), 0x34);
    assert_int_equal(in(2), 0x12);
}

static void stop_and_start_are_left_alone_by_neither_bit(void **state)
{
    (void)state;
    start(0);
    out(0, 0x20);
    assert_int_equal(in(0), START);
    out(0, 0x23); /* STP wins */
    assert_true(in(7) & ISR_RST);
    out(0, START);
    assert_false(in(7) & ISR_RST);
}

static void causes_are_cleared_by_ones_and_masked(void **state)
{
    (void)state;
    start(RCR_AB);
    out(0xf, ISR_PTX);
    card_receive(own, 100);
    assert_int_equal(in(7), ISR_PRX);
    assert_false(line());
    out(0xf, ISR_PTX | ISR_PRX);
    assert_true(line());
    out(7, ISR_PTX);
    assert_true(line());
    out(7, ISR_PRX);
    assert_false(line());
    out(0xf, 0xff);
    out(0, STOP); /* RST is a status, not an interrupt, and stays */
    assert_false(line());
    out(7, 0xff);
    assert_int_equal(in(7), ISR_RST);
}

/* --- remote DMA --- */

static void the_prom_holds_the_address_twice_and_57_57(void **state)
{
    uint8_t prom[32];
    (void)state;
    start(0);
    ram_read(0, prom, 32);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(prom[i], own[i / 2]);
    for (unsigned i = 28; i < 32; i++)
        assert_int_equal(prom[i], 0x57);
}

static void bytes_go_through_the_data_port_in_any_width(void **state)
{
    uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8];
    (void)state;
    start(0);
    ram_write(0x4000, bytes, 8);
    assert_int_equal(in(7), ISR_RDC);
    assert_true(line());
    ram_read(0x4000, back, 8);
    assert_memory_equal(back, bytes, 8);
    remote(RD_READ, 0x4000, 8);
    assert_int_equal(in_n(DATA, 4), 0x04030201);
    assert_int_equal(in(8) | in(9) << 8, 0x4004); /* CRDA */
    assert_int_equal(in(DATA), 5);                /* a word all the same */
    assert_int_equal(in_n(DATA, 2), 0x0807);
    out(0xe, 0x48);
    remote(RD_READ, 0x4000, 4);
    assert_int_equal(in(DATA), 1);
    assert_int_equal(in_n(DATA, 2), 0x0302); /* two transfers of a byte */
    remote(RD_WRITE, 0x7fff, 1);
    out(DATA, 0x99);
    remote(RD_READ, 0x7fff, 1);
    assert_int_equal(in(DATA), 0x99);
}

static void a_remote_dma_of_no_bytes_is_done_at_once(void **state)
{
    (void)state;
    start(0);
    remote(RD_READ, 0x4000, 0);
    assert_int_equal(in(7), ISR_RDC);
    assert_int_equal(in_n(DATA, 2), 0xffff);
    assert_int_equal(in(8) | in(9) << 8, 0x4000);
}

static void without_a_remote_dma_the_data_port_is_nobody(void **state)
{
    uint8_t two[2] = {1, 2}, back[2];
    (void)state;
    start(0);
    ram_write(0x4000, two, 2);
    out(8, 0);
    out(9, 0x40);
    out_n(DATA, 0xeeee, 2);
    assert_int_equal(in_n(DATA, 2), 0xffff);
    remote(RD_READ, 0x4000, 2);
    out_n(DATA, 0xeeee, 2); /* the wrong way */
    assert_int_equal(in_n(DATA, 2), 0x0201);
    assert_int_equal(in_n(DATA, 2), 0xffff); /* one too many */
    remote(RD_READ, 0x4000, 2);
    out(0, START); /* aborted */
    assert_int_equal(in_n(DATA, 2), 0xffff);
    ram_read(0x4000, back, 2);
    assert_memory_equal(back, two, 2);
}

static void remote_dma_wraps_at_the_end_of_the_ring(void **state)
{
    uint8_t a[2] = {0xaa, 0xab}, b[2] = {0xba, 0xbb}, back[4];
    (void)state;
    start(0);
    ram_write(END * 256 - 2, a, 2);
    ram_write(FIRST * 256, b, 2);
    ram_read(END * 256 - 2, back, 4);
    assert_memory_equal(back, "\xaa\xab\xba\xbb", 4);
}

static void remote_dma_beyond_the_ram_reads_ones_and_loses_writes(void **state)
{
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8];
    uint8_t before[DP8390_RAM_SIZE];
    struct event behind;
    (void)state;
    start(0);
    out(2, 0xff);
    memcpy(before, chip()->ram, sizeof(before));
    behind = chip()->tx_event;
    for (unsigned at = 0x20; at < 0x10000; at += 0x1ff0) {
        if (at + 8 > 0x4000 && at < 0x8000)
            continue;
        ram_write(at, bytes, 8);
        ram_read(at, back, 8);
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(back[i], 0xff);
    }
    ram_write(0, bytes, 8); /* nor is the PROM written */
    ram_read(0, back, 2);
    assert_int_equal(back[0], own[0]);
    assert_memory_equal(before, chip()->ram, sizeof(before));
    ram_write(0xfffe, bytes, 8); /* round to the PROM */
    ram_write(0x7ffe, bytes, 8);
    assert_memory_equal(before, chip()->ram, sizeof(before) - 2);
    assert_memory_equal(&behind, &chip()->tx_event, sizeof(behind));
}

static void the_send_packet_command_reads_the_next_packet(void **state)
{
    uint8_t sent[300];
    (void)state;
    start(RCR_AB);
    out(0xe, 0x59);
    out(3, FIRST + 1); /* the boundary is at the oldest packet */
    card_receive(own, 300);
    card_receive(own, 60);
    card_fill(sent, 300, own);
    for (unsigned n = 0; n < 2; n++) {
        unsigned len = n ? 64 : 304;
        out(0xb, 0x0f);
        out(0, 2 | RD_SEND);
        assert_int_equal(in_n(DATA, 2), (n ? FIRST + 4 : FIRST + 3) << 8 | RSR_PRX);
        assert_int_equal(in_n(DATA, 2), len);
        for (unsigned i = 4; i < len; i += 2)
            assert_int_equal(in_n(DATA, 2), load_le16(sent + i - 4));
        assert_true(in(7) & ISR_RDC);
        assert_int_equal(in(3), n ? FIRST + 4 : FIRST + 3);
        out(7, 0xff);
    }
}

static void send_packet_without_auto_initialise_does_nothing(void **state)
{
    (void)state;
    start(RCR_AB);
    out(0, 2 | RD_SEND);
    assert_int_equal(in_n(DATA, 2), 0xffff);
    assert_int_equal(in(3), FIRST);
    assert_int_equal(in(7), 0);
}

static void send_packet_with_a_header_of_nonsense_moves_no_boundary(void **state)
{
    (void)state;
    start(0);
    out(0xe, 0x59);
    ram_write(FIRST * 256, "\x01\xff\x04\x00", 4);
    out(7, 0xff);
    out(0, 2 | RD_SEND);
    in_n(DATA, 4);
    assert_int_equal(in(7), ISR_RDC);
    assert_int_equal(in(3), FIRST);
}

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

static void stopping_ends_what_waits_for_the_line(void **state)
{
    (void)state;
    start(0);
    nic->port.link.rate_bps = 10000000;
    nic->port.link.queue_bytes = 3000;
    while (!(in(0) & CR_TXP))
        transmit(1000);
    rig_forget(&rig);
    out(0, STOP);
    rig_advance(&rig, rig.actor.now + 10 * NS_PER_MS);
    assert_int_equal(rig_sent(&rig), 0);
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

static unsigned packets(const uint8_t *to)
{
    unsigned before = curr(), after;

    card_receive(to, 60);
    after = curr();
    return after != before;
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
    card_receive(own, 60);
    ram_read((FIRST + 1) * 256, got, 8);
    assert_int_equal(got[1], RSR_PRX);
    assert_int_equal(got[0], FIRST + 2);
    assert_int_equal(got[5], own[0]);
    assert_int_equal(got[4], own[1]);
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
    loop_packet(other, LB_NIC, false); /* bad, but not for us */
    check_looped(0x53, RSR_PRX | RSR_PHY);
    loop_packet(own, LB_NIC, false);
    check_looped(0x53, RSR_CRC);
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

/* --- hostile (hostile-input.md) --- */

static void cve_2007_1321_no_register_leads_out_of_the_ram(void **state)
{
    (void)state;
    start(0x1f);
    for (unsigned page = 0; page < 256; page += 5) {
        page_out(P1, 7, page);
        out(3, page ^ 0x55);
        card_receive(own, 1514);
        out(4, page);
        out(5, 0xff);
        out(6, 5);
        out(0, SEND);
        remote(RD_WRITE, page << 8, 0xffff);
        for (unsigned i = 0; i < 600; i++)
            out_n(DATA, 0x5aa5, 2);
    }
    rig_forget(&rig);
}

static void cve_2015_5279_ring_pointers_out_of_the_ring_keep_to_the_ram(void **state)
{
    static const uint8_t pages[] = {0, 1, 0x3f, 0x40, 0x45, 0x7f, 0x80, 0x81, 0xfe, 0xff};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(pages); j++) {
            start(0x1f);
            page_out(P1, 7, pages[i]);
            out(3, pages[j]);
            card_receive(own, 1514);
            card_receive(own, 60);
        }
    }
}

static void cve_2016_2841_pstart_and_pstop_may_be_anything(void **state)
{
    static const uint8_t pages[] = {0, 1, 0x40, 0x46, 0x7f, 0x80, 0x81, 0xff};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(pages); j++) {
            start(0x1f);
            out(1, pages[i]);
            out(2, pages[j]);
            for (unsigned n = 0; n < 40; n++)
                card_receive(own, 1514);
            out(0xe, 0x59);
            out(0, 2 | RD_SEND);
            for (unsigned n = 0; n < 1000; n++)
                in_n(DATA, 2);
        }
    }
}

/* A ring of no pages, or one that never comes to its end: a packet is no longer than it is. */
static void cve_2015_5278_receiving_ends(void **state)
{
    (void)state;
    start(0x1f);
    out(1, FIRST);
    out(2, FIRST); /* PSTART = PSTOP: 256 pages */
    page_out(P1, 7, FIRST);
    for (unsigned n = 0; n < 1000; n++)
        card_receive(own, 1514);
    out(1, END); /* PSTART = PSTOP - 1: one page, round and round */
    out(2, END + 1);
    out(3, 0);
    page_out(P1, 7, END);
    for (unsigned n = 0; n < 1000; n++)
        card_receive(own, 1514);
    assert_int_equal(curr(), END);
}

static void registers_written_at_random_do_no_harm(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, rig_seed(), "ne2k");
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t r = (uint32_t)rng_next(&rng), v = (uint32_t)rng_next(&rng);
        unsigned size = 1u << (r >> 8) % 3, port = r % 32 & ~(size - 1);
        if (r >> 16 & 7 && port >= 0x18)
            port &= 0x0f;
        if (r >> 20 & 1)
            in_n(port, size);
        else
            out_n(port, v & (uint32_t)((1ull << 8 * size) - 1), size);
        if ((r >> 24) % 8 == 0)
            card_receive(r >> 27 & 1 ? own : broadcast, 14 + v % 1600);
        if (i % 64 == 0)
            start(v & 0x3f);
        if (rig_sent(&rig) > 50)
            rig_forget(&rig);
        assert_int_equal(line(), (chip()->isr & chip()->imr & ALL) != 0);
        assert_int_equal(chip()->waiting.n, 0);
    }
    rig_advance(&rig, rig.actor.now + NS_PER_SEC);
}

/* --- the ISA bus --- */

static void an_isa_card_answers_before_a_bar(void **state)
{
    (void)state;
    start(0);
    config_write(8, PCI_BAR0, 0x320, 4); /* the PCI card at the same ports */
    out(3, 0x77);
    assert_int_equal(in(3), 0x77);
    assert_int_equal(((struct dp8390 *)pci_nic->dev.object)->bnry, 0);
    config_write(8, PCI_BAR0, 0x340, 4);
    io_write(0x343, 0x66, 1);
    assert_int_equal(io_read(0x343, 1), 0x66);
    assert_int_equal(io_read(0x343, 1), ((struct dp8390 *)pci_nic->dev.object)->bnry);
    assert_int_equal(in(3), 0x77);
    assert_int_equal(io_read(0x300, 1), 0xff); /* nobody */
}

static void wide_accesses_are_cut_to_the_width_of_the_bus(void **state)
{
    (void)state;
    start(0);
    out_n(4, 0x44332211, 4); /* TPSR, TBCR0, TBCR1, ISR */
    assert_int_equal(chip()->tpsr, 0x11);
    assert_int_equal(chip()->tbcr, 0x3322);
    assert_int_equal(in_n(0x3c, 2), 0xffff);
}

static void the_defaults_are_those_of_old(void **state)
{
    struct err err = {0};
    struct nic *n =
        nic_model_find("ne2k_isa")->create(&rig.env, "h1.eth2", &(struct nic_config){0}, &err);
    (void)state;
    assert_int_equal(n->isa->base, 0x300);
    assert_int_equal(n->isa->size, 0x20);
    assert_int_equal(n->isa->irq, 9);
    nic_destroy(n);
}

static void a_clone_has_the_ring_and_its_own_address(void **state)
{
    struct nic_config c = {.mac = {0x52, 0x54, 0, 9, 9, 9}};
    struct err err = {0};
    struct nic *n = nic_model_find("ne2k_isa")->create(&rig.env, "h2.eth0", &c, &err);
    struct dp8390 *d = n->dev.object;
    (void)state;
    start(RCR_AB);
    card_receive(own, 100);
    device_clone(&n->dev, &nic->dev);
    n->dev.ops->cloned(&n->dev);
    assert_int_equal(d->curr, chip()->curr);
    assert_memory_equal(d->ram, chip()->ram, sizeof(d->ram));
    assert_memory_equal(d->par, c.mac, ETH_ALEN);
    assert_int_equal(dp8390_memory_read(d, 10), 9);
    nic_destroy(n);
}

#define PCI(f) cmocka_unit_test_setup_teardown(f, pci_setup, teardown)
#define ISA(f) cmocka_unit_test_setup_teardown(f, isa_setup, teardown)
#define BOTH(f)                                                                                    \
    {#f " (PCI)", f, pci_setup, teardown, NULL},                                                   \
    {                                                                                              \
#f " (ISA)", f, isa_setup, teardown, NULL                                                  \
    }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PCI(the_pci_card_is_realteks),
        PCI(configuration_is_written_only_if_9346cr_allows),
        ISA(the_isa_card_has_no_page_3_and_no_id),
        ISA(reset_gives_every_field_its_value),
        BOTH(after_a_reset_it_rests),
        BOTH(pages_show_what_was_written),
        PCI(stop_and_start_are_left_alone_by_neither_bit),
        BOTH(causes_are_cleared_by_ones_and_masked),
        BOTH(the_prom_holds_the_address_twice_and_57_57),
        BOTH(bytes_go_through_the_data_port_in_any_width),
        PCI(a_remote_dma_of_no_bytes_is_done_at_once),
        PCI(without_a_remote_dma_the_data_port_is_nobody),
        PCI(remote_dma_wraps_at_the_end_of_the_ring),
        PCI(remote_dma_beyond_the_ram_reads_ones_and_loses_writes),
        BOTH(the_send_packet_command_reads_the_next_packet),
        PCI(send_packet_without_auto_initialise_does_nothing),
        PCI(send_packet_with_a_header_of_nonsense_moves_no_boundary),
        BOTH(a_frame_is_sent_from_the_ram),
        PCI(a_full_line_makes_it_wait),
        PCI(stopping_ends_what_waits_for_the_line),
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
        PCI(loopback_comes_back_to_the_fifo_in_each_mode),
        PCI(loopback_checks_addresses_and_crcs),
        PCI(what_comes_during_loopback_is_not_received),
        PCI(cve_2007_1321_no_register_leads_out_of_the_ram),
        PCI(cve_2015_5279_ring_pointers_out_of_the_ring_keep_to_the_ram),
        PCI(cve_2016_2841_pstart_and_pstop_may_be_anything),
        PCI(cve_2015_5278_receiving_ends),
        BOTH(registers_written_at_random_do_no_harm),
        ISA(an_isa_card_answers_before_a_bar),
        ISA(wide_accesses_are_cut_to_the_width_of_the_bus),
        ISA(the_defaults_are_those_of_old),
        ISA(a_clone_has_the_ring_and_its_own_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
