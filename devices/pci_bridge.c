/*
 * A transparent bridge: configuration, memory, prefetchable memory and I/O go down by its
 * registers; DMA and interrupts go up. Simplifications: the secondary status stays clear, VGA and
 * ISA modes do nothing, and the secondary bus cannot be reset alone.
 */
#include "devices/pci_bridge.h"

/* Registers of header type 1 (3.2). */
enum {
    PRIMARY_BUS = 0x18,
    SECONDARY_BUS = 0x19,
    SUBORDINATE_BUS = 0x1a,
    IO_BASE = 0x1c,
    IO_LIMIT = 0x1d,
    MEMORY_BASE = 0x20,
    MEMORY_LIMIT = 0x22,
    PREFETCH_BASE = 0x24,
    PREFETCH_LIMIT = 0x26,
    PREFETCH_BASE_HIGH = 0x28,
    PREFETCH_LIMIT_HIGH = 0x2c,
    BRIDGE_CONTROL = 0x3e,
};

/* Parity, SERR#, ISA, VGA, abort mode, fast back-to-back no, discard timers and their SERR#. */
#define BRIDGE_CONTROL_BITS 0x0b2f

bool pci_bridge_reaches(const struct pci_bridge *b, uint8_t bus)
{
    if (!b)
        return bus == 0;
    if (!bus || b->pci.config[SECONDARY_BUS] != bus)
        return false;
    for (const struct pci_bridge *up = b->pci.behind; up; up = up->pci.behind)
        if (bus <= up->pci.config[SECONDARY_BUS] || bus > up->pci.config[SUBORDINATE_BUS])
            return false;
    return true;
}

static bool within(uint64_t base, uint64_t size, uint64_t first, uint64_t last)
{
    return base >= first && base <= last && size - 1 <= last - base;
}

static bool window_io(const uint8_t *c, uint64_t base, uint64_t size)
{
    return (c[PCI_COMMAND] & PCI_COMMAND_IO) &&
           within(base, size, (uint64_t)(c[IO_BASE] & 0xf0) << 8,
                  (uint64_t)(c[IO_LIMIT] & 0xf0) << 8 | 0xfff);
}

/* The upper twelve bits of each 16-bit register are those of a 32-bit address (3.2.5.8, 3.2.5.9).
 */
static bool window_memory(const uint8_t *c, uint64_t base, uint64_t size)
{
    if (!(c[PCI_COMMAND] & PCI_COMMAND_MEMORY))
        return false;
    return within(base, size, (uint64_t)(load_le16(c + MEMORY_BASE) & 0xfff0) << 16,
                  (uint64_t)(load_le16(c + MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff) ||
           within(base, size,
                  (uint64_t)load_le32(c + PREFETCH_BASE_HIGH) << 32 |
                      (uint64_t)(load_le16(c + PREFETCH_BASE) & 0xfff0) << 16,
                  (uint64_t)load_le32(c + PREFETCH_LIMIT_HIGH) << 32 |
                      (uint64_t)(load_le16(c + PREFETCH_LIMIT) & 0xfff0) << 16 | 0xfffff);
}

bool pci_bridge_forwards(const struct pci_bridge *b, uint64_t base, uint64_t size, bool io)
{
    for (; b; b = b->pci.behind)
        if (!(io ? window_io : window_memory)(b->pci.config, base, size))
            return false;
    return true;
}

static void bridge_reset(struct device *dev)
{
    pci_reset(&((struct pci_bridge *)dev->object)->pci);
}

static const struct field bridge_state[] = {PCI_FIELDS(struct pci_bridge), FIELD_END};

static const struct device_ops bridge_ops = {
    .name = "pci-bridge",
    .help = "PCI-to-PCI bridge",
    .state = bridge_state,
    .reset = bridge_reset,
};

void pci_bridge_init(struct pci_bridge *b, struct device_env *env, const char *name)
{
    static const struct pci_id id = {.vendor = 0x1b36, .device = 0x0001, .class_code = 0x060400};
    struct pci_function *f = &b->pci;

    *b = (struct pci_bridge){0};
    device_init(&b->dev, &bridge_ops, b, name, env);
    pci_init(f, &b->dev, &id);
    f->initial[PCI_HEADER_TYPE] = 1;
    store_le32(f->initial + PCI_SUBSYSTEM_VENDOR, 0); /* other registers are there */
    memset(f->writable + PRIMARY_BUS, 0xff, 4);       /* the three buses, and the latency timer */
    f->writable[IO_BASE] = f->writable[IO_LIMIT] = 0xf0;
    for (unsigned at = MEMORY_BASE; at <= PREFETCH_LIMIT; at += 2)
        store_le16(f->writable + at, 0xfff0);
    f->initial[PREFETCH_BASE] = f->initial[PREFETCH_LIMIT] = 1; /* 64-bit addresses */
    memset(f->writable + PREFETCH_BASE_HIGH, 0xff, 8);
    store_le16(f->writable + BRIDGE_CONTROL, BRIDGE_CONTROL_BITS);
}

void pci_attach_bridge(struct pci_host *h, struct pci_bridge *b, struct pci_bridge *behind,
                       unsigned devfn)
{
    struct pci_bridge **end = &h->bridges;

    while (*end)
        end = &(*end)->next;
    *end = b;
    pci_attach(h, &b->pci, behind, devfn);
}
