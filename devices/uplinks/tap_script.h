/* Scripts that set a TAP interface up and down: run beside us, and bounded in time. */
#ifndef UPLINKS_TAP_SCRIPT_H
#define UPLINKS_TAP_SCRIPT_H

#include <sys/types.h>
#include <uv.h>

#include "devices/uplinks/tap.h"

enum tap_end { TAP_ENDED, TAP_HUNG, TAP_NOT_STARTED };

/** How a program ended. */
struct tap_result {
    enum tap_end end;
    int status; /* TAP_ENDED: as waitpid has it; TAP_NOT_STARTED: errno */
};

struct tap_script;

/**
 * Start `path ifname` with nothing to read; what it prints is printed on standard error. `done` is
 * called by the loop, once: when it has ended, or has been ended because it took too long, with all
 * that it started. If it could not be started, that is told by `done` too.
 */
struct tap_script *tap_script_start(uv_loop_t *loop, const char *path, const char *ifname,
                                    vtime_t timeout_ns,
                                    void (*done)(void *opaque, struct tap_result r), void *opaque);

/** End it if it runs, and free; `done` is not called any more. NULL is accepted. */
void tap_script_stop(struct tap_script *s);

/** Start a program in a group of processes of its own; -1: errno says why not. `keep`: a
 * descriptor that it gets, or -1. */
pid_t tap_spawn(char *const argv[], int keep);

/** Wait for it, and end it and its group if it takes too long. */
struct tap_result tap_wait(pid_t pid, vtime_t timeout_ns);

/** Add a sentence if it did not end well; `what` is "script" and so on. False then. */
bool tap_result_good(struct tap_result r, const char *what, const char *path,
                     const struct tap_options *o, struct err *err);

/** Whether a program can be run; a sentence if not. */
bool tap_program_check(const char *what, const char *path, const struct tap_options *o,
                       struct err *err);

#endif
