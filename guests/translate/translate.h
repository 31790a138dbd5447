/* The translator: hot traces of guest code become machine code of the host. */
#ifndef GUESTS_TRANSLATE_TRANSLATE_H
#define GUESTS_TRANSLATE_TRANSLATE_H

#include <stdbool.h>

#include "sim/base.h"

struct block;
struct code;

enum engine {
    ENGINE_TRANSLATOR,  /* what is hot is translated */
    ENGINE_EAGER,       /* everything is, at its first execution: for tests */
    ENGINE_INTERPRETER, /* nothing is */
};

/**
 * Choose how guests are executed: holds for code that has not been decoded yet, so before the first
 * machine is made. Results do not depend on it. Where the host cannot translate, the interpreter
 * does it all. Without a choice it is the translator, or what LANARIUM_ENGINE in the
 * environment says: translator, eager or interpreter.
 */
void translate_choose(enum engine e);

/** The engine of that name. False: there is none. */
bool translate_engine_named(const char *name, enum engine *e);

/**
 * Write perf-PID.map to /tmp, where perf looks for the names of translated code; before images are
 * opened, whose symbols are the names (translate/symbols.h). False: errno.
 */
bool translate_perf_map(void);

struct translate_stats {
    uint64_t traces, instructions; /* translated so far */
    uint64_t native_bytes;         /* of machine code and its data, so far */
    uint64_t arena_bytes;          /* of memory taken for them now */
};
void translate_stats(struct translate_stats *s);

/* --- for code.c --- */

/** A block has just been decoded: let it be counted, if there is a translator. */
void translate_new_block(struct block *b);

/** Free the machine code of a page. */
void translate_free(struct code *c);

#endif
