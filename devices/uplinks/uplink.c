/*
 * What all uplinks share: frames wait for a barrier, get its time, and enter as their line has
 * room.
 *
 *     loop       uplink_receive -> received
 *     barrier    admit: received -> admitted, each with the time; segments of TCP joined
 *     run        incoming: admitted -> port_send, as fast as the line takes them; noted here
 *
 * When a recording is played, its entries are admitted, each with the time at which it was noted.
 *
 *     INLET_FRAME    port u32 | flags u8 | gso u8 | csum_start u16 | csum_offset u16 |
 *                    gso_size u16 | hdr_len u16 | bytes
 *     INLET_CARRIER  port u32 | up u8
 *     INLET_JOIN     port u32 | carrier u8 | name
 *     INLET_LEAVE    port u32 | 0 u8
 *     INLET_READY    port u32 | 0 u8
 *     INLET_VERDICT  port u32 | verdict u8 | number of the frame that was offered u64
 */
#include "devices/uplinks/uplink.h"

#include <assert.h>

#include "devices/device.h"
#include "devices/uplinks/coalesce.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define FRAME_ENTRY 14 /* bytes before a frame's own */
#define VERDICT_ENTRY 13

enum { NEEDS_CSUM = 1, CSUM_VALID = 2, ECN = 4 };

/* --- queues --- */

static void queue_push(struct uplink_queue *q, struct frame *f, vtime_t at)
{
    q->bytes += f->len;
    arrivals_push(&q->frames, f, at);
}

static struct frame *queue_pop(struct uplink_queue *q)
{
    struct frame *f = arrivals_pop(&q->frames);

    q->bytes -= f->len;
    return f;
}

static bool queued_enough(const struct uplink_port *p)
{
    return p->received.bytes + p->admitted.bytes >= UPLINK_MAX_QUEUED;
}

/* --- entries --- */

static void note_frame(struct uplink_port *p, const struct frame *f, vtime_t at)
{
    struct uplink *u = p->uplink;
    const struct frame_offload *o = &f->offload;

    if (!u->actor.sim->recording)
        return;
    uint8_t *e = xmalloc(FRAME_ENTRY + f->len);
    store_le32(e, p->number);
    e[4] = (uint8_t)((o->needs_csum ? NEEDS_CSUM : 0) | (o->csum_valid ? CSUM_VALID : 0) |
                     (o->ecn ? ECN : 0));
    e[5] = o->gso;
    store_le16(e + 6, o->csum_start);
    store_le16(e + 8, o->csum_offset);
    store_le16(e + 10, o->gso_size);
    store_le16(e + 12, o->hdr_len);
    memcpy(e + FRAME_ENTRY, f->data, f->len);
    inlet_note(&u->inlet, INLET_FRAME, at, e, FRAME_ENTRY + f->len);
    free(e);
}

/* An entry of a port: its number, a byte, and a name if there is one. */
static void note_port(struct uplink_port *p, uint8_t kind, uint8_t what, const char *name)
{
    struct uplink *u = p->uplink;
    size_t len = name ? strlen(name) : 0;
    uint8_t *e = xmalloc(5 + len);

    store_le32(e, p->number);
    e[4] = what;
    if (len)
        memcpy(e + 5, name, len);
    if (u->admitting)
        inlet_note(&u->inlet, kind, u->actor.sim->now, e, 5 + len);
    free(e);
}

static void note_verdict(struct uplink_port *p, enum port_verdict v)
{
    uint8_t e[VERDICT_ENTRY];

    store_le32(e, p->number);
    e[4] = (uint8_t)v;
    store_le64(e + 5, p->n_offered);
    inlet_note(&p->uplink->inlet, INLET_VERDICT, p->uplink->actor.now, e, sizeof(e));
}

static struct frame *frame_of_entry(const uint8_t *e, size_t len)
{
    struct frame *f = frame_from(e + FRAME_ENTRY, (uint32_t)(len - FRAME_ENTRY));

