/* Datagram links - UDP, multicast, unix datagrams - as a topology describes them. */
#include "devices/uplinks/dgram.h"

#include "topo/handle.h"
#include "topo/tests.h"
#include "topo/uplinks/uplinks.h"

struct topo_dgram {
    struct topo_uplink uplink;
    const char *mcast, *remote, *localaddr, *fd;
    uint64_t ttl;
    bool from_anyone;
};

static const struct attr attrs[] = {
    {"mcast", ATTR_STRING, SCHEMA_AT(topo_dgram, mcast), "(none)", 0, 0, NULL,
     "a group that all members hear, \"230.0.0.1:1234\""},
    {"remote", ATTR_STRING, SCHEMA_AT(topo_dgram, remote), "(none)", 0, 0, NULL,
     "the other end: \"HOST:PORT\", \"unix:PATH\" or \"abstract:NAME\""},
    {"localaddr", ATTR_STRING, SCHEMA_AT(topo_dgram, localaddr), "(with mcast: the route's)", 0, 0,
     NULL, "this end, where the other end sends; with mcast the address of an interface"},
    {"fd", ATTR_FD, SCHEMA_AT(topo_dgram, fd), "(none)", 0, 0, NULL,
     "a datagram socket opened by the parent process: its number, or its name in LISTEN_FDNAMES"},
    {"from_anyone", ATTR_BOOL, SCHEMA_AT(topo_dgram, from_anyone), "false", 0, 0, NULL,
     "take frames from anyone who sends some here, not from the remote alone"},
    {"ttl", ATTR_INT, SCHEMA_AT(topo_dgram, ttl), "1", 0, 255, NULL,
     "of what is sent to a group; 1: no further than the host's own networks"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static struct dgram_options options(const struct topo_uplink *uplink)
{
    const struct topo_dgram *d = (const struct topo_dgram *)uplink;

    return (struct dgram_options){
        .mcast = d->mcast,
        .remote = d->remote,
        .localaddr = d->localaddr,
        .fd = d->fd,
        .ttl = (unsigned)d->ttl,
        .from_anyone = d->from_anyone,
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

static void check(struct topo *t, struct topo_uplink *u)
{
    struct dgram_options o = options(u);

    dgram_options_check(&o, &t->err);
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct dgram_options o = options(u);

    return dgram_create(s, u->object.name, &o, err);
}

/* d:address(): where the host has it listen, or send from. */
static int address(lua_State *L)
{
    struct topo_uplink *u = tests_uplink(L, TOPO_DGRAM, "address");

    char *text =
        uplink_answer(u->built, inlet_played(&u->built->inlet) ? NULL : dgram_address(u->built));
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static const luaL_Reg methods[] = {{"address", address}, {NULL, NULL}};

const struct uplink_kind dgram_kind = {
    .schema = {"dgram", "dgram \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "A datagram link: each frame in a datagram of UDP or of a unix socket, to one other "
               "end or to a multicast group; QEMU's socket,mcast, socket,udp and dgram.",
               "one VLAN", sizeof(struct topo_dgram), SCHEMA_ATTRS(attrs)},
    .drawn = "datagrams",
    .check = check,
    .create = create,
    .methods = methods,
};
