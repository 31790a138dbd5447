/*
 * e1000: the registers and interrupts of Intel's 82540EM and its relatives (317453, chapter 13).
 *
 * A register is a row: where it is, what it holds after a reset, which bits software may write, and
 * a handler where reading or writing does something. Simplifications: no flash, no wake-up while
 * off, no flow control frames, no TBI; the packet buffer has no size: what the driver has no
 * buffer for waits on the line (port_ops.rx, PORT_HOLD).
 */
#include "devices/e1000_internal.h"

#define BAR_MEMORY 0
#define BAR_IO 1
#define MEMORY_SIZE 0x20000
#define ITR_UNIT 256 /* ns */

#define ALL 0xffffffffu

struct reg {
    uint16_t offset;
    uint8_t at; /* enum e1000_register */
    const char *name;
    uint32_t reset, writable;
    uint32_t (*read)(struct e1000 *d);
    void (*write)(struct e1000 *d, uint32_t value);
};

/* --- interrupts (13.4.17 to 13.4.20) --- */

static void line_update(struct e1000 *d)
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
    line_update(container_of(ev, struct e1000, throttle));
}

void e1000_raise(struct e1000 *d, uint32_t causes)
{
    d->regs[E1000_ICR] |= causes;
    line_update(d);
}

/* Reading takes all causes. */
static uint32_t icr_read(struct e1000 *d)
{
    uint32_t icr = d->regs[E1000_ICR];

    d->regs[E1000_ICR] = 0;
    line_update(d);
    return icr;
}

static void icr_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_ICR] &= ~v;
    line_update(d);
}

static void ics_write(struct e1000 *d, uint32_t v)
{
    e1000_raise(d, v & ICR_CAUSES);
}

static uint32_t ims_read(struct e1000 *d)
{
    return d->ims;
}

static void ims_write(struct e1000 *d, uint32_t v)
{
    d->ims |= v & ICR_CAUSES;
    line_update(d);
}

static void imc_write(struct e1000 *d, uint32_t v)
{
    d->ims &= ~v;
    line_update(d);
}

/* --- registers with a side effect --- */

static void chip_reset(struct e1000 *d);

static void ctrl_write(struct e1000 *d, uint32_t v)
{
    if (v & CTRL_RST) {
        chip_reset(d);
        return;
    }
    d->regs[E1000_CTRL] = v & ~CTRL_PHY_RST;
    if (v & CTRL_PHY_RST)
        e1000_phy_reset(d);
    e1000_link_update(d);
}

static void rctl_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_RCTL] = v;
    e1000_receive(d);
}

static void tctl_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TCTL] = v;
    e1000_transmit(d);
}

static void tdt_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TDT] = v;
    e1000_transmit(d);
}

static void rdt_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_RDT] = v;
    e1000_receive(d);
}

/* Bit 31 flushes what is delayed (13.4.30, 13.4.44): it interrupts now. */
static void rdtr_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_RDTR] = v & 0xffff;
    if (v >> 31 && event_armed(&d->rx_delay)) {
        evq_cancel(e1000_events(d), &d->rx_delay);
        e1000_raise(d, ICR_RXT0);
    }
}

static void tidv_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TIDV] = v & 0xffff;
    if (v >> 31 && event_armed(&d->tx_delay)) {
        evq_cancel(e1000_events(d), &d->tx_delay);
        e1000_raise(d, ICR_TXDW);
    }
}

static void wus_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_WUS] &= ~v;
}

#define PLAIN(offset, at, reset, writable)                                                         \
    {                                                                                              \
        offset, E1000_##at, #at, reset, writable, NULL, NULL                                       \
    }

