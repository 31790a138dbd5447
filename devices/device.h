/* What a device is, and the little it sees of its machine: DMA, an interrupt line, time. */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include <stdbool.h>

#include "sim/actor.h"
#include "sim/state.h"

struct device;
struct frame_origin;

enum power_request { POWER_OFF, POWER_FAIL, POWER_RESET };

/** Where an interrupt line ends: an interrupt controller, which embeds this. */
struct irq_sink {
    /** Line `n` is now `level`. Edge or level is the controller's business. */
    void (*set)(struct irq_sink *sink, uint32_t n, bool level);
};

/** A device's end of an interrupt line; remembers its level, so that setting it twice is free. */
struct irq {
    struct irq_sink *sink; /* NULL: not connected */
    uint32_t n;
    bool level;
};

static inline void irq_set(struct irq *irq, bool level)
{
    if (irq->level == level)
        return;
    irq->level = level;
    if (irq->sink)
        irq->sink->set(irq->sink, irq->n, level);
}

/**
 * Guest memory as a bus master sees it: RAM only. An address that is not RAM, in whole or in
 * part, makes a call return false with nothing transferred; devices' own registers are not
 * reachable, so DMA cannot re-enter a device (CVE-2021-3416).
 */
struct dma {
    bool (*read)(struct dma *dma, uint64_t addr, void *buf, size_t len);
    bool (*write)(struct dma *dma, uint64_t addr, const void *buf, size_t len);
};

/** What a machine lends its devices. */
struct device_env {
    struct actor *actor; /* time: actor->now, exact in every handler; timers: actor->events */
    struct dma *dma;
    uint64_t run_seed;   /* for rng_init with the device's name */
    /** Fill in where the store that is executing came from. May be NULL. */
    void (*origin)(struct device_env *env, struct frame_origin *origin);
    /** The guest asked the machine to stop or start again (test finisher, syscon, SBI SRST). */
    void (*power)(struct device_env *env, enum power_request what, uint32_t code);
};

/**
 * One range of addresses on a bus. Accesses of a size outside [min_size, max_size] (bytes) or
 * not naturally aligned are answered by the bus with an access fault; a handler sees only
 * offset < size and sizes it said it takes. Handlers may be NULL: reads give 0, writes vanish.
 */
struct region {
    const char *name;
    uint64_t base, size;
    uint8_t min_size, max_size;
    uint64_t (*read)(struct device *dev, uint64_t offset, unsigned size);
    void (*write)(struct device *dev, uint64_t offset, uint64_t value, unsigned size);
};

struct device_ops {
    const char *name;           /* "ns16550a" */
    const char *help;           /* one line */
    const struct field *state;  /* relative to the struct device's container: see `object` */
    void (*reset)(struct device *dev);  /* after state_reset; may be NULL */
    void (*finish)(struct device *dev); /* frees what the device holds; may be NULL */

    /**
     * The machine becomes a clone of another: take over what `state` does not list from the same
     * device of that one - timers, a disk's contents. What makes the device this one and no
     * other (its address, its random numbers) stays. Nothing is running. May be NULL.
     */
    void (*clone)(struct device *dev, const struct device *from);

    /** The first moment of a clone's life, within its run: tell the driver. May be NULL. */
    void (*cloned)(struct device *dev);
};

/** Embedded in each device. */
struct device {
    const struct device_ops *ops;
    char *name;              /* "h1.uart0" */
    void *object;            /* the struct that `state` describes */
    struct device_env *env;
    struct region region;    /* size 0: none */
    struct irq irq;
    struct device *next;     /* of the same machine */
};

/** Fill in the common part and reset it to its table's values. `name` is copied. */
void device_init(struct device *dev, const struct device_ops *ops, void *object, const char *name,
                 struct device_env *env);
void device_reset(struct device *dev);
/** Make a device what the same device of another machine is: `state`, its line, ops->clone. */
void device_clone(struct device *dev, const struct device *from);
void device_finish(struct device *dev);

/**
 * Count a misuse by the guest and, where tracing is on for the device, say it:
 * "h1.eth0 e1000: TX length 9000 > 1536".
 */
void device_warn(struct device *dev, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Misuses counted in the process since the start; and whether to print them to stderr. */
extern _Atomic uint64_t device_warnings;
extern bool device_trace;

#endif
