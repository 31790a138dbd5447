/*
 * tulip: the registers and interrupts of Digital's 21143 (278074), revision 4.1.
 *
 * 16 registers of 32 bits, 8 bytes apart, in I/O ports and in memory. Simplifications: there is no
 * boot ROM, no wake-up, and nothing at the general-purpose pins; interrupts are not held back (the
 * upper half of CSR11); early interrupts have always been overtaken by what clears them; the most
 * significant byte of addresses is not ignored (CSR6.IDAMSB).
 */
#include "devices/tulip_internal.h"

#define IO_SIZE 128
#define MEMORY_SIZE 1024
#define STEP 8    /* bytes from one register to the next */
#define CFDD 0x40 /* power modes, and a byte for the driver */

/* --- interrupts --- */

#define NORMAL (CSR5_TI | CSR5_TU | CSR5_RI | CSR5_GTE)
#define ABNORMAL                                                                                   \
    (CSR5_TPS | CSR5_TJT | CSR5_ANC | CSR5_RU | CSR5_RPS | CSR5_RWT | CSR5_LNF | CSR5_FBE | CSR5_LC)

/* Both summaries are made of what CSR7 lets through, and then let through themselves. */
void tulip_raise(struct tulip *d, uint32_t causes)
{
    uint32_t on;

    d->csr[5] = (d->csr[5] | causes) & ~(uint32_t)(CSR5_NIS | CSR5_AIS);
    on = d->csr[5] & d->csr[7];
    d->csr[5] |= (on & NORMAL ? CSR5_NIS : 0) | (on & ABNORMAL ? CSR5_AIS : 0);
    pci_interrupt(&d->pci, d->csr[5] & d->csr[7] & (CSR5_NIS | CSR5_AIS));
}

void tulip_rx_set(struct tulip *d, uint32_t state)
{
    d->csr[5] = (d->csr[5] & ~(uint32_t)CSR5_RS) | state;
}

void tulip_tx_set(struct tulip *d, uint32_t state)
{
    d->csr[5] = (d->csr[5] & ~(uint32_t)CSR5_TS) | state;
}

static void interrupts_written(struct tulip *d, uint32_t was)
{
    (void)was;
    tulip_raise(d, 0);
}

/* --- the timer (CSR11): counts down, once or for ever --- */

enum { CSR11_VALUE = 0xffff, CSR11_AGAIN = 1 << 16 };

static vtime_t timer_unit(const struct tulip *d)
{
    if (!(d->csr[6] & CSR6_PS))
        return 204800;
    return d->csr[6] & CSR6_TTM ? 819200 : 81920;
}

static void timer_arm(struct tulip *d, vtime_t from)
{
    uint32_t value = d->csr[11] & CSR11_VALUE;

    if (value)
        evq_arm(tulip_events(d), &d->timer, from + value * timer_unit(d));
    else
        evq_cancel(tulip_events(d), &d->timer);
}

static void timer_fire(struct event *ev, vtime_t now)
{
    struct tulip *d = container_of(ev, struct tulip, timer);

    if (d->csr[11] & CSR11_AGAIN)
        timer_arm(d, now);
    tulip_raise(d, CSR5_GTE);
}

static void timer_written(struct tulip *d, uint32_t was)
{
    (void)was;
    timer_arm(d, tulip_now(d));
}

static uint32_t timer_read(struct tulip *d)
{
    vtime_t left = 0;

    if (event_armed(&d->timer))
        left = (d->timer.at - tulip_now(d) + timer_unit(d) - 1) / timer_unit(d);
    return (d->csr[11] & ~(uint32_t)CSR11_VALUE) | (uint32_t)MIN(left, (vtime_t)CSR11_VALUE);
}

/* --- what happens when a register was written --- */

static void chip_reset(struct tulip *d);

static void bus_written(struct tulip *d, uint32_t was)
{
    (void)was;
    if (d->csr[0] & CSR0_SWR)
        chip_reset(d);
}

static void tx_demanded(struct tulip *d, uint32_t was)
{
    (void)was;
    tulip_transmit(d);
}

static void rx_demanded(struct tulip *d, uint32_t was)
{
    (void)was;
    tulip_rx_demand(d);
}

/* Lists are given to processes that have stopped. */
static void rx_list_written(struct tulip *d, uint32_t was)
{
    if (tulip_rx_state(d) == RS_STOPPED) {
        d->rx_at = d->csr[3];
        return;
    }
    device_warn(&d->nic.dev, "CSR3 is written while it receives");
    d->csr[3] = was;
}

static void tx_list_written(struct tulip *d, uint32_t was)
{
    if (tulip_tx_state(d) == TS_STOPPED) {
        d->tx_at = d->csr[4];
        return;
    }
    device_warn(&d->nic.dev, "CSR4 is written while it sends");
    d->csr[4] = was;
}

