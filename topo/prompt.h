/* The command prompt: a line of words looks at a network that runs, or changes it. */
#ifndef TOPO_PROMPT_H
#define TOPO_PROMPT_H

#include "topo/run.h"

/** A command being carried out, at a barrier. */
struct prompt_call {
    struct run *run;
    FILE *out;        /* what it has to say: lines */
    const char *text; /* what follows its name, as it was typed */
    char **words;     /* the same taken apart, n of them */
    size_t n;
    bool leave; /* it asked for the end of the prompt */
};

struct prompt_command {
    const char *name;
    const char *args; /* "NIC VLAN|none"; "" if it takes none */
    const char *help; /* one line */
    size_t min, max;  /* words after its name */
    void (*run)(struct prompt_call *c);
};

/** End in a row whose name is NULL. prompt_commands.c. */
extern const struct prompt_command prompt_commands[];

/* prompt_info.c: two of them. */
void prompt_info(struct prompt_call *c);
void prompt_help(struct prompt_call *c);

/**
 * Carry out a line, in a control event. What is wrong with it is one sentence in `out`, and
 * nothing has changed then. True: the prompt is to be left.
 */
bool prompt_execute(struct run *r, const char *line, FILE *out);

#endif
