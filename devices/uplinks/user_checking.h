/* Checking the user-mode stack's options: what its files share. */
#ifndef UPLINKS_USER_CHECKING_H
#define UPLINKS_USER_CHECKING_H

#include "devices/uplinks/user_options.h"

/** What is being checked. */
struct user_checking {
    struct user_plan *p;
    const struct user_options *o;
    struct err *err;
};

#define COMPLAIN(c, ...) err_at((c)->err, (c)->o->file, (c)->o->line, __VA_ARGS__)

/** Plan the networks and the stack's own addresses in them; sentences in c->err. */
void user_check_ipv4(struct user_checking *c);
void user_check_ipv6(struct user_checking *c);

#endif
