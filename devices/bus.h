/* A bus: which device answers at which physical address. */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stdbool.h>

#include "devices/device.h"

#define BUS_MAX_REGIONS 64

/** Regions sorted by base; they never overlap. */
struct bus {
    struct region *regions[BUS_MAX_REGIONS];
    struct device *devices[BUS_MAX_REGIONS];
    unsigned n;
    unsigned last; /* the region that answered last */
};

/**
 * Attach a device's region (dev->region): checked once, here: base + size does not wrap,
 * no overlap, sizes are powers of two up to 8. A violation is ours: assert.
 */
void bus_attach(struct bus *b, struct device *dev);

/**
 * One access of 1, 2, 4 or 8 bytes. False: nothing answers there, or not at that size and
 * alignment: an access fault for the guest. Reads are zero-extended.
 */
bool bus_read(struct bus *b, uint64_t addr, unsigned size, uint64_t *value);
bool bus_write(struct bus *b, uint64_t addr, unsigned size, uint64_t value);

#endif
