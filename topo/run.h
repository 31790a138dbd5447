/* Running a described network: its options, and what the program's exit status says. */
#ifndef TOPO_RUN_H
#define TOPO_RUN_H

#include "topo/build.h"
#include "topo/clone.h"
#include "topo/script.h"
#include "topo/tests.h"

/** Exit statuses. */
enum {
    EXIT_PASSED = 0,
    EXIT_FAILED = 1,    /* a test failed */
    EXIT_BAD_INPUT = 2, /* the script, an image, an option */
    EXIT_IO = 3, /* a capture, a log, a recording could not be written; or not be replayed whole */
};

struct invocation;
struct replay;

enum console_use {
    CONSOLE_NONE,     /* the report alone */
    CONSOLE_TERMINAL, /* the guest's console is standard input and output */
    CONSOLE_FILE,     /* its output goes to a file */
};

struct run_options {
    struct sim_options sim;
    uint64_t shuffle;
    vtime_t limit;     /* VTIME_NEVER: none */
    const char *junit; /* files and folders to write, or NULL */
    const char *log;
    const char *console; /* the name of the guest whose console is used, or NULL: the first */
    enum console_use console_use;
    const char *console_file;
    bool progress, stats, quiet;
    const char *engine;  /* its name, which engine_check accepted, or NULL: as the environment says */
    bool perf_map;       /* name translated code for perf */
    const char *symbols; /* a file of symbols: likewise, with names from there; or NULL */
    const char *trace;   /* "GUEST=FILE": its instructions go there; or NULL */
    bool guest_status; /* exit with the code the first guest stopped with */
    const char *record; /* a file for what comes in, or NULL */
    const struct invocation *invocation; /* what was typed, for that file */
    const struct replay *replay;         /* a recording that is replayed, or NULL */
    const char *captures;                /* of a replay: where captures go, or NULL */
    bool mute;                           /* of a replay: show no console */
};

void run_options_init(struct run_options *o);

/**
 * Build the network of a script that has been checked, run it, report, and tear it down.
 * `script` may have no tests. Returns the exit status.
 */
int run_network(struct topo *t, struct script *script, const struct run_options *o);

/** A run in progress, for the files that watch it. */
struct run {
    const struct run_options *o;
    struct topo *topo;
    struct network network;
    struct clones clones;
    struct tests tests;
    FILE *say;           /* the report: standard output, unless that carries something else */
    struct conlog *logs; /* by guest, or NULL */
    struct terminal *terminal;
    struct progress *progress;
    FILE *trace; /* a guest's instructions, or NULL */
    uint32_t n_running; /* guests that have not stopped */
    uint64_t host_ns;   /* what the run took */
    struct err err;     /* files that could not be written */
};

/* trace.c */

/** Say what is wrong with the trace that the options ask for, if anything is. */
void trace_check(const struct run *r, struct err *err);

/** Begin it. False, with a sentence in r->err. */
bool trace_open(struct run *r);
void trace_close(struct run *r);

/* engine.c */

/** Whether an engine has that name; false with "WHERE NAME: ..." in err. */
bool engine_check(const char *where, const char *name, struct err *err);

/** Do what the options and LANARIUM_ENGINE say; before images are opened. False with a sentence. */
bool engine_set_up(const struct run_options *o, struct err *err);
void engine_finish(void);

/* report.c */
void report_test(struct run *r, size_t test);
void report_end(struct run *r);
bool junit_write(const struct run *r, const char *path, struct err *err);

/* progress.c: a line on a terminal, refreshed four times a second. NULL if it is none. */
struct progress *progress_start(struct run *r);
void progress_clear(struct progress *p);
void progress_stop(struct progress *p);

/* conlog.c: DIR/GUEST.log for each guest, or one file for one. */
struct conlog *conlog_open(struct run *r, const char *folder);
struct conlog *conlog_open_one(struct run *r, struct topo_guest *g, const char *path);
void conlog_close(struct run *r, struct conlog *l);

/* terminal.c: a guest's console on standard input and output; ctrl-] is the prefix of its keys. */
struct terminal *terminal_open(struct run *r, struct topo_guest *g);
/** Whether someone sits there, who says when to leave. */
bool terminal_is_used(const struct terminal *t);
/** Nothing will ever happen unless something is typed: wait for it. False if nothing can be. */
bool terminal_wait(struct terminal *t);
void terminal_close(struct terminal *t);
/** Give the terminal back its settings; callable from a signal handler. */
void terminal_restore(void);

/* signals.c: the first SIGINT or SIGTERM stops the run cleanly, the second at once. */
void signals_start(struct sim *s);
bool signals_came(void);
void signals_stop(struct sim *s);

/** Let the loop finish the handles that were closed, before their memory goes. */
void run_settle(uv_loop_t *loop);

#endif
