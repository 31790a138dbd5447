/* A console's output on standard output, and the command prompt below it. */
#ifndef TOPO_SCREEN_H
#define TOPO_SCREEN_H

#include "topo/prompt_line.h"
#include "topo/run.h"

#define SCREEN_BUFFER 4096
#define SCREEN_TAIL 256 /* bytes of the guest's present line that are shown again */

struct screen {
    struct run *run;
    struct console_sink sink;
    uv_timer_t timer;
    uint8_t out[SCREEN_BUFFER];
    size_t n_out;
    char tail[SCREEN_TAIL]; /* what the guest's present line shows */
    size_t n_tail;
    const struct prompt_line *line; /* being typed below the output; NULL: none */
    bool broken;                    /* standard output */
};

/** Show what a console prints from now on. */
void screen_open(struct screen *sc, struct run *r, struct console *c);

/** Closes the loop's handle too: the memory may go when the loop has run. */
void screen_close(struct screen *sc, struct console *c);

/** Show what waits: a part of a line, too, unless a line is being typed. */
void screen_flush(struct screen *sc);

/** A line is typed from now on (not NULL), below what the guest prints; or no more. */
void screen_prompt(struct screen *sc, const struct prompt_line *line);

/** Show lines of ours, which end in \n; they stand where the prompt does. */
void screen_say(struct screen *sc, const char *text);

#endif
