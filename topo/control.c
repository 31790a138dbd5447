/* The script's functions that are not about one object: test, guests, run, seed, wait, check... */
#include "sim/units.h"
#include "topo/handle.h"
#include "topo/live.h"
#include "topo/schema.h"
#include "topo/tests.h"

static struct topo *declaring(lua_State *L, const char *what)
{
    struct script *s = script_of(L);
    if (s->tests)
        script_error(L, "%s: the network is complete once it runs", what);
    return s->topo;
}

/* test("name", function() ... end) */
static int control_test(lua_State *L)
{
    struct topo *t = declaring(L, "test");
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TFUNCTION)
        return script_error(L, "test: write it as test(\"what it shows\", function() ... end)");
    struct place p = script_place(L, 1);
    const char *name = topo_intern(t, lua_tostring(L, 1));
    for (size_t i = 0; i < t->tests.n; i++)
        if (t->tests.items[i].name == name)
            err_at(&t->err, p.file, p.line, "test \"%s\": line %d has a test of this name", name,
                   t->tests.items[i].place.line);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    list_push(&t->tests, ((struct topo_test){p, name, luaL_ref(L, LUA_REGISTRYINDEX)}));
    return 0;
}

/* The step of guests(); upvalue: the position. */
static int guests_step(lua_State *L)
{
    const topo_objects *all = &script_of(L)->topo->guests;
    size_t i = (size_t)lua_tointeger(L, lua_upvalueindex(1));
    if (i >= all->n)
        return 0;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(1));
    handle_push(L, all->items[i]);
    return 2;
}

/* for i, g in guests() do: in order of declaration. */
static int control_guests(lua_State *L)
{
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, guests_step, 1);
    return 1;
}

/* object "h1": the VLAN, guest, uplink or patch of that name; nil if there is none. */
static int control_object(lua_State *L)
{
    struct topo_object *o = strmap_get(&script_of(L)->topo->names, luaL_checkstring(L, 1));
    if (o)
        handle_push(L, o);
    else
        lua_pushnil(L);
    return 1;
}

/* run "60s": no longer than that, in virtual time. */
static int control_run(lua_State *L)
{
    struct topo *t = declaring(L, "run");
    const char *text = luaL_checkstring(L, 1);
    t->limit_place = script_place(L, 1);
    if (!units_time(text, &t->limit))
        err_at(&t->err, t->limit_place.file, t->limit_place.line, "run: \"%s\" is not %s", text,
               attr_type_text(ATTR_TIME));
    return 0;
}

/* seed(N) sets the run's seed unless the command line does; seed() is what it is. */
static int control_seed(lua_State *L)
{
    struct script *s = script_of(L);
    if (!lua_isnoneornil(L, 1)) {
        struct topo *t = declaring(L, "seed");
        if (s->rng_ready)
            return script_error(L, "seed: math.random was used already; set the seed first");
        if (!t->seed_fixed)
            t->seed = (uint64_t)luaL_checkinteger(L, 1);
    }
    lua_pushinteger(L, (lua_Integer)s->topo->seed);
    return 1;
}

/* epoch "2025-01-01 00:00:00": the date at virtual time 0, UTC. */
static int control_epoch(lua_State *L)
{
    struct topo *t = declaring(L, "epoch");
    const char *text = luaL_checkstring(L, 1);
    struct place p = script_place(L, 1);
    if (!topo_date(text, &t->epoch_ns))
        err_at(&t->err, p.file, p.line,
               "epoch: \"%s\" is not a date such as \"2025-01-01 00:00:00\" (UTC)", text);
    return 0;
}

/* wait "10s" */
static int control_wait(lua_State *L)
{
    vtime_t span;
    const char *text = luaL_checkstring(L, 1);
    if (!units_time(text, &span))
        return script_error(L, "wait: \"%s\" is not %s", text, attr_type_text(ATTR_TIME));
    return tests_wait(L, span);
}

/* now(): virtual seconds since the run began. */
static int control_now(lua_State *L)
{
    struct script *s = script_of(L);
    lua_pushnumber(L, s->tests ? (lua_Number)s->tests->network->sim.now / 1e9 : 0);
    return 1;
}

/* fail "why": ends the test. */
static int control_fail(lua_State *L)
{
    return script_error(L, "%s", script_tostring(L, 1, NULL));
}

/* check(condition [, what]): ends the test unless the condition holds; returns it. */
static int control_check(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_toboolean(L, 1)) {
        lua_settop(L, 1);
        return 1;
    }
    if (lua_isnoneornil(L, 2))
        return script_error(L, "the check failed");
    return script_error(L, "%s", script_tostring(L, 2, NULL));
}

/* info(): the network as it is now, as the prompt's "info network" prints it. */
static int control_info(lua_State *L)
{
    char *text = live_info_network(tests_of(L, "info")->network);
    lua_pushstring(L, text);
    free(text);
    return 1;
}

void control_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"test", control_test},   {"guests", control_guests}, {"object", control_object},
        {"run", control_run},     {"seed", control_seed},     {"epoch", control_epoch},
        {"wait", control_wait},   {"now", control_now},       {"fail", control_fail},
        {"check", control_check}, {"info", control_info},
    };
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        lua_register(L, functions[i].name, functions[i].func);
}
