/* The user-mode stack: a port whose far side is libslirp, on virtual time. */
#ifndef DEVICES_USER_H
#define DEVICES_USER_H

#include "sim/err.h"
#include "sim/port.h"

struct sim;
struct uplink;

/** One redirection from the host to a guest; parsed from "tcp:127.0.0.1:8080-10.0.2.15:80". */
struct user_options {
    const char *const *hostfwd; /* n_hostfwd strings in QEMU's syntax */
    size_t n_hostfwd;
    const char *tftp;     /* directory served by TFTP, or NULL */
    const char *bootfile; /* BOOTP's file name, or NULL */
    const char *net;      /* "10.0.2.0/24", or NULL for that */
    const char *host;     /* router, TFTP server; NULL: net + 2 */
    const char *dns;      /* NULL: net + 3 */
    const char *dhcpstart; /* NULL: net + 15 */
    const char *hostname; /* given to DHCP clients, or NULL */
    bool restrict_host;   /* nothing reaches the host or beyond */
    const char *file;     /* where the topology says so, for errors */
    int line;
};

/** Check what can be checked without opening anything. Adds sentences to err. */
bool user_options_check(const struct user_options *o, struct err *err);

/**
 * Make a stack named `name`, with one port; it is plugged into a VLAN by uplink_attach, and ended by
 * uplink_destroy. NULL with a sentence if a redirection's port is taken, etc.
 *
 * Time: its own clock and timers are virtual. Only while it holds host sockets is it live
 * (actor.live): then the run follows the host's clock and what the sockets bring is stamped with the
 * barrier's time.
 */
struct uplink *user_create(struct sim *sim, const char *name, const struct user_options *o,
                           struct err *err);

#endif
