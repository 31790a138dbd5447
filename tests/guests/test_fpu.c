/* Floating point: known values and flags, and the host's unit against the portable arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/fpu.h"
#include "guests/fpu_soft.h"

enum op {
    ADD, SUB, MUL, DIV, SQRT, FMA, TO_I32, TO_U32, TO_I64, TO_U64, FROM_I32, FROM_U32, FROM_I64,
    FROM_U64, CONVERT, EQ, LT, LE, MIN, MAX, CLASS, N_OPS,
};

static const char *const op_names[N_OPS] = {
    "add", "sub", "mul", "div", "sqrt", "fma", "to_i32", "to_u32", "to_i64", "to_u64", "from_i32",
    "from_u32", "from_i64", "from_u64", "convert", "eq", "lt", "le", "min", "max", "class",
};

struct result {
    uint64_t value;
    uint8_t flags;
};

static uint64_t run32(enum op op, uint64_t a64, uint64_t b64, uint64_t c64, enum fp_rm rm)
{
    uint32_t a = (uint32_t)a64, b = (uint32_t)b64, c = (uint32_t)c64;

    switch (op) {
    case SQRT: return f32_sqrt(a, rm);
    case FMA: return f32_fma(a, b, c, rm);
    case TO_I32: return f32_to_i32(a, rm);
    case TO_U32: return f32_to_u32(a, rm);
    case TO_I64: return f32_to_i64(a, rm);
    case TO_U64: return f32_to_u64(a, rm);
    case FROM_I32: return f32_from_i32((int32_t)a, rm);
    case FROM_U32: return f32_from_u32(a, rm);
    case FROM_I64: return f32_from_i64((int64_t)a64, rm);
    case FROM_U64: return f32_from_u64(a64, rm);
    case CONVERT: return f32_to_f64(a);
    case EQ: return f32_eq(a, b);
    case LT: return f32_lt(a, b);
    case LE: return f32_le(a, b);
    case MIN: return f32_min(a, b);
    case MAX: return f32_max(a, b);
    case CLASS: return f32_class(a);
    default: return f32_op2((enum fp_op2)(op - ADD), a, b, rm);
    }
}

static uint64_t run64(enum op op, uint64_t a, uint64_t b, uint64_t c, enum fp_rm rm)
{
    switch (op) {
    case SQRT: return f64_sqrt(a, rm);
    case FMA: return f64_fma(a, b, c, rm);
    case TO_I32: return f64_to_i32(a, rm);
    case TO_U32: return f64_to_u32(a, rm);
    case TO_I64: return f64_to_i64(a, rm);
    case TO_U64: return f64_to_u64(a, rm);
    case FROM_I32: return f64_from_i32((int32_t)a);
    case FROM_U32: return f64_from_u32((uint32_t)a);
    case FROM_I64: return f64_from_i64((int64_t)a, rm);
    case FROM_U64: return f64_from_u64(a, rm);
    case CONVERT: return f64_to_f32(a, rm);
    case EQ: return f64_eq(a, b);
    case LT: return f64_lt(a, b);
    case LE: return f64_le(a, b);
    case MIN: return f64_min(a, b);
    case MAX: return f64_max(a, b);
    case CLASS: return f64_class(a);
    default: return f64_op2((enum fp_op2)(op - ADD), a, b, rm);
    }
}

/** As a hart does it; `frm` is the mode the environment is in, which need not be rm. */
static struct result run(unsigned bits, enum op op, const uint64_t *v, enum fp_rm rm, unsigned frm)
{
    struct fpu_host host;
    struct result r = {0, 0};

    fpu_enter(&host, frm);
    r.value = bits == 32 ? run32(op, v[0], v[1], v[2], rm) : run64(op, v[0], v[1], v[2], rm);
    fpu_leave(&host, &r.flags);
    return r;
}

/* --- known values --- */

#define ANY FP_DYN /* a case that is the same in all modes */

