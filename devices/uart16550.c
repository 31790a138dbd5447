/*
 * The 16550 UART, after National's PC16550D data sheet (1995).
 *
 * Simplifications: a byte written leaves at once, so the transmitter is always empty; received
 * bytes have no parity, framing or break errors; the break bit of LCR goes nowhere. DMA mode
 * (FCR bit 3) has no pins to show itself on.
 */
#include "devices/uart16550.h"

/* Interrupt enables (8.6) and line status (8.3). */
enum { IER_RDA = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { LCR_DLAB = 0x80 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum { MSR_DCTS = 1, MSR_DDSR = 2, MSR_TERI = 4, MSR_DDCD = 8 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_THRE = 2, IIR_RDA = 4, IIR_LINE = 6, IIR_TIMEOUT = 0xc };

#define CLOCK_HZ 3686400

static bool fifo_on(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned fifo_size(const struct uart16550 *u)
{
    return fifo_on(u) ? UART_FIFO : 1;
}

static unsigned trigger(const struct uart16550 *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14}; /* 8.4, FCR bits 6 and 7 */

    return fifo_on(u) ? levels[u->fcr >> 6] : 1;
}

/* The interrupt of highest priority (8.5, table IV). */
static uint8_t interrupt_id(const struct uart16550 *u)
{
    if ((u->ier & IER_LINE) && u->lsr_errors)
        return IIR_LINE;
    if ((u->ier & IER_RDA) && u->rx_n >= trigger(u))
        return IIR_RDA;
    if ((u->ier & IER_RDA) && u->timeout)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & 0x0f))
        return IIR_MODEM;
    return IIR_NONE;
}

static void irq_update(struct uart16550 *u)
{
    irq_set(&u->dev.irq, interrupt_id(u) != IIR_NONE);
}

/* Four characters of the present format: what the FIFO time-out counts (8.4, 3). */
static vtime_t timeout_delay(const struct uart16550 *u)
{
    unsigned bits = 1 + 5 + (u->lcr & 3) + !!(u->lcr & 8) + 1 + !!(u->lcr & 4);
    unsigned divisor = u->dll | u->dlm << 8;

    return 4LL * bits * 16 * (divisor ? divisor : 1) * NS_PER_SEC / CLOCK_HZ;
}

/* The time-out restarts with every byte that comes or is read, and ends with the last one. */
static void timeout_restart(struct uart16550 *u)
{
    struct actor *a = u->dev.env->actor;

    u->timeout = false;
    if (fifo_on(u) && u->rx_n)
        evq_arm(&a->events, &u->timeout_event, a->now + timeout_delay(u));
    else
        evq_cancel(&a->events, &u->timeout_event);
}

static void timeout_fire(struct event *ev, vtime_t now)
{
    struct uart16550 *u = container_of(ev, struct uart16550, timeout_event);

    (void)now;
    u->timeout = u->rx_n > 0;
    irq_update(u);
}

static void rx_byte(struct uart16550 *u, uint8_t byte)
{
    if (u->rx_n < fifo_size(u)) {
        u->rbr[(u->rx_head + u->rx_n++) % UART_FIFO] = byte;
    } else {
        u->lsr_errors |= LSR_OE;
        if (!fifo_on(u)) /* without FIFO the newer byte wins (8.3, OE) */
            u->rbr[u->rx_head] = byte;
    }
}

/* Take from the console what there is room for; the line is the guest's own in loopback. */
static void rx_pull(struct uart16550 *u)
{
    uint8_t bytes[UART_FIFO];
    size_t n;

    if ((u->mcr & MCR_LOOP) || u->rx_n >= fifo_size(u))
        return;
    n = console_read(&u->console, bytes, fifo_size(u) - u->rx_n);
    for (size_t i = 0; i < n; i++)
        rx_byte(u, bytes[i]);
    if (n)
        timeout_restart(u);
}

static void console_input(struct console *c)
{
    struct uart16550 *u = container_of(c, struct uart16550, console);

    rx_pull(u);
    irq_update(u);
}

