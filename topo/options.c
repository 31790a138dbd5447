/* Reading a command's options from its table. */
#include "topo/command.h"
#include "topo/schema.h"

static const struct option *option_find(const struct option *table, const char *word, size_t len)
{
    for (; table && table->name; table++)
        if (strlen(table->name) == len && memcmp(table->name, word, len) == 0)
            return table;
    return NULL;
}

static void option_unknown(const struct option *table, const char *word, struct err *err)
{
    size_t n = 0;
    while (table && table[n].name)
        n++;
    const char *near = n ? nearest_name(word, &table[0].name, n, sizeof(*table)) : NULL;
    if (near)
        err_add(err, "there is no option %s; did you mean %s?", word, near);
    else
        err_add(err, "there is no option %s", word);
}

/* Takes the option at argv[*i]; *i moves on if its value is the next word. */
static void option_take(const struct option *table, int argc, char **argv, int *i, void *to,
                        struct err *err)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *o = option_find(table, word, len);
    const char *value = NULL;
    if (!o) {
        char *name = xstrndup(word, len);
        option_unknown(table, name, err);
        free(name);
        return;
    }
    if (equals && !o->value) {
        err_add(err, "%s takes no value", o->name);
        return;
    }
    if (o->value) {
        value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
        if (!value) {
            err_add(err, "%s needs a value: %s %s", o->name, o->name, o->value);
            return;
        }
    }
    o->take(to, value, err);
}

bool option_try(const struct option *table, int argc, char **argv, int *i, void *to,
                struct err *err)
{
    if (!option_find(table, argv[*i], strcspn(argv[*i], "=")))
        return false;
    option_take(table, argc, argv, i, to, err);
    return true;
}

int options_read(const struct option *table, int argc, char **argv, void *to, struct err *err)
{
    int left = 0;
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (!ended && argv[i][0] == '-' && argv[i][1])
            option_take(table, argc, argv, &i, to, err);
        else
            argv[1 + left++] = argv[i];
    }
    return err_any(err) ? -1 : left;
}

int usage_error(const struct command *c, struct err *err)
{
    err_print(err, stderr);
    fprintf(stderr, "usage: lanarium %s %s (see: lanarium help %s)\n", c->name, c->args, c->name);
    err_finish(err);
    return EXIT_BAD_INPUT;
}
