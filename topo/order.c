/*
 * Order: pairs, next and table.sort that do the same on every run.
 *
 * Lua walks a table in the order of its hash, which is seeded from addresses and the clock. Here
 * numbers come first, then strings, then booleans, then objects in order of declaration. Keys
 * that have no order (tables, functions) are refused. table.sort is a stable merge sort, because
 * Lua's own picks pivots by the clock.
 */
#include "topo/handle.h"
#include "topo/script.h"

static int key_rank(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: return 0;
    case LUA_TSTRING: return 1;
    case LUA_TBOOLEAN: return 2;
    case LUA_TUSERDATA: return 3;
    default:
        return luaL_error(L, "pairs: keys of type %s have no order that is the same on every run",
                          luaL_typename(L, index));
    }
}

static int strings_compare(lua_State *L, int a, int b)
{
    size_t na, nb;
    const char *sa = lua_tolstring(L, a, &na), *sb = lua_tolstring(L, b, &nb);
    int c = memcmp(sa, sb, MIN(na, nb));
    return c ? c : (na > nb) - (na < nb);
}

/* Whether the key at `a` comes before the one at `b`. */
static bool key_before(lua_State *L, int a, int b)
{
    int ra = key_rank(L, a), rb = key_rank(L, b);
    if (ra != rb)
        return ra < rb;
    switch (ra) {
    case 0: return lua_compare(L, a, b, LUA_OPLT);
    case 1: return strings_compare(L, a, b) < 0;
    case 2: return lua_toboolean(L, a) < lua_toboolean(L, b);
    default: return handle_order(L, a) < handle_order(L, b);
    }
}

/* Compares items `a` and `b` of the stack as a sort wants it: is b before a? */
typedef bool before_fn(lua_State *L, int a, int b);

/*
 * Merges the sorted runs [low, mid) and [mid, high) of table `from` into table `to`; a stable
 * merge takes from the right run only what is strictly before.
 */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer mid,
                  lua_Integer high, before_fn *before)
{
    lua_Integer i = low, j = mid;
    for (lua_Integer k = low; k < high; k++) {
        bool right = i >= mid;
        if (!right && j < high) {
            lua_rawgeti(L, from, i);
            lua_rawgeti(L, from, j);
            right = before(L, lua_gettop(L), lua_gettop(L) - 1);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, from, right ? j++ : i++);
        lua_rawseti(L, to, k);
    }
}

/* Sorts items 1..n of the table at `index`, bottom up, with a second table of the same size. */
static void merge_sort(lua_State *L, int index, lua_Integer n, before_fn *before)
{
    lua_createtable(L, (int)n, 0);
    int from = index, to = lua_gettop(L);
    for (lua_Integer width = 1; width < n; width *= 2) {
        for (lua_Integer low = 1; low <= n; low += 2 * width)
            merge(L, from, to, low, MIN(low + width, n + 1), MIN(low + 2 * width, n + 1), before);
        int swap = from;
        from = to;
        to = swap;
    }
    for (lua_Integer i = 1; from != index && i <= n; i++) {
        lua_rawgeti(L, from, i);
        lua_rawseti(L, index, i);
    }
    lua_pop(L, 1);
}

static bool keys_before(lua_State *L, int a, int b)
{
    return key_before(L, a, b);
}

/* A function at stack index 2, or `<`. */
static bool items_before(lua_State *L, int a, int b)
{
    if (lua_isnoneornil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool answer = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return answer;
}

static int order_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_Integer n = luaL_len(L, 1);
    luaL_argcheck(L, n < 10000000, 1, "array too big");
    merge_sort(L, 1, n, items_before);
    return 0;
}

/* The step of pairs; upvalues: the sorted keys, the position. Skips keys that have gone. */
static int pairs_step(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    for (;;) {
        i++;
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL)
            break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int order_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_Integer n = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        key_rank(L, lua_gettop(L) - 1);
        lua_pushvalue(L, -2);
        lua_rawseti(L, 2, ++n);
    }
    merge_sort(L, 2, n, keys_before);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_step, 2);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* The smallest key after the one given: one pass over the table for each call. */
static int order_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool first = lua_isnil(L, 2);
    lua_pushnil(L); /* 3: the best so far */
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        int key = lua_gettop(L) - 1;
        key_rank(L, key);
        if (!first && !key_before(L, 2, key))
            continue;
        if (!lua_isnil(L, 3) && !key_before(L, key, 3))
            continue;
        lua_pushvalue(L, key);
        lua_replace(L, 3);
    }
    if (lua_isnil(L, 3))
        return 1;
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

void order_open(lua_State *L)
{
    lua_register(L, "pairs", order_pairs);
    lua_register(L, "next", order_next);
    lua_getglobal(L, "table");
    lua_pushcfunction(L, order_sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
