/*
 * The pool: lanes of items, and a word to wait for.
 *
 * Each thread has a lane, which holds how many of its items are left; taking some is one
 * compare-and-swap, one's own or another's. Everything else about a batch is written before its
 * lanes are filled and read after something was taken from one, so a thread that is late - that still
 * looks at an old batch when the next one is handed out - does no harm: what it takes is work of
 * the present one. The batch is over when all items are done, however many threads came.
 *
 * Waiting is spinning for about as long as a barrier takes, then yielding, then sleeping. A
 * pool with more threads than cores does not spin: the one waited for needs the core.
 */
#include "sim/workers.h"

#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/host_time.h"
#include "sim/thread.h"

#define SPINS 400  /* pauses, of some 40 ns each */
#define YIELDS 40  /* of some 500 ns each, or a turn of somebody else's */

struct lane {
    _Alignas(64) _Atomic uint32_t left; /* items nobody has taken: base to base + left - 1 */
    uint32_t base;
};

/* One thread's own. */
struct worker {
    _Alignas(64) struct workers *pool;
    unsigned number;
    pthread_t thread;
    int64_t busy_ns;
};

struct workers {
    unsigned n, spins;
    struct lane *lanes;
    struct worker *workers;
    workers_fn *fn;
    void *opaque;
    _Atomic uint32_t chunk;
    _Alignas(64) _Atomic uint32_t batch; /* its number: what idle threads wait to see changed */
    _Atomic uint32_t sleepers;           /* of them, those in the kernel */
    _Atomic bool ending;
    _Alignas(64) _Atomic uint32_t undone; /* items of the batch not done */
    _Atomic bool joiner_sleeps;
};

unsigned workers_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return (unsigned)MAX(1, MIN(n, WORKERS_MAX));
}

/* --- waiting --- */

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, WORKERS_MAX, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Wait a short while for a word to be, or not to be, `value`; whether it came so far. */
static bool wait_awake(const struct workers *w, _Atomic uint32_t *word, uint32_t value, bool equal)
{
    for (unsigned i = 0; i < w->spins + YIELDS; i++) {
        if ((atomic_load_explicit(word, memory_order_acquire) == value) == equal)
            return true;
        if (i < w->spins)
            pause_briefly();
        else
            sched_yield();
    }
    return false;
}

/* --- items --- */

/* Take some items of a lane, one by one towards its end; returns how many, *first the lowest. */
static uint32_t lane_take(const struct workers *w, struct lane *l, uint32_t *first)
{
    uint32_t left = atomic_load_explicit(&l->left, memory_order_acquire), n;
    uint32_t chunk = atomic_load_explicit(&w->chunk, memory_order_relaxed);

    do {
        if (left == 0)
            return 0;
        n = left / 4 >= chunk ? chunk : 1;
    } while (!atomic_compare_exchange_weak_explicit(&l->left, &left, left - n, memory_order_acq_rel,
                                                    memory_order_acquire));
    *first = l->base + left - n;
    return n;
}

/* Take from the thread's own lane, or else from the others', beginning with the next. */
static uint32_t take(const struct workers *w, unsigned thread, uint32_t *first)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < w->n && n == 0; i++)
        n = lane_take(w, &w->lanes[(thread + i) % w->n], first);
    return n;
}

static void items_done(struct workers *w, uint32_t n)
{
    if (atomic_fetch_sub_explicit(&w->undone, n, memory_order_seq_cst) == n &&
        atomic_load_explicit(&w->joiner_sleeps, memory_order_seq_cst))
        futex_wake(&w->undone);
}

/* Work until there is nothing left to take. */
static void take_part(struct workers *w, struct worker *me)
{
    uint32_t first, n = take(w, me->number, &first);

    if (n == 0)
        return;
    int64_t start = host_now_ns();
    for (;;) {
        uint32_t next, n_next;
        for (uint32_t i = n; i-- > 0;)
            w->fn(w->opaque, first + i, me->number);
        n_next = take(w, me->number, &next);
        if (n_next == 0) /* before the last are done: then the batch may be over */
            me->busy_ns += host_now_ns() - start;
        items_done(w, n);
        if (n_next == 0)
            return;
        n = n_next;
        first = next;
    }
}

