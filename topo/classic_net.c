/* QEMU's network options: -net, -netdev, -device, -redir, -tftp, -bootp. */
#include <ctype.h>

#include "devices/nic.h"
#include "topo/classic_words.h"
#include "topo/schema.h"

static const struct rename nic_names[] = {
    {"macaddr", "mac"},  {"mac", "mac"}, {"model", "model"}, {"name", "name"}, {"mtu", "mtu"},
    {"host_mtu", "mtu"}, {"vlan", NULL}, {"netdev", NULL},   {"id", NULL},     {"iobase", "iobase"},
    {"irq", "irq"},      {"bus", NULL},  {"addr", NULL}, {"vectors", "vectors"},
    {"queues", "queues"}, {"mq", NULL},  {NULL, NULL},
};

/* That there is no such word, and which there are. */
static void word_unknown(struct classic *c, const char *word, const char *before, const char *after)
{
    char words[256];
    classic_error(c, "there is no \"%s\"; there are %s%s%s", word, before,
                  uplink_words_text(words, sizeof(words)), after);
}

/* y and n for yes and no; a flag without a value is on. */
static const char *value_text(const struct topo_object *o, const char *name, const char *value)
{
    if (!*value && schema_attr(schemas[o->kind], name)->type == ATTR_BOOL)
        return "yes";
    return strcmp(value, "y") == 0 ? "yes" : strcmp(value, "n") == 0 ? "no" : value;
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
            schema_set(c->t, o, r->ours, value_text(o, r->ours, value), c->place);
    }
}

