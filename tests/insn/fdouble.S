/* Arithmetic in double precision: every operation in every rounding mode, with its flags. */
#include "fp.h"

    TEST_BEGIN
    FP_ON
    FP_RUN(rows, rows_end)
    TEST_END

    FP_RUN_ROWS

    FORMS(fadd_d, IN2, OUT, fadd.d fa0, fa0, fa1)
    FORMS(fsub_d, IN2, OUT, fsub.d fa0, fa0, fa1)
    FORMS(fmul_d, IN2, OUT, fmul.d fa0, fa0, fa1)
    FORMS(fdiv_d, IN2, OUT, fdiv.d fa0, fa0, fa1)
    FORMS(fsqrt_d, IN1, OUT, fsqrt.d fa0, fa0)
    FORMS(fmadd_d, IN3, OUT, fmadd.d fa0, fa0, fa1, fa2)
    FORMS(fmsub_d, IN3, OUT, fmsub.d fa0, fa0, fa1, fa2)
    FORMS(fnmsub_d, IN3, OUT, fnmsub.d fa0, fa0, fa1, fa2)
    FORMS(fnmadd_d, IN3, OUT, fnmadd.d fa0, fa0, fa1, fa2)

    .data
    .balign 8
rows:
#include "fp_double.inc"
rows_end:
