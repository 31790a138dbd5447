/* The PCI host bridge: ECAM, windows to memory and I/O, interrupt lines; and bridges behind it. */
#ifndef DEVICES_PCI_HOST_H
#define DEVICES_PCI_HOST_H

#include "devices/pci.h"

struct isa_bus;

#define PCI_HOST_LINES 4

/** A range that answers now. */
struct pci_mapping {
    uint64_t base, size;
    struct pci_function *function;
    uint8_t bar;
    bool io;
};

/** What the host needs to know of its board. */
struct pci_host_config {
    uint64_t ecam, ecam_size;     /* 1 MiB per bus */
    uint64_t io, io_size;         /* the processor's window to I/O ports, which begin at 0 */
    uint64_t memory, memory_size; /* to memory, at the same addresses on the bus */
    struct irq_sink *sink;        /* where INTA..INTD of slot 0 end: lines first_line... */
    uint32_t first_line;
};

struct pci_host {
    struct device dev; /* its region is the ECAM */
    struct device io_window, memory_window;
    struct pci_function pci; /* itself: 00:00.0 */
    struct pci_host_config config;
    struct pci_function *functions;
    struct pci_bridge *bridges;
    struct isa_bus *isa; /* whose cards are in the window to I/O ports and answer first; or NULL */
    struct irq lines[PCI_HOST_LINES];
    bool moved;                   /* `mappings` is out of date */
    struct pci_mapping *mappings; /* sorted by (io, base); never overlapping */
    uint32_t n_mappings, cap_mappings;
};

/** A bridge to another bus (PCI-to-PCI Bridge Architecture 1.2). */
struct pci_bridge {
    struct device dev;
    struct pci_function pci;
    struct pci_bridge *next;
};

/** Make a host; the caller attaches its three devices to the machine, in this order. */
void pci_host_init(struct pci_host *h, struct device_env *env, const char *name,
                   const struct pci_host_config *c);

/** Make a bridge, to be connected like any function. */
void pci_bridge_init(struct pci_bridge *b, struct device_env *env, const char *name);

/** Connect a function to the root bus (`behind` NULL) or a bridge's far side; resets it. */
void pci_attach(struct pci_host *h, struct pci_function *f, struct pci_bridge *behind,
                unsigned devfn);

/** Connect a bridge. */
void pci_attach_bridge(struct pci_host *h, struct pci_bridge *b, struct pci_bridge *behind,
                       unsigned devfn);

/** The host's line that pin `pin` (1..4) of a function ends at, through the bridges above it. */
unsigned pci_host_pin_line(const struct pci_function *f, unsigned pin);

/* --- pci.c's --- */

/** A function holds its line, or lets go of it. */
void pci_host_lines_changed(struct pci_host *h);
/** Base addresses, or what is decoded, may have changed. */
void pci_host_moved(struct pci_host *h);
static inline const struct pci_function *pci_bridge_function(const struct pci_bridge *b)
{
    return &b->pci;
}

#endif
