/* The rig: a device's surroundings, reduced to what can be looked at. */
#include "rig.h"

#include <stdio.h>

static bool in_ram(uint64_t addr, size_t len)
{
    return addr >= RIG_RAM_BASE && len <= RIG_RAM_SIZE &&
           addr - RIG_RAM_BASE <= RIG_RAM_SIZE - len;
}

static bool dma_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    struct rig *r = container_of(dma, struct rig, dma);

    r->dma_reads++;
    if (!in_ram(addr, len))
        return false;
    memcpy(buf, r->ram + (addr - RIG_RAM_BASE), len);
    return true;
}

static bool dma_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    struct rig *r = container_of(dma, struct rig, dma);

    if (!in_ram(addr, len))
        return false;
    memcpy(r->ram + (addr - RIG_RAM_BASE), buf, len);
    return true;
}

static void line_set(struct irq_sink *sink, uint32_t n, bool level)
{
    struct rig *r = container_of(sink, struct rig, sink);

    assert_true(n < RIG_LINES);
    assert_true(r->line[n] != level);
    r->line[n] = level;
    r->rises[n] += level;
}

static void origin(struct device_env *env, struct frame_origin *o)
{
    (void)env;
    *o = (struct frame_origin){.guest = "rig", .hart = 1, .pc = 0x80001000, .icount = 42};
}

static void power(struct device_env *env, enum power_request what, uint32_t code)
{
    struct rig *r = container_of(env, struct rig, env);

    r->power_requests++;
    r->power_what = what;
    r->power_code = code;
}

static const struct actor_ops rig_actor_ops = {.kind = "rig"};

void rig_init(struct rig *r)
{
    struct sim_options o = {.seed = 1};

    *r = (struct rig){0};
    sim_init(&r->sim, &o);
    actor_init(&r->actor, &rig_actor_ops, &r->sim, "rig");
    r->dma = (struct dma){dma_read, dma_write};
    r->env = (struct device_env){&r->actor, &r->dma, 7, origin, power};
    r->sink.set = line_set;
    r->ram = xcalloc(1, RIG_RAM_SIZE);
    r->heap = RIG_RAM_BASE;
}

void rig_finish(struct rig *r)
{
    rig_forget(r);
    actor_finish(&r->actor);
    sim_finish(&r->sim);
    free(r->ram);
    assert_int_equal(frame_alive(), 0);
}

void rig_wire(struct rig *r, struct device *dev, unsigned line)
{
    dev->irq = (struct irq){.sink = &r->sink, .n = line};
}

void rig_advance(struct rig *r, vtime_t to)
{
    struct evq *q = &r->actor.events;

    while (evq_next(q) <= to) {
        r->actor.now = MAX(r->actor.now, evq_next(q));
        evq_run(q, r->actor.now);
    }
    r->actor.now = to;
}

uint64_t rig_alloc(struct rig *r, uint32_t len)
{
    uint64_t at = r->heap;

    r->heap += (len + 4095) & ~4095u;
    assert_true(in_ram(at, len));
    return at;
}

uint8_t *rig_at(struct rig *r, uint64_t addr)
{
    assert_true(in_ram(addr, 1));
    return r->ram + (addr - RIG_RAM_BASE);
}

uint64_t rig_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct region *g = &dev->region;

    assert_true(size >= g->min_size && size <= g->max_size && offset % size == 0);
    assert_true(offset < g->size);
    return g->read ? g->read(dev, offset, size) : 0;
}

void rig_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct region *g = &dev->region;

    assert_true(size >= g->min_size && size <= g->max_size && offset % size == 0);
    assert_true(offset < g->size);
    if (g->write)
        g->write(dev, offset, value, size);
}

unsigned rig_sent(const struct rig *r)
{
    return r->actor.n_out;
}

struct frame *rig_frame(const struct rig *r, unsigned i)
{
    assert_true(i < r->actor.n_out);
    return r->actor.outbox[i].frame;
}

void rig_forget(struct rig *r)
{
    for (uint32_t i = 0; i < r->actor.n_out; i++)
        frame_unref(r->actor.outbox[i].frame);
    r->actor.n_out = 0;
}

void rig_receive(struct rig *r, struct port *p, struct frame *f)
{
    if (port_receive(p, f, r->actor.now))
        port_wake(p);
    rig_advance(r, r->actor.now);
}

void rig_check_reset(struct rig *r, struct device *dev)
{
    struct region *g = &dev->region;
    char *text = NULL;
    size_t len = 0;
    FILE *to;

    for (uint64_t at = 0; at < MIN(g->size, 0x200) && g->write; at += 4)
        rig_write(dev, at, 0x5a5a5a5a, MIN(4u, g->max_size));
    rig_forget(r);
    device_reset(dev);
    assert_false(dev->irq.level);
    to = open_memstream(&text, &len);
    if (dev->ops->state)
        state_dump(dev->ops->state, dev->object, dev->name, to);
    fclose(to);
    assert_string_equal(text, ""); /* it lists the fields that differ from their reset value */
    free(text);
}

uint64_t rig_seed(void)
{
    const char *s = getenv("SEED");
    uint64_t seed = s ? strtoull(s, NULL, 0) : 1;

    print_message("SEED=%llu\n", (unsigned long long)seed);
    return seed;
}
