/*
 * rtl8139: the registers and interrupts of Realtek's RTL8139C+, and of the RTL8139C without the C+
 * rings.
 *
 * 256 bytes of registers, in I/O ports and in memory, of one, two and four bytes, which software
 * reads and writes at sizes as it likes: so writes are made byte by byte into an image of them, as
 * masks allow, and what happens then is a table of who was touched. Simplifications: no wake-up, no
 * flash, no early interrupts; IDR is not locked, and TCR and RCR are written without TE and RE too;
 * the link is always 100 Mbit/s, full duplex, if there is one.
 */
#include "devices/rtl8139_internal.h"

#define TIMER_TICK 30 /* ns: the bus's clock */
#define CSCR_CHANGED 0x0800
#define BMCR_RESET 0x8000
#define BMCR_DEFAULT 0x3100 /* 100 Mbit/s, negotiated, full duplex: which can be written */
#define CAPR_PAUSE (10 * NS_PER_US)
#define MIN_GNT 0x20 /* in quarters of a microsecond */
#define MAX_LAT 0x40
#define REVISION_C 0x10
#define REVISION_CPLUS 0x20
#define VERSION_C 0x74000000u /* TCR.HWVERID */
#define VERSION_CPLUS 0x74800000u

static bool is_cplus(const struct rtl8139 *d)
{
    return d->pci.initial[PCI_REVISION] == REVISION_CPLUS;
}

/* --- interrupts --- */

void rtl8139_raise(struct rtl8139 *d, uint16_t causes)
{
    uint16_t isr = reg16(d, RTL_ISR) | causes;

    store_le16(d->regs + RTL_ISR, isr);
    pci_interrupt(&d->pci, isr & reg16(d, RTL_IMR));
}

/* --- the timer: counts from when TCTR was written, and may interrupt once a round --- */

static uint64_t now_of(const struct rtl8139 *d)
{
    return (uint64_t)d->nic.dev.env->actor->now;
}

/* TCTR, and how often it has come round in the upper half. */
static uint64_t ticks_of(const struct rtl8139 *d)
{
    return (now_of(d) - d->timer_start) / TIMER_TICK;
}

/* When TCTR comes to TimerInt next: in this round, or the one after. */
static void timer_update(struct rtl8139 *d)
{
    uint32_t at = reg32(d, RTL_TIMERINT);
    uint64_t ticks = ticks_of(d), left = (uint32_t)(at - (uint32_t)ticks);

    evq_cancel(rtl8139_events(d), &d->timer);
    if (!at)
        return;
    ticks += left ? left : 1ull << 32;
    evq_arm(rtl8139_events(d), &d->timer, (vtime_t)(d->timer_start + ticks * TIMER_TICK));
}

static void timer_fire(struct event *ev, vtime_t now)
{
    struct rtl8139 *d = container_of(ev, struct rtl8139, timer);

    (void)now;
    rtl8139_raise(d, ISR_TIMEOUT);
    timer_update(d);
}

/* --- the link --- */

static void link_update(struct rtl8139 *d)
{
    bool up = d->nic.port.up;

    d->regs[RTL_MSR] = (uint8_t)((d->regs[RTL_MSR] & 0xc0) | 0x10 | (up ? 0 : 0x04));
    store_le16(d->regs + RTL_BMSR, up ? 0x782d : 0x7809);
    store_le16(d->regs + RTL_ANLPAR, up ? 0x45e1 : 0);
    store_le16(d->regs + RTL_ANER, up ? 0x0001 : 0);
    store_le16(d->regs + RTL_CSCR, up ? 0x07c8 : 0x03c0);
}

/* That the link has changed is a bit of CSCR, without which 8139too does not look at the PHY. */
static void rtl_carrier(struct port *p, bool up)
{
    struct rtl8139 *d = container_of(p, struct rtl8139, nic.port);

    (void)up;
    link_update(d);
    store_le16(d->regs + RTL_CSCR, reg16(d, RTL_CSCR) | CSCR_CHANGED);
    rtl8139_raise(d, ISR_LINK);
}

