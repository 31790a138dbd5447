/*
 * Recordings: written as things enter, read a little ahead of time.
 *
 *     kind u8 | inlet u32 | at i64 | len u32 | len bytes
 *
 * Entries that act by an actor's event must be handed over before the window in which they act, so
 * the file is read two of the longest windows ahead. Those that act at a barrier wait for it, and
 * with them whatever stands behind them for the same inlet: a frame of a port that is yet to join.
 */
#include "sim/recording.h"

#include <errno.h>
#include <stdio.h>

#include "sim/console.h"
#include "sim/host_time.h"
#include "sim/inlet.h"
#include "sim/sim.h"

#define MAGIC "lanarium recording 1\n"
#define ENTRY_HEADER 17
#define AHEAD (2 * CONSOLE_DELAY)        /* no window is longer than half of it */
#define FLUSH_INTERVAL (100 * NS_PER_MS) /* of host time: what a crash may cost */

/* --- writing --- */

struct recording {
    char *path;
    FILE *file;
    int error; /* errno of the first write that failed; nothing is written after it */
    int64_t flushed_ns;
};

static void put(struct recording *r, const void *p, size_t len)
{
    if (!r->error && len && fwrite(p, len, 1, r->file) != 1)
        r->error = errno ? errno : EIO;
}

static void flush(struct recording *r)
{
    if (!r->error && fflush(r->file) != 0)
        r->error = errno;
}

struct recording *recording_create(const char *path, const char *header, struct err *err)
{
    FILE *file = fopen(path, "wbe");

    if (!file) {
        err_add(err, "the recording %s cannot be made: %s", path, strerror(errno));
        return NULL;
    }
    struct recording *r = xcalloc(1, sizeof(*r));
    r->path = xstrdup(path);
    r->file = file;
    put(r, MAGIC, sizeof(MAGIC) - 1);
    put(r, header, strlen(header));
    put(r, "\n", 1);
    flush(r);
    return r;
}

void recording_note(struct recording *r, uint32_t inlet, uint8_t kind, vtime_t at, const void *p,
                    size_t len)
{
    uint8_t h[ENTRY_HEADER];
    int64_t now = host_now_ns();

    h[0] = kind;
    store_le32(h + 1, inlet);
    store_le64(h + 5, (uint64_t)at);
    store_le32(h + 13, (uint32_t)len);
    put(r, h, sizeof(h));
    put(r, p, len);
    if (now - r->flushed_ns > FLUSH_INTERVAL) {
        flush(r);
        r->flushed_ns = now;
    }
}

bool recording_close(struct recording *r, vtime_t at, struct err *err)
{
    bool good;

    if (!r)
        return true;
    recording_note(r, UINT32_MAX, INLET_END, at, NULL, 0);
    flush(r);
    if (fclose(r->file) != 0 && !r->error)
        r->error = errno;
    good = !r->error;
    if (!good)
        err_add(err, "the recording %s is not complete: %s", r->path, strerror(r->error));
    free(r->path);
    free(r);
    return good;
}

/* --- reading --- */

struct entry {
    uint32_t inlet, len;
    vtime_t at;
    uint8_t kind;
    uint8_t *bytes;
};

struct playback {
    char *path;
    FILE *file;
    char *header;
    struct entry *queue; /* read and not played yet, in the file's order */
    uint32_t n, cap;
    struct entry ahead; /* the next one, too far ahead to be queued; kind 0: none */
    vtime_t last;       /* the latest time that was read */
    bool ended;         /* INLET_END was read */
    const char *fault;  /* why reading stopped before it */
};

static bool entry_read(struct playback *p, struct entry *e)
{
    uint8_t h[ENTRY_HEADER];
    size_t got = fread(h, 1, sizeof(h), p->file);

    if (got != sizeof(h)) {
        p->fault = "it was cut short";
        return false;
    }
    *e = (struct entry){load_le32(h + 1), load_le32(h + 13), (vtime_t)load_le64(h + 5), h[0], NULL};
    if (e->len > RECORDING_MAX_ENTRY || e->at < 0 || e->at < p->last - AHEAD || e->kind == 0) {
        p->fault = "it is damaged";
        return false;
    }
    e->bytes = xmalloc(e->len + 1u);
    if (e->len && fread(e->bytes, e->len, 1, p->file) != 1) {
        free(e->bytes);
        p->fault = "it was cut short";
        return false;
    }
    return true;
}

/* What stands in for the end that a crash kept from being written: just after what was read last.
 */