struct known {
    unsigned bits;
    enum op op;
    enum fp_rm rm;
    uint64_t v[3];
    uint64_t value;
    uint8_t flags;
};

#define F_MIN 0x0010000000000000ULL  /* smallest normal */
#define F_MAX 0x7fefffffffffffffULL
#define F_INF 0x7ff0000000000000ULL
#define F_SNAN 0x7ff0000000000001ULL
#define F_QNAN 0xfff8000000000123ULL
#define F_NEG 0x8000000000000000ULL  /* -0, or the sign alone */
#define F_ONE 0x3ff0000000000000ULL
#define F_ULP 0x3ca0000000000000ULL  /* 2^-53: half a unit in the last place of 1 */

static const struct known known[] = {
    /* 1 + 2^-53 is halfway between 1 and the next number. */
    {64, ADD, FP_RNE, {F_ONE, F_ULP}, F_ONE, FP_NX},
    {64, ADD, FP_RTZ, {F_ONE, F_ULP}, F_ONE, FP_NX},
    {64, ADD, FP_RDN, {F_ONE, F_ULP}, F_ONE, FP_NX},
    {64, ADD, FP_RUP, {F_ONE, F_ULP}, F_ONE + 1, FP_NX},
    {64, ADD, FP_RMM, {F_ONE, F_ULP}, F_ONE + 1, FP_NX},
    {64, ADD, FP_RNE, {F_ONE + 1, F_ULP}, F_ONE + 2, FP_NX},
    {64, ADD, FP_RMM, {F_ONE | F_NEG, F_ULP | F_NEG}, (F_ONE | F_NEG) + 1, FP_NX},
    {64, ADD, FP_RDN, {F_ONE | F_NEG, F_ULP | F_NEG}, (F_ONE | F_NEG) + 1, FP_NX},
    /* x - x is +0, and -0 when rounding down (IEEE 754 6.3). */
    {64, SUB, FP_RNE, {F_ONE, F_ONE}, 0, 0},
    {64, SUB, FP_RMM, {F_ONE, F_ONE}, 0, 0},
    {64, SUB, FP_RDN, {F_ONE, F_ONE}, F_NEG, 0},
    {64, SUB, ANY, {F_INF, F_INF}, F64_NAN, FP_NV},
    {64, ADD, ANY, {F_QNAN, F_ONE}, F64_NAN, 0},
    {64, ADD, ANY, {F_ONE, F_SNAN}, F64_NAN, FP_NV},
    /* Overflow, each mode. */
    {64, ADD, FP_RNE, {F_MAX, F_MAX}, F_INF, FP_OF | FP_NX},
    {64, ADD, FP_RTZ, {F_MAX, F_MAX}, F_MAX, FP_OF | FP_NX},
    {64, ADD, FP_RDN, {F_MAX, F_MAX}, F_MAX, FP_OF | FP_NX},
    {64, ADD, FP_RUP, {F_MAX, F_MAX}, F_INF, FP_OF | FP_NX},
    {64, ADD, FP_RMM, {F_MAX, F_MAX}, F_INF, FP_OF | FP_NX},
    {64, MUL, FP_RUP, {F_MAX | F_NEG, F_MAX}, F_MAX | F_NEG, FP_OF | FP_NX},
    {64, MUL, ANY, {F_INF, 0}, F64_NAN, FP_NV},
    /* Underflow only if inexact, and tiny after rounding: (1-2^-53) * 2^-1022 rounds to the
     * smallest normal number also with no bound on the exponent. */
    {64, MUL, ANY, {F_MIN, 0x3fe0000000000000ULL}, F_MIN / 2, 0},
    {64, MUL, FP_RNE, {F_MIN + 1, 0x3fe0000000000000ULL}, F_MIN / 2, FP_UF | FP_NX},
    {64, MUL, FP_RNE, {F_MIN + 1, 0x3fefffffffffffffULL}, F_MIN, FP_NX},
    {64, MUL, FP_RTZ, {F_MIN + 1, 0x3feffffffffffffeULL}, F_MIN - 1, FP_UF | FP_NX},
    {64, MUL, FP_RUP, {1, 1}, 1, FP_UF | FP_NX},
    {64, MUL, FP_RMM, {1, 0x3fe0000000000000ULL}, 1, FP_UF | FP_NX},
    {64, DIV, ANY, {F_ONE, F_NEG}, F_INF | F_NEG, FP_DZ},
    {64, DIV, ANY, {0, 0}, F64_NAN, FP_NV},
    {64, DIV, ANY, {F_INF, 0}, F_INF, 0},
    {64, DIV, FP_RNE, {F_ONE, 0x4008000000000000ULL}, 0x3fd5555555555555ULL, FP_NX},
    {64, DIV, FP_RUP, {F_ONE, 0x4008000000000000ULL}, 0x3fd5555555555556ULL, FP_NX},
    {64, SQRT, ANY, {F_NEG}, F_NEG, 0},
    {64, SQRT, ANY, {F_ONE | F_NEG}, F64_NAN, FP_NV},
    {64, SQRT, FP_RNE, {0x4000000000000000ULL}, 0x3ff6a09e667f3bcdULL, FP_NX},
    {64, SQRT, FP_RTZ, {0x4000000000000000ULL}, 0x3ff6a09e667f3bccULL, FP_NX},
    /* One rounding: 1.1...1 squared minus one keeps what a product alone would lose. */
    {64, FMA, FP_RNE, {F_ONE + 1, F_ONE + 1, F_ONE | F_NEG}, 0x3cc0000000000000ULL, FP_NX},
    {64, FMA, FP_RUP, {F_ONE + 1, F_ONE + 1, F_ONE | F_NEG}, 0x3cc0000000000001ULL, FP_NX},
    /* Unprivileged 11.6: inf * 0 is invalid whatever is added. */
    {64, FMA, ANY, {F_INF, 0, F_QNAN}, F64_NAN, FP_NV},
    {64, FMA, ANY, {F_NEG, F_INF, F_ONE}, F64_NAN, FP_NV},
    {64, FMA, ANY, {F_ONE, F_ONE, F_QNAN}, F64_NAN, 0},
    {64, FMA, ANY, {F_INF, F_ONE, F_INF | F_NEG}, F64_NAN, FP_NV},
    {32, FMA, ANY, {0x7f800000, 0, 0x7fc00001}, F32_NAN, FP_NV},
    {32, ADD, ANY, {0x7f800001, 0x3f800000}, F32_NAN, FP_NV},
    {32, DIV, FP_RNE, {0x3f800000, 0x40400000}, 0x3eaaaaab, FP_NX},
    {32, SQRT, FP_RNE, {0x40000000}, 0x3fb504f3, FP_NX},
    /* Conversions between the precisions. */
    {64, CONVERT, FP_RNE, {F_MAX}, 0x7f800000, FP_OF | FP_NX},
    {64, CONVERT, FP_RTZ, {F_MAX}, 0x7f7fffff, FP_OF | FP_NX},
    {64, CONVERT, FP_RUP, {1}, 1, FP_UF | FP_NX},
    {64, CONVERT, ANY, {F_QNAN}, F32_NAN, 0},
    {64, CONVERT, ANY, {F_SNAN}, F32_NAN, FP_NV},
    {32, CONVERT, ANY, {0xff800001}, F64_NAN, FP_NV},
    {32, CONVERT, ANY, {1}, 0x36a0000000000000ULL, 0},
    /* To integers: 11.7 and its table of limits. */
    {64, TO_I32, ANY, {F_QNAN}, 0x7fffffff, FP_NV},
    {64, TO_I32, ANY, {F_INF | F_NEG}, 0xffffffff80000000ULL, FP_NV},
    {64, TO_I32, ANY, {0x41e0000000000000ULL}, 0x7fffffff, FP_NV},         /* 2^31 */
    {64, TO_I32, ANY, {0xc1e0000000000000ULL}, 0xffffffff80000000ULL, 0}, /* -2^31 */
    {64, TO_I32, FP_RTZ, {0x41dfffffffe00000ULL}, 0x7fffffff, FP_NX},     /* 2^31 - 1/2 */
    {64, TO_I32, FP_RNE, {0x41dfffffffe00000ULL}, 0x7fffffff, FP_NV},
    {64, TO_U32, ANY, {F_QNAN}, UINT64_MAX, FP_NV},
    {64, TO_U32, ANY, {F_ONE | F_NEG}, 0, FP_NV},
    {64, TO_U32, FP_RTZ, {0xbfe8000000000000ULL}, 0, FP_NX}, /* -3/4 */
    {64, TO_U32, FP_RDN, {0xbfe8000000000000ULL}, 0, FP_NV},
    {64, TO_U32, FP_RMM, {0xbfe0000000000000ULL}, 0, FP_NV}, /* -1/2 */
    {64, TO_U32, FP_RNE, {0xbfe0000000000000ULL}, 0, FP_NX},
    {64, TO_U32, FP_RNE, {0x41dfffffffffff00ULL}, 0xffffffff80000000ULL, FP_NX},
    {64, TO_U32, ANY, {0x41efffffffe00000ULL}, UINT64_MAX, 0}, /* 2^32 - 1, sign-extended */
    {64, TO_U32, FP_RTZ, {0x41effffffff00000ULL}, UINT64_MAX, FP_NX},
    {64, TO_U32, FP_RUP, {0x41effffffff00000ULL}, UINT64_MAX, FP_NV},
    {64, TO_I64, ANY, {0x43e0000000000000ULL}, INT64_MAX, FP_NV}, /* 2^63 */
    {64, TO_I64, ANY, {0xc3e0000000000000ULL}, (uint64_t)INT64_MIN, 0},
    {64, TO_U64, ANY, {0x43e0000000000000ULL}, 1ULL << 63, 0},
    {64, TO_U64, ANY, {0x43f0000000000000ULL}, UINT64_MAX, FP_NV},
    {64, TO_U64, ANY, {F_INF | F_NEG}, 0, FP_NV},
    {64, TO_I64, FP_RNE, {0x4004000000000000ULL}, 2, FP_NX}, /* 5/2 */
    {64, TO_I64, FP_RMM, {0x4004000000000000ULL}, 3, FP_NX},
    {64, TO_I64, FP_RDN, {0xc004000000000000ULL}, (uint64_t)-3, FP_NX},
    {64, TO_I64, FP_RUP, {0xc004000000000000ULL}, (uint64_t)-2, FP_NX},
    {32, TO_U64, ANY, {0x5f800000}, UINT64_MAX, FP_NV},
    {32, TO_I32, ANY, {0xffc00000}, 0x7fffffff, FP_NV},
    /* From integers. */
    {64, FROM_U64, FP_RNE, {UINT64_MAX}, 0x43f0000000000000ULL, FP_NX},
    {64, FROM_U64, FP_RTZ, {UINT64_MAX}, 0x43efffffffffffffULL, FP_NX},
    {64, FROM_I64, ANY, {(uint64_t)INT64_MIN}, 0xc3e0000000000000ULL, 0},
    {64, FROM_U32, ANY, {0xffffffff}, 0x41efffffffe00000ULL, 0},
    {64, FROM_I32, ANY, {0xffffffff}, F_ONE | F_NEG, 0},
    {32, FROM_I32, FP_RNE, {0x01000001}, 0x4b800000, FP_NX}, /* 2^24 + 1 */
    {32, FROM_I32, FP_RMM, {0x01000001}, 0x4b800001, FP_NX},
    {32, FROM_I64, ANY, {0}, 0, 0},
    /* Comparisons: feq is quiet, flt and fle signal (11.8). */
    {64, EQ, ANY, {0, F_NEG}, 1, 0},
    {64, EQ, ANY, {F_QNAN, F_QNAN}, 0, 0},
    {64, EQ, ANY, {F_SNAN, 0}, 0, FP_NV},
    {64, LT, ANY, {F_NEG, 0}, 0, 0},
    {64, LE, ANY, {0, F_NEG}, 1, 0},
    {64, LT, ANY, {F_QNAN, 0}, 0, FP_NV},
    {64, LE, ANY, {0, F_QNAN}, 0, FP_NV},
    {64, LT, ANY, {F_ONE | F_NEG, F_NEG}, 1, 0},
    {64, LT, ANY, {F_INF | F_NEG, F_MAX | F_NEG}, 1, 0},
    /* Minimum and maximum (11.6). */
    {64, MIN, ANY, {0, F_NEG}, F_NEG, 0},
    {64, MIN, ANY, {F_NEG, 0}, F_NEG, 0},
    {64, MAX, ANY, {0, F_NEG}, 0, 0},
    {64, MAX, ANY, {F_NEG, 0}, 0, 0},
    {64, MIN, ANY, {F_QNAN, F_ONE}, F_ONE, 0},
    {64, MAX, ANY, {F_ONE, F_SNAN}, F_ONE, FP_NV},
    {64, MAX, ANY, {F_QNAN, F_QNAN}, F64_NAN, 0},
    {64, MIN, ANY, {F_SNAN, F_QNAN}, F64_NAN, FP_NV},
    {64, MIN, ANY, {F_ONE, F_ONE | F_NEG}, F_ONE | F_NEG, 0},
    {64, MAX, ANY, {F_MAX | F_NEG, F_ONE | F_NEG}, F_ONE | F_NEG, 0},
    {32, MIN, ANY, {0x80000000, 0}, 0x80000000, 0},
    {32, MAX, ANY, {0x7fa00000, 0x7fc00000}, F32_NAN, FP_NV},
    /* Classes (11.9). */
    {64, CLASS, ANY, {F_INF | F_NEG}, 1 << 0, 0},
    {64, CLASS, ANY, {F_ONE | F_NEG}, 1 << 1, 0},
    {64, CLASS, ANY, {1 | F_NEG}, 1 << 2, 0},
    {64, CLASS, ANY, {F_NEG}, 1 << 3, 0},
    {64, CLASS, ANY, {0}, 1 << 4, 0},
    {64, CLASS, ANY, {F_MIN - 1}, 1 << 5, 0},
    {64, CLASS, ANY, {F_MIN}, 1 << 6, 0},
    {64, CLASS, ANY, {F_INF}, 1 << 7, 0},
    {64, CLASS, ANY, {F_SNAN}, 1 << 8, 0},
    {64, CLASS, ANY, {F_QNAN}, 1 << 9, 0},
    {32, CLASS, ANY, {0x807fffff}, 1 << 2, 0},
    {32, CLASS, ANY, {0x7fbfffff}, 1 << 8, 0},
};

