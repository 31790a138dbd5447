/*
 * Frames: reference counts, and pools to allocate from.
 *
 * A frame is often made by one thread and freed by another (a guest's, the barrier's, a
 * capture's writer), so pools are magazines: each thread has two chains of spare frames for each
 * size, and exchanges whole chains with a depot that all share. A lock is taken once for a chain.
 * The depot's size is bounded; what it has no room for goes back to the heap.
 *
 * Under AddressSanitizer every frame comes from the heap, so that a use after free is found.
 */
#include "sim/frame.h"

#include <assert.h>
#include <pthread.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define POOLED 0
#endif
#endif
#ifndef POOLED
#define POOLED 1
#endif

/* Room for data: requests and acknowledgements; names, leases, routes; a full frame with tags. */
static const uint16_t class_cap[] = {128, 512, 2048};

enum {
    CLASSES = ARRAY_LEN(class_cap),
    CHAIN = 64,              /* spare frames in a full chain */
    DEPOT_CHAINS = 64,       /* kept for each size: 9 MiB of the largest at most */
};

/* A frame not in use, in the memory of one. */
struct spare {
    struct spare *next;
    struct spare *next_chain; /* of a chain's first */
};

struct chain {
    struct spare *first;
    uint32_t n;
};

/* What a thread has: both chains are its own. */
struct cache {
    struct chain in_use[CLASSES], other[CLASSES]; /* `other` is full or empty */
    _Atomic int64_t made; /* frames made less frames freed; written by this thread only */
    bool known;           /* in the list */
    struct cache *next, **link;
};

static struct {
    pthread_mutex_t lock;
    struct spare *chains[CLASSES]; /* full ones */
    uint32_t n_chains[CLASSES];
    struct cache *caches;
    int64_t made; /* by threads that have ended */
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct cache cache;
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- threads --- */

static void chain_free(struct chain *c)
{
    while (c->first) {
        struct spare *s = c->first;
        c->first = s->next;
        free(s);
    }
    c->n = 0;
}

/* A thread ends: what it counted stays, what it kept goes. */
static void cache_leave(void *opaque)
{
    struct cache *c = opaque;

    for (unsigned i = 0; i < CLASSES; i++) {
        chain_free(&c->in_use[i]);
        chain_free(&c->other[i]);
    }
    pthread_mutex_lock(&depot.lock);
    depot.made += atomic_load_explicit(&c->made, memory_order_relaxed);
    atomic_store_explicit(&c->made, 0, memory_order_relaxed);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->known = false;
    pthread_mutex_unlock(&depot.lock);
}

static void make_key(void)
{
    if (pthread_key_create(&thread_end, cache_leave) != 0)
        abort();
}

static void cache_join(struct cache *c)
{
    pthread_once(&once, make_key);
    pthread_setspecific(thread_end, c);
    pthread_mutex_lock(&depot.lock);
    c->next = depot.caches;
    c->link = &depot.caches;
    if (c->next)
        c->next->link = &c->next;
    depot.caches = c;
    c->known = true;
    pthread_mutex_unlock(&depot.lock);
}

static void count(struct cache *c, int64_t n)
{
    if (UNLIKELY(!c->known))
        cache_join(c);
    int64_t made = atomic_load_explicit(&c->made, memory_order_relaxed);
    atomic_store_explicit(&c->made, made + n, memory_order_relaxed);
}

size_t frame_alive(void)
{
    int64_t n;

    pthread_mutex_lock(&depot.lock);
    n = depot.made;
    for (const struct cache *c = depot.caches; c; c = c->next)
        n += atomic_load_explicit(&c->made, memory_order_relaxed);
    pthread_mutex_unlock(&depot.lock);
    return (size_t)n;
}

/* --- chains come and go --- */

static struct chain depot_take(unsigned class)
{
    struct chain c = {0};

    pthread_mutex_lock(&depot.lock);
    if (depot.chains[class]) {
        c = (struct chain){depot.chains[class], CHAIN};
        depot.chains[class] = c.first->next_chain;
        depot.n_chains[class]--;
    }
    pthread_mutex_unlock(&depot.lock);
    return c;
}

static void depot_give(unsigned class, struct chain c)
{
    pthread_mutex_lock(&depot.lock);
    if (depot.n_chains[class] < DEPOT_CHAINS) {
        c.first->next_chain = depot.chains[class];
        depot.chains[class] = c.first;
        depot.n_chains[class]++;
        c.first = NULL;
    }
    pthread_mutex_unlock(&depot.lock);
    chain_free(&c);
}

static void *spare_take(struct cache *c, unsigned class)
{
    struct chain *in_use = &c->in_use[class];
    struct spare *s;

    if (UNLIKELY(!in_use->first)) {
        *in_use = c->other[class].first ? c->other[class] : depot_take(class);
        c->other[class] = (struct chain){0};
        if (!in_use->first)
            return xmalloc(sizeof(struct frame) + class_cap[class]);
    }
    s = in_use->first;
    in_use->first = s->next;
    in_use->n--;
    return s;
}

static void spare_give(struct cache *c, unsigned class, void *frame)
{
    struct chain *in_use = &c->in_use[class];
    struct spare *s = frame;

    if (UNLIKELY(in_use->n == CHAIN)) {
        if (c->other[class].first)
            depot_give(class, c->other[class]);
        c->other[class] = *in_use;
        *in_use = (struct chain){0};
    }
    s->next = in_use->first;
    in_use->first = s;
    in_use->n++;
}

/* --- frames --- */

/* The class with room for `cap` bytes; CLASSES: none has. */
static unsigned class_of(uint32_t cap)
{
    unsigned i = 0;

    while (i < CLASSES && cap > class_cap[i])
        i++;
    return POOLED ? i : CLASSES;
}

struct frame *frame_new(uint32_t cap)
{
    struct cache *c = &cache;
    unsigned class = class_of(cap);
    struct frame *f;

    count(c, 1);
    if (class < CLASSES) {
        f = spare_take(c, class);
        cap = class_cap[class];
    } else {
        f = xmalloc(sizeof(*f) + cap);
    }
    *f = (struct frame){.cap = cap};
    atomic_init(&f->refs, 1);
    return f;
}

void frame_free(struct frame *f)
{
    struct cache *c = &cache;
    unsigned class = class_of(f->cap);

    count(c, -1);
    if (class < CLASSES)
        spare_give(c, class, f);
    else
        free(f);
}

struct frame *frame_with_room(const struct frame *f, uint32_t cap)
{
    uint32_t len = f ? f->len : 0;
    struct frame *copy = frame_new(MAX(len, cap));

    if (len)
        memcpy(copy->data, f->data, len);
    copy->len = len;
    return copy;
}

struct frame *frame_from(const void *bytes, uint32_t len)
{
    struct frame *f = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    memcpy(f->data, bytes, len);
    f->len = len;
    return f;
}

void frame_pad(struct frame *f)
{
    if (f->len >= FRAME_MIN_WIRE)
        return;
    assert(f->cap >= FRAME_MIN_WIRE);
    memset(f->data + f->len, 0, FRAME_MIN_WIRE - f->len);
    f->len = FRAME_MIN_WIRE;
}
