/* The ends of stream links: where they listen, how they connect, what they inherit. */
#include "tests/uplinks/stream_rig.h"

#include <sys/stat.h>
#include <sys/un.h>

static uint8_t frame[70000];

static bool is_up(void)
{
    return r.uplink->ports->port.up;
}

static bool is_down(void)
{
    return !r.uplink->ports->port.up;
}

/* --- listening --- */

static void a_port_that_is_taken_is_one_sentence(void **state)
{
    const char *address;
    char sentence[128];
    int fd = stream_listen(&address);
    (void)state;

    snprintf(sentence, sizeof(sentence), "net.lua:3: cannot listen on %s: Address already in use",
             address);
    stream_refused(STREAM_OPTIONS(.listen = address), sentence);
    close(fd);
}

static void a_unix_socket_left_over_is_replaced(void **state)
{
    struct stat st;
    (void)state;

    stream_choose_path();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, stream_path, strlen(stream_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    close(fd); /* its file stays, as after a crash */
    stream_start(STREAM_OPTIONS(.listen = stream_unix_address));
    fd = stream_connect_unix();
    assert_true(stream_until_peers(1));
    stream_write_frame(fd, 100, 1);
    assert_true(peer_rig_until(&r, 1));
    close(fd);
    peer_rig_finish(&r);
    assert_int_equal(lstat(stream_path, &st), -1); /* ours is removed */
}

static void a_unix_socket_in_use_and_a_file_are_left_alone(void **state)
{
    char sentence[160];
    struct stat st;
    (void)state;

    stream_choose_path();
    snprintf(sentence, sizeof(sentence), "net.lua:3: cannot listen on %s: Address already in use",
             stream_unix_address);
    stream_start(STREAM_OPTIONS(.listen = stream_unix_address));
    stream_refused(STREAM_OPTIONS(.listen = stream_unix_address), sentence);
    close(stream_connect_unix()); /* it is still there */
    peer_rig_finish(&r);

    fclose(fopen(stream_path, "w"));
    stream_refused(STREAM_OPTIONS(.listen = stream_unix_address), sentence);
    assert_int_equal(lstat(stream_path, &st), 0);
    unlink(stream_path);
}

static void an_abstract_name_needs_no_file(void **state)
{
    char address[64];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)state;

    snprintf(address, sizeof(address), "abstract:lanarium-test-%d", (int)getpid());
    stream_start(STREAM_OPTIONS(.listen = address));
    assert_string_equal(stream_where(r.uplink), address);
    size_t len = strlen(address) - strlen("abstract:");
    memcpy(a.sun_path + 1, address + strlen("abstract:"), len);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_return_code(connect(fd, (struct sockaddr *)&a,
                               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)),
                       errno);
    stream_write_frame(fd, 100, 1);
    assert_true(peer_rig_until(&r, 1));
    close(fd);
    peer_rig_finish(&r);
}

/* --- connecting --- */

static void it_connects_as_soon_as_somebody_listens(void **state)
{
    const char *address;
    (void)state;

    int listener = stream_listen(&address);
    struct sockaddr_storage where;
    socklen_t len = sizeof(where);
    getsockname(listener, (struct sockaddr *)&where, &len);
    close(listener); /* nobody is there at first */
    stream_start(STREAM_OPTIONS(.connect = address));
    peer_rig_run(&r, 20);
    assert_true(is_down());
    stream_described(r.uplink, "attempts: 1, Connection refused");
    listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    assert_return_code(bind(listener, (struct sockaddr *)&where, len), errno);
    assert_return_code(listen(listener, 1), errno);
    int fd = stream_accept(listener);
    assert_true(stream_until(is_up));
    stream_described(r.uplink, "connected to 127.0.0.1:");
    stream_talk(100, 4);
    assert_int_equal(stream_read_frame(fd, frame), 100);
    stream_write_frame(fd, 100, 5);
    assert_true(peer_rig_until(&r, 1));
    close(fd);
    close(listener);
    peer_rig_finish(&r);
}

