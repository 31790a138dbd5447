/*
 * Editing a line of the prompt. There is no cursor inside the line: it is edited at its end. A
 * character of several bytes (UTF-8) is taken back whole; each is thought to be one column wide,
 * which matters to backspace only.
 */
#include "topo/prompt_line.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base.h"

#define CTRL(c) ((c)&0x1f)
#define DELETE 0x7f
#define ERASE_LINE "\r\033[K"

enum { IN_TEXT, AFTER_ESC, IN_SEQUENCE };

void line_show(const struct prompt_line *l, FILE *echo)
{
    fprintf(echo, ERASE_LINE PROMPT_TEXT "%s", l->text);
}

static void text_set(struct prompt_line *l, const char *text, FILE *echo)
{
    l->n = (size_t)snprintf(l->text, sizeof(l->text), "%s", text);
    line_show(l, echo);
}

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static void take_back(struct prompt_line *l, FILE *echo)
{
    if (!l->n)
        return;
    while (l->n > 1 && is_continuation(l->text[l->n - 1]))
        l->n--;
    l->text[--l->n] = '\0';
    fputs("\b \b", echo);
}

/* Up (1) and down (-1) among the lines that were typed. */
static void history_move(struct prompt_line *l, int by, FILE *echo)
{
    if ((by > 0 && l->at == l->n_history) || (by < 0 && l->at == 0))
        return;
    l->at = (unsigned)((int)l->at + by);
    text_set(l, l->at ? l->history[l->n_history - l->at] : "", echo);
}

/* The rest of an escape sequence: ESC [ A and the like; others do nothing. */
static void sequence_key(struct prompt_line *l, uint8_t c, FILE *echo)
{
    if (l->escape == AFTER_ESC) {
        l->escape = c == '[' || c == 'O' ? IN_SEQUENCE : IN_TEXT;
        return;
    }
    if (c < 0x40 || c > 0x7e)
        return;
    l->escape = IN_TEXT;
    if (c == 'A')
        history_move(l, 1, echo);
    else if (c == 'B')
        history_move(l, -1, echo);
}

static void text_key(struct prompt_line *l, uint8_t c, FILE *echo)
{
    if (c < ' ' || l->n == PROMPT_LINE_MAX)
        return;
    l->text[l->n++] = (char)c;
    l->text[l->n] = '\0';
    fputc(c, echo);
}

enum line_event line_key(struct prompt_line *l, uint8_t c, FILE *echo)
{
    if (l->escape != IN_TEXT) {
        sequence_key(l, c, echo);
        return LINE_GOES_ON;
    }
    switch (c) {
    case '\r':
    case '\n': fputc('\n', echo); return LINE_ENTERED;
    case CTRL('C'): return LINE_LEFT;
    case CTRL('D'): return l->n ? LINE_GOES_ON : LINE_LEFT;
    case CTRL('U'): text_set(l, "", echo); break;
    case CTRL('['): l->escape = AFTER_ESC; break;
    case CTRL('P'): history_move(l, 1, echo); break;
    case CTRL('N'): history_move(l, -1, echo); break;
    case '\b':
    case DELETE: take_back(l, echo); break;
    default: text_key(l, c, echo);
    }
    return LINE_GOES_ON;
}

static void history_add(struct prompt_line *l)
{
    if (l->n_history && strcmp(l->history[l->n_history - 1], l->text) == 0)
        return;
    if (l->n_history == PROMPT_HISTORY) {
        free(l->history[0]);
        memmove(l->history, l->history + 1, --l->n_history * sizeof(*l->history));
    }
    l->history[l->n_history++] = xstrdup(l->text);
}

void line_next(struct prompt_line *l)
{
    if (l->n)
        history_add(l);
    l->n = 0;
    l->text[0] = '\0';
    l->at = 0;
    l->escape = IN_TEXT;
}

void line_finish(struct prompt_line *l)
{
    for (unsigned i = 0; i < l->n_history; i++)
        free(l->history[i]);
    *l = (struct prompt_line){0};
}
