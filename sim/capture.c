/*
 * Captures: taps collect records, barriers put them in order, a thread encodes and writes them.
 *
 * A record waits until no earlier one can come (capture_barrier), and is then part of the next
 * batch for the writer. The order (time, interface, direction, arrival) is total, so the file is
 * the same however the run was cut into windows. The writer flushes whenever it has caught up;
 * a file cut short by a crash is readable up to there.
 */
#include "sim/capture.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "sim/offload.h"
#include "sim/pcapng.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define BATCH_RECORDS 1024                 /* handed over at once */
#define BATCH_INTERVAL (100 * NS_PER_MS)   /* of host time: what waits no longer */
#define MAX_BATCHES 32                     /* waiting for the writer before the run waits too */
#define WRITE_BYTES (256 * 1024u)          /* encoded before a write */

struct point;

struct record {
    vtime_t at;
    uint64_t number;
    struct point *point;
    struct frame *frame;
    uint8_t dir; /* enum tap_dir */
};

struct batch {
    struct record *records;
    uint32_t n;
    struct batch *next;
};

/* A capture point: one interface of the file. */
struct point {
    struct tap tap;
    struct tap **taps; /* the list it is in */
    struct capture *capture;
    uint32_t iface;
    uint64_t seen, written; /* written: the writer's */
    struct point *next;
};

struct capture {
    struct sim *sim;
    struct capture *next;
    struct capture_options options;
    char *path, *filter;
    FILE *file;
    struct bpf_program program;
    struct point *points, **last_point;
    uint32_t n_points;

    struct record *pending; /* not yet handed over */
    uint32_t n_pending, cap_pending;
    uint32_t n_kept;        /* of them, those that the last handing over found too young */
    uint64_t n_seen;
    int64_t handed_ns; /* host clock at the last batch */

    bool started;
    pthread_t thread;
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t wake, room;
    struct batch *first, **last;
    unsigned n_batches;
    bool closing;

    struct bytes out;       /* the writer's */
    const struct record *writing;
    char comment[256];
    _Atomic uint64_t packets;
    _Atomic int error;      /* errno of the first failed write */
};

/* --- the writer's side --- */

static void write_out(struct capture *c)
{
    if (c->out.n && !c->error && (fwrite(c->out.bytes, 1, c->out.n, c->file) != c->out.n))
        c->error = errno;
    c->out.n = 0;
}

static const char *origin_comment(struct capture *c, const struct frame_origin *o)
{
    if (!c->options.origin || !o->guest)
        return NULL;
    snprintf(c->comment, sizeof(c->comment), "sent by %s hart %u pc 0x%" PRIx64 " instruction %" PRIu64,
             o->guest, o->hart, o->pc, o->icount);
    return c->comment;
}

static bool filter_accepts(struct capture *c, const struct frame *f)
{
    struct pcap_pkthdr h = {.caplen = f->len, .len = f->len};

    return !c->filter || pcap_offline_filter(&c->program, &h, f->data);
}

static void write_packet(void *opaque, struct frame *f)
{
    struct capture *c = opaque;
    const struct record *r = c->writing;
    uint32_t snap = c->options.snaplen;
    struct packet_record p = {
        .iface = r->point->iface,
        .epoch_ns = c->options.epoch_ns + r->at,
        .data = f->data,
        .len = f->len,
        .caplen = snap ? MIN(f->len, snap) : f->len,
        .direction = r->dir == TAP_IN ? 1 : r->dir == TAP_OUT ? 2 : 0,
        .comment = origin_comment(c, &f->origin),
    };

    if (!filter_accepts(c, f))
        return;
    if (c->options.format == CAPTURE_PCAP)
        pcap_packet(&c->out, &p);
    else
        pcapng_packet(&c->out, &p);
    c->packets++;
    r->point->written++;
    if (c->out.n >= WRITE_BYTES)
        write_out(c);
}

