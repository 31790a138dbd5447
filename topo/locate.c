/*
 * Finding the line on which a table's attribute is written: Lua knows the line of a call, not
 * of a field, and a guest's table may be long. A small scanner that knows strings, comments
 * and brackets is enough.
 */
#include "topo/locate.h"

#include <ctype.h>

struct scan {
    const char *p;
    int line, depth;
};

static const char *source_line(const struct topo *t, struct place from)
{
    for (size_t i = 0; i < t->sources.n; i++) {
        const struct topo_source *s = &t->sources.items[i];
        if (!from.file || strcmp(s->file, from.file) != 0)
            continue;
        const char *p = s->text;
        for (int line = 1; p && line < from.line; line++) {
            p = strchr(p, '\n');
            p = p ? p + 1 : NULL;
        }
        return p;
    }
    return NULL;
}

/* Skips to the end of a string in quotes or a comment, if one begins here. */
static bool skip_text(struct scan *s)
{
    char quote = *s->p;
    if (s->p[0] == '-' && s->p[1] == '-') {
        s->p += strcspn(s->p, "\n");
        return true;
    }
    if (quote != '"' && quote != '\'')
        return false;
    for (s->p++; *s->p && *s->p != quote && *s->p != '\n'; s->p++)
        if (*s->p == '\\' && s->p[1])
            s->p++;
    if (*s->p == quote)
        s->p++;
    return true;
}

/* Steps over a word; whether it is `name` with an equals sign after it. */
static bool word_matches(struct scan *s, const char *name)
{
    const char *start = s->p;
    while (isalnum((unsigned char)*s->p) || *s->p == '_')
        s->p++;
    size_t n = (size_t)(s->p - start);
    const char *after = s->p + strspn(s->p, " \t\r\n");
    return n == strlen(name) && memcmp(start, name, n) == 0 && after[0] == '=' && after[1] != '=';
}

struct place locate_attr(const struct topo *t, struct place from, const char *name)
{
    struct scan s = {source_line(t, from), from.line, 0};
    while (s.p && *s.p) {
        if (skip_text(&s))
            continue;
        if (isalpha((unsigned char)*s.p) || *s.p == '_') {
            if (word_matches(&s, name) && s.depth == 1)
                return (struct place){from.file, s.line};
            continue;
        }
        if (*s.p == '\n')
            s.line++;
        else if (*s.p == '{')
            s.depth++;
        else if (*s.p == '}' && --s.depth <= 0)
            break;
        s.p++;
    }
    return from;
}
