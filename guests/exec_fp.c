/* Floating point: F (chapter 11) and D (12). The host's unit where it is exact, else fpu.h. */
#include "guests/exec.h"
#include "guests/exec_int.h"

#define RM_NONE UINT8_MAX /* fp_live when every operation must take the slow way */

/*
 * Before a hart's first operation in a run, or after its FS or frm may have changed: FS must
 * not be off; it becomes dirty, and the host's unit becomes the hart's. False: illegal.
 */
static COLD bool fp_begin(struct hart *h)
{
    if (!(h->mstatus & MSTATUS_FS))
        return false;
    h->mstatus |= MSTATUS_FS;
    if (!h->fp_on)
        fpu_enter(&h->caches->fpu, h->frm);
    h->fp_on = 1;
    h->fp_live = h->frm <= FP_RUP ? FP_DYN : RM_NONE;
    return true;
}

static COLD void fp_illegal(HANDLER_ARGS)
{
    sync_before(PASS);
    trap_illegal(h);
    LEAVE();
}

/* For what rounds nothing. */
#define BEGIN()                                                                                    \
    do {                                                                                           \
        if (UNLIKELY(!h->fp_on) && !fp_begin(h))                                                   \
            TAIL_RETURN fp_illegal(PASS);                                                          \
    } while (0)

/* For what rounds: also a valid mode, in `rm`; frm may hold a reserved one (11.2). */
#define BEGIN_RM()                                                                                 \
    unsigned rm = (unsigned)op->imm & 7;                                                           \
    BEGIN();                                                                                       \
    do {                                                                                           \
        if (rm == FP_DYN)                                                                          \
            rm = h->frm;                                                                           \
        if (UNLIKELY(rm > FP_RMM))                                                                 \
            TAIL_RETURN fp_illegal(PASS);                                                          \
    } while (0)

/* A register as a float: not boxed means the canonical NaN (12.2). */
static inline uint32_t unbox(uint64_t v)
{
    return v >> 32 == UINT32_MAX ? (uint32_t)v : F32_NAN;
}

static inline uint64_t box(uint32_t v)
{
    return v | 0xffffffff00000000ULL;
}

static inline float to_float(uint32_t v)
{
    float f;

    memcpy(&f, &v, sizeof(f));
    return f;
}

static inline double to_double(uint64_t v)
{
    double d;

    memcpy(&d, &v, sizeof(d));
    return d;
}

/* A result's bits: of NaNs there is one. */
static inline uint32_t from_float(float f)
{
    uint32_t v;

    memcpy(&v, &f, sizeof(v));
    return UNLIKELY(f != f) ? F32_NAN : v;
}

static inline uint64_t from_double(double d)
{
    uint64_t v;

    memcpy(&v, &d, sizeof(v));
    return UNLIKELY(d != d) ? F64_NAN : v;
}

#define FD h->f[op->rd]
#define S1 unbox(h->f[op->rs1])
#define S2 unbox(h->f[op->rs2])
#define S3 unbox(h->f[op->imm >> 8])
#define D1 h->f[op->rs1]
#define D2 h->f[op->rs2]
#define D3 h->f[op->imm >> 8]

/* An operation that the host does as it is when it rounds as the guest wants. */
#define ARITH(name, host, slow)                                                                    \
    static COLD void slow_##name(HANDLER_ARGS)                                                     \
    {                                                                                              \
        BEGIN_RM();                                                                                \
        FD = slow;                                                                                 \
        NEXT();                                                                                    \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(op->imm != h->fp_live))                                                       \
            TAIL_RETURN slow_##name(PASS);                                                         \
        FD = host;                                                                                 \
        NEXT();                                                                                    \
    }

/* Arithmetic in C adds to the host's flags by itself only where the unit is the host's own. */
#if defined(__x86_64__) && !defined(FPU_PORTABLE)
#define HOST_S(op_) box(from_float(to_float(S1) op_ to_float(S2)))
#define HOST_D(op_) from_double(to_double(D1) op_ to_double(D2))
#else
#define HOST_S(op_) box(f32_op2(HOST_OP(op_), S1, S2, (enum fp_rm)h->frm))
#define HOST_D(op_) f64_op2(HOST_OP(op_), D1, D2, (enum fp_rm)h->frm)
#define HOST_OP(op_) (#op_[0] == '+' ? FP_ADD : #op_[0] == '-' ? FP_SUB : #op_[0] == '*' ? FP_MUL : FP_DIV)
#endif

ARITH(fadd_s, HOST_S(+), box(f32_op2(FP_ADD, S1, S2, rm)))
ARITH(fsub_s, HOST_S(-), box(f32_op2(FP_SUB, S1, S2, rm)))
ARITH(fmul_s, HOST_S(*), box(f32_op2(FP_MUL, S1, S2, rm)))
ARITH(fdiv_s, HOST_S(/), box(f32_op2(FP_DIV, S1, S2, rm)))
ARITH(fadd_d, HOST_D(+), f64_op2(FP_ADD, D1, D2, rm))
ARITH(fsub_d, HOST_D(-), f64_op2(FP_SUB, D1, D2, rm))
ARITH(fmul_d, HOST_D(*), f64_op2(FP_MUL, D1, D2, rm))
ARITH(fdiv_d, HOST_D(/), f64_op2(FP_DIV, D1, D2, rm))

