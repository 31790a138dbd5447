/* An ISA bus: cards at I/O ports of their own choice, and sixteen interrupt lines. */
#ifndef DEVICES_ISA_H
#define DEVICES_ISA_H

#include "devices/device.h"

#define ISA_LINES 16
#define ISA_PORTS 0x1000 /* cards have theirs below */

/** Embedded in a card's struct; the card's device has no region. */
struct isa_card {
    struct device *dev;
    uint16_t base, size; /* its ports */
    uint8_t irq;         /* 0..15 */
    /** Its ports, offset < size: 1 or 2 bytes; wider accesses are several of two. */
    uint64_t (*read)(struct device *dev, uint64_t offset, unsigned size);
    void (*write)(struct device *dev, uint64_t offset, uint64_t value, unsigned size);
    struct isa_card *next;
};

/** What a machine has one of: its ports are those of the window that PCI cards have theirs in, too.
 */
struct isa_bus {
    struct isa_card *cards; /* in the order in which they were attached */
    struct irq_sink *sink;  /* IRQ n is line first_line + n of it */
    uint32_t first_line;
};

/**
 * Attach a card, whose ports and line are its own (the topology's checks see to it), and wire its
 * interrupt. A line is held, not pulsed: the controllers of machines without a PC's 8259 want
 * levels.
 */
void isa_attach(struct isa_bus *bus, struct isa_card *card);

/** Read or write a port. False: there is no card at it. */
bool isa_read(struct isa_bus *bus, uint64_t port, unsigned size, uint64_t *value);
bool isa_write(struct isa_bus *bus, uint64_t port, unsigned size, uint64_t value);

#endif
