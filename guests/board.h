/* A board: which devices a machine has and where, and the device tree that says so. */
#ifndef GUESTS_BOARD_H
#define GUESTS_BOARD_H

#include "devices/isa.h"
#include "guests/machine_internal.h"

struct board {
    const char *name; /* "virt" */
    const char *help;
    uint64_t ram_base;

    /**
     * Make and attach the devices a configuration asks for; set m->board_state. False with
     * sentences in err; what was made is finished by `finish` all the same.
     */
    bool (*attach)(struct machine *m, const struct machine_config *c, struct err *err);
    void (*finish)(struct machine *m);

    /**
     * The device tree for what was attached, and for m->boot (initrd); a heap block of
     * *len bytes, the caller's.
     */
    uint8_t *(*tree)(struct machine *m, const char *append, size_t *len);

    /** Up to n bytes that its first serial device has received, as firmware would take them. */
    size_t (*console_read)(struct machine *m, uint8_t *p, size_t n);

    /** The memory-mapped timer at the actor's now, and the earliest time at which it is `ticks`. */
    uint64_t (*mtime)(const struct machine *m);
    vtime_t (*mtime_when)(const struct machine *m, uint64_t ticks);
};

/** Ends in NULL. */
extern const struct board *const boards[];

/** By name; NULL: the default board. NULL if there is none. */
const struct board *board_find(const char *name);

extern const struct board board_virt;

/* --- the virt board, shared by board_virt.c and fdt_virt.c --- */

/** The slots of virt_map: what lies where, and on which line of the PLIC. */
enum virt_slot {
    VIRT_TEST,
    VIRT_RTC,
    VIRT_INSTANCE,
    VIRT_CLINT,
    VIRT_PLIC,
    VIRT_UART,
    VIRT_PCI_IO,
    VIRT_PCI_ECAM,
    VIRT_PCI_MEMORY,
    VIRT_VIRTIO,
    VIRT_ISA,
    VIRT_SLOTS
};

struct virt_range {
    const char *node; /* the device tree's name for it */
    uint64_t base, size;
    uint32_t irq;     /* PLIC source; 0: none */
    uint32_t count;   /* so many, `size` apart, on lines irq, irq + 1... */
};

extern const struct virt_range virt_map[VIRT_SLOTS];

#define VIRT_RAM_BASE 0x80000000ULL
#define VIRT_VIRTIO_SLOTS 8
#define VIRT_PCI_BRIDGES 8

/** Whether there is anything on its PCI bus. */
bool virt_has_pci(const struct machine *m);
/** The first of its ISA cards; NULL: there is none. */
const struct isa_card *virt_isa_cards(const struct machine *m);

/**
 * Change /chosen of a tree made elsewhere: bootargs (NULL: left alone), and the initrd of
 * `boot`. A new heap block in the place of *dtb. False: the tree is damaged.
 */
bool fdt_set_chosen(uint8_t **dtb, size_t *len, const char *append, const struct boot *boot);

uint8_t *fdt_virt(struct machine *m, const char *append, size_t *len);

#endif
