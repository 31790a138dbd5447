/* Datagram links: the test's own sockets are the other ends, on loopback. */
#include "tests/uplinks/dgram_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "sim/offload.h"

#define GROUP "230.0.0.77"

/* --- other ends --- */

static struct sockaddr_in inet_at(const char *host, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

/* A UDP socket on a port of the kernel's choice. */
static int udp_socket(uint16_t *port)
{
    struct sockaddr_in a = inet_at("127.0.0.1", 0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

static struct sockaddr_in own_address(void)
{
    char *text = dgram_address(r.uplink);
    struct sockaddr_in a = inet_at("127.0.0.1", (uint16_t)atoi(strchr(text, ':') + 1));

    free(text);
    return a;
}

static void send_from(int fd, const void *bytes, size_t len)
{
    struct sockaddr_in to = own_address();

    assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
}

/* A link to a UDP socket of the test's. */
static int start_udp(bool from_anyone)
{
    uint16_t port;
    int fd = udp_socket(&port);

    snprintf(dgram_remote, sizeof(dgram_remote), "127.0.0.1:%u", port);
    dgram_start(&(struct dgram_options){
        .remote = dgram_remote, .localaddr = "127.0.0.1:0", .from_anyone = from_anyone});
    return fd;
}

/* --- UDP --- */

static void a_frame_is_a_datagram_both_ways_byte_for_byte(void **state)
{
    uint8_t frame[1514], got[2000];
    int fd = start_udp(false);
    (void)state;

    peer_frame(frame, sizeof(frame), 42);
    send_from(fd, frame, sizeof(frame));
    rig_send_at(r.talker, NS_PER_MS, 0xff, 200, 7);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(r.talker->seen[0].mark, 42);
    assert_int_equal(r.talker->seen[0].len, sizeof(frame));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 200);
    assert_memory_equal(got, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\0\0\x07\0", 16);
    dgram_described("remote=127.0.0.1:");
    peer_rig_finish(&r);
    close(fd);
}

static void what_could_not_be_a_frame_is_refused_and_counted(void **state)
{
    uint8_t bytes[100] = {0};
    int fd = start_udp(false);
    (void)state;

    send_from(fd, bytes, 0);
    send_from(fd, bytes, ETH_HLEN - 1);
    peer_frame(bytes, sizeof(bytes), 3);
    send_from(fd, bytes, ETH_HLEN + 1); /* a runt: padded */
    assert_true(peer_rig_until(&r, 1));
    assert_int_equal(r.talker->seen[0].len, FRAME_MIN_WIRE);
    assert_int_equal(r.uplink->refused, 2);
    dgram_described("refused 2");
    peer_rig_finish(&r);
    close(fd);
}

static void a_strangers_datagrams_are_dropped_unless_anyone_may_send(void **state)
{
    (void)state;

    for (int anyone = 0; anyone < 2; anyone++) {
        uint8_t frame[100];
        uint16_t port;
        int stranger = udp_socket(&port), fd = start_udp(anyone);
        peer_frame(frame, sizeof(frame), 1);
        send_from(stranger, frame, sizeof(frame));
        peer_frame(frame, sizeof(frame), 2);
        send_from(fd, frame, sizeof(frame));
        assert_true(peer_rig_until(&r, 1 + (unsigned)anyone));
        assert_int_equal(r.talker->seen[0].mark, anyone ? 1 : 2);
        if (!anyone)
            dgram_described("strangers' datagrams 1");
        peer_rig_finish(&r);
        close(stranger);
        close(fd);
    }
}

static void a_burst_larger_than_one_reading_enters_whole_and_in_order(void **state)
{
    enum { N = 300 }; /* which the smallest buffers hold */
    uint8_t frame[60];
    int fd = start_udp(false);
    (void)state;

    for (unsigned i = 0; i < N; i++) {
        peer_frame(frame, sizeof(frame), (uint8_t)i);
        send_from(fd, frame, sizeof(frame));
    }
    assert_true(peer_rig_until(&r, N));
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(r.talker->seen[i].mark, (uint8_t)i);
    peer_rig_finish(&r);
    close(fd);
}

static void a_port_that_is_taken_is_one_sentence(void **state)
{
    struct err err = {0};
    uint16_t port;
    int fd = udp_socket(&port);
    char want[256];
    (void)state;

    peer_rig_init(&r);
    snprintf(dgram_localaddr, sizeof(dgram_localaddr), "127.0.0.1:%u", port);
    snprintf(want, sizeof(want),
             "net.lua:3: cannot bind %s: Address already in use; another program has it",
             dgram_localaddr);
    assert_null(dgram_make(
        &(struct dgram_options){.remote = "127.0.0.1:9", .localaddr = dgram_localaddr}, &err));
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], want);
    err_finish(&err);
    peer_rig_finish(&r);
    close(fd);
}

static void a_frame_that_no_datagram_can_hold_is_dropped_and_counted(void **state)
{
    uint8_t got[100];
    int fd = start_udp(false);
    (void)state;

    rig_send_at(r.talker, NS_PER_MS, 0xff, DATAGRAM_MAX_UDP + 1, 7);
    rig_send_at(r.talker, 2 * NS_PER_MS, 0xff, 100, 8);
    peer_rig_run(&r, 5);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 100);
    assert_int_equal(dgram_base()->too_long, 1);
    assert_int_equal(r.uplink->ports->port.stats.drops[DROP_REFUSED], 1);
    peer_rig_finish(&r);
    close(fd);
}

