/* L2TPv3 links, as a topology describes them. */
#include "devices/uplinks/l2tpv3.h"

#include "topo/uplinks/uplinks.h"

struct topo_l2tpv3 {
    struct topo_uplink uplink;
    const char *src, *dst;
    uint64_t srcport, dstport, txsession, rxsession, txcookie, rxcookie, offset;
    bool udp, ipv6, cookie64, counter, pincounter;
};

#define MAX_U32 0xffffffffu

static const struct attr attrs[] = {
    {"src", ATTR_STRING, SCHEMA_AT(topo_l2tpv3, src), "(needed)", 0, 0, NULL,
     "this host's address"},
    {"dst", ATTR_STRING, SCHEMA_AT(topo_l2tpv3, dst), "(needed)", 0, 0, NULL, "the other end's"},
    {"udp", ATTR_BOOL, SCHEMA_AT(topo_l2tpv3, udp), "false", 0, 0, NULL,
     "over UDP; otherwise straight over IP, which needs privilege"},
    {"srcport", ATTR_INT, SCHEMA_AT(topo_l2tpv3, srcport), "(none)", 1, 65535, NULL,
     "with udp: our port"},
    {"dstport", ATTR_INT, SCHEMA_AT(topo_l2tpv3, dstport), "(none)", 1, 65535, NULL,
     "with udp: the other end's"},
    {"ipv6", ATTR_BOOL, SCHEMA_AT(topo_l2tpv3, ipv6), "false", 0, 0, NULL,
     "src and dst are IPv6 hosts"},
    {"txsession", ATTR_INT, SCHEMA_AT(topo_l2tpv3, txsession), "(needed)", 1, MAX_U32, NULL,
     "session ID of what is sent"},
    {"rxsession", ATTR_INT, SCHEMA_AT(topo_l2tpv3, rxsession), "(as txsession)", 1, MAX_U32, NULL,
     "session ID of what is received"},
    {"txcookie", ATTR_INT, SCHEMA_AT(topo_l2tpv3, txcookie), "(none)", 0, 0, NULL,
     "cookie of what is sent; both or none are given"},
    {"rxcookie", ATTR_INT, SCHEMA_AT(topo_l2tpv3, rxcookie), "(none)", 0, 0, NULL,
     "cookie of what is received; anything else is dropped"},
    {"cookie64", ATTR_BOOL, SCHEMA_AT(topo_l2tpv3, cookie64), "false", 0, 0, NULL,
     "cookies have 8 bytes, not 4"},
    {"counter", ATTR_BOOL, SCHEMA_AT(topo_l2tpv3, counter), "false", 0, 0, NULL,
     "four bytes that count what is sent; Linux's default sublayer has them"},
    {"pincounter", ATTR_BOOL, SCHEMA_AT(topo_l2tpv3, pincounter), "false", 0, 0, NULL,
     "they stay 0"},
    {"offset", ATTR_INT, SCHEMA_AT(topo_l2tpv3, offset), "0", 0, L2TPV3_MAX_OFFSET, NULL,
     "bytes between header and frame"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static struct l2tpv3_options options(const struct topo_uplink *uplink)
{
    const struct topo_l2tpv3 *l = (const struct topo_l2tpv3 *)uplink;

    return (struct l2tpv3_options){
        .src = l->src,
        .dst = l->dst,
        .udp = l->udp,
        .ipv6 = l->ipv6,
        .srcport = (unsigned)l->srcport,
        .dstport = (unsigned)l->dstport,
        .txsession = (uint32_t)l->txsession,
        .rxsession = (uint32_t)l->rxsession,
        .cookies = schema_given(&uplink->object, "txcookie"),
        .cookie64 = l->cookie64,
        .txcookie = l->txcookie,
        .rxcookie = l->rxcookie,
        .counter = l->counter,
        .pincounter = l->pincounter,
        .offset = (unsigned)l->offset,
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

static void check(struct topo *t, struct topo_uplink *u)
{
    struct l2tpv3_options o = options(u);

    if (schema_given(&u->object, "txcookie") != schema_given(&u->object, "rxcookie"))
        err_at(&t->err, o.file, o.line, "it needs both txcookie and rxcookie, or neither");
    l2tpv3_options_check(&o, &t->err);
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct l2tpv3_options o = options(u);

    return l2tpv3_create(s, u->object.name, &o, err);
}

const struct uplink_kind l2tpv3_kind = {
    .schema = {"l2tpv3", "l2tpv3 \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "An Ethernet pseudowire to another host, RFC 3931, without a control connection: to "
               "QEMU, Linux (ip l2tp) and routers.",
               "one VLAN", sizeof(struct topo_l2tpv3), SCHEMA_ATTRS(attrs)},
    .drawn = "L2TPv3",
    .check = check,
    .create = create,
};
