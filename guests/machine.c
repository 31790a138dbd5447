/* Machines: making one from a configuration, and looking at it. */
#include <inttypes.h>

#include "guests/board.h"
#include "guests/sbi.h"

#define RAM_MIN (64ULL << 10)
#define RAM_MAX (64ULL << 30)
#define MIPS_MAX 100000

void machine_config_init(struct machine_config *c)
{
    *c = (struct machine_config){.ram_bytes = 128ULL << 20,
                                 .harts = 1,
                                 .mips = 1000,
                                 .epoch_ns = 1735689600 * NS_PER_SEC}; /* 2025-01-01 */
}

/* --- what devices are lent --- */

static bool dma_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    return ram_read(&container_of(dma, struct machine, dma)->ram, addr, buf, len);
}

static bool dma_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    return ram_write(&container_of(dma, struct machine, dma)->ram, addr, buf, len);
}

static void machine_origin(struct device_env *env, struct frame_origin *origin)
{
    const struct machine *m = container_of(env, struct machine, denv);
    const struct hart *h = &m->harts[m->turn];

    *origin = (struct frame_origin){m->actor.name, h->id, h->pc, h->icount};
}

static void ram_changing(struct ram *r, uint64_t addr, struct page *old)
{
    struct machine *m = r->changing_opaque;

    for (unsigned i = 0; i < m->n_harts; i++)
        hart_page_changing(&m->harts[i], addr, old);
    if (page_shared(old))
        machine_page_copied(m, addr);
}

void machine_attach(struct machine *m, struct device *dev)
{
    if (dev->region.size)
        bus_attach(&m->bus, dev);
    *m->last_device = dev;
    m->last_device = &dev->next;
}

/* --- making --- */

/* Everything wrong with the numbers, said at once. */
static bool config_check(const char *name, const struct machine_config *c, struct err *err)
{
    size_t before = err->n;

    if (!board_find(c->board))
        err_at(err, c->file, c->line, "%s: there is no board \"%s\"; there is \"%s\"", name, c->board,
               boards[0]->name);
    if (c->harts < 1 || c->harts > MACHINE_MAX_HARTS)
        err_at(err, c->file, c->line, "%s: %u harts is outside 1..%d", name, c->harts,
               MACHINE_MAX_HARTS);
    if (c->mips < 1 || c->mips > MIPS_MAX)
        err_at(err, c->file, c->line, "%s: mips %u is outside 1..%d", name, c->mips, MIPS_MAX);
    if (c->ram_bytes < RAM_MIN || c->ram_bytes > RAM_MAX || c->ram_bytes % PAGE_SIZE)
        err_at(err, c->file, c->line,
               "%s: %" PRIu64 " bytes of memory is not a multiple of 4K in 64K..64G", name,
               c->ram_bytes);
    return err->n == before;
}

static void power_fire(struct event *ev, vtime_t now)
{
    struct machine *m = container_of(ev, struct machine, power_event);

    (void)now;
    for (size_t i = 0; i < m->n_nics; i++)
        port_set_up(&m->nics[i]->port, false);
    if (m->on_power)
        m->on_power(m->on_power_opaque, m);
}

static void machine_make_harts(struct machine *m, const struct machine_config *c)
{
    m->no_reboot = c->no_reboot;
    m->n_harts = c->harts;
    m->harts = xcalloc(c->harts, sizeof(*m->harts));
    m->slots = xcalloc(c->harts, sizeof(*m->slots));
    m->henv = (struct hart_env){.ram = &m->ram,
                                .bus = &m->bus,
                                .actor = &m->actor,
                                .mips = c->mips,
                                .n_harts = c->harts,
                                .harts = m->harts,
                                .stimecmp_changed = machine_stimecmp_changed,
                                .mtime = machine_mtime};
    for (unsigned i = 0; i < c->harts; i++) {
        m->slots[i].machine = m;
        hart_init(&m->harts[i], &m->henv, i);
        machine_timer_init(m, i);
    }
}

static struct machine *machine_new(struct sim *sim, const char *name,
                                   const struct machine_config *c)
{
    struct machine *m = xcalloc(1, sizeof(*m));

    actor_init(&m->actor, &machine_actor_ops, sim, name);
    m->board = board_find(c->board);
    m->last_device = &m->devices;
    ram_init(&m->ram, m->board->ram_base, c->ram_bytes);
    m->ram.changing = ram_changing;
    m->ram.changing_opaque = m;
    m->dma = (struct dma){dma_read, dma_write};
    m->denv = (struct device_env){.actor = &m->actor,
                                  .dma = &m->dma,
                                  .run_seed = sim->options.seed,
                                  .origin = machine_origin,
                                  .power = machine_power};
    event_init(&sim->control, &m->power_event, power_fire);
    machine_clone_init(m);
    machine_trim_init(m);
    machine_make_harts(m, c);
    return m;
}

