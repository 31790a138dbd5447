/* Recordings: what was noted comes back at its time and in its order, whatever the file is like. */
#include "tests/sim/rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/console.h"
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

static struct rig rig;
static struct door doors[3];
static struct played played[MAX_PLAYED];
static unsigned n_played;
static struct err err;
static char path[64];

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    assert_true(n_played < MAX_PLAYED);
    played[n_played++] = (struct played){(uint32_t)(container_of(in, struct door, inlet) - doors),
                                         kind, len ? p[0] : 0, at, in->sim->now};
}

static const struct inlet_ops door_ops = {.play = play};

static void door_open(unsigned i)
{
    inlet_init(&doors[i].inlet, &door_ops, &rig.sim);
    doors[i].open = true;
}

/* --- a file --- */

static struct recording *begin(const char *header)
{
    struct recording *r = recording_create(path, header, &err);

    assert_non_null(r);
    return r;
}

static void note(struct recording *r, unsigned door, uint8_t kind, vtime_t at, uint8_t mark)
{
    recording_note(r, door + 1, kind, at, &mark, 1); /* inlet 0 is the engine's */
}

static void end(struct recording *r, vtime_t at)
{
    assert_true(recording_close(r, at, &err));
}

/* Plays the file to a network of n doors; whether it was good. Frames to talkers fill the windows.
 */
static bool replay(unsigned n, vtime_t window)
{
    n_played = 0;
    rig_init(&rig, &(struct sim_options){.seed = 1, .max_window = window});
    rig.sim.playback = playback_open(path, &err);
    assert_non_null(rig.sim.playback);
    struct vlan *v = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    struct talker *t = rig_talker(&rig, v);
    rig_talker(&rig, v);
    for (unsigned i = 0; i < n; i++)
        door_open(i);
    for (vtime_t at = 0; at < 10 * MS; at += 37 * US)
        rig_send_at(t, at, 2, 100, 0);
    sim_run(&rig.sim, 20 * MS);
    return playback_close(rig.sim.playback, &err);
}

static void finish(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(doors); i++) {
        if (doors[i].open)
            inlet_finish(&doors[i].inlet);
        doors[i].open = false;
    }
    rig_finish(&rig);
}

static const struct played *find(unsigned door, uint8_t mark)
{
    for (unsigned i = 0; i < n_played; i++)
        if (played[i].door == door && played[i].mark == mark)
            return &played[i];
    fail_msg("entry %u of door %u was not played", mark, door);
    return NULL;
}

static int setup(void **state)
{
    (void)state;
    strcpy(path, "/tmp/lanarium-recording-XXXXXX");
    close(mkstemp(path));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    err_finish(&err);
    return 0;
}

/* --- when things are played --- */

static void what_acts_at_a_barrier_is_played_at_its_time(void **state)
{
    (void)state;
    struct recording *r = begin("");
    note(r, 0, INLET_CONSOLE, 0, 1);
    note(r, 1, INLET_COMMAND, 1234 * US, 2);
    note(r, 0, INLET_CONSOLE, 1235 * US, 3);
    note(r, 0, INLET_CONSOLE, 9 * MS, 4);
    end(r, 15 * MS);
    for (vtime_t window = 0; window <= 3 * US; window += 3 * US) {
        assert_true(replay(2, window));
        assert_int_equal(n_played, 4);
        for (unsigned i = 0; i < n_played; i++) {
            assert_int_equal(played[i].mark, i + 1);
            assert_int_equal(played[i].now, played[i].at);
        }
        assert_int_equal(rig.sim.now, 15 * MS);
        finish();
    }
}

static void what_acts_in_a_window_is_there_when_it_begins(void **state)
{
    (void)state;
    struct recording *r = begin("");
    for (uint8_t i = 1; i <= 20; i++)
        note(r, 0, INLET_FRAME, i * 400 * US + i, i);
    end(r, 15 * MS);
    for (vtime_t window = 0; window <= 3 * US; window += 3 * US) {
        assert_true(replay(1, window));
        assert_int_equal(n_played, 20);
        for (unsigned i = 0; i < n_played; i++) {
            assert_int_equal(played[i].mark, i + 1);
            assert_true(played[i].now <= played[i].at);
            assert_true(played[i].now >= played[i].at - 3 * MS);
        }
        finish();
    }
}

