/* A VLAN's watch: frames that no test has taken, and the search for one that a filter accepts. */
#include <pcap/pcap.h>

#include "sim/frame.h"
#include "sim/vlan.h"
#include "topo/tests.h"

void filter_free(void *filter)
{
    if (!filter)
        return;
    pcap_freecode(filter);
    free(filter);
}

static bool accepts(struct bpf_program *program, const struct frame *f)
{
    struct pcap_pkthdr h = {.caplen = f->len, .len = f->len};
    return pcap_offline_filter(program, &h, f->data) != 0;
}

static struct seen_frame *frame_at(struct watch *w, size_t i)
{
    return &w->ring[(w->head + i) % WATCH_MAX];
}

static void drop_first(struct watch *w)
{
    frame_unref(w->ring[w->head].frame);
    w->head = (w->head + 1) % WATCH_MAX;
    w->n--;
}

/* A table: time, from, length, bytes. */
static void push_frame(lua_State *L, const struct seen_frame *s)
{
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, (lua_Number)s->at / 1e9);
    lua_setfield(L, -2, "time");
    lua_pushstring(L, s->port);
    lua_setfield(L, -2, "from");
    lua_pushinteger(L, s->frame->len);
    lua_setfield(L, -2, "length");
    lua_pushlstring(L, (const char *)s->frame->data, s->frame->len);
    lua_setfield(L, -2, "bytes");
}

/* Answers the waiting test with frame i, and takes it and all before it. */
static void take(struct watch *w, size_t i, vtime_t now)
{
    struct tests *t = w->tests;
    lua_State *L = t->script->L;
    struct seen_frame *s = frame_at(w, i);
    vtime_t at = MAX(s->at + CONSOLE_DELAY, now);
    lua_createtable(L, 1, 0);
    push_frame(L, s);
    lua_rawseti(L, -2, 1);
    for (size_t k = 0; k <= i; k++)
        drop_first(w);
    tests_answer(t, L, at);
}

bool watch_look(struct watch *w, vtime_t now)
{
    for (size_t i = 0; i < w->n; i++) {
        if (accepts(w->tests->filter, frame_at(w, i)->frame)) {
            take(w, i, now);
            return true;
        }
    }
    return false;
}

static void on_frame(struct tap *tap, vtime_t at, struct port *port, enum tap_dir dir,
                     struct frame *f)
{
    struct watch *w = container_of(tap, struct watch, tap);
    struct tests *t = w->tests;
    (void)dir;
    if (!w->ring)
        w->ring = xcalloc(WATCH_MAX, sizeof(*w->ring));
    if (w->n == WATCH_MAX)
        drop_first(w);
    const char *name = topo_intern(t->script->topo, port->name); /* the port may go sooner */
    *frame_at(w, w->n++) = (struct seen_frame){at, name, frame_ref(f)};
    if (t->kind == WAIT_FRAME && t->watch == w && !t->found && accepts(t->filter, f))
        take(w, w->n - 1, at);
}

void watch_init(struct watch *w, struct tests *t, struct topo_vlan *v)
{
    *w = (struct watch){.tests = t, .vlan = v, .tap = {.seen = on_frame}};
    tap_add(&v->built->taps, &w->tap);
}

void watch_finish(struct watch *w)
{
    if (!w->tests)
        return;
    tap_remove(&w->vlan->built->taps, &w->tap);
    while (w->n)
        drop_first(w);
    free(w->ring);
    *w = (struct watch){0};
}