/* --- what happens when a register was written --- */

static void chip_reset(struct rtl8139 *d);
static void registers_reset(struct rtl8139 *d);

/* CR: RST clears itself; TE and RE begin anew at the first descriptor and the buffer's start. */
static void cr_written(struct rtl8139 *d, uint32_t was)
{
    uint8_t cr = d->regs[RTL_CR];

    if (cr & CR_RST) {
        chip_reset(d);
        return;
    }
    if ((cr & CR_TE) && !(was & CR_TE))
        d->tx_next = d->cp_tx = 0;
    if ((cr & CR_RE) && !(was & CR_RE)) {
        store_le16(d->regs + RTL_CAPR, 0xfff0);
        store_le16(d->regs + RTL_CBR, 0);
        d->cp_rx = 0;
    }
    if (!(cr & CR_TE))
        rtl8139_tx_reset(d);
    rtl8139_receive(d);
    rtl8139_send(d);
}

static void isr_written(struct rtl8139 *d, uint32_t was)
{
    store_le16(d->regs + RTL_ISR, (uint16_t)(was & ~reg16(d, RTL_ISR)));
    rtl8139_raise(d, 0);
}

static void imr_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    rtl8139_raise(d, 0);
}

static void tsd_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    rtl8139_send(d);
}

static void rx_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    rtl8139_receive(d);
}

/*
 * Not within the driver's store: Linux writes CAPR, clears ISR, and may then stop reading without
 * looking at the buffer again. What it is told of frames that waited must come after that.
 */
static void capr_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    if (packets_any(&d->waiting) || d->nic.port.holding)
        evq_arm(rtl8139_events(d), &d->looped, d->nic.dev.env->actor->now + CAPR_PAUSE);
}

static void rbstart_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    store_le16(d->regs + RTL_CBR, 0);
}

static void tctr_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    d->timer_start = now_of(d);
    timer_update(d);
}

static void timerint_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    timer_update(d);
}

static void mpc_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    store_le32(d->regs + RTL_MPC, 0); /* any value clears it */
}

enum { EEDO = 1, EEDI = 2, EESK = 4, EECS = 8, EEM = 0xc0, EEM_LOAD = 0x40, EEM_CONFIG = 0xc0 };

static void address_load(struct rtl8139 *d)
{
    for (unsigned i = 0; i < 3; i++)
        store_le16(d->regs + RTL_IDR + 2 * i, d->eeprom[7 + i]);
}

static void eeprom_written(struct rtl8139 *d, uint32_t was)
{
    uint8_t v = d->regs[RTL_9346CR];

    (void)was;
    eeprom93_write(&d->wire, d->eeprom, v & EECS, v & EESK, v & EEDI);
    if ((v & EEM) == EEM_LOAD) /* "as when RSTB is asserted"; EEM is zero behind it */
        registers_reset(d);
}

static void phy_reset(struct rtl8139 *d)
{
    store_le16(d->regs + RTL_BMCR, BMCR_DEFAULT);
    store_le16(d->regs + RTL_ANAR, 0x05e1);
}

/* Reset and restart are done at once. */
static void bmcr_written(struct rtl8139 *d, uint32_t was)
{
    uint16_t v = reg16(d, RTL_BMCR);

    (void)was;
    store_le16(d->regs + RTL_BMCR, v & BMCR_DEFAULT);
    if (v & BMCR_RESET)
        phy_reset(d);
    link_update(d);
}

static void tppoll_written(struct rtl8139 *d, uint32_t was)
{
    uint8_t v = d->regs[RTL_TPPOLL];

    (void)was;
    d->regs[RTL_TPPOLL] = 0;
    if (v & 1)
        rtl8139_raise(d, ISR_SWINT);
    if (v & 0x80)
        device_warn(&d->nic.dev, "there is no TX ring of high priority");
    if (v & 0x40)
        rtl8139_poll(d);
}

static void dtccr_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    rtl8139_tally_dump(d);
}

