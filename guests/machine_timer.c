/* A machine's time as its harts see it: the `time` CSR, and stimecmp's event (Sstc). */
#include "guests/board.h"

#define MENVCFG_STCE (1ULL << 63) /* Sstc 1.0: stimecmp is there, and drives STIP */

static struct machine *machine_of(struct hart *h)
{
    return container_of(h->env, struct machine, henv);
}

uint64_t machine_mtime(struct hart *h)
{
    struct machine *m = machine_of(h);
    uint64_t ticks;

    m->actor.now = hart_now(h);
    ticks = m->board->mtime(m);
    if (m->n_harts == 1)
        return ticks;
    /* Harts take turns of up to SIM_GRID, but their clocks must not appear to run backwards when
       they compare them (Unprivileged, Zicntr: synchronised to within one tick). */
    m->mtime_seen = MAX(m->mtime_seen, ticks);
    return m->mtime_seen;
}

static void stimer_set(struct machine *m, struct hart *h)
{
    struct event *ev = &m->slots[h->id].stimer;
    bool reached;
    vtime_t at;

    if (!(h->menvcfg & MENVCFG_STCE)) {
        evq_cancel(&m->actor.events, ev);
        return;
    }
    reached = m->board->mtime(m) >= h->stimecmp;
    hart_set_pending(h, IRQ_STI, reached);
    at = reached ? VTIME_NEVER : m->board->mtime_when(m, h->stimecmp);
    if (at == VTIME_NEVER)
        evq_cancel(&m->actor.events, ev);
    else
        evq_arm(&m->actor.events, ev, MAX(at, m->actor.now));
}

static void stimer_fire(struct event *ev, vtime_t now)
{
    struct machine_hart *slot = container_of(ev, struct machine_hart, stimer);
    struct machine *m = slot->machine;

    (void)now;
    hart_set_pending(&m->harts[slot - m->slots], IRQ_STI, true);
}

void machine_stimecmp_changed(struct hart *h)
{
    struct machine *m = machine_of(h);

    m->actor.now = MAX(m->actor.now, hart_now(h));
    stimer_set(m, h);
}

void machine_timers_moved(struct machine *m)
{
    m->mtime_seen = 0;
    for (unsigned i = 0; i < m->n_harts; i++)
        stimer_set(m, &m->harts[i]);
}

void machine_timer_init(struct machine *m, unsigned hart)
{
    event_init(&m->actor.events, &m->slots[hart].stimer, stimer_fire);
}
