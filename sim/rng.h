/* Random numbers per object: seeded from the run's seed and the object's name. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include "sim/base.h"

/** xoshiro256** state (Blackman and Vigna); never all zero once seeded. */
struct rng {
    uint64_t s[4];
};

/**
 * Seed from the run's seed and a name such as "h1.rng", so that adding an object
 * leaves the draws of the others as they were.
 */
void rng_init(struct rng *r, uint64_t run_seed, const char *name);

uint64_t rng_next(struct rng *r);

/** A number in 0..n-1 without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

void rng_fill(struct rng *r, void *buf, size_t len);

/** A 64-bit FNV-1a hash of bytes, continued from `h` (start from RNG_HASH_START). */
#define RNG_HASH_START 0xcbf29ce484222325ULL
uint64_t hash_bytes(uint64_t h, const void *p, size_t len);

#endif
