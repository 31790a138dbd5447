/* The 16550 UART: the machine's serial port, with a console behind it. */
#ifndef DEVICES_UART16550_H
#define DEVICES_UART16550_H

#include "devices/device.h"
#include "sim/console.h"

#define UART_FIFO 16

/**
 * A National PC16550D, registers one byte apart (device tree: "ns16550a").
 *
 * The clock is 3.6864 MHz for the tree's sake alone: sending takes no virtual time. Received
 * bytes come as fast as the driver reads them. The console is the device's own: `console`.
 */
struct uart16550 {
    struct device dev;
    struct console console;
    uint8_t rbr[UART_FIFO]; /* bytes received and not yet read; one when FIFOs are off */
    uint8_t rx_head, rx_n;
    uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
    uint8_t lsr_errors;     /* overrun, break: until LSR is read */
    bool thre_pending;      /* the transmitter-empty interrupt waits to be seen */
    bool timeout;           /* bytes below the trigger level have waited for four characters */
    struct event timeout_event;
};

/**
 * Region 0x100, of which 8 bytes are registers; place it with u->dev.region.base, connect
 * u->dev.irq.
 */
void uart16550_init(struct uart16550 *u, struct device_env *env, const char *name,
                    const char *console_name);

/**
 * Take up to n bytes that were received, as a read of RBR would whatever DLAB says: for firmware
 * that reads the console for its supervisor. Returns how many.
 */
size_t uart16550_take(struct uart16550 *u, uint8_t *p, size_t n);

#endif