static void when_the_peer_is_lost_it_is_down_until_it_is_back(void **state)
{
    const char *address;
    (void)state;

    int listener = stream_listen(&address);
    stream_start(STREAM_OPTIONS(.connect = address, .reconnect = "30ms"));
    for (uint8_t i = 0; i < 3; i++) {
        int fd = stream_accept(listener);
        assert_true(stream_until(is_up));
        stream_write_frame(fd, 100, i);
        assert_true(peer_rig_until(&r, i + 1u));
        close(fd);
        assert_true(stream_until(is_down));
        stream_described(r.uplink, "it closed the connection");
    }
    assert_int_equal(stream_count_ports(r.uplink), 1);
    close(listener);
    peer_rig_finish(&r);
}

static void with_reconnect_never_it_stays_down(void **state)
{
    const char *address;
    (void)state;

    int listener = stream_listen(&address);
    stream_start(STREAM_OPTIONS(.connect = address, .reconnect = "never"));
    close(stream_accept(listener));
    assert_true(stream_until(is_up) || is_down());
    assert_true(stream_until(is_down));
    peer_rig_run(&r, 300); /* longer than the first wait */
    assert_true(is_down());
    stream_described(r.uplink, "was connected to");
    assert_int_equal(accept4(listener, NULL, NULL, SOCK_NONBLOCK), -1);
    close(listener);
    peer_rig_finish(&r);
}

static void a_peer_that_accepts_and_closes_is_not_asked_without_end(void **state)
{
    const char *address;
    unsigned n = 0;
    (void)state;

    int listener = stream_listen(&address);
    stream_start(STREAM_OPTIONS(.connect = address));
    for (unsigned i = 0; i < 1000; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd >= 0) {
            n++;
            close(fd);
        }
        peer_rig_run(&r, 1);
    }
    assert_in_range(n, 3, 4); /* at 0, 0.1, 0.3 and 0.7 s */
    close(listener);
    peer_rig_finish(&r);
}

static void frames_held_for_a_lost_peer_are_not_the_next_ones(void **state)
{
    const char *address;
    (void)state;

    int listener = stream_listen(&address);
    stream_start(STREAM_OPTIONS(.connect = address, .reconnect = "10ms"));
    int fd = stream_accept(listener);
    assert_true(stream_until(is_up));
    for (unsigned i = 0; i < 8000; i++)
        rig_send_at(r.talker, r.rig.sim.now + (i + 1) * 15 * NS_PER_US, 0xff, 1500, 1);
    peer_rig_run(&r, 130);
    assert_true(r.uplink->ports->port.held.n > 0);
    close(fd);
    fd = stream_accept(listener);
    peer_rig_run(&r, 20);
    assert_true(stream_until(is_up));
    stream_talk(100, 2);
    assert_int_equal(stream_read_frame(fd, frame), 100);
    assert_int_equal(frame[ETH_HLEN], 2);
    close(fd);
    close(listener);
    peer_rig_finish(&r);
}

/* --- inherited sockets --- */

static void a_connected_socket_can_be_inherited(void **state)
{
    char number[8];
    int pair[2];
    (void)state;

    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
    snprintf(number, sizeof(number), "%d", pair[1]);
    stream_start(STREAM_OPTIONS(.fd = number));
    assert_true(stream_until_peers(1));
    stream_write_frame(pair[0], 100, 1);
    assert_true(peer_rig_until(&r, 1));
    close(pair[0]);
    assert_true(stream_until(stream_has_no_port));
    peer_rig_finish(&r);
}

static void a_descriptor_that_another_link_has_is_one_sentence(void **state)
{
    const char *address;
    int pair[2], fds[2] = {-1, stream_listen(&address)};
    (void)state;

    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
    fds[0] = pair[1];
    for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
        struct err err = {0};
        char number[16];
        snprintf(number, sizeof(number), "%d", fds[i]);
        char *want =
            xasprintf("net.lua:3: fd = \"%d\": something else in this network has it", fds[i]);
        stream_start(STREAM_OPTIONS(.fd = number));
        assert_null(stream_create(&r.rig.sim, "again", STREAM_OPTIONS(.fd = number), &err));
        assert_int_equal(err.n, 1);
        assert_string_equal(err.texts[0], want);
        err_finish(&err);
        free(want);
        peer_rig_finish(&r);
    }
    close(pair[0]);
}

