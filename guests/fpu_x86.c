/*
 * Floating point on the SSE unit of an x86-64 host. Its rounding, its flags and its idea of
 * tininess (after rounding) are RISC-V's; what differs is put right here: NaN payloads, saturation
 * of conversions, inf * 0 + NaN. It has no ties-away mode (RMM): those operations go to
 * fpu_soft.c.
 *
 * Each instruction that reads or writes MXCSR is a volatile asm, since the compiler may move an
 * ordinary floating-point expression across them.
 */
#include "guests/fpu_host.h"
#include "guests/fpu_soft.h"

#if FPU_X86

/* MXCSR (Intel SDM volume 1, 10.2.3): six flags, DAZ, six masks, rounding control, FTZ. */
#define MXCSR_FLAGS 0x3fu
#define MXCSR_MASKS 0x1f80u
#define MXCSR_RC_SHIFT 13
#define MXCSR_RC (3u << MXCSR_RC_SHIFT)

/* MXCSR's flags from bit 0: invalid, denormal operand (not RISC-V's), DZ, OF, UF, inexact. */
enum { X86_IE = 1, X86_ZE = 4, X86_OE = 8, X86_UE = 16, X86_PE = 32 };

static const uint8_t x86_rc[] = {[FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 1, [FP_RUP] = 2};

/* The mode that MXCSR holds: kept here, since reading MXCSR costs more. */
static _Thread_local unsigned host_rm = FP_RNE;

static inline uint32_t mxcsr_get(void)
{
    uint32_t v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static inline void mxcsr_set(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}

static inline void host_round(unsigned rm)
{
    mxcsr_set((mxcsr_get() & ~MXCSR_RC) | (uint32_t)x86_rc[rm] << MXCSR_RC_SHIFT);
}

static uint32_t flags_to_x86(uint8_t f)
{
    return (f & FP_NV ? X86_IE : 0u) | (f & FP_DZ ? X86_ZE : 0u) | (f & FP_OF ? X86_OE : 0u) |
           (f & FP_UF ? X86_UE : 0u) | (f & FP_NX ? X86_PE : 0u);
}

static uint8_t flags_from_x86(uint32_t m)
{
    return (uint8_t)((m & X86_IE ? FP_NV : 0) | (m & X86_ZE ? FP_DZ : 0) |
                     (m & X86_OE ? FP_OF : 0) | (m & X86_UE ? FP_UF : 0) |
                     (m & X86_PE ? FP_NX : 0));
}

static unsigned native_rm(unsigned frm)
{
    return frm <= FP_RUP ? frm : FP_RNE;
}

void fpu_enter(struct fpu_host *host, unsigned frm)
{
    host->saved = mxcsr_get();
    host_rm = native_rm(frm);
    mxcsr_set(MXCSR_MASKS | (uint32_t)x86_rc[host_rm] << MXCSR_RC_SHIFT);
}

void fpu_leave(struct fpu_host *host, uint8_t *fflags)
{
    *fflags |= fpu_flags();
    host_rm = FP_RNE;
    mxcsr_set(host->saved);
}

uint8_t fpu_flags(void)
{
    return flags_from_x86(mxcsr_get());
}

void fpu_set_flags(uint8_t flags)
{
    mxcsr_set((mxcsr_get() & ~MXCSR_FLAGS) | flags_to_x86(flags));
}

void fpu_raise(uint8_t flags)
{
    if (flags)
        mxcsr_set(mxcsr_get() | flags_to_x86(flags));
}

void fpu_set_frm(unsigned frm)
{
    host_rm = native_rm(frm);
    host_round(host_rm);
}

/*
 * Return `native` evaluated in mode rm, or `soft`, which leaves what it raises in `flags`, where
 * the unit does not have that mode.
 */
#define RETURN_ROUNDED(type, rm, native, soft)                                                  \
    do {                                                                                        \
        uint8_t flags = 0;                                                                      \
        type result;                                                                            \
        if (LIKELY((rm) == host_rm))                                                            \
            return native;                                                                      \
        if ((rm) > FP_RUP) {                                                                    \
            result = (type)(soft);                                                              \
            fpu_raise(flags);                                                                   \
            return result;                                                                      \
        }                                                                                       \
        host_round(rm);                                                                         \
        result = native;                                                                        \
        host_round(host_rm);                                                                    \
        return result;                                                                          \
    } while (0)

#define RETURN_SOFT(type, soft)                                                                 \
    do {                                                                                        \
        uint8_t flags = 0;                                                                      \
        type result = (type)(soft);                                                             \
        fpu_raise(flags);                                                                       \
        return result;                                                                          \
    } while (0)

/*
 * Both precisions are written once: `type` the bits, `real` the host's type, `s` the letter in the
 * mnemonics, BITS, PRECISION, INF and the format.
 */
#define FPU_NATIVE(name, type, real, s, BITS, PRECISION, INF, CANONICAL, format)                \
    static inline real name##_load(type a)                                                      \
    {                                                                                           \
        real r;                                                                                 \
        memcpy(&r, &a, sizeof(r));                                                              \
        return r;                                                                               \
    }                                                                                           \
                                                                                                \
    static inline type name##_magnitude(type a)                                                 \
    {                                                                                           \
        return a & ~((type)1 << (BITS - 1));                                                    \
    }                                                                                           \
                                                                                                \
    static inline bool name##_is_nan(type a)                                                    \
    {                                                                                           \
        return name##_magnitude(a) > (INF);                                                     \
    }                                                                                           \
                                                                                                \
    static inline type name##_store(real r)                                                     \
    {                                                                                           \
        type a;                                                                                 \
        memcpy(&a, &r, sizeof(a));                                                              \
        return UNLIKELY(name##_is_nan(a)) ? (CANONICAL) : a;                                    \
    }                                                                                           \
                                                                                                \
    static inline type name##_native_op2(enum fp_op2 op, type a, type b)                        \
    {                                                                                           \
        real x = name##_load(a), y = name##_load(b);                                            \
        switch (op) {                                                                           \
        case FP_ADD:                                                                            \
            __asm__ volatile("adds" s " %1, %0" : "+x"(x) : "x"(y));                            \
            break;                                                                              \
        case FP_SUB:                                                                            \
            __asm__ volatile("subs" s " %1, %0" : "+x"(x) : "x"(y));                            \
            break;                                                                              \
        case FP_MUL:                                                                            \
            __asm__ volatile("muls" s " %1, %0" : "+x"(x) : "x"(y));                            \
            break;                                                                              \
        case FP_DIV:                                                                            \
            __asm__ volatile("divs" s " %1, %0" : "+x"(x) : "x"(y));                            \
            break;                                                                              \
        }                                                                                       \
        return name##_store(x);                                                                 \
    }                                                                                           \
                                                                                                \
    type name##_op2(enum fp_op2 op, type a, type b, enum fp_rm rm)                              \
    {                                                                                           \
        RETURN_ROUNDED(type, rm, name##_native_op2(op, a, b),                                   \
                       soft_op2(&format, op, a, b, rm, &flags));                                \
    }                                                                                           \
                                                                                                \
    static inline type name##_native_sqrt(type a)                                               \
    {                                                                                           \
        real x = name##_load(a);                                                                \
        __asm__ volatile("sqrts" s " %0, %0" : "+x"(x));                                        \
        return name##_store(x);                                                                 \
    }                                                                                           \
                                                                                                \
    type name##_sqrt(type a, enum fp_rm rm)                                                     \
    {                                                                                           \
        RETURN_ROUNDED(type, rm, name##_native_sqrt(a), soft_sqrt(&format, a, rm, &flags));     \
    }                                                                                           \
                                                                                                \
    static inline type name##_native_fma(type a, type b, type c)                                \
    {                                                                                           \
        real x = name##_load(a), y = name##_load(b), z = name##_load(c);                        \
        type m = name##_magnitude(a), n = name##_magnitude(b);                                  \
        __asm__ volatile("vfmadd231s" s " %2, %1, %0" : "+x"(z) : "x"(x), "x"(y));              \
        /* 11.6: invalid also when c is a quiet NaN, where x86 keeps silent. */                 \
        if (UNLIKELY((m == (INF) && n == 0) || (m == 0 && n == (INF))))                         \
            fpu_raise(FP_NV);                                                                   \
        return name##_store(z);                                                                 \
    }                                                                                           \
                                                                                                \
    type name##_fma(type a, type b, type c, enum fp_rm rm)                                      \
    {                                                                                           \
        if (UNLIKELY(!__builtin_cpu_supports("fma")))                                           \
            RETURN_SOFT(type, soft_fma(&format, a, b, c, rm, &flags));                          \
        RETURN_ROUNDED(type, rm, name##_native_fma(a, b, c),                                    \
                       soft_fma(&format, a, b, c, rm, &flags));                                 \
    }                                                                                           \
                                                                                                \
    /* Out of range, or for a NaN, x86 answers the smallest integer; the flag is right. */      \
    static inline uint64_t name##_saturate(type a, int64_t v, int64_t min)                      \
    {                                                                                           \
        bool up = !(a >> (BITS - 1)) || name##_is_nan(a);                                       \
        return (uint64_t)(UNLIKELY(v == min) && up ? ~min : v);                                 \
    }                                                                                           \
                                                                                                \
    static inline uint64_t name##_native_to_i32(type a, bool truncate)                          \
    {                                                                                           \
        real x = name##_load(a);                                                                \
        int32_t v;                                                                              \
        if (truncate)                                                                           \
            __asm__ volatile("cvtts" s "2sil %1, %0" : "=r"(v) : "x"(x));                       \
        else                                                                                    \
            __asm__ volatile("cvts" s "2sil %1, %0" : "=r"(v) : "x"(x));                        \
        return name##_saturate(a, v, INT32_MIN);                                                \
    }                                                                                           \
                                                                                                \
    static inline uint64_t name##_native_to_i64(type a, bool truncate)                          \
    {                                                                                           \
        real x = name##_load(a);                                                                \
        int64_t v;                                                                              \
        if (truncate)                                                                           \
            __asm__ volatile("cvtts" s "2siq %1, %0" : "=r"(v) : "x"(x));                       \
        else                                                                                    \
            __asm__ volatile("cvts" s "2siq %1, %0" : "=r"(v) : "x"(x));                        \
        return name##_saturate(a, v, INT64_MIN);                                                \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_i32(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        if (rm == FP_RTZ)                                                                       \
            return name##_native_to_i32(a, true);                                               \
        RETURN_ROUNDED(uint64_t, rm, name##_native_to_i32(a, false),                            \
                       soft_to_int(&format, a, 32, true, rm, &flags));                          \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_i64(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        if (rm == FP_RTZ)                                                                       \
            return name##_native_to_i64(a, true);                                               \
        RETURN_ROUNDED(uint64_t, rm, name##_native_to_i64(a, false),                            \
                       soft_to_int(&format, a, 64, true, rm, &flags));                          \
    }                                                                                           \
                                                                                                \
    /* SSE2 has no unsigned conversions. Below 2^(bits-1) the signed one serves: the value, and \
     * what it may round up to, is in range of both. */                                         \
    static inline bool name##_below(type a, unsigned exp)                                       \
    {                                                                                           \
        return a < ((type)((1u << (BITS - PRECISION - 1)) - 1 + exp) << (PRECISION - 1));       \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_u32(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        if (LIKELY(name##_below(a, 31)))                                                        \
            return (uint64_t)(int64_t)(int32_t)name##_to_i64(a, rm); /* it may be 2^31 */       \
        RETURN_SOFT(uint64_t, soft_to_int(&format, a, 32, false, rm, &flags));                  \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_u64(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        if (LIKELY(name##_below(a, 63)))                                                        \
            return name##_to_i64(a, rm);                                                        \
        RETURN_SOFT(uint64_t, soft_to_int(&format, a, 64, false, rm, &flags));                  \
    }                                                                                           \
                                                                                                \
    static inline type name##_native_from_i64(int64_t v)                                        \
    {                                                                                           \
        real x = 0;                                                                             \
        __asm__ volatile("cvtsi2s" s "q %1, %0" : "+x"(x) : "r"(v));                            \
        return name##_store(x);                                                                 \
    }                                                                                           \
                                                                                                \
    type name##_from_i64(int64_t v, enum fp_rm rm)                                              \
    {                                                                                           \
        RETURN_ROUNDED(type, rm, name##_native_from_i64(v),                                     \
                       soft_from_int(&format, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v,     \
                                     rm, &flags));                                              \
    }                                                                                           \
                                                                                                \
    type name##_from_u64(uint64_t v, enum fp_rm rm)                                             \
    {                                                                                           \
        if (LIKELY(!(v >> 63)))                                                                 \
            return name##_from_i64((int64_t)v, rm);                                             \
        RETURN_SOFT(type, soft_from_int(&format, false, v, rm, &flags));                        \
    }

FPU_NATIVE(f32, uint32_t, float, "s", 32, 24, 0x7f800000u, F32_NAN, fp_single)
FPU_NATIVE(f64, uint64_t, double, "d", 64, 53, 0x7ff0000000000000ULL, F64_NAN, fp_double)

uint32_t f32_from_i32(int32_t v, enum fp_rm rm)
{
    return f32_from_i64(v, rm);
}

uint32_t f32_from_u32(uint32_t v, enum fp_rm rm)
{
    return f32_from_i64(v, rm);
}

/* Exact: no mode, no flag. */
uint64_t f64_from_i32(int32_t v)
{
    return f64_native_from_i64(v);
}

uint64_t f64_from_u32(uint32_t v)
{
    return f64_native_from_i64(v);
}

static inline uint32_t native_narrow(uint64_t a)
{
    double x = f64_load(a);
    float r = 0;

    __asm__ volatile("cvtsd2ss %1, %0" : "+x"(r) : "x"(x));
    return f32_store(r);
}

uint32_t f64_to_f32(uint64_t a, enum fp_rm rm)
{
    RETURN_ROUNDED(uint32_t, rm, native_narrow(a),
                   soft_convert(&fp_single, &fp_double, a, rm, &flags));
}

uint64_t f32_to_f64(uint32_t a)
{
    float x = f32_load(a);
    double r = 0;

    __asm__ volatile("cvtss2sd %1, %0" : "+x"(r) : "x"(x));
    return f64_store(r);
}

#endif
