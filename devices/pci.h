/* PCI functions: configuration space, base addresses, interrupts (PCI Local Bus 3.0, chapter 6). */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "devices/device.h"

#define PCI_CONFIG_SIZE 256
#define PCI_BARS 6
#define PCI_SLOTS 32 /* on one bus */

/* Configuration registers (6.1). */
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* three bytes: interface, subclass, class */
    PCI_CACHE_LINE = 0x0c,
    PCI_LATENCY = 0x0d,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_MIN_GNT = 0x3e, /* in quarters of a microsecond, as MAX_LAT */
    PCI_MAX_LAT = 0x3f,
};

enum {
    PCI_COMMAND_IO = 1,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
    PCI_COMMAND_INTX_DISABLE = 0x400,
};

enum {
    PCI_STATUS_INTERRUPT = 0x08,
    PCI_STATUS_CAPABILITIES = 0x10,
    PCI_STATUS_66MHZ = 0x20,
    PCI_STATUS_FAST_BACK = 0x80,
    PCI_STATUS_MEDIUM = 0x0200, /* how fast DEVSEL is */
    PCI_STATUS_MASTER_ABORT = 0x2000, /* nothing answered */
};

enum { PCI_CAPABILITY_POWER = 0x01, PCI_CAPABILITY_EXPRESS = 0x10 };

enum { PCI_BAR_MEMORY = 0, PCI_BAR_IO = 1, PCI_BAR_64BIT = 4, PCI_BAR_PREFETCH = 8 };

struct pci_bridge;
struct pci_function;
struct pci_host;

/**
 * One base address register and what answers behind it. Accesses of other sizes than those from
 * min_size to max_size, or not aligned, read as all ones and vanish; handlers see offset < size.
 */
struct pci_bar {
    const char *name;
    uint32_t size; /* bytes, a power of two, >= 16 (memory) or 4 (I/O); 0: no such register */
    uint8_t flags; /* PCI_BAR_...; a 64-bit one takes the next register too */
    uint8_t min_size, max_size;
    uint64_t (*read)(struct device *dev, uint64_t offset, unsigned size);
    void (*write)(struct device *dev, uint64_t offset, uint64_t value, unsigned size);
};

/** Who a function is. */
struct pci_id {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t revision;
    uint32_t class_code; /* 0x020000: Ethernet controller */
    uint8_t pin;         /* 1..4: INTA..INTD; 0: it does not interrupt */
};

/** Embedded in a device's struct; the device's `state` has PCI_FIELDS, its `reset` calls pci_reset.
 */
struct pci_function {
    struct device *dev;
    struct pci_host *host;
    struct pci_function *next; /* of the same host */
    struct pci_bridge *behind; /* the bridge to whose far side it is connected; NULL: the root */
    uint8_t devfn;             /* slot << 3 | function */
    uint8_t config[PCI_CONFIG_SIZE];
    bool interrupting; /* the device's wish, whatever the command register says */
    bool line;         /* what has reached the host */

    /* Made once. */
    uint8_t initial[PCI_CONFIG_SIZE];   /* after a reset */
    uint8_t writable[PCI_CONFIG_SIZE];  /* bits that software sets */
    uint8_t clearable[PCI_CONFIG_SIZE]; /* bits that software clears by writing 1 */
    struct pci_bar bars[PCI_BARS];
    uint8_t last_capability; /* where the list ends; 0: it is empty */
    uint8_t free_config;     /* where the next one may begin */
    bool is_express;         /* has the capability of PCI Express */
    struct device_env env;   /* the device's: its DMA goes by the command register */
    struct device_env *outer;
    struct dma dma;
    /** Software will read, or has written, `len` bytes of config at `offset`. May be NULL. */
    void (*reading)(struct pci_function *f, unsigned offset, unsigned len);
    void (*written)(struct pci_function *f, unsigned offset, unsigned len);
};

/* Rows for the state table of a struct `st` whose member `pci` is the struct pci_function. */
#define PCI_FIELDS(st)                                                                             \
    FIELD(st, pci.config, FIELD_U8, 0), FIELD(st, pci.interrupting, FIELD_BOOL, 0),                \
        FIELD(st, pci.line, FIELD_BOOL, 0)

/**
 * Make a function of a device (initialised; its env is replaced by one whose DMA honours bus
 * mastering, here and in the bridges above). It is on no bus yet: pci_attach.
 */
void pci_init(struct pci_function *f, struct device *dev, const struct pci_id *id);

/** What answers at base address register `n`; `bar` is copied. Before the first reset. */
void pci_set_bar(struct pci_function *f, unsigned n, const struct pci_bar *bar);

/**
 * Add a capability of `len` bytes (id and next pointer included), all zero and read-only but for
 * those. Returns its offset; fill in f->initial and f->writable.
 */
unsigned pci_add_capability(struct pci_function *f, uint8_t id, unsigned len);

/** Everything as after RST#; from the device's reset. */
void pci_reset(struct pci_function *f);

/** The device's INTx wish. */
void pci_interrupt(struct pci_function *f, bool level);

/** Whether it may access memory: bus mastering, its own and of the bridges above it. */
bool pci_is_master(const struct pci_function *f);

/** Read, or write, its configuration space: 1, 2 or 4 bytes, aligned. */
uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *f, unsigned offset, uint32_t value, unsigned size);

/** Where register `n` is now; false: it decodes nothing. */
bool pci_bar_address(const struct pci_function *f, unsigned n, uint64_t *at);

#endif
