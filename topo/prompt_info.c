/* The prompt's commands that only look: info, and help. */
#include "devices/uplinks/user.h"
#include "topo/live.h"
#include "topo/prompt.h"
#include "topo/schema.h"

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

static void info_usernet(struct prompt_call *c)
{
    const topo_objects *all = &c->run->topo->uplinks;
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->items[i]->kind != TOPO_USER)
            continue;
        fprintf(c->out, "%s:\n", all->items[i]->name);
        put_text(c, user_info(((struct topo_uplink *)all->items[i])->built));
        n++;
    }
    if (!n)
        fputs("there is no user-mode stack\n", c->out);
}

static const struct prompt_command infos[] = {
    {"network", "", "the VLANs with their ports, links and counters", 0, 0, info_network},
    {"usernet", "", "the connections and redirections of user-mode stacks", 0, 0, info_usernet},
    {"capture", "", "the captures that are open", 0, 0, info_capture},
};

void prompt_info(struct prompt_call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(infos); i++)
        if (strcmp(infos[i].name, c->words[0]) == 0) {
            infos[i].run(c);
            return;
        }
    const char *near =
        nearest_name(c->words[0], &infos[0].name, ARRAY_LEN(infos), sizeof(infos[0]));
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

void prompt_help(struct prompt_call *c)
{
    bool any = false;
    for (const struct prompt_command *k = prompt_commands; k->name; k++) {
        if (c->n && strcmp(k->name, c->words[0]) != 0)
            continue;
        any = true;
        if (k->run == prompt_info)
            put_help_info(c);
        else
            put_help(c, "", k);
    }
    if (!any)
        fprintf(c->out, "there is no command \"%s\"\n", c->words[0]);
}
