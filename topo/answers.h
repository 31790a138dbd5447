/* Answers: what only the host can tell a running network; noted with a recorded run. */
#ifndef TOPO_ANSWERS_H
#define TOPO_ANSWERS_H

#include "sim/inlet.h"

/** An inlet of its own, since what a test sees of the outside came in from there. */
struct answers {
    struct inlet inlet;
    char **texts; /* played and not taken yet, the oldest first */
    uint32_t n, cap;
};

void answers_init(struct answers *a, struct sim *s);
void answers_finish(struct answers *a);

/**
 * What the outside gave: whether a port was free, who is connected. @live is taken (heap) and comes
 * back, noted if the run is recorded. When a recording is played it is what was noted then that
 * comes back, and @live, which may be NULL, is freed. The result is the caller's; "" if the
 * recording has no more.
 */
char *answers_take(struct answers *a, char *live);

#endif
