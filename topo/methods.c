/* The methods of guests, VLANs, NICs, uplinks, patches and captures: what a test can do with them. */
#include "devices/patch.h"
#include "guests/machine.h"
#include "sim/units.h"
#include "sim/vlan.h"
#include "topo/clone.h"
#include "topo/handle.h"
#include "topo/live.h"
#include "topo/schema.h"
#include "topo/tests.h"
#include "topo/uplinks/uplinks.h"

#define DEFAULT_TIMEOUT (10 * NS_PER_SEC)

/* A time argument such as "5s"; `preset` if it is left out. */
static vtime_t check_time(lua_State *L, int index, const char *what, vtime_t preset)
{
    vtime_t t = preset;
    if (lua_isnoneornil(L, index))
        return preset;
    lua_pushvalue(L, index);
    const char *text = lua_tostring(L, -1);
    if (!text || !units_time(text, &t))
        script_error(L, "%s: %s is not %s", what, text ? text : luaL_typename(L, index),
                     attr_type_text(ATTR_TIME));
    lua_pop(L, 1);
    return t;
}

static const char *check_text(lua_State *L, int index, size_t *len)
{
    const char *text = luaL_checklstring(L, index, len);
    luaL_argcheck(L, strlen(text) == *len, index, "it holds a zero byte");
    return text;
}

/* h:expect(pattern [, timeout [, plain]]) */
static int guest_expect(lua_State *L)
{
    size_t len;
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    const char *pattern = check_text(L, 2, &len);
    vtime_t limit = check_time(L, 3, "expect", DEFAULT_TIMEOUT);
    return tests_expect(L, g, pattern, len, lua_toboolean(L, 4), limit);
}

/* The running test may do something to this guest: it is there. */
static struct tests *tests_of_made(lua_State *L, const struct topo_guest *g, const char *what)
{
    struct tests *t = tests_of(L, what);
    if (machine_power_state(g->machine, NULL) == MACHINE_WAITING) {
        char *why = clone_missing(g);
        lua_pushstring(L, why);
        free(why);
        script_error(L, "%s: %s", what, lua_tostring(L, -1));
    }
    return t;
}

/* h:send(text): the guest has it CONSOLE_DELAY later. Returns the guest. */
static int guest_send(lua_State *L)
{
    size_t len;
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    const char *text = luaL_checklstring(L, 2, &len);
    struct tests *t = tests_of_made(L, g, "send");
    if (!console_feed(machine_console(g->machine, 0), text, len,
                      t->network->sim.now + CONSOLE_DELAY))
        return script_error(L, "%s does not read its console: %d KiB are waiting there",
                            g->object.name, (int)(CONSOLE_MAX_INPUT >> 10));
    g->transcript->tail_n =
        0; /* the prompt it was at has been answered: prompt() waits for the next */
    lua_settop(L, 1);
    return 1;
}

static int guest_discard(lua_State *L)
{
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    tests_of(L, "discard");
    transcript_clear(g->transcript);
    return 0;
}

/* Whether the guest waits at its prompt, and the prompt. */
static int guest_at_prompt(lua_State *L)
{
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    tests_of(L, "prompt");
    if (!g->prompt)
        return script_error(L, "guest %s has no prompt: say what it prints with prompt = \"...\"",
                            g->object.name);
    lua_pushboolean(L, transcript_at(g->transcript, g->prompt));
    lua_pushstring(L, g->prompt);
    return 2;
}

static int guest_expect_off(lua_State *L)
{
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    vtime_t limit = check_time(L, 2, "expect_off", DEFAULT_TIMEOUT);
    return tests_expect_off(L, g, limit);
}

/* h:state(): "running", "off", "failed" or, a clone to be, "waiting"; the code it stopped with. */
static int guest_state(lua_State *L)
{
    static const char *const names[] = {
        [MACHINE_RUNNING] = "running", [MACHINE_OFF] = "off", [MACHINE_FAILED] = "failed",
        [MACHINE_WAITING] = "waiting"};
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    uint32_t code = 0;
    tests_of(L, "state");
    lua_pushstring(L, names[machine_power_state(g->machine, &code)]);
    lua_pushinteger(L, code);
    return 2;
}

