/* Integer instructions that are also halves of pairs, as statements on the current op. */
#ifndef GUESTS_EXEC_INT_H
#define GUESTS_EXEC_INT_H

/** The lower half, sign-extended: what every W instruction gives. */
#define SEXT32(v) ((uint64_t)(int64_t)(int32_t)(uint32_t)(v))
#define IMM ((uint64_t)(int64_t)op->imm)

#define INT_lui RD = IMM
#define INT_auipc RD = page_va + IMM
#define INT_addi RD = RS1 + IMM
#define INT_slti RD = (int64_t)RS1 < op->imm
#define INT_sltiu RD = RS1 < IMM
#define INT_xori RD = RS1 ^ IMM
#define INT_ori RD = RS1 | IMM
#define INT_andi RD = RS1 & IMM
#define INT_slli RD = RS1 << op->imm
#define INT_srli RD = RS1 >> op->imm
#define INT_srai RD = (uint64_t)((int64_t)RS1 >> op->imm)
#define INT_add RD = RS1 + RS2
#define INT_sub RD = RS1 - RS2
#define INT_sll RD = RS1 << (RS2 & 63)
#define INT_slt RD = (int64_t)RS1 < (int64_t)RS2
#define INT_sltu RD = RS1 < RS2
#define INT_xor RD = RS1 ^ RS2
#define INT_srl RD = RS1 >> (RS2 & 63)
#define INT_sra RD = (uint64_t)((int64_t)RS1 >> (RS2 & 63))
#define INT_or RD = RS1 | RS2
#define INT_and RD = RS1 & RS2
#define INT_addiw RD = SEXT32(RS1 + IMM)
#define INT_slliw RD = SEXT32((uint32_t)RS1 << op->imm)
#define INT_srliw RD = SEXT32((uint32_t)RS1 >> op->imm)
#define INT_sraiw RD = (uint64_t)(int64_t)((int32_t)RS1 >> op->imm)
#define INT_addw RD = SEXT32(RS1 + RS2)
#define INT_subw RD = SEXT32(RS1 - RS2)
#define INT_sllw RD = SEXT32((uint32_t)RS1 << (RS2 & 31))
#define INT_srlw RD = SEXT32((uint32_t)RS1 >> (RS2 & 31))
#define INT_sraw RD = (uint64_t)(int64_t)((int32_t)RS1 >> (RS2 & 31))
#define INT_mul RD = RS1 * RS2
#define INT_mulw RD = SEXT32(RS1 * RS2)
#define INT_add_uw RD = RS2 + (RS1 & UINT32_MAX)
#define INT_sh1add RD = RS2 + (RS1 << 1)
#define INT_sh2add RD = RS2 + (RS1 << 2)
#define INT_sh3add RD = RS2 + (RS1 << 3)
#define INT_zext_h RD = (uint16_t)RS1
#define INT_sext_b RD = (uint64_t)(int64_t)(int8_t)RS1
#define INT_sext_h RD = (uint64_t)(int64_t)(int16_t)RS1

#endif
