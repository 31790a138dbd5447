/*
 * The e1000e interrupts (317694, chapter 7): INTx as its forebears, or a message for each of five
 * vectors.
 *
 * A message is a store of four bytes, as everywhere on PCI; what it does is the business of what is
 * at its address. The board has no controller for messages (they would be the only thing at such an
 * address; DMA reaches RAM alone), so drivers that try MSI-X fall back to INTx, or, if they insist,
 * find messages in their own memory. Plain MSI is left out: it would add nothing.
 */
#include "devices/e1000e_internal.h"

#define EITR_UNIT 256 /* ns */
#define OTHER_CAUSES (ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG)
#define STAT_IAC (0x100 / 4)
#define PBA_OFFSET 0x2000

enum { CONTROL_MASKED = 0x4000, CONTROL_ENABLED = 0x8000 }; /* of the capability */
enum { ENTRY_ADDRESS, ENTRY_UPPER, ENTRY_DATA, ENTRY_CONTROL };

static uint16_t msix_control(const struct e1000e *e)
{
    return load_le16(e->e1000.pci.config + e->msix + 2);
}

static bool msix_on(const struct e1000e *e)
{
    return msix_control(e) & CONTROL_ENABLED;
}

/* --- messages --- */

/* The causes that IVAR gives to a vector: RXQ0, RXQ1, TXQ0, TXQ1, OTHER. */
static uint32_t vector_causes(const struct e1000e *e, unsigned v)
{
    uint32_t causes = 0;

    for (unsigned i = 0; i < 5; i++) {
        uint32_t entry = e->e1000.regs[E1000E_IVAR] >> 4 * i & 15;
        if ((entry & 8) && (entry & 7) == v)
            causes |= ICR_RXQ0 << i;
    }
    return causes;
}

static void message_store(struct e1000e *e, const uint32_t *entry)
{
    struct device *dev = &e->e1000.nic.dev;
    uint64_t address = (uint64_t)entry[ENTRY_UPPER] << 32 | entry[ENTRY_ADDRESS];
    uint8_t data[4];

    store_le32(data, entry[ENTRY_DATA]);
    if (!dev->env->dma->write(dev->env->dma, address, data, sizeof(data)))
        device_warn(dev, "a message to 0x%llx reaches nobody", (unsigned long long)address);
}

/* What was sent may clear its own causes (EIAC) and mask (IAM). */
static void message_send(struct e1000e *e, unsigned v)
{
    struct e1000 *d = &e->e1000;
    const uint32_t *entry = &e->table[4 * v];
    uint32_t causes = vector_causes(e, v);

    if ((msix_control(e) & CONTROL_MASKED) || (entry[ENTRY_CONTROL] & 1)) {
        e->pending |= 1u << v;
        return;
    }
    e->pending &= ~(1u << v);
    if (e1000_now(d) < e->vectors[v].quiet_until) {
        evq_arm(e1000_events(d), &e->vectors[v].later, (vtime_t)e->vectors[v].quiet_until);
        return;
    }
    e->vectors[v].quiet_until = e1000_now(d) + (e->eitr[v] & 0xffff) * EITR_UNIT;
    d->stats[STAT_IAC]++;
    d->regs[E1000_ICR] &= ~(d->regs[E1000E_EIAC] & causes);
    if (d->regs[E1000_CTRL_EXT] & CTRL_EXT_EIAME)
        d->ims &= ~(d->regs[E1000E_IAM] & causes);
    message_store(e, entry);
}

static void later_fire(struct event *ev, vtime_t now)
{
    struct e1000e_vector *vector = container_of(ev, struct e1000e_vector, later);
    struct e1000e *e = vector->card;
    unsigned v = (unsigned)(vector - e->vectors);

    (void)now;
    if (msix_on(e) && (e->e1000.regs[E1000_ICR] & e->e1000.ims & vector_causes(e, v)))
        message_send(e, v);
}

