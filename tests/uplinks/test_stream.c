/* Stream links: the test's own sockets are the peers, on loopback; some are hostile, some are slow.
 */
#include "tests/uplinks/stream_rig.h"

#include "devices/uplinks/stream_frame.h"
#include "sim/offload.h"

static uint8_t frame[70000];

/* --- frames --- */

static void frames_pass_both_ways_byte_for_byte(void **state)
{
    uint8_t sent[1514];
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    assert_true(stream_until_peers(1));
    stream_write_frame(fd, 1514, 7);
    assert_true(peer_rig_until(&r, 1));
    assert_int_equal(r.talker->seen[0].mark, 7);
    assert_int_equal(r.talker->seen[0].len, 1514);
    stream_talk(1514, 9);
    assert_int_equal(stream_read_frame(fd, frame), 1514);
    memset(sent, 0, sizeof(sent));
    memset(sent, 0xff, ETH_ALEN);
    memcpy(sent + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, 1, 0, 0, 9}, 9);
    assert_memory_equal(frame, sent, sizeof(sent));
    close(fd);
    peer_rig_finish(&r);
}

static void each_peer_has_a_port_of_its_own(void **state)
{
    (void)state;

    stream_start_listening();
    int a = stream_connect(), b = stream_connect();
    assert_true(stream_until_peers(2));
    assert_int_equal(stream_count_ports(r.uplink), 2);
    stream_write_frame(a, 100, 1);
    assert_true(peer_rig_until(&r, 1));
    assert_int_equal(stream_read_frame(b, frame), 100);
    assert_int_equal(recv(a, frame, 1, MSG_DONTWAIT), -1); /* not its own */
    stream_described(r.uplink, "peers: 2 of 256");
    close(a);
    assert_true(stream_until_peers(1));
    stream_write_frame(b, 100, 2);
    assert_true(peer_rig_until(&r, 2));
    close(b);
    peer_rig_finish(&r);
}

static void what_a_peer_sent_before_it_closed_arrives(void **state)
{
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    for (uint8_t i = 0; i < 50; i++)
        stream_write_frame(fd, 1000, i);
    close(fd);
    assert_true(peer_rig_until(&r, 50));
    assert_true(stream_until(stream_has_no_port));
    for (uint8_t i = 0; i < 50; i++)
        assert_int_equal(r.talker->seen[i].mark, i);
    peer_rig_finish(&r);
}

static void many_frames_in_one_write_are_many_frames(void **state)
{
    uint8_t *bytes = xmalloc(2000 * 104);
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    assert_true(stream_until_peers(1));
    for (unsigned i = 0; i < 2000; i++) {
        store_be32(bytes + i * 104, 100);
        peer_frame(bytes + i * 104 + 4, 100, (uint8_t)i);
    }
    stream_write(fd, bytes, 2000 * 104);
    assert_true(peer_rig_until(&r, 2000));
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(r.talker->seen[i].mark, (uint8_t)i);
    free(bytes);
    close(fd);
    peer_rig_finish(&r);
}

static void runts_and_giants_are_no_reason_to_leave(void **state)
{
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    stream_write_frame(fd, STREAM_MAX_LEN, 1);
    uint8_t runt[5] = {0, 0, 0, 1, 0};
    stream_write(fd, runt, sizeof(runt));
    stream_write_frame(fd, 20, 3);
    assert_true(peer_rig_until(&r, 1));
    assert_int_equal(r.talker->seen[0].mark, 3);
    assert_int_equal(r.talker->seen[0].len, FRAME_MIN_WIRE);
    assert_int_equal(r.uplink->refused, 2);
    close(fd);
    peer_rig_finish(&r);
}

/* A request to cut 3,000 bytes of TCP into pieces of 1,000. */
static struct frame *make_request(void)
{
    struct frame *f = frame_new(54 + 3000);

    f->len = 54 + 3000;
    memset(f->data, 0, f->len);
    memset(f->data, 0xff, ETH_ALEN);
    memcpy(f->data + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, 1, 8, 0, 0x45}, 9);
    store_be16(f->data + 16, 3040);
    f->data[22] = 64;
    f->data[23] = 6;
    f->data[46] = 5 << 4;
    f->offload = (struct frame_offload){.needs_csum = true,
                                        .csum_start = 34,
                                        .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV4,
                                        .gso_size = 1000,
                                        .hdr_len = 54};
    return f;
}

static void send_request(struct talker *t, struct frame *f)
{
    (void)f;
    port_send(&t->port, make_request());
}

static void an_offload_request_leaves_as_finished_packets(void **state)
{
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    assert_true(stream_until_peers(1));
    r.talker->on_rx = send_request;
    stream_write_frame(fd, 60, 1);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(stream_read_frame(fd, frame), 1054);
        assert_int_equal(load_be32(frame + 38), i * 1000);
        assert_int_equal(inet_fold(inet_sum(0, frame + ETH_HLEN, 20)), 0); /* RFC 1071 */
    }
    close(fd);
    peer_rig_finish(&r);
}

