/*
 * IEEE 754 arithmetic in integers. Every operation unpacks to one wide format, computes there
 * exactly or with a sticky lowest bit, and rounds once. Made for clarity: the host's own unit
 * does the work where it can (fpu_x86.c).
 */
#include "guests/fpu_num.h"

static struct num num_invalid(uint8_t *flags)
{
    *flags |= FP_NV;
    return num_special(NUM_NAN, false);
}

/** If any operand is a NaN, the result is; a signalling one is invalid. */
static bool any_nan(const struct num *a, const struct num *b, uint8_t *flags)
{
    if (a->signalling || b->signalling)
        *flags |= FP_NV;
    return a->kind == NUM_NAN || b->kind == NUM_NAN;
}

static struct num num_add_finite(struct num a, struct num b, enum fp_rm rm)
{
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        struct num t = a;
        a = b;
        b = t;
    }
    /*
     * A jam loses nothing that matters: it happens only when b lies so far below (at least 21
     * bits) that at most one leading bit cancels.
     */
    b.sig = num_shift_jam(b.sig, (unsigned)(a.exp - b.exp));
    if (a.sign == b.sign)
        return num_finite(a.sign, a.exp, a.sig + b.sig);
    if (a.sig == b.sig)
        return num_special(NUM_ZERO, rm == FP_RDN);
    return num_finite(a.sign, a.exp, a.sig - b.sig);
}

static struct num num_add(struct num a, struct num b, enum fp_rm rm, uint8_t *flags)
{
    if (any_nan(&a, &b, flags))
        return num_special(NUM_NAN, false);
    if (a.kind == NUM_INF && b.kind == NUM_INF)
        return a.sign == b.sign ? a : num_invalid(flags);
    if (a.kind == NUM_INF || b.kind == NUM_INF)
        return a.kind == NUM_INF ? a : b;
    if (a.kind == NUM_ZERO && b.kind == NUM_ZERO)
        return num_special(NUM_ZERO, a.sign == b.sign ? a.sign : rm == FP_RDN);
    if (a.kind == NUM_ZERO || b.kind == NUM_ZERO)
        return a.kind == NUM_ZERO ? b : a;
    return num_add_finite(a, b, rm);
}

/** Exact: two significands of up to 53 bits make one of up to 106. */
static struct num num_mul(struct num a, struct num b, uint8_t *flags)
{
    bool sign = a.sign != b.sign;

    if (any_nan(&a, &b, flags))
        return num_special(NUM_NAN, false);
    if (a.kind == NUM_INF || b.kind == NUM_INF)
        return a.kind == NUM_ZERO || b.kind == NUM_ZERO ? num_invalid(flags)
                                                        : num_special(NUM_INF, sign);
    if (a.kind == NUM_ZERO || b.kind == NUM_ZERO)
        return num_special(NUM_ZERO, sign);
    return num_finite(sign, a.exp + b.exp, (a.sig >> 63) * (b.sig >> 63));
}

static struct num num_div(struct num a, struct num b, uint8_t *flags)
{
    bool sign = a.sign != b.sign;
    u128 dividend, divisor, quotient;

    if (any_nan(&a, &b, flags))
        return num_special(NUM_NAN, false);
    if (a.kind == b.kind && a.kind != NUM_FINITE)
        return num_invalid(flags); /* 0/0, inf/inf */
    if (a.kind == NUM_INF || b.kind == NUM_ZERO) {
        if (a.kind != NUM_INF)
            *flags |= FP_DZ;
        return num_special(NUM_INF, sign);
    }
    if (a.kind == NUM_ZERO || b.kind == NUM_INF)
        return num_special(NUM_ZERO, sign);

    dividend = a.sig;                   /* 53 bits, then 74 of zero */
    divisor = b.sig >> (SIG_TOP - 52);  /* 53 bits */
    quotient = dividend / divisor;      /* 74 or 75 bits */
    quotient |= dividend % divisor != 0;
    return num_finite(sign, a.exp - b.exp, quotient << 52);
}

/** The integer square root, 64 bits; *exact tells whether nothing is left. */
static uint64_t isqrt128(u128 v, bool *exact)
{
    uint64_t root = 0;

    for (int bit = 63; bit >= 0; bit--) {
        uint64_t next = root | 1ULL << bit;
        if ((u128)next * next <= v)
            root = next;
    }
    *exact = (u128)root * root == v;
    return root;
}