static void write_batch(struct capture *c, struct batch *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        c->writing = &b->records[i];
        if (frame_is_finished(c->writing->frame))
            write_packet(c, c->writing->frame);
        else
            offload_finish(c->writing->frame, write_packet, c);
        frame_unref(c->writing->frame);
    }
    free(b->records);
    free(b);
}

static void *writer(void *opaque)
{
    struct capture *c = opaque;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->first && !c->closing)
            pthread_cond_wait(&c->wake, &c->lock);
        struct batch *b = c->first;
        if (!b)
            break;
        c->first = b->next;
        if (!c->first)
            c->last = &c->first;
        bool caught_up = !c->first;
        pthread_mutex_unlock(&c->lock);

        write_batch(c, b);
        if (caught_up) {
            write_out(c);
            if (fflush(c->file) != 0 && !c->error)
                c->error = errno;
        }
        pthread_mutex_lock(&c->lock);
        c->n_batches--;
        pthread_cond_signal(&c->room);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* --- the engine's side --- */

/* The head of the file is written here, so that the writer finds only packets to do. */
static void start_writer(struct capture *c)
{
    write_out(c);
    if (pthread_create(&c->thread, NULL, writer, c) != 0)
        abort();
    c->started = true;
}

static void hand_over(struct capture *c, struct record *records, uint32_t n)
{
    struct batch *b = xmalloc(sizeof(*b));

    if (!c->started)
        start_writer(c);
    *b = (struct batch){xmalloc(n * sizeof(*records)), n, NULL};
    memcpy(b->records, records, n * sizeof(*records));
    pthread_mutex_lock(&c->lock);
    while (c->n_batches >= MAX_BATCHES)
        pthread_cond_wait(&c->room, &c->lock);
    *c->last = b;
    c->last = &b->next;
    c->n_batches++;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static int compare(const void *x, const void *y)
{
    const struct record *a = x, *b = y;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->point != b->point)
        return a->point->iface < b->point->iface ? -1 : 1;
    if (a->dir != b->dir)
        return a->dir < b->dir ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int64_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* Hand over, in order, every pending record before `safe`. */
static void hand_over_until(struct capture *c, vtime_t safe)
{
    uint32_t n = 0;

    qsort(c->pending, c->n_pending, sizeof(*c->pending), compare);
    while (n < c->n_pending && c->pending[n].at < safe)
        n++;
    for (uint32_t i = 0; i < n; i += BATCH_RECORDS)
        hand_over(c, c->pending + i, MIN(n - i, (uint32_t)BATCH_RECORDS));
    c->n_pending -= n;
    memmove(c->pending, c->pending + n, c->n_pending * sizeof(*c->pending));
    c->n_kept = c->n_pending;
    c->handed_ns = host_ns();
}

void capture_barrier(struct capture *c, vtime_t safe)
{
    /* Slow links keep many records in the future: sort them again only when they have doubled. */
    if (c->n_pending - c->n_kept >= MAX(BATCH_RECORDS, c->n_kept) ||
        (c->n_pending && host_ns() - c->handed_ns >= BATCH_INTERVAL))
        hand_over_until(c, safe);
}

void capture_flush(struct capture *c)
{
    hand_over_until(c, c->sim->now);
}

static void seen(struct tap *t, vtime_t at, struct port *port, enum tap_dir dir, struct frame *f)
{
    struct point *p = container_of(t, struct point, tap);
    struct capture *c = p->capture;

    (void)port;
    p->seen++;
    array_reserve(c->pending, &c->cap_pending, c->n_pending + 1);
    c->pending[c->n_pending++] = (struct record){at, c->n_seen++, p, frame_ref(f), (uint8_t)dir};
}

/* --- life --- */

static bool compile_filter(struct capture *c, const char *filter, struct err *err)
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, FRAME_MAX_LEN);
    bool ok = pcap_compile(dead, &c->program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;

    if (ok)
        c->filter = xstrdup(filter);
    else
        err_add(err, "capture %s: filter \"%s\": %s", c->path, filter, pcap_geterr(dead));
    pcap_close(dead);
    return ok;
}

