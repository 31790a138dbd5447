/* Encoding of x86-64 instructions. */
#include "guests/translate/x86_64/asm.h"

static bool is_int8(int32_t v)
{
    return v >= -128 && v <= 127;
}

/* ModRM, SIB and displacement (SDM volume 2, 2.1.5): RSP and R12 as a base need a SIB byte, RBP
   and R13 a displacement. */
static void address(struct assembler *a, unsigned reg, struct loc rm)
{
    unsigned low = rm.reg & 7, mod;

    if (!rm.mem) {
        asm_8(a, 0xc0 | (reg & 7) << 3 | low);
        return;
    }
    mod = rm.disp == 0 && low != RBP ? 0 : is_int8(rm.disp) ? 1 : 2;
    asm_8(a, mod << 6 | (reg & 7) << 3 | low);
    if (low == RSP)
        asm_8(a, 0x24);
    if (mod == 1)
        asm_8(a, (unsigned)rm.disp);
    else if (mod == 2)
        asm_32(a, (uint32_t)rm.disp);
}

static void opcode_bytes(struct assembler *a, uint32_t opcode)
{
    if (opcode & 0xff00)
        asm_8(a, opcode >> 8 & 0xff);
    asm_8(a, opcode & 0xff);
}

static void encode(struct assembler *a, bool w, bool force_rex, uint32_t opcode, unsigned reg,
                   struct loc rm)
{
    unsigned rex = (unsigned)w << 3 | reg >> 3 << 2 | rm.reg >> 3;

    if (opcode >> 16)
        asm_8(a, opcode >> 16);
    if (rex || force_rex)
        asm_8(a, 0x40 | rex);
    opcode_bytes(a, opcode);
    address(a, reg, rm);
}

void asm_modrm(struct assembler *a, bool w, uint32_t opcode, unsigned reg, struct loc rm)
{
    encode(a, w, false, opcode, reg, rm);
}

void asm_modrm8(struct assembler *a, uint32_t opcode, unsigned reg, struct loc rm)
{
    encode(a, false, reg >= RSP || (!rm.mem && rm.reg >= RSP), opcode, reg, rm);
}

void asm_lea(struct assembler *a, bool w, unsigned dst, unsigned base, unsigned index,
             unsigned scale, int32_t disp)
{
    unsigned log = scale == 8 ? 3 : scale / 2, mod = is_int8(disp) ? 1 : 2;

    asm_8(a, 0x40 | (unsigned)w << 3 | dst >> 3 << 2 | index >> 3 << 1 | base >> 3);
    asm_8(a, 0x8d);
    asm_8(a, mod << 6 | (dst & 7) << 3 | RSP);
    asm_8(a, log << 6 | (index & 7) << 3 | (base & 7));
    if (mod == 1)
        asm_8(a, (unsigned)disp);
    else
        asm_32(a, (uint32_t)disp);
}

void asm_mov_imm(struct assembler *a, unsigned dst, uint64_t value)
{
    if (value <= UINT32_MAX) {
        if (dst >= R8)
            asm_8(a, 0x41);
        asm_8(a, 0xb8 | (dst & 7));
        asm_32(a, (uint32_t)value);
    } else if ((int64_t)value >= INT32_MIN && (int64_t)value < 0) {
        asm_modrm(a, true, 0xc7, 0, in_reg(dst));
        asm_32(a, (uint32_t)value);
    } else {
        asm_8(a, 0x48 | dst >> 3);
        asm_8(a, 0xb8 | (dst & 7));
        asm_64(a, value);
    }
}

void asm_group1(struct assembler *a, bool w, enum group1 op, struct loc rm, int32_t imm)
{
    asm_modrm(a, w, is_int8(imm) ? 0x83 : 0x81, op, rm);
    if (is_int8(imm))
        asm_8(a, (unsigned)imm);
    else
        asm_32(a, (uint32_t)imm);
}

static void relative(struct assembler *a, const uint8_t *to)
{
    asm_32(a, (uint32_t)(to - (asm_here(a) + 4)));
}

void asm_jmp(struct assembler *a, const uint8_t *to)
{
    asm_8(a, 0xe9);
    relative(a, to);
}

void asm_call(struct assembler *a, const uint8_t *to)
{
    asm_8(a, 0xe8);
    relative(a, to);
}

void asm_jcc(struct assembler *a, enum cc cc, const uint8_t *to)
{
    asm_8(a, 0x0f);
    asm_8(a, 0x80u | cc);
    relative(a, to);
}

uint8_t *asm_jmp_ahead(struct assembler *a)
{
    asm_8(a, 0xe9);
    asm_32(a, 0);
    return a->p - 4;
}

uint8_t *asm_jcc_ahead(struct assembler *a, enum cc cc)
{
    asm_8(a, 0x0f);
    asm_8(a, 0x80u | cc);
    asm_32(a, 0);
    return a->p - 4;
}

uint8_t *asm_lea_ahead(struct assembler *a, unsigned dst)
{
    asm_8(a, 0x48 | dst >> 3 << 2);
    asm_8(a, 0x8d);
    asm_8(a, (dst & 7) << 3 | RBP); /* no base, 32-bit displacement: relative to RIP */
    asm_32(a, 0);
    return a->p - 4;
}

void asm_bind(struct assembler *a, uint8_t *site)
{
    if (!a->full)
        store_le32(site, (uint32_t)(a->p - (site + 4)));
}

/* A store of four bytes is one store to whoever fetches them if they lie in eight aligned ones
   (SDM volume 3, 9.1.1). Fillers are the recommended long NOPs. */
void asm_align_site(struct assembler *a, unsigned before)
{
    unsigned at = ((uintptr_t)asm_here(a) + before) & 7;

    if (at <= 4)
        return;
    switch (8 - at) {
    case 3:
        asm_8(a, 0x0f);
        asm_8(a, 0x1f);
        asm_8(a, 0x00);
        break;
    case 2:
        asm_8(a, 0x66);
        asm_8(a, 0x90);
        break;
    default: asm_8(a, 0x90);
    }
}
