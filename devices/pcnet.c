/*
 * pcnet: the registers of AMD's Am79C970A (19436).
 *
 *     0x00 APROM    0x10 RDP   0x12 or 0x14 RAP   0x14 or 0x18 reset   0x16 or 0x1c BDP
 *
 * in I/O ports and in memory, where the second places are those of 32-bit accesses (DWIO), which
 * the first 32-bit write to 0x10 turns on. RAP selects a control and status register (CSR) behind
 * RDP or a bus configuration register (BCR) behind BDP. Simplifications: 10 Mbit/s Ethernet has no
 * collisions here; suspending is immediate; the EEPROM is read once, into APROM; bytes are never
 * swapped (CSR3, BSWP), and there is no look-ahead (LAPPEN).
 */
#include "devices/pcnet_internal.h"

#define SIZE 32
#define CHIP_ID 0x02621003u /* part 0x2621, AMD, version 0 (CSR88, CSR89) */

/* --- interrupts --- */

static void line_update(struct pcnet *d)
{
    uint16_t *csr0 = &d->csr[0], masks = d->csr[3], csr4 = d->csr[4], csr5 = d->csr[5];
    uint16_t causes = *csr0 & CSR0_CAUSES & (uint16_t)~masks;
    bool others = (csr4 & CSR4_UINT) || ((csr4 & CSR4_TXSTRT) && !(csr4 & CSR4_TXSTRTM)) ||
                  ((csr4 & CSR4_MFCO) && !(csr4 & CSR4_MFCOM)) ||
                  ((csr4 & CSR4_RCVCCO) && !(csr4 & CSR4_RCVCCOM)) ||
                  ((csr4 & CSR4_JAB) && !(csr4 & CSR4_JABM));
    bool system = (csr5 & CSR5_SINT) && (csr5 & CSR5_SINTE); /* STOP has cleared IENA by then */

    *csr0 &= (uint16_t) ~(CSR0_INTR | CSR0_ERR);
    if (*csr0 & (CSR0_BABL | CSR0_CERR | CSR0_MISS | CSR0_MERR))
        *csr0 |= CSR0_ERR;
    if (causes || others || system)
        *csr0 |= CSR0_INTR;
    pci_interrupt(&d->pci, ((*csr0 & CSR0_INTR) && (*csr0 & CSR0_IENA)) || system);
}

void pcnet_raise(struct pcnet *d, uint16_t causes)
{
    d->csr[0] |= causes;
    line_update(d);
}

/* --- CSRs --- */

static void csrs_stop(struct pcnet *d)
{
    d->csr[0] = CSR0_STOP; /* all other bits are cleared by it */
    d->csr[4] &=
        (uint16_t) ~(CSR4_UINTCMD | CSR4_UINT | CSR4_MFCO | CSR4_RCVCCO | CSR4_TXSTRT | CSR4_JAB);
    d->csr[5] &= (uint16_t)~CSR5_SPND;
    d->csr[CSR_MISSED] = d->csr[CSR_COLLISIONS] = 0;
    line_update(d);
}

static void stop(struct pcnet *d)
{
    csrs_stop(d);
    pcnet_ring_reset(d);
}

void pcnet_bus_failed(struct pcnet *d, const char *what)
{
    device_warn(&d->nic.dev, "%s is not in RAM", what);
    if (!pci_is_master(&d->pci)) {
        pcnet_raise(d, CSR0_MERR);
        return;
    }
    store_le16(d->pci.config + PCI_STATUS,
               load_le16(d->pci.config + PCI_STATUS) | PCI_STATUS_MASTER_ABORT);
    d->csr[5] |= CSR5_SINT;
    csrs_stop(d);
    pcnet_ring_halt(d);
}

static void start(struct pcnet *d)
{
    pcnet_ring_rewind(d);
    d->csr[0] &= (uint16_t)~CSR0_STOP;
    d->csr[0] |= CSR0_STRT | (d->csr[CSR_MODE] & MODE_DTX ? 0 : CSR0_TXON) |
                 (d->csr[CSR_MODE] & MODE_DRX ? 0 : CSR0_RXON);
    pcnet_receive(d);
    pcnet_transmit(d);
}

