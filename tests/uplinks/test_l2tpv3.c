/* L2TPv3 links: headers byte for byte, and what is not ours, from a socket of the test's. */
#include "tests/uplinks/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "devices/uplinks/datagrams.h"
#include "devices/uplinks/l2tpv3.h"

static struct peer_rig r;
static int peer; /* the other end's socket */
static struct sockaddr_in ours;

static uint16_t udp_socket(int *fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    *fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_return_code(bind(*fd, (struct sockaddr *)&a, sizeof(a)), errno);
    getsockname(*fd, (struct sockaddr *)&a, &len);
    return ntohs(a.sin_port);
}

static struct uplink *create(struct l2tpv3_options o, struct err *err)
{
    o.file = "net.lua";
    o.line = 3;
    return l2tpv3_create(&r.rig.sim, "wire", &o, err);
}

/* A link over UDP to `peer`. */
static void start(struct l2tpv3_options o)
{
    struct err err = {0};
    int other;

    peer_rig_init(&r);
    o.src = o.dst = "127.0.0.1";
    o.udp = true;
    o.dstport = udp_socket(&peer);
    o.srcport = udp_socket(&other);
    close(other);
    ours = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)o.srcport),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct uplink *u = create(o, &err);
    if (!u)
        err_print(&err, stderr);
    assert_non_null(u);
    peer_rig_attach(&r, u);
}

static void finish(void)
{
    peer_rig_finish(&r);
    close(peer);
}

/* These bytes and then a frame, from the other end. */
static void send_behind(const void *header, size_t len, uint8_t mark)
{
    uint8_t bytes[400];

    memcpy(bytes, header, len);
    peer_frame(bytes + len, 100, mark);
    assert_int_equal(sendto(peer, bytes, len + 100, 0, (struct sockaddr *)&ours, sizeof(ours)),
                     len + 100);
}

static void assert_described(const char *part)
{
    char text[400] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    r.uplink->ops->describe(r.uplink, to);
    fclose(to);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_sent(const void *header, size_t len)
{
    uint8_t got[400];

    assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), len + 100);
    assert_memory_equal(got, header, len);
    assert_memory_equal(got + len, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\0\0", 14);
}

static void the_header_is_version_3_and_the_session(void **state)
{
    (void)state;

    start((struct l2tpv3_options){.txsession = 0x01020304, .rxsession = 0xfffefdfc});
    rig_send_at(r.talker, NS_PER_MS, 0xff, 100, 7);
    send_behind("\0\3\0\0\xff\xfe\xfd\xfc", 8, 42);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_sent("\0\3\0\0\1\2\3\4", 8);
    assert_int_equal(r.talker->seen[0].mark, 42);
    assert_int_equal(r.talker->seen[0].len, 100);
    finish();
}

static void cookie_counter_and_offset_stand_in_that_order(void **state)
{
    (void)state;

    start((struct l2tpv3_options){.txsession = 5,
                                  .cookies = true,
                                  .cookie64 = true,
                                  .txcookie = 0x0102030405060708,
                                  .rxcookie = 0x1112131415161718,
                                  .counter = true,
                                  .offset = 3});
    rig_send_at(r.talker, NS_PER_MS, 0xff, 100, 7);
    rig_send_at(r.talker, 2 * NS_PER_MS, 0xff, 100, 8);
    send_behind("\0\3\0\0\0\0\0\5\x11\x12\x13\x14\x15\x16\x17\x18\0\0\0\x09xyz", 23, 42);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_sent("\0\3\0\0\0\0\0\5\1\2\3\4\5\6\7\x08\0\0\0\1\0\0\0", 23);
    assert_sent("\0\3\0\0\0\0\0\5\1\2\3\4\5\6\7\x08\0\0\0\2\0\0\0", 23);
    assert_int_equal(r.talker->seen[0].mark, 42);
    finish();
}