struct machine *machine_create(struct sim *sim, const char *name, const struct machine_config *c,
                               struct err *err)
{
    struct machine *m;
    bool ok;

    if (!config_check(name, c, err))
        return NULL;
    m = machine_new(sim, name, c);
    ok = m->board->attach(m, c, err);
    ok = boot_plan(m, c, err) && ok;
    if (!ok) {
        machine_destroy(m);
        return NULL;
    }
    if (m->boot.mode == BOOT_SUPERVISOR)
        m->henv.sbi_ecall = sbi_ecall;
    if (c->clone_number)
        m->power = MACHINE_WAITING;
    else
        machine_start(m);
    actor_due_changed(&m->actor);
    return m;
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    evq_cancel(&m->actor.sim->control, &m->power_event);
    evq_cancel(&m->actor.events, &m->birth);
    m->board->finish(m);
    for (unsigned i = 0; i < m->n_harts; i++) {
        evq_cancel(&m->actor.events, &m->slots[i].stimer);
        hart_finish(&m->harts[i]);
    }
    ram_finish(&m->ram);
    boot_finish(&m->boot);
    actor_finish(&m->actor);
    machine_trim_finish(m);
    free(m->harts);
    free(m->slots);
    free(m);
}

/* --- looking at it --- */

struct actor *machine_actor(struct machine *m)
{
    return &m->actor;
}

struct console *machine_console(struct machine *m, unsigned n)
{
    return n < ARRAY_LEN(m->consoles) ? m->consoles[n] : NULL;
}

struct nic *machine_nic(struct machine *m, unsigned n)
{
    return n < m->n_nics ? m->nics[n] : NULL;
}

enum machine_power machine_power_state(const struct machine *m, uint32_t *code)
{
    if (code)
        *code = m->power_code;
    return m->power;
}

void machine_on_power(struct machine *m, void (*fn)(void *opaque, struct machine *m), void *opaque)
{
    m->on_power = fn;
    m->on_power_opaque = opaque;
}

const struct ram *machine_ram(const struct machine *m)
{
    return &m->ram;
}

void machine_stats(const struct machine *m, struct machine_stats *st)
{
    *st = (struct machine_stats){.private_bytes = ram_private_bytes(&m->ram)};
    st->host_bytes =
        st->private_bytes + sizeof(*m) + m->boot.dtb_len + ram_table_bytes(&m->ram);
    for (unsigned i = 0; i < m->n_harts; i++) {
        st->instructions += m->harts[i].icount;
        st->traps += m->harts[i].n_traps;
        st->host_bytes += sizeof(struct hart) + sizeof(struct machine_hart) +
                          hart_cache_bytes(&m->harts[i]);
    }
    st->instructions -= m->before_instructions;
    st->traps -= m->before_traps;
}

void machine_registers(const struct machine *m, unsigned hart, uint64_t *pc, uint64_t x[32])
{
    const struct hart *h = &m->harts[hart < m->n_harts ? hart : 0];

    *pc = h->pc;
    memcpy(x, h->x, 32 * sizeof(x[0]));
    x[0] = 0;
}

uint64_t machine_fingerprint(const struct machine *m)
{
    /* Not actor.now: a machine that sleeps is left where its last window ended. */
    const uint64_t own[] = {m->power, m->power_code, m->n_resets};
    uint64_t hash = hash_bytes(RNG_HASH_START, own, sizeof(own));

    for (unsigned i = 0; i < m->n_harts; i++)
        hash = state_hash(hart_fields, &m->harts[i], hash);
    hash = ram_hash(&m->ram, hash);
    for (const struct device *d = m->devices; d; d = d->next)
        if (d->ops->state)
            hash = state_hash(d->ops->state, d->object, hash);
    return hash;
}

void machine_dump(const struct machine *m, FILE *to)
{
    for (unsigned i = 0; i < m->n_harts; i++) {
        char *prefix = xasprintf("%s.hart%u", m->actor.name, i);

        state_dump(hart_fields, &m->harts[i], prefix, to);
        free(prefix);
    }
    for (const struct device *d = m->devices; d; d = d->next)
        if (d->ops->state)
            state_dump(d->ops->state, d->object, d->name, to);
}

void machine_trace(struct machine *m, FILE *to)
{
    for (unsigned i = 0; i < m->n_harts; i++)
        m->harts[i].trace = to;
}
