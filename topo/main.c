/* The program lanarium: finds the command and runs it. */
#include "topo/command.h"
#include "topo/schema.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

const struct command commands[] = {
    {"run", "[OPTION...] FILE", "run a topology script (0: all passed)", run_option_table, cmd_run},
    {"replay", "[OPTION...] RECORDING", "run what --record has written again, to the same bytes",
     replay_option_table, cmd_replay},
    {"check", "FILE...", "say everything that is wrong with it, run nothing", check_option_table,
     cmd_check},
    {"draw", "[--svg] [-o OUT] FILE", "a picture of it (Graphviz DOT, SVG)", draw_option_table,
     cmd_draw},
    {"image", "list | NAME...", "fetch images of real software", NULL,
     cmd_image},
    {"help", "[COMMAND | OBJECT]", "how it is used, what an object can have", NULL, cmd_help},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int unknown(const char *word)
{
    const char *near =
        nearest_name(word, &commands[0].name, ARRAY_LEN(commands) - 1, sizeof(commands[0]));
    const char *dot = strrchr(word, '.');
    if (dot && strcmp(dot, ".lua") == 0)
        fprintf(stderr, "lanarium: there is no command \"%s\"; to run a script: lanarium run %s\n",
                word, word);
    else if (near)
        fprintf(stderr, "lanarium: there is no command \"%s\"; did you mean \"%s\"?\n", word, near);
    else
        fprintf(stderr, "lanarium: there is no command \"%s\"; 'lanarium help' names them\n", word);
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        cmd_help(1, argv);
        return EXIT_BAD_INPUT;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-version") == 0) {
        printf("lanarium %s\n", PACKAGE_VERSION);
        return EXIT_PASSED;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-help") == 0)
        return cmd_help(1, argv);
    if (word[0] == '-')
        return classic_main(argc, argv, NULL);
    const struct command *c = command_find(word);
    return c ? c->run(argc - 1, argv + 1) : unknown(word);
}
