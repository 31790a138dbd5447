/*
 * Stream links: who listens, who connects, and which peer has which port.
 *
 *     listens    accepted -> (secret) -> a port more -> lost: the port leaves
 *     connects   a port, down -> connected -> (secret) -> up -> lost: down, and tried for again
 *     inherits   a socket that listens, or one peer that is there already
 *
 * The socket's side of it happens in the loop (listener, dialer, stream_peer); what guests can see
 * of it, ports and carriers, changes at barriers: stream_woken.
 */
#include "devices/uplinks/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/uplinks/dialer.h"
#include "devices/uplinks/inherited.h"
#include "devices/uplinks/listener.h"
#include "devices/uplinks/stream_options.h"
#include "devices/uplinks/stream_peer.h"
#include "sim/sim.h"

#define DEFAULT_MAX_PEERS 256

struct stream {
    struct uplink uplink;
    struct listener *listener; /* NULL: it connects, or inherited a peer */
    struct dialer *dialer;     /* NULL: it does not connect */
    char *target;              /* whom it connects to, as it was written */
    struct stream_secret *secret;
    struct stream_peer *peers;
    uint64_t max_peers, n_joined;
    uint64_t refused_full; /* peers beyond max_peers */
    uint64_t refused_secret;
    uint64_t misbehaved; /* that announced impossible frames */
    uint64_t n_lost;     /* all those lost */
    uint64_t dropped;    /* segments for which lost peers had no room */
    bool given_up;       /* reconnect = "never", and it was lost */
    char *last_loss;     /* who was lost, and why; NULL: nobody yet */
};

static struct stream *stream_of(struct uplink *u)
{
    return container_of(u, struct stream, uplink);
}

/* --- peers come --- */

/* Ports whose peers are gone count until what those sent has passed: a storm must not pile up. */
static uint64_t count_slots(const struct stream *s)
{
    uint64_t n = 0;

    for (const struct uplink_port *p = s->uplink.ports; p; p = p->next)
        n++;
    for (const struct stream_peer *p = s->peers; p; p = p->next)
        n += !p->port;
    return n;
}

/* Small frames must not wait for the acknowledgment of others; a host that vanished is noticed. */
static void tune(int fd)
{
    int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)); /* no use to a unix socket */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static void peer_add(struct stream *s, int fd, bool server)
{
    tune(fd);
    struct stream_peer *p = stream_peer_create(&s->uplink, fd, server, s->secret);
    p->next = s->peers;
    s->peers = p;
    stream_trace(&s->uplink, "%s %s", server ? "accepted" : "connected to", p->name);
}

static void on_accepted(void *opaque, int fd)
{
    struct stream *s = opaque;

    if (count_slots(s) < s->max_peers) {
        peer_add(s, fd, true);
        return;
    }
    s->refused_full++;
    device_warnings++;
    stream_trace(&s->uplink, "a peer was refused: it has %llu (max_peers)",
                 (unsigned long long)s->max_peers);
    close(fd);
}

static void on_connected(void *opaque, int fd)
{
    peer_add(opaque, fd, false);
}

/* --- at barriers --- */

static void peer_join(struct stream *s, struct stream_peer *p)
{
    struct uplink *u = &s->uplink;
    char *name = NULL;

    if (s->dialer) {
        uplink_carrier(u->ports, true);
        stream_peer_join(p, u->ports);
        return;
    }
    if (s->listener)
        name = xasprintf("%s.%llu", u->actor.name, (unsigned long long)++s->n_joined);
    stream_peer_join(p, uplink_join(u, name, true));
    free(name);
}

static void note_loss(struct stream *s, const struct stream_peer *p)
{
    s->n_lost++;
    s->refused_secret += p->refused;
    s->misbehaved += p->misbehaved;
    s->dropped += p->dropped;
    free(s->last_loss);
    s->last_loss = xasprintf("%s: %s", p->name, p->why);
}

