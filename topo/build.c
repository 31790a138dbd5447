/* Building: VLANs first, then guests and stacks in order of declaration, then captures. */
#include "topo/build.h"

#include "devices/patch.h"
#include "guests/machine.h"
#include "sim/capture.h"
#include "sim/rng.h"
#include "sim/vlan.h"
#include "topo/replay.h"
#include "topo/uplinks/uplinks.h"

static void vlan_build(struct network *n, struct topo_vlan *v)
{
    v->built = vlan_create(&n->sim, v->object.name, (enum vlan_kind)v->kind);
    v->built->ageing_ns = v->ageing_ns;
    v->built->link = v->link;
}

void guest_connect(struct topo_guest *g)
{
    for (size_t i = 0; i < g->nics.n; i++) {
        struct topo_nic *n = (struct topo_nic *)g->nics.items[i];
        if (n->vlan)
            port_attach(n->port, n->vlan->built, &n->link);
        if (!n->up)
            port_set_up(n->port, false);
    }
}

/* The machine's view of a NIC and a disk. */
static struct machine_nic nic_config(const struct topo_nic *n)
{
    struct machine_nic c = {.model = n->model, .name = n->object.name};
    memcpy(c.config.mac, n->mac, ETH_ALEN);
    c.config.legacy = n->legacy;
    c.config.no_offload = !n->offload;
    c.config.no_mrg_rxbuf = !n->mrg_rxbuf;
    c.config.queue_size = (uint16_t)n->queue_size;
    c.config.queues = (uint8_t)n->queues;
    c.config.slot = (uint8_t)n->addr;
    c.config.vectors = (uint8_t)n->vectors;
    c.config.iobase = (uint16_t)n->iobase;
    c.config.irq = (uint8_t)n->irq;
    c.config.mtu = (uint16_t)n->mtu;
    return c;
}

static bool guest_build(struct network *n, struct topo_guest *g, struct err *err)
{
    struct machine_nic *nics = xcalloc(g->nics.n + 1, sizeof(*nics));
    struct machine_disk *disks = xcalloc(g->disks.n + 1, sizeof(*disks));
    struct machine_config c;

    for (size_t i = 0; i < g->nics.n; i++)
        nics[i] = nic_config((struct topo_nic *)g->nics.items[i]);
    for (size_t i = 0; i < g->disks.n; i++) {
        const struct topo_disk *d = (struct topo_disk *)g->disks.items[i];
        disks[i] = (struct machine_disk){d->path, d->writable};
    }
    machine_config_init(&c);
    c.board = "virt";
    c.ram_bytes = g->memory;
    c.harts = (unsigned)g->harts;
    c.mips = (unsigned)g->mips;
    c.kernel = g->kernel;
    c.initrd = g->initrd;
    c.append = g->append;
    c.bios = g->bios;
    c.dtb = g->dtb;
    c.epoch_ns = n->topo->epoch_ns;
    c.virtio_legacy = g->legacy;
    c.virtio_console = g->virtio_console;
    c.no_reboot = !g->reboot;
    c.clone_number = g->number;
    c.disks = disks;
    c.n_disks = g->disks.n;
    c.nics = nics;
    c.n_nics = g->nics.n;
    c.file = g->object.place.file;
    c.line = g->object.place.line;
    g->machine = machine_create(&n->sim, g->object.name, &c, err);
    for (size_t i = 0; g->machine && i < g->nics.n; i++)
        ((struct topo_nic *)g->nics.items[i])->port =
            &machine_nic(g->machine, (unsigned)i)->port;
    if (g->machine && !g->clone) /* a clone is on no VLAN until it is one */
        guest_connect(g);
    free(nics);
    free(disks);
    return g->machine != NULL;
}

static void patch_build(struct network *n, struct topo_patch *p)
{
    struct vlan *const vlans[2] = {p->vlans[0]->built, p->vlans[1]->built};
    p->built = patch_create(&n->sim, p->object.name, vlans, p->links);
}

static void point_add(struct capture *c, struct topo_object *o)
{
    struct topo_guest *g = (struct topo_guest *)o;
    switch (o->kind) {
    case TOPO_VLAN: capture_add_vlan(c, ((struct topo_vlan *)o)->built); break;
    case TOPO_NIC: capture_add_port(c, ((struct topo_nic *)o)->port); break;
    case TOPO_GUEST:
        for (size_t i = 0; i < g->nics.n; i++)
            capture_add_port(c, ((struct topo_nic *)g->nics.items[i])->port);
        break;
    case TOPO_PATCH:
        for (size_t i = 0; i < ARRAY_LEN(((struct topo_patch *)o)->vlans); i++)
            capture_add_port(c, &((struct topo_patch *)o)->built->ends[i]);
        break;
    default:
        if (topo_is_uplink(o))
            capture_add_taps(c, &((struct topo_uplink *)o)->built->taps, o->name,
                             schemas[o->kind]->name);
    }
}

