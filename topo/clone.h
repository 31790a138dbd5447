/* Cloning in a run: a console is watched for the point at which a guest is cloned. */
#ifndef TOPO_CLONE_H
#define TOPO_CLONE_H

#include "sim/console.h"
#include "topo/build.h"
#include "topo/script.h"

#define CLONE_SPAN 4096u /* bytes that a match may span */

struct clones;

/** One moment of one guest's life, and the clones that are made of it then. */
struct clone_point {
    struct clones *all;
    struct topo_guest *original;
    const char *pattern;
    bool plain;
    topo_objects guests; /* in order of declaration */
    struct console_sink sink;
    struct event event; /* the console has been silent; or, once reached, it is time */
    char *text;         /* the last that was printed, at most 2 * CLONE_SPAN bytes */
    size_t n;
    int escape;
    vtime_t last;
    bool reached, made;
};

struct clones {
    struct network *network;
    struct script *script;
    LIST_OF(struct clone_point *) points;
    size_t n_made;
    uint64_t host_ns, host_bytes; /* what making them all has cost */
};

/**
 * Watch for every point of the network's clones. A point is reached as a test would see it: when
 * a line is complete, CONSOLE_DELAY later, or when the console has been silent for TESTS_SETTLE.
 */
void clones_init(struct clones *c, struct network *n, struct script *s);
void clones_finish(struct clones *c);

/** A sentence that says when a guest that is not there yet will be; on the heap. */
char *clone_missing(const struct topo_guest *g);

#endif
