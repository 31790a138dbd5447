/* Random programs that never end: loops, calls, faults, code that changes, pages that come and go. */
#ifndef TESTS_DIFF_LOOPS_H
#define TESTS_DIFF_LOOPS_H

#include "guests/hart.h"
#include "tests/diff/diff.h"

/*
 * The guest's memory, by pages:
 *
 *     0       the trap handler, which goes on after the instruction or anywhere in the code
 *     1       what the handler counts, and its constants
 *     2 3     code
 *     4 5     what the program loads and stores
 *     6 7 8   page tables: every page at its own address, and again LOOPS_ALIAS above
 */
#define LOOPS_PAGES 10
#define LOOPS_ALIAS 0x100000u
#define LOOPS_DEVICE 0x10000000ULL
#define LOOPS_MAX_CODE 0x2000u

struct loops {
    uint8_t ram[LOOPS_PAGES * 4096];
    uint64_t x[32], f[32];
    uint64_t mstatus, satp, pc;
    uint8_t priv, frm;
    bool pmp_hole; /* 16 bytes of code that S and U mode must not reach */
    uint64_t pmp_hole_addr;
    unsigned period; /* instructions from one timer interrupt to the next */
};

/** The same for the same seed. */
void loops_generate(struct loops *p, uint64_t seed);

/** Put a hart whose RAM starts at RAM_BASE into the program's start. */
void loops_start(const struct loops *p, struct ram *ram, struct hart *h);

#endif