/* --- peers that do harm --- */

/* Two peers; one sends this and is closed, the other goes on. */
static void assert_closes(const void *bytes, size_t len, const char *why)
{
    stream_start_listening();
    int good = stream_connect(), bad = stream_connect();
    assert_true(stream_until_peers(2));
    stream_write(bad, bytes, len);
    assert_true(stream_closed(bad));
    assert_true(stream_until_peers(1));
    stream_described(r.uplink, why);
    stream_described(r.uplink, "of these for impossible frames: 1");
    stream_write_frame(good, 100, 5);
    assert_true(peer_rig_until(&r, 1));
    close(good);
    close(bad);
    peer_rig_finish(&r);
}

static void a_length_of_zero_closes_that_peer_at_once(void **state)
{
    (void)state;
    assert_closes("\0\0\0\0", 4, "it announced a frame of 0 bytes, which is outside 1..69632");
}

static void a_length_too_large_closes_that_peer_at_once(void **state)
{
    (void)state;
    assert_closes("\0\1\x10\1", 4, "it announced a frame of 69633 bytes");
    assert_closes("\xff\xff\xff\xff", 4, "it announced a frame of 4294967295 bytes");
}

static void garbage_closes_that_peer_at_once(void **state)
{
    (void)state;
    assert_closes("GET / HTTP/1.1\r\n\r\n", 18, "it announced a frame of 1195725856 bytes");
}

/* A peer that sends this and goes. */
static void assert_leaves(const void *bytes, size_t len, const char *why)
{
    stream_start_listening();
    int fd = stream_connect();
    stream_write(fd, bytes, len);
    assert_true(stream_until_peers(1));
    close(fd);
    assert_true(stream_until(stream_has_no_port));
    stream_described(r.uplink, why);
    assert_int_equal(r.talker->n_seen, 0);
    peer_rig_finish(&r);
}

static void half_a_length_and_then_the_end_is_a_loss(void **state)
{
    (void)state;
    assert_leaves("\0\0", 2, "it closed the connection in the middle of a frame");
}

static void a_peer_killed_in_the_middle_of_a_frame_leaves_nothing_of_it(void **state)
{
    (void)state;
    assert_leaves("\0\0\5\xdcxxxxxxxxxxxxxxxxxx", 22, "in the middle of a frame");
    assert_leaves("", 0, "it closed the connection");
}

static void a_reset_is_a_loss_that_says_so(void **state)
{
    struct linger abort = {.l_onoff = 1};
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    assert_true(stream_until_peers(1));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    close(fd);
    assert_true(stream_until(stream_has_no_port));
    stream_described(r.uplink, "Connection reset by peer");
    peer_rig_finish(&r);
}

static void one_byte_at_a_time_is_a_frame_in_the_end(void **state)
{
    uint8_t bytes[64];
    (void)state;

    stream_start_listening();
    int silent = stream_connect(), fd = stream_connect();
    store_be32(bytes, 60);
    peer_frame(bytes + 4, 60, 3);
    for (int i = 0; i < 64; i++) {
        stream_write(fd, bytes + i, 1);
        assert_int_equal(r.talker->n_seen, 0);
        peer_rig_run(&r, 1);
    }
    assert_true(peer_rig_until(&r, 1));
    close(fd);
    close(silent);
    peer_rig_finish(&r);
}

/* --- peers that do not read --- */

/* 4,000 frames of 1,500 bytes: more than the socket, the peer's queue and its port's hold. */
static void talk_much(void)
{
    for (unsigned i = 0; i < 4000; i++)
        rig_send_at(r.talker, r.rig.sim.now + (i + 1) * 15 * NS_PER_US, 0xff, 1500, (uint8_t)i);
}

/* Frames in order, whole: how many, until none comes while the link runs for 20 ms. */
static unsigned read_what_is_there(int fd)
{
    unsigned n = 0, quiet = 0;
    uint8_t byte;

    while (quiet < 20) {
        if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1) {
            assert_int_equal(stream_read_frame(fd, frame), 1500);
            n++;
            quiet = 0;
        } else {
            peer_rig_run(&r, 1);
            quiet++;
        }
    }
    return n;
}

static void a_peer_that_does_not_read_harms_only_itself(void **state)
{
    (void)state;

    stream_choose_path();
    stream_start(STREAM_OPTIONS(.listen = stream_unix_address));
    int slow = stream_connect_unix();
    assert_true(stream_until_peers(1));
    struct uplink_port *slow_port = r.uplink->ports;
    int quick = stream_connect_unix();
    assert_true(stream_until_peers(2));
    talk_much();
    assert_int_equal(read_what_is_there(quick), 4000);
    uint64_t dropped = slow_port->port.stats.drops[DROP_HELD];
    assert_in_range(dropped, 1000, 3000);
    assert_int_equal(port_dropped(&slow_port->port), dropped);
    assert_int_equal(slow_port->port.held.n, PORT_MAX_HELD);

    /* When it reads again it gets all that was kept, and what comes from then on. */
    assert_int_equal(read_what_is_there(slow), 4000 - dropped);
    stream_talk(1500, 9);
    assert_int_equal(read_what_is_there(slow), 1);
    assert_int_equal(frame[ETH_HLEN], 9);
    close(slow);
    close(quick);
    peer_rig_finish(&r);
}

