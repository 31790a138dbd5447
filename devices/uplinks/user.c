/*
 * The user-mode stack: libslirp as an actor.
 *
 * Inside a window it sees only frames and its own timers, on virtual time. Host sockets are
 * looked at between windows (user_sockets.c). libslirp keeps its clock (in ms) in one variable for
 * all stacks, so every entry begins by setting it (user_enter).
 *
 * What would make two runs differ is replaced: the time between router advertisements, which it
 * draws from the host's entropy, comes from the run's seed; that the host knows a DNS server by
 * IPv6 is not advertised (user_guard.c).
 */
#include "devices/uplinks/user.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/epoll.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "devices/device.h"
#include "devices/uplinks/user_packet.h"
#include "devices/uplinks/user_stack.h"
#include "sim/sim.h"

/* RFC 4861, 6.2.1 and 10: the longest and shortest interval that libslirp has in mind, in ms. */
#define ADVERT_MAX 600000
#define ADVERT_MIN (ADVERT_MAX / 3)
#define ADVERT_FIRST_MAX 16000 /* MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define ADVERT_FIRST 3         /* MAX_INITIAL_RTR_ADVERTISEMENTS */

/* It asks to be called again after so long even if there is nothing to do: then it may sleep. */
#define IDLE_MS 1000

/* --- entering and leaving libslirp --- */

/* Polling with an "error" sets its clock, runs its timers, and no more. */
void user_enter(struct user_stack *u)
{
    slirp_pollfds_poll(u->slirp, 1, NULL, u);
}

void user_leave(struct user_stack *u)
{
    struct actor *a = &u->uplink.actor;
    uint32_t timeout_ms = UINT32_MAX;

    u->n_polled = 0;
    u->stale = true;
    slirp_pollfds_fill(u->slirp, &timeout_ms, user_add_poll, u);
    actor_set_live(a, u->n_polled > 0 || u->n_registered > 0 || u->n_lines > 0);
    if (timeout_ms >= IDLE_MS)
        evq_cancel(&a->events, &u->timer);
    else
        evq_arm(&a->events, &u->timer, a->now + MAX(timeout_ms, 1u) * NS_PER_MS);
}

static void timer_fire(struct event *ev, vtime_t now)
{
    struct user_stack *u = container_of(ev, struct user_stack, timer);

    (void)now;
    user_enter(u);
    user_leave(u);
}

static void incoming_fire(struct event *ev, vtime_t now)
{
    struct user_stack *u = container_of(ev, struct user_stack, incoming);

    (void)now;
    user_leave(u);
    if (user_sockets_ready(u))
        slirp_pollfds_poll(u->slirp, 0, user_get_revents, u);
    else
        user_enter(u);
    user_leave(u);
}

void user_look_again(struct user_stack *u)
{
    uplink_poke(&u->uplink);
}

static void user_woken(struct uplink *uplink)
{
    struct actor *a = &uplink->actor;

    evq_arm(&a->events, &user_stack_of(uplink)->incoming, a->sim->now);
    actor_due_changed(a);
}

/* --- frames --- */

/* A packet that a guest has sent, in one piece. */
static void input(void *opaque, struct frame *f)
{
    struct user_stack *u = opaque;
    vtime_t now = u->uplink.actor.now;
    struct frame *passed = user_guard_in(&u->guard, f, now, user_sockets_enough(u));

    if (!passed)
        return;
    slirp_input(u->slirp, passed->data, (int)passed->len);
    if (user_guard_passed(&u->guard, passed))
        user_enter(u); /* what waited for that answer goes out */
    frame_unref(passed);
    user_doors_accept(u);
}

static enum port_verdict user_take(struct uplink_port *p, struct frame *f)
{
    struct user_stack *u = user_stack_of(p->uplink);

    user_enter(u);
    bool taken = user_packet_in(f, input, u);
    user_leave(u);
    return taken ? PORT_TAKEN : PORT_DROPPED;
}

