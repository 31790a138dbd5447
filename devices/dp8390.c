/*
 * The DP8390's registers and interrupts (10), and the NE2000's ports around them.
 *
 * A register is a row of its page: what is read and written, plain or by a handler. Half of page 0
 * is one register when read and another when written. Simplifications: a frame is sent at once if
 * the line has room; no collisions, no errors on the wire, so TCR.ATD and OFST are kept and do
 * nothing; the RTL8029AS's 93C46 can neither be read nor programmed through 9346CR. The card has no
 * register that tells of its cable: a driver only sees lost carrier in TSR when it sends.
 */
#include "devices/dp8390.h"

#define PAGES 4
#define REGISTERS 16
#define DATA_PORT 0x10
#define RESET_PORT 0x18
#define NOBODY 0xff

/* --- interrupts (10.3, ISR and IMR) --- */

static void line_update(struct dp8390 *d)
{
    d->kind->interrupt(d, d->isr & d->imr);
}

void dp8390_raise(struct dp8390 *d, uint8_t causes)
{
    d->isr |= causes;
    line_update(d);
}

static void isr_write(struct dp8390 *d, uint8_t v)
{
    d->isr &= (uint8_t)(~v | ISR_RST);
    line_update(d);
}

/* RST is a mere status: there is no bit that would let it through. */
static void imr_write(struct dp8390 *d, uint8_t v)
{
    d->imr = v & (uint8_t)~ISR_RST;
    line_update(d);
}

/* --- the command register --- */

void dp8390_rest(struct dp8390 *d)
{
    d->isr |= ISR_RST;
    d->overflowed = false;
}

/* What is being sent is sent to its end, and only then the chip rests (7, buffer ring overflow). */
static void stop(struct dp8390 *d)
{
    if (d->cr & CR_TXP)
        dp8390_transmit_finish(d);
    else
        dp8390_rest(d);
}

static void start(struct dp8390 *d)
{
    if (!d->overflowed)
        d->isr &= (uint8_t)~ISR_RST;
}

/*
 * TXP stays until the frame is gone; neither STP nor STA leaves things as they are. STP does not
 * take STA away (10.3, CR); Realtek says nothing of that.
 */
static void cr_write(struct dp8390 *d, uint8_t v)
{
    uint8_t state = v & (CR_STP | CR_STA);
    bool stopped = d->cr & CR_STP;

    if (!state)
        state = d->cr & (CR_STP | CR_STA);
    if (state == CR_STP && !d->kind->realtek)
        state |= d->cr & CR_STA;
    d->cr = (uint8_t)((v & (CR_PS | CR_RD)) | state | (d->cr & CR_TXP));
    if (d->cr & CR_STP)
        stop(d);
    else
        start(d);
    if (stopped && dp8390_running(d))
        dp8390_transmit_resume(d);
    dp8390_remote_command(d, v & CR_RD);
    if (v & CR_TXP)
        dp8390_transmit(d);
}

/* --- others with a side effect --- */

/* Reading a counter clears it. */
static uint8_t tally_take(struct dp8390 *d, unsigned n)
{
    uint8_t v = d->tally[n];

    d->tally[n] = 0;
    return v;
}

static uint8_t cntr0_read(struct dp8390 *d)
{
    return tally_take(d, TALLY_ALIGNMENT);
}

static uint8_t cntr1_read(struct dp8390 *d)
{
    return tally_take(d, TALLY_CRC);
}

static uint8_t cntr2_read(struct dp8390 *d)
{
    return tally_take(d, TALLY_MISSED);
}

/* What loopback has left there, round and round (12). */
static uint8_t fifo_read(struct dp8390 *d)
{
    return d->fifo[d->fifo_at++ % DP8390_FIFO];
}

/* The RTL8029AS's unused bits read as ones (its specification, 5.1.2.1, page 15). */
static uint8_t tsr_read(struct dp8390 *d)
{
    return d->tsr | (d->kind->realtek ? TSR_ND : 0);
}