/* The VLAN of a name, made when it is first spoken of. */
static struct topo_vlan *vlan_named(struct classic *c, const char *name)
{
    struct topo_object *o = strmap_get(&c->t->names, name);
    if (!o)
        o = topo_add(c->t, TOPO_VLAN, name, c->place);
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

/* A card's name there, as ours. */
static const char *model_of(const char *theirs)
{
    bool mmio = strcmp(theirs, "virtio") == 0 || strcmp(theirs, "virtio-net-device") == 0;
    return mmio ? "virtio-net" : theirs;
}

/* -net nic,model=help, -device help: the shelf, a line each; and that is all. */
static void models_help(void)
{
    for (const struct nic_model *m = nic_models; m->name; m++)
        printf("%-16s %s (%s)\n", m->name, m->help, m->bus);
    exit(EXIT_PASSED);
}

/* addr=SLOT or SLOT.0 as QEMU reads it: in hexadecimal, with 0x or without. */
static void slot_set(struct classic *c, struct topo_nic *n, const char *value)
{
    char *end, slot[24];
    unsigned long number = strtoul(value, &end, 16);
    if (!isxdigit((unsigned char)*value) || (*end && strcmp(end, ".0") != 0)) {
        classic_error(c, "addr=%s is no slot: write it in hexadecimal, as 0x1f or 1f.0", value);
        return;
    }
    snprintf(slot, sizeof(slot), "%lu", number);
    schema_set(c->t, &n->object, "addr", slot, c->place);
}

static void nic_make(struct classic *c, const struct classic_list *l, struct topo_vlan *v,
                     const char *model)
{
    struct topo_nic *n = (struct topo_nic *)topo_add(c->t, TOPO_NIC, NULL, c->place);
    names_set(c, &n->object, l, nic_names);
    if (classic_get(l, "addr"))
        slot_set(c, n, classic_get(l, "addr"));
    classic_queues_want(c, n, l);
    if (strcmp(n->model, "help") == 0 || strcmp(n->model, "?") == 0)
        models_help();
    n->model = topo_intern(c->t, model ? model : model_of(n->model));
    topo_guest_take(c->t, c->guest, &n->object);
    if (v)
        topo_nic_join(n, v);
}

/* The first uplink of a kind; NULL if there is none. Counts them, unless NULL. */
static struct topo_uplink *uplink_first(struct classic *c, enum topo_kind kind, size_t *n)
{
    struct topo_uplink *first = NULL;
    for (size_t i = 0; i < c->t->uplinks.n; i++) {
        if (c->t->uplinks.items[i]->kind != kind)
            continue;
        first = first ? first : (struct topo_uplink *)c->t->uplinks.items[i];
        if (n)
            ++*n;
    }
    return first;
}

/* "user", "user1"... */
static const char *uplink_name(struct classic *c, const struct uplink_word *w)
{
    size_t n = 0;
    uplink_first(c, w->kind, &n);
    const char *kind = schemas[w->kind]->name;
    char *text = n ? xasprintf("%s%zu", kind, n) : xstrdup(kind);
    const char *name = topo_intern(c->t, text);
    free(text);
    return name;
}

static struct topo_uplink *uplink_make(struct classic *c, const struct uplink_word *w,
                                       const struct classic_list *l, struct topo_vlan *v)
{
    const char *name = c->live ? classic_get(l, "id") : uplink_name(c, w);
    struct topo_uplink *u = (struct topo_uplink *)topo_add(c->t, w->kind, name, c->place);
    names_set(c, &u->object, l, w->names);
    if (w->compose)
        w->compose(c, &u->object, l);
    u->vlan = v;
    v->n_members++;
    return u;
}

static void dump_make(struct classic *c, const struct classic_list *l, struct topo_vlan *v)
{
    const char *file = classic_get(l, "file"), *len = classic_get(l, "len");
    char *name = file ? xstrdup(file) : xasprintf("lanarium-%s.pcap", v->object.name);
    struct topo_capture *d = (struct topo_capture *)topo_add(c->t, TOPO_CAPTURE, name, c->place);
    free(name);
    list_push(&d->points, &v->object);
    if (len)
        schema_set(c->t, &d->object, "snaplen", len, c->place);
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
    if (strcmp(l.word, "none") == 0)
        ;
    else if (!(v = vlan_numbered(c, &l)))
        ;
    else if (strcmp(l.word, "nic") == 0)
        nic_make(c, &l, v, NULL);
    else if (uplink_word_find(&l))
        uplink_make(c, uplink_word_find(&l), &l, v);
    else if (strcmp(l.word, "dump") == 0)
        dump_make(c, &l, v);
    else
        word_unknown(c, l.word, "nic, ", ", dump and none");
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
    const char *queues = strcmp(l.word, "hubport") != 0 ? classic_queues_take(c, &l) : NULL;
    if (!uplink_word_find(&l) && strcmp(l.word, "hubport") != 0)
        word_unknown(c, l.word, "", " and hubport");
    else if (!id)
        classic_error(c, "it has no id=");
    else if (!uplink_word_find(&l))
        classic_hubport(c, &l, id);
    else
        classic_netdev_note(c, (struct classic_netdev){
                                   .id = id,
                                   .queues = queues,
                                   .uplink = uplink_make(c, uplink_word_find(&l), &l,
                                                         vlan_netdev(c, id))});
    free(l.text);
}

/* vlan=lan or, as the options have it, vlan=0. It can be left out where there is one. */
static struct topo_vlan *vlan_present(struct classic *c, const struct classic_list *l)
{
    const char *said = classic_get(l, "vlan");
    if (!said && c->t->vlans.n == 1)
        return (struct topo_vlan *)c->t->vlans.items[0];
    if (!said) {
        classic_error(c, "it has no vlan=, and there is more than one VLAN");
        return NULL;
    }
    struct topo_object *o = strmap_get(&c->t->names, said);
    char *numbered = xasprintf("vlan%s", said);
    if (!o)
        o = strmap_get(&c->t->names, numbered);
    free(numbered);
    if (!o || o->kind != TOPO_VLAN) {
        classic_error(c, "there is no VLAN \"%s\"", said);
        return NULL;
    }
    return (struct topo_vlan *)o;
}

struct topo_uplink *classic_netdev_add(struct classic *c)
{
    struct classic_list l;
    struct topo_uplink *u = NULL;
    struct topo_vlan *v;
    c->live = true;
    if (!classic_split(c, &l, c->value))
        return NULL;
    if (!uplink_word_find(&l))
        word_unknown(c, l.word, "", "");
    else if (!classic_get(&l, "id"))
        classic_error(c, "it has no id=");
    else if ((v = vlan_present(c, &l)))
        u = uplink_make(c, uplink_word_find(&l), &l, v);
    free(l.text);
    return u;
}

void classic_device(struct classic *c)
{
    /* The board has these where they are needed. */
    static const char *const there[] = {"virtio-blk-device", "virtio-rng-device", NULL};
    struct classic_list l;
    bool known = false;
    if (!classic_split(c, &l, c->value))
        return;
    const char *model = model_of(l.word), *netdev = classic_get(&l, "netdev");
    for (const char *const *d = there; *d; d++)
        known |= strcmp(*d, l.word) == 0;
    if (strcmp(l.word, "help") == 0 || strcmp(l.word, "?") == 0) {
        models_help();
    } else if (nic_model_find(model)) {
        c->net_said = true;
        nic_make(c, &l, netdev ? vlan_netdev(c, netdev) : NULL, model);
    } else if (!known) {
        classic_error(c, "there is no device \"%s\"; there are virtio-net-device, the other models of "
                         "'lanarium help nic', virtio-blk-device and virtio-rng-device", l.word);
    }
    free(l.text);
}

/*
 * tcp:2222:10.0.2.15:22 becomes hostfwd's tcp::2222-10.0.2.15:22; the first and the third part may be
 * empty. In later years there was an address before the host's port: tcp:127.0.0.1:2222:...
 */
void classic_redir(struct classic *c)
{
    char *text = xstrdup(c->value), *parts[5], *s = text;
    size_t n = 0;
    for (char *part; n < ARRAY_LEN(parts) && (part = strsep(&s, ":")); n++)
        parts[n] = part;
    bool good = !s && (n == 4 || n == 5) && *parts[n - 1] && *parts[n - 3] &&
                (!*parts[0] || strcmp(parts[0], "tcp") == 0 || strcmp(parts[0], "udp") == 0);
    if (good) {
        char *rule = xasprintf("%s:%s:%s-%s:%s", *parts[0] ? parts[0] : "tcp", n == 5 ? parts[1] : "",
                               parts[n - 3], parts[n - 2], parts[n - 1]);
        list_push(&c->redirections, topo_intern(c->t, rule));
        free(rule);
    } else {
        classic_error(c, "write it as tcp:HOSTPORT:[GUESTADDRESS]:GUESTPORT");
    }
    free(text);
}

void classic_net_finish(struct classic *c)
{
    struct classic_list none = {0};
    classic_queues_finish(c);
    classic_hub_finish(c);
    c->place = (struct place){topo_intern(c->t, "-net user"), 0};
    if (!c->net_said) {
        struct topo_vlan *v = vlan_numbered(c, &none);
        nic_make(c, &none, v, NULL);
        uplink_make(c, uplink_word_find(&(struct classic_list){.word = "user"}), &none, v);
    }
    struct topo_uplink *u = uplink_first(c, TOPO_USER, NULL);
    if (!u && (c->redirections.n || c->tftp || c->bootp || c->smb)) {
        c->place.file = topo_intern(c->t, "-redir, -tftp, -bootp, -smb");
        classic_error(c, "they need a user-mode stack: -net user");
        return;
    }
    for (size_t i = 0; i < c->redirections.n; i++)
        schema_set(c->t, &u->object, "hostfwd", c->redirections.items[i], c->place);
    if (c->tftp)
        schema_set(c->t, &u->object, "tftp", c->tftp, c->place);
    if (c->bootp)
        schema_set(c->t, &u->object, "bootfile", c->bootp, c->place);
    if (c->smb)
        schema_set(c->t, &u->object, "smb", c->smb, c->place);
}
