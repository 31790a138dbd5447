/* Recordings: what was noted comes back at its time and in its order. */
#include "recording_rig.h"

#include <stdio.h>
#include <unistd.h>

#include "sim/console.h"

/* --- when things are played --- */

static void what_acts_at_a_barrier_is_played_at_its_time(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_CONSOLE, 0, 1);
    tape_note(r, 1, INLET_COMMAND, 1234 * US, 2);
    tape_note(r, 0, INLET_CONSOLE, 1235 * US, 3);
    tape_note(r, 0, INLET_CONSOLE, 9 * MS, 4);
    tape_end(r, 15 * MS);
    for (vtime_t window = 0; window <= 3 * US; window += 3 * US) {
        assert_true(tape_play(2, window));
        assert_int_equal(tape_n_played, 4);
        for (unsigned i = 0; i < tape_n_played; i++) {
            assert_int_equal(tape_played[i].mark, i + 1);
            assert_int_equal(tape_played[i].now, tape_played[i].at);
        }
        assert_int_equal(tape_rig.sim.now, 15 * MS);
        tape_finish();
    }
}

static void what_acts_in_a_window_is_there_when_it_begins(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    for (uint8_t i = 1; i <= 20; i++)
        tape_note(r, 0, INLET_FRAME, i * 400 * US + i, i);
    tape_end(r, 15 * MS);
    for (vtime_t window = 0; window <= 3 * US; window += 3 * US) {
        assert_true(tape_play(1, window));
        assert_int_equal(tape_n_played, 20);
        for (unsigned i = 0; i < tape_n_played; i++) {
            assert_int_equal(tape_played[i].mark, i + 1);
            assert_true(tape_played[i].now <= tape_played[i].at);
            assert_true(tape_played[i].now >= tape_played[i].at - 3 * MS);
        }
        tape_finish();
    }
}

static void inlets_may_be_out_of_order_by_a_window(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_FRAME, 3 * MS + 900 * US, 1);
    tape_note(r, 1, INLET_FRAME, 3 * MS + 1, 2); /* its actor ran after the other's */
    tape_note(r, 1, INLET_FRAME, 3 * MS + 950 * US, 3);
    tape_note(r, 0, INLET_CONSOLE, 4 * MS, 4);
    tape_end(r, 5 * MS);
    assert_true(tape_play(2, 0));
    assert_int_equal(tape_n_played, 4);
    for (uint8_t i = 1; i <= 3; i++)
        assert_true(tape_find(i == 1 ? 0 : 1, i)->now <= tape_find(i == 1 ? 0 : 1, i)->at);
    assert_int_equal(tape_find(0, 4)->now, 4 * MS);
    tape_finish();
}

static void a_frame_waits_for_the_port_that_joins_before_it(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_JOIN, 5 * MS, 1);
    tape_note(r, 0, INLET_FRAME, 5 * MS + 7, 2);
    tape_note(r, 1, INLET_FRAME, 5 * MS + 8, 3);
    tape_note(r, 0, INLET_LEAVE, 6 * MS, 4);
    tape_note(r, 0, INLET_JOIN, 6 * MS, 5);
    tape_note(r, 0, INLET_FRAME, 6 * MS, 6);
    tape_end(r, 7 * MS);
    assert_true(tape_play(2, 0));
    assert_int_equal(tape_find(0, 1)->now, 5 * MS);
    assert_int_equal(tape_find(0, 2)->now, 5 * MS);
    assert_true(tape_find(0, 2) > tape_find(0, 1));
    assert_true(tape_find(1, 3)->now < 5 * MS); /* another inlet's does not wait with it */
    assert_int_equal(tape_find(0, 4)->now, 6 * MS);
    assert_int_equal(tape_find(0, 6)->now, 6 * MS);
    assert_true(tape_find(0, 6) > tape_find(0, 5) && tape_find(0, 5) > tape_find(0, 4));
    tape_finish();
}

static void make_door(struct event *ev, vtime_t now)
{
    (void)ev;
    assert_int_equal(now, 5 * MS);
    tape_door_open(1);
}

