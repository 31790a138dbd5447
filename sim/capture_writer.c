/*
 * Writers of captures: records come in batches, are sorted, filtered, encoded and written in
 * large pieces, all on a thread of its own.
 *
 * The writer flushes whenever it has caught up; a file cut short by a crash is readable up to
 * there.
 */
#include "sim/capture_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "sim/offload.h"
#include "sim/tap.h"
#include "sim/thread.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define MAX_QUEUED (64u << 20)    /* bytes waiting for the writer before the run waits too */
#define MAX_SPARE 4               /* empty batches kept */
#define WRITE_BYTES (256 * 1024u) /* encoded before a write */
#define AHEAD 8                   /* frames fetched into the cache before they are needed */

/* --- order: a merge sort of the runs that are there --- */

/* Merge from[a..m) and from[m..b) into `to`. */
static void merge(const struct capture_record *from, struct capture_record *to, uint32_t a,
                  uint32_t m, uint32_t b)
{
    for (uint32_t i = a, j = m, k = a; k < b; k++)
        to[k] = j == b || (i < m && !capture_before(&from[j], &from[i])) ? from[i++] : from[j++];
}

/* Where runs begin, and n behind the last; returns how many there are. */
static uint32_t find_runs(const struct capture_record *r, uint32_t n, struct capture_space *s)
{
    uint32_t n_runs = 0;

    array_reserve(s->runs, &s->cap_runs, 2);
    s->runs[n_runs++] = 0;
    for (uint32_t i = 1; i < n; i++)
        if (capture_before(&r[i], &r[i - 1])) {
            array_reserve(s->runs, &s->cap_runs, n_runs + 2);
            s->runs[n_runs++] = i;
        }
    s->runs[n_runs] = n;
    return n_runs;
}

void capture_sort(struct capture_record *records, uint32_t n, struct capture_space *s)
{
    uint32_t n_runs = find_runs(records, n, s), *runs = s->runs;
    struct capture_record *from = records, *to;

    if (n_runs == 1)
        return;
    array_reserve(s->records, &s->cap_records, n);
    to = s->records;
    while (n_runs > 1) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < n_runs; i += 2) {
            uint32_t a = runs[i], m = runs[i + 1], b = runs[MIN(i + 2, n_runs)];
            merge(from, to, a, m, b);
            runs[left++] = a;
        }
        runs[left] = n;
        n_runs = left;
        struct capture_record *swap = from;
        from = to;
        to = swap;
    }
    if (from != records)
        memcpy(records, from, n * sizeof(*records));
}

/* --- the thread --- */

static void write_out(struct capture_writer *w)
{
    if (w->out.n && !w->error && (fwrite(w->out.bytes, 1, w->out.n, w->file) != w->out.n))
        w->error = errno;
    w->out.n = 0;
}

static const char *origin_comment(struct capture_writer *w, const struct frame_origin *o)
{
    if (!w->options->origin || !o->guest)
        return NULL;
    snprintf(w->comment, sizeof(w->comment),
             "sent by %s hart %u pc 0x%" PRIx64 " instruction %" PRIu64, o->guest, o->hart, o->pc,
             o->icount);
    return w->comment;
}

static bool filter_accepts(struct capture_writer *w, const struct frame *f)
{
    struct pcap_pkthdr h = {.caplen = f->len, .len = f->len};

    return !w->filter || pcap_offline_filter(&w->program, &h, f->data);
}

static void write_packet(void *opaque, struct frame *f)
{
    struct capture_writer *w = opaque;
    const struct capture_record *r = w->writing;
    uint32_t snap = w->options->snaplen, dir = r->lane & 3;
    struct packet_record p = {
        .iface = r->lane >> 2,
        .epoch_ns = w->options->epoch_ns + r->at,
        .data = f->data,
        .len = f->len,
        .caplen = snap ? MIN(f->len, snap) : f->len,
        .direction = dir == TAP_IN ? 1 : dir == TAP_OUT ? 2 : 0,
        .comment = origin_comment(w, &f->origin),
    };

    if (!filter_accepts(w, f))
        return;
    if (w->options->format == CAPTURE_PCAP)
        pcap_packet(&w->out, &p);
    else
        pcapng_packet(&w->out, &p);
    w->n_packets++;
    w->written[p.iface]++;
    if (w->out.n >= WRITE_BYTES)
        write_out(w);
}

static void write_batch(struct capture_writer *w, struct capture_batch *b)
{
    capture_sort(b->records, b->n, &w->space);
    for (uint32_t i = 0; i < b->n; i++) {
        struct frame *f = b->records[i].frame;

        if (i + AHEAD < b->n) { /* another processor wrote them last */
            const char *ahead = (const char *)b->records[i + AHEAD].frame;
            __builtin_prefetch(ahead, 1);
            __builtin_prefetch(ahead + 64);
        }
        w->writing = &b->records[i];
        if (frame_is_finished(f))
            write_packet(w, f);
        else
            offload_finish(f, write_packet, w);
        frame_unref(f);
    }
    w->packets = w->n_packets;
}

