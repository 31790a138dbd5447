/* Guest RAM: what is shared, what a write copies, and that nothing stays alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/code.h"
#include "guests/ram.h"

#define BASE 0x80000000ULL

/* Two guests of eight pages, and a note of the last page that was said to change. */
struct two {
    struct ram a, b;
    uint64_t changed;
    unsigned n_changed;
};

static struct two t;

static void note(struct ram *r, uint64_t addr, struct page *old)
{
    struct two *two = r->changing_opaque;

    assert_non_null(old);
    two->changed = addr;
    two->n_changed++;
}

static int setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    ram_init(&t.a, BASE, 8 * PAGE_SIZE);
    ram_init(&t.b, BASE, 8 * PAGE_SIZE);
    t.a.changing = note;
    t.a.changing_opaque = &t;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ram_finish(&t.a);
    ram_finish(&t.b);
    assert_int_equal(page_alive(), 0);
    return 0;
}

static void fresh_ram_costs_nothing(void **state)
{
    uint8_t bytes[16], zero[16] = {0};

    (void)state;
    assert_int_equal(page_alive(), 0);
    assert_int_equal(ram_private_bytes(&t.a), 0);
    assert_true(ram_read(&t.a, BASE + PAGE_SIZE - 8, bytes, sizeof(bytes)));
    assert_memory_equal(bytes, zero, sizeof(zero));
}

static void a_write_copies_one_page_and_says_so(void **state)
{
    uint32_t v = 7;

    (void)state;
    assert_true(ram_write(&t.a, BASE + 2 * PAGE_SIZE + 4, &v, sizeof(v)));
    assert_int_equal(ram_private_bytes(&t.a), PAGE_SIZE);
    assert_int_equal(t.n_changed, 1);
    assert_int_equal(t.changed, BASE + 2 * PAGE_SIZE);
    assert_true(ram_write(&t.a, BASE + 2 * PAGE_SIZE + 8, &v, sizeof(v)));
    assert_int_equal(t.n_changed, 1); /* it is its own by now */
}

static void a_write_across_pages_arrives_whole(void **state)
{
    uint8_t out[3 * PAGE_SIZE], in[3 * PAGE_SIZE];

    (void)state;
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7);
    assert_true(ram_write(&t.a, BASE + 100, out, sizeof(out)));
    assert_true(ram_read(&t.a, BASE + 100, in, sizeof(in)));
    assert_memory_equal(in, out, sizeof(out));
    assert_int_equal(ram_private_bytes(&t.a), 4 * PAGE_SIZE);
}

static void accesses_outside_do_nothing(void **state)
{
    uint64_t v = 1;

    (void)state;
    assert_false(ram_write(&t.a, BASE - 4, &v, sizeof(v)));
    assert_false(ram_write(&t.a, BASE + 8 * PAGE_SIZE - 4, &v, sizeof(v)));
    assert_false(ram_read(&t.a, UINT64_MAX - 3, &v, sizeof(v)));
    assert_false(ram_fill(&t.a, BASE, 1, UINT64_MAX));
    assert_int_equal(t.n_changed, 0);
    assert_int_equal(page_alive(), 0);
}

/* A blob of 2.5 pages, padded, as blob_get makes one. */
static void blob_make(struct blob *b)
{
    *b = (struct blob){.size = 2 * PAGE_SIZE + PAGE_SIZE / 2, .n_pages = 3};
    b->pages = xcalloc(3, sizeof(b->pages[0]));
    for (unsigned i = 0; i < 3; i++) {
        b->pages[i] = page_new();
        memset(b->pages[i]->data, 0, PAGE_SIZE);
        memset(b->pages[i]->data, 'a' + (int)i, i < 2 ? PAGE_SIZE : PAGE_SIZE / 2);
    }
}

static void blob_finish(struct blob *b)
{
    for (unsigned i = 0; i < 3; i++)
        page_unref(b->pages[i]);
    free(b->pages);
}

static void whole_aligned_pages_of_a_blob_are_shared(void **state)
{
    struct blob b;

    (void)state;
    blob_make(&b);
    assert_true(ram_map_blob(&t.a, BASE, &b, 0, b.size));
    assert_true(ram_map_blob(&t.b, BASE, &b, 0, b.size));
    assert_ptr_equal(ram_page(&t.a, BASE), b.pages[0]);
    assert_ptr_equal(ram_page(&t.b, BASE + PAGE_SIZE), b.pages[1]);
    assert_int_equal(page_alive(), 3 + 2); /* the half page is copied twice */

    ram_own(&t.a, BASE)[0] = 'X';
    assert_int_equal(b.pages[0]->data[0], 'a');
    assert_int_equal(ram_page(&t.b, BASE)->data[0], 'a');
    assert_int_equal(ram_page(&t.a, BASE)->data[0], 'X');
    blob_finish(&b);
}

static void a_misaligned_part_of_a_blob_is_copied_exactly(void **state)
{
    struct blob b;
    uint8_t in[PAGE_SIZE + 3];

    (void)state;
    blob_make(&b);
    memset(ram_own(&t.a, BASE), '.', PAGE_SIZE);
    assert_true(ram_map_blob(&t.a, BASE + 10, &b, PAGE_SIZE - 1, PAGE_SIZE + 1));
    assert_true(ram_read(&t.a, BASE + 9, in, sizeof(in)));
    assert_int_equal(in[0], '.');
    assert_int_equal(in[1], 'a');
    assert_int_equal(in[2], 'b');
    assert_int_equal(in[PAGE_SIZE + 1], 'b');
    assert_int_equal(in[PAGE_SIZE + 2], 0);
    assert_false(ram_map_blob(&t.a, BASE, &b, 1, b.size));
    assert_false(ram_map_blob(&t.a, BASE + 7 * PAGE_SIZE, &b, 0, b.size));
    blob_finish(&b);
}

