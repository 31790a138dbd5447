/* The user-mode stack on virtual time, spoken to in raw frames; and its options. */
#include "tests/uplinks/user_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/offload.h"

static char tftp_dir[] = "/tmp/lanarium-tftp-XXXXXX";

static void dhcp_leases_the_first_address_and_the_network_stays_closed(void **state)
{
    (void)state;
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    assert_int_equal(user_rig.sim.n_live, 0);
    /* Closed: an hour of virtual time needs no hour. */
    assert_int_equal(sim_run(&user_rig.sim, 3600 * NS_PER_SEC), SIM_REACHED);
    user_finish();
}

static void another_network_can_be_asked_for(void **state)
{
    static const char *const nets[] = {"192.168.7.0/24", "192.168.7.0/255.255.255.0",
                                       "192.168.7.0"};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(nets); i++) {
        user_start(&(struct user_options){.net = nets[i], .dhcpstart = "192.168.7.100"});
        user_dhcp(1, 0, 1);
        assert_int_equal(load_be32(user_seen.udp + 16), 0xc0a80764);
        user_finish();
    }
}

/* The value of a DHCP option; its length in *len. NULL: it was not sent. */
static const uint8_t *option(uint8_t code, uint8_t *len)
{
    const uint8_t *o = user_seen.udp + 240;

    while (o < user_seen.udp + user_seen.udp_len && *o != 255) {
        if (*o == code) {
            *len = o[1];
            return o + 2;
        }
        o += *o ? 2 + o[1] : 1;
    }
    return NULL;
}

static void assert_option(uint8_t code, const char *value, uint8_t size)
{
    uint8_t len = 0;
    const uint8_t *o = option(code, &len);

    assert_non_null(o);
    assert_int_equal(len, size);
    assert_memory_equal(o, value, size);
}

static void dhcp_tells_all_the_names(void **state)
{
    const char *search[] = {"lab.example", "example"};
    uint8_t len;
    (void)state;
    user_start(&(struct user_options){.hostname = "box",
                                      .domainname = "lab.example",
                                      .dnssearch = search,
                                      .n_dnssearch = 2,
                                      .tftp_server_name = "boot.example",
                                      .bootfile = "kernel.img"});
    user_dhcp(1, 0, 1);
    assert_option(12, "box", 3);
    assert_option(15, "lab.example", 11);
    assert_option(66, "boot.example", 12);
    /* RFC 3397: the second is the end of the first. */
    assert_option(119, "\3lab\7example\0\xc0\4", 15);
    assert_string_equal((const char *)user_seen.udp + 108, "kernel.img");
    user_finish();

    user_start(&(struct user_options){.restrict_host = true});
    user_dhcp(1, 0, 1);
    assert_null(option(12, &len));
    assert_null(option(3, &len)); /* no way out, so no router */
    user_finish();
}

static void the_router_answers_echo_requests(void **state)
{
    uint8_t echo[64] = {8};
    (void)state;
    user_start(&(struct user_options){.line = 0});
    user_get_address();
    store_be16(echo + 2, inet_fold(inet_sum(0, echo, sizeof(echo))));
    user_send_ip(CLIENT, ROUTER, 1, 1, 0, echo, sizeof(echo));
    assert_int_equal(user_seen.n_echo_replies, 1);
    user_finish();
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
    user_start(&(struct user_options){.tftp = tftp_dir});
    user_get_address();
    user_send_udp(CLIENT, ROUTER, 4000, 69, "\0\1hello\0octet", 14);
    assert_int_equal(load_be16(user_seen.udp), 3);
    assert_int_equal(user_seen.udp_len, 4 + 12);
    assert_memory_equal(user_seen.udp + 4, "hello, world", 12);
    user_send_udp(CLIENT, ROUTER, 4001, 69, "\0\1../../../etc/passwd\0octet", 28);
    assert_int_equal(load_be16(user_seen.udp), 5);
    user_finish();
    remove_tftp_dir();
}

/* --- IPv6 --- */

static const char *guest6 = "fe80::1234";

static void solicit(void)
{
    uint8_t rs[8] = {133};

    user_send_ipv6(guest6, "ff02::2", 58, 2, rs, sizeof(rs));
}

/* An option of the last router advertisement; NULL: it is not there. */
static const uint8_t *advert_option(uint8_t type)
{
    uint32_t at = 54 + 16;

    while (at + 8 <= user_seen.advert_len && user_seen.advert[at + 1]) {
        if (user_seen.advert[at] == type)
            return user_seen.advert + at;
        at += user_seen.advert[at + 1] * 8u;
    }
    return NULL;
}

static void assert_advert_sound(void)
{
    uint32_t len = load_be16(user_seen.advert + 18);

    assert_int_equal(inet_fold(inet_sum(inet_sum(58 + len, user_seen.advert + 22, 32),
                                        user_seen.advert + 54, len)),
                     0);
}

static void with_ipv6_off_nobody_is_solicited(void **state)
{
    (void)state;
    user_start(&(struct user_options){.line = 0});
    solicit();
    user_pass(3600 * NS_PER_SEC);
    assert_int_equal(user_seen.n_adverts, 0);
    user_finish();
}

