/* The user-mode stack on virtual time, spoken to in raw frames; and its options. */
#include "tests/sim/rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/uplinks/uplink.h"
#include "devices/uplinks/user.h"
#include "sim/offload.h"

static struct rig rig;
static struct talker *client;
static struct uplink *stack;
static struct vlan *vlan;

/* The last UDP datagram and ARP reply that the client saw. */
static uint8_t udp[2048];
static uint32_t udp_len;
static unsigned n_udp, n_arp_replies, n_echo_replies, n_syn;
static char tftp_dir[] = "/tmp/lanarium-tftp-XXXXXX";

static void note(struct talker *t, struct frame *f)
{
    const uint8_t *p = f->data;
    uint16_t type = load_be16(p + 12);
    (void)t;

    if (type == 0x0806 && load_be16(p + 20) == 2)
        n_arp_replies++;
    if (type != 0x0800)
        return;
    if (p[23] == 17) {
        udp_len = load_be16(p + 38) - 8u;
        memcpy(udp, p + 42, udp_len);
        n_udp++;
    } else if (p[23] == 1 && p[34] == 0) {
        n_echo_replies++;
    } else if (p[23] == 6 && (p[47] & 0x12) == 2) {
        n_syn++;
    }
}

static void start(const struct user_options *o)
{
    struct err err = {0};

    rig_init(&rig, NULL);
    vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    client = rig_talker(&rig, vlan);
    client->on_rx = note;
    stack = user_create(&rig.sim, "gw", o, &err);
    if (!stack)
        err_print(&err, stderr);
    assert_non_null(stack);
    uplink_attach(stack, vlan, &vlan->link);
    n_udp = n_arp_replies = n_echo_replies = n_syn = 0;
}

static void finish(void)
{
    uplink_destroy(stack);
    rig_finish(&rig);
}

/* Send an IPv4 packet of the client's; `dst` on the wire is broadcast. */
static void send_ip(uint32_t src, uint32_t dst, uint8_t proto, const void *payload, uint32_t len)
{
    struct frame *f = frame_new(34 + len + 60);
    uint8_t *p = f->data;

    memset(p, 0, f->cap);
    memset(p, 0xff, 6);
    memcpy(p + 6, (uint8_t[]){2, 0, 0, 0, 0, client->number}, 6);
    store_be16(p + 12, 0x0800);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(20 + len));
    p[22] = 64;
    p[23] = proto;
    store_be32(p + 26, src);
    store_be32(p + 30, dst);
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    memcpy(p + 34, payload, len);
    f->len = 34 + len;
    frame_pad(f);
    client->actor.now = rig.sim.now;
    port_send(&client->port, f);
    rig_send_at(client, rig.sim.now, 0x77, 60, 0); /* something due, so that it is collected */
    sim_run(&rig.sim, rig.sim.now + NS_PER_MS);
}

static void send_udp(uint32_t src, uint32_t dst, uint16_t from, uint16_t to, const void *payload,
                     uint32_t len)
{
    uint8_t b[2048] = {0};

    store_be16(b, from);
    store_be16(b + 2, to);
    store_be16(b + 4, (uint16_t)(8 + len));
    memcpy(b + 8, payload, len);
    send_ip(src, dst, 17, b, 8 + len);
}

#define ROUTER 0x0a000202u
#define CLIENT 0x0a00020fu

static void dhcp(uint8_t type, uint32_t requested)
{
    uint8_t b[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};

    memcpy(b + 28, (uint8_t[]){2, 0, 0, 0, 0, client->number}, 6);
    store_be32(b + 236, 0x63825363);
    uint8_t *o = b + 240;
    memcpy(o, (uint8_t[]){53, 1, type}, 3);
    o += 3;
    if (requested) {
        memcpy(o, (uint8_t[]){50, 4}, 2);
        store_be32(o + 2, requested);
        o += 6;
    }
    *o = 255;
    send_udp(0, 0xffffffff, 68, 67, b, sizeof(b));
}

static void get_address(void)
{
    dhcp(1, 0);
    assert_int_equal(n_udp, 1);
    assert_int_equal(load_be32(udp + 16), CLIENT);
    assert_int_equal(udp[240 + 2], 2); /* offer */
    dhcp(3, CLIENT);
    assert_int_equal(n_udp, 2);
    assert_int_equal(udp[240 + 2], 5); /* ack */
}

static void dhcp_leases_the_first_address_and_the_network_stays_closed(void **state)
{
    (void)state;
    start(&(struct user_options){0});
    get_address();
    assert_int_equal(rig.sim.n_live, 0);
    /* Closed: an hour of virtual time needs no hour. */
    assert_int_equal(sim_run(&rig.sim, 3600 * NS_PER_SEC), SIM_REACHED);
    finish();
}

static void another_network_can_be_asked_for(void **state)
{
    (void)state;
    start(&(struct user_options){.net = "192.168.7.0/24", .dhcpstart = "192.168.7.100"});
    dhcp(1, 0);
    assert_int_equal(load_be32(udp + 16), 0xc0a80764);
    finish();
}

static void the_router_answers_echo_requests(void **state)
{
    uint8_t echo[64] = {8};
    (void)state;
    start(&(struct user_options){0});
    get_address();
    store_be16(echo + 2, inet_fold(inet_sum(0, echo, sizeof(echo))));
    send_ip(CLIENT, ROUTER, 1, echo, sizeof(echo));
    assert_int_equal(n_echo_replies, 1);
    finish();
}

