/* The rtl8139 without a driver: registers, the classic way to send and to receive, and misuse. */
#include "rtl8139_rig.h"

#include <zlib.h>

#include "sim/rng.h"

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

static void the_pci_configuration_is_a_real_cards(void **state)
{
    (void)state;

    assert_int_equal(config_read(1u << 3, PCI_STATUS, 2), 0x0280);
    assert_int_equal(config_read(1u << 3, PCI_INTERRUPT_PIN + 1, 2), 0x4020); /* MXLAT, MNGNT */
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
    put(CONFIG5, 0x73, 1); /* is not protected */
    assert_int_equal(get(CONFIG5, 1), 0x73);
}

static void reserved_bits_are_not_written(void **state)
{
    bool plus = get(RERID, 1) == 0x20;
    (void)state;

    put(CR9346, 0xc0, 1);
    put(CONFIG3, 0xff, 1);
    put(CONFIG3 + 1, 0xff, 1);
    assert_int_equal(get(CONFIG3, 1), 0x71); /* FBtBEn is read-only */
    assert_int_equal(get(CONFIG3 + 1, 1), 0xf5);
    put(RCR, 0xffffffff, 4);
    assert_int_equal(get(RCR, 4), 0x0f03ffbf);
    put(IMR, 0xffff, 2);
    assert_int_equal(get(IMR, 2), plus ? 0xe1ff : 0xe07f);
}

static void a_reset_of_the_phy_is_done_at_once(void **state)
{
    (void)state;

    put(CR9346, 0xc0, 1);
    put(ANAR, 0x0021, 2);
    put(BMCR, 0x0100, 2);
    assert_int_equal(get(BMCR, 2), 0x0100);
    assert_int_equal(get(ANAR, 2), 0x0021);
    put(BMCR, 0x8000, 2);
    assert_int_equal(get(BMCR, 2), 0x3100);
    assert_int_equal(get(ANAR, 2), 0x05e1);
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
    assert_int_equal(eeprom_read(5), 0x4020); /* MXLAT, MNGNT */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(eeprom_read(7 + i), load_le16(own + 2 * i));
}

static void loading_the_eeprom_again_is_a_reset(void **state)
{
    (void)state;

    put(IDR, 0, 4);
    put(CR9346, 0xc0, 1);
    put(CONFIG1, 0x30, 1);
    put(CR9346, 0x40, 1);
    assert_int_equal(get(IDR, 4), load_le32(own));
    assert_int_equal(get(CR9346, 1) & 0xc0, 0);
    assert_int_equal(get(CONFIG1, 1), 0x0c);
    assert_int_equal(get(CR, 1), BUFE);
    assert_int_equal(get(RCR, 4), 0);
    assert_int_equal(get(IMR, 2), 0);
    assert_int_equal(get(BMSR, 2), 0x782d);
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

/* TCTR has 32 bits, and comes to TimerInt once a round. */
static void the_timer_interrupts_in_every_round(void **state)
{
    vtime_t t = rig.actor.now, round = 30ll << 32;
    (void)state;

    put(TCTR, 0, 4);
    rig_advance(&rig, t + round + 30 * 500);
    assert_int_equal(get(TCTR, 4), 500);
    put(TIMERINT, 1000, 4);
    rig_advance(&rig, t + round + 30 * 1000);
    assert_int_equal(causes(), TIMEOUT);
    put(TIMERINT, 400, 4); /* that is past */
    rig_advance(&rig, t + 2 * round + 30 * 400 - 1);
    assert_int_equal(causes(), 0);
    for (unsigned i = 2; i < 4; i++) {
        rig_advance(&rig, t + i * round + 30 * 400);
        assert_int_equal(causes(), TIMEOUT);
    }
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
    assert_int_equal(get(CSCR, 2), 0x07c8);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_true(get(MSR, 1) & 4);
    assert_int_equal(get(BMSR, 2), 0x7809);
    assert_int_equal(get(CSCR, 2), 0x0bc0); /* it has changed, and is down */
    assert_int_equal(causes(), LINK);
    port_set_up(&nic->port, true);
    rig_advance(&rig, rig.actor.now);
    assert_false(get(MSR, 1) & 4);
    assert_int_equal(get(CSCR, 2) & 0x0c00, 0x0c00);
}

static void a_clone_sees_its_own_cable_and_address(void **state)
{
    (void)state;

    for (unsigned up = 0; up < 2; up++) {
        nic->port.up = !up;
        nic->port.ops->carrier(&nic->port, !up);
        struct nic *n = card_clone("rtl8139", up);
        const struct pci_bar *bar = &n->pci->bars[1];
        assert_int_equal(bar->read(&n->dev, MSR, 1) & 4, up ? 0 : 4);
        assert_int_equal(bar->read(&n->dev, BMSR, 2) & 4, up ? 4 : 0);
        assert_int_equal(bar->read(&n->dev, IDR, 4), load_le32(clones));
        assert_true(bar->read(&n->dev, ISR, 2) & LINK);
        nic_destroy(n);
    }
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

static void a_byte_count_clears_the_status(void **state)
{
    (void)state;

    classic_send(100);
    classic_send(4);
    put(TSD, 0x2000 | 200, 4); /* stays the driver's */
    assert_int_equal(get(TSD, 4), 0x2000 | 200);
    put(TSD + 6, 0x3f, 2); /* the threshold alone */
    assert_int_equal(get(TSD + 4, 4), 0x403f2004);
    put(TSD + 5, 0x20, 1);
    assert_int_equal(get(TSD + 4, 4), 0x003f2004);
    assert_int_equal(get(SUMMARY, 2), 0x000f);
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
    assert_true(takes(own));
    assert_false(takes(group)); /* "all packets with physical destination address" */
    assert_false(takes(everyone));
    put(RCR, AAP | AM | AB, 4);
    assert_true(takes(group));
    assert_true(takes(everyone));
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
    put(CONFIG5, 1, 1);
    assert_int_equal(get(CONFIG5, 1), 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(registers_begin_as_the_data_sheet_says),
        T(the_pci_configuration_is_a_real_cards),
        T(configuration_is_written_only_when_unlocked),
        T(reserved_bits_are_not_written),
        T(a_reset_of_the_phy_is_done_at_once),
        T(registers_are_bytes_to_those_who_want_them),
        T(the_eeprom_has_the_address),
        T(loading_the_eeprom_again_is_a_reset),
        T(the_timer_counts_and_interrupts),
        T(the_timer_interrupts_in_every_round),
        T(causes_interrupt_as_the_mask_says),
        T(the_link_follows_the_carrier),
        R(a_clone_sees_its_own_cable_and_address),
        R(the_missed_packets_counter_is_cleared_by_any_write),
        C(a_descriptor_is_a_frame),
        C(descriptors_are_sent_in_turn),
        C(a_byte_count_clears_the_status),
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
        T(random_registers_and_rings_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
