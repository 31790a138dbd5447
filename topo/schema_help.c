/* Schemas as text: for `lanarium help`, and for the manual page. */
#include "topo/schema.h"

static const char *const type_names[] = {
    [ATTR_STRING] = "string",   [ATTR_FILE] = "file",        [ATTR_FOLDER] = "folder",
    [ATTR_BOOL] = "true|false", [ATTR_INT] = "number",       [ATTR_TIME] = "time",
    [ATTR_RATE] = "rate",       [ATTR_SIZE] = "size",        [ATTR_MAC] = "address",
    [ATTR_CHOICE] = "",         [ATTR_LIST] = "string|list", [ATTR_GUEST] = "guest",
    [ATTR_PATTERN] = "pattern", [ATTR_FACTOR] = "factor|max",
    [ATTR_FD] = "number|name",
};

/* "switch|hub" for a choice, else the type's name. */
static const char *type_text(const struct attr *a, char *buf, size_t size)
{
    snprintf(buf, size, "%s", type_names[a->type]);
    for (size_t i = 0; a->type == ATTR_CHOICE && a->choices[i]; i++) {
        size_t len = strlen(buf);
        snprintf(buf + len, size - len, "%s%s", i ? "|" : "", a->choices[i]);
    }
    return buf;
}

void schema_help(const struct schema *s, FILE *to)
{
    char type[64];
    fprintf(to, "%s\n\n%s\n", s->synopsis, s->help);
    if (s->items)
        fprintf(to, "In the table without a name: %s.\n", s->items);
    fputc('\n', to);
    for (size_t i = 0; i < s->n_attrs; i++) {
        const struct attr *a = &s->attrs[i];
        fprintf(to, "  %-15s %-18s %s\n", a->name, type_text(a, type, sizeof(type)), a->help);
        fprintf(to, "  %-15s %-18s default: %s\n", "", "", a->preset);
    }
}

/* Backslashes and leading dots mean something to mdoc; ours have neither but quotes. */
static void put_mdoc(FILE *to, const char *s)
{
    for (char last = 0; *s; last = *s++) {
        if (*s == '"')
            fputs("\\(dq", to);
        else if (*s == '-')
            fputs("\\-", to);
        else if (*s == '.' && s[1] == ' ' && last != '.') /* a new sentence, on a new line */
            fputs(".\n", to), s++;
        else
            fputc(*s, to);
    }
}

void schema_mdoc(const struct schema *s, FILE *to)
{
    char type[64];
    fprintf(to, ".Ss %s\n.D1 ", s->name);
    put_mdoc(to, s->synopsis);
    fputs("\n.Pp\n", to);
    put_mdoc(to, s->help);
    if (s->items) {
        fputs("\nIn the table without a name: ", to);
        put_mdoc(to, s->items);
        fputc('.', to);
    }
    fputs("\n.Bl -tag -width Ds\n", to);
    for (size_t i = 0; i < s->n_attrs; i++) {
        const struct attr *a = &s->attrs[i];
        fprintf(to, ".It Cm %s No = Ar %s\n", a->name, type_text(a, type, sizeof(type)));
        put_mdoc(to, a->help);
        fputs(".\nDefault: ", to);
        put_mdoc(to, a->preset);
        fputs(".\n", to);
    }
    fputs(".El\n", to);
}
