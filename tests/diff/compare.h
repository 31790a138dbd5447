/* Comparing two outcomes of one program, and telling the difference. */
#ifndef TESTS_DIFF_COMPARE_H
#define TESTS_DIFF_COMPARE_H

#include "tests/diff/diff.h"

bool outcome_same(const struct outcome *ours, const struct outcome *peer);

/** Prints each field that differs, as TAP comments. */
void outcome_print_difference(const struct outcome *ours, const struct outcome *peer);

#endif
