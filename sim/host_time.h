/* Where host time goes: nanoseconds per kind of work, added up by each thread for itself. */
#ifndef SIM_HOST_TIME_H
#define SIM_HOST_TIME_H

#include "sim/base.h"

enum host_time {
    HOST_GUESTS,    /* running actors, translation included */
    HOST_TRANSLATE, /* translating guest code, a part of the former */
    HOST_VLANS,     /* links, VLANs, consoles: what barriers do */
    HOST_CAPTURE,   /* taps' records put in order, encoded, written; on any thread */
    HOST_WAIT,      /* the main thread at a barrier, for others to come to it */
    HOST_IDLE,      /* waiting for the host's clock, or for something from outside */
    HOST_KINDS
};

/** The host's monotonic clock, ns. */
int64_t host_now_ns(void);

/** Add time to a kind, from any thread: it takes no lock, and shares no cache line in practice. */
void host_time_add(enum host_time kind, int64_t ns);

/** What all threads of the process have added so far. */
int64_t host_time_sum(enum host_time kind);

#endif
