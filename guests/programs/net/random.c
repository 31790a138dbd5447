/* Random numbers: xoshiro256++ over a state stirred with SipHash-2-4, which also makes
   the sequence numbers of RFC 6528. */
#include "net/random.h"

#include <string.h>

#include "base/clock.h"
#include "base/dtb.h"
#include "net/hooks.h"
#include "net/virtio-rng.h"

static uint64_t state[4], isn_key[2];

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
static uint64_t siphash(const uint64_t key[2], const void *bytes, size_t len)
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = bytes;

    for (size_t at = 0; at <= len; at += 8) {
        uint64_t word = 0;
        size_t part = len - at < 8 ? len - at : 8;

        memcpy(&word, p + at, part);
        if (part < 8)
            word |= (uint64_t)len << 56;
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void random_stir(const void *bytes, size_t len)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t key[2] = {state[i], i + 1};

        state[i] ^= siphash(key, bytes, len);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t key[2] = {state[i], state[2 + i]};

        isn_key[i] = siphash(key, bytes, len);
    }
}

void random_init(void)
{
    uint64_t now = clock_ns();
    int chosen = dtb_find("chosen");
    uint8_t bytes[32];
    size_t len;
    const void *seed;

    random_stir(&now, sizeof now);
    seed = chosen < 0 ? NULL : dtb_property(chosen, "rng-seed", &len);
    if (seed)
        random_stir(seed, len);
    len = virtio_rng_read(bytes, sizeof bytes);
    if (len > 0)
        random_stir(bytes, len);
}

uint32_t random_u32(void)
{
    uint64_t result = rotl(state[0] + state[3], 23) + state[0], t = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return (uint32_t)(result >> 32);
}

u32_t random_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote,
                 u16_t remote_port)
{
    uint32_t id[3] = {ip4_addr_get_u32(ip_2_ip4(local)), ip4_addr_get_u32(ip_2_ip4(remote)),
                      (uint32_t)local_port << 16 | remote_port};

    /* RFC 6528, section 3: a timer of 4 us plus a keyed hash of the connection. */
    return (u32_t)(clock_ns() / 4000) + (u32_t)siphash(isn_key, id, sizeof id);
}
