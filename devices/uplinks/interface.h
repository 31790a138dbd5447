/* An interface of the host: whether it is there and has a carrier, and news of it. */
#ifndef UPLINKS_INTERFACE_H
#define UPLINKS_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <uv.h>

struct watch;

/** Embedded in what is on the interface. */
struct interface {
    char name[IFNAMSIZ];
    int control;        /* a socket, for ioctl */
    int news_fd;        /* the news watch's */
    struct watch *news; /* on a routing socket */
    void (*changed)(void *opaque);
    void *opaque;
};

/**
 * Watch for news of it, and of any other; it need not be there. `changed` is called by the loop.
 * False: the host has no such sockets (errno); interface_close is due all the same.
 */
bool interface_open(struct interface *i, const char *name, uv_loop_t *loop,
                    void (*changed)(void *opaque), void *opaque);

/** Its flags, as IFF_UP; 0 if it is not there (one that is there and has none of them is no use).
 */
unsigned interface_flags(const struct interface *i);

/** Nothing is called from now on. */
void interface_close(struct interface *i);

#endif