static void an_inlet_made_during_the_run_gets_what_is_its_own(void **state)
{
    struct event make;
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_FRAME, 4 * MS, 1);
    tape_note(r, 1, INLET_FRAME, 5 * MS + 1 * US, 2); /* made by a test at 5 ms, by itself */
    tape_note(r, 1, INLET_CARRIER, 5 * MS + 2 * US, 3);
    tape_note(r, 1, INLET_FRAME, 5 * MS + 3 * US, 4);
    tape_end(r, 7 * MS);
    tape_n_played = 0;
    rig_init(&tape_rig, NULL);
    tape_rig.sim.playback = playback_open(tape_path, &tape_err);
    tape_door_open(0);
    event_init(&tape_rig.sim.control, &make, make_door);
    sim_at(&tape_rig.sim, &make, 5 * MS);
    assert_int_equal(sim_run(&tape_rig.sim, VTIME_NEVER), SIM_STOPPED);
    assert_true(playback_close(tape_rig.sim.playback, &tape_err));
    assert_int_equal(tape_n_played, 4);
    for (uint8_t i = 2; i <= 4; i++)
        assert_true(tape_find(1, i)->now <= tape_find(1, i)->at && tape_find(1, i)->now >= 5 * MS);
    tape_finish();
}

static void what_could_not_be_made_has_an_id_too(void **state)
{
    (void)state;
    rig_init(&tape_rig, NULL);
    inlet_skip(&tape_rig.sim, 2);
    tape_door_open(0);
    assert_int_equal(tape_doors[0].inlet.id, 2);
    inlet_skip(&tape_rig.sim, 2);
    inlet_skip(&tape_rig.sim, 3);
    tape_door_open(1);
    assert_int_equal(tape_doors[1].inlet.id, 3);
    tape_finish();
}

static void answers_come_back_in_order_and_that_there_was_none(void **state)
{
    const char *const live[] = {"port 40123", NULL, "", "/tmp/x"};
    (void)state;
    rig_init(&tape_rig, NULL);
    tape_door_open(0);
    struct recording *r = tape_rig.sim.recording = tape_begin("");
    for (unsigned i = 0; i < ARRAY_LEN(live); i++)
        free(inlet_answer(i % 2 ? &tape_rig.sim.answers : &tape_doors[0].inlet,
                          live[i] ? xstrdup(live[i]) : NULL));
    tape_rig.sim.recording = NULL;
    tape_finish();
    tape_end(r, 1 * MS);

    rig_init(&tape_rig, NULL);
    tape_door_open(0);
    tape_rig.sim.playback = playback_open(tape_path, &tape_err);
    sim_run(&tape_rig.sim, VTIME_NEVER);
    for (unsigned i = 0; i < ARRAY_LEN(live); i++) {
        char *now =
            inlet_answer(i % 2 ? &tape_rig.sim.answers : &tape_doors[0].inlet, xstrdup("other"));
        assert_int_equal(now != NULL, live[i] != NULL);
        if (now)
            assert_string_equal(now, live[i]);
        free(now);
    }
    assert_null(inlet_answer(&tape_doors[0].inlet, xstrdup("one more")));
    assert_true(playback_close(tape_rig.sim.playback, &tape_err));
    tape_finish();
}

static void end_the_next(struct inlet *in)
{
    unsigned i = (unsigned)(container_of(in, struct door, inlet) - tape_doors);

    tape_n_played++;
    if (i + 1 < ARRAY_LEN(tape_doors)) {
        inlet_finish(&tape_doors[i + 1].inlet);
        tape_doors[i + 1].open = false;
    }
}

static void an_inlet_may_end_while_others_are_let_in(void **state)
{
    static const struct inlet_ops ops = {.admit = end_the_next};
    (void)state;
    rig_init(&tape_rig, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(tape_doors); i++) {
        tape_door_open(i);
        tape_doors[i].inlet.ops = &ops;
        inlet_poke(&tape_doors[i].inlet);
    }
    tape_n_played = 0;
    sim_run(&tape_rig.sim, 1 * MS);
    assert_int_equal(tape_n_played, 2); /* the second was gone, the third was not */
    assert_int_equal(tape_rig.sim.n_poked, 0);
    tape_finish();
}

/* --- how it ends --- */

static void the_end_says_how_the_run_ended(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    recording_ended(r, "the run was interrupted");
    tape_end(r, 3 * MS);
    rig_init(&tape_rig, NULL);
    struct playback *p = tape_rig.sim.playback = playback_open(tape_path, &tape_err);
    assert_null(playback_end(p));
    assert_int_equal(sim_run(&tape_rig.sim, 10 * MS), SIM_STOPPED);
    assert_string_equal(playback_end(p), "the run was interrupted");
    assert_int_equal(tape_rig.sim.now, 3 * MS);
    assert_true(playback_close(p, &tape_err));
    tape_finish();
}

