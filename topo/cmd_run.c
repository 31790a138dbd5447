/* lanarium run: run a topology script, its tests and captures. */
#include <ctype.h>
#include <errno.h>

#include "sim/units.h"
#include "sim/workers.h"
#include "topo/command.h"
#include "topo/made_from.h"
#include "topo/schema.h"

static bool number(const char *name, const char *value, uint64_t *out, struct err *err)
{
    char *end;
    errno = 0;
    *out = strtoull(value, &end, 0);
    if (isdigit((unsigned char)value[0]) && !*end && !errno)
        return true;
    err_add(err, "%s %s: it is not a whole number", name, value);
    return false;
}

static bool time_span(const char *name, const char *value, vtime_t *out, struct err *err)
{
    if (units_time(value, out))
        return true;
    err_add(err, "%s %s: it is not %s", name, value, attr_type_text(ATTR_TIME));
    return false;
}

#define ARGS(to) ((struct run_args *)(to))

static bool take_seed(void *to, const char *value, struct err *err)
{
    ARGS(to)->seed_given = true;
    return number("--seed", value, &ARGS(to)->seed, err);
}

static bool take_for(void *to, const char *value, struct err *err)
{
    return time_span("--for", value, &ARGS(to)->o.limit, err);
}

static bool take_window(void *to, const char *value, struct err *err)
{
    return time_span("--window", value, &ARGS(to)->o.sim.max_window, err);
}

static bool take_shuffle(void *to, const char *value, struct err *err)
{
    return number("--shuffle", value, &ARGS(to)->o.shuffle, err);
}

static bool take_threads(void *to, const char *value, struct err *err)
{
    uint64_t n;
    if (!number("--threads", value, &n, err))
        return false;
    if (n < 1 || n > WORKERS_MAX) {
        err_add(err, "--threads %s: it is outside 1..%d", value, WORKERS_MAX);
        return false;
    }
    ARGS(to)->o.sim.threads = (unsigned)n;
    return true;
}

static bool take_engine(void *to, const char *value, struct err *err)
{
    ARGS(to)->o.engine = value;
    return engine_check("--engine", value, err);
}

static bool take_define(void *to, const char *value, struct err *err)
{
    if (!isalpha((unsigned char)value[0]) && value[0] != '_') {
        err_add(err, "--define %s: write NAME=VALUE", value);
        return false;
    }
    list_push(&ARGS(to)->defines, value);
    return true;
}

static bool take_console(void *to, const char *value, struct err *err)
{
    (void)err;
    ARGS(to)->o.console = value;
    ARGS(to)->o.console_use = CONSOLE_TERMINAL;
    return true;
}

/* The options that only set a field. */
#define TAKE(fn, field, what)                                                                      \
    static bool fn(void *to, const char *value, struct err *err)                                   \
    {                                                                                              \
        (void)value;                                                                               \
        (void)err;                                                                                 \
        ARGS(to)->o.field = what;                                                                  \
        return true;                                                                               \
    }
TAKE(take_junit, junit, value)
TAKE(take_log, log, value)
TAKE(take_paced, sim.paced, true)
TAKE(take_progress, progress, true)
TAKE(take_stats, stats, true)
TAKE(take_quiet, quiet, true)
TAKE(take_eager, sim.eager, true)
TAKE(take_perf_map, perf_map, true)
TAKE(take_symbols, symbols, value)
TAKE(take_trace, trace, value)
TAKE(take_record, record, value)
TAKE(take_captures, captures, value)

/* What shows a run, and what cannot change its result: replay has these too. */
#define SHARED_OPTIONS                                                                             \
    {"--junit", "FILE", "write the results as JUnit XML", take_junit},                             \
        {"--log", "DIR", "write each console into DIR/GUEST.log", take_log},                       \
        {"--progress", NULL, "show a line of progress, on a terminal", take_progress},             \
        {"--stats", NULL, "print all counters at the end", take_stats},                            \
        {"--quiet", NULL, "print failures only", take_quiet},                                      \
        {"--threads", "N", "run guests on N threads (one per core; the result is the same)",       \
         take_threads},                                                                            \
        {"--eager", NULL, "use them for the smallest window (the result is the same)",             \
         take_eager},                                                                              \
        {"--window", "TIME", "let no window be longer (the result is the same)", take_window},     \
        {"--shuffle", "N", "scatter the guests over memory (the result is the same)",              \
         take_shuffle},                                                                            \
        {"--engine", "NAME", "translator, interpreter or eager (the result is the same)",          \
         take_engine},                                                                             \
        {"--perf-map", NULL, "name translated code in /tmp/perf-PID.map, for perf",                \
         take_perf_map},                                                                           \
        {"--symbols", "FILE", "likewise, with names from a System.map or nm", take_symbols},       \
    {                                                                                              \
        "--trace", "GUEST=FILE", "write each instruction of a guest into a file", take_trace       \
    }

const struct option run_option_table[] = {
    {"--for", "TIME", "end after so much virtual time", take_for},
    {"--seed", "N", "the seed of every random draw (1)", take_seed},
    {"--define", "NAME=VALUE", "what the script sees as arg.NAME", take_define},
    {"--console", "GUEST", "use its console here; ctrl-] x ends the run", take_console},
    {"--record", "FILE", "write down what comes in from outside, for lanarium replay", take_record},
    {"--paced", NULL, "hold virtual time back to the host's clock", take_paced},
    SHARED_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

const struct option replay_option_table[] = {
    {"--captures", "DIR", "put captures with relative paths there", take_captures},
    SHARED_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

bool run_option_take(int argc, char **argv, int *i, struct run_options *o, struct topo *t,
                     struct err *err)
{
    struct run_args a = {.o = *o};
    if (!option_try(run_option_table, argc, argv, i, &a, err))
        return false;
    *o = a.o;
    if (a.seed_given)
        t->seed = a.seed;
    free(a.defines.items);
    return true;
}

static int run_file(struct run_args *a, const char *path)
{
    struct topo t;
    struct script s;
    int status = EXIT_BAD_INPUT;
    topo_init(&t, path);
    if (a->seed_given) {
        t.seed = a->seed;
        t.seed_fixed = true;
    }
    script_init(&s, &t, stdout, a->defines.items, a->defines.n);
    if (script_check(&s, &t, path))
        status = run_network(&t, &s, &a->o);
    else
        topo_print_errors(&t);
    script_finish(&s);
    topo_finish(&t);
    return status;
}

int run_main(int argc, char **argv, const struct replay *again)
{
    struct run_args a = {0};
    struct err err = {0};
    struct invocation words = {0};
    int status;
    run_options_init(&a.o);
    invocation_keep(&words, false, argc, argv);
    a.o.invocation = &words;
    a.o.replay = again;
    int left = options_read(run_option_table, argc, argv, &a, &err);
    if (left >= 0 && left != 1)
        err_add(&err, left ? "one script at a time" : "which script?");
    if (err_any(&err))
        status = usage_error(command_find("run"), &err);
    else
        status = run_file(&a, argv[1]);
    free(a.defines.items);
    invocation_finish(&words);
    return status;
}

int cmd_run(int argc, char **argv)
{
    return run_main(argc, argv, NULL);
}
