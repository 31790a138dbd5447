/* Opening a TAP interface: by name, by an inherited descriptor, or by a helper. */
#ifndef UPLINKS_TAP_OPEN_H
#define UPLINKS_TAP_OPEN_H

#include <net/if.h>
#include <uv.h>

#include "devices/uplinks/tap.h"

/** An open interface. */
struct tap_device {
    int fd; /* not blocking, closed when we execute others */
    char ifname[IFNAMSIZ];
    bool header;  /* a virtio-net header stands before each frame */
    bool offload; /* and requests pass in it */
};

/**
 * Open what the options say. False with a sentence. The caller closes d->fd. The loop knows of
 * descriptors that are in use.
 */
bool tap_open(uv_loop_t *loop, struct tap_device *d, const struct tap_options *o, struct err *err);

/**
 * The helper's protocol: it gets a socket's descriptor as --fd, and sends the interface's through
 * that. -1 with a sentence. Waits at most o->timeout_ns.
 */
int tap_ask_helper(const struct tap_options *o, struct err *err);

/** Set the MTU, the address, and the interface up, as far as they were said. False with sentences.
 */
bool tap_host_setup(const char *ifname, const struct tap_options *o, struct err *err);

/** Whether it is an address with the length of its prefix: "10.9.0.1/24", "fd00::1/64". */
bool tap_address_valid(const char *text);

#endif