static void a_run_that_ends_sooner_is_told_of(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_CONSOLE, 30 * MS, 1);
    tape_end(r, 40 * MS);
    assert_false(tape_play(1, 0));
    assert_int_equal(tape_err.n, 1);
    assert_non_null(strstr(tape_err.texts[0], "the run ended before the recording"));
    tape_finish();
}

static void entries_for_what_is_not_there_are_told_of(void **state)
{
    (void)state;
    struct recording *r = tape_begin("");
    tape_note(r, 1, INLET_CONSOLE, 1 * MS, 1);
    tape_note(r, 77777, INLET_FRAME, 1 * MS, 2);
    recording_note(r, UINT32_MAX - 1, INLET_ANSWER, 2 * MS, NULL, 0);
    tape_note(r, 0, INLET_CONSOLE, 3 * MS, 4);
    tape_end(r, 15 * MS);
    assert_false(tape_play(1, 0));
    assert_int_equal(tape_n_played, 1);
    assert_int_equal(tape_err.n, 1);
    assert_non_null(strstr(tape_err.texts[0], "3 entries for what is not in this network"));
    tape_finish();
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
        sim_stop(&tape_rig.sim);
}

static struct vlan *busy_network(void)
{
    struct vlan *v = vlan_create(&tape_rig.sim, "lan", VLAN_HUB);
    struct talker *t = rig_talker(&tape_rig, v);

    rig_talker(&tape_rig, v);
    for (vtime_t at = 0; at < 1 * MS; at += 2700)
        rig_send_at(t, at, 0xff, 100, 0);
    return v;
}

static void a_run_stopped_from_outside_replays_to_the_same_state(void **state)
{
    (void)state;
    for (unsigned turns = 1; turns < 40; turns += 3) {
        struct outside o = {.left = turns};
        rig_init(&tape_rig, &(struct sim_options){.seed = 1, .paced = true, .pace = 0.01});
        tape_rig.sim.recording = tape_begin("");
        struct vlan *v = busy_network();
        uv_check_init(&tape_rig.sim.loop, &o.check);
        o.check.data = &o;
        uv_check_start(&o.check, on_check);
        uv_unref((uv_handle_t *)&o.check);
        sim_run(&tape_rig.sim, 10 * MS); /* on a busy host it may come to there in fewer turns */
        uint64_t fingerprint = sim_fingerprint(&tape_rig.sim);
        uint64_t frames = v->stats.frames;
        vtime_t now = tape_rig.sim.now;
        tape_end(tape_rig.sim.recording, now);
        uv_close((uv_handle_t *)&o.check, NULL);
        tape_finish();

        rig_init(&tape_rig, NULL);
        tape_rig.sim.playback = playback_open(tape_path, &tape_err);
        v = busy_network();
        assert_int_equal(sim_run(&tape_rig.sim, 10 * MS), SIM_STOPPED);
        assert_int_equal(tape_rig.sim.now, now);
        assert_int_equal(v->stats.frames, frames);
        assert_int_equal(sim_fingerprint(&tape_rig.sim), fingerprint);
        assert_true(playback_close(tape_rig.sim.playback, &tape_err));
        tape_finish();
    }
}

static struct vlan *lonely_network(void)
{
    struct vlan *v = vlan_create(&tape_rig.sim, "lan", VLAN_HUB);

    rig_send_at(rig_talker(&tape_rig, v), 3 * US, 0xff, 100, 0);
    return v;
}

static void a_network_that_falls_idle_replays_to_its_last_frame(void **state)
{
    (void)state;
    rig_init(&tape_rig, &(struct sim_options){.seed = 1, .max_window = 1 * US});
    tape_rig.sim.recording = tape_begin("");
    struct vlan *v = lonely_network();
    assert_int_equal(sim_run(&tape_rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(v->stats.frames, 1);
    vtime_t now = tape_rig.sim.now;
    tape_end(tape_rig.sim.recording, now);
    tape_finish();

    rig_init(&tape_rig, NULL);
    tape_rig.sim.playback = playback_open(tape_path, &tape_err);
    v = lonely_network();
    assert_int_equal(sim_run(&tape_rig.sim, VTIME_NEVER), SIM_STOPPED);
    assert_int_equal(tape_rig.sim.now, now);
    assert_int_equal(v->stats.frames, 1);
    assert_true(playback_close(tape_rig.sim.playback, &tape_err));
    tape_finish();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tape_setup, tape_teardown)

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
        TEST(a_run_stopped_from_outside_replays_to_the_same_state),
        TEST(a_network_that_falls_idle_replays_to_its_last_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
