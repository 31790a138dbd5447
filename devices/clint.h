/* The CLINT: software interrupts and the machine timer of each hart. */
#ifndef DEVICES_CLINT_H
#define DEVICES_CLINT_H

#include "devices/device.h"

#define CLINT_MAX_HARTS 8
#define CLINT_SIZE 0x10000
#define CLINT_NS_PER_TICK 100 /* 10 MHz */

/* `irq` below: the bit of mip (Privileged 3.1.9). */
enum { CLINT_MSI = 3, CLINT_MTI = 7 };

struct clint_ops {
    /** Line `irq` of a hart is now `level`. */
    void (*set)(void *opaque, unsigned hart, unsigned irq, bool level);
    /** mtime was written, so that other timers which compare with it must move. May be NULL. */
    void (*mtime_written)(void *opaque);
};

struct clint {
    struct device dev;
    const struct clint_ops *ops;
    void *opaque;
    unsigned n_harts;
    uint32_t msip[CLINT_MAX_HARTS];
    uint64_t mtimecmp[CLINT_MAX_HARTS];
    uint64_t offset; /* mtime = virtual time in ticks + this */
    bool mtip[CLINT_MAX_HARTS];
    struct clint_timer {
        struct event event;
        struct clint *clint;
        unsigned hart;
    } timers[CLINT_MAX_HARTS];
};

/** Region CLINT_SIZE. n_harts <= CLINT_MAX_HARTS. Lines start low. */
void clint_init(struct clint *c, struct device_env *env, const char *name, unsigned n_harts,
                const struct clint_ops *ops, void *opaque);

/** The timer at the actor's now. */
uint64_t clint_mtime(const struct clint *c);

/** The earliest virtual time at which mtime >= ticks; VTIME_NEVER if that is never. */
vtime_t clint_when(const struct clint *c, uint64_t ticks);

/** What a store to mtimecmp does; for the SBI. */
void clint_set_mtimecmp(struct clint *c, unsigned hart, uint64_t ticks);

/** What a store to msip does; for the SBI. */
void clint_set_msip(struct clint *c, unsigned hart, bool level);

#endif