/* Modem status: a null modem that is always connected, or MCR's own outputs in loopback. */
static void modem_update(struct uart16550 *u)
{
    static const struct {
        uint8_t from, to, delta;
    } wires[] = {
        {MCR_RTS, MSR_CTS, MSR_DCTS},
        {MCR_DTR, MSR_DSR, MSR_DDSR},
        {MCR_OUT1, MSR_RI, MSR_TERI},
        {MCR_OUT2, MSR_DCD, MSR_DDCD},
    };
    uint8_t now = MSR_CTS | MSR_DSR | MSR_DCD, changed;

    if (u->mcr & MCR_LOOP) {
        now = 0;
        for (size_t i = 0; i < ARRAY_LEN(wires); i++)
            now |= u->mcr & wires[i].from ? wires[i].to : 0;
    }
    changed = (u->msr ^ now) & 0xf0;
    for (size_t i = 0; i < ARRAY_LEN(wires); i++) /* RI counts only when it ends (8.8, TERI) */
        if ((changed & wires[i].to) && (wires[i].to != MSR_RI || !(now & MSR_RI)))
            u->msr |= wires[i].delta;
    u->msr = (u->msr & 0x0f) | now;
}

static uint8_t rx_take(struct uart16550 *u)
{
    uint8_t byte = u->rbr[u->rx_head];

    if (u->rx_n) {
        u->rx_n--;
        u->rx_head = fifo_on(u) ? (u->rx_head + 1) % UART_FIFO : u->rx_head;
        timeout_restart(u);
        rx_pull(u);
    }
    return byte;
}

size_t uart16550_take(struct uart16550 *u, uint8_t *p, size_t n)
{
    size_t got = 0;

    while (got < n && u->rx_n)
        p[got++] = rx_take(u);
    irq_update(u);
    return got;
}

static uint8_t rbr_read(struct uart16550 *u)
{
    return u->lcr & LCR_DLAB ? u->dll : rx_take(u);
}

static void thr_write(struct uart16550 *u, uint8_t v)
{
    if (u->lcr & LCR_DLAB) {
        u->dll = v;
        return;
    }
    if (u->mcr & MCR_LOOP) {
        rx_byte(u, v);
        timeout_restart(u);
    } else {
        console_write(&u->console, &v, 1);
    }
    u->thre_pending = true; /* it became full, and empty again */
}

static uint8_t ier_read(struct uart16550 *u)
{
    return u->lcr & LCR_DLAB ? u->dlm : u->ier;
}

static void ier_write(struct uart16550 *u, uint8_t v)
{
    if (u->lcr & LCR_DLAB) {
        u->dlm = v;
        return;
    }
    v &= 0x0f;
    if ((u->ier ^ v) & IER_THRE) /* enabling it while the transmitter is empty raises it */
        u->thre_pending = v & IER_THRE;
    u->ier = v;
}

static uint8_t iir_read(struct uart16550 *u)
{
    uint8_t id = interrupt_id(u);

    if (id == IIR_THRE)
        u->thre_pending = false;
    return id | (fifo_on(u) ? 0xc0 : 0);
}

static void fcr_write(struct uart16550 *u, uint8_t v)
{
    bool toggled = (u->fcr ^ v) & FCR_ENABLE;

    if (toggled || (v & FCR_CLEAR_RX)) {
        u->rx_head = u->rx_n = 0;
        timeout_restart(u);
    }
    if (toggled || (v & FCR_CLEAR_TX))
        u->thre_pending = true;
    /* The other bits are programmed only together with the enable (8.4, bit 0). */
    u->fcr = v & FCR_ENABLE ? v & 0xc9 : 0;
    rx_pull(u);
}

static uint8_t lcr_read(struct uart16550 *u)
{
    return u->lcr;
}

static void lcr_write(struct uart16550 *u, uint8_t v)
{
    u->lcr = v;
}

static uint8_t mcr_read(struct uart16550 *u)
{
    return u->mcr;
}

static void mcr_write(struct uart16550 *u, uint8_t v)
{
    u->mcr = v & 0x1f;
    modem_update(u);
    rx_pull(u);
}

static uint8_t lsr_read(struct uart16550 *u)
{
    uint8_t v = u->lsr_errors | LSR_THRE | LSR_TEMT | (u->rx_n ? LSR_DR : 0);

    u->lsr_errors = 0;
    return v;
}