static void report(unsigned bits, enum op op, const uint64_t *v, unsigned rm, unsigned frm,
                   struct result got, struct result want)
{
    print_error("f%u %s rm %u (frm %u) of %#llx %#llx %#llx: %#llx flags %#x, expected %#llx "
                "flags %#x\n", bits, op_names[op], rm, frm, (unsigned long long)v[0],
                (unsigned long long)v[1], (unsigned long long)v[2], (unsigned long long)got.value,
                got.flags, (unsigned long long)want.value, want.flags);
}

static void check_known(const struct known *k, unsigned rm, unsigned frm)
{
    struct result want = {k->value, k->flags};
    struct result got = run(k->bits, k->op, k->v, (enum fp_rm)rm, frm);

    if (got.value != want.value || got.flags != want.flags) {
        report(k->bits, k->op, k->v, rm, frm, got, want);
        fail();
    }
}

static void known_values_come_out_with_their_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        for (unsigned rm = FP_RNE; rm <= FP_RMM; rm++)
            for (unsigned frm = FP_RNE; frm <= FP_RMM; frm++)
                if (known[i].rm == ANY || known[i].rm == rm)
                    check_known(&known[i], rm, frm);
}

/* --- the environment --- */

static void flags_accumulate_and_can_be_replaced(void **state)
{
    struct fpu_host host;
    uint8_t flags = 0;

    (void)state;
    fpu_enter(&host, FP_RNE);
    assert_int_equal(fpu_flags(), 0);
    f64_op2(FP_DIV, F_ONE, 0, FP_RNE);
    f64_op2(FP_ADD, F_ONE, F_ULP, FP_RMM);
    assert_int_equal(fpu_flags(), FP_DZ | FP_NX);
    assert_int_equal(fpu_flags(), FP_DZ | FP_NX);
    for (unsigned f = 0; f < 32; f++) {
        fpu_set_flags((uint8_t)f);
        assert_int_equal(fpu_flags(), f);
    }
    fpu_set_flags(FP_UF);
    fpu_set_frm(FP_RUP);
    assert_int_equal(fpu_flags(), FP_UF);
    assert_true(f64_op2(FP_ADD, F_ONE, F_ULP, FP_RUP) == F_ONE + 1);
    fpu_set_frm(5); /* reserved: no instruction runs with it, but it can be held */
    fpu_leave(&host, &flags);
    assert_int_equal(flags, FP_UF | FP_NX);
}

