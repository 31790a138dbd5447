/*
 * Opening a TAP interface, and the sentences of what can be wrong with that.
 *
 * One that others opened keeps what they chose: whether a virtio-net header stands before each
 * frame. Without being asked we use it if it is there; then its length is set to what we know.
 */
#include "devices/uplinks/tap_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/inherited.h"
#include "devices/uplinks/tap_header.h"

#define TUN_PATH "/dev/net/tun"

/* --- by name --- */

static int tun_open(const struct tap_options *o, struct err *err)
{
    int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0)
        return fd;
    if (errno == EACCES || errno == EPERM)
        err_at(err, o->file, o->line,
               TUN_PATH ": %s; it is made for all to use by: chmod 0666 " TUN_PATH,
               strerror(errno));
    else
        err_at(err, o->file, o->line,
               TUN_PATH ": %s; the kernel's driver is loaded by: modprobe tun", strerror(errno));
    return -1;
}

/* What drives an interface: "tap", "tun", or "" if it is something else. */
static void tun_mode(const char *ifname, char mode[ETHTOOL_BUSINFO_LEN])
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq r = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    mode[0] = '\0';
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%.15s", ifname);
    r.ifr_data = (void *)&info;
    if (s >= 0 && ioctl(s, SIOCETHTOOL, &r) == 0 && strcmp(info.driver, "tun") == 0)
        memcpy(mode, info.bus_info, ETHTOOL_BUSINFO_LEN);
    if (s >= 0)
        close(s);
}

static void attach_error(const char *ifname, int error, const struct tap_options *o,
                         struct err *err)
{
    char mode[ETHTOOL_BUSINFO_LEN];
    bool there = if_nametoindex(ifname) != 0;

    tun_mode(ifname, mode);
    if (there && strcmp(mode, "tap") != 0)
        err_at(err, o->file, o->line,
               "%s is %s, not a TAP interface; another ifname, or none, makes one", ifname,
               strcmp(mode, "tun") == 0 ? "a TUN interface" : "another interface of the host");
    else if (error == EBUSY)
        err_at(err, o->file, o->line,
               "interface %s is taken: another process, or another tap, has it open", ifname);
    else if (error == EPERM && there)
        err_at(err, o->file, o->line,
               "interface %s belongs to another user; make it yours: ip tuntap add %s mode tap "
               "user NAME",
               ifname, ifname);
    else if (error == EPERM)
        err_at(err, o->file, o->line,
               "making interface %s needs CAP_NET_ADMIN; root can make it once for a user: ip "
               "tuntap add %s mode tap user NAME",
               ifname[0] ? ifname : "(any)", ifname[0] ? ifname : "tap0");
    else
        err_at(err, o->file, o->line, "interface %s: %s", ifname, strerror(error));
}

static bool attach(struct tap_device *d, const struct tap_options *o, struct err *err)
{
    const char *ifname = o->ifname ? o->ifname : "";
    struct ifreq r = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI)};

    if (o->vnet_hdr)
        r.ifr_flags |= IFF_VNET_HDR;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname[0] ? ifname : "tap%d");
    d->fd = tun_open(o, err);
    if (d->fd < 0)
        return false;
    int error = ioctl(d->fd, TUNSETIFF, &r) == 0 ? 0 : errno;
    if (error == EINVAL) { /* one that was made for several queues: we use one */
        r.ifr_flags |= IFF_MULTI_QUEUE;
        error = ioctl(d->fd, TUNSETIFF, &r) == 0 ? 0 : error;
    }
    if (error)
        attach_error(ifname, error, o, err);
    return error == 0;
}

/* --- by a descriptor --- */

static bool inherit(uv_loop_t *loop, struct tap_device *d, const struct tap_options *o,
                    struct err *err)
{
    const char *why;

    d->fd = inherited_fd(loop, o->fd, &why);
    if (d->fd < 0)
        err_at(err, o->file, o->line, "fd = \"%s\": %s", o->fd, why);
    return d->fd >= 0;
}

/*
 * Whether what others opened can be used, and what it is called. That they left out IFF_NO_PI
 * cannot be seen: the kernel reports it always.
 */
static bool identify(struct tap_device *d, const struct tap_options *o, struct err *err)
{
    struct ifreq r = {0};
    char *who = o->fd ? xasprintf("fd = %s", o->fd) : xasprintf("what helper %s sent", o->helper);
    bool good = ioctl(d->fd, TUNGETIFF, &r) == 0;

    if (!good || !(r.ifr_flags & IFF_TAP))
        err_at(err, o->file, o->line, "%s: it is not a TAP interface%s", who,
               good ? " but a TUN interface" : "");
    else if (o->vnet_hdr && o->vnet_hdr_said && !(r.ifr_flags & IFF_VNET_HDR))
        err_at(err, o->file, o->line,
               "%s: interface %.15s was opened without IFF_VNET_HDR: say vnet_hdr = false, or "
               "nothing",
               who, r.ifr_name);
    else
        memcpy(d->ifname, r.ifr_name, sizeof(d->ifname) - 1);
    free(who);
    d->header = r.ifr_flags & IFF_VNET_HDR;
    return d->ifname[0] != '\0';
}

/* --- both --- */

static bool prepare(struct tap_device *d, const struct tap_options *o, struct err *err)
{
    int header = TAP_HEADER,
        sndbuf = o->sndbuf ? (int)MIN(o->sndbuf, (uint64_t)INT32_MAX) : INT32_MAX;
    unsigned long offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

    fcntl(d->fd, F_SETFL, O_NONBLOCK);
    d->offload = d->header && o->vnet_hdr;
    if (d->header && ioctl(d->fd, TUNSETVNETHDRSZ, &header) != 0) {
        err_at(err, o->file, o->line, "interface %s: no virtio-net headers of %d bytes: %s",
               d->ifname, TAP_HEADER, strerror(errno));
        return false;
    }
    /* A kernel that cannot leave us the work does it itself. */
    if (ioctl(d->fd, TUNSETOFFLOAD, d->offload ? offload : 0ul) != 0)
        ioctl(d->fd, TUNSETOFFLOAD, 0ul);
    if (ioctl(d->fd, TUNSETSNDBUF, &sndbuf) != 0) {
        err_at(err, o->file, o->line, "sndbuf of interface %s cannot be set: %s", d->ifname,
               strerror(errno));
        return false;
    }
    return true;
}

bool tap_open(uv_loop_t *loop, struct tap_device *d, const struct tap_options *o, struct err *err)
{
    *d = (struct tap_device){.fd = -1};
    bool got = o->fd       ? inherit(loop, d, o, err)
               : o->helper ? (d->fd = tap_ask_helper(o, err)) >= 0
                           : attach(d, o, err);

    if (got && identify(d, o, err) && prepare(d, o, err))
        return true;
    if (d->fd >= 0)
        close(d->fd);
    return false;
}
