/*
 * Engine against engine: random programs by the interpreter, and by the translator from the first
 * execution on and when hot, must leave the same state at the same counts.
 *
 *     engines [-s SEED] [-n PROGRAMS] [-l INSTRUCTIONS] [-k]
 *
 * Program i is that of seed SEED + i. A difference is narrowed down to the instruction after
 * which the two first differ. -k goes on after a difference.
 */
#include <stdio.h>
#include <unistd.h>

#include "guests/cpu.h"
#include "guests/translate/translate.h"
#include "sim/actor.h"
#include "sim/rng.h"
#include "tests/diff/loops.h"

#define MAX_CUTS 4096

/* A hart with the program's memory and a device. */
struct rig {
    struct ram ram;
    struct bus bus;
    struct actor actor;
    struct hart_env env;
    struct hart hart;
    struct device device;
    uint64_t seen; /* by the device, folded: pc, count, time, value */
};

/* How a program is run; the first is what the others are compared with. */
struct way {
    const char *name;
    enum engine engine;
    unsigned slice; /* runs are cut again into up to so many instructions; 0: they are not */
};

static const struct way ways[] = {
    {"interpreter", ENGINE_INTERPRETER, 0},
    {"eager", ENGINE_EAGER, 0},
    {"eager in slices", ENGINE_EAGER, 90},
    {"translator", ENGINE_TRANSLATOR, 0},
    {"interpreter in slices", ENGINE_INTERPRETER, 30},
};

static struct loops program;
static uint64_t expected[MAX_CUTS];

static void note(struct rig *r, uint64_t offset, uint64_t value)
{
    const uint64_t what[] = {r->seen, r->hart.pc, r->hart.icount, (uint64_t)r->actor.now, offset,
                             value};

    r->seen = hash_bytes(RNG_HASH_START, what, sizeof(what));
}

static void device_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    note(dev->object, offset + size, value);
}

static uint64_t device_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct rig *r = dev->object;

    note(r, offset + size, 0);
    return r->seen;
}

static void page_changing(struct ram *ram, uint64_t addr, struct page *old)
{
    struct rig *r = ram->changing_opaque;

    hart_page_changing(&r->hart, addr, old);
}

static uint64_t mtime(struct hart *h)
{
    return (uint64_t)hart_now(h) / 100;
}

static void rig_start(struct rig *r, enum engine e)
{
    translate_choose(e);
    memset(r, 0, sizeof(*r));
    ram_init(&r->ram, RAM_BASE, LOOPS_PAGES * PAGE_SIZE);
    r->ram.changing = page_changing;
    r->ram.changing_opaque = r;
    r->device.object = r;
    r->device.region =
        (struct region){"test", LOOPS_DEVICE, 0x100, 1, 8, device_read, device_write};
    bus_attach(&r->bus, &r->device);
    r->env = (struct hart_env){.ram = &r->ram, .bus = &r->bus, .actor = &r->actor, .mips = 1000,
                               .n_harts = 1, .harts = &r->hart, .mtime = mtime};
    hart_init(&r->hart, &r->env, 0);
    loops_start(&program, &r->ram, &r->hart);
}

static void rig_stop(struct rig *r)
{
    hart_finish(&r->hart);
    ram_finish(&r->ram);
}

static uint64_t state_of(const struct rig *r)
{
    return ram_hash(&r->ram, state_hash(hart_fields, &r->hart, r->seen));
}

static void run_to(struct rig *r, const struct way *way, uint64_t until)
{
    struct hart *h = &r->hart;

    while (h->icount < until) {
        uint64_t to = until;

        if (way->slice)
            to = MIN(to, h->icount + 1 + (h->icount * 0x9e3779b97f4a7c15ULL >> 40) % way->slice);
        hart_run(h, to);
        if (h->icount > to) {
            printf("# %s: the run to %llu ended at %llu\n", way->name, (unsigned long long)to,
                   (unsigned long long)h->icount);
            exit(1);
        }
    }
}

/* Interrupts come and go at the same counts in every run: cut n is at the returned count. */
static uint64_t cut_at(unsigned n)
{
    return (uint64_t)(n / 2) * program.period + (n % 2 ? 40 : 0) + program.period;
}

/* Cut n has been reached. */
static void cut(struct rig *r, unsigned n)
{
    hart_set_pending(&r->hart, IRQ_MTI, n % 2 == 0);
}

static unsigned cuts_for(uint64_t insns)
{
    unsigned n = 0;

    while (n < MAX_CUTS && cut_at(n) <= insns)
        n++;
    return n;
}

/* Run to cut number `first_bad` (whose state is not asked for) by way of the cuts before it. */
static void run_cuts(struct rig *r, const struct way *way, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        run_to(r, way, cut_at(i));
        cut(r, i);
    }
}