static void a_pinned_counter_stays_0(void **state)
{
    (void)state;

    start((struct l2tpv3_options){.txsession = 5,
                                  .cookies = true,
                                  .txcookie = 0x01020304,
                                  .counter = true,
                                  .pincounter = true});
    rig_send_at(r.talker, NS_PER_MS, 0xff, 100, 7);
    rig_send_at(r.talker, 2 * NS_PER_MS, 0xff, 100, 8);
    peer_rig_run(&r, 5);
    for (int i = 0; i < 2; i++)
        assert_sent("\0\3\0\0\0\0\0\5\1\2\3\4\0\0\0\0", 16);
    finish();
}

static void what_is_not_ours_is_dropped_and_counted_each_for_itself(void **state)
{
    uint8_t frame[100] = {0};
    int stranger;
    (void)state;

    start((struct l2tpv3_options){.txsession = 5, .cookies = true, .rxcookie = 0x01020304});
    udp_socket(&stranger);
    sendto(stranger, frame, sizeof(frame), 0, (struct sockaddr *)&ours, sizeof(ours));
    send_behind("\0\3\0\0\0\0\0\6\1\2\3\4", 12, 1);   /* session */
    send_behind("\0\3\0\0\0\0\0\5\1\2\3\5", 12, 2);   /* cookie */
    send_behind("\x80\3\0\0\0\0\0\5\1\2\3\4", 12, 3); /* T: a control message */
    send_behind("\0\2\0\0\0\0\0\5\1\2\3\4", 12, 4);   /* version 2 */
    for (size_t len = 0; len < 12; len++)             /* half a header */
        sendto(peer, "\0\3\0\0\0\0\0\5\1\2\3\4", len, 0, (struct sockaddr *)&ours, sizeof(ours));
    for (size_t len = 12; len < 12 + ETH_HLEN; len++) { /* a header and less than a frame */
        uint8_t bytes[12 + ETH_HLEN] = "\0\3\0\0\0\0\0\5\1\2\3\4";
        sendto(peer, bytes, len, 0, (struct sockaddr *)&ours, sizeof(ours));
    }
    send_behind("\0\3\0\0\0\0\0\5\1\2\3\4", 12, 42);
    assert_true(peer_rig_until(&r, 1));
    peer_rig_run(&r, 5);
    assert_int_equal(r.talker->n_seen, 1);
    assert_int_equal(r.talker->seen[0].mark, 42);
    assert_int_equal(r.uplink->refused, ETH_HLEN);
    assert_described("other sessions 1, wrong cookies 1, control messages 1, malformed 13, "
                     "strangers' datagrams 1");
    finish();
    close(stranger);
}

static void random_datagrams_are_survived(void **state)
{
    uint8_t bytes[200];
    uint64_t seed = 4711;
    (void)state;

    start((struct l2tpv3_options){.txsession = 5, .counter = true, .offset = 100});
    for (int i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
        if (i & 1)
            memcpy(bytes, "\0\3\0\0\0\0\0\5", 8);
        sendto(peer, bytes, seed >> 32 & 127, 0, (struct sockaddr *)&ours, sizeof(ours));
        if (i % 50 == 0)
            peer_rig_run(&r, 1);
    }
    send_behind("\0\3\0\0\0\0\0\5\0\0\0\0"
                "0123456789012345678901234567890123456789012345678901234567890123456789"
                "012345678901234567890123456789",
                112, 42);
    peer_rig_run(&r, 20);
    assert_true(r.talker->n_seen > 0);
    assert_int_equal(r.talker->seen[r.talker->n_seen - 1].mark, 42);
    finish();
}

static void a_frame_that_does_not_fit_with_its_header_is_dropped(void **state)
{
    (void)state;

    start((struct l2tpv3_options){.txsession = 5, .offset = 1000});
    rig_send_at(r.talker, NS_PER_MS, 0xff, DATAGRAM_MAX_UDP - 1007, 1);
    rig_send_at(r.talker, 3 * NS_PER_MS, 0xff, DATAGRAM_MAX_UDP - 1008, 2);
    peer_rig_run(&r, 10);
    static uint8_t got[70000];
    assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), DATAGRAM_MAX_UDP);
    assert_described("too long 1");
    finish();
}

