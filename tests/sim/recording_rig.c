/* Recordings that tests make and play: inlets that write down what comes out. */
#include "recording_rig.h"

#include <stdio.h>
#include <unistd.h>

struct rig tape_rig;
struct door tape_doors[3];
struct played tape_played[MAX_PLAYED];
unsigned tape_n_played;
struct err tape_err;
char tape_path[64];

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    assert_true(tape_n_played < MAX_PLAYED);
    tape_played[tape_n_played++] =
        (struct played){(uint32_t)(container_of(in, struct door, inlet) - tape_doors), kind,
                        len ? p[0] : 0, at, in->sim->now};
}

static const struct inlet_ops door_ops = {.play = play};

void tape_door_open(unsigned i)
{
    inlet_init(&tape_doors[i].inlet, &door_ops, &tape_rig.sim);
    tape_doors[i].open = true;
}

/* --- a file --- */

struct recording *tape_begin(const char *header)
{
    struct recording *r = recording_create(tape_path, header, &tape_err);

    assert_non_null(r);
    return r;
}

void tape_note(struct recording *r, unsigned door, uint8_t kind, vtime_t at, uint8_t mark)
{
    recording_note(r, door + 1, kind, at, &mark, 1); /* inlet 0 is the engine's */
}

void tape_end(struct recording *r, vtime_t at)
{
    assert_true(recording_close(r, at, &tape_err));
}

/* Plays the file to a network of n doors; whether it was good. Frames to talkers fill the windows.
 */
bool tape_play(unsigned n, vtime_t window)
{
    tape_n_played = 0;
    rig_init(&tape_rig, &(struct sim_options){.seed = 1, .max_window = window});
    tape_rig.sim.playback = playback_open(tape_path, &tape_err);
    assert_non_null(tape_rig.sim.playback);
    struct vlan *v = vlan_create(&tape_rig.sim, "lan", VLAN_SWITCH);
    struct talker *t = rig_talker(&tape_rig, v);
    rig_talker(&tape_rig, v);
    for (unsigned i = 0; i < n; i++)
        tape_door_open(i);
    for (vtime_t at = 0; at < 10 * MS; at += 37 * US)
        rig_send_at(t, at, 2, 100, 0);
    sim_run(&tape_rig.sim, 20 * MS);
    return playback_close(tape_rig.sim.playback, &tape_err);
}

void tape_finish(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(tape_doors); i++) {
        if (tape_doors[i].open)
            inlet_finish(&tape_doors[i].inlet);
        tape_doors[i].open = false;
    }
    rig_finish(&tape_rig);
}

const struct played *tape_find(unsigned door, uint8_t mark)
{
    for (unsigned i = 0; i < tape_n_played; i++)
        if (tape_played[i].door == door && tape_played[i].mark == mark)
            return &tape_played[i];
    fail_msg("entry %u of door %u was not played", mark, door);
    return NULL;
}

int tape_setup(void **state)
{
    (void)state;
    strcpy(tape_path, "/tmp/lanarium-recording-XXXXXX");
    close(mkstemp(tape_path));
    return 0;
}

int tape_teardown(void **state)
{
    (void)state;
    unlink(tape_path);
    err_finish(&tape_err);
    return 0;
}
