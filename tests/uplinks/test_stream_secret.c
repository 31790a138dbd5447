/* Stream links with a secret: who knows it gets in, and nobody else sees or sends a frame. */
#include "tests/uplinks/stream_rig.h"

#include "devices/device.h"
#include "devices/uplinks/stream_peer.h"

#define SECRET "correct horse battery staple"

static struct vlan *far;
static struct talker *friend;
static struct uplink *other;

/* A link that listens with one secret, and one that connects to it with another, or none. */
static void start_pair(const char *ours, const char *theirs)
{
    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .secret = ours));
    far = vlan_create(&r.rig.sim, "far", VLAN_SWITCH);
    friend = rig_talker(&r.rig, far);
    other = stream_start_another(
        STREAM_OPTIONS(.connect = stream_where(r.uplink), .secret = theirs, .reconnect = "1h"),
        far);
}

static void finish_pair(void)
{
    uplink_destroy(other);
    peer_rig_finish(&r);
}

static bool other_is_up(void)
{
    return other->ports->port.up;
}

static void who_knows_the_secret_gets_in(void **state)
{
    (void)state;

    start_pair(SECRET, SECRET);
    assert_true(stream_until(other_is_up));
    assert_true(stream_until_peers(1));
    stream_described(r.uplink, "with a secret");
    for (unsigned i = 0; i < 2000; i++) {
        uint32_t len = 60 + i % 1450;
        rig_send_at(r.talker, r.rig.sim.now + (i + 1) * 20 * NS_PER_US, 0xff, len, (uint8_t)i);
        rig_send_at(friend, r.rig.sim.now + (i + 1) * 20 * NS_PER_US, 0xff, len, (uint8_t)i);
    }
    assert_true(peer_rig_until(&r, 2000));
    peer_rig_run(&r, 50);
    assert_int_equal(friend->n_seen, 2000);
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(friend->seen[i].mark, (uint8_t)i);
        assert_int_equal(friend->seen[i].len, 60 + i % 1450);
        assert_int_equal(r.talker->seen[i].mark, (uint8_t)i);
    }
    finish_pair();
}

/* More at once than the socket takes: records that it takes in part. */
static void large_frames_in_bursts_pass_a_secret_link(void **state)
{
    (void)state;

    start_pair(SECRET, SECRET);
    assert_true(stream_until(other_is_up));
    struct link fast = {LINK_DEFAULT_DELAY, 0, 1 << 20};
    port_attach(&r.talker->port, r.vlan, &fast);
    uplink_attach(r.uplink, r.vlan, &fast);
    for (unsigned i = 0; i < 150; i++) /* 9 MB */
        rig_send_at(r.talker, r.rig.sim.now + (i + 1) * 10 * NS_PER_US, 0xff, 60000, (uint8_t)i);
    for (unsigned i = 0; i < 3000 && friend->n_seen < 150; i++)
        peer_rig_run(&r, 1);
    assert_int_equal(friend->n_seen, 150);
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(friend->seen[i].mark, i);
        assert_int_equal(friend->seen[i].len, 60000);
    }
    finish_pair();
}

static unsigned refusals;

static bool is_refused(void)
{
    char text[512] = "", want[64];
    FILE *to = fmemopen(text, sizeof(text), "w");

    r.uplink->ops->describe(r.uplink, to);
    fclose(to);
    snprintf(want, sizeof(want), "refused for want of the secret: %u", refusals);
    return strstr(text, want) != NULL;
}

static void another_secret_is_refused_and_counted(void **state)
{
    uint64_t warnings = device_warnings;
    (void)state;

    start_pair(SECRET, "another horse, another staple");
    refusals = 1;
    assert_true(stream_until(is_refused));
    assert_false(other_is_up());
    assert_null(r.uplink->ports);
    assert_true(device_warnings > warnings);
    peer_rig_run(&r, 20);
    stream_described(other, "refused for want of the secret: 1");
    finish_pair();
}

static void a_peer_without_the_secret_is_refused(void **state)
{
    (void)state;

    start_pair(SECRET, NULL);
    assert_true(stream_until(other_is_up)); /* it has nothing to check */
    rig_send_at(friend, r.rig.sim.now, 0xff, 100, 1);
    refusals = 1;
    assert_true(stream_until(is_refused));
    assert_null(r.uplink->ports);
    assert_int_equal(r.talker->n_seen, 0);
    finish_pair();
}

static bool other_refused(void)
{
    struct uplink *listening = r.uplink;

    r.uplink = other;
    refusals = 1;
    bool refused = is_refused();
    r.uplink = listening;
    return refused;
}

static void a_listener_without_the_secret_is_not_trusted(void **state)
{
    (void)state;

    start_pair(NULL, SECRET);
    assert_true(stream_until(other_refused));
    assert_false(other_is_up());
    stream_described(r.uplink, "it announced a frame of"); /* a TLS record is no frame */
    finish_pair();
}