static void mode_written(struct tulip *d, uint32_t was)
{
    uint32_t now = d->csr[6], changed = was ^ now;

    if (changed & CSR6_SR)
        (now & CSR6_SR ? tulip_rx_start : tulip_rx_stop)(d);
    if (changed & CSR6_ST)
        (now & CSR6_ST ? tulip_tx_start : tulip_tx_stop)(d);
}

/* CSR8 counts from its last reading on. */
static uint32_t missed_read(struct tulip *d)
{
    uint32_t v = d->csr[8];

    d->csr[8] &= ~0x1ffffu;
    return v;
}

/* --- the registers (3.2.2) --- */

struct reg {
    uint32_t reset, writable, cleared; /* by ones */
    void (*written)(struct tulip *d, uint32_t was);
    uint32_t (*read)(struct tulip *d);
};

/* Of the modes, HP, HO and IF are a setup frame's. */
static const struct reg registers[TULIP_CSRS] = {
    [0] = {0xfe000000, 0x01befffe | CSR0_SWR, 0, bus_written, NULL},          /* bus mode */
    [1] = {0xffffffff, 0, 0, tx_demanded, NULL},                              /* transmit demand */
    [2] = {0xffffffff, 0, 0, rx_demanded, NULL},                              /* receive demand */
    [3] = {0x00000000, 0xfffffffc, 0, rx_list_written, NULL},                 /* receive list */
    [4] = {0x00000000, 0xfffffffc, 0, tx_list_written, NULL},                 /* transmit list */
    [5] = {0xf0000000, 0, 0x0c01ffff, interrupts_written, NULL},              /* status */
    [6] = {0x32000040, 0xc5eefeea, 0, mode_written, NULL},                    /* modes */
    [7] = {0xf3fe0000, 0x0c01ffff, 0, interrupts_written, NULL},              /* interrupt enable */
    [8] = {0xe0000000, 0, 0, NULL, missed_read},                              /* missed frames */
    [9] = {0xfff483ff, 0x00077cff, 0, tulip_wires_written, tulip_wires_read}, /* ROM, MII */
    [10] = {0x00000000, 0x0003ffff, 0, NULL, NULL},                           /* boot ROM */
    [11] = {0xfffe0000, 0x0001ffff, 0, timer_written, timer_read},            /* timer */
    [12] = {0x00000000, 0x00007000, 0, tulip_negotiate_written, tulip_sia_read}, /* SIA status */
    [13] = {0xffff0000, 0x0000ffff, 0, tulip_sia_written, NULL},                 /* SIA on */
    [14] = {0xffffffff, 0x0007ffff, 0, tulip_sia_written, NULL},                 /* SIA mode */
    [15] = {0x8ff00000, 0x0fffbfff, 0x70000000, NULL, NULL},                     /* SIA and pins */
};

/* Drivers write some by halves. */
static void reg_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct tulip *d = dev->object;
    unsigned n = (unsigned)offset / STEP, shift = 8 * (offset & 3);
    uint32_t mask = (size == 4 ? ~0u : (1u << 8 * size) - 1) << shift;
    uint32_t v = (uint32_t)value << shift, was;
    const struct reg *r = &registers[n % TULIP_CSRS];

    if (n >= TULIP_CSRS || (offset & 4))
        return;
    was = d->csr[n];
    mask &= r->writable | r->cleared;
    d->csr[n] =
        ((was & ~(mask & r->writable)) | (v & mask & r->writable)) & ~(v & mask & r->cleared);
    if (r->written)
        r->written(d, was);
}

static uint64_t reg_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct tulip *d = dev->object;
    unsigned n = (unsigned)offset / STEP;
    uint32_t v;

    if (n >= TULIP_CSRS || (offset & 4))
        return 0;
    v = registers[n].read ? registers[n].read(d) : d->csr[n];
    return v >> 8 * (offset & 3) & (size == 4 ? ~0u : (1u << 8 * size) - 1);
}

/* --- life --- */

/* CSR0.SWR and power-on: the port that is selected (CSR6.PS) is kept by the former. */
static void chip_reset(struct tulip *d)
{
    uint32_t port = d->csr[6] & CSR6_PS;

    for (unsigned i = 0; i < TULIP_CSRS; i++)
        d->csr[i] = registers[i].reset;
    d->csr[6] |= port;
    d->rx_at = d->tx_at = d->tx_control = 0;
    d->fatal = false;
    memset(d->setup, 0, sizeof(d->setup));
    d->srom_wire = (struct eeprom93){0};
    d->mdio = (struct mdio){0};
    evq_cancel(tulip_events(d), &d->timer);
    tulip_sia_reset(d);
    tulip_tx_reset(d);
    tulip_rx_reset(d);
    tulip_raise(d, 0);
}

