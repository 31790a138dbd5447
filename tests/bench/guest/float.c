/* Double precision: a logistic map, a polynomial and a square root. A unit is one step. */
#include "bench.h"

uint64_t bench(uint64_t units)
{
    double x = 0.3, sum = 0;
    for (uint64_t i = 0; i < units; i++) {
        double root, p = ((0.5 * x - 1.25) * x + 2.0) * x + 0.125;
        x = 3.75 * x * (1.0 - x);
        __asm__("fsqrt.d %0, %1" : "=f"(root) : "f"(x + p * p));
        sum += root / (1.0 + x);
        if (sum > 1e6)
            sum -= 1e6;
    }
    return (uint64_t)(sum * 1e6);
}
