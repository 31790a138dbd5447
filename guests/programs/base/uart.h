/* The console: a 16550 UART, output polled, input by interrupt. */
#ifndef PROGRAMS_BASE_UART_H
#define PROGRAMS_BASE_UART_H

/* Find the UART (/chosen/stdout-path is not asked: the first ns16550a is taken) and
   set 115200 baud, 8N1. Output works from here on. */
void uart_init(void);

/* Take input by interrupt from here on. */
void uart_listen(void);

/* '\n' goes out as "\r\n". */
void uart_put(char c);

/* The next character of input, or -1. */
int uart_get(void);

/* Whether input waits. */
int uart_waiting(void);

/* Forget input up to a ctrl-C. Returns 1 when there was one. */
int uart_interrupted(void);

#endif
