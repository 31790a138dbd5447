/* A TAP interface, as a topology describes it. */
#include "devices/uplinks/tap.h"

#include <unistd.h>

#include "sim/sim.h"
#include "topo/handle.h"
#include "topo/schema.h"
#include "topo/tests.h"
#include "topo/uplinks/uplinks.h"

struct topo_tap {
    struct topo_uplink uplink;
    const char *ifname, *fd, *helper, *br, *script, *downscript, *address;
    uint64_t mtu, sndbuf;
    vtime_t script_timeout;
    bool vnet_hdr;
    const char *run_script, *run_downscript; /* what they come to; NULL: none */
};

static const struct attr attrs[] = {
    {"ifname", ATTR_STRING, SCHEMA_AT(topo_tap, ifname), "(a free one)", 0, 0, NULL,
     "the interface: one that is there, or a new one's name"},
    {"script", ATTR_STRING, SCHEMA_AT(topo_tap, script),
     "(/etc/lanarium-ifup, or /etc/qemu-ifup where only that is)", 0, 0, NULL,
     "run to set the interface up, with its name as the argument; \"no\": none"},
    {"downscript", ATTR_STRING, SCHEMA_AT(topo_tap, downscript),
     "(/etc/lanarium-ifdown, or /etc/qemu-ifdown, where one is)", 0, 0, NULL,
     "run at the end, likewise"},
    {"script_timeout", ATTR_TIME, SCHEMA_AT(topo_tap, script_timeout), "30s", NS_PER_MS,
     3600 * (uint64_t)NS_PER_SEC, NULL, "of the host's time that a script or the helper may take"},
    {"address", ATTR_STRING, SCHEMA_AT(topo_tap, address), "(none)", 0, 0, NULL,
     "the host's own on the interface, \"10.9.0.1/24\": no script is needed then"},
    {"mtu", ATTR_INT, SCHEMA_AT(topo_tap, mtu), "(as it is)", 68, 65521, NULL,
     "the MTU of the host's side"},
    {"fd", ATTR_FD, SCHEMA_AT(topo_tap, fd), "(none)", 0, 0, NULL,
     "an open interface that lanarium was started with: the descriptor's number, or its name"},
    {"helper", ATTR_STRING, SCHEMA_AT(topo_tap, helper),
     "(none; with br /usr/lib/qemu/qemu-bridge-helper)", 0, 0, NULL,
     "the program that opens an interface on a bridge for us"},
    {"br", ATTR_STRING, SCHEMA_AT(topo_tap, br), "(none; with helper br0)", 0, 0, NULL,
     "the bridge on which the helper puts it"},
    {"sndbuf", ATTR_SIZE, SCHEMA_AT(topo_tap, sndbuf), "0", 0, 0, NULL,
     "bytes that the host may have of ours, unread; 0: without limit"},
    {"vnet_hdr", ATTR_BOOL, SCHEMA_AT(topo_tap, vnet_hdr), "true", 0, 0, NULL,
     "checksums and segmentation that one side leaves undone pass to the other"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

/* Somebody else opens it, and sets it up. */
static bool opened_elsewhere(const struct topo_tap *u)
{
    return u->fd || u->helper || u->br;
}

static bool is_none(const char *script)
{
    return !*script || strcmp(script, "no") == 0;
}

/* Known without looking at the host, so that a recording plays anywhere. */
static bool has_script(const struct topo_tap *u)
{
    return u->script ? !is_none(u->script) : !opened_elsewhere(u) && !u->address;
}

static struct tap_options options(const struct topo_uplink *uplink)
{
    const struct topo_tap *u = (const struct topo_tap *)uplink;
    bool helped = !u->fd && (u->helper || u->br);

    return (struct tap_options){
        .ifname = u->ifname,
        .fd = u->fd,
        .helper = !helped     ? NULL
                  : u->helper ? u->helper
                              : TAP_DEFAULT_HELPER,
        .br = u->br ? u->br : TAP_DEFAULT_BRIDGE,
        .script = u->run_script,
        .downscript = u->run_downscript,
        .timeout_ns = u->script_timeout,
        .address = u->address,
        .mtu = u->mtu,
        .sndbuf = u->sndbuf,
        .vnet_hdr = u->vnet_hdr,
        .vnet_hdr_said = schema_given(&uplink->object, "vnet_hdr"),
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

/* --- check --- */

#define COMPLAIN(t, u, ...)                                                                        \
    err_at(&(t)->err, (u)->uplink.object.place.file, (u)->uplink.object.place.line, __VA_ARGS__)

static void check_exclusive(struct topo *t, const struct topo_tap *u)
{
    static const struct {
        const char *one, *other, *why;
    } pairs[] = {
        {"fd", "ifname", "the descriptor's interface has its name"},
        {"fd", "helper", "each brings an open interface"},
        {"fd", "br", "whoever opened it puts it on a bridge"},
        {"fd", "script", "whoever opened it sets it up"},
        {"fd", "downscript", "whoever opened it takes it down"},
        {"helper", "ifname", "the helper's interface has its name"},
        {"br", "ifname", "the helper's interface has its name"},
        {"helper", "script", "the helper sets it up"},
        {"br", "script", "the helper sets it up"},
        {"helper", "downscript", "the helper's interface ends with us"},
        {"br", "downscript", "the helper's interface ends with us"},
        {"helper", "address", "the bridge has the address"},
        {"br", "address", "the bridge has the address"},
    };
    const struct topo_object *o = &u->uplink.object;

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const char *script = strcmp(pairs[i].other, "script") == 0       ? u->script
                             : strcmp(pairs[i].other, "downscript") == 0 ? u->downscript
                                                                         : "";
        if (schema_given(o, pairs[i].one) && schema_given(o, pairs[i].other) &&
            !(script && strcmp(script, "no") == 0))
            COMPLAIN(t, u, "tap %s: %s and %s cannot both be said: %s", o->name, pairs[i].one,
                     pairs[i].other, pairs[i].why);
    }
}

/* The script of a name that is there; NULL if none is. */
static const char *usual_script(const char *ours, const char *theirs)
{
    return access(ours, F_OK) == 0 ? ours : access(theirs, F_OK) == 0 ? theirs : NULL;
}

static void resolve_scripts(struct topo *t, struct topo_tap *u)
{
    struct place place = u->uplink.object.place;

    if (u->script && !is_none(u->script))
        u->run_script = topo_path(t, place, u->script);
    else if (has_script(u))
        u->run_script = usual_script("/etc/lanarium-ifup", "/etc/qemu-ifup");
    if (has_script(u) && !u->run_script)
        COMPLAIN(t, u,
                 "tap %s: there is neither /etc/lanarium-ifup nor /etc/qemu-ifup to set it up; say "
                 "address = \"10.9.0.1/24\", script = \"FILE\" or script = \"no\"",
                 u->uplink.object.name);
    if (u->downscript && !is_none(u->downscript))
        u->run_downscript = topo_path(t, place, u->downscript);
    else if (!u->downscript && has_script(u))
        u->run_downscript = usual_script("/etc/lanarium-ifdown", "/etc/qemu-ifdown");
}

/* One interface, or descriptor, belongs to one of them. */
static void check_distinct(struct topo *t, const struct topo_tap *u)
{
    for (size_t i = 0; t->uplinks.items[i] != &u->uplink.object; i++) {
        const struct topo_tap *o = (const struct topo_tap *)t->uplinks.items[i];
        if (o->uplink.object.kind != TOPO_TAP)
            continue;
        if (u->ifname && o->ifname == u->ifname && !strchr(u->ifname, '%'))
            COMPLAIN(t, u, "tap %s: ifname %s is that of tap %s", u->uplink.object.name, u->ifname,
                     o->uplink.object.name);
        if (u->fd && o->fd == u->fd)
            COMPLAIN(t, u, "tap %s: fd %s is that of tap %s", u->uplink.object.name, u->fd,
                     o->uplink.object.name);
    }
}

static void check(struct topo *t, struct topo_uplink *uplink)
{
    struct topo_tap *u = (struct topo_tap *)uplink;
    size_t before = t->err.n;

    check_exclusive(t, u);
    check_distinct(t, u);
    if (t->err.n > before)
        return;
    resolve_scripts(t, u);
    struct tap_options o = options(uplink);
    tap_options_check(&o, &t->err);
}

static enum uplink_start start(const struct topo_uplink *u)
{
    return has_script((const struct topo_tap *)u) ? UPLINK_DOWN : UPLINK_UP;
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct tap_options o = options(u);

    return tap_create(s, u->object.name, &o, err);
}

/* u:ifname(): the interface's name, for the tests that want to know which is free. */
static int tap_method_ifname(lua_State *L)
{
    struct topo_uplink *u = tests_uplink(L, TOPO_TAP, "ifname");
    char *name = uplink_answer(
        u->built, inlet_played(&u->built->inlet) ? NULL : xstrdup(tap_ifname(u->built)));
    lua_pushstring(L, name);
    free(name);
    return 1;
}

static const luaL_Reg methods[] = {{"ifname", tap_method_ifname}, {NULL, NULL}};

const struct uplink_kind tap_kind = {
    .schema = {"tap", "tap \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "An interface of the host's kernel: the host, and what it routes or bridges to, is "
               "on the VLAN.",
               "one VLAN", sizeof(struct topo_tap), SCHEMA_ATTRS(attrs)},
    .drawn = "TAP",
    .check = check,
    .start = start,
    .create = create,
    .methods = methods,
};
