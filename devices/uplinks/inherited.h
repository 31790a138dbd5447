/* Descriptors that a parent opened for us, by number or by name; and none of ours for children. */
#ifndef UPLINKS_INHERITED_H
#define UPLINKS_INHERITED_H

#include <uv.h>

/**
 * The descriptor that `text` says: a number, or a name in LISTEN_FDNAMES, unless LISTEN_PID is
 * another process (sd_listen_fds(3)). It is set close-on-exec and non-blocking, and is the caller's
 * to close. -1 with *why, for a sentence, also if the loop has it already.
 */
int inherited_fd(uv_loop_t *loop, const char *text, const char **why);

/** What is open from 3 on is not for programs that are started, whichever library opened it. */
void inherit_nothing(void);

#endif
