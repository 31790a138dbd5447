/* A listening stream socket, and those who come to it. */
#ifndef UPLINKS_LISTENER_H
#define UPLINKS_LISTENER_H

#include <uv.h>

#include "devices/uplinks/address.h"

struct listener;

/**
 * Listen on the first of these addresses that can be bound. NULL with *error, an errno.
 * `accepted` takes a connected, non-blocking socket; called by the loop.
 */
struct listener *listener_create(uv_loop_t *loop, const struct address_list *on,
                                 void (*accepted)(void *opaque, int fd), void *opaque, int *error);

/** On a socket (taken) that listens already. */
struct listener *listener_adopt(uv_loop_t *loop, int fd, void (*accepted)(void *opaque, int fd),
                                void *opaque);

/** Where it listens. */
const struct sockaddr_any *listener_address(const struct listener *l);

/** A unix socket's file is removed if it was made here. NULL is accepted. */
void listener_destroy(struct listener *l);

#endif
