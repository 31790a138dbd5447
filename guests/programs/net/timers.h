/* lwIP's timers, run only while one of them has something to do. */
#ifndef PROGRAMS_NET_TIMERS_H
#define PROGRAMS_NET_TIMERS_H

#include <stdint.h>

#include "lwip/arch.h"

/* Bring every timer up to the present. To be called before anything else happens in a
   wake-up, so that no timer counts time from before its cause. */
void timers_run(void);

/* When timers_run() has something to do next, CLOCK_NEVER for never. */
uint64_t timers_next_ns(void);

/* nic.c: a frame passed. Some of lwIP's timers are needed only after some frames. */
void timers_frame_sent(const uint8_t *frame, uint32_t len);
void timers_frame_received(const uint8_t *frame, uint32_t len);

/* resolve.c: a name is being looked up, or no more. */
void timers_dns_pending(int change);

#endif
