/*
 * e1000e: Intel's 82574L (317694) - what of its registers and its life is not the family's.
 *
 * Beyond the 8254x it has extended receive descriptors, two queues each way, receive-side scaling
 * and MSI-X; see the files that begin with its name. Simplifications, beside those of e1000_regs.c:
 * no plain MSI, no management, no time stamps of packets (the clock runs), no diagnostic registers
 * of FIFOs and of the PCIe link, no interrupt for small packets and acknowledgements.
 */
#include "devices/e1000e_internal.h"

#define BAR_MEMORY 0
#define BAR_IO 2

/* --- registers --- */

#define CTRL_GIO_MASTER_DISABLE (1u << 2)
#define STATUS_GIO_MASTER (1u << 19)
#define CTRL_EXT_EE_RST (1u << 13)
#define PACKET_BUFFER 40 /* KiB, for both ways */

static uint32_t status_read(struct e1000 *d)
{
    bool master = !(d->regs[E1000_CTRL] & CTRL_GIO_MASTER_DISABLE);

    return d->regs[E1000_STATUS] | (master ? STATUS_GIO_MASTER : 0);
}

static void ctrl_write(struct e1000 *d, uint32_t v)
{
    if (v & CTRL_PHY_RST)
        e1000e_phy_forget(e1000e_of(d));
    e1000_ctrl_write(d, v);
}

static void rdt1_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000E_RDT1] = v;
    e1000_receive(d);
}

static void tdt1_write(struct e1000 *d, uint32_t v)
{
    d->regs[E1000E_TDT1] = v;
    e1000_transmit(&d->tx[1]);
}

#define PLAIN(offset, at, reset, writable)                                                         \
    {                                                                                              \
        offset, E1000E_##at, #at, reset, writable, NULL, NULL                                      \
    }

static const struct e1000_reg registers[] = {
    {0x0000, E1000_CTRL, "CTRL", 0x00100209, ALL, NULL, ctrl_write},
    {0x0004, E1000_CTRL, "CTRL", 0x00100209, ALL, NULL, ctrl_write},
    {0x0008, E1000_STATUS, "STATUS", 0, 0, status_read, NULL},
    {0x0010, E1000_EECD, "EECD", 0x00018b00, 0x001000f0 & ~0x80u, e1000e_eecd_read, NULL},
    {0x0014, E1000_EERD, "EERD", 2, 0, NULL, e1000e_eerd_write},
    E1000_PLAIN(0x0018, CTRL_EXT, 0, ALL & ~CTRL_EXT_EE_RST),
    PLAIN(0x001c, FLA, 0, 0),
    {0x00c0, E1000_ICR, "ICR", 0, ALL, e1000e_icr_read, e1000e_icr_write},
    PLAIN(0x00dc, EIAC, 0, 0x01f00000),
    PLAIN(0x00e0, IAM, 0, ALL),
    PLAIN(0x00e4, IVAR, 0, 0x800fffff),
    {0x0100, E1000_RCTL, "RCTL", 0, 0x7ffffffe, NULL, e1000_rctl_write},
    E1000_PLAIN(0x0458, AIT, 0, 0xffff),
    E1000_PLAIN(0x0e00, LEDCTL, 0x00068302, 0xcfcfcfcf),
    PLAIN(0x0f00, EXTCNF_CTRL, 8, 0x0fff0023),
    PLAIN(0x0f08, EXTCNF_SIZE, 0, 0),
    PLAIN(0x0f10, POEMB, 0, 0x3f),
    {0x1000, E1000_PBA, "PBA", 0x00140014, 0, NULL, e1000_pba_write},
    PLAIN(0x1008, PBS, PACKET_BUFFER, 0x3f),
    PLAIN(0x1010, EEMNGCTL, 0x00040000, 0), /* configured */
    PLAIN(0x1024, EEARBC, 0, ALL),
    {0x102c, E1000E_EEWR, "EEWR", 2, 0, NULL, e1000e_eewr_write},
    PLAIN(0x103c, FLOP, 0, 0),
    PLAIN(0x2008, ERT, 0, 0x3fff),
    PLAIN(0x2170, PSRCTL, 0x00040402, 0x3f3f3f7f),
    E1000_PLAIN(0x2828, RXDCTL, 0x00010000, 0x013f3f3f),
    E1000_RING(0x2900, E1000E_RD, 1, rdt1_write),
    PLAIN(0x2928, RXDCTL1, 0x00010000, 0x013f3f3f),
    E1000_PLAIN(0x3828, TXDCTL, 0, 0xff7f3f3f),
    PLAIN(0x3840, TARC0, 0x00000403, ALL),
    E1000_RING(0x3900, E1000E_TD, 1, tdt1_write),
    PLAIN(0x3928, TXDCTL1, 0, 0xff7f3f3f),
    PLAIN(0x3940, TARC1, 0x00000403, ALL),
    E1000_PLAIN(0x5000, RXCSUM, 0x0300, 0x33ff),
    PLAIN(0x5008, RFCTL, 0, 0x0003fbff),
    PLAIN(0x5818, MRQC, 0, 0xffff0003),
    PLAIN(0x5860, MANC2H, 0, 0xff),
    PLAIN(0x5864, RSSIM, 0, ALL),
    PLAIN(0x5868, RSSIR, 0, ALL),
    PLAIN(0x5b00, GCR, 0, ALL),
    PLAIN(0x5b08, FUNCTAG, 0, ALL),
    PLAIN(0x5b30, FACTPS, 0, 0),
    PLAIN(0x5b48, CCMCTL, 0, ALL),
    {0x5b50, E1000_SWSM, "SWSM", 0, 0xf, e1000e_swsm_read, NULL},
    PLAIN(0x5b54, FWSM, 0, 0), /* no firmware */
    PLAIN(0x5b58, SWSM2, 0, 2),
    PLAIN(0x5b64, GCR2, 0, ALL),
    PLAIN(0x8f00, HICR, 0, 0),
    {0xb600, E1000E_SYSTIML, "SYSTIML", 0, ALL, e1000e_systiml_read, e1000e_systiml_write},
    {0xb604, E1000E_SYSTIMH, "SYSTIMH", 0, ALL, NULL, e1000e_systimh_write},
    {0xb608, E1000E_TIMINCA, "TIMINCA", 0, ALL, NULL, e1000e_timinca_write},
    PLAIN(0xb614, TSYNCTXCTL, 0, 0x10),
    PLAIN(0xb620, TSYNCRXCTL, 0, 0x1e),
    PLAIN(0xb634, RXMTRL, 0, ALL),
    PLAIN(0xb638, RXUDP, 0x3f01, 0xffff),
};