static void frames_and_garbage_do_not_get_in_without_the_secret(void **state)
{
    (void)state;

    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .secret = SECRET));
    int fd = stream_connect();
    stream_write_frame(fd, 100, 1);
    refusals = 1;
    assert_true(stream_until(is_refused));
    close(fd);
    fd = stream_connect();
    stream_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    refusals = 2;
    assert_true(stream_until(is_refused));
    assert_int_equal(r.talker->n_seen, 0);
    assert_null(r.uplink->ports);
    close(fd);
    peer_rig_finish(&r);
}

static void a_silent_peer_does_not_keep_its_place(void **state)
{
    (void)state;

    stream_handshake_ms = 50;
    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .secret = SECRET, .max_peers = 1));
    int silent = stream_connect();
    peer_rig_run(&r, 10);
    int second = stream_connect();
    assert_true(stream_closed(second));
    refusals = 1;
    assert_true(stream_until(is_refused));
    stream_described(r.uplink, "it did not show the secret within 50 ms");
    assert_true(stream_closed(silent));
    stream_handshake_ms = 10000;
    close(silent);
    close(second);
    peer_rig_finish(&r);
}

static void a_storm_without_the_secret_leaks_nothing(void **state)
{
    (void)state;

    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .secret = SECRET));
    peer_rig_run(&r, 1);
    unsigned before = stream_count_fds();
    for (unsigned i = 0; i < 300; i++) {
        int fd = stream_connect();
        stream_write(fd, "\x16\3\1\0\5hello", i % 11);
        close(fd);
        if (i % 10 == 0)
            peer_rig_run(&r, 1);
    }
    refusals = 300;
    assert_true(stream_until(is_refused));
    assert_int_equal(stream_count_fds(), before);
    peer_rig_finish(&r);
}

/* --- what is said about it before --- */

static void a_secret_that_can_be_guessed_is_refused(void **state)
{
    struct err err = {0};
    (void)state;

    assert_true(
        stream_options_check(STREAM_OPTIONS(.listen = ":0", .secret = "sixteen bytes it"), &err));
    assert_false(
        stream_options_check(STREAM_OPTIONS(.listen = ":0", .secret = "fifteen bytes i"), &err));
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0],
                        "net.lua:3: secret: 15 bytes can be guessed; a secret has 16 at least "
                        "(openssl rand -hex 16 makes one)");
    err_finish(&err);
}

static void a_file_can_hold_the_secret(void **state)
{
    char path[] = "/tmp/lanarium-secret-XXXXXX";
    struct err err = {0};
    int fd = mkstemp(path);
    (void)state;

    assert_int_equal(write(fd, SECRET "\nmore\n", sizeof(SECRET) + 5), sizeof(SECRET) + 5);
    close(fd);
    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .secret_file = path));
    far = vlan_create(&r.rig.sim, "far", VLAN_SWITCH);
    other = stream_start_another(
        STREAM_OPTIONS(.connect = stream_where(r.uplink), .secret = SECRET), far);
    assert_true(stream_until(other_is_up));
    finish_pair();
    assert_false(stream_options_check(
        STREAM_OPTIONS(.listen = ":0", .secret_file = path, .secret = SECRET), &err));
    assert_int_equal(err.n, 1);
    err_finish(&err);
    unlink(path);
}

/* What a link that begins to listen prints. */
static void start_and_read(const struct stream_options *o, char *text, size_t size)
{
    int saved = dup(STDERR_FILENO), pipe_ends[2];

    assert_return_code(pipe(pipe_ends), errno);
    dup2(pipe_ends[1], STDERR_FILENO);
    stream_start(o);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_ends[1]);
    ssize_t n = read(pipe_ends[0], text, size - 1);
    text[MAX(n, 0)] = '\0';
    close(pipe_ends[0]);
    peer_rig_finish(&r);
}

static void listening_to_everyone_without_a_secret_is_warned_of(void **state)
{
    char text[512];
    (void)state;

    start_and_read(STREAM_OPTIONS(.listen = "0.0.0.0:0"), text, sizeof(text));
    assert_non_null(strstr(text, "without a secret: whoever reaches that port is on its VLAN"));
    start_and_read(STREAM_OPTIONS(.listen = "0.0.0.0:0", .secret = SECRET), text, sizeof(text));
    assert_null(strstr(text, "warning"));
    start_and_read(STREAM_OPTIONS(.listen = "127.0.0.1:0"), text, sizeof(text));
    assert_null(strstr(text, "warning"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_knows_the_secret_gets_in),
        cmocka_unit_test(large_frames_in_bursts_pass_a_secret_link),
        cmocka_unit_test(another_secret_is_refused_and_counted),
        cmocka_unit_test(a_peer_without_the_secret_is_refused),
        cmocka_unit_test(a_listener_without_the_secret_is_not_trusted),
        cmocka_unit_test(frames_and_garbage_do_not_get_in_without_the_secret),
        cmocka_unit_test(a_silent_peer_does_not_keep_its_place),
        cmocka_unit_test(a_storm_without_the_secret_leaks_nothing),
        cmocka_unit_test(a_secret_that_can_be_guessed_is_refused),
        cmocka_unit_test(a_file_can_hold_the_secret),
        cmocka_unit_test(listening_to_everyone_without_a_secret_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