static void send_frame(void *opaque, struct frame *f)
{
    uplink_send(((struct user_stack *)opaque)->uplink.ports, f);
}

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    struct user_stack *u = opaque;
    struct frame *other = user_guard_out(&u->guard, buf, (uint32_t)len, u->uplink.actor.now);

    user_packet_out(other ? other->data : buf, other ? other->len : (uint32_t)len, send_frame,
                    opaque);
    frame_unref(other);
    return (ssize_t)len;
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

/* What a guest can make libslirp say again and again is counted, not printed. */
static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer opaque)
{
    (void)level;
    (void)opaque;
    device_warnings++;
    if (device_trace)
        fprintf(stderr, "user: %s: %s\n", domain ? domain : "libslirp", text);
}

/* Its only timer is that of router advertisements. */
struct user_timer {
    struct event event;
    struct user_stack *stack;
    SlirpTimerId id;
    void *opaque;
};

static void user_timer_fire(struct event *ev, vtime_t now)
{
    struct user_timer *t = container_of(ev, struct user_timer, event);

    (void)now;
    user_enter(t->stack);
    slirp_handle_timer(t->stack->slirp, t->id, t->opaque);
    user_leave(t->stack);
}

static void *timer_new(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = xcalloc(1, sizeof(*t));

    event_init(&u->uplink.actor.events, &t->event, user_timer_fire);
    t->stack = u;
    t->id = id;
    t->opaque = timer_opaque;
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = timer;

    evq_cancel(&u->uplink.actor.events, &t->event);
    free(t);
}

/* RFC 4861, 6.2.4: evenly between the shortest and the longest interval; the first ones sooner. */
static int64_t next_advert_ms(struct user_stack *u)
{
    int64_t ms = ADVERT_MIN + (int64_t)rng_below(&u->rng, ADVERT_MAX - ADVERT_MIN);

    return u->n_adverts++ < ADVERT_FIRST ? MIN(ms, ADVERT_FIRST_MAX) : ms;
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    struct user_stack *u = opaque;
    struct user_timer *t = timer;
    struct actor *a = &u->uplink.actor;

    if (t->id == SLIRP_TIMER_RA)
        expire_ms = a->now / NS_PER_MS + next_advert_ms(u);
    evq_arm(&a->events, &t->event, MAX(expire_ms * NS_PER_MS, a->now));
}

static void notify(void *opaque)
{
    ((struct user_stack *)opaque)->stale = true;
}

static void init_completed(Slirp *slirp, void *opaque)
{
    ((struct user_stack *)opaque)->slirp = slirp;
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = user_register_fd,
    .unregister_poll_fd = user_unregister_fd,
    .notify = notify,
    .init_completed = init_completed,
    .timer_new_opaque = timer_new,
};

/* --- life --- */

static void set_addresses(SlirpConfig *c, const struct user_options *o, const struct user_plan *p)
{
    c->in_enabled = !o->ipv4_off;
    c->vnetwork = p->net;
    c->vnetmask = p->mask;
    c->vhost = p->host;
    c->vnameserver = p->dns;
    c->vdhcp_start = p->dhcpstart;
    c->in6_enabled = o->ipv6;
    c->vprefix_addr6 = p->net6;
    c->vprefix_len = (uint8_t)p->prefix6;
    c->vhost6 = p->host6;
    c->vnameserver6 = p->dns6;
}

/* libslirp 4.7 does not free the TFTP server's name; the leak checker need not be told each time.
 */
static Slirp *slirp_make(struct user_stack *u)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_disable();
#endif
    Slirp *slirp = slirp_new(&u->config, &callbacks, u);
#ifdef __SANITIZE_ADDRESS__
    __lsan_enable();
#endif
    return slirp;
}