static void tulip_reset(struct device *dev)
{
    struct tulip *d = dev->object;

    pci_reset(&d->pci);
    tulip_srom_fill(d);
    tulip_phy_reset(d);
    d->csr[6] = 0;
    chip_reset(d);
}

static void tulip_finish(struct device *dev)
{
    struct tulip *d = dev->object;

    evq_cancel(tulip_events(d), &d->timer);
    tulip_sia_reset(d);
    tulip_tx_reset(d);
    tulip_rx_reset(d);
    packets_finish(&d->waiting);
}

/* The serial ROM, with the address, stays its own: no register tells the driver to read it. */
static void tulip_clone(struct device *dev, const struct device *from)
{
    struct tulip *d = dev->object;
    const struct tulip *other = from->object;

    evq_copy(tulip_events(d), &d->timer, &other->timer);
    evq_copy(tulip_events(d), &d->negotiated, &other->negotiated);
    tulip_tx_clone(d, other);
}

/* Its cable is another one, and no driver asks before it is told. */
static void tulip_cloned(struct device *dev)
{
    struct tulip *d = dev->object;

    tulip_carrier(&d->nic.port, d->nic.port.up);
}

static const struct field tulip_fields[] = {
    PCI_FIELDS(struct tulip),
    FIELD(struct tulip, csr, FIELD_U32, 0),
    FIELD(struct tulip, srom_wire.clock, FIELD_BOOL, 0),
    FIELD(struct tulip, srom_wire.n_in, FIELD_U8, 0),
    FIELD(struct tulip, srom_wire.in, FIELD_U16, 0),
    FIELD(struct tulip, srom_wire.n_out, FIELD_U8, 0),
    FIELD(struct tulip, srom_wire.out, FIELD_U16, 0),
    FIELD(struct tulip, mdio.clock, FIELD_BOOL, 0),
    FIELD(struct tulip, mdio.n_in, FIELD_U8, 0),
    FIELD(struct tulip, mdio.in, FIELD_U32, 0),
    FIELD(struct tulip, mdio.n_out, FIELD_U8, 0),
    FIELD(struct tulip, mdio.out, FIELD_U16, 0),
    FIELD(struct tulip, bmcr, FIELD_U16, 0),
    FIELD(struct tulip, anar, FIELD_U16, 0),
    FIELD(struct tulip, link_lost, FIELD_BOOL, 0),
    FIELD(struct tulip, setup, FIELD_U8, 0),
    FIELD(struct tulip, rx_at, FIELD_U32, 0),
    FIELD(struct tulip, tx_at, FIELD_U32, 0),
    FIELD(struct tulip, tx_control, FIELD_U32, 0),
    FIELD(struct tulip, fatal, FIELD_BOOL, 0),
    FIELD(struct tulip, tx_long, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops tulip_ops = {
    .name = "tulip",
    .help = "Digital 21143 Fast Ethernet controller",
    .state = tulip_fields,
    .reset = tulip_reset,
    .finish = tulip_finish,
    .clone = tulip_clone,
    .cloned = tulip_cloned,
};

static const struct port_ops tulip_port_ops = {
    .kind = "nic", .rx = tulip_rx, .carrier = tulip_carrier};

struct nic *tulip_create(struct device_env *env, const char *name, const struct nic_config *c,
                         struct err *err)
{
    static const struct pci_id id = {.vendor = 0x1011,
                                     .device = 0x0019,
                                     .subsystem_vendor = 0x1011,
                                     .subsystem = 0x500b, /* Digital's DE500 */
                                     .revision = 0x41,
                                     .class_code = 0x020000,
                                     .pin = 1};
    static const struct pci_bar io = {"tulip-io", IO_SIZE, PCI_BAR_IO, 1, 4, reg_read, reg_write};
    static const struct pci_bar memory = {"tulip", MEMORY_SIZE, PCI_BAR_MEMORY, 1,
                                          4,       reg_read,    reg_write};
    struct tulip *d = xcalloc(1, sizeof(*d));

    (void)err;
    d->nic.config = *c;
    device_init(&d->nic.dev, &tulip_ops, d, name, env);
    pci_init(&d->pci, &d->nic.dev, &id);
    pci_set_bar(&d->pci, 0, &io);
    pci_set_bar(&d->pci, 1, &memory);
    d->pci.initial[PCI_MIN_GNT] = 0x14;
    d->pci.initial[PCI_MAX_LAT] = 0x28;
    store_le16(d->pci.initial + PCI_STATUS, PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK);
    store_le32(d->pci.writable + CFDD, 0xc000ff00);
    d->nic.pci = &d->pci;
    port_init(&d->nic.port, &tulip_port_ops, env->actor, name);
    packets_init(&d->waiting, &d->nic.port);
    event_init(tulip_events(d), &d->timer, timer_fire);
    tulip_sia_init(d);
    tulip_tx_init(d);
    tulip_rx_init(d);
    tulip_reset(&d->nic.dev);
    return &d->nic;
}