static uint32_t *array_find(struct e1000 *d, uint64_t offset)
{
    struct e1000e *e = e1000e_of(d);
    const struct {
        uint16_t base, words;
        uint32_t *array;
    } arrays[] = {{0x00e8, E1000E_VECTORS, e->eitr},
                  {0x5c00, E1000E_RETA, e->reta},
                  {0x5c80, E1000E_RSSRK, e->rssrk}};

    for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
        if (offset >= arrays[i].base && offset < arrays[i].base + arrays[i].words * 4u)
            return &arrays[i].array[(offset - arrays[i].base) / 4];
    return NULL;
}

/* --- life --- */

/* CTRL.RST; the MSI-X table is the bus's. */
static void chip_reset(struct e1000 *d)
{
    struct e1000e *e = e1000e_of(d);

    memset(e->reta, 0, sizeof(e->reta));
    memset(e->rssrk, 0, sizeof(e->rssrk));
    memset(e->eitr, 0, sizeof(e->eitr));
    e->systim = e->systim_since = 0;
    e1000e_intr_reset(e);
}

static void e1000e_reset(struct device *dev)
{
    struct e1000e *e = dev->object;

    pci_msix_reset(&e->msix);
    e1000e_phy_forget(e);
    e1000_reset(dev);
}

static void e1000e_finish(struct device *dev)
{
    e1000e_intr_finish(dev->object);
    e1000_finish(dev);
}

static void e1000e_clone(struct device *dev, const struct device *from)
{
    e1000e_intr_clone(dev->object, from->object);
    e1000_clone(dev, from);
}

#define VECTOR_FIELD(n) FIELD(struct e1000e, vectors[n].quiet_until, FIELD_U64, 0)

