/* Writing x86-64 instructions (Intel SDM volume 2). */
#ifndef GUESTS_TRANSLATE_X86_64_ASM_H
#define GUESTS_TRANSLATE_X86_64_ASM_H

#include <stdbool.h>

#include "sim/base.h"

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/** Condition codes, as in Jcc and SETcc. */
enum cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE,
          CC_LE, CC_G };

/** A register, or memory at base + disp: what a ModRM byte can name. */
struct loc {
    bool mem;
    uint8_t reg; /* the register, or the base */
    int32_t disp;
};

/** Where code goes. Past `end` nothing is written, and `full` says so. */
struct assembler {
    uint8_t *p, *end;
    ptrdiff_t exec; /* executable address - writable address */
    bool full;
};

/** Opcodes: up to two bytes, 0F escapes included, with a mandatory prefix in bits 16 to 23. */
#define OPC(prefix, opcode) ((uint32_t)(prefix) << 16 | (opcode))

static inline struct loc in_reg(unsigned r)
{
    return (struct loc){false, (uint8_t)r, 0};
}

static inline struct loc in_mem(unsigned base, int32_t disp)
{
    return (struct loc){true, (uint8_t)base, disp};
}

/** The executable address that comes next. */
static inline const uint8_t *asm_here(const struct assembler *a)
{
    return a->p + a->exec;
}

static inline void asm_8(struct assembler *a, unsigned v)
{
    if (a->p < a->end)
        *a->p++ = (uint8_t)v;
    else
        a->full = true;
}

static inline void asm_32(struct assembler *a, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        asm_8(a, v >> 8 * i);
}

static inline void asm_64(struct assembler *a, uint64_t v)
{
    asm_32(a, (uint32_t)v);
    asm_32(a, (uint32_t)(v >> 32));
}

/** An instruction with a ModRM byte: `reg` is a register or the opcode's extension. */
void asm_modrm(struct assembler *a, bool w, uint32_t opcode, unsigned reg, struct loc rm);

/** The same where reg and rm are bytes: SPL and so on, not AH. */
void asm_modrm8(struct assembler *a, uint32_t opcode, unsigned reg, struct loc rm);

/** lea dst, [base + index * scale + disp], scale a power of two up to 8. */
void asm_lea(struct assembler *a, bool w, unsigned dst, unsigned base, unsigned index,
             unsigned scale, int32_t disp);

/** mov dst, value, in the shortest form; leaves the flags alone. */
void asm_mov_imm(struct assembler *a, unsigned dst, uint64_t value);

/** add, or, and, sub, xor, cmp (by their number in group 1) with an immediate. */
enum group1 { G1_ADD, G1_OR, G1_ADC, G1_SBB, G1_AND, G1_SUB, G1_XOR, G1_CMP };
void asm_group1(struct assembler *a, bool w, enum group1 op, struct loc rm, int32_t imm);

/** mov between places: dst <- rm, and rm <- src. */
static inline void asm_load(struct assembler *a, unsigned dst, struct loc rm)
{
    if (rm.mem || rm.reg != dst)
        asm_modrm(a, true, 0x8b, dst, rm);
}

static inline void asm_store(struct assembler *a, struct loc rm, unsigned src)
{
    if (rm.mem || rm.reg != src)
        asm_modrm(a, true, 0x89, src, rm);
}

/** jmp, call and jcc to an executable address. */
void asm_jmp(struct assembler *a, const uint8_t *to);
void asm_call(struct assembler *a, const uint8_t *to);
void asm_jcc(struct assembler *a, enum cc cc, const uint8_t *to);

/** The same forwards: returns where the displacement is, for asm_bind. */
uint8_t *asm_jmp_ahead(struct assembler *a);
uint8_t *asm_jcc_ahead(struct assembler *a, enum cc cc);

/** lea dst, [rip + x], x to be filled in: returns where it is. */
uint8_t *asm_lea_ahead(struct assembler *a, unsigned dst);

/** Let a displacement lead here. */
void asm_bind(struct assembler *a, uint8_t *site);

/** Pad so that the displacement of a jump with `before` opcode bytes can be patched in one store. */
void asm_align_site(struct assembler *a, unsigned before);

#endif