    f->offload = (struct frame_offload){
        .needs_csum = e[4] & NEEDS_CSUM,
        .csum_valid = e[4] & CSUM_VALID,
        .ecn = e[4] & ECN,
        .gso = e[5],
        .csum_start = load_le16(e + 6),
        .csum_offset = load_le16(e + 8),
        .gso_size = load_le16(e + 10),
        .hdr_len = load_le16(e + 12),
    };
    return f;
}

/* --- frames from outside --- */

/* Arms the port's event, at a barrier. */
static void incoming_arm(struct uplink_port *p, vtime_t at)
{
    evq_arm(&p->uplink->actor.events, &p->incoming, at);
    actor_due_changed(&p->uplink->actor);
}

static void enter(struct uplink_port *p, struct frame *f)
{
    if (!p->uplink->ops->exact)
        note_frame(p, f, p->uplink->actor.now);
    port_send(&p->port, f);
    p->clear_at = MAX(p->uplink->actor.now, p->port.busy_out) + p->port.link.delay_ns + 1;
}

static void incoming_fire(struct event *ev, vtime_t now)
{
    struct uplink_port *p = container_of(ev, struct uplink_port, incoming);
    struct uplink *u = p->uplink;
    const struct arrival *a;
    vtime_t when = now;

    while ((a = arrivals_first(&p->admitted.frames))) {
        when = u->ops->direct ? a->at : MAX(a->at, port_room_at(&p->port));
        if (when > now)
            break;
        enter(p, queue_pop(&p->admitted));
    }
    if (!a && p->leaving) {
        when = p->clear_at;
        if (now >= when)
            inlet_poke(&u->inlet);
    }
    if (when > now)
        evq_arm(&u->actor.events, ev, when);
    if (p->full && !queued_enough(p)) {
        p->full = false;
        if (u->ops->room && !p->leaving)
            u->ops->room(p);
    }
}

bool uplink_receive(struct uplink_port *p, struct frame *f)
{
    if (f->len < ETH_HLEN || f->len > FRAME_MAX_LEN) {
        p->uplink->refused++;
        device_warnings++;
        frame_unref(f);
        return !p->full;
    }
    frame_pad(f);
    queue_push(&p->received, f, 0);
    inlet_poke(&p->uplink->inlet);
    p->full = queued_enough(p);
    return !p->full;
}

void uplink_send(struct uplink_port *p, struct frame *f)
{
    enter(p, f);
}

static void admit_frame(void *opaque, struct frame *f)
{
    struct uplink_port *p = opaque;

    queue_push(&p->admitted, f, p->uplink->actor.sim->now);
}

static void admit_frames(struct uplink_port *p)
{
    struct coalesce c = {.emit = admit_frame, .opaque = p};

    if (!p->received.frames.n)
        return;
    while (p->received.frames.n)
        coalesce_add(&c, queue_pop(&p->received));
    coalesce_flush(&c);
    incoming_arm(p, p->uplink->actor.sim->now);
}

/* --- frames to outside --- */

static enum port_verdict played_verdict(struct uplink_port *p)
{
    struct uplink_verdict v = {p->n_offered, PORT_TAKEN};

    if (p->n_verdicts && p->verdicts[0].number == p->n_offered) {
        v = p->verdicts[0];
        memmove(p->verdicts, p->verdicts + 1, --p->n_verdicts * sizeof(*p->verdicts));
    }
    return v.verdict;
}

static enum port_verdict uplink_rx(struct port *port, struct frame *f)
{
    struct uplink_port *p = container_of(port, struct uplink_port, port);
    struct uplink *u = p->uplink;
    enum port_verdict v = PORT_DROPPED;

    if (u->stands_in)
        v = played_verdict(p);
    else if (!p->leaving)
        v = u->ops->send(p, f);
    if (v != PORT_TAKEN && !u->ops->exact)
        note_verdict(p, v);
    p->n_offered++;
    return v;
}

