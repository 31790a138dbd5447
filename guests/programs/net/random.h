/* Random numbers for transaction ids, ports and sequence numbers. */
#ifndef PROGRAMS_NET_RANDOM_H
#define PROGRAMS_NET_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Stir bytes into the state. random_init() is called first. */
void random_stir(const void *bytes, size_t len);

/* Seed from virtio-rng if there is one, and from /chosen/rng-seed and the clock. */
void random_init(void);

uint32_t random_u32(void);

#endif
