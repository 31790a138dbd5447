/* An inlet that is made while the network runs: what enters by it is played at the same barrier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/inlet.h"
#include "sim/recording.h"
#include "sim/sim.h"

#define AT NS_PER_MS

/* A network in which a control event makes an inlet, asks something, and lets something in. */
struct rig {
    struct sim sim;
    struct event make;
    struct inlet inlet;
    const char *live; /* what the outside says; NULL: it is not asked */
    char *told;
    bool lost; /* it could not be made */
    char played[16];
    vtime_t played_at;
};

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    struct rig *r = container_of(in, struct rig, inlet);
    (void)kind;
    memcpy(r->played, p, len);
    r->played_at = at;
}

static const struct inlet_ops ops = {.play = play};

static void make(struct event *ev, vtime_t now)
{
    struct rig *r = container_of(ev, struct rig, make);
    if (r->lost)
        return;
    inlet_init(&r->inlet, &ops, &r->sim);
    r->told = inlet_answer(&r->inlet, r->live ? xstrdup(r->live) : NULL);
    if (!inlet_played(&r->inlet))
        inlet_note(&r->inlet, INLET_FRAME, now, "frame", 5);
}

static void run(struct rig *r, struct recording *recording, struct playback *playback)
{
    struct sim_options o = {.threads = 1, .recording = recording, .playback = playback};
    sim_init(&r->sim, &o);
    event_init(&r->sim.control, &r->make, make);
    sim_at(&r->sim, &r->make, AT);
    sim_run(&r->sim, 3 * AT);
    if (!r->lost)
        inlet_finish(&r->inlet);
    sim_finish(&r->sim);
}

/* Records a run and plays it. */
static bool both(struct rig *again, struct err *err)
{
    char path[] = "/tmp/late-inlet-XXXXXX";
    struct rig first = {.live = "port 4711"};
    close(mkstemp(path));
    struct recording *rec = recording_create(path, "", err);
    assert_non_null(rec);
    run(&first, rec, NULL);
    assert_string_equal(first.told, "port 4711");
    free(first.told);
    recording_close(rec, 3 * AT, err);
    struct playback *p = playback_open(path, err);
    assert_non_null(p);
    run(again, NULL, p);
    bool good = playback_close(p, err);
    unlink(path);
    return good;
}

static void an_answer_is_there_as_soon_as_the_inlet_is(void **state)
{
    struct rig r = {0};
    struct err err = {0};
    (void)state;
    assert_true(both(&r, &err));
    assert_non_null(r.told);
    assert_string_equal(r.told, "port 4711");
    free(r.told);
    err_finish(&err);
}

static void what_entered_at_its_first_barrier_enters_again(void **state)
{
    struct rig r = {0};
    struct err err = {0};
    (void)state;
    assert_true(both(&r, &err));
    assert_string_equal(r.played, "frame");
    assert_int_equal(r.played_at, AT);
    free(r.told);
    err_finish(&err);
}

static void what_is_for_an_inlet_that_never_comes_is_told(void **state)
{
    struct rig r = {.lost = true};
    struct err err = {0};
    (void)state;
    assert_false(both(&r, &err));
    assert_non_null(strstr(err.texts[0], "2 entries for what is not in this network"));
    err_finish(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_there_as_soon_as_the_inlet_is),
        cmocka_unit_test(what_entered_at_its_first_barrier_enters_again),
        cmocka_unit_test(what_is_for_an_inlet_that_never_comes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