static uint8_t rcr_read(struct dp8390 *d)
{
    return d->rcr | (d->kind->realtek ? 0xc0 : 0);
}

static uint8_t id0_read(struct dp8390 *d)
{
    return d->kind->id[0];
}

static uint8_t id1_read(struct dp8390 *d)
{
    return d->kind->id[1];
}

static uint8_t id8029_low_read(struct dp8390 *d)
{
    (void)d;
    return 0x29;
}

static uint8_t id8029_high_read(struct dp8390 *d)
{
    (void)d;
    return 0x80;
}

static void curr_write(struct dp8390 *d, uint8_t v)
{
    d->curr = v;
    d->full = false;
}

static void tcr_write(struct dp8390 *d, uint8_t v)
{
    d->tcr = v & 0x1f;
}

/* Leaving monitor mode enables the receiver (10.3, RSR). */
static void rcr_write(struct dp8390 *d, uint8_t v)
{
    d->rcr = v & 0x3f;
    if (v & RCR_MON)
        d->rsr |= RSR_DIS;
    else
        d->rsr &= (uint8_t)~RSR_DIS;
}

/* Bits of configuration that can be set only if 9346CR says so. */
static void config_write(struct dp8390 *d, uint8_t *reg, uint8_t writable, uint8_t v)
{
    if ((d->cr9346 & 0xc0) == 0xc0)
        *reg = (uint8_t)((*reg & ~writable) | (v & writable));
}

static void config2_write(struct dp8390 *d, uint8_t v)
{
    config_write(d, &d->config2, 0xe0, v);
}

static void config3_write(struct dp8390 *d, uint8_t v)
{
    config_write(d, &d->config3, 0x46, v);
}

static void cr9346_write(struct dp8390 *d, uint8_t v)
{
    d->cr9346 = v & 0xfe;
}

/* --- the table --- */

struct reg {
    const char *name;
    uint16_t read_at, write_at; /* a byte of struct dp8390; 0: none */
    uint8_t (*read)(struct dp8390 *d);
    void (*write)(struct dp8390 *d, uint8_t v);
};

#define AT(member) offsetof(struct dp8390, member)
#define LOW(member) AT(member) /* of a word that is kept in the host's order */
#define HIGH(member) (AT(member) | 0x8000)
#define PLAIN(name, member)                                                                        \
    {                                                                                              \
        name, AT(member), AT(member), NULL, NULL                                                   \
    }
#define SHOWN(name, member)                                                                        \
    {                                                                                              \
        name, AT(member), 0, NULL, NULL                                                            \
    }

