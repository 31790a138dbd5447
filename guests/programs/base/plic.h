/* The platform-level interrupt controller (RISC-V PLIC specification 1.0), polled. */
#ifndef PROGRAMS_BASE_PLIC_H
#define PROGRAMS_BASE_PLIC_H

#include <stdbool.h>
#include <stdint.h>

void plic_init(uint64_t hart);

/**
 * Have interrupts of a source handled.
 *
 * @source   1 to the controller's number of sources
 * @handler  called by plic_poll() with `arg`; must quieten its device
 */
void plic_attach(uint32_t source, void (*handler)(void *arg), void *arg);

/* Handle what is pending. Returns whether anything was. */
bool plic_poll(void);

#endif
