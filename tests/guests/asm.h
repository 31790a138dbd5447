/* A little assembler, in macros: what tests write programs for a hart with. */
#ifndef TESTS_GUESTS_ASM_H
#define TESTS_GUESTS_ASM_H

#include <stdint.h>

enum { X0, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6, A7, S2, S3, S4, S5, S6,
       S7, S8, S9, S10, S11, T3, T4, T5, T6 };

static inline uint32_t i_type(uint32_t op, unsigned rd, unsigned rs1, int imm)
{
    return op | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static inline uint32_t r_type(uint32_t op, unsigned rd, unsigned rs1, unsigned rs2)
{
    return op | rd << 7 | rs1 << 15 | rs2 << 20;
}

static inline uint32_t s_type(uint32_t op, unsigned rs2, unsigned rs1, int imm)
{
    return op | ((uint32_t)imm & 31) << 7 | rs1 << 15 | rs2 << 20 | (uint32_t)imm >> 5 << 25;
}

static inline uint32_t b_type(uint32_t op, unsigned rs1, unsigned rs2, int to)
{
    uint32_t v = (uint32_t)to;

    return op | rs1 << 15 | rs2 << 20 | (v >> 11 & 1) << 7 | (v >> 1 & 15) << 8 |
           (v >> 5 & 63) << 25 | (v >> 12 & 1) << 31;
}

static inline uint32_t j_type(unsigned rd, int to)
{
    uint32_t v = (uint32_t)to;

    return 0x6f | rd << 7 | (v >> 12 & 255) << 12 | (v >> 11 & 1) << 20 | (v >> 1 & 1023) << 21 |
           (v >> 20 & 1) << 31;
}

#define ADDI(rd, rs, i) i_type(0x13, rd, rs, i)
#define ADDIW(rd, rs, i) i_type(0x1b, rd, rs, i)
#define ANDI(rd, rs, i) i_type(0x7013, rd, rs, i)
#define XORI(rd, rs, i) i_type(0x4013, rd, rs, i)
#define SLLI(rd, rs, i) i_type(0x1013, rd, rs, i)
#define SRLI(rd, rs, i) i_type(0x5013, rd, rs, i)
#define LUI(rd, i) (0x37u | (uint32_t)(rd) << 7 | (uint32_t)(i) << 12)
#define AUIPC(rd, i) (0x17u | (uint32_t)(rd) << 7 | (uint32_t)(i) << 12)
#define ADD(rd, a, b) r_type(0x33, rd, a, b)
#define SUB(rd, a, b) r_type(0x40000033, rd, a, b)
#define XOR(rd, a, b) r_type(0x4033, rd, a, b)
#define MUL(rd, a, b) r_type(0x2000033, rd, a, b)
#define DIV(rd, a, b) r_type(0x2004033, rd, a, b)
#define LB(rd, rs, i) i_type(0x3, rd, rs, i)
#define LH(rd, rs, i) i_type(0x1003, rd, rs, i)
#define LW(rd, rs, i) i_type(0x2003, rd, rs, i)
#define LD(rd, rs, i) i_type(0x3003, rd, rs, i)
#define SB(v, rs, i) s_type(0x23, v, rs, i)
#define SH(v, rs, i) s_type(0x1023, v, rs, i)
#define SW(v, rs, i) s_type(0x2023, v, rs, i)
#define SD(v, rs, i) s_type(0x3023, v, rs, i)
#define BEQ(a, b, to) b_type(0x63, a, b, to)
#define BNE(a, b, to) b_type(0x1063, a, b, to)
#define BLT(a, b, to) b_type(0x4063, a, b, to)
#define JAL(rd, to) j_type(rd, to)
#define J(to) j_type(X0, to)
#define JALR(rd, rs, i) i_type(0x67, rd, rs, i)
#define RET JALR(X0, RA, 0)
#define ECALL 0x73u
#define EBREAK 0x100073u
#define ILLEGAL 0xffffffffu
#define MRET 0x30200073u
#define WFI 0x10500073u
#define FENCE 0x0ff0000fu
#define FENCE_I 0x100fu
#define SFENCE_VMA 0x12000073u
#define CSRW(csr, rs) i_type(0x1073, X0, rs, csr)
#define CSRR(rd, csr) i_type(0x2073, rd, X0, csr)
#define CSRRW(rd, csr, rs) i_type(0x1073, rd, rs, csr)
#define CSRRS(rd, csr, rs) i_type(0x2073, rd, rs, csr)
#define CSRRC(rd, csr, rs) i_type(0x3073, rd, rs, csr)
#define CSRWI(csr, v) i_type(0x5073, X0, v, csr)
#define CSRSI(csr, v) i_type(0x6073, X0, v, csr)
#define LR_W(rd, rs) r_type(0x1000202f, rd, rs, 0)
#define LR_D(rd, rs) r_type(0x1000302f, rd, rs, 0)
#define SC_W(rd, v, rs) r_type(0x1800202f, rd, rs, v)
#define SC_D(rd, v, rs) r_type(0x1800302f, rd, rs, v)
#define AMO_W(which, rd, v, rs) r_type(0x202f | (uint32_t)(which) << 27, rd, rs, v)
#define AMO_D(which, rd, v, rs) r_type(0x302f | (uint32_t)(which) << 27, rd, rs, v)

enum { FFLAGS = 1, FRM, FCSR, SATP = 0x180, MSTATUS = 0x300, MIE = 0x304, MTVEC, MEPC = 0x341,
       MCAUSE, MTVAL, MIP, MCYCLE = 0xb00, MINSTRET = 0xb02, CYCLE = 0xc00, INSTRET = 0xc02 };

#endif
