/*
 * Ports and their links.
 *
 * A link is two lines, one each way. A frame waits for its line (queue_bytes at most), occupies
 * it for its length at the link's rate, and arrives a delay later; the receiver has it when its
 * last bit has arrived. Simplifications: no half duplex, no pause frames, and a queue is measured
 * by the time its line is still busy, so it holds bytes and not buffers.
 */
#include "sim/port.h"

#include <assert.h>

#include "sim/actor.h"
#include "sim/offload.h"
#include "sim/sim.h"
#include "sim/tap.h"
#include "sim/vlan.h"

const char *const port_drop_names[DROP_KINDS] = {
    [DROP_DOWN] = "link down",
    [DROP_QUEUE_OUT] = "link queue full, towards the VLAN",
    [DROP_QUEUE_IN] = "link queue full, from the VLAN",
    [DROP_HELD] = "receiver had no room",
    [DROP_REFUSED] = "refused by the receiver",
    [DROP_RUNT] = "shorter than an Ethernet header",
    [DROP_GIANT] = "longer than any frame",
    [DROP_MALFORMED] = "offload request makes no sense",
};

/* Bytes on a line besides the frame: preamble 8, FCS 4, interpacket gap 12 (IEEE 802.3, 3.1, 4.4). */
#define LINE_OVERHEAD 24

/* --- rings of arrivals --- */

#define RING_KEPT 64 /* an empty ring this large is given back */

void arrivals_push(struct arrivals *q, struct frame *f, vtime_t at)
{
    if (q->n == q->cap) {
        uint32_t cap = q->cap ? q->cap * 2 : 4;
        struct arrival *ring = xmalloc(cap * sizeof(*ring));
        for (uint32_t i = 0; i < q->n; i++)
            ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
        free(q->ring);
        *q = (struct arrivals){ring, 0, q->n, cap};
    }
    q->ring[(q->head + q->n++) & (q->cap - 1)] = (struct arrival){at, f};
}

struct frame *arrivals_pop(struct arrivals *q)
{
    struct frame *f = q->ring[q->head].frame;

    q->head = (q->head + 1) & (q->cap - 1);
    q->n--;
    return f;
}

/* A broadcast storm must not leave its mark on the memory of a hundred thousand ports. */
static void arrivals_shrink(struct arrivals *q)
{
    if (q->n || q->cap < RING_KEPT)
        return;
    free(q->ring);
    *q = (struct arrivals){0};
}

void arrivals_finish(struct arrivals *q)
{
    while (q->n)
        frame_unref(arrivals_pop(q));
    free(q->ring);
    *q = (struct arrivals){0};
}

/* --- the owner's side --- */

/* Offer a frame to the port; true if it is done with. */
static bool offer(struct port *p, struct frame *f)
{
    uint32_t len = f->len;

    switch (p->ops->rx(p, f)) {
    case PORT_HOLD:
        p->holding = true;
        return false;
    case PORT_DROPPED:
        p->stats.drops[DROP_REFUSED]++;
        return true;
    default:
        p->stats.rx_frames++;
        p->stats.rx_bytes += len;
        return true;
    }
}

/* One frame comes off the line. */
static void arrive(struct port *p, struct frame *f, vtime_t now)
{
    if (!p->up) {
        p->stats.drops[DROP_DOWN]++;
    } else if (p->holding && p->held.n >= PORT_MAX_HELD) {
        p->stats.drops[DROP_HELD]++;
    } else if (p->holding || !offer(p, f)) {
        arrivals_push(&p->held, f, now);
        return;
    }
    frame_unref(f);
}

static void rx_fire(struct event *ev, vtime_t now)
{
    struct port *p = container_of(ev, struct port, rx_event);
    struct arrival *a;

    while (p->held.n && !p->holding && offer(p, p->held.ring[p->held.head].frame))
        frame_unref(arrivals_pop(&p->held));
    while ((a = arrivals_first(&p->inbox)) && a->at <= now)
        arrive(p, arrivals_pop(&p->inbox), now);
    if (a)
        evq_arm(&p->owner->events, ev, a->at);
    arrivals_shrink(&p->inbox);
    arrivals_shrink(&p->held);
}

