/*
 * VLANs: frames reach them in the order (time, port, number) and are flooded or forwarded.
 *
 * The order is total and does not depend on when frames were handed over, so what a switch
 * learns is the same however a run is cut into windows. Simplifications: no spanning tree, and a
 * hub is a store-and-forward repeater without collisions.
 */
#include "sim/vlan.h"

#include "sim/actor.h"
#include "sim/sim.h"
#include "sim/tap.h"

/* --- frames on their way: a heap --- */

static bool before(const struct passage *a, const struct passage *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    if (a->from->id != b->from->id)
        return a->from->id < b->from->id;
    return a->number < b->number;
}

static void passage_push(struct vlan *v, struct passage x)
{
    array_reserve(v->heap, &v->cap_heap, v->n_heap + 1);
    uint32_t i = v->n_heap++;
    for (; i > 0 && before(&x, &v->heap[(i - 1) / 2]); i = (i - 1) / 2)
        v->heap[i] = v->heap[(i - 1) / 2];
    v->heap[i] = x;
}

static struct passage passage_pop(struct vlan *v)
{
    struct passage top = v->heap[0], x = v->heap[--v->n_heap];
    uint32_t i = 0;

    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= v->n_heap)
            break;
        if (child + 1 < v->n_heap && before(&v->heap[child + 1], &v->heap[child]))
            child++;
        if (!before(&v->heap[child], &x))
            break;
        v->heap[i] = v->heap[child];
        i = child;
    }
    v->heap[i] = x;
    return top;
}

/* --- the filtering database (802.1D-2004, 7.9): open addressing with linear probing --- */

static uint64_t mac_value(const uint8_t *mac)
{
    return (uint64_t)load_be16(mac) << 32 | load_be32(mac + 2);
}

/* The entry of a MAC, or the empty one where it would go. */
static struct fdb_entry *fdb_slot(const struct vlan *v, uint64_t mac)
{
    uint32_t i = (uint32_t)(mac * 0x9e3779b97f4a7c15ULL >> 32);

    for (;; i++) {
        struct fdb_entry *e = &v->fdb[i & (v->fdb_cap - 1)];
        if (e->mac == mac || e->mac == 0)
            return e;
    }
}

static bool fresh(const struct vlan *v, const struct fdb_entry *e, vtime_t now)
{
    return e->mac && (!v->ageing_ns || now - e->seen < v->ageing_ns);
}

/* Build the table anew with `cap` slots, without the aged entries and those of `gone`. */
static void fdb_rebuild(struct vlan *v, uint32_t cap, const struct port *gone, vtime_t now)
{
    struct fdb_entry *old = v->fdb;
    uint32_t n = v->fdb_cap;

    v->fdb = xcalloc(cap, sizeof(*v->fdb));
    v->fdb_cap = cap;
    v->fdb_n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (old[i].port != gone && fresh(v, &old[i], now)) {
            *fdb_slot(v, old[i].mac) = old[i];
            v->fdb_n++;
        }
    free(old);
}

static void fdb_learn(struct vlan *v, uint64_t mac, struct port *p, vtime_t now)
{
    struct fdb_entry *e = fdb_slot(v, mac);

    if (!e->mac) {
        if (v->fdb_n >= v->fdb_max && v->ageing_ns && now >= v->fdb_purge_at) {
            /* Rarely: a flood of new addresses must not cost the whole table for each frame. */
            fdb_rebuild(v, v->fdb_cap, NULL, now);
            v->fdb_purge_at = now + v->ageing_ns / 16;
        }
        if (v->fdb_n >= v->fdb_max) {
            v->stats.fdb_full++;
            return;
        }
        if (v->fdb_n * 2 >= v->fdb_cap)
            fdb_rebuild(v, v->fdb_cap * 2, NULL, now);
        e = fdb_slot(v, mac);
        v->fdb_n++;
    }
    *e = (struct fdb_entry){mac, p, now};
}

static struct port *fdb_find(const struct vlan *v, uint64_t mac, vtime_t now)
{
    const struct fdb_entry *e = fdb_slot(v, mac);

    return fresh(v, e, now) ? e->port : NULL;
}

/* --- forwarding --- */

static void hand_to(struct vlan *v, struct port *to, const struct passage *x)
{
    v->stats.copies++;
    port_receive(to, x->frame, x->at);
}

