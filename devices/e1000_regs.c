/*
 * The e1000's registers (317453, chapter 13), its statistics, and the device's life.
 *
 * A register is a row: where it is, what it holds after a reset, which bits software may write, and
 * a handler where reading or writing does something. What is here all chips of the family have;
 * each has rows of its own, which go before these. Simplifications: no flash, no wake-up while off,
 * power states that are told and do nothing, no flow control frames, no TBI, no interrupts for
 * small packets or few descriptors (SRPD, TXD_LOW); the packet buffer has no size: what the driver
 * has no buffer for waits on the line (port_ops.rx, PORT_HOLD), and the diagnostic registers of
 * FIFOs show them empty.
 */
#include "devices/e1000_internal.h"

/* --- registers with a side effect --- */

void e1000_ctrl_write(struct e1000 *d, uint32_t v)
{
    if (v & CTRL_RST) {
        e1000_chip_reset(d);
        return;
    }
    d->regs[E1000_CTRL] = v & ~CTRL_PHY_RST;
    if (v & CTRL_PHY_RST)
        e1000_phy_reset(d);
    e1000_link_update(d);
}

void e1000_rctl_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_RCTL] = v;
    e1000_receive(d);
}

/* What is not for receiving is for sending (13.4.16). */
void e1000_pba_write(struct e1000 *d, uint32_t v)
{
    uint32_t all = e1000_chip(d)->packet_buffer;

    v = MIN(v & 0x7f, all);
    d->regs[E1000_PBA] = (all - v) << 16 | v;
}

static void tctl_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TCTL] = v;
    for (unsigned i = 0; i < e1000_chip(d)->n_queues; i++)
        e1000_transmit(&d->tx[i]);
}

static void tdt_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TDT] = v;
    e1000_transmit(&d->tx[0]);
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
    if (v >> 31 && event_armed(&d->rx_delay))
        e1000_rx_flush(d);
}

static void tidv_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_TIDV] = v & 0xffff;
    if (v >> 31 && event_armed(&d->tx_delay))
        e1000_tx_flush(d);
}

static void wus_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000_WUS] &= ~v;
}

#define FIFO(offset, name)                                                                         \
    {                                                                                              \
        offset, E1000_FIFO, name, 0, 0, NULL, NULL                                                 \
    }

static const struct e1000_reg registers[] = {
    {0x0020, E1000_MDIC, "MDIC", 0x10000000, 0, NULL, e1000_mdic_write},
    E1000_PLAIN(0x0028, FCAL, 0, ALL),
    E1000_PLAIN(0x002c, FCAH, 0, 0xffff),
    E1000_PLAIN(0x0030, FCT, 0, 0xffff),
    E1000_PLAIN(0x0038, VET, 0x8100, 0xffff),
    E1000_PLAIN(0x00c4, ITR, 0, 0xffff),
    {0x00c8, E1000_ICR, "ICS", 0, ALL, NULL, e1000_ics_write},
    {0x00d0, E1000_IMS, "IMS", 0, ALL, e1000_ims_read, e1000_ims_write},
    {0x00d8, E1000_IMS, "IMC", 0, ALL, NULL, e1000_imc_write},
    {0x0100, E1000_RCTL, "RCTL", 0, 0x07fffffe, NULL, e1000_rctl_write},
    E1000_PLAIN(0x0170, FCTTV, 0, 0xffff),
    E1000_PLAIN(0x0178, TXCW, 0, 0xc000ffff),
    E1000_PLAIN(0x0180, RXCW, 0, 0),
    {0x0400, E1000_TCTL, "TCTL", 0, 0x03fffffa, NULL, tctl_write},
    E1000_PLAIN(0x0410, TIPG, 0x00602008, 0x3fffffff),
    E1000_PLAIN(0x0e00, LEDCTL, 0x07061302, 0xcfcfcfcf),
    E1000_PLAIN(0x2160, FCRTL, 0, 0x8000fff8),
    E1000_PLAIN(0x2168, FCRTH, 0, 0x0000fff8),
    FIFO(0x2410, "RDFH"),
    FIFO(0x2418, "RDFT"),
    FIFO(0x2420, "RDFHS"),
    FIFO(0x2428, "RDFTS"),
    FIFO(0x2430, "RDFPC"),
    E1000_RING(0x2800, E1000_RD, , rdt_write),
    {0x2820, E1000_RDTR, "RDTR", 0, 0x8000ffff, NULL, rdtr_write},
    E1000_PLAIN(0x282c, RADV, 0, 0xffff),
    E1000_PLAIN(0x2c00, RSRPD, 0, 0x0fff),
    FIFO(0x3410, "TDFH"),
    FIFO(0x3418, "TDFT"),
    FIFO(0x3420, "TDFHS"),
    FIFO(0x3428, "TDFTS"),
    FIFO(0x3430, "TDFPC"),
    E1000_RING(0x3800, E1000_TD, , tdt_write),
    {0x3820, E1000_TIDV, "TIDV", 0, 0x8000ffff, NULL, tidv_write},
    E1000_PLAIN(0x382c, TADV, 0, 0xffff),
    E1000_PLAIN(0x5000, RXCSUM, 0, 0x3ff),
    E1000_PLAIN(0x5800, WUC, 0, 0xf),
    E1000_PLAIN(0x5808, WUFC, 0, 0xf80ff),
    {0x5810, E1000_WUS, "WUS", 0, ALL, NULL, wus_write},
    E1000_PLAIN(0x5820, MANC, 0, ALL),
    E1000_PLAIN(0x5838, IPAV, 0, 0x1000f),
    E1000_PLAIN(0x5900, WUPL, 0, 0),
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
    return e1000_chip(d)->array ? e1000_chip(d)->array(d, offset) : NULL;
}

