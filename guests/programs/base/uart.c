/*
 * The console: a 16550 UART (National Semiconductor PC16550D data sheet, section 8).
 * What is typed while a command runs waits in a small buffer, and is lost beyond it.
 */
#include "base/uart.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/dtb.h"
#include "base/io.h"
#include "base/plic.h"

enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
enum { IER_RDI = 1, FCR_ENABLE_CLEAR = 7, LCR_8N1 = 3, LCR_DLAB = 0x80 };
enum { MCR_DTR_RTS_OUT2 = 0x0b, LSR_DR = 1, LSR_THRE = 0x20 };
enum { BAUD = 115200, INPUT = 256, CTRL_C = 3 };

static uintptr_t base;
static unsigned shift;
static uint32_t irq;
static char input[INPUT];
static unsigned input_head, input_tail; /* free running */

static uint8_t reg_read(unsigned reg)
{
    return io_read8(base + ((uintptr_t)reg << shift));
}

static void reg_write(unsigned reg, uint8_t value)
{
    io_write8(base + ((uintptr_t)reg << shift), value);
}

void uart_init(void)
{
    uint64_t at, size;
    uint32_t divisor;
    int node = dtb_compatible(-1, "ns16550a");

    if (node < 0)
        node = dtb_compatible(-1, "ns16550");
    if (node < 0 || !dtb_reg(node, 0, &at, &size))
        return;
    base = at;
    shift = dtb_cell(node, "reg-shift", 0, 0);
    irq = dtb_interrupt(node);
    divisor = (dtb_cell(node, "clock-frequency", 0, 3686400) + 8 * BAUD) / (16 * BAUD);
    if (divisor == 0)
        divisor = 1;
    reg_write(IER, 0);
    reg_write(LCR, LCR_DLAB);
    reg_write(DLL, (uint8_t)divisor);
    reg_write(DLM, (uint8_t)(divisor >> 8));
    reg_write(LCR, LCR_8N1);
    reg_write(FCR, FCR_ENABLE_CLEAR);
    reg_write(MCR, MCR_DTR_RTS_OUT2);
}

static void uart_receive(void *arg)
{
    (void)arg;
    while (reg_read(LSR) & LSR_DR) {
        char c = (char)reg_read(RBR);

        if (input_head - input_tail < INPUT)
            input[input_head++ % INPUT] = c;
    }
}

void uart_listen(void)
{
    if (base == 0 || irq == 0)
        return;
    plic_attach(irq, uart_receive, 0);
    reg_write(IER, IER_RDI);
}

static void put_raw(char c)
{
    while (!(reg_read(LSR) & LSR_THRE))
        ;
    reg_write(THR, (uint8_t)c);
}

void uart_put(char c)
{
    if (base == 0)
        return;
    if (c == '\n')
        put_raw('\r');
    put_raw(c);
}

int uart_get(void)
{
    return input_tail == input_head ? -1 : (uint8_t)input[input_tail++ % INPUT];
}

int uart_interrupted(void)
{
    for (unsigned i = input_head; i != input_tail; i--) {
        if (input[(i - 1) % INPUT] == CTRL_C) {
            input_tail = i;
            return 1;
        }
    }
    return 0;
}

int uart_waiting(void)
{
    return input_head != input_tail;
}
