/* A stream link, as a topology describes it. */
#include "devices/uplinks/stream.h"

#include "topo/handle.h"
#include "topo/schema.h"
#include "topo/tests.h"
#include "topo/uplinks/uplinks.h"

struct topo_stream {
    struct topo_uplink uplink;
    const char *listen, *connect, *fd, *reconnect, *secret, *secret_file;
    uint64_t max_peers;
};

static const struct attr attrs[] = {
    {"listen", ATTR_STRING, SCHEMA_AT(topo_stream, listen), "(none)", 0, 0, NULL,
     "\"127.0.0.1:1234\", \":1234\", \"[::1]:1234\", \"unix:/path\" or \"abstract:NAME\"; each "
     "peer "
     "has a port of its own; port 0: any"},
    {"connect", ATTR_STRING, SCHEMA_AT(topo_stream, connect), "(none)", 0, 0, NULL,
     "such an address, tried until somebody is there; the link is down meanwhile"},
    {"fd", ATTR_FD, SCHEMA_AT(topo_stream, fd), "(none)", 0, 0, NULL,
     "a socket opened by the parent process, listening or connected: its number, or its name in "
     "LISTEN_FDNAMES"},
    {"reconnect", ATTR_STRING, SCHEMA_AT(topo_stream, reconnect), "(0.1s, doubling up to 5s)", 0, 0,
     NULL, "with connect: the time between attempts once the peer was lost; \"never\": none"},
    {"max_peers", ATTR_INT, SCHEMA_AT(topo_stream, max_peers), "256", 1, 65536, NULL,
     "with listen: how many peers there may be; more are refused"},
    {"secret", ATTR_STRING, SCHEMA_AT(topo_stream, secret), "(none)", 0, 0, NULL,
     "16 bytes or more that both ends must know before any frame passes (TLS 1.3); for links "
     "between instances of Lanarium"},
    {"secret_file", ATTR_FILE, SCHEMA_AT(topo_stream, secret_file), "(none)", 0, 0, NULL,
     "the file whose first line is the secret"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static struct stream_options options(const struct topo_uplink *uplink)
{
    const struct topo_stream *s = (const struct topo_stream *)uplink;

    return (struct stream_options){
        .listen = s->listen,
        .connect = s->connect,
        .fd = s->fd,
        .reconnect = s->reconnect,
        .max_peers = s->max_peers,
        .secret = s->secret,
        .secret_file = s->secret_file,
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

static void check(struct topo *t, struct topo_uplink *u)
{
    struct stream_options o = options(u);

    stream_options_check(&o, &t->err);
    if (o.connect && schema_given(&u->object, "max_peers"))
        err_at(&t->err, o.file, o.line, "stream %s: max_peers is for links that listen",
               u->object.name);
}

static enum uplink_start start(const struct topo_uplink *u)
{
    return ((const struct topo_stream *)u)->connect ? UPLINK_DOWN : UPLINK_NO_PORT;
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct stream_options o = options(u);

    return stream_create(s, u->object.name, &o, err);
}

/* s:address(): where it listens; nil if it does not. */
static int method_address(lua_State *L)
{
    struct topo_uplink *u = tests_uplink(L, TOPO_STREAM, "address");

    char *address = stream_address(u->built);
    lua_pushstring(L, address); /* NULL: nil */
    free(address);
    return 1;
}

/* s:peers(): how many are connected. */
static int method_peers(lua_State *L)
{
    struct topo_uplink *u = tests_uplink(L, TOPO_STREAM, "peers");

    lua_pushinteger(L, (lua_Integer)stream_peers(u->built));
    return 1;
}

static const luaL_Reg methods[] = {
    {"address", method_address},
    {"peers", method_peers},
    {NULL, NULL},
};

const struct uplink_kind stream_kind = {
    .schema = {"stream", "stream \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "A link over TCP or a unix socket: to other instances, and to QEMU's -netdev stream "
               "and -netdev socket. It has one of listen, connect and fd.",
               "one VLAN", sizeof(struct topo_stream), SCHEMA_ATTRS(attrs)},
    .drawn = "stream link",
    .check = check,
    .start = start,
    .create = create,
    .methods = methods,
};