/* TCP over IPv4 with 3000 bytes, to be sent in segments of 1000. */
static void send_request(struct event *ev, vtime_t now)
{
    struct frame *f = frame_new(54 + 3000);
    (void)ev;
    (void)now;

    memset(f->data, 0, f->cap);
    f->len = 54 + 3000;
    memset(f->data, 0xff, ETH_ALEN);
    f->data[11] = 1;
    f->data[12] = 8; /* IPv4 */
    f->data[14] = 0x45;
    f->data[16] = (40 + 3000) >> 8;
    f->data[17] = (40 + 3000) & 0xff;
    f->data[22] = 64;
    f->data[23] = 6;
    f->data[46] = 0x50;
    f->offload = (struct frame_offload){.needs_csum = true,
                                        .csum_start = 34,
                                        .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV4,
                                        .gso_size = 1000,
                                        .hdr_len = 54};
    port_send(&r.talker->port, f);
}

static void a_request_to_segment_is_carried_out(void **state)
{
    uint8_t got[4000];
    struct event ev;
    int fd = start_udp(false);
    (void)state;

    event_init(&r.talker->actor.events, &ev, send_request);
    evq_arm(&r.talker->actor.events, &ev, NS_PER_MS);
    actor_due_changed(&r.talker->actor);
    peer_rig_run(&r, 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 1054);
        assert_int_equal(got[38 + 2] << 8 | got[38 + 3], i * 1000); /* the sequence number */
        assert_int_equal(inet_fold(inet_sum(0, got + 14, 20)), 0);
    }
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    peer_rig_finish(&r);
    close(fd);
}

/* --- groups --- */

/* As QEMU does it: one socket for both, bound to the group. */
static int member_socket(uint16_t port)
{
    struct sockaddr_in a = inet_at(GROUP, port);
    struct ip_mreq join = {a.sin_addr, {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    assert_return_code(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)), errno);
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface, sizeof(join.imr_interface));
    return fd;
}

static void a_member_hears_others_on_its_host_and_not_itself(void **state)
{
    uint8_t frame[100], got[200];
    uint16_t port;
    (void)state;

    close(udp_socket(&port));
    int fd = member_socket(port);
    struct sockaddr_in group = inet_at(GROUP, port);
    snprintf(dgram_remote, sizeof(dgram_remote), GROUP ":%u", port);
    dgram_start(&(struct dgram_options){.mcast = dgram_remote, .localaddr = "127.0.0.1"});
    peer_frame(frame, sizeof(frame), 5);
    assert_int_equal(sendto(fd, frame, 100, 0, (struct sockaddr *)&group, sizeof(group)), 100);
    rig_send_at(r.talker, NS_PER_MS, 0xff, 150, 7);
    rig_send_at(r.talker, NS_PER_MS, 0xff, 160, 8);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(r.talker->n_seen, 1);
    assert_int_equal(r.talker->seen[0].mark, 5);
    dgram_described("own frames heard 2");
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 100); /* its own */
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 150);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 160);
    peer_rig_finish(&r);
    close(fd);
}

