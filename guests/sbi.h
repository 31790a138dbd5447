/* The machine as its own firmware: the RISC-V Supervisor Binary Interface, version 2.0. */
#ifndef GUESTS_SBI_H
#define GUESTS_SBI_H

#include "guests/machine_internal.h"

/** hart_env.sbi_ecall: carry out the call in a7 (extension), a6 (function), a0... */
void sbi_ecall(struct hart *h);

/**
 * Put a reset hart into the state in which firmware hands it to a supervisor: traps and
 * interrupts delegated, counters, the timer and all memory open to it. `first`: it starts at
 * pc in S-mode; otherwise it is stopped, for HSM to start.
 */
void sbi_start(struct hart *h, uint64_t pc, uint64_t opaque, bool first);

/** A hart begins at pc in S-mode: a0 its id, a1 opaque, satp and sstatus.SIE 0 (SBI 2.0, 9.1). */
void hart_enter_supervisor(struct hart *h, uint64_t pc, uint64_t opaque);

/* --- between sbi.c and sbi_*.c --- */

/** Chapter 3, "Binary Encoding". */
enum sbi_error {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
};

/** What a call works on, and answers. */
struct sbi_call {
    struct machine *machine;
    struct hart *hart;
    const uint64_t *arg; /* a0 to a5 */
    uint64_t value;      /* to a1, of a call that is not legacy */
};

/** Returns enum sbi_error; for a legacy call, what goes into a0. */
typedef int64_t sbi_fn(struct sbi_call *c);

/** One function of one extension. */
struct sbi_row {
    uint32_t extension, function;
    sbi_fn *fn;
};

struct sbi_table {
    const struct sbi_row *rows;
    size_t n;
};

extern const struct sbi_table sbi_base, sbi_time, sbi_remote, sbi_hsm, sbi_system, sbi_legacy;

/** Whether any function of an extension is there. */
bool sbi_has(uint32_t extension);

/** Set a hart's timer, as set_timer and the legacy call do. */
void sbi_set_timer(struct hart *h, uint64_t ticks);

/** Call fn for each hart of a mask that starts at `base` (-1: all). SBI_ERR_INVALID_PARAM: no such. */
int64_t sbi_each_hart(struct sbi_call *c, uint64_t mask, uint64_t base,
                      void (*fn)(struct hart *target));

/** What IPIs and remote fences do to a hart. */
void sbi_ipi(struct hart *target);
void sbi_fence(struct hart *target);

/** How many bytes from the console, or to it, in one call. */
#define SBI_CONSOLE_MAX 4096

#endif