static void inlets_may_be_out_of_order_by_a_window(void **state)
{
    (void)state;
    struct recording *r = begin("");
    note(r, 0, INLET_FRAME, 3 * MS + 900 * US, 1);
    note(r, 1, INLET_FRAME, 3 * MS + 1, 2); /* its actor ran after the other's */
    note(r, 1, INLET_FRAME, 3 * MS + 950 * US, 3);
    note(r, 0, INLET_CONSOLE, 4 * MS, 4);
    end(r, 5 * MS);
    assert_true(replay(2, 0));
    assert_int_equal(n_played, 4);
    for (uint8_t i = 1; i <= 3; i++)
        assert_true(find(i == 1 ? 0 : 1, i)->now <= find(i == 1 ? 0 : 1, i)->at);
    assert_int_equal(find(0, 4)->now, 4 * MS);
    finish();
}

static void a_frame_waits_for_the_port_that_joins_before_it(void **state)
{
    (void)state;
    struct recording *r = begin("");
    note(r, 0, INLET_JOIN, 5 * MS, 1);
    note(r, 0, INLET_FRAME, 5 * MS + 7, 2);
    note(r, 1, INLET_FRAME, 5 * MS + 8, 3);
    note(r, 0, INLET_LEAVE, 6 * MS, 4);
    note(r, 0, INLET_JOIN, 6 * MS, 5);
    note(r, 0, INLET_FRAME, 6 * MS, 6);
    end(r, 7 * MS);
    assert_true(replay(2, 0));
    assert_int_equal(find(0, 1)->now, 5 * MS);
    assert_int_equal(find(0, 2)->now, 5 * MS);
    assert_true(find(0, 2) > find(0, 1));
    assert_true(find(1, 3)->now < 5 * MS); /* another inlet's does not wait with it */
    assert_int_equal(find(0, 4)->now, 6 * MS);
    assert_int_equal(find(0, 6)->now, 6 * MS);
    assert_true(find(0, 6) > find(0, 5) && find(0, 5) > find(0, 4));
    finish();
}

static void make_door(struct event *ev, vtime_t now)
{
    (void)ev;
    assert_int_equal(now, 5 * MS);
    door_open(1);
}

static void an_inlet_made_during_the_run_gets_what_is_its_own(void **state)
{
    struct event make;
    (void)state;
    struct recording *r = begin("");
    note(r, 0, INLET_FRAME, 4 * MS, 1);
    note(r, 1, INLET_FRAME, 5 * MS + 1 * US, 2); /* made by a test at 5 ms, by itself */
    note(r, 1, INLET_CARRIER, 5 * MS + 2 * US, 3);
    note(r, 1, INLET_FRAME, 5 * MS + 3 * US, 4);
    end(r, 7 * MS);
    n_played = 0;
    rig_init(&rig, NULL);
    rig.sim.playback = playback_open(path, &err);
    door_open(0);
    event_init(&rig.sim.control, &make, make_door);
    sim_at(&rig.sim, &make, 5 * MS);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_STOPPED);
    assert_true(playback_close(rig.sim.playback, &err));
    assert_int_equal(n_played, 4);
    for (uint8_t i = 2; i <= 4; i++)
        assert_true(find(1, i)->now <= find(1, i)->at && find(1, i)->now >= 5 * MS);
    finish();
}

static void what_could_not_be_made_has_an_id_too(void **state)
{
    (void)state;
    rig_init(&rig, NULL);
    inlet_skip(&rig.sim, 2);
    door_open(0);
    assert_int_equal(doors[0].inlet.id, 2);
    inlet_skip(&rig.sim, 2);
    inlet_skip(&rig.sim, 3);
    door_open(1);
    assert_int_equal(doors[1].inlet.id, 3);
    finish();
}

static void answers_come_back_in_order_and_that_there_was_none(void **state)
{
    const char *const live[] = {"port 40123", NULL, "", "/tmp/x"};
    (void)state;
    rig_init(&rig, NULL);
    door_open(0);
    struct recording *r = rig.sim.recording = begin("");
    for (unsigned i = 0; i < ARRAY_LEN(live); i++)
        free(inlet_answer(i % 2 ? &rig.sim.answers : &doors[0].inlet,
                          live[i] ? xstrdup(live[i]) : NULL));
    rig.sim.recording = NULL;
    finish();
    end(r, 1 * MS);

    rig_init(&rig, NULL);
    door_open(0);
    rig.sim.playback = playback_open(path, &err);
    sim_run(&rig.sim, VTIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(live); i++) {
        char *now = inlet_answer(i % 2 ? &rig.sim.answers : &doors[0].inlet, xstrdup("other"));
        assert_int_equal(now != NULL, live[i] != NULL);
        if (now)
            assert_string_equal(now, live[i]);
        free(now);
    }
    assert_null(inlet_answer(&doors[0].inlet, xstrdup("one more")));
    assert_true(playback_close(rig.sim.playback, &err));
    finish();
}

