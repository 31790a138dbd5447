/* The decoder: the list of instructions, sorted into rows by major opcode. */
#include <pthread.h>

#include "guests/decode.h"

struct row {
    uint32_t match, mask;
    uint16_t id;
    uint8_t format;
};

static const struct row rows[] = {
#define OP(name, match, mask, format) {match, mask, OP_##name, FMT_##format},
#include "guests/ops.h"
#undef OP
};

/* Row numbers by bits 6:2, in the list's order. */
static uint16_t sorted[ARRAY_LEN(rows)];
static uint16_t first[33];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void sort_rows(void)
{
    uint16_t n = 0;

    for (unsigned major = 0; major < 32; major++) {
        first[major] = n;
        for (uint16_t i = 0; i < ARRAY_LEN(rows); i++)
            if ((rows[i].match >> 2 & 31) == major)
                sorted[n++] = i;
    }
    first[32] = n;
}

/* Rounding modes 5 and 6 are reserved (11.2), whatever frm holds. */
static bool rm_reserved(uint8_t format, uint32_t bits)
{
    uint32_t rm = bits >> 12 & 7;

    return (format == FMT_FM || format == FMT_F4 || format == FMT_XM) && (rm == 5 || rm == 6);
}

struct insn decode(uint32_t bits)
{
    struct insn in = {.id = OP_illegal, .format = FMT_ILLEGAL, .bits = bits, .len = 4};
    unsigned major;

    pthread_once(&once, sort_rows);
    if (decode_is_compressed(bits)) {
        in.len = 2;
        in.bits = bits &= 0xffff;
        bits = decode_compressed((uint16_t)bits);
        if (!bits)
            return in;
    }
    major = bits >> 2 & 31;
    for (unsigned i = first[major]; i < first[major + 1]; i++) {
        const struct row *r = &rows[sorted[i]];

        if ((bits & r->mask) != r->match)
            continue;
        if (rm_reserved(r->format, bits))
            break;
        in.id = (enum op_id)r->id;
        in.format = (enum op_format)r->format;
        in.bits = bits;
        break;
    }
    return in;
}

/* Bits [lo, hi] of v, moved to start at `to`. */
static uint32_t field(uint32_t v, unsigned hi, unsigned lo, unsigned to)
{
    return (v >> lo & ((1u << (hi - lo + 1)) - 1)) << to;
}

static int32_t sign_extend(uint32_t v, unsigned bits)
{
    uint32_t sign = 1u << (bits - 1);

    return (int32_t)((v ^ sign) - sign);
}

int32_t imm_i(uint32_t b)
{
    return sign_extend(b >> 20, 12);
}

int32_t imm_s(uint32_t b)
{
    return sign_extend(field(b, 31, 25, 5) | field(b, 11, 7, 0), 12);
}

int32_t imm_b(uint32_t b)
{
    return sign_extend(field(b, 31, 31, 12) | field(b, 7, 7, 11) | field(b, 30, 25, 5) |
                           field(b, 11, 8, 1), 13);
}

int32_t imm_j(uint32_t b)
{
    return sign_extend(field(b, 31, 31, 20) | field(b, 19, 12, 12) | field(b, 20, 20, 11) |
                           field(b, 30, 21, 1), 21);
}
