/* Drawing: VLANs as bars, guests as boxes, uplinks as ovals, a line for each link and each patch. */
#include "topo/draw.h"

#include "devices/nic.h"
#include "sim/units.h"
#include "sim/vlan.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

static const char *const style =
    "  graph [layout=dot, rankdir=TB, ranksep=0.6, fontname=\"Helvetica\"]\n"
    "  node [fontname=\"Helvetica\", fontsize=11]\n"
    "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"]\n";

/* A quoted string; names cannot hold quotes, but paths and images can. */
static void put_text(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', f);
        fputc(*s == '\n' ? ' ' : *s, f);
    }
}

static void put_rate(FILE *f, uint64_t bps)
{
    static const char *const units[] = {"bit", "Kbit", "Mbit", "Gbit", "Tbit"};
    size_t u = 0;
    for (; bps >= 1000 && bps % 1000 == 0 && u + 1 < ARRAY_LEN(units); u++)
        bps /= 1000;
    if (bps == 0)
        fputs("unlimited", f);
    else
        fprintf(f, "%llu%s", (unsigned long long)bps, units[u]);
}

static void put_vlan(FILE *f, const struct topo_vlan *v)
{
    char delay[32];
    fprintf(f,
            "  \"%s\" [shape=box, style=\"filled,rounded\", fillcolor=\"#dde8f5\", width=2.5, "
            "label=\"%s (%s)\\n%s, ",
            v->object.name, v->object.name, v->kind == VLAN_HUB ? "hub" : "switch",
            units_format_time(v->link.delay_ns, delay, sizeof(delay)));
    put_rate(f, v->link.rate_bps);
    fputs("\"]\n", f);
}

static void put_guest(FILE *f, const struct topo_guest *g)
{
    const char *program = g->image ? g->image : g->kernel ? g->kernel : g->bios;
    const char *slash = strrchr(program, '/');
    fprintf(f, "  \"%s\" [shape=box, style=filled, fillcolor=\"#f7f3e3\", label=\"%s\\n",
            g->object.name, g->object.name);
    if (g->clone)
        fprintf(f, "clone of %s", g->clone->object.name);
    else
        put_text(f, slash ? slash + 1 : program);
    fputs("\"]\n", f);
}

/* A link says what differs from its VLAN's; then the edge is complete. */
static void put_said(FILE *f, const struct topo_object *o, const struct link *link)
{
    char delay[32];
    if (schema_given(o, "delay"))
        fprintf(f, "\\n%s", units_format_time(link->delay_ns, delay, sizeof(delay)));
    if (schema_given(o, "rate")) {
        fputs("\\n", f);
        put_rate(f, link->rate_bps);
    }
    fputs("\"]\n", f);
}

static void put_link(FILE *f, const struct topo_object *o, const struct topo_vlan *v,
                     const struct link *link, const char *from, const char *label)
{
    if (!v)
        return;
    fprintf(f, "  \"%s\" -- \"%s\" [label=\"%s", v->object.name, from, label);
    put_said(f, o, link);
}

static void put_patch(FILE *f, const struct topo_patch *p)
{
    fprintf(f, "  \"%s\" -- \"%s\" [style=bold, color=\"#5577aa\", label=\"%s",
            p->vlans[0]->object.name, p->vlans[1]->object.name, p->object.name);
    put_said(f, &p->object, &p->link);
}

static void put_nics(FILE *f, const struct topo_guest *g)
{
    for (size_t i = 0; i < g->nics.n; i++) {
        const struct topo_nic *n = (const struct topo_nic *)g->nics.items[i];
        char *label = schema_given(&n->object, "model")
                          ? xasprintf("%s %s", n->object.name, n->model)
                          : xstrdup(g->nics.n > 1 ? n->object.name : "");
        put_link(f, &n->object, n->vlan, &n->link, g->object.name, label);
        free(label);
    }
}

void draw_dot(const struct topo *t, FILE *to)
{
    fputs("graph \"", to);
    put_text(to, t->title);
    fprintf(to, "\" {\n%s", style);
    for (size_t i = 0; i < t->vlans.n; i++)
        put_vlan(to, (const struct topo_vlan *)t->vlans.items[i]);
    for (size_t i = 0; i < t->guests.n; i++)
        put_guest(to, (const struct topo_guest *)t->guests.items[i]);
    for (size_t i = 0; i < t->uplinks.n; i++)
        fprintf(to,
                "  \"%s\" [shape=oval, style=filled, fillcolor=\"#e5f3e0\", "
                "label=\"%s\\n%s\"]\n",
                t->uplinks.items[i]->name, t->uplinks.items[i]->name,
                uplink_kinds[t->uplinks.items[i]->kind]->drawn);
    for (size_t i = 0; i < t->guests.n; i++)
        put_nics(to, (const struct topo_guest *)t->guests.items[i]);
    for (size_t i = 0; i < t->uplinks.n; i++) {
        const struct topo_uplink *u = (const struct topo_uplink *)t->uplinks.items[i];
        put_link(to, &u->object, u->vlan, &u->link, u->object.name, "");
    }
    for (size_t i = 0; i < t->patches.n; i++)
        put_patch(to, (const struct topo_patch *)t->patches.items[i]);
    fputs("}\n", to);
}