static bool capture_build(struct network *n, struct topo_capture *c, const char *path,
                          struct err *err)
{
    struct capture_options o = {
        .path = path,
        .format = c->format == 2 ? CAPTURE_PCAP : CAPTURE_PCAPNG,
        .filter = c->filter,
        .origin = c->origin,
        .snaplen = (uint32_t)c->snaplen,
        .epoch_ns = n->topo->epoch_ns,
        .packets = &c->packets,
    };
    struct err why = {0};
    c->open = capture_open(&n->sim, &o, &why);
    for (size_t i = 0; i < why.n; i++)
        err_at(err, c->object.place.file, c->object.place.line, "%s", why.texts[i]);
    err_finish(&why);
    if (!c->open)
        return false;
    const topo_objects *points = c->points.n ? &c->points : &n->topo->vlans;
    for (size_t i = 0; i < points->n; i++)
        point_add(c->open, points->items[i]);
    return true;
}

bool network_make(struct network *n, struct topo_object *o, struct err *err)
{
    if (o->kind == TOPO_CAPTURE) {
        char *path = replay_path(n->captures, o->name, err);
        bool good = path && capture_build(n, (struct topo_capture *)o, path, err);
        free(path);
        return good;
    }
    return topo_uplink_build(&n->sim, (struct topo_uplink *)o, err);
}

/*
 * Blocks of odd sizes between the objects, every other one freed again, so that what is
 * allocated next lands elsewhere. The order of creation stays: it decides ids, by design.
 */
static void scatter(struct network *n, struct rng *r)
{
    n->junk = xrealloc(n->junk, (n->n_junk + 8) * sizeof(*n->junk));
    void *holes[8];
    for (size_t i = 0; i < ARRAY_LEN(holes); i++) {
        size_t size = (size_t)1 << (4 + rng_below(r, 13));
        holes[i] = xmalloc(size + rng_below(r, size));
        n->junk[n->n_junk + i] = xmalloc(16 + rng_below(r, size));
    }
    n->n_junk += ARRAY_LEN(holes);
    for (size_t i = ARRAY_LEN(holes); i-- > 0;)
        free(holes[i]);
}

bool network_build(struct network *n, struct topo *t, const struct sim_options *o, uint64_t shuffle,
                   struct err *err)
{
    struct rng r;
    *n = (struct network){.topo = t};
    sim_init(&n->sim, o);
    rng_init(&r, shuffle, "shuffle");
    for (size_t i = 0; i < t->vlans.n; i++)
        vlan_build(n, (struct topo_vlan *)t->vlans.items[i]);
    for (size_t i = 0; i < t->objects.n && err->n < 20; i++) {
        struct topo_object *object = t->objects.items[i];
        if (shuffle)
            scatter(n, &r);
        if (object->kind == TOPO_GUEST)
            guest_build(n, (struct topo_guest *)object, err);
        else if (object->kind == TOPO_PATCH)
            patch_build(n, (struct topo_patch *)object);
        else if (topo_is_uplink(object))
            topo_uplink_build(&n->sim, (struct topo_uplink *)object, err);
    }
    /* Last, so that a network that cannot be built leaves the files of the run before. */
    for (size_t i = 0; !err_any(err) && i < t->captures.n; i++) {
        struct topo_capture *c = (struct topo_capture *)t->captures.items[i];
        capture_build(n, c, c->object.name, err);
    }
    return !err_any(err);
}

bool network_close_captures(struct network *n, struct err *err)
{
    bool good = !err_any(&n->trouble);
    for (size_t i = 0; i < n->trouble.n; i++)
        err_add(err, "%s", n->trouble.texts[i]);
    err_finish(&n->trouble);
    for (size_t i = 0; i < n->topo->captures.n; i++) {
        struct topo_capture *c = (struct topo_capture *)n->topo->captures.items[i];
        if (c->open && !capture_close(c->open, n->sim.now, err))
            good = false;
        c->open = NULL;
    }
    return good;
}

bool network_conclude(struct network *n, struct err *err)
{
    bool good = !n->removed_badly;
    for (size_t i = 0; i < n->remarks.n; i++)
        err_add(err, "%s", n->remarks.texts[i]);
    err_finish(&n->remarks);
    for (size_t i = 0; i < n->topo->uplinks.n; i++) {
        struct uplink *u = ((struct topo_uplink *)n->topo->uplinks.items[i])->built;
        if (u && u->ops->conclude && !u->ops->conclude(u, err))
            good = false;
    }
    return good;
}

void network_finish(struct network *n)
{
    struct err ignored = {0};
    network_close_captures(n, &ignored);
    err_finish(&ignored);
    for (uint32_t i = 0; i < n->sim.n_vlans; i++)
        vlan_destroy(n->sim.vlans[i]); /* first: it detaches all its ports in one go */
    for (size_t i = n->topo->objects.n; i-- > 0;) {
        struct topo_object *o = n->topo->objects.items[i];
        if (o->kind == TOPO_GUEST) {
            machine_destroy(((struct topo_guest *)o)->machine);
            ((struct topo_guest *)o)->machine = NULL;
        } else if (o->kind == TOPO_PATCH) {
            patch_destroy(((struct topo_patch *)o)->built);
            ((struct topo_patch *)o)->built = NULL;
        } else if (topo_is_uplink(o)) {
            uplink_destroy(((struct topo_uplink *)o)->built);
            ((struct topo_uplink *)o)->built = NULL;
        }
    }
    sim_finish(&n->sim);
    for (size_t i = 0; i < n->n_junk; i++)
        free(n->junk[i]);
    free(n->junk);
    n->junk = NULL;
}
