/* A hart: one RV64GC hardware thread, its state, and how it is run. */
#ifndef GUESTS_HART_H
#define GUESTS_HART_H

#include <stdbool.h>
#include <stdio.h>

#include "devices/bus.h"
#include "guests/ram.h"
#include "sim/state.h"

struct hart;
struct hart_caches;
struct jump;
struct tlb_entry;

enum priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Bits of mip and mie (Privileged 3.1.9). */
enum { IRQ_SSI = 1, IRQ_MSI = 3, IRQ_STI = 5, IRQ_MTI = 7, IRQ_SEI = 9, IRQ_MEI = 11 };

/** What the harts of one machine share. */
struct hart_env {
    struct ram *ram;
    struct bus *bus;
    struct actor *actor;   /* actor->now is set before a device is reached */
    unsigned mips;         /* instructions per virtual microsecond */
    unsigned n_harts;
    struct hart *harts;    /* an array of n_harts */

    /**
     * ecall from S-mode, where the machine is its own firmware (SBI); NULL: it traps. Reads and
     * writes h->x[10..17]; the instruction retires when it returns.
     */
    void (*sbi_ecall)(struct hart *h);

    /** stimecmp was written: the machine moves its timer event. May be NULL. */
    void (*stimecmp_changed)(struct hart *h);

    /** The memory-mapped mtime, for `time`: virtual ns / 100 (10 MHz) unless it was written. */
    uint64_t (*mtime)(struct hart *h);
};

/** Why hart_run came back. */
enum hart_stop {
    HART_BUDGET, /* icount is `until_icount` */
    HART_WFI,    /* sleeps until an interrupt in mie is pending */
    HART_SYNC,   /* touched a device or timer: the machine looks at its events, then resumes */
};

/* Integer and floating-point state is laid out first: the translator addresses it by offset. */
struct hart {
    struct tlb_entry *tlb; /* cache: of the mode that data accesses have now */
    uint64_t tlb_mask;
    uint64_t x[33];  /* x[0] is 0; x[32] takes writes to x0 */
    uint64_t f[32];  /* NaN-boxed */
    uint64_t pc;
    /* The hart's clock: instructions retired, and one for each exception, so that a guest
     * that only faults gets older too. minstret_offset takes those out again for minstret. */
    uint64_t icount;
    enum priv priv;
    bool wfi;        /* waits for an interrupt */
    bool stopped;    /* SBI HSM: not started */
    uint32_t id;
    struct hart_env *env;

    uint64_t idle_ns; /* virtual time spent asleep: see hart_now */

    /* CSRs; fields with a view (sstatus, sie, sip...) are kept in the machine-level register. */
    uint64_t mstatus, medeleg, mideleg, mie, mip, mtvec, mepc, mcause, mtval, mscratch;
    uint64_t mcounteren, mcountinhibit, menvcfg, mseccfg;
    uint64_t stvec, sepc, scause, stval, sscratch, scounteren, senvcfg, satp, stimecmp;
    int64_t mcycle_offset, minstret_offset; /* what writes to the counters added */
    uint8_t fflags, frm;
    uint64_t pmpaddr[16];
    uint8_t pmpcfg[16];

    /* LR/SC: physical address | 1 for a doubleword, ~0 when none; and what was read there. */
    uint64_t reserve_addr, reserve_value;
    bool sei_line, sei_soft; /* mip.SEIP is either (Privileged 3.1.9) */
    uint64_t n_traps;

    /* What follows is derived: caches that may be dropped at any time without a guest seeing. */
    struct hart_caches *caches;
    struct jump *jumps;
    uint64_t jump_mask, jump_xor;
    bool may_zero;    /* CBO.ZERO is allowed now */
    uint64_t page_va; /* machine code: of the page that it is in */
    uint64_t mem_value;
    uint8_t fp_on;   /* FS is dirty and the host's unit is set up for this hart */
    uint8_t fp_live; /* FP_DYN if, besides, the host rounds as frm says; else no mode at all */
    bool stepped;    /* machine code: the instruction it asked for is done */
    FILE *trace;     /* a line for each instruction goes there; not ours; NULL: none */
};

extern const struct field hart_fields[]; /* of the architectural state */

/** Put a hart into the state after reset: M-mode, pc as given, everything else zero or WARL. */
void hart_init(struct hart *h, struct hart_env *env, uint32_t id);
void hart_reset(struct hart *h, uint64_t pc);
void hart_finish(struct hart *h);

/** Virtual time the hart has come to: retired instructions at `mips`, and what it slept. */
static inline vtime_t hart_now(const struct hart *h)
{
    uint64_t n = h->icount;
    unsigned mips = h->env->mips;

    return (vtime_t)(h->idle_ns + (mips == 1000 ? n : (uint64_t)((unsigned __int128)n * 1000 / mips)));
}

/** The smallest icount at which hart_now is >= t: the budget for running to t. */
uint64_t hart_icount_at(const struct hart *h, vtime_t t);

/** A sleeping or stopped hart skips to t (>= hart_now) without executing. */
void hart_skip_to(struct hart *h, vtime_t t);

/**
 * Execute until icount reaches until_icount exactly, or a reason to stop earlier. Pending
 * interrupts are taken on entry and after instructions that can change what is pending, at no
 * other time; so a run may be cut anywhere with the same result.
 */
enum hart_stop hart_run(struct hart *h, uint64_t until_icount);

/** Set or clear a bit of mip from outside (CLINT, PLIC, timer). */
void hart_set_pending(struct hart *h, unsigned irq_bit, bool level);

/** Whether an enabled interrupt is pending, globally enabled or not: what wakes WFI. */
static inline bool hart_has_wakeup(const struct hart *h)
{
    return (h->mip & h->mie) != 0;
}

/** Let go of cached translations and decoded code: sfence.vma for everything. */
void hart_flush(struct hart *h);

/**
 * Take over the state of a hart of another machine, whose pages are about to be shared: neither
 * runs, and both will find every store's page anew.
 */
void hart_clone(struct hart *h, struct hart *original);

/** RAM slot changing (see struct ram.changing): let go of host pointers to that page. */
void hart_page_changing(struct hart *h, uint64_t addr, struct page *old);

/** A CSR by number for gdb-like readers; false if there is none. Has no side effect. */
bool hart_csr_peek(struct hart *h, unsigned csr, uint64_t *value);

/** Translate as the hart's data accesses would, with no side effect; false: it would fault. */
bool hart_translate(struct hart *h, uint64_t va, uint64_t *pa);

/** Host bytes that the hart's caches take. */
size_t hart_cache_bytes(const struct hart *h);

#endif
