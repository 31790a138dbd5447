/* Random loads and stores over 4 MiB: what a software TLB is bad at. A unit is one access. */
#include "bench.h"

#define WORDS (4 * 1024 * 1024 / 8)
static uint64_t memory[WORDS];

uint64_t bench(uint64_t units)
{
    uint64_t s = 88172645463325252u, sum = 0;
    for (uint64_t i = 0; i < units; i += 2) {
        uint64_t r = xorshift(&s);
        sum += memory[r % WORDS];
        memory[(r >> 32) % WORDS] = sum + i;
    }
    return sum;
}
