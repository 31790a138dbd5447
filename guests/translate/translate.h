/* The translator: hot traces of guest code become machine code of the host. */
#ifndef GUESTS_TRANSLATE_TRANSLATE_H
#define GUESTS_TRANSLATE_TRANSLATE_H

#include "guests/code.h"

enum engine { ENGINE_TRANSLATOR, ENGINE_INTERPRETER };

/**
 * Choose how guests are executed, before the first machine is made. Results do not depend on it.
 * Where the host cannot translate, the interpreter does it all.
 */
void translate_choose(enum engine e);

/** Write perf-PID.map to /tmp, where perf looks for the names of translated code. False: errno. */
bool translate_perf_map(void);

struct translate_stats {
    uint64_t traces, instructions; /* translated so far */
    uint64_t native_bytes;         /* of machine code and its data, so far */
    uint64_t arena_bytes;          /* of memory taken for them now */
    uint64_t ns;                   /* host time spent on it */
};
void translate_stats(struct translate_stats *s);

/* --- for code.c --- */

/** A block has just been decoded: let it be counted, if there is a translator. */
void translate_new_block(struct block *b);

/** Free the machine code of a page. */
void translate_free(struct code *c);

#endif