static void capture_free(struct capture *c)
{
    if (c->filter)
        pcap_freecode(&c->program);
    free(c->filter);
    free(c->path);
    free(c->pending);
    free(c->out.bytes);
    free(c);
}

static bool open_file(struct capture *c, struct err *err)
{
    c->file = strcmp(c->path, "-") == 0 ? fdopen(dup(STDOUT_FILENO), "wb") : fopen(c->path, "wb");
    if (!c->file) {
        err_add(err, "capture %s: %s", c->path, strerror(errno));
        return false;
    }
    setvbuf(c->file, NULL, _IONBF, 0); /* writes are large already */
    return true;
}

static void link_into_sim(struct capture *c)
{
    struct capture **end = &c->sim->captures;

    while (*end)
        end = &(*end)->next;
    *end = c;
}

struct capture *capture_open(struct sim *s, const struct capture_options *o, struct err *err)
{
    struct capture *c = xcalloc(1, sizeof(*c));

    c->sim = s;
    c->options = *o;
    c->path = xstrdup(o->path);
    c->last = &c->first;
    c->last_point = &c->points;
    if ((o->filter && !compile_filter(c, o->filter, err)) || !open_file(c, err)) {
        capture_free(c);
        return NULL;
    }
    if (o->format == CAPTURE_PCAP)
        pcap_header(&c->out, o->snaplen);
    else
        pcapng_section(&c->out, "Lanarium " PACKAGE_VERSION);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    pthread_cond_init(&c->room, NULL);
    link_into_sim(c);
    return c;
}

static void add_point(struct capture *c, struct tap **taps, const char *name, const char *what)
{
    struct point *p = xcalloc(1, sizeof(*p));

    assert(!c->started); /* interfaces are part of the head, which the writer does not write */
    *p = (struct point){.tap.seen = seen, .taps = taps, .capture = c, .iface = c->n_points++};
    *c->last_point = p;
    c->last_point = &p->next;
    tap_add(taps, &p->tap);
    if (c->options.format == CAPTURE_PCAPNG)
        pcapng_interface(&c->out, name, what, c->filter, c->options.snaplen);
}

void capture_add_vlan(struct capture *c, struct vlan *v)
{
    add_point(c, &v->taps, v->name, v->kind == VLAN_HUB ? "hub" : "switch");
}

void capture_add_port(struct capture *c, struct port *p)
{
    add_point(c, &p->taps, p->name, p->ops->kind);
}

uint64_t capture_packets(const struct capture *c)
{
    return c->packets;
}

const char *capture_path(const struct capture *c)
{
    return c->path;
}

struct capture *capture_next(struct capture *c)
{
    return c->next;
}

bool capture_failed(const struct capture *c)
{
    return c->error != 0;
}

static void stop_writer(struct capture *c)
{
    if (!c->started)
        return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
}

static void remove_points(struct capture *c, vtime_t until)
{
    for (struct point *p = c->points, *next; p; p = next) {
        next = p->next;
        if (c->options.format == CAPTURE_PCAPNG)
            pcapng_statistics(&c->out, p->iface, c->options.epoch_ns + until, p->seen, p->written);
        tap_remove(p->taps, &p->tap);
        free(p);
    }
}

bool capture_close(struct capture *c, vtime_t until, struct err *err)
{
    struct capture **link = &c->sim->captures;

    hand_over_until(c, until + 1);
    for (uint32_t i = 0; i < c->n_pending; i++)
        frame_unref(c->pending[i].frame);
    stop_writer(c);
    remove_points(c, until);
    write_out(c);
    if (fclose(c->file) != 0 && !c->error)
        c->error = errno;

    if (c->options.packets)
        *c->options.packets = c->packets;
    bool ok = !c->error;
    if (!ok)
        err_add(err, "capture %s: %s after %" PRIu64 " packets; the rest is lost", c->path,
                strerror(c->error), c->packets);
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    pthread_cond_destroy(&c->room);
    capture_free(c);
    return ok;
}
