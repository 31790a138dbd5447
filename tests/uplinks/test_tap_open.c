/* Opening TAP interfaces: names, descriptors, helpers, addresses; and what can be wrong. */
#include "tap_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[512];

/* --- names --- */

static void without_a_name_a_free_one_is_made_and_told(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.ifname = NULL;
    tap_rig_listen();
    assert_non_null(tap_rig_start(&o));
    assert_string_equal(tap_rig_said(), "lanarium: tap gw: interface tap0\n");
    assert_string_equal(tap_ifname(tap_uplink), "tap0");
    tap_rig_finish();
    assert_int_equal(if_nametoindex("tap0"), 0);
}

static void names_that_cannot_be_are_told(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.ifname = "sixteen-letters-";
    tap_rig_refused(&o, "ifname \"sixteen-letters-\" is too long: at most 15 characters");
    o.ifname = "a/b";
    tap_rig_refused(&o, "ifname \"a/b\" cannot be an interface's name");
    o.ifname = "tap%s";
    tap_rig_refused(&o, "ifname \"tap%s\" cannot be an interface's name");
    o.ifname = "lo";
    tap_rig_refused(&o,
                    "lo is another interface of the host, not a TAP interface; another ifname, or "
                    "none, makes one");
}

/* An interface that the test opens; -1: it cannot. */
static int tun(const char *name, int flags)
{
    struct ifreq r = {.ifr_flags = (short)flags};
    int fd = open("/dev/net/tun", O_RDWR);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    assert_return_code(ioctl(fd, TUNSETIFF, &r), errno);
    return fd;
}

static void an_interface_in_use_or_of_another_kind_is_told(void **state)
{
    struct tap_options o = tap_rig_options();
    int fd = tun(TAP_RIG_NAME, IFF_TAP | IFF_NO_PI);
    (void)state;

    tap_rig_refused(&o,
                    "interface " TAP_RIG_NAME " is taken: another process, or another tap, has it "
                    "open");
    close(fd);
    fd = tun(TAP_RIG_NAME, IFF_TUN | IFF_NO_PI);
    tap_rig_refused(&o, TAP_RIG_NAME
                    " is a TUN interface, not a TAP interface; another ifname, or none, "
                    "makes one");
    close(fd);
}

