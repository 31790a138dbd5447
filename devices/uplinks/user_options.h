/* The user-mode stack's options, parsed: addresses and redirections as numbers. */
#ifndef DEVICES_USER_OPTIONS_H
#define DEVICES_USER_OPTIONS_H

#include "devices/uplinks/user.h"
#include "devices/uplinks/user_rule.h"

/** What libslirp is told. */
struct user_plan {
    struct in_addr net, mask, host, dns, dhcpstart, smbserver;
    struct in6_addr net6, host6, dns6;
    unsigned prefix6;
    struct user_hostfwd *hostfwd;   /* one for each of the options', on the heap */
    struct user_guestfwd *guestfwd; /* likewise */
    size_t n_hostfwd, n_guestfwd;   /* parsed so far: all, if it was good */
};

/** Parse and check all options; false with sentences in err. user_plan_finish frees either way. */
bool user_plan_make(struct user_plan *p, const struct user_options *o, struct err *err);
void user_plan_finish(struct user_plan *p);

#endif
