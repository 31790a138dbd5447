/* The commands that only the router has. */
#ifndef PROGRAMS_ROUTER_COMMANDS_H
#define PROGRAMS_ROUTER_COMMANDS_H

#include "cmd/shell.h"

extern const struct command router_commands[];

#endif