static void peer_leave(struct stream *s, struct stream_peer *p)
{
    note_loss(s, p);
    if (p->port && s->dialer) {
        p->port->peer = NULL;
        uplink_ready(p->port); /* what it held was for this peer: it is dropped */
        uplink_carrier(p->port, false);
    } else if (p->port) {
        uplink_leave(p->port);
    }
    if (s->dialer && !dialer_lost(s->dialer))
        s->given_up = true;
    stream_peer_destroy(p);
}

static void stream_woken(struct uplink *u)
{
    struct stream *s = stream_of(u);

    for (struct stream_peer **at = &s->peers, *p; (p = *at);) {
        if (p->state == STREAM_OPEN && !p->port)
            peer_join(s, p);
        else if (p->state == STREAM_OPEN)
            stream_peer_woken(p);
        if (p->state != STREAM_LOST) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        peer_leave(s, p);
    }
}

/* --- frames --- */

static enum port_verdict stream_send(struct uplink_port *port, struct frame *f)
{
    return port->peer ? stream_peer_send(port->peer, f) : PORT_DROPPED;
}

static void stream_room(struct uplink_port *port)
{
    if (port->peer)
        stream_peer_read_on(port->peer);
}

/* --- what it says of itself --- */

static unsigned count_open(const struct stream *s)
{
    unsigned n = 0;

    for (const struct stream_peer *p = s->peers; p; p = p->next)
        n += p->state == STREAM_OPEN;
    return n;
}

static void describe_listener(const struct stream *s, FILE *to)
{
    char *address = address_format(listener_address(s->listener));

    fprintf(to, "listens on %s, peers: %u of %llu", address, count_open(s),
            (unsigned long long)s->max_peers);
    free(address);
}

static void describe_dialer(const struct stream *s, FILE *to)
{
    const char *problem = dialer_problem(s->dialer);

    if (s->peers && s->peers->state == STREAM_OPEN)
        fprintf(to, "connected to %s", s->target);
    else if (s->given_up)
        fprintf(to, "was connected to %s", s->target);
    else
        fprintf(to, "connecting to %s, attempts: %llu%s%s", s->target,
                (unsigned long long)dialer_attempts(s->dialer), problem ? ", " : "",
                problem ? problem : "");
}

static void describe_count(FILE *to, const char *what, uint64_t n)
{
    if (n)
        fprintf(to, ", %s: %llu", what, (unsigned long long)n);
}

static void stream_describe(const struct uplink *u, FILE *to)
{
    const struct stream *s = container_of(u, struct stream, uplink);

    if (s->listener)
        describe_listener(s, to);
    else if (s->dialer)
        describe_dialer(s, to);
    else
        fprintf(to, "%s %s", s->peers ? "inherited, connected to" : "inherited, was connected to",
                s->target);
    if (s->secret)
        fprintf(to, ", with a secret");
    describe_count(to, "refused for want of room", s->refused_full);
    describe_count(to, "refused for want of the secret", s->refused_secret);
    describe_count(to, "lost", s->n_lost - s->refused_secret);
    describe_count(to, "of these for impossible frames", s->misbehaved);
    describe_count(to, "segments dropped", s->dropped);
    if (s->last_loss)
        fprintf(to, "; the last: %s", s->last_loss);
}

char *stream_address(struct uplink *u)
{
    char *live = NULL;

    if (!inlet_played(&u->inlet) && stream_of(u)->listener)
        live = address_format(listener_address(stream_of(u)->listener));
    return uplink_answer(u, live);
}

unsigned stream_peers(struct uplink *u)
{
    char *live = inlet_played(&u->inlet) ? NULL : xasprintf("%u", count_open(stream_of(u)));
    char *text = uplink_answer(u, live);
    unsigned n = text ? (unsigned)strtoul(text, NULL, 10) : 0;

    free(text);
    return n;
}

/* --- life --- */

static void stream_close(struct uplink *u)
{
    struct stream *s = stream_of(u);

    while (s->peers) {
        struct stream_peer *p = s->peers;
        s->peers = p->next;
        stream_peer_destroy(p);
    }
    listener_destroy(s->listener);
    dialer_destroy(s->dialer);
    stream_secret_destroy(s->secret);
    free(s->target);
    free(s->last_loss);
}

