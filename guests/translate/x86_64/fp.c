/* Floating point (11, 12) on the SSE unit, where that does exactly the hart's work. */
#include "guests/translate/x86_64/gen.h"

const struct rule fp_rules[OP_COUNT] = {
    [OP_illegal] = {NULL, 0, 0, 0},
};
