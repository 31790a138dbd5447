/* Floating point exactly as the F and D extensions say, flags and rounding included. */
#ifndef GUESTS_FPU_H
#define GUESTS_FPU_H

#include <stdbool.h>

#include "sim/base.h"

/* Bits of fflags (Unprivileged 11.2). */
enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };

/* Rounding modes; FP_DYN in an instruction means frm. */
enum fp_rm { FP_RNE, FP_RTZ, FP_RDN, FP_RUP, FP_RMM, FP_DYN = 7 };

#define F32_NAN 0x7fc00000u
#define F64_NAN 0x7ff8000000000000ULL

/*
 * The host's floating-point unit does the work where it is exact: its flags accumulate by
 * themselves while a hart runs. fpu_enter makes the host's environment a hart's, fpu_leave
 * takes the flags out and gives the host back its own. Between them the host's rounding mode
 * is `frm` (RNE while frm is RMM or reserved: those operations go the slow way).
 */
struct fpu_host {
    uint32_t saved; /* the host's own control word */
};
void fpu_enter(struct fpu_host *host, unsigned frm);
void fpu_leave(struct fpu_host *host, uint8_t *fflags);
/** Between enter and leave: read (and keep) or replace the flags accumulated, change frm. */
uint8_t fpu_flags(void);
void fpu_set_flags(uint8_t flags);
void fpu_set_frm(unsigned frm);

enum fp_op2 { FP_ADD, FP_SUB, FP_MUL, FP_DIV };

/*
 * Operations at an explicit rounding mode (never FP_DYN), any of the five. They add to the host's
 * accumulated flags. Values are raw bits; a NaN result is the canonical one.
 */
uint32_t f32_op2(enum fp_op2 op, uint32_t a, uint32_t b, enum fp_rm rm);
uint64_t f64_op2(enum fp_op2 op, uint64_t a, uint64_t b, enum fp_rm rm);
uint32_t f32_sqrt(uint32_t a, enum fp_rm rm);
uint64_t f64_sqrt(uint64_t a, enum fp_rm rm);
/** a*b+c with one rounding; negations are done by the caller on the bits of a (product) and c. */
uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, enum fp_rm rm);
uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, enum fp_rm rm);
uint32_t f64_to_f32(uint64_t a, enum fp_rm rm);

/* Rounding mode does not matter for these. */
uint64_t f32_to_f64(uint32_t a);
uint32_t f32_min(uint32_t a, uint32_t b);
uint32_t f32_max(uint32_t a, uint32_t b);
uint64_t f64_min(uint64_t a, uint64_t b);
uint64_t f64_max(uint64_t a, uint64_t b);
bool f32_eq(uint32_t a, uint32_t b); /* quiet */
bool f32_lt(uint32_t a, uint32_t b); /* signalling */
bool f32_le(uint32_t a, uint32_t b);
bool f64_eq(uint64_t a, uint64_t b);
bool f64_lt(uint64_t a, uint64_t b);
bool f64_le(uint64_t a, uint64_t b);
uint32_t f32_class(uint32_t a); /* the ten-bit mask of FCLASS */
uint32_t f64_class(uint64_t a);

/* Conversions to integers saturate and raise NV alone when out of range (11.7); results of the
 * 32-bit ones are sign-extended, as the instruction wants them, also for the unsigned. */
uint64_t f32_to_i32(uint32_t a, enum fp_rm rm);
uint64_t f32_to_u32(uint32_t a, enum fp_rm rm);
uint64_t f32_to_i64(uint32_t a, enum fp_rm rm);
uint64_t f32_to_u64(uint32_t a, enum fp_rm rm);
uint64_t f64_to_i32(uint64_t a, enum fp_rm rm);
uint64_t f64_to_u32(uint64_t a, enum fp_rm rm);
uint64_t f64_to_i64(uint64_t a, enum fp_rm rm);
uint64_t f64_to_u64(uint64_t a, enum fp_rm rm);
uint32_t f32_from_i32(int32_t v, enum fp_rm rm);
uint32_t f32_from_u32(uint32_t v, enum fp_rm rm);
uint32_t f32_from_i64(int64_t v, enum fp_rm rm);
uint32_t f32_from_u64(uint64_t v, enum fp_rm rm);
uint64_t f64_from_i32(int32_t v);
uint64_t f64_from_u32(uint32_t v);
uint64_t f64_from_i64(int64_t v, enum fp_rm rm);
uint64_t f64_from_u64(uint64_t v, enum fp_rm rm);

#endif
