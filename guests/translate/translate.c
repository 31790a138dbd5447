/* Counting, translating and publishing; and what machine code asks for while it runs. */
#include "guests/translate/translate.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "guests/exec.h"
#include "guests/translate/arena.h"
#include "guests/translate/backend.h"

#define HOT 16 /* entries, after which a block's trace is translated */

/* Memory of a page's machine code, filled from the start. */
struct native_chunk {
    struct native_chunk *next;
    uint8_t *exec;
    size_t used;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one translates at a time */
static struct translate_stats stats;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *const engine_names[] = {"translator", "eager", "interpreter"};
static enum engine chosen;
static bool available; /* the host can translate */
static FILE *perf_map;

bool translate_engine_named(const char *name, enum engine *e)
{
    for (unsigned i = 0; i < ARRAY_LEN(engine_names); i++)
        if (strcmp(name, engine_names[i]) == 0) {
            *e = (enum engine)i;
            return true;
        }
    return false;
}

static void set_up(void)
{
    const char *env = getenv("LANARIUM_ENGINE");

    if (env)
        translate_engine_named(env, &chosen);
    available = arena_init() && backend_init();
}

void translate_choose(enum engine e)
{
    pthread_once(&once, set_up); /* the environment's choice comes first, and goes */
    chosen = e;
}

bool translate_perf_map(void)
{
    char name[64];

    snprintf(name, sizeof(name), "/tmp/perf-%ld.map", (long)getpid());
    perf_map = fopen(name, "w");
    return perf_map != NULL;
}

void translate_stats(struct translate_stats *s)
{
    pthread_mutex_lock(&lock);
    *s = stats;
    s->arena_bytes = available ? arena_used() : 0;
    pthread_mutex_unlock(&lock);
}

void translate_new_block(struct block *b)
{
    b->first = b->ops[0].handler;
    pthread_once(&once, set_up);
    if (!available || chosen == ENGINE_INTERPRETER)
        return;
    atomic_store_explicit(&b->native, backend_leave(), memory_order_relaxed);
    b->ops[0].handler = op_cold;
}

void translate_free(struct code *c)
{
    struct native_chunk *n, *next;

    for (n = c->native; n; n = next) {
        next = n->next;
        arena_give(n->exec);
        free(n);
    }
}

/* --- translating --- */

static bool fresh_chunk(struct code *c)
{
    struct native_chunk *n;
    uint8_t *exec = arena_take();

    if (!exec)
        return false;
    n = xmalloc(sizeof(*n));
    *n = (struct native_chunk){c->native, exec, 0};
    c->native = n;
    return true;
}

static bool emit_into(struct native_chunk *n, const struct trace *t, struct emission *e)
{
    if (!n)
        return false;
    e->exec = n->exec + n->used;
    e->room = ARENA_CHUNK - n->used;
    if (!backend_emit(t, e))
        return false;
    n->used += (e->used + 15) & ~(size_t)15;
    return true;
}

/* Where there is room: behind what the page has, or in a chunk of its own, or made shorter. */
static bool emit(struct code *c, struct trace *t, const struct block *b, const uint8_t *data,
                 struct emission *e)
{
    e->code = c;
    if (emit_into(c->native, t, e))
        return true;
    if (!fresh_chunk(c))
        return false;
    for (unsigned max = t->n; max > 0; max /= 2) {
        trace_form(t, b, data, max);
        if (emit_into(c->native, t, e))
            return true;
    }
    return false;
}

static void note_trace(const struct trace *t, const struct emission *e, uint64_t page_va)
{
    stats.traces++;
    stats.instructions += t->n;
    stats.native_bytes += e->used;
    if (perf_map) {
        fprintf(perf_map, "%lx %zx guest:%lx\n", (unsigned long)e->exec, e->used,
                (unsigned long)(page_va + t->off));
        fflush(perf_map);
    }
}

static bool translate(struct block *b, const uint8_t *data, uint64_t page_va)
{
    struct code *c = b->code;
    struct emission e;
    struct trace t;

    if (!trace_form(&t, b, data, TRACE_MAX) || !emit(c, &t, b, data, &e))
        return false;
    note_trace(&t, &e, page_va);
    atomic_fetch_or_explicit(&c->lines, t.lines, memory_order_relaxed);
    atomic_store_explicit(&b->native, e.exec, memory_order_release);
    atomic_store_explicit(&b->native_n, t.n, memory_order_release);
    return true;
}

static uint64_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/* Translate a hot block; what enters it from now on is in its first op. */
static COLD void heat_up(struct hart *h, struct block *b, uint64_t page_va)
{
    uint64_t pa, start = host_ns();
    bool ok;

    tlb_fetch(h, page_va, &pa); /* cannot fail: the block was just found there */
    pthread_mutex_lock(&lock);
    ok = atomic_load_explicit(&b->native_n, memory_order_relaxed) != 0 ||
         translate(b, ram_page(h->env->ram, pa)->data, page_va);
    __atomic_store_n(&b->ops[0].handler, ok ? op_native : b->first, __ATOMIC_RELEASE);
    stats.ns += host_ns() - start;
    pthread_mutex_unlock(&lock);
}

/* --- handlers --- */

HANDLER(cold)
{
    struct block *b = block_of(op);
    unsigned heat = atomic_load_explicit(&b->heat, memory_order_relaxed);

    atomic_store_explicit(&b->heat, (uint16_t)(heat + 1), memory_order_relaxed);
    if (UNLIKELY(heat == HOT || chosen == ENGINE_EAGER)) {
        heat_up(h, b, page_va);
        DISPATCH();
    }
    TAIL_RETURN b->first(PASS);
}

/*
 * Going in and out costs as much as interpreting a dozen instructions. A block that comes out
 * at once over and over (it reads a device, it traps) is interpreted again, unless other
 * machine code leads to it.
 */
#define POOR 12
#define POOR_MAX 256

static void judge(struct block *b, const struct op *op, uint64_t executed)
{
    unsigned poor = executed < POOR ? atomic_load_explicit(&b->heat, memory_order_relaxed) + 1u : 0;

    atomic_store_explicit(&b->heat, (uint16_t)poor, memory_order_relaxed);
    if (UNLIKELY(poor > POOR_MAX))
        __atomic_store_n((op_fn **)(uintptr_t)&op->handler, b->first, __ATOMIC_RELAXED);
}

HANDLER(native)
{
    struct block *b = block_of(op);
    uint64_t start = h->caches->until - (uint64_t)left - b->n;

    h->page_va = page_va;
    backend_enter(h, atomic_load_explicit(&b->native, memory_order_acquire), left + b->n);
    judge(b, op, h->icount - start);
    LEAVE();
}

HANDLER(return)
{
    h->stepped = true;
    LEAVE();
}

/* --- asked for by machine code --- */

const uint8_t *native_resolve(struct hart *h, const struct native_exit *exit, int64_t left)
{
    struct block *b = code_find(exit->code, (uint32_t)exit->off);
    const uint8_t *entry;

    if (b && atomic_load_explicit(&b->native_n, memory_order_acquire)) {
        entry = atomic_load_explicit(&b->native, memory_order_relaxed);
        backend_patch(exit, entry);
        return entry;
    }
    h->pc = h->page_va + (uint64_t)exit->off;
    h->icount = h->caches->until - (uint64_t)left;
    return NULL;
}
