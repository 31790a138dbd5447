/*
 * libpcap has the packets, a routing socket the news of interfaces; the interface is looked at
 * again whenever there is news of any. It is opened anew when it comes back, also as another of
 * that name.
 *
 *     loop      readable: packets -> uplink_receive, PER_WAKE at most     news: poke
 *     run       send: finished packets -> pcap_inject, what it does not take -> pending
 *     woken     look at the interface: open, close, carrier; pending goes on
 *
 * The kernel shows a sender's own packets as outgoing ones, which are not asked for. What a local
 * peer (veth, bridge) left to offloading comes as it is: with checksums undone, several segments in
 * one.
 */
#include "devices/uplinks/pcap_live.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "devices/uplinks/interface.h"
#include "devices/uplinks/pcap_handle.h"
#include "devices/uplinks/pcap_reader.h"
#include "devices/uplinks/uplink.h"
#include "devices/uplinks/watch.h"
#include "sim/offload.h"
#include "sim/sim.h"

#define PER_WAKE 64      /* packets read before others have a turn */
#define RETRY_MS 1000    /* after an error that no news came with */
#define MAX_PENDING 4096 /* finished packets of the requests that were sent last */

struct pcap_live {
    struct uplink uplink;
    struct uplink_port *port;
    struct interface interface;
    char *filter;
    bool promisc;
    uint32_t snaplen;
    unsigned index;      /* the interface's, when it was opened */
    pcap_t *pcap;        /* NULL: it is not there, or not up */
    struct watch *watch; /* on a duplicate of its descriptor */
    struct alarm *retry;
    bool broken;               /* reading failed: to be closed, and looked at later */
    bool look;                 /* at the interface: there was news, or it is time */
    struct arrivals pending;   /* finished packets that the host did not take yet */
    struct pcap_counts counts; /* of what came in */
    uint64_t too_long, lost;   /* of what went out */
};

/* --- the interface --- */

static bool has_carrier(const struct pcap_live *l)
{
    return l->pcap && !(~interface_flags(&l->interface) & (IFF_UP | IFF_RUNNING));
}

static void on_ready(void *opaque, int events);

