/*
 * The user-mode stack: libslirp as an actor.
 *
 * Inside a window it sees only frames and its own timers, on virtual time. Host sockets are
 * looked at between windows: when one becomes ready the stack is poked, and what the sockets
 * bring gets the time of that barrier. libslirp keeps its clock (in ms) in one variable for all
 * stacks, so every entry begins by setting it (enter).
 *
 * IPv6 is off: libslirp draws the time between router advertisements from the host's entropy,
 * which would make two runs differ.
 */
#include "devices/uplinks/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/uplinks/uplink.h"
#include "devices/uplinks/user_options.h"
#include "devices/uplinks/user_packet.h"
#include "sim/sim.h"

/* What the loop holds; outlives the stack until the loop has closed both. */
struct user_handles {
    uv_poll_t ready;      /* the epoll descriptor has something */
    uv_prepare_t prepare; /* brings it up to date before the loop waits */
    struct user_stack *stack;
    int epoll;
    unsigned open;
};

struct user_stack {
    struct uplink uplink;
    Slirp *slirp;
    SlirpConfig config;
    char *tftp, *bootfile, *hostname;

    struct event timer;    /* when libslirp asked to be called again */
    struct event incoming; /* sockets are ready */
    int epoll;             /* holds the host sockets, each for one shot */
    unsigned n_registered; /* sockets that libslirp told us of: it does not tell of all */
    bool stale;            /* what the sockets are watched for may have changed */
    struct user_handles *handles;

    struct pollfd *polled; /* scratch for socket_events */
    uint32_t n_polled, cap_polled;
};

static struct user_stack *stack_of(struct uplink *u)
{
    return container_of(u, struct user_stack, uplink);
}

/* --- entering and leaving libslirp --- */

/* Set libslirp's clock and run its timers: polling with an "error" does just that. */
static void enter(struct user_stack *u)
{
    slirp_pollfds_poll(u->slirp, 1, NULL, u);
}

static int add_poll(int fd, int events, void *opaque)
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

/* Ask libslirp what it waits for: sockets into u->polled, time into the timer. */
static void leave(struct user_stack *u)
{
    uint32_t timeout_ms = UINT32_MAX;

    u->n_polled = 0;
    u->stale = true;
    slirp_pollfds_fill(u->slirp, &timeout_ms, add_poll, u);
    actor_set_live(&u->uplink.actor, u->n_polled > 0 || u->n_registered > 0);
    if (timeout_ms == UINT32_MAX)
        evq_cancel(&u->uplink.actor.events, &u->timer);
    else
        evq_arm(&u->uplink.actor.events, &u->timer,
                u->uplink.actor.now + MAX(timeout_ms, 1u) * NS_PER_MS);
}

static void timer_fire(struct event *ev, vtime_t now)
{
    struct user_stack *u = container_of(ev, struct user_stack, timer);

    (void)now;
    enter(u);
    leave(u);
}

/* --- frames --- */

static void input(void *opaque, struct frame *f)
{
    struct user_stack *u = opaque;

    slirp_input(u->slirp, f->data, (int)f->len);
}

static enum port_verdict user_take(struct uplink_port *p, struct frame *f)
{
    struct user_stack *u = stack_of(p->uplink);

    enter(u);
    bool taken = user_packet_in(f, input, u);
    leave(u);
    return taken ? PORT_TAKEN : PORT_DROPPED;
}

static void send_frame(void *opaque, struct frame *f)
{
    uplink_send(((struct user_stack *)opaque)->uplink.ports, f);
}

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    user_packet_out(buf, (uint32_t)len, send_frame, opaque);
    return (ssize_t)len;
}

/* --- host sockets --- */

