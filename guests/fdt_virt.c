/* The device tree of the virt board, made from its map of devices. */
#include <assert.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>

#include "devices/instance.h"
#include "devices/plic.h"
#include "guests/board.h"

/* What the harts implement; in the order that a riscv,isa string has (Unprivileged, chapter
   "ISA Extension Naming Conventions"). */
#define ISA_SINGLE "imafdc"
static const char *const isa_extensions[] = {
    "zicboz", "zicntr", "zicsr", "zifencei", "zihintpause", "zba", "zbb", "zbs", "sstc",
};

#define TIMEBASE_HZ 10000000
#define UART_HZ 3686400
#define CBOZ_BYTES 64

/* Phandles: the harts' interrupt controllers are 1..n, the harts n+1..2n. */
struct tree {
    void *fdt;
    struct machine *m;
    uint32_t plic, test;
};

#define TREE_MAX (64 * 1024)

/* Every call can only fail for want of room, and TREE_MAX is ample: that is ours to know. */
static void must(int result)
{
    assert(result == 0);
    (void)result;
}

static void node_begin(struct tree *t, const char *name)
{
    must(fdt_begin_node(t->fdt, name));
}

static void node_begin_at(struct tree *t, const char *name, uint64_t at)
{
    char full[64];

    snprintf(full, sizeof(full), "%s@%" PRIx64, name, at);
    node_begin(t, full);
}

static void node_end(struct tree *t)
{
    must(fdt_end_node(t->fdt));
}

static void prop_u32(struct tree *t, const char *name, uint32_t v)
{
    must(fdt_property_u32(t->fdt, name, v));
}

static void prop_string(struct tree *t, const char *name, const char *v)
{
    must(fdt_property_string(t->fdt, name, v));
}

static void prop_empty(struct tree *t, const char *name)
{
    must(fdt_property(t->fdt, name, NULL, 0));
}

#define CELLS_MAX (16 * 6) /* the PCI host's interrupt-map */

static void prop_cells(struct tree *t, const char *name, const uint32_t *cells, size_t n)
{
    uint32_t be[CELLS_MAX];

    assert(n <= ARRAY_LEN(be));
    for (size_t i = 0; i < n; i++)
        be[i] = cpu_to_fdt32(cells[i]);
    must(fdt_property(t->fdt, name, be, (int)(n * sizeof(*be))));
}

/* A list of strings, given as one with its zeroes inside. */
#define PROP_STRINGS(t, name, list) must(fdt_property((t)->fdt, name, list, (int)sizeof(list)))

static void prop_reg(struct tree *t, uint64_t base, uint64_t size)
{
    const uint32_t cells[] = {(uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32),
                              (uint32_t)size};

    prop_cells(t, "reg", cells, 4);
}

static void cells_header(struct tree *t, uint32_t address, uint32_t size)
{
    prop_u32(t, "#address-cells", address);
    prop_u32(t, "#size-cells", size);
}

/* --- harts --- */

static void hart_isa(struct tree *t)
{
    char text[256] = "rv64" ISA_SINGLE, list[256];
    size_t n = 0;

    for (const char *c = ISA_SINGLE; *c; c++) {
        list[n++] = *c;
        list[n++] = '\0';
    }
    for (size_t i = 0; i < ARRAY_LEN(isa_extensions); i++) {
        size_t len = strlen(isa_extensions[i]) + 1;

        strcat(strcat(text, "_"), isa_extensions[i]);
        memcpy(list + n, isa_extensions[i], len);
        n += len;
    }
    assert(n < sizeof(list) && strlen(text) < sizeof(text));
    prop_string(t, "riscv,isa", text);
    prop_string(t, "riscv,isa-base", "rv64i");
    must(fdt_property(t->fdt, "riscv,isa-extensions", list, (int)n));
    prop_u32(t, "riscv,cboz-block-size", CBOZ_BYTES);
}

static void hart_node(struct tree *t, uint32_t hart)
{
    node_begin_at(t, "cpu", hart);
    prop_u32(t, "phandle", t->m->n_harts + 1 + hart);
    prop_string(t, "device_type", "cpu");
    prop_u32(t, "reg", hart);
    prop_string(t, "status", "okay");
    prop_string(t, "compatible", "riscv");
    hart_isa(t);
    prop_string(t, "mmu-type", "riscv,sv48");
    node_begin(t, "interrupt-controller");
    prop_u32(t, "#address-cells", 0);
    prop_u32(t, "#interrupt-cells", 1);
    prop_empty(t, "interrupt-controller");
    prop_string(t, "compatible", "riscv,cpu-intc");
    prop_u32(t, "phandle", 1 + hart);
    node_end(t);
    node_end(t);
}