static void one_made_for_several_queues_can_be_used(void **state)
{
    struct tap_options o = tap_rig_options();
    int fd = tun(TAP_RIG_NAME, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
    (void)state;

    assert_return_code(ioctl(fd, TUNSETPERSIST, 1), errno);
    close(fd);
    assert_non_null(tap_rig_start(&o));
    tap_rig_finish();
    assert_true(if_nametoindex(TAP_RIG_NAME) > 0); /* it is not ours, and stays */
    tap_rig_host_do("ip link del " TAP_RIG_NAME);
}

/* --- descriptors --- */

static void a_descriptor_can_be_passed_by_number_or_name(void **state)
{
    struct tap_options o = tap_rig_options();
    char number[16], names[256] = "";
    (void)state;

    o.ifname = NULL;
    for (int with_name = 0; with_name < 2; with_name++) {
        int fd = tun(TAP_RIG_NAME, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
        snprintf(number, sizeof(number), "%d", fd);
        o.fd = with_name ? "uplink" : number;
        names[0] = '\0';
        for (int i = 3; with_name && i < fd; i++)
            strcat(names, "x:");
        strcat(names, "uplink");
        setenv("LISTEN_FDNAMES", names, 1);
        snprintf(number, sizeof(number), "%d", with_name ? fd - 2 : fd);
        setenv("LISTEN_FDS", number, 1);
        assert_non_null(tap_rig_start(&o));
        assert_string_equal(tap_ifname(tap_uplink), TAP_RIG_NAME);
        assert_true(tap_rig_has_carrier());
        tap_rig_finish();
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
    o.fd = "another";
    tap_rig_refused(
        &o, "fd = \"another\": no descriptor of that name was passed (LISTEN_FDNAMES, LISTEN_PID)");
    o.fd = "uplink";
    setenv("LISTEN_PID", "1", 1);
    tap_rig_refused(
        &o, "fd = \"uplink\": no descriptor of that name was passed (LISTEN_FDNAMES, LISTEN_PID)");
    unsetenv("LISTEN_PID");
}

static void a_descriptor_of_something_else_is_told(void **state)
{
    struct tap_options o = tap_rig_options();
    char number[16], *line;
    (void)state;

    o.ifname = NULL;
    o.fd = "999";
    tap_rig_refused(&o, "fd = \"999\": it is not open; whoever starts lanarium must leave it open");
    static const struct {
        int flags; /* 0: not of an interface */
        bool header_said;
        const char *why;
    } cases[] = {
        {0, false, "it is not a TAP interface"},
        {IFF_TUN | IFF_NO_PI, false, "it is not a TAP interface but a TUN interface"},
        {IFF_TAP | IFF_NO_PI, true,
         "interface " TAP_RIG_NAME " was opened without IFF_VNET_HDR: "
         "say vnet_hdr = false, or nothing"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = cases[i].flags ? tun(TAP_RIG_NAME, cases[i].flags) : open("/dev/null", O_RDWR);
        snprintf(number, sizeof(number), "%d", fd);
        o.fd = number;
        o.vnet_hdr_said = cases[i].header_said;
        line = xasprintf("fd = %d: %s", fd, cases[i].why);
        tap_rig_refused(&o, line);
        free(line);
    }
}

/* --- the helper's protocol; this program is the helper --- */

/* What it does is the bridge's name. */
static int helper_main(int argc, char **argv)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)"", 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    const char *br = argv[argc - 1] + strlen("--br=");
    bool vnet = strcmp(argv[1], "--use-vnet") == 0;

    if (strcmp(br, "fails") == 0)
        return 5;
    if (strcmp(br, "hangs") == 0)
        pause();
    if (strcmp(br, "is-silent") == 0)
        return 0;
    int fd = tun(TAP_RIG_NAME, IFF_TAP | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0));
    m.msg_control = control.bytes;
    m.msg_controllen = sizeof(control.bytes);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    return sendmsg(atoi(argv[argc - 2] + strlen("--fd=")), &m, 0) == 1 ? 0 : 1;
}

static void a_helper_hands_over_an_interface(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.ifname = NULL;
    o.helper = self;
    for (int vnet_hdr = 0; vnet_hdr < 2; vnet_hdr++) {
        o.vnet_hdr = o.vnet_hdr_said = vnet_hdr;
        assert_non_null(tap_rig_start(&o));
        assert_string_equal(tap_ifname(tap_uplink), TAP_RIG_NAME);
        tap_rig_finish();
    }
}

static void a_helper_that_fails_hangs_or_sends_nothing_is_told(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    static const char *const cases[][2] = {
        {"fails", "failed: exit status 5"},
        {"hangs", "had not ended after 200ms, and was killed; script_timeout allows more"},
        {"is-silent", "ended well, but sent no interface; it must send one as "
                      "qemu-bridge-helper does"},
    };
    o.ifname = NULL;
    o.helper = self;
    o.timeout_ns = 200 * NS_PER_MS;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *line = xasprintf("helper %s %s", self, cases[i][1]);
        o.br = cases[i][0];
        tap_rig_refused(&o, line);
        free(line);
    }
    o.helper = "/nonexistent/helper";
    tap_rig_refused(&o, "helper /nonexistent/helper: No such file or directory");
}

/* --- the host's side --- */

static bool host_has(int family, const char *address)
{
    struct ifaddrs *all;
    char text[INET6_ADDRSTRLEN];
    bool there = false;

    assert_return_code(getifaddrs(&all), errno);
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family ||
            strcmp(i->ifa_name, TAP_RIG_NAME) != 0)
            continue;
        const void *a = family == AF_INET
                            ? (const void *)&((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr
                            : &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr;
        inet_ntop(family, a, text, sizeof(text));
        there |= strcmp(text, address) == 0 && (i->ifa_flags & IFF_UP);
    }
    freeifaddrs(all);
    return there;
}

static void an_address_and_an_mtu_are_set_and_the_interface_is_up(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.address = "10.9.0.1/24";
    o.mtu = 9000;
    assert_non_null(tap_rig_start(&o));
    assert_true(host_has(AF_INET, "10.9.0.1"));
    tap_rig_host_do("ip -o link show " TAP_RIG_NAME " | grep -q 'mtu 9000 '");
    tap_rig_host_do("ip -o addr show " TAP_RIG_NAME " | grep -q '10.9.0.1/24 '");
    tap_rig_finish();
}

