/*
 * The engines agree: machines run by the interpreter and by the translator have equal fingerprints at
 * every interval. With options it runs one machine and prints them:
 *
 *     test_engines [-e ENGINE] [-i NS] [-n COUNT] [-m MiB] [-c HARTS] [-s MIPS] [-b BIOS]
 *                  [-r INITRD] [-a APPEND] -k KERNEL
 *
 * A difference is narrowed down to the instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guests/translate/translate.h"
#include "tests/guests/rig.h"

/* A machine, how often it is looked at, and for how long. */
struct job {
    struct machine_config config;
    vtime_t interval;
    unsigned n;          /* intervals */
    unsigned full_every; /* all of the machine only so often: RAM takes long; else the harts */
};

struct look {
    uint64_t print;
    bool stopped;
};

static const struct {
    const char *name;
    enum engine engine;
} engines[] = {
    {"interpreter", ENGINE_INTERPRETER},
    {"eager", ENGINE_EAGER},
    {"translator", ENGINE_TRANSLATOR},
};

static struct rig rig;

static void begin(struct rig *r, const struct job *j, enum engine e)
{
    translate_choose(e);
    rig_init(r, 1, 0);
    rig_start(r, &j->config);
}

static uint64_t harts_print(const struct machine *m)
{
    uint64_t hash = RNG_HASH_START;

    for (unsigned i = 0; i < m->n_harts; i++)
        hash = state_hash(hart_fields, &m->harts[i], hash);
    return hash;
}

/* After interval i. */
static struct look look(struct rig *r, const struct job *j, unsigned i)
{
    bool stopped = machine_stopped(r->machine);
    bool full = stopped || (i + 1) % j->full_every == 0 || i + 1 == j->n;
    uint64_t print = full ? machine_fingerprint(r->machine) : harts_print(r->machine);

    return (struct look){hash_bytes(print, r->output.p, full ? r->output.n : 0), stopped};
}

/* Looks at a machine until it stops; how many. */
static unsigned record(const struct job *j, enum engine e, struct look *looks)
{
    struct rig *r = &rig;
    unsigned i = 0;

    begin(r, j, e);
    for (; i < j->n; i++) {
        sim_run(&r->sim, (vtime_t)(i + 1) * j->interval);
        looks[i] = look(r, j, i);
        if (looks[i].stopped)
            break;
    }
    rig_finish(r);
    return i;
}

/* --- the first difference --- */

/* The state at t, reached as the test did, and after hart 0 did `more` instructions in one run. */
static uint64_t probe(const struct job *j, enum engine e, vtime_t t, uint64_t more, bool dump)
{
    struct hart *h;
    uint64_t print;

    begin(&rig, j, e);
    for (vtime_t at = j->interval; at < t; at += j->interval)
        sim_run(&rig.sim, at);
    sim_run(&rig.sim, t);
    h = &rig.machine->harts[0];
    if (more)
        hart_run(h, h->icount + more);
    print = machine_fingerprint(rig.machine);
    if (dump)
        machine_dump(rig.machine, stderr);
    rig_finish(&rig);
    return print;
}

static bool same_at(const struct job *j, enum engine e, vtime_t t, uint64_t more)
{
    return probe(j, ENGINE_INTERPRETER, t, more, false) == probe(j, e, t, more, false);
}

/* Equal until `low`, different an interval later: to the microsecond, then to the instruction. */
static void narrow_down(const struct job *j, enum engine e, const char *name, vtime_t low)
{
    vtime_t high = low + j->interval;
    uint64_t n = 1;

    while (high - low > SIM_GRID) {
        vtime_t mid = low + (high - low) / 2 / SIM_GRID * SIM_GRID;

        if (same_at(j, e, mid, 0))
            low = mid;
        else
            high = mid;
    }
    while (n <= j->config.mips && same_at(j, e, low, n))
        n++;
    fprintf(stderr, "%s: differs %llu instructions after %lld ns; before that instruction:\n", name,
            (unsigned long long)n, (long long)low);
    probe(j, ENGINE_INTERPRETER, low, n - 1, true);
    fprintf(stderr, "after it, by the interpreter:\n");
    probe(j, ENGINE_INTERPRETER, low, n, true);
    fprintf(stderr, "and by %s:\n", name);
    probe(j, e, low, n, true);
}