static void the_host_gets_its_own_environment_back(void **state)
{
    struct fpu_host host;
    uint8_t flags = 0;
    volatile double one = 1, tiny = 0x1p-53;

    (void)state;
    fpu_enter(&host, FP_RUP);
    f64_op2(FP_ADD, F_ONE, F_ULP, FP_RDN);
    fpu_leave(&host, &flags);
    assert_true(one + tiny == 1.0);
    fpu_enter(&host, FP_RNE);
    assert_int_equal(fpu_flags(), 0);
    fpu_leave(&host, &flags);
}

/* --- at random --- */

static uint64_t rng_state;

static uint64_t rng_next(void)
{
    /* splitmix64 */
    uint64_t z = rng_state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/** Bits where something happens: exponents at the limits, significands of few or many ones. */
static uint64_t operand(const struct fp_format *f)
{
    static const int edges[] = {0, 1, 2, -1, -2, -3};
    unsigned fraction_bits = f->precision - 1, exp_bits = f->bits - f->precision;
    uint64_t r = rng_next(), exp_ones = (1ULL << exp_bits) - 1;
    uint64_t fraction_ones = (1ULL << fraction_bits) - 1;
    uint64_t exp = r >> 8 & exp_ones, fraction = rng_next() & fraction_ones;

    if ((r & 3) == 0)
        exp = (uint64_t)edges[(r >> 32) % ARRAY_LEN(edges)] & exp_ones;
    else if ((r & 3) != 1) /* close to 1, so that sums and conversions have something to do */
        exp = (exp_ones / 2 + (r >> 32) % 72 - 4) & exp_ones;
    if ((r >> 2 & 3) == 0)
        fraction = 1ULL << (r >> 40) % fraction_bits;
    else if ((r >> 2 & 3) == 1)
        fraction = fraction_ones << (r >> 40) % fraction_bits & fraction_ones;
    else if ((r >> 2 & 7) == 2)
        fraction = 0;
    return (r >> 63) << (f->bits - 1) | exp << fraction_bits | fraction;
}

static uint64_t integer(void)
{
    uint64_t r = rng_next();
    uint64_t v = rng_next() >> (r & 63);

    if (r & 64)
        v = (1ULL << (r >> 8 & 63)) + (r >> 16 & 3) - 1;
    return r & 128 ? 0 - v : v;
}

static uint64_t soft_signed(const struct fp_format *f, int64_t v, enum fp_rm rm, uint8_t *flags)
{
    return soft_from_int(f, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, rm, flags);
}

/** What the portable arithmetic says; not for the operations that have but one implementation. */
static struct result soft(unsigned bits, enum op op, const uint64_t *v, enum fp_rm rm)
{
    const struct fp_format *f = bits == 32 ? &fp_single : &fp_double;
    const struct fp_format *other = bits == 32 ? &fp_double : &fp_single;
    struct result r = {0, 0};

    switch (op) {
    case SQRT: r.value = soft_sqrt(f, v[0], rm, &r.flags); break;
    case FMA: r.value = soft_fma(f, v[0], v[1], v[2], rm, &r.flags); break;
    case TO_I32: r.value = soft_to_int(f, v[0], 32, true, rm, &r.flags); break;
    case TO_U32: r.value = soft_to_int(f, v[0], 32, false, rm, &r.flags); break;
    case TO_I64: r.value = soft_to_int(f, v[0], 64, true, rm, &r.flags); break;
    case TO_U64: r.value = soft_to_int(f, v[0], 64, false, rm, &r.flags); break;
    case FROM_I32: r.value = soft_signed(f, (int32_t)v[0], rm, &r.flags); break;
    case FROM_U32: r.value = soft_from_int(f, false, (uint32_t)v[0], rm, &r.flags); break;
    case FROM_I64: r.value = soft_signed(f, (int64_t)v[0], rm, &r.flags); break;
    case FROM_U64: r.value = soft_from_int(f, false, v[0], rm, &r.flags); break;
    case CONVERT: r.value = soft_convert(other, f, v[0], rm, &r.flags); break;
    default: r.value = soft_op2(f, (enum fp_op2)(op - ADD), v[0], v[1], rm, &r.flags); break;
    }
    return r;
}

static void compare_once(unsigned bits, enum op op, const uint64_t *v)
{
    for (unsigned rm = FP_RNE; rm <= FP_RMM; rm++) {
        /* Mostly in the mode's own environment, now and then in another. */
        unsigned frm = v[0] % 3 ? rm : (unsigned)(v[1] % 5);
        struct result want = soft(bits, op, v, (enum fp_rm)rm);
        struct result got = run(bits, op, v, (enum fp_rm)rm, frm);

        if (got.value != want.value || got.flags != want.flags) {
            report(bits, op, v, rm, frm, got, want);
            fail();
        }
    }
}

static void the_host_and_the_portable_arithmetic_agree(void **state)
{
    const char *env = getenv("FPU_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1;

    (void)state;
    print_message("FPU_SEED=%llu\n", (unsigned long long)seed);
    rng_state = seed;
    for (unsigned i = 0; i < 30000; i++) {
        for (unsigned bits = 32; bits <= 64; bits += 32) {
            const struct fp_format *f = bits == 32 ? &fp_single : &fp_double;

            for (enum op op = ADD; op <= CONVERT; op++) {
                uint64_t v[3] = {operand(f), operand(f), operand(f)};
                uint8_t unused = 0;

                if (op >= FROM_I32 && op <= FROM_U64)
                    v[0] = integer();
                if (op == FMA && i % 4 == 0) /* the product against its own negation */
                    v[2] = soft_op2(f, FP_MUL, v[0], v[1], FP_RNE, &unused) ^ 1ULL << (bits - 1);
                compare_once(bits, op, v);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values_come_out_with_their_flags),
        cmocka_unit_test(flags_accumulate_and_can_be_replaced),
        cmocka_unit_test(the_host_gets_its_own_environment_back),
        cmocka_unit_test(the_host_and_the_portable_arithmetic_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
