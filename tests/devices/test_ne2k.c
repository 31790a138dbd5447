/* ne2k_pci and ne2k_isa: the DP8390's registers and remote DMA, and misuse of both. */
#include "ne2k_rig.h"

#include "devices/isa.h"
#include "devices/ne2k_isa.h"
#include "sim/rng.h"

/* --- identity and registers --- */

static void the_pci_card_is_realteks(void **state)
{
    (void)state;
    assert_int_equal(config_read(8, PCI_VENDOR_ID, 4), 0x802910ec);
    assert_int_equal(config_read(8, PCI_STATUS, 2), 0x0200); /* answers at medium speed */
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
    assert_int_equal(page_in(P2, 0xc), on_isa ? 0x3f : 0xff);
    assert_int_equal(page_in(P2, 0xd), 0x19);
    assert_int_equal(page_in(P2, 0xe), 0x49);
    assert_int_equal(page_in(P2, 0xf), ALL);
    page_out(P2, 1, 0x34);
    page_out(P2, 2, 0x12);
    assert_int_equal(in(1), 0x34);
    assert_int_equal(in(2), 0x12);
}

static void realteks_unused_bits_are_ones(void **state)
{
    (void)state;
    assert_int_equal(in(4), on_isa ? 0 : TSR_ND);
    assert_int_equal(page_in(P2, 0xc), on_isa ? 0 : 0xc0);
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

static void a_stop_leaves_the_start_bit(void **state)
{
    (void)state;
    start(RCR_AB);
    out(0, STOP);
    assert_int_equal(in(0), on_isa ? STOP | CR_STA : STOP);
    out(0, 0x20);
    assert_int_equal(in(0), on_isa ? STOP | CR_STA : STOP);
    card_receive(own, 100);
    assert_int_equal(refused(), 1);
    out(0, START);
    assert_int_equal(in(0), START);
    out(RESET, 0);
    assert_int_equal(in(0), STOP);
    out(0, STOP);
    assert_int_equal(in(0), STOP);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PCI(the_pci_card_is_realteks),
        PCI(configuration_is_written_only_if_9346cr_allows),
        ISA(the_isa_card_has_no_page_3_and_no_id),
        ISA(reset_gives_every_field_its_value),
        BOTH(after_a_reset_it_rests),
        BOTH(pages_show_what_was_written),
        BOTH(realteks_unused_bits_are_ones),
        PCI(stop_and_start_are_left_alone_by_neither_bit),
        BOTH(a_stop_leaves_the_start_bit),
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