static const struct reg registers[] = {
    {0x0000, E1000_CTRL, "CTRL", 0x00000a09, ALL, NULL, ctrl_write},
    {0x0004, E1000_CTRL, "CTRL", 0x00000a09, ALL, NULL, ctrl_write}, /* a copy (13.4.1) */
    PLAIN(0x0008, STATUS, 0, 0),
    {0x0010, E1000_EECD, "EECD", 0x00000110, 0, e1000_eecd_read, e1000_eecd_write},
    {0x0014, E1000_EERD, "EERD", 0, 0, NULL, e1000_eerd_write},
    PLAIN(0x0018, CTRL_EXT, 0, ALL),
    {0x0020, E1000_MDIC, "MDIC", 0x10000000, 0, NULL, e1000_mdic_write},
    PLAIN(0x0028, FCAL, 0, ALL),
    PLAIN(0x002c, FCAH, 0, 0xffff),
    PLAIN(0x0030, FCT, 0, 0xffff),
    PLAIN(0x0038, VET, 0x8100, 0xffff),
    {0x00c0, E1000_ICR, "ICR", 0, ALL, icr_read, icr_write},
    PLAIN(0x00c4, ITR, 0, 0xffff),
    {0x00c8, E1000_ICR, "ICS", 0, ALL, NULL, ics_write},
    {0x00d0, E1000_IMS, "IMS", 0, ALL, ims_read, ims_write},
    {0x00d8, E1000_IMS, "IMC", 0, ALL, NULL, imc_write},
    {0x0100, E1000_RCTL, "RCTL", 0, 0x0fffffff & ~1u, NULL, rctl_write},
    PLAIN(0x0170, FCTTV, 0, 0xffff),
    PLAIN(0x0178, TXCW, 0, 0xc000ffff),
    PLAIN(0x0180, RXCW, 0, 0),
    {0x0400, E1000_TCTL, "TCTL", 0, 0x03fffffa, NULL, tctl_write},
    PLAIN(0x0410, TIPG, 0x00602008, 0x3fffffff),
    PLAIN(0x0458, AIT, 0, 0xffff),
    PLAIN(0x0e00, LEDCTL, 0x07061302, 0xcfcfcfcf),
    PLAIN(0x1000, PBA, 0x00100030, 0x0000ffff),
    PLAIN(0x2160, FCRTL, 0, 0x8000fff8),
    PLAIN(0x2168, FCRTH, 0, 0x0000fff8),
    PLAIN(0x2800, RDBAL, 0, 0xfffffff0),
    PLAIN(0x2804, RDBAH, 0, ALL),
    PLAIN(0x2808, RDLEN, 0, 0x000fff80),
    PLAIN(0x2810, RDH, 0, 0xffff),
    {0x2818, E1000_RDT, "RDT", 0, 0xffff, NULL, rdt_write},
    {0x2820, E1000_RDTR, "RDTR", 0, 0x8000ffff, NULL, rdtr_write},
    PLAIN(0x2828, RXDCTL, 0x00010000, 0x013f3f3f),
    PLAIN(0x282c, RADV, 0, 0xffff),
    PLAIN(0x2c00, RSRPD, 0, 0x0fff),
    PLAIN(0x3000, TXDMAC, 1, 1),
    PLAIN(0x3800, TDBAL, 0, 0xfffffff0),
    PLAIN(0x3804, TDBAH, 0, ALL),
    PLAIN(0x3808, TDLEN, 0, 0x000fff80),
    PLAIN(0x3810, TDH, 0, 0xffff),
    {0x3818, E1000_TDT, "TDT", 0, 0xffff, NULL, tdt_write},
    {0x3820, E1000_TIDV, "TIDV", 0, 0x8000ffff, NULL, tidv_write},
    PLAIN(0x3828, TXDCTL, 0, 0xff3f3f3f),
    PLAIN(0x382c, TADV, 0, 0xffff),
    PLAIN(0x3830, TSPMT, 0x01000400, ALL),
    PLAIN(0x5000, RXCSUM, 0, 0x3ff),
    PLAIN(0x5800, WUC, 0, 0xf),
    PLAIN(0x5808, WUFC, 0, 0xf80ff),
    {0x5810, E1000_WUS, "WUS", 0, ALL, NULL, wus_write},
    PLAIN(0x5820, MANC, 0, ALL),
    PLAIN(0x5838, IPAV, 0, 0x1000f),
    PLAIN(0x5900, WUPL, 0, 0),
    PLAIN(0x5b50, SWSM, 0, 0xe), /* of later chips; U-Boot takes its semaphore on all */
};

