/* The console's line: a prompt and an editor, and messages that come in between. */
#include "cmd/console.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/uart.h"
#include "net/loop.h"

enum { CTRL_C = 3, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

/* What is being typed; prompt is NULL while a command runs. */
static const char *prompt_now;
static const char *line_now;
static size_t len_now;

void console_begin(void)
{
    if (prompt_now)
        printf("\n");
}

void console_end(void)
{
    if (prompt_now)
        printf("%s%.*s", prompt_now, (int)len_now, line_now);
}

static void erase(size_t characters)
{
    for (; characters > 0; characters--, len_now--)
        printf("\b \b");
}

/* Returns true at the end of the line. */
static bool key(char *line, size_t size, int c)
{
    switch (c) {
    case '\r':
    case '\n': printf("\n"); return true;
    case CTRL_C:
        printf("^C\n");
        len_now = 0;
        return true;
    case CTRL_U: erase(len_now); return false;
    case BACKSPACE:
    case DELETE: erase(len_now > 0); return false;
    default:
        if (c >= ' ' && c < DELETE && len_now + 1 < size) {
            line[len_now++] = (char)c;
            uart_put((char)c);
        }
        return false;
    }
}

size_t console_line(const char *prompt, char *line, size_t size)
{
    int c;

    prompt_now = prompt;
    line_now = line;
    len_now = 0;
    printf("%s", prompt);
    for (;;) {
        while ((c = uart_get()) < 0)
            loop_once(CLOCK_NEVER);
        if (key(line, size, c))
            break;
    }
    prompt_now = NULL;
    line[len_now] = '\0';
    return len_now;
}

bool console_interrupted(void)
{
    if (!uart_interrupted())
        return false;
    printf("^C\n");
    return true;
}
