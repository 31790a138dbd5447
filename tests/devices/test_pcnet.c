/* The pcnet without a driver: its registers of two widths, its initialization, and misuse. */
#include "pcnet_rig.h"

#include "sim/rng.h"

/* --- registers --- */

static void it_says_who_it_is(void **state)
{
    (void)state;

    assert_int_equal(csr(88), 0x1003);
    assert_int_equal(csr(89), 0x0262);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(card_read(0, i, 1), own[i]);
    assert_int_equal(card_read(0, 9, 1), 0x11);
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
    assert_int_equal(config_read(1u << 3, PCI_STATUS, 2), 0x0280);
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
    bcr_put(20, 1); /* the ILACC's */
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

static void a_block_that_is_not_ram_is_a_master_abort(void **state)
{
    (void)state;

    put(0, STOP);
    put(2, 0x4000);
    put(0, INIT | STRT | IENA);
    assert_int_equal(csr(0), STOP);
    assert_true(aborted());
    put(2, (uint16_t)(block >> 16));
    put(0, INIT | STRT);
    assert_int_equal(csr(0) & (IDON | RXON | TXON), IDON | RXON | TXON);
}

/* SINT interrupts as SINTE says: INEA is cleared when the card stops. */
static void a_master_abort_may_interrupt(void **state)
{
    (void)state;

    put(5, SINTE);
    put(0, STOP);
    put(25, style ? 0x4000 : 0x00f0);
    put(0, STRT);
    card_receive(own, 100);
    assert_int_equal(csr(0), STOP | INTR);
    assert_true(rig.line[CARD_LINE]);
    put(5, SINTE | SINT);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(csr(0), STOP);
}

/* The bus is not granted to it at all. */
static void a_card_that_may_not_use_the_bus_has_a_memory_error(void **state)
{
    (void)state;

    config_write(1u << 3, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    send_frame(100);
    assert_true(csr(0) & MERR);
    assert_true(csr(0) & 0x8000); /* ERR */
    assert_true(csr(0) & TXON);
    assert_false(aborted());
    config_write(1u << 3, PCI_COMMAND, 7, 2);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
}

/* CSR2: IADR[31:24] is the upper byte of every address that has but 24 bits. */
static void a_driver_of_24_bits_reaches_ram_wherever_it_is(void **state)
{
    (void)state;

    put(0, STOP);
    only_high = true;
    put(2, (uint16_t)(RIG_RAM_BASE >> 16 | block >> 16));
    put(0, INIT | STRT);
    assert_true(csr(0) & IDON);
    assert_int_equal(csr(24) | (uint32_t)csr(25) << 16, RIG_RAM_BASE | rx_ring);
    assert_int_equal(csr(30) | (uint32_t)csr(31) << 16, RIG_RAM_BASE | tx_ring);
    send_frame(100);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    card_receive(own, 100);
    assert_int_equal(message(0), 104);
    assert_false(csr(0) & MERR);
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

static void a_restart_begins_at_the_bases_of_the_rings(void **state)
{
    (void)state;

    send_frame(100);
    card_receive(own, 100);
    assert_int_equal((uint16_t)-csr(72), N - 1);
    assert_int_equal((uint16_t)-csr(74), N - 1);
    put(5, SPND);
    put(5, 0); /* is no restart */
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 2);
    put(0, STOP);
    give(rx_ring, 0, buffers, BUFFER, OWN);
    put(0, STRT);
    assert_int_equal((uint16_t)-csr(72), N);
    assert_int_equal((uint16_t)-csr(74), N);
    tx_next = 0;
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 3);
    card_receive(own, 110);
    assert_int_equal(message(0), 114);
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

/* MIN_GNT and MAX_LAT are BCR22. */
static void how_it_uses_the_bus_is_told_by_pci_as_software_says(void **state)
{
    (void)state;

    assert_int_equal(config_read(1u << 3, 0x3e, 2), 0xff06);
    bcr_put(22, 0x1234); /* it runs */
    assert_int_equal(bcr(22), 0xff06);
    put(0, STOP);
    bcr_put(22, 0x1234);
    assert_int_equal(bcr(22), 0x1234);
    assert_int_equal(config_read(1u << 3, 0x3e, 2), 0x1234);
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

/* Frames to its own address reach a clone, and the PROM, from which drivers take it, has it. */
static void a_clone_has_its_own_address(void **state)
{
    struct nic *n = card_clone("pcnet", true);
    const struct pci_bar *bar = &n->pci->bars[0];
    (void)state;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(bar->read(&n->dev, i, 1), clones[i]);
    for (unsigned i = 0; i < 3; i++) {
        bar->write(&n->dev, RDP + width(), 12 + i, width()); /* PADR */
        assert_int_equal(bar->read(&n->dev, RDP, width()), load_le16(clones + 2 * i));
        assert_int_equal(csr(12 + i), load_le16(own + 2 * i));
    }
    assert_memory_equal(at(block) + (style ? 4 : 2), own, ETH_ALEN);
    nic_destroy(n);
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
        T(a_block_that_is_not_ram_is_a_master_abort),
        T(a_master_abort_may_interrupt),
        T(a_card_that_may_not_use_the_bus_has_a_memory_error),
        cmocka_unit_test_setup_teardown(a_driver_of_24_bits_reaches_ram_wherever_it_is, narrow,
                                        teardown),
        T(rings_may_have_more_than_the_block_can_say),
        T(a_restart_begins_at_the_bases_of_the_rings),
        T(a_ring_of_no_length_does_nothing),
        T(how_it_uses_the_bus_is_told_by_pci_as_software_says),
        T(the_link_shows_in_a_led),
        T(a_user_may_interrupt_itself),
        T(a_card_that_holds_a_frame_can_go),
        T(a_clone_has_its_own_address),
        T(random_registers_and_rings_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
