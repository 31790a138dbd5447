/* A relay: bytes from one of the host's sockets to another and back, by the loop. */
#ifndef UPLINKS_USER_RELAY_H
#define UPLINKS_USER_RELAY_H

#include <stdbool.h>
#include <uv.h>

struct relay;

#define RELAY_BUFFER (64u << 10) /* bytes under way, each way */

/**
 * Join two sockets (taken, non-blocking); `connecting`: the far one is not connected yet. Each
 * end's close is passed on when what came before has been. `ended` is called by the loop when both
 * ways are over (`failed`: it could not be connected); then relay_close is due.
 */
struct relay *relay_open(uv_loop_t *loop, int near, int far, bool connecting,
                         void (*ended)(void *opaque, bool failed), void *opaque);
void relay_close(struct relay *r);

#endif
