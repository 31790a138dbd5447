/* The command line: a table of commands, each a file of its own. */
#ifndef PROGRAMS_CMD_SHELL_H
#define PROGRAMS_CMD_SHELL_H

enum { ARGS_MOST = 16 };

struct command {
    const char *name, *args, *about;
    /* argv[0] is the name; argv[argc] is NULL. Returns 0, or 1 when it failed, or
       COMMAND_USAGE when the arguments are wrong: the shell then says how to use it. */
    int (*run)(int argc, char **argv);
};

enum { COMMAND_USAGE = 2 };

/* Read and run commands for ever. `table` ends with a NULL name. */
void shell_run(const struct command *table, const char *prompt) __attribute__((noreturn));

/* The commands of any program, in commands.c. */
extern const struct command common_commands[];

int command_arp(int argc, char **argv);
int command_date(int argc, char **argv);
int command_dhcp(int argc, char **argv);
int command_get(int argc, char **argv);
int command_host(int argc, char **argv);
int command_ifconfig(int argc, char **argv);
int command_ip(int argc, char **argv);
int command_mcast(int argc, char **argv);
int command_mem(int argc, char **argv);
int command_nc(int argc, char **argv);
int command_ping(int argc, char **argv);
int command_poweroff(int argc, char **argv);
int command_reboot(int argc, char **argv);
int command_routes(int argc, char **argv);
int command_send(int argc, char **argv);
int command_tftp(int argc, char **argv);
int command_uptime(int argc, char **argv);

#endif
