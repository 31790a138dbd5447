/* Integer arithmetic: RV64I (chapters 2, 5), M (7), Zba, Zbb, Zbs. */
#include "guests/exec.h"
#include "guests/exec_int.h"

#define INT(name) HANDLER(name) { INT_##name; NEXT(); }

INT(lui)
INT(auipc)
INT(addi)
INT(slti)
INT(sltiu)
INT(xori)
INT(ori)
INT(andi)
INT(slli)
INT(srli)
INT(srai)
INT(add)
INT(sub)
INT(sll)
INT(slt)
INT(sltu)
INT(xor)
INT(srl)
INT(sra)
INT(or)
INT(and)
INT(addiw)
INT(slliw)
INT(srliw)
INT(sraiw)
INT(addw)
INT(subw)
INT(sllw)
INT(srlw)
INT(sraw)
INT(mul)
INT(mulw)
INT(add_uw)
INT(sh1add)
INT(sh2add)
INT(sh3add)
INT(zext_h)
INT(sext_b)
INT(sext_h)

#define SIMPLE(name, expr) HANDLER(name) { RD = (uint64_t)(expr); NEXT(); }

/* FENCE and PAUSE: the memory of one machine is sequentially consistent already. */
HANDLER(fence)
{
    NEXT();
}

SIMPLE(mulh, (unsigned __int128)((__int128)(int64_t)RS1 * (int64_t)RS2) >> 64)
SIMPLE(mulhu, (unsigned __int128)RS1 * RS2 >> 64)
SIMPLE(mulhsu, (unsigned __int128)((__int128)(int64_t)RS1 * (__int128)RS2) >> 64)

/* Division by zero and overflow have results, not traps (7.2, table 7.1). */
static int64_t div64(int64_t a, int64_t b)
{
    return b == 0 ? -1 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static int64_t rem64(int64_t a, int64_t b)
{
    return b == 0 ? a : b == -1 ? 0 : a % b;
}

static int32_t div32(int32_t a, int32_t b)
{
    return b == 0 ? -1 : b == -1 ? (int32_t)(0 - (uint32_t)a) : a / b;
}

static int32_t rem32(int32_t a, int32_t b)
{
    return b == 0 ? a : b == -1 ? 0 : a % b;
}

static uint32_t divu32(uint32_t a, uint32_t b)
{
    return b == 0 ? UINT32_MAX : a / b;
}

static uint32_t remu32(uint32_t a, uint32_t b)
{
    return b == 0 ? a : a % b;
}

SIMPLE(div, div64((int64_t)RS1, (int64_t)RS2))
SIMPLE(rem, rem64((int64_t)RS1, (int64_t)RS2))
SIMPLE(divu, RS2 == 0 ? UINT64_MAX : RS1 / RS2)
SIMPLE(remu, RS2 == 0 ? RS1 : RS1 % RS2)
SIMPLE(divw, div32((int32_t)RS1, (int32_t)RS2))
SIMPLE(remw, rem32((int32_t)RS1, (int32_t)RS2))
SIMPLE(divuw, SEXT32(divu32((uint32_t)RS1, (uint32_t)RS2)))
SIMPLE(remuw, SEXT32(remu32((uint32_t)RS1, (uint32_t)RS2)))

/* Zba */
SIMPLE(sh1add_uw, RS2 + ((RS1 & UINT32_MAX) << 1))
SIMPLE(sh2add_uw, RS2 + ((RS1 & UINT32_MAX) << 2))
SIMPLE(sh3add_uw, RS2 + ((RS1 & UINT32_MAX) << 3))
SIMPLE(slli_uw, (RS1 & UINT32_MAX) << op->imm)

/* Zbb */
static uint64_t rotate_right(uint64_t v, unsigned n)
{
    return v >> (n & 63) | v << (-n & 63);
}

static uint64_t rotate_right_w(uint32_t v, unsigned n)
{
    return SEXT32(v >> (n & 31) | v << (-n & 31));
}

/* Every byte that is not zero becomes all ones. */
static uint64_t or_combine(uint64_t v)
{
    uint64_t low7 = 0x7f7f7f7f7f7f7f7fULL, top = ((v & low7) + low7) | v;

    return (top >> 7 & 0x0101010101010101ULL) * 0xff;
}

SIMPLE(andn, RS1 & ~RS2)
SIMPLE(orn, RS1 | ~RS2)
SIMPLE(xnor, ~(RS1 ^ RS2))
SIMPLE(clz, RS1 ? __builtin_clzll(RS1) : 64)
SIMPLE(ctz, RS1 ? __builtin_ctzll(RS1) : 64)
SIMPLE(cpop, __builtin_popcountll(RS1))
SIMPLE(clzw, (uint32_t)RS1 ? __builtin_clz((uint32_t)RS1) : 32)
SIMPLE(ctzw, (uint32_t)RS1 ? __builtin_ctz((uint32_t)RS1) : 32)
SIMPLE(cpopw, __builtin_popcount((uint32_t)RS1))
SIMPLE(max, MAX((int64_t)RS1, (int64_t)RS2))
SIMPLE(maxu, MAX(RS1, RS2))
SIMPLE(min, MIN((int64_t)RS1, (int64_t)RS2))
SIMPLE(minu, MIN(RS1, RS2))
SIMPLE(ror, rotate_right(RS1, (unsigned)RS2))
SIMPLE(rol, rotate_right(RS1, 0u - (unsigned)RS2))
SIMPLE(rori, rotate_right(RS1, (unsigned)op->imm))
SIMPLE(rorw, rotate_right_w((uint32_t)RS1, (unsigned)RS2))
SIMPLE(rolw, rotate_right_w((uint32_t)RS1, 0u - (unsigned)RS2))
SIMPLE(roriw, rotate_right_w((uint32_t)RS1, (unsigned)op->imm))
SIMPLE(orc_b, or_combine(RS1))
SIMPLE(rev8, __builtin_bswap64(RS1))

/* Zbs */
SIMPLE(bclr, RS1 & ~(1ULL << (RS2 & 63)))
SIMPLE(bclri, RS1 & ~(1ULL << op->imm))
SIMPLE(bext, RS1 >> (RS2 & 63) & 1)
SIMPLE(bexti, RS1 >> op->imm & 1)
SIMPLE(binv, RS1 ^ 1ULL << (RS2 & 63))
SIMPLE(binvi, RS1 ^ 1ULL << op->imm)
SIMPLE(bset, RS1 | 1ULL << (RS2 & 63))
SIMPLE(bseti, RS1 | 1ULL << op->imm)
