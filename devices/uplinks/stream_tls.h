/* TLS 1.3 with a pre-shared key on a connection, so that both ends know the secret before any
 * frame. */
#ifndef UPLINKS_STREAM_TLS_H
#define UPLINKS_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STREAM_MIN_SECRET 16 /* bytes */

struct stream_secret; /* of an uplink */
struct stream_tls;    /* of a connection */

/** What connections with this secret share. The bytes are copied. */
struct stream_secret *stream_secret_create(const void *secret, size_t len);
/** After all of its connections. NULL is accepted. */
void stream_secret_destroy(struct stream_secret *s);

/** On a connected, non-blocking socket, which stays the caller's. */
struct stream_tls *stream_tls_create(const struct stream_secret *s, int fd, bool server);
/** Says goodbye if the socket takes it. NULL is accepted. */
void stream_tls_destroy(struct stream_tls *t);

enum stream_tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_REFUSED };

/** Go on with the handshake. TLS_REFUSED with *why, for a sentence. */
enum stream_tls_step stream_tls_handshake(struct stream_tls *t, const char **why);

/**
 * Bytes read or written; 0: none now, wait for the socket; -1 with *why: it is over. A read of
 * 16 KiB or more leaves nothing behind that the socket would not announce.
 */
ssize_t stream_tls_read(struct stream_tls *t, void *p, size_t len, const char **why);
/** After 0 the same bytes come first in the next call. */
ssize_t stream_tls_write(struct stream_tls *t, const void *p, size_t len, const char **why);

#endif