static void hart_map(struct tree *t)
{
    char name[16];

    node_begin(t, "cpu-map");
    node_begin(t, "cluster0");
    for (uint32_t i = 0; i < t->m->n_harts; i++) {
        snprintf(name, sizeof(name), "core%" PRIu32, i);
        node_begin(t, name);
        prop_u32(t, "cpu", t->m->n_harts + 1 + i);
        node_end(t);
    }
    node_end(t);
    node_end(t);
}

static void harts_node(struct tree *t)
{
    node_begin(t, "cpus");
    cells_header(t, 1, 0);
    prop_u32(t, "timebase-frequency", TIMEBASE_HZ);
    for (uint32_t i = 0; i < t->m->n_harts; i++)
        hart_node(t, i);
    hart_map(t);
    node_end(t);
}

/* --- devices --- */

static void device_begin(struct tree *t, enum virt_slot slot, uint32_t index)
{
    const struct virt_range *r = &virt_map[slot];
    uint64_t base = r->base + index * r->size;

    node_begin_at(t, r->node, base);
    prop_reg(t, base, r->size);
    if (r->irq) {
        prop_u32(t, "interrupts", r->irq + index);
        prop_u32(t, "interrupt-parent", t->plic);
    }
}

/* The pairs (hart's controller, interrupt) that a controller drives, two per hart. */
static void prop_lines(struct tree *t, uint32_t first, uint32_t second)
{
    uint32_t cells[4 * MACHINE_MAX_HARTS];

    for (uint32_t i = 0; i < t->m->n_harts; i++) {
        cells[4 * i] = cells[4 * i + 2] = 1 + i;
        cells[4 * i + 1] = first;
        cells[4 * i + 3] = second;
    }
    prop_cells(t, "interrupts-extended", cells, 4 * t->m->n_harts);
}

