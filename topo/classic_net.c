/* QEMU's network options: -net, -netdev, -device, -redir, -tftp, -bootp. */
#include <ctype.h>

#include "topo/classic.h"
#include "topo/schema.h"

/* Its name for an attribute, and ours; NULL: accepted and without effect here. */
struct rename {
    const char *theirs, *ours;
};

static const struct rename nic_names[] = {
    {"macaddr", "mac"},  {"mac", "mac"}, {"model", "model"}, {"name", "name"}, {"mtu", "mtu"},
    {"host_mtu", "mtu"}, {"vlan", NULL}, {"netdev", NULL},   {"id", NULL},     {"iobase", "iobase"},
    {"irq", "irq"}, {NULL, NULL},
};
static const struct rename user_names[] = {
    {"hostfwd", "hostfwd"},
    {"tftp", "tftp"},
    {"bootfile", "bootfile"},
    {"net", "net"},
    {"ip", "net"},
    {"host", "host"},
    {"dns", "dns"},
    {"dhcpstart", "dhcpstart"},
    {"hostname", "hostname"},
    {"restrict", "restrict"},
    {"vlan", NULL},
    {"name", NULL},
    {"id", NULL},
    {NULL, NULL},
};

/* What QEMU has and this build does not. */
static const char *const absent[] = {"tap",    "socket", "vde",        "bridge", "l2tpv3", "smb",
                                     "stream", "dgram",  "vhost-user", "netmap", NULL};

static bool is_absent(struct classic *c, const char *word)
{
    for (const char *const *a = absent; *a; a++) {
        if (strcmp(*a, word) != 0)
            continue;
        classic_error(c, "this build has no \"%s\"; it has nic, user, dump and none", word);
        return true;
    }
    return false;
}

static void names_set(struct classic *c, struct topo_object *o, const struct classic_list *l,
                      const struct rename *table)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct rename *r = table;
        const char *value = l->items[i].value;
        while (r->theirs && strcmp(r->theirs, l->items[i].name) != 0)
            r++;
        if (!r->theirs)
            classic_error(c, "there is no \"%s\" here", l->items[i].name);
        else if (r->ours)
            schema_set(&c->t, o, r->ours,
                       *value == 'y' && !value[1]   ? "yes"
                       : *value == 'n' && !value[1] ? "no"
                                                    : value,
                       c->place);
    }
}

/* The VLAN of a name, made when it is first spoken of. */
static struct topo_vlan *vlan_named(struct classic *c, const char *name)
{
    struct topo_object *o = strmap_get(&c->t.names, name);
    if (!o)
        o = topo_add(&c->t, TOPO_VLAN, name, c->place);
    return o->kind == TOPO_VLAN ? (struct topo_vlan *)o : NULL;
}

/* vlan=N, 0 if it is not said. NULL, with a sentence, if it is no number. */
static struct topo_vlan *vlan_numbered(struct classic *c, const struct classic_list *l)
{
    const char *value = classic_get(l, "vlan");
    char name[16], *end = NULL;
    unsigned long n = value ? strtoul(value, &end, 10) : 0;
    if (value && (!isdigit((unsigned char)*value) || *end || n > CLASSIC_MAX_VLAN)) {
        classic_error(c, "vlan=%s is not a number in 0..%d", value, CLASSIC_MAX_VLAN);
        return NULL;
    }
    snprintf(name, sizeof(name), "vlan%lu", n);
    return vlan_named(c, name);
}

static void nic_make(struct classic *c, const struct classic_list *l, struct topo_vlan *v,
                     const char *model)
{
    struct topo_nic *n = (struct topo_nic *)topo_add(&c->t, TOPO_NIC, NULL, c->place);
    names_set(c, &n->object, l, nic_names);
    if (strcmp(n->model, "virtio") == 0 || strcmp(n->model, "virtio-net-device") == 0)
        model = "virtio-net"; /* its other names there */
    if (model)
        n->model = topo_intern(&c->t, model);
    topo_guest_take(&c->t, c->guest, &n->object);
    if (v)
        topo_nic_join(n, v);
}

/* An uplink's word, what it becomes, and its names. */
static const struct uplink_word {
    const char *word;
    enum topo_kind kind;
    const struct rename *names;
} uplink_words[] = {
    {"user", TOPO_USER, user_names},
};

static const struct uplink_word *uplink_word_find(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(uplink_words); i++)
        if (strcmp(uplink_words[i].word, word) == 0)
            return &uplink_words[i];
    return NULL;
}

/* The first uplink of a kind; NULL if there is none. Counts them, unless NULL. */
static struct topo_uplink *uplink_first(struct classic *c, enum topo_kind kind, size_t *n)
{
    struct topo_uplink *first = NULL;
    for (size_t i = 0; i < c->t.uplinks.n; i++) {
        if (c->t.uplinks.items[i]->kind != kind)
            continue;
        first = first ? first : (struct topo_uplink *)c->t.uplinks.items[i];
        if (n)
            ++*n;
    }
    return first;
}

static struct topo_uplink *uplink_make(struct classic *c, const struct uplink_word *w,
                                       const struct classic_list *l, struct topo_vlan *v)
{
    size_t n = 0;
    uplink_first(c, w->kind, &n);
    char *name = n ? xasprintf("%s%zu", w->word, n) : xstrdup(w->word);
    struct topo_uplink *u = (struct topo_uplink *)topo_add(&c->t, w->kind, name, c->place);
    free(name);
    names_set(c, &u->object, l, w->names);
    u->vlan = v;
    v->n_members++;
    return u;
}

