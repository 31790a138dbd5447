/* A window carried out: actors run, on one thread or several, and VLANs hand on what they sent. */
#ifndef SIM_WINDOW_H
#define SIM_WINDOW_H

#include "sim/base.h"

struct sim;
struct window;

/** Its threads start when there is first enough to do for them. */
struct window *window_create(struct sim *s);
void window_destroy(struct window *w);

/** Every actor with something to do before `end` runs to `end`; then the barrier. */
void window_run(struct window *w, vtime_t end);

/** Every VLAN passes on the frames that reach it before `horizon`. */
void window_vlans(struct window *w, vtime_t horizon);

/** How long a thread has worked on what was handed out, ns. */
int64_t window_thread_ns(const struct window *w, unsigned thread);

#endif
