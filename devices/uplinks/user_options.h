/* The user-mode stack's options, parsed: addresses and redirections as numbers. */
#ifndef DEVICES_USER_OPTIONS_H
#define DEVICES_USER_OPTIONS_H

#include <netinet/in.h>

#include "devices/uplinks/user.h"

/** One redirection, in host byte order but for the addresses. */
struct user_hostfwd {
    bool udp;
    struct in_addr host, guest; /* host 0.0.0.0: every address of the host */
    uint16_t host_port, guest_port;
};

/** What libslirp is told. */
struct user_plan {
    struct in_addr net, mask, host, dns, dhcpstart;
    struct user_hostfwd *forwards; /* n_forwards of them, on the heap */
    size_t n_forwards;
};

/** Parse and check all options; false with sentences in err. user_plan_finish frees either way. */
bool user_plan_make(struct user_plan *p, const struct user_options *o, struct err *err);
void user_plan_finish(struct user_plan *p);

#endif