void uplink_ready(struct uplink_port *p)
{
    if (p->port.holding)
        note_port(p, INLET_READY, 0, NULL);
    port_ready(&p->port);
    actor_due_changed(&p->uplink->actor);
}

/* --- ports --- */

static void update_up(struct uplink_port *p)
{
    port_set_up(&p->port, p->carrier && !p->uplink->switched_off);
}

static void relay(struct tap *t, vtime_t at, struct port *port, enum tap_dir dir, struct frame *f)
{
    taps_show(container_of(t, struct uplink_port, tap)->uplink->taps, at, port, dir, f);
}

struct uplink_port *uplink_join(struct uplink *u, const char *name, bool carrier)
{
    static const struct port_ops port_ops = {.kind = "uplink", .rx = uplink_rx};
    struct uplink_port *p = xcalloc(1, sizeof(*p)), **end = &u->ports;

    port_init(&p->port, &port_ops, &u->actor, name ? name : u->actor.name);
    event_init(&u->actor.events, &p->incoming, incoming_fire);
    p->uplink = u;
    p->number = u->next_number++;
    p->tap.seen = relay;
    tap_add(&p->port.taps, &p->tap);
    while (*end)
        end = &(*end)->next;
    *end = p;
    note_port(p, INLET_JOIN, carrier, p->port.name);
    if (u->vlan)
        port_attach(&p->port, u->vlan, &u->link);
    p->carrier = carrier;
    update_up(p);
    return p;
}

static void port_free(struct uplink_port *p)
{
    struct uplink_port **at = &p->uplink->ports;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    evq_cancel(&p->uplink->actor.events, &p->incoming);
    arrivals_finish(&p->received.frames);
    arrivals_finish(&p->admitted.frames);
    free(p->verdicts);
    port_finish(&p->port);
    port_stats_add(&p->uplink->gone, &p->port.stats);
    p->uplink->n_gone++;
    free(p);
}

void uplink_leave(struct uplink_port *p)
{
    p->leaving = true;
    p->peer = NULL;
    uplink_ready(p); /* what it holds is for nobody */
    incoming_arm(p, MAX(p->clear_at, p->uplink->actor.sim->now));
}

/* Those that have left, and whose frames have all passed. */
static void admit_leaves(struct uplink *u)
{
    for (struct uplink_port *p = u->ports, *next; p; p = next) {
        next = p->next;
        if (!p->leaving || p->admitted.frames.n || u->actor.sim->now < p->clear_at)
            continue;
        note_port(p, INLET_LEAVE, 0, NULL);
        port_free(p);
    }
    actor_due_changed(&u->actor);
}

void uplink_carrier(struct uplink_port *p, bool up)
{
    if (p->carrier == up)
        return;
    p->carrier = up;
    note_port(p, INLET_CARRIER, up, NULL);
    update_up(p);
}

/* --- barriers --- */

void uplink_poke(struct uplink *u)
{
    inlet_poke(&u->inlet);
}

static void admit(struct inlet *in)
{
    struct uplink *u = container_of(in, struct uplink, inlet);

    u->admitting = true;
    for (struct uplink_port *p = u->ports; p; p = p->next)
        admit_frames(p);
    if (u->ops->woken)
        u->ops->woken(u);
    admit_leaves(u);
    u->admitting = false;
}

static void play_port(struct uplink *u, struct uplink_port *p, uint8_t kind, const uint8_t *e,
                      size_t len)
{
    if (kind == INLET_JOIN) {
        char *name = xstrndup((const char *)e + 5, len - 5);
        uplink_join(u, name, e[4]);
        free(name);
    } else if (p && kind == INLET_CARRIER) {
        uplink_carrier(p, e[4]);
    } else if (p && kind == INLET_READY) {
        uplink_ready(p);
    } else if (p && kind == INLET_LEAVE) {
        port_free(p);
        actor_due_changed(&u->actor);
    }
}

