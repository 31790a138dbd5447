/*
 * Playback: a recording is read a little ahead of time, and handed out.
 *
 * Entries that act by an actor's event must be handed over before the window in which they act, so
 * the file is read two of the longest windows ahead. Those that act at a barrier wait for it, and
 * with them whatever stands behind them for the same inlet: a frame of a port that is yet to join.
 *
 * The file is not trusted: what cannot be an entry ends the recording there. What it makes a
 * playback keep is at most a few times its own size.
 */
#include <errno.h>
#include <stdio.h>

#include "sim/console.h"
#include "sim/inlet.h"
#include "sim/recording.h"
#include "sim/sim.h"

#define AHEAD (2 * CONSOLE_DELAY)  /* no window is longer than half of it */
#define MAX_TIME (VTIME_NEVER / 2) /* centuries; later ones are not believed */

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
    bool ended;         /* the end was read, or stands for what is missing */
    bool over;          /* it was played */
    char *how;          /* what the end says of it, or NULL */
    const char *fault;  /* why reading stopped before it */
    uint64_t rounds;    /* how often things were handed out */
    bool settled;       /* this barrier's control events have fired */
    uint64_t strays;    /* entries for an inlet that is not there */
};

static vtime_t grid_ceil(vtime_t t)
{
    return (t + SIM_GRID - 1) / SIM_GRID * SIM_GRID;
}

static bool entry_read(struct playback *p, struct entry *e)
{
    uint8_t h[RECORDING_ENTRY];
    size_t got = fread(h, 1, sizeof(h), p->file);

    if (got != sizeof(h)) {
        p->fault = "it was cut short";
        return false;
    }
    *e = (struct entry){load_le32(h + 1), load_le32(h + 13), (vtime_t)load_le64(h + 5), h[0], NULL};
    if (e->kind == 0 || e->len > RECORDING_MAX_ENTRY || e->at < p->last - AHEAD || e->at < 0 ||
        e->at > MAX_TIME) {
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
    *e = (struct entry){.inlet = UINT32_MAX, .at = grid_ceil(p->last), .kind = INLET_END};
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
    if (p->ended && p->ahead.bytes)
        p->how = xstrndup((const char *)p->ahead.bytes, p->ahead.len);
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
    char magic[sizeof(RECORDING_MAGIC) - 1];
    FILE *file = fopen(path, "rbe");
    char *header = NULL;

    if (!file) {
        err_add(err, "the recording %s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    if (fread(magic, sizeof(magic), 1, file) == 1 &&
        memcmp(magic, RECORDING_MAGIC, sizeof(magic)) == 0)
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

const char *playback_end(const struct playback *p)
{
    return p->over ? p->how : NULL;
}

bool playback_complete(const struct playback *p, struct err *err)
{
    double last = (double)p->last / 1e9;

    if (p->fault)
        err_add(err, "the recording %s does not go on after %.6f s: %s", p->path, last, p->fault);
    else if (!p->over)
        err_add(err, "the run ended before the recording %s, which goes on to %.6f s or later",
                p->path, last);
    if (p->strays)
        err_add(err, "the recording %s has %llu entries for what is not in this network", p->path,
                (unsigned long long)p->strays);
    return !p->fault && p->over && !p->strays;
}

bool playback_close(struct playback *p, struct err *err)
{
    if (!p)
        return true;
    bool good = playback_complete(p, err);
    for (uint32_t i = 0; i < p->n; i++)
        free(p->queue[i].bytes);
    free(p->queue);
    free(p->ahead.bytes);
    free(p->header);
    free(p->how);
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

static vtime_t grid_floor(vtime_t t)
{
    return t - t % SIM_GRID;
}

static struct inlet *inlet_of(const struct sim *s, const struct entry *e)
{
    return e->inlet < s->n_inlets ? s->inlets[e->inlet] : NULL;
}

/*
 * Whether an entry's time has come: now, or ahead of it, unless another of its inlet's waits. An inlet
 * may be made by this barrier's control events.
 */
static bool is_due(const struct playback *p, const struct entry *e, const struct sim *s)
{
    const struct inlet *in = inlet_of(s, e);

    if (e->at < s->now + SIM_GRID) /* no barrier lies between */
        return p->settled || e->inlet < s->n_inlets || e->kind == INLET_END;
    return !waits_for_barrier(e) && in && in->waiting != p->rounds;
}

static void entry_play(struct playback *p, const struct entry *e, struct sim *s)
{
    struct inlet *in = inlet_of(s, e);

    if (e->kind == INLET_END) {
        p->over = true;
        sim_stop(s);
    } else if (in) {
        inlet_play(in, e->kind, e->at, e->bytes, e->len);
    } else {
        p->strays++;
    }
}

/* It waits, and with it what comes after it for its inlet. */
static void entry_keep(struct playback *p, const struct entry *e, struct sim *s, uint32_t at)
{
    struct inlet *in = inlet_of(s, e);

    if (in)
        in->waiting = p->rounds;
    p->queue[at] = *e;
}

vtime_t playback_next(const struct playback *p)
{
    vtime_t next = p->ahead.kind ? MAX(p->ahead.at - AHEAD / 2, 0) : VTIME_NEVER;

    for (uint32_t i = 0; i < p->n; i++)
        next = MIN(next, p->queue[i].at);
    return next == VTIME_NEVER ? next : grid_floor(next);
}

void playback_greet(struct playback *p, struct inlet *in)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        struct entry e = p->queue[i];
        if (e.inlet == in->id && e.kind == INLET_ANSWER) {
            inlet_play(in, e.kind, e.at, e.bytes, e.len);
            free(e.bytes);
        } else {
            p->queue[left++] = e;
        }
    }
    p->n = left;
}

void playback_play(struct playback *p, struct sim *s, bool settled)
{
    uint32_t left = 0;

    p->rounds++;
    p->settled = settled;
    while (p->ahead.kind && p->ahead.at <= s->now + AHEAD) {
        array_reserve(p->queue, &p->cap, p->n + 1);
        p->queue[p->n++] = p->ahead;
        read_ahead(p);
    }
    for (uint32_t i = 0; i < p->n; i++) {
        struct entry e = p->queue[i];
        if (is_due(p, &e, s)) {
            entry_play(p, &e, s);
            free(e.bytes);
        } else {
            entry_keep(p, &e, s, left++);
        }
    }
    p->n = left;
}
