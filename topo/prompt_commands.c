/* The prompt's commands. Those that QEMU's monitor has too are called and spelt as there. */
#include "devices/uplinks/user.h"
#include "guests/machine.h"
#include "topo/classic.h"
#include "topo/live.h"
#include "topo/prompt.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

enum { A_NIC = 1, AN_UPLINK = 2, A_VLAN = 4, A_GUEST = 8, A_PATCH = 16 };

/* --- names --- */

/* "NIC or uplink", of a mask. */
static const char *kinds_text(unsigned kinds)
{
    switch (kinds) {
    case A_NIC: return "NIC";
    case AN_UPLINK: return "uplink";
    case A_VLAN: return "VLAN";
    case A_NIC | AN_UPLINK: return "NIC or uplink";
    case A_NIC | AN_UPLINK | A_PATCH: return "NIC, uplink or patch";
    default: return "VLAN, guest, NIC, uplink or patch";
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
    if (kinds & A_PATCH)
        names_add(&names, &t->patches);
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
        fprintf(c->out, "there is no %s \"%s\"; info network names them\n", kinds_text(kinds),
                name);
    free(names.items);
    return found;
}

/* One that can be changed: a clone's NIC only when the clone has been made. */
static struct topo_object *port_named(struct prompt_call *c, const char *name, unsigned kinds)
{
    struct topo_object *o = object_named(c, name, kinds);
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

/* --- changing --- */

static void run_set_link(struct prompt_call *c)
{
    bool on = strcmp(c->words[1], "on") == 0;
    struct topo_object *o = port_named(c, c->words[0], A_NIC | AN_UPLINK | A_PATCH);
    if (!on && strcmp(c->words[1], "off") != 0)
        fprintf(c->out, "set_link: \"%s\" is neither on nor off\n", c->words[1]);
    else if (o)
        live_set_up(o, on);
}

static void run_attach(struct prompt_call *c)
{
    bool none = strcmp(c->words[1], "none") == 0;
    struct topo_object *o = port_named(c, c->words[0], A_NIC | AN_UPLINK);
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

/* The only user-mode stack there is. */
static struct topo_object *only_stack(struct prompt_call *c)
{
    const topo_objects *all = &c->run->topo->uplinks;
    struct topo_object *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->items[i]->kind != TOPO_USER)
            continue;
        found = all->items[i];
        n++;
    }
    if (n == 1)
        return found;
    fputs(n ? "there is more than one user-mode stack; name it first\n"
            : "there is no user-mode stack\n",
          c->out);
    return NULL;
}

/* [STACK] RULE: the stack that is meant; the rule is the last word. */
static struct uplink *stack_meant(struct prompt_call *c)
{
    struct topo_object *o = c->n == 1 ? only_stack(c) : object_named(c, c->words[0], AN_UPLINK);
    if (!o)
        return NULL;
    if (o->kind == TOPO_USER)
        return ((struct topo_uplink *)o)->built;
    fprintf(c->out, "%s %s is no user-mode stack\n", schemas[o->kind]->name, o->name);
    return NULL;
}

static void say_sentences(struct prompt_call *c, struct err *err)
{
    for (size_t i = 0; i < err->n; i++)
        fprintf(c->out, "%s\n", err->texts[i]);
    err_finish(err);
}

static void run_hostfwd_add(struct prompt_call *c)
{
    struct uplink *u = stack_meant(c);
    struct err err = {0};
    int port = u ? user_hostfwd_add(u, c->words[c->n - 1], NULL, 0, &err) : -1;
    if (port > 0)
        fprintf(c->out, "port %d of the host\n", port);
    say_sentences(c, &err);
}

static void run_hostfwd_remove(struct prompt_call *c)
{
    struct uplink *u = stack_meant(c);
    struct err err = {0};
    if (u)
        user_hostfwd_remove(u, c->words[c->n - 1], NULL, 0, &err);
    say_sentences(c, &err);
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
    o = object_named(c, word, A_VLAN | A_GUEST | A_NIC | AN_UPLINK | A_PATCH);
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
    for (size_t i = before; i < n->trouble.n; i++) /* told again when the run ends */
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
    {"help", "[COMMAND]", "what the commands are", 0, 1, prompt_help},
    {"info", "network|usernet|capture", "what is there now", 1, 1, prompt_info},
    {"set_link", "NAME on|off", "plug a NIC's, an uplink's or a patch's cable in, or pull it out", 2, 2,
     run_set_link},
    {"attach", "NAME VLAN|none", "move a NIC or an uplink to another VLAN", 2, 2, run_attach},
    {"hostfwd_add", "[STACK] RULE",
     "redirect a port of the host to a guest: tcp::8080-10.0.2.15:80", 1, 2, run_hostfwd_add},
    {"hostfwd_remove", "[STACK] RULE", "no more: tcp::8080", 1, 2, run_hostfwd_remove},
    {"netdev_add", "KIND,id=NAME,vlan=VLAN,...", "add an uplink", 1, 1, run_netdev_add},
    {"netdev_del", "NAME", "remove an uplink", 1, 1, run_netdev_del},
    {"capture", "FILE [POINT...] [ATTRIBUTE=VALUE...]", "begin a capture; no point: every VLAN", 1,
     64, run_capture},
    {"capture_stop", "FILE", "end it", 1, 1, run_capture_stop},
    {"cont", "", "leave the prompt (also: ctrl-C, ctrl-D)", 0, 0, run_cont},
    {"quit", "", "end the run", 0, 0, run_quit},
    {NULL, NULL, NULL, 0, 0, NULL},
};