static const struct e1000_reg *reg_find_in(const struct e1000_reg *rows, size_t n, uint64_t offset)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (rows[mid].offset == offset)
            return &rows[mid];
        if (rows[mid].offset < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const struct e1000_reg *reg_find(const struct e1000 *d, uint64_t offset)
{
    const struct e1000_chip *chip = e1000_chip(d);
    const struct e1000_reg *r = reg_find_in(chip->registers, chip->n_registers, offset);

    return r ? r : reg_find_in(registers, ARRAY_LEN(registers), offset);
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
    const struct e1000_reg *r = reg_find(d, offset);
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
    const struct e1000_reg *r = reg_find(d, offset);
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
uint64_t e1000_memory_read(struct device *dev, uint64_t offset, unsigned size)
{
    (void)size;
    return word_read(dev->object, offset & ~3ull) >> 8 * (offset & 3);
}

void e1000_memory_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    if (size == 4)
        word_write(dev->object, offset, (uint32_t)value);
    else
        device_warn(dev, "write of %u bytes at 0x%x", size, (unsigned)offset);
}

/* The same by address and data ports (13.2.2). */
uint64_t e1000_io_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct e1000 *d = dev->object;

    (void)size;
    return offset == 0 ? d->io_address : offset == 4 ? word_read(d, d->io_address) : 0;
}

void e1000_io_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct e1000 *d = dev->object;

    (void)size;
    if (offset == 0)
        d->io_address = (uint32_t)value & (E1000_MEMORY_SIZE - 4);
    else if (offset == 4)
        word_write(d, d->io_address, (uint32_t)value);
}

/* --- statistics --- */

void e1000_count(struct e1000 *d, unsigned stat, uint32_t n)
{
    d->stats[stat] += MIN(n, ALL - d->stats[stat]);
}

void e1000_count64(struct e1000 *d, unsigned stat, uint64_t n)
{
    uint64_t sum = (uint64_t)d->stats[stat + 1] << 32 | d->stats[stat];

    sum += MIN(n, UINT64_MAX - sum);
    d->stats[stat] = (uint32_t)sum;
    d->stats[stat + 1] = (uint32_t)(sum >> 32);
}

