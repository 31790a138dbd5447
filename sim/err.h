/* What the user did wrong: sentences collected where the facts are known, printed once. */
#ifndef SIM_ERR_H
#define SIM_ERR_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/base.h"

/**
 * A growing list of sentences. Zero-initialise it; err_finish frees it.
 *
 * Functions that can fail by the user's doing take one, add a sentence of their own, and
 * return false (or NULL). The caller adds nothing unless it knows more.
 */
struct err {
    char **texts; /* heap strings, "lan.lua:4: vlan tag 5000 is outside 1..4094" */
    size_t n;
};

/** Add a sentence (no newline, no full stop). */
void err_add(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Add a sentence about a place in a file; line 0 means the whole file. */
void err_at(struct err *e, const char *file, int line, const char *fmt, ...) PRINTF_LIKE(4, 5);

/** Whether anything went wrong. */
static inline bool err_any(const struct err *e)
{
    return e->n > 0;
}

/** One line per sentence: "lanarium: SENTENCE". */
void err_print(const struct err *e, FILE *to);

void err_finish(struct err *e);

#endif