/* Causes are cleared by ones; INIT, STRT and TDMD are set; STOP wins over all. */
static void csr0_write(struct pcnet *d, uint16_t v)
{
    uint16_t *csr0 = &d->csr[0];

    if (v & CSR0_STOP) {
        stop(d);
        return;
    }
    *csr0 &= (uint16_t) ~(v & (CSR0_CAUSES | CSR0_CERR));
    *csr0 = (uint16_t)((*csr0 & ~CSR0_IENA) | (v & CSR0_IENA));
    if ((v & CSR0_INIT) && !(*csr0 & CSR0_INIT)) {
        *csr0 = (uint16_t)((*csr0 & ~CSR0_STOP) | CSR0_INIT);
        if (!pcnet_initialize(d))
            return;
        *csr0 |= CSR0_IDON;
    }
    if ((v & CSR0_STRT) && !(*csr0 & CSR0_STRT))
        start(d);
    line_update(d);
    if (v & CSR0_TDMD)
        pcnet_transmit(d);
}

static void csr4_write(struct pcnet *d, uint16_t v)
{
    uint16_t causes = CSR4_MFCO | CSR4_RCVCCO | CSR4_TXSTRT | CSR4_JAB | CSR4_UINT;

    d->csr[4] = (uint16_t)((d->csr[4] & causes & ~v) | (v & ~causes & ~CSR4_UINTCMD));
    if (v & CSR4_UINTCMD)
        d->csr[4] |= CSR4_UINT;
    line_update(d);
}

/* Those of its causes that can be are cleared by ones. What was asked for meanwhile is done when it
   is suspended no more. */
static void csr5_write(struct pcnet *d, uint16_t v)
{
    bool resumes = (d->csr[5] & CSR5_SPND) && !(v & CSR5_SPND);

    d->csr[5] = (uint16_t)((d->csr[5] & CSR5_SINT & ~v) | (v & CSR5_WRITABLE));
    line_update(d);
    if (!resumes)
        return;
    pcnet_receive(d);
    pcnet_transmit(d);
}

/* SWSTYLE: which descriptors; 32-bit structures go with all but 0 (BCR20). The ILACC's (1), which
   have bits of their own, are not made. */
static void style_write(struct pcnet *d, uint16_t v)
{
    uint8_t style = (uint8_t)v;

    if (style == 1 || style > 3)
        device_warn(&d->nic.dev, "there is no software style %u", style);
    else
        d->bcr[20] = d->csr[CSR_STYLE] = (uint16_t)(style | (style ? 0x0100 : 0) | 0x0200);
}

/* Those that are written freely; most only while stopped. */
static bool csr_plain(unsigned n)
{
    return (n >= 1 && n <= 2) || (n >= 6 && n <= 47) || n == 60 || n == 61 || n == 62 || n == 64 ||
           (n >= 72 && n <= 80) || n == 82 || n == 84 || n == 85 || n == 86 || n == 122 || n == 124;
}

static bool may_change(const struct pcnet *d)
{
    return (d->csr[0] & CSR0_STOP) || (d->csr[5] & CSR5_SPND);
}

static void csr_write(struct pcnet *d, unsigned n, uint16_t v)
{
    switch (n) {
    case 0: csr0_write(d, v); break;
    case 3:
        d->csr[3] = v & 0x5f7c;
        line_update(d);
        break;
    case 4: csr4_write(d, v); break;
    case 5: csr5_write(d, v); break;
    case 16: csr_write(d, 1, v); break;
    case 17: csr_write(d, 2, v); break;
    case CSR_STYLE: style_write(d, v); break;
    default:
        if (!csr_plain(n))
            device_warn(&d->nic.dev, "CSR%u is not to be written", n);
        else if (n >= 60 || may_change(d))
            d->csr[n] = v;
        else
            device_warn(&d->nic.dev, "CSR%u is written while it runs", n);
    }
}

static uint16_t csr_read(struct pcnet *d, unsigned n)
{
    switch (n) {
    case 16: return d->csr[1];
    case 17: return d->csr[2];
    case CSR_CHIP_LOW: return (uint16_t)CHIP_ID;
    case CSR_CHIP_HIGH: return (uint16_t)(CHIP_ID >> 16);
    default: return n < PCNET_CSRS ? d->csr[n] : 0;
    }
}

/* --- BCRs --- */

#define BCR_LINK_LED 4 /* LED0: on while there is a link */
#define LED_OUT 0x8000u
#define BCR18_DWIO 0x0080
#define BCR22_DEFAULT 0xff06

