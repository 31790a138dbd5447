/* QEMU's network options: -net, -netdev, -device, -redir, -tftp, -bootp. */
#include <ctype.h>
#include <sys/socket.h>

#include "topo/classic.h"
#include "topo/schema.h"

/* Its name for an attribute, and ours; NULL: accepted and without effect here. */
struct rename {
    const char *theirs, *ours;
};

static const struct rename nic_names[] = {
    {"macaddr", "mac"},  {"mac", "mac"}, {"model", "model"}, {"name", "name"}, {"mtu", "mtu"},
    {"host_mtu", "mtu"}, {"vlan", NULL}, {"netdev", NULL},   {"id", NULL},     {NULL, NULL},
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
static const struct rename stream_socket_names[] = {
    {"listen", "listen"}, {"connect", "connect"},
    {"fd", "fd"},         {"reconnect", "reconnect"},
    {"secret", "secret"}, {"secret_file", "secret_file"},
    {"vlan", NULL},       {"name", NULL},
    {"id", NULL},         {NULL, NULL},
};
/* What they leave is put together by classic_stream. */
static const struct rename stream_names[] = {
    {"secret", "secret"}, {"secret_file", "secret_file"},
    {"server", NULL},     {"reconnect", NULL},
    {"addr.type", NULL},  {"addr.host", NULL},
    {"addr.port", NULL},  {"addr.path", NULL},
    {"addr.str", NULL},   {"addr.abstract", NULL},
    {"addr.ipv4", NULL},  {"addr.ipv6", NULL},
    {"addr.tight", NULL}, {"addr.numeric", NULL},
    {"addr.mptcp", NULL}, {"addr.keep-alive", NULL},
    {"vlan", NULL},       {"name", NULL},
    {"id", NULL},         {NULL, NULL},
};
static const struct rename datagram_socket_names[] = {
    {"mcast", "mcast"}, {"udp", "remote"}, {"localaddr", "localaddr"}, {"fd", "fd"},
    {"vlan", NULL},     {"name", NULL},    {"id", NULL},               {NULL, NULL},
};
static const struct rename l2tpv3_names[] = {
    {"src", "src"},
    {"dst", "dst"},
    {"udp", "udp"},
    {"ipv6", "ipv6"},
    {"srcport", "srcport"},
    {"dstport", "dstport"},
    {"txsession", "txsession"},
    {"rxsession", "rxsession"},
    {"txcookie", "txcookie"},
    {"rxcookie", "rxcookie"},
    {"cookie64", "cookie64"},
    {"counter", "counter"},
    {"pincounter", "pincounter"},
    {"offset", "offset"},
    {"vlan", NULL},
    {"name", NULL},
    {"id", NULL},
    {NULL, NULL},
};
static const struct rename vde_names[] = {
    {"sock", "sock"}, {"port", "port"}, {"group", "group"}, {"mode", "mode"},
    {"vlan", NULL},   {"name", NULL},   {"id", NULL},       {NULL, NULL},
};
/* local and remote are put together by classic_dgram. */
static const struct rename dgram_names[] = {
    {"local.type", NULL},  {"local.host", NULL},  {"local.port", NULL},  {"local.path", NULL},
    {"local.str", NULL},   {"remote.type", NULL}, {"remote.host", NULL}, {"remote.port", NULL},
    {"remote.path", NULL}, {"local.abstract", NULL}, {"remote.abstract", NULL},
    {"vlan", NULL},        {"name", NULL},        {"id", NULL},          {NULL, NULL},
};

/* What QEMU has and this build does not. */
static const char *const absent[] = {"tap", "bridge", "smb", "vhost-user", "netmap", NULL};

static bool is_absent(struct classic *c, const char *word)
{
    for (const char *const *a = absent; *a; a++) {
        if (strcmp(*a, word) != 0)
            continue;
        classic_error(c, "this build has no \"%s\"; it has nic, user, socket, stream, dump and none", word);
        return true;
    }
    return false;
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
            schema_set(&c->t, o, r->ours, value_text(o, r->ours, value), c->place);
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

/* Whether a "socket" carries datagrams. */
static bool is_datagram_socket(const struct classic_list *l)
{
    const char *fd = classic_get(l, "fd");
    int type = 0;
    socklen_t len = sizeof(type);

    return classic_get(l, "mcast") || classic_get(l, "udp") ||
           (fd && getsockopt(atoi(fd), SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM);
}

/* An uplink's word, what it becomes, and its names. */
static const struct uplink_word {
    const char *word;
    enum topo_kind kind;
    const struct rename *names;
    bool (*is)(const struct classic_list *l); /* of several with one word; NULL: always */
    /* What takes more than renaming; may be NULL. */
    void (*compose)(struct classic *c, struct topo_object *o, const struct classic_list *l);
} uplink_words[] = {
    {"user", TOPO_USER, user_names, NULL, NULL},
    {"socket", TOPO_DGRAM, datagram_socket_names, is_datagram_socket, NULL},
    {"vde", TOPO_VDE, vde_names, NULL, NULL},
    {"l2tpv3", TOPO_L2TPV3, l2tpv3_names, NULL, NULL},
    {"dgram", TOPO_DGRAM, dgram_names, NULL, classic_dgram},
    {"socket", TOPO_STREAM, stream_socket_names, NULL, NULL},
    {"stream", TOPO_STREAM, stream_names, NULL, classic_stream},
};

static const struct uplink_word *uplink_word_find(const struct classic_list *l)
{
    for (size_t i = 0; i < ARRAY_LEN(uplink_words); i++)
        if (strcmp(uplink_words[i].word, l->word) == 0 &&
            (!uplink_words[i].is || uplink_words[i].is(l)))
            return &uplink_words[i];
    return NULL;
}

/* "user, socket, dgram": what can follow -net and -netdev, into `text`. */
static const char *uplink_words_text(char *text, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(uplink_words); i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= strcmp(uplink_words[k].word, uplink_words[i].word) == 0;
        if (!again && len < size)
            len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "",
                                    uplink_words[i].word);
    }
    return text;
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
    const char *kind = schemas[w->kind]->name;
    char *name = n ? xasprintf("%s%zu", kind, n) : xstrdup(kind);
    struct topo_uplink *u = (struct topo_uplink *)topo_add(&c->t, w->kind, name, c->place);
    free(name);
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
    char words[256];
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
    else if (uplink_word_find(&l))
        uplink_make(c, uplink_word_find(&l), &l, v);
    else if (strcmp(l.word, "dump") == 0)
        dump_make(c, &l, v);
    else
        classic_error(c, "there is no \"%s\"; there are nic, %s, dump and none",
                      l.word, uplink_words_text(words, sizeof(words)));
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
    char words[256];
    c->net_said = true;
    if (!classic_split(c, &l, c->value))
        return;
    const char *id = classic_get(&l, "id");
    if (is_absent(c, l.word))
        ;
    else if (!uplink_word_find(&l))
        classic_error(c, "there is no \"%s\"; there are %s", l.word,
                      uplink_words_text(words, sizeof(words)));
    else if (!id)
        classic_error(c, "it has no id=");
    else
        uplink_make(c, uplink_word_find(&l), &l, vlan_netdev(c, id));
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
    struct classic_list none = {.word = "user"};
    c->place = (struct place){topo_intern(&c->t, "-net user"), 0};
    if (!c->net_said) {
        struct topo_vlan *v = vlan_numbered(c, &none);
        nic_make(c, &none, v, NULL);
        uplink_make(c, uplink_word_find(&none), &none, v);
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