static void set_count(lua_State *L, const char *name, uint64_t n)
{
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

static int guest_stats(lua_State *L)
{
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    struct machine_stats st;
    tests_of(L, "stats");
    machine_stats(g->machine, &st);
    lua_newtable(L);
    set_count(L, "instructions", st.instructions);
    set_count(L, "traps", st.traps);
    set_count(L, "private_bytes", st.private_bytes);
    return 1;
}

/* h:nics(): a list of them. */
static int guest_nics(lua_State *L)
{
    struct topo_guest *g = handle_self(L, TOPO_GUEST);
    lua_createtable(L, (int)g->nics.n, 0);
    for (size_t i = 0; i < g->nics.n; i++) {
        handle_push(L, g->nics.items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int vlan_expect(lua_State *L)
{
    size_t len;
    struct topo_vlan *v = handle_self(L, TOPO_VLAN);
    const char *filter = check_text(L, 2, &len);
    vtime_t limit = check_time(L, 3, "expect", DEFAULT_TIMEOUT);
    return tests_expect_frame(L, v, filter, limit);
}

static int vlan_stats(lua_State *L)
{
    struct topo_vlan *v = handle_self(L, TOPO_VLAN);
    tests_of(L, "stats");
    const struct vlan_stats *st = &v->built->stats;
    lua_newtable(L);
    set_count(L, "frames", st->frames);
    set_count(L, "copies", st->copies);
    set_count(L, "flooded", st->flooded);
    set_count(L, "filtered", st->filtered);
    set_count(L, "reserved", st->reserved);
    set_count(L, "fdb_full", st->fdb_full);
    return 1;
}

static int push_port_stats(lua_State *L, const struct port_stats *s)
{
    lua_newtable(L);
    set_count(L, "tx_frames", s->tx_frames);
    set_count(L, "tx_bytes", s->tx_bytes);
    set_count(L, "rx_frames", s->rx_frames);
    set_count(L, "rx_bytes", s->rx_bytes);
    set_count(L, "dropped", port_stats_dropped(s));
    lua_newtable(L);
    for (int i = 0; i < DROP_KINDS; i++)
        if (s->drops[i])
            set_count(L, port_drop_names[i], s->drops[i]);
    lua_setfield(L, -2, "drops");
    return 1;
}

static int nic_stats(lua_State *L)
{
    struct topo_nic *n = handle_self(L, TOPO_NIC);
    tests_of(L, "stats");
    return push_port_stats(L, &n->port->stats);
}

/* The uplink whose method is called; the kind is the upvalue. */
static struct topo_uplink *uplink_self(lua_State *L, const char *what)
{
    return tests_uplink(L, (enum topo_kind)lua_tointeger(L, lua_upvalueindex(1)), what);
}

/* The counters of all its ports together, those of peers that have left too. */
static int uplink_stats(lua_State *L)
{
    struct topo_uplink *u = uplink_self(L, "stats");
    struct port_stats sum = uplink_counters(u->built);
    return push_port_stats(L, &sum);
}

/* Argument 2 of up(true or false). */
static bool check_up(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    return lua_toboolean(L, 2);
}

/* Argument 2 of attach(vlan): NULL, to none. */
static struct topo_vlan *check_vlan(lua_State *L)
{
    struct topo_object *v = handle_to(L, 2, KIND_BIT(TOPO_VLAN));
    luaL_argcheck(L, v || lua_isnoneornil(L, 2), 2, "a VLAN is expected");
    return (struct topo_vlan *)v;
}

/* u:up(true or false): its link, as from inside. */
static int uplink_up(lua_State *L)
{
    struct topo_uplink *u = uplink_self(L, "up");
    live_set_up(&u->object, check_up(L));
    return 0;
}

/* u:attach(vlan): moves it to another VLAN; with nothing, to none. */
static int uplink_to_vlan(lua_State *L)
{
    struct topo_uplink *u = uplink_self(L, "attach");
    live_attach(&u->object, check_vlan(L));
    return 0;
}

/* u:remove(): it is unplugged and gone; its name is free. */
static int uplink_remove(lua_State *L)
{
    struct topo_uplink *u = uplink_self(L, "remove");
    live_remove(script_of(L)->tests->network, u);
    return 0;
}

/* u:info(): what it is connected to, in a line. */
static int uplink_info(lua_State *L)
{
    struct topo_uplink *u = uplink_self(L, "info");
    char *text = live_describe(u);
    lua_pushstring(L, text ? text : "");
    free(text);
    return 1;
}

/* p:stats(): two tables, of the ends in the order of its VLANs. */
static int patch_stats(lua_State *L)
{
    struct topo_patch *p = handle_self(L, TOPO_PATCH);
    tests_of(L, "stats");
    for (size_t i = 0; i < ARRAY_LEN(p->vlans); i++)
        push_port_stats(L, &p->built->ends[i].stats);
    return ARRAY_LEN(p->vlans);
}

/* p:up(true or false): plugs both ends in or pulls them out. */
static int patch_up(lua_State *L)
{
    struct topo_patch *p = handle_self(L, TOPO_PATCH);
    bool up = check_up(L);
    tests_of(L, "up");
    live_set_up(&p->object, up);
    return 0;
}

/* n:up(true or false): plugs the cable in or pulls it out. */
static int nic_up(lua_State *L)
{
    struct topo_nic *n = handle_self(L, TOPO_NIC);
    bool up = check_up(L);
    tests_of_made(L, n->guest, "up");
    live_set_up(&n->object, up);
    return 0;
}

/* n:attach(vlan): moves the cable to another VLAN; with nothing, to none. */
static int nic_attach(lua_State *L)
{
    struct topo_nic *n = handle_self(L, TOPO_NIC);
    tests_of_made(L, n->guest, "attach");
    live_attach(&n->object, check_vlan(L));
    return 0;
}

/* c:close(): its file is complete. */
static int capture_end(lua_State *L)
{
    struct topo_capture *c = handle_self(L, TOPO_CAPTURE);
    struct tests *t = tests_of(L, "close");
    if (t->late == &c->object)
        script_error(L, "close: capture %s has not begun", c->object.name);
    if (!c->open)
        script_error(L, "close: capture %s is closed already", c->object.name);
    live_close(t->network, c);
    return 0;
}

static const luaL_Reg guest_methods[] = {
    {"expect", guest_expect},
    {"send", guest_send},
    {"discard", guest_discard},
    {"at_prompt", guest_at_prompt},
    {"expect_off", guest_expect_off},
    {"state", guest_state},
    {"stats", guest_stats},
    {"nics", guest_nics},
    {NULL, NULL},
};
static const luaL_Reg vlan_methods[] = {
    {"expect", vlan_expect},
    {"stats", vlan_stats},
    {NULL, NULL},
};
static const luaL_Reg nic_methods[] = {
    {"stats", nic_stats},
    {"up", nic_up},
    {"attach", nic_attach},
    {NULL, NULL},
};
static const luaL_Reg uplink_methods[] = {
    {"stats", uplink_stats},
    {"up", uplink_up},
    {"attach", uplink_to_vlan},
    {"remove", uplink_remove},
    {"info", uplink_info},
    {NULL, NULL},
};
static const luaL_Reg capture_methods[] = {
    {"close", capture_end},
    {NULL, NULL},
};
static const luaL_Reg patch_methods[] = {
    {"stats", patch_stats},
    {"up", patch_up},
    {NULL, NULL},
};
static const luaL_Reg no_methods[] = {{NULL, NULL}};

/*
 * Methods that wait more than once are written in Lua. The chunk's name begins with "=", so that
 * errors name the test's line and not one in here.
 *
 * sh: a shell echoes the command, prints what it has to say, and its prompt on a line of its own.
 * The pattern has one way to match the echo, or a long output would be searched in squared time.
 * A line editor breaks an echo that is longer than its terminal's line, anywhere; one that does not
 * repeat the command as it was typed ends with its line.
 */
static const char guest_prelude[] =
    "local methods, expect, send, discard, at_prompt = ...\n"
    "function methods.prompt(self, timeout)\n"
    "  local there, prompt = at_prompt(self)\n"
    "  while not there do\n"
    "    expect(self, prompt, timeout, true)\n"
    "    there = at_prompt(self)\n"
    "  end\n"
    "  return self\n"
    "end\n"
    "local function after_echo(out, command)\n"
    "  local at = 1\n"
    "  for i = 1, #command do\n"
    "    at = out:find('[^\\r\\n]', at)\n"
    "    if not at or out:byte(at) ~= command:byte(i) then return out:match '\\n.*' end\n"
    "    at = at + 1\n"
    "  end\n"
    "  return out:sub(at)\n"
    "end\n"
    "function methods.sh(self, command, timeout)\n"
    "  methods.prompt(self, timeout)\n"
    "  local _, prompt = at_prompt(self)\n"
    "  discard(self)\n"
    "  send(self, command .. '\\n')\n"
    "  local out = expect(self, '^([^\\n]*\\n.-)%f[^\\r\\n]' .. "
    "prompt:gsub('%p', '%%%0') .. '$', timeout)\n"
    "  return (after_echo(out, command):gsub('\\r', ''):gsub('^\\n', ''):gsub('\\n$', ''))\n"
    "end\n";

/* What all uplinks have and what this kind has besides; each knows the kind. */
static void uplink_class(lua_State *L, enum topo_kind kind)
{
    static const luaL_Reg none[] = {{NULL, NULL}};

    handle_class(L, kind, none);
    handle_push_methods(L, kind);
    lua_pushinteger(L, kind);
    luaL_setfuncs(L, uplink_methods, 1);
    if (uplink_kinds[kind]->methods)
        luaL_setfuncs(L, uplink_kinds[kind]->methods, 0);
    lua_pop(L, 1);
}

void methods_open(lua_State *L)
{
    handle_class(L, TOPO_VLAN, vlan_methods);
    handle_class(L, TOPO_GUEST, guest_methods);
    handle_class(L, TOPO_NIC, nic_methods);
    handle_class(L, TOPO_DISK, no_methods);
    handle_class(L, TOPO_CAPTURE, capture_methods);
    handle_class(L, TOPO_PATCH, patch_methods);
    for (int kind = 0; kind < TOPO_KINDS; kind++)
        if (uplink_kinds[kind])
            uplink_class(L, (enum topo_kind)kind);

    if (luaL_loadbufferx(L, guest_prelude, sizeof(guest_prelude) - 1, "=lanarium", "t") != LUA_OK)
        abort();
    handle_push_methods(L, TOPO_GUEST);
    for (size_t i = 0; i < 4; i++)
        lua_pushcfunction(L, guest_methods[i].func);
    lua_call(L, 5, 0);
}