static uint16_t bcr_read(struct pcnet *d, unsigned n)
{
    if (n == BCR_LINK_LED)
        return (uint16_t)((d->bcr[n] & ~LED_OUT) | (d->nic.port.up ? LED_OUT : 0));
    return n < PCNET_BCRS ? d->bcr[n] : 0;
}

/* BCR22 is MIN_GNT and MAX_LAT of the configuration space, in quarters of a microsecond. */
static void latency_write(struct pcnet *d, uint16_t v)
{
    if (!may_change(d)) {
        device_warn(&d->nic.dev, "BCR22 is written while it runs");
        return;
    }
    d->bcr[22] = v;
    store_le16(d->pci.config + PCI_MIN_GNT, v);
}

static void bcr_write(struct pcnet *d, unsigned n, uint16_t v)
{
    switch (n) {
    case 20: style_write(d, v); break;
    case 0:
    case 1:
    case 2:
    case 4:
    case 5:
    case 6:
    case 7:
    case 9:
    case 16:
    case 17:
    case 21: d->bcr[n] = v; break;
    case 22: latency_write(d, v); break;
    case 18: d->bcr[n] = (uint16_t)((v & ~BCR18_DWIO) | (d->dwio ? BCR18_DWIO : 0)); break;
    default: device_warn(&d->nic.dev, "BCR%u is not to be written", n);
    }
}

/* --- access --- */

/* S_RESET: addresses that software gave, BCRs and the software style stay as they are. */
static void soft_reset(struct pcnet *d)
{
    d->csr[3] = d->csr[5] = 0;
    d->csr[4] = 0x0115;
    d->csr[CSR_MODE] = 0;
    d->csr[80] = 0x1410;
    d->rap = 0;
    stop(d);
}

enum place { AT_NOTHING, AT_RDP, AT_RAP, AT_RESET, AT_BDP };

static enum place place_of(const struct pcnet *d, uint64_t offset)
{
    static const enum place words[] = {AT_RDP, AT_RAP, AT_RESET, AT_BDP};
    unsigned step = d->dwio ? 4 : 2;

    if (offset < 0x10 || (offset - 0x10) % step || (offset - 0x10) / step >= ARRAY_LEN(words))
        return AT_NOTHING;
    return words[(offset - 0x10) / step];
}

static uint64_t aprom_read(const struct pcnet *d, uint64_t offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)d->aprom[(offset + i) % PCNET_APROM] << 8 * i;
    return v;
}

static uint64_t reg_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct pcnet *d = dev->object;

    if (offset < PCNET_APROM)
        return aprom_read(d, offset, size);
    if (size != (d->dwio ? 4u : 2u)) {
        device_warn(dev, "read of %u bytes at 0x%x", size, (unsigned)offset);
        return ~0ULL;
    }
    switch (place_of(d, offset)) {
    case AT_RDP: return csr_read(d, d->rap);
    case AT_RAP: return d->rap;
    case AT_RESET: soft_reset(d); return 0;
    case AT_BDP: return bcr_read(d, d->rap);
    default: return 0;
    }
}

static void reg_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct pcnet *d = dev->object;

    if (offset < PCNET_APROM) { /* writable if BCR2.APROMWE */
        for (unsigned i = 0; i < size && (d->bcr[2] & 0x0100); i++)
            d->aprom[(offset + i) % PCNET_APROM] = (uint8_t)(value >> 8 * i);
        return;
    }
    if (size == 4 && !d->dwio &&
        offset == 0x10) { /* the mode is chosen by how it is first written */
        d->dwio = true;
        d->bcr[18] |= BCR18_DWIO;
    }
    if (size != (d->dwio ? 4u : 2u)) {
        device_warn(dev, "write of %u bytes at 0x%x", size, (unsigned)offset);
        return;
    }
    switch (place_of(d, offset)) {
    case AT_RDP: csr_write(d, d->rap, (uint16_t)value); break;
    case AT_RAP: d->rap = value & 0x7f; break;
    case AT_BDP: bcr_write(d, d->rap, (uint16_t)value); break;
    default: break;
    }
}

/* --- life --- */

/* The address, the hardware's ID for AMD's drivers, a checksum, and two letters W (the EEPROM's
   layout). */
static void aprom_fill(struct pcnet *d)
{
    uint16_t sum = 0;

    memset(d->aprom, 0, sizeof(d->aprom));
    memcpy(d->aprom, d->nic.config.mac, ETH_ALEN);
    d->aprom[9] = 0x11;
    d->aprom[14] = d->aprom[15] = 'W';
    for (unsigned i = 0; i < PCNET_APROM; i++)
        sum = (uint16_t)(sum + d->aprom[i]);
    store_le16(d->aprom + 12, sum);
}

