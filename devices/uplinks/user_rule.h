/* Redirections as options write them: hostfwd, from the host to a guest; guestfwd, the other way.
 */
#ifndef UPLINKS_USER_RULE_H
#define UPLINKS_USER_RULE_H

#include "devices/uplinks/user_address.h"
#include "sim/err.h"

/** From a port or a socket's path of the host to a guest. */
struct user_hostfwd {
    bool udp;
    struct user_address host;  /* "any": every address of the host; port 0: any that is free */
    struct user_address guest; /* "any": the first lease, or the first guest heard of with IPv6 */
};

/** What a guest's connection to an address of the stack's network leads to. */
enum user_target { USER_TARGET_ADDRESS, USER_TARGET_COMMAND };

struct user_guestfwd {
    struct in_addr server; /* 0: net + 4 */
    uint16_t port;         /* host byte order */
    enum user_target target;
    struct user_address address; /* USER_TARGET_ADDRESS: TCP or a path */
    const char *command;         /* USER_TARGET_COMMAND: for sh -c; borrowed from the rule */
};

/**
 *     tcp:HOSTADDR:PORT-GUESTADDR:PORT    udp: likewise; either address may be empty, IPv6 is in
 *     unix:PATH-GUESTADDR:PORT            brackets; the guest's end has the host's family
 *
 * `ipv4`, `ipv6`: which the stack has. False, with a sentence that begins with `hostfwd "RULE"`.
 */
bool user_hostfwd_parse(const char *rule, bool ipv4, bool ipv6, struct user_hostfwd *f,
                        const char *file, int line, struct err *err);

/** The part before the "-" alone, "tcp:127.0.0.1:8080"; or a whole rule, of which it is taken. */
bool user_hostfwd_parse_host(const char *text, bool *udp, struct user_address *host);

/**
 *     tcp:SERVER:PORT-tcp:HOSTADDR:PORT   each connection opens one to there
 *     tcp:SERVER:PORT-unix:PATH           likewise
 *     tcp:SERVER:PORT-cmd:COMMAND         starts a command, whose input and output it is
 */
bool user_guestfwd_parse(const char *rule, struct user_guestfwd *f, const char *file, int line,
                         struct err *err);

#endif