static void entry_end(struct playback *p, struct entry *e)
{
    vtime_t at = p->last + SIM_GRID - 1;

    *e = (struct entry){.inlet = UINT32_MAX, .at = at - at % SIM_GRID, .kind = INLET_END};
}

static void read_ahead(struct playback *p)
{
    p->ahead = (struct entry){0};
    if (p->ended)
        return;
    if (p->fault || !entry_read(p, &p->ahead))
        entry_end(p, &p->ahead);
    p->last = MAX(p->last, p->ahead.at);
    p->ended = p->ahead.kind == INLET_END;
}

/* The header's lines, up to the empty one. NULL if there is no end to it. */
static char *header_read(FILE *file)
{
    char *text = xmalloc(RECORDING_MAX_HEADER);
    size_t n = 0;

    for (int c; n + 1 < RECORDING_MAX_HEADER && (c = getc(file)) != EOF && c;) {
        if (c == '\n' && (n == 0 || text[n - 1] == '\n')) {
            text[n] = '\0';
            return text;
        }
        text[n++] = (char)c;
    }
    free(text);
    return NULL;
}

struct playback *playback_open(const char *path, struct err *err)
{
    char magic[sizeof(MAGIC) - 1];
    FILE *file = fopen(path, "rbe");
    char *header = NULL;

    if (!file) {
        err_add(err, "the recording %s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    if (fread(magic, sizeof(magic), 1, file) == 1 && memcmp(magic, MAGIC, sizeof(magic)) == 0)
        header = header_read(file);
    if (!header) {
        err_add(err, "%s is not a recording (of this version)", path);
        fclose(file);
        return NULL;
    }
    struct playback *p = xcalloc(1, sizeof(*p));
    p->path = xstrdup(path);
    p->file = file;
    p->header = header;
    read_ahead(p);
    return p;
}

const char *playback_header(const struct playback *p)
{
    return p->header;
}

bool playback_close(struct playback *p, struct err *err)
{
    bool good = true;

    if (!p)
        return true;
    if (p->fault) {
        err_add(err, "the recording %s does not go on after %.6f s: %s", p->path,
                (double)p->last / 1e9, p->fault);
        good = false;
    }
    for (uint32_t i = 0; i < p->n; i++)
        free(p->queue[i].bytes);
    free(p->queue);
    free(p->ahead.bytes);
    free(p->header);
    fclose(p->file);
    free(p->path);
    free(p);
    return good;
}

/* --- playing --- */

static bool waits_for_barrier(const struct entry *e)
{
    return e->kind >= INLET_BARRIER;
}

static struct inlet *inlet_of(const struct sim *s, const struct entry *e)
{
    return e->inlet < s->n_inlets ? s->inlets[e->inlet] : NULL;
}

/* Whether one of the first n entries, which wait, is of the same inlet. */
static bool is_behind(const struct playback *p, uint32_t n, const struct entry *e)
{
    for (uint32_t i = 0; i < n; i++)
        if (p->queue[i].inlet == e->inlet)
            return true;
    return false;
}

static bool is_due(const struct playback *p, uint32_t n, const struct entry *e, const struct sim *s)
{
    if (e->at < s->now + SIM_GRID) /* no barrier lies between */
        return true;
    return !waits_for_barrier(e) && inlet_of(s, e) && !is_behind(p, n, e);
}

static void entry_play(const struct entry *e, struct sim *s)
{
    struct inlet *in = inlet_of(s, e);

    if (e->kind == INLET_END)
        sim_stop(s);
    else if (in && in->ops->play)
        in->ops->play(in, e->kind, e->at, e->bytes, e->len);
}

vtime_t playback_next(const struct playback *p)
{
    vtime_t next = p->ahead.kind ? MAX(p->ahead.at - AHEAD / 2, 0) : VTIME_NEVER;

    for (uint32_t i = 0; i < p->n; i++)
        next = MIN(next, p->queue[i].at);
    return next == VTIME_NEVER ? next : next - next % SIM_GRID;
}

void playback_play(struct playback *p, struct sim *s)
{
    uint32_t left = 0;

    while (p->ahead.kind && p->ahead.at <= s->now + AHEAD) {
        array_reserve(p->queue, &p->cap, p->n + 1);
        p->queue[p->n++] = p->ahead;
        read_ahead(p);
    }
    for (uint32_t i = 0; i < p->n; i++) {
        struct entry e = p->queue[i];
        if (is_due(p, left, &e, s)) {
            entry_play(&e, s);
            free(e.bytes);
        } else {
            p->queue[left++] = e;
        }
    }
    p->n = left;
}
