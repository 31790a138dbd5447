/*
 * The virt board: QEMU's machine of that name, so that images made for it run here.
 *
 * The eight virtio-mmio slots are filled from the lowest: NICs in the order of the topology,
 * then disks, the virtio console, and last an entropy device if a slot is left. (QEMU fills
 * its slots from the highest; a guest sees the same order of devices of a kind either way.)
 * PCI cards are in the slots of bus 0, and behind bridges if they do not fit. Software finds the
 * host in any case; the tree names it only if there is a card, so that a kernel without any does not
 * spend time on an empty bus. ISA cards (not in QEMU) have their ports in the PCI host's window, and their
 * IRQ n on line 64 + n of the PLIC. Not there: flash, fw_cfg, the platform bus, a PCI window above 4 GiB.
 */
#include <assert.h>

#include "devices/clint.h"
#include "devices/finisher.h"
#include "devices/goldfish_rtc.h"
#include "devices/instance.h"
#include "devices/pci_host.h"
#include "devices/plic.h"
#include "devices/uart16550.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_rng.h"
#include "guests/board.h"

const struct virt_range virt_map[VIRT_SLOTS] = {
    [VIRT_TEST] = {"test", 0x00100000, 0x1000, 0, 1},
    [VIRT_RTC] = {"rtc", 0x00101000, 0x1000, 11, 1},
    [VIRT_INSTANCE] = {"vmgenid", 0x00102000, INSTANCE_SIZE, 12, 1}, /* not in QEMU */
    [VIRT_CLINT] = {"clint", 0x02000000, CLINT_SIZE, 0, 1},
    [VIRT_PLIC] = {"plic", 0x0c000000, PLIC_SIZE, 0, 1},
    [VIRT_UART] = {"serial", 0x10000000, 0x100, 10, 1},
    [VIRT_PCI_IO] = {"io", 0x03000000, 0x10000, 0, 1},
    [VIRT_PCI_ECAM] = {"pci", 0x30000000, 0x10000000, 32, 1}, /* four lines */
    [VIRT_PCI_MEMORY] = {"memory", 0x40000000, 0x40000000, 0, 1},
    [VIRT_VIRTIO] = {"virtio_mmio", 0x10001000, VIRTIO_MMIO_SIZE, 1, VIRT_VIRTIO_SLOTS},
    [VIRT_ISA] = {"isa", 0x03000000, 0x10000, 64, 1}, /* sixteen lines; ports as VIRT_PCI_IO */
};

struct virt {
    struct clint clint;
    struct plic plic;
    struct uart16550 uart;
    struct goldfish_rtc rtc;
    struct instance instance;
    struct finisher finisher;
    struct virtio_rng rng;
    struct virtio_console console;
    struct pci_host pci;
    struct isa_bus isa;
    struct pci_bridge *bridges;
    size_t n_bridges, n_pci; /* n_pci: cards */
    size_t next_slot;        /* among those of the root and behind bridges, from 0 */
    struct virtio_blk *disks;
    size_t n_disks; /* those that were made */
    struct device empty[VIRT_VIRTIO_SLOTS];
    unsigned n_virtio; /* slots in use */
};

static struct virt *virt_of(const struct machine *m)
{
    return m->board_state;
}

/* --- interrupts and time --- */

static void clint_line(void *opaque, unsigned hart, unsigned irq, bool level)
{
    struct machine *m = opaque;

    hart_set_pending(&m->harts[hart], irq, level);
}

static void clint_moved(void *opaque)
{
    machine_timers_moved(opaque);
}

static const struct clint_ops clint_ops = {.set = clint_line, .mtime_written = clint_moved};

/* PLIC contexts: hart N's M-mode is 2N, its S-mode 2N + 1, as the tree lists them. */
static void plic_line(void *opaque, unsigned context, bool level)
{
    struct machine *m = opaque;

    hart_set_pending(&m->harts[context / 2], context & 1 ? IRQ_SEI : IRQ_MEI, level);
}

static uint64_t virt_mtime(const struct machine *m)
{
    return clint_mtime(&virt_of(m)->clint);
}

static vtime_t virt_mtime_when(const struct machine *m, uint64_t ticks)
{
    return clint_when(&virt_of(m)->clint, ticks);
}

