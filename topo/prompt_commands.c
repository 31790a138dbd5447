/* The prompt's commands. Those that QEMU's monitor has too are called and spelt as there. */
#include "guests/machine.h"
#include "topo/classic.h"
#include "topo/live.h"
#include "topo/prompt.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

enum { A_NIC = 1, AN_UPLINK = 2, A_VLAN = 4, A_GUEST = 8 };

/* --- names --- */

/* "NIC or uplink", of a mask. */
static const char *kinds_text(unsigned kinds)
{
    switch (kinds) {
    case A_NIC: return "NIC";
    case AN_UPLINK: return "uplink";
    case A_VLAN: return "VLAN";
    case A_NIC | AN_UPLINK: return "NIC or uplink";
    default: return "VLAN, guest, NIC or uplink";
    }
}

struct name {
    const char *text;
    struct topo_object *object;
};
typedef LIST_OF(struct name) name_list;

static void names_add(name_list *names, const topo_objects *objects)
{
    for (size_t i = 0; i < objects->n; i++)
        list_push(names, ((struct name){objects->items[i]->name, objects->items[i]}));
}

static void names_add_nics(name_list *names, const topo_objects *guests)
{
    for (size_t i = 0; i < guests->n; i++) {
        const struct topo_guest *g = (struct topo_guest *)guests->items[i];
        for (size_t k = 0; k < g->nics.n; k++) {
            struct topo_nic *n = (struct topo_nic *)g->nics.items[k];
            list_push(names, ((struct name){n->port->name, &n->object}));
        }
    }
}

/* The object of a name, of some kinds; NULL, with a sentence, if there is none. */
static struct topo_object *object_named(struct prompt_call *c, const char *name, unsigned kinds)
{
    const struct topo *t = c->run->topo;
    name_list names = {0};
    struct topo_object *found = NULL;
    if (kinds & A_VLAN)
        names_add(&names, &t->vlans);
    if (kinds & A_GUEST)
        names_add(&names, &t->guests);
    if (kinds & AN_UPLINK)
        names_add(&names, &t->uplinks);
    if (kinds & A_NIC)
        names_add_nics(&names, &t->guests);
    for (size_t i = 0; i < names.n && !found; i++)
        if (strcmp(names.items[i].text, name) == 0)
            found = names.items[i].object;
    const char *near =
        names.n ? nearest_name(name, &names.items[0].text, names.n, sizeof(names.items[0])) : NULL;
    if (!found && near)
        fprintf(c->out, "there is no %s \"%s\"; did you mean %s?\n", kinds_text(kinds), name, near);
    else if (!found)
        fprintf(c->out, "there is no %s \"%s\"; info network names them\n", kinds_text(kinds), name);
    free(names.items);
    return found;
}

/* A NIC or an uplink that can be changed: a clone's NIC only when the clone has been made. */
static struct topo_object *port_named(struct prompt_call *c, const char *name)
{
    struct topo_object *o = object_named(c, name, A_NIC | AN_UPLINK);
    const struct topo_guest *g = o && o->kind == TOPO_NIC ? ((struct topo_nic *)o)->guest : NULL;
    if (!g || machine_power_state(g->machine, NULL) != MACHINE_WAITING)
        return o;
    char *why = clone_missing(g);
    fprintf(c->out, "%s\n", why);
    free(why);
    return NULL;
}

/* What the topology complains of, which is nobody else's business. */
static void say_errors(struct prompt_call *c)
{
    char *text = topo_take_errors(c->run->topo);
    if (text)
        fprintf(c->out, "%s\n", text);
    free(text);
}

/* --- looking --- */

static void put_text(struct prompt_call *c, char *text)
{
    fputs(text, c->out);
    free(text);
}

static void info_network(struct prompt_call *c)
{
    put_text(c, live_info_network(&c->run->network));
}

static void info_capture(struct prompt_call *c)
{
    put_text(c, live_info_capture(&c->run->network));
}

static const struct prompt_command infos[] = {
    {"network", "", "the VLANs with their ports, links and counters", 0, 0, info_network},
    {"capture", "", "the captures that are open", 0, 0, info_capture},
};

static void run_info(struct prompt_call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(infos); i++)
        if (strcmp(infos[i].name, c->words[0]) == 0) {
            infos[i].run(c);
            return;
        }
    const char *near = nearest_name(c->words[0], &infos[0].name, ARRAY_LEN(infos), sizeof(infos[0]));
    if (near)
        fprintf(c->out, "there is no info %s; did you mean info %s?\n", c->words[0], near);
    else
        fprintf(c->out, "there is no info %s; help info names what there is\n", c->words[0]);
}

static void put_help(struct prompt_call *c, const char *before, const struct prompt_command *k)
{
    char *usage = xasprintf("%s%s%s%s", before, k->name, *k->args ? " " : "", k->args);
    fprintf(c->out, "%-40s %s\n", usage, k->help);
    free(usage);
}

static void put_help_info(struct prompt_call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(infos); i++)
        put_help(c, "info ", &infos[i]);
}

static void run_help(struct prompt_call *c)
{
    bool any = false;
    for (const struct prompt_command *k = prompt_commands; k->name; k++) {
        if (c->n && strcmp(k->name, c->words[0]) != 0)
            continue;
        any = true;
        if (k->run == run_info)
            put_help_info(c);
        else
            put_help(c, "", k);
    }
    if (!any)
        fprintf(c->out, "there is no command \"%s\"\n", c->words[0]);
}

