/* Counters of host time: a slot per thread, summed when somebody asks. */
#include "sim/host_time.h"

#include <stdatomic.h>
#include <time.h>

/* Threads beyond these share slots, which atomic addition makes right, if slower. */
#define SLOTS 64

struct slot {
    _Alignas(64) _Atomic int64_t ns[HOST_KINDS];
};

static struct slot slots[SLOTS];
static _Atomic unsigned n_taken;
static _Thread_local struct slot *mine;

int64_t host_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

void host_time_add(enum host_time kind, int64_t ns)
{
    if (!mine)
        mine = &slots[atomic_fetch_add_explicit(&n_taken, 1, memory_order_relaxed) % SLOTS];
    atomic_fetch_add_explicit(&mine->ns[kind], ns, memory_order_relaxed);
}

int64_t host_time_sum(enum host_time kind)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < SLOTS; i++)
        sum += atomic_load_explicit(&slots[i].ns[kind], memory_order_relaxed);
    return sum;
}
