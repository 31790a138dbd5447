/* What can only be checked when everything is declared: images, addresses, parts and points. */
#include <pcap/pcap.h>
#include <sys/stat.h>

#include "devices/ne2k_isa.h"
#include "devices/nic.h"
#include "sim/rng.h"
#include "topo/images.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

#define COMPLAIN(t, o, ...) err_at(&(t)->err, (o)->place.file, (o)->place.line, __VA_ARGS__)

static const char *nic_name(const struct topo_nic *n)
{
    return n->guest ? n->guest->object.name : "";
}

/* What was left to the VLAN. A NIC on none keeps the engine's defaults. */
void topo_link_inherit(const struct topo_object *o, struct link *link, const struct topo_vlan *v)
{
    static const struct link none = {LINK_DEFAULT_DELAY, LINK_DEFAULT_RATE, LINK_DEFAULT_QUEUE};
    const struct link *from = v ? &v->link : &none;
    if (!schema_given(o, "delay"))
        link->delay_ns = from->delay_ns;
    if (!schema_given(o, "rate"))
        link->rate_bps = from->rate_bps;
    if (!schema_given(o, "queue"))
        link->queue_bytes = from->queue_bytes;
}

static void model_check(struct topo *t, const struct topo_nic *n)
{
    size_t count = 0;
    if (nic_model_find(n->model))
        return;
    while (nic_models[count].name)
        count++;
    const char *near = nearest_name(n->model, &nic_models[0].name, count, sizeof(nic_models[0]));
    COMPLAIN(t, &n->object, "nic %s.%s: there is no model \"%s\"%s%s%s", nic_name(n),
             n->object.name, n->model, near ? "; did you mean \"" : " (see: lanarium help nic)",
             near ? near : "", near ? "\"?" : "");
}

static void queues_check(struct topo *t, const struct topo_nic *n)
{
    const struct nic_model *m = nic_model_find(n->model);

    if (m && n->queues > m->max_pairs)
        COMPLAIN(t, &n->object,
                 "nic %s.%s: queues = %u, but %s cannot be asked for more than %u; leave it out, or "
                 "choose the model virtio-net or virtio-net-pci",
                 nic_name(n), n->object.name, (unsigned)n->queues, n->model, m->max_pairs);
}

static void nic_check(struct topo *t, struct topo_nic *n)
{
    if (!n->guest) {
        COMPLAIN(t, &n->object, "nic: it is in no guest; write it inside a guest's table");
        return;
    }
    topo_link_inherit(&n->object, &n->link, n->vlan);
    if (!schema_given(&n->object, "legacy"))
        n->legacy = n->guest->legacy;
    if (n->queue_size & (n->queue_size - 1))
        COMPLAIN(t, &n->object, "nic %s.%s: queue_size = %llu is not a power of two", nic_name(n),
                 n->object.name, (unsigned long long)n->queue_size);
    if (n->iobase % NE2K_ISA_PORTS)
        COMPLAIN(t, &n->object, "nic %s.%s: iobase = 0x%x is not a multiple of 0x%x", nic_name(n),
                 n->object.name, (unsigned)n->iobase, NE2K_ISA_PORTS);
    model_check(t, n);
    queues_check(t, n);
    if (!schema_given(&n->object, "vectors"))
        n->vectors = 2 * n->queues + 2;
}

static bool is_on(const struct topo_nic *n, const char *bus)
{
    const struct nic_model *m = nic_model_find(n->model);

    return m && strcmp(m->bus, bus) == 0;
}

static bool is_isa(const struct topo_nic *n)
{
    return is_on(n, "isa");
}

/* Slots that were asked for: of PCI cards, and one card in each. */
static void slots_check(struct topo *t, const struct topo_guest *g, size_t i)
{
    const struct topo_nic *n = (const struct topo_nic *)g->nics.items[i];

    if (!n->addr)
        return;
    if (nic_model_find(n->model) && !is_on(n, "pci"))
        COMPLAIN(t, &n->object, "nic %s.%s: addr is a PCI card's, and %s is none", nic_name(n),
                 n->object.name, n->model);
    for (size_t j = 0; j < i; j++) {
        const struct topo_nic *other = (const struct topo_nic *)g->nics.items[j];
        if (other->addr == n->addr) {
            COMPLAIN(t, &n->object, "nic %s.%s: addr = %u is %s's already", nic_name(n),
                     n->object.name, (unsigned)n->addr, other->object.name);
            return;
        }
    }
}

