/* The one loop of a program: devices, timers, sleep. */
#ifndef PROGRAMS_NET_LOOP_H
#define PROGRAMS_NET_LOOP_H

#include <stdint.h>

/**
 * Handle what has happened; when nothing has, sleep until something does, or until
 * `deadline_ns` (CLOCK_NEVER: none). Anything that waits calls this again and again.
 */
void loop_once(uint64_t deadline_ns);

#endif