static int live_open(struct pcap_live *l, char why[PCAP_ERRBUF_SIZE])
{
    struct pcap_live_options o = {.ifname = l->interface.name,
                                  .filter = l->filter,
                                  .promisc = l->promisc,
                                  .snaplen = l->snaplen};
    int rc = pcap_handle_open(&o, &l->pcap, why), fd;

    if (rc < 0)
        return rc;
    l->index = if_nametoindex(l->interface.name);
    fd = dup(pcap_get_selectable_fd(l->pcap));
    l->watch = fd < 0 ? NULL : watch_open(&l->uplink.actor.sim->loop, fd, on_ready, l);
    if (l->watch) {
        watch_set(l->watch, UV_READABLE);
        return 0;
    }
    snprintf(why, PCAP_ERRBUF_SIZE, "it cannot be waited for: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    pcap_close(l->pcap);
    l->pcap = NULL;
    return PCAP_ERROR;
}

static void live_shut(struct pcap_live *l)
{
    if (!l->pcap)
        return;
    watch_close(l->watch);
    pcap_close(l->pcap);
    l->watch = NULL;
    l->pcap = NULL;
    l->lost += l->pending.n;
    arrivals_finish(&l->pending);
}

/* --- in --- */

static void on_packet(u_char *opaque, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct pcap_live *l = (struct pcap_live *)opaque;
    struct frame *f;

    l->counts.packets++;
    f = pcap_packet_frame(h, bytes, &l->counts);
    if (!f || uplink_receive(l->port, f))
        return;
    watch_want(l->watch, UV_READABLE, false);
    pcap_breakloop(l->pcap);
}

static void on_ready(void *opaque, int events)
{
    struct pcap_live *l = opaque;
    int rc = 0;

    if (events & UV_READABLE)
        rc = pcap_dispatch(l->pcap, PER_WAKE, on_packet, (u_char *)l);
    if (rc == PCAP_ERROR) { /* it went down or away */
        watch_set(l->watch, 0);
        l->broken = true;
        alarm_set(l->retry, RETRY_MS);
        uplink_poke(&l->uplink);
        return;
    }
    if (events & UV_WRITABLE) {
        watch_want(l->watch, UV_WRITABLE, false);
        uplink_poke(&l->uplink);
    }
}

static void room(struct uplink_port *p)
{
    struct pcap_live *l = container_of(p->uplink, struct pcap_live, uplink);

    if (l->watch)
        watch_want(l->watch, UV_READABLE, true);
}

/* --- out --- */

/* False: the host takes none now. */
static bool inject(struct pcap_live *l, const struct frame *f)
{
    if (!l->pcap) {
        l->lost++;
        return true;
    }
    if (pcap_inject(l->pcap, f->data, f->len) >= 0)
        return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return false;
    *(errno == EMSGSIZE ? &l->too_long : &l->lost) += 1;
    return true;
}

static void packet_out(void *opaque, struct frame *f)
{
    struct pcap_live *l = opaque;

    if (!l->pending.n && inject(l, f))
        return;
    if (l->pending.n < MAX_PENDING)
        arrivals_push(&l->pending, frame_ref(f), 0);
    else
        l->lost++;
}

static bool pending_empty(struct pcap_live *l)
{
    while (l->pending.n && inject(l, arrivals_first(&l->pending)->frame))
        frame_unref(arrivals_pop(&l->pending));
    if (l->pending.n)
        watch_want(l->watch, UV_WRITABLE, true);
    return !l->pending.n;
}

static enum port_verdict live_send(struct uplink_port *p, struct frame *f)
{
    struct pcap_live *l = container_of(p->uplink, struct pcap_live, uplink);

    if (l->pending.n)
        return PORT_HOLD;
    if (!offload_finish(f, packet_out, l))
        return PORT_DROPPED;
    pending_empty(l);
    return PORT_TAKEN;
}

/* --- at barriers --- */

/* What has become of the interface. */
static void live_look(struct pcap_live *l)
{
    char why[PCAP_ERRBUF_SIZE];

    l->look = false;
    if (l->pcap && if_nametoindex(l->interface.name) != l->index)
        live_shut(l);
    if (!l->pcap && (interface_flags(&l->interface) & IFF_UP) && live_open(l, why) < 0)
        alarm_set(l->retry, RETRY_MS);
}

static void woken(struct uplink *u)
{
    struct pcap_live *l = container_of(u, struct pcap_live, uplink);
    bool look = l->look;

    if (l->broken)
        live_shut(l);
    l->broken = false;
    if (look)
        live_look(l);
    if (look || !l->pcap)
        uplink_carrier(l->port, has_carrier(l));
    if (pending_empty(l))
        uplink_ready(l->port);
}

/* There is news, or it is time. */
static void on_retry(void *opaque)
{
    struct pcap_live *l = opaque;

    l->look = true;
    uplink_poke(&l->uplink);
}

/* --- life --- */

static void describe(const struct uplink *u, FILE *to)
{
    const struct pcap_live *l = container_of(u, struct pcap_live, uplink);
    struct pcap_stat st = {0};

    if (l->pcap)
        pcap_stats(l->pcap, &st);
    fprintf(to, "ifname=%s%s", l->interface.name, l->pcap ? "" : ", not there");
    if (st.ps_drop)
        fprintf(to, ", %u lost by the host", st.ps_drop);
    if (l->counts.cut + l->counts.runts + l->counts.giants)
        fprintf(to, ", %" PRIu64 " cut, %" PRIu64 " runts, %" PRIu64 " giants", l->counts.cut,
                l->counts.runts, l->counts.giants);
    if (l->too_long)
        fprintf(to, ", %" PRIu64 " longer than its MTU", l->too_long);
    if (l->lost)
        fprintf(to, ", %" PRIu64 " not sent", l->lost);
}

static bool conclude(struct uplink *u, struct err *err)
{
    const struct pcap_live *l = container_of(u, struct pcap_live, uplink);

    if (l->too_long)
        err_add(err,
                "pcap %s: %" PRIu64
                " packets were longer than the MTU of %s, and not sent; raise it "
                "(ip link set %s mtu ...) or lower the guests'",
                u->actor.name, l->too_long, l->interface.name, l->interface.name);
    return true;
}

static void live_close(struct uplink *u)
{
    struct pcap_live *l = container_of(u, struct pcap_live, uplink);

    live_shut(l);
    interface_close(&l->interface);
    alarm_close(l->retry);
    arrivals_finish(&l->pending);
    free(l->filter);
}

/* One that is down may come up later; anything else is told now. */
static bool first_open(struct pcap_live *l, const char *ifname, char why[PCAP_ERRBUF_SIZE])
{
    int rc;

    if (!interface_open(&l->interface, ifname, &l->uplink.actor.sim->loop, on_retry, l)) {
        snprintf(why, PCAP_ERRBUF_SIZE, "the host tells nothing of its state: %s", strerror(errno));
        return false;
    }
    if (!if_nametoindex(ifname)) {
        snprintf(why, PCAP_ERRBUF_SIZE, "there is no such interface (ip link names them)");
        return false;
    }
    if (interface_flags(&l->interface) & IFF_LOOPBACK) {
        snprintf(why, PCAP_ERRBUF_SIZE,
                 "a loopback interface gives back what is sent to it; use a pair of veth "
                 "interfaces, or a TAP");
        return false;
    }
    rc = live_open(l, why);
    return rc == 0 || rc == PCAP_ERROR_IFACE_NOT_UP;
}

bool pcap_live_check(const struct pcap_live_options *o, const char *name, struct err *err)
{
    char why[PCAP_ERRBUF_SIZE];
    size_t before = err->n;

    if (!*o->ifname || strlen(o->ifname) >= IFNAMSIZ)
        err_at(err, o->file, o->line,
               "pcap %s: ifname \"%s\": an interface's name has 1 to %d "
               "characters",
               name, o->ifname, IFNAMSIZ - 1);
    if (o->filter && !pcap_filter_check(o->filter, why))
        err_at(err, o->file, o->line, "pcap %s: filter \"%s\": %s", name, o->filter, why);
    return err->n == before;
}

struct uplink *pcap_live_create(struct sim *s, const char *name, const struct pcap_live_options *o,
                                struct err *err)
{
    static const struct uplink_ops ops = {.kind = "pcap",
                                          .send = live_send,
                                          .room = room,
                                          .woken = woken,
                                          .describe = describe,
                                          .conclude = conclude,
                                          .close = live_close};
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_live *l;

    if (!pcap_live_check(o, name, err))
        return NULL;
    l = xcalloc(1, sizeof(*l));
    uplink_init(&l->uplink, &ops, s, name);
    l->port = uplink_join(&l->uplink, NULL, false);
    l->filter = o->filter ? xstrdup(o->filter) : NULL;
    l->promisc = o->promisc;
    l->snaplen = o->snaplen;
    l->retry = alarm_open(&s->loop, on_retry, l);
    if (!first_open(l, o->ifname, why)) {
        err_at(err, o->file, o->line, "pcap %s: %s: %s", name, o->ifname, why);
        uplink_destroy(&l->uplink);
        return NULL;
    }
    actor_set_live(&l->uplink.actor, true);
    on_retry(l); /* at the first barrier, so that its carrier is noted in a recording */
    return &l->uplink;
}
