/* Memory for machine code: written at one address, executed at another, never both at one. */
#ifndef GUESTS_TRANSLATE_ARENA_H
#define GUESTS_TRANSLATE_ARENA_H

#include <stdbool.h>

#include "sim/base.h"

#define ARENA_CHUNK 8192u
#define ARENA_BYTES (1ULL << 30) /* of addresses; memory is taken as chunks are used */

/** Set up, once in a process. False: this host does not let us (the interpreter does it all). */
bool arena_init(void);

/** A chunk of ARENA_CHUNK bytes, by its executable address; NULL: there is no more. Any thread. */
uint8_t *arena_take(void);
void arena_give(uint8_t *chunk);

/** Where the byte executed at `exec` is written. */
uint8_t *arena_writable(const uint8_t *exec);

/** Bytes in chunks that are taken. */
size_t arena_used(void);

#endif