static void carrier_fire(struct event *ev, vtime_t now)
{
    struct port *p = container_of(ev, struct port, carrier_event);

    (void)now;
    if (p->ops->carrier)
        p->ops->carrier(p, p->up);
}

void port_ready(struct port *p)
{
    if (!p->holding)
        return;
    p->holding = false;
    evq_arm(&p->owner->events, &p->rx_event, MAX(p->owner->now, p->owner->sim->now));
}

/* --- lines --- */

/* Bytes a frame takes on the line: one as it is, or the segments of an offload request. */
static uint64_t line_bytes(const struct frame *f)
{
    uint32_t headers = f->offload.hdr_len, size = f->offload.gso_size;
    uint64_t segments = 1, len = f->len;

    if (f->offload.gso && size && headers && headers < f->len) {
        segments = (f->len - headers + size - 1) / size;
        len = f->len + (segments - 1) * headers;
    }
    return MAX(len, segments * FRAME_MIN_WIRE) + segments * LINE_OVERHEAD;
}

/* Queue for a line at `at`; returns when the last bit is at the other end, or -1: no room. */
static vtime_t line_pass(const struct link *l, vtime_t *busy, const struct frame *f, vtime_t at)
{
    if (!l->rate_bps)
        return at + l->delay_ns;
    if (*busy > at) {
        unsigned __int128 waiting = (unsigned __int128)(*busy - at) * l->rate_bps;
        if (waiting / 8 / NS_PER_SEC > l->queue_bytes)
            return -1;
        at = *busy;
    }
    unsigned __int128 bits = (unsigned __int128)line_bytes(f) * 8 * NS_PER_SEC;
    *busy = at + (vtime_t)((bits + l->rate_bps - 1) / l->rate_bps);
    return *busy + l->delay_ns;
}

vtime_t port_room_at(const struct port *p)
{
    vtime_t now = p->owner->now, drained;

    if (!p->link.rate_bps || p->busy_out <= now)
        return now;
    drained = (vtime_t)((unsigned __int128)p->link.queue_bytes * 8 * NS_PER_SEC / p->link.rate_bps);
    return MAX(now, p->busy_out - drained);
}

/* An infinitely fast line has no queue that could fill: what it takes at once is bounded here. */
static bool burst_fits(struct port *p, const struct frame *f, vtime_t at)
{
    if (p->link.rate_bps)
        return true;
    if (p->burst_at != at / NS_PER_US) {
        p->burst_at = at / NS_PER_US;
        p->burst = 0;
    }
    if (p->burst + f->len > PORT_MAX_BURST)
        return false;
    p->burst += f->len;
    return true;
}

/* Put a frame onto its line, filling in x: DROP_KINDS; or why there is no place for it. */
static enum port_drop line_enter(struct port *p, const struct frame *f, struct sent *x)
{
    vtime_t now = p->owner->now;

    if (!p->up || !p->vlan)
        return DROP_DOWN;
    if (f->len < ETH_HLEN)
        return DROP_RUNT;
    if (f->len > FRAME_MAX_LEN)
        return DROP_GIANT;
    if (offload_is_too_fine(f))
        return DROP_MALFORMED;
    x->begin = MAX(now, p->busy_out);
    x->there = burst_fits(p, f, now) ? line_pass(&p->link, &p->busy_out, f, now) : -1;
    return x->there < 0 ? DROP_QUEUE_OUT : DROP_KINDS;
}

/* What decides about the line changes at barriers only, so this may be done in the owner's run. */
void port_send(struct port *p, struct frame *f)
{
    struct actor *a = p->owner;
    struct sent x = {.port = p, .number = p->n_sent++, .frame = f};
    enum port_drop why;

    p->stats.tx_frames++;
    p->stats.tx_bytes += f->len;
    why = line_enter(p, f, &x);
    if (why != DROP_KINDS) {
        p->stats.drops[why]++;
        frame_unref(f);
        return;
    }
    array_reserve(a->outbox, &a->cap_out, a->n_out + 1);
    a->outbox[a->n_out++] = x;
}