/* Jumpers: a guest's ISA cards have ports and lines of their own. The first clash is said. */
static void jumpers_check(struct topo *t, const struct topo_guest *g, size_t i)
{
    const struct topo_nic *n = (const struct topo_nic *)g->nics.items[i];

    for (size_t j = 0; is_isa(n) && j < i; j++) {
        const struct topo_nic *other = (const struct topo_nic *)g->nics.items[j];
        bool ports = n->iobase == other->iobase, line = n->irq == other->irq;

        if (!is_isa(other) || (!ports && !line))
            continue;
        if (ports)
            COMPLAIN(t, &n->object,
                     "nic %s.%s: its iobase = 0x%x is %s's already; give each ISA card an iobase and "
                     "an irq of its own",
                     nic_name(n), n->object.name, (unsigned)n->iobase, other->object.name);
        else
            COMPLAIN(t, &n->object,
                     "nic %s.%s: its irq = %u is %s's already; give each ISA card an irq of its own",
                     nic_name(n), n->object.name, (unsigned)n->irq, other->object.name);
        return;
    }
}

static void guest_check(struct topo *t, struct topo_guest *g)
{
    image_resolve(t, g);
    topo_clone_point(t, g);
    if (g->memory % 4096)
        COMPLAIN(t, &g->object, "guest %s: memory = %llu is not a multiple of 4K", g->object.name,
                 (unsigned long long)g->memory);
    for (size_t i = 0; i < g->nics.n; i++) {
        jumpers_check(t, g, i);
        slots_check(t, g, i);
        for (size_t j = 0; j < i; j++)
            if (g->nics.items[i]->name == g->nics.items[j]->name)
                COMPLAIN(t, g->nics.items[i], "guest %s: two of its NICs are called %s",
                         g->object.name, g->nics.items[i]->name);
    }
}

static void uplink_check(struct topo *t, struct topo_uplink *u)
{
    topo_link_inherit(&u->object, &u->link, u->vlan);
    if (!u->vlan)
        COMPLAIN(t, &u->object, "%s %s: it is on no VLAN; write one into its table",
                 schemas[u->object.kind]->name, u->object.name);
    uplink_kinds[u->object.kind]->check(t, u);
}

static void filter_check(struct topo *t, const struct topo_capture *c)
{
    struct bpf_program program;
    pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
    if (!p)
        return; /* out of memory: opening the capture will say so */
    if (pcap_compile(p, &program, c->filter, 1, PCAP_NETMASK_UNKNOWN) == 0)
        pcap_freecode(&program);
    else
        COMPLAIN(t, &c->object, "capture %s: filter \"%s\": %s", c->object.name, c->filter,
                 pcap_geterr(p));
    pcap_close(p);
}

static void capture_check(struct topo *t, struct topo_capture *c)
{
    const char *dot = strrchr(c->object.name, '.');
    if (c->format == 0)
        c->format = dot && strcmp(dot, ".pcap") == 0 ? 2 : 1;
    if (c->filter)
        filter_check(t, c);
    if (c->snaplen > 262144)
        COMPLAIN(t, &c->object, "capture %s: snaplen = %llu is outside 0..256K", c->object.name,
                 (unsigned long long)c->snaplen);
}

/* Two captures into one file would write over each other. */
static void captures_distinct(struct topo *t)
{
    struct strmap seen = {0};
    char where[512];
    for (size_t i = 0; i < t->captures.n; i++) {
        struct topo_object *c = t->captures.items[i], *first = strmap_get(&seen, c->name);
        if (c->removed) /* closed: its file is complete, and may be overwritten */
            continue;
        if (first)
            COMPLAIN(t, c, "capture %s: %s writes the same file", c->name,
                     topo_place_text(first->place, where, sizeof(where)));
        else
            strmap_put(&seen, c->name, c);
    }
    strmap_finish(&seen);
}

/* Which file it is, whatever its name; NULL: none that is there. */
static const char *disk_file(struct topo *t, const struct topo_disk *d)
{
    struct stat st;
    char text[48];
    if (!d->path || stat(d->path, &st) != 0)
        return NULL;
    snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    return topo_intern(t, text);
}

/*
 * What a disk writes into its file another one would read, sooner or later as their guests happen to
 * run: guests may meet on VLANs only.
 */