static void make_tftp_dir(void)
{
    char path[64];

    assert_non_null(mkdtemp(tftp_dir));
    snprintf(path, sizeof(path), "%s/hello", tftp_dir);
    FILE *f = fopen(path, "w");
    fputs("hello, world", f);
    fclose(f);
}

static void remove_tftp_dir(void)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/hello", tftp_dir);
    unlink(path);
    rmdir(tftp_dir);
}

static void tftp_serves_its_folder_and_nothing_above_it(void **state)
{
    (void)state;
    make_tftp_dir();
    start(&(struct user_options){.tftp = tftp_dir});
    get_address();
    send_udp(CLIENT, ROUTER, 4000, 69, "\0\1hello\0octet", 14);
    assert_int_equal(load_be16(udp), 3);
    assert_int_equal(udp_len, 4 + 12);
    assert_memory_equal(udp + 4, "hello, world", 12);
    send_udp(CLIENT, ROUTER, 4001, 69, "\0\1../../../etc/passwd\0octet", 28);
    assert_int_equal(load_be16(udp), 5);
    finish();
    remove_tftp_dir();
}

static void short_and_lying_packets_are_survived(void **state)
{
    struct rng r;
    uint8_t b[600];
    (void)state;
    start(&(struct user_options){0});
    get_address();
    rng_init(&r, 1, "user");
    for (unsigned i = 0; i < 500; i++) {
        uint32_t len = (uint32_t)rng_below(&r, sizeof(b));
        rng_fill(&r, b, sizeof(b));
        b[0] = 0, b[1] = 68, b[2] = 0, b[3] = i % 2 ? 67 : 69; /* UDP to bootps or tftp */
        store_be16(b + 4, (uint16_t)rng_next(&r));
        send_ip(CLIENT, ROUTER, i % 3 ? 17 : (uint8_t)rng_next(&r), b, len);
    }
    finish();
}

static void a_redirection_reaches_the_guest_and_makes_the_network_live(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t alen = sizeof(a);
    char forward[64];
    (void)state;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int probe = socket(AF_INET, SOCK_STREAM, 0); /* find a free port */
    assert_int_equal(bind(probe, (struct sockaddr *)&a, sizeof(a)), 0);
    getsockname(probe, (struct sockaddr *)&a, &alen);
    close(probe);
    snprintf(forward, sizeof(forward), "tcp:127.0.0.1:%u-:80", ntohs(a.sin_port));
    const char *forwards[] = {forward};
    start(&(struct user_options){.hostfwd = forwards, .n_hostfwd = 1});
    assert_int_equal(rig.sim.n_live, 1);
    get_address();

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fd, (struct sockaddr *)&a, sizeof(a));
    for (unsigned i = 0; i < 200 && !n_syn; i++) {
        if (!n_arp_replies) { /* the stack asks who has the guest's address: say so */
            uint8_t arp[60] = {0};
            memset(arp, 0xff, 6);
            memcpy(arp + 6, (uint8_t[]){2, 0, 0, 0, 0, client->number}, 6);
            memcpy(arp + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10);
            memcpy(arp + 22, arp + 6, 6);
            store_be32(arp + 28, CLIENT);
            store_be32(arp + 38, ROUTER);
            client->actor.now = rig.sim.now;
            port_send(&client->port, frame_from(arp, sizeof(arp)));
            rig_send_at(client, rig.sim.now, 0x77, 60, 0);
        }
        sim_run(&rig.sim, rig.sim.now + 10 * NS_PER_MS);
    }
    assert_true(n_syn > 0);
    close(fd);
    finish();
}

static void wrong_options_are_one_sentence_each(void **state)
{
    static const char *wrong_forward[] = {"tcp:80"};
    static const struct {
        struct user_options o;
        const char *text;
    } cases[] = {
        {{.net = "10.0.2.1/24"}, "net \"10.0.2.1/24\" is not an IPv4 network"},
        {{.net = "10.0.2.0/30"}, "net \"10.0.2.0/30\" is not an IPv4 network"},
        {{.net = "ten"}, "is not an IPv4 network"},
        {{.host = "10.0.3.2"}, "host 10.0.3.2 is outside the stack's network 10.0.2.0/24"},
        {{.dns = "x"}, "dns \"x\" is not an IPv4 address"},
        {{.dns = "10.0.2.2"}, "host and dns are both 10.0.2.2"},
        {{.dhcpstart = "10.0.2.250"}, "leaves no room for 16 leases"},
        {{.dhcpstart = "10.0.2.1"}, "host 10.0.2.2 is among the leases"},
        {{.tftp = "/nonexistent"}, "tftp folder /nonexistent: No such file or directory"},
        {{.hostfwd = wrong_forward, .n_hostfwd = 1}, "hostfwd \"tcp:80\" is not of the form"},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct user_options o = cases[i].o;
        struct err err = {0};
        o.file = "lan.lua";
        o.line = 7;
        assert_false(user_options_check(&o, &err));
        assert_true(err.n >= 1);
        assert_non_null(strstr(err.texts[0], "lan.lua:7: "));
        if (!strstr(err.texts[0], cases[i].text))
            fail_msg("case %u: %s", i, err.texts[0]);
        err_finish(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhcp_leases_the_first_address_and_the_network_stays_closed),
        cmocka_unit_test(another_network_can_be_asked_for),
        cmocka_unit_test(the_router_answers_echo_requests),
        cmocka_unit_test(tftp_serves_its_folder_and_nothing_above_it),
        cmocka_unit_test(short_and_lying_packets_are_survived),
        cmocka_unit_test(a_redirection_reaches_the_guest_and_makes_the_network_live),
        cmocka_unit_test(wrong_options_are_one_sentence_each),
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
