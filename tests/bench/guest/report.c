/* Prints a benchmark's result, so that two emulators can be seen to have done the same work. */
#include "bench.h"

static volatile uint8_t *const uart = (volatile uint8_t *)0x10000000;

void report(uint64_t result)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *uart = (uint8_t)"0123456789abcdef"[result >> shift & 15];
    *uart = '\n';
}

void *memset(void *p, int c, unsigned long n)
{
    for (uint8_t *b = p; n--; b++)
        *b = (uint8_t)c;
    return p;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
    uint8_t *a = to;
    for (const uint8_t *b = from; n--;)
        *a++ = *b++;
    return to;
}
