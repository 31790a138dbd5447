/* Commands: one file and one row of a table each; and the options they share. */
#ifndef TOPO_COMMAND_H
#define TOPO_COMMAND_H

#include "topo/run.h"

struct option {
    const char *name;  /* "--for" */
    const char *value; /* "TIME"; NULL: it takes none */
    const char *help;
    /** Take a value (NULL if it takes none). False, with a sentence in err, if it is wrong. */
    bool (*take)(void *to, const char *value, struct err *err);
};

struct command {
    const char *name;
    const char *args;                  /* "[OPTION...] FILE" */
    const char *help;                  /* one line */
    const struct option *options;      /* end in a row whose name is NULL; NULL: none */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

/** End in a row whose name is NULL. */
extern const struct command commands[];
const struct command *command_find(const char *name);

/**
 * Read options, `to` being what their `take` fills in; they may stand anywhere, as "--for 5s" or
 * "--for=5s"; "--" ends them. Moves what is left to the front of argv (after argv[0]) and
 * returns how many words that is, or -1 with sentences in err.
 */
int options_read(const struct option *table, int argc, char **argv, void *to, struct err *err);

/** Take argv[*i] if it is an option of the table; false, and nothing is said, if it is not. */
bool option_try(const struct option *table, int argc, char **argv, int *i, void *to,
                struct err *err);

/** What the options of `run`, and of `replay`, fill in. */
struct run_args {
    struct run_options o;
    bool seed_given;
    uint64_t seed;
    LIST_OF(const char *) defines;
};

/** Likewise for the options of `run`, into `o` and the seed of `t`. */
bool run_option_take(int argc, char **argv, int *i, struct run_options *o, struct topo *t,
                     struct err *err);

/** Print what is wrong, and how the command is used; returns EXIT_BAD_INPUT. */
int usage_error(const struct command *c, struct err *err);

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_draw(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_help(int argc, char **argv);

extern const struct option run_option_table[], replay_option_table[], check_option_table[],
    draw_option_table[];

/** `lanarium run` with the words of a command line; `again`: as they were recorded, or NULL. */
int run_main(int argc, char **argv, const struct replay *again);

/** One guest by QEMU's classic options: lanarium -kernel Image -net user... */
int classic_main(int argc, char **argv, const struct replay *again);
void classic_help(FILE *to);

/** Load a script and check it: what run, check and draw have in common. */
bool script_check(struct script *s, struct topo *t, const char *path);

#endif
