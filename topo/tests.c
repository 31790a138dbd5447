/*
 * Tests: a coroutine runs until it waits; a control event of the engine resumes it.
 *
 * One test runs at a time, so there is one wait: what it is for, when it times out, and the
 * answer, which stays in the registry until the coroutine goes on and takes it.
 */
#include "topo/tests.h"

#include <pcap/pcap.h>
#include <time.h>

#include "guests/machine.h"
#include "sim/units.h"
#include "topo/handle.h"
#include "topo/live.h"
#include "topo/schema.h"

#define POWER_INTERVAL (10 * NS_PER_MS) /* how often a wait for a guest's end looks */

static const char answer_key, co_key; /* places in the registry */

static uint64_t host_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void test_start(struct tests *t);

static void test_end(struct tests *t, char *message)
{
    struct test_result *r = &t->results[t->current];
    *r = (struct test_result){.run = true, .passed = !message, .message = message};
    r->duration = t->network->sim.now - t->started;
    r->host_ns = host_ns() - t->host_started;
    lua_pushnil(t->script->L);
    lua_rawsetp(t->script->L, LUA_REGISTRYINDEX, &co_key);
    t->co = NULL;
    t->kind = WAIT_NOTHING;
    if (t->done)
        t->done(t, t->current);
    t->current++;
}

bool tests_make_late(struct tests *t)
{
    struct topo_object *o = t->late;
    t->late = NULL;
    return !o || live_make(t->network, o);
}

static void wait_forget(struct tests *t)
{
    evq_cancel(&t->network->sim.control, &t->wake);
    evq_cancel(&t->network->sim.control, &t->timeout);
    filter_free(t->filter);
    t->filter = NULL;
}

/* Runs the test's coroutine until it waits or ends; then, in the same moment, the next one. */
static void test_resume(struct tests *t, int n_args)
{
    int n = 0;
    script_refill(t->script);
    int status = lua_resume(t->co, t->script->L, n_args, &n);
    char *late = tests_make_late(t) ? NULL : topo_take_errors(t->script->topo);
    if (status == LUA_YIELD && t->kind != WAIT_NOTHING && !late)
        return;
    wait_forget(t);
    if (status != LUA_YIELD && status != LUA_OK)
        test_end(t, script_error_text(t->script, t->co));
    else if (late)
        test_end(t, xstrdup(late));
    else if (status == LUA_YIELD)
        test_end(t, xstrdup("the test called coroutine.yield, and nobody resumes it"));
    else
        test_end(t, NULL);
    free(late);
}

static void tests_go_on(struct tests *t)
{
    while (!t->co && t->current < t->script->topo->tests.n)
        test_start(t);
    if (t->co)
        return;
    if (t->all_done)
        t->all_done(t->opaque);
    else
        sim_stop(&t->network->sim);
}

static void test_start(struct tests *t)
{
    const struct topo_test *test = &t->script->topo->tests.items[t->current];
    lua_State *L = t->script->L;
    t->co = lua_newthread(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &co_key);
    lua_rawgeti(t->co, LUA_REGISTRYINDEX, test->function);
    t->started = t->network->sim.now;
    t->host_started = host_ns();
    t->kind = WAIT_NOTHING;
    test_resume(t, 0);
}

static void wait_over(struct tests *t)
{
    wait_forget(t);
    test_resume(t, 0);
    tests_go_on(t);
}

static void on_wake(struct event *ev, vtime_t now)
{
    struct tests *t = container_of(ev, struct tests, wake);
    if (t->co && t->kind == WAIT_POWER &&
        !machine_stopped(t->guest->machine))
        sim_at(&t->network->sim, &t->wake, now + POWER_INTERVAL);
    else if (t->co)
        wait_over(t);
    else
        tests_go_on(t); /* the start of the run */
}

static void on_timeout(struct event *ev, vtime_t now)
{
    struct tests *t = container_of(ev, struct tests, timeout);
    (void)now;
    t->timed_out = true;
    wait_over(t);
}

void tests_begin_wait(struct tests *t, enum wait_kind kind, vtime_t limit)
{
    struct sim *s = &t->network->sim;
    t->kind = kind;
    t->found = t->timed_out = false;
    t->limit = limit;
    sim_at(s, &t->timeout, limit > VTIME_NEVER - s->now ? VTIME_NEVER : s->now + limit);
}

