/*
 * VLANs: frames reach them in the order (time, port, number) and are flooded or forwarded.
 *
 * The order is total and does not depend on when frames were handed over, so what a switch
 * learns is the same however a run is cut into windows. Simplifications: no spanning tree, and a
 * hub is a store-and-forward repeater without collisions.
 */
#include "sim/vlan.h"

#include "sim/actor.h"
#include "sim/rng.h"
#include "sim/sim.h"

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

/* A keyed hash: both multiplications spread upwards, so the high half is used. */
static uint32_t fdb_hash(const struct vlan *v, uint64_t mac)
{
    uint64_t h = (mac ^ v->fdb_key) * 0x9e3779b97f4a7c15ULL;

    return (uint32_t)((h ^ h >> 32) * (v->fdb_key | 1) >> 32);
}

/* The entry of a MAC, or the empty one where it would go. */
static struct fdb_entry *fdb_slot(const struct vlan *v, uint64_t mac)
{
    for (uint32_t i = fdb_hash(v, mac);; i++) {
        struct fdb_entry *e = &v->fdb[i & (v->fdb_cap - 1)];
        if (e->mac == mac || e->mac == 0)
            return e;
    }
}

static bool is_fresh(const struct vlan *v, const struct fdb_entry *e, vtime_t now)
{
    return e->mac && (!v->ageing_ns || now - e->seen < v->ageing_ns);
}

/* Build the table anew with `cap` slots, without aged entries and those of ports that have left. */
static void fdb_rebuild(struct vlan *v, uint32_t cap, vtime_t now)
{
    struct fdb_entry *old = v->fdb;
    uint32_t n = v->fdb_cap;

    v->fdb = xcalloc(cap, sizeof(*v->fdb));
    v->fdb_cap = cap;
    v->fdb_n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (is_fresh(v, &old[i], now) && fdb_port(v, &old[i])) {
            *fdb_slot(v, old[i].mac) = old[i];
            v->fdb_n++;
        }
    v->fdb_stale = false;
    free(old);
}

/* Whether to look for entries to throw out of a full table: rarely, because a flood of new addresses
   must not cost the whole table for each frame. */
static bool fdb_may_purge(const struct vlan *v, vtime_t now)
{
    return v->fdb_stale || (v->ageing_ns && now >= v->fdb_purge_at);
}

static void fdb_learn(struct vlan *v, uint64_t mac, struct port *p, vtime_t now)
{
    struct fdb_entry *e = fdb_slot(v, mac);

    if (!e->mac) {
        if (v->fdb_n >= v->fdb_max && fdb_may_purge(v, now)) {
            fdb_rebuild(v, v->fdb_cap, now);
            v->fdb_purge_at = now + v->ageing_ns / 16;
        }
        if (v->fdb_n >= v->fdb_max) {
            v->stats.fdb_full++;
            return;
        }
        if (v->fdb_n * 2 >= v->fdb_cap)
            fdb_rebuild(v, v->fdb_cap * 2, now);
        e = fdb_slot(v, mac);
        v->fdb_n++;
    }
    *e = (struct fdb_entry){mac, p->id, p->vlan_slot, now};
}

static struct port *fdb_find(const struct vlan *v, uint64_t mac, vtime_t now)
{
    const struct fdb_entry *e = fdb_slot(v, mac);

    return is_fresh(v, e, now) ? fdb_port(v, e) : NULL;
}

/* --- forwarding --- */

