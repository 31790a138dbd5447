/* Our side: one hart, some RAM, no devices, no firmware. */
#include <stdio.h>

#include "guests/hart.h"
#include "sim/actor.h"
#include "tests/diff/diff.h"

#define RAM_BYTES (64 * 1024)
#define ENOUGH 100000 /* instructions; a program and its traps retire some thousand */

static struct ram ram;
static struct bus bus;
static struct actor actor;
static struct hart hart;
static struct hart_env env;

static void page_changing(struct ram *r, uint64_t addr, struct page *old)
{
    (void)r;
    hart_page_changing(&hart, addr, old);
}

static uint64_t no_mtime(struct hart *h)
{
    (void)h;
    return 0;
}

static bool ours_open(char *why, size_t why_len)
{
    uint8_t tables[TABLES_BYTES];
    uint32_t words[512];
    uint64_t wfi;
    unsigned n = harness_encode(words, ARRAY_LEN(words), &wfi);

    (void)why;
    (void)why_len;
    ram_init(&ram, RAM_BASE, RAM_BYTES);
    env = (struct hart_env){
        .ram = &ram, .bus = &bus, .actor = &actor, .mips = 1000, .n_harts = 1, .harts = &hart,
        .mtime = no_mtime,
    };
    hart_init(&hart, &env, 0);
    ram.changing = page_changing;
    for (unsigned i = 0; i < n; i++)
        store_le32(&words[i], words[i]);
    tables_fill(tables);
    return ram_write(&ram, HARNESS_ADDR, words, 4 * n) &&
           ram_write(&ram, TABLES_ADDR, tables, sizeof(tables));
}

static void ours_close(void)
{
    hart_finish(&hart);
    ram_finish(&ram);
}

static void read_words(uint64_t addr, uint64_t *to, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++) {
        ram_read(&ram, addr + 8 * i, bytes, 8);
        to[i] = load_le64(bytes);
    }
}

/**
 * To the wfi, in one go or in slices of some instructions: where a run is cut must not matter.
 * False: it never came, or a slice did not end where it should.
 */
static bool run_sliced(uint64_t slice)
{
    uint64_t limit = hart.icount + ENOUGH;

    while (hart.icount < limit) {
        uint64_t until = MIN(hart.icount + slice, limit);

        switch (hart_run(&hart, until)) {
        case HART_WFI:
            return true;
        case HART_BUDGET:
            if (hart.icount != until)
                return false;
            break;
        case HART_SYNC:
            if (hart.icount > until)
                return false;
            break;
        }
    }
    return false;
}

static bool ours_run(const struct start *start, const uint8_t *scratch, const uint8_t *code,
                     unsigned code_len, struct outcome *out, char *why, size_t why_len)
{
    const uint64_t *from = (const uint64_t *)start;
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof(*start) / 8; i++) {
        store_le64(bytes, from[i]);
        ram_write(&ram, START_ADDR + 8 * i, bytes, 8);
    }
    ram_write(&ram, SCRATCH_ADDR, scratch, SCRATCH_BYTES);
    ram_write(&ram, CODE_ADDR, code, code_len);
    hart_reset(&hart, HARNESS_ADDR);
    if (!run_sliced(start->x[1] % 2 ? 1 + start->x[3] % 30 : ENOUGH)) {
        snprintf(why, why_len, "our hart does not come to the end of the program (pc %#llx)",
                 (unsigned long long)hart.pc);
        return false;
    }
    memset(out, 0, sizeof(*out));
    read_words(OUTCOME_ADDR, (uint64_t *)out, OUTCOME_FIXED / 8);
    if (out->n_traps > MAX_TRAPS) {
        snprintf(why, why_len, "our hart wrote over its own outcome");
        return false;
    }
    read_words(OUTCOME_ADDR + OUTCOME_FIXED, (uint64_t *)out->traps,
               out->n_traps * sizeof(struct trap) / 8);
    ram_read(&ram, SCRATCH_ADDR, out->scratch, SCRATCH_BYTES);
    return true;
}

const struct runner runner_ours = {
    .name = "ours",
    .open = ours_open,
    .run = ours_run,
    .close = ours_close,
};
