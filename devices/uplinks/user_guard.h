/* What stands between guests and libslirp: what it would crash, leak or block on does not reach it.
 */
#ifndef UPLINKS_USER_GUARD_H
#define UPLINKS_USER_GUARD_H

#include <netinet/in.h>

#include "devices/uplinks/user_reassembly.h"

struct user_options;
struct user_plan;

#define GUARD_QUESTIONS 256 /* who has ...? within a second */
#define GUARD_CLIENTS 16    /* libslirp's leases */

struct user_guard {
    struct user_reassembly reassembly;
    struct in_addr host, dns, broadcast;
    struct in6_addr host6, dns6;
    char *tftp; /* the folder, or NULL */
    bool restricted, tells_dns6;

    vtime_t asked[GUARD_QUESTIONS]; /* a ring: when a packet began to wait for an address */
    unsigned next_asked;

    uint8_t clients[GUARD_CLIENTS][ETH_ALEN]; /* who has a lease */
    unsigned n_clients, n_unanswered;
    bool awaits_answer;

    uint64_t dropped;
};

void user_guard_init(struct user_guard *g, const struct user_options *o, const struct user_plan *p);
void user_guard_finish(struct user_guard *g);

/**
 * A guest's packet (borrowed), finished, at `now`. What may be given to libslirp, the caller's: the
 * packet, a part of it, another in its place; NULL: nothing, and that is counted unless it only
 * waits for more, or is for others on the VLAN. `crowded`: no more sockets.
 */
struct frame *user_guard_in(struct user_guard *g, struct frame *f, vtime_t now, bool crowded);

/** libslirp has seen it. True: it may say where somebody is. */
bool user_guard_passed(struct user_guard *g, const struct frame *f);

/** A packet of libslirp's. What is to be sent in its place, the caller's; NULL: itself. */
struct frame *user_guard_out(struct user_guard *g, const uint8_t *p, uint32_t len, vtime_t now);

#endif
