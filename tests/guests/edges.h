/* What the translator's tests share: a guest, and running it to every count by every engine. */
#ifndef TESTS_GUESTS_EDGES_H
#define TESTS_GUESTS_EDGES_H

#include "guests/cpu.h"
#include "guests/translate/translate.h"
#include "sim/actor.h"
#include "tests/guests/asm.h"

#define BASE 0x80000000ULL
#define RAM_PAGES 16
#define DEVICE 0x10000000ULL
#define HANDLER_AT 0xc00 /* in every program's first page */
#define DATA_AT 0x4000
#define ROOT_AT 0x8000
#define LAST_AT 0xa000
#define COUNT_MAX 2048

/** One or two harts, RAM, and a device that notes what it sees. */
struct guest {
    struct ram ram;
    struct bus bus;
    struct actor actor;
    struct hart_env env;
    struct hart harts[2];
    struct device device;
    uint64_t seen;
};

/** What a test runs, and up to which count; `irq_at`: then the timer's interrupt is pending. */
struct program {
    void (*load)(struct guest *g);
    unsigned n;
    uint64_t irq_at;
};

extern unsigned parameter; /* of a program that is one of many */

/** In M-mode at BASE; gp is BASE, s0 the data, everything else zero. */
void guest_start(struct guest *g, enum engine e, unsigned n_harts);
void guest_stop(struct guest *g);

/** All that a guest can see, as a hash. */
uint64_t guest_print(const struct guest *g);

/** Words at an offset in RAM. */
void guest_put(struct guest *g, uint64_t offset, const uint32_t *words, size_t n);
#define PUT(g, offset, ...)                                                                        \
    do {                                                                                           \
        const uint32_t words_[] = {__VA_ARGS__};                                                   \
        guest_put(g, offset, words_, ARRAY_LEN(words_));                                           \
    } while (0)

/** A trap handler at HANDLER_AT: it sums up, and goes on after the instruction (see there). */
void put_handler(struct guest *g);

/** S-mode with pages, the handler included (see there). */
void start_paged(struct guest *g);

/** Run hart 0 to a count exactly, in runs of up to `slice` instructions. */
void run_to(struct guest *g, const struct program *p, uint64_t until, uint64_t slice);

/** The interpreter's state after each instruction is every engine's, however it got there. */
void agree_on(const struct program *p);
void agree(void (*load)(struct guest *g), unsigned n);

/** The same at the end of a long run only; looked at closely if that differs. */
void agree_at_end(const struct program *p, uint64_t end);

#endif
