/* What a datagram link's options mean, and the sockets that they ask for. */
#ifndef UPLINKS_DGRAM_OPEN_H
#define UPLINKS_DGRAM_OPEN_H

#include <uv.h>

#include "devices/uplinks/address.h"
#include "devices/uplinks/dgram.h"

/** Its addresses, looked up. */
struct dgram_plan {
    struct sockaddr_any to, local; /* len 0: none */
};

/** False with a sentence. */
bool dgram_plan_make(struct dgram_plan *p, const struct dgram_options *o, struct err *err);

/**
 * Open what is read from and what is written to, which may be the same. False with a sentence. The
 * loop knows of descriptors that are in use.
 */
bool dgram_open(uv_loop_t *loop, int *in, int *out, const struct dgram_options *o,
                const struct dgram_plan *p, struct err *err);

#endif
