/* Pages that a guest copied and that came out as others have them are shared again, unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/alike.h"
#include "tests/guests/rig.h"

#define BASE 0x80000000ULL
#define WORK (BASE + (1ULL << 20)) /* where the tests write: far from the program */
#define PAGES 600                  /* more than are looked at together */
#define MOST 550                   /* a few notes overwrite each other */

static struct rig rig;
static struct machine *peers[2]; /* beside the rig's */

static struct machine *peer_make(const char *name, const struct machine_config *c)
{
    struct machine *m = machine_create(&rig.sim, name, c, &rig.err);

    assert_non_null(m);
    return m;
}

static int setup(void **state)
{
    static const uint32_t sleeper[] = {0x10500073, 0xffdff06f}; /* 1: wfi; j 1b */
    struct machine_config c;

    (void)state;
    machine_config_init(&c);
    c.bios = "none";
    c.kernel = file_make(sleeper, sizeof(sleeper));
    c.ram_bytes = 8ULL << 20;
    rig_init(&rig, 1, 0);
    rig_start(&rig, &c);
    peers[0] = peer_make("h2", &c);
    peers[1] = peer_make("h3", &c);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_destroy(peers[0]);
    machine_destroy(peers[1]);
    rig_finish(&rig); /* no page stays alive */
    assert_int_equal(alike_pages(), 0);
    files_remove();
    return 0;
}

/* Fill pages with bytes that depend on `salt` and the page's number. */
static void work(struct machine *m, uint64_t salt)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t word = salt << 32 | (i + 1);

        assert_true(ram_write(&m->ram, WORK + i * PAGE_SIZE + 8, &word, sizeof(word)));
    }
}

static uint64_t own_pages(const struct machine *m)
{
    struct machine_stats st;

    machine_stats(m, &st);
    return st.private_bytes / PAGE_SIZE;
}

static void what_three_guests_did_alike_is_kept_once(void **state)
{
    uint64_t prints[2];
    unsigned n = 0;

    (void)state;
    work(rig.machine, 1);
    machine_trim(rig.machine);
    assert_true(own_pages(rig.machine) >= PAGES); /* the first: nobody to share with */
    work(peers[0], 1);
    machine_trim(peers[0]); /* the second offers its pages */
    assert_in_range(alike_pages(), MOST, PAGES + 8);
    work(peers[1], 1);
    prints[0] = machine_fingerprint(peers[1]);
    machine_trim(peers[1]); /* the third takes them */
    prints[1] = machine_fingerprint(peers[1]);
    assert_int_equal(prints[0], prints[1]);
    assert_true(own_pages(peers[1]) < PAGES - MOST);
    for (uint64_t i = 0; i < PAGES; i++)
        n += ram_page(&peers[0]->ram, WORK + i * PAGE_SIZE) ==
             ram_page(&peers[1]->ram, WORK + i * PAGE_SIZE);
    assert_in_range(n, MOST, PAGES);
    assert_ptr_not_equal(ram_page(&rig.machine->ram, WORK), ram_page(&peers[0]->ram, WORK));
}

static void a_guest_that_writes_what_it_shares_leaves_the_others_alone(void **state)
{
    (void)state;
    work(rig.machine, 1);
    machine_trim(rig.machine);
    work(peers[0], 1);
    machine_trim(peers[0]);
    work(peers[1], 1);
    machine_trim(peers[1]);
    work(peers[0], 2);
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t there = 0;

        ram_read(&peers[1]->ram, WORK + i * PAGE_SIZE + 8, &there, sizeof(there));
        assert_int_equal(there, 1ULL << 32 | (i + 1));
    }
}

static void what_differs_stays_apart(void **state)
{
    uint64_t there;

    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        work(peers[i], i + 2);
        machine_trim(peers[i]);
        machine_trim(peers[i]);
    }
    assert_in_range(alike_pages(), 0, 8); /* what came before the pages at WORK may be alike */
    assert_true(own_pages(peers[1]) >= PAGES);
    ram_read(&peers[1]->ram, WORK + 8, &there, sizeof(there));
    assert_int_equal(there, 3ULL << 32 | 1);
}

/* A guest that shows its own page a second time is not two guests. */
static void a_guest_shares_nothing_with_itself(void **state)
{
    (void)state;
    work(rig.machine, 4);
    machine_trim(rig.machine);
    rig.machine->look_again = 0;
    rig.machine->n_copied = PAGES;
    machine_trim(rig.machine);
    assert_int_equal(alike_pages(), 0);
    assert_true(own_pages(rig.machine) >= PAGES);
}

static void pages_filled_with_zeroes_are_given_back(void **state)
{
    uint8_t zeroes[PAGE_SIZE] = {0};
    uint64_t before = own_pages(rig.machine);

    (void)state;
    for (uint64_t i = 0; i < PAGES; i++)
        ram_write(&rig.machine->ram, WORK + i * PAGE_SIZE + 1, zeroes, PAGE_SIZE - 1);
    assert_true(own_pages(rig.machine) >= PAGES);
    machine_trim(rig.machine);
    assert_true(own_pages(rig.machine) <= before);
}

/* Many more contents than the table starts with, and pages that nobody holds any more. */
static void the_table_grows_and_lets_go(void **state)
{
    (void)state;
    for (uint64_t salt = 10; salt < 18; salt++) {
        work(rig.machine, salt);
        machine_trim(rig.machine);
        work(peers[0], salt);
        machine_trim(peers[0]);
        for (unsigned i = 0; i < 2; i++) { /* or it is not copied again, and not looked at */
            struct machine *m = i ? peers[0] : rig.machine;

            ram_fill(&m->ram, WORK, 0, PAGES * PAGE_SIZE);
        }
    }
    assert_in_range(alike_pages(), MOST, 4 * PAGES); /* of 8 * PAGES that were there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_three_guests_did_alike_is_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_that_writes_what_it_shares_leaves_the_others_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_differs_stays_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_shares_nothing_with_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_filled_with_zeroes_are_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_table_grows_and_lets_go, setup, teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