static const struct uplink_ops stream_ops = {.kind = "stream",
                                             .send = stream_send,
                                             .room = stream_room,
                                             .woken = stream_woken,
                                             .describe = stream_describe,
                                             .close = stream_close};

/* What the user should know of where it listens. */
static void report_listener(const struct stream *s, bool any_port)
{
    const struct sockaddr_any *where = listener_address(s->listener);
    char *address = address_format(where);

    if (any_port)
        fprintf(stderr, "lanarium: %s listens on %s\n", s->uplink.actor.name, address);
    if (!s->secret && !address_is_local(where))
        fprintf(stderr,
                "lanarium: warning: %s listens on %s without a secret: whoever reaches that port "
                "is on its VLAN\n",
                s->uplink.actor.name, address);
    free(address);
}

static bool start_listening(struct stream *s, const struct stream_options *o,
                            const struct address *a, const struct address_list *on, struct err *err)
{
    int error = 0;

    s->listener = listener_create(&s->uplink.actor.sim->loop, on, on_accepted, s, &error);
    if (!s->listener) {
        err_at(err, o->file, o->line, "cannot listen on %s: %s", o->listen, strerror(error));
        return false;
    }
    report_listener(s, a->kind == ADDRESS_INET && !a->port);
    return true;
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t len = sizeof(yes);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

static bool is_connected_stream(int fd)
{
    struct sockaddr_any s = {.len = sizeof(s.to)};
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getpeername(fd, (struct sockaddr *)&s.to, &s.len) == 0;
}

static bool start_inherited(struct stream *s, const struct stream_options *o, struct err *err)
{
    const char *why = "it is no stream socket that listens or is connected";
    int fd = inherited_fd(&s->uplink.actor.sim->loop, o->fd, &why);

    if (fd >= 0 && is_listening(fd)) {
        s->listener = listener_adopt(&s->uplink.actor.sim->loop, fd, on_accepted, s);
        report_listener(s, false);
    } else if (fd >= 0 && is_connected_stream(fd)) {
        s->target = address_of_peer(fd);
        peer_add(s, fd, false);
    } else {
        err_at(err, o->file, o->line, "fd = \"%s\": %s", o->fd, why);
        return false;
    }
    return true;
}

static bool start(struct stream *s, const struct stream_options *o, const struct stream_plan *p,
                  struct err *err)
{
    struct address_list list;
    const char *problem;

    if (p->role == STREAM_INHERITS)
        return start_inherited(s, o, err);
    problem = address_resolve(&p->address, SOCK_STREAM, p->role == STREAM_LISTENS, &list);
    if (problem) {
        err_at(err, o->file, o->line, "%s: %s", o->listen ? o->listen : o->connect, problem);
        return false;
    }
    if (p->role == STREAM_LISTENS)
        return start_listening(s, o, &p->address, &list, err);
    s->target = xstrdup(o->connect);
    uplink_join(&s->uplink, NULL, false);
    s->dialer = dialer_create(&s->uplink.actor.sim->loop, &list, p->again_ms, on_connected, s);
    dialer_start(s->dialer);
    return true;
}

struct uplink *stream_create(struct sim *sim, const char *name, const struct stream_options *o,
                             struct err *err)
{
    struct stream_plan plan;
    struct stream *s = NULL;

    if (stream_plan_make(&plan, o, err)) {
        s = xcalloc(1, sizeof(*s));
        s->max_peers = o->max_peers ? o->max_peers : DEFAULT_MAX_PEERS;
        uplink_init(&s->uplink, &stream_ops, sim, name);
        actor_set_live(&s->uplink.actor, true);
        if (plan.secret)
            s->secret = stream_secret_create(plan.secret, plan.secret_len);
        if (!start(s, o, &plan, err)) {
            uplink_destroy(&s->uplink);
            s = NULL;
        }
    }
    stream_plan_finish(&plan);
    return s ? &s->uplink : NULL;
}
