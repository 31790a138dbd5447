/* What the parts of the differential test share: a program, its outcome, and who runs it. */
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

#include <stdbool.h>

#include "sim/base.h"

/*
 * The guest's memory, the same on both sides:
 *
 *     HARNESS  loads the registers of `struct start`, runs the program, logs and skips what
 *              traps, stores `struct outcome`, and ends in a wfi (harness.c)
 *     START    struct start
 *     OUTCOME  struct outcome, without the scratch
 *     SCRATCH  what the program loads and stores
 *     CODE     the program
 *     TABLES   page tables (tables_fill)
 */
#define RAM_BASE 0x80000000ULL
#define HARNESS_ADDR RAM_BASE
#define START_ADDR (RAM_BASE + 0x2000)
#define OUTCOME_ADDR (START_ADDR + 0x400) /* near enough for one base register */
#define SCRATCH_ADDR (RAM_BASE + 0x4000)
#define CODE_ADDR (RAM_BASE + 0x6000)

#define TABLES_ADDR (RAM_BASE + 0x8000)
#define TABLES_BYTES 0x4000
#define SCRATCH_ALIAS (SCRATCH_ADDR + 0x100000000) /* mapped there too, for programs with Sv39 */

#define MAX_INSNS 256
#define MAX_TRAPS 40
#define SCRATCH_BYTES 1152
#define SCRATCH_MIDDLE 512 /* x2, x8 and x9 point about there */

/** Little-endian 64-bit words, as the harness lays them out. */
struct start {
    uint64_t x[32];
    uint64_t f[32];
    uint64_t fcsr;
    uint64_t mstatus; /* MPP: the mode that the program runs in */
    uint64_t satp;
    uint64_t end; /* a trap at or after this address ends the program */
};

struct trap {
    uint64_t cause, epc, tval, status;
};

struct outcome {
    uint64_t x[32];
    uint64_t f[32];
    uint64_t fcsr;
    uint64_t n_traps;
    struct trap traps[MAX_TRAPS]; /* those after n_traps are left over */
    uint8_t scratch[SCRATCH_BYTES];
};

#define OUTCOME_FIXED offsetof(struct outcome, traps)

struct insn {
    const char *name;
    uint32_t word;
    uint8_t size; /* 2 or 4 */
};

struct program {
    struct start start; /* `end` is filled in by program_encode */
    uint8_t scratch[SCRATCH_BYTES];
    struct insn insns[MAX_INSNS];
    unsigned n;
};

/** A program of about `length` instructions, the same for the same seed. */
void program_generate(struct program *p, uint64_t seed, unsigned length);

/** Address of instruction i; of the end for i == n. */
uint64_t program_address(const struct program *p, unsigned i);

/**
 * The bytes of the first n instructions, each of those after them replaced by a trap, and a last
 * trap: *len of them, at most MAX_CODE. Sets p->start.end to where instruction n begins.
 */
#define MAX_CODE (MAX_INSNS * 4 + 4)
void program_encode(struct program *p, unsigned n, uint8_t *code, unsigned *len);

/** The harness's code: a number of words. *wfi is the address where it comes to rest. */
unsigned harness_encode(uint32_t *words, unsigned max, uint64_t *wfi);

/** What lies at TABLES_ADDR: 64-bit little-endian page table entries. */
void tables_fill(uint8_t tables[TABLES_BYTES]);

/** Sv39 by those tables, as programs in S and U mode use them. */
uint64_t tables_satp(bool user);

/** Someone who runs programs. One at a time. */
struct runner {
    const char *name;
    /** False, with a reason, if it is not to be had here. */
    bool (*open)(char *why, size_t why_len);
    /** False, with a reason, if it did not come to the end. */
    bool (*run)(const struct start *start, const uint8_t *scratch, const uint8_t *code,
                unsigned code_len, struct outcome *out, char *why, size_t why_len);
    void (*close)(void);
};

extern const struct runner runner_ours, runner_qemu;

/* A small seeded generator: splitmix64. */
struct dice {
    uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static inline unsigned dice_below(struct dice *d, unsigned n)
{
    return (unsigned)(dice_roll(d) % n);
}

/** Values where something happens: limits, few bits set, floating-point edges of both sizes. */
uint64_t value_any(struct dice *d);

#endif
