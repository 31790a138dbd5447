/* A port of a VDE switch, as a topology describes it. */
#include "devices/uplinks/vde.h"

#include "topo/uplinks/uplinks.h"

struct topo_vde {
    struct topo_uplink uplink;
    const char *sock, *group, *mode;
    uint64_t port;
};

static const struct attr attrs[] = {
    {"sock", ATTR_STRING, SCHEMA_AT(topo_vde, sock), "(libvdeplug's)", 0, 0, NULL,
     "the switch's folder, vde_switch -s"},
    {"port", ATTR_INT, SCHEMA_AT(topo_vde, port), "0", 0, 65535, NULL,
     "of the switch; 0: any that is free"},
    {"group", ATTR_STRING, SCHEMA_AT(topo_vde, group), "(as it is)", 0, 0, NULL,
     "whom the port's socket belongs to"},
    {"mode", ATTR_STRING, SCHEMA_AT(topo_vde, mode), "0700", 0, 0, NULL,
     "its permissions, in octal"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static struct vde_options options(const struct topo_uplink *uplink)
{
    const struct topo_vde *v = (const struct topo_vde *)uplink;

    return (struct vde_options){
        .sock = v->sock,
        .port = (unsigned)v->port,
        .group = v->group,
        .mode = (unsigned)strtoul(v->mode, NULL, 8),
        .file = uplink->object.place.file,
        .line = uplink->object.place.line,
    };
}

static void check(struct topo *t, struct topo_uplink *u)
{
    const char *mode = ((const struct topo_vde *)u)->mode;

    if (!*mode || strspn(mode, "01234567") != strlen(mode) || strtoul(mode, NULL, 8) > 0777)
        err_at(&t->err, u->object.place.file, u->object.place.line,
               "mode \"%s\" is not in 0..0777; it is octal", mode);
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    struct vde_options o = options(u);

    return vde_create(s, u->object.name, &o, err);
}

const struct uplink_kind vde_kind = {
    .schema = {"vde", "vde \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
               "A port of a VDE switch (vde_switch), which other programs plug into.", "one VLAN",
               sizeof(struct topo_vde), SCHEMA_ATTRS(attrs)},
    .drawn = "VDE switch",
    .check = check,
    .create = create,
};
