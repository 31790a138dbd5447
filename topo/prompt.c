/* The command prompt: a line's words, and the command that they are for. */
#include "topo/prompt.h"

#include <ctype.h>

#include "topo/schema.h"

#define MANY_WORDS 64

/* Takes a line apart in place: words between blanks; "a b" is one. How many; SIZE_MAX: wrong. */
static size_t words_split(char *line, char **words, const char **problem)
{
    size_t n = 0;
    char *from = line, *to = line;
    for (;;) {
        while (isspace((unsigned char)*from))
            from++;
        if (!*from)
            return n;
        *problem = "it has too many words";
        if (n == MANY_WORDS)
            return SIZE_MAX;
        words[n++] = to;
        bool quoted = false;
        for (; *from && (quoted || !isspace((unsigned char)*from)); from++) {
            if (*from == '"')
                quoted = !quoted;
            else
                *to++ = *from;
        }
        *problem = "a quotation mark has no end";
        if (quoted)
            return SIZE_MAX;
        from += *from != '\0';
        *to++ = '\0';
    }
}

static const struct prompt_command *command_named(const char *name)
{
    for (const struct prompt_command *c = prompt_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static void say_unknown(const char *name, FILE *out)
{
    size_t n = 0;
    while (prompt_commands[n].name)
        n++;
    const char *near = nearest_name(name, &prompt_commands[0].name, n, sizeof(prompt_commands[0]));
    if (near)
        fprintf(out, "there is no command \"%s\"; did you mean %s?\n", name, near);
    else
        fprintf(out, "there is no command \"%s\"; help names them\n", name);
}

static void call(struct prompt_call *c, const struct prompt_command *command)
{
    if (c->n < command->min || c->n > command->max)
        fprintf(c->out, "%s: write it as %s%s%s\n", command->name, command->name,
                *command->args ? " " : "", command->args);
    else
        command->run(c);
}

/* What follows the first word. */
static const char *rest_of(const char *line)
{
    line += strspn(line, " \t");
    line += strcspn(line, " \t");
    return line + strspn(line, " \t");
}

bool prompt_execute(struct run *r, const char *line, FILE *out)
{
    char *words[MANY_WORDS], *copy = xstrdup(line);
    const char *problem;
    size_t n = words_split(copy, words, &problem);
    struct prompt_call c = {r, out, rest_of(line), words + 1, n - 1, false};
    const struct prompt_command *command = n && n != SIZE_MAX ? command_named(words[0]) : NULL;
    if (n == SIZE_MAX)
        fprintf(out, "%s\n", problem);
    else if (command)
        call(&c, command);
    else if (n)
        say_unknown(words[0], out);
    free(copy);
    return c.leave;
}
