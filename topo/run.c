/* Running a described network from building to the report. */
#include "topo/run.h"

#include <time.h>

#include "guests/machine.h"
#include "sim/recording.h"
#include "sim/units.h"
#include "topo/replay.h"

void run_options_init(struct run_options *o)
{
    *o = (struct run_options){.limit = VTIME_NEVER};
}

static uint64_t host_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void on_test_done(struct tests *t, size_t test)
{
    report_test(t->opaque, test);
}

/*
 * Whoever sits at a console goes on when the tests are over; and so did, perhaps, who sat there
 * when it was recorded.
 */
static void on_tests_done(void *opaque)
{
    struct run *r = opaque;
    if (r->network.sim.playback)
        return;
    if (terminal_is_used(r->terminal))
        fprintf(stderr, "lanarium: the tests are over; ctrl-] x ends the run\r\n");
    else
        sim_stop(&r->network.sim);
}

/* The last guest has stopped: without tests to come that is the end. The machine picks the moment. */
static void on_power(void *opaque, struct machine *m)
{
    struct run *r = opaque;
    (void)m;
    if (--r->n_running == 0 && r->tests.current >= r->topo->tests.n)
        sim_stop(&r->network.sim);
}

static struct topo_guest *console_guest(struct run *r)
{
    const char *name = r->o->console;
    struct topo_object *o = name ? strmap_get(&r->topo->names, name) : r->topo->guests.items[0];
    return o && o->kind == TOPO_GUEST ? (struct topo_guest *)o : NULL;
}

/* Standard output is the report's unless packets or a console go there. */
static FILE *say_where(const struct run *r)
{
    for (size_t i = 0; i < r->topo->captures.n; i++)
        if (strcmp(r->topo->captures.items[i]->name, "-") == 0)
            return stderr;
    return r->o->console_use == CONSOLE_TERMINAL ? stderr : stdout;
}

static void watch_guests(struct run *r)
{
    r->n_running = (uint32_t)r->topo->guests.n;
    for (size_t i = 0; i < r->topo->guests.n; i++)
        machine_on_power(((struct topo_guest *)r->topo->guests.items[i])->machine, on_power, r);
}

/* Opens logs and the terminal. False, with sentences, if one cannot be. */
static bool consoles_open(struct run *r)
{
    struct topo_guest *g = r->o->console_use ? console_guest(r) : NULL;
    if (r->o->log && !(r->logs = conlog_open(r, r->o->log)))
        return false;
    if (r->o->console_use == CONSOLE_FILE)
        r->logs = conlog_open_one(r, g, r->o->console_file);
    else if (r->o->console_use == CONSOLE_TERMINAL)
        r->terminal = terminal_open(r, g);
    return trace_open(r) && !err_any(&r->err);
}

/* Runs the engine to the end, waiting at the terminal when nothing else is left to do. */
static enum sim_stop engine_run(struct run *r)
{
    struct sim *s = &r->network.sim;
    vtime_t limit = MIN(r->o->limit, r->topo->limit);
    enum sim_stop stop;
    do
        stop = sim_run(s, limit);
    while (stop == SIM_IDLE && r->terminal && terminal_wait(r->terminal));
    return stop;
}

/* How the run ended: as the recorded one did, if that is what it did. */
static void tests_conclude(struct run *r, enum sim_stop stop)
{
    const struct sim *s = &r->network.sim;
    const char *recorded = s->playback && !signals_came() ? playback_end(s->playback) : NULL;
    char reason[96], span[32];
    if (recorded)
        snprintf(reason, sizeof(reason), "%s", recorded);
    else if (signals_came())
        snprintf(reason, sizeof(reason), "the run was interrupted");
    else if (stop == SIM_REACHED)
        snprintf(reason, sizeof(reason), "the run ended (%s)",
                 units_format_time(MIN(r->o->limit, r->topo->limit), span, sizeof(span)));
    else
        snprintf(reason, sizeof(reason), "the run ended");
    tests_end(&r->tests, reason);
    if (s->recording)
        recording_ended(s->recording, reason);
}