static void over_ip_a_link_needs_privilege_and_says_so(void **state)
{
    struct l2tpv3_options o = {.src = "127.0.0.1", .dst = "127.0.0.1", .txsession = 5};
    struct err err = {0};
    (void)state;

    if (geteuid() != 0)
        skip();
    peer_rig_init(&r);
    assert_return_code(seteuid(65534), errno);
    assert_null(create(o, &err));
    assert_return_code(seteuid(0), errno);
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0],
                        "net.lua:3: L2TPv3 over IP needs the privilege to open raw sockets: run it "
                        "as root, give the program CAP_NET_RAW, or use udp = true");
    err_finish(&err);
    peer_rig_finish(&r);
}

static void over_ip(bool ipv6)
{
    struct err err = {0};
    const char *a = ipv6 ? "::1" : "127.0.0.1", *b = ipv6 ? "::1" : "127.0.0.2";

    if (geteuid() != 0)
        skip();
    peer_rig_init(&r);
    struct uplink *one = create(
        (struct l2tpv3_options){.src = a, .dst = b, .ipv6 = ipv6, .txsession = 5, .rxsession = 6},
        &err);
    struct uplink *two = create(
        (struct l2tpv3_options){.src = b, .dst = a, .ipv6 = ipv6, .txsession = 6, .rxsession = 5},
        &err);
    if (!one || !two)
        err_print(&err, stderr);
    assert_true(one && two);
    peer_rig_attach(&r, one);
    struct vlan *v = vlan_create(&r.rig.sim, "other", VLAN_SWITCH);
    struct talker *t = rig_talker(&r.rig, v);
    uplink_attach(two, v, &v->link);
    rig_send_at(t, NS_PER_MS, 0xff, 1514, 9);
    assert_true(peer_rig_until(&r, 1));
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 60, 10);
    peer_rig_run(&r, 10);
    assert_int_equal(r.talker->seen[0].mark, 9);
    assert_int_equal(r.talker->seen[0].len, 1514);
    assert_int_equal(t->n_seen, 1);
    assert_int_equal(t->seen[0].mark, 10);
    assert_int_equal(t->seen[0].len, 60);
    uplink_destroy(two);
    peer_rig_finish(&r);
}

static void two_links_over_ipv4_hear_each_other(void **state)
{
    (void)state;
    over_ip(false);
}

static void two_links_over_ipv6_hear_each_other(void **state)
{
    (void)state;
    over_ip(true);
}

static void a_port_that_is_taken_is_one_sentence(void **state)
{
    struct err err = {0};
    char want[128];
    (void)state;

    peer_rig_init(&r);
    uint16_t port = udp_socket(&peer);
    assert_null(create((struct l2tpv3_options){.src = "127.0.0.1",
                                               .dst = "127.0.0.1",
                                               .udp = true,
                                               .srcport = port,
                                               .dstport = 9,
                                               .txsession = 1},
                       &err));
    snprintf(want, sizeof(want),
             "net.lua:3: cannot bind 127.0.0.1:%u: Address already in use; another program has it",
             port);
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], want);
    err_finish(&err);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_version_3_and_the_session),
        cmocka_unit_test(cookie_counter_and_offset_stand_in_that_order),
        cmocka_unit_test(a_pinned_counter_stays_0),
        cmocka_unit_test(what_is_not_ours_is_dropped_and_counted_each_for_itself),
        cmocka_unit_test(random_datagrams_are_survived),
        cmocka_unit_test(a_frame_that_does_not_fit_with_its_header_is_dropped),
        cmocka_unit_test(over_ip_a_link_needs_privilege_and_says_so),
        cmocka_unit_test(two_links_over_ipv4_hear_each_other),
        cmocka_unit_test(two_links_over_ipv6_hear_each_other),
        cmocka_unit_test(a_port_that_is_taken_is_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
