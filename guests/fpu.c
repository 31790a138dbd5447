/* Comparisons, minimum, maximum and classes: on the bits, the same on every host. */
#include "guests/fpu_host.h"

/*
 * Both precisions are written once: F32 or F64 decides the type, the sign bit, the infinity (above
 * it, without the sign, lie the NaNs) and the bit that makes a NaN quiet.
 */
#define FPU_BITS(name, type, SIGN, INF, QUIET, CANONICAL)                                       \
    static bool name##_is_nan(type a)                                                           \
    {                                                                                           \
        return (a & ~(SIGN)) > (INF);                                                           \
    }                                                                                           \
                                                                                                \
    static bool name##_is_signalling(type a)                                                    \
    {                                                                                           \
        return name##_is_nan(a) && !(a & (QUIET));                                              \
    }                                                                                           \
                                                                                                \
    /* Not for NaNs. Apart from the zeroes, sign-and-magnitude numbers are ordered like integers \
     * when positive, and the other way round when negative. */                                 \
    static bool name##_less(type a, type b)                                                     \
    {                                                                                           \
        if ((a ^ b) & (SIGN))                                                                   \
            return (a & (SIGN)) && ((a | b) & ~(SIGN));                                         \
        return (a & (SIGN)) ? b < a : a < b;                                                    \
    }                                                                                           \
                                                                                                \
    bool name##_eq(type a, type b)                                                              \
    {                                                                                           \
        if (UNLIKELY(name##_is_nan(a) || name##_is_nan(b))) {                                   \
            if (name##_is_signalling(a) || name##_is_signalling(b))                             \
                fpu_raise(FP_NV);                                                               \
            return false;                                                                       \
        }                                                                                       \
        return a == b || !((a | b) & ~(SIGN));                                                  \
    }                                                                                           \
                                                                                                \
    bool name##_lt(type a, type b)                                                              \
    {                                                                                           \
        if (UNLIKELY(name##_is_nan(a) || name##_is_nan(b))) {                                   \
            fpu_raise(FP_NV);                                                                   \
            return false;                                                                       \
        }                                                                                       \
        return name##_less(a, b);                                                               \
    }                                                                                           \
                                                                                                \
    bool name##_le(type a, type b)                                                              \
    {                                                                                           \
        if (UNLIKELY(name##_is_nan(a) || name##_is_nan(b))) {                                   \
            fpu_raise(FP_NV);                                                                   \
            return false;                                                                       \
        }                                                                                       \
        return !name##_less(b, a);                                                              \
    }                                                                                           \
                                                                                                \
    /* 11.6: IEEE 754-2019 minimumNumber and maximumNumber; -0 is below +0. `flip` is SIGN for   \
     * the maximum: which of two numbers it is follows from their negations. */                 \
    static type name##_pick(type a, type b, type flip)                                          \
    {                                                                                           \
        type x = a ^ flip, y = b ^ flip;                                                        \
                                                                                                \
        if (UNLIKELY(name##_is_nan(a) || name##_is_nan(b))) {                                   \
            if (name##_is_signalling(a) || name##_is_signalling(b))                             \
                fpu_raise(FP_NV);                                                               \
            if (!name##_is_nan(a))                                                              \
                return a;                                                                       \
            return name##_is_nan(b) ? (CANONICAL) : b;                                          \
        }                                                                                       \
        if (!((x | y) & ~(SIGN)))                                                               \
            return (x & (SIGN)) ? a : b;                                                        \
        return name##_less(x, y) ? a : b;                                                       \
    }                                                                                           \
                                                                                                \
    type name##_min(type a, type b)                                                             \
    {                                                                                           \
        return name##_pick(a, b, 0);                                                            \
    }                                                                                           \
                                                                                                \
    type name##_max(type a, type b)                                                             \
    {                                                                                           \
        return name##_pick(a, b, (SIGN));                                                       \
    }                                                                                           \
                                                                                                \
    /* Table 11.9: bits 0 to 3 are -inf, normal, subnormal and -0; 4 to 7 their mirror image. */ \
    uint32_t name##_class(type a)                                                               \
    {                                                                                           \
        type magnitude = a & ~(SIGN);                                                           \
        unsigned bit;                                                                           \
                                                                                                \
        if (name##_is_nan(a))                                                                   \
            return 1u << (name##_is_signalling(a) ? 8 : 9);                                     \
        if (magnitude == (INF))                                                                 \
            bit = 0;                                                                            \
        else if (magnitude & (INF))                                                             \
            bit = 1;                                                                            \
        else                                                                                    \
            bit = magnitude ? 2 : 3;                                                            \
        return 1u << ((a & (SIGN)) ? bit : 7 - bit);                                            \
    }

FPU_BITS(f32, uint32_t, 0x80000000u, 0x7f800000u, 0x00400000u, F32_NAN)
FPU_BITS(f64, uint64_t, 0x8000000000000000ULL, 0x7ff0000000000000ULL, 0x0008000000000000ULL,
         F64_NAN)