/* --- access --- */

/* A word of an array of registers: the receive addresses and filters; NULL: there is none. */
static uint32_t *array_find(struct e1000 *d, uint64_t offset)
{
    const struct {
        uint16_t base, words;
        uint32_t *array;
    } arrays[] = {{0x5200, E1000_MTA, d->mta},
                  {0x5400, E1000_RA, d->ra},
                  {0x5600, E1000_VFTA, d->vfta},
                  /* before 82543, and still (13.4, alias addresses) */
                  {0x0040, E1000_RA, d->ra},
                  {0x0200, E1000_MTA, d->mta},
                  {0x0600, E1000_VFTA, d->vfta}};

    for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
        if (offset >= arrays[i].base && offset < arrays[i].base + arrays[i].words * 4u)
            return &arrays[i].array[(offset - arrays[i].base) / 4];
    return NULL;
}

static const struct reg *reg_find(uint64_t offset)
{
    size_t lo = 0, hi = ARRAY_LEN(registers);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (registers[mid].offset == offset)
            return &registers[mid];
        if (registers[mid].offset < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* Statistics clear when read; one of 64 bits when its upper half is (13.7). */
static uint32_t stat_read(struct e1000 *d, unsigned n)
{
    bool low = n == STAT_GORC || n == STAT_GOTC || n == STAT_TOR || n == STAT_TOT;
    uint32_t v = d->stats[n];

    if (low)
        return v;
    d->stats[n] = 0;
    if (n == STAT_GORC + 1 || n == STAT_GOTC + 1 || n == STAT_TOR + 1 || n == STAT_TOT + 1)
        d->stats[n - 1] = 0;
    return v;
}

static uint32_t word_read(struct e1000 *d, uint64_t offset)
{
    const struct reg *r = reg_find(offset);
    const uint32_t *word;

    if (r)
        return r->read ? r->read(d) : d->regs[r->at];
    if (offset >= 0x4000 && offset < 0x4000 + STATS * 4)
        return stat_read(d, (unsigned)(offset - 0x4000) / 4);
    word = array_find(d, offset);
    if (!word)
        device_warn(&d->nic.dev, "there is no register at 0x%x", (unsigned)offset);
    return word ? *word : 0;
}

/* RAH: 16 bits of the address, which of it to compare, and whether it is valid (13.5.2). */
static uint32_t ra_mask(const struct e1000 *d, const uint32_t *word)
{
    return (word - d->ra) & 1 ? 0x8003ffff : ALL;
}

static void word_write(struct e1000 *d, uint64_t offset, uint32_t value)
{
    const struct reg *r = reg_find(offset);
    uint32_t *word;

    if (r && r->write) {
        r->write(d, r->writable ? value & r->writable : value);
    } else if (r) {
        d->regs[r->at] = (d->regs[r->at] & ~r->writable) | (value & r->writable);
    } else if ((word = array_find(d, offset))) {
        bool address = word >= d->ra && word < d->ra + E1000_RA;
        *word = address ? value & ra_mask(d, word) : value;
    } else if (offset < 0x4000 || offset >= 0x4000 + STATS * 4) {
        device_warn(&d->nic.dev, "there is no register at 0x%x", (unsigned)offset);
    }
}

/* Registers are 32 bits wide; parts can be read, and only the whole be written (13.2.1). */
static uint64_t memory_read(struct device *dev, uint64_t offset, unsigned size)
{
    (void)size;
    return word_read(dev->object, offset & ~3ull) >> 8 * (offset & 3);
}

static void memory_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    if (size == 4)
        word_write(dev->object, offset, (uint32_t)value);
    else
        device_warn(dev, "write of %u bytes at 0x%x", size, (unsigned)offset);
}

/* The same by address and data ports (13.2.2). */
static uint64_t io_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct e1000 *d = dev->object;

    (void)size;
    return offset == 0 ? d->io_address : offset == 4 ? word_read(d, d->io_address) : 0;
}

static void io_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct e1000 *d = dev->object;

    (void)size;
    if (offset == 0)
        d->io_address = (uint32_t)value & (MEMORY_SIZE - 4);
    else if (offset == 4)
        word_write(d, d->io_address, (uint32_t)value);
}