static size_t virt_console_read(struct machine *m, uint8_t *p, size_t n)
{
    return uart16550_take(&virt_of(m)->uart, p, n);
}

/* --- attaching --- */

static void place(struct machine *m, struct device *dev, enum virt_slot slot, unsigned index)
{
    const struct virt_range *r = &virt_map[slot];

    assert(index < r->count && dev->region.size <= r->size);
    dev->region.base = r->base + index * r->size;
    if (r->irq) {
        dev->irq.sink = &virt_of(m)->plic.sink;
        dev->irq.n = r->irq + index;
    }
    machine_attach(m, dev);
}

static void place_virtio(struct machine *m, struct device *dev)
{
    place(m, dev, VIRT_VIRTIO, virt_of(m)->n_virtio++);
}

static char *part_name(const struct machine *m, const char *part)
{
    return xasprintf("%s.%s", m->actor.name, part);
}

static char *part_name_n(const struct machine *m, const char *part, size_t n)
{
    return xasprintf("%s.%s%zu", m->actor.name, part, n);
}

/* What every machine has. */
static void attach_fixed(struct machine *m, const struct machine_config *c)
{
    struct virt *v = virt_of(m);
    struct device_env *env = &m->denv;
    char *names[] = {part_name(m, "clint"), part_name(m, "plic"), part_name(m, "uart0"),
                     part_name(m, "rtc"), part_name(m, "test"), part_name(m, "instance")};

    clint_init(&v->clint, env, names[0], m->n_harts, &clint_ops, m);
    place(m, &v->clint.dev, VIRT_CLINT, 0);
    plic_init(&v->plic, env, names[1], 2 * m->n_harts, plic_line, m);
    place(m, &v->plic.dev, VIRT_PLIC, 0);
    uart16550_init(&v->uart, env, names[2], m->actor.name);
    place(m, &v->uart.dev, VIRT_UART, 0);
    goldfish_rtc_init(&v->rtc, env, names[3], c->epoch_ns);
    place(m, &v->rtc.dev, VIRT_RTC, 0);
    finisher_init(&v->finisher, env, names[4]);
    place(m, &v->finisher.dev, VIRT_TEST, 0);
    instance_init(&v->instance, env, names[5], m->actor.name, c->clone_number);
    place(m, &v->instance.dev, VIRT_INSTANCE, 0);
    m->consoles[0] = &v->uart.console;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        free(names[i]);
}

/* --- PCI --- */

bool virt_has_pci(const struct machine *m)
{
    return virt_of(m)->n_pci > 0;
}

const struct isa_card *virt_isa_cards(const struct machine *m)
{
    return virt_of(m)->isa.cards;
}

static void attach_pci_host(struct machine *m)
{
    struct virt *v = virt_of(m);
    const struct virt_range *ecam = &virt_map[VIRT_PCI_ECAM], *io = &virt_map[VIRT_PCI_IO],
                            *memory = &virt_map[VIRT_PCI_MEMORY];
    struct pci_host_config c = {ecam->base,   ecam->size,   io->base,      io->size,
                                memory->base, memory->size, &v->plic.sink, ecam->irq};
    char *name = part_name(m, "pci");

    pci_host_init(&v->pci, &m->denv, name, &c);
    v->isa = (struct isa_bus){.sink = &v->plic.sink, .first_line = virt_map[VIRT_ISA].irq};
    v->pci.isa = &v->isa;
    machine_attach(m, &v->pci.dev);
    machine_attach(m, &v->pci.io_window);
    machine_attach(m, &v->pci.memory_window);
    free(name);
}

/* As many bridges as `n` cards need: each takes a slot of the root and gives 32. */
static void attach_bridges(struct machine *m, size_t n)
{
    struct virt *v = virt_of(m);

    while (PCI_SLOTS - 1 - v->n_bridges + v->n_bridges * PCI_SLOTS < n)
        v->n_bridges++;
    v->bridges = xcalloc(v->n_bridges + 1, sizeof(*v->bridges));
    for (size_t i = 0; i < v->n_bridges; i++) {
        char *name = part_name_n(m, "bridge", i);
        pci_bridge_init(&v->bridges[i], &m->denv, name);
        machine_attach(m, &v->bridges[i].dev);
        pci_attach_bridge(&v->pci, &v->bridges[i], NULL,
                          (unsigned)(PCI_SLOTS - v->n_bridges + i) << 3);
        free(name);
    }
}

