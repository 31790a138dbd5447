/*
 * The sandbox: which of Lua's libraries a script sees, and the functions that had to be replaced
 * because they show addresses, the host's clock, or the order of a hash.
 */
#include "topo/schema.h"
#include "topo/script.h"

const char *script_tostring(lua_State *L, int index, size_t *len)
{
    index = lua_absindex(L, index);
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
    case LUA_TUSERDATA:
        if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
            lua_pop(L, 1);
            break;
        }
        /* fall through */
    case LUA_TFUNCTION:
    case LUA_TTHREAD:
    case LUA_TLIGHTUSERDATA:
        lua_pushstring(L, luaL_typename(L, index));
        return lua_tolstring(L, -1, len);
    default: break;
    }
    return luaL_tolstring(L, index, len);
}

static int sandbox_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    script_tostring(L, 1, NULL);
    return 1;
}

static int sandbox_print(lua_State *L)
{
    struct script *s = script_of(L);
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *text = script_tostring(L, i, &len);
        if (i > 1)
            fputc('\t', s->say);
        fwrite(text, 1, len, s->say);
        lua_pop(L, 1);
    }
    fputc('\n', s->say);
    fflush(s->say);
    return 0;
}

/* string.format, with no %p, and our tostring for what %s is given. Upvalue: Lua's own. */
static int sandbox_format(lua_State *L)
{
    size_t len;
    int n = lua_gettop(L);
    const char *format = luaL_checklstring(L, 1, &len);
    for (const char *p = format; (p = strchr(p, '%')); p++) {
        p++;
        if (*p == '%')
            continue;
        p += strspn(p, "-+ #0123456789.");
        if (*p == 'p')
            return luaL_error(L, "string.format: %%p shows addresses, which differ between runs");
        if (!*p)
            break;
    }
    for (int i = 2; i <= n; i++) {
        int type = lua_type(L, i);
        if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD) {
            script_tostring(L, i, NULL);
            lua_replace(L, i);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return 1;
}

/* setmetatable without finalizers and weak tables, whose effects depend on the collector. */
static int sandbox_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnoneornil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    static const char *const refused[] = {"__gc", "__mode"};
    for (size_t i = 0; lua_istable(L, 2) && i < ARRAY_LEN(refused); i++) {
        lua_pushstring(L, refused[i]);
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: %s is not offered to a script", refused[i]);
        lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static struct rng *random_of(lua_State *L)
{
    struct script *s = script_of(L);
    if (!s->rng_ready)
        rng_init(&s->rng, s->topo->seed, "script");
    s->rng_ready = true;
    return &s->rng;
}

/* math.random as Lua has it: (), (n), (m, n); from the run's seed. */
static int sandbox_random(lua_State *L)
{
    struct rng *r = random_of(L);
    lua_Integer low = 1, high;
    if (lua_gettop(L) == 0) {
        lua_pushnumber(L, (lua_Number)(rng_next(r) >> 11) * 0x1p-53);
        return 1;
    }
    high = luaL_checkinteger(L, 1);
    if (lua_gettop(L) > 1) {
        low = high;
        high = luaL_checkinteger(L, 2);
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t n = (uint64_t)high - (uint64_t)low + 1;
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + (n ? rng_below(r, n) : rng_next(r))));
    return 1;
}

static int sandbox_randomseed(lua_State *L)
{
    return luaL_error(L, "math.randomseed: the seed is the run's; set it with seed(N) or --seed N");
}

/* Reading a global that is not there. */
static int global_missing(lua_State *L)
{
    LIST_OF(const char *) names = {0};
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tostring(L, 2);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && names.n < 4096)
            list_push(&names, lua_tostring(L, -2));
    const char *near = nearest_name(name, names.items, names.n, sizeof(*names.items));
    free(names.items);
    if (near)
        return luaL_error(L, "there is no \"%s\"; did you mean \"%s\"?", name, near);
    return luaL_error(L, "there is no \"%s\"", name);
}

/* Removes what a script is not offered from the library at the top of the stack. */
static void remove_fields(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
}

static void open_base(lua_State *L)
{
    static const char *const refused[] = {"collectgarbage", "dofile",  "loadfile", "load",
                                          "warn",           "require", NULL};
    luaL_requiref(L, "_G", luaopen_base, 1);
    remove_fields(L, refused);
    lua_register(L, "tostring", sandbox_tostring);
    lua_register(L, "print", sandbox_print);
    lua_register(L, "setmetatable", sandbox_setmetatable);
    lua_newtable(L);
    lua_pushcfunction(L, global_missing);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static void open_string(lua_State *L)
{
    static const char *const refused[] = {"dump", NULL};
    luaL_requiref(L, "string", luaopen_string, 1);
    remove_fields(L, refused);
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, sandbox_format, 1);
    lua_setfield(L, -2, "format");
    lua_getfield(L, -1, "find"); /* the tests' matching, whatever a script does to `string` */
    lua_setfield(L, LUA_REGISTRYINDEX, "string.find");
    lua_pop(L, 1);
}

static void open_math(lua_State *L)
{
    luaL_requiref(L, "math", luaopen_math, 1);
    lua_pushcfunction(L, sandbox_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, sandbox_randomseed);
    lua_setfield(L, -2, "randomseed");
    lua_pop(L, 1);
}

void sandbox_open(lua_State *L)
{
    open_base(L);
    open_string(L);
    open_math(L);
    luaL_requiref(L, "table", luaopen_table, 1);
    luaL_requiref(L, "utf8", luaopen_utf8, 1);
    luaL_requiref(L, "coroutine", luaopen_coroutine, 1);
    lua_pop(L, 3);
}
