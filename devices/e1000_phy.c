/*
 * The e1000's EEPROM, PHY and link (317453, chapters 5, 11 and 12).
 *
 * The PHY is an M88 that negotiates at once, with a partner that can do everything: there is nobody
 * to negotiate with, and gigabit, full duplex is what comes out. The register set is that of
 * IEEE 802.3, clause 22, and the few of its own that drivers look at.
 */
#include "devices/e1000_internal.h"

/* --- EEPROM: 64 words (5.6) --- */

#define EEPROM_CHECKSUM 63
#define EEPROM_SUM 0xbaba

void e1000_eeprom_sum(struct e1000 *d)
{
    uint16_t *w = d->eeprom, sum = 0;

    for (unsigned i = 0; i < EEPROM_CHECKSUM; i++)
        sum = (uint16_t)(sum + w[i]);
    w[EEPROM_CHECKSUM] = (uint16_t)(EEPROM_SUM - sum);
}

void e1000_eeprom_fill(struct e1000 *d)
{
    uint16_t *w = d->eeprom;

    for (unsigned i = 0; i < 3; i++)
        w[i] = load_le16(d->nic.config.mac + 2 * i);
    w[0x08] = w[0x09] = 0xffff; /* no PBA number */
    w[0x0a] = 0x4408;           /* initialisation control 1: ids and subsystem ids are here */
    w[0x0b] = d->variant->device;
    w[0x0c] = 0x8086;
    w[0x0d] = d->variant->device;
    w[0x0e] = 0x8086;
    w[0x0f] = 0x0040; /* initialisation control 2 */
    e1000_eeprom_sum(d);
}

/* EECD (13.4.3). */
#define EECD_SK 1u
#define EECD_CS 2u
#define EECD_DI 4u
#define EECD_DO 8u
#define EECD_REQ 0x40u
#define EECD_GNT 0x80u
#define EECD_PINS (EECD_SK | EECD_CS | EECD_DI | 0x30u | EECD_REQ)

void e1000_eecd_write(struct e1000 *d, uint32_t value)
{
    d->regs[E1000_EECD] = (d->regs[E1000_EECD] & ~EECD_PINS) | (value & EECD_PINS);
    eeprom93_write(&d->wire, d->eeprom, value & EECD_CS, value & EECD_SK, value & EECD_DI);
}

uint32_t e1000_eecd_read(struct e1000 *d)
{
    uint32_t v = d->regs[E1000_EECD];

    return v | (eeprom93_read(&d->wire) ? EECD_DO : 0) | (v & EECD_REQ ? EECD_GNT : 0);
}

/* EERD (13.4.4): start, address; done at once, with the word. */
void e1000_eerd_write(struct e1000 *d, uint32_t value)
{
    uint32_t word = value >> 8 & 0xff;

    if (!(value & 1)) {
        d->regs[E1000_EERD] = value & 0xff00;
        return;
    }
    d->regs[E1000_EERD] = (value & 0xff00) | 0x10 |
                          (uint32_t)(word < EEPROM93_WORDS ? d->eeprom[word] : 0xffff) << 16;
}

/* --- PHY --- */

enum {
    PHY_CONTROL,
    PHY_STATUS,
    PHY_ID1,
    PHY_ID2,
    PHY_ADVERTISE,
    PHY_PARTNER,
    PHY_EXPANSION,
    PHY_1000_CONTROL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXT_STATUS = 15,
    PHY_SPECIFIC_CONTROL = 16,
    PHY_SPECIFIC_STATUS = 17,
    PHY_EXT_CONTROL = 20,
};

#define CONTROL_RESET 0x8000u
#define CONTROL_LOOPBACK 0x4000u
#define CONTROL_AUTONEG 0x1000u
#define CONTROL_POWER_DOWN 0x0800u
#define CONTROL_RESTART 0x0200u
#define STATUS_ABILITIES 0x7949u /* 10 and 100, both duplexes, extended status, negotiation */
#define STATUS_AUTONEG_DONE 0x0020u
#define STATUS_LINK 0x0004u
#define NEGOTIATION_NS (10 * NS_PER_MS) /* what link-up takes to be noticed */

/* Bits that software may write, by register. */
static const uint16_t phy_writable[E1000_PHY_REGISTERS] = {
    [PHY_CONTROL] = 0xfdc0,
    [PHY_ADVERTISE] = 0xffff,
    [PHY_1000_CONTROL] = 0xff00,
    [PHY_SPECIFIC_CONTROL] = 0xffff,
    [18] = 0xffff,
    [PHY_EXT_CONTROL] = 0xffff,
    [22] = 0xffff,
    [24] = 0xffff,
    [29] = 0xffff,
    [30] = 0xffff,
};

bool e1000_loops(const struct e1000 *d)
{
    return (d->phy[PHY_CONTROL] & CONTROL_LOOPBACK) ||
           (d->regs[E1000_RCTL] & RCTL_LBM) == e1000_chip(d)->mac_loop;
}

