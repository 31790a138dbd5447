/*
 * The e1000's interrupts: causes, their mask, and the throttle (317453, 13.4.17 to 13.4.20).
 */
#include "devices/e1000_internal.h"

#define ITR_UNIT 256 /* ns */

void e1000_line_update(struct e1000 *d)
{
    bool wanted = d->regs[E1000_ICR] & d->ims;

    if (!wanted) {
        evq_cancel(e1000_events(d), &d->throttle);
        pci_interrupt(&d->pci, false);
    } else if (d->pci.interrupting) {
        return;
    } else if (e1000_now(d) < d->quiet_until) {
        evq_arm(e1000_events(d), &d->throttle, (vtime_t)d->quiet_until);
    } else {
        d->quiet_until = e1000_now(d) + (d->regs[E1000_ITR] & 0xffff) * ITR_UNIT;
        pci_interrupt(&d->pci, true);
    }
}

static void throttle_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_line_update(container_of(ev, struct e1000, throttle));
}

void e1000_raise(struct e1000 *d, uint32_t causes)
{
    d->regs[E1000_ICR] |= causes;
    e1000_chip(d)->interrupt(d, causes);
}

/* Reading takes all causes. */
uint32_t e1000_icr_read(struct e1000 *d)
{
    uint32_t icr = d->regs[E1000_ICR];

    d->regs[E1000_ICR] = 0;
    e1000_chip(d)->interrupt(d, 0);
    return icr;
}

void e1000_icr_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_ICR] &= ~v;
    e1000_chip(d)->interrupt(d, 0);
}

void e1000_ics_write(struct e1000 *d, uint32_t v)
{
    e1000_raise(d, v & e1000_chip(d)->causes);
}

uint32_t e1000_ims_read(struct e1000 *d)
{
    return d->ims;
}

void e1000_ims_write(struct e1000 *d, uint32_t v)
{
    v &= e1000_chip(d)->causes & ~d->ims;
    d->ims |= v;
    e1000_chip(d)->interrupt(d, v & d->regs[E1000_ICR]);
}

void e1000_imc_write(struct e1000 *d, uint32_t v)
{
    d->ims &= ~v;
    e1000_chip(d)->interrupt(d, 0);
}

void e1000_intr_init(struct e1000 *d)
{
    event_init(e1000_events(d), &d->throttle, throttle_fire);
}
