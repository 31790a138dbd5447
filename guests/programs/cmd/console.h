/* The console's line: a prompt and an editor, and messages that come in between. */
#ifndef PROGRAMS_CMD_CONSOLE_H
#define PROGRAMS_CMD_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Around a message that is not a command's answer: a line being typed is left, and
   shown again behind the message. */
void console_begin(void);
void console_end(void);

/* Read a line with echo, backspace, ctrl-U (all) and ctrl-C (forget it). Runs the loop
   meanwhile. Returns its length; the line has no end of line. */
size_t console_line(const char *prompt, char *line, size_t size);

/* Whether ctrl-C was typed since the line was read. */
bool console_interrupted(void);

#endif
