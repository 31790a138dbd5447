/*
 * A machine as an actor: its harts run, exactly, from event to event.
 *
 * One hart runs until the window ends, its next event is due, it sleeps, or it has touched
 * something that may have changed what comes next. Several harts take turns in slices that end
 * on the engine's grid of virtual time or at the machine's next event, whichever is first; since
 * windows end on that grid and what arrives is an event, slices do not depend on windows.
 * What one hart does to another in a slice is seen at the other's next turn; a hart that
 * slept when the slice began sleeps to its end.
 */
#include "guests/board.h"
#include "guests/sbi.h"

static struct machine *machine_of(struct actor *a)
{
    return container_of(a, struct machine, actor);
}

static bool hart_sleeps(const struct hart *h)
{
    return h->stopped || (h->wfi && !hart_has_wakeup(h));
}

static bool machine_sleeps(const struct machine *m)
{
    for (unsigned i = 0; i < m->n_harts; i++)
        if (!hart_sleeps(&m->harts[i]))
            return false;
    return true;
}

/* --- stopping and starting again --- */

void machine_power(struct device_env *env, enum power_request what, uint32_t code)
{
    struct machine *m = container_of(env, struct machine, denv);

    if (m->request_pending)
        return;
    m->request_pending = true;
    m->request = what;
    m->request_code = code;
}

/* A machine that has stopped: no hart runs again, and no timer of a hart. */
static void machine_stop(struct machine *m)
{
    m->power = m->request == POWER_FAIL ? MACHINE_FAILED : MACHINE_OFF;
    m->power_code = m->request_code;
    for (unsigned i = 0; i < m->n_harts; i++) {
        m->harts[i].stopped = true;
        evq_cancel(&m->actor.events, &m->slots[i].stimer);
    }
    /* Whoever waits for it is told when a person could have seen it: at a time that does not
       depend on where the window ends. */
    actor_control(&m->actor, &m->power_event, m->actor.now + CONSOLE_DELAY);
}

static void machine_carry_out(struct machine *m)
{
    m->request_pending = false;
    if (m->request == POWER_RESET && !m->no_reboot) {
        m->n_resets++;
        machine_start(m);
    } else {
        machine_stop(m);
    }
}

static void machine_clear_ram(struct machine *m)
{
    struct ram old = m->ram;

    machine_trim_forget(m);
    ram_finish(&m->ram);
    ram_init(&m->ram, old.base, old.size);
    m->ram.changing = old.changing;
    m->ram.changing_opaque = old.changing_opaque;
}

void machine_start(struct machine *m)
{
    for (unsigned i = 0; i < m->n_harts; i++) {
        evq_cancel(&m->actor.events, &m->slots[i].stimer);
        m->slots[i].resume = false;
        m->slots[i].hsm = HSM_STARTED;
        hart_reset(&m->harts[i], m->boot.entry);
        hart_flush(&m->harts[i]);
    }
    machine_clear_ram(m);
    for (struct device *d = m->devices; d; d = d->next)
        device_reset(d);
    m->mtime_seen = 0;
    boot_start(m);
}

/* --- running --- */

/* A hart that wakes: its clock catches up, and a non-retentive suspend starts it anew. */
static void hart_wake(struct machine *m, struct hart *h)
{
    struct machine_hart *slot = &m->slots[h->id];

    if (hart_now(h) < m->actor.now)
        hart_skip_to(h, m->actor.now);
    if (slot->hsm == HSM_SUSPENDED || slot->hsm == HSM_START_PENDING) {
        slot->hsm = HSM_STARTED;
        h->wfi = false;
    }
    if (slot->resume) {
        slot->resume = false;
        hart_enter_supervisor(h, slot->resume_pc, slot->resume_opaque);
    }
}

/* One hart, alone; returns the time to which the machine has come. */
static vtime_t run_alone(struct machine *m, vtime_t end)
{
    struct hart *h = &m->harts[0];
    vtime_t start = m->actor.now;

    hart_wake(m, h);
    if (hart_run(h, hart_icount_at(h, end)) == HART_BUDGET)
        return end;
    return MIN(MAX(hart_now(h), start), end);
}

/* One hart's turn, to the end of the slice or until it sleeps. */
static void run_turn(struct machine *m, struct hart *h, vtime_t end)
{
    enum hart_stop why;

    do { /* a suspend that an interrupt ends at once also ends here */
        hart_wake(m, h);
        why = hart_run(h, hart_icount_at(h, end));
    } while (why == HART_SYNC && !hart_sleeps(h) && !m->request_pending);
}

static vtime_t run_turns(struct machine *m, vtime_t end)
{
    vtime_t start = m->actor.now;
    bool sleeps[MACHINE_MAX_HARTS];

    end = MIN(end, (start / SIM_GRID + 1) * SIM_GRID);
    for (unsigned i = 0; i < m->n_harts; i++)
        sleeps[i] = hart_sleeps(&m->harts[i]);
    for (m->turn = 0; m->turn < m->n_harts; m->turn++) {
        m->actor.now = start;
        if (!sleeps[m->turn])
            run_turn(m, &m->harts[m->turn], end);
    }
    m->turn = 0;
    return end;
}

static void machine_run(struct actor *a, vtime_t until)
{
    struct machine *m = machine_of(a);

    while (a->now < until) {
        vtime_t end;

        evq_run(&a->events, a->now);
        if (m->request_pending)
            machine_carry_out(m);
        machine_trim(m);
        end = MIN(until, evq_next(&a->events));
        if (m->power != MACHINE_RUNNING || machine_sleeps(m))
            a->now = end;
        else if (m->n_harts == 1)
            a->now = run_alone(m, end);
        else
            a->now = run_turns(m, end);
    }
}

static vtime_t machine_next_due(const struct actor *a)
{
    const struct machine *m = container_of(a, struct machine, actor);

    if (m->request_pending || (m->power == MACHINE_RUNNING && !machine_sleeps(m)))
        return a->now;
    /* What a hart armed for a time within its last slice fires at the slice's end. */
    return MAX(a->now, evq_next(&a->events));
}

const struct actor_ops machine_actor_ops = {
    .kind = "machine",
    .run = machine_run,
    .next_due = machine_next_due,
};
