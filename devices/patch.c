/*
 * A patch has no clock and no state of its own: all it does is a frame's arrival. So it may run on
 * any thread, and its result depends on nothing but the frames.
 */
#include "devices/patch.h"

#include "sim/sim.h"
#include "sim/vlan.h"

static enum port_verdict patch_rx(struct port *in, struct frame *f)
{
    struct patch *p = container_of(in->owner, struct patch, actor);

    port_send(&p->ends[in == &p->ends[0]], frame_ref(f));
    return PORT_TAKEN;
}

struct patch *patch_create(struct sim *s, const char *name, struct vlan *const vlans[2],
                           const struct link links[2])
{
    static const struct actor_ops actor_ops = {.kind = "patch"};
    static const struct port_ops port_ops = {.kind = "patch", .rx = patch_rx};
    struct patch *p = xcalloc(1, sizeof(*p));

    actor_init(&p->actor, &actor_ops, s, name);
    for (unsigned i = 0; i < ARRAY_LEN(p->ends); i++) {
        char *end = xasprintf("%s.%s", name, vlans[i]->name);
        port_init(&p->ends[i], &port_ops, &p->actor, end);
        port_attach(&p->ends[i], vlans[i], &links[i]);
        free(end);
    }
    return p;
}

void patch_set_up(struct patch *p, bool up)
{
    for (unsigned i = 0; i < ARRAY_LEN(p->ends); i++)
        port_set_up(&p->ends[i], up);
}

void patch_destroy(struct patch *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(p->ends); i++)
        port_finish(&p->ends[i]);
    actor_finish(&p->actor);
    free(p);
}
