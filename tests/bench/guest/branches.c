/* Indirect calls and switches with targets hard to foresee. A unit is one call and one switch. */
#include "bench.h"

static uint64_t f0(uint64_t x) { return x + 1; }
static uint64_t f1(uint64_t x) { return x ^ 0x55; }
static uint64_t f2(uint64_t x) { return x * 3; }
static uint64_t f3(uint64_t x) { return x >> 1; }
static uint64_t f4(uint64_t x) { return x - 7; }
static uint64_t f5(uint64_t x) { return ~x; }
static uint64_t f6(uint64_t x) { return x << 3 | x >> 61; }
static uint64_t f7(uint64_t x) { return x & ~0xfu; }

static uint64_t (*const volatile calls[8])(uint64_t) = {f0, f1, f2, f3, f4, f5, f6, f7};

uint64_t bench(uint64_t units)
{
    uint64_t s = 42, x = 0;
    for (uint64_t i = 0; i < units; i++) {
        uint64_t r = xorshift(&s);
        x = calls[r & 7](x);
        switch (r >> 8 & 7) {
        case 0: x += 11; break;
        case 1: x ^= r; break;
        case 2: x -= 5; break;
        case 3: x = x * 7 + 1; break;
        case 4: x >>= 2; break;
        case 5: x |= 0x100; break;
        case 6: x += r >> 16; break;
        default: x = ~x;
        }
    }
    return x;
}
