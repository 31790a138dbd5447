/* Stream links: frames over TCP and unix sockets, to other instances and to QEMU. */
#ifndef UPLINKS_STREAM_H
#define UPLINKS_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"

struct sim;
struct uplink;

/** One of listen, connect and fd is said; the others are NULL. Addresses: see address.h. */
struct stream_options {
    const char *listen;      /* many peers, each a port of its own */
    const char *connect;     /* one, tried for until it is there */
    const char *fd;          /* an inherited socket that listens or is connected: see inherited.h */
    const char *reconnect;   /* "5s" between attempts after a loss, "never"; NULL: backs off */
    uint64_t max_peers;      /* of a socket that listens; 0: 256 */
    const char *secret;      /* both ends show that they know it, before any frame; or NULL */
    const char *secret_file; /* a file's first line instead; or NULL */
    const char *file;        /* where the topology says so, for errors */
    int line;
};

/** Check what can be checked without opening a socket. Adds sentences to err. */
bool stream_options_check(const struct stream_options *o, struct err *err);

/**
 * Make a link named `name`. One that listens or inherits begins without a port, one that connects
 * with one that is down (enum uplink_start). NULL with a sentence if the port is taken, etc.
 *
 * The run follows the host's clock from then on. On the wire: docs/wire-format.md.
 */
struct uplink *stream_create(struct sim *s, const char *name, const struct stream_options *o,
                             struct err *err);

/**
 * Where a link listens ("127.0.0.1:40123"), NULL if it does not; and how many peers it has. Noted
 * with a recorded run, and played. The caller frees the text.
 */
char *stream_address(struct uplink *u);
unsigned stream_peers(struct uplink *u);

#endif