static const struct field e1000e_fields[] = {
    E1000_FIELDS,
    FIELD(struct e1000e, reta, FIELD_U32, 0),
    FIELD(struct e1000e, rssrk, FIELD_U32, 0),
    FIELD(struct e1000e, eitr, FIELD_U32, 0),
    PCI_MSIX_FIELDS(struct e1000e, msix),
    FIELD(struct e1000e, page_of, FIELD_U16, 0),
    FIELD(struct e1000e, pages, FIELD_U16, 0),
    FIELD(struct e1000e, systim, FIELD_U64, 0),
    FIELD(struct e1000e, systim_since, FIELD_U64, 0),
    VECTOR_FIELD(0),
    VECTOR_FIELD(1),
    VECTOR_FIELD(2),
    VECTOR_FIELD(3),
    VECTOR_FIELD(4),
    FIELD_END,
};

static const struct device_ops e1000e_ops = {
    .name = "e1000e",
    .help = "Intel 82574L gigabit Ethernet controller",
    .state = e1000e_fields,
    .reset = e1000e_reset,
    .finish = e1000e_finish,
    .clone = e1000e_clone,
    .cloned = e1000_cloned,
};

static const struct e1000_chip chip = {
    .registers = registers,
    .n_registers = ARRAY_LEN(registers),
    .n_queues = 2,
    .causes = 0x01f7ffff,
    .mac_loop = 1u << 6,
    .packet_buffer = PACKET_BUFFER,
    .reports = 0x08,     /* RS */
    .udp_checked = 0x10, /* UDPCS, beside TCPCS */
    .phy_id2 = 0x0cb1,
    .interrupt = e1000e_interrupt,
    .place = e1000e_place,
    .array = array_find,
    .phy_page = e1000e_phy_page,
    .eeprom_fill = e1000e_nvm_fill,
    .reset = chip_reset,
};

/* --- the card on its bus --- */

static const struct pci_bar memory_bar = {"e1000e", E1000_MEMORY_SIZE, PCI_BAR_MEMORY,    1,
                                          4,        e1000_memory_read, e1000_memory_write};
static const struct pci_bar io_bar = {"e1000e-io",   32, PCI_BAR_IO, 4, 4, e1000_io_read,
                                      e1000_io_write};

static uint64_t table_read(struct device *dev, uint64_t offset, unsigned size)
{
    (void)size;
    return pci_msix_read(&((struct e1000e *)dev->object)->msix, offset);
}

static void table_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    pci_msix_write(&((struct e1000e *)dev->object)->msix, offset, value);
}

static const struct pci_bar msix_bar = {"e1000e-msix", PCI_MSIX_BAR_SIZE, PCI_BAR_MEMORY, 4, 4,
                                        table_read,    table_write};

/* An endpoint of one lane at 2.5 GT/s (PCI Express 1.1, 7.8). */
static void express_add(struct pci_function *f)
{
    unsigned at = pci_add_capability(f, PCI_CAPABILITY_EXPRESS, 20);

    store_le16(f->initial + at + 2, 0x0001);
    store_le32(f->initial + at + 4, 0x00008000);
    store_le16(f->initial + at + 8, 0x2810);
    store_le16(f->writable + at + 8, 0x7fff);
    store_le32(f->initial + at + 12, 0x00000011);
    store_le16(f->writable + at + 16, 0x01c3);
    store_le16(f->initial + at + 18, 0x1011);
}

/* The second rings, and what each queue adds to causes. */
static void queues_init(struct e1000 *d)
{
    d->tx[1].ring = (enum e1000_register)E1000E_TDBAL1;
    d->rx[1].ring = (enum e1000_register)E1000E_RDBAL1;
    d->rx[0].cause = ICR_RXQ0;
    d->rx[1].cause = ICR_RXQ1;
    d->tx[0].cause = ICR_TXQ0;
    d->tx[1].cause = ICR_TXQ1;
}

struct nic *e1000e_create(struct device_env *env, const char *name, const struct nic_config *c,
                          struct err *err)
{
    static const struct e1000_variant variant = {0x10d3, 0, &chip};
    struct e1000e *e = xcalloc(1, sizeof(*e));
    struct e1000 *d = &e->e1000;

    (void)err;
    e1000_init(d, &e1000e_ops, env, name, c, &variant);
    pci_set_bar(&d->pci, BAR_MEMORY, &memory_bar);
    pci_set_bar(&d->pci, BAR_IO, &io_bar);
    pci_set_bar(&d->pci, E1000E_BAR_MSIX, &msix_bar);
    e1000_power_add(d);
    express_add(&d->pci);
    queues_init(d);
    e1000e_intr_init(e);
    e1000e_reset(&d->nic.dev);
    return &d->nic;
}