static void an_address_can_be_of_ipv6(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    if (access("/proc/sys/net/ipv6", F_OK) != 0)
        skip();
    tap_rig_host_do("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    o.address = "fd00:9::1/64";
    assert_non_null(tap_rig_start(&o));
    assert_true(host_has(AF_INET6, "fd00:9::1"));
    tap_rig_finish();
    tap_rig_host_do("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
}

static void an_address_that_is_none_is_told(void **state)
{
    static const char *const bad[] = {"10.9.0.1",  "10.9.0.1/33", "10.9.0/24", "10.9.0.1/24x",
                                      "10.9.0.1/", "fd00::1/129", "/24",       ""};
    struct tap_options o = tap_rig_options();
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *line = xasprintf("address \"%s\" is not an address with a prefix's length, such as "
                               "10.9.0.1/24",
                               bad[i]);
        o.address = bad[i];
        tap_rig_refused(&o, line);
        free(line);
    }
}

/* --- without privilege --- */

#define NOBODY 65534

/* In a child whose /dev/net has a tun of this mode (0: none), as user `uid`. */
static void as_user(mode_t mode, uid_t uid, void (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", "/dev/net", "tmpfs", 0, "mode=0755") != 0)
            _exit(77);
        if (mode && (mknod("/dev/net/tun", S_IFCHR, makedev(10, 200)) != 0 ||
                     chmod("/dev/net/tun", mode) != 0))
            _exit(77);
        if (setgid(uid) != 0 || setuid(uid) != 0)
            _exit(77);
        body();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("no privilege to mount\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void told_no_driver(void)
{
    struct tap_options o = tap_rig_options();
    tap_rig_refused(&o,
                    "/dev/net/tun: No such file or directory; the kernel's driver is loaded by: "
                    "modprobe tun");
}

static void told_no_permission(void)
{
    struct tap_options o = tap_rig_options();
    tap_rig_refused(&o, "/dev/net/tun: Permission denied; it is made for all to use by: chmod 0666 "
                        "/dev/net/tun");
}

static void told_no_privilege(void)
{
    struct tap_options o = tap_rig_options();
    tap_rig_refused(&o, "making interface " TAP_RIG_NAME
                        " needs CAP_NET_ADMIN; root can make it once for "
                        "a user: ip tuntap add " TAP_RIG_NAME " mode tap user NAME");
}

static void opened_as_it_is_ours(void)
{
    struct tap_options o = tap_rig_options();

    o.address = "10.9.0.1/24"; /* root has set it */
    o.mtu = 1400;
    assert_non_null(tap_rig_start(&o));
    tap_rig_finish();
    o.address = "10.9.0.2/24";
    tap_rig_refused(
        &o, "address 10.9.0.2/24 of " TAP_RIG_NAME " cannot be set: Operation not permitted; "
            "it can be set beforehand: ip addr add 10.9.0.2/24 dev " TAP_RIG_NAME "; ip link "
            "set " TAP_RIG_NAME " up");
    o.address = NULL;
    o.mtu = 9000;
    tap_rig_refused(&o, "mtu = 9000 of " TAP_RIG_NAME
                        " cannot be set: Operation not permitted; it can be "
                        "set beforehand: ip link set " TAP_RIG_NAME " mtu 9000");
}

static void told_it_is_not_ours(void)
{
    struct tap_options o = tap_rig_options();
    tap_rig_refused(&o, "interface " TAP_RIG_NAME
                        " belongs to another user; make it yours: ip tuntap add " TAP_RIG_NAME
                        " mode tap user NAME");
}

static void what_the_host_does_not_allow_is_told_with_a_remedy(void **state)
{
    (void)state;
    as_user(0, 0, told_no_driver);
    as_user(0600, NOBODY, told_no_permission);
    as_user(0666, NOBODY, told_no_privilege);
}

static void an_interface_of_the_users_own_needs_no_privilege(void **state)
{
    (void)state;
    tap_rig_host_do("ip tuntap add " TAP_RIG_NAME " mode tap user 65534 && ip addr add "
                    "10.9.0.1/24 dev " TAP_RIG_NAME " && ip link set " TAP_RIG_NAME " mtu 1400 up");
    as_user(0666, NOBODY, opened_as_it_is_ours);
    as_user(0666, NOBODY - 1, told_it_is_not_ours);
    tap_rig_host_do("ip link del " TAP_RIG_NAME);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_name_a_free_one_is_made_and_told),
        cmocka_unit_test(names_that_cannot_be_are_told),
        cmocka_unit_test(an_interface_in_use_or_of_another_kind_is_told),
        cmocka_unit_test(one_made_for_several_queues_can_be_used),
        cmocka_unit_test(a_descriptor_can_be_passed_by_number_or_name),
        cmocka_unit_test(a_descriptor_of_something_else_is_told),
        cmocka_unit_test(a_helper_hands_over_an_interface),
        cmocka_unit_test(a_helper_that_fails_hangs_or_sends_nothing_is_told),
        cmocka_unit_test(an_address_and_an_mtu_are_set_and_the_interface_is_up),
        cmocka_unit_test(an_address_can_be_of_ipv6),
        cmocka_unit_test(an_address_that_is_none_is_told),
        cmocka_unit_test(what_the_host_does_not_allow_is_told_with_a_remedy),
        cmocka_unit_test(an_interface_of_the_users_own_needs_no_privilege),
    };

    if (argc > 1 && strncmp(argv[argc - 1], "--br=", 5) == 0)
        return helper_main(argc, argv);
    tap_rig_enter();
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
