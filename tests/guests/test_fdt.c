/* The device tree says what the board has, in the words that kernels made for it look for. */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/board.h"
#include "tests/guests/rig.h"

static struct rig rig;
static const void *fdt;

static void start_with(unsigned harts, uint64_t seed, const char *initrd,
                       const struct machine_nic *nics, size_t n_nics)
{
    static const uint32_t spin = 0x10500073; /* wfi */
    struct machine_config c;

    rig_init(&rig, seed, 0);
    machine_config_init(&c);
    c.harts = harts;
    c.kernel = file_make(&spin, sizeof(spin));
    c.initrd = initrd ? file_make(initrd, strlen(initrd)) : NULL;
    c.append = "console=ttyS0 quiet";
    c.nics = nics;
    c.n_nics = n_nics;
    rig_start(&rig, &c);
    fdt = rig.machine->boot.dtb;
    assert_int_equal(fdt_check_full(fdt, rig.machine->boot.dtb_len), 0);
}

static void start(unsigned harts, uint64_t seed, const char *initrd)
{
    start_with(harts, seed, initrd, NULL, 0);
}

static int teardown(void **state)
{
    (void)state;
    rig_finish(&rig);
    files_remove();
    return 0;
}

static int node(const char *path)
{
    int n = fdt_path_offset(fdt, path);

    if (n < 0)
        fail_msg("there is no node %s", path);
    return n;
}

static uint64_t cells(const char *path, const char *name, int first, int n)
{
    int len;
    const fdt32_t *p = fdt_getprop(fdt, node(path), name, &len);
    uint64_t v = 0;

    if (!p || len < 4 * (first + n))
        fail_msg("%s has no %s of %d cells", path, name, first + n);
    for (int i = 0; i < n; i++)
        v = v << 32 | fdt32_to_cpu(p[first + i]);
    return v;
}

static void assert_text(const char *path, const char *name, const char *want)
{
    assert_string_equal(fdt_getprop(fdt, node(path), name, NULL), want);
}

/* As `qemu-system-riscv64 -M virt,dumpdtb=` has them. */
static void devices_are_where_qemu_has_them(void **state)
{
    static const struct {
        const char *path, *compatible;
        uint64_t base, size;
        uint32_t irq;
    } want[] = {
        {"/soc/test@100000", "syscon", 0x100000, 0x1000, 0},
        {"/soc/rtc@101000", "google,goldfish-rtc", 0x101000, 0x1000, 11},
        {"/soc/clint@2000000", "riscv,clint0", 0x2000000, 0x10000, 0},
        {"/soc/plic@c000000", "riscv,plic0", 0xc000000, 0x600000, 0},
        {"/soc/serial@10000000", "ns16550a", 0x10000000, 0x100, 10},
        {"/soc/virtio_mmio@10001000", "virtio,mmio", 0x10001000, 0x1000, 1},
        {"/soc/virtio_mmio@10008000", "virtio,mmio", 0x10008000, 0x1000, 8},
        {"/memory@80000000", NULL, 0x80000000, 128 << 20, 0},
    };

    (void)state;
    start(1, 1, NULL);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        if (want[i].compatible)
            assert_int_equal(fdt_node_check_compatible(fdt, node(want[i].path), want[i].compatible),
                             0);
        assert_int_equal(cells(want[i].path, "reg", 0, 2), want[i].base);
        assert_int_equal(cells(want[i].path, "reg", 2, 2), want[i].size);
        if (want[i].irq) {
            assert_int_equal(cells(want[i].path, "interrupts", 0, 1), want[i].irq);
            assert_int_equal(cells(want[i].path, "interrupt-parent", 0, 1),
                             fdt_get_phandle(fdt, node("/soc/plic@c000000")));
        }
    }
    assert_int_equal(cells("/soc/plic@c000000", "riscv,ndev", 0, 1), 95);
    assert_int_equal(cells("/soc/serial@10000000", "clock-frequency", 0, 1), 3686400);
    assert_int_equal(cells("/poweroff", "value", 0, 1), 0x5555);
    assert_int_equal(cells("/reboot", "value", 0, 1), 0x7777);
    assert_int_equal(cells("/poweroff", "regmap", 0, 1),
                     fdt_get_phandle(fdt, node("/soc/test@100000")));
}

