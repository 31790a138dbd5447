/* ne2k_pci: the NE2000's ports behind one I/O BAR. It is never a bus master, and has no ROM. */
#include "devices/ne2k_pci.h"

#include "devices/dp8390.h"
#include "devices/pci.h"

struct ne2k_pci {
    struct dp8390 chip;
    struct pci_function pci;
};

static void interrupt(struct dp8390 *chip, bool level)
{
    pci_interrupt(&container_of(chip, struct ne2k_pci, chip)->pci, level);
}

static const struct dp8390_kind rtl8029as = {{'P', 'C'}, true, interrupt};

static void ne2k_pci_reset(struct device *dev)
{
    struct ne2k_pci *n = dev->object;

    pci_reset(&n->pci);
    dp8390_reset(&n->chip);
}

static const struct field ne2k_pci_fields[] = {PCI_FIELDS(struct ne2k_pci), DP8390_FIELDS,
                                               FIELD_END};

static const struct device_ops ne2k_pci_ops = {
    .name = "ne2k_pci",
    .help = "Realtek RTL8029AS Ethernet controller",
    .state = ne2k_pci_fields,
    .reset = ne2k_pci_reset,
    .finish = dp8390_finish,
    .clone = dp8390_clone,
    .cloned = dp8390_cloned,
};

static const struct pci_bar ports = {"ne2k", DP8390_PORTS, PCI_BAR_IO,  1,
                                     4,      dp8390_read,  dp8390_write};

struct nic *ne2k_pci_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err)
{
    static const struct pci_id id = {.vendor = 0x10ec,
                                     .device = 0x8029,
                                     .subsystem_vendor = 0x10ec,
                                     .subsystem = 0x8029,
                                     .class_code = 0x020000,
                                     .pin = 1};
    struct ne2k_pci *n = xcalloc(1, sizeof(*n));

    (void)err;
    dp8390_init(&n->chip, &rtl8029as, &ne2k_pci_ops, env, name, c);
    pci_init(&n->pci, &n->chip.nic.dev, &id);
    pci_set_bar(&n->pci, 0, &ports);
    store_le16(n->pci.initial + PCI_STATUS, PCI_STATUS_MEDIUM);
    n->chip.nic.pci = &n->pci;
    ne2k_pci_reset(&n->chip.nic.dev);
    return &n->chip.nic;
}