/* TSD and DTCCR share their offsets: each begins as after a reset where the other was. */
static void cpcr_written(struct rtl8139 *d, uint32_t was)
{
    uint16_t cpcr = reg16(d, RTL_CPCR);

    for (unsigned i = 0; i < 4 && ((cpcr ^ was) & CPCR_TX); i++)
        store_le32(d->regs + RTL_TSD + 4 * i, cpcr & CPCR_TX ? 0 : TSD_OWN);
}

static void tnpds_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    d->cp_tx = 0;
}

static void rdsar_written(struct rtl8139 *d, uint32_t was)
{
    (void)was;
    d->cp_rx = 0;
    rtl8139_receive(d);
}

/* When a register can be written. */
enum when {
    ALWAYS,
    UNLOCKED, /* by 9346CR */
    PLUS,     /* on the C+ */
    PLAIN,    /* on the C */
    SLOTS,    /* while what is sent comes from descriptors in registers */
    RINGS,    /* while it comes from a ring */
};

struct reg {
    uint8_t at, size;
    uint32_t writable;
    void (*written)(struct rtl8139 *d, uint32_t was);
    enum when when;
};

static const struct reg registers[] = {
    {RTL_IDR, 4, ~0u, NULL, ALWAYS},
    {RTL_IDR + 4, 2, 0xffff, NULL, ALWAYS},
    {RTL_MAR, 4, ~0u, NULL, ALWAYS},
    {RTL_MAR + 4, 4, ~0u, NULL, ALWAYS},
    {RTL_TSD, 4, TSD_WRITABLE, tsd_written, SLOTS},
    {RTL_TSD + 4, 4, TSD_WRITABLE, tsd_written, SLOTS},
    {RTL_TSD + 8, 4, TSD_WRITABLE, tsd_written, SLOTS},
    {RTL_TSD + 12, 4, TSD_WRITABLE, tsd_written, SLOTS},
    {RTL_DTCCR, 4, 0xffffffc8, dtccr_written, RINGS},
    {RTL_DTCCR + 4, 4, ~0u, NULL, RINGS},
    {RTL_TSAD, 4, ~0u, tnpds_written, ALWAYS},
    {RTL_TSAD + 4, 4, ~0u, NULL, ALWAYS},
    {RTL_TSAD + 8, 4, ~0u, NULL, ALWAYS},
    {RTL_TSAD + 12, 4, ~0u, NULL, ALWAYS},
    {RTL_RBSTART, 4, ~0u, rbstart_written, ALWAYS},
    {RTL_CR, 1, CR_TE | CR_RE | CR_RST, cr_written, ALWAYS},
    {RTL_CAPR, 2, 0xffff, capr_written, ALWAYS},
    {RTL_IMR, 2, 0xe1ff, imr_written, PLUS},
    {RTL_IMR, 2, 0xe07f, imr_written, PLAIN}, /* no TDU, no SWInt */
    {RTL_ISR, 2, 0xffff, isr_written, ALWAYS},
    {RTL_TCR, 4, 0x030707f0, NULL, ALWAYS},
    {RTL_RCR, 4, 0x0f03ffbf, rx_written, ALWAYS}, /* 9356SEL is the EEPROM's */
    {RTL_TCTR, 4, 0, tctr_written, ALWAYS},
    {RTL_MPC, 4, 0xffffff, mpc_written, ALWAYS},
    {RTL_9346CR, 1, 0xce, eeprom_written, ALWAYS},
    {RTL_CONFIG0, 1, 0x07, NULL, UNLOCKED},
    {RTL_CONFIG1, 1, 0xf3, NULL, UNLOCKED},
    {RTL_TIMERINT, 4, ~0u, timerint_written, ALWAYS},
    {RTL_MSR, 1, 0xc0, NULL, UNLOCKED},
    {RTL_CONFIG3, 1, 0x70, NULL, UNLOCKED},
    {RTL_CONFIG4, 1, 0xf5, NULL, UNLOCKED},
    {RTL_MULINT, 2, 0x0fff, NULL, ALWAYS},
    {RTL_BMCR, 2, 0xb300, bmcr_written, UNLOCKED},
    {RTL_ANAR, 2, 0x7fff, NULL, ALWAYS},
    {RTL_CSCR, 2, 0xffff, NULL, ALWAYS},
    {0x70, 2, 0xffff, NULL, ALWAYS}, /* NWAYTR */
    {0x78, 4, ~0u, NULL, ALWAYS},    /* PHY1_PARM */
    {0x7c, 4, ~0u, NULL, ALWAYS},    /* TW_PARM */
    {0x80, 1, 0xff, NULL, ALWAYS},   /* PHY2_PARM */
    {RTL_CONFIG5, 1, 0x7f, NULL, ALWAYS},
    {RTL_TPPOLL, 1, 0xc1, tppoll_written, PLUS},
    {RTL_CPCR, 2, 0x03ff, cpcr_written, PLUS},
    {RTL_RDSAR, 4, ~0u, rdsar_written, PLUS},
    {RTL_RDSAR + 4, 4, ~0u, NULL, PLUS},
    {RTL_ETTHR, 1, 0x3f, NULL, PLUS},
};

