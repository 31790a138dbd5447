/* Consoles: bytes with times, both ways. */
#include "sim/console.h"

#include "sim/actor.h"
#include "sim/sim.h"

/* Add a run of bytes to a list of chunks, joining those of one time. */
static void chunk_add(struct console_chunk **list, uint32_t *n, uint32_t *cap, vtime_t at,
                      uint32_t len)
{
    if (*n && (*list)[*n - 1].at == at) {
        (*list)[*n - 1].len += len;
        return;
    }
    *list = array_grow(*list, cap, *n + 1, sizeof(**list));
    (*list)[(*n)++] = (struct console_chunk){at, len};
}

static void in_fire(struct event *ev, vtime_t now)
{
    struct console *c = container_of(ev, struct console, in_event);
    uint32_t due = 0;

    while (due < c->n_chunks && c->in_chunks[due].at <= now)
        c->in_ready += c->in_chunks[due++].len;
    c->n_chunks -= due;
    memmove(c->in_chunks, c->in_chunks + due, c->n_chunks * sizeof(*c->in_chunks));
    if (c->n_chunks)
        evq_arm(&c->owner->events, ev, c->in_chunks[0].at);
    if (due && c->input)
        c->input(c);
}

void console_init(struct console *c, struct actor *owner, const char *name)
{
    struct console **end = &owner->consoles;

    *c = (struct console){.owner = owner, .name = xstrdup(name)};
    event_init(&owner->events, &c->in_event, in_fire);
    while (*end)
        end = &(*end)->next;
    *end = c;
}

void console_finish(struct console *c)
{
    struct console **link = &c->owner->consoles;

    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    evq_cancel(&c->owner->events, &c->in_event);
    free(c->in);
    free(c->in_chunks);
    free(c->out);
    free(c->out_chunks);
    free(c->name);
}

/* How many of n bytes may still be written in this microsecond. */
static uint32_t burst_room(struct console *c, size_t n)
{
    vtime_t at = c->owner->now / NS_PER_US;

    if (at != c->burst_at)
        c->burst = 0;
    c->burst_at = at;
    return (uint32_t)MIN(n, CONSOLE_MAX_BURST - c->burst);
}

bool console_write(struct console *c, const void *p, size_t len)
{
    uint32_t n = burst_room(c, len);

    c->burst += n;
    c->out_lost += len - n;
    if (n == 0)
        return len == 0;
    array_reserve(c->out, &c->cap_out, c->n_out + n);
    memcpy(c->out + c->n_out, p, n);
    c->n_out += n;
    c->out_total += n;
    chunk_add(&c->out_chunks, &c->n_out_chunks, &c->cap_out_chunks, c->owner->now, n);
    return n == len;
}

size_t console_read(struct console *c, void *p, size_t n)
{
    n = MIN(n, c->in_ready);
    if (n == 0)
        return 0;
    memcpy(p, c->in + c->first_in, n);
    c->first_in += (uint32_t)n;
    c->n_in -= (uint32_t)n;
    c->in_ready -= (uint32_t)n;
    return n;
}

/* Room for n more bytes behind those that wait; they are moved only when they are the fewer. */
static uint8_t *in_room(struct console *c, uint32_t n)
{
    if (c->first_in >= c->n_in) {
        if (c->n_in)
            memcpy(c->in, c->in + c->first_in, c->n_in);
        c->first_in = 0;
    }
    array_reserve(c->in, &c->cap_in, c->first_in + c->n_in + n);
    return c->in + c->first_in + c->n_in;
}

bool console_feed(struct console *c, const void *p, size_t n, vtime_t at)
{
    if (n > CONSOLE_MAX_INPUT || c->n_in + n > CONSOLE_MAX_INPUT)
        return false;
    if (n == 0)
        return true;
    /* What was fed first arrives first. */
    if (c->n_chunks)
        at = MAX(at, c->in_chunks[c->n_chunks - 1].at);
    memcpy(in_room(c, (uint32_t)n), p, n);
    c->n_in += (uint32_t)n;
    chunk_add(&c->in_chunks, &c->n_chunks, &c->cap_chunks, at, (uint32_t)n);
    evq_arm(&c->owner->events, &c->in_event, c->in_chunks[0].at);
    actor_due_changed(c->owner);
    return true;
}

void console_add_sink(struct console *c, struct console_sink *s)
{
    struct console_sink **end = &c->sinks;

    while (*end)
        end = &(*end)->next;
    s->next = NULL;
    *end = s;
}

void console_remove_sink(struct console *c, struct console_sink *s)
{
    struct console_sink **link = &c->sinks;

    while (*link && *link != s)
        link = &(*link)->next;
    if (*link)
        *link = s->next;
}

void console_drain(struct console *c)
{
    uint32_t pos = 0;

    for (uint32_t i = 0; i < c->n_out_chunks; i++) {
        struct console_chunk *k = &c->out_chunks[i];
        for (struct console_sink *s = c->sinks, *next; s; s = next) {
            next = s->next; /* a sink may remove itself */
            s->bytes(s, k->at, c->out + pos, k->len);
        }
        pos += k->len;
    }
    c->n_out = c->n_out_chunks = 0;
}
