/* ne2k_pci: an NE2000 on a PCI card, Realtek's RTL8029AS. */
#ifndef DEVICES_NE2K_PCI_H
#define DEVICES_NE2K_PCI_H

#include "devices/nic.h"

/** A row of nic_models. */
struct nic *ne2k_pci_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err);

#endif
