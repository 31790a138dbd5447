/* Memory for machine code: written at one address, executed at another, never both at one. */
#ifndef GUESTS_TRANSLATE_ARENA_H
#define GUESTS_TRANSLATE_ARENA_H

#include <stdbool.h>

#include "sim/base.h"

/** Code that runs lies apart from what rarely does, so that caches hold more of it. */
enum arena_part { ARENA_HOT, ARENA_COLD, ARENA_PARTS };

#define ARENA_HOT_CHUNK 2048u
#define ARENA_COLD_CHUNK 8192u
#define ARENA_PART_BYTES (1ULL << 29) /* of addresses; memory is taken as chunks are used */

static inline size_t arena_chunk(enum arena_part part)
{
    return part == ARENA_HOT ? ARENA_HOT_CHUNK : ARENA_COLD_CHUNK;
}

/** Set up, once in a process. False: this host does not let us (the interpreter does it all). */
bool arena_init(void);

/** A chunk of arena_chunk(part) bytes, by its executable address; NULL: none left. Any thread. */
uint8_t *arena_take(enum arena_part part);
void arena_give(enum arena_part part, uint8_t *chunk);

/** Where the byte executed at `exec` is written. */
uint8_t *arena_writable(const uint8_t *exec);

/** Bytes in chunks that are taken. */
size_t arena_used(void);

#endif
