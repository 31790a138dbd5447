/* PCI: configuration space, base addresses, interrupt lines, bus mastering, bridges. */
#include "pci_rig.h"

#include "devices/pci_bridge.h"
#include "sim/rng.h"

#define CARD (1u << 3)
#define BRIDGE (2u << 3)

static int setup(void **state)
{
    (void)state;
    card_start("virtio-net-pci");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

static void nobody_answers_with_ones(void **state)
{
    (void)state;

    assert_int_equal(config_read(5u << 3, PCI_VENDOR_ID, 4), 0xffffffff);
    assert_int_equal(config_read(CARD | 1, PCI_VENDOR_ID, 2), 0xffff);
    config_write(5u << 3, PCI_COMMAND, 7, 2);
    assert_int_equal(memory_read(0x7fff0000, 4), 0xffffffff);
    assert_true(memory_read(0x7fff0000, 8) == ~0ULL);
    assert_int_equal(io_read(0xff00, 1), 0xff);
    memory_write(0x7fff0000, 1, 4);
}

static void ids_and_class_are_read_only(void **state)
{
    (void)state;

    for (unsigned at = 0; at < 16; at += 4)
        if (at != PCI_COMMAND)
            config_write(CARD, at, ~0u, 4);
    assert_int_equal(config_read(CARD, PCI_VENDOR_ID, 4), 0x10411af4);
    assert_int_equal(config_read(CARD, PCI_CLASS + 1, 2), 0x0200);
    assert_int_equal(config_read(CARD, PCI_HEADER_TYPE, 1), 0);
    assert_int_equal(config_read(0, PCI_CLASS + 1, 2), 0x0600);
    config_write(CARD, PCI_INTERRUPT_LINE, 0x42, 1);
    assert_int_equal(config_read(CARD, PCI_INTERRUPT_LINE, 2), 0x0142);
}

/* Linux's 8139cp refuses a card whose cache line size cannot be set (6.2.4). */
static void cache_line_size_and_latency_are_kept(void **state)
{
    (void)state;

    config_write(CARD, PCI_CACHE_LINE, 0x4010, 2);
    assert_int_equal(config_read(CARD, PCI_CACHE_LINE, 2), 0x4010);
    device_reset(&nic->dev);
    assert_int_equal(config_read(CARD, PCI_CACHE_LINE, 2), 0);
}

/* What lspci shows of real ones. */
static void cards_look_like_themselves(void **state)
{
    static const struct {
        const char *model;
        uint32_t id;
        uint8_t revision;
        uint16_t status;
        uint16_t grant_latency;
    } cards[] = {
        {"e1000", 0x100e8086, 2, 0x0230, 0x00ff},      {"pcnet", 0x20001022, 0x10, 0x0280, 0xff06},
        {"rtl8139", 0x813910ec, 0x20, 0x0280, 0x4020}, {"ne2k_pci", 0x802910ec, 0, 0x0200, 0},
        {"tulip", 0x00191011, 0x41, 0x0280, 0x2814},
    };
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(cards); i++) {
        card_finish();
        card_start(cards[i].model);
        assert_int_equal(config_read(CARD, PCI_VENDOR_ID, 4), cards[i].id);
        assert_int_equal(config_read(CARD, PCI_REVISION, 1), cards[i].revision);
        assert_int_equal(config_read(CARD, PCI_STATUS, 2), cards[i].status);
        assert_int_equal(config_read(CARD, PCI_MIN_GNT, 2), cards[i].grant_latency);
    }
}

static void extended_configuration_is_empty(void **state)
{
    (void)state;

    config_write(CARD, 0x100, 0x1234, 4);
    assert_int_equal(config_read(CARD, 0x100, 4), 0xffffffff); /* it is no PCI Express */
}

static void a_bar_answers_where_it_was_put_while_decoding(void **state)
{
    uint32_t status = 20; /* device_status of the common configuration */
    (void)state;

    card_write(4, status, 1, 1);
    assert_int_equal(card_read(4, status, 1), 1);
    config_write(CARD, PCI_BAR0 + 16, 0x50000000, 4);
    assert_int_equal(memory_read(0x50000000 + status, 1), 1);
    assert_int_equal(card_read(4, status, 1), 0xff);
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_IO, 2);
    assert_int_equal(memory_read(0x50000000 + status, 1), 0xff);
    memory_write(0x50000000 + status, 0, 1);
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_int_equal(memory_read(0x50000000 + status, 1), 1);
    config_write(CARD, PCI_BAR0 + 20, 1, 4); /* above 4 GiB: outside of the window */
    assert_int_equal(memory_read(0x50000000 + status, 1), 0xff);
}