static struct num num_sqrt(struct num a, uint8_t *flags)
{
    bool exact;
    bool odd = a.exp & 1;
    uint64_t root;

    if (any_nan(&a, &a, flags))
        return num_special(NUM_NAN, false);
    if (a.kind == NUM_ZERO)
        return a; /* also -0 (IEEE 754 6.3) */
    if (a.sign)
        return num_invalid(flags);
    if (a.kind == NUM_INF)
        return a;
    root = isqrt128(a.sig << odd, &exact);
    return num_finite(false, (a.exp - odd) / 2, (u128)root << 63 | !exact);
}

uint64_t soft_op2(const struct fp_format *f, enum fp_op2 op, uint64_t a, uint64_t b,
                  enum fp_rm rm, uint8_t *flags)
{
    struct num x = num_unpack(f, a), y = num_unpack(f, b), r;

    switch (op) {
    case FP_MUL:
        r = num_mul(x, y, flags);
        break;
    case FP_DIV:
        r = num_div(x, y, flags);
        break;
    default:
        y.sign ^= op == FP_SUB;
        r = num_add(x, y, rm, flags);
        break;
    }
    return num_pack(f, &r, rm, flags);
}

uint64_t soft_sqrt(const struct fp_format *f, uint64_t a, enum fp_rm rm, uint8_t *flags)
{
    struct num r = num_sqrt(num_unpack(f, a), flags);

    return num_pack(f, &r, rm, flags);
}

uint64_t soft_fma(const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c, enum fp_rm rm,
                  uint8_t *flags)
{
    /* inf * 0 is invalid even when c is a quiet NaN (11.6): the product raises it by itself. */
    struct num r = num_mul(num_unpack(f, a), num_unpack(f, b), flags);

    r = num_add(r, num_unpack(f, c), rm, flags);
    return num_pack(f, &r, rm, flags);
}

uint64_t soft_convert(const struct fp_format *to, const struct fp_format *from, uint64_t a,
                      enum fp_rm rm, uint8_t *flags)
{
    struct num n = num_unpack(from, a);

    any_nan(&n, &n, flags);
    return num_pack(to, &n, rm, flags);
}

uint64_t soft_from_int(const struct fp_format *f, bool negative, uint64_t magnitude,
                       enum fp_rm rm, uint8_t *flags)
{
    struct num n;

    if (magnitude == 0)
        return 0;
    n = num_finite(negative, SIG_TOP, magnitude);
    return num_pack(f, &n, rm, flags);
}

/** |n| as an integer, rounded; all ones if it is 2^64 or more. */
static u128 num_integer(const struct num *n, enum fp_rm rm, bool *inexact)
{
    *inexact = false;
    if (n->kind == NUM_ZERO)
        return 0;
    if (n->kind != NUM_FINITE || n->exp > 63)
        return ~(u128)0;
    if (n->exp < -1) { /* below 1/2: any such value rounds alike */
        *inexact = true;
        return num_rounds_up(rm, n->sign, false, false, true);
    }
    return num_round_at(n->sig, (unsigned)(SIG_TOP - n->exp), n->sign, rm, inexact);
}

uint64_t soft_to_int(const struct fp_format *f, uint64_t a, unsigned bits, bool is_signed,
                     enum fp_rm rm, uint8_t *flags)
{
    struct num n = num_unpack(f, a);
    bool inexact;
    bool negative = n.sign && n.kind != NUM_NAN; /* a NaN counts as +inf (table 11.7) */
    u128 limit = is_signed ? ((u128)1 << (bits - 1)) - !negative
                           : (negative ? 0 : ((u128)1 << bits) - 1);
    u128 magnitude = num_integer(&n, rm, &inexact);
    uint64_t v;

    if (magnitude > limit) {
        magnitude = limit;
        *flags |= FP_NV;
    } else if (inexact) {
        *flags |= FP_NX;
    }
    v = negative ? 0 - (uint64_t)magnitude : (uint64_t)magnitude;
    return bits == 32 ? (uint64_t)(int64_t)(int32_t)v : v;
}
