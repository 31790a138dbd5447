/* Recordings' files: cut short, damaged, of another kind, or on a full disk. */
#include "recording_rig.h"

#include <stdio.h>

static uint8_t *slurp(size_t *n)
{
    uint8_t *bytes = xmalloc(4096);
    FILE *f = fopen(tape_path, "rb");

    *n = fread(bytes, 1, 4096, f);
    fclose(f);
    return bytes;
}

static void spill(const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(tape_path, "wb");

    assert_true(fwrite(bytes, 1, n, f) == n);
    assert_int_equal(fclose(f), 0);
}

static size_t header_len;

static uint8_t *small_file(size_t *n)
{
    struct recording *r = tape_begin("key value\nother 2\n");
    header_len = strlen(RECORDING_MAGIC) + 19;
    tape_note(r, 0, INLET_JOIN, 1 * MS, 1);
    tape_note(r, 0, INLET_FRAME, 2 * MS, 2);
    tape_note(r, 1, INLET_CONSOLE, 3 * MS, 3);
    recording_ended(r, "done");
    tape_end(r, 5 * MS);
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
        err_finish(&tape_err);
        if (len < header_len) {
            assert_null(playback_open(tape_path, &tape_err));
            assert_non_null(strstr(tape_err.texts[0], "is not a recording"));
            continue;
        }
        unsigned entries = (unsigned)((len - header_len) / (RECORDING_ENTRY + 1));
        assert_false(tape_play(2, 0));
        assert_int_equal(tape_n_played, MIN(entries, 3u));
        assert_int_equal(tape_rig.sim.now, MIN(entries, 3u) * MS);
        assert_int_equal(tape_err.n, 1);
        assert_non_null(strstr(tape_err.texts[0], "it was cut short"));
        tape_finish();
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
            struct playback *p = playback_open(tape_path, &tape_err);
            playback_close(p, &tape_err);
            err_finish(&tape_err);
            if (!p)
                continue;
            tape_play(2, 0);
            assert_true(tape_rig.sim.now <= 20 * MS);
            tape_finish();
            err_finish(&tape_err);
        }
    }
    free(whole);
}

/* A file of one entry with these fields, then an end. */
static void one_entry(uint8_t kind, uint64_t at, uint32_t len)
{
    uint8_t h[RECORDING_ENTRY + 1] = {kind};
    size_t n;
    struct recording *r = tape_begin("");
    tape_note(r, 0, INLET_CONSOLE, 4 * MS, 1);
    tape_end(r, 5 * MS);
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
        err_finish(&tape_err);
        assert_false(tape_play(1, 0));
        assert_int_equal(tape_n_played, 1);
        assert_int_equal(tape_rig.sim.now, 4 * MS);
        assert_non_null(strstr(tape_err.texts[0], "it is damaged"));
        tape_finish();
    }
}

static void a_header_comes_back_and_one_without_an_end_is_none(void **state)
{
    size_t n;
    (void)state;
    tape_end(tape_begin("key value\nother 2\n"), 0);
    struct playback *p = playback_open(tape_path, &tape_err);
    assert_string_equal(playback_header(p), "key value\nother 2\n");
    playback_close(p, &tape_err);
    err_finish(&tape_err);

    n = strlen(RECORDING_MAGIC) + RECORDING_MAX_HEADER + 100;
    uint8_t *bytes = xmalloc(n);
    memset(bytes, 'x', n);
    memcpy(bytes, RECORDING_MAGIC, strlen(RECORDING_MAGIC));
    spill(bytes, n);
    assert_null(playback_open(tape_path, &tape_err));
    bytes[strlen(RECORDING_MAGIC) + 3] = '\0';
    bytes[strlen(RECORDING_MAGIC) + 4] = '\n';
    bytes[strlen(RECORDING_MAGIC) + 5] = '\n';
    spill(bytes, n);
    assert_null(playback_open(tape_path, &tape_err));
    bytes[strlen(RECORDING_MAGIC) - 2] = '2'; /* of another version */
    spill(bytes, n);
    assert_null(playback_open(tape_path, &tape_err));
    assert_int_equal(tape_err.n, 3);
    free(bytes);
}

static void what_cannot_be_opened_is_one_sentence(void **state)
{
    (void)state;
    assert_null(playback_open("/nonexistent/recording", &tape_err));
    assert_null(recording_create("/nonexistent/recording", "", &tape_err));
    assert_null(playback_open("/tmp", &tape_err));
    assert_int_equal(tape_err.n, 3);
}

static void a_full_disk_is_one_sentence_at_the_end(void **state)
{
    static const uint8_t frame[60000];
    (void)state;
    struct recording *r = recording_create("/dev/full", "key value\n", &tape_err);
    if (!r)
        skip();
    for (unsigned i = 0; i < 100; i++)
        recording_note(r, 1, INLET_FRAME, i, frame, sizeof(frame));
    assert_int_equal(tape_err.n, 0);
    assert_false(recording_close(r, 1 * MS, &tape_err));
    assert_int_equal(tape_err.n, 1);
    assert_string_equal(tape_err.texts[0],
                        "the recording /dev/full is not complete: No space left on device");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tape_setup, tape_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_cut_short_is_good_up_to_its_last_whole_entry),
        TEST(a_file_with_any_wrong_byte_is_survived),
        TEST(impossible_lengths_times_and_kinds_end_the_recording_there),
        TEST(a_header_comes_back_and_one_without_an_end_is_none),
        TEST(what_cannot_be_opened_is_one_sentence),
        TEST(a_full_disk_is_one_sentence_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
