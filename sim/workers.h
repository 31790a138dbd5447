/* Worker threads: a batch of independent items at a time, taken by whoever is free. */
#ifndef SIM_WORKERS_H
#define SIM_WORKERS_H

#include "sim/base.h"

struct workers;

/** Carry out item `item` of the batch; `thread` is 0 for the caller of workers_join. */
typedef void workers_fn(void *opaque, uint32_t item, unsigned thread);

#define WORKERS_MAX 256

/** How many threads this process may use: the cores of its affinity mask, at most WORKERS_MAX. */
unsigned workers_cores(void);

/** A pool of n threads, the caller's included: n - 1 are started. 1 <= n <= WORKERS_MAX. */
struct workers *workers_create(unsigned n);

/** End the threads; no batch may be under way. NULL is accepted. */
void workers_destroy(struct workers *w);

/**
 * Hand out a batch: items first[0] to first[n] - 1, where those from first[t] to first[t + 1] - 1
 * are meant for thread t, which takes them in descending order, `chunk` at a time; a thread
 * with none left takes others'. `first` is copied. The caller may do something else before
 * workers_join; whatever it wrote before is seen by the items.
 */
void workers_begin(struct workers *w, workers_fn *fn, void *opaque, const uint32_t *first,
                   uint32_t chunk);

/**
 * Take part in the batch, then wait for the others; what its items wrote is seen from here on.
 * A thread that has not come to run is not waited for. Returns how long that wait was, in ns.
 */
int64_t workers_join(struct workers *w);

/** How long a thread has worked on items altogether, ns; between batches. */
int64_t workers_busy_ns(const struct workers *w, unsigned thread);

#endif