static const struct reg registers[PAGES][REGISTERS] = {
    {
        [0x1] = {"CLDA0/PSTART", LOW(clda), AT(pstart), NULL, NULL},
        [0x2] = {"CLDA1/PSTOP", HIGH(clda), AT(pstop), NULL, NULL},
        [0x3] = {"BNRY", AT(bnry), 0, NULL, dp8390_boundary_set},
        [0x4] = {"TSR/TPSR", 0, AT(tpsr), tsr_read, NULL},
        [0x5] = {"NCR/TBCR0", 0, LOW(tbcr), NULL, NULL},
        [0x6] = {"FIFO/TBCR1", 0, HIGH(tbcr), fifo_read, NULL},
        [0x7] = {"ISR", AT(isr), 0, NULL, isr_write},
        [0x8] = {"CRDA0/RSAR0", LOW(rsar), LOW(rsar), NULL, NULL},
        [0x9] = {"CRDA1/RSAR1", HIGH(rsar), HIGH(rsar), NULL, NULL},
        [0xa] = {"RBCR0", 0, LOW(rbcr), id0_read, NULL},
        [0xb] = {"RBCR1", 0, HIGH(rbcr), id1_read, NULL},
        [0xc] = {"RSR/RCR", AT(rsr), 0, NULL, rcr_write},
        [0xd] = {"CNTR0/TCR", 0, 0, cntr0_read, tcr_write},
        [0xe] = {"CNTR1/DCR", 0, AT(dcr), cntr1_read, NULL},
        [0xf] = {"CNTR2/IMR", 0, 0, cntr2_read, imr_write},
    },
    {
        [0x1] = PLAIN("PAR0", par[0]),
        [0x2] = PLAIN("PAR1", par[1]),
        [0x3] = PLAIN("PAR2", par[2]),
        [0x4] = PLAIN("PAR3", par[3]),
        [0x5] = PLAIN("PAR4", par[4]),
        [0x6] = PLAIN("PAR5", par[5]),
        [0x7] = {"CURR", AT(curr), 0, NULL, curr_write},
        [0x8] = PLAIN("MAR0", mar[0]),
        [0x9] = PLAIN("MAR1", mar[1]),
        [0xa] = PLAIN("MAR2", mar[2]),
        [0xb] = PLAIN("MAR3", mar[3]),
        [0xc] = PLAIN("MAR4", mar[4]),
        [0xd] = PLAIN("MAR5", mar[5]),
        [0xe] = PLAIN("MAR6", mar[6]),
        [0xf] = PLAIN("MAR7", mar[7]),
    },
    {
        /* For diagnosis (10.1). */
        [0x1] = {"PSTART/CLDA0", AT(pstart), LOW(clda), NULL, NULL},
        [0x2] = {"PSTOP/CLDA1", AT(pstop), HIGH(clda), NULL, NULL},
        [0x3] = PLAIN("remote next packet", remote_next),
        [0x4] = SHOWN("TPSR", tpsr),
        [0x5] = PLAIN("local next packet", local_next),
        [0x6] = {"address counter, upper", HIGH(clda), HIGH(clda), NULL, NULL},
        [0x7] = {"address counter, lower", LOW(clda), LOW(clda), NULL, NULL},
        [0xc] = {"RCR", 0, 0, rcr_read, NULL},
        [0xd] = SHOWN("TCR", tcr),
        [0xe] = SHOWN("DCR", dcr),
        [0xf] = SHOWN("IMR", imr),
    },
    {
        /* The RTL8029AS's (its specification, 5.1.2.2). */
        [0x1] = {"9346CR", AT(cr9346), 0, NULL, cr9346_write},
        [0x3] = {"CONFIG0", 0, 0, NULL, NULL},
        [0x5] = {"CONFIG2", AT(config2), 0, NULL, config2_write},
        [0x6] = {"CONFIG3", AT(config3), 0, NULL, config3_write},
        [0xe] = {"8029ASID0", 0, 0, id8029_low_read, NULL},
        [0xf] = {"8029ASID1", 0, 0, id8029_high_read, NULL},
    },
};

/* The fields that are words, of which a register is one half. */
static bool is_word(size_t at)
{
    return at == AT(tbcr) || at == AT(rbcr) || at == AT(clda) || at == AT(rsar);
}

static uint8_t field_read(const struct dp8390 *d, uint16_t at)
{
    const char *p = (const char *)d + (at & 0x7fff);
    uint16_t word;

    if (!is_word(at & 0x7fff))
        return *(const uint8_t *)p;
    memcpy(&word, p, sizeof(word));
    return (uint8_t)(at & 0x8000 ? word >> 8 : word);
}

static void field_write(struct dp8390 *d, uint16_t at, uint8_t v)
{
    char *p = (char *)d + (at & 0x7fff);
    uint16_t word;

    if (!is_word(at & 0x7fff)) {
        *(uint8_t *)p = v;
        return;
    }
    memcpy(&word, p, sizeof(word));
    word = (uint16_t)(at & 0x8000 ? (word & 0x00ff) | v << 8 : (word & 0xff00) | v);
    memcpy(p, &word, sizeof(word));
}

/* --- access --- */

