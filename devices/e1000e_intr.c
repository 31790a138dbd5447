/*
 * The e1000e interrupts (317694, chapter 7): INTx as its forebears, or a message for each of five
 * vectors (pci_msix.h).
 */
#include "devices/e1000e_internal.h"

#define EITR_UNIT 256 /* ns */
#define OTHER_CAUSES (ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG)
#define STAT_IAC (0x100 / 4)

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

/* What was sent clears causes of its own, and masks them (EIAC, 7.4.3; IAM). */
static void message_send(struct e1000e *e, unsigned v)
{
    struct e1000 *d = &e->e1000;
    uint32_t causes = vector_causes(e, v);

    if (pci_msix_hold(&e->msix, v))
        return;
    if (e1000_now(d) < e->vectors[v].quiet_until) {
        evq_arm(e1000_events(d), &e->vectors[v].later, (vtime_t)e->vectors[v].quiet_until);
        return;
    }
    e->vectors[v].quiet_until = e1000_now(d) + (e->eitr[v] & 0xffff) * EITR_UNIT;
    e1000_count(d, STAT_IAC, 1);
    d->regs[E1000_ICR] &= ~(d->regs[E1000E_EIAC] & causes);
    d->ims &= ~(d->regs[E1000E_EIAC] & causes);
    if (d->regs[E1000_CTRL_EXT] & CTRL_EXT_EIAME)
        d->ims &= ~(d->regs[E1000E_IAM] & causes);
    pci_msix_store(&e->msix, v);
}

static void later_fire(struct event *ev, vtime_t now)
{
    struct e1000e_vector *vector = container_of(ev, struct e1000e_vector, later);
    struct e1000e *e = vector->card;
    unsigned v = (unsigned)(vector - e->vectors);

    (void)now;
    if (pci_msix_enabled(&e->msix) &&
        (e->e1000.regs[E1000_ICR] & e->e1000.ims & vector_causes(e, v)))
        message_send(e, v);
}

static void vector_unmasked(struct pci_msix *x, unsigned v)
{
    message_send(container_of(x, struct e1000e, msix), v);
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
    if (!pci_msix_enabled(&e->msix)) {
        e1000_line_update(d);
        e1000_count(d, STAT_IAC, d->pci.interrupting && !was);
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
    return pci_msix_enabled(&e1000e_of(d)->msix) ? d->regs[E1000_ICR] & d->ims
                                                 : d->pci.interrupting;
}

static void auto_mask(struct e1000 *d)
{
    if (d->regs[E1000_CTRL_EXT] & CTRL_EXT_IAME)
        d->ims &= ~d->regs[E1000E_IAM];
}

/* Reading takes all causes if the card has interrupted, or nothing may; else none (10.2.4.1): a
   driver that shares the line reads them between two interrupts, and would lose them. */
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

/* --- life --- */

static void config_written(struct pci_function *f, unsigned offset, unsigned len)
{
    struct e1000e *e = container_of(f, struct e1000e, e1000.pci);

    if (!pci_msix_written(&e->msix, offset, len))
        return;
    e1000e_interrupt(&e->e1000, 0);
    pci_msix_flush(&e->msix);
}

void e1000e_intr_init(struct e1000e *e)
{
    pci_msix_init(&e->msix, &e->e1000.pci, E1000E_BAR_MSIX, E1000E_VECTORS, vector_unmasked);
    e->e1000.pci.written = config_written;
    for (unsigned v = 0; v < E1000E_VECTORS; v++) {
        e->vectors[v].card = e;
        event_init(e1000_events(&e->e1000), &e->vectors[v].later, later_fire);
    }
}

void e1000e_intr_reset(struct e1000e *e)
{
    e->msix.pending = 0;
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
