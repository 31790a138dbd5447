/* Handles: one userdata per object, kept in the registry so that it is always the same. */
#include "topo/handle.h"

#include "topo/schema.h"

struct handle {
    struct topo_object *object;
    lua_Integer order;
};

void handle_push(lua_State *L, struct topo_object *o)
{
    if (o->script_ref) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, o->script_ref);
        return;
    }
    struct handle *h = lua_newuserdatauv(L, sizeof(*h), 0);
    h->object = o;
    luaL_setmetatable(L, schemas[o->kind]->name);
    lua_pushvalue(L, -1);
    o->script_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    h->order = o->script_ref; /* references are handed out in order, and none is given back */
}

struct topo_object *handle_to(lua_State *L, int index, unsigned kinds)
{
    if (lua_type(L, index) != LUA_TUSERDATA)
        return NULL;
    for (int k = 0; k < TOPO_KINDS; k++) {
        struct handle *h = kinds & KIND_BIT(k) ? luaL_testudata(L, index, schemas[k]->name) : NULL;
        if (h)
            return h->object;
    }
    return NULL;
}

void *handle_self(lua_State *L, enum topo_kind kind)
{
    struct topo_object *o = handle_to(L, 1, KIND_BIT(kind));
    if (!o)
        script_error(L, "this is a method of a %s: write a colon, as in h1:send(...), not a dot",
                     schemas[kind]->name);
    return o;
}

lua_Integer handle_order(lua_State *L, int index)
{
    struct topo_object *o = handle_to(L, index, KIND_ANY);
    return o ? o->script_ref : 0;
}

static int handle_tostring(lua_State *L)
{
    char label[128];
    struct topo_object *o = handle_to(L, 1, KIND_ANY);
    lua_pushstring(L, o ? topo_label(o, label, sizeof(label)) : "object");
    return 1;
}

/* A guest's NIC by its name: h1.eth0. */
static bool push_nic(lua_State *L, struct topo_object *o, const char *name)
{
    struct topo_guest *g = (struct topo_guest *)o;
    for (size_t i = 0; o->kind == TOPO_GUEST && i < g->nics.n; i++) {
        if (strcmp(g->nics.items[i]->name, name) == 0) {
            handle_push(L, g->nics.items[i]);
            return true;
        }
    }
    return false;
}

static bool push_property(lua_State *L, struct topo_object *o, const char *name)
{
    struct topo_nic *n = (struct topo_nic *)o;
    if (strcmp(name, "name") == 0 && o->name) {
        lua_pushstring(L, o->name);
        return true;
    }
    if (o->kind == TOPO_NIC && strcmp(name, "mac") == 0) {
        char text[24];
        snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1],
                 n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
        lua_pushstring(L, text);
        return true;
    }
    if (o->kind == TOPO_NIC && strcmp(name, "guest") == 0 && n->guest) {
        handle_push(L, &n->guest->object);
        return true;
    }
    return false;
}

/* Upvalue: the class's methods. */
static int handle_index(lua_State *L)
{
    char label[128];
    struct topo_object *o = handle_to(L, 1, KIND_ANY);
    if (!o || lua_type(L, 2) != LUA_TSTRING)
        return script_error(L, "an object has no fields but its methods");
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    const char *name = lua_tostring(L, 2);
    if (push_property(L, o, name) || push_nic(L, o, name))
        return 1;

    LIST_OF(const char *) names = {0};
    for (lua_pushnil(L); lua_next(L, lua_upvalueindex(1)); lua_pop(L, 1))
        list_push(&names, lua_tostring(L, -2));
    const char *near = nearest_name(name, names.items, names.n, sizeof(*names.items));
    free(names.items);
    topo_label(o, label, sizeof(label));
    return near ? script_error(L, "%s has no \"%s\"; did you mean \"%s\"?", label, name, near)
                : script_error(L, "%s has no \"%s\"", label, name);
}

static int handle_newindex(lua_State *L)
{
    char label[128];
    struct topo_object *o = handle_to(L, 1, KIND_ANY);
    return script_error(L, "%s: its attributes are set in the table that declares it",
                        o ? topo_label(o, label, sizeof(label)) : "object");
}

void handle_class(lua_State *L, enum topo_kind kind, const luaL_Reg *methods)
{
    luaL_newmetatable(L, schemas[kind]->name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    lua_pushcclosure(L, handle_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, handle_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, handle_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, handle_describe);
    lua_setfield(L, -2, "__call");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void handle_push_methods(lua_State *L, enum topo_kind kind)
{
    luaL_getmetatable(L, schemas[kind]->name);
    lua_getfield(L, -1, "methods");
    lua_remove(L, -2);
}
