/* When a guest's pages are looked at: soon, again after a while, and rarely where that is in vain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/alike.h"
#include "tests/guests/rig.h"

#define BASE 0x80000000ULL
#define WORK (BASE + (1ULL << 20))  /* where the tests write: far from the program */
#define OTHER (BASE + (6ULL << 20)) /* and somewhere else */
#define PAGES 600
#define GAP (NS_PER_SEC / 20) /* the shortest time between looks at all, and the longest */
#define GAP_MAX (2 * NS_PER_SEC)

static struct rig rig;
static struct machine *m;
static struct machine *peer; /* beside it: somebody to share with */
static struct machine_config config;

static int setup_alone(void **state)
{
    static const uint32_t sleeper[] = {0x10500073, 0xffdff06f}; /* 1: wfi; j 1b */

    (void)state;
    machine_config_init(&config);
    config.bios = "none";
    config.kernel = file_make(sleeper, sizeof(sleeper));
    config.ram_bytes = 16ULL << 20;
    rig_init(&rig, 1, 0);
    rig_start(&rig, &config);
    m = rig.machine;
    return 0;
}

static struct machine *peer_make(const char *name)
{
    struct machine *made = machine_create(&rig.sim, name, &config, &rig.err);

    assert_non_null(made);
    return made;
}

static int setup(void **state)
{
    setup_alone(state);
    peer = peer_make("h2");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_destroy(peer);
    peer = NULL;
    rig_finish(&rig); /* no page stays alive */
    assert_int_equal(alike_pages(), 0);
    files_remove();
    return 0;
}

/* Make `n` pages the guest's own: zeroes with salt 0, else bytes that nobody else has. */
static void work(struct machine *who, uint64_t at, uint64_t n, uint64_t salt)
{
    static const uint8_t zeroes[PAGE_SIZE - 1];

    for (uint64_t i = 0; i < n; i++) {
        uint64_t word = salt << 32 | (i + 1);

        assert_true(ram_write(&who->ram, at + i * PAGE_SIZE + 1, zeroes, sizeof(zeroes)));
        if (salt)
            assert_true(ram_write(&who->ram, at + i * PAGE_SIZE + 8, &word, sizeof(word)));
    }
}

static uint64_t own(const struct machine *who, uint64_t at, uint64_t n)
{
    uint64_t own = 0;

    for (uint64_t i = 0; i < n; i++)
        own += !page_shared(ram_page(&who->ram, at + i * PAGE_SIZE));
    return own;
}

/* Time passes, and the guest is between two runs. */
static void later(vtime_t ns)
{
    m->actor.now += ns;
    machine_trim(m);
}

static void pages_are_looked_at_a_batch_at_a_time_between_looks_at_all(void **state)
{
    (void)state;
    work(m, OTHER, 64, 0);
    later(0); /* the first look is at all */
    work(m, WORK, 127, 0);
    later(GAP - 1);
    assert_int_equal(own(m, WORK, 127), 127); /* they may still be written */
    work(m, WORK + (PAGES << PAGE_SHIFT), 1, 0);
    later(0);
    assert_int_equal(own(m, WORK, 127), 0);
}

static void all_are_looked_at_again_when_time_has_passed_and_some_were_copied(void **state)
{
    uint64_t nothing = 0;

    (void)state;
    work(m, WORK, PAGES, 1);
    later(0);
    for (uint64_t i = 0; i < PAGES; i++) /* in place: nobody is told */
        ram_write(&m->ram, WORK + i * PAGE_SIZE + 8, &nothing, sizeof(nothing));
    work(m, OTHER, 63, 1);
    later(GAP_MAX);
    m->look_gap = GAP; /* rare looks have other rules */
    assert_int_equal(own(m, WORK, PAGES), PAGES);
    work(m, OTHER + (63 << PAGE_SHIFT), 64, 1);
    later(GAP_MAX);
    assert_int_equal(own(m, WORK, PAGES), 0);
}

static void looks_in_vain_grow_rare(void **state)
{
    (void)state;
    work(m, WORK, PAGES, 1);
    later(0);
    for (vtime_t gap = 2 * GAP; gap < GAP_MAX; gap *= 2) {
        assert_int_equal(m->look_gap, gap);
        work(m, OTHER, PAGES, (uint64_t)gap);
        later(gap - 1);
        assert_int_equal(m->look_gap, gap); /* not yet */
        machine_trim_shared(m);             /* or they would not be copied again */
        work(m, WORK, PAGES, (uint64_t)gap + 1);
        ram_fill(&m->ram, OTHER, 0, PAGES * PAGE_SIZE);
        work(m, OTHER, PAGES, 1);
        later(1);
    }
    assert_int_equal(m->look_gap, GAP_MAX);
}

/* What a blob or somebody else holds is no page that was looked at in vain. */
static void only_pages_that_were_looked_at_count_as_in_vain(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < PAGES; i++)
        ram_map_page(&m->ram, WORK + i * PAGE_SIZE, ram_page(&m->ram, BASE));
    work(m, OTHER, 16, 0);
    later(0); /* 16 of 18 or so, beside 600 that are shared */
    assert_int_equal(own(m, OTHER, 16), 0);
    assert_int_equal(m->look_gap, GAP);
}