static void every_hart_has_its_lines(void **state)
{
    static const uint32_t plic[] = {11, 9}, clint[] = {3, 7};
    char path[64];

    (void)state;
    start(3, 1, NULL);
    assert_int_equal(cells("/cpus", "timebase-frequency", 0, 1), 10000000);
    for (int i = 0; i < 3; i++) {
        uint32_t intc;

        snprintf(path, sizeof(path), "/cpus/cpu@%d", i);
        assert_int_equal(cells(path, "reg", 0, 1), i);
        assert_text(path, "mmu-type", "riscv,sv48");
        assert_text(path, "riscv,isa-base", "rv64i");
        assert_memory_equal(fdt_getprop(fdt, node(path), "riscv,isa", NULL), "rv64imafdc_", 11);
        assert_true(fdt_stringlist_contains(
            fdt_getprop(fdt, node(path), "riscv,isa-extensions", NULL), 60, "zba"));
        snprintf(path, sizeof(path), "/cpus/cpu@%d/interrupt-controller", i);
        intc = fdt_get_phandle(fdt, node(path));
        for (int k = 0; k < 2; k++) {
            assert_int_equal(cells("/soc/plic@c000000", "interrupts-extended", 4 * i + 2 * k, 1),
                             intc);
            assert_int_equal(
                cells("/soc/plic@c000000", "interrupts-extended", 4 * i + 2 * k + 1, 1), plic[k]);
            assert_int_equal(
                cells("/soc/clint@2000000", "interrupts-extended", 4 * i + 2 * k + 1, 1), clint[k]);
        }
        snprintf(path, sizeof(path), "/cpus/cpu-map/cluster0/core%d", i);
        assert_true(fdt_node_offset_by_phandle(fdt, (uint32_t)cells(path, "cpu", 0, 1)) > 0);
    }
}

static void the_kernel_is_told_what_was_chosen(void **state)
{
    uint64_t begin, end;

    (void)state;
    start(1, 1, "an initrd");
    assert_text("/chosen", "bootargs", "console=ttyS0 quiet");
    assert_text("/chosen", "stdout-path", "/soc/serial@10000000");
    begin = cells("/chosen", "linux,initrd-start", 0, 2);
    end = cells("/chosen", "linux,initrd-end", 0, 2);
    assert_int_equal(end - begin, 9);
    assert_int_equal(begin & PAGE_MASK, 0);
    assert_int_equal(rig_word(&rig, begin), load_le64("an initr"));
}

static void the_seed_is_the_guests_own(void **state)
{
    uint64_t one;

    (void)state;
    start(1, 1, NULL);
    one = cells("/chosen", "rng-seed", 0, 2);
    assert_int_equal(fdt_get_property(fdt, node("/chosen"), "rng-seed", NULL)->len,
                     cpu_to_fdt32(32));
    teardown(NULL);
    start(1, 1, NULL);
    assert_int_equal(cells("/chosen", "rng-seed", 0, 2), one);
    teardown(NULL);
    start(1, 2, NULL);
    assert_int_not_equal(cells("/chosen", "rng-seed", 0, 2), one);
}

static void a_tree_of_the_users_is_kept_and_told_what_was_chosen(void **state)
{
    struct boot boot = {.initrd_start = 0x81000000, .initrd_end = 0x81000100};
    uint8_t *mine;
    size_t len;

    (void)state;
    start(1, 1, NULL);
    len = rig.machine->boot.dtb_len;
    mine = xmalloc(len);
    memcpy(mine, fdt, len);
    assert_true(fdt_set_chosen(&mine, &len, "single", &boot));
    fdt = mine;
    assert_text("/chosen", "bootargs", "single");
    assert_int_equal(cells("/chosen", "linux,initrd-end", 0, 2), 0x81000100);
    assert_int_equal(cells("/soc/rtc@101000", "interrupts", 0, 1), 11);
    mine[5] ^= 0x10; /* its length, now a lie */
    assert_false(fdt_set_chosen(&mine, &len, "single", &boot));
    free(mine);
}

/* Where both have ports, those of ISA cards are not PCI's to give away. */
static void low_ports_are_isas(void **state)
{
    static const struct machine_nic both[] = {{.model = "ne2k_isa", .name = "eth0"},
                                              {.model = "ne2k_pci", .name = "eth1"}};
    const char *pci = "/soc/pci@30000000";
    (void)state;

    start_with(1, 1, NULL, both, 2);
    assert_int_equal(cells(pci, "ranges", 1, 2), 0x1000);
    assert_int_equal(cells(pci, "ranges", 3, 2), 0x03001000);
    assert_int_equal(cells(pci, "ranges", 5, 2), 0xf000);
}

/* IEEE 1275's bindings: ports are addresses of kind 1, mapped to the processor's. */
static void buses_are_named_only_if_there_is_a_card_on_them(void **state)
{
    static const struct machine_nic isa[] = {
        {.model = "ne2k_isa", .name = "eth0"},
        {.model = "ne2k_isa", .name = "eth1", .config = {.iobase = 0x340, .irq = 15}}};
    (void)state;
    start_with(1, 1, NULL, isa, 2);
    assert_true(fdt_path_offset(fdt, "/soc/pci@30000000") < 0);
    assert_text("/soc/isa@3000000", "device_type", "isa");
    assert_int_equal(cells("/soc/isa@3000000", "ranges", 0, 2), 1ULL << 32);
    assert_int_equal(cells("/soc/isa@3000000", "ranges", 2, 2), 0x03000000);
    assert_int_equal(cells("/soc/isa@3000000/ethernet@i300", "reg", 0, 2), 1ULL << 32 | 0x300);
    assert_int_equal(cells("/soc/isa@3000000/ethernet@i300", "reg", 2, 1), 0x20);
    assert_int_equal(cells("/soc/isa@3000000/ethernet@i300", "interrupts", 0, 1), 64 + 9);
    assert_int_equal(cells("/soc/isa@3000000/ethernet@i340", "interrupts", 0, 1), 64 + 15);
    assert_text("/soc/isa@3000000/ethernet@i340", "compatible", "pnpPNP,80d6");
    teardown(NULL);
    start(1, 1, NULL);
    assert_true(fdt_path_offset(fdt, "/soc/isa@3000000") < 0);
    assert_true(fdt_path_offset(fdt, "/soc/pci@30000000") < 0);
}

