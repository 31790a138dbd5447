/*
 * The e1000e's NVM, semaphores, the pages of its PHY, and its clock (317694, chapters 6 and 10).
 *
 * The NVM is a flash whose 64 words of configuration are read by EERD. It is write-protected: what
 * EEWR is told is done, and changes nothing. The PHY (a BM) is the M88 of e1000_phy.c with pages:
 * of the pages beyond the first, registers 16 to 31 hold what they were told and do nothing. There
 * is no firmware that would compete for what semaphores guard.
 */
#include "devices/e1000e_internal.h"

/* --- NVM --- */

void e1000e_nvm_fill(struct e1000 *d)
{
    uint16_t *w = d->eeprom;

    for (unsigned i = 0; i < 3; i++)
        w[i] = load_le16(d->nic.config.mac + 2 * i);
    w[0x04] = 0xffff;           /* LEDs as usual */
    w[0x08] = w[0x09] = 0xffff; /* no PBA number */
    w[0x0a] = 0x4408;           /* initialisation control 1 */
    w[0x0b] = d->variant->device;
    w[0x0c] = 0x8086;
    w[0x0d] = d->variant->device;
    w[0x0e] = 0x8086;
    w[0x1b] = 4 << 7; /* MSI-X vectors, less one */
    w[0x10] = 0x0010; /* the checksum needs no repair */
    e1000_eeprom_sum(d);
}

/* EECD: there is an NVM, it was read, its kind is flash; what is requested is granted. */
#define EECD_REQ 0x40u
#define EECD_GNT 0x80u

uint32_t e1000e_eecd_read(struct e1000 *d)
{
    uint32_t v = d->regs[E1000_EECD];

    return v | (v & EECD_REQ ? EECD_GNT : 0);
}

/* EERD: start 1, done 1, address 14, data 16. */
#define NVM_DONE 2u

void e1000e_eerd_write(struct e1000 *d, uint32_t v)
{
    uint32_t word = v >> 2 & 0x3fff, address = v & 0xfffc;

    d->regs[E1000_EERD] = address;
    if (v & 1)
        d->regs[E1000_EERD] |=
            NVM_DONE | (uint32_t)(word < EEPROM93_WORDS ? d->eeprom[word] : 0xffff) << 16;
}

void e1000e_eewr_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000E_EEWR] = (v & ~3u) | NVM_DONE;
}

/* SWSM: who reads SMBI as 0 has it. */
uint32_t e1000e_swsm_read(struct e1000 *d)
{
    uint32_t v = d->regs[E1000_SWSM];

    d->regs[E1000_SWSM] |= 1;
    return v;
}

/* --- the PHY's pages --- */

#define PHY_PAGE 22

uint16_t *e1000e_phy_page(struct e1000 *d, unsigned reg)
{
    struct e1000e *e = e1000e_of(d);
    uint16_t page = d->phy[PHY_PAGE];

    if (!page || reg < 16 || reg == PHY_PAGE)
        return NULL;
    for (unsigned i = 0; i < E1000E_PAGES; i++)
        if (!e->page_of[i] || e->page_of[i] == page) {
            e->page_of[i] = page;
            return &e->pages[i][reg - 16];
        }
    e->no_page = 0;
    return &e->no_page;
}

void e1000e_phy_forget(struct e1000e *e)
{
    memset(e->page_of, 0, sizeof(e->page_of));
    memset(e->pages, 0, sizeof(e->pages));
}

/* --- the clock: SYSTIM grows by TIMINCA's value once in so many cycles of 25 MHz --- */

#define CYCLE_NS 40

static uint64_t systim_now(struct e1000 *d)
{
    struct e1000e *e = e1000e_of(d);
    uint32_t timinca = d->regs[E1000E_TIMINCA], period = timinca >> 24;

    if (!period)
        return e->systim;
    return e->systim +
           (e1000_now(d) - e->systim_since) / (period * CYCLE_NS) * (timinca & 0xffffff);
}

static void systim_set(struct e1000 *d, uint64_t value)
{
    e1000e_of(d)->systim = value;
    e1000e_of(d)->systim_since = e1000_now(d);
}

/* The upper half is that of when the lower was read. */
uint32_t e1000e_systiml_read(struct e1000 *d)
{
    uint64_t now = systim_now(d);

    d->regs[E1000E_SYSTIMH] = (uint32_t)(now >> 32);
    return (uint32_t)now;
}

void e1000e_systiml_write(struct e1000 *d, uint32_t v)
{
    systim_set(d, (systim_now(d) & ~0xffffffffull) | v);
}

void e1000e_systimh_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000E_SYSTIMH] = v;
    systim_set(d, (systim_now(d) & 0xffffffff) | (uint64_t)v << 32);
}

void e1000e_timinca_write(struct e1000 *d, uint32_t v)
{
    systim_set(d, systim_now(d));
    d->regs[E1000E_TIMINCA] = v;
}
