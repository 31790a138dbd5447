/*
 * The user-mode stack's host sockets: looked at between windows. When one becomes ready the stack
 * is poked, and what the sockets bring gets the time of that barrier.
 *
 * libslirp tells what it waits for after each entry. The loop watches one epoll descriptor, which
 * holds the sockets for one shot each and is brought up to date before the loop waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "devices/uplinks/user_stack.h"
#include "sim/sim.h"

#define MAX_SOCKETS 1024u

/* What the loop holds; outlives the stack until the loop has closed both. */
struct user_handles {
    uv_poll_t ready;      /* the epoll descriptor has something */
    uv_prepare_t prepare; /* brings it up to date before the loop waits */
    struct user_stack *stack;
    int epoll;
    unsigned open;
};

/* --- what libslirp says --- */

int user_add_poll(int fd, int events, void *opaque)
{
    struct user_stack *u = opaque;
    short want = 0;

    if (events & SLIRP_POLL_IN)
        want |= POLLIN;
    if (events & SLIRP_POLL_OUT)
        want |= POLLOUT;
    if (events & SLIRP_POLL_PRI)
        want |= POLLPRI;
    array_reserve(u->polled, &u->cap_polled, u->n_polled + 1);
    u->polled[u->n_polled] = (struct pollfd){.fd = fd, .events = want};
    return (int)u->n_polled++;
}

int user_get_revents(int idx, void *opaque)
{
    struct user_stack *u = opaque;
    short got = u->polled[idx].revents;

    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
           (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

bool user_sockets_ready(struct user_stack *u)
{
    return poll(u->polled, u->n_polled, 0) > 0;
}

void user_register_fd(int fd, void *opaque)
{
    struct user_stack *u = opaque;
    uint32_t had = u->cap_registered;

    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC); /* what it accepts would be left open in commands */
    array_reserve(u->registered, &u->cap_registered, (uint32_t)fd + 1);
    memset(u->registered + had, 0, u->cap_registered - had);
    u->n_registered += !u->registered[fd];
    u->registered[fd] = 1;
}

/* It also tells of listening sockets, which it did not register, and of no socket at all. */
void user_unregister_fd(int fd, void *opaque)
{
    struct user_stack *u = opaque;

    if (fd < 0 || (uint32_t)fd >= u->cap_registered || !u->registered[fd])
        return;
    u->registered[fd] = 0;
    u->n_registered--;
}

bool user_sockets_enough(const struct user_stack *u)
{
    return u->n_registered >= u->max_registered;
}

/* Half of what the process may have, so that others find some. */
static uint32_t sockets_allowed(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return MAX_SOCKETS;
    return (uint32_t)MIN((rlim_t)MAX_SOCKETS, limit.rlim_cur / 2);
}

/* --- the loop --- */

static void on_ready(uv_poll_t *ready, int status, int events)
{
    struct user_handles *h = ready->data;
    struct epoll_event disarmed[64];

    (void)status;
    (void)events;
    /* Taking a shot disarms its socket until the stack has looked; poll() then tells which. */
    epoll_wait(h->epoll, disarmed, ARRAY_LEN(disarmed), 0);
    uplink_poke(&h->stack->uplink);
}

static void watch_socket(int epoll, const struct pollfd *p)
{
    struct epoll_event e = {.events = EPOLLONESHOT | (uint32_t)p->events, .data.fd = p->fd};

    /* A closed socket leaves by itself, so a descriptor's number may be new here. */
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &e) != 0 && errno == ENOENT)
        epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &e);
}

/* Before the loop waits: watch exactly what libslirp waits for now. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct user_handles *h = prepare->data;
    struct user_stack *u = h->stack;

    if (!u->stale || u->uplink.inlet.poked || event_armed(&u->incoming))
        return;
    for (uint32_t i = 0; i < u->n_polled; i++)
        watch_socket(h->epoll, &u->polled[i]);
    u->stale = false;
}

void user_sockets_open(struct user_stack *u, int epoll)
{
    struct user_handles *h = xcalloc(1, sizeof(*h));
    uv_loop_t *loop = &u->uplink.actor.sim->loop;

    *h = (struct user_handles){.stack = u, .epoll = epoll, .open = 2};
    u->handles = h;
    u->max_registered = sockets_allowed();
    uv_poll_init(loop, &h->ready, h->epoll);
    uv_prepare_init(loop, &h->prepare);
    h->ready.data = h->prepare.data = h;
    uv_poll_start(&h->ready, UV_READABLE, on_ready);
    uv_prepare_start(&h->prepare, on_prepare);
}

static void on_closed(uv_handle_t *handle)
{
    struct user_handles *h = handle->data;

    if (--h->open > 0)
        return;
    close(h->epoll);
    free(h);
}

void user_sockets_close(struct user_stack *u)
{
    uv_close((uv_handle_t *)&u->handles->ready, on_closed);
    uv_close((uv_handle_t *)&u->handles->prepare, on_closed);
    free(u->polled);
    free(u->registered);
}