static void dump_make(struct classic *c, const struct classic_list *l, struct topo_vlan *v)
{
    const char *file = classic_get(l, "file"), *len = classic_get(l, "len");
    char *name = file ? xstrdup(file) : xasprintf("lanarium-%s.pcap", v->object.name);
    struct topo_capture *d = (struct topo_capture *)topo_add(&c->t, TOPO_CAPTURE, name, c->place);
    free(name);
    list_push(&d->points, &v->object);
    if (len)
        schema_set(&c->t, &d->object, "snaplen", len, c->place);
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->items[i].name, "file") != 0 && strcmp(l->items[i].name, "len") != 0 &&
            strcmp(l->items[i].name, "vlan") != 0)
            classic_error(c, "there is no \"%s\" here", l->items[i].name);
}

void classic_net(struct classic *c)
{
    struct classic_list l;
    c->net_said = true;
    if (!classic_split(c, &l, c->value))
        return;
    struct topo_vlan *v = NULL;
    if (is_absent(c, l.word) || strcmp(l.word, "none") == 0)
        ;
    else if (!(v = vlan_numbered(c, &l)))
        ;
    else if (strcmp(l.word, "nic") == 0)
        nic_make(c, &l, v, NULL);
    else if (uplink_word_find(l.word))
        uplink_make(c, uplink_word_find(l.word), &l, v);
    else if (strcmp(l.word, "dump") == 0)
        dump_make(c, &l, v);
    else
        classic_error(c, "there is no \"%s\"; there are nic, user, dump and none", l.word);
    free(l.text);
}

/* A VLAN of its own joins a -netdev and the devices that name it. */
static struct topo_vlan *vlan_netdev(struct classic *c, const char *id)
{
    char *name = xasprintf("net-%s", id);
    struct topo_vlan *v = vlan_named(c, name);
    free(name);
    return v;
}

void classic_netdev(struct classic *c)
{
    struct classic_list l;
    c->net_said = true;
    if (!classic_split(c, &l, c->value))
        return;
    const char *id = classic_get(&l, "id");
    if (is_absent(c, l.word))
        ;
    else if (!uplink_word_find(l.word))
        classic_error(c, "there is no \"%s\"; there is user", l.word);
    else if (!id)
        classic_error(c, "it has no id=");
    else
        uplink_make(c, uplink_word_find(l.word), &l, vlan_netdev(c, id));
    free(l.text);
}

void classic_device(struct classic *c)
{
    static const char *const there[] = {"virtio-blk-device", "virtio-rng-device", NULL};
    struct classic_list l;
    bool known = false;
    if (!classic_split(c, &l, c->value))
        return;
    for (const char *const *d = there; *d; d++)
        known |= strcmp(*d, l.word) == 0; /* the board has them where they are needed */
    if (strcmp(l.word, "virtio-net-device") == 0) {
        const char *netdev = classic_get(&l, "netdev");
        c->net_said = true;
        nic_make(c, &l, netdev ? vlan_netdev(c, netdev) : NULL, "virtio-net");
    } else if (!known) {
        classic_error(c,
                      "there is no device \"%s\"; there are virtio-net-device, "
                      "virtio-blk-device and virtio-rng-device",
                      l.word);
    }
    free(l.text);
}

/* tcp:2222:10.0.2.15:22 becomes hostfwd's tcp::2222-10.0.2.15:22. */
void classic_redir(struct classic *c)
{
    char proto[8], guest[64] = "";
    unsigned from, to;
    int used = 0;
    bool good =
        sscanf(c->value, "%7[a-z]:%5u:%63[0-9.]:%5u%n", proto, &from, guest, &to, &used) == 4 &&
        !c->value[used];
    if (!good)
        good = sscanf(c->value, "%7[a-z]::%5u:%63[0-9.]:%5u%n", proto, &from, guest, &to, &used) ==
                   4 &&
               !c->value[used];
    if (!good) {
        guest[0] = '\0';
        good = sscanf(c->value, "%7[a-z]:%5u::%5u%n", proto, &from, &to, &used) == 3 &&
               !c->value[used];
    }
    if (!good) {
        classic_error(c, "write it as tcp:HOSTPORT:[GUESTADDRESS]:GUESTPORT");
        return;
    }
    char *text = xasprintf("%s::%u-%s:%u", proto, from, guest, to);
    list_push(&c->redirections, topo_intern(&c->t, text));
    free(text);
}

void classic_net_finish(struct classic *c)
{
    struct classic_list none = {0};
    c->place = (struct place){topo_intern(&c->t, "-net user"), 0};
    if (!c->net_said) {
        struct topo_vlan *v = vlan_numbered(c, &none);
        nic_make(c, &none, v, NULL);
        uplink_make(c, uplink_word_find("user"), &none, v);
    }
    struct topo_uplink *u = uplink_first(c, TOPO_USER, NULL);
    if (!u && (c->redirections.n || c->tftp || c->bootp)) {
        c->place.file = topo_intern(&c->t, "-redir, -tftp, -bootp");
        classic_error(c, "they need a user-mode stack: -net user");
        return;
    }
    for (size_t i = 0; i < c->redirections.n; i++)
        schema_set(&c->t, &u->object, "hostfwd", c->redirections.items[i], c->place);
    if (c->tftp)
        schema_set(&c->t, &u->object, "tftp", c->tftp, c->place);
    if (c->bootp)
        schema_set(&c->t, &u->object, "bootfile", c->bootp, c->place);
}