static void equal_contents_have_equal_hashes(void **state)
{
    (void)state;
    assert_int_equal(ram_hash(&t.a, 1), ram_hash(&t.b, 1));
    memset(ram_own(&t.a, BASE), 0, PAGE_SIZE); /* zeroes of its own */
    assert_int_equal(ram_hash(&t.a, 1), ram_hash(&t.b, 1));
    ram_own(&t.a, BASE)[1] = 1;
    assert_int_not_equal(ram_hash(&t.a, 1), ram_hash(&t.b, 1));
}

static void filling_whole_pages_with_zeroes_gives_them_back(void **state)
{
    (void)state;
    assert_true(ram_fill(&t.a, BASE, 0xff, 3 * PAGE_SIZE));
    assert_int_equal(page_alive(), 3);
    assert_true(ram_fill(&t.a, BASE + 1, 0, 3 * PAGE_SIZE - 1));
    assert_int_equal(page_alive(), 1);
    assert_int_equal(ram_page(&t.a, BASE)->data[0], 0xff);
}

static void sharing_copies_nothing_until_either_writes(void **state)
{
    uint64_t v = 7, w = 0;

    (void)state;
    ram_write(&t.a, BASE, &v, sizeof(v));
    ram_write(&t.a, BASE + PAGE_SIZE, &v, sizeof(v));
    ram_share(&t.b, &t.a);
    assert_int_equal(page_alive(), 2);
    assert_true(page_shared(ram_page(&t.a, BASE)));
    assert_int_equal(ram_private_bytes(&t.a) + ram_private_bytes(&t.b), 0);
    assert_int_equal(ram_table_bytes(&t.b), sizeof(struct leaf *));
    assert_int_equal(ram_hash(&t.a, 1), ram_hash(&t.b, 1));

    v = 8;
    ram_write(&t.b, BASE, &v, sizeof(v));
    assert_int_equal(page_alive(), 3);
    ram_read(&t.a, BASE, &w, sizeof(w));
    assert_int_equal(w, 7);
    assert_int_equal(ram_private_bytes(&t.b), PAGE_SIZE);
    assert_int_equal(ram_private_bytes(&t.a), PAGE_SIZE); /* only it holds the old one */
    t.n_changed = 0;
    ram_write(&t.a, BASE, &v, sizeof(v)); /* in place: nobody else has it */
    assert_int_equal(t.n_changed, 0);
    assert_int_equal(page_alive(), 3);
    ram_write(&t.a, BASE + PAGE_SIZE, &v, sizeof(v));
    assert_int_equal(t.n_changed, 1);
    assert_int_equal(page_alive(), 4);
}

static void what_was_shared_is_its_own_again_when_the_other_has_gone(void **state)
{
    uint64_t v = 7;
    struct page *p;

    (void)state;
    ram_write(&t.a, BASE, &v, sizeof(v));
    p = ram_page(&t.a, BASE);
    ram_share(&t.b, &t.a);
    ram_finish(&t.b);
    assert_int_equal(ram_private_bytes(&t.a), PAGE_SIZE);
    t.n_changed = 0;
    ram_write(&t.a, BASE, &v, sizeof(v));
    assert_ptr_equal(ram_page(&t.a, BASE), p);
    assert_int_equal(t.n_changed, 0);
    ram_init(&t.b, BASE, 8 * PAGE_SIZE);
    ram_share(&t.b, &t.a); /* and shared once more */
    ram_write(&t.a, BASE, &v, sizeof(v));
    assert_int_equal(page_alive(), 2);
}

static void a_write_beside_code_keeps_it_and_one_into_it_drops_it(void **state)
{
    static const uint32_t words[2] = {0x00000013, 0x0000006f}; /* nop; j . */
    struct page *p;
    bool made;

    (void)state;
    ram_write(&t.a, BASE, words, sizeof(words));
    p = ram_page(&t.a, BASE);
    assert_non_null(code_get(code_of(p, &made), p->data, 0));
    assert_true(made);
    t.n_changed = 0;
    assert_ptr_equal(ram_own_bytes(&t.a, BASE + 64, 8), p->data);
    assert_non_null(p->code);
    assert_int_equal(t.n_changed, 0);
    ram_own_bytes(&t.a, BASE + 63, 1);
    assert_null(p->code);
    assert_int_equal(t.n_changed, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(fresh_ram_costs_nothing),
        TEST(a_write_copies_one_page_and_says_so),
        TEST(a_write_across_pages_arrives_whole),
        TEST(accesses_outside_do_nothing),
        TEST(whole_aligned_pages_of_a_blob_are_shared),
        TEST(a_misaligned_part_of_a_blob_is_copied_exactly),
        TEST(equal_contents_have_equal_hashes),
        TEST(filling_whole_pages_with_zeroes_gives_them_back),
        TEST(sharing_copies_nothing_until_either_writes),
        TEST(what_was_shared_is_its_own_again_when_the_other_has_gone),
        TEST(a_write_beside_code_keeps_it_and_one_into_it_drops_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