static int get_revents(int idx, void *opaque)
{
    struct user_stack *u = opaque;
    short got = u->polled[idx].revents;

    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
           (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void incoming_fire(struct event *ev, vtime_t now)
{
    struct user_stack *u = container_of(ev, struct user_stack, incoming);

    (void)now;
    leave(u);
    if (poll(u->polled, u->n_polled, 0) > 0)
        slirp_pollfds_poll(u->slirp, 0, get_revents, u);
    else
        enter(u);
    leave(u);
}

static void user_woken(struct uplink *uplink)
{
    struct actor *a = &uplink->actor;

    evq_arm(&a->events, &stack_of(uplink)->incoming, a->sim->now);
    actor_due_changed(a);
}

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

static void watch_socket(struct user_stack *u, const struct pollfd *p)
{
    struct epoll_event e = {.events = EPOLLONESHOT | (uint32_t)p->events, .data.fd = p->fd};

    /* A closed socket leaves by itself, so a descriptor's number may be new here. */
    if (epoll_ctl(u->epoll, EPOLL_CTL_MOD, p->fd, &e) != 0 && errno == ENOENT)
        epoll_ctl(u->epoll, EPOLL_CTL_ADD, p->fd, &e);
}

/* Before the loop waits: watch exactly what libslirp waits for now. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct user_stack *u = ((struct user_handles *)prepare->data)->stack;

    if (!u->stale || u->uplink.inlet.poked || event_armed(&u->incoming))
        return;
    for (uint32_t i = 0; i < u->n_polled; i++)
        watch_socket(u, &u->polled[i]);
    u->stale = false;
}

static void register_fd(int fd, void *opaque)
{
    (void)fd;
    ((struct user_stack *)opaque)->n_registered++;
}

static void unregister_fd(int fd, void *opaque)
{
    (void)fd;
    ((struct user_stack *)opaque)->n_registered--;
}

static void handles_open(struct user_stack *u)
{
    struct user_handles *h = xcalloc(1, sizeof(*h));

    u->epoll = epoll_create1(EPOLL_CLOEXEC);
    *h = (struct user_handles){.stack = u, .epoll = u->epoll, .open = 2};
    u->handles = h;
    uv_poll_init(&u->uplink.actor.sim->loop, &h->ready, h->epoll);
    uv_prepare_init(&u->uplink.actor.sim->loop, &h->prepare);
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

static void handles_close(struct user_handles *h)
{
    uv_close((uv_handle_t *)&h->ready, on_closed);
    uv_close((uv_handle_t *)&h->prepare, on_closed);
}

/* --- the rest of what libslirp asks for --- */

static int64_t clock_get_ns(void *opaque)
{
    return ((struct user_stack *)opaque)->uplink.actor.now;
}

static void guest_error(const char *msg, void *opaque)
{
    struct user_stack *u = opaque;

    device_warnings++;
    if (device_trace)
        fprintf(stderr, "%s user: %s\n", u->uplink.actor.name, msg);
}

struct user_timer {
    struct event event;
    SlirpTimerCb fn;
    void *fn_opaque;
};

static void slirp_timer_fire(struct event *ev, vtime_t now)
{
    struct user_timer *t = container_of(ev, struct user_timer, event);

    (void)now;
    t->fn(t->fn_opaque);
}

static void *timer_new(SlirpTimerCb fn, void *fn_opaque, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = xcalloc(1, sizeof(*t));

    event_init(&u->uplink.actor.events, &t->event, slirp_timer_fire);
    t->fn = fn;
    t->fn_opaque = fn_opaque;
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = timer;

    evq_cancel(&u->uplink.actor.events, &t->event);
    free(t);
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = timer;

    evq_arm(&u->uplink.actor.events, &t->event, MAX(expire_ms * NS_PER_MS, u->uplink.actor.now));
}

static void notify(void *opaque)
{
    ((struct user_stack *)opaque)->stale = true;
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = register_fd,
    .unregister_poll_fd = unregister_fd,
    .notify = notify,
};

/* --- life --- */

static void start_slirp(struct user_stack *u, const struct user_options *o,
                        const struct user_plan *p)
{
    u->tftp = o->tftp ? xstrdup(o->tftp) : NULL;
    u->bootfile = o->bootfile ? xstrdup(o->bootfile) : NULL;
    u->hostname = o->hostname ? xstrdup(o->hostname) : NULL;
    u->config = (SlirpConfig){
        .version = 4,
        .restricted = o->restrict_host,
        .in_enabled = true,
        .if_mtu = USER_MTU,
        .if_mru = USER_MTU,
        .vnetwork = p->net,
        .vnetmask = p->mask,
        .vhost = p->host,
        .vnameserver = p->dns,
        .vdhcp_start = p->dhcpstart,
        .vhostname = u->hostname,
        .tftp_path = u->tftp,
        .bootfile = u->bootfile,
    };
    u->slirp = slirp_new(&u->config, &callbacks, u);
}

static bool add_forwards(struct user_stack *u, const struct user_options *o,
                         const struct user_plan *p, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; i < p->n_forwards; i++) {
        const struct user_hostfwd *f = &p->forwards[i];
        if (slirp_add_hostfwd(u->slirp, f->udp, f->host, f->host_port, f->guest, f->guest_port)) {
            err_at(err, o->file, o->line, "hostfwd \"%s\": cannot listen on port %u of the host: %s",
                   o->hostfwd[i], f->host_port, strerror(errno));
            ok = false;
        }
    }
    return ok;
}

static void user_close(struct uplink *uplink)
{
    struct user_stack *u = stack_of(uplink);

    slirp_cleanup(u->slirp);
    handles_close(u->handles);
    free(u->polled);
    free(u->tftp);
    free(u->bootfile);
    free(u->hostname);
}

static const struct uplink_ops user_ops = {
    .kind = "user", .send = user_take, .woken = user_woken, .close = user_close, .direct = true};

struct uplink *user_create(struct sim *sim, const char *name, const struct user_options *o,
                           struct err *err)
{
    struct user_plan plan;

    if (!user_plan_make(&plan, o, err)) {
        user_plan_finish(&plan);
        return NULL;
    }
    struct user_stack *u = xcalloc(1, sizeof(*u));
    uplink_init(&u->uplink, &user_ops, sim, name);
    uplink_join(&u->uplink, NULL, true);
    event_init(&u->uplink.actor.events, &u->timer, timer_fire);
    event_init(&u->uplink.actor.events, &u->incoming, incoming_fire);
    handles_open(u);
    start_slirp(u, o, &plan);
    bool ok = add_forwards(u, o, &plan, err);
    leave(u);
    user_plan_finish(&plan);
    if (!ok) {
        uplink_destroy(&u->uplink);
        return NULL;
    }
    return &u->uplink;
}
