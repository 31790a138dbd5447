/*
 * The e1000e without a driver: what it has beyond the e1000 (test_e1000.c), and misuse of that.
 */
#include "e1000e_rig.h"

#include "sim/rng.h"

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
    assert_false(get(IMS) & RXQ1); /* EIAC */
    put(IMS, RXQ1);
    put(ICS, RXQ1);
    put(ICS, RXQ0); /* the others are not */
    assert_int_equal(message(1), 0);
    assert_int_equal(message(0), 0x100);
    rig_advance(&rig, first + 102400);
    assert_int_equal(message(1), 0x101);
    put(EITR + 4, 0);
    rig_advance(&rig, first + 300000);
    put(EIAC, 0);
    put(CTRL_EXT, EIAME);
    put(IAM, RXQ1);
    put(IMS, RXQ1);
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
    put(EERD, 0x1b << 2 | 1);
    assert_int_equal(get(EERD) >> 23 & 7, 4); /* five vectors */
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
    assert_int_equal(get(EXTCNF_CTRL) & 0x20, 0x20);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