/* What it receives at, as the EEPROM says; INIT loads another. */
static void address_load(struct pcnet *d)
{
    for (unsigned i = 0; i < 3; i++)
        d->csr[CSR_PADR + i] = load_le16(d->nic.config.mac + 2 * i);
}

static void pcnet_reset(struct device *dev)
{
    struct pcnet *d = dev->object;

    pci_reset(&d->pci);
    aprom_fill(d);
    d->dwio = false;
    memset(d->csr, 0, sizeof(d->csr));
    address_load(d);
    memset(d->bcr, 0, sizeof(d->bcr));
    d->bcr[0] = d->bcr[1] = 0x0005;
    d->bcr[2] = 0x0002;
    d->bcr[4] = 0x00c0;
    d->bcr[5] = 0x0084;
    d->bcr[6] = 0x0088;
    d->bcr[7] = 0x0090;
    d->bcr[18] = 0x9001;
    d->bcr[19] = 0x0002;
    d->bcr[22] = BCR22_DEFAULT;
    style_write(d, 0);
    soft_reset(d);
}

static void pcnet_finish(struct device *dev)
{
    struct pcnet *d = dev->object;

    pcnet_ring_reset(d);
    packets_finish(&d->waiting);
}

static void pcnet_clone(struct device *dev, const struct device *from)
{
    struct pcnet *d = dev->object;

    aprom_fill(d);
    pcnet_ring_clone(d, from->object);
}

/* Frames to the original's address are not the clone's; its own is in the PROM. */
static void pcnet_cloned(struct device *dev)
{
    address_load(dev->object);
}

static const struct field pcnet_fields[] = {
    PCI_FIELDS(struct pcnet),
    FIELD(struct pcnet, csr, FIELD_U16, 0),
    FIELD(struct pcnet, bcr, FIELD_U16, 0),
    FIELD(struct pcnet, rap, FIELD_U16, 0),
    FIELD(struct pcnet, dwio, FIELD_BOOL, 0),
    FIELD(struct pcnet, rx_at, FIELD_U32, 0),
    FIELD(struct pcnet, tx_at, FIELD_U32, 0),
    FIELD(struct pcnet, tx_bad, FIELD_BOOL, 0),
    FIELD(struct pcnet, tx_has_fcs, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops pcnet_ops = {
    .name = "pcnet",
    .help = "AMD PCnet-PCI II Ethernet controller",
    .state = pcnet_fields,
    .reset = pcnet_reset,
    .finish = pcnet_finish,
    .clone = pcnet_clone,
    .cloned = pcnet_cloned,
};

static const struct port_ops pcnet_port_ops = {.kind = "nic", .rx = pcnet_rx};

struct nic *pcnet_create(struct device_env *env, const char *name, const struct nic_config *c,
                         struct err *err)
{
    static const struct pci_id id = {
        .vendor = 0x1022, .device = 0x2000, .revision = 0x10, .class_code = 0x020000, .pin = 1};
    static const struct pci_bar io = {"pcnet-io", SIZE, PCI_BAR_IO, 1, 4, reg_read, reg_write};
    static const struct pci_bar memory = {"pcnet", SIZE, PCI_BAR_MEMORY, 1, 4, reg_read, reg_write};
    struct pcnet *d = xcalloc(1, sizeof(*d));

    (void)err;
    d->nic.config = *c;
    device_init(&d->nic.dev, &pcnet_ops, d, name, env);
    pci_init(&d->pci, &d->nic.dev, &id);
    d->pci.clearable[PCI_STATUS + 1] = PCI_STATUS_MASTER_ABORT >> 8;
    pci_set_bar(&d->pci, 0, &io);
    pci_set_bar(&d->pci, 1, &memory);
    store_le16(d->pci.initial + PCI_STATUS, PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK);
    store_le16(d->pci.initial + PCI_MIN_GNT, BCR22_DEFAULT);
    d->nic.pci = &d->pci;
    port_init(&d->nic.port, &pcnet_port_ops, env->actor, name);
    packets_init(&d->waiting, &d->nic.port);
    pcnet_ring_init(d);
    pcnet_reset(&d->nic.dev);
    return &d->nic;
}