static void disks_distinct(struct topo *t)
{
    struct strmap written = {0};
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < t->objects.n && (pass == 0 || written.n); i++) {
            struct topo_disk *d = (struct topo_disk *)t->objects.items[i], *writer;
            if (d->object.kind != TOPO_DISK || (pass == 0 && !d->writable) ||
                (d->guest && d->guest->clone)) /* inherit.c has said so */
                continue;
            const char *file = disk_file(t, d);
            writer = file ? strmap_get(&written, file) : NULL;
            if (pass == 0 && file && !writer)
                strmap_put(&written, file, d);
            else if (pass == 1 && writer && writer != d)
                COMPLAIN(t, &d->object,
                         "disk %s: the disk of %s:%d writes to this file, so no other may use it",
                         d->path, writer->object.place.file, writer->object.place.line);
        }
    }
    strmap_finish(&written);
}

/* The addresses in use, by their text. */
struct addresses {
    struct topo *t;
    struct strmap used;
};

static const char *mac_text(struct topo *t, const uint8_t m[ETH_ALEN])
{
    char text[24];
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
             m[5]);
    return topo_intern(t, text);
}

static void mac_claim(struct addresses *a, struct topo_nic *n)
{
    static const uint8_t none[ETH_ALEN]; /* what was said is no address, and that has been said */
    if (memcmp(n->mac, none, ETH_ALEN) == 0)
        return;
    const char *text = mac_text(a->t, n->mac);
    struct topo_nic *other = strmap_get(&a->used, text);
    if (other)
        COMPLAIN(a->t, &n->object, "nic %s.%s: the address %s is %s.%s's already (%s:%d)",
                 nic_name(n), n->object.name, text, nic_name(other), other->object.name,
                 other->object.place.file, other->object.place.line);
    else
        strmap_put(&a->used, text, n);
}

/*
 * 52:54:00 and 24 bits of a hash of "guest.nic", so that a NIC keeps its address when other
 * guests come and go. If that one is in use, the next free one.
 */
static void mac_choose(struct addresses *a, struct topo_nic *n)
{
    char *name = xasprintf("%s.%s", nic_name(n), n->object.name);
    uint64_t h = hash_bytes(RNG_HASH_START, name, strlen(name));
    uint32_t bits = (uint32_t)(h ^ h >> 24 ^ h >> 48) & 0xffffff;
    free(name);
    for (;; bits = (bits + 1) & 0xffffff) {
        uint8_t m[ETH_ALEN] = {0x52,         0x54, 0, (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                               (uint8_t)bits};
        memcpy(n->mac, m, ETH_ALEN);
        if (!strmap_get(&a->used, mac_text(a->t, m)))
            break;
    }
    mac_claim(a, n);
}

static void macs_check(struct topo *t)
{
    struct addresses a = {t, {0}};
    for (size_t pass = 0; pass < 2; pass++) { /* what was said, then what was left to us */
        for (size_t i = 0; i < t->objects.n; i++) {
            struct topo_nic *n = (struct topo_nic *)t->objects.items[i];
            if (n->object.kind != TOPO_NIC || !n->guest)
                continue;
            bool said = schema_given(&n->object, "mac");
            if (said && pass == 0)
                mac_claim(&a, n);
            else if (!said && pass == 1)
                mac_choose(&a, n);
        }
    }
    strmap_finish(&a.used);
}

static void object_check(struct topo *t, struct topo_object *o)
{
    switch (o->kind) {
    case TOPO_GUEST: guest_check(t, (struct topo_guest *)o); break;
    case TOPO_NIC: nic_check(t, (struct topo_nic *)o); break;
    case TOPO_DISK:
        if (!((struct topo_disk *)o)->guest)
            COMPLAIN(t, o, "disk: it is in no guest; write it inside a guest's table");
        break;
    case TOPO_CAPTURE: capture_check(t, (struct topo_capture *)o); break;
    default:
        if (topo_is_uplink(o))
            uplink_check(t, (struct topo_uplink *)o);
    }
}

bool topo_check_late(struct topo *t, struct topo_object *o)
{
    object_check(t, o);
    captures_distinct(t);
    return !err_any(&t->err);
}

bool topo_check(struct topo *t)
{
    topo_inherit(t);
    for (size_t i = 0; i < t->objects.n; i++)
        object_check(t, t->objects.items[i]);
    captures_distinct(t);
    disks_distinct(t);
    macs_check(t);
    topo_check_patches(t);
    if (t->objects.n == 0 && !err_any(&t->err))
        err_at(&t->err, t->title, 0, "it declares nothing: a network needs a guest at least");
    else if (t->guests.n == 0 && !err_any(&t->err))
        err_at(&t->err, t->title, 0, "it declares no guest");
    return !err_any(&t->err);
}
