/* What the bare-metal benchmark programs share: output, and the end. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

/* Work to do, in units of the program: from the command line of the build, -DUNITS=. */
uint64_t bench(uint64_t units);

/* Keeps the compiler from seeing through a value. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

static inline uint64_t xorshift(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

#endif
