/* A running network as text: each VLAN with its ports, their links and counters; the captures. */
#include "devices/nic.h"
#include "devices/patch.h"
#include "sim/capture.h"
#include "sim/vlan.h"
#include "topo/live.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

typedef LIST_OF(const struct topo_nic *) nic_list;

static void put_drops(FILE *f, const struct port_stats *s)
{
    const char *before = "";
    if (!port_stats_dropped(s))
        return;
    fprintf(f, "      dropped %llu: ", (unsigned long long)port_stats_dropped(s));
    for (int i = 0; i < DROP_KINDS; i++) {
        if (!s->drops[i])
            continue;
        fprintf(f, "%s%llu %s", before, (unsigned long long)s->drops[i], port_drop_names[i]);
        before = "; ";
    }
    fputc('\n', f);
}

static void put_counters(FILE *f, const struct port_stats *s)
{
    fprintf(f, "      tx %llu frames %llu bytes, rx %llu frames %llu bytes\n",
            (unsigned long long)s->tx_frames, (unsigned long long)s->tx_bytes,
            (unsigned long long)s->rx_frames, (unsigned long long)s->rx_bytes);
    put_drops(f, s);
}

static void put_nic(FILE *f, const struct topo_nic *n)
{
    const uint8_t *m = n->mac;
    fprintf(f, "  %-16s nic %s %02x:%02x:%02x:%02x:%02x:%02x, link %s\n", n->port->name, n->model,
            m[0], m[1], m[2], m[3], m[4], m[5], n->port->up ? "up" : "down");
    put_counters(f, &n->port->stats);
}

static const char *link_text(const struct uplink_port *p)
{
    if (p->uplink->switched_off)
        return "down";
    return p->carrier ? "up" : "down (no carrier)";
}

char *live_describe(const struct topo_uplink *u)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (u->built->ops->describe)
        u->built->ops->describe(u->built, f);
    if (u->built->refused)
        fprintf(f, "%s%llu refused", u->built->ops->describe ? ", " : "",
                (unsigned long long)u->built->refused);
    fclose(f);
    return uplink_answer(u->built, text);
}

/* One port of the uplink's own name stands in its line; those of peers have lines of their own. */
static void put_uplink(FILE *f, const struct topo_uplink *u)
{
    const struct uplink_port *p = u->built->ports;
    bool single = p && !p->next && strcmp(p->port.name, u->object.name) == 0;
    char *text = live_describe(u);
    fprintf(f, "  %-16s %s%s%s", u->object.name, schemas[u->object.kind]->name,
            text && *text ? " " : "", text ? text : "");
    free(text);
    if (single)
        fprintf(f, ", link %s\n", link_text(p));
    else
        fputs(p ? "\n" : ", no peer\n", f);
    for (; p; p = p->next) {
        if (!single)
            fprintf(f, "    %s, link %s\n", p->port.name, link_text(p));
        put_counters(f, &p->port.stats);
    }
    if (!u->built->n_gone)
        return;
    fprintf(f, "    %u peers that have left\n", u->built->n_gone);
    put_counters(f, &u->built->gone);
}

static uint32_t vlan_number(const struct topo_nic *n)
{
    return n->port->vlan ? n->port->vlan->id : UINT32_MAX;
}

/* By VLAN, those on none at the end, and in order of creation. */
static int nics_compare(const void *a, const void *b)
{
    const struct topo_nic *x = *(const struct topo_nic *const *)a;
    const struct topo_nic *y = *(const struct topo_nic *const *)b;
    uint32_t vx = vlan_number(x), vy = vlan_number(y);
    if (vx != vy)
        return vx < vy ? -1 : 1;
    return x->port->id < y->port->id ? -1 : 1;
}

static nic_list nics_sorted(const struct topo *t)
{
    nic_list all = {0};
    for (size_t i = 0; i < t->guests.n; i++) {
        const struct topo_guest *g = (struct topo_guest *)t->guests.items[i];
        for (size_t k = 0; k < g->nics.n; k++)
            list_push(&all, (const struct topo_nic *)g->nics.items[k]);
    }
    if (all.n)
        qsort(all.items, all.n, sizeof(*all.items), nics_compare);
    return all;
}

static void put_patch_end(FILE *f, const struct port *p)
{
    fprintf(f, "  %-16s patch, link %s\n", p->name, p->up ? "up" : "down");
    put_counters(f, &p->stats);
}

/* What is on a VLAN (NULL: on none), of NICs from *next on. */
static void put_members(FILE *f, const struct topo *t, const struct vlan *v, const nic_list *nics,
                        size_t *next)
{
    for (; *next < nics->n && nics->items[*next]->port->vlan == v; ++*next)
        put_nic(f, nics->items[*next]);
    for (size_t i = 0; i < t->uplinks.n; i++) {
        const struct topo_uplink *u = (struct topo_uplink *)t->uplinks.items[i];
        if (u->built && u->built->vlan == v)
            put_uplink(f, u);
    }
    for (size_t i = 0; v && i < t->patches.n; i++) {
        const struct patch *p = ((struct topo_patch *)t->patches.items[i])->built;
        for (size_t end = 0; end < ARRAY_LEN(p->ends); end++)
            if (p->ends[end].vlan == v)
                put_patch_end(f, &p->ends[end]);
    }
}

static bool any_without_vlan(const struct topo *t, const nic_list *nics, size_t next)
{
    for (size_t i = 0; i < t->uplinks.n; i++) {
        const struct topo_uplink *u = (struct topo_uplink *)t->uplinks.items[i];
        if (u->built && !u->built->vlan)
            return true;
    }
    return next < nics->n;
}

char *live_info_network(const struct network *n)
{
    const struct topo *t = n->topo;
    nic_list nics = nics_sorted(t);
    size_t next = 0, size;
    char *text = NULL;
    FILE *f = open_memstream(&text, &size);
    for (size_t i = 0; i < t->vlans.n; i++) {
        const struct vlan *v = ((struct topo_vlan *)t->vlans.items[i])->built;
        uint32_t ports = v->n_ports - v->n_gone;
        fprintf(f, "vlan %s (%s): %u port%s, %llu frames\n", v->name,
                v->kind == VLAN_HUB ? "hub" : "switch", ports, ports == 1 ? "" : "s",
                (unsigned long long)v->stats.frames);
        put_members(f, t, v, &nics, &next);
    }
    if (any_without_vlan(t, &nics, next)) {
        fputs("on no VLAN:\n", f);
        put_members(f, t, NULL, &nics, &next);
    }
    fclose(f);
    free(nics.items);
    return text;
}

static void put_capture(FILE *f, const struct topo_capture *c)
{
    char label[128];
    fprintf(f, "%s: ", c->object.name);
    if (!c->points.n)
        fputs("every VLAN", f);
    for (size_t i = 0; i < c->points.n; i++)
        fprintf(f, "%s%s", i ? ", " : "", topo_label(c->points.items[i], label, sizeof(label)));
    if (c->filter)
        fprintf(f, "; filter \"%s\"", c->filter);
    fprintf(f, "; %llu packets written\n", (unsigned long long)capture_packets(c->open));
}

char *live_info_capture(const struct network *n)
{
    size_t size;
    char *text = NULL;
    FILE *f = open_memstream(&text, &size);
    for (size_t i = 0; i < n->topo->captures.n; i++) {
        const struct topo_capture *c = (struct topo_capture *)n->topo->captures.items[i];
        if (c->open)
            put_capture(f, c);
    }
    fclose(f);
    if (!*text) {
        free(text);
        text = xstrdup("no capture is open\n");
    }
    return text;
}