/* Ends the recording that is written, or says what was wrong with the one that was played. */
static void recordings_conclude(struct run *r)
{
    struct sim *s = &r->network.sim;
    recording_close(s->recording, s->now, &r->err);
    s->recording = NULL;
    if (s->playback && !signals_came())
        playback_complete(s->playback, &r->err);
}

static int exit_status(struct run *r)
{
    uint32_t code = 0;
    if (err_any(&r->err))
        return EXIT_IO;
    if (tests_failed(&r->tests))
        return EXIT_FAILED;
    if (r->o->guest_status && r->topo->guests.n) {
        struct topo_guest *g = (struct topo_guest *)r->topo->guests.items[0];
        machine_power_state(g->machine, &code);
        if (machine_stopped(g->machine))
            return (int)(code > 255 ? 1 : code);
    }
    return EXIT_PASSED;
}

/* What uplinks met with that the user must know of. */
static bool uplinks_conclude(struct run *r)
{
    struct err said = {0};
    bool good = network_conclude(&r->network, &said);
    err_print(&said, stderr);
    err_finish(&said);
    return good;
}

/* The network is built: everything between its first and its last moment. */
static int run_built(struct run *r, struct script *script)
{
    clones_init(&r->clones, &r->network, script);
    tests_init(&r->tests, &r->network, script);
    r->network.captures = r->o->captures;
    r->tests.done = on_test_done;
    r->tests.all_done = on_tests_done;
    r->tests.opaque = r;
    watch_guests(r);
    if (consoles_open(r)) {
        signals_start(&r->network.sim);
        r->progress = progress_start(r);
        uint64_t start = host_ns();
        enum sim_stop stop = engine_run(r);
        r->host_ns = host_ns() - start;
        progress_stop(r->progress);
        terminal_close(r->terminal);
        tests_conclude(r, stop);
        recordings_conclude(r);
        network_close_captures(&r->network, &r->err);
        conlog_close(r, r->logs);
        trace_close(r);
        signals_stop(&r->network.sim);
        report_end(r);
        if (r->o->junit)
            junit_write(r, r->o->junit, &r->err);
    }
    err_print(&r->err, stderr);
    int status = exit_status(r);
    if (!uplinks_conclude(r) && status == EXIT_PASSED)
        status = EXIT_BAD_INPUT;
    tests_finish(&r->tests);
    clones_finish(&r->clones);
    script->tests = NULL;
    return status;
}

/* Opens the recording that is asked for, if any. False with sentences. */
static bool recording_open(const struct run_options *o, const struct topo *t,
                            struct sim_options *so, struct err *err)
{
    if (!o->record || o->replay)
        return true;
    char *header = made_from_text(t, o->invocation, err);
    if (header)
        so->recording = recording_create(o->record, header, err);
    free(header);
    return so->recording != NULL;
}

int run_network(struct topo *t, struct script *script, const struct run_options *options)
{
    struct run_options o = *options;
    struct run r = {.o = &o, .topo = t};
    struct err err = {0};
    int status = EXIT_BAD_INPUT;

    if (o.replay)
        replay_prepare(o.replay, t, &o, &err);
    r.say = script->say = say_where(&r);
    if (o.console && !console_guest(&r))
        err_add(&err, "--console %s: %s has no guest of that name", o.console, t->title);
    trace_check(&r, &err);
    struct sim_options so = o.sim;
    so.seed = t->seed;
    bool begun = engine_set_up(&o, &err) && !err_any(&err) && recording_open(&o, t, &so, &err);
    if (begun && network_build(&r.network, t, &so, o.shuffle, &err))
        status = run_built(&r, script);
    else
        err_print(&err, stderr);
    if (begun) {
        recording_abandon(r.network.sim.recording); /* it could not be built */
        r.network.sim.recording = NULL;
        network_finish(&r.network);
    }
    engine_finish();
    err_finish(&err);
    err_finish(&r.err);
    return status;
}
