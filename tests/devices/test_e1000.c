/* The e1000 without a driver: interrupts, link, EEPROM, PHY, and misuse. */
#include "e1000_rig.h"

#include "sim/offload.h"
#include "sim/rng.h"

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

static void phy_put(unsigned reg, uint32_t value)
{
    put(MDIC, 1u << 26 | 1u << 21 | reg << 16 | value);
}

/* 11.1.3: a reset of the PHY applies what was written, and loses nothing of it. */
static void a_reset_of_the_phy_keeps_what_was_written(void **state)
{
    (void)state;

    phy_put(16, 0x0868);
    phy_put(4, 0x0061);
    phy_put(0, 0x8100); /* no negotiation */
    assert_int_equal(phy(0), 0x0100);
    assert_int_equal(phy(16), 0x0868);
    assert_int_equal(phy(4), 0x0061);
    get(ICR);
    phy_put(0, 0x9140);
    rig_advance(&rig, rig.actor.now + 20 * NS_PER_MS);
    assert_int_equal(phy(0), 0x1140);
    assert_int_equal(get(ICR), LSC); /* it has negotiated */
}

static void a_phy_without_power_has_no_link(void **state)
{
    (void)state;

    get(ICR);
    phy_put(0, 0x1940);
    assert_false(get(STATUS) & 2);
    assert_false(phy(1) & 4);
    assert_int_equal(get(ICR), LSC);
    phy_put(0, 0x1140);
    assert_true(get(STATUS) & 2);
    assert_int_equal(get(ICR), LSC);
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

/* What was left to whoever needs the finished packet is done for it too. */
static void what_loops_back_is_whole(void **state)
{
    uint32_t len = tcp_packet(2000, false);
    (void)state;

    put(MDIC, 1u << 26 | 1u << 21 | 0x4140);
    memcpy(rig_at(&rig, payload), own, ETH_ALEN);
    context(1000, 54, 2000, 7);
    descriptor(payload, len | DATA | DEXT | TSE | EOP, 3 << 8);
    send_all();
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(get(RDH), 2);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *p = rig_at(&rig, buffers + 2048 * i);
        assert_int_equal(load_le16(rx_at(i) + 8), 1054);
        assert_int_equal(inet_fold(inet_sum(0, p + 14, 20)), 0);
        assert_int_equal(inet_fold(inet_sum(inet_sum(6 + 1020, p + 26, 8), p + 34, 1020)), 0);
    }
}

/* There is an end to what waits, and what is lost is counted. */
static void a_loop_without_buffers_has_an_end(void **state)
{
    uint64_t dropped = nic->port.stats.drops[DROP_HELD];
    (void)state;

    put(MDIC, 1u << 26 | 1u << 21 | 0x4140);
    card_fill(rig_at(&rig, payload), 200, own);
    for (unsigned i = 0; i < 1000; i++) {
        descriptor(payload, 200 | EOP, 0);
        send_all();
    }
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(get(RDH), N - 1);
    dropped = nic->port.stats.drops[DROP_HELD] - dropped;
    assert_true(dropped > 500 && dropped < 1000 - N);
}

/* A clone may have a cable where its original has none, and the other way round. */
static void a_clone_sees_its_own_cable_and_address(void **state)
{
    (void)state;

    for (unsigned up = 0; up < 2; up++) {
        nic->port.up = !up;
        nic->port.ops->carrier(&nic->port, !up);
        struct nic *n = card_clone("e1000", up);
        const struct pci_bar *bar = &n->pci->bars[0];
        assert_int_equal(bar->read(&n->dev, STATUS, 4) >> 1 & 1, up);
        assert_int_equal(bar->read(&n->dev, RAL, 4), load_le32(clones));
        assert_true(bar->read(&n->dev, ICR, 4) & LSC);
        nic_destroy(n);
    }
}

static void a_reset_of_the_machine_ends_a_negotiation(void **state)
{
    const struct pci_bar *bar = &nic->pci->bars[0];
    (void)state;

    put(MDIC, 1u << 26 | 1u << 21 | 0x1340); /* begin anew */
    device_reset(&nic->dev);
    rig_advance(&rig, rig.actor.now + 20 * NS_PER_MS);
    assert_int_equal(bar->read(&nic->dev, ICR, 4), 0);
}

static void registers_can_be_reached_by_io_ports(void **state)
{
    (void)state;

    card_write(2, 0, VET, 4);
    assert_int_equal(card_read(2, 4, 4), 0x8100);
    card_write(2, 4, 0x88a8, 4);
    assert_int_equal(get(VET), 0x88a8);
    card_write(2, 0, 0xffffffff, 4);
    card_read(2, 4, 4);
}

