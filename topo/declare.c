/* The script's declarations: vlan, guest, nic, disk, capture, patch, uplinks, and the tables they take. */
#include <ctype.h>
#include <stdarg.h>

#include "topo/handle.h"
#include "topo/locate.h"
#include "topo/schema.h"
#include "topo/tests.h"
#include "topo/uplinks/uplinks.h"

/* A table of attributes being read. */
struct reading {
    lua_State *L;
    struct topo *t;
    struct topo_object *o;
    struct place place;
};

static void reading_error(const struct reading *r, struct place p, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void reading_error(const struct reading *r, struct place p, const char *fmt, ...)
{
    char label[128], text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_at(&r->t->err, p.file, p.line, "%s: %s", topo_label(r->o, label, sizeof(label)), text);
}

/* Whether a Lua value of this type can stand for an attribute of that one. */
static bool type_fits(enum attr_type type, int lua)
{
    switch (type) {
    case ATTR_BOOL: return lua == LUA_TBOOLEAN;
    case ATTR_INT:
    case ATTR_FD:
    case ATTR_TIME:
    case ATTR_RATE:
    case ATTR_SIZE:
    case ATTR_FACTOR: return lua == LUA_TNUMBER || lua == LUA_TSTRING;
    case ATTR_GUEST: return lua == LUA_TSTRING || lua == LUA_TUSERDATA;
    default: return lua == LUA_TSTRING;
    }
}

/* A malformed pattern, said here and not when the network runs. */
static bool pattern_good(const struct reading *r, const char *name, struct place p)
{
    lua_State *L = r->L;
    lua_getfield(L, LUA_REGISTRYINDEX, "string.find");
    lua_pushstring(L, "");
    lua_pushvalue(L, -3);
    bool good = lua_pcall(L, 2, 0, 0) == LUA_OK;
    if (!good) {
        reading_error(r, p, "%s = \"%s\": %s", name, lua_tostring(L, -2), lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return good;
}

/* A guest's handle at the top of the stack becomes its name. */
static void guest_name(const struct reading *r)
{
    struct topo_object *o = handle_to(r->L, -1, KIND_BIT(TOPO_GUEST));
    lua_pop(r->L, 1);
    lua_pushstring(r->L, o ? o->name : "");
}

/* Sets attribute `name` from the value at the top of the stack, which stays. */
static void value_set(const struct reading *r, const struct attr *a, const char *name,
                      struct place p)
{
    lua_State *L = r->L;
    int type = lua_type(L, -1);
    if (a && !type_fits(a->type, type)) {
        reading_error(r, p, "%s is a %s, not %s", name, lua_typename(L, type),
                      attr_type_text(a->type));
        return;
    }
    if (type == LUA_TUSERDATA && !handle_to(L, -1, KIND_BIT(TOPO_GUEST))) {
        reading_error(r, p, "%s is a %s, not a guest", name, script_tostring(L, -1, NULL));
        lua_pop(L, 1);
        return;
    }
    if (a && a->type == ATTR_PATTERN && !pattern_good(r, name, p))
        return;
    if (type == LUA_TBOOLEAN) {
        schema_set(r->t, r->o, name, lua_toboolean(L, -1) ? "true" : "false", p);
        return;
    }
    lua_pushvalue(L, -1); /* lua_tolstring changes a number where it stands */
    if (type == LUA_TUSERDATA)
        guest_name(r);
    size_t len = 0;
    const char *text = lua_tolstring(L, -1, &len);
    if (text && strlen(text) != len)
        reading_error(r, p, "%s holds a zero byte", name);
    else
        schema_set(r->t, r->o, name, text ? text : "", p);
    lua_pop(L, 1);
}

/* A field with a name, and where it is written. */
struct field {
    const char *name;
    struct place place;
};

/* A field of the table at the top of the stack. */
static void field_read(const struct reading *r, const struct field *f)
{
    lua_State *L = r->L;
    const char *name = f->name;
    struct place p = f->place;
    const struct attr *a = schema_attr(schemas[r->o->kind], name);
    lua_getfield(L, -1, name);
    if (a && a->type == ATTR_LIST && lua_istable(L, -1)) {
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            value_set(r, a, name, p);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    } else {
        value_set(r, a, name, p);
    }
    lua_pop(L, 1);
}

static int fields_compare(const void *a, const void *b)
{
    const struct field *x = a, *y = b;
    return x->place.line != y->place.line ? (x->place.line > y->place.line ? 1 : -1)
                                          : strcmp(x->name, y->name);
}

/* All fields with names, in the order of the text, so that errors are too, every time. */
static void fields_read(const struct reading *r, lua_Integer n_items)
{
    lua_State *L = r->L;
    LIST_OF(struct field) names = {0};
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            const char *name = topo_intern(r->t, lua_tostring(L, -2));
            list_push(&names, ((struct field){name, locate_attr(r->t, r->place, name)}));
            continue;
        }
        int whole = 0;
        lua_Integer i = lua_isinteger(L, -2) ? lua_tointegerx(L, -2, &whole) : 0;
        if (!whole || i < 1 || i > n_items)
            reading_error(r, r->place, "its table has a field whose key is a %s%s",
                          luaL_typename(L, -2), whole ? " outside its list" : "");
    }
    if (names.n)
        qsort(names.items, names.n, sizeof(*names.items), fields_compare);
    for (size_t i = 0; i < names.n; i++)
        field_read(r, &names.items[i]);
    free(names.items);
}

static void guest_item(const struct reading *r, struct topo_object *item)
{
    struct topo_guest *g = (struct topo_guest *)r->o;
    struct topo_nic *n = (struct topo_nic *)item;
    if (item->kind == TOPO_VLAN) {
        n = (struct topo_nic *)topo_add(r->t, TOPO_NIC, NULL, r->place);
        n->object.described = true;
        topo_nic_join(n, (struct topo_vlan *)item);
        topo_guest_take(r->t, g, &n->object);
        return;
    }
    struct topo_guest *owner =
        item->kind == TOPO_NIC ? n->guest : ((struct topo_disk *)item)->guest;
    if (owner)
        reading_error(r, r->place, "that %s is in guest %s already", schemas[item->kind]->name,
                      owner->object.name);
    else
        topo_guest_take(r->t, g, item);
}

static void nic_item(const struct reading *r, struct topo_object *item)
{
    struct topo_nic *n = (struct topo_nic *)r->o;
    if (n->vlan)
        reading_error(r, r->place, "it is on VLAN %s already; a NIC is on one VLAN",
                      n->vlan->object.name);
    else
        topo_nic_join(n, (struct topo_vlan *)item);
}

static void uplink_item(const struct reading *r, struct topo_object *item)
{
    struct topo_uplink *u = (struct topo_uplink *)r->o;
    if (u->vlan) {
        reading_error(r, r->place, "it is on VLAN %s already; declare one for each VLAN",
                      u->vlan->object.name);
        return;
    }
    u->vlan = (struct topo_vlan *)item;
    u->vlan->n_members++;
}

static void patch_item(const struct reading *r, struct topo_object *item)
{
    struct topo_patch *p = (struct topo_patch *)r->o;
    struct topo_vlan *v = (struct topo_vlan *)item;
    size_t n = 0;
    while (n < ARRAY_LEN(p->vlans) && p->vlans[n])
        n++;
    if (n == ARRAY_LEN(p->vlans)) {
        reading_error(r, r->place, "it joins %s and %s already; a patch has two ends",
                      p->vlans[0]->object.name, p->vlans[1]->object.name);
        return;
    }
    p->vlans[n] = v;
    v->n_members++;
}

static void capture_item(const struct reading *r, struct topo_object *item)
{
    list_push(&((struct topo_capture *)r->o)->points, item);
}

/* What may stand in a table without a name. */
struct items {
    unsigned kinds;
    void (*take)(const struct reading *r, struct topo_object *item);
};

static const struct items *items_of(const struct topo_object *o)
{
    static const struct items items[TOPO_KINDS] = {
        [TOPO_GUEST] = {KIND_BIT(TOPO_VLAN) | KIND_BIT(TOPO_NIC) | KIND_BIT(TOPO_DISK), guest_item},
        [TOPO_NIC] = {KIND_BIT(TOPO_VLAN), nic_item},
        [TOPO_PATCH] = {KIND_BIT(TOPO_VLAN), patch_item},
        [TOPO_CAPTURE] = {KIND_ANY & ~(KIND_BIT(TOPO_DISK) | KIND_BIT(TOPO_CAPTURE)), capture_item},
    };
    static const struct items uplink_items = {KIND_BIT(TOPO_VLAN), uplink_item};

    return topo_is_uplink(o) ? &uplink_items : &items[o->kind];
}

static void disk_path(const struct reading *r, const char *text)
{
    const char *path = topo_path(r->t, r->place, text), *problem;
    ((struct topo_disk *)r->o)->path = path;
    if (!topo_readable(path, false, &problem))
        reading_error(r, r->place, "\"%s\": %s", path, problem);
}

/* Item i of the table, which is at the top of the stack. */
static void item_read(const struct reading *r, lua_Integer i)
{
    const struct items *items = items_of(r->o);
    struct topo_object *item = handle_to(r->L, -1, items->kinds);
    struct topo_disk *d = (struct topo_disk *)r->o;
    char label[128];
    if (item && item->removed)
        reading_error(r, r->place, "%s has been removed", topo_label(item, label, sizeof(label)));
    else if (item)
        items->take(r, item);
    else if (r->o->kind == TOPO_DISK && lua_type(r->L, -1) == LUA_TSTRING && !d->path)
        disk_path(r, lua_tostring(r->L, -1));
    else if (!schemas[r->o->kind]->items)
        reading_error(r, r->place, "item %d of its table has no name; write ATTRIBUTE = VALUE",
                      (int)i);
    else
        reading_error(r, r->place, "item %d of its table is a %s; what may stand there: %s", (int)i,
                      handle_to(r->L, -1, KIND_ANY) ? script_tostring(r->L, -1, NULL)
                                                    : luaL_typename(r->L, -1),
                      schemas[r->o->kind]->items);
}

/* Reads the table at `index` into an object. */
static void describe(lua_State *L, struct topo_object *o, int index, struct place place)
{
    struct reading r = {L, script_of(L)->topo, o, place};
    lua_Integer n = 0;
    luaL_checkstack(L, 16, "describing an object");
    lua_pushvalue(L, index);
    for (; lua_rawgeti(L, -1, n + 1) != LUA_TNIL; n++) {
        int top = lua_gettop(L);
        item_read(&r, n + 1);
        lua_settop(L, top - 1);
    }
    lua_pop(L, 1);
    fields_read(&r, n);
    lua_pop(L, 1);
    if (o->kind == TOPO_GUEST)
        topo_inherit_parts(r.t, (struct topo_guest *)o);
    o->described = true;
}

/* Makes what the running test has declared; what is wrong with it is an error of the test. */
static void make_late(lua_State *L, struct tests *t)
{
    if (tests_make_late(t))
        return;
    char *text = topo_take_errors(t->script->topo);
    lua_pushstring(L, text);
    free(text);
    lua_error(L);
}

int handle_describe(lua_State *L)
{
    char label[128];
    struct tests *tests = script_of(L)->tests;
    struct topo_object *o = handle_to(L, 1, KIND_ANY);
    if (!o)
        return luaL_error(L, "this is not an object");
    topo_label(o, label, sizeof(label));
    if (tests && tests->late != o)
        return luaL_error(L, "%s: it has been made already", label);
    if (!lua_istable(L, 2))
        return luaL_error(L, "%s: what follows its name is a %s, not a table { ... }", label,
                          luaL_typename(L, 2));
    if (o->described)
        return luaL_error(L, "%s: it has its attributes already", label);
    describe(L, o, 2, script_place(L, 1));
    if (tests)
        make_late(L, tests);
    lua_settop(L, 1);
    return 1;
}

/* Whether the value at the top of the stack stands for nothing, any more. */
static bool is_free(lua_State *L)
{
    struct topo_object *o = handle_to(L, -1, KIND_ANY);
    return lua_isnil(L, -1) || (o && o->removed);
}

/* Makes a global of an object's name, unless there is one or it cannot be one. */
static void global_make(lua_State *L, const struct topo_object *o)
{
    const char *p = o->name;
    if (isdigit((unsigned char)*p))
        return;
    for (; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return;
    lua_pushglobaltable(L);
    lua_pushstring(L, o->name);
    lua_rawget(L, -2);
    if (is_free(L)) {
        lua_pushstring(L, o->name);
        handle_push(L, (struct topo_object *)o);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
}

/*
 * A running test can add uplinks and captures. Guests and VLANs cannot come later: what a guest is
 * given - its number among all, its addresses, its random draws - goes by the whole of them.
 */
static void late_check(lua_State *L, enum topo_kind kind)
{
    struct tests *t = script_of(L)->tests;
    if (kind != TOPO_CAPTURE && !uplink_kinds[kind])
        luaL_error(L, "%s: the network is complete once it runs; a test can add uplinks and captures",
                   schemas[kind]->name);
    tests_of(L, schemas[kind]->name);
    make_late(L, t);
}

static struct topo_object *declare(lua_State *L, enum topo_kind kind, const char *name)
{
    struct script *s = script_of(L);
    if (s->tests)
        late_check(L, kind);
    struct topo_object *o = topo_add(s->topo, kind, name, script_place(L, 1));
    if (s->tests)
        s->tests->late = o;
    return o;
}

/* vlan "lan", and the like; the kind is the upvalue. */
static int declare_named(lua_State *L)
{
    enum topo_kind kind = (enum topo_kind)lua_tointeger(L, lua_upvalueindex(1));
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "%s: its name comes first: %s", schemas[kind]->name,
                          schemas[kind]->synopsis);
    struct topo_object *o = declare(L, kind, lua_tostring(L, 1));
    struct tests *tests = script_of(L)->tests;
    if (kind != TOPO_CAPTURE)
        global_make(L, o);
    if (lua_istable(L, 2))
        describe(L, o, 2, o->place);
    if (lua_istable(L, 2) && tests)
        make_late(L, tests);
    handle_push(L, o);
    return 1;
}

/* nic { ... } and disk { ... }, which have no name in front. */
static int declare_part(lua_State *L)
{
    enum topo_kind kind = (enum topo_kind)lua_tointeger(L, lua_upvalueindex(1));
    if (kind == TOPO_DISK && lua_type(L, 1) == LUA_TSTRING) { /* disk "FILE" */
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, 1);
        lua_rawseti(L, -2, 1);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1))
        return luaL_error(L, "%s: write it as %s", schemas[kind]->name, schemas[kind]->synopsis);
    struct topo_object *o = declare(L, kind, NULL);
    describe(L, o, 1, o->place);
    if (kind == TOPO_DISK && !((struct topo_disk *)o)->path)
        return luaL_error(L, "disk: it names no file: disk \"FILE\"");
    handle_push(L, o);
    return 1;
}

void declare_open(lua_State *L)
{
    for (int kind = 0; kind < TOPO_KINDS; kind++) {
        bool part = kind == TOPO_NIC || kind == TOPO_DISK;
        lua_pushinteger(L, kind);
        lua_pushcclosure(L, part ? declare_part : declare_named, 1);
        lua_setglobal(L, schemas[kind]->name);
    }
}