static void end_the_next(struct inlet *in)
{
    unsigned i = (unsigned)(container_of(in, struct door, inlet) - doors);

    n_played++;
    if (i + 1 < ARRAY_LEN(doors)) {
        inlet_finish(&doors[i + 1].inlet);
        doors[i + 1].open = false;
    }
}

static void an_inlet_may_end_while_others_are_let_in(void **state)
{
    static const struct inlet_ops ops = {.admit = end_the_next};
    (void)state;
    rig_init(&rig, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(doors); i++) {
        door_open(i);
        doors[i].inlet.ops = &ops;
        inlet_poke(&doors[i].inlet);
    }
    n_played = 0;
    sim_run(&rig.sim, 1 * MS);
    assert_int_equal(n_played, 2); /* the second was gone, the third was not */
    assert_int_equal(rig.sim.n_poked, 0);
    finish();
}

/* --- how it ends --- */

static void the_end_says_how_the_run_ended(void **state)
{
    (void)state;
    struct recording *r = begin("");
    recording_ended(r, "the run was interrupted");
    end(r, 3 * MS);
    rig_init(&rig, NULL);
    struct playback *p = rig.sim.playback = playback_open(path, &err);
    assert_null(playback_end(p));
    assert_int_equal(sim_run(&rig.sim, 10 * MS), SIM_STOPPED);
    assert_string_equal(playback_end(p), "the run was interrupted");
    assert_int_equal(rig.sim.now, 3 * MS);
    assert_true(playback_close(p, &err));
    finish();
}

static void a_run_that_ends_sooner_is_told_of(void **state)
{
    (void)state;
    struct recording *r = begin("");
    note(r, 0, INLET_CONSOLE, 30 * MS, 1);
    end(r, 40 * MS);
    assert_false(replay(1, 0));
    assert_int_equal(err.n, 1);
    assert_non_null(strstr(err.texts[0], "the run ended before the recording"));
    finish();
}

static void entries_for_what_is_not_there_are_told_of(void **state)
{
    (void)state;
    struct recording *r = begin("");
    note(r, 1, INLET_CONSOLE, 1 * MS, 1);
    note(r, 77777, INLET_FRAME, 1 * MS, 2);
    recording_note(r, UINT32_MAX - 1, INLET_ANSWER, 2 * MS, NULL, 0);
    note(r, 0, INLET_CONSOLE, 3 * MS, 4);
    end(r, 15 * MS);
    assert_false(replay(1, 0));
    assert_int_equal(n_played, 1);
    assert_int_equal(err.n, 1);
    assert_non_null(strstr(err.texts[0], "3 entries for what is not in this network"));
    finish();
}

/* --- bad files --- */

static uint8_t *slurp(size_t *n)
{
    uint8_t *bytes = xmalloc(4096);
    FILE *f = fopen(path, "rb");

    *n = fread(bytes, 1, 4096, f);
    fclose(f);
    return bytes;
}

static void spill(const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_true(fwrite(bytes, 1, n, f) == n);
    assert_int_equal(fclose(f), 0);
}

static size_t header_len;

static uint8_t *small_file(size_t *n)
{
    struct recording *r = begin("key value\nother 2\n");
    header_len = strlen(RECORDING_MAGIC) + 19;
    note(r, 0, INLET_JOIN, 1 * MS, 1);
    note(r, 0, INLET_FRAME, 2 * MS, 2);
    note(r, 1, INLET_CONSOLE, 3 * MS, 3);
    recording_ended(r, "done");
    end(r, 5 * MS);
    return slurp(n);
}

static void a_file_cut_short_is_good_up_to_its_last_whole_entry(void **state)
{
    size_t n;
    (void)state;
    uint8_t *whole = small_file(&n);
    assert_int_equal(n, header_len + 3 * (RECORDING_ENTRY + 1) + RECORDING_ENTRY + 4);
    for (size_t len = 0; len < n; len++) {
        spill(whole, len);
        err_finish(&err);
        if (len < header_len) {
            assert_null(playback_open(path, &err));
            assert_non_null(strstr(err.texts[0], "is not a recording"));
            continue;
        }
        unsigned entries = (unsigned)((len - header_len) / (RECORDING_ENTRY + 1));
        assert_false(replay(2, 0));
        assert_int_equal(n_played, MIN(entries, 3u));
        assert_int_equal(rig.sim.now, MIN(entries, 3u) * MS);
        assert_int_equal(err.n, 1);
        assert_non_null(strstr(err.texts[0], "it was cut short"));
        finish();
    }
    free(whole);
}