static void batch_free(struct capture_batch *b)
{
    free(b->records);
    free(b);
}

/* Under the lock: a batch is written. */
static void batch_done(struct capture_writer *w, struct capture_batch *b)
{
    w->queued -= b->weight;
    b->n = 0;
    if (w->n_spare < MAX_SPARE) {
        b->next = w->spare;
        w->spare = b;
        w->n_spare++;
    } else {
        batch_free(b);
    }
    pthread_cond_signal(&w->room);
}

static void *writer(void *opaque)
{
    struct capture_writer *w = opaque;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->closing)
            pthread_cond_wait(&w->wake, &w->lock);
        struct capture_batch *b = w->first;
        if (!b)
            break;
        w->first = b->next;
        if (!w->first)
            w->last = &w->first;
        bool caught_up = !w->first;
        pthread_mutex_unlock(&w->lock);

        write_batch(w, b);
        if (caught_up) {
            write_out(w);
            if (fflush(w->file) != 0 && !w->error)
                w->error = errno;
        }
        pthread_mutex_lock(&w->lock);
        batch_done(w, b);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* --- the engine's side --- */

struct capture_batch *capture_writer_batch(struct capture_writer *w, uint32_t n)
{
    pthread_mutex_lock(&w->lock);
    struct capture_batch *b = w->spare;
    if (b) {
        w->spare = b->next;
        w->n_spare--;
    }
    pthread_mutex_unlock(&w->lock);
    if (!b)
        b = xcalloc(1, sizeof(*b));
    array_reserve(b->records, &b->cap, n);
    return b;
}

/* The head of the file is written here, so that the thread finds only packets to do. */
static void start(struct capture_writer *w)
{
    write_out(w);
    thread_start(&w->thread, writer, w);
    w->started = true;
}

void capture_writer_give(struct capture_writer *w, struct capture_batch *b)
{
    if (!w->started)
        start(w);
    b->next = NULL;
    pthread_mutex_lock(&w->lock);
    while (w->queued && w->queued + b->weight > MAX_QUEUED)
        pthread_cond_wait(&w->room, &w->lock);
    *w->last = b;
    w->last = &b->next;
    w->queued += b->weight;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void capture_writer_interface(struct capture_writer *w, const char *name, const char *what)
{
    array_reserve(w->written, &w->cap_written, w->n_ifaces + 1);
    w->written[w->n_ifaces++] = 0;
    if (w->options->format == CAPTURE_PCAPNG)
        pcapng_interface(&w->out, name, what, w->filter, w->options->snaplen);
}

/* --- life --- */

static bool compile_filter(struct capture_writer *w, const char *path, struct err *err)
{
    const char *filter = w->options->filter;
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, FRAME_MAX_LEN);
    bool ok = pcap_compile(dead, &w->program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;

    if (ok)
        w->filter = xstrdup(filter);
    else
        err_add(err, "capture %s: filter \"%s\": %s", path, filter, pcap_geterr(dead));
    pcap_close(dead);
    return ok;
}

static bool open_file(struct capture_writer *w, const char *path, struct err *err)
{
    w->file = strcmp(path, "-") == 0 ? fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "wb")
                                     : fopen(path, "wbe");
    if (!w->file) {
        err_add(err, "capture %s: %s", path, strerror(errno));
        return false;
    }
    setvbuf(w->file, NULL, _IONBF, 0); /* writes are large already */
    return true;
}

static void filter_free(struct capture_writer *w)
{
    if (w->filter)
        pcap_freecode(&w->program);
    free(w->filter);
}

bool capture_writer_open(struct capture_writer *w, const struct capture_options *o,
                         const char *path, struct err *err)
{
    *w = (struct capture_writer){.options = o};
    w->last = &w->first;
    if ((o->filter && !compile_filter(w, path, err)) || !open_file(w, path, err)) {
        filter_free(w);
        return false;
    }
    if (o->format == CAPTURE_PCAP)
        pcap_header(&w->out, o->snaplen);
    else
        pcapng_section(&w->out, "Lanarium " PACKAGE_VERSION);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->room, NULL);
    return true;
}

void capture_writer_stop(struct capture_writer *w)
{
    if (!w->started)
        return;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

void capture_writer_statistics(struct capture_writer *w, uint32_t iface, vtime_t until,
                               uint64_t seen)
{
    if (w->options->format == CAPTURE_PCAPNG)
        pcapng_statistics(&w->out, iface, w->options->epoch_ns + until, seen, w->written[iface]);
}

int capture_writer_close(struct capture_writer *w)
{
    write_out(w);
    if (fclose(w->file) != 0 && !w->error)
        w->error = errno;
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->room);
    for (struct capture_batch *b = w->spare, *next; b; b = next) {
        next = b->next;
        batch_free(b);
    }
    filter_free(w);
    free(w->written);
    free(w->out.bytes);
    free(w->space.records);
    free(w->space.runs);
    return w->error;
}
