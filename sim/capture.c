/*
 * Captures: taps collect records, barriers hand them to a thread that writes them.
 *
 * A record waits until no earlier one can come (capture_barrier), and is then part of the next
 * batch for the writer (capture_writer.c), which sorts it. The order (time, interface, direction,
 * arrival) is total, so the file is the same however the run was cut into windows and batches.
 *
 * Records wait in lanes, one for each interface and direction: whoever works on a VLAN, on
 * whichever thread, touches only lanes of that VLAN and its ports.
 */
#include "sim/capture.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "sim/capture_writer.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define BATCH_WEIGHT (512u << 10)        /* bytes kept: handed over from there on */
#define BATCH_INTERVAL (100 * NS_PER_MS) /* of host time: what waits no longer */
#define TELL_WEIGHT (16u << 10)          /* what a lane keeps without telling the capture */

/* Records of one interface in one direction: in order of time, but where a link was changed. */
struct lane {
    struct capture_record *records;
    uint32_t n, cap;
    uint32_t key;  /* struct capture_record.lane */
    uint32_t told; /* weight that the capture does not know of yet */
    bool unsorted;
    bool listed;   /* in the capture's list of lanes with records */
    struct lane *next_listed;
};

/* A capture point: one interface of the file. */
struct point {
    struct tap tap;
    struct tap **taps; /* the list it is in; NULL: that has gone */
    struct capture *capture;
    uint64_t seen;
    struct lane lanes[2]; /* of a port: what it sent, and what came */
    struct point *next;
};

struct capture {
    struct sim *sim;
    struct capture *next;
    struct capture_options options;
    char *path;
    struct point *points, **last_point;

    struct lane *_Atomic listed;
    _Atomic uint64_t pending; /* weight that waits in lanes, within TELL_WEIGHT for each */
    uint64_t kept;            /* of it, what the last handing over found too young */
    int64_t handed_ns;        /* host clock then */
    struct capture_space space;
    struct capture_writer writer;
};

/* --- taps: on the thread that works on the VLAN --- */

/* What a record keeps from being freed. */
static uint32_t record_weight(const struct frame *f)
{
    return f->len + 64;
}

static void lane_list(struct capture *c, struct lane *l)
{
    l->listed = true;
    l->next_listed = atomic_load(&c->listed);
    while (!atomic_compare_exchange_weak(&c->listed, &l->next_listed, l))
        ;
}

static void seen(struct tap *t, vtime_t at, struct port *port, enum tap_dir dir, struct frame *f)
{
    struct point *p = container_of(t, struct point, tap);
    struct lane *l = &p->lanes[dir == TAP_IN];

    (void)port;
    p->seen++;
    array_reserve(l->records, &l->cap, l->n + 1);
    if (UNLIKELY(l->n && at < l->records[l->n - 1].at))
        l->unsorted = true;
    l->records[l->n++] = (struct capture_record){at, frame_ref(f), l->key | dir};
    if (!l->listed)
        lane_list(p->capture, l);
    l->told += record_weight(f);
    if (l->told >= TELL_WEIGHT) {
        atomic_fetch_add_explicit(&p->capture->pending, l->told, memory_order_relaxed);
        l->told = 0;
    }
}

/* --- barriers --- */

