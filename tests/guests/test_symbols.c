/* Symbols: which name an address of code gets, and what is no list of symbols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "guests/translate/symbols.h"

#define BASE 0x80000000ULL
#define KERNEL 0xffffffff80000000ULL

static uint8_t bytes[2][64]; /* of two images; they differ */

static void image_add(const uint8_t *of, const char *const names[2])
{
    struct blob *b = blob_from_bytes("image", of, 64);
    struct symbols s = {0};

    symbols_add(&s, BASE + 32, false, "label");
    symbols_add(&s, BASE + 32, true, names[1]);
    symbols_add(&s, BASE, true, names[0]);
    symbols_add(&s, BASE + 4, true, "$x");
    symbols_add(&s, BASE + 4, true, ".L7");
    symbols_of_image(&s, b, BASE);
    blob_put(b);
}

static bool file_read(const char *text, struct err *err)
{
    char path[] = "/tmp/symbols-XXXXXX";
    int fd = mkstemp(path);
    bool ok;

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    ok = symbols_read(path, err);
    unlink(path);
    return ok;
}

static int setup(void **state)
{
    const char *const first[] = {"one", "two words"}, *const second[] = {"uno", "dos"};
    struct err err = {0};

    (void)state;
    memset(bytes[0], 0x13, 64);
    memset(bytes[1], 0x93, 64);
    symbols_want();
    assert_true(file_read("ffffffff80001000 D _end\n"
                          "                 U missing\n"
                          "0000000000000000 A absolute\n"
                          "ffffffff80000100 T later\n"
                          "ffffffff80000000 T start_kernel\n",
                          &err));
    image_add(bytes[0], first);
    image_add(bytes[1], second);
    return 0;
}

/* The name of code at a place, as "NAME+OFF" in decimal; "" for none. */
static const char *named(uint64_t va, uint64_t pa, const uint8_t *code)
{
    static char text[64];
    uint64_t off;
    const char *name = symbols_find(va, pa, code, 16, &off);

    snprintf(text, sizeof(text), name ? "%s+%d" : "", name, name ? (int)off : 0);
    return text;
}

static void code_has_the_name_before_it_in_the_image_that_it_is_of(void **state)
{
    (void)state;
    assert_string_equal(named(0, BASE, bytes[0]), "one+0");
    assert_string_equal(named(0, BASE + 30, bytes[0]), "one+30");
    assert_string_equal(named(0, BASE + 40, bytes[0]), "two_words+8");
    assert_string_equal(named(0, BASE + 4, bytes[1]), "uno+4");
}

static void other_code_at_an_images_place_has_none(void **state)
{
    uint8_t other[16] = {1};

    (void)state;
    assert_string_equal(named(0, BASE, other), "");
    assert_string_equal(named(0, BASE - 4, bytes[0]), "");
    assert_string_equal(named(0, BASE + 60, bytes[0]), "");
}

static void a_file_names_virtual_addresses_up_to_its_last(void **state)
{
    (void)state;
    assert_string_equal(named(KERNEL + 0xff, 0, bytes[0]), "start_kernel+255");
    assert_string_equal(named(KERNEL + 0x104, BASE, bytes[0]), "one+0");
    assert_string_equal(named(KERNEL + 0x104, 0, bytes[0]), "later+4");
    assert_string_equal(named(KERNEL + 0x1000, 0, bytes[0]), "");
    assert_string_equal(named(0x10000, 0, bytes[0]), "");
}

static void what_is_no_list_is_refused_with_its_line(void **state)
{
    static const char *const wrong[] = {"ffff T a\nffff T\n", "10 T a\nhello\n", "10 T a\n10 ? b\n",
                                        "10 T a\nfffffffffffffffff T b\n"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_false(file_read(wrong[i], &err));
        assert_int_equal(err.n, i + 1);
        assert_non_null(strstr(err.texts[i], ":2: it is not ADDRESS TYPE NAME"));
    }
    assert_false(file_read("", &err));
    assert_non_null(strstr(err.texts[err.n - 1], "there are no symbols in it"));
    err_finish(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_has_the_name_before_it_in_the_image_that_it_is_of),
        cmocka_unit_test(other_code_at_an_images_place_has_none),
        cmocka_unit_test(a_file_names_virtual_addresses_up_to_its_last),
        cmocka_unit_test(what_is_no_list_is_refused_with_its_line),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
