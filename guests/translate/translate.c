/* Counting, translating and publishing; and what machine code asks for while it runs. */
#include "guests/translate/translate.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "guests/exec.h"
#include "guests/translate/arena.h"
#include "guests/translate/backend.h"
#include "guests/translate/symbols.h"
#include "sim/host_time.h"

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
    int fd;

    snprintf(name, sizeof(name), "/tmp/perf-%ld.map", (long)getpid());
    fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    perf_map = fd < 0 ? NULL : fdopen(fd, "w");
    if (!perf_map)
        return false;
    setvbuf(perf_map, NULL, _IOLBF, 0); /* it is complete whenever the program ends */
    symbols_want();
    return true;
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

    for (unsigned p = 0; p < ARENA_PARTS; p++)
        for (n = c->native[p]; n; n = next) {
            next = n->next;
            arena_give((enum arena_part)p, n->exec);
            free(n);
        }
}

/* --- translating --- */

static bool fresh_chunk(struct code *c, enum arena_part part)
{
    struct native_chunk *n;
    uint8_t *exec = arena_take(part);

    if (!exec)
        return false;
    n = xmalloc(sizeof(*n));
    *n = (struct native_chunk){c->native[part], exec, 0};
    c->native[part] = n;
    return true;
}

/* Emit behind what the page has. False: there is no room in `*full`. */
static bool emit_behind(struct code *c, const struct trace *t, struct emission *e,
                        enum arena_part *full)
{
    for (unsigned p = 0; p < ARENA_PARTS; p++) {
        const struct native_chunk *n = c->native[p];

        *full = (enum arena_part)p;
        if (!n)
            return false;
        e->part[p] = (struct room){n->exec + n->used, arena_chunk(*full) - n->used, 0};
    }
    if (!backend_emit(t, e, full))
        return false;
    for (unsigned p = 0; p < ARENA_PARTS; p++)
        c->native[p]->used += (e->part[p].used + 15) & ~(size_t)15;
    return true;
}

/* Behind what the page has, or in fresh chunks; a trace that is too long even for those is made
   shorter. */
static bool emit(struct code *c, struct trace *t, const struct block *b, const uint8_t *data,
                 struct emission *e)
{
    enum arena_part full;

    e->code = c;
    for (;;) {
        if (emit_behind(c, t, e, &full))
            return true;
        if (c->native[full] && c->native[full]->used == 0) {
            if (t->n == 1)
                return false;
            trace_form(t, b, data, t->n / 2);
        } else if (!fresh_chunk(c, full)) {
            return false;
        }
    }
}

/* "ADDRESS SIZE NAME" in hexadecimal: linux, tools/perf/Documentation/jit-interface.txt */
static void name_trace(const struct trace *t, const struct emission *e, const uint8_t *data,
                       uint64_t page_va, uint64_t page_pa)
{
    static const char *const suffixes[ARENA_PARTS] = {[ARENA_HOT] = "", [ARENA_COLD] = ".cold"};
    uint64_t off = page_va + t->off;
    const char *name = symbols_find(page_va + t->off, page_pa + t->off, data + t->off,
                                    PAGE_SIZE - t->off, &off);

    for (unsigned p = 0; p < ARENA_PARTS; p++)
        if (e->part[p].used)
            fprintf(perf_map, "%lx %zx %s%s%lx%s\n", (unsigned long)e->part[p].exec,
                    e->part[p].used, name ? name : "guest", name ? "+0x" : ":",
                    (unsigned long)off, suffixes[p]);
}

static void note_trace(const struct trace *t, const struct emission *e, const uint8_t *data,
                       uint64_t page_va, uint64_t page_pa)
{
    stats.traces++;
    stats.instructions += t->n;
    stats.native_bytes += e->part[ARENA_HOT].used + e->part[ARENA_COLD].used;
    if (perf_map)
        name_trace(t, e, data, page_va, page_pa);
}

static bool translate(struct block *b, const uint8_t *data, uint64_t page_va, uint64_t page_pa)
{
    struct code *c = b->code;
    struct emission e;
    struct trace t;

    if (!trace_form(&t, b, data, TRACE_MAX) || !emit(c, &t, b, data, &e))
        return false;
    note_trace(&t, &e, data, page_va, page_pa);
    atomic_fetch_or_explicit(&c->lines, t.lines, memory_order_relaxed);
    atomic_store_explicit(&b->native, e.part[ARENA_HOT].exec, memory_order_release);
    atomic_store_explicit(&b->native_n, t.n, memory_order_release);
    return true;
}

/* Translate a hot block; what enters it from now on is in its first op. */
static COLD void heat_up(struct hart *h, struct block *b, uint64_t page_va)
{
    int64_t start = host_now_ns();
    uint64_t pa;
    bool ok;

    tlb_fetch(h, page_va, &pa); /* cannot fail: the block was just found there */
    pthread_mutex_lock(&lock);
    ok = atomic_load_explicit(&b->native_n, memory_order_relaxed) != 0 ||
         translate(b, ram_page(h->env->ram, pa)->data, page_va, pa);
    __atomic_store_n(&b->ops[0].handler, ok ? op_native : b->first, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
    host_time_add(HOST_TRANSLATE, host_now_ns() - start);
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