static void hand_to(struct vlan *v, struct port *to, const struct passage *x)
{
    v->stats.copies++;
    if (!port_receive(to, x->frame, x->at))
        return;
    array_reserve(v->woken, &v->cap_woken, v->n_woken + 1);
    v->woken[v->n_woken++] = to;
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

void vlan_show(struct vlan *v, struct tap *taps, vtime_t at, struct port *p, enum tap_dir dir,
               struct frame *f)
{
    if (!v->elsewhere) {
        taps_show(taps, at, p, dir, f);
        return;
    }
    array_reserve(v->glimpses, &v->cap_glimpses, v->n_glimpses + 1);
    v->glimpses[v->n_glimpses++] = (struct glimpse){taps, at, p, frame_ref(f), dir};
}

/* What was handed over since takes its place in the order. */
static void settle(struct vlan *v)
{
    for (uint32_t i = 0; i < v->n_fresh; i++)
        passage_push(v, v->fresh[i]);
    v->n_fresh = 0;
}

void vlan_process(struct vlan *v, vtime_t horizon, bool elsewhere)
{
    v->elsewhere = elsewhere;
    settle(v);
    while (v->n_heap && v->heap[0].at < horizon) {
        struct passage x = passage_pop(v);
        v->stats.frames++;
        x.from->under_way--;
        if (v->taps)
            vlan_show(v, v->taps, x.at, x.from, TAP_VLAN, x.frame);
        if (v->kind == VLAN_HUB)
            flood(v, &x);
        else
            forward(v, &x);
        frame_unref(x.frame);
    }
}

void vlan_processed(struct vlan *v)
{
    v->elsewhere = false;
    for (uint32_t i = 0; i < v->n_woken; i++)
        port_wake(v->woken[i]);
    v->n_woken = 0;
    for (uint32_t i = 0; i < v->n_glimpses; i++) {
        struct glimpse *g = &v->glimpses[i];
        taps_show(g->taps, g->at, g->port, g->dir, g->frame);
        frame_unref(g->frame);
    }
    v->n_glimpses = 0;
    if (v->n_heap)
        evq_arm(&v->sim->vlans_due, &v->due, v->heap[0].at);
    else
        evq_cancel(&v->sim->vlans_due, &v->due);
}

void vlan_accept(struct vlan *v, struct port *from, uint64_t number, struct frame *f, vtime_t at)
{
    array_reserve(v->fresh, &v->cap_fresh, v->n_fresh + 1);
    v->fresh[v->n_fresh++] = (struct passage){at, from, number, f};
    from->under_way++;
    if (!event_armed(&v->due) || at < v->due.at)
        evq_arm(&v->sim->vlans_due, &v->due, at);
}

/* --- ports come and go --- */

void vlan_add_port(struct vlan *v, struct port *p)
{
    array_reserve(v->ports, &v->cap_ports, v->n_ports + 1);
    p->vlan_slot = v->n_ports;
    v->ports[v->n_ports++] = p;
}

/* The table goes by places in the array: follow the ports to their new ones. */
static void fdb_follow(struct vlan *v)
{
    fdb_rebuild(v, v->fdb_cap, v->sim->now); /* without those of ports that have left */
    for (uint32_t i = 0; i < v->fdb_cap; i++)
        if (v->fdb[i].mac)
            v->fdb[i].port_slot = fdb_port(v, &v->fdb[i])->vlan_slot;
}

/* Close the gaps once they are half of the array; the order of the rest is kept. */
static void compact(struct vlan *v)
{
    uint32_t n = 0;

    if (v->n_gone * 2 < v->n_ports)
        return;
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i])
            v->ports[i]->vlan_slot = n++;
    fdb_follow(v);
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i])
            v->ports[v->ports[i]->vlan_slot] = v->ports[i];
    v->n_ports = n;
    v->n_gone = 0;
}

/* Lose what a leaving port has under way. */
static void drop_under_way(struct vlan *v, struct port *p)
{
    settle(v);
    struct passage *all = v->heap;
    uint32_t n = v->n_heap;

    v->heap = NULL;
    v->n_heap = v->cap_heap = 0;
    for (uint32_t i = 0; i < n; i++)
        if (all[i].from != p) {
            passage_push(v, all[i]);
        } else {
            p->stats.drops[DROP_DOWN]++;
            frame_unref(all[i].frame);
        }
    free(all);
    p->under_way = 0;
    vlan_processed(v); /* when it is due may have changed */
}

void vlan_remove_port(struct vlan *v, struct port *p)
{
    if (p->under_way)
        drop_under_way(v, p);
    v->ports[p->vlan_slot] = NULL;
    v->fdb_stale = v->fdb_n > 0;
    v->n_gone++;
    compact(v);
}

/* --- life --- */

struct vlan *vlan_create(struct sim *s, const char *name, enum vlan_kind kind)
{
    struct vlan *v = xcalloc(1, sizeof(*v));
    struct rng key;

    v->name = xstrdup(name);
    v->kind = kind;
    v->sim = s;
    v->id = s->n_vlans;
    v->ageing_ns = VLAN_DEFAULT_AGEING;
    v->link = (struct link){LINK_DEFAULT_DELAY, LINK_DEFAULT_RATE, LINK_DEFAULT_QUEUE};
    v->fdb_max = VLAN_DEFAULT_FDB;
    v->fdb_cap = 16;
    v->fdb = xcalloc(v->fdb_cap, sizeof(*v->fdb));
    rng_init(&key, s->options.seed, name);
    v->fdb_key = rng_next(&key);
    event_init(&s->vlans_due, &v->due, NULL); /* never fires: see window.c */
    array_reserve(s->vlans, &s->cap_vlans, s->n_vlans + 1);
    s->vlans[s->n_vlans++] = v;
    return v;
}

void vlan_destroy(struct vlan *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; i < v->n_ports; i++)
        if (v->ports[i]) {
            evq_cancel(&v->sim->delays, &v->ports[i]->delay_event);
            v->ports[i]->vlan = NULL;
            v->ports[i]->under_way = 0;
        }
    evq_cancel(&v->sim->vlans_due, &v->due);
    v->sim->vlans[v->id] = NULL;
    for (uint32_t i = 0; i < v->n_fresh; i++)
        frame_unref(v->fresh[i].frame);
    for (uint32_t i = 0; i < v->n_heap; i++)
        frame_unref(v->heap[i].frame);
    free(v->heap);
    free(v->fresh);
    free(v->woken);
    free(v->glimpses);
    free(v->ports);
    free(v->fdb);
    free(v->name);
    free(v);
}
