/* TAP: a port whose far side is an interface of the host's kernel. */
#ifndef UPLINKS_TAP_H
#define UPLINKS_TAP_H

#include <stdbool.h>

#include "sim/err.h"

struct sim;
struct uplink;

#define TAP_DEFAULT_HELPER "/usr/lib/qemu/qemu-bridge-helper"
#define TAP_DEFAULT_BRIDGE "br0"

/** Where the interface comes from: at most one of ifname, fd and helper is said. */
struct tap_options {
    const char *ifname;     /* to attach to, or to make; NULL: a free one is made */
    const char *fd;         /* a descriptor we were started with: its number, or its name */
    const char *helper;     /* the program that opens one on the bridge br and hands it over */
    const char *br;         /* with helper */
    const char *script;     /* run when the interface is open; NULL: none */
    const char *downscript; /* run at the end; NULL: none */
    vtime_t timeout_ns;     /* what a script or the helper may take, of the host's time */
    const char *address;    /* "10.9.0.1/24" for the host's side, which is set up; or NULL */
    uint64_t mtu;           /* of the host's side; 0: left as it is */
    uint64_t sndbuf;        /* bytes that the host may have of ours, unread; 0: without limit */
    bool vnet_hdr;          /* offload requests pass both ways, in virtio-net headers */
    bool vnet_hdr_said;     /* not only by default: an interface opened by others must have it */
    const char *file;       /* where the topology says so, for sentences */
    int line;
};

/** Whether a script, a helper and names are as they can be, before anything is opened. */
bool tap_options_check(const struct tap_options *o, struct err *err);

/**
 * Open it, with one port; uplink_attach plugs it in, uplink_destroy ends it. NULL with a sentence.
 *
 * With a script the port is without carrier until that has ended well. An interface that vanishes
 * is a carrier that is lost, for good. While the host has it down, frames for it are dropped and
 * counted.
 */
struct uplink *tap_create(struct sim *s, const char *name, const struct tap_options *o,
                          struct err *err);

/** The interface's name, also when it was the kernel that chose it. */
const char *tap_ifname(const struct uplink *u);

#endif