/* What is not for receiving is for sending (13.4.16); a reset makes it so. */
static void the_packet_buffer_is_divided(void **state)
{
    (void)state;

    assert_int_equal(get(PBA), 16 << 16 | 48);
    put(PBA, 0xffff0028);
    assert_int_equal(get(PBA), 24 << 16 | 40);
    put(CTRL, RST);
    assert_int_equal(get(PBA), 24 << 16 | 40);
    put(PBA, 127);
    assert_int_equal(get(PBA), 64);
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

static uint32_t noise_value(struct rng *g, unsigned reg)
{
    switch (reg) {
    case RDBAL:
    case TDBAL: return (uint32_t)(rng_below(g, 2) ? tx_ring : rx_ring);
    case RDLEN:
    case TDLEN: return rng_below(g, 4) ? N * 16 : rng_below(g, 64) * 128;
    case RDH:
    case RDT:
    case TDH:
    case TDT: return rng_below(g, 4) ? rng_below(g, N) : (uint32_t)rng_next(g);
    case RCTL:
    case TCTL: return rng_below(g, 2) ? EN | UPE | SECRC | (uint32_t)rng_next(g) : rng_below(g, 64);
    default: return (uint32_t)rng_next(g) & (rng_below(g, 2) ? 0x3fu : ~0u);
    }
}

/* A descriptor for sending, of which the greater part may make sense. */
static void noise_out(struct rng *g)
{
    uint8_t *w = rig_at(&rig, tx_ring + 16 * rng_below(g, N));

    store_le64(w, payload + rng_below(g, 256));
    store_le32(w + 8, (uint32_t)rng_next(g) & (rng_below(g, 2) ? 0xff3001ffu : 0x0b0003ffu));
    store_le32(w + 12, (uint32_t)rng_next(g) & 0x0fff4f4f);
}

static void noise_in(struct rng *g)
{
    uint32_t len = tcp_packet(rng_below(g, 3000), true);
    uint8_t *p = rig_at(&rig, payload);
    struct frame *f;

    memcpy(p, rng_below(g, 2) ? own : everyone, ETH_ALEN);
    for (unsigned k = rng_below(g, 3); k; k--)
        p[12 + rng_below(g, 42)] = (uint8_t)rng_next(g);
    f = frame_from(p, rng_below(g, 4) ? len : ETH_HLEN + rng_below(g, len - ETH_HLEN));
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

static void random_registers_rings_and_packets_harm_nobody(void **state)
{
    static const uint16_t likely[] = {CTRL,  ICR,   IMS, RCTL, TCTL,   RDBAL, RDLEN, RDH, RDT,
                                      TDBAL, TDLEN, TDH, TDT,  RXCSUM, MDIC,  0x10,  0x14};
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "e1000");
    for (unsigned i = 0; i < 40000; i++) {
        unsigned reg = rng_below(&g, 3) ? likely[rng_below(&g, ARRAY_LEN(likely))]
                                        : rng_below(&g, 0x8000) * 4 & 0x1fffc;
        put(reg, noise_value(&g, reg));
        get(reg);
        if (rng_below(&g, 4) == 0) { /* whatever was done to it, it works again */
            put(CTRL, RST);
            put(MDIC, 1u << 26 | 1u << 21 | 0x9140);
            configure();
            put(RCTL, EN | UPE | BAM | LPE | (rng_below(&g, 2) ? SECRC : 3u << 16));
        }
        for (unsigned k = 0; k < 16; k++)
            rig_at(&rig, (rng_below(&g, 2) ? tx_ring : rx_ring) + rng_below(&g, N * 16))[0] =
                (uint8_t)rng_next(&g);
        noise_out(&g);
        noise_in(&g);
        rig_forget(&rig);
    }
    assert_true(nic->port.stats.rx_frames > 3000 && nic->port.stats.tx_frames > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(causes_interrupt_as_the_mask_says),
        T(the_throttle_keeps_interrupts_apart),
        T(delayed_interrupts_come_when_it_is_quiet_or_too_long),
        T(the_link_follows_the_carrier),
        T(the_eeprom_has_the_address_and_a_checksum),
        T(the_phy_says_who_it_is_and_whether_there_is_a_link),
        T(what_loops_back_comes_later_and_alone),
        T(what_loops_back_is_whole),
        T(a_loop_without_buffers_has_an_end),
        T(a_clone_sees_its_own_cable_and_address),
        T(a_reset_of_the_machine_ends_a_negotiation),
        T(registers_can_be_reached_by_io_ports),
        T(the_packet_buffer_is_divided),
        T(a_reset_forgets_everything),
        T(a_reset_of_the_phy_keeps_what_was_written),
        T(a_phy_without_power_has_no_link),
        T(random_registers_rings_and_packets_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
