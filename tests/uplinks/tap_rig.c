/* What tests of TAP interfaces share: a network namespace of their own, and its side of an
 * interface. */
#include "tap_rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct rig tap_rig;
struct talker *tap_talker;
struct uplink *tap_uplink;

static char said[4096];
static int said_fd = -1, stderr_fd = -1;

static void skip_program(const char *reason)
{
    printf("%s\n", reason);
    exit(77);
}

void tap_rig_enter(void)
{
    int fd;

    if (unshare(CLONE_NEWNET) != 0)
        skip_program("this needs root, for a network namespace");
    fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0)
        skip_program("/dev/net/tun cannot be opened");
    close(fd);
    fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
    if (fd >= 0 && write(fd, "1", 1) == 1)
        close(fd);
}

struct tap_options tap_rig_options(void)
{
    return (struct tap_options){.ifname = TAP_RIG_NAME,
                                .timeout_ns = 10 * NS_PER_SEC,
                                .vnet_hdr = true,
                                .br = "lanbr",
                                .file = "net.lua",
                                .line = 7};
}

struct uplink *tap_rig_start(const struct tap_options *o)
{
    struct err err = {0};

    rig_init(&tap_rig, NULL);
    struct vlan *vlan = vlan_create(&tap_rig.sim, "lan", VLAN_SWITCH);
    struct link wide = {LINK_DEFAULT_DELAY, 0, LINK_DEFAULT_QUEUE};
    tap_talker = rig_talker(&tap_rig, vlan);
    port_attach(&tap_talker->port, vlan, &wide);
    tap_uplink = tap_create(&tap_rig.sim, "gw", o, &err);
    err_print(&err, stderr);
    err_finish(&err);
    if (tap_uplink)
        uplink_attach(tap_uplink, vlan, &wide);
    return tap_uplink;
}

void tap_rig_finish(void)
{
    uplink_destroy(tap_uplink);
    tap_uplink = NULL;
    rig_finish(&tap_rig);
}

void tap_rig_listen(void)
{
    char path[] = "/tmp/lanarium-said-XXXXXX";

    said_fd = mkstemp(path);
    unlink(path);
    stderr_fd = dup(2);
    dup2(said_fd, 2);
}

const char *tap_rig_said(void)
{
    fflush(stderr);
    dup2(stderr_fd, 2);
    close(stderr_fd);
    ssize_t n = pread(said_fd, said, sizeof(said) - 1, 0);
    said[MAX(n, (ssize_t)0)] = '\0';
    close(said_fd);
    return said;
}

bool tap_rig_has_carrier(void)
{
    return tap_uplink->ports->carrier;
}

/* It cannot be opened, and this is why. */
void tap_rig_refused(const struct tap_options *o, const char *sentence)
{
    char *line = xasprintf("lanarium: net.lua:7: %s\n", sentence);

    tap_rig_listen();
    assert_null(tap_rig_start(o));
    assert_string_equal(tap_rig_said(), line);
    tap_rig_finish();
    free(line);
}

void tap_rig_until(bool (*holds)(void))
{
    bool held = holds();

    for (unsigned i = 0; i < 500 && !held; i++) {
        sim_run(&tap_rig.sim, tap_rig.sim.now + 10 * NS_PER_MS);
        held = holds();
    }
    assert_true(held);
}

int tap_rig_host(bool header)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(ETH_P_ALL),
                            .sll_ifindex = (int)if_nametoindex(TAP_RIG_NAME)};
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = header;
    int room = 4 << 20; /* for all that comes while a busy machine lets us wait */

    assert_true(a.sll_ifindex > 0);
    assert_return_code(setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
    assert_return_code(setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
    on = 1;
    assert_return_code(setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
    assert_return_code(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
    return s;
}

void tap_rig_up(void)
{
    struct ifreq r = {.ifr_name = TAP_RIG_NAME};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    assert_return_code(ioctl(s, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags |= IFF_UP;
    assert_return_code(ioctl(s, SIOCSIFFLAGS, &r), 0);
    close(s);
}

void tap_rig_host_do(const char *command)
{
    assert_int_equal(system(command), 0);
}