static void accesses_of_a_wrong_size_read_ones(void **state)
{
    (void)state;

    card_finish();
    card_start("e1000");
    card_write(2, 0, 0x38, 4);
    assert_int_equal(card_read(2, 0, 2), 0xffff);
    card_write(2, 0, 0, 2);
    assert_int_equal(card_read(2, 0, 4), 0x38);
}

static void eight_bytes_pass_as_twice_four(void **state)
{
    (void)state;

    card_write(4, 0, 1ULL << 32 | 1, 8); /* device_feature_select, which says what the next reads */
    assert_int_equal(card_read(4, 0, 4), 1);
    assert_int_equal(card_read(4, 0, 8) >> 32, card_read(4, 4, 4));
    assert_int_equal((uint32_t)card_read(4, 0, 8), 1);
}

static void capabilities_form_a_list_that_ends(void **state)
{
    unsigned n = 0, at = config_read(CARD, PCI_CAPABILITIES, 1);
    (void)state;

    assert_true(config_read(CARD, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES);
    for (; at; at = config_read(CARD, at + 1, 1)) {
        assert_true(at >= 0x40 && at % 4 == 0 && ++n < 48);
        assert_int_equal(config_read(CARD, at, 1), 9);
    }
    assert_int_equal(n, 5);
}

/* A driver that raises the configuration interrupt by losing the carrier. */
static void interrupt_by_carrier(void)
{
    card_write(4, 20, 0, 1);
    card_write(4, 20, 3, 1);
    card_write(4, 8, 0, 4);
    card_write(4, 12, 1u << 16, 4); /* STATUS */
    card_write(4, 8, 1, 4);
    card_write(4, 12, 1, 4); /* VERSION_1 */
    card_write(4, 20, 11, 1);
    card_write(4, 20, 15, 1);
    port_set_up(&nic->port, false);
    rig_advance(&rig, rig.actor.now);
}

static void intx_obeys_the_command_register(void **state)
{
    (void)state;

    interrupt_by_carrier();
    assert_true(rig.line[CARD_LINE]);
    assert_true(config_read(CARD, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE, 2);
    assert_false(rig.line[CARD_LINE]);
    assert_true(config_read(CARD, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_true(rig.line[CARD_LINE]);
    assert_int_equal(card_read(4, 0x1000, 1), 2); /* reading ISR takes it back */
    assert_false(rig.line[CARD_LINE]);
}

static void a_reset_lets_go_of_the_line_and_moves_the_bars_away(void **state)
{
    (void)state;

    interrupt_by_carrier();
    device_reset(&nic->dev);
    assert_false(rig.line[CARD_LINE]);
    assert_int_equal(config_read(CARD, PCI_COMMAND, 2), 0);
    assert_int_equal(config_read(CARD, PCI_BAR0 + 16, 4), PCI_BAR_64BIT | PCI_BAR_PREFETCH);
    assert_int_equal(card_read(4, 20, 1), 0xff);
}

static void dma_needs_bus_mastering(void **state)
{
    uint64_t at = rig_alloc(&rig, 16);
    uint8_t byte = 7;
    struct dma *dma = nic->dev.env->dma;
    (void)state;

    assert_true(dma->write(dma, at, &byte, 1));
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_false(dma->write(dma, at + 1, &byte, 1));
    assert_false(dma->read(dma, at, &byte, 1));
    assert_int_equal(rig_at(&rig, at)[1], 0);
}

/* --- bridges --- */

static struct pci_bridge bridge;
static struct nic *far;

static void bridge_start(void)
{
    struct nic_config c = {.mac = {2, 0, 0, 0, 0, 1}};
    struct err err = {0};

    pci_bridge_init(&bridge, &rig.env, "rig.bridge");
    pci_attach_bridge(&host, &bridge, NULL, BRIDGE);
    far = nic_model_find("virtio-net-pci")->create(&rig.env, "h1.eth1", &c, &err);
    pci_attach(&host, far->pci, &bridge, 3u << 3);
}

static void bridge_finish(void)
{
    nic_destroy(far);
    device_finish(&bridge.dev);
}

static uint32_t behind(unsigned bus, unsigned at, unsigned size)
{
    return (uint32_t)rig_read(&host.dev, (uint64_t)bus << 20 | (3u << 3) << 12 | at, size);
}

static void behind_write(unsigned bus, unsigned at, uint32_t value, unsigned size)
{
    rig_write(&host.dev, (uint64_t)bus << 20 | (3u << 3) << 12 | at, value, size);
}

static void a_bridge_has_the_buses_it_was_told(void **state)
{
    (void)state;

    bridge_start();
    assert_int_equal(config_read(BRIDGE, PCI_HEADER_TYPE, 1), 1);
    assert_int_equal(behind(1, 0, 4), 0xffffffff);
    config_write(BRIDGE, 0x3e, 0xffff, 2);
    assert_int_equal(config_read(BRIDGE, 0x3e, 2), 0x0b2f); /* bridge control */
    config_write(BRIDGE, 0x18, 0x00050500, 4);
    assert_int_equal(behind(5, 0, 4), 0x10411af4);
    assert_int_equal(behind(1, 0, 4), 0xffffffff);
    bridge_finish();
}

static void a_bridge_passes_on_what_its_windows_say(void **state)
{
    (void)state;

    bridge_start();
    config_write(BRIDGE, 0x18, 0x00010100, 4);
    behind_write(1, PCI_BAR0 + 16, 0x60000000, 4);
    behind_write(1, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0xff); /* it forwards nothing yet */
    config_write(BRIDGE, 0x20, 0x60006000, 4);
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0xff);
    config_write(BRIDGE, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0);
    config_write(BRIDGE, 0x20, 0x61006100, 4);
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0xff);
    config_write(BRIDGE, 0x24, 0x60016001, 4); /* the prefetchable window */
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0);
    config_write(BRIDGE, 0x28, 1, 4);
    assert_int_equal(memory_read(0x60000000 + 20, 1), 0xff);
    bridge_finish();
}

static void a_bridge_passes_on_dma_only_as_a_master(void **state)
{
    uint64_t at = rig_alloc(&rig, 16);
    uint8_t byte = 7;
    (void)state;

    bridge_start();
    struct dma *dma = far->dev.env->dma;
    config_write(BRIDGE, 0x18, 0x00010100, 4);
    behind_write(1, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    assert_false(dma->write(dma, at, &byte, 1));
    config_write(BRIDGE, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    assert_true(dma->write(dma, at, &byte, 1));
    bridge_finish();
}

static void a_bridge_turns_the_pins(void **state)
{
    (void)state;

    bridge_start(); /* slot 3 behind slot 2: INTA is its pin D, which is the host's line 1 */
    assert_int_equal(pci_host_pin_line(far->pci, 1), 1);
    assert_int_equal(pci_host_pin_line(far->pci, 2), 2);
    assert_int_equal(pci_host_pin_line(nic->pci, 1), 1);
    assert_int_equal(pci_host_pin_line(nic->pci, 4), 0);
    bridge_finish();
}

static void of_two_that_overlap_the_first_answers(void **state)
{
    (void)state;

    bridge_start();
    config_write(BRIDGE, 0x18, 0x00010100, 4);
    config_write(BRIDGE, 0x20, 0x40004000, 4);
    config_write(BRIDGE, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    card_write(4, 20, 1, 1);
    behind_write(1, PCI_BAR0 + 16, 0x40000000, 4);
    behind_write(1, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_int_equal(memory_read(0x40000000 + 20, 1), 1);
    config_write(CARD, PCI_COMMAND, 0, 2);
    assert_int_equal(memory_read(0x40000000 + 20, 1), 0);
    bridge_finish();
}

static void random_configuration_harms_nobody(void **state)
{
    struct rng g;
    (void)state;

    bridge_start();
    rng_init(&g, rig_seed(), "pci");
    for (unsigned i = 0; i < 200000; i++) {
        unsigned devfn[] = {0, CARD, BRIDGE, 3u << 3}, size = 1u << rng_below(&g, 3);
        uint64_t at = (uint64_t)rng_below(&g, 3) << 20 | (uint64_t)devfn[rng_below(&g, 4)] << 12 |
                      (rng_below(&g, 256) & ~(size - 1));
        rig_write(&host.dev, at, rng_next(&g), size);
        rig_read(&host.dev, at, size);
        memory_write(0x40000000 + (rng_below(&g, 0x40000000) & ~7u), rng_next(&g), 8);
        io_read(rng_below(&g, 0x10000) & ~3u, 4);
    }
    bridge_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_answers_with_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_and_class_are_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(cache_line_size_and_latency_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(cards_look_like_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(extended_configuration_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bar_answers_where_it_was_put_while_decoding, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(eight_bytes_pass_as_twice_four, setup, teardown),
        cmocka_unit_test_setup_teardown(accesses_of_a_wrong_size_read_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(capabilities_form_a_list_that_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(intx_obeys_the_command_register, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_lets_go_of_the_line_and_moves_the_bars_away, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(dma_needs_bus_mastering, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bridge_has_the_buses_it_was_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bridge_passes_on_what_its_windows_say, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bridge_passes_on_dma_only_as_a_master, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bridge_turns_the_pins, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_that_overlap_the_first_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(random_configuration_harms_nobody, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
