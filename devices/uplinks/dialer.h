/* Connecting a stream socket, again and again until somebody is there. */
#ifndef UPLINKS_DIALER_H
#define UPLINKS_DIALER_H

#include <stdint.h>
#include <uv.h>

#include "devices/uplinks/address.h"

struct dialer;

enum {
    DIALER_BACK_OFF = -1, /* 0.1 s, then twice as long each time, 5 s at most */
    DIALER_NEVER = -2,    /* once it was connected and lost, that was it */
};

/**
 * @to        tried one after the other, from the first, at each attempt; copied
 * @again_ms  between attempts once a connection was lost, or one of the above; until there has
 *            been one it backs off. The host's clock
 * @connected takes a connected, non-blocking socket; called by the loop
 */
struct dialer *dialer_create(uv_loop_t *loop, const struct address_list *to, int64_t again_ms,
                             void (*connected)(void *opaque, int fd), void *opaque);

/** Try now; at the start. */
void dialer_start(struct dialer *d);

/** What was connected has been lost. False: DIALER_NEVER, so it stays lost. */
bool dialer_lost(struct dialer *d);

/** Why the last attempt failed, NULL if none has yet; and how many have since there was one. */
const char *dialer_problem(const struct dialer *d);
uint64_t dialer_attempts(const struct dialer *d);

void dialer_destroy(struct dialer *d);

#endif
