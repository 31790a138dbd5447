/* virtio over PCI without a driver: both interfaces, the window in configuration space, and misuse.
 */
#include "virtio_pci_rig.h"

#include "sim/rng.h"

static void capabilities_say_where_everything_is(void **state)
{
    unsigned seen = 0, at = config_read(CARD, PCI_CAPABILITIES, 1);
    (void)state;

    for (; at; at = config_read(CARD, at + 1, 1)) {
        unsigned type = config_read(CARD, at + 3, 1);
        assert_int_equal(config_read(CARD, at, 1), 9);
        if (type != 5)
            assert_int_equal(config_read(CARD, at + 4, 1), MODERN);
        seen |= 1u << type;
    }
    assert_int_equal(seen, 0x3e);
}

static void the_status_goes_through_its_steps(void **state)
{
    (void)state;

    assert_int_equal(get(STATUS, 1), 0);
    assert_int_equal(get(QUEUES, 2), 3);
    put(OFFER_SELECT, 1, 4);
    assert_true(get(OFFER, 4) & 1); /* VERSION_1 */
    put(OFFER_SELECT, 2, 4);
    assert_int_equal(get(OFFER, 4), 0);
    features(1ULL << 32 | 1ULL << 60);
    put(ACCEPT_SELECT, 1, 4);
    assert_int_equal(get(ACCEPT, 4), 1); /* what was not offered is not there */
    features(1ULL << 32 | VIRTIO_NET_F_MAC);
    assert_true(get(STATUS, 1) & FEATURES_OK);
    put(ACCEPT_SELECT, 0, 4);
    assert_int_equal(get(ACCEPT, 4), VIRTIO_NET_F_MAC);
    put(STATUS, 0, 1);
    assert_int_equal(get(STATUS, 1), 0);
    assert_int_equal(get(ACCEPT, 4), 0);
}

static void queues_are_what_was_written(void **state)
{
    (void)state;

    put(SELECT, TX, 2);
    assert_int_equal(get(SIZE, 2), N);
    assert_int_equal(get(DESC, 4), (uint32_t)desc[TX]);
    assert_int_equal(get(DESC + 4, 4), 0);
    assert_int_equal(get(ENABLE, 2), 1);
    put(ENABLE, 0, 2); /* no way back but a reset */
    assert_int_equal(get(ENABLE, 2), 1);
    assert_int_equal(get(NOTIFY_OFF, 2), TX);
    put(SELECT, 3, 2); /* there is none */
    assert_int_equal(get(SIZE, 2), 0);
    put(SIZE, 8, 2);
    put(ENABLE, 1, 2);
    put(SELECT, 0xffff, 2);
    assert_int_equal(get(SIZE, 2), 0);
}

static void a_frame_is_sent_by_a_notification(void **state)
{
    (void)state;

    transmit(12, 200);
    put(NOTIFY + 4 * TX, TX, 2);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(done(TX), 1);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(get(ISR, 1), 1);
    assert_false(rig.line[CARD_LINE]); /* reading takes it back */
    assert_int_equal(get(ISR, 1), 0);
    put(NOTIFY + 4 * 200, 0, 4); /* of nobody */
    put(NOTIFY + 4 * 3, 0, 4);
}

static void a_frame_is_received_with_an_interrupt(void **state)
{
    (void)state;

    offer(RX, payload, 1600, 2);
    put(NOTIFY, RX, 2);
    card_receive(own, 100);
    assert_int_equal(done(RX), 1);
    assert_int_equal(load_le32(rig_at(&rig, used[RX] + 8)), 112);
    assert_true(rig.line[CARD_LINE]);
    config_write(CARD, PCI_COMMAND, 0x407, 2); /* INTx off */
    assert_false(rig.line[CARD_LINE]);
}

static void the_configuration_has_address_and_link(void **state)
{
    (void)state;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(get(CONFIG + i, 1), own[i]);
    assert_int_equal(get(CONFIG + 6, 2), 1);
    uint32_t generation = get(GENERATION, 1);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(CONFIG + 6, 2), 0);
    assert_int_not_equal(get(GENERATION, 1), generation);
    assert_true(get(ISR, 1) & 2);
    assert_int_equal(get(CONFIG + 0xff0, 4), 0);
}