/* As buffers are that are zero now and then. */
static void a_guest_that_takes_back_what_it_gave_is_looked_at_more_rarely(void **state)
{
    (void)state;
    work(m, WORK, PAGES, 0);
    later(0);
    assert_int_equal(m->look_gap, GAP);
    for (vtime_t gap = GAP; gap < GAP_MAX; gap *= 2) {
        assert_int_equal(own(m, WORK, PAGES), 0);
        work(m, WORK, PAGES, 0);
        assert_int_equal(m->n_regretted, PAGES);
        later(gap);
        assert_int_equal(m->look_gap, MIN(2 * gap, GAP_MAX));
    }
    work(m, WORK, PAGES, 0);
    later(GAP_MAX);
    assert_int_equal(m->look_gap, GAP_MAX); /* never more rarely than this */
}

static void looks_that_find_something_become_frequent_again(void **state)
{
    (void)state;
    later(0);
    m->look_gap = GAP_MAX;
    for (vtime_t gap = GAP_MAX; gap > GAP; gap /= 2) {
        machine_trim_forget(m); /* what was given back: these are others */
        m->look_gap = gap;
        work(m, WORK, PAGES, 0);
        later(gap);
        assert_int_equal(m->look_gap, MAX(gap / 2, GAP));
    }
}

static void what_was_taken_back_waits_for_a_look_at_all(void **state)
{
    (void)state;
    work(m, OTHER, 10, 1);
    work(m, WORK, PAGES, 0);
    later(0);
    assert_int_equal(own(m, WORK, PAGES), 0);
    work(m, WORK, 200, 0);
    later(GAP - 1); /* a batch */
    assert_int_equal(own(m, WORK, 200), 200);
    later(1);
    assert_int_equal(own(m, WORK, 200), 0);
}

static void while_looks_are_rare_the_last_of_a_burst_is_not_forgotten(void **state)
{
    (void)state;
    work(m, OTHER, PAGES, 1);
    later(0);
    assert_true(m->look_gap > GAP);
    work(m, WORK, 3, 0);
    later(m->look_gap - 1);
    assert_int_equal(own(m, WORK, 3), 3);
    later(1);
    assert_int_equal(own(m, WORK, 3), 0);
}

static void while_looks_are_rare_many_pages_call_for_one(void **state)
{
    (void)state;
    work(m, OTHER, PAGES, 1);
    later(0);
    assert_true(m->look_gap > GAP);
    work(m, WORK, 1023, 0);
    later(1);
    assert_int_equal(own(m, WORK, 1023), 1023);
    work(m, WORK + (1023 << PAGE_SHIFT), 1, 0);
    later(0);
    assert_int_equal(own(m, WORK, 1024), 0);
}

static void after_a_reset_it_is_looked_at_as_at_the_beginning(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        work(m, WORK, PAGES, 0);
        later(0);
        assert_int_equal(own(m, WORK, PAGES), 0);
        assert_int_equal(m->look_gap, GAP);
        work(m, OTHER, PAGES, 2 + i);
        later(GAP);
        assert_int_equal(m->look_gap, 2 * GAP);
        machine_start(m);
        assert_int_equal(m->n_regretted, 0);
    }
}

/* Each clone makes its original copy again what it writes, which must not be noted twice. */
static void a_page_is_listed_once_however_many_clones_are_made(void **state)
{
    static const char *const names[] = {"c1", "c2", "c3", "c4"};
    struct machine *clones[ARRAY_LEN(names)];
    uint32_t listed;

    (void)state;
    config.clone_number = 1;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        clones[i] = peer_make(names[i]);
    work(m, WORK, PAGES, 1);
    later(GAP_MAX);
    listed = m->n_own;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        machine_clone(clones[i], m);
        assert_int_equal(own(m, WORK, PAGES), 0);
        work(m, WORK, PAGES, 2 + i);
        later(GAP_MAX);
        assert_int_equal(own(m, WORK, PAGES), PAGES);
        assert_in_range(m->n_own, PAGES, listed);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        machine_destroy(clones[i]);
}

/* Pages of zeroes go all the same; the rest is not looked up, and leaves no note for those who
 * come. */
static void nothing_is_looked_up_for_a_lone_guest(void **state)
{
    (void)state;
    work(m, WORK, PAGES, 1);
    work(m, OTHER, 10, 0);
    later(0);
    assert_int_equal(own(m, OTHER, 10), 0);
    peer = peer_make("h2");
    work(peer, WORK, PAGES, 1);
    machine_trim(peer); /* is the first to show them */
    assert_in_range(alike_pages(), 0, 2);
    work(m, OTHER, PAGES, 1); /* and they are the same here as there */
    later(GAP_MAX);
    assert_true(alike_pages() > PAGES - 50); /* a few notes overwrite each other */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pages_are_looked_at_a_batch_at_a_time_between_looks_at_all),
        TEST(all_are_looked_at_again_when_time_has_passed_and_some_were_copied),
        TEST(looks_in_vain_grow_rare),
        TEST(only_pages_that_were_looked_at_count_as_in_vain),
        TEST(a_guest_that_takes_back_what_it_gave_is_looked_at_more_rarely),
        TEST(looks_that_find_something_become_frequent_again),
        TEST(what_was_taken_back_waits_for_a_look_at_all),
        TEST(while_looks_are_rare_the_last_of_a_burst_is_not_forgotten),
        TEST(while_looks_are_rare_many_pages_call_for_one),
        TEST(after_a_reset_it_is_looked_at_as_at_the_beginning),
        TEST(a_page_is_listed_once_however_many_clones_are_made),
        cmocka_unit_test_setup_teardown(nothing_is_looked_up_for_a_lone_guest, setup_alone,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