/* Something is no longer masked: what waited for that. */
static void pending_send(struct e1000e *e)
{
    for (unsigned v = 0; msix_on(e) && v < E1000E_VECTORS; v++)
        if (e->pending >> v & 1)
            message_send(e, v);
}

/* --- causes --- */

void e1000e_interrupt(struct e1000 *d, uint32_t fresh)
{
    struct e1000e *e = e1000e_of(d);
    bool was = d->pci.interrupting;

    if (fresh & OTHER_CAUSES) {
        d->regs[E1000_ICR] |= ICR_OTHER;
        fresh |= ICR_OTHER;
    }
    if (!msix_on(e)) {
        e1000_line_update(d);
        d->stats[STAT_IAC] += d->pci.interrupting && !was;
        return;
    }
    evq_cancel(e1000_events(d), &d->throttle);
    pci_interrupt(&d->pci, false);
    for (unsigned v = 0; v < E1000E_VECTORS; v++)
        if (fresh & d->ims & vector_causes(e, v))
            message_send(e, v);
}

static bool is_asserted(struct e1000 *d)
{
    return msix_on(e1000e_of(d)) ? d->regs[E1000_ICR] & d->ims : d->pci.interrupting;
}

static void auto_mask(struct e1000 *d)
{
    if (d->regs[E1000_CTRL_EXT] & CTRL_EXT_IAME)
        d->ims &= ~d->regs[E1000E_IAM];
}

/* Reading takes all causes if the card has interrupted, or nothing may; else none. */
uint32_t e1000e_icr_read(struct e1000 *d)
{
    bool asserted = is_asserted(d);
    uint32_t icr = d->regs[E1000_ICR] | (asserted ? ICR_ASSERTED : 0);

    if (!asserted && d->ims)
        return icr;
    d->regs[E1000_ICR] = 0;
    if (asserted)
        auto_mask(d);
    e1000e_interrupt(d, 0);
    return icr;
}

void e1000e_icr_write(struct e1000 *d, uint32_t v)
{
    if (is_asserted(d))
        auto_mask(d);
    e1000_icr_write(d, v);
}

/* --- the capability and its table (PCI Local Bus 3.0, 6.8.2) --- */

void e1000e_msix_written(struct pci_function *f, unsigned offset, unsigned len)
{
    struct e1000e *e = container_of(f, struct e1000e, e1000.pci);
    struct e1000 *d = &e->e1000;

    if (offset + len <= e->msix || offset >= e->msix + 4u)
        return;
    e1000e_interrupt(d, 0);
    pending_send(e);
}

uint64_t e1000e_table_read(struct device *dev, uint64_t offset, unsigned size)
{
    const struct e1000e *e = dev->object;

    (void)size;
    if (offset < sizeof(e->table))
        return e->table[offset / 4];
    return offset == PBA_OFFSET ? e->pending : 0;
}

void e1000e_table_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct e1000e *e = dev->object;

    (void)size;
    if (offset >= sizeof(e->table))
        return;
    e->table[offset / 4] = (uint32_t)value;
    if ((offset / 4 & 3) == ENTRY_CONTROL)
        pending_send(e);
}

/* --- life --- */

void e1000e_intr_init(struct e1000e *e)
{
    for (unsigned v = 0; v < E1000E_VECTORS; v++) {
        e->vectors[v].card = e;
        event_init(e1000_events(&e->e1000), &e->vectors[v].later, later_fire);
    }
}

void e1000e_intr_reset(struct e1000e *e)
{
    e->pending = 0;
    for (unsigned v = 0; v < E1000E_VECTORS; v++) {
        e->vectors[v].quiet_until = 0;
        evq_cancel(e1000_events(&e->e1000), &e->vectors[v].later);
    }
}

void e1000e_intr_finish(struct e1000e *e)
{
    e1000e_intr_reset(e);
}

void e1000e_intr_clone(struct e1000e *e, const struct e1000e *from)
{
    for (unsigned v = 0; v < E1000E_VECTORS; v++)
        evq_copy(e1000_events(&e->e1000), &e->vectors[v].later, &from->vectors[v].later);
}