static void without_bus_mastering_nothing_is_read(void **state)
{
    (void)state;

    config_write(CARD, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    transmit(12, 100);
    put(NOTIFY + 4 * TX, TX, 2);
    assert_int_equal(rig_sent(&rig), 0);
}

static void the_window_does_what_the_bar_does(void **state)
{
    unsigned at = config_read(CARD, PCI_CAPABILITIES, 1);
    (void)state;

    while (config_read(CARD, at + 3, 1) != 5)
        at = config_read(CARD, at + 1, 1);
    config_write(CARD, at + 4, MODERN, 1);
    config_write(CARD, at + 8, QUEUES, 4);
    config_write(CARD, at + 12, 2, 4);
    assert_int_equal(config_read(CARD, at + 16, 2), 3);
    config_write(CARD, at + 8, SELECT, 4);
    config_write(CARD, at + 16, TX, 2);
    assert_int_equal(get(SELECT, 2), TX);
    static const uint32_t wrong[][2] = {{0xfffffff0, 4}, {0, 3}, {1, 4},
                                        {0x4000, 4},     {0, 0}, {0, 400}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        config_write(CARD, at + 8, wrong[i][0], 4);
        config_write(CARD, at + 12, wrong[i][1], 4);
        config_write(CARD, at + 16, ~0u, 4);
        config_read(CARD, at + 16, 4);
    }
    config_write(CARD, at + 4, 7, 1);
    config_read(CARD, at + 16, 4);
    assert_true(get(STATUS, 1) & DRIVER_OK);
}

static void the_legacy_interface_sends_and_receives(void **state)
{
    (void)state;

    legacy_put(L_STATUS, ACKNOWLEDGE, 1);
    legacy_put(L_STATUS, ACKNOWLEDGE | DRIVER, 1);
    assert_true(legacy_get(L_OFFER, 4) & VIRTIO_NET_F_MAC);
    legacy_put(L_ACCEPT, VIRTIO_NET_F_MAC, 4);
    assert_int_equal(legacy_get(L_ACCEPT, 4), VIRTIO_NET_F_MAC);
    legacy_rings(RX);
    legacy_rings(TX);
    legacy_put(L_STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK, 1);
    transmit(10, 150); /* the short header */
    legacy_put(L_NOTIFY, TX, 2);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 150);
    store_le16(rig_at(&rig, desc[RX] + 12), 1); /* header and frame apart */
    offer(RX, payload + 4096, 10, 2 | 1);
    store_le16(rig_at(&rig, desc[RX] + 14), 1);
    store_le64(rig_at(&rig, desc[RX] + 16), payload + 8192);
    store_le32(rig_at(&rig, desc[RX] + 24), 1600);
    store_le16(rig_at(&rig, desc[RX] + 28), 2);
    legacy_put(L_NOTIFY, RX, 2);
    card_receive(own, 100);
    assert_int_equal(done(RX), 1);
    assert_int_equal(rig_at(&rig, payload + 8192)[99], 99);
    assert_true(legacy_get(L_ISR, 1) & 1);
    assert_false(rig.line[CARD_LINE]);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        assert_int_equal(legacy_get(L_CONFIG + i, 1), own[i]);
    legacy_put(L_SELECT, 7, 2);
    assert_int_equal(legacy_get(L_SIZE, 2), 0);
    legacy_put(L_ADDRESS, 1, 4);
    legacy_put(L_STATUS, 0, 1);
    legacy_put(L_SELECT, TX, 2);
    assert_int_equal(legacy_get(L_ADDRESS, 4), 0);
}

static void a_queue_that_breaks_the_rules_needs_a_reset(void **state)
{
    (void)state;

    offer(TX, 0x40000000, 100, 0);
    put(NOTIFY + 4 * TX, TX, 2);
    assert_true(get(STATUS, 1) & NEEDS_RESET);
    assert_true(get(ISR, 1) & 2);
    memset(offered, 0, sizeof(offered));
    for (unsigned q = 0; q < 3; q++)
        memset(rig_at(&rig, avail[q]), 0, 4);
    features(1ULL << 32 | VIRTIO_NET_F_MAC);
    queues();
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK, 1);
    transmit(12, 100);
    put(NOTIFY + 4 * TX, TX, 2);
    assert_int_equal(rig_sent(&rig), 1);
}

static void a_reset_of_the_bus_takes_everything_back(void **state)
{
    (void)state;

    device_reset(&nic->dev);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(config_read(CARD, PCI_COMMAND, 2), 0);
    config_write(CARD, PCI_BAR0 + 4 * MODERN, 0x40000000, 4);
    config_write(CARD, PCI_COMMAND, 7, 2);
    assert_int_equal(memory_read(0x40000000 + STATUS, 1), 0);
}

static void random_registers_harm_nobody(void **state)
{
    struct rng g;
    (void)state;

    rng_init(&g, rig_seed(), "virtio-pci");
    for (unsigned i = 0; i < 60000; i++) {
        unsigned size = 1u << rng_below(&g, 3);
        unsigned at = (rng_below(&g, 4) ? rng_below(&g, 64) : rng_below(&g, 0x4000)) & ~(size - 1);
        if (rng_below(&g, 2))
            put(at, (uint32_t)rng_next(&g) & (rng_below(&g, 2) ? 15 : ~0u), size);
        else
            legacy_put(at % 32, (uint32_t)rng_next(&g) & 15, size);
        get(at, size);
        legacy_get(at % 32, size);
        card_receive(own, 60 + rng_below(&g, 100));
        rig_forget(&rig);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define F(f) cmocka_unit_test_setup_teardown(f, fresh, teardown)
#define L(f) cmocka_unit_test_setup_teardown(f, transitional, teardown)
#define P(f) cmocka_unit_test_setup_teardown(f, with_pairs, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(capabilities_say_where_everything_is),
        F(the_status_goes_through_its_steps),
        T(queues_are_what_was_written),
        T(a_frame_is_sent_by_a_notification),
        T(a_frame_is_received_with_an_interrupt),
        T(the_configuration_has_address_and_link),
        T(without_bus_mastering_nothing_is_read),
        T(the_window_does_what_the_bar_does),
        L(the_legacy_interface_sends_and_receives),
        T(a_queue_that_breaks_the_rules_needs_a_reset),
        T(a_reset_of_the_bus_takes_everything_back),
        L(random_registers_harm_nobody),
        P(random_registers_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
