/* Compressed instructions, each expanded to the 32-bit one that it stands for (chapter 16). */
#include "guests/decode.h"

/* Bits [hi, lo] of the instruction, moved to start at `to`. */
static uint32_t get(uint16_t c, unsigned hi, unsigned lo, unsigned to)
{
    return (uint32_t)(c >> lo & ((1u << (hi - lo + 1)) - 1)) << to;
}

static uint32_t rd(uint16_t c)
{
    return get(c, 11, 7, 0);
}

static uint32_t rs2(uint16_t c)
{
    return get(c, 6, 2, 0);
}

/* The three-bit registers x8 to x15: rd' or rs2' in bits 4:2, rs1' in bits 9:7. */
static uint32_t low(uint16_t c)
{
    return 8 + get(c, 4, 2, 0);
}

static uint32_t high(uint16_t c)
{
    return 8 + get(c, 9, 7, 0);
}

/* The six-bit immediate of the CI format, sign-extended to 12 bits. */
static uint32_t imm6(uint16_t c)
{
    uint32_t v = get(c, 12, 12, 5) | get(c, 6, 2, 0);

    return v & 32 ? v | 0xfc0 : v;
}

static uint32_t shamt(uint16_t c)
{
    return get(c, 12, 12, 5) | get(c, 6, 2, 0);
}

static uint32_t i_type(uint32_t op, uint32_t d, uint32_t s1, uint32_t imm)
{
    return op | d << 7 | s1 << 15 | (imm & 0xfff) << 20;
}

static uint32_t s_type(uint32_t op, uint32_t s1, uint32_t s2, uint32_t imm)
{
    return op | (imm & 31) << 7 | s1 << 15 | s2 << 20 | (imm >> 5 & 127) << 25;
}

static uint32_t r_type(uint32_t op, uint32_t d, uint32_t s1, uint32_t s2)
{
    return op | d << 7 | s1 << 15 | s2 << 20;
}

/* Offsets of loads and stores, scaled by 4 or 8, and those on the stack. */
static uint32_t off_w(uint16_t c)
{
    return get(c, 5, 5, 6) | get(c, 12, 10, 3) | get(c, 6, 6, 2);
}

static uint32_t off_d(uint16_t c)
{
    return get(c, 6, 5, 6) | get(c, 12, 10, 3);
}

static uint32_t off_lwsp(uint16_t c)
{
    return get(c, 3, 2, 6) | get(c, 12, 12, 5) | get(c, 6, 4, 2);
}

static uint32_t off_ldsp(uint16_t c)
{
    return get(c, 4, 2, 6) | get(c, 12, 12, 5) | get(c, 6, 5, 3);
}

static uint32_t off_swsp(uint16_t c)
{
    return get(c, 8, 7, 6) | get(c, 12, 9, 2);
}

static uint32_t off_sdsp(uint16_t c)
{
    return get(c, 9, 7, 6) | get(c, 12, 10, 3);
}

static uint32_t quadrant0(uint16_t c)
{
    switch (c >> 13) {
    case 0: { /* c.addi4spn; an immediate of zero is reserved */
        uint32_t imm = get(c, 10, 7, 6) | get(c, 12, 11, 4) | get(c, 5, 5, 3) | get(c, 6, 6, 2);

        return imm ? i_type(0x13, low(c), 2, imm) : 0;
    }
    case 1: return i_type(0x3007, low(c), high(c), off_d(c)); /* c.fld */
    case 2: return i_type(0x2003, low(c), high(c), off_w(c)); /* c.lw */
    case 3: return i_type(0x3003, low(c), high(c), off_d(c)); /* c.ld */
    case 5: return s_type(0x3027, high(c), low(c), off_d(c)); /* c.fsd */
    case 6: return s_type(0x2023, high(c), low(c), off_w(c)); /* c.sw */
    case 7: return s_type(0x3023, high(c), low(c), off_d(c)); /* c.sd */
    default: return 0;
    }
}

/* c.sub and its neighbours: by bit 12 and bits 6:5. */
static uint32_t register_arithmetic(uint16_t c)
{
    static const uint32_t ops[8] = {
        0x40000033, 0x4033, 0x6033, 0x7033, /* sub xor or and */
        0x4000003b, 0x3b, 0, 0,             /* subw addw */
    };
    uint32_t op = ops[get(c, 12, 12, 2) | get(c, 6, 5, 0)];

    return op ? r_type(op, high(c), high(c), low(c)) : 0;
}

