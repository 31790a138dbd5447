/* A listening stream socket. When no descriptor is left it stops asking for a moment, and goes on.
 */
#include "devices/uplinks/listener.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/watch.h"
#include "sim/base.h"

#define BACKLOG 128
#define MAX_AT_ONCE 64 /* accepted per wake-up, so that a storm leaves time for others */
#define PAUSE_MS 100

struct listener {
    int fd;
    struct watch *watch;
    struct alarm *alarm;
    struct sockaddr_any address;
    bool own_file; /* a unix socket's, made here */
    void (*accepted)(void *opaque, int fd);
    void *opaque;
};

static void on_ready(void *opaque, int events)
{
    struct listener *l = opaque;

    (void)events;
    for (int i = 0; i < MAX_AT_ONCE; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            l->accepted(l->opaque, fd);
        } else if (errno != ECONNABORTED && errno != EINTR) {
            if (errno == EAGAIN)
                return;
            watch_set(l->watch, 0); /* EMFILE and its like: it would be said without end */
            alarm_set(l->alarm, PAUSE_MS);
            return;
        }
    }
}

static void on_alarm(void *opaque)
{
    watch_set(((struct listener *)opaque)->watch, UV_READABLE);
}

struct listener *listener_adopt(uv_loop_t *loop, int fd, void (*accepted)(void *opaque, int fd),
                                void *opaque)
{
    struct listener *l = xcalloc(1, sizeof(*l));

    *l = (struct listener){.fd = fd, .accepted = accepted, .opaque = opaque};
    l->address.len = sizeof(l->address.to);
    getsockname(fd, (struct sockaddr *)&l->address.to, &l->address.len);
    l->alarm = alarm_open(loop, on_alarm, l);
    l->watch = watch_open(loop, fd, on_ready, l);
    watch_set(l->watch, UV_READABLE);
    return l;
}

static int open_one(const struct sockaddr_any *on)
{
    int fd = socket(on->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error, yes = 1;

    if (fd < 0)
        return -1;
    if (on->to.ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address_bind(fd, on) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

struct listener *listener_create(uv_loop_t *loop, const struct address_list *on,
                                 void (*accepted)(void *opaque, int fd), void *opaque, int *error)
{
    for (unsigned i = 0; i < on->n; i++) {
        int fd = open_one(&on->items[i]);
        if (fd >= 0) {
            struct listener *l = listener_adopt(loop, fd, accepted, opaque);
            l->own_file = true;
            return l;
        }
        *error = errno;
    }
    return NULL;
}

const struct sockaddr_any *listener_address(const struct listener *l)
{
    return &l->address;
}

void listener_destroy(struct listener *l)
{
    if (!l)
        return;
    if (l->own_file)
        address_unlink(&l->address);
    watch_close(l->watch);
    alarm_close(l->alarm);
    free(l);
}
