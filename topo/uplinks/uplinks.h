/* Uplinks as a topology describes them: a schema each, and how it becomes one. */
#ifndef TOPO_UPLINKS_H
#define TOPO_UPLINKS_H

#include <lauxlib.h>

#include "devices/uplinks/uplink.h"
#include "topo/schema.h"

/** One kind of uplink. Its struct begins with a struct topo_uplink. */
struct uplink_kind {
    struct schema schema;
    const char *drawn; /* what a drawing says below its name */

    /** What can be known to be wrong before anything is opened: sentences in t->err. */
    void (*check)(struct topo *t, struct topo_uplink *u);

    /** What it begins with: for what stands in for it when a recording is played. NULL: UPLINK_UP.
     */
    enum uplink_start (*start)(const struct topo_uplink *u);

    /** Make it, at a barrier. NULL, with a sentence. */
    struct uplink *(*create)(struct sim *s, const struct topo_uplink *u, struct err *err);

    /** What a test can call besides what all uplinks have; ends in {NULL, NULL}; or NULL. */
    const luaL_Reg *methods;
};

extern const struct uplink_kind dgram_kind, l2tpv3_kind, pcap_kind, stream_kind, tap_kind,
    user_kind, vde_kind;

/** What a user-mode stack's attributes say of IPv4 and IPv6, whether they were said or not. */
void user_families_said(const struct topo_object *o, bool *ipv4, bool *ipv6);

/** By enum topo_kind; NULL for what is no uplink. */
extern const struct uplink_kind *const uplink_kinds[TOPO_KINDS];

static inline bool topo_is_uplink(const struct topo_object *o)
{
    return uplink_kinds[o->kind] != NULL;
}

/** Build one that was described, and plug it into its VLAN; at a barrier. False with sentences. */
bool topo_uplink_build(struct sim *s, struct topo_uplink *u, struct err *err);

#endif