static bool slot_reserved(const struct machine_config *c, size_t slot)
{
    for (size_t i = 0; i < c->n_nics; i++)
        if (c->nics[i].config.slot == slot)
            return true;
    return false;
}

/* The slot that was asked for, or the next: those of the root first, 1 upwards; then those behind
   bridges, which have the last of the root's. */
static bool place_pci(struct machine *m, const struct machine_config *c, struct nic *nic,
                      struct err *err)
{
    struct virt *v = virt_of(m);
    size_t root = PCI_SLOTS - 1 - v->n_bridges, n;

    machine_attach(m, &nic->dev);
    v->n_pci++;
    if (nic->config.slot > root) {
        err_at(err, c->file, c->line,
               "%s: addr = %u has a bridge in it; beside so many PCI cards it is 1..%zu",
               nic->dev.name, nic->config.slot, root);
        return false;
    }
    if (nic->config.slot) {
        n = nic->config.slot - 1u;
    } else {
        while (v->next_slot < root && slot_reserved(c, v->next_slot + 1))
            v->next_slot++;
        n = v->next_slot++;
    }
    if (n < root)
        pci_attach(&v->pci, nic->pci, NULL, (unsigned)(n + 1) << 3);
    else
        pci_attach(&v->pci, nic->pci, &v->bridges[(n - root) / PCI_SLOTS],
                   (unsigned)((n - root) % PCI_SLOTS) << 3);
    return true;
}

static void place_isa(struct machine *m, struct nic *nic)
{
    machine_attach(m, &nic->dev);
    isa_attach(&virt_of(m)->isa, nic->isa);
}

static bool attach_nic(struct machine *m, const struct machine_config *c,
                       const struct machine_nic *asked, struct err *err)
{
    const struct nic_model *model = nic_model_find(asked->model);
    struct nic_config config = asked->config;
    struct nic *nic;
    char *name;

    if (!model) {
        err_at(err, c->file, c->line, "%s.%s: the virt board has no NIC model \"%s\"",
               m->actor.name, asked->name, asked->model);
        return false;
    }
    config.legacy = config.legacy || c->virtio_legacy;
    name = part_name(m, asked->name);
    nic = model->create(&m->denv, name, &config, err);
    free(name);
    if (!nic)
        return false;
    m->nics[m->n_nics++] = nic;
    if (nic->pci)
        return place_pci(m, c, nic, err);
    if (nic->isa)
        place_isa(m, nic);
    else
        place_virtio(m, &nic->dev);
    return true;
}

static bool attach_disk(struct machine *m, const struct machine_config *c,
                        const struct machine_disk *asked, struct err *err)
{
    struct virt *v = virt_of(m);
    struct virtio_blk_config config = {.path = asked->path,
                                       .writable = asked->writable,
                                       .legacy = c->virtio_legacy,
                                       .file = c->file,
                                       .line = c->line};
    char *name = part_name_n(m, "disk", v->n_disks);
    bool ok = virtio_blk_init(&v->disks[v->n_disks], &m->denv, name, &config, err);

    free(name);
    if (ok)
        place_virtio(m, &v->disks[v->n_disks++].dev);
    return ok;
}

static void attach_console(struct machine *m, const struct machine_config *c)
{
    struct virt *v = virt_of(m);
    char *name = part_name(m, "hvc0"), *console = part_name(m, "console1");

    virtio_console_init(&v->console, &m->denv, name, console, c->virtio_legacy);
    place_virtio(m, &v->console.dev);
    m->consoles[1] = &v->console.console;
    free(name);
    free(console);
}

static void attach_rng(struct machine *m, const struct machine_config *c)
{
    char *name = part_name(m, "rng");

    virtio_rng_init(&virt_of(m)->rng, &m->denv, name, c->virtio_legacy);
    place_virtio(m, &virt_of(m)->rng.dev);
    free(name);
}

static void attach_empty(struct machine *m, const struct machine_config *c)
{
    struct virt *v = virt_of(m);

    while (v->n_virtio < VIRT_VIRTIO_SLOTS) {
        struct device *dev = &v->empty[v->n_virtio];
        char *name = part_name_n(m, "slot", v->n_virtio);

        virtio_mmio_empty_init(dev, &m->denv, name, c->virtio_legacy);
        place_virtio(m, dev);
        free(name);
    }
}