static void flood(struct vlan *v, const struct passage *x)
{
    v->stats.flooded++;
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i] && v->ports[i] != x->from)
            hand_to(v, v->ports[i], x);
}

/* 01:80:c2:00:00:00 to :0f never leave a bridge (802.1D-2004, 7.12.6). */
static bool is_reserved(uint64_t mac)
{
    return mac >> 4 == 0x0180c200000;
}

static void forward(struct vlan *v, const struct passage *x)
{
    uint64_t to = mac_value(x->frame->data), from = mac_value(x->frame->data + ETH_ALEN);

    if (from && !eth_is_multicast(x->frame->data + ETH_ALEN))
        fdb_learn(v, from, x->from, x->at);
    if (is_reserved(to)) {
        v->stats.reserved++;
        return;
    }
    struct port *p = eth_is_multicast(x->frame->data) ? NULL : fdb_find(v, to, x->at);
    if (!p)
        flood(v, x);
    else if (p != x->from)
        hand_to(v, p, x);
    else
        v->stats.filtered++;
}

void vlan_process(struct vlan *v, vtime_t horizon)
{
    while (v->n_heap && v->heap[0].at < horizon) {
        struct passage x = passage_pop(v);
        v->stats.frames++;
        taps_show(v->taps, x.at, x.from, TAP_VLAN, x.frame);
        if (v->kind == VLAN_HUB)
            flood(v, &x);
        else
            forward(v, &x);
        frame_unref(x.frame);
    }
}

void vlan_accept(struct vlan *v, struct port *from, uint64_t number, struct frame *f, vtime_t at)
{
    passage_push(v, (struct passage){at, from, number, frame_ref(f)});
    sim_vlan_busy(v->sim, v);
}

/* --- ports come and go --- */

void vlan_add_port(struct vlan *v, struct port *p)
{
    array_reserve(v->ports, &v->cap_ports, v->n_ports + 1);
    p->vlan_slot = v->n_ports;
    v->ports[v->n_ports++] = p;
}

/* Close the gaps once they are half of the array; the order of the rest is kept. */
static void compact(struct vlan *v)
{
    uint32_t n = 0;

    if (v->n_gone * 2 < v->n_ports)
        return;
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i]) {
            v->ports[i]->vlan_slot = n;
            v->ports[n++] = v->ports[i];
        }
    v->n_ports = n;
    v->n_gone = 0;
}

void vlan_remove_port(struct vlan *v, struct port *p)
{
    struct passage *under_way = v->heap;
    uint32_t n = v->n_heap;

    v->heap = NULL;
    v->n_heap = v->cap_heap = 0;
    for (uint32_t i = 0; i < n; i++)
        if (under_way[i].from != p) {
            passage_push(v, under_way[i]);
        } else {
            p->stats.drops[DROP_DOWN]++;
            frame_unref(under_way[i].frame);
        }
    free(under_way);

    if (v->fdb_n)
        fdb_rebuild(v, v->fdb_cap, p, v->sim->now);
    v->ports[p->vlan_slot] = NULL;
    v->n_gone++;
    compact(v);
}

/* --- life --- */

struct vlan *vlan_create(struct sim *s, const char *name, enum vlan_kind kind)
{
    struct vlan *v = xcalloc(1, sizeof(*v));

    v->name = xstrdup(name);
    v->kind = kind;
    v->sim = s;
    v->id = s->n_vlans;
    v->ageing_ns = VLAN_DEFAULT_AGEING;
    v->link = (struct link){LINK_DEFAULT_DELAY, LINK_DEFAULT_RATE, LINK_DEFAULT_QUEUE};
    v->fdb_max = VLAN_DEFAULT_FDB;
    v->fdb_cap = 16;
    v->fdb = xcalloc(v->fdb_cap, sizeof(*v->fdb));
    array_reserve(s->vlans, &s->cap_vlans, s->n_vlans + 1);
    s->vlans[s->n_vlans++] = v;
    return v;
}

void vlan_destroy(struct vlan *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i])
            v->ports[i]->vlan = NULL;
    sim_vlan_gone(v->sim, v);
    while (v->n_heap)
        frame_unref(passage_pop(v).frame);
    free(v->heap);
    free(v->ports);
    free(v->fdb);
    free(v->name);
    free(v);
}
