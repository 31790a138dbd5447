/* Typing at the prompt: what becomes of keys. */
#include "topo/prompt_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct prompt_line line;
    char *echo;
    size_t size;
    FILE *f;
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    r->f = open_memstream(&r->echo, &r->size);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    fclose(r->f);
    free(r->echo);
    line_finish(&r->line);
    free(r);
    return 0;
}

/* Types all of it; the event of the last key. */
static enum line_event type(struct rig *r, const char *keys)
{
    enum line_event e = LINE_GOES_ON;
    for (; *keys; keys++)
        e = line_key(&r->line, (uint8_t)*keys, r->f);
    fflush(r->f);
    return e;
}

static void keys_become_the_line_and_are_echoed(void **state)
{
    struct rig *r = *state;
    assert_int_equal(type(r, "info x"), LINE_GOES_ON);
    assert_string_equal(r->line.text, "info x");
    assert_string_equal(r->echo, "info x");
    assert_int_equal(type(r, "\r"), LINE_ENTERED);
    line_next(&r->line);
    assert_string_equal(r->line.text, "");
}

static void backspace_takes_back_a_character_of_several_bytes(void **state)
{
    struct rig *r = *state;
    type(r, "a\xc3\xa4\x7f");
    assert_string_equal(r->line.text, "a");
    type(r, "\b\b\b");
    assert_string_equal(r->line.text, "");
    assert_int_equal(r->line.n, 0);
}

static void ctrl_u_begins_again(void **state)
{
    struct rig *r = *state;
    type(r, "wrong\x15right");
    assert_string_equal(r->line.text, "right");
}

static void ctrl_c_and_an_empty_ctrl_d_leave(void **state)
{
    struct rig *r = *state;
    assert_int_equal(type(r, "a\x04"), LINE_GOES_ON);
    assert_string_equal(r->line.text, "a");
    assert_int_equal(type(r, "\x03"), LINE_LEFT);
    line_next(&r->line);
    assert_int_equal(type(r, "\x04"), LINE_LEFT);
}

static void up_and_down_go_through_what_was_typed(void **state)
{
    struct rig *r = *state;
    static const char *const lines[] = {"one\r", "two\r", "two\r"}; /* the same is kept once */
    for (size_t i = 0; i < 3; i++) {
        type(r, lines[i]);
        line_next(&r->line);
    }
    type(r, "\033[A");
    assert_string_equal(r->line.text, "two");
    type(r, "\033[A");
    assert_string_equal(r->line.text, "one");
    type(r, "\033[A");
    assert_string_equal(r->line.text, "one");
    type(r, "\033[B!");
    assert_string_equal(r->line.text, "two!");
    type(r, "\033[B");
    assert_string_equal(r->line.text, "");
}

static void other_sequences_and_control_keys_do_nothing(void **state)
{
    struct rig *r = *state;
    type(r, "a\033[3~b\033OPc\033xd\x01\x02\tz");
    assert_string_equal(r->line.text, "abcdz");
}

static void a_line_and_its_history_are_bounded(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 2 * PROMPT_LINE_MAX; i++)
        type(r, "x");
    assert_int_equal(strlen(r->line.text), PROMPT_LINE_MAX);
    line_next(&r->line);
    for (int i = 0; i < 3 * PROMPT_HISTORY; i++) {
        char text[16];
        snprintf(text, sizeof(text), "line%d\r", i);
        type(r, text);
        line_next(&r->line);
    }
    assert_int_equal(r->line.n_history, PROMPT_HISTORY);
    for (int i = 0; i < 2 * PROMPT_HISTORY; i++)
        type(r, "\033[A");
    assert_string_equal(r->line.text, "line64");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_become_the_line_and_are_echoed),
        TEST(backspace_takes_back_a_character_of_several_bytes),
        TEST(ctrl_u_begins_again),
        TEST(ctrl_c_and_an_empty_ctrl_d_leave),
        TEST(up_and_down_go_through_what_was_typed),
        TEST(other_sequences_and_control_keys_do_nothing),
        TEST(a_line_and_its_history_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
