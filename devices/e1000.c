/*
 * e1000: Intel's 82540EM and its relatives - what of e1000_regs.c's is theirs alone.
 */
#include "devices/e1000_internal.h"

#define BAR_MEMORY 0
#define BAR_IO 2 /* (13.2.2) */
#define PACKET_BUFFER 64

static const struct e1000_reg registers[] = {
    {0x0000, E1000_CTRL, "CTRL", 0x00000a09, ALL, NULL, e1000_ctrl_write},
    {0x0004, E1000_CTRL, "CTRL", 0x00000a09, ALL, NULL, e1000_ctrl_write}, /* a copy (13.4.1) */
    E1000_PLAIN(0x0008, STATUS, 0, 0),
    {0x0010, E1000_EECD, "EECD", 0x00000110, 0, e1000_eecd_read, e1000_eecd_write},
    {0x0014, E1000_EERD, "EERD", 0, 0, NULL, e1000_eerd_write},
    E1000_PLAIN(0x0018, CTRL_EXT, 0, ALL),
    {0x00c0, E1000_ICR, "ICR", 0, ALL, e1000_icr_read, e1000_icr_write},
    E1000_PLAIN(0x0458, AIT, 0, 0xffff),
    {0x1000, E1000_PBA, "PBA", 0x00100030, 0, NULL, e1000_pba_write},
    E1000_PLAIN(0x2828, RXDCTL, 0x00010000, 0x013f3f3f),
    E1000_PLAIN(0x3000, TXDMAC, 1, 1),
    E1000_PLAIN(0x3828, TXDCTL, 0, 0xff3f3f3f),
    E1000_PLAIN(0x3830, TSPMT, 0x01000400, ALL),
    E1000_PLAIN(0x5b50, SWSM, 0, 0xe), /* of later chips; U-Boot takes its semaphore on all */
};

static void interrupt(struct e1000 *d, uint32_t fresh)
{
    (void)fresh;
    e1000_line_update(d);
}

#define RS 0x08
#define RPS 0x10 /* the 82544's: when it is sent, which is the same here (3.3.3.1) */

#define CHIP(phy, ...)                                                                             \
    {                                                                                              \
        .registers = registers, .n_registers = ARRAY_LEN(registers), .causes = ICR_CAUSES,         \
        .n_queues = 1, .mac_loop = RCTL_LBM, .packet_buffer = PACKET_BUFFER, .phy_id2 = phy,       \
        .interrupt = interrupt, .place = e1000_place, .eeprom_fill = e1000_eeprom_fill,            \
        __VA_ARGS__                                                                                \
    }

static const struct e1000_chip chip_82540 = CHIP(0x0c20, .reports = RS);
static const struct e1000_chip chip_82544 =
    CHIP(0x0c30, .reports = RS | RPS, .rdtr_absolute = true); /* 3.2.8 */

static const struct field e1000_fields[] = {E1000_FIELDS, FIELD_END};

static const struct device_ops e1000_ops = {
    .name = "e1000",
    .help = "Intel 8254x gigabit Ethernet controller",
    .state = e1000_fields,
    .reset = e1000_reset,
    .finish = e1000_finish,
    .clone = e1000_clone,
    .cloned = e1000_cloned,
};

static const struct pci_bar memory_bar = {"e1000", E1000_MEMORY_SIZE, PCI_BAR_MEMORY,    1,
                                          4,       e1000_memory_read, e1000_memory_write};
static const struct pci_bar io_bar = {"e1000-io",    64, PCI_BAR_IO, 4, 4, e1000_io_read,
                                      e1000_io_write};

static struct nic *create(struct device_env *env, const char *name, const struct nic_config *c,
                          const struct e1000_variant *variant)
{
    struct e1000 *d = xcalloc(1, sizeof(*d));

    e1000_init(d, &e1000_ops, env, name, c, variant);
    pci_set_bar(&d->pci, BAR_MEMORY, &memory_bar);
    pci_set_bar(&d->pci, BAR_IO, &io_bar);
    e1000_power_add(d);
    store_le16(d->pci.initial + PCI_STATUS,
               PCI_STATUS_CAPABILITIES | PCI_STATUS_66MHZ | PCI_STATUS_MEDIUM);
    d->pci.initial[PCI_MIN_GNT] = 0xff;
    e1000_reset(&d->nic.dev);
    return &d->nic;
}

struct nic *e1000_82540em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {0x100e, 2, &chip_82540};

    (void)err;
    return create(env, name, c, &variant);
}

struct nic *e1000_82544gc_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {0x100c, 2, &chip_82544};

    (void)err;
    return create(env, name, c, &variant);
}

struct nic *e1000_82545em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err)
{
    static const struct e1000_variant variant = {0x100f, 2, &chip_82540};

    (void)err;
    return create(env, name, c, &variant);
}