static size_t count_bus(const struct machine_config *c, const char *bus)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_nics; i++) {
        const struct nic_model *model = nic_model_find(c->nics[i].model);
        n += model && strcmp(model->bus, bus) == 0;
    }
    return n;
}

static bool slots_suffice(const struct machine *m, const struct machine_config *c, size_t virtio,
                          size_t pci, struct err *err)
{
    size_t most = PCI_SLOTS - 1 - VIRT_PCI_BRIDGES + VIRT_PCI_BRIDGES * PCI_SLOTS;

    if (virtio > VIRT_VIRTIO_SLOTS)
        err_at(err, c->file, c->line,
               "%s: the virt board has %d virtio-mmio slots for NICs and disks, not %zu; PCI cards "
               "(model = \"virtio-net-pci\") have slots of their own",
               m->actor.name, VIRT_VIRTIO_SLOTS, virtio);
    else if (pci > most)
        err_at(err, c->file, c->line, "%s: the virt board has room for %zu PCI cards, not %zu",
               m->actor.name, most, pci);
    else
        return true;
    return false;
}

static bool virt_attach(struct machine *m, const struct machine_config *c, struct err *err)
{
    struct virt *v = xcalloc(1, sizeof(*v));
    size_t pci = count_bus(c, "pci"), isa = count_bus(c, "isa"),
           virtio = c->n_nics - pci - isa + c->n_disks + c->virtio_console;
    bool ok = true;

    m->board_state = v;
    attach_fixed(m, c);
    attach_pci_host(m);
    if (!slots_suffice(m, c, virtio, pci, err))
        return false;
    attach_bridges(m, pci);
    m->nics = xcalloc(c->n_nics + 1, sizeof(struct nic *));
    for (size_t i = 0; i < c->n_nics; i++)
        ok = attach_nic(m, c, &c->nics[i], err) && ok;
    v->disks = xcalloc(c->n_disks + 1, sizeof(*v->disks));
    for (size_t i = 0; i < c->n_disks; i++)
        ok = attach_disk(m, c, &c->disks[i], err) && ok;
    if (c->virtio_console)
        attach_console(m, c);
    if (v->n_virtio < VIRT_VIRTIO_SLOTS)
        attach_rng(m, c);
    attach_empty(m, c);
    return ok;
}

static void virt_finish(struct machine *m)
{
    struct virt *v = virt_of(m);

    if (!v)
        return;
    for (size_t i = 0; i < m->n_nics; i++)
        nic_destroy(m->nics[i]);
    for (size_t i = 0; i < v->n_disks; i++)
        device_finish(&v->disks[i].dev);
    if (m->consoles[1])
        device_finish(&v->console.dev);
    if (v->rng.dev.ops)
        device_finish(&v->rng.dev);
    for (size_t i = 0; i < VIRT_VIRTIO_SLOTS; i++)
        if (v->empty[i].ops)
            device_finish(&v->empty[i]);
    for (size_t i = 0; i < v->n_bridges; i++)
        device_finish(&v->bridges[i].dev);
    device_finish(&v->pci.memory_window);
    device_finish(&v->pci.io_window);
    device_finish(&v->pci.dev);
    device_finish(&v->instance.dev);
    device_finish(&v->finisher.dev);
    device_finish(&v->rtc.dev);
    device_finish(&v->uart.dev);
    device_finish(&v->plic.dev);
    device_finish(&v->clint.dev);
    free(m->nics);
    free(v->disks);
    free(v->bridges);
    free(v);
    m->board_state = NULL;
    m->nics = NULL;
    m->n_nics = 0;
}

const struct board board_virt = {
    .name = "virt",
    .help = "QEMU's riscv64 virt board: 16550 UART, PLIC, CLINT, RTC, eight virtio-mmio slots, PCI",
    .ram_base = VIRT_RAM_BASE,
    .attach = virt_attach,
    .finish = virt_finish,
    .tree = fdt_virt,
    .console_read = virt_console_read,
    .mtime = virt_mtime,
    .mtime_when = virt_mtime_when,
};