/* The state as lines of text; for free(). */
static char *dump(const struct rig *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        abort();
    fprintf(f, "ram = %016llx\ndevice = %016llx\n", (unsigned long long)ram_hash(&r->ram, 1),
            (unsigned long long)r->seen);
    state_dump(hart_fields, &r->hart, "hart", f);
    fclose(f);
    return text;
}

/* The lines of one text that the other has not. */
static void print_missing(const char *sign, const char *text, const char *other)
{
    for (const char *end; *text; text = end + 1) {
        char line[128];

        end = strchr(text, '\n');
        snprintf(line, sizeof(line), "%.*s", (int)(end - text) + 1, text);
        if (!strstr(other, line))
            printf("#   %s %s", sign, line);
    }
}

/* Where the instruction at pc is in RAM, and its bits: by the interpreter's rig. */
static void print_insn(struct rig *r)
{
    uint64_t pc = r->hart.pc;
    uint8_t b[4] = {0};

    pc = RAM_BASE + (pc & 0xffff);
    ram_read(&r->ram, pc, b, MIN(4, RAM_BASE + LOOPS_PAGES * PAGE_SIZE - pc));
    printf("#   %llx (in RAM %llx): %08x\n", (unsigned long long)r->hart.pc,
           (unsigned long long)pc, load_le32(b));
}

/* Between cuts n - 1 and n, find the first count at which the states differ; print it. */
static void narrow_down(const struct way *way, uint64_t seed, unsigned n)
{
    uint64_t from = n ? cut_at(n - 1) : 0, to = cut_at(n), count;
    static struct rig a, b;
    char *left, *right;

    for (count = from + 1; count <= to; count++) {
        bool same;

        rig_start(&a, ENGINE_INTERPRETER);
        run_cuts(&a, &ways[0], n);
        run_to(&a, &ways[0], count);
        rig_start(&b, way->engine);
        run_cuts(&b, way, n);
        run_to(&b, way, count);
        same = state_of(&a) == state_of(&b);
        if (!same)
            break;
        rig_stop(&a);
        rig_stop(&b);
    }
    printf("# seed %llu: interpreter and %s differ after instruction %llu (cuts %llu, %llu)\n",
           (unsigned long long)seed, way->name, (unsigned long long)count,
           (unsigned long long)from, (unsigned long long)to);
    if (count > to)
        return;
    left = dump(&a);
    right = dump(&b);
    rig_stop(&a);
    rig_stop(&b);
    for (uint64_t i = count > from + 12 ? count - 12 : from; i < count; i++) {
        rig_start(&a, ENGINE_INTERPRETER);
        run_cuts(&a, &ways[0], n);
        run_to(&a, &ways[0], i);
        print_insn(&a);
        rig_stop(&a);
    }
    print_missing("<", left, right);
    print_missing(">", right, left);
    free(left);
    free(right);
}

/* Whether all ways agree on the program. */
static bool agree(uint64_t seed, unsigned n_cuts, uint64_t *traps)
{
    static struct rig r;

    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        rig_start(&r, ways[i].engine);
        for (unsigned n = 0; n < n_cuts; n++) {
            run_to(&r, &ways[i], cut_at(n));
            if (i == 0)
                expected[n] = state_of(&r);
            else if (state_of(&r) != expected[n]) {
                rig_stop(&r);
                narrow_down(&ways[i], seed, n);
                return false;
            }
            cut(&r, n);
        }
        *traps += i ? 0 : r.hart.n_traps;
        rig_stop(&r);
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, traps = 0, insns = 0, length = 20000;
    unsigned long n = 150, bad = 0, i;
    struct translate_stats stats;
    bool keep_going = false;
    int c;

    while ((c = getopt(argc, argv, "s:n:l:k")) != -1) {
        switch (c) {
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': n = strtoul(optarg, NULL, 0); break;
        case 'l': length = strtoull(optarg, NULL, 0); break;
        case 'k': keep_going = true; break;
        default: fprintf(stderr, "usage: engines [-s SEED] [-n PROGRAMS] [-l COUNT] [-k]\n"); return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("# seed %llu, %lu programs\n", (unsigned long long)seed, n);
    for (i = 0; i < n && (bad == 0 || keep_going); i++) {
        loops_generate(&program, seed + i);
        bad += !agree(seed + i, cuts_for(length), &traps);
        insns += length;
    }
    translate_stats(&stats);
    printf("# %llu traces of %llu instructions\n", (unsigned long long)stats.traces,
           (unsigned long long)stats.instructions);
    printf("%s 1 - engines agree on random programs: %lu programs, %llu instructions, %llu traps, "
           "%lu differ\n", bad ? "not ok" : "ok", i, (unsigned long long)insns,
           (unsigned long long)traps, bad);
    return bad != 0;
}
