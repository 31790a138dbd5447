/*
 * PCI functions in general. A register's bits are described by three masks - what it holds after a
 * reset, what software sets, what it clears by writing ones - so that the side effects are all
 * that needs code: base addresses move, interrupts are let through or not.
 *
 * Simplifications: no expansion ROM, no parity; cache line size and latency timer are kept and mean
 * nothing; a transaction never fails on the bus.
 */
#include "devices/pci.h"

#include <assert.h>

#include "devices/pci_host.h"

#define COMMAND_BITS                                                                               \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)
#define FIRST_CAPABILITY 0x40

/* --- what the device is lent --- */

static bool gated_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    struct pci_function *f = container_of(dma, struct pci_function, dma);

    return pci_is_master(f) && f->outer->dma->read(f->outer->dma, addr, buf, len);
}

static bool gated_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    struct pci_function *f = container_of(dma, struct pci_function, dma);

    return pci_is_master(f) && f->outer->dma->write(f->outer->dma, addr, buf, len);
}

static void outer_origin(struct device_env *env, struct frame_origin *origin)
{
    struct pci_function *f = container_of(env, struct pci_function, env);

    if (f->outer->origin)
        f->outer->origin(f->outer, origin);
}

static void outer_power(struct device_env *env, enum power_request what, uint32_t code)
{
    struct pci_function *f = container_of(env, struct pci_function, env);

    f->outer->power(f->outer, what, code);
}

bool pci_is_master(const struct pci_function *f)
{
    for (;;) {
        if (!(f->config[PCI_COMMAND] & PCI_COMMAND_MASTER))
            return false;
        if (!f->behind)
            return true;
        f = pci_bridge_function(f->behind);
    }
}

/* --- making one --- */

void pci_init(struct pci_function *f, struct device *dev, const struct pci_id *id)
{
    *f = (struct pci_function){.dev = dev, .outer = dev->env, .free_config = FIRST_CAPABILITY};
    f->env = *dev->env;
    f->env.dma = &f->dma;
    f->env.origin = outer_origin;
    f->env.power = outer_power;
    f->dma = (struct dma){gated_read, gated_write};
    dev->env = &f->env;
    store_le16(f->initial + PCI_VENDOR_ID, id->vendor);
    store_le16(f->initial + PCI_DEVICE_ID, id->device);
    f->initial[PCI_REVISION] = id->revision;
    store_le16(f->initial + PCI_CLASS, (uint16_t)id->class_code);
    f->initial[PCI_CLASS + 2] = (uint8_t)(id->class_code >> 16);
    store_le16(f->initial + PCI_SUBSYSTEM_VENDOR, id->subsystem_vendor);
    store_le16(f->initial + PCI_SUBSYSTEM_ID, id->subsystem);
    f->initial[PCI_INTERRUPT_PIN] = id->pin;
    store_le16(f->writable + PCI_COMMAND, COMMAND_BITS);
    f->writable[PCI_INTERRUPT_LINE] = 0xff;
    f->writable[PCI_CACHE_LINE] = f->writable[PCI_LATENCY] = 0xff; /* drivers look if they stay */
}

void pci_set_bar(struct pci_function *f, unsigned n, const struct pci_bar *bar)
{
    unsigned at = PCI_BAR0 + 4 * n;
    uint32_t kept = bar->flags & PCI_BAR_IO ? 3u : 15u;

    assert(n < PCI_BARS && bar->size > kept && !(bar->size & (bar->size - 1)));
    f->bars[n] = *bar;
    store_le32(f->initial + at, bar->flags);
    store_le32(f->writable + at, ~(bar->size - 1));
    if (bar->flags & PCI_BAR_64BIT) {
        assert(n + 1 < PCI_BARS && !f->bars[n + 1].size);
        store_le32(f->writable + at + 4, ~0u);
    }
}

unsigned pci_add_capability(struct pci_function *f, uint8_t id, unsigned len)
{
    unsigned at = f->free_config;

    assert(at + len <= PCI_CONFIG_SIZE);
    f->initial[at] = id;
    f->initial[f->last_capability ? f->last_capability + 1 : PCI_CAPABILITIES] = (uint8_t)at;
    f->initial[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    f->last_capability = (uint8_t)at;
    f->is_express |= id == PCI_CAPABILITY_EXPRESS;
    f->free_config = (uint8_t)((at + len + 3) & ~3u);
    return at;
}

/* --- interrupts --- */

static void update_line(struct pci_function *f)
{
    bool level =
        f->interrupting && !(load_le16(f->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);

    if (f->line == level || !f->host)
        return;
    f->line = level;
    pci_host_lines_changed(f->host);
}

void pci_interrupt(struct pci_function *f, bool level)
{
    f->interrupting = level;
    f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
    f->config[PCI_STATUS] |= level ? PCI_STATUS_INTERRUPT : 0;
    update_line(f);
}

void pci_reset(struct pci_function *f)
{
    f->interrupting = f->line = false;
    memcpy(f->config, f->initial, sizeof(f->config));
    if (!f->host)
        return;
    pci_host_lines_changed(f->host);
    pci_host_moved(f->host);
}

/* --- configuration space --- */

uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    uint8_t word[4] = {0};

    if (f->reading)
        f->reading(f, offset, size);
    memcpy(word, f->config + offset, size);
    return load_le32(word);
}

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned end)
{
    return offset < end && offset + size > first;
}

void pci_config_write(struct pci_function *f, unsigned offset, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned at = offset + i;
        uint8_t v = (uint8_t)(value >> 8 * i);
        f->config[at] = (uint8_t)((f->config[at] & ~f->writable[at] & ~(v & f->clearable[at])) |
                                  (v & f->writable[at]));
    }
    if (touches(offset, size, PCI_COMMAND, PCI_COMMAND + 2))
        update_line(f);
    if (touches(offset, size, PCI_COMMAND, PCI_COMMAND + 2) ||
        touches(offset, size, PCI_BAR0, PCI_CAPABILITIES)) /* a bridge's windows are there too */
        pci_host_moved(f->host);
    if (f->written)
        f->written(f, offset, size);
}

bool pci_bar_address(const struct pci_function *f, unsigned n, uint64_t *at)
{
    const struct pci_bar *b = &f->bars[n];
    const uint8_t *reg = f->config + PCI_BAR0 + 4 * n;
    uint8_t enable = b->flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

    if (!b->size || !(f->config[PCI_COMMAND] & enable))
        return false;
    *at = load_le32(reg) & ~(uint64_t)(b->size - 1);
    if (b->flags & PCI_BAR_64BIT)
        *at |= (uint64_t)load_le32(reg + 4) << 32;
    return true;
}
