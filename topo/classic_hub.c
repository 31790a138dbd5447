/*
 * QEMU's hub ports, and its dumps of a netdev.
 *
 *     -netdev user,id=u0                   what names u0 is on VLAN "net-u0" with it
 *     -netdev hubport,id=p0,hubid=0        what names p0 is on hub 0, which is VLAN "vlan0"
 *     -netdev hubport,id=p1,hubid=0,netdev=u0          and so is u0
 *     -object filter-dump,id=d,netdev=u0,file=F        what goes in and out of u0
 *
 * Options come in any order, so this is settled when all have been read.
 */
#include <ctype.h>

#include "sim/vlan.h"
#include "topo/classic.h"
#include "topo/schema.h"

static struct topo *topo_of(struct classic *c)
{
    return c->t;
}

const struct classic_netdev *classic_netdev_find(const struct classic *c, const char *id)
{
    for (size_t i = 0; i < c->netdevs.n; i++)
        if (strcmp(c->netdevs.items[i].id, id) == 0)
            return &c->netdevs.items[i];
    return NULL;
}

void classic_netdev_note(struct classic *c, struct classic_netdev n)
{
    if (classic_netdev_find(c, n.id))
        classic_error(c, "there is another -netdev with id=%s", n.id);
    n.id = topo_intern(topo_of(c), n.id);
    n.place = c->place;
    list_push(&c->netdevs, n);
}

/* Whether a list has nothing but these names. */
static bool names_known(struct classic *c, const struct classic_list *l, const char *const *names)
{
    bool good = true;
    for (size_t i = 0; i < l->n; i++) {
        const char *const *n = names;
        while (*n && strcmp(*n, l->items[i].name) != 0)
            n++;
        if (!*n)
            classic_error(c, "there is no \"%s\" here", l->items[i].name);
        good = good && *n;
    }
    return good;
}

/* --- hub ports --- */

/* VLAN N, a hub. */
static struct topo_vlan *hub_numbered(struct classic *c, const char *text)
{
    struct topo *t = topo_of(c);
    char name[16], *end;
    unsigned long n = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || n > CLASSIC_MAX_VLAN) {
        classic_error(c, "hubid=%s is not a number in 0..%d", text, CLASSIC_MAX_VLAN);
        return NULL;
    }
    snprintf(name, sizeof(name), "vlan%lu", n);
    struct topo_object *o = strmap_get(&t->names, name);
    if (!o)
        o = topo_add(t, TOPO_VLAN, name, c->place);
    ((struct topo_vlan *)o)->kind = VLAN_HUB; /* only VLANs have such names here */
    return (struct topo_vlan *)o;
}

void classic_hubport(struct classic *c, const struct classic_list *l, const char *id)
{
    static const char *const names[] = {"id", "hubid", "netdev", NULL};
    const char *hubid = classic_get(l, "hubid"), *joins = classic_get(l, "netdev");
    struct topo_vlan *hub = NULL;
    if (!names_known(c, l, names))
        return;
    if (!hubid)
        classic_error(c, "it has no hubid=");
    else
        hub = hub_numbered(c, hubid);
    if (hub)
        classic_netdev_note(c, (struct classic_netdev){
                                   .id = id, .hub = hub, .joins = topo_intern(topo_of(c), joins)});
}

/* The VLAN of what names a netdev; NULL: nothing does, and it is no uplink. */
static struct topo_vlan *vlan_of(struct classic *c, const char *id)
{
    char *name = xasprintf("net-%s", id);
    struct topo_vlan *v = strmap_get(&topo_of(c)->names, name);
    free(name);
    return v;
}

static void vlan_drop(struct topo *t, const struct topo_vlan *v)
{
    size_t n = 0;
    for (size_t i = 0; i < t->vlans.n; i++)
        if (t->vlans.items[i] != &v->object)
            t->vlans.items[n++] = t->vlans.items[i];
    t->vlans.n = n;
}

