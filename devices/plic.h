/* The PLIC: interrupt lines of the board's devices, to the harts' external interrupts. */
#ifndef DEVICES_PLIC_H
#define DEVICES_PLIC_H

#include "devices/device.h"

#define PLIC_SOURCES 96       /* line 0 does not exist; the device tree's riscv,ndev is 95 */
#define PLIC_WORDS (PLIC_SOURCES / 32)
#define PLIC_MAX_CONTEXTS 16  /* hart N: M-mode 2N, S-mode 2N + 1 */
#define PLIC_MAX_PRIORITY 7
#define PLIC_SIZE 0x600000

struct plic {
    struct device dev;
    struct irq_sink sink; /* what devices connect to: irq.sink = &plic->sink, irq.n = 1..95 */
    unsigned n_contexts;
    void (*set)(void *opaque, unsigned context, bool level);
    void *opaque;
    uint32_t priority[PLIC_SOURCES];
    uint32_t level[PLIC_WORDS];   /* the lines as devices hold them */
    uint32_t pending[PLIC_WORDS];
    uint32_t busy[PLIC_WORDS];    /* gateways closed until completion */
    uint32_t enable[PLIC_MAX_CONTEXTS * PLIC_WORDS];
    uint32_t threshold[PLIC_MAX_CONTEXTS];
    bool out[PLIC_MAX_CONTEXTS];  /* what `set` was told last */
};

/** Region PLIC_SIZE. `set(opaque, context, level)` is called when an output changes. */
void plic_init(struct plic *p, struct device_env *env, const char *name, unsigned n_contexts,
               void (*set)(void *opaque, unsigned context, bool level), void *opaque);

#endif