/* --- statistics --- */

void e1000_count64(struct e1000 *d, unsigned stat, uint64_t n)
{
    uint64_t sum = ((uint64_t)d->stats[stat + 1] << 32 | d->stats[stat]) + n;

    d->stats[stat] = (uint32_t)sum;
    d->stats[stat + 1] = (uint32_t)(sum >> 32);
}

void e1000_count_size(struct e1000 *d, unsigned first, uint32_t len)
{
    static const uint16_t most[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;

    while (i < ARRAY_LEN(most) && len > most[i])
        i++;
    d->stats[first + i]++;
}

/* --- life --- */

/* The address from the EEPROM, in the first of the receive addresses (13.5.2, RAL). */
static void address_load(struct e1000 *d)
{
    d->ra[0] = d->eeprom[0] | (uint32_t)d->eeprom[1] << 16;
    d->ra[1] = d->eeprom[2] | 1u << 31;
}

/* CTRL.RST and the bus's reset: all but what the PHY and the bus keep (14.9). */
static void chip_reset(struct e1000 *d)
{
    for (size_t i = 0; i < ARRAY_LEN(registers); i++)
        d->regs[registers[i].at] = registers[i].reset;
    d->ims = 0;
    d->quiet_until = 0;
    memset(d->mta, 0, sizeof(d->mta));
    memset(d->vfta, 0, sizeof(d->vfta));
    memset(d->ra, 0, sizeof(d->ra));
    memset(d->stats, 0, sizeof(d->stats));
    d->wire = (struct eeprom93){0};
    address_load(d);
    e1000_tx_reset(d);
    e1000_rx_reset(d);
    e1000_link_update(d);
    line_update(d);
}

static void e1000_reset(struct device *dev)
{
    struct e1000 *d = dev->object;

    pci_reset(&d->pci);
    e1000_phy_reset(d);
    chip_reset(d);
}

static void e1000_carrier(struct port *p, bool up)
{
    (void)up;
    e1000_link_update(container_of(p, struct e1000, nic.port));
}

static void e1000_finish(struct device *dev)
{
    struct e1000 *d = dev->object;

    e1000_tx_reset(d);
    e1000_rx_reset(d);
    evq_cancel(e1000_events(d), &d->throttle);
    evq_cancel(e1000_events(d), &d->rewire);
    packets_finish(&d->waiting);
}

static void e1000_clone(struct device *dev, const struct device *from)
{
    struct e1000 *d = dev->object;
    const struct e1000 *other = from->object;

    evq_copy(e1000_events(d), &d->throttle, &other->throttle);
    evq_copy(e1000_events(d), &d->rewire, &other->rewire);
    e1000_tx_clone(d, other);
    e1000_rx_clone(d, other);
}

/* Its own address takes the place of the original's; the link has gone and come, which drivers see.
 */
static void e1000_cloned(struct device *dev)
{
    struct e1000 *d = dev->object;

    address_load(d);
    e1000_raise(d, ICR_LSC);
}

#define CONTEXT_FIELDS(n)                                                                          \
    FIELD(struct e1000, contexts[n].ipcss, FIELD_U8, 0),                                           \
        FIELD(struct e1000, contexts[n].ipcso, FIELD_U8, 0),                                       \
        FIELD(struct e1000, contexts[n].tucss, FIELD_U8, 0),                                       \
        FIELD(struct e1000, contexts[n].tucso, FIELD_U8, 0),                                       \
        FIELD(struct e1000, contexts[n].hdrlen, FIELD_U8, 0),                                      \
        FIELD(struct e1000, contexts[n].ipcse, FIELD_U16, 0),                                      \
        FIELD(struct e1000, contexts[n].tucse, FIELD_U16, 0),                                      \
        FIELD(struct e1000, contexts[n].mss, FIELD_U16, 0),                                        \
        FIELD(struct e1000, contexts[n].tucmd, FIELD_U8, 0),                                       \
        FIELD(struct e1000, contexts[n].paylen, FIELD_U32, 0)

static const struct field e1000_fields[] = {
    PCI_FIELDS(struct e1000),
    FIELD(struct e1000, regs, FIELD_U32, 0),
    FIELD(struct e1000, ims, FIELD_U32, 0),
    FIELD(struct e1000, mta, FIELD_U32, 0),
    FIELD(struct e1000, vfta, FIELD_U32, 0),
    FIELD(struct e1000, ra, FIELD_U32, 0),
    FIELD(struct e1000, stats, FIELD_U32, 0),
    FIELD(struct e1000, phy, FIELD_U16, 0),
    FIELD(struct e1000, io_address, FIELD_U32, 0),
    FIELD(struct e1000, wire.clock, FIELD_BOOL, 0),
    FIELD(struct e1000, wire.n_in, FIELD_U8, 0),
    FIELD(struct e1000, wire.in, FIELD_U16, 0),
    FIELD(struct e1000, wire.n_out, FIELD_U8, 0),
    FIELD(struct e1000, wire.out, FIELD_U16, 0),
    CONTEXT_FIELDS(0),
    CONTEXT_FIELDS(1),
    FIELD(struct e1000, packet.too_long, FIELD_BOOL, 0),
    FIELD(struct e1000, packet.extended, FIELD_BOOL, 0),
    FIELD(struct e1000, packet.popts, FIELD_U8, 0),
    FIELD(struct e1000, packet.cmd, FIELD_U8, 0),
    FIELD(struct e1000, packet.cso, FIELD_U8, 0),
    FIELD(struct e1000, packet.css, FIELD_U8, 0),
    FIELD(struct e1000, packet.special, FIELD_U16, 0),
    FIELD(struct e1000, quiet_until, FIELD_U64, 0),
    FIELD_END,
};

static const struct device_ops e1000_ops = {
    .name = "e1000",
    .help = "Intel 8254x gigabit Ethernet controller",
    .state = e1000_fields,
    .reset = e1000_reset,
    .finish = e1000_finish,
    .clone = e1000_clone,
    .cloned = e1000_cloned,
};

static const struct port_ops e1000_port_ops = {
    .kind = "nic", .rx = e1000_rx, .carrier = e1000_carrier};

static const struct pci_bar memory_bar = {"e1000", MEMORY_SIZE, PCI_BAR_MEMORY, 1,
                                          4,       memory_read, memory_write};
static const struct pci_bar io_bar = {"e1000-io", 64, PCI_BAR_IO, 4, 4, io_read, io_write};

static struct nic *create(struct device_env *env, const char *name, const struct nic_config *c,
                          const struct e1000_variant *variant)
{
    struct e1000 *d = xcalloc(1, sizeof(*d));
    struct pci_id id = {.vendor = 0x8086,
                        .device = variant->device,
                        .subsystem_vendor = 0x8086,
                        .subsystem = variant->device,
                        .revision = 2,
                        .class_code = 0x020000,
                        .pin = 1};

    d->variant = variant;
    d->nic.config = *c;
    device_init(&d->nic.dev, &e1000_ops, d, name, env);
    pci_init(&d->pci, &d->nic.dev, &id);
    pci_set_bar(&d->pci, BAR_MEMORY, &memory_bar);
    pci_set_bar(&d->pci, BAR_IO, &io_bar);
    d->nic.pci = &d->pci;
    port_init(&d->nic.port, &e1000_port_ops, env->actor, name);
    event_init(e1000_events(d), &d->throttle, throttle_fire);
    e1000_phy_init(d);
    e1000_tx_init(d);
    e1000_rx_init(d);
    e1000_eeprom_fill(d);
    e1000_reset(&d->nic.dev);
    return &d->nic;
}

struct nic *e1000_82540em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {"82540EM", 0x100e, 0x0c20};

    (void)err;
    return create(env, name, c, &variant);
}

struct nic *e1000_82544gc_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {"82544GC", 0x100c, 0x0c30};

    (void)err;
    return create(env, name, c, &variant);
}

struct nic *e1000_82545em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {"82545EM", 0x100f, 0x0c20};

    (void)err;
    return create(env, name, c, &variant);
}