static void plic_node(struct tree *t)
{
    device_begin(t, VIRT_PLIC, 0);
    PROP_STRINGS(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    prop_u32(t, "#address-cells", 0);
    prop_u32(t, "#interrupt-cells", 1);
    prop_empty(t, "interrupt-controller");
    prop_lines(t, IRQ_MEI, IRQ_SEI);
    prop_u32(t, "riscv,ndev", PLIC_SOURCES - 1);
    prop_u32(t, "phandle", t->plic);
    node_end(t);
}

static void clint_node(struct tree *t)
{
    device_begin(t, VIRT_CLINT, 0);
    PROP_STRINGS(t, "compatible", "sifive,clint0\0riscv,clint0");
    prop_lines(t, IRQ_MSI, IRQ_MTI);
    node_end(t);
}

static void test_node(struct tree *t)
{
    device_begin(t, VIRT_TEST, 0);
    PROP_STRINGS(t, "compatible", "sifive,test1\0sifive,test0\0syscon");
    prop_u32(t, "phandle", t->test);
    node_end(t);
}

/* The two pages of the instance device (devices/instance.h). */
static void instance_nodes(struct tree *t)
{
    const struct virt_range *r = &virt_map[VIRT_INSTANCE];

    node_begin_at(t, r->node, r->base);
    prop_string(t, "compatible", "microsoft,vmgenid");
    prop_reg(t, r->base, INSTANCE_GENID);
    prop_u32(t, "interrupts", r->irq);
    prop_u32(t, "interrupt-parent", t->plic);
    node_end(t);
    node_begin_at(t, "instance", r->base + INSTANCE_PAGE);
    prop_string(t, "compatible", "lanarium,instance");
    prop_reg(t, r->base + INSTANCE_PAGE, INSTANCE_SIZE - INSTANCE_PAGE);
    node_end(t);
}

/* --- PCI (IEEE 1275's PCI bus binding; pci/host-generic-pci.yaml) --- */

#define PCI_RANGE_IO 0x01000000
#define PCI_RANGE_MEMORY 0x02000000

/* Ports below ISA_PORTS are ISA cards', where there are any: nothing else is to be put there. */
static void prop_pci_ranges(struct tree *t)
{
    const struct virt_range *io = &virt_map[VIRT_PCI_IO], *memory = &virt_map[VIRT_PCI_MEMORY];
    uint32_t first = virt_isa_cards(t->m) ? ISA_PORTS : 0;
    const uint32_t cells[] = {PCI_RANGE_IO, 0, first,
                              0, (uint32_t)io->base + first, 0, (uint32_t)io->size - first,
                              PCI_RANGE_MEMORY, 0, (uint32_t)memory->base,
                              0, (uint32_t)memory->base, 0, (uint32_t)memory->size};

    prop_cells(t, "ranges", cells, ARRAY_LEN(cells));
}

/* INTA..INTD of slots 0..3; the others repeat them (PCI_SLOT & 3 in the mask). */
static void prop_pci_interrupts(struct tree *t)
{
    uint32_t cells[CELLS_MAX];
    size_t n = 0;

    for (uint32_t slot = 0; slot < 4; slot++)
        for (uint32_t pin = 1; pin <= 4; pin++) {
            uint32_t row[] = {slot << 11, 0, 0, pin, t->plic,
                              virt_map[VIRT_PCI_ECAM].irq + (slot + pin - 1) % 4};
            memcpy(&cells[n], row, sizeof(row));
            n += ARRAY_LEN(row);
        }
    prop_cells(t, "interrupt-map", cells, n);
    prop_cells(t, "interrupt-map-mask", (uint32_t[]){3 << 11, 0, 0, 7}, 4);
}

static void pci_node(struct tree *t)
{
    const struct virt_range *ecam = &virt_map[VIRT_PCI_ECAM];

    node_begin_at(t, ecam->node, ecam->base);
    prop_string(t, "compatible", "pci-host-ecam-generic");
    prop_string(t, "device_type", "pci");
    prop_reg(t, ecam->base, ecam->size);
    cells_header(t, 3, 2);
    prop_u32(t, "#interrupt-cells", 1);
    prop_u32(t, "linux,pci-domain", 0);
    prop_cells(t, "bus-range", (uint32_t[]){0, (uint32_t)(ecam->size >> 20) - 1}, 2);
    prop_empty(t, "dma-coherent");
    prop_pci_ranges(t);
    prop_pci_interrupts(t);
    node_end(t);
}

/* --- ISA (IEEE 1275's ISA bus binding) --- */

#define ISA_RANGE_IO 1

/* What Plug and Play calls an NE2000, in the form that device trees have such names in. */
#define ISA_NE2000 "pnpPNP,80d6\0ne2000"

static void isa_card_node(struct tree *t, const struct isa_card *card)
{
    char name[32];

    snprintf(name, sizeof(name), "ethernet@i%x", card->base);
    node_begin(t, name);
    PROP_STRINGS(t, "compatible", ISA_NE2000);
    prop_cells(t, "reg", (uint32_t[]){ISA_RANGE_IO, card->base, card->size}, 3);
    prop_u32(t, "interrupts", virt_map[VIRT_ISA].irq + card->irq);
    prop_u32(t, "interrupt-parent", t->plic);
    node_end(t);
}

static void isa_node(struct tree *t, const struct isa_card *cards)
{
    const struct virt_range *r = &virt_map[VIRT_ISA];

    node_begin_at(t, r->node, r->base);
    prop_string(t, "compatible", "isa");
    prop_string(t, "device_type", "isa");
    cells_header(t, 2, 1);
    prop_cells(t, "ranges",
               (uint32_t[]){ISA_RANGE_IO, 0, (uint32_t)(r->base >> 32), (uint32_t)r->base,
                            (uint32_t)r->size},
               5);
    for (; cards; cards = cards->next)
        isa_card_node(t, cards);
    node_end(t);
}

static void soc_node(struct tree *t)
{
    node_begin(t, "soc");
    cells_header(t, 2, 2);
    prop_string(t, "compatible", "simple-bus");
    prop_empty(t, "ranges");
    test_node(t);
    device_begin(t, VIRT_RTC, 0);
    prop_string(t, "compatible", "google,goldfish-rtc");
    node_end(t);
    instance_nodes(t);
    clint_node(t);
    plic_node(t);
    device_begin(t, VIRT_UART, 0);
    prop_string(t, "compatible", "ns16550a");
    prop_u32(t, "clock-frequency", UART_HZ);
    node_end(t);
    for (uint32_t i = 0; i < virt_map[VIRT_VIRTIO].count; i++) {
        device_begin(t, VIRT_VIRTIO, i);
        prop_string(t, "compatible", "virtio,mmio");
        node_end(t);
    }
    if (virt_has_pci(t->m))
        pci_node(t);
    if (virt_isa_cards(t->m))
        isa_node(t, virt_isa_cards(t->m));
    node_end(t);
}

/* power/reset/syscon-poweroff.yaml: what to store where, to stop or start again. */
static void syscon_node(struct tree *t, const char *name, const char *compatible, uint32_t value)
{
    node_begin(t, name);
    prop_string(t, "compatible", compatible);
    prop_u32(t, "regmap", t->test);
    prop_u32(t, "offset", 0);
    prop_u32(t, "value", value);
    node_end(t);
}

/* --- chosen --- */

static void prop_seed(struct tree *t)
{
    char *name = xasprintf("%s.fdt", t->m->actor.name);
    uint8_t seed[32];
    struct rng rng;

    rng_init(&rng, t->m->denv.run_seed, name);
    rng_fill(&rng, seed, sizeof(seed));
    must(fdt_property(t->fdt, "rng-seed", seed, sizeof(seed)));
    free(name);
}

static void chosen_node(struct tree *t, const char *append)
{
    char path[64];

    snprintf(path, sizeof(path), "/soc/%s@%" PRIx64, virt_map[VIRT_UART].node,
             virt_map[VIRT_UART].base);
    node_begin(t, "chosen");
    prop_string(t, "bootargs", append ? append : "");
    prop_string(t, "stdout-path", path);
    if (t->m->boot.initrd_end) {
        must(fdt_property_u64(t->fdt, "linux,initrd-start", t->m->boot.initrd_start));
        must(fdt_property_u64(t->fdt, "linux,initrd-end", t->m->boot.initrd_end));
    }
    prop_seed(t);
    node_end(t);
}

uint8_t *fdt_virt(struct machine *m, const char *append, size_t *len)
{
    size_t room = TREE_MAX + (append ? strlen(append) : 0);
    struct tree t = {xmalloc(room), m, 2 * m->n_harts + 1, 2 * m->n_harts + 2};

    must(fdt_create(t.fdt, (int)room));
    must(fdt_finish_reservemap(t.fdt));
    node_begin(&t, "");
    cells_header(&t, 2, 2);
    prop_string(&t, "compatible", "riscv-virtio");
    prop_string(&t, "model", "riscv-virtio,qemu"); /* images for QEMU's board look for it */
    chosen_node(&t, append);
    node_begin_at(&t, "memory", m->ram.base);
    prop_string(&t, "device_type", "memory");
    prop_reg(&t, m->ram.base, m->ram.size);
    node_end(&t);
    harts_node(&t);
    syscon_node(&t, "poweroff", "syscon-poweroff", 0x5555);
    syscon_node(&t, "reboot", "syscon-reboot", 0x7777);
    soc_node(&t);
    node_end(&t);
    must(fdt_finish(t.fdt));
    *len = fdt_totalsize(t.fdt);
    return xrealloc(t.fdt, *len);
}

/* --- trees made elsewhere --- */

static int chosen_find(void *fdt)
{
    int node = fdt_path_offset(fdt, "/chosen");

    return node >= 0 ? node : fdt_add_subnode(fdt, 0, "chosen");
}

static int chosen_fill(void *fdt, const char *append, const struct boot *boot)
{
    int node = chosen_find(fdt), bad = node < 0 ? node : 0;

    if (!bad && append)
        bad = fdt_setprop_string(fdt, node, "bootargs", append);
    if (!bad && boot->initrd_end) {
        bad = fdt_setprop_u64(fdt, node, "linux,initrd-start", boot->initrd_start);
        if (!bad)
            bad = fdt_setprop_u64(fdt, node, "linux,initrd-end", boot->initrd_end);
    }
    return bad;
}

bool fdt_set_chosen(uint8_t **dtb, size_t *len, const char *append, const struct boot *boot)
{
    size_t room = *len + 1024 + (append ? strlen(append) : 0);
    void *fdt;
    bool ok;

    if (*len > BLOB_MAX / 2 || fdt_check_full(*dtb, *len) != 0)
        return false;
    fdt = xmalloc(room);
    ok = fdt_open_into(*dtb, fdt, (int)room) == 0 && chosen_fill(fdt, append, boot) == 0 &&
         fdt_pack(fdt) == 0;
    if (!ok) {
        free(fdt);
        return false;
    }
    free(*dtb);
    *dtb = fdt;
    *len = fdt_totalsize(fdt);
    return true;
}