/* What frame.h promises of a request; the rest is looked at by whoever carries it out. */
static bool offload_is_sound(const uint8_t *e)
{
    return e[5] == FRAME_GSO_NONE || (e[5] <= FRAME_GSO_TCPV6 && load_le16(e + 10) > 0);
}

static void play_frame(struct uplink_port *p, vtime_t at, const uint8_t *e, size_t len)
{
    if (len < FRAME_ENTRY + ETH_HLEN || len > FRAME_ENTRY + FRAME_MAX_LEN || !offload_is_sound(e))
        return;
    queue_push(&p->admitted, frame_of_entry(e, len), at);
    if (!event_armed(&p->incoming))
        incoming_arm(p, MAX(at, p->uplink->actor.sim->now));
}

static void play_verdict(struct uplink_port *p, const uint8_t *e, size_t len)
{
    if (len != VERDICT_ENTRY || (e[4] != PORT_HOLD && e[4] != PORT_DROPPED))
        return;
    array_reserve(p->verdicts, &p->cap_verdicts, p->n_verdicts + 1);
    p->verdicts[p->n_verdicts++] =
        (struct uplink_verdict){load_le64(e + 5), (enum port_verdict)e[4]};
}

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *e, size_t len)
{
    struct uplink *u = container_of(in, struct uplink, inlet);
    struct uplink_port *p = u->ports;

    if (len < 5 || !u->stands_in)
        return;
    while (p && p->number != load_le32(e))
        p = p->next;
    if (kind >= INLET_BARRIER)
        play_port(u, p, kind, e, len);
    else if (p && kind == INLET_FRAME)
        play_frame(p, at, e, len);
    else if (p && kind == INLET_VERDICT)
        play_verdict(p, e, len);
}

static const struct inlet_ops uplink_inlet_ops = {.admit = admit, .play = play};

char *uplink_answer(struct uplink *u, char *live)
{
    return inlet_answer(&u->inlet, live);
}

/* --- life --- */

void uplink_init(struct uplink *u, const struct uplink_ops *ops, struct sim *s, const char *name)
{
    /* What uplinks call, and the loop that calls them, belong to the main thread. */
    static const struct actor_ops actor_ops = {.kind = "uplink", .main_thread = true};

    u->ops = ops;
    actor_init(&u->actor, &actor_ops, s, name);
    inlet_init(&u->inlet, &uplink_inlet_ops, s);
}

void uplink_attach(struct uplink *u, struct vlan *v, const struct link *link)
{
    u->vlan = v;
    if (link)
        u->link = *link;
    for (struct uplink_port *p = u->ports; p; p = p->next) {
        if (v)
            port_attach(&p->port, v, &u->link);
        else
            port_detach(&p->port);
    }
}

void uplink_set_up(struct uplink *u, bool up)
{
    u->switched_off = !up;
    for (struct uplink_port *p = u->ports; p; p = p->next)
        update_up(p);
}

struct port_stats uplink_counters(const struct uplink *u)
{
    struct port_stats sum = u->gone;

    for (const struct uplink_port *p = u->ports; p; p = p->next)
        port_stats_add(&sum, &p->port.stats);
    return sum;
}

static void nothing_to_close(struct uplink *u)
{
    (void)u;
}

struct uplink *uplink_stand_in(struct sim *s, const char *name, enum uplink_start start)
{
    /* Direct: what waited for room has the time at which it had it. */
    static const struct uplink_ops ops = {
        .kind = "recording", .close = nothing_to_close, .direct = true};
    struct uplink *u = xcalloc(1, sizeof(*u));

    uplink_init(u, &ops, s, name);
    u->stands_in = true;
    if (start != UPLINK_NO_PORT)
        uplink_join(u, NULL, start == UPLINK_UP);
    return u;
}

void uplink_destroy(struct uplink *u)
{
    if (!u)
        return;
    u->ops->close(u);
    while (u->ports)
        port_free(u->ports);
    inlet_finish(&u->inlet);
    actor_finish(&u->actor);
    free(u);
}
