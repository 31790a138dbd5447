/* Tests: the script's functions as coroutines on virtual time, one after another. */
#ifndef TOPO_TESTS_H
#define TOPO_TESTS_H

#include "sim/console.h"
#include "sim/tap.h"
#include "topo/build.h"
#include "topo/script.h"

/**
 * Output is looked at when a line is complete, and when the console has been silent for this
 * long (for prompts): a pattern such as "%d+" then sees the whole number, and the moment does
 * not depend on how the run is cut into windows.
 */
#define TESTS_SETTLE (10 * NS_PER_MS)
#define TRANSCRIPT_MAX (64u << 10) /* bytes kept that no test has taken */
#define TRANSCRIPT_SPAN 4096u      /* bytes that one match may span */
#define WATCH_MAX 4096u            /* frames kept that no test has taken */

/** Up to where a console's output can be seen, from when on. */
struct mark {
    size_t end;
    vtime_t visible;
};

/** What a guest's console has printed and no test has taken yet. */
struct transcript {
    struct console_sink sink;
    struct tests *tests;
    struct console *console;
    char *text;
    size_t n, cap;
    LIST_OF(struct mark) marks; /* ascending */
    vtime_t last;               /* when the last byte came */
    char tail[96];              /* the line that has not ended, taken or not */
    size_t tail_n;
    int escape; /* how far into a terminal's escape sequence; these are left out */
    struct event silence;
};

struct seen_frame {
    vtime_t at;
    const char *port; /* its name, interned */
    struct frame *frame;
};

/** The frames of a VLAN that no test has taken yet, oldest first. */
struct watch {
    struct tap tap;
    struct tests *tests;
    struct topo_vlan *vlan;
    struct seen_frame *ring;
    size_t head, n;
};

/** What the running test waits for. */
enum wait_kind { WAIT_NOTHING, WAIT_TIME, WAIT_CONSOLE, WAIT_FRAME, WAIT_POWER };

struct test_result {
    bool run, passed;
    vtime_t duration;
    uint64_t host_ns;
    char *message; /* heap; NULL if it passed */
};

struct tests {
    struct network *network;
    struct topo_object *late; /* declared in the running test, and not made yet */
    struct script *script;
    struct transcript *transcripts; /* by guest */
    struct watch *watches;          /* by VLAN */
    struct test_result *results;    /* by test */
    size_t current;                 /* the one that runs; topo->tests.n: all are done */
    lua_State *co;
    vtime_t started;
    uint64_t host_started;
    struct event wake, timeout;

    enum wait_kind kind;
    bool found; /* the answer is in the registry, and wake is armed */
    bool timed_out;
    struct transcript *transcript;
    const char *pattern; /* interned */
    size_t pattern_len;
    bool plain;
    size_t searched; /* the search begins here */
    struct watch *watch;
    void *filter; /* struct bpf_program, compiled */
    struct topo_guest *guest;
    vtime_t limit; /* of the waiting, for the sentence */

    void (*done)(struct tests *t, size_t test); /* a test has ended; for the report */
    void (*all_done)(void *opaque);             /* all have; NULL: that ends the run */
    void *opaque;
};

/** Prepare to run the script's tests in a network that has been built; starts the first at 0. */
void tests_init(struct tests *t, struct network *n, struct script *s);
void tests_finish(struct tests *t);

/** The run is over: what has not ended has failed, for this reason. */
void tests_end(struct tests *t, const char *reason);

size_t tests_failed(const struct tests *t);

/* The script's side: each checks that it is called by the running test itself. */

/** The tests, if the caller is the coroutine of the running one; else a Lua error. */
struct tests *tests_of(lua_State *L, const char *what);

/** Likewise, for a method of an uplink: argument 1, which is of this kind and there. */
struct topo_uplink *tests_uplink(lua_State *L, enum topo_kind kind, const char *what);

/**
 * Make the uplink or capture that the running test has declared, if there is one that has not been
 * made. False with sentences in the topology's err.
 */
bool tests_make_late(struct tests *t);

/**
 * Wait for output that matches; returns what string.match would, one value at least. Lua errors
 * for a bad pattern and when it times out. Call as `return tests_expect(...)`.
 */
int tests_expect(lua_State *L, struct topo_guest *g, const char *pattern, size_t len, bool plain,
                 vtime_t limit);

/** Wait for a frame; returns a table that describes it. */
int tests_expect_frame(lua_State *L, struct topo_vlan *v, const char *filter, vtime_t limit);

/** Let virtual time pass. */
int tests_wait(lua_State *L, vtime_t span);

/** Wait until a guest has stopped; returns the code it stopped with. */
int tests_expect_off(lua_State *L, struct topo_guest *g, vtime_t limit);

/* Between the files that wait. */

/** Begin to wait: arms the timeout. */
void tests_begin_wait(struct tests *t, enum wait_kind kind, vtime_t limit);

/** What was waited for is there: the test goes on at `at`. The answer is at the top of L. */
void tests_answer(struct tests *t, lua_State *L, vtime_t at);

/* transcript.c */
void transcript_init(struct transcript *tr, struct tests *t, struct console *c);
void transcript_finish(struct transcript *tr);
/** Look for the waiting test's pattern in what is there; answers through tests_answer. */
bool transcript_look(struct transcript *tr, vtime_t now);
/** The last lines printed, each indented by "  | ", pushed as a string. */
void transcript_push_tail(struct transcript *tr, lua_State *L);
/** Forget what the console has printed until now. */
void transcript_clear(struct transcript *tr);
/** A clone's console: what its original's has printed of a line that has not ended is there too. */
void transcript_inherit(struct transcript *tr, const struct transcript *original, vtime_t now);
/** Whether a byte belongs to a terminal's escape sequence; `state` is 0 at the start. */
bool escape_takes(int *state, uint8_t c);
/** Whether the last thing printed is this text, at the beginning of a line. */
bool transcript_at(const struct transcript *tr, const char *text);

/* watch.c */
void watch_init(struct watch *w, struct tests *t, struct topo_vlan *v);
void watch_finish(struct watch *w);
bool watch_look(struct watch *w, vtime_t now);
void filter_free(void *filter);

#endif