/* libslirp copies the strings. */
static void start_slirp(struct user_stack *u, const struct user_options *o,
                        const struct user_plan *p)
{
    const char **search = xcalloc(o->n_dnssearch + 1, sizeof(*search));

    for (size_t i = 0; i < o->n_dnssearch; i++)
        search[i] = o->dnssearch[i];
    u->config = (SlirpConfig){
        .version = 4,
        .restricted = o->restrict_host,
        .if_mtu = USER_MTU,
        .if_mru = USER_MTU,
        .vhostname = o->hostname,
        .vdomainname = o->domainname,
        .vdnssearch = o->n_dnssearch ? search : NULL,
        .tftp_path = o->tftp,
        .tftp_server_name = o->tftp_server_name,
        .bootfile = o->bootfile,
    };
    set_addresses(&u->config, o, p);
    g_log_set_handler("Slirp", G_LOG_LEVEL_MASK, on_log, NULL);
    u->slirp = slirp_make(u);
    free(search);
}

static bool add_redirections(struct user_stack *u, const struct user_options *o,
                             const struct user_plan *p, struct err *err)
{
    bool ok = user_doors_open(u, o, p, err);

    for (size_t i = 0; i < p->n_hostfwd; i++)
        ok &= user_redirect(u, o->hostfwd[i], &p->hostfwd[i], o->file, o->line, err);
    return ok;
}

static void user_describe(const struct uplink *uplink, FILE *to)
{
    const struct user_stack *u = container_of(uplink, struct user_stack, uplink);
    char a[INET_ADDRSTRLEN];
    int bits = __builtin_popcount(u->config.vnetmask.s_addr);

    if (u->config.in_enabled)
        fprintf(to, "net=%s/%d", inet_ntop(AF_INET, &u->config.vnetwork, a, sizeof(a)), bits);
    if (u->config.in6_enabled)
        fprintf(to, "%sipv6", u->config.in_enabled ? "," : "");
    fprintf(to, ",restrict=%s", u->config.restricted ? "on" : "off");
}

static void user_close(struct uplink *uplink)
{
    struct user_stack *u = user_stack_of(uplink);

    slirp_cleanup(u->slirp);
    user_redirections_close(u);
    user_doors_close(u);
    user_sockets_close(u);
    user_guard_finish(&u->guard);
}

static const struct uplink_ops user_ops = {.kind = "user",
                                           .send = user_take,
                                           .woken = user_woken,
                                           .describe = user_describe,
                                           .close = user_close,
                                           .direct = true};

static struct user_stack *stack_new(struct sim *sim, const char *name, const struct user_options *o,
                                    const struct user_plan *plan, int epoll)
{
    struct user_stack *u = xcalloc(1, sizeof(*u));
    char *stream = xasprintf("%s.adverts", name);

    uplink_init(&u->uplink, &user_ops, sim, name);
    uplink_join(&u->uplink, NULL, true);
    event_init(&u->uplink.actor.events, &u->timer, timer_fire);
    event_init(&u->uplink.actor.events, &u->incoming, incoming_fire);
    rng_init(&u->rng, sim->options.seed, stream);
    free(stream);
    user_guard_init(&u->guard, o, plan);
    user_sockets_open(u, epoll);
    start_slirp(u, o, plan);
    return u;
}

struct uplink *user_create(struct sim *sim, const char *name, const struct user_options *o,
                           struct err *err)
{
    struct user_plan plan;
    struct user_stack *u = NULL;
    bool good = user_plan_make(&plan, o, err);
    int epoll = good ? epoll_create1(EPOLL_CLOEXEC) : -1;

    if (good && epoll < 0)
        err_at(err, o->file, o->line,
               "no descriptor is left for user %s: %s; ulimit -n allows more", name,
               strerror(errno));
    if (epoll >= 0) {
        u = stack_new(sim, name, o, &plan, epoll);
        bool ok = add_redirections(u, o, &plan, err);
        user_leave(u);
        actor_due_changed(&u->uplink.actor);
        if (!ok) {
            uplink_destroy(&u->uplink);
            u = NULL;
        }
    }
    user_plan_finish(&plan);
    return u ? &u->uplink : NULL;
}
