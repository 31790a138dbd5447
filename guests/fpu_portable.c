/* Floating point on a host whose own unit is not used: everything in integers. */
#include "guests/fpu_host.h"
#include "guests/fpu_soft.h"

#if !FPU_X86

static _Thread_local uint8_t accrued;

void fpu_raise(uint8_t flags)
{
    accrued |= flags;
}

/* There is no host environment to keep: the rounding mode comes with each operation. */
void fpu_enter(struct fpu_host *host, unsigned frm)
{
    (void)frm;
    host->saved = accrued;
    accrued = 0;
}

void fpu_leave(struct fpu_host *host, uint8_t *fflags)
{
    *fflags |= accrued;
    accrued = (uint8_t)host->saved;
}

uint8_t fpu_flags(void)
{
    return accrued;
}

void fpu_set_flags(uint8_t flags)
{
    accrued = flags;
}

void fpu_set_frm(unsigned frm)
{
    (void)frm;
}

#define FPU_SOFT(name, type, format)                                                            \
    type name##_op2(enum fp_op2 op, type a, type b, enum fp_rm rm)                              \
    {                                                                                           \
        return (type)soft_op2(&format, op, a, b, rm, &accrued);                                 \
    }                                                                                           \
                                                                                                \
    type name##_sqrt(type a, enum fp_rm rm)                                                     \
    {                                                                                           \
        return (type)soft_sqrt(&format, a, rm, &accrued);                                       \
    }                                                                                           \
                                                                                                \
    type name##_fma(type a, type b, type c, enum fp_rm rm)                                      \
    {                                                                                           \
        return (type)soft_fma(&format, a, b, c, rm, &accrued);                                  \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_i32(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        return soft_to_int(&format, a, 32, true, rm, &accrued);                                 \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_u32(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        return soft_to_int(&format, a, 32, false, rm, &accrued);                                \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_i64(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        return soft_to_int(&format, a, 64, true, rm, &accrued);                                 \
    }                                                                                           \
                                                                                                \
    uint64_t name##_to_u64(type a, enum fp_rm rm)                                               \
    {                                                                                           \
        return soft_to_int(&format, a, 64, false, rm, &accrued);                                \
    }                                                                                           \
                                                                                                \
    type name##_from_i64(int64_t v, enum fp_rm rm)                                              \
    {                                                                                           \
        uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;                             \
        return (type)soft_from_int(&format, v < 0, magnitude, rm, &accrued);                    \
    }                                                                                           \
                                                                                                \
    type name##_from_u64(uint64_t v, enum fp_rm rm)                                             \
    {                                                                                           \
        return (type)soft_from_int(&format, false, v, rm, &accrued);                            \
    }

FPU_SOFT(f32, uint32_t, fp_single)
FPU_SOFT(f64, uint64_t, fp_double)

uint32_t f32_from_i32(int32_t v, enum fp_rm rm)
{
    return f32_from_i64(v, rm);
}

uint32_t f32_from_u32(uint32_t v, enum fp_rm rm)
{
    return f32_from_i64(v, rm);
}

uint64_t f64_from_i32(int32_t v)
{
    return f64_from_i64(v, FP_RNE);
}

uint64_t f64_from_u32(uint32_t v)
{
    return f64_from_i64(v, FP_RNE);
}

uint32_t f64_to_f32(uint64_t a, enum fp_rm rm)
{
    return (uint32_t)soft_convert(&fp_single, &fp_double, a, rm, &accrued);
}

uint64_t f32_to_f64(uint32_t a)
{
    return soft_convert(&fp_double, &fp_single, a, FP_RNE, &accrued);
}

#endif