/* --- changing --- */

static void run_set_link(struct prompt_call *c)
{
    bool on = strcmp(c->words[1], "on") == 0;
    struct topo_object *o = port_named(c, c->words[0]);
    if (!on && strcmp(c->words[1], "off") != 0)
        fprintf(c->out, "set_link: \"%s\" is neither on nor off\n", c->words[1]);
    else if (o)
        live_set_up(o, on);
}

static void run_attach(struct prompt_call *c)
{
    bool none = strcmp(c->words[1], "none") == 0;
    struct topo_object *o = port_named(c, c->words[0]);
    struct topo_object *v = o && !none ? object_named(c, c->words[1], A_VLAN) : NULL;
    if (o && (v || none))
        live_attach(o, (struct topo_vlan *)v);
}

static void run_netdev_add(struct prompt_call *c)
{
    struct topo *t = c->run->topo;
    struct classic k = {.t = t, .word = "netdev_add", .value = c->words[0]};
    k.place.file = topo_intern(t, k.word);
    struct topo_uplink *u = classic_netdev_add(&k);
    if (!u || !live_make(&c->run->network, &u->object))
        say_errors(c);
}

static void run_netdev_del(struct prompt_call *c)
{
    struct topo_object *o = object_named(c, c->words[0], AN_UPLINK);
    if (o)
        live_remove(&c->run->network, (struct topo_uplink *)o);
}

/* POINT or ATTRIBUTE=VALUE. False, with a sentence. */
static bool capture_word(struct prompt_call *c, struct topo_capture *capture, char *word)
{
    char *equals = strchr(word, '=');
    struct topo_object *o;
    if (equals) {
        *equals = '\0';
        return schema_set(c->run->topo, &capture->object, word, equals + 1, capture->object.place);
    }
    o = object_named(c, word, A_VLAN | A_GUEST | A_NIC | AN_UPLINK);
    if (o)
        list_push(&capture->points, o);
    return o != NULL;
}

static void run_capture(struct prompt_call *c)
{
    struct topo *t = c->run->topo;
    struct topo_object *o = topo_add(t, TOPO_CAPTURE, c->words[0], (struct place){NULL, 0});
    bool good = true;
    for (size_t i = 1; i < c->n && good; i++)
        good = capture_word(c, (struct topo_capture *)o, c->words[i]);
    if (!good)
        topo_remove(t, o);
    else
        live_make(&c->run->network, o);
    say_errors(c);
}

static struct topo_capture *capture_named(struct prompt_call *c, const char *name)
{
    const topo_objects *all = &c->run->topo->captures;
    LIST_OF(const char *) open = {0};
    struct topo_capture *found = NULL;
    for (size_t i = 0; i < all->n; i++) {
        struct topo_capture *k = (struct topo_capture *)all->items[i];
        if (!k->open)
            continue;
        list_push(&open, k->object.name);
        if (strcmp(k->object.name, name) == 0)
            found = k;
    }
    const char *near = open.n ? nearest_name(name, open.items, open.n, sizeof(*open.items)) : NULL;
    if (!found && near)
        fprintf(c->out, "no capture \"%s\" is open; did you mean %s?\n", name, near);
    else if (!found)
        fprintf(c->out, "no capture \"%s\" is open\n", name);
    free(open.items);
    return found;
}

static void run_capture_stop(struct prompt_call *c)
{
    struct network *n = &c->run->network;
    struct topo_capture *k = capture_named(c, c->words[0]);
    size_t before = n->trouble.n;
    if (!k)
        return;
    live_close(n, k);
    for (size_t i = before; i < n->trouble.n; i++)
        fprintf(c->out, "%s\n", n->trouble.texts[i]);
    fprintf(c->out, "%s: %llu packets\n", k->object.name, (unsigned long long)k->packets);
}

static void run_cont(struct prompt_call *c)
{
    c->leave = true;
}

static void run_quit(struct prompt_call *c)
{
    c->leave = true;
    sim_stop(&c->run->network.sim);
}

const struct prompt_command prompt_commands[] = {
    {"help", "[COMMAND]", "what the commands are", 0, 1, run_help},
    {"info", "network|capture", "what is there now", 1, 1, run_info},
    {"set_link", "NAME on|off", "plug a NIC's or an uplink's cable in, or pull it out", 2, 2,
     run_set_link},
    {"attach", "NAME VLAN|none", "move a NIC or an uplink to another VLAN", 2, 2, run_attach},
    {"netdev_add", "KIND,id=NAME,vlan=VLAN,...", "add an uplink", 1, 1, run_netdev_add},
    {"netdev_del", "NAME", "remove an uplink", 1, 1, run_netdev_del},
    {"capture", "FILE [POINT...] [ATTRIBUTE=VALUE...]", "begin a capture; no point: every VLAN", 1,
     64, run_capture},
    {"capture_stop", "FILE", "end it", 1, 1, run_capture_stop},
    {"cont", "", "leave the prompt (also: ctrl-C, ctrl-D)", 0, 0, run_cont},
    {"quit", "", "end the run", 0, 0, run_quit},
    {NULL, NULL, NULL, 0, 0, NULL},
};