static void a_file_with_any_wrong_byte_is_survived(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    size_t n;
    (void)state;
    uint8_t *whole = small_file(&n);
    for (size_t at = 0; at < n; at++) {
        for (unsigned k = 0; k < ARRAY_LEN(flips); k++) {
            whole[at] ^= flips[k];
            spill(whole, n);
            whole[at] ^= flips[k];
            struct playback *p = playback_open(path, &err);
            playback_close(p, &err);
            err_finish(&err);
            if (!p)
                continue;
            replay(2, 0);
            assert_true(rig.sim.now <= 20 * MS);
            finish();
            err_finish(&err);
        }
    }
    free(whole);
}

/* A file of one entry with these fields, then an end. */
static void one_entry(uint8_t kind, uint64_t at, uint32_t len)
{
    uint8_t h[RECORDING_ENTRY + 1] = {kind};
    size_t n;
    struct recording *r = begin("");
    note(r, 0, INLET_CONSOLE, 4 * MS, 1);
    end(r, 5 * MS);
    uint8_t *whole = slurp(&n);
    size_t cut = n - RECORDING_ENTRY;
    store_le32(h + 1, 1);
    store_le64(h + 5, at);
    store_le32(h + 13, len);
    uint8_t *bytes = xmalloc(n + sizeof(h));
    memcpy(bytes, whole, cut);
    memcpy(bytes + cut, h, sizeof(h));
    memcpy(bytes + cut + sizeof(h), whole + cut, n - cut);
    spill(bytes, n + sizeof(h));
    free(bytes);
    free(whole);
}

static void impossible_lengths_times_and_kinds_end_the_recording_there(void **state)
{
    static const struct {
        uint8_t kind;
        uint64_t at;
        uint32_t len;
    } bad[] = {
        {INLET_CONSOLE, 4 * MS, RECORDING_MAX_ENTRY + 1},
        {INLET_CONSOLE, 4 * MS, UINT32_MAX},
        {INLET_CONSOLE, UINT64_MAX, 1},
        {INLET_FRAME, (uint64_t)VTIME_NEVER, 1},
        {INLET_FRAME, (uint64_t)INT64_MIN, 1},
        {INLET_CONSOLE, 1, 1}, /* long before the one in front of it */
        {0, 4 * MS, 1},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        one_entry(bad[i].kind, bad[i].at, bad[i].len);
        err_finish(&err);
        assert_false(replay(1, 0));
        assert_int_equal(n_played, 1);
        assert_int_equal(rig.sim.now, 4 * MS);
        assert_non_null(strstr(err.texts[0], "it is damaged"));
        finish();
    }
}

static void a_header_comes_back_and_one_without_an_end_is_none(void **state)
{
    size_t n;
    (void)state;
    end(begin("key value\nother 2\n"), 0);
    struct playback *p = playback_open(path, &err);
    assert_string_equal(playback_header(p), "key value\nother 2\n");
    playback_close(p, &err);
    err_finish(&err);

    n = strlen(RECORDING_MAGIC) + RECORDING_MAX_HEADER + 100;
    uint8_t *bytes = xmalloc(n);
    memset(bytes, 'x', n);
    memcpy(bytes, RECORDING_MAGIC, strlen(RECORDING_MAGIC));
    spill(bytes, n);
    assert_null(playback_open(path, &err));
    bytes[strlen(RECORDING_MAGIC) + 3] = '\0';
    bytes[strlen(RECORDING_MAGIC) + 4] = '\n';
    bytes[strlen(RECORDING_MAGIC) + 5] = '\n';
    spill(bytes, n);
    assert_null(playback_open(path, &err));
    bytes[strlen(RECORDING_MAGIC) - 2] = '2'; /* of another version */
    spill(bytes, n);
    assert_null(playback_open(path, &err));
    assert_int_equal(err.n, 3);
    free(bytes);
}

static void what_cannot_be_opened_is_one_sentence(void **state)
{
    (void)state;
    assert_null(playback_open("/nonexistent/recording", &err));
    assert_null(recording_create("/nonexistent/recording", "", &err));
    assert_null(playback_open("/tmp", &err));
    assert_int_equal(err.n, 3);
}

static void a_full_disk_is_one_sentence_at_the_end(void **state)
{
    static const uint8_t frame[60000];
    (void)state;
    struct recording *r = recording_create("/dev/full", "key value\n", &err);
    if (!r)
        skip();
    for (unsigned i = 0; i < 100; i++)
        recording_note(r, 1, INLET_FRAME, i, frame, sizeof(frame));
    assert_int_equal(err.n, 0);
    assert_false(recording_close(r, 1 * MS, &err));
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0],
                        "the recording /dev/full is not complete: No space left on device");
}

