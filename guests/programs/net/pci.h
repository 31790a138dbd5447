/*
 * The PCI buses of the board: the functions on them, their base addresses - which nobody
 * has assigned, where there is no firmware - and their interrupt lines.
 */
#ifndef PROGRAMS_NET_PCI_H
#define PROGRAMS_NET_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_ID(vendor, device) ((uint32_t)(device) << 16 | (vendor))

enum { PCI_BARS = 6, PCI_CAP_VENDOR = 9 };

struct pci_card {
    uint32_t id;              /* PCI_ID(vendor, device); 0: none */
    uint8_t bus, devfn;       /* slot << 3 | function */
    uint32_t irq;             /* at the PLIC; 0: it has none */
    uintptr_t config;         /* its configuration space */
    uintptr_t bars[PCI_BARS]; /* where the processor sees what is behind each; 0: nothing */
};

/* Find the host in the device tree, number the buses behind bridges, and assign base
   addresses. Returns false when there is no host. */
bool pci_init(void);

/* The function behind `card`, or the first if card->id is 0; bus by bus, in the order in which
   bridges were found. Returns false when there is no more. */
bool pci_next(struct pci_card *card);

/* Let a card decode its base addresses, which are noted in it, and use memory. */
void pci_enable(struct pci_card *card);

/* The offset of the next capability of a kind behind the one at `after` (0: the first), or 0. */
unsigned pci_capability(const struct pci_card *card, uint8_t kind, unsigned after);

#endif