/* The row in the page that CR selects; page 3 is a test mode of the DP8390, and not there. */
static const struct reg *reg_find(struct dp8390 *d, unsigned offset)
{
    unsigned page = d->cr >> 6;
    const struct reg *r = &registers[page][offset];

    if (r->name && (page != 3 || d->kind->realtek))
        return r;
    device_warn(&d->nic.dev, "there is no register 0x%x in page %u", offset, page);
    return NULL;
}

static uint8_t reg_read(struct dp8390 *d, unsigned offset)
{
    const struct reg *r;

    if (offset == 0)
        return d->cr;
    r = reg_find(d, offset);
    if (!r)
        return NOBODY;
    return r->read ? r->read(d) : r->read_at ? field_read(d, r->read_at) : 0;
}

static void reg_write(struct dp8390 *d, unsigned offset, uint8_t v)
{
    const struct reg *r;

    if (offset == 0) {
        cr_write(d, v);
        return;
    }
    r = reg_find(d, offset);
    if (r && r->write)
        r->write(d, v);
    else if (r && r->write_at)
        field_write(d, r->write_at, v);
}

/* RESET (5): what it leaves alone, software sets anew (11). */
static void chip_reset(struct dp8390 *d)
{
    d->cr = CR_STP | RD_ABORT;
    evq_cancel(&d->nic.dev.env->actor->events, &d->tx_event);
    dp8390_rest(d);
    d->isr = ISR_RST;
    d->imr = 0;
    d->dcr |= DCR_LAS;
    d->tcr &= (uint8_t)~TCR_LB;
    d->remote = false;
    line_update(d);
}

uint64_t dp8390_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct dp8390 *d = dev->object;
    uint64_t v = 0;

    if (offset >= RESET_PORT) {
        chip_reset(d);
        return 0;
    }
    if (offset >= DATA_PORT)
        return dp8390_data_read(d, size);
    for (unsigned i = 0; i < size; i++) /* the bus makes bytes of it */
        v |= (uint64_t)reg_read(d, (unsigned)offset + i) << 8 * i;
    return v;
}

void dp8390_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct dp8390 *d = dev->object;

    if (offset >= RESET_PORT)
        chip_reset(d);
    else if (offset >= DATA_PORT)
        dp8390_data_write(d, (uint32_t)value, size);
    else
        for (unsigned i = 0; i < size; i++)
            reg_write(d, (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

/* --- life --- */

static const struct port_ops dp8390_port_ops = {.kind = "nic", .rx = dp8390_rx};

void dp8390_init(struct dp8390 *d, const struct dp8390_kind *kind, const struct device_ops *ops,
                 struct device_env *env, const char *name, const struct nic_config *c)
{
    d->kind = kind;
    d->nic.config = *c;
    device_init(&d->nic.dev, ops, d, name, env);
    port_init(&d->nic.port, &dp8390_port_ops, env->actor, name);
    packets_init(&d->waiting, &d->nic.port);
    event_init(&env->actor->events, &d->tx_event, dp8390_tx_fire);
}

void dp8390_reset(struct dp8390 *d)
{
    evq_cancel(&d->nic.dev.env->actor->events, &d->tx_event);
    d->kind->interrupt(d, false);
}

void dp8390_finish(struct device *dev)
{
    struct dp8390 *d = dev->object;

    evq_cancel(&dev->env->actor->events, &d->tx_event);
    packets_finish(&d->waiting);
}

void dp8390_clone(struct device *dev, const struct device *from)
{
    struct dp8390 *d = dev->object;
    const struct dp8390 *other = from->object;

    evq_copy(&dev->env->actor->events, &d->tx_event, &other->tx_event);
}

/* Frames to the original's address are not the clone's; its own is in the PROM. */
void dp8390_cloned(struct device *dev)
{
    struct dp8390 *d = dev->object;

    memcpy(d->par, d->nic.config.mac, ETH_ALEN);
}