/* Everything else that rounds. */
#define ROUNDED(name, stmt)                                                                        \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        BEGIN_RM();                                                                                \
        stmt;                                                                                      \
        NEXT();                                                                                    \
    }

#define SIGN_S 0x80000000u
#define SIGN_D (1ULL << 63)

ROUNDED(fsqrt_s, FD = box(f32_sqrt(S1, rm)))
ROUNDED(fsqrt_d, FD = f64_sqrt(D1, rm))
ROUNDED(fmadd_s, FD = box(f32_fma(S1, S2, S3, rm)))
ROUNDED(fmsub_s, FD = box(f32_fma(S1, S2, S3 ^ SIGN_S, rm)))
ROUNDED(fnmsub_s, FD = box(f32_fma(S1 ^ SIGN_S, S2, S3, rm)))
ROUNDED(fnmadd_s, FD = box(f32_fma(S1 ^ SIGN_S, S2, S3 ^ SIGN_S, rm)))
ROUNDED(fmadd_d, FD = f64_fma(D1, D2, D3, rm))
ROUNDED(fmsub_d, FD = f64_fma(D1, D2, D3 ^ SIGN_D, rm))
ROUNDED(fnmsub_d, FD = f64_fma(D1 ^ SIGN_D, D2, D3, rm))
ROUNDED(fnmadd_d, FD = f64_fma(D1 ^ SIGN_D, D2, D3 ^ SIGN_D, rm))
ROUNDED(fcvt_s_d, FD = box(f64_to_f32(D1, rm)))
ROUNDED(fcvt_d_s, FD = f32_to_f64(S1); (void)rm)
ROUNDED(fcvt_w_s, RD = f32_to_i32(S1, rm))
ROUNDED(fcvt_wu_s, RD = f32_to_u32(S1, rm))
ROUNDED(fcvt_l_s, RD = f32_to_i64(S1, rm))
ROUNDED(fcvt_lu_s, RD = f32_to_u64(S1, rm))
ROUNDED(fcvt_w_d, RD = f64_to_i32(D1, rm))
ROUNDED(fcvt_wu_d, RD = f64_to_u32(D1, rm))
ROUNDED(fcvt_l_d, RD = f64_to_i64(D1, rm))
ROUNDED(fcvt_lu_d, RD = f64_to_u64(D1, rm))
ROUNDED(fcvt_s_w, FD = box(f32_from_i32((int32_t)RS1, rm)))
ROUNDED(fcvt_s_wu, FD = box(f32_from_u32((uint32_t)RS1, rm)))
ROUNDED(fcvt_s_l, FD = box(f32_from_i64((int64_t)RS1, rm)))
ROUNDED(fcvt_s_lu, FD = box(f32_from_u64(RS1, rm)))
ROUNDED(fcvt_d_w, FD = f64_from_i32((int32_t)RS1); (void)rm)
ROUNDED(fcvt_d_wu, FD = f64_from_u32((uint32_t)RS1); (void)rm)
ROUNDED(fcvt_d_l, FD = f64_from_i64((int64_t)RS1, rm))
ROUNDED(fcvt_d_lu, FD = f64_from_u64(RS1, rm))

#define EXACT(name, stmt)                                                                          \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        BEGIN();                                                                                   \
        stmt;                                                                                      \
        NEXT();                                                                                    \
    }

EXACT(fsgnj_s, FD = box((S1 & ~SIGN_S) | (S2 & SIGN_S)))
EXACT(fsgnjn_s, FD = box((S1 & ~SIGN_S) | (~S2 & SIGN_S)))
EXACT(fsgnjx_s, FD = box(S1 ^ (S2 & SIGN_S)))
EXACT(fsgnj_d, FD = (D1 & ~SIGN_D) | (D2 & SIGN_D))
EXACT(fsgnjn_d, FD = (D1 & ~SIGN_D) | (~D2 & SIGN_D))
EXACT(fsgnjx_d, FD = D1 ^ (D2 & SIGN_D))
EXACT(fmin_s, FD = box(f32_min(S1, S2)))
EXACT(fmax_s, FD = box(f32_max(S1, S2)))
EXACT(fmin_d, FD = f64_min(D1, D2))
EXACT(fmax_d, FD = f64_max(D1, D2))
EXACT(feq_s, RD = f32_eq(S1, S2))
EXACT(flt_s, RD = f32_lt(S1, S2))
EXACT(fle_s, RD = f32_le(S1, S2))
EXACT(feq_d, RD = f64_eq(D1, D2))
EXACT(flt_d, RD = f64_lt(D1, D2))
EXACT(fle_d, RD = f64_le(D1, D2))
EXACT(fmv_w_x, FD = box((uint32_t)RS1))
EXACT(fmv_d_x, FD = RS1)

/* These change nothing of the floating-point state: FS stays as it is. */
#define READS(name, stmt)                                                                          \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(!(h->mstatus & MSTATUS_FS)))                                                  \
            TAIL_RETURN fp_illegal(PASS);                                                          \
        stmt;                                                                                      \
        NEXT();                                                                                    \
    }

READS(fclass_s, RD = f32_class(S1))
READS(fclass_d, RD = f64_class(D1))
READS(fmv_x_w, RD = SEXT32(h->f[op->rs1]))
READS(fmv_x_d, RD = D1)
