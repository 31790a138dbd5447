/* A console: the byte stream between a guest's serial device and people, tests or files. */
#ifndef SIM_CONSOLE_H
#define SIM_CONSOLE_H

#include <stdbool.h>

#include "sim/evq.h"

struct actor;
struct console;

/**
 * How far people and tests are from a console, each way. A constant: it bounds a window, and
 * makes the time at which a test sees output and answers it independent of windows.
 */
#define CONSOLE_DELAY (1 * NS_PER_MS)

/** Someone who reads the output: a log, a terminal, an `expect`. Called at barriers only. */
struct console_sink {
    void (*bytes)(struct console_sink *s, vtime_t at, const uint8_t *p, size_t n);
    struct console_sink *next;
};

/** A run of output bytes of one time. */
struct console_chunk {
    vtime_t at;
    uint32_t len;
};

struct console {
    struct actor *owner;
    struct console *next; /* of the same owner */
    char *name;           /* "h1" for the first, "h1.console1" for others */

    /* To the guest: `input` is called, within the owner's run, when bytes have arrived. */
    void (*input)(struct console *c);
    uint8_t *in;          /* bytes fed and not yet read: n_in of them from `first_in`, oldest first */
    uint32_t first_in, n_in, cap_in;
    uint32_t in_ready;    /* how many of them have arrived */
    struct console_chunk *in_chunks; /* arrivals still to come */
    uint32_t n_chunks, cap_chunks;
    struct event in_event;

    /* From the guest, until the next barrier. */
    uint8_t *out;
    uint32_t n_out, cap_out;
    struct console_chunk *out_chunks;
    uint32_t n_out_chunks, cap_out_chunks;
    struct console_sink *sinks;
    uint64_t out_total;
    vtime_t burst_at;     /* the microsecond in which `burst` bytes were written */
    uint32_t burst;
    uint64_t out_lost;    /* beyond CONSOLE_MAX_BURST */
};

#define CONSOLE_MAX_INPUT (1u << 20) /* bytes waiting; more is refused */

/**
 * Bytes of output in a microsecond; more is lost, and counted. No program can write so many: only
 * a hostile one, that has a device copy the same memory over and over. (A bound on each window
 * would make the output depend on windows.)
 */
#define CONSOLE_MAX_BURST (256u << 10)

/** Make a console of an actor; `input` may be NULL until a device takes it. */
void console_init(struct console *c, struct actor *owner, const char *name);
void console_finish(struct console *c);

/* The device's side, within the owner's run. */

/** Bytes the guest wrote, at the owner's now. False if some were lost. */
bool console_write(struct console *c, const void *p, size_t n);

/** Bytes that have arrived and can be read. */
static inline uint32_t console_available(const struct console *c)
{
    return c->in_ready;
}

/** Take up to n of them; returns how many. */
size_t console_read(struct console *c, void *p, size_t n);

/* The people's side, at barriers. */

/**
 * Feed input, to arrive at `at` (>= the engine's now). False, and nothing is taken, if more
 * than CONSOLE_MAX_INPUT would wait.
 */
bool console_feed(struct console *c, const void *p, size_t n, vtime_t at);

void console_add_sink(struct console *c, struct console_sink *s);
void console_remove_sink(struct console *c, struct console_sink *s);

/** Hand what was written in the window to the sinks; the engine's. */
void console_drain(struct console *c);

#endif
