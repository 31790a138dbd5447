/*
 * Cloning in a run: a console is watched for the point at which a guest is cloned.
 *
 * What is printed is looked at as the tests' transcripts do it, so the moment does not depend on
 * windows. All clones of a point are made in one control event, when every actor stands at
 * exactly its time.
 */
#include "topo/clone.h"

#include <time.h>

#include "guests/machine.h"
#include "topo/tests.h"

static uint64_t host_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* --- the point is reached --- */

static void clone_make(struct clone_point *p, struct topo_guest *g)
{
    struct clones *all = p->all;
    struct machine_stats st;
    uint64_t start = host_ns();
    machine_clone(g->machine, p->original->machine);
    guest_connect(g);
    all->host_ns += host_ns() - start;
    machine_stats(g->machine, &st);
    all->host_bytes += st.host_bytes;
    all->n_made++;
    if (g->transcript && p->original->transcript)
        transcript_inherit(g->transcript, p->original->transcript, all->network->sim.now);
}

static void point_make(struct clone_point *p)
{
    console_remove_sink(machine_console(p->original->machine, 0), &p->sink);
    p->made = true;
    for (size_t i = 0; i < p->guests.n; i++)
        clone_make(p, (struct topo_guest *)p->guests.items[i]);
}

/* Whether the pattern is in what was printed. */
static bool point_matches(struct clone_point *p)
{
    lua_State *L = p->all->script->L;
    int top = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "string.find");
    lua_pushlstring(L, p->text, p->n);
    lua_pushstring(L, p->pattern);
    lua_pushinteger(L, 1);
    lua_pushboolean(L, p->plain);
    script_refill(p->all->script);
    bool found = lua_pcall(L, 4, 1, 0) == LUA_OK && !lua_isnil(L, -1);
    lua_settop(L, top);
    return found;
}

/* --- what is printed --- */

static void point_take(struct clone_point *p, char c)
{
    if (p->n == 2 * CLONE_SPAN) {
        memmove(p->text, p->text + CLONE_SPAN, CLONE_SPAN);
        p->n = CLONE_SPAN;
    }
    p->text[p->n++] = c;
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *bytes, size_t n)
{
    struct clone_point *p = container_of(sink, struct clone_point, sink);
    struct sim *s = &p->all->network->sim;
    if (p->reached)
        return;
    for (size_t i = 0; i < n; i++) {
        if (escape_takes(&p->escape, bytes[i]))
            continue;
        point_take(p, (char)bytes[i]);
        if (bytes[i] == '\n' && point_matches(p)) {
            p->reached = true;
            sim_at(s, &p->event, at + CONSOLE_DELAY);
            return;
        }
    }
    p->last = at;
    sim_at(s, &p->event, at + TESTS_SETTLE);
}

static void on_event(struct event *ev, vtime_t now)
{
    struct clone_point *p = container_of(ev, struct clone_point, event);
    (void)now;
    if (!p->reached)
        p->reached = point_matches(p);
    if (p->reached)
        point_make(p);
}

/* --- life --- */

static struct clone_point *point_new(struct clones *c, struct topo_guest *g)
{
    struct clone_point *p = xmalloc(sizeof(*p));
    *p = (struct clone_point){.all = c, .original = g->clone, .pattern = g->at,
                              .plain = g->at_plain, .sink = {.bytes = on_bytes}};
    p->text = xmalloc(2 * CLONE_SPAN);
    event_init(&c->network->sim.control, &p->event, on_event);
    console_add_sink(machine_console(p->original->machine, 0), &p->sink);
    list_push(&c->points, p);
    return p;
}

void clones_init(struct clones *c, struct network *n, struct script *s)
{
    const topo_objects *guests = &n->topo->guests;
    struct strmap known = {0};
    *c = (struct clones){.network = n, .script = s};
    for (size_t i = 0; i < guests->n; i++) {
        struct topo_guest *g = (struct topo_guest *)guests->items[i];
        if (!g->clone)
            continue;
        char *key = xasprintf("%s %d %s", g->clone->object.name, g->at_plain, g->at);
        struct clone_point *p = strmap_get(&known, key);
        if (!p) {
            p = point_new(c, g);
            strmap_put(&known, topo_intern(n->topo, key), p);
        }
        list_push(&p->guests, &g->object);
        free(key);
    }
    strmap_finish(&known);
}

void clones_finish(struct clones *c)
{
    for (size_t i = 0; i < c->points.n; i++) {
        struct clone_point *p = c->points.items[i];
        evq_cancel(&c->network->sim.control, &p->event);
        if (!p->made)
            console_remove_sink(machine_console(p->original->machine, 0), &p->sink);
        free(p->guests.items);
        free(p->text);
        free(p);
    }
    free(c->points.items);
    *c = (struct clones){0};
}

char *clone_missing(const struct topo_guest *g)
{
    return xasprintf("%s is not there yet: it is a clone of %s, made when that prints \"%s\"",
                     g->object.name, g->clone->object.name, g->at);
}
