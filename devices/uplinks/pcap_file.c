/*
 * One packet is read ahead: the one whose time the event waits for.
 *
 *     origin + 0        first packet of the file (also if the filter leaves it out)
 *     origin + t/speed  a packet t later, or when the line is free
 *     ...               the last one; gap later is the next pass's origin
 *
 * So two players with opposite filters on one file, each on a VLAN of its own, keep in step.
 */
#include "devices/uplinks/pcap_file.h"

#include <inttypes.h>

#include "devices/uplinks/pcap_reader.h"
#include "devices/uplinks/uplink.h"
#include "sim/sim.h"

/* A line with no rate takes all at once: no more than a terabit a second, or memory would fill. */
#define BURST_PER_US 125000

struct pcap_file {
    struct uplink uplink;
    struct uplink_port *port;
    struct pcap_file_options options; /* without its strings, but for the path */
    char *path;
    struct pcap_reader *reader;
    struct event next;
    struct frame *frame; /* read, and due at `due`; NULL: it is over */
    vtime_t origin, due;
    uint64_t pass, sent, sent_before; /* before this pass */
    vtime_t burst_at;                 /* the microsecond in which `burst` bytes were sent */
    uint64_t burst;
};

/* --- reading ahead --- */

static vtime_t due_at(const struct pcap_file *p, vtime_t at)
{
    __int128 due = p->origin;

    if (p->options.speed)
        due += (__int128)at * NS_PER_SEC / p->options.speed;
    return (vtime_t)MIN(due, (__int128)VTIME_NEVER);
}

/* The packet to come, of this pass or of the next. A pass that sent nothing is the last. */
static void frame_read(struct pcap_file *p)
{
    vtime_t at = 0, last;

    while (!(p->frame = pcap_reader_next(p->reader, &at))) {
        last = due_at(p, at);
        if (pcap_reader_fault(p->reader) || ++p->pass >= p->options.loops ||
            p->sent == p->sent_before || last > VTIME_NEVER - p->options.gap_ns ||
            !pcap_reader_rewind(p->reader))
            return;
        p->origin = last + p->options.gap_ns;
        p->sent_before = p->sent;
    }
    p->due = due_at(p, at);
}

/* --- playing --- */

/* When the packet to come may be sent. */
static vtime_t turn(const struct pcap_file *p)
{
    const struct port *port = &p->port->port;
    vtime_t when = p->due;

    if (port->link.rate_bps)
        when = MAX(when, port->busy_out);
    if (p->burst >= BURST_PER_US)
        when = MAX(when, (p->burst_at + 1) * NS_PER_US);
    return when;
}

static void frame_send(struct pcap_file *p, vtime_t now)
{
    if (p->burst_at != now / NS_PER_US) {
        p->burst_at = now / NS_PER_US;
        p->burst = 0;
    }
    p->burst += p->frame->len;
    p->sent++;
    uplink_send(p->port, p->frame);
}

static void next_fire(struct event *ev, vtime_t now)
{
    struct pcap_file *p = container_of(ev, struct pcap_file, next);
    vtime_t when = now;

    while (p->frame && (when = turn(p)) <= now) {
        frame_send(p, now);
        frame_read(p);
    }
    if (p->frame && when != VTIME_NEVER)
        evq_arm(&p->uplink.actor.events, ev, when);
}

/* --- an uplink --- */

static enum port_verdict swallow(struct uplink_port *p, struct frame *f)
{
    (void)p;
    (void)f;
    return PORT_TAKEN;
}

static void describe(const struct uplink *u, FILE *to)
{
    const struct pcap_file *p = container_of(u, struct pcap_file, uplink);

    fprintf(to, "file=%s, %" PRIu64 " packets sent%s", p->path, p->sent,
            p->frame ? "" : ", at its end");
}

/* "3 packets were shorter than ..." if any were. */
static void count_say(const struct pcap_file *p, uint64_t n, const char *what, struct err *err)
{
    if (n)
        err_at(err, p->options.file, p->options.line, "pcap %s: %s: %" PRIu64 " packet%s %s",
               p->uplink.actor.name, p->path, n, n == 1 ? "" : "s", what);
}

static bool conclude(struct uplink *u, struct err *err)
{
    const struct pcap_file *p = container_of(u, struct pcap_file, uplink);
    const struct pcap_counts *c = pcap_reader_counts(p->reader);
    const char *fault = pcap_reader_fault(p->reader);

    count_say(p, c->cut, "had been captured in part only: zeroes were sent for the rest", err);
    count_say(p, c->runts, "shorter than an Ethernet header: not sent", err);
    count_say(p, c->giants, "longer than any frame: not sent", err);
    count_say(p, c->backwards, "earlier than the one before: sent right behind it", err);
    if (fault)
        err_at(err, p->options.file, p->options.line,
               "pcap %s: %s is cut short or damaged after %" PRIu64
               " packets, and was played up to there: %s",
               u->actor.name, p->path, c->packets, fault);
    else if (!p->frame && !p->sent)
        err_at(err, p->options.file, p->options.line,
               "pcap %s: %s has no packet that could be sent (of %" PRIu64 ")", u->actor.name,
               p->path, c->packets);
    return !fault;
}

static void file_close(struct uplink *u)
{
    struct pcap_file *p = container_of(u, struct pcap_file, uplink);

    evq_cancel(&u->actor.events, &p->next);
    frame_unref(p->frame);
    pcap_reader_close(p->reader);
    free(p->path);
}

static struct pcap_reader *reader_open(const struct pcap_file_options *o, const char *name,
                                       struct err *err)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_reader *r;

    if (o->filter && !pcap_filter_check(o->filter, why)) {
        err_at(err, o->file, o->line, "pcap %s: filter \"%s\": %s", name, o->filter, why);
        return NULL;
    }
    r = pcap_reader_open(o->path, o->filter, why);
    if (!r)
        err_at(err, o->file, o->line, "pcap %s: %s: %s", name, o->path, why);
    return r;
}

bool pcap_file_check(const struct pcap_file_options *o, const char *name, struct err *err)
{
    struct pcap_reader *r = reader_open(o, name, err);

    pcap_reader_close(r);
    return r;
}

struct uplink *pcap_file_create(struct sim *s, const char *name, const struct pcap_file_options *o,
                                struct err *err)
{
    static const struct uplink_ops ops = {.kind = "pcap",
                                          .send = swallow,
                                          .describe = describe,
                                          .conclude = conclude,
                                          .close = file_close,
                                          .direct = true,
                                          .exact = true};
    struct pcap_reader *reader = reader_open(o, name, err);
    struct pcap_file *p;

    if (!reader)
        return NULL;
    p = xcalloc(1, sizeof(*p));
    uplink_init(&p->uplink, &ops, s, name);
    p->port = uplink_join(&p->uplink, NULL, true);
    p->options = *o;
    p->options.filter = NULL;
    p->path = xstrdup(o->path);
    p->options.path = p->path;
    p->reader = reader;
    p->origin = MAX(o->start_ns, s->now);
    event_init(&p->uplink.actor.events, &p->next, next_fire);
    frame_read(p);
    if (p->frame && p->due != VTIME_NEVER)
        evq_arm(&p->uplink.actor.events, &p->next, p->due);
    actor_due_changed(&p->uplink.actor);
    return &p->uplink;
}
