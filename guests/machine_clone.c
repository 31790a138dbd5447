/*
 * Clones: a machine becomes what another one is at this moment, at the price of its differences.
 *
 *     RAM       the table's leaves are shared, and with them every page (ram_share)
 *     harts     the fields of hart_fields; caches start empty (hart_clone)
 *     devices   the fields of their tables, and what their ops->clone adds; both machines
 *               were made alike, so their lists are parallel
 *
 * An event starts the clone's first run, at the time of the cloning: the clock of a sleeping machine
 * may lie behind, and it must not be woken there.
 */
#include <assert.h>

#include "guests/machine_internal.h"

static void harts_clone(struct machine *m, struct machine *from)
{
    for (unsigned i = 0; i < m->n_harts; i++) {
        struct machine_hart *slot = &m->slots[i];
        const struct machine_hart *other = &from->slots[i];

        hart_clone(&m->harts[i], &from->harts[i]);
        m->before_instructions += m->harts[i].icount;
        m->before_traps += m->harts[i].n_traps;
        slot->hsm = other->hsm;
        slot->resume = other->resume;
        slot->resume_pc = other->resume_pc;
        slot->resume_opaque = other->resume_opaque;
        evq_copy(&m->actor.events, &slot->stimer, &other->stimer);
    }
    m->turn = from->turn;
    m->mtime_seen = from->mtime_seen;
}

static void devices_clone(struct machine *m, const struct machine *from)
{
    const struct device *other = from->devices;

    for (struct device *d = m->devices; d; d = d->next, other = other->next) {
        assert(other);
        device_clone(d, other);
    }
    assert(!other);
}

/* It stopped between reaching its point and now: so has the clone. */
static void power_clone(struct machine *m, const struct machine *from)
{
    m->power = from->power;
    m->power_code = from->power_code;
    m->request_pending = from->request_pending;
    m->request = from->request;
    m->request_code = from->request_code;
    m->n_resets = from->n_resets;
    if (m->power != MACHINE_RUNNING)
        sim_at(m->actor.sim, &m->power_event, m->actor.sim->now + CONSOLE_DELAY);
}

void machine_clone(struct machine *m, struct machine *original)
{
    assert(m->power == MACHINE_WAITING && original->power != MACHINE_WAITING);
    assert(m->board == original->board && m->n_harts == original->n_harts &&
           m->henv.mips == original->henv.mips);
    m->actor.now = original->actor.now; /* a sleeper's may be in the past */
    harts_clone(m, original);
    ram_share(&m->ram, &original->ram);
    machine_trim_shared(original);
    devices_clone(m, original);
    power_clone(m, original);
    evq_arm(&m->actor.events, &m->birth, m->actor.sim->now);
    actor_due_changed(&m->actor);
}

static void birth_fire(struct event *ev, vtime_t now)
{
    struct machine *m = container_of(ev, struct machine, birth);

    (void)now;
    for (struct device *d = m->devices; d; d = d->next)
        if (d->ops->cloned)
            d->ops->cloned(d);
}

void machine_clone_init(struct machine *m)
{
    event_init(&m->actor.events, &m->birth, birth_fire);
}
