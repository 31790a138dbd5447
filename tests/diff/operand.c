/* Random values and operands: where something happens more often than chance would have it. */
#include "tests/diff/gen.h"

static uint64_t float_any(struct dice *d, unsigned bits, unsigned fraction_bits)
{
    uint64_t r = dice_roll(d), fraction = dice_roll(d) & ((1ULL << fraction_bits) - 1);
    unsigned exp_ones = (1u << (bits - 1 - fraction_bits)) - 1;
    unsigned exp = (unsigned)(r >> 8) & exp_ones;

    if (r & 1)
        exp = exp_ones / 2 + (unsigned)(r >> 32) % 70 - 4;
    else if (r & 2)
        exp = (exp_ones - 2 + (unsigned)(r >> 32) % 5) & exp_ones;
    if ((r & 12) == 0)
        fraction = 0;
    else if ((r & 12) == 4)
        fraction = 1ULL << (r >> 40) % fraction_bits;
    return (r >> 63) << (bits - 1) | (uint64_t)exp << fraction_bits | fraction;
}

uint64_t value_any(struct dice *d)
{
    uint64_t r = dice_roll(d);
    unsigned shift = r >> 8 & 63;

    switch (r & 15) {
    case 0:
        return (r >> 16 & 7) - 3;
    case 1:
        return (1ULL << shift) + (r >> 16 & 3) - 1;
    case 2:
        return 0 - (1ULL << shift) + (r >> 16 & 3) - 1;
    case 3:
        return (uint64_t)(int64_t)(int32_t)dice_roll(d);
    case 4:
        return dice_roll(d) >> shift;
    case 5:
    case 6:
    case 7:
        return 0xffffffff00000000ULL | float_any(d, 32, 23);
    case 8:
        return float_any(d, 32, 23) << 32 | float_any(d, 32, 23);
    case 9:
    case 10:
    case 11:
        return float_any(d, 64, 52);
    default:
        return dice_roll(d);
    }
}

static unsigned pointer(struct gen *g)
{
    static const uint8_t regs[] = {SP, S0, S1};

    return regs[below(g, ARRAY_LEN(regs))];
}

unsigned target_reg(struct gen *g)
{
    unsigned r;

    do
        r = below(g, 32);
    while (r == SP || r == S0 || r == S1);
    return r;
}

unsigned nonzero_target(struct gen *g)
{
    unsigned r;

    do
        r = target_reg(g);
    while (r == 0);
    return r;
}

unsigned source_reg(struct gen *g)
{
    return below(g, 3) ? 10 + below(g, 8) : below(g, 32);
}

static unsigned rounding_mode(struct gen *g)
{
    if (below(g, 5) < 3)
        return 7;
    return below(g, 64) ? below(g, 5) : 5 + below(g, 2);
}

static uint32_t s_immediate(int v)
{
    return bits((uint32_t)v, 4, 0, 7) | bits((uint32_t)v, 11, 5, 25);
}

uint32_t operand_wide(struct gen *g, char c)
{
    switch (c) {
    case 'd': return (below(g, 2) ? 10 + below(g, 8) : target_reg(g)) << 7;
    case 's': return source_reg(g) << 15;
    case 't': return source_reg(g) << 20;
    case 'D': return below(g, 16) << 7;
    case 'S': return below(g, 16) << 15;
    case 'T': return below(g, 16) << 20;
    case 'R': return below(g, 32) << 27;
    case 'p': return pointer(g) << 15;
    case 'm': return rounding_mode(g) << 12;
    case 'i': return below(g, 4096) << 20;
    case 'u': return below(g, 1u << 20) << 12;
    case 'j': return below(g, 64) << 20;
    case 'k': return below(g, 32) << 20;
    case 'z': return below(g, 32) << 15;
    case 'o': return (uint32_t)((int)below(g, 512) - 256) << 20;
    case 'O': return s_immediate((int)below(g, 512) - 256);
    case 'q': return below(g, 4) << 25;
    case 'x': return below(g, 1u << 25) << 7;
    /* Aligned: for others QEMU 7.2 rounds mtval down, to below the access (Privileged 3.1.16). */
    case 'n': return below(g, 256) << 23;
    case 'M': return s_immediate((int)below(g, 256) << 3);
    default: return 0;
    }
}

static uint32_t ci_immediate(uint32_t v)
{
    return bits(v, 5, 5, 12) | bits(v, 4, 0, 2);
}

/* The scrambled offsets are those of Unprivileged 26.3 to 26.5. */
uint32_t operand_narrow(struct gen *g, char c)
{
    uint32_t v = below(g, 1u << 16);

    switch (c) {
    case '1': return nonzero_target(g) << 7;
    case '2': return (1 + below(g, 31)) << 2;
    case '3': return (2 + below(g, 6)) << 7; /* not x8 and x9 */
    case '4': return (2 + below(g, 6)) << 2;
    case '5':
    case '7': return below(g, 8) << 2;
    case '6': return below(g, 32) << 7;
    case '8': return below(g, 32) << 2;
    case '9': return below(g, 8) << 7;
    case 'P': return below(g, 2) << 7; /* x8 or x9 */
    case 'I':
    case 'L':
    case 'H': return ci_immediate(1 + below(g, 63));
    case 'N':
        v = 4 * (1 + below(g, 255));
        return bits(v, 5, 4, 11) | bits(v, 9, 6, 7) | bits(v, 2, 2, 6) | bits(v, 3, 3, 5);
    case 'W': return bits(v, 5, 3, 10) | bits(v, 2, 2, 6) | bits(v, 6, 6, 5);
    case 'V': return bits(v, 5, 3, 10) | bits(v, 7, 6, 5);
    case 'Y': return bits(v, 5, 5, 12) | bits(v, 4, 2, 4) | bits(v, 7, 6, 2);
    case 'X': return bits(v, 5, 5, 12) | bits(v, 4, 3, 5) | bits(v, 8, 6, 2);
    case 'y': return bits(v, 5, 2, 9) | bits(v, 7, 6, 7);
    case 'v': return bits(v, 5, 3, 10) | bits(v, 8, 6, 7);
    default: return 0;
    }
}
