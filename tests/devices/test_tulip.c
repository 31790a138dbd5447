/* The tulip without a driver: its registers, serial ROM, PHY and port; its life, and misuse. */
#include "tulip_rig.h"

#include <zlib.h>

#include "sim/rng.h"
#include "sim/vlan.h"

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

/* --- life --- */

static void a_card_that_holds_a_frame_can_go(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 3; i++)
        card_receive(own, 100);
    send_part(FS | 100, payload);
    demand();
}

/* In place of the card, which is reset. */
static struct nic *clone_make(void)
{
    struct nic_config c = {.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x99}};
    struct err err = {0};
    struct nic *other = nic_model_find("tulip")->create(&rig.env, "h2.eth0", &c, &err);

    pci_attach(&host, other->pci, NULL, 16);
    port_attach(&other->port, lan, &lan->link);
    device_clone(&other->dev, &nic->dev);
    device_reset(&nic->dev); /* both would answer */
    return other;
}

static void a_clone_goes_on_with_an_address_of_its_own(void **state)
{
    struct nic *first = nic, *other;
    (void)state;

    card_fill(at(payload), 100, stranger);
    send_part(FS | 50, payload);
    demand();
    put(11, 5);
    other = clone_make();
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

static void a_clone_tells_of_its_own_cable(void **state)
{
    static const struct {
        uint32_t mode, sia, tells;
    } ports[] = {{PS | PCS, 0, LC}, {0, 1, ANC}, {PS, 0, 0}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        struct nic *first = nic, *other;
        put(14, 0);
        put(13, ports[i].sia);
        put(6, ports[i].mode);
        cable(false);
        ack();
        other = clone_make();
        nic = other;
        assert_int_equal(csr(5) & (LC | LNF | ANC), 0);
        other->dev.ops->cloned(&other->dev);
        assert_int_equal(csr(5) & (LC | LNF | ANC), ports[i].tells);
        nic = first;
        nic_destroy(other);
        teardown(NULL);
        setup(NULL);
    }
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
        T(a_card_that_holds_a_frame_can_go),
        T(a_clone_goes_on_with_an_address_of_its_own),
        T(a_clone_tells_of_its_own_cable),
        T(random_registers_and_lists_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