/* Run a job by every engine. */
static void agree(const struct job *j)
{
    struct look *looks = xcalloc(2 * (size_t)j->n, sizeof(*looks)), *others = looks + j->n;
    unsigned n = record(j, ENGINE_INTERPRETER, looks);

    for (unsigned e = 1; e < ARRAY_LEN(engines); e++) {
        unsigned m = record(j, engines[e].engine, others);

        for (unsigned i = 0; i < MIN(MAX(n, m) + 1, j->n); i++)
            if (looks[i].print != others[i].print) {
                fprintf(stderr, "%s: interpreter and %s differ at %lld ns\n", j->config.kernel,
                        engines[e].name, (long long)((i + 1) * j->interval));
                narrow_down(j, engines[e].engine, engines[e].name, i * j->interval);
                fail();
            }
        assert_int_equal(n, m);
    }
    free(looks);
}

/* --- the tests --- */

static const char *env_or(const char *name, const char *otherwise)
{
    const char *v = getenv(name);

    return v && *v ? v : otherwise;
}

static bool there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* A file of an image: in the cache, or where Debian's packages put it. */
static char *image(const char *name, const char *packaged)
{
    const char *cache = getenv("LANARIUM_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
    char *path;

    if (cache)
        path = xasprintf("%s/%s", cache, name);
    else if (xdg)
        path = xasprintf("%s/lanarium/%s", xdg, name);
    else
        path = xasprintf("%s/.cache/lanarium/%s", env_or("HOME", ""), name);
    if (there(path))
        return path;
    free(path);
    return packaged && there(packaged) ? xasprintf("%s", packaged) : NULL;
}

/* The self-checking programs, at a speed that ends runs in the middle of everything. */
static void agree_on_program(const char *name, unsigned mips)
{
    char *path = xasprintf("%s/tests/insn/%s.elf", env_or("BUILDDIR", "."), name);
    struct job j = {.interval = 7 * NS_PER_US, .n = 3000, .full_every = 50};

    if (!there(path)) {
        free(path);
        skip();
    }
    machine_config_init(&j.config);
    j.config.ram_bytes = 16 << 20;
    j.config.mips = mips;
    j.config.bios = "none";
    j.config.kernel = path;
    agree(&j);
    free(path);
}

static void on_every_instruction_test(void **state)
{
    static const char *const programs[] = {
        "atomic", "branch", "cboz", "counter", "csr", "fcompare", "fconvert", "fdouble", "fencei",
        "fsingle", "fstate", "irq", "loadstore", "muldiv", "plic", "pmp", "rv64i", "rvc", "sv39",
        "sv48", "trap", "zb",
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(programs); i++) {
        agree_on_program(programs[i], 1000);
        agree_on_program(programs[i], 1777);
    }
}

static void on_firmware_with(unsigned harts, unsigned mips)
{
    char *opensbi = image("opensbi/fw_dynamic.bin",
                          "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin");
    char *u_boot = image("u-boot/qemu-riscv64_smode/u-boot.bin",
                         "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin");
    struct job j = {.interval = 11 * NS_PER_US, .n = 5000, .full_every = 250};

    if (opensbi && u_boot) {
        machine_config_init(&j.config);
        j.config.harts = harts;
        j.config.mips = mips;
        j.config.bios = opensbi;
        j.config.kernel = u_boot;
        agree(&j);
    }
    free(opensbi);
    free(u_boot);
    if (!j.config.kernel)
        skip();
}

static void on_firmware(void **state)
{
    (void)state;
    on_firmware_with(1, 1000);
}

static void on_firmware_of_two_harts(void **state)
{
    (void)state;
    on_firmware_with(2, 777);
}

static bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

/* Debian's kernel for so many virtual milliseconds. */
static void on_linux_with(unsigned harts, unsigned mips, unsigned ms)
{
    char *kernel = image("debian/Image", NULL), *initrd = image("debian/initrd", NULL);
    struct job j = {.interval = 100 * NS_PER_US, .n = 10 * ms, .full_every = 500};

    if (kernel && initrd && !sanitized()) {
        machine_config_init(&j.config);
        j.config.harts = harts;
        j.config.mips = mips;
        j.config.kernel = kernel;
        j.config.initrd = initrd;
        j.config.append = "console=ttyS0";
        agree(&j);
    }
    free(kernel);
    free(initrd);
    if (!j.config.kernel)
        skip();
}

static void on_the_boot_of_linux(void **state)
{
    (void)state;
    on_linux_with(1, 1000, 1800);
}

static void on_the_boot_of_linux_on_two_harts(void **state)
{
    (void)state;
    on_linux_with(2, 1777, 150);
}

static int teardown(void **state)
{
    (void)state;
    rig = (struct rig){0};
    return 0;
}

/* --- one machine, by hand --- */

static int usage(void)
{
    fprintf(stderr, "usage: test_engines [-e ENGINE] [-i NS] [-n COUNT] [-m MiB] [-c HARTS] [-s MIPS] "
                    "[-b BIOS] [-r INITRD] [-a APPEND] -k KERNEL\n");
    return 2;
}

static int option(struct job *j, enum engine *e, int c)
{
    switch (c) {
    case 'e': return translate_engine_named(optarg, e) ? 0 : -1;
    case 'i': j->interval = strtoll(optarg, NULL, 0); break;
    case 'n': j->n = (unsigned)strtoul(optarg, NULL, 0); break;
    case 'm': j->config.ram_bytes = strtoull(optarg, NULL, 0) << 20; break;
    case 'c': j->config.harts = (unsigned)strtoul(optarg, NULL, 0); break;
    case 's': j->config.mips = (unsigned)strtoul(optarg, NULL, 0); break;
    case 'b': j->config.bios = optarg; break;
    case 'k': j->config.kernel = optarg; break;
    case 'r': j->config.initrd = optarg; break;
    case 'a': j->config.append = optarg; break;
    default: return -1;
    }
    return 0;
}

static int run_one(int argc, char **argv)
{
    struct job j = {.interval = 1 * NS_PER_MS, .n = 100, .full_every = 1};
    enum engine e = ENGINE_TRANSLATOR;
    int c;

    machine_config_init(&j.config);
    while ((c = getopt(argc, argv, "e:i:n:m:c:s:b:k:r:a:")) != -1)
        if (option(&j, &e, c) != 0)
            return usage();
    if (!j.config.kernel || optind != argc)
        return usage();
    begin(&rig, &j, e);
    for (unsigned i = 0; i < j.n && !machine_stopped(rig.machine); i++) {
        sim_run(&rig.sim, (vtime_t)(i + 1) * j.interval);
        printf("%lld %016llx\n", (long long)rig.sim.now,
               (unsigned long long)look(&rig, &j, i).print);
    }
    rig_finish(&rig);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(on_every_instruction_test, teardown),
        cmocka_unit_test_teardown(on_firmware, teardown),
        cmocka_unit_test_teardown(on_firmware_of_two_harts, teardown),
        cmocka_unit_test_teardown(on_the_boot_of_linux, teardown),
        cmocka_unit_test_teardown(on_the_boot_of_linux_on_two_harts, teardown),
    };

    if (argc > 1)
        return run_one(argc, argv);
    return cmocka_run_group_tests_name("the engines agree", tests, NULL, NULL);
}
