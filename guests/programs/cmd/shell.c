/* The command line: splits a line into words and runs the command of that name. */
#include "cmd/shell.h"

#include <stdio.h>
#include <string.h>

#include "cmd/console.h"

enum { LINE = 256 };

static const struct command *own;

static int words_split(char *line, char **words, int most)
{
    int count = 0;
    char *s = line;

    for (;;) {
        while (*s == ' ' || *s == '\t')
            *s++ = '\0';
        if (*s == '\0' || count == most - 1)
            break;
        words[count++] = s;
        while (*s && *s != ' ' && *s != '\t')
            s++;
    }
    words[count] = NULL;
    return count;
}

static const struct command *command_find(const char *name)
{
    const struct command *tables[] = {own, common_commands};

    for (int i = 0; i < 2; i++)
        for (const struct command *c = tables[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

static void help_print(const struct command *c)
{
    char use[80];

    for (; c->name; c++) {
        snprintf(use, sizeof use, "%s %s", c->name, c->args);
        printf("%-36s %s\n", use, c->about);
    }
}

static void line_run(char *line)
{
    char *words[ARGS_MOST];
    int count = words_split(line, words, ARGS_MOST);
    const struct command *c;

    if (count == 0 || words[0][0] == '#')
        return;
    if (strcmp(words[0], "help") == 0) {
        help_print(own);
        help_print(common_commands);
        return;
    }
    c = command_find(words[0]);
    if (!c)
        printf("%s: no such command; try help\n", words[0]);
    else if (c->run(count, words) == COMMAND_USAGE)
        printf("usage: %s %s\n", c->name, c->args);
}

void shell_run(const struct command *table, const char *prompt)
{
    static char line[LINE];

    own = table;
    for (;;)
        if (console_line(prompt, line, sizeof line) > 0)
            line_run(line);
}