/* --- a network that is stopped from outside at any moment --- */

struct outside {
    uv_check_t check;
    unsigned left; /* turns of the loop until it stops the run */
};

static void on_check(uv_check_t *c)
{
    struct outside *o = c->data;

    if (o->left-- == 0)
        sim_stop(&rig.sim);
}

static struct vlan *busy_network(void)
{
    struct vlan *v = vlan_create(&rig.sim, "lan", VLAN_HUB);
    struct talker *t = rig_talker(&rig, v);

    rig_talker(&rig, v);
    for (vtime_t at = 0; at < 1 * MS; at += 2700)
        rig_send_at(t, at, 0xff, 100, 0);
    return v;
}

static void a_run_stopped_from_outside_replays_to_the_same_state(void **state)
{
    (void)state;
    for (unsigned turns = 1; turns < 40; turns += 3) {
        struct outside o = {.left = turns};
        rig_init(&rig, &(struct sim_options){.seed = 1, .paced = true, .pace = 0.01});
        rig.sim.recording = begin("");
        struct vlan *v = busy_network();
        uv_check_init(&rig.sim.loop, &o.check);
        o.check.data = &o;
        uv_check_start(&o.check, on_check);
        uv_unref((uv_handle_t *)&o.check);
        sim_run(&rig.sim, 10 * MS); /* on a busy host it may come to there in fewer turns */
        uint64_t fingerprint = sim_fingerprint(&rig.sim);
        uint64_t frames = v->stats.frames;
        vtime_t now = rig.sim.now;
        end(rig.sim.recording, now);
        uv_close((uv_handle_t *)&o.check, NULL);
        finish();

        rig_init(&rig, NULL);
        rig.sim.playback = playback_open(path, &err);
        v = busy_network();
        assert_int_equal(sim_run(&rig.sim, 10 * MS), SIM_STOPPED);
        assert_int_equal(rig.sim.now, now);
        assert_int_equal(v->stats.frames, frames);
        assert_int_equal(sim_fingerprint(&rig.sim), fingerprint);
        assert_true(playback_close(rig.sim.playback, &err));
        finish();
    }
}

static struct vlan *lonely_network(void)
{
    struct vlan *v = vlan_create(&rig.sim, "lan", VLAN_HUB);

    rig_send_at(rig_talker(&rig, v), 3 * US, 0xff, 100, 0);
    return v;
}

static void a_network_that_falls_idle_replays_to_its_last_frame(void **state)
{
    (void)state;
    rig_init(&rig, &(struct sim_options){.seed = 1, .max_window = 1 * US});
    rig.sim.recording = begin("");
    struct vlan *v = lonely_network();
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(v->stats.frames, 1);
    vtime_t now = rig.sim.now;
    end(rig.sim.recording, now);
    finish();

    rig_init(&rig, NULL);
    rig.sim.playback = playback_open(path, &err);
    v = lonely_network();
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_STOPPED);
    assert_int_equal(rig.sim.now, now);
    assert_int_equal(v->stats.frames, 1);
    assert_true(playback_close(rig.sim.playback, &err));
    finish();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_acts_at_a_barrier_is_played_at_its_time),
        TEST(what_acts_in_a_window_is_there_when_it_begins),
        TEST(inlets_may_be_out_of_order_by_a_window),
        TEST(a_frame_waits_for_the_port_that_joins_before_it),
        TEST(an_inlet_made_during_the_run_gets_what_is_its_own),
        TEST(what_could_not_be_made_has_an_id_too),
        TEST(answers_come_back_in_order_and_that_there_was_none),
        TEST(an_inlet_may_end_while_others_are_let_in),
        TEST(the_end_says_how_the_run_ended),
        TEST(a_run_that_ends_sooner_is_told_of),
        TEST(entries_for_what_is_not_there_are_told_of),
        TEST(a_file_cut_short_is_good_up_to_its_last_whole_entry),
        TEST(a_file_with_any_wrong_byte_is_survived),
        TEST(impossible_lengths_times_and_kinds_end_the_recording_there),
        TEST(a_header_comes_back_and_one_without_an_end_is_none),
        TEST(what_cannot_be_opened_is_one_sentence),
        TEST(a_full_disk_is_one_sentence_at_the_end),
        TEST(a_run_stopped_from_outside_replays_to_the_same_state),
        TEST(a_network_that_falls_idle_replays_to_its_last_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