/* --- threads --- */

static void *worker_main(void *opaque)
{
    struct worker *me = opaque;
    struct workers *w = me->pool;

    for (;;) {
        uint32_t seen = atomic_load_explicit(&w->batch, memory_order_acquire);

        if (atomic_load_explicit(&w->ending, memory_order_acquire))
            return NULL;
        take_part(w, me);
        if (wait_awake(w, &w->batch, seen, false))
            continue;
        atomic_fetch_add_explicit(&w->sleepers, 1, memory_order_seq_cst);
        futex_wait(&w->batch, seen);
        atomic_fetch_sub_explicit(&w->sleepers, 1, memory_order_seq_cst);
    }
}

static void batch_changed(struct workers *w)
{
    atomic_fetch_add_explicit(&w->batch, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&w->sleepers, memory_order_seq_cst))
        futex_wake(&w->batch);
}

void workers_begin(struct workers *w, workers_fn *fn, void *opaque, const uint32_t *first,
                   uint32_t chunk)
{
    assert(atomic_load_explicit(&w->undone, memory_order_relaxed) == 0);
    w->fn = fn;
    w->opaque = opaque;
    atomic_store_explicit(&w->chunk, MAX(chunk, 1u), memory_order_relaxed);
    atomic_store_explicit(&w->undone, first[w->n] - first[0], memory_order_relaxed);
    for (unsigned t = 0; t < w->n; t++)
        w->lanes[t].base = first[t];
    for (unsigned t = 0; t < w->n; t++)
        atomic_store_explicit(&w->lanes[t].left, first[t + 1] - first[t], memory_order_release);
    batch_changed(w);
}

int64_t workers_join(struct workers *w)
{
    uint32_t undone;

    take_part(w, &w->workers[0]);
    if (atomic_load_explicit(&w->undone, memory_order_acquire) == 0)
        return 0;
    int64_t start = host_now_ns();
    if (!wait_awake(w, &w->undone, 0, true)) {
        atomic_store_explicit(&w->joiner_sleeps, true, memory_order_seq_cst);
        while ((undone = atomic_load_explicit(&w->undone, memory_order_seq_cst)) != 0)
            futex_wait(&w->undone, undone);
        atomic_store_explicit(&w->joiner_sleeps, false, memory_order_relaxed);
    }
    return host_now_ns() - start;
}

int64_t workers_busy_ns(const struct workers *w, unsigned thread)
{
    return w->workers[thread].busy_ns;
}

/* --- life --- */

static void *aligned_array(size_t n, size_t size)
{
    void *p = aligned_alloc(64, n * size);

    if (!p)
        abort();
    return memset(p, 0, n * size);
}

struct workers *workers_create(unsigned n)
{
    struct workers *w = aligned_array(1, sizeof(*w));

    assert(n >= 1 && n <= WORKERS_MAX);
    w->n = n;
    w->spins = n <= workers_cores() ? SPINS : 0;
    w->lanes = aligned_array(n, sizeof(*w->lanes));
    w->workers = aligned_array(n, sizeof(*w->workers));
    for (unsigned i = 0; i < n; i++) {
        w->workers[i].pool = w;
        w->workers[i].number = i;
        if (i > 0)
            thread_start(&w->workers[i].thread, worker_main, &w->workers[i]);
    }
    return w;
}

void workers_destroy(struct workers *w)
{
    if (!w)
        return;
    atomic_store_explicit(&w->ending, true, memory_order_release);
    batch_changed(w);
    for (unsigned i = 1; i < w->n; i++)
        pthread_join(w->workers[i].thread, NULL);
    free(w->lanes);
    free(w->workers);
    free(w);
}
