/* virtio over PCI without a driver: both interfaces, the window in configuration space, and misuse.
 */
#include "pci_rig.h"

#include "devices/virtio_net.h"
#include "sim/rng.h"

#define CARD (1u << 3)
#define MODERN 4 /* BARs */
#define LEGACY 0
#define TABLE 1
#define N 8
enum { RX, TX, CTRL };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
/* Common configuration (virtio 1.2, 4.1.4.3). */
enum {
    OFFER_SELECT = 0,
    OFFER = 4,
    ACCEPT_SELECT = 8,
    ACCEPT = 12,
    CONFIG_VECTOR = 16,
    QUEUES = 18,
    STATUS = 20,
    GENERATION = 21,
    SELECT = 22,
    SIZE = 24,
    VECTOR = 26,
    ENABLE = 28,
    NOTIFY_OFF = 30,
    DESC = 32,
    AVAIL = 40,
    USED = 48,
    ISR = 0x1000,
    CONFIG = 0x2000,
    NOTIFY = 0x3000,
};
/* The legacy interface (4.1.4.8). */
enum {
    L_OFFER = 0,
    L_ACCEPT = 4,
    L_ADDRESS = 8,
    L_SIZE = 12,
    L_SELECT = 14,
    L_NOTIFY = 16,
    L_STATUS = 18,
    L_ISR = 19,
    L_CONFIG = 20
};

#define QUEUES_MOST 9
static uint64_t desc[QUEUES_MOST], avail[QUEUES_MOST], used[QUEUES_MOST], payload;
static uint16_t offered[QUEUES_MOST];

static uint32_t get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(MODERN, reg, size);
}

static void put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(MODERN, reg, value, size);
}

static void memory(void)
{
    memset(offered, 0, sizeof(offered));
    for (unsigned q = 0; q < QUEUES_MOST; q++) {
        desc[q] = rig_alloc(&rig, 4096);
        avail[q] = rig_alloc(&rig, 4096);
        used[q] = rig_alloc(&rig, 4096);
    }
    payload = rig_alloc(&rig, 80000);
}

static void features(uint64_t wanted)
{
    put(STATUS, 0, 1);
    put(STATUS, ACKNOWLEDGE, 1);
    put(STATUS, ACKNOWLEDGE | DRIVER, 1);
    for (unsigned half = 0; half < 2; half++) {
        put(ACCEPT_SELECT, half, 4);
        put(ACCEPT, (uint32_t)(wanted >> 32 * half), 4);
    }
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK, 1);
}

static void queues_place(unsigned n)
{
    for (unsigned q = 0; q < n; q++) {
        put(SELECT, q, 2);
        put(SIZE, N, 2);
        put(DESC, (uint32_t)desc[q], 4);
        put(AVAIL, (uint32_t)avail[q], 4);
        put(USED, (uint32_t)used[q], 4);
        put(ENABLE, 1, 2);
    }
}

static void queues(void)
{
    queues_place(3);
}

static int setup(void **state)
{
    (void)state;
    card_start("virtio-net-pci");
    memory();
    features(1ULL << 32 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ);
    queues();
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK, 1);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    card_start("virtio-net-pci");
    memory();
    return 0;
}

static int transitional(void **state)
{
    (void)state;
    card_start_with("virtio-net-pci", (struct nic_config){.legacy = true});
    memory();
    return 0;
}

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

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

/* Offer a buffer, which the device reads, or fills (flag 2). */
static void offer(unsigned q, uint64_t addr, uint32_t len, uint16_t flags)
{
    uint8_t *d = rig_at(&rig, desc[q] + 16 * (offered[q] % N));

    store_le64(d, addr);
    store_le32(d + 8, len);
    store_le16(d + 12, flags);
    store_le16(d + 14, 0);
    store_le16(rig_at(&rig, avail[q] + 4 + 2 * (offered[q] % N)), offered[q] % N);
    store_le16(rig_at(&rig, avail[q] + 2), ++offered[q]);
}

static uint16_t done(unsigned q)
{
    return load_le16(rig_at(&rig, used[q] + 2));
}

static void transmit(unsigned header, uint32_t len)
{
    memset(rig_at(&rig, payload), 0, header);
    card_fill(rig_at(&rig, payload + header), len, own);
    offer(TX, payload, header + len, 0);
}

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

static uint32_t legacy_get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(LEGACY, reg, size);
}

static void legacy_put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(LEGACY, reg, value, size);
}

/* The rings of a legacy queue lie behind each other. */
static void legacy_rings(unsigned q)
{
    uint32_t size;

    legacy_put(L_SELECT, q, 2);
    size = legacy_get(L_SIZE, 2);
    desc[q] = rig_alloc(&rig, 16 * size + 6 + 2 * size + 4096 + 8 * size + 6);
    avail[q] = desc[q] + 16 * size;
    used[q] = (avail[q] + 6 + 2 * size + 4095) & ~4095ULL;
    legacy_put(L_ADDRESS, (uint32_t)(desc[q] >> 12), 4);
    assert_int_equal(legacy_get(L_ADDRESS, 4), desc[q] >> 12);
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
    assert_int_equal(get(ISR, 1), 0); /* 4.1.4.5.1: it tells nothing then */
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

static int with_pairs(void **state)
{
    (void)state;
    card_start_with("virtio-net-pci",
                    (struct nic_config){.legacy = true, .queues = 4, .vectors = 12});
    memory();
    return 0;
}

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
#define M(f) cmocka_unit_test_setup_teardown(f, with_messages, teardown)

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
        M(each_queue_has_its_message),
        M(masked_messages_wait),
        M(a_vector_that_is_not_there_is_none),
        M(resets_take_the_vectors_back),
        M(without_vectors_or_messages_it_is_the_line),
        M(messages_move_the_legacy_configuration),
        T(one_pair_has_what_it_always_had),
        P(several_pairs_have_their_queues_and_vectors),
        P(a_driver_of_the_legacy_interface_can_have_pairs_or_not),
        T(a_queue_that_breaks_the_rules_needs_a_reset),
        T(a_reset_of_the_bus_takes_everything_back),
        L(random_registers_harm_nobody),
        P(random_registers_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
