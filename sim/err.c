/* The list of sentences about what the user did wrong. */
#include "sim/err.h"

static void push(struct err *e, char *text)
{
    e->texts = xrealloc(e->texts, (e->n + 1) * sizeof(*e->texts));
    e->texts[e->n++] = text;
}

void err_add(struct err *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    push(e, xvasprintf(fmt, ap));
    va_end(ap);
}

void err_at(struct err *e, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    if (!file)
        push(e, xstrdup(text));
    else if (line > 0)
        push(e, xasprintf("%s:%d: %s", file, line, text));
    else
        push(e, xasprintf("%s: %s", file, text));
    free(text);
}

void err_print(const struct err *e, FILE *to)
{
    for (size_t i = 0; i < e->n; i++)
        fprintf(to, "lanarium: %s\n", e->texts[i]);
}

void err_finish(struct err *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->texts[i]);
    free(e->texts);
    *e = (struct err){0};
}