/* Whether the MAC sees a link: a cable with a carrier, or its own loop. */
static bool link_there(const struct e1000 *d)
{
    return (d->nic.port.up && !(d->phy[PHY_CONTROL] & CONTROL_POWER_DOWN)) || e1000_loops(d);
}

static void phy_link(struct e1000 *d, bool up)
{
    uint16_t *p = d->phy;

    p[PHY_STATUS] = (uint16_t)(STATUS_ABILITIES | (up ? STATUS_LINK | STATUS_AUTONEG_DONE : 0));
    p[PHY_PARTNER] = up ? 0xcde1 : 0; /* all of 10 and 100, acknowledged */
    p[PHY_EXPANSION] = up ? 0x000f : 0x000c;
    p[PHY_1000_STATUS] = up ? 0x3c00 : 0;          /* it can do 1000, and hears us */
    p[PHY_SPECIFIC_STATUS] = up ? 0xac08 : 0x8000; /* 1000, full duplex, resolved, link */
}

void e1000_phy_reset(struct e1000 *d)
{
    memset(d->phy, 0, sizeof(d->phy));
    d->phy[PHY_CONTROL] = 0x1140; /* auto-negotiation, full duplex, 1000 */
    d->phy[PHY_ID1] = 0x0141;
    d->phy[PHY_ID2] = e1000_chip(d)->phy_id2;
    d->phy[PHY_ADVERTISE] = 0x0de1;
    d->phy[PHY_1000_CONTROL] = 0x0e00;
    d->phy[PHY_EXT_STATUS] = 0x3000;
    d->phy[PHY_SPECIFIC_CONTROL] = 0x0360;
    d->phy[PHY_EXT_CONTROL] = 0x0d60;
    phy_link(d, link_there(d));
}

/* STATUS.LU, and an interrupt when it changes (11.5.6; 13.4.17, LSC). */
void e1000_link_update(struct e1000 *d)
{
    bool up = link_there(d) && (d->regs[E1000_CTRL] & CTRL_SLU);
    uint32_t *status = &d->regs[E1000_STATUS], was = *status;

    phy_link(d, link_there(d));
    *status = (was & STATUS_TXOFF) | STATUS_FD | STATUS_SPEED_1000 | (up ? STATUS_LU : 0);
    if ((was ^ *status) & STATUS_LU)
        e1000_raise(d, ICR_LSC);
    e1000_receive(d);
}

/* A negotiation that was asked for has come to what it always comes to. */
static void rewire_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_raise(container_of(ev, struct e1000, rewire), ICR_LSC);
}

void e1000_phy_init(struct e1000 *d)
{
    event_init(e1000_events(d), &d->rewire, rewire_fire);
}

static uint16_t *phy_paged(struct e1000 *d, unsigned reg)
{
    return e1000_chip(d)->phy_page ? e1000_chip(d)->phy_page(d, reg) : NULL;
}

static uint16_t phy_read(struct e1000 *d, unsigned reg)
{
    const uint16_t *paged = phy_paged(d, reg);

    return paged ? *paged : d->phy[reg];
}

/* A reset of the PHY applies what was written, with it or before, and loses nothing (11.1.3). */
static void phy_write(struct e1000 *d, unsigned reg, uint16_t value)
{
    uint16_t *paged = phy_paged(d, reg);
    bool restarts = false; /* negotiation */

    if (paged) {
        *paged = value;
        return;
    }
    if (reg == PHY_CONTROL)
        restarts = (value & (CONTROL_RESTART | CONTROL_RESET)) ||
                   (d->phy[reg] & ~value & CONTROL_POWER_DOWN);
    d->phy[reg] = (uint16_t)((d->phy[reg] & ~phy_writable[reg]) | (value & phy_writable[reg]));
    if (reg != PHY_CONTROL)
        return;
    d->phy[PHY_CONTROL] &= (uint16_t) ~(CONTROL_RESTART | CONTROL_RESET);
    e1000_link_update(d);
    if (restarts && (value & CONTROL_AUTONEG) && link_there(d))
        evq_arm(e1000_events(d), &d->rewire, (vtime_t)e1000_now(d) + NEGOTIATION_NS);
}

/* MDIC (13.4.7): data, register, PHY (1), operation; ready at once. */
#define MDIC_WRITE (1u << 26)
#define MDIC_READ (2u << 26)
#define MDIC_READY (1u << 28)
#define MDIC_INTERRUPT (1u << 29)
#define MDIC_ERROR (1u << 30)

void e1000_mdic_write(struct e1000 *d, uint32_t value)
{
    unsigned reg = value >> 16 & 31, phy = value >> 21 & 31;
    uint32_t answer = (value & 0x2fffffff & ~MDIC_READY) | MDIC_READY;

    if (phy != 1) {
        answer |= MDIC_ERROR;
    } else if ((value & (3u << 26)) == MDIC_READ) {
        answer = (answer & ~0xffffu) | phy_read(d, reg);
    } else if ((value & (3u << 26)) == MDIC_WRITE) {
        phy_write(d, reg, (uint16_t)value);
    }
    d->regs[E1000_MDIC] = answer;
    if (value & MDIC_INTERRUPT)
        e1000_raise(d, ICR_MDAC);
}