/* pci/host-generic-pci.yaml, and the numbers of QEMU's board. */
static void the_pci_host_has_its_windows_and_lines(void **state)
{
    static const struct machine_nic card[] = {{.model = "e1000", .name = "eth0"}};
    static const char pci[] = "/soc/pci@30000000";
    (void)state;
    start_with(1, 1, NULL, card, 1);
    assert_text(pci, "compatible", "pci-host-ecam-generic");
    assert_text(pci, "device_type", "pci");
    assert_int_equal(cells(pci, "reg", 0, 2), 0x30000000);
    assert_int_equal(cells(pci, "reg", 2, 2), 256 << 20); /* a megabyte for each bus */
    assert_int_equal(cells(pci, "bus-range", 0, 2), 255);
    assert_int_equal(cells(pci, "#address-cells", 0, 1), 3);
    assert_int_equal(cells(pci, "#size-cells", 0, 1), 2);
    assert_int_equal(cells(pci, "ranges", 0, 1), 0x01000000); /* ports, from 0 */
    assert_int_equal(cells(pci, "ranges", 1, 2), 0);
    assert_int_equal(cells(pci, "ranges", 3, 2), 0x03000000);
    assert_int_equal(cells(pci, "ranges", 5, 2), 0x10000);
    assert_int_equal(cells(pci, "ranges", 7, 1), 0x02000000); /* memory of 32 bits, in place */
    assert_int_equal(cells(pci, "ranges", 8, 2), 0x40000000);
    assert_int_equal(cells(pci, "ranges", 10, 2), 0x40000000);
    assert_int_equal(cells(pci, "ranges", 12, 2), 0x40000000);
    assert_int_equal(cells(pci, "#interrupt-cells", 0, 1), 1);
    assert_int_equal(cells(pci, "interrupt-map-mask", 0, 1), 3 << 11);
    assert_int_equal(cells(pci, "interrupt-map-mask", 1, 2), 0);
    assert_int_equal(cells(pci, "interrupt-map-mask", 3, 1), 7);
    for (int slot = 0; slot < 4; slot++)
        for (int pin = 1; pin <= 4; pin++) {
            int row = 6 * (4 * slot + pin - 1);

            assert_int_equal(cells(pci, "interrupt-map", row, 1), slot << 11);
            assert_int_equal(cells(pci, "interrupt-map", row + 1, 2), 0);
            assert_int_equal(cells(pci, "interrupt-map", row + 3, 1), pin);
            assert_int_equal(cells(pci, "interrupt-map", row + 4, 1),
                             fdt_get_phandle(fdt, node("/soc/plic@c000000")));
            assert_int_equal(cells(pci, "interrupt-map", row + 5, 1), 32 + (slot + pin - 1) % 4);
        }
}

/* The device tree compiler knows the bindings of buses and interrupts. */
static void dtc_finds_nothing_wrong_with_it(void **state)
{
    static const struct machine_nic cards[] = {{.model = "e1000", .name = "eth0"},
                                               {.model = "ne2k_isa", .name = "eth1"},
                                               {.model = "virtio-net", .name = "eth2"}};
    char said[256] = "";
    (void)state;
    if (system("command -v dtc >/dev/null") != 0)
        skip();
    start_with(8, 1, "not empty", cards, ARRAY_LEN(cards));
    char *command = xasprintf("dtc -I dtb -O dtb -o /dev/null %s 2>&1",
                              file_make(fdt, rig.machine->boot.dtb_len));
    FILE *dtc = popen(command, "r");
    free(command);
    assert_non_null(dtc);
    said[fread(said, 1, sizeof(said) - 1, dtc)] = '\0';
    assert_string_equal(said, "");
    assert_int_equal(pclose(dtc), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(devices_are_where_qemu_has_them),
        TEST(every_hart_has_its_lines),
        TEST(the_kernel_is_told_what_was_chosen),
        TEST(the_seed_is_the_guests_own),
        TEST(a_tree_of_the_users_is_kept_and_told_what_was_chosen),
        TEST(low_ports_are_isas),
        TEST(buses_are_named_only_if_there_is_a_card_on_them),
        TEST(the_pci_host_has_its_windows_and_lines),
        TEST(dtc_finds_nothing_wrong_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