static void two_links_to_one_group_hear_each_other(void **state)
{
    struct err err = {0};
    uint16_t port;
    (void)state;

    close(udp_socket(&port));
    snprintf(dgram_remote, sizeof(dgram_remote), GROUP ":%u", port);
    struct dgram_options o = {.mcast = dgram_remote, .localaddr = "127.0.0.1"};
    dgram_start(&o);
    struct uplink *other = dgram_make(&o, &err);
    struct vlan *v = vlan_create(&r.rig.sim, "other", VLAN_SWITCH);
    struct talker *t = rig_talker(&r.rig, v);
    assert_non_null(other);
    uplink_attach(other, v, &v->link);
    rig_send_at(t, NS_PER_MS, 0xff, 100, 9);
    assert_true(peer_rig_until(&r, 1));
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 100, 10);
    peer_rig_run(&r, 20);
    assert_int_equal(r.talker->n_seen, 1);
    assert_int_equal(t->n_seen, 1);
    assert_int_equal(t->seen[0].mark, 10);
    uplink_destroy(other);
    peer_rig_finish(&r);
}

/* --- descriptors --- */

/* The link closes it. */
static void start_fd(int fd)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", fd);
    dgram_start(&(struct dgram_options){.fd = text});
}

static void a_descriptor_of_someone_elses_is_used(void **state)
{
    uint8_t frame[100], got[200];
    int pair[2];
    (void)state;

    assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), errno);
    start_fd(pair[0]);
    peer_frame(frame, sizeof(frame), 6);
    assert_int_equal(write(pair[1], frame, 100), 100);
    rig_send_at(r.talker, NS_PER_MS, 0xff, 150, 7);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(recv(pair[1], got, sizeof(got), MSG_DONTWAIT), 150);
    peer_rig_finish(&r);
    close(pair[1]);
}

static void a_refused_connection_is_counted_and_survived(void **state)
{
    uint8_t got[200];
    uint16_t port;
    (void)state;

    close(udp_socket(&port));
    struct sockaddr_in to = inet_at("127.0.0.1", port);
    int ours = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(connect(ours, (struct sockaddr *)&to, sizeof(to)), errno);
    start_fd(ours);
    for (unsigned i = 1; i <= 100; i++)
        rig_send_at(r.talker, i * NS_PER_MS / 4, 0xff, 100, 1);
    peer_rig_run(&r, 30);
    assert_true(dgram_base()->errors + dgram_base()->unreachable > 10);
    assert_true(r.uplink->ports->carrier);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&to, sizeof(to)), errno);
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 110, 2);
    peer_rig_run(&r, 5);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 110);
    peer_rig_finish(&r);
    close(fd);
}

static void a_descriptor_that_is_no_datagram_socket_is_one_sentence(void **state)
{
    struct err err = {0};
    int pair[2];
    char want[64], text[16];
    (void)state;

    peer_rig_init(&r);
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
    snprintf(text, sizeof(text), "%d", pair[0]);
    snprintf(want, sizeof(want), "net.lua:3: fd = \"%s\": it is no datagram socket", text);
    assert_null(dgram_make(&(struct dgram_options){.fd = text}, &err));
    assert_null(dgram_make(&(struct dgram_options){.fd = "no-such-name"}, &err));
    assert_int_equal(err.n, 2);
    assert_string_equal(err.texts[0], want);
    err_finish(&err);
    peer_rig_finish(&r);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_a_datagram_both_ways_byte_for_byte),
        cmocka_unit_test(what_could_not_be_a_frame_is_refused_and_counted),
        cmocka_unit_test(a_strangers_datagrams_are_dropped_unless_anyone_may_send),
        cmocka_unit_test(a_burst_larger_than_one_reading_enters_whole_and_in_order),
        cmocka_unit_test(a_port_that_is_taken_is_one_sentence),
        cmocka_unit_test(a_frame_that_no_datagram_can_hold_is_dropped_and_counted),
        cmocka_unit_test(a_request_to_segment_is_carried_out),
        cmocka_unit_test(a_member_hears_others_on_its_host_and_not_itself),
        cmocka_unit_test(two_links_to_one_group_hear_each_other),
        cmocka_unit_test(a_descriptor_of_someone_elses_is_used),
        cmocka_unit_test(a_refused_connection_is_counted_and_survived),
        cmocka_unit_test(a_descriptor_that_is_no_datagram_socket_is_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
