/* One line being typed at the command prompt: the simplest editing, and what was typed before. */
#ifndef TOPO_PROMPT_LINE_H
#define TOPO_PROMPT_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROMPT_TEXT "(lanarium) "
#define PROMPT_LINE_MAX 1023 /* bytes of a line; more are not taken */
#define PROMPT_HISTORY 32    /* lines remembered */

enum line_event {
    LINE_GOES_ON,
    LINE_ENTERED, /* l->text is it; line_next is due */
    LINE_LEFT,    /* ctrl-C, or ctrl-D in an empty line */
};

/** Zero-initialise it. */
struct prompt_line {
    char text[PROMPT_LINE_MAX + 1];
    size_t n;
    int escape; /* how far into an escape sequence */
    char *history[PROMPT_HISTORY];
    unsigned n_history, at; /* `at` lines back from the end: 0, the line itself */
};

/**
 * A byte was typed: backspace, ctrl-U, ctrl-C, ctrl-D, up and down, enter, or part of the line.
 * What is to be seen of it goes to `echo`.
 */
enum line_event line_key(struct prompt_line *l, uint8_t c, FILE *echo);

/** Show the prompt and what has been typed, on the terminal's present line. */
void line_show(const struct prompt_line *l, FILE *echo);

/** Begin the next line, and remember this one. */
void line_next(struct prompt_line *l);

void line_finish(struct prompt_line *l);

#endif