static uint32_t arithmetic(uint16_t c)
{
    uint32_t r = high(c);

    switch (c >> 10 & 3) {
    case 0: return i_type(0x5013, r, r, shamt(c));         /* c.srli */
    case 1: return i_type(0x5013, r, r, 0x400 | shamt(c)); /* c.srai */
    case 2: return i_type(0x7013, r, r, imm6(c));          /* c.andi */
    default: return register_arithmetic(c);
    }
}

/* c.addi16sp and c.lui: immediates of zero are reserved; c.lui x0 is a hint. */
static uint32_t upper(uint16_t c)
{
    uint32_t imm;

    if (rd(c) == 2) {
        imm = get(c, 12, 12, 9) | get(c, 4, 3, 7) | get(c, 5, 5, 6) | get(c, 2, 2, 5) |
              get(c, 6, 6, 4);
        if (imm & 0x200)
            imm |= 0xc00;
        return imm ? i_type(0x13, 2, 2, imm) : 0;
    }
    imm = imm6(c);
    if (imm & 0x800)
        imm |= 0xff000;
    return imm ? 0x37 | rd(c) << 7 | imm << 12 : 0;
}

static uint32_t jump(uint16_t c)
{
    uint32_t imm = get(c, 12, 12, 11) | get(c, 8, 8, 10) | get(c, 10, 9, 8) | get(c, 6, 6, 7) |
                   get(c, 7, 7, 6) | get(c, 2, 2, 5) | get(c, 11, 11, 4) | get(c, 5, 3, 1);

    /* jal x0: imm[20|10:1|11|19:12], the sign spread over its upper bits */
    return 0x6f | (imm >> 1 & 0x3ff) << 21 | (imm >> 11 & 1) << 20 |
           (imm & 0x800 ? 0x800ff000u : 0);
}

static uint32_t branch(uint16_t c, uint32_t op)
{
    uint32_t imm = get(c, 12, 12, 8) | get(c, 6, 5, 6) | get(c, 2, 2, 5) | get(c, 11, 10, 3) |
                   get(c, 4, 3, 1);

    if (imm & 0x100)
        imm |= 0x1e00;
    return op | high(c) << 15 | (imm >> 12 & 1) << 31 | (imm >> 5 & 63) << 25 |
           (imm >> 1 & 15) << 8 | (imm >> 11 & 1) << 7;
}

static uint32_t quadrant1(uint16_t c)
{
    switch (c >> 13) {
    case 0: return i_type(0x13, rd(c), rd(c), imm6(c));             /* c.addi, c.nop */
    case 1: return rd(c) ? i_type(0x1b, rd(c), rd(c), imm6(c)) : 0; /* c.addiw */
    case 2: return i_type(0x13, rd(c), 0, imm6(c));                 /* c.li */
    case 3: return upper(c);
    case 4: return arithmetic(c);
    case 5: return jump(c);
    case 6: return branch(c, 0x63);  /* c.beqz */
    default: return branch(c, 0x1063); /* c.bnez */
    }
}

/* c.jr, c.mv, c.ebreak, c.jalr, c.add */
static uint32_t jump_or_move(uint16_t c)
{
    bool bit12 = c >> 12 & 1;

    if (rs2(c))
        return r_type(0x33, rd(c), bit12 ? rd(c) : 0, rs2(c));
    if (rd(c))
        return i_type(0x67, bit12, rd(c), 0);
    return bit12 ? 0x100073 : 0;
}

static uint32_t quadrant2(uint16_t c)
{
    switch (c >> 13) {
    case 0: return i_type(0x1013, rd(c), rd(c), shamt(c));           /* c.slli */
    case 1: return i_type(0x3007, rd(c), 2, off_ldsp(c));            /* c.fldsp */
    case 2: return rd(c) ? i_type(0x2003, rd(c), 2, off_lwsp(c)) : 0; /* c.lwsp */
    case 3: return rd(c) ? i_type(0x3003, rd(c), 2, off_ldsp(c)) : 0; /* c.ldsp */
    case 4: return jump_or_move(c);
    case 5: return s_type(0x3027, 2, rs2(c), off_sdsp(c));  /* c.fsdsp */
    case 6: return s_type(0x2023, 2, rs2(c), off_swsp(c));  /* c.swsp */
    default: return s_type(0x3023, 2, rs2(c), off_sdsp(c)); /* c.sdsp */
    }
}

uint32_t decode_compressed(uint16_t c)
{
    switch (c & 3) {
    case 0: return c ? quadrant0(c) : 0;
    case 1: return quadrant1(c);
    default: return quadrant2(c);
    }
}