/* All that is on a netdev's VLAN is on the hub instead. */
static void vlan_into_hub(struct classic *c, const char *id, struct topo_vlan *hub)
{
    struct topo *t = topo_of(c);
    struct topo_vlan *v = vlan_of(c, id);
    if (!v || v == hub)
        return;
    for (size_t i = 0; i < c->guest->nics.n; i++) {
        struct topo_nic *n = (struct topo_nic *)c->guest->nics.items[i];
        n->vlan = n->vlan == v ? hub : n->vlan;
    }
    for (size_t i = 0; i < t->uplinks.n; i++) {
        struct topo_uplink *u = (struct topo_uplink *)t->uplinks.items[i];
        u->vlan = u->vlan == v ? hub : u->vlan;
    }
    hub->n_members += v->n_members;
    vlan_drop(t, v);
}

static void hubport_join(struct classic *c, const struct classic_netdev *h)
{
    const struct classic_netdev *other = h->joins ? classic_netdev_find(c, h->joins) : NULL;
    c->place = h->place;
    if (h->joins && !other)
        classic_error(c, "there is no -netdev with id=%s", h->joins);
    else if (other && !other->uplink)
        classic_error(c, "netdev=%s is a hub port itself; hubs are not joined to hubs here",
                      h->joins);
    else if (other && other->uplink->vlan != vlan_of(c, h->joins))
        classic_error(c, "netdev=%s has joined a hub already", h->joins);
    else if (other)
        vlan_into_hub(c, h->joins, h->hub);
    vlan_into_hub(c, h->id, h->hub);
}

/* --- dumps --- */

void classic_object(struct classic *c)
{
    static const char *const names[] = {"id", "netdev", "file", "maxlen", NULL};
    struct topo *t = topo_of(c);
    struct classic_list l;
    if (!classic_split(c, &l, c->value))
        return;
    const char *netdev = classic_get(&l, "netdev"), *file = classic_get(&l, "file");
    if (strcmp(l.word, "filter-dump") != 0) {
        classic_error(c, "there is no object \"%s\"; there is filter-dump", l.word);
    } else if (!classic_get(&l, "id") || !netdev || !file || !*file) {
        classic_error(c, "write filter-dump,id=ID,netdev=ID,file=FILE");
    } else if (names_known(c, &l, names)) {
        struct topo_capture *d = (struct topo_capture *)topo_add(t, TOPO_CAPTURE, file, c->place);
        schema_set(t, &d->object, "format", "pcap", c->place);
        if (classic_get(&l, "maxlen"))
            schema_set(t, &d->object, "snaplen", classic_get(&l, "maxlen"), c->place);
        list_push(&c->dumps, ((struct classic_dump){d, topo_intern(t, netdev)}));
    }
    free(l.text);
}

/* An uplink, or the cards that name a hub port, or what that is to join. */
static void dump_point(struct classic *c, const struct classic_dump *d)
{
    const struct classic_netdev *n = classic_netdev_find(c, d->netdev);
    const struct topo_vlan *v = n ? vlan_of(c, d->netdev) : NULL;
    topo_objects *points = &d->capture->points;
    c->place = d->capture->object.place;
    if (!n) {
        classic_error(c, "there is no -netdev with id=%s", d->netdev);
        return;
    }
    for (size_t i = 0; !n->uplink && v && i < c->guest->nics.n; i++)
        if (((struct topo_nic *)c->guest->nics.items[i])->vlan == v)
            list_push(points, c->guest->nics.items[i]);
    if (n->joins && !points->n)
        n = classic_netdev_find(c, n->joins);
    if (n && n->uplink)
        list_push(points, &n->uplink->object);
    if (!points->n)
        classic_error(c, "nothing is plugged into netdev %s", d->netdev);
}

void classic_hub_finish(struct classic *c)
{
    for (size_t i = 0; i < c->dumps.n; i++)
        dump_point(c, &c->dumps.items[i]);
    for (size_t i = 0; i < c->netdevs.n; i++)
        if (!c->netdevs.items[i].uplink)
            hubport_join(c, &c->netdevs.items[i]);
}
