/* virtio over PCI: messages in place of the line, and the vectors of several pairs of queues. */
#include "virtio_pci_rig.h"

/* With MSI-X: four vectors, each with a word of memory for its messages; the words start at 0. */
static uint64_t messages;

static int with_messages(void **state)
{
    (void)state;
    card_start_with("virtio-net-pci", (struct nic_config){.legacy = true, .vectors = 4});
    memory();
    messages = rig_alloc(&rig, 64);
    for (unsigned v = 0; v < 4; v++) {
        card_write(TABLE, 16 * v, messages + 4 * v, 4);
        card_write(TABLE, 16 * v + 8, 0x100 + v, 4);
        card_write(TABLE, 16 * v + 12, 0, 4);
    }
    return 0;
}

/* --- messages --- */

/* A vector's message, if there is one; it is taken. */
static uint32_t message(unsigned v)
{
    uint8_t *p = rig_at(&rig, messages + 4 * v);
    uint32_t data = load_le32(p);

    store_le32(p, 0);
    return data;
}

/* The control word of the MSI-X capability. */
static void messages_control(uint32_t value)
{
    unsigned at = config_read(CARD, PCI_CAPABILITIES, 1);

    while (config_read(CARD, at, 1) != 0x11)
        at = config_read(CARD, at + 1, 1);
    assert_int_equal(config_read(CARD, at + 2, 2) & 0x7ff, 3); /* four vectors */
    config_write(CARD, at + 2, value, 2);
}

/* A driver that gave the configuration vector 0, reception 1, transmission 2. */
static void messages_start(void)
{
    messages_control(0x8000);
    features(1ULL << 32 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ);
    queues();
    put(CONFIG_VECTOR, 0, 2);
    for (unsigned q = RX; q <= TX; q++) {
        put(SELECT, q, 2);
        put(VECTOR, q + 1, 2);
        assert_int_equal(get(VECTOR, 2), q + 1);
    }
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK, 1);
    offer(RX, payload, 1600, 2);
    put(NOTIFY, RX, 2);
}

static void each_queue_has_its_message(void **state)
{
    (void)state;

    messages_start();
    card_receive(own, 100);
    assert_int_equal(message(1), 0x101);
    transmit(12, 200);
    put(NOTIFY + 4 * TX, TX, 2);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(message(2), 0x102);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(message(0), 0x100);
    assert_int_equal(message(0) | message(1) | message(2) | message(3), 0);
    assert_int_equal(get(ISR, 1), 2); /* 4.1.4.5.1: of queues it tells nothing then */
    assert_false(rig.line[CARD_LINE]);
}

static void masked_messages_wait(void **state)
{
    (void)state;

    messages_start();
    card_write(TABLE, 16 + 12, 1, 4);
    card_receive(own, 100);
    assert_int_equal(message(1), 0);
    assert_int_equal(card_read(TABLE, 0x2000, 4), 2);
    messages_control(0xc000);
    card_write(TABLE, 16 + 12, 0, 4);
    assert_int_equal(message(1), 0); /* all of them are masked still */
    messages_control(0x8000);
    assert_int_equal(message(1), 0x101);
    assert_int_equal(card_read(TABLE, 0x2000, 4), 0);
}

static void a_vector_that_is_not_there_is_none(void **state)
{
    (void)state;

    messages_start();
    put(SELECT, RX, 2);
    put(VECTOR, 4, 2);
    assert_int_equal(get(VECTOR, 2), 0xffff);
    put(CONFIG_VECTOR, 0x8000, 2);
    assert_int_equal(get(CONFIG_VECTOR, 2), 0xffff);
    put(SELECT, 3, 2); /* there is no such queue */
    put(VECTOR, 1, 2);
    assert_int_equal(get(VECTOR, 2), 0xffff);
    card_receive(own, 100); /* told to nobody */
    assert_int_equal(done(RX), 1);
    assert_int_equal(message(0) | message(1) | message(3), 0);
    card_write(TABLE, 64, 1, 4); /* behind the table */
    assert_int_equal(card_read(TABLE, 64, 4), 0);
}

