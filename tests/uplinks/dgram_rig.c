/* A datagram link whose other ends are sockets of the test. */
#include "tests/uplinks/dgram_rig.h"

struct peer_rig r;
char dgram_remote[128], dgram_localaddr[128];

struct uplink *dgram_make(const struct dgram_options *o, struct err *err)
{
    struct dgram_options full = *o;

    full.file = "net.lua";
    full.line = 3;
    if (!full.ttl)
        full.ttl = 1;
    return dgram_create(&r.rig.sim, "link", &full, err);
}

void dgram_start(const struct dgram_options *o)
{
    struct err err = {0};

    peer_rig_init(&r);
    struct uplink *u = dgram_make(o, &err);
    if (!u)
        err_print(&err, stderr);
    assert_non_null(u);
    peer_rig_attach(&r, u);
}

struct datagrams *dgram_base(void)
{
    return container_of(r.uplink, struct datagrams, uplink);
}

void dgram_described(const char *part)
{
    char text[256] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    r.uplink->ops->describe(r.uplink, to);
    fclose(to);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}
