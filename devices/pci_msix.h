/* MSI-X: a message for each cause in place of one line (PCI Local Bus 3.0, 6.8.2). */
#ifndef DEVICES_PCI_MSIX_H
#define DEVICES_PCI_MSIX_H

#include "devices/pci.h"

#define PCI_MSIX_MAX 32 /* vectors */

/** The capability of one function and its table. Embedded in a device's struct, which has
 * PCI_MSIX_FIELDS in its `state`. */
struct pci_msix {
    struct pci_function *function;
    unsigned vectors;
    uint8_t capability;               /* where it is in configuration space */
    uint32_t table[PCI_MSIX_MAX * 4]; /* of each: address, upper half, data, control */
    uint32_t pending;                 /* vectors that are masked and have something to say */
    /** A vector that was pending is not masked any more. */
    void (*unmasked)(struct pci_msix *x, unsigned vector);
};

/* Rows for the state table of a struct `st` whose member `m` is the struct pci_msix. */
#define PCI_MSIX_FIELDS(st, m) FIELD(st, m.table, FIELD_U32, 0), FIELD(st, m.pending, FIELD_U32, 0)

/**
 * Give a function (pci_init was called) the capability, with 1..PCI_MSIX_MAX vectors in the BAR
 * `bar`, which must answer with pci_msix_read and pci_msix_write. The device calls
 * pci_msix_written from f->written.
 */
void pci_msix_init(struct pci_msix *x, struct pci_function *f, unsigned bar, unsigned vectors,
                   void (*unmasked)(struct pci_msix *x, unsigned vector));

/** All masked; from the device's reset. */
void pci_msix_reset(struct pci_msix *x);

/** Whether software has turned it on: then nothing goes by the line. */
bool pci_msix_enabled(const struct pci_msix *x);

/** Whether a vector must wait, which is remembered, until software unmasks it. */
bool pci_msix_hold(struct pci_msix *x, unsigned vector);

/** Store a vector's message, through the function's DMA; one that reaches nobody is lost. */
void pci_msix_store(struct pci_msix *x, unsigned vector);

/** What pci_function's `written` was called with; true: the capability has changed. */
bool pci_msix_written(struct pci_msix *x, unsigned offset, unsigned len);

/** Let go of what was pending and is not masked. */
void pci_msix_flush(struct pci_msix *x);

/** The BAR: the table, and behind it at PCI_MSIX_PENDING the pending bits. */
#define PCI_MSIX_BAR_SIZE 0x4000
#define PCI_MSIX_PENDING 0x2000
uint64_t pci_msix_read(const struct pci_msix *x, uint64_t offset);
void pci_msix_write(struct pci_msix *x, uint64_t offset, uint64_t value);

#endif
