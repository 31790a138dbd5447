/* Recordings that tests make and play: inlets that write down what comes out. */
#ifndef TESTS_SIM_RECORDING_RIG_H
#define TESTS_SIM_RECORDING_RIG_H

#include "tests/sim/rig.h"

#include "sim/inlet.h"
#include "sim/recording.h"

#define MAX_PLAYED 64
#define US NS_PER_US
#define MS NS_PER_MS

/* An inlet that writes down what is played. */
struct door {
    struct inlet inlet;
    bool open;
};

struct played {
    uint32_t door;
    uint8_t kind, mark;
    vtime_t at, now; /* at: as it was noted; now: when it was handed over */
};

extern struct rig tape_rig;
extern struct door tape_doors[3];
extern struct played tape_played[MAX_PLAYED];
extern unsigned tape_n_played;
extern struct err tape_err;
extern char tape_path[64]; /* the file, of one test */

/** A test's setup and teardown: the file is made, and removed. */
int tape_setup(void **state);
int tape_teardown(void **state);

/** Write the file: its header, an entry of a door, the end. */
struct recording *tape_begin(const char *header);
void tape_note(struct recording *r, unsigned door, uint8_t kind, vtime_t at, uint8_t mark);
void tape_end(struct recording *r, vtime_t at);

/**
 * Play the file to a network of n doors; whether it was good. Frames to talkers fill the windows.
 * tape_finish is due.
 */
bool tape_play(unsigned n, vtime_t window);
void tape_door_open(unsigned i);
void tape_finish(void);

/** What was played to a door with this mark; fails if it was not. */
const struct played *tape_find(unsigned door, uint8_t mark);

#endif
