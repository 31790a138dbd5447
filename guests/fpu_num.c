/* Unpacking, rounding and packing of IEEE 754 binary formats (Unprivileged 11.2 to 11.3). */
#include "guests/fpu_num.h"

const struct fp_format fp_single = {.bits = 32, .precision = 24};
const struct fp_format fp_double = {.bits = 64, .precision = 53};

static unsigned exp_bits(const struct fp_format *f)
{
    return f->bits - f->precision;
}

static int exp_max(const struct fp_format *f)
{
    return (1 << (exp_bits(f) - 1)) - 1;
}

static int exp_min(const struct fp_format *f)
{
    return 1 - exp_max(f);
}

static uint64_t ones(unsigned n)
{
    return (1ULL << n) - 1;
}

static uint64_t pack(const struct fp_format *f, bool sign, uint64_t biased, uint64_t fraction)
{
    return (uint64_t)sign << (f->bits - 1) | biased << (f->precision - 1) | fraction;
}

static uint64_t pack_inf(const struct fp_format *f, bool sign)
{
    return pack(f, sign, ones(exp_bits(f)), 0);
}

static uint64_t pack_nan(const struct fp_format *f)
{
    return pack(f, 0, ones(exp_bits(f)), 1ULL << (f->precision - 2));
}

u128 num_shift_jam(u128 v, unsigned n)
{
    if (n == 0)
        return v;
    if (n > 127)
        return v != 0;
    return v >> n | ((v << (128 - n)) != 0);
}

static unsigned clz128(u128 v)
{
    uint64_t hi = (uint64_t)(v >> 64);

    return hi ? (unsigned)__builtin_clzll(hi) : 64 + (unsigned)__builtin_clzll((uint64_t)v);
}

struct num num_finite(bool sign, int exp, u128 sig)
{
    int up = (int)clz128(sig) - (127 - SIG_TOP);

    return (struct num){
        .kind = NUM_FINITE,
        .sign = sign,
        .exp = exp - up,
        .sig = up >= 0 ? sig << up : num_shift_jam(sig, 1),
    };
}

struct num num_special(enum num_kind kind, bool sign)
{
    return (struct num){.kind = kind, .sign = sign};
}

struct num num_unpack(const struct fp_format *f, uint64_t a)
{
    uint64_t fraction = a & ones(f->precision - 1);
    unsigned biased = (unsigned)(a >> (f->precision - 1) & ones(exp_bits(f)));
    bool sign = a >> (f->bits - 1) & 1;
    unsigned up = SIG_TOP - (f->precision - 1);

    if (biased == ones(exp_bits(f))) {
        struct num n = num_special(fraction ? NUM_NAN : NUM_INF, sign);
        n.signalling = fraction && !(fraction >> (f->precision - 2));
        return n;
    }
    if (biased == 0)
        return fraction ? num_finite(sign, exp_min(f), (u128)fraction << up)
                        : num_special(NUM_ZERO, sign);
    fraction |= 1ULL << (f->precision - 1);
    return num_finite(sign, (int)biased - exp_max(f), (u128)fraction << up);
}

bool num_rounds_up(enum fp_rm rm, bool sign, bool odd, bool half, bool rest)
{
    switch (rm) {
    case FP_RNE:
        return half && (rest || odd);
    case FP_RMM:
        return half;
    case FP_RDN:
        return sign && (half || rest);
    case FP_RUP:
        return !sign && (half || rest);
    default:
        return false;
    }
}

u128 num_round_at(u128 v, unsigned n, bool sign, enum fp_rm rm, bool *inexact)
{
    u128 kept = v >> n;
    bool half = v >> (n - 1) & 1;
    bool rest = (v & (((u128)1 << (n - 1)) - 1)) != 0;

    *inexact = half || rest;
    return kept + num_rounds_up(rm, sign, kept & 1, half, rest);
}

/** IEEE 754 7.4: infinity, or the largest number where the rounding goes towards zero. */
static uint64_t pack_overflow(const struct fp_format *f, bool sign, enum fp_rm rm, uint8_t *flags)
{
    bool to_inf = num_rounds_up(rm, sign, true, true, true);

    *flags |= FP_OF | FP_NX;
    return pack_inf(f, sign) - !to_inf;
}

/** Below the normal range: the same rounding, at the fixed weight of the subnormals' last bit. */
static uint64_t pack_tiny(const struct fp_format *f, const struct num *n, enum fp_rm rm,
                          uint8_t *flags)
{
    unsigned cut = SIG_TOP - (f->precision - 1);
    bool inexact, unused;
    u128 sig = num_shift_jam(n->sig, (unsigned)(exp_min(f) - n->exp));
    /* After rounding: it is not tiny if, with no bound on the exponent, it reaches the range. */
    u128 unbounded = num_round_at(n->sig, cut, n->sign, rm, &unused);
    bool tiny = n->exp < exp_min(f) - 1 || !(unbounded >> f->precision);

    sig = num_round_at(sig, cut, n->sign, rm, &inexact);
    if (inexact)
        *flags |= FP_NX | (tiny ? FP_UF : 0);
    /* A carry into the hidden bit makes the biased exponent 1, as it should. */
    return pack(f, n->sign, 0, 0) + (uint64_t)sig;
}

uint64_t num_pack(const struct fp_format *f, const struct num *n, enum fp_rm rm,
                         uint8_t *flags)
{
    unsigned cut = SIG_TOP - (f->precision - 1);
    bool inexact;
    u128 sig;
    int exp = n->exp;

    if (n->kind == NUM_NAN)
        return pack_nan(f);
    if (n->kind == NUM_INF)
        return pack_inf(f, n->sign);
    if (n->kind == NUM_ZERO)
        return pack(f, n->sign, 0, 0);
    if (exp < exp_min(f))
        return pack_tiny(f, n, rm, flags);

    sig = num_round_at(n->sig, cut, n->sign, rm, &inexact);
    if (sig >> f->precision) {
        sig >>= 1;
        exp++;
    }
    if (exp > exp_max(f))
        return pack_overflow(f, n->sign, rm, flags);
    if (inexact)
        *flags |= FP_NX;
    return pack(f, n->sign, (uint64_t)(exp + exp_max(f)), (uint64_t)sig & ones(f->precision - 1));
}
