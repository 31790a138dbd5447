/* The event queue: a binary heap by (time, key) whose events know their place in it. */
#include "sim/evq.h"

void event_init(struct evq *q, struct event *ev, void (*fire)(struct event *, vtime_t))
{
    *ev = (struct event){.key = q->next_key++, .fire = fire};
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->key < b->key;
}

static void place(struct evq *q, uint32_t i, struct event *ev)
{
    q->heap[i] = ev;
    ev->slot = i + 1;
}

static void sift_up(struct evq *q, uint32_t i, struct event *ev)
{
    for (; i > 0 && before(ev, q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(q, i, q->heap[(i - 1) / 2]);
    place(q, i, ev);
}

static void sift_down(struct evq *q, uint32_t i, struct event *ev)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= q->n)
            break;
        if (child + 1 < q->n && before(q->heap[child + 1], q->heap[child]))
            child++;
        if (!before(q->heap[child], ev))
            break;
        place(q, i, q->heap[child]);
        i = child;
    }
    place(q, i, ev);
}

void evq_cancel(struct evq *q, struct event *ev)
{
    if (!ev->slot)
        return;
    uint32_t i = ev->slot - 1;
    struct event *last = q->heap[--q->n];

    ev->slot = 0;
    if (last == ev)
        return;
    if (i > 0 && before(last, q->heap[(i - 1) / 2]))
        sift_up(q, i, last);
    else
        sift_down(q, i, last);
}

void evq_arm(struct evq *q, struct event *ev, vtime_t at)
{
    if (ev->slot && ev->at == at)
        return;
    evq_cancel(q, ev);
    ev->at = at;
    array_reserve(q->heap, &q->cap, q->n + 1);
    q->n++;
    sift_up(q, q->n - 1, ev);
}

void evq_copy(struct evq *q, struct event *ev, const struct event *from)
{
    if (event_armed(from))
        evq_arm(q, ev, from->at);
    else
        evq_cancel(q, ev);
}

void evq_run(struct evq *q, vtime_t now)
{
    while (q->n && q->heap[0]->at <= now) {
        struct event *ev = q->heap[0];
        evq_cancel(q, ev);
        ev->fire(ev, now);
    }
}

void evq_finish(struct evq *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        q->heap[i]->slot = 0;
    free(q->heap);
    *q = (struct evq){0};
}
