/* The engine tests' network. */
#include "rig.h"

struct rig_plan {
    struct event event;
    struct talker *talker;
    uint8_t to, mark;
    uint32_t len;
    struct rig_plan *next;
};

static struct frame *make(uint8_t from, uint8_t to, uint32_t len, uint8_t mark)
{
    struct frame *f = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    memset(f->data, 0, f->cap);
    memcpy(f->data, (uint8_t[]){2, 0, 0, 0, 0, to}, ETH_ALEN);
    if (to == 0xff)
        memset(f->data, 0xff, ETH_ALEN);
    memcpy(f->data + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, from}, ETH_ALEN);
    if (len > ETH_HLEN)
        f->data[ETH_HLEN] = mark;
    f->len = len;
    return f;
}

void rig_send(struct talker *t, uint8_t to, uint32_t len, uint8_t mark)
{
    port_send(&t->port, make(t->number, to, len, mark));
}

static void plan_fire(struct event *ev, vtime_t now)
{
    struct rig_plan *p = container_of(ev, struct rig_plan, event);

    (void)now;
    rig_send(p->talker, p->to, p->len, p->mark);
}

void rig_send_at(struct talker *t, vtime_t at, uint8_t to, uint32_t len, uint8_t mark)
{
    struct rig_plan *p = xcalloc(1, sizeof(*p));

    event_init(&t->actor.events, &p->event, plan_fire);
    p->talker = t;
    p->to = to;
    p->len = len;
    p->mark = mark;
    p->next = t->plans;
    t->plans = p;
    evq_arm(&t->actor.events, &p->event, at);
    actor_due_changed(&t->actor);
}

static enum port_verdict talker_rx(struct port *p, struct frame *f)
{
    struct talker *t = container_of(p, struct talker, port);

    if (t->verdict != PORT_TAKEN)
        return t->verdict;
    assert_true(t->n_seen < RIG_MAX_SEEN);
    t->seen[t->n_seen++] = (struct rig_seen){p->owner->now, f->data[11], f->data[14], f->len};
    if (t->on_rx)
        t->on_rx(t, f);
    return PORT_TAKEN;
}

static void talker_carrier(struct port *p, bool up)
{
    (void)up;
    container_of(p, struct talker, port)->carrier_changes++;
}

static const struct port_ops talker_port = {"talker", talker_rx, talker_carrier};
static const struct actor_ops talker_ops = {.kind = "talker"};

void rig_init(struct rig *r, const struct sim_options *o)
{
    memset(r, 0, sizeof(*r));
    sim_init(&r->sim, o ? o : &(struct sim_options){.seed = 1});
}

struct talker *rig_talker(struct rig *r, struct vlan *v)
{
    struct talker *t = xcalloc(1, sizeof(*t));
    char name[16];

    t->number = (uint8_t)++r->n;
    r->talkers[r->n - 1] = t;
    snprintf(name, sizeof(name), "t%u", r->n);
    actor_init(&t->actor, &talker_ops, &r->sim, name);
    port_init(&t->port, &talker_port, &t->actor, name);
    t->verdict = PORT_TAKEN;
    if (v)
        port_attach(&t->port, v, &v->link);
    return t;
}

void rig_finish(struct rig *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct talker *t = r->talkers[i];
        port_finish(&t->port);
        for (struct rig_plan *p = t->plans, *next; p; p = next) {
            next = p->next;
            evq_cancel(&t->actor.events, &p->event);
            free(p);
        }
        actor_finish(&t->actor);
        free(t);
    }
    sim_finish(&r->sim);
    assert_int_equal(frame_alive(), 0);
}
