/* The machine's time: nanoseconds since it started, and one alarm. */
#ifndef PROGRAMS_BASE_CLOCK_H
#define PROGRAMS_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

void clock_init(uint64_t hart);

/* Nanoseconds on the mtime counter. */
uint64_t clock_ns(void);

/* Sleep (WFI) until an enabled interrupt is pending or `deadline_ns` has come. */
void clock_sleep(uint64_t deadline_ns);

/* How often clock_sleep() went to sleep. */
uint64_t clock_sleeps(void);

#endif