void tests_answer(struct tests *t, lua_State *L, vtime_t at)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &answer_key);
    t->found = true;
    sim_at(&t->network->sim, &t->wake, at);
}

struct tests *tests_of(lua_State *L, const char *what)
{
    struct tests *t = script_of(L)->tests;
    if (!t)
        script_error(L,
                     "%s can be called in a test only: test(\"what it shows\", function() ... end)",
                     what);
    if (t->co != L)
        script_error(L, "%s cannot be called inside a coroutine of the script's own", what);
    return t;
}

struct topo_uplink *tests_uplink(lua_State *L, enum topo_kind kind, const char *what)
{
    struct topo_uplink *u = handle_self(L, kind);
    tests_of(L, what);
    if (!u->built)
        script_error(L, "%s: %s %s %s", what, schemas[kind]->name, u->object.name,
                     u->object.removed ? "has been removed"
                                       : "is made when its table { ... } has been read");
    return u;
}

/* Pushes the values of the answer's table; how many. */
static int push_answer(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &answer_key);
    int table = lua_gettop(L), n = (int)lua_rawlen(L, table);
    luaL_checkstack(L, n, "too many captures");
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, table, i);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &answer_key);
    return n;
}

/* A wait ended without what it was for. */
static int fail_wait(lua_State *L, struct tests *t, enum wait_kind kind)
{
    char span[32];
    struct place p = script_place(L, 1);
    units_format_time(t->limit, span, sizeof(span));
    lua_pushfstring(L, "%s:%d: ", p.file, p.line);
    if (kind == WAIT_CONSOLE) {
        lua_pushfstring(L, "%s did not print \"%s\" within %s; its last lines:",
                        t->transcript->console->name, t->pattern, span);
        transcript_push_tail(t->transcript, L);
    } else if (kind == WAIT_FRAME) {
        lua_pushfstring(L, "no frame on %s matched \"%s\" within %s", t->watch->vlan->object.name,
                        t->pattern, span);
        lua_pushstring(L, "");
    } else {
        lua_pushfstring(L, "%s did not stop within %s", t->guest->object.name, span);
        lua_pushstring(L, "");
    }
    lua_concat(L, 3);
    return lua_error(L);
}

static int wait_k(lua_State *L, int status, lua_KContext context)
{
    struct tests *t = script_of(L)->tests;
    enum wait_kind kind = t->kind;
    uint32_t code = 0;
    (void)status;
    (void)context;
    t->kind = WAIT_NOTHING;
    if (kind == WAIT_TIME)
        return 0;
    if (t->timed_out)
        return fail_wait(L, t, kind);
    if (kind != WAIT_POWER)
        return push_answer(L);
    machine_power_state(t->guest->machine, &code);
    lua_pushinteger(L, code);
    return 1;
}

/* The answer is there already: no waiting. */
static int answered(lua_State *L, struct tests *t, vtime_t now)
{
    if (!event_armed(&t->wake) || t->wake.at > now)
        return lua_yieldk(L, 0, 0, wait_k);
    wait_forget(t);
    t->kind = WAIT_NOTHING;
    return push_answer(L);
}

int tests_expect(lua_State *L, struct topo_guest *g, const char *pattern, size_t len, bool plain,
                 vtime_t limit)
{
    struct tests *t = tests_of(L, "expect");
    vtime_t now = t->network->sim.now;
    if (!plain) { /* a malformed pattern is an error here, not in the engine's callbacks */
        lua_getfield(L, LUA_REGISTRYINDEX, "string.find");
        lua_pushstring(L, "");
        lua_pushlstring(L, pattern, len);
        if (lua_pcall(L, 2, 0, 0) != LUA_OK)
            return script_error(L, "expect: pattern \"%s\": %s", pattern, lua_tostring(L, -1));
    }
    tests_begin_wait(t, WAIT_CONSOLE, limit);
    t->transcript = g->transcript;
    t->pattern = topo_intern(t->script->topo, pattern);
    t->pattern_len = len;
    t->plain = plain;
    t->searched = 0;
    transcript_look(g->transcript, now);
    return answered(L, t, now);
}

