/* Changes to a network that runs. */
#include "topo/live.h"

#include "devices/patch.h"
#include "sim/capture.h"
#include "topo/uplinks/uplinks.h"

/* How many there have been of what the engine numbers. */
struct numbers {
    uint32_t actors, inlets, ports;
};

static struct numbers numbers_given(const struct sim *s)
{
    return (struct numbers){s->n_actors, s->n_inlets, s->next_port_id};
}

/*
 * What failed has finished all that it began, and its numbers are given back, so that a recorded
 * run has the same ones when it is played, where nothing was begun. But what it noted must not be
 * taken for another's: an uplink's inlet keeps its number, as it does when it was never begun.
 */
static void numbers_return(struct sim *s, struct numbers to, const struct topo_object *o)
{
    s->n_actors = to.actors;
    s->next_port_id = to.ports;
    if (topo_is_uplink(o))
        inlet_skip(s, to.inlets + 1);
}

/* Whether it could be made is the host's to say, and what it said is noted. */
static void make(struct network *n, struct topo_object *o)
{
    struct topo *t = n->topo;
    bool played = inlet_played(&n->sim.answers);
    struct numbers before = numbers_given(&n->sim);
    if (!played)
        network_make(n, o, &t->err);
    char *told = inlet_answer(&n->sim.answers, topo_take_errors(t)); /* NULL: it was made */
    if (told)
        err_add(&t->err, "%s", told);
    else if (played)
        network_make(n, o, &t->err);
    if (err_any(&t->err))
        numbers_return(&n->sim, before, o);
    free(told);
}

bool live_make(struct network *n, struct topo_object *o)
{
    struct topo *t = n->topo;
    if (o->kind == TOPO_CAPTURE && strcmp(o->name, "-") == 0)
        err_at(&t->err, o->place.file, o->place.line,
               "capture -: standard output has another use since the run began; name a file");
    else if (topo_check_late(t, o))
        make(n, o);
    if (!err_any(&t->err))
        return true;
    topo_remove(t, o);
    return false;
}

void live_remove(struct network *n, struct topo_uplink *u)
{
    const struct uplink_ops *ops = u->built->ops;
    if (ops->conclude && !ops->conclude(u->built, &n->remarks))
        n->removed_badly = true;
    captures_forget(&n->sim, &u->built->taps);
    uplink_destroy(u->built);
    u->built = NULL;
    topo_remove(n->topo, &u->object);
}

void live_close(struct network *n, struct topo_capture *c)
{
    capture_close(c->open, n->sim.now, &n->trouble);
    c->open = NULL;
    c->object.removed = true;
}

void live_set_up(struct topo_object *o, bool up)
{
    if (o->kind == TOPO_NIC)
        port_set_up(((struct topo_nic *)o)->port, up);
    else if (o->kind == TOPO_PATCH)
        patch_set_up(((struct topo_patch *)o)->built, up);
    else
        uplink_set_up(((struct topo_uplink *)o)->built, up);
}

static void nic_attach(struct topo_nic *n, struct topo_vlan *v)
{
    n->vlan = v;
    topo_link_inherit(&n->object, &n->link, v);
    if (v)
        port_attach(n->port, v->built, &n->link);
    else
        port_detach(n->port);
}

static void uplink_move(struct topo_uplink *u, struct topo_vlan *v)
{
    u->vlan = v;
    topo_link_inherit(&u->object, &u->link, v);
    uplink_attach(u->built, v ? v->built : NULL, &u->link);
}

void live_attach(struct topo_object *o, struct topo_vlan *v)
{
    if (o->kind == TOPO_NIC)
        nic_attach((struct topo_nic *)o, v);
    else
        uplink_move((struct topo_uplink *)o, v);
}
