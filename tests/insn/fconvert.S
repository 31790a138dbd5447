/* Conversions between integers, single and double precision, in every rounding mode. */
#include "fp.h"

#define TO_INT(name, op)     FORMS(name, IN1, NOTHING, op a3, fa0)
#define FROM_INT(name, op)   FORMS(name, NOTHING, OUT, op fa0, a3)
/* fcvt.d.w, fcvt.d.wu and fcvt.d.s are exact: their rounding mode is not used, and the
 * assembler has no name for one, so the forms are made by hand (rm in bits 14:12). */
#define EXACT_FORM(rm, insn, ...) FORM(__VA_ARGS__; .word insn | rm << 12; OUT)
#define EXACT(name, insn, ...) \
    .balign 32; name: EXACT_FORM(0, insn, __VA_ARGS__); EXACT_FORM(1, insn, __VA_ARGS__); \
    EXACT_FORM(2, insn, __VA_ARGS__); EXACT_FORM(3, insn, __VA_ARGS__); \
    EXACT_FORM(4, insn, __VA_ARGS__); EXACT_FORM(7, insn, __VA_ARGS__)

    TEST_BEGIN
    FP_ON
    FP_RUN(rows, rows_end)
    TEST_END

    FP_RUN_ROWS

    TO_INT(fcvt_w_s, fcvt.w.s)
    TO_INT(fcvt_wu_s, fcvt.wu.s)
    TO_INT(fcvt_l_s, fcvt.l.s)
    TO_INT(fcvt_lu_s, fcvt.lu.s)
    TO_INT(fcvt_w_d, fcvt.w.d)
    TO_INT(fcvt_wu_d, fcvt.wu.d)
    TO_INT(fcvt_l_d, fcvt.l.d)
    TO_INT(fcvt_lu_d, fcvt.lu.d)
    FROM_INT(fcvt_s_w, fcvt.s.w)
    FROM_INT(fcvt_s_wu, fcvt.s.wu)
    FROM_INT(fcvt_s_l, fcvt.s.l)
    FROM_INT(fcvt_s_lu, fcvt.s.lu)
    FROM_INT(fcvt_d_l, fcvt.d.l)
    FROM_INT(fcvt_d_lu, fcvt.d.lu)
    FORMS(fcvt_s_d, IN1, OUT, fcvt.s.d fa0, fa0)
    EXACT(fcvt_d_w, 0xd2068553, NOTHING)    /* fcvt.d.w fa0, a3 */
    EXACT(fcvt_d_wu, 0xd2168553, NOTHING)   /* fcvt.d.wu fa0, a3 */
    EXACT(fcvt_d_s, 0x42050553, IN1)        /* fcvt.d.s fa0, fa0 */

    .data
    .balign 8
rows:
#include "fp_convert.inc"
rows_end:
