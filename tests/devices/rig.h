/* Devices with no machine around them: flat RAM, time by assignment, lines that are watched. */
#ifndef TESTS_DEVICES_RIG_H
#define TESTS_DEVICES_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "devices/device.h"
#include "sim/frame.h"
#include "sim/port.h"
#include "sim/sim.h"

#define RIG_RAM_BASE 0x80000000ULL
#define RIG_RAM_SIZE (1u << 20)
#define RIG_LINES 128

struct rig {
    struct sim sim;
    struct actor actor;
    struct device_env env;
    struct dma dma;
    uint32_t dma_reads; /* how often memory was read */
    uint8_t *ram;
    uint64_t heap;              /* where rig_alloc is */
    struct irq_sink sink;
    bool line[RIG_LINES];
    unsigned rises[RIG_LINES];  /* how often each went up */
    unsigned power_requests;
    enum power_request power_what;
    uint32_t power_code;
};

void rig_init(struct rig *r);

/** End it, and assert that no frame is alive. The devices are finished by then. */
void rig_finish(struct rig *r);

/** Wire a device's interrupt to a line. */
void rig_wire(struct rig *r, struct device *dev, unsigned line);

/** Let time pass, firing events at their times. */
void rig_advance(struct rig *r, vtime_t to);

/** Zeroed RAM of the guest, 4 KiB aligned. */
uint64_t rig_alloc(struct rig *r, uint32_t len);
/** The host's view of it. */
uint8_t *rig_at(struct rig *r, uint64_t addr);

/* Register accesses, with the checks a bus makes. */
uint64_t rig_read(struct device *dev, uint64_t offset, unsigned size);
void rig_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size);

/** Frames the device sent since the last call of rig_forget. */
unsigned rig_sent(const struct rig *r);
struct frame *rig_frame(const struct rig *r, unsigned i);
void rig_forget(struct rig *r);

/** A frame arrives at a port now. Borrowed. */
void rig_receive(struct rig *r, struct port *p, struct frame *f);

/** Assert that after writes all over it a reset gives every field of the table its value. */
void rig_check_reset(struct rig *r, struct device *dev);

/** A reproducible stream of numbers; SEED in the environment replaces the default. */
uint64_t rig_seed(void);

#endif
