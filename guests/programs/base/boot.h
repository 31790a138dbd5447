/* The start and the end of a program: what start.S calls, and how the machine stops. */
#ifndef PROGRAMS_BASE_BOOT_H
#define PROGRAMS_BASE_BOOT_H

#include <stdint.h>

/* Called by start.S: brings up the board, then the program. Never returns. */
void boot(uint64_t hart, const void *tree);

/* Called by start.S when an instruction trapped: says so and stops. */
void trap_report(uint64_t cause, uint64_t pc, uint64_t value);

/* Print a message and stop the machine for good. */
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Through the device tree's syscon-poweroff or syscon-reboot. */
void machine_poweroff(void) __attribute__((noreturn));
void machine_reboot(void) __attribute__((noreturn));

/* /chosen/bootargs, or "" */
const char *boot_arguments(void);

/* The program's own main, in host/ or router/: never returns. */
void program_main(void) __attribute__((noreturn));

#endif
