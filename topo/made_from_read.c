/* Reading the header of a recording: nothing in it is believed before it has its form. */
#include "topo/made_from.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* A word as it was, on the heap; NULL if it is no such word. */
static char *word_get(const char *s)
{
    char *word = xmalloc(strlen(s) + 1), *to = word;
    unsigned byte;

    for (; *s; s++) {
        *to = *s;
        if (*s == '%') {
            if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]) ||
                sscanf(s + 1, "%2x", &byte) != 1 || !byte) {
                free(word);
                return NULL;
            }
            *to = (char)byte;
            s += 2;
        }
        to++;
    }
    *to = '\0';
    return word;
}

static bool take_command(struct made_from *m, char *value)
{
    m->classic = strcmp(value, "classic") == 0;
    return m->classic || strcmp(value, "run") == 0;
}

static bool take_arg(struct made_from *m, char *value)
{
    char *word = word_get(value);

    if (word)
        list_push(&m->args, word);
    return word != NULL;
}

static bool take_seed(struct made_from *m, char *value)
{
    char *end;

    errno = 0;
    m->seed = strtoull(value, &end, 10);
    return isdigit((unsigned char)*value) && !*end && !errno;
}

static bool take_epoch(struct made_from *m, char *value)
{
    char *end;

    errno = 0;
    m->epoch_ns = strtoll(value, &end, 10);
    return *value && !*end && !errno;
}

static bool digest_read(const char *s, char to[DIGEST_TEXT])
{
    if (strspn(s, "0123456789abcdef") != DIGEST_TEXT - 1)
        return false;
    memcpy(to, s, DIGEST_TEXT - 1);
    to[DIGEST_TEXT - 1] = '\0';
    return true;
}

static bool file_take(struct made_from *m, char *value, bool script)
{
    struct made_file f = {.script = script};

    if (!digest_read(value, f.digest) || value[DIGEST_TEXT - 1] != ' ' ||
        !(f.path = word_get(value + DIGEST_TEXT)))
        return false;
    list_push(&m->files, f);
    return true;
}

static bool take_script(struct made_from *m, char *value)
{
    return file_take(m, value, true);
}

static bool take_file(struct made_from *m, char *value)
{
    return file_take(m, value, false);
}

static bool take_topology(struct made_from *m, char *value)
{
    return digest_read(value, m->topology) && !value[DIGEST_TEXT - 1];
}

static bool take_folder(struct made_from *m, char *value)
{
    free(m->folder);
    m->folder = word_get(value);
    return m->folder != NULL;
}

static bool take_program(struct made_from *m, char *value)
{
    free(m->program);
    m->program = xstrdup(value);
    return true;
}

static const struct key {
    const char *name;
    bool (*take)(struct made_from *m, char *value);
} keys[] = {
    {"program", take_program}, {"folder", take_folder}, {"command", take_command},
    {"arg", take_arg},         {"seed", take_seed},     {"epoch", take_epoch},
    {"script", take_script},   {"file", take_file},     {"topology", take_topology},
};

/* Takes one line; its key's bit, or 0 if it is none. */
static unsigned line_take(struct made_from *m, char *line)
{
    char *value = strchr(line, ' ');

    if (!value)
        return 0;
    *value++ = '\0';
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(keys[i].name, line) == 0)
            return keys[i].take(m, value) ? 1u << i : 0;
    return 0;
}

bool made_from_read(struct made_from *m, const char *text, const char *path, struct err *err)
{
    const unsigned needed = (1u << ARRAY_LEN(keys)) - 1;
    char *lines = xstrdup(text), *rest = lines, *line;
    unsigned seen = 1u << 6 | 1u << 7, bit = 1; /* there may be no script, and no other file */

    *m = (struct made_from){0};
    while (bit && (line = strtok_r(rest, "\n", &rest)))
        seen |= bit = line_take(m, line);
    free(lines);
    if (bit && seen == needed && m->args.n)
        return true;
    err_add(err, "%s does not say what it was made from: lanarium run did not record it", path);
    return false;
}

void made_from_finish(struct made_from *m)
{
    for (size_t i = 0; i < m->args.n; i++)
        free(m->args.items[i]);
    for (size_t i = 0; i < m->files.n; i++)
        free(m->files.items[i].path);
    free(m->args.items);
    free(m->files.items);
    free(m->folder);
    free(m->program);
    *m = (struct made_from){0};
}