static bool is_there(const struct rtl8139 *d, const struct reg *r)
{
    switch (r->when) {
    case UNLOCKED: return (d->regs[RTL_9346CR] & EEM) == EEM_CONFIG;
    case PLUS: return is_cplus(d);
    case PLAIN: return !is_cplus(d);
    case SLOTS: return !(reg16(d, RTL_CPCR) & CPCR_TX);
    case RINGS: return reg16(d, RTL_CPCR) & CPCR_TX;
    default: return true;
    }
}

/* Bytes [first, first + n) of a register, whose value was `was`. */
static void reg_store(struct rtl8139 *d, const struct reg *r, unsigned first, unsigned n,
                      uint32_t value)
{
    uint32_t was = 0, mask = 0, now;

    for (unsigned i = 0; i < r->size; i++)
        was |= (uint32_t)d->regs[r->at + i] << 8 * i;
    for (unsigned i = first; i < first + n; i++)
        mask |= 0xffu << 8 * i;
    mask &= r->writable;
    value <<= 8 * first;
    /* "The read-only bits will be cleared when the Transmit Byte Count is written" (TSD). */
    if (r->written == tsd_written && first < 2)
        mask |= ~r->writable;
    value &= r->writable;
    /* ISR's written value is only looked at: what was not written is zero there. */
    now = r->at == RTL_ISR ? value & mask : (was & ~mask) | (value & mask);
    for (unsigned i = 0; i < r->size; i++)
        d->regs[r->at + i] = (uint8_t)(now >> 8 * i);
    if (r->written)
        r->written(d, was);
}

static void reg_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct rtl8139 *d = dev->object;

    for (size_t i = 0; i < ARRAY_LEN(registers); i++) {
        const struct reg *r = &registers[i];
        unsigned from = (unsigned)MAX(offset, r->at);
        unsigned to = (unsigned)MIN(offset + size, r->at + (uint64_t)r->size);
        if (from < to && is_there(d, r))
            reg_store(d, r, from - r->at, to - from, (uint32_t)(value >> 8 * (from - offset)));
    }
}

/* The four descriptors in one register: OWN, TABT, TUN, TOK. */
static uint16_t tsad_status(const struct rtl8139 *d)
{
    uint16_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t tsd = reg32(d, RTL_TSD + 4 * i);
        v |= (uint16_t)((tsd & TSD_OWN ? 1u << i : 0) | (tsd & TSD_ABORTED ? 16u << i : 0) |
                        (tsd & TSD_TOK ? 4096u << i : 0));
    }
    return v;
}

static void reg_refresh(struct rtl8139 *d)
{
    uint8_t *r = d->regs;

    r[RTL_CR] = (uint8_t)((r[RTL_CR] & (CR_TE | CR_RE)) | (rtl8139_is_empty(d) ? CR_BUFE : 0));
    store_le32(r + RTL_TCTR, (uint32_t)ticks_of(d));
    r[RTL_9346CR] = (uint8_t)((r[RTL_9346CR] & ~EEDO) | (eeprom93_read(&d->wire) ? EEDO : 0));
    store_le16(r + RTL_TSAD_STATUS, tsad_status(d));
}