static uint8_t msr_read(struct uart16550 *u)
{
    uint8_t v = u->msr;

    u->msr &= 0xf0;
    return v;
}

static uint8_t scr_read(struct uart16550 *u)
{
    return u->scr;
}

static void scr_write(struct uart16550 *u, uint8_t v)
{
    u->scr = v;
}

/* By offset (table II); LSR and MSR are not to be written (8.3). */
static const struct {
    const char *name;
    uint8_t (*read)(struct uart16550 *u);
    void (*write)(struct uart16550 *u, uint8_t v);
} registers[8] = {
    {"RBR/THR/DLL", rbr_read, thr_write}, {"IER/DLM", ier_read, ier_write},
    {"IIR/FCR", iir_read, fcr_write},     {"LCR", lcr_read, lcr_write},
    {"MCR", mcr_read, mcr_write},         {"LSR", lsr_read, NULL},
    {"MSR", msr_read, NULL},              {"SCR", scr_read, scr_write},
};

static uint64_t uart_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct uart16550 *u = dev->object;
    uint8_t v;

    (void)size;
    if (offset >= ARRAY_LEN(registers))
        return 0;
    v = registers[offset].read(u);
    irq_update(u);
    return v;
}

static void uart_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct uart16550 *u = dev->object;

    (void)size;
    if (offset >= ARRAY_LEN(registers) || !registers[offset].write)
        return;
    registers[offset].write(u, (uint8_t)value);
    irq_update(u);
}

static void uart_reset(struct device *dev)
{
    struct uart16550 *u = dev->object;

    evq_cancel(&dev->env->actor->events, &u->timeout_event);
    rx_pull(u);
}

/* What was typed at the original and not read is its alone. */
static void uart_clone(struct device *dev, const struct device *from)
{
    struct uart16550 *u = dev->object;
    const struct uart16550 *other = from->object;

    evq_copy(&dev->env->actor->events, &u->timeout_event, &other->timeout_event);
}

static void uart_finish(struct device *dev)
{
    struct uart16550 *u = dev->object;

    evq_cancel(&dev->env->actor->events, &u->timeout_event);
    console_finish(&u->console);
}

/* Reset values: table III; the divisor has none there: 115200 bits per second here. */
static const struct field uart_fields[] = {
    FIELD(struct uart16550, rbr, FIELD_BYTES, 0),
    FIELD(struct uart16550, rx_head, FIELD_U8, 0),
    FIELD(struct uart16550, rx_n, FIELD_U8, 0),
    FIELD(struct uart16550, ier, FIELD_U8, 0),
    FIELD(struct uart16550, fcr, FIELD_U8, 0),
    FIELD(struct uart16550, lcr, FIELD_U8, 0),
    FIELD(struct uart16550, mcr, FIELD_U8, 0),
    FIELD(struct uart16550, msr, FIELD_U8, MSR_CTS | MSR_DSR | MSR_DCD),
    FIELD(struct uart16550, scr, FIELD_U8, 0),
    FIELD(struct uart16550, dll, FIELD_U8, CLOCK_HZ / 16 / 115200),
    FIELD(struct uart16550, dlm, FIELD_U8, 0),
    FIELD(struct uart16550, lsr_errors, FIELD_U8, 0),
    FIELD(struct uart16550, thre_pending, FIELD_BOOL, 0),
    FIELD(struct uart16550, timeout, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops uart_ops = {
    .name = "ns16550a",
    .help = "16550 UART",
    .state = uart_fields,
    .reset = uart_reset,
    .finish = uart_finish,
    .clone = uart_clone,
};

void uart16550_init(struct uart16550 *u, struct device_env *env, const char *name,
                    const char *console_name)
{
    *u = (struct uart16550){0};
    device_init(&u->dev, &uart_ops, u, name, env);
    event_init(&env->actor->events, &u->timeout_event, timeout_fire);
    console_init(&u->console, env->actor, console_name);
    u->console.input = console_input;
    /* Wider accesses reach the byte at their address, as drivers that use words expect. */
    u->dev.region = (struct region){
        .name = "uart",
        .size = 0x100,
        .min_size = 1,
        .max_size = 8,
        .read = uart_read,
        .write = uart_write,
    };
}
