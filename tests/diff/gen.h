/* Inside the generator: its state, and the operands of single instructions. */
#ifndef TESTS_DIFF_GEN_H
#define TESTS_DIFF_GEN_H

#include "tests/diff/diff.h"

/* Registers that point to the scratch: nothing else is written to them. */
#define SP 2
#define S0 8
#define S1 9

/* A jump whose distance is known when all sizes are. */
struct fixup {
    unsigned at;     /* instruction to patch */
    unsigned from;   /* instruction that its offset counts from */
    unsigned skip;   /* how many instructions after `at` to jump over */
    char kind;       /* b, a, B, A as in table.h, or i for a JALR's immediate */
};

struct gen {
    struct dice dice;
    struct program *p;
    struct fixup fixups[MAX_INSNS];
    unsigned n_fixups;
    bool inside[MAX_INSNS + 1]; /* not the first of a group: no branch may lead here */
};

static inline unsigned below(struct gen *g, unsigned n)
{
    return dice_below(&g->dice, n);
}

/** Bits hi..lo of v, moved to bit `to`. */
static inline uint32_t bits(uint32_t v, unsigned hi, unsigned lo, unsigned to)
{
    return (v >> lo & ((1u << (hi - lo + 1)) - 1)) << to;
}

/** A register to read: some more often, so that instructions feed each other. */
unsigned source_reg(struct gen *g);
/** A register that may be written; x0 among them, or not. */
unsigned target_reg(struct gen *g);
unsigned nonzero_target(struct gen *g);

/** The field for one letter of table.h's operands, in an instruction of 32 or of 16 bits. */
uint32_t operand_wide(struct gen *g, char c);
uint32_t operand_narrow(struct gen *g, char c);

#endif
