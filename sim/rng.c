/* xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64 from a seed and a name. */
#include "sim/rng.h"

uint64_t hash_bytes(uint64_t h, const void *p, size_t len)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < len; i++)
        h = (h ^ b[i]) * 0x100000001b3ULL;
    return h;
}

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

void rng_init(struct rng *r, uint64_t run_seed, const char *name)
{
    uint64_t x = run_seed;

    x = splitmix(&x) ^ hash_bytes(RNG_HASH_START, name, strlen(name));
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = splitmix(&x);
}

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t reject = -n % n; /* 2^64 mod n: draws below it would favour small results */
    uint64_t x;

    do
        x = rng_next(r);
    while (x < reject);
    return x % n;
}

void rng_fill(struct rng *r, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len > 0) {
        uint8_t word[8];
        size_t n = MIN(len, sizeof(word));
        store_le64(word, rng_next(r));
        memcpy(p, word, n);
        p += n;
        len -= n;
    }
}