static uint64_t reg_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct rtl8139 *d = dev->object;
    uint8_t bytes[8] = {0};

    reg_refresh(d);
    memcpy(bytes, d->regs + offset, size);
    return load_le64(bytes);
}

/* --- life --- */

static void eeprom_fill(struct rtl8139 *d)
{
    uint16_t *w = d->eeprom;

    memset(w, 0, EEPROM93_WORDS * sizeof(*w));
    w[0] = 0x8129; /* what says that it is not blank */
    w[1] = 0x10ec;
    w[2] = 0x8139;
    w[3] = 0x10ec;
    w[4] = 0x8139;
    w[5] = MIN_GNT | MAX_LAT << 8;
    for (unsigned i = 0; i < 3; i++)
        w[7 + i] = load_le16(d->nic.config.mac + 2 * i);
}

/* CR.RST and power-on; the address, filters and configuration are kept by the former. */
static void chip_reset(struct rtl8139 *d)
{
    uint8_t *r = d->regs;

    r[RTL_CR] = 0;
    memset(r + RTL_TSD, 0, RTL_RBSTART - RTL_TSD);
    for (unsigned i = 0; i < 4; i++)
        store_le32(r + RTL_TSD + 4 * i, TSD_OWN);
    store_le32(r + RTL_RBSTART, 0);
    store_le16(r + RTL_CAPR, 0xfff0);
    store_le16(r + RTL_CBR, 0);
    store_le16(r + RTL_IMR, 0);
    store_le16(r + RTL_ISR, 0);
    store_le32(r + RTL_TCR, 0x03000000 | (is_cplus(d) ? VERSION_CPLUS : VERSION_C));
    store_le32(r + RTL_RCR, 0);
    store_le32(r + RTL_MPC, 0);
    store_le32(r + RTL_TIMERINT, 0);
    store_le16(r + RTL_CPCR, 0);
    store_le64(r + RTL_RDSAR, 0);
    d->tx_next = 0;
    d->cp_tx = d->cp_rx = 0;
    d->timer_start = now_of(d);
    d->wire = (struct eeprom93){0};
    evq_cancel(rtl8139_events(d), &d->timer);
    rtl8139_tx_reset(d);
    rtl8139_rx_reset(d);
    link_update(d);
    rtl8139_raise(d, 0);
}

/* Power-on, and a load from the EEPROM. */
static void registers_reset(struct rtl8139 *d)
{
    memset(d->regs, 0, sizeof(d->regs));
    memset(d->tally, 0, sizeof(d->tally));
    d->regs[RTL_CONFIG1] = 0x0c;
    d->regs[RTL_CONFIG3] = 0x01;
    d->regs[RTL_RERID] = d->pci.initial[PCI_REVISION];
    phy_reset(d);
    address_load(d);
    chip_reset(d);
}

static void rtl_reset(struct device *dev)
{
    struct rtl8139 *d = dev->object;

    pci_reset(&d->pci);
    registers_reset(d);
}

static void rtl_finish(struct device *dev)
{
    struct rtl8139 *d = dev->object;

    rtl8139_tx_reset(d);
    rtl8139_rx_reset(d);
    evq_cancel(rtl8139_events(d), &d->timer);
    packets_finish(&d->waiting);
}

static void rtl_clone(struct device *dev, const struct device *from)
{
    struct rtl8139 *d = dev->object;
    const struct rtl8139 *other = from->object;

    evq_copy(rtl8139_events(d), &d->timer, &other->timer);
    evq_copy(rtl8139_events(d), &d->tx_more, &other->tx_more);
    d->tx = other->tx ? frame_from(other->tx->data, other->tx->len) : NULL;
}

static void rtl_cloned(struct device *dev)
{
    address_load(dev->object);
    link_update(dev->object);
    rtl8139_raise(dev->object, ISR_LINK);
}

static void looped_fire(struct event *ev, vtime_t now)
{
    (void)now;
    rtl8139_receive(container_of(ev, struct rtl8139, looped));
}

