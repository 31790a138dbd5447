/* Descriptors that a parent opened for us, by number or by name. */
#ifndef UPLINKS_INHERITED_H
#define UPLINKS_INHERITED_H

/**
 * The descriptor that `text` says: a number, or a name in LISTEN_FDNAMES if LISTEN_PID is us
 * (sd_listen_fds(3)). It is set close-on-exec and non-blocking, and is the caller's to close. -1
 * with *why, for a sentence: "there is no open descriptor 7".
 */
int inherited_fd(const char *text, const char **why);

#endif
