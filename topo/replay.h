/* Replaying: what of a recorded run's options is used again, and what is said anew. */
#ifndef TOPO_REPLAY_H
#define TOPO_REPLAY_H

#include "topo/made_from.h"
#include "topo/run.h"

/** A recording that is to be replayed. */
struct replay {
    struct playback *playback;
    struct made_from from;
    struct run_options own; /* what was said for the replay; the rest is the recording's */
};

/**
 * Check that the topology is the one that was recorded; then make of the recorded run's options
 * those of the replay, and change the paths of captures. False with sentences.
 */
bool replay_prepare(const struct replay *r, struct topo *t, struct run_options *o, struct err *err);

/**
 * Where something goes that was written to `path`, if captures are put into `folder` (NULL: they are
 * not), which is made. Heap; NULL with a sentence.
 */
char *replay_path(const char *folder, const char *path, struct err *err);

#endif
