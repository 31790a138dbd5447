/* PCI-to-PCI bridges: which buses and addresses lie behind one (PCI-to-PCI Bridge 1.2, chapter 3).
 */
#ifndef DEVICES_PCI_BRIDGE_H
#define DEVICES_PCI_BRIDGE_H

#include "devices/pci_host.h"

/** Whether the far side of a bridge (NULL: the root bus) is bus `bus` as software numbered it. */
bool pci_bridge_reaches(const struct pci_bridge *b, uint8_t bus);

/** Whether all bridges from the root to the far side of this one pass these addresses on. */
bool pci_bridge_forwards(const struct pci_bridge *b, uint64_t base, uint64_t size, bool io);

#endif
