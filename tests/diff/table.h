/* The instructions that random programs are made of, as data. */
#ifndef TESTS_DIFF_TABLE_H
#define TESTS_DIFF_TABLE_H

#include <stdint.h>

/** Rows are chosen by class first (with a weight), then evenly within it. */
enum insn_class {
    CLASS_INT,
    CLASS_MUL,
    CLASS_BITS, /* Zba, Zbb, Zbs */
    CLASS_MEMORY,
    CLASS_BRANCH,
    CLASS_ATOMIC,
    CLASS_SINGLE,
    CLASS_DOUBLE,
    CLASS_CONVERT,
    CLASS_CSR,
    CLASS_COMPRESSED,
    CLASS_ILLEGAL,
    N_CLASSES,
};

/**
 * `match` has the fixed bits; each letter of `operands` fills a field in:
 *
 *     d s t      rd, rs1, rs2: integer          D S T R  rd, rs1, rs2, rs3: floating point
 *     p          rs1: a pointer to the scratch  m        rounding mode
 *     i          immediate, 12 bits             u        immediate, the upper 20
 *     j k        shift, 6 or 5 bits             z        immediate in rs1's place
 *     o O        offset of a load, of a store   b a      target of a branch, of a jump
 *     q          aq and rl                      x        any bits above the opcode
 *     n M        offset of a load, of a store, from x0, where nothing is
 *
 * and of compressed instructions, where ' means the registers 8 to 15:
 *
 *     1 2        rd (or rd and rs1), rs2        3 4 5    rd' at bit 7, rd' at bit 2, rs2' at bit 2
 *     6 7        D, D' at bit 2                 8        D as source at bit 2
 *     P          rs1': a pointer to the scratch 9        rs1' at bit 7, read only
 *     I          immediate of CI, not zero      L        of C.LUI
 *     H          shift of CI, not zero          N        of C.ADDI4SPN
 *     W V        offset, word or double (CL)    Y X      the same by sp (CI)
 *     y v        the same by sp (CSS)           B A      target of C.BEQZ, of C.J
 */
struct row {
    const char *name;
    enum insn_class class;
    uint8_t size;
    uint32_t match;
    const char *operands;
};

extern const struct row rows[];
extern const unsigned n_rows;

#endif
