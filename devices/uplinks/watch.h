/* Descriptors and timers of the loop that an uplink may let go of at any time. */
#ifndef UPLINKS_WATCH_H
#define UPLINKS_WATCH_H

#include <stdbool.h>
#include <uv.h>

struct watch;
struct alarm;

/**
 * Watch a descriptor; nothing is asked for yet. `ready` is called by the loop, between windows,
 * with UV_READABLE and UV_WRITABLE as they are true; both if the descriptor has an error, so that
 * the next read or write says which. NULL if it cannot be watched (a regular file).
 */
struct watch *watch_open(uv_loop_t *loop, int fd, void (*ready)(void *opaque, int events),
                         void *opaque);

/** Whether the loop has a watch on it already. */
bool watch_exists(uv_loop_t *loop, int fd);

/** Ask for events (UV_READABLE, UV_WRITABLE); 0: for none. */
void watch_set(struct watch *w, int events);

/** Add and take away some. */
void watch_want(struct watch *w, int events, bool wanted);

/** Nothing is called from now on; the descriptor is closed. NULL is accepted. */
void watch_close(struct watch *w);

/** Likewise, but the descriptor stays open and is the caller's. */
int watch_release(struct watch *w);

/** A timer of the host's clock; `ring` is called by the loop. Nothing is set yet. */
struct alarm *alarm_open(uv_loop_t *loop, void (*ring)(void *opaque), void *opaque);
/** Ring once, so many ms from now, instead of when it was to ring. */
void alarm_set(struct alarm *a, uint64_t ms);
void alarm_cancel(struct alarm *a);
void alarm_close(struct alarm *a);

#endif