void port_transmit(const struct sent *x)
{
    struct port *p = x->port;

    if (!p->up || !p->vlan) { /* sent outside of a run, and changed before the barrier */
        p->stats.drops[DROP_DOWN]++;
        frame_unref(x->frame);
        return;
    }
    taps_show(p->taps, x->begin, p, TAP_OUT, x->frame);
    vlan_accept(p->vlan, p, x->number, x->frame, x->there);
}

bool port_receive(struct port *p, struct frame *f, vtime_t at)
{
    vtime_t there = p->up ? line_pass(&p->link, &p->busy_in, f, at) : -1;

    if (there < 0) {
        p->stats.drops[p->up ? DROP_QUEUE_IN : DROP_DOWN]++;
        return false;
    }
    if (p->taps)
        vlan_show(p->vlan, p->taps, there, p, TAP_IN, f);
    arrivals_push(&p->inbox, frame_ref(f), there);
    return p->inbox.n == 1;
}

void port_wake(struct port *p)
{
    const struct arrival *first = arrivals_first(&p->inbox);

    if (!event_armed(&p->rx_event) || p->rx_event.at > first->at)
        evq_arm(&p->owner->events, &p->rx_event, first->at);
    actor_due_changed(p->owner);
}

/* --- life --- */

void port_init(struct port *p, const struct port_ops *ops, struct actor *owner, const char *name)
{
    *p = (struct port){.ops = ops, .owner = owner, .name = xstrdup(name), .up = true};
    p->id = owner->sim->next_port_id++;
    event_init(&owner->events, &p->rx_event, rx_fire);
    event_init(&owner->events, &p->carrier_event, carrier_fire);
    event_init(&owner->sim->delays, &p->delay_event, NULL); /* never fires: see sim_lookahead */
    p->prev = owner->last_port;
    *(p->prev ? &p->prev->next : &owner->ports) = p;
    owner->last_port = p;
}

void port_finish(struct port *p)
{
    port_detach(p);
    *(p->prev ? &p->prev->next : &p->owner->ports) = p->next;
    *(p->next ? &p->next->prev : &p->owner->last_port) = p->prev;
    evq_cancel(&p->owner->events, &p->rx_event);
    evq_cancel(&p->owner->events, &p->carrier_event);
    p->stats.drops[DROP_DOWN] += p->inbox.n + p->held.n;
    port_stats_add(&p->owner->sim->gone, &p->stats);
    arrivals_finish(&p->inbox);
    arrivals_finish(&p->held);
    p->holding = false; /* so that a card that is reset after this asks for nothing */
    free(p->name);
}

void port_set_up(struct port *p, bool up)
{
    if (p->up == up)
        return;
    p->up = up;
    evq_arm(&p->owner->events, &p->carrier_event, p->owner->sim->now);
    actor_due_changed(p->owner);
}

void port_stats_add(struct port_stats *sum, const struct port_stats *s)
{
    sum->tx_frames += s->tx_frames;
    sum->tx_bytes += s->tx_bytes;
    sum->rx_frames += s->rx_frames;
    sum->rx_bytes += s->rx_bytes;
    for (unsigned i = 0; i < DROP_KINDS; i++)
        sum->drops[i] += s->drops[i];
}

uint64_t port_stats_dropped(const struct port_stats *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < DROP_KINDS; i++)
        n += s->drops[i];
    return n;
}

void port_attach(struct port *p, struct vlan *v, const struct link *link)
{
    assert(link->delay_ns >= LINK_MIN_DELAY);
    port_detach(p);
    p->vlan = v;
    p->link = *link;
    vlan_add_port(v, p);
    evq_arm(&v->sim->delays, &p->delay_event, link->delay_ns);
}

void port_detach(struct port *p)
{
    struct vlan *v = p->vlan;

    if (!v)
        return;
    vlan_remove_port(v, p);
    evq_cancel(&v->sim->delays, &p->delay_event);
    p->vlan = NULL;
}
