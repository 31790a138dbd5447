/* The user-mode stack's own struct: what its files share. */
#ifndef UPLINKS_USER_STACK_H
#define UPLINKS_USER_STACK_H

#include <poll.h>
#include <slirp/libslirp.h>

#include "devices/uplinks/uplink.h"
#include "devices/uplinks/user_guard.h"
#include "devices/uplinks/user_options.h"

struct user_door;
struct user_folder;
struct user_handles;
struct user_line;

/** One redirection that is in force. */
struct user_redirection {
    struct user_redirection *next;
    char *rule;
    struct user_hostfwd fwd; /* with the port that was found */
    int fd;                  /* libslirp's; not ours to close */
};

struct user_stack {
    struct uplink uplink;
    Slirp *slirp;
    SlirpConfig config;
    struct user_guard guard;
    struct rng rng;     /* when routers are advertised */
    unsigned n_adverts; /* so far */

    struct event timer;    /* when libslirp asked to be called again */
    struct event incoming; /* sockets are ready */

    /* user_sockets.c */
    struct user_handles *handles;
    bool stale;          /* what the sockets are watched for may have changed */
    uint8_t *registered; /* by descriptor: libslirp told us of it; it does not tell of all */
    uint32_t cap_registered, n_registered, max_registered;
    struct pollfd *polled; /* what it waits for */
    uint32_t n_polled, cap_polled;

    struct user_redirection *redirections; /* in order of adding; user_hostfwd.c */

    /* user_door.c */
    struct user_folder *folder; /* private; NULL: none was needed */
    struct user_door *doors;
    struct user_line *lines; /* connections through doors */
    unsigned n_lines;
};

static inline struct user_stack *user_stack_of(struct uplink *u)
{
    return container_of(u, struct user_stack, uplink);
}

/** Within the actor's run: set libslirp's clock and run its timers. Every entry begins so. */
void user_enter(struct user_stack *u);
/** Every entry ends so: ask libslirp what it waits for, sockets and time. */
void user_leave(struct user_stack *u);
/** At a barrier, or in the loop: let the stack look again, in its run. */
void user_look_again(struct user_stack *u);

/* user_sockets.c: host sockets */

/** `epoll` is taken: an epoll descriptor, for them to be watched by. */
void user_sockets_open(struct user_stack *u, int epoll);
void user_sockets_close(struct user_stack *u);
/** libslirp's callbacks. */
void user_register_fd(int fd, void *opaque);
void user_unregister_fd(int fd, void *opaque);
int user_add_poll(int fd, int events, void *opaque);
int user_get_revents(int idx, void *opaque);
/** Whether any is ready now. */
bool user_sockets_ready(struct user_stack *u);
/** More than this many would leave the process, and others, without descriptors. */
bool user_sockets_enough(const struct user_stack *u);

/* user_hostfwd.c: redirections from the host */

bool user_redirect(struct user_stack *u, const char *rule, const struct user_hostfwd *f,
                   const char *file, int line, struct err *err);
void user_redirections_close(struct user_stack *u);

/* user_door.c: redirections to the host */

bool user_doors_open(struct user_stack *u, const struct user_options *o, const struct user_plan *p,
                     struct err *err);
/** In the run, after each packet: take in the connections that libslirp has opened. */
void user_doors_accept(struct user_stack *u);
void user_doors_describe(const struct user_stack *u, FILE *to);
void user_doors_close(struct user_stack *u);

#endif
