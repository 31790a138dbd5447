/* IEEE 754 arithmetic in integers: every operation and rounding mode, on any host. */
#ifndef GUESTS_FPU_SOFT_H
#define GUESTS_FPU_SOFT_H

#include "guests/fpu.h"

/** A binary interchange format (IEEE 754 3.4). */
struct fp_format {
    unsigned bits;      /* of the whole, 32 or 64 */
    unsigned precision; /* of the significand, its hidden bit included */
};

extern const struct fp_format fp_single, fp_double;

/*
 * Values are raw bits in the low end of a uint64_t. `rm` is any of the five modes, never FP_DYN.
 * Flags raised are added to *flags. Tininess is detected after rounding (Unprivileged 11.2), and
 * a NaN result is the canonical one (11.3).
 */
uint64_t soft_op2(const struct fp_format *f, enum fp_op2 op, uint64_t a, uint64_t b,
                  enum fp_rm rm, uint8_t *flags);
uint64_t soft_sqrt(const struct fp_format *f, uint64_t a, enum fp_rm rm, uint8_t *flags);
uint64_t soft_fma(const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c, enum fp_rm rm,
                  uint8_t *flags);
uint64_t soft_convert(const struct fp_format *to, const struct fp_format *from, uint64_t a,
                      enum fp_rm rm, uint8_t *flags);

/** From the integer `negative ? -magnitude : magnitude`. */
uint64_t soft_from_int(const struct fp_format *f, bool negative, uint64_t magnitude,
                       enum fp_rm rm, uint8_t *flags);

/** To a signed or unsigned integer of 32 or 64 bits; out of range saturates and raises NV alone. */
uint64_t soft_to_int(const struct fp_format *f, uint64_t a, unsigned bits, bool is_signed,
                     enum fp_rm rm, uint8_t *flags);

#endif
