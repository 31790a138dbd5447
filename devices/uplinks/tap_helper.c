/*
 * A TAP interface from a helper with more privilege than we have.
 *
 *     helper --use-vnet --fd=N --br=BRIDGE
 *
 * N is our end's peer of a pair of sockets. The helper makes the interface, puts it on the bridge,
 * sends one byte with its descriptor (SCM_RIGHTS), and ends with status 0.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/uplinks/tap_open.h"
#include "devices/uplinks/tap_script.h"

/* The descriptor that came; -1: none did. */
static int receive_fd(int from)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    int fd = -1;

    if (recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
        return -1;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static pid_t helper_start(const struct tap_options *o, int its)
{
    char fd[32], *br = xasprintf("--br=%s", o->br);
    char *argv[5] = {(char *)o->helper}, **at = argv + 1;

    snprintf(fd, sizeof(fd), "--fd=%d", its);
    if (o->vnet_hdr)
        *at++ = (char *)"--use-vnet";
    *at++ = fd;
    *at = br;
    pid_t pid = tap_spawn(argv, its);
    free(br);
    return pid;
}

int tap_ask_helper(const struct tap_options *o, struct err *err)
{
    struct tap_result r = {TAP_NOT_STARTED, 0};
    int pair[2], fd = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        err_at(err, o->file, o->line, "helper %s: %s", o->helper, strerror(errno));
        return -1;
    }
    pid_t pid = helper_start(o, pair[1]);
    r.status = errno;
    close(pair[1]);
    if (pid > 0) { /* what it sends waits in the socket, so it can be let end first */
        r = tap_wait(pid, o->timeout_ns);
        fd = receive_fd(pair[0]);
    }
    close(pair[0]);
    if (tap_result_good(r, "helper", o->helper, o, err) && fd < 0)
        err_at(err, o->file, o->line,
               "helper %s ended well, but sent no interface; it must send one as "
               "qemu-bridge-helper does",
               o->helper);
    else if (r.end == TAP_ENDED && r.status == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}
