/* Memory beyond the image: what the device tree says there is, given out and never
   taken back. */
#ifndef PROGRAMS_BASE_MEMORY_H
#define PROGRAMS_BASE_MEMORY_H

#include <stddef.h>

/* Find the RAM behind the image, leaving out the device tree. Call once. */
void memory_init(void);

/**
 * Take zeroed memory that is never given back.
 *
 * @len    bytes
 * @align  a power of two
 *
 * Returns NULL when there is not enough.
 */
void *memory_take(size_t len, size_t align);

/* Bytes taken, and bytes there were. */
size_t memory_taken(void);
size_t memory_total(void);

/* Most of the stack that was ever in use, and its size, in bytes. */
size_t stack_used(void);
size_t stack_size(void);

/* Stop the machine with a message if the stack was overrun. */
void stack_check(void);

#endif
