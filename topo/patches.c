/* Patches as they are described: the links of their ends, and that they make no circle. */
#include "topo/topo.h"

#define COMPLAIN(t, o, ...) err_at(&(t)->err, (o)->place.file, (o)->place.line, __VA_ARGS__)

/* A VLAN that has been reached, and by which patch from where. */
struct reached {
    const struct topo_vlan *vlan;
    const struct topo_patch *by;
    size_t from; /* in the list */
};

typedef LIST_OF(struct reached) trail;

static bool trail_has(const trail *r, const struct topo_vlan *v)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].vlan == v)
            return true;
    return false;
}

/* All that can be reached from a VLAN by the first n patches, what is nearer first. */
static void trail_walk(const struct topo *t, size_t n, const struct topo_vlan *start, trail *r)
{
    list_push(r, ((struct reached){start, NULL, 0}));
    for (size_t i = 0; i < r->n; i++) {
        for (size_t j = 0; j < n; j++) {
            const struct topo_patch *p = (const struct topo_patch *)t->patches.items[j];
            const struct topo_vlan *v = r->items[i].vlan, *other;
            if (!p->vlans[1] || (p->vlans[0] != v && p->vlans[1] != v))
                continue;
            other = p->vlans[p->vlans[0] == v];
            if (!trail_has(r, other))
                list_push(r, ((struct reached){other, p, i}));
        }
    }
}

/* " a (lan.lua:3), b (lan.lua:4)": the patches from the start to item i. */
static char *way_text(const trail *r, size_t i)
{
    char *text = xstrdup("");
    for (; r->items[i].by; i = r->items[i].from) {
        const struct topo_object *o = &r->items[i].by->object;
        char *longer = xasprintf("%s%s%s (%s:%d)", text, *text ? ", " : "", o->name, o->place.file,
                                 o->place.line);
        free(text);
        text = longer;
    }
    return text;
}

/* The VLAN that stands for all that patches join to this one. */
static struct topo_vlan *joined(struct topo_vlan *v)
{
    for (; v->joined; v = v->joined)
        if (v->joined->joined)
            v->joined = v->joined->joined;
    return v;
}

/* Patch n, if those before it join its VLANs already. */
static void circle_check(struct topo *t, size_t n)
{
    const struct topo_patch *p = (const struct topo_patch *)t->patches.items[n];
    struct topo_vlan *a = joined(p->vlans[0]), *b = joined(p->vlans[1]);
    trail r = {0};
    if (a != b) {
        a->joined = b;
        return;
    }
    trail_walk(t, n, p->vlans[0], &r);
    for (size_t i = 1; i < r.n; i++) {
        if (r.items[i].vlan != p->vlans[1])
            continue;
        char *way = way_text(&r, i);
        COMPLAIN(t, &p->object,
                 "patch %s: it closes a circle with %s, in which frames would go round for ever; "
                 "leave one of them out",
                 p->object.name, way);
        free(way);
    }
    free(r.items);
}

void topo_check_patches(struct topo *t)
{
    for (size_t i = 0; i < t->patches.n; i++) {
        struct topo_patch *p = (struct topo_patch *)t->patches.items[i];
        if (!p->vlans[1]) {
            COMPLAIN(t, &p->object, "patch %s: it has %s; write two VLANs into its table",
                     p->object.name, p->vlans[0] ? "one end" : "no ends");
            continue;
        }
        for (size_t end = 0; end < ARRAY_LEN(p->links); end++) {
            p->links[end] = p->link;
            topo_link_inherit(&p->object, &p->links[end], p->vlans[end]);
        }
        if (p->vlans[0] == p->vlans[1])
            COMPLAIN(t, &p->object,
                     "patch %s: both its ends are on %s, where frames would go round for ever",
                     p->object.name, p->vlans[0]->object.name);
        else
            circle_check(t, i);
    }
}
