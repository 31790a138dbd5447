/* Arithmetic in single precision: every operation in every rounding mode, with its flags. */
#include "fp.h"

    TEST_BEGIN
    FP_ON
    FP_RUN(rows, rows_end)
    TEST_END

    FP_RUN_ROWS

    FORMS(fadd_s, IN2, OUT, fadd.s fa0, fa0, fa1)
    FORMS(fsub_s, IN2, OUT, fsub.s fa0, fa0, fa1)
    FORMS(fmul_s, IN2, OUT, fmul.s fa0, fa0, fa1)
    FORMS(fdiv_s, IN2, OUT, fdiv.s fa0, fa0, fa1)
    FORMS(fsqrt_s, IN1, OUT, fsqrt.s fa0, fa0)
    FORMS(fmadd_s, IN3, OUT, fmadd.s fa0, fa0, fa1, fa2)
    FORMS(fmsub_s, IN3, OUT, fmsub.s fa0, fa0, fa1, fa2)
    FORMS(fnmsub_s, IN3, OUT, fnmsub.s fa0, fa0, fa1, fa2)
    FORMS(fnmadd_s, IN3, OUT, fnmadd.s fa0, fa0, fa1, fa2)

    .data
    .balign 8
rows:
#include "fp_single.inc"
rows_end:
