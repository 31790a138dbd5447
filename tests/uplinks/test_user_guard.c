/* Hostile guests of the user-mode stack: what libslirp would crash or fill up on does not reach it.
 */
#include "tests/uplinks/user_rig.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/uplinks/user_stack.h"
#include "sim/offload.h"

static struct user_guard *guard(void)
{
    return &user_stack_of(user_stack)->guard;
}

/* An echo request of `len` bytes for the router, its checksum right. */
static void make_echo(uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)i;
    memcpy(p, "\10\0\0\0\1\2\3\4", 8);
    store_be16(p + 2, inet_fold(inet_sum(0, p, len)));
}

static void fragment(const uint8_t *p, uint16_t id, uint32_t at, uint32_t len, bool more)
{
    user_send_ip(CLIENT, ROUTER, 1, id, (uint16_t)(at / 8 | (more ? 0x2000 : 0)), p + at, len);
}

static void fragments_come_together_in_any_order(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
    uint8_t p[1000];
    (void)state;
    make_echo(p, sizeof(p));
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
        for (unsigned j = 0; j < 3; j++) {
            uint32_t at = orders[i][j] * 400u;
            assert_int_equal(user_seen.n_echo_replies, i);
            fragment(p, (uint16_t)i, at, MIN(400u, (uint32_t)sizeof(p) - at), at < 800);
            fragment(p, (uint16_t)i, at, j < 2 ? MIN(400u, (uint32_t)sizeof(p) - at) : 8,
                     at < 800); /* twice is no harm */
        }
        assert_int_equal(user_seen.n_echo_replies, i + 1);
        assert_int_equal(user_seen.echo_len, sizeof(p));
        assert_memory_equal(user_seen.echo + 4, p + 4, sizeof(p) - 4);
    }
    user_finish();
}

static void fragments_that_contradict_each_other_are_dropped(void **state)
{
    uint8_t p[1100] = {0}, q[1100];
    (void)state;
    make_echo(p, 1000);
    memcpy(q, p, sizeof(q));
    q[500] ^= 1;
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    fragment(p, 1, 0, 400, true);
    fragment(q, 1, 200, 400, true); /* overlaps: the packet goes */
    fragment(p, 1, 400, 600, false);
    assert_int_equal(user_seen.n_echo_replies, 0);
    assert_int_equal(guard()->dropped, 1);
    fragment(p, 2, 400, 600, false);
    fragment(p, 2, 960, 80, true); /* behind the end */
    fragment(p, 2, 0, 400, true);
    assert_int_equal(user_seen.n_echo_replies, 0);
    fragment(p, 3, 0, 300, true); /* no multiple of 8 */
    assert_true(guard()->dropped >= 3);
    user_send_ip(CLIENT, ROUTER, 1, 4, 0x1fff, p, 1000); /* past 64 KiB */
    assert_true(guard()->dropped >= 4);
    user_finish();
}

static void endless_fragments_take_a_bounded_room(void **state)
{
    uint8_t p[64] = {8};
    (void)state;
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 3000; i++) {
        user_client->n_seen = 0;
        fragment(p, (uint16_t)i, 0, 64, true);
    }
    /* Sixteen packets of 64 KiB and what the rig keeps of each sending. */
    assert_true(mallinfo2().uordblks - before < 4u << 20);
    user_finish();
}

static void requests_without_a_lease_left_lose_no_memory(void **state)
{
    (void)state;
    user_start(&(struct user_options){.line = 0});
    for (unsigned mac = 0; mac < 16; mac++)
        user_dhcp(1, 0, (uint8_t)(100 + mac));
    assert_int_equal(user_seen.n_udp, 16);
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 2000; i++) {
        user_client->n_seen = 0;
        user_dhcp(1, 0, (uint8_t)(120 + i % 100));
    }
    assert_int_equal(user_seen.n_udp, 16);
    assert_true(mallinfo2().uordblks - before < 8u << 20); /* 64 buffers of 64 KiB, not 2,000 */
    user_dhcp(1, 0, 107);                                  /* who has one is served all the same */
    assert_int_equal(user_seen.n_udp, 17);
    user_finish();
}

/* From addresses where nobody answers: libslirp keeps each reply for a second. */
static void replies_to_nobody_take_a_bounded_room(void **state)
{
    uint8_t p[64];
    (void)state;
    make_echo(p, sizeof(p));
    user_start(&(struct user_options){.line = 0});
    for (uint32_t i = 0; i < 900; i++) {
        user_client->n_seen = 0;
        user_send_ip(0x0a000280 + i % 64, ROUTER, 1, (uint16_t)i, 0, p, sizeof(p));
    }
    assert_true(guard()->dropped > 500 && guard()->dropped < 900);
    user_pass(2 * NS_PER_SEC);
    user_send_ip(CLIENT, ROUTER, 1, 1, 0, p, sizeof(p));
    assert_int_equal(user_seen.n_echo_replies, 1);
    user_finish();
}

static void tftp_of_what_is_no_file_is_refused(void **state)
{
    char folder[] = "/tmp/lanarium-tftp-XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    user_start(&(struct user_options){.tftp = folder});
    user_get_address();
    unsigned n = user_seen.n_udp;
    user_send_udp(CLIENT, ROUTER, 4000, 69, "\0\1pipe\0octet", 13); /* would block for ever */
    user_send_udp(CLIENT, ROUTER, 4001, 69, "\0\1.\0octet", 10);    /* would read freed memory */
    user_send_udp(CLIENT, ROUTER, 4002, 69, "\0\1x/..\0octet", 13);
    assert_int_equal(user_seen.n_udp, n + 3);
    assert_int_equal(load_be16(user_seen.udp), 5);
    user_finish();
    unlink(path);
    rmdir(folder);
}

/* A router sends on neither broadcasts nor, without being told of members, groups: not to the host.
 */
static void what_is_for_groups_or_everybody_stays_on_the_vlan(void **state)
{
    static const uint32_t to[] = {0xe0000001, 0xe00000fb, 0xefffffff,
                                  0xf0000001, 0xffffffff, 0x0a0002ff};
    uint8_t echo[64];
    (void)state;
    make_echo(echo, sizeof(echo));
    user_start(&(struct user_options){.ipv6 = true});
    user_get_address();
    user_pass(20 * NS_PER_SEC); /* the first router advertisements */
    unsigned n = user_client->n_seen;
    for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
        user_send_ip(CLIENT, to[i], 1, (uint16_t)i, 0, echo, sizeof(echo));
        user_send_udp(CLIENT, to[i], 5353, 5353, "who?", 4);
    }
    user_send_udp(CLIENT, 0x0a0002ff, 68, 67, "no server", 9);
    user_send_ipv6("fe80::1234", "ff02::fb", 17, 6, "\x14\xe9\x14\xe9\0\xc\0\0who?", 12);
    assert_int_equal(user_rig.sim.n_live, 0);
    assert_int_equal(user_client->n_seen, n); /* nor complaints */
    assert_int_equal(guard()->dropped, 0);
    user_dhcp(1, 0, 1); /* which is for everybody too */
    assert_int_equal(user_client->n_seen, n + 1);
    user_finish();
}

static void short_and_lying_packets_are_survived(void **state)
{
    struct rng r;
    uint8_t b[600];
    (void)state;
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    rng_init(&r, 1, "user");
    for (unsigned i = 0; i < 2000; i++) {
        uint32_t len = (uint32_t)rng_below(&r, sizeof(b));
        user_client->n_seen = 0;
        rng_fill(&r, b, sizeof(b));
        b[0] = 0, b[1] = 68, b[2] = 0, b[3] = i % 2 ? 67 : 69; /* UDP to bootps or tftp */
        store_be16(b + 4, (uint16_t)rng_next(&r));
        store_be16(b + 6, 0);
        user_send_ip(CLIENT, ROUTER, i % 3 ? 17 : (uint8_t)rng_next(&r), 1, 0, b, len);
    }
    user_finish();
}

static void frames_over_the_mtu_are_survived(void **state)
{
    (void)state;
    user_start(&(struct user_options){.ipv6 = true, .restrict_host = true});
    user_get_address();
    for (unsigned i = 0; i < 2; i++) {
        struct frame *f = frame_new(65535);
        memset(f->data, 0, f->cap);
        memset(f->data, 0xff, ETH_ALEN);
        memcpy(f->data + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, user_client->number}, ETH_ALEN);
        store_be16(f->data + 12, i ? 0x86dd : 0x0800);
        f->data[14] = i ? 0x60 : 0x45;
        store_be16(f->data + (i ? 18 : 16), 65000);
        f->data[i ? 20 : 23] = i ? 58 : 17;
        f->len = 65535;
        user_send_frame(f);
    }
    user_finish();
}

/* --- random packets --- */

static struct rng rnd;

static bool one_in(unsigned n)
{
    return rng_below(&rnd, n) == 0;
}

/* UDP, TCP or ICMP of either version, with something wrong here and there; checksums are right. */
static void fill(uint8_t *b, uint32_t len, uint8_t proto)
{
    static const uint16_t ports[] = {67, 69, 53, 80, 547, 7};

    rng_fill(&rnd, b, len);
    if (proto == 17 || proto == 6)
        store_be16(b + 2, ports[rng_below(&rnd, ARRAY_LEN(ports))]);
    if (proto == 17) {
        store_be16(b + 4, (uint16_t)(one_in(4) ? rng_next(&rnd) : len));
        store_be16(b + 8, (uint16_t)(1 + rng_below(&rnd, 5)));
        store_be16(b + 6, 0);
    } else if (proto == 6) {
        store_be16(b, (uint16_t)(5000 + rng_below(&rnd, 3)));
        store_be32(b + 4, (uint32_t)rng_below(&rnd, 3000));
        b[12] = (uint8_t)(one_in(4) ? rng_next(&rnd) : 0x50);
        b[13] = (uint8_t)(one_in(3) ? rng_next(&rnd) : one_in(2) ? 2 : 16);
        store_be16(b + 16, 0);
    } else if (proto == 58) {
        b[0] = (uint8_t)(128 + rng_below(&rnd, 12));
        b[1] = 0;
    } else if (proto == 1) {
        b[0] = (uint8_t)(one_in(3) ? rng_next(&rnd) : 8);
        store_be16(b + 2, 0);
        store_be16(b + 2, inet_fold(inet_sum(0, b, len)));
    }
}

static void send_random_ipv6(uint8_t *b, uint32_t len, uint8_t proto)
{
    static const char *const to[] = {"fec0::2", "ff02::1:2", "fe80::2", "fec0::3", "2001:db8::1"};

    user_send_ipv6(one_in(4) ? "::" : "fe80::1234", to[rng_below(&rnd, ARRAY_LEN(to))], proto,
                   proto == 58   ? 2
                   : proto == 17 ? 6
                   : proto == 6  ? 16
                                 : 0,
                   b, len);
}

static void send_random_ipv4(uint8_t *b, uint32_t len, uint8_t proto)
{
    uint32_t src = one_in(8) ? (uint32_t)rng_next(&rnd) : CLIENT;
    uint32_t dst = one_in(4) ? (uint32_t)rng_next(&rnd) : one_in(3) ? 0x0a000264u : ROUTER;
    uint8_t pseudo[12] = {[9] = proto};

    store_be32(pseudo, src);
    store_be32(pseudo + 4, dst);
    store_be16(pseudo + 10, (uint16_t)len);
    if (proto == 6)
        store_be16(b + 16, inet_fold(inet_sum(inet_sum(0, pseudo, 12), b, len)));
    user_send_ip(src, dst, proto, (uint16_t)rng_below(&rnd, 3),
                 (uint16_t)(one_in(4) ? rng_next(&rnd) : 0), b, len);
}

/*
 * LANARIUM_TEST_SEED, LANARIUM_TEST_COUNT. LANARIUM_TEST_OPEN: without `restrict`; in a namespace
 * without a network only, because what is sent goes anywhere.
 */
static void random_packets_are_survived(void **state)
{
    static const uint8_t protocols[] = {1, 6, 6, 17, 58, 0, 44};
    const char *env = getenv("LANARIUM_TEST_SEED"), *count = getenv("LANARIUM_TEST_COUNT");
    const char *rule = "tcp:10.0.2.100:80-tcp:127.0.0.1:1";
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1;
    uint8_t b[1500];
    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    rng_init(&rnd, seed, "packets");
    user_start(&(struct user_options){.ipv6 = true,
                                      .restrict_host = !getenv("LANARIUM_TEST_OPEN"),
                                      .tftp = "/tmp",
                                      .bootfile = "x",
                                      .guestfwd = &rule,
                                      .n_guestfwd = 1});
    user_get_address();
    for (unsigned n = count ? (unsigned)atoi(count) : 10000; n; n--) {
        uint32_t len = 20 + (uint32_t)rng_below(&rnd, one_in(7) ? sizeof(b) - 20 : 80);
        uint8_t proto = protocols[rng_below(&rnd, ARRAY_LEN(protocols))];
        user_client->n_seen = 0;
        fill(b, len, proto);
        if (one_in(2))
            send_random_ipv6(b, len, proto);
        else
            send_random_ipv4(b, len, proto);
    }
    user_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_come_together_in_any_order),
        cmocka_unit_test(fragments_that_contradict_each_other_are_dropped),
        cmocka_unit_test(endless_fragments_take_a_bounded_room),
        cmocka_unit_test(requests_without_a_lease_left_lose_no_memory),
        cmocka_unit_test(replies_to_nobody_take_a_bounded_room),
        cmocka_unit_test(tftp_of_what_is_no_file_is_refused),
        cmocka_unit_test(what_is_for_groups_or_everybody_stays_on_the_vlan),
        cmocka_unit_test(short_and_lying_packets_are_survived),
        cmocka_unit_test(frames_over_the_mtu_are_survived),
        cmocka_unit_test(random_packets_are_survived),
    };
    return cmocka_run_group_tests_name("user guard", tests, NULL, NULL);
}
