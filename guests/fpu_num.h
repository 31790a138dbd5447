/* The wide format in which fpu_soft.c computes: unpacked, normalised, rounded once at the end. */
#ifndef GUESTS_FPU_NUM_H
#define GUESTS_FPU_NUM_H

#include "guests/fpu_soft.h"

typedef unsigned __int128 u128;

enum num_kind { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_NAN };

/*
 * A finite number is sig * 2^(exp - 126) with bit 126 of sig set, so 1 <= sig * 2^-126 < 2. At
 * most 106 bits below are in use before an addition; bit 0 may stand for any nonzero remainder.
 */
struct num {
    enum num_kind kind;
    bool sign;
    bool signalling; /* NaN only */
    int exp;
    u128 sig;
};

#define SIG_TOP 126

/** A finite number from any nonzero sig, normalised. */
struct num num_finite(bool sign, int exp, u128 sig);
struct num num_special(enum num_kind kind, bool sign);

struct num num_unpack(const struct fp_format *f, uint64_t a);
/** Rounds to the format; raises OF, UF and NX as they come. */
uint64_t num_pack(const struct fp_format *f, const struct num *n, enum fp_rm rm, uint8_t *flags);

/** Shift right by any distance, any bit lost remembered in bit 0. */
u128 num_shift_jam(u128 v, unsigned n);

/** Whether to add one to the kept part, for what was cut off: `half` is its first bit. */
bool num_rounds_up(enum fp_rm rm, bool sign, bool odd, bool half, bool rest);

/** Cut the low n (1..127) bits off, rounding; *inexact tells whether any of them was set. */
u128 num_round_at(u128 v, unsigned n, bool sign, enum fp_rm rm, bool *inexact);

#endif