static void resets_take_the_vectors_back(void **state)
{
    (void)state;

    messages_start();
    put(STATUS, 0, 1); /* the device's: the table is the bus's */
    put(SELECT, RX, 2);
    assert_int_equal(get(VECTOR, 2), 0xffff);
    assert_int_equal(get(CONFIG_VECTOR, 2), 0xffff);
    assert_int_equal(card_read(TABLE, 16 + 8, 4), 0x101);
    device_reset(&nic->dev);
    config_write(CARD, PCI_BAR0 + 4 * TABLE, 0x40000000, 4);
    config_write(CARD, PCI_COMMAND, 7, 2);
    assert_int_equal(memory_read(0x40000000 + 16 + 8, 4), 0);
    assert_int_equal(memory_read(0x40000000 + 16 + 12, 4), 1);
}

static void without_vectors_or_messages_it_is_the_line(void **state)
{
    (void)state;

    messages_start();
    messages_control(0);
    card_receive(own, 100);
    assert_int_equal(message(1), 0);
    assert_true(rig.line[CARD_LINE]);
    messages_control(0x8000);
    assert_false(rig.line[CARD_LINE]);
    card_finish();
    setup(NULL); /* without such a capability nothing can be assigned */
    put(CONFIG_VECTOR, 0, 2);
    assert_int_equal(get(CONFIG_VECTOR, 2), 0xffff);
}

static void messages_move_the_legacy_configuration(void **state)
{
    (void)state;

    assert_int_equal(legacy_get(L_CONFIG, 1), own[0]);
    messages_control(0x8000);
    assert_int_equal(legacy_get(L_CONFIG + 4, 1), own[0]);
    legacy_put(L_CONFIG, 3, 2);
    assert_int_equal(legacy_get(L_CONFIG, 2), 3);
    legacy_put(L_SELECT, TX, 2);
    legacy_put(L_CONFIG + 2, 2, 2);
    assert_int_equal(legacy_get(L_CONFIG + 2, 2), 2);
}

/* --- four pairs of queues --- */

/* Where VIRTIO_PCI_CAP_NOTIFY_CFG says that notifications end. */
static uint32_t notifications(void)
{
    unsigned at = config_read(CARD, PCI_CAPABILITIES, 1);

    while (config_read(CARD, at, 1) != 9 || config_read(CARD, at + 3, 1) != 2)
        at = config_read(CARD, at + 1, 1);
    return config_read(CARD, at + 12, 4);
}

static uint8_t pairs_set(unsigned queue, uint8_t n)
{
    uint64_t at = payload + 60000;

    memcpy(rig_at(&rig, at), (uint8_t[]){4, 0, n, 0, 0xee}, 5);
    offer(queue, at, 4, 1);
    store_le16(rig_at(&rig, desc[queue] + 14), 1);
    store_le64(rig_at(&rig, desc[queue] + 16), at + 4);
    store_le32(rig_at(&rig, desc[queue] + 24), 1);
    store_le16(rig_at(&rig, desc[queue] + 28), 2);
    put(NOTIFY + 4 * queue, queue, 2);
    return *rig_at(&rig, at + 4);
}

static void one_pair_has_what_it_always_had(void **state)
{
    (void)state;

    assert_int_equal(get(QUEUES, 2), 3);
    assert_int_equal(get(CONFIG + 8, 2), 1);
    assert_int_equal(notifications(), 16);
    assert_int_equal(pairs_set(CTRL, 1), 1);
}

