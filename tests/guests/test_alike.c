/* The table of equal pages: who may share with whom, what it holds, and when it lets go. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/alike.h"

static uint32_t first, second, third;

static int setup(void **state)
{
    (void)state;
    first = alike_enter();
    second = alike_enter();
    third = alike_enter();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        alike_leave();
    assert_int_equal(alike_pages(), 0);
    assert_int_equal(page_alive(), 0);
    return 0;
}

/* A page of words `salt`; equal salts, equal pages. */
static struct page *page_make(uint64_t salt)
{
    struct page *p = page_new();

    for (unsigned i = 0; i < PAGE_SIZE; i += 8)
        store_le64(p->data + i, salt + i);
    return p;
}

static enum alike look(const struct page *p, uint32_t who, struct page **found)
{
    return alike_find(p, alike_hash(p), who, found);
}

/* The second offers what the first has shown; returns the page that is offered, held twice. */
static struct page *offered(uint64_t salt)
{
    struct page *a = page_make(salt), *b = page_make(salt), *found;

    assert_int_equal(look(a, first, &found), ALIKE_NEW);
    assert_int_equal(look(b, second, &found), ALIKE_OFFER);
    assert_null(found);
    assert_true(alike_offer(b, alike_hash(b)));
    page_unref(a);
    return b;
}

static void the_first_shows_the_second_offers_the_third_takes(void **state)
{
    struct page *b = offered(1), *c = page_make(1), *found;

    (void)state;
    assert_true(page_shared(b)); /* and immutable from here on */
    assert_int_equal(alike_pages(), 1);
    assert_int_equal(look(c, third, &found), ALIKE_FOUND);
    assert_ptr_equal(found, b);
    page_unref(found);
    page_unref(c);
    page_unref(b);
}

static void whoever_shows_the_same_page_again_learns_nothing(void **state)
{
    struct page *a = page_make(2), *found;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(a, first, &found), ALIKE_NEW);
    assert_int_equal(look(a, second, &found), ALIKE_OFFER);
    page_unref(a);
}

static void hashes_go_by_every_word(void **state)
{
    struct page *a = page_make(3);
    uint64_t hash = alike_hash(a);

    (void)state;
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        a->data[i] ^= 0x80;
        assert_int_not_equal(alike_hash(a), hash);
        a->data[i] ^= 0x80;
    }
    assert_int_equal(alike_hash(a), hash);
    page_unref(a);
}

/* Two pages of one hash: the table has the first, the other stays its holder's own. */
static void equal_hashes_are_not_enough(void **state)
{
    struct page *a = page_make(4), *b = page_make(5), *found;

    (void)state;
    assert_true(alike_offer(a, 77));
    assert_int_equal(alike_find(b, 77, second, &found), ALIKE_NEW);
    assert_null(found);
    assert_false(alike_offer(b, 77));
    assert_false(page_shared(b));
    assert_int_equal(alike_pages(), 1);
    page_unref(a);
    page_unref(b);
}

/* When room is needed, and not before: then it goes with the last of its other holders. */
static void pages_that_nobody_else_holds_go_when_room_is_needed(void **state)
{
    struct page *kept = offered(6), *found, *again = page_make(6);

    (void)state;
    for (uint64_t i = 1; i < 511; i++)
        page_unref(offered(i << 32));
    assert_int_equal(alike_pages(), 511);
    page_unref(offered(600ULL << 32)); /* half of the smallest table */
    page_unref(offered(601ULL << 32));
    assert_int_equal(alike_pages(), 2);
    assert_int_equal(look(again, third, &found), ALIKE_FOUND); /* though others moved around it */
    assert_ptr_equal(found, kept);
    page_unref(found);
    page_unref(again);
    page_unref(kept);
}

static void a_page_is_found_again_however_large_the_table_grows(void **state)
{
    enum { MANY = 3000 };
    struct page **held = xcalloc(MANY, sizeof(struct page *)), *found;

    (void)state;
    for (uint64_t i = 0; i < MANY; i++)
        held[i] = offered(i << 32);
    assert_int_equal(alike_pages(), MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        struct page *p = page_make(i << 32);

        assert_int_equal(look(p, third, &found), ALIKE_FOUND);
        assert_ptr_equal(found, held[i]);
        page_unref(found);
        page_unref(p);
        page_unref(held[i]);
    }
    free(held);
}

/* What one alone holds is not worth a look, and with the last the table goes. */
static void the_last_to_leave_empties_it(void **state)
{
    struct page *found, *a = page_make(8);

    (void)state;
    page_unref(offered(7));
    assert_true(alike_others());
    alike_leave();
    alike_leave();
    assert_false(alike_others());
    assert_int_equal(alike_pages(), 1);
    alike_leave();
    assert_int_equal(alike_pages(), 0);
    assert_int_equal(page_alive(), 1);
    setup(NULL);
    assert_int_equal(look(a, first, &found), ALIKE_NEW); /* a new table knows nothing of the old */
    page_unref(a);
}

/* --- threads --- */

enum { SHARERS = 4, EACH = 2000 };

static void *share(void *arg)
{
    struct page **pages = arg;
    uint32_t who = alike_enter();

    for (uint64_t i = 0; i < EACH; i++) {
        struct page *p = page_make(i), *found;
        uint64_t hash = alike_hash(p);
        enum alike what = alike_find(p, hash, who, &found);

        if (what == ALIKE_OFFER)
            alike_offer(p, hash);
        pages[i] = found ? found : p;
        if (found)
            page_unref(p);
    }
    alike_leave();
    return NULL;
}

static void guests_on_several_threads_never_mix_pages_up(void **state)
{
    static struct page *pages[SHARERS][EACH];
    pthread_t threads[SHARERS];

    (void)state;
    for (unsigned t = 0; t < SHARERS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, share, pages[t]), 0);
    for (unsigned t = 0; t < SHARERS; t++)
        pthread_join(threads[t], NULL);
    for (unsigned t = 0; t < SHARERS; t++)
        for (uint64_t i = 0; i < EACH; i++) {
            assert_int_equal(load_le64(pages[t][i]->data + 8), i + 8);
            page_unref(pages[t][i]);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_shows_the_second_offers_the_third_takes),
        TEST(whoever_shows_the_same_page_again_learns_nothing),
        TEST(hashes_go_by_every_word),
        TEST(equal_hashes_are_not_enough),
        TEST(pages_that_nobody_else_holds_go_when_room_is_needed),
        TEST(a_page_is_found_again_however_large_the_table_grows),
        TEST(the_last_to_leave_empties_it),
        TEST(guests_on_several_threads_never_mix_pages_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
