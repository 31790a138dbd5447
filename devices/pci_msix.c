/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2): the capability, the table of messages, the pending bits.
 *
 * A message is a store of four bytes, as everywhere on PCI; what it does is the business of what is
 * at its address. The board has no controller for messages (they would be the only thing at such an
 * address; DMA reaches RAM alone), so drivers that try MSI-X fall back to INTx, or, if they insist,
 * find messages in their own memory. Plain MSI is left out: it would add nothing.
 *
 * The table is read and written by four bytes; a function that is reset masks every vector.
 */
#include "devices/pci_msix.h"

#include <assert.h>

enum { CAPABILITY_MSIX = 0x11, CAPABILITY_SIZE = 12, CONTROL = 2, TABLE = 4, PENDING = 8 };
enum { CONTROL_MASKED = 0x4000, CONTROL_ENABLED = 0x8000 };
enum { ENTRY_ADDRESS, ENTRY_UPPER, ENTRY_DATA, ENTRY_CONTROL, ENTRY_WORDS };
#define ENTRY_MASKED 1u

static uint16_t control(const struct pci_msix *x)
{
    return load_le16(x->function->config + x->capability + CONTROL);
}

bool pci_msix_enabled(const struct pci_msix *x)
{
    return x->vectors && (control(x) & CONTROL_ENABLED);
}

bool pci_msix_hold(struct pci_msix *x, unsigned vector)
{
    bool masked = (control(x) & CONTROL_MASKED) ||
                  (x->table[ENTRY_WORDS * vector + ENTRY_CONTROL] & ENTRY_MASKED);

    x->pending &= ~(1u << vector);
    x->pending |= (uint32_t)masked << vector;
    return masked;
}

void pci_msix_store(struct pci_msix *x, unsigned vector)
{
    const uint32_t *entry = &x->table[ENTRY_WORDS * vector];
    struct device *dev = x->function->dev;
    uint64_t address = (uint64_t)entry[ENTRY_UPPER] << 32 | entry[ENTRY_ADDRESS];
    uint8_t data[4];

    store_le32(data, entry[ENTRY_DATA]);
    if (!dev->env->dma->write(dev->env->dma, address, data, sizeof(data)))
        device_warn(dev, "a message to 0x%llx reaches nobody", (unsigned long long)address);
}

void pci_msix_flush(struct pci_msix *x)
{
    for (unsigned v = 0; v < x->vectors && pci_msix_enabled(x); v++)
        if (x->pending >> v & 1)
            x->unmasked(x, v);
}

bool pci_msix_written(struct pci_msix *x, unsigned offset, unsigned len)
{
    return x->vectors && offset + len > x->capability && offset < x->capability + 4u;
}

uint64_t pci_msix_read(const struct pci_msix *x, uint64_t offset)
{
    if (offset / 4 < ENTRY_WORDS * x->vectors)
        return x->table[offset / 4];
    return offset == PCI_MSIX_PENDING ? x->pending : 0;
}

void pci_msix_write(struct pci_msix *x, uint64_t offset, uint64_t value)
{
    if (offset / 4 >= ENTRY_WORDS * x->vectors)
        return;
    x->table[offset / 4] = (uint32_t)value;
    if (offset / 4 % ENTRY_WORDS == ENTRY_CONTROL)
        pci_msix_flush(x);
}

void pci_msix_reset(struct pci_msix *x)
{
    memset(x->table, 0, sizeof(x->table));
    for (unsigned v = 0; v < x->vectors; v++)
        x->table[ENTRY_WORDS * v + ENTRY_CONTROL] = ENTRY_MASKED;
    x->pending = 0;
}

void pci_msix_init(struct pci_msix *x, struct pci_function *f, unsigned bar, unsigned vectors,
                   void (*unmasked)(struct pci_msix *x, unsigned vector))
{
    unsigned at = pci_add_capability(f, CAPABILITY_MSIX, CAPABILITY_SIZE);

    assert(vectors >= 1 && vectors <= PCI_MSIX_MAX);
    x->function = f;
    x->vectors = vectors;
    x->capability = (uint8_t)at;
    x->unmasked = unmasked;
    store_le16(f->initial + at + CONTROL, (uint16_t)(vectors - 1));
    store_le16(f->writable + at + CONTROL, CONTROL_MASKED | CONTROL_ENABLED);
    store_le32(f->initial + at + TABLE, bar);
    store_le32(f->initial + at + PENDING, PCI_MSIX_PENDING | bar);
}