static void several_pairs_have_their_queues_and_vectors(void **state)
{
    (void)state;

    assert_int_equal(get(QUEUES, 2), 9);
    assert_int_equal(get(CONFIG + 8, 2), 4);
    assert_true(notifications() >= 36);
    messages = rig_alloc(&rig, 4096);
    for (unsigned v = 0; v < 12; v++) {
        card_write(TABLE, 16 * v, (uint32_t)messages + 4 * v, 4);
        card_write(TABLE, 16 * v + 8, 0x100 + v, 4);
        card_write(TABLE, 16 * v + 12, 0, 4);
    }
    unsigned at = config_read(CARD, PCI_CAPABILITIES, 1);
    while (config_read(CARD, at, 1) != 0x11)
        at = config_read(CARD, at + 1, 1);
    config_write(CARD, at + 2, 0x8000, 2);
    features(1ULL << 32 | VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ);
    assert_true(get(STATUS, 1) & FEATURES_OK);
    queues_place(9);
    for (unsigned q = 0; q < 9; q++) {
        put(SELECT, q, 2);
        assert_int_equal(get(NOTIFY_OFF, 2), q);
        put(VECTOR, q + 1, 2);
        assert_int_equal(get(VECTOR, 2), q + 1);
    }
    put(SELECT, 9, 2);
    assert_int_equal(get(SIZE, 2), 0);
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK, 1);
    assert_int_equal(pairs_set(8, 4), 0);
    assert_int_equal(message(9), 0x109);
    memset(rig_at(&rig, payload), 0, 12);
    card_fill(rig_at(&rig, payload + 12), 100, (uint8_t[]){2, 0, 0, 0, 0, 9}); /* card_receive's */
    memcpy(rig_at(&rig, payload + 18), own, ETH_ALEN);
    offer(7, payload, 112, 0);
    put(NOTIFY + 4 * 7, 7, 2);
    assert_int_equal(done(7), 1);
    rig_advance(&rig, rig.actor.now + NS_PER_MS);
    assert_int_equal(message(8), 0x108);
    offer(6, payload + 4096, 1600, 2);
    put(NOTIFY + 4 * 6, 6, 2);
    card_receive(own, 100);
    assert_int_equal(done(6), 1);
    assert_int_equal(message(7), 0x107);
    put(SELECT, 6, 2);
    put(STATUS, 0, 1);
    assert_int_equal(get(QUEUES, 2), 9);
    put(SELECT, 6, 2);
    assert_int_equal(get(VECTOR, 2), 0xffff);
}

static void a_driver_of_the_legacy_interface_can_have_pairs_or_not(void **state)
{
    (void)state;

    legacy_put(L_STATUS, ACKNOWLEDGE | DRIVER, 1);
    assert_true(legacy_get(L_OFFER, 4) & VIRTIO_NET_F_MQ);
    assert_int_equal(legacy_get(L_CONFIG + 8, 2), 4);
    legacy_put(L_ACCEPT, VIRTIO_NET_F_CTRL_VQ, 4);
    legacy_put(L_SELECT, CTRL, 2);
    assert_int_equal(legacy_get(L_SIZE, 2), 64);
    legacy_put(L_SELECT, 8, 2);
    assert_int_equal(legacy_get(L_SIZE, 2), 0);
    legacy_put(L_STATUS, 0, 1);
    legacy_put(L_STATUS, ACKNOWLEDGE | DRIVER, 1);
    legacy_put(L_ACCEPT, VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_MQ, 4);
    legacy_put(L_SELECT, CTRL, 2);
    assert_int_equal(legacy_get(L_SIZE, 2), 256);
    legacy_put(L_SELECT, 8, 2);
    assert_int_equal(legacy_get(L_SIZE, 2), 64);
    for (unsigned q = 0; q < 9; q++)
        legacy_rings(q);
    legacy_put(L_STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK, 1);
    memcpy(rig_at(&rig, payload), (uint8_t[]){4, 0, 4, 0, 0xee}, 5);
    offer(8, payload, 4, 1);
    store_le16(rig_at(&rig, desc[8] + 14), 1);
    store_le64(rig_at(&rig, desc[8] + 16), payload + 4);
    store_le32(rig_at(&rig, desc[8] + 24), 1);
    store_le16(rig_at(&rig, desc[8] + 28), 2);
    legacy_put(L_NOTIFY, 8, 2);
    assert_int_equal(*rig_at(&rig, payload + 4), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define P(f) cmocka_unit_test_setup_teardown(f, with_pairs, teardown)
#define M(f) cmocka_unit_test_setup_teardown(f, with_messages, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        M(each_queue_has_its_message),
        M(masked_messages_wait),
        M(a_vector_that_is_not_there_is_none),
        M(resets_take_the_vectors_back),
        M(without_vectors_or_messages_it_is_the_line),
        M(messages_move_the_legacy_configuration),
        T(one_pair_has_what_it_always_had),
        P(several_pairs_have_their_queues_and_vectors),
        P(a_driver_of_the_legacy_interface_can_have_pairs_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