static void the_prefix_is_advertised_and_a_dns_server_if_the_topology_says_so(void **state)
{
    struct in6_addr dns, prefix;
    (void)state;
    user_start(&(struct user_options){.ipv6 = true});
    solicit();
    assert_int_equal(user_seen.n_adverts, 1);
    assert_advert_sound();
    assert_null(advert_option(25)); /* whatever the host's own DNS servers are */
    user_finish();

    user_start(&(struct user_options){
        .ipv6 = true, .ipv6_net = "fd12::/48", .ipv6_host = "fd12::99", .ipv6_dns = "fd12::53"});
    solicit();
    assert_int_equal(user_seen.n_adverts, 1);
    assert_advert_sound();
    assert_non_null(advert_option(3));
    inet_pton(AF_INET6, "fd12::", &prefix);
    assert_int_equal(advert_option(3)[2], 48);
    assert_memory_equal(advert_option(3) + 16, &prefix, 16);
    inet_pton(AF_INET6, "fd12::53", &dns);
    assert_non_null(advert_option(25));
    assert_memory_equal(advert_option(25) + 8, &dns, 16);
    user_finish();
}

/* RFC 4861, 6.2.4; and every run draws the same. */
static void advertisements_come_at_times_that_the_seed_says(void **state)
{
    vtime_t first[64];
    unsigned n = 0;
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        user_start(&(struct user_options){.ipv6 = true});
        assert_int_equal(sim_run(&user_rig.sim, 2 * 3600 * NS_PER_SEC), SIM_REACHED);
        if (run) {
            assert_int_equal(user_seen.n_adverts, n);
            assert_memory_equal(user_seen.advert_at, first, n * sizeof(*first));
        }
        n = user_seen.n_adverts;
        memcpy(first, user_seen.advert_at, sizeof(first));
        user_finish();
    }
    assert_in_range(n, 13, 40);
    for (unsigned i = 1; i < n; i++) {
        vtime_t ms = (first[i] - first[i - 1]) / NS_PER_MS;
        if (i < 3)
            assert_int_equal(ms, 16000);
        else
            assert_true(ms >= 200000 && ms <= 600000);
    }
}

/* --- options --- */

static void wrong_options_are_one_sentence_each(void **state)
{
    static const char *wrong_forward[] = {"tcp:80"}, *domain[] = {"a..b"};
    static const struct {
        struct user_options o;
        const char *text;
    } cases[] = {
        {{.net = "10.0.2.1/24"}, "net \"10.0.2.1/24\" is not an IPv4 network"},
        {{.net = "10.0.2.0/30"}, "net \"10.0.2.0/30\" is not an IPv4 network"},
        {{.net = "ten"}, "is not an IPv4 network"},
        {{.host = "10.0.3.2"}, "host 10.0.3.2 is outside the stack's network 10.0.2.0/24"},
        {{.host = "10.0.2.0"}, "host 10.0.2.0 is the network's own address"},
        {{.dns = "x"}, "dns \"x\" is not an IPv4 address"},
        {{.dns = "10.0.2.2"}, "host and dns are both 10.0.2.2"},
        {{.dhcpstart = "10.0.2.250"}, "leaves no room for 16 leases"},
        {{.dhcpstart = "10.0.2.1"}, "host 10.0.2.2 is among the leases"},
        {{.tftp = "/nonexistent"}, "tftp folder /nonexistent: No such file or directory"},
        {{.smb = "/nonexistent"}, "smb folder /nonexistent: No such file or directory"},
        {{.smb = "/tmp", .smbserver = "10.0.2.3"}, "dns and smbserver are both 10.0.2.3"},
        {{.ipv6 = true, .ipv6_net = "10.0.0.0/8"}, "is not an IPv6 network"},
        {{.ipv6 = true, .ipv6_host = "fe80::1"}, "ipv6_host fe80::1 is outside"},
        {{.ipv6_dns = "fec0::3"}, "ipv6_dns needs IPv6, which is off"},
        {{.dnssearch = domain, .n_dnssearch = 1}, "dnssearch \"a..b\" is not a domain's name"},
        {{.hostfwd = wrong_forward, .n_hostfwd = 1}, "hostfwd \"tcp:80\" is not of the form"},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct user_options o = cases[i].o;
        struct err err = {0};
        bool found = false;
        o.file = "lan.lua";
        o.line = 7;
        assert_false(user_options_check(&o, &err));
        for (size_t j = 0; j < err.n; j++) {
            assert_non_null(strstr(err.texts[j], "lan.lua:7: "));
            found |= strstr(err.texts[j], cases[i].text) != NULL;
        }
        if (!found)
            fail_msg("case %u: %s", i, err.texts[0]);
        err_finish(&err);
    }
}

static void no_descriptor_left_is_one_sentence(void **state)
{
    struct user_options o = {.file = "net.lua", .line = 3};
    struct rlimit was, none;
    struct err err = {0};
    struct rig r;
    (void)state;

    rig_init(&r, NULL);
    getrlimit(RLIMIT_NOFILE, &was);
    none = was;
    none.rlim_cur = 0;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
    struct uplink *u = user_create(&r.sim, "gw", &o, &err);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &was), errno);
    assert_null(u);
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], "net.lua:3: no descriptor is left for user gw: Too many open "
                                      "files; ulimit -n allows more");
    err_finish(&err);
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhcp_leases_the_first_address_and_the_network_stays_closed),
        cmocka_unit_test(another_network_can_be_asked_for),
        cmocka_unit_test(dhcp_tells_all_the_names),
        cmocka_unit_test(the_router_answers_echo_requests),
        cmocka_unit_test(tftp_serves_its_folder_and_nothing_above_it),
        cmocka_unit_test(with_ipv6_off_nobody_is_solicited),
        cmocka_unit_test(the_prefix_is_advertised_and_a_dns_server_if_the_topology_says_so),
        cmocka_unit_test(advertisements_come_at_times_that_the_seed_says),
        cmocka_unit_test(wrong_options_are_one_sentence_each),
        cmocka_unit_test(no_descriptor_left_is_one_sentence),
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