/* Compiles a filter; a Lua error if it does not. */
static void *filter_compile(lua_State *L, const char *text)
{
    struct bpf_program *program = xcalloc(1, sizeof(*program));
    pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
    bool good = p && pcap_compile(p, program, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    lua_pushstring(L, good || !p ? "" : pcap_geterr(p));
    if (p)
        pcap_close(p);
    if (!good) {
        free(program);
        script_error(L, "filter \"%s\": %s", text, lua_tostring(L, -1));
    }
    lua_pop(L, 1);
    return program;
}

int tests_expect_frame(lua_State *L, struct topo_vlan *v, const char *filter, vtime_t limit)
{
    struct tests *t = tests_of(L, "expect");
    vtime_t now = t->network->sim.now;
    void *program = filter_compile(L, filter);
    tests_begin_wait(t, WAIT_FRAME, limit);
    t->filter = program;
    t->pattern = topo_intern(t->script->topo, filter);
    for (size_t i = 0; i < t->network->topo->vlans.n; i++)
        if (t->watches[i].vlan == v)
            t->watch = &t->watches[i];
    watch_look(t->watch, now);
    return answered(L, t, now);
}

int tests_wait(lua_State *L, vtime_t span)
{
    struct tests *t = tests_of(L, "wait");
    tests_begin_wait(t, WAIT_TIME, span);
    return lua_yieldk(L, 0, 0, wait_k);
}

int tests_expect_off(lua_State *L, struct topo_guest *g, vtime_t limit)
{
    struct tests *t = tests_of(L, "expect_off");
    tests_begin_wait(t, WAIT_POWER, limit);
    t->guest = g;
    sim_at(&t->network->sim, &t->wake, t->network->sim.now);
    return lua_yieldk(L, 0, 0, wait_k);
}

void tests_init(struct tests *t, struct network *n, struct script *s)
{
    const struct topo *topo = n->topo;
    *t = (struct tests){.network = n, .script = s};
    s->tests = t;
    event_init(&n->sim.control, &t->wake, on_wake);
    event_init(&n->sim.control, &t->timeout, on_timeout);
    t->results = xcalloc(topo->tests.n + 1, sizeof(*t->results));
    if (topo->tests.n == 0)
        return;
    t->transcripts = xcalloc(topo->guests.n + 1, sizeof(*t->transcripts));
    t->watches = xcalloc(topo->vlans.n + 1, sizeof(*t->watches));
    for (size_t i = 0; i < topo->guests.n; i++) {
        struct topo_guest *g = (struct topo_guest *)topo->guests.items[i];
        g->transcript = &t->transcripts[i];
        transcript_init(g->transcript, t, machine_console(g->machine, 0));
    }
    for (size_t i = 0; i < topo->vlans.n; i++)
        watch_init(&t->watches[i], t, (struct topo_vlan *)topo->vlans.items[i]);
    sim_at(&n->sim, &t->wake, 0);
}

void tests_finish(struct tests *t)
{
    if (!t->network)
        return;
    const struct topo *topo = t->network->topo;
    evq_cancel(&t->network->sim.control, &t->wake);
    evq_cancel(&t->network->sim.control, &t->timeout);
    for (size_t i = 0; t->transcripts && i < topo->guests.n; i++)
        transcript_finish(&t->transcripts[i]);
    for (size_t i = 0; t->watches && i < topo->vlans.n; i++)
        watch_finish(&t->watches[i]);
    for (size_t i = 0; i < topo->tests.n; i++)
        free(t->results[i].message);
    filter_free(t->filter);
    free(t->transcripts);
    free(t->watches);
    free(t->results);
    *t = (struct tests){0};
}

void tests_end(struct tests *t, const char *reason)
{
    while (t->current < t->script->topo->tests.n) {
        if (!t->co)
            t->started = t->network->sim.now;
        bool ran = t->co != NULL;
        test_end(t, xasprintf(ran ? "%s before the test did" : "not run: %s", reason));
    }
}

size_t tests_failed(const struct tests *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->script->topo->tests.n; i++)
        n += !t->results[i].passed;
    return n;
}
