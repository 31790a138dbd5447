/* From instruction bits to what an op needs. */
#ifndef GUESTS_DECODE_H
#define GUESTS_DECODE_H

#include <stdbool.h>

#include "sim/base.h"

enum op_id {
#define OP(name, match, mask, format) OP_##name,
#include "guests/ops.h"
#undef OP
    OP_illegal, /* everything else */
    OP_COUNT
};

/**
 * What each format leaves in an op:
 *
 *   R    rd rs1 rs2        I    rd rs1 imm         S   rs1 rs2 imm
 *   SH   rd rs1 imm=shamt  U    rd imm             N   nothing
 *   UPC  rd imm: relative to the page's start, as are the targets of
 *   B    rs1 rs2 imm       J    rd imm, and rs1|rs2<<8: page offset of what follows
 *   JR   rd rs1, imm = page offset of what follows | immediate << 16
 *   CSR  rd rs1, imm: the instruction's bits       SYS the same, ends a block
 *   FI, FR, FM, F4: I, R, R + rm, four-operand, with an F register as rd; XM: R + rm
 *        imm = rm | rs3 << 8
 */
enum op_format {
    FMT_R, FMT_I, FMT_S, FMT_SH, FMT_U, FMT_N, FMT_UPC, FMT_B, FMT_J, FMT_JR, FMT_CSR, FMT_SYS,
    FMT_FI, FMT_FR, FMT_FM, FMT_F4, FMT_XM, FMT_ILLEGAL,
};

struct insn {
    enum op_id id;
    enum op_format format;
    uint32_t bits; /* expanded, if it was compressed */
    uint8_t len;   /* 2 or 4 */
};

/** Find out which instruction it is; `bits` may hold more than a compressed one needs. */
struct insn decode(uint32_t bits);

/** The 32-bit instruction that a compressed one stands for; 0 (illegal) if none (16.8). */
uint32_t decode_compressed(uint16_t c);

static inline bool decode_is_compressed(uint32_t bits)
{
    return (bits & 3) != 3;
}

/* Immediates (Unprivileged 2.3), sign-extended. */
int32_t imm_i(uint32_t bits);
int32_t imm_s(uint32_t bits);
int32_t imm_b(uint32_t bits);
int32_t imm_j(uint32_t bits);

#endif