static void poll_fire(struct event *ev, vtime_t now)
{
    (void)now;
    rtl8139_receive(container_of(ev, struct rtl8139, poll.event));
}

static void more_fire(struct event *ev, vtime_t now)
{
    (void)now;
    rtl8139_poll(container_of(ev, struct rtl8139, tx_more));
}

static const struct field rtl_fields[] = {
    PCI_FIELDS(struct rtl8139),
    FIELD(struct rtl8139, regs, FIELD_U8, 0),
    FIELD(struct rtl8139, wire.clock, FIELD_BOOL, 0),
    FIELD(struct rtl8139, wire.n_in, FIELD_U8, 0),
    FIELD(struct rtl8139, wire.in, FIELD_U16, 0),
    FIELD(struct rtl8139, wire.n_out, FIELD_U8, 0),
    FIELD(struct rtl8139, wire.out, FIELD_U16, 0),
    FIELD(struct rtl8139, tx_next, FIELD_U8, 0),
    FIELD(struct rtl8139, cp_tx, FIELD_U32, 0),
    FIELD(struct rtl8139, cp_rx, FIELD_U32, 0),
    FIELD(struct rtl8139, tx_bad, FIELD_BOOL, 0),
    FIELD(struct rtl8139, tally, FIELD_U64, 0),
    FIELD(struct rtl8139, timer_start, FIELD_U64, 0),
    FIELD_END,
};

static const struct device_ops rtl_ops = {
    .name = "rtl8139",
    .help = "Realtek RTL8139 Fast Ethernet controller",
    .state = rtl_fields,
    .reset = rtl_reset,
    .finish = rtl_finish,
    .clone = rtl_clone,
    .cloned = rtl_cloned,
};

static const struct port_ops rtl_port_ops = {
    .kind = "nic", .rx = rtl8139_rx, .carrier = rtl_carrier};

static struct nic *create(struct device_env *env, const char *name, const struct nic_config *c,
                          uint8_t revision)
{
    static const struct pci_bar io = {"rtl8139-io", RTL_SIZE, PCI_BAR_IO, 1, 4,
                                      reg_read,     reg_write};
    static const struct pci_bar memory = {"rtl8139", RTL_SIZE, PCI_BAR_MEMORY, 1,
                                          4,         reg_read, reg_write};
    struct pci_id id = {.vendor = 0x10ec,
                        .device = 0x8139,
                        .subsystem_vendor = 0x10ec,
                        .subsystem = 0x8139,
                        .revision = revision,
                        .class_code = 0x020000,
                        .pin = 1};
    struct rtl8139 *d = xcalloc(1, sizeof(*d));

    d->nic.config = *c;
    device_init(&d->nic.dev, &rtl_ops, d, name, env);
    pci_init(&d->pci, &d->nic.dev, &id);
    d->pci.initial[PCI_MIN_GNT] = MIN_GNT;
    d->pci.initial[PCI_MAX_LAT] = MAX_LAT;
    store_le16(d->pci.initial + PCI_STATUS, PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK);
    pci_set_bar(&d->pci, 0, &io);
    pci_set_bar(&d->pci, 1, &memory);
    d->nic.pci = &d->pci;
    port_init(&d->nic.port, &rtl_port_ops, env->actor, name);
    packets_init(&d->waiting, &d->nic.port);
    event_init(rtl8139_events(d), &d->timer, timer_fire);
    event_init(rtl8139_events(d), &d->looped, looped_fire);
    event_init(rtl8139_events(d), &d->tx_more, more_fire);
    event_init(rtl8139_events(d), &d->poll.event, poll_fire);
    eeprom_fill(d);
    rtl_reset(&d->nic.dev);
    return &d->nic;
}

struct nic *rtl8139_create(struct device_env *env, const char *name, const struct nic_config *c,
                           struct err *err)
{
    (void)err;
    return create(env, name, c, REVISION_CPLUS);
}

struct nic *rtl8139c_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err)
{
    (void)err;
    return create(env, name, c, REVISION_C);
}