static void a_peer_that_goes_takes_what_waited_for_it_along(void **state)
{
    (void)state;

    stream_choose_path();
    stream_start(STREAM_OPTIONS(.listen = stream_unix_address));
    int fd = stream_connect_unix();
    assert_true(stream_until_peers(1));
    talk_much();
    peer_rig_run(&r, 70);
    close(fd);
    assert_true(stream_until(stream_has_no_port));
    peer_rig_finish(&r);
}

static void a_link_that_is_slow_inside_does_not_read_on(void **state)
{
    struct link slow = {LINK_DEFAULT_DELAY, 100000000, 30000};
    (void)state;

    stream_start_listening();
    int fd = stream_connect();
    uplink_attach(r.uplink, r.vlan, &slow);
    uint8_t bytes[1504];
    store_be32(bytes, 1500);
    peer_frame(bytes + 4, 1500, 1);
    for (unsigned n = 0; n < 3000; n++) { /* 4.5 MB, which take 360 ms */
        stream_write(fd, bytes, sizeof(bytes));
        const struct uplink_port *p = r.uplink->ports;
        assert_true(!p || p->received.bytes + p->admitted.bytes < UPLINK_MAX_QUEUED + (260u << 10));
    }
    assert_true(peer_rig_until(&r, 3000));
    assert_int_equal(port_dropped(&r.uplink->ports->port), 0);
    close(fd);
    peer_rig_finish(&r);
}

/* --- storms --- */

static void a_storm_of_peers_leaks_nothing(void **state)
{
    (void)state;

    stream_start_listening();
    peer_rig_run(&r, 1);
    unsigned before = stream_count_fds();
    for (unsigned i = 0; i < 1000; i++) {
        int fd = stream_connect();
        stream_write(fd, "\0\0\5\xdcxxx", i % 8);
        close(fd);
        if (i % 10 == 0)
            peer_rig_run(&r, 1);
        assert_true(stream_count_ports(r.uplink) <= 256);
    }
    assert_true(stream_until(stream_has_no_port));
    peer_rig_run(&r, 5);
    assert_true(stream_until(stream_has_no_port));
    assert_int_equal(stream_count_fds(), before);
    stream_write_frame(before = (unsigned)stream_connect(), 100, 1);
    assert_true(peer_rig_until(&r, 1));
    close((int)before);
    peer_rig_finish(&r);
}

static void peers_beyond_the_maximum_are_refused_and_counted(void **state)
{
    int fd[3];
    (void)state;

    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0", .max_peers = 2));
    for (int i = 0; i < 2; i++)
        fd[i] = stream_connect();
    assert_true(stream_until_peers(2));
    fd[2] = stream_connect();
    assert_true(stream_closed(fd[2]));
    assert_int_equal(stream_peers(r.uplink), 2);
    stream_described(r.uplink, "peers: 2 of 2, refused for want of room: 1");
    close(fd[0]);
    assert_true(stream_until_peers(1));
    close(fd[2]);
    fd[2] = stream_connect();
    assert_true(stream_until_peers(2));
    close(fd[1]);
    close(fd[2]);
    peer_rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_pass_both_ways_byte_for_byte),
        cmocka_unit_test(each_peer_has_a_port_of_its_own),
        cmocka_unit_test(what_a_peer_sent_before_it_closed_arrives),
        cmocka_unit_test(many_frames_in_one_write_are_many_frames),
        cmocka_unit_test(runts_and_giants_are_no_reason_to_leave),
        cmocka_unit_test(an_offload_request_leaves_as_finished_packets),
        cmocka_unit_test(a_length_of_zero_closes_that_peer_at_once),
        cmocka_unit_test(a_length_too_large_closes_that_peer_at_once),
        cmocka_unit_test(garbage_closes_that_peer_at_once),
        cmocka_unit_test(half_a_length_and_then_the_end_is_a_loss),
        cmocka_unit_test(a_peer_killed_in_the_middle_of_a_frame_leaves_nothing_of_it),
        cmocka_unit_test(a_reset_is_a_loss_that_says_so),
        cmocka_unit_test(one_byte_at_a_time_is_a_frame_in_the_end),
        cmocka_unit_test(a_peer_that_does_not_read_harms_only_itself),
        cmocka_unit_test(a_peer_that_goes_takes_what_waited_for_it_along),
        cmocka_unit_test(a_link_that_is_slow_inside_does_not_read_on),
        cmocka_unit_test(a_storm_of_peers_leaks_nothing),
        cmocka_unit_test(peers_beyond_the_maximum_are_refused_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