void e1000_count_size(struct e1000 *d, unsigned first, uint32_t len, uint32_t n)
{
    static const uint16_t most[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;

    while (i < ARRAY_LEN(most) && len > most[i])
        i++;
    e1000_count(d, first + i, n);
}

/* --- life --- */

/* The address from the EEPROM, in the first of the receive addresses (13.5.2, RAL). */
static void address_load(struct e1000 *d)
{
    d->ra[0] = d->eeprom[0] | (uint32_t)d->eeprom[1] << 16;
    d->ra[1] = d->eeprom[2] | 1u << 31;
}

static void registers_reset(struct e1000 *d)
{
    const struct e1000_chip *chip = e1000_chip(d);

    for (size_t i = 0; i < ARRAY_LEN(registers); i++)
        d->regs[registers[i].at] = registers[i].reset;
    for (size_t i = 0; i < chip->n_registers; i++)
        d->regs[chip->registers[i].at] = chip->registers[i].reset;
}

/* The packet buffer stays divided as it was: a division takes effect by this reset. */
void e1000_chip_reset(struct e1000 *d)
{
    const struct e1000_chip *chip = e1000_chip(d);
    uint32_t pba = d->regs[E1000_PBA];

    registers_reset(d);
    d->regs[E1000_PBA] = pba;
    d->ims = 0;
    d->quiet_until = 0;
    memset(d->mta, 0, sizeof(d->mta));
    memset(d->vfta, 0, sizeof(d->vfta));
    memset(d->ra, 0, sizeof(d->ra));
    memset(d->stats, 0, sizeof(d->stats));
    d->wire = (struct eeprom93){0};
    if (chip->reset)
        chip->reset(d);
    address_load(d);
    e1000_tx_reset(d);
    e1000_rx_reset(d);
    e1000_link_update(d);
    chip->interrupt(d, 0);
}

void e1000_reset(struct device *dev)
{
    struct e1000 *d = dev->object;

    pci_reset(&d->pci);
    evq_cancel(e1000_events(d), &d->rewire);
    registers_reset(d);
    e1000_phy_reset(d);
    e1000_chip_reset(d);
}

static void e1000_carrier(struct port *p, bool up)
{
    (void)up;
    e1000_link_update(container_of(p, struct e1000, nic.port));
}

void e1000_finish(struct device *dev)
{
    struct e1000 *d = dev->object;

    e1000_tx_reset(d);
    e1000_rx_forget(d);
    evq_cancel(e1000_events(d), &d->throttle);
    evq_cancel(e1000_events(d), &d->rewire);
    packets_finish(&d->waiting);
}

void e1000_clone(struct device *dev, const struct device *from)
{
    struct e1000 *d = dev->object;
    const struct e1000 *other = from->object;

    evq_copy(e1000_events(d), &d->throttle, &other->throttle);
    evq_copy(e1000_events(d), &d->rewire, &other->rewire);
    e1000_tx_clone(d, other);
    e1000_rx_clone(d, other);
}

/* Its own address and cable take the place of the original's; the link has gone and come, which
   drivers see. */
void e1000_cloned(struct device *dev)
{
    struct e1000 *d = dev->object;

    address_load(d);
    e1000_link_update(d);
    e1000_raise(d, ICR_LSC);
}

#define PMCSR_NO_SOFT_RESET 0x0008

void e1000_power_add(struct e1000 *d)
{
    unsigned at = pci_add_capability(&d->pci, PCI_CAPABILITY_POWER, 8);

    store_le16(d->pci.initial + at + 2, 0x0022); /* version 2; of its own initialisation */
    store_le16(d->pci.initial + at + 4, PMCSR_NO_SOFT_RESET);
    store_le16(d->pci.writable + at + 4, 0x0003);
}

static const struct port_ops port_ops = {.kind = "nic", .rx = e1000_rx, .carrier = e1000_carrier};

void e1000_init(struct e1000 *d, const struct device_ops *ops, struct device_env *env,
                const char *name, const struct nic_config *c, const struct e1000_variant *variant)
{
    struct pci_id id = {.vendor = 0x8086,
                        .device = variant->device,
                        .subsystem_vendor = 0x8086,
                        .subsystem = variant->device,
                        .revision = variant->revision,
                        .class_code = 0x020000,
                        .pin = 1};

    d->variant = variant;
    d->nic.config = *c;
    device_init(&d->nic.dev, ops, d, name, env);
    pci_init(&d->pci, &d->nic.dev, &id);
    d->nic.pci = &d->pci;
    port_init(&d->nic.port, &port_ops, env->actor, name);
    packets_init(&d->waiting, &d->nic.port);
    e1000_intr_init(d);
    e1000_phy_init(d);
    e1000_tx_init(d);
    e1000_rx_init(d);
    e1000_chip(d)->eeprom_fill(d);
}
