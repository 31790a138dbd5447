/* The framing of stream links: cut up in every way, and lengths that nobody should believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "devices/uplinks/stream_frame.h"

#define MAX_GOT 8

static struct stream_frame stream;
static struct frame *got[MAX_GOT];
static unsigned n_got;

static void take(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_true(n_got < MAX_GOT);
    got[n_got++] = f;
}

static bool feed(const void *bytes, size_t len)
{
    return stream_frame_feed(&stream, bytes, len, take, NULL);
}

static void forget(void)
{
    while (n_got)
        frame_unref(got[--n_got]);
}

/* Every test ends here: nothing is alive. */
static int finish(void **state)
{
    (void)state;
    forget();
    stream_frame_reset(&stream);
    assert_int_equal(frame_alive(), 0);
    return 0;
}

/* A frame of `len` bytes, each with a value of its own; returns the bytes with the header. */
static size_t put_frame(uint8_t *to, uint32_t len)
{
    store_be32(to, len);
    for (uint32_t i = 0; i < len; i++)
        to[STREAM_HEADER + i] = (uint8_t)(len + 3 * i);
    return STREAM_HEADER + len;
}

static void assert_got(unsigned n, uint32_t len)
{
    assert_true(n < n_got);
    assert_int_equal(got[n]->len, len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(got[n]->data[i], (uint8_t)(len + 3 * i));
}

static void frames_are_whole_wherever_the_stream_is_cut(void **state)
{
    static const uint32_t lens[] = {1, 14, 33};
    uint8_t bytes[128];
    size_t len = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        len += put_frame(bytes + len, lens[i]);
    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            assert_true(feed(bytes, a));
            assert_true(feed(bytes + a, b - a));
            assert_true(feed(bytes + b, len - b));
            assert_int_equal(n_got, ARRAY_LEN(lens));
            for (unsigned i = 0; i < n_got; i++)
                assert_got(i, lens[i]);
            assert_true(stream_frame_between(&stream));
            forget();
        }
    }
}

static void frames_are_whole_byte_by_byte(void **state)
{
    uint8_t bytes[2048];
    size_t len = put_frame(bytes, 1514);
    (void)state;

    for (size_t i = 0; i < len; i++) {
        assert_int_equal(n_got, 0);
        assert_true(feed(bytes + i, 1));
    }
    assert_int_equal(n_got, 1);
    assert_got(0, 1514);
}

static void a_frame_can_be_padded_where_it_is(void **state)
{
    uint8_t bytes[64];
    (void)state;

    assert_true(feed(bytes, put_frame(bytes, 14)));
    frame_pad(got[0]);
    assert_int_equal(got[0]->len, FRAME_MIN_WIRE);
}

static void what_QEMU_takes_is_taken_and_no_byte_more(void **state)
{
    uint8_t *bytes = xcalloc(1, STREAM_HEADER + STREAM_MAX_LEN);
    size_t len = put_frame(bytes, STREAM_MAX_LEN);
    (void)state;

    assert_int_equal(STREAM_MAX_LEN, 4096 + 65536);
    assert_true(feed(bytes, len));
    assert_got(0, STREAM_MAX_LEN);
    store_be32(bytes, STREAM_MAX_LEN + 1);
    assert_false(feed(bytes, STREAM_HEADER));
    assert_int_equal(stream.bad_length, STREAM_MAX_LEN + 1);
    free(bytes);
}

static void a_length_of_zero_or_of_gigabytes_ends_the_stream(void **state)
{
    static const uint32_t bad[] = {0, 0x00011001, 0x16030100, 0x7fffffff, 0x80000000, 0xffffffff};
    uint8_t bytes[128];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t len = put_frame(bytes, 20);
        store_be32(bytes + len, bad[i]);
        assert_false(feed(bytes, sizeof(bytes)));
        assert_int_equal(stream.bad_length, bad[i]);
        assert_int_equal(n_got, 1); /* what came before it is a frame all the same */
        forget();
        stream_frame_reset(&stream);
    }
}

static void half_a_length_is_not_between_frames(void **state)
{
    uint8_t bytes[64];
    size_t len = put_frame(bytes, 20);
    (void)state;

    assert_true(stream_frame_between(&stream));
    for (size_t i = 0; i < len - 1; i++) {
        assert_true(feed(bytes + i, 1));
        assert_false(stream_frame_between(&stream));
    }
    assert_int_equal(n_got, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_are_whole_wherever_the_stream_is_cut),
        TEST(frames_are_whole_byte_by_byte),
        TEST(a_frame_can_be_padded_where_it_is),
        TEST(what_QEMU_takes_is_taken_and_no_byte_more),
        TEST(a_length_of_zero_or_of_gigabytes_ends_the_stream),
        TEST(half_a_length_is_not_between_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