static int64_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* How many of a lane's records lie before `safe`, in order from the first. */
static uint32_t lane_ready(struct capture *c, struct lane *l, vtime_t safe)
{
    uint32_t low = 0, high = l->n;

    if (l->unsorted)
        capture_sort(l->records, l->n, &c->space);
    l->unsorted = false;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (l->records[mid].at < safe)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void lane_move(struct lane *l, struct capture_batch *b, uint32_t n)
{
    array_reserve(b->records, &b->cap, b->n + n);
    memcpy(b->records + b->n, l->records, n * sizeof(*l->records));
    b->n += n;
    l->n -= n;
    memmove(l->records, l->records + n, l->n * sizeof(*l->records));
}

static uint64_t records_weight(const struct capture_record *r, uint32_t n)
{
    uint64_t weight = 0;

    for (uint32_t i = 0; i < n; i++)
        weight += record_weight(r[i].frame);
    return weight;
}

/* Hand over every record before `safe`. */
static void hand_over(struct capture *c, vtime_t safe)
{
    struct lane *l = atomic_exchange(&c->listed, NULL);
    struct capture_batch *b;
    uint64_t pending = atomic_exchange(&c->pending, 0), kept = 0;

    if (!l)
        return;
    b = capture_writer_batch(&c->writer, 1);
    for (struct lane *next; l; l = next) {
        next = l->next_listed;
        l->listed = false;
        pending += l->told;
        l->told = 0;
        lane_move(l, b, lane_ready(c, l, safe));
        kept += records_weight(l->records, l->n);
        if (l->n)
            lane_list(c, l);
    }
    b->weight = pending - kept;
    atomic_store(&c->pending, kept);
    c->kept = kept;
    c->handed_ns = host_ns();
    capture_writer_give(&c->writer, b);
}

void capture_barrier(struct capture *c, vtime_t safe)
{
    uint64_t pending = atomic_load_explicit(&c->pending, memory_order_relaxed);

    /* Slow links keep many records in the future: look at them again when they have doubled. */
    if (pending - c->kept >= MAX(BATCH_WEIGHT, c->kept) ||
        (atomic_load(&c->listed) && host_ns() - c->handed_ns >= BATCH_INTERVAL))
        hand_over(c, safe);
}

void capture_flush(struct capture *c)
{
    hand_over(c, c->sim->now);
}

/* --- life --- */

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
    c->last_point = &c->points;
    if (!capture_writer_open(&c->writer, &c->options, c->path, err)) {
        free(c->path);
        free(c);
        return NULL;
    }
    link_into_sim(c);
    return c;
}

void capture_add_taps(struct capture *c, struct tap **taps, const char *name, const char *what)
{
    struct point *p = xcalloc(1, sizeof(*p));

    assert(!c->writer.started); /* interfaces are part of the head, which is written before */
    p->tap.seen = seen;
    p->taps = taps;
    p->capture = c;
    p->lanes[0].key = p->lanes[1].key = c->writer.n_ifaces * 4;
    *c->last_point = p;
    c->last_point = &p->next;
    tap_add(taps, &p->tap);
    capture_writer_interface(&c->writer, name, what);
}

void capture_add_vlan(struct capture *c, struct vlan *v)
{
    capture_add_taps(c, &v->taps, v->name, v->kind == VLAN_HUB ? "hub" : "switch");
}

void capture_add_port(struct capture *c, struct port *p)
{
    capture_add_taps(c, &p->taps, p->name, p->ops->kind);
}

void captures_forget(struct sim *s, struct tap **taps)
{
    for (struct capture *c = s->captures; c; c = c->next)
        for (struct point *p = c->points; p; p = p->next)
            if (p->taps == taps) {
                tap_remove(taps, &p->tap);
                p->taps = NULL;
            }
}

uint64_t capture_packets(const struct capture *c)
{
    return c->writer.packets;
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
    return c->writer.error != 0;
}

static void lane_finish(struct lane *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        frame_unref(l->records[i].frame);
    free(l->records);
}

static void remove_points(struct capture *c, vtime_t until)
{
    for (struct point *p = c->points, *next; p; p = next) {
        next = p->next;
        capture_writer_statistics(&c->writer, p->lanes[0].key / 4, until, p->seen);
        if (p->taps)
            tap_remove(p->taps, &p->tap);
        lane_finish(&p->lanes[0]);
        lane_finish(&p->lanes[1]);
        free(p);
    }
}

bool capture_close(struct capture *c, vtime_t until, struct err *err)
{
    struct capture **link = &c->sim->captures;

    hand_over(c, until + 1);
    capture_writer_stop(&c->writer);
    remove_points(c, until);
    int error = capture_writer_close(&c->writer);
    uint64_t packets = c->writer.packets;

    if (c->options.packets)
        *c->options.packets = packets;
    if (error)
        err_add(err, "capture %s: %s after %" PRIu64 " packets; the rest is lost", c->path,
                strerror(error), packets);
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    free(c->space.records);
    free(c->space.runs);
    free(c->path);
    free(c);
    return !error;
}