static void a_listening_socket_can_be_inherited_by_name(void **state)
{
    const char *address;
    char number[16];
    int listener = stream_listen(&address);
    (void)state;

    snprintf(number, sizeof(number), "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    snprintf(number, sizeof(number), "%d", listener - 3 + 1);
    setenv("LISTEN_FDS", number, 1);
    char names[200] = "";
    for (int i = 3; i < listener; i++)
        strcat(names, "x:");
    setenv("LISTEN_FDNAMES", strcat(names, "lan"), 1);
    stream_start(STREAM_OPTIONS(.fd = "lan"));
    assert_string_equal(stream_where(r.uplink), address);
    int fd = stream_connect();
    stream_write_frame(fd, 100, 1);
    assert_true(peer_rig_until(&r, 1));
    close(fd);
    peer_rig_finish(&r);
    stream_refused(STREAM_OPTIONS(.fd = "wan"),
                   "net.lua:3: fd = \"wan\": no descriptor of that name "
                   "was passed (LISTEN_FDNAMES, LISTEN_PID)");
    unsetenv("LISTEN_PID");
}

static void what_is_no_stream_socket_is_refused(void **state)
{
    char number[8];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    (void)state;

    snprintf(number, sizeof(number), "%d", fd);
    char *sentence = xasprintf("net.lua:3: fd = \"%s\": it is no stream socket that listens or is "
                               "connected",
                               number);
    stream_refused(STREAM_OPTIONS(.fd = number), sentence);
    free(sentence);
    close(fd);
    stream_refused(
        STREAM_OPTIONS(.fd = "900"),
        "net.lua:3: fd = \"900\": it is not open; whoever starts lanarium must leave it open");
}

/* --- two of ours --- */

static void two_links_in_one_process_join_two_lans(void **state)
{
    (void)state;

    stream_start_listening();
    struct vlan *far = vlan_create(&r.rig.sim, "far", VLAN_SWITCH);
    struct talker *friend = rig_talker(&r.rig, far);
    struct uplink *other =
        stream_start_another(STREAM_OPTIONS(.connect = stream_where(r.uplink)), far);
    assert_true(stream_until_peers(1));
    for (unsigned i = 0; i < 1000; i++) {
        rig_send_at(r.talker, r.rig.sim.now + (i + 1) * 20 * NS_PER_US, 0xff, 1000, (uint8_t)i);
        rig_send_at(friend, r.rig.sim.now + (i + 1) * 20 * NS_PER_US, 0xff, 1000, (uint8_t)i);
    }
    assert_true(peer_rig_until(&r, 1000));
    peer_rig_run(&r, 20);
    assert_int_equal(friend->n_seen, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(friend->seen[i].mark, (uint8_t)i);
        assert_int_equal(r.talker->seen[i].mark, (uint8_t)i);
    }
    uplink_destroy(other);
    assert_true(stream_until(stream_has_no_port));
    peer_rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_is_taken_is_one_sentence),
        cmocka_unit_test(a_unix_socket_left_over_is_replaced),
        cmocka_unit_test(a_unix_socket_in_use_and_a_file_are_left_alone),
        cmocka_unit_test(an_abstract_name_needs_no_file),
        cmocka_unit_test(it_connects_as_soon_as_somebody_listens),
        cmocka_unit_test(when_the_peer_is_lost_it_is_down_until_it_is_back),
        cmocka_unit_test(with_reconnect_never_it_stays_down),
        cmocka_unit_test(a_peer_that_accepts_and_closes_is_not_asked_without_end),
        cmocka_unit_test(frames_held_for_a_lost_peer_are_not_the_next_ones),
        cmocka_unit_test(a_connected_socket_can_be_inherited),
        cmocka_unit_test(a_descriptor_that_another_link_has_is_one_sentence),
        cmocka_unit_test(a_listening_socket_can_be_inherited_by_name),
        cmocka_unit_test(what_is_no_stream_socket_is_refused),
        cmocka_unit_test(two_links_in_one_process_join_two_lans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
