/* Doors: sockets in a private folder, by which libslirp hands over guests' connections to the host.
 */
#ifndef UPLINKS_USER_DOOR_H
#define UPLINKS_USER_DOOR_H

#include <uv.h>

#include "devices/uplinks/user_stack.h"

#define DOOR_MAX_LINES 256 /* connections of a stack through its doors at once */

/** An address and port of the stack's network, and where it leads. */
struct user_door {
    struct user_door *next;
    struct user_stack *stack;
    char *name; /* the rule, or "smb" */
    struct user_guestfwd fwd;
    char *command; /* NULL: to an address */
    struct user_address path;
    int listener;
    unsigned n_open;
    uint64_t n_opened, n_failed;
};

/** One connection. */
struct user_line {
    struct user_line *next;
    struct user_door *door;
    struct relay *relay;          /* NULL: it is over, and its command has not ended yet */
    struct user_command *command; /* whom it leads to, or NULL: to an address */
};

/**
 * Start `command` by the shell, with a socket (borrowed) as its input and output, in a session of
 * its own. `ended` is called by the loop when it has, unless user_command_end came first. NULL if
 * it cannot be started.
 */
struct user_command *user_command_start(uv_loop_t *loop, const char *command, int fd,
                                        void (*ended)(void *opaque), void *opaque);

/** Its connection is over: what still runs in its session is told. Whether it still runs. */
bool user_command_hang_up(struct user_command *c);

/**
 * End it, and what it has started in its session, if it has not ended; and wait for that. NULL is
 * accepted.
 */
void user_command_end(struct user_command *c);

/** Two ends of one TCP connection of the loopback; false, with errno. */
bool user_tcp_pair(int ends[2]);

#endif
