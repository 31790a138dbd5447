/* Datagram links over unix sockets, which lose nothing: in a folder, and abstract ones. */
#include "tests/uplinks/dgram_rig.h"

#include <sys/un.h>

static char folder[] = "/tmp/lanarium-dgram-XXXXXX", path_a[64], path_b[64];

static int unix_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (path) {
        snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    }
    return fd;
}

static ssize_t unix_send(int fd, const char *path, const void *bytes, size_t len)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    return sendto(fd, bytes, len, 0, (struct sockaddr *)&a, sizeof(a));
}

/* Ours is a, theirs b. */
static void start_unix(void)
{
    dgram_start(&(struct dgram_options){.remote = dgram_remote, .localaddr = dgram_localaddr});
}

static int folder_make(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    snprintf(path_a, sizeof(path_a), "%s/a", folder);
    snprintf(path_b, sizeof(path_b), "%s/b", folder);
    snprintf(dgram_localaddr, sizeof(dgram_localaddr), "unix:%s", path_a);
    snprintf(dgram_remote, sizeof(dgram_remote), "unix:%s", path_b);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path_b);
    assert_return_code(rmdir(folder), errno); /* nothing of ours is left in it */
    return 0;
}

static void unix_datagrams_pass_both_ways_and_the_file_goes(void **state)
{
    static uint8_t big[70000];
    uint8_t got[200];
    char roundabout[80];
    (void)state;

    snprintf(roundabout, sizeof(roundabout), "%s/../%s/b", folder, strrchr(folder, '/') + 1);
    close(unix_socket(path_a)); /* left over by someone: replaced */
    int fd = unix_socket(roundabout), stranger = unix_socket(NULL);
    start_unix();
    peer_frame(big, sizeof(big), 4);
    assert_int_equal(unix_send(stranger, path_a, big, 100), 100);
    assert_int_equal(unix_send(fd, path_a, big, 100), 100);
    assert_int_equal(unix_send(fd, path_a, big, FRAME_MAX_LEN + 1), FRAME_MAX_LEN + 1);
    assert_int_equal(unix_send(fd, path_a, big, 70000), 70000);
    rig_send_at(r.talker, NS_PER_MS, 0xff, 150, 7);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(r.talker->n_seen, 1);
    assert_int_equal(dgram_base()->too_long, 2);
    dgram_described("strangers' datagrams 1");
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 150);
    peer_rig_finish(&r);
    close(fd);
    close(stranger);
}

static void abstract_names_are_an_address_too(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    uint8_t frame[100], got[200];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    (void)state;

    /* Names without a folder are the host's, so they hold our number. */
    int len = snprintf(a.sun_path + 1, 60, "lanarium-test-%d-b", (int)getpid());
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    assert_return_code(bind(fd, (struct sockaddr *)&a, size), errno);
    snprintf(dgram_remote, sizeof(dgram_remote), "abstract:%s", a.sun_path + 1);
    snprintf(dgram_localaddr, sizeof(dgram_localaddr), "abstract:lanarium-test-%d-a",
             (int)getpid());
    start_unix();
    a.sun_path[len] = 'a';
    peer_frame(frame, sizeof(frame), 6);
    assert_int_equal(sendto(fd, frame, 100, 0, (struct sockaddr *)&a, size), 100);
    rig_send_at(r.talker, NS_PER_MS, 0xff, 150, 7);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 150);
    peer_rig_finish(&r);
    close(fd);
}

static void nobody_at_the_other_end_is_survived(void **state)
{
    uint8_t got[200];
    (void)state;

    start_unix();
    rig_send_at(r.talker, NS_PER_MS, 0xff, 100, 1);
    peer_rig_run(&r, 5);
    int fd = unix_socket(path_b);
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 110, 2);
    peer_rig_run(&r, 5);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 110);
    close(fd);
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 120, 3);
    peer_rig_run(&r, 5);
    assert_int_equal(dgram_base()->unreachable, 2);
    unlink(path_b);
    fd = unix_socket(path_b);
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 130, 4);
    peer_rig_run(&r, 5);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 130);
    peer_rig_finish(&r);
    close(fd);
}

static void a_receiver_that_is_late_gets_every_frame(void **state)
{
    enum { N = 500 };
    uint8_t got[200];
    unsigned n = 0;
    int fd = unix_socket(path_b);
    (void)state;

    start_unix();
    for (unsigned i = 0; i < N; i++)
        rig_send_at(r.talker, NS_PER_MS, 0xff, 100, (uint8_t)i);
    peer_rig_run(&r, 5);
    assert_true(dgram_base()->blocked);
    for (int tries = 0; tries < 1000 && n < N; tries++) {
        while (recv(fd, got, sizeof(got), MSG_DONTWAIT) == 100)
            assert_int_equal(got[ETH_HLEN], (uint8_t)n++);
        peer_rig_run(&r, 1);
    }
    assert_int_equal(n, N);
    assert_int_equal(port_dropped(&r.uplink->ports->port), 0);
    assert_null(dgram_base()->retry); /* it was told, and did not look again and again */
    peer_rig_finish(&r);
    close(fd);
}

static void a_receiver_that_never_reads_costs_a_bounded_queue(void **state)
{
    int fd = unix_socket(path_b);
    (void)state;

    start_unix();
    for (unsigned i = 0; i < 2000; i++)
        rig_send_at(r.talker, NS_PER_MS + i * 10 * NS_PER_US, 0xff, 100, (uint8_t)i);
    peer_rig_run(&r, 40);
    assert_true(dgram_base()->blocked);
    assert_true(r.uplink->ports->port.stats.drops[DROP_HELD] > 900);
    peer_rig_finish(&r);
    close(fd);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(unix_datagrams_pass_both_ways_and_the_file_goes),
        cmocka_unit_test(abstract_names_are_an_address_too),
        IN_FOLDER(nobody_at_the_other_end_is_survived),
        IN_FOLDER(a_receiver_that_is_late_gets_every_frame),
        IN_FOLDER(a_receiver_that_never_reads_costs_a_bounded_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
