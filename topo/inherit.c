/* Clones as they are described: what they take from their originals, and what must not differ. */
#include "topo/images.h"
#include "topo/schema.h"

#define COMPLAIN(t, o, ...) err_at(&(t)->err, (o)->place.file, (o)->place.line, __VA_ARGS__)

/* What a clone says for itself; everything else is its original's. Each ends in NULL. */
static const char *const guests_own[] = {"clone", "at", NULL};
static const char *const guests_choice[] = {"prompt", "reboot", NULL};
static const char *const nics_own[] = {"mac", "name", "delay", "rate", "queue", "up", NULL};
static const char *const addresses_own[] = {"mac", NULL};
static const char *const none[] = {NULL};

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static size_t attr_size(const struct attr *a)
{
    switch (a->type) {
    case ATTR_BOOL: return sizeof(bool);
    case ATTR_MAC: return ETH_ALEN;
    case ATTR_CHOICE: return sizeof(int);
    case ATTR_INT:
    case ATTR_TIME:
    case ATTR_RATE:
    case ATTR_SIZE:
    case ATTR_FACTOR: return sizeof(uint64_t);
    default: return sizeof(char *); /* strings are interned: equal ones are the same */
    }
}

/*
 * Give `to` the attributes of `from` that it does not have. Those in `own` are left alone; those
 * in `choice` may be said and differ; of others, returns the first that does, or NULL.
 */
static const char *inherit(struct topo_object *to, const struct topo_object *from,
                           const char *const *own, const char *const *choice)
{
    const struct schema *sc = schemas[to->kind];
    const char *wrong = NULL;
    for (size_t i = 0; i < sc->n_attrs; i++) {
        const struct attr *a = &sc->attrs[i];
        char *mine = (char *)to + a->offset;
        const char *theirs = (const char *)from + a->offset;
        uint64_t bit = 1ULL << i;
        if (listed(own, a->name) || a->type == ATTR_LIST)
            continue;
        if (!(to->given & bit)) {
            memcpy(mine, theirs, attr_size(a));
            to->given |= from->given & bit;
        } else if (!wrong && !listed(choice, a->name) && memcmp(mine, theirs, attr_size(a)) != 0) {
            wrong = a->name;
        }
    }
    return wrong;
}

/* --- parts --- */

static void nic_like(struct topo *t, struct topo_guest *g, const struct topo_nic *original)
{
    struct topo_nic *n = (struct topo_nic *)topo_add(t, TOPO_NIC, NULL, g->object.place);
    n->object.described = true;
    inherit(&n->object, &original->object, addresses_own, none);
    if (original->vlan)
        topo_nic_join(n, original->vlan);
    topo_guest_take(t, g, &n->object);
}

static void disk_like(struct topo *t, struct topo_guest *g, const struct topo_disk *original)
{
    struct topo_disk *d = (struct topo_disk *)topo_add(t, TOPO_DISK, NULL, g->object.place);
    d->object.described = true;
    d->path = original->path;
    if (original->writable)
        COMPLAIN(t, &g->object,
                 "guest %s: %s, of which it is a clone, writes to the file %s itself, and two "
                 "cannot; leave writable out there",
                 g->object.name, g->clone->object.name, d->path);
    topo_guest_take(t, g, &d->object);
}

void topo_inherit_parts(struct topo *t, struct topo_guest *g)
{
    const struct topo_guest *o = g->clone;
    if (!o)
        return;
    if (g->disks.n)
        COMPLAIN(t, &g->object,
                 "guest %s: it has the disks of %s, of which it is a clone, with all that is "
                 "written there; leave its own out",
                 g->object.name, o->object.name);
    if (!g->nics.n)
        for (size_t i = 0; i < o->nics.n; i++)
            nic_like(t, g, (const struct topo_nic *)o->nics.items[i]);
    for (size_t i = 0; !g->disks.n && i < o->disks.n; i++)
        disk_like(t, g, (const struct topo_disk *)o->disks.items[i]);
}

/* --- attributes --- */

static void nics_inherit(struct topo *t, struct topo_guest *g)
{
    const struct topo_guest *o = g->clone;
    if (g->nics.n != o->nics.n) {
        COMPLAIN(t, &g->object,
                 "guest %s: it has %zu NIC%s and %s, of which it is a clone, has %zu; name as many, or "
                 "none to be on the same VLANs",
                 g->object.name, g->nics.n, g->nics.n == 1 ? "" : "s", o->object.name, o->nics.n);
        return;
    }
    for (size_t i = 0; i < g->nics.n; i++) {
        const char *wrong = inherit(g->nics.items[i], o->nics.items[i], nics_own, none);
        if (wrong)
            COMPLAIN(t, g->nics.items[i],
                     "nic %s.%s: %s is not as %s.%s has it, which is what a clone's driver knows; "
                     "leave it out",
                     g->object.name, g->nics.items[i]->name, wrong, o->object.name,
                     o->nics.items[i]->name);
    }
}

static void guest_inherit(struct topo *t, struct topo_guest *g)
{
    struct topo_guest *o = g->clone;
    const char *wrong;
    if (!o) {
        if (g->at)
            COMPLAIN(t, &g->object,
                     "guest %s: at says when another guest is cloned; say which: clone = GUEST",
                     g->object.name);
        return;
    }
    g->number = ++o->n_clones;
    o->clone_waits |= !g->at && !o->clone;
    wrong = inherit(&g->object, &o->object, guests_own, guests_choice);
    if (wrong)
        COMPLAIN(t, &g->object,
                 "guest %s: %s is not as %s has it, of which it is a clone; leave it out",
                 g->object.name, wrong, o->object.name);
    nics_inherit(t, g);
}

void topo_inherit(struct topo *t)
{
    for (size_t i = 0; i < t->guests.n; i++)
        guest_inherit(t, (struct topo_guest *)t->guests.items[i]);
}

void topo_clone_point(struct topo *t, struct topo_guest *g)
{
    const struct topo_guest *o = g->clone;
    const struct image *image = o && o->image ? image_find(o->image) : NULL;
    if (!o || g->at)
        return;
    g->at_plain = true;
    g->at = image && image->clone_at && !o->clone ? image->clone_at : o->prompt;
    if (!g->at)
        COMPLAIN(t, &g->object,
                 "guest %s: when is %s cloned? Say what its console prints then: at = \"PATTERN\"",
                 g->object.name, o->object.name);
}
