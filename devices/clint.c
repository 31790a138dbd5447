/*
 * The CLINT, as SiFive's FU540 manual (chapter 9) lays it out; the ACLINT 1.0 specification's
 * MSWI at 0 and MTIMER at 0x4000 are the same registers.
 *
 * mtime follows virtual time. An event per hart raises its timer line at the exact time.
 */
#include "devices/clint.h"

#include <assert.h>

#define MSIP 0x0000
#define MTIMECMP 0x4000
#define MTIME 0xbff8

uint64_t clint_mtime(const struct clint *c)
{
    return (uint64_t)(c->dev.env->actor->now / CLINT_NS_PER_TICK) + c->offset;
}

vtime_t clint_when(const struct clint *c, uint64_t ticks)
{
    uint64_t now = clint_mtime(c);
    uint64_t elapsed = (uint64_t)(c->dev.env->actor->now / CLINT_NS_PER_TICK);

    if (ticks <= now)
        return c->dev.env->actor->now;
    if (ticks - now > (uint64_t)INT64_MAX / CLINT_NS_PER_TICK - elapsed)
        return VTIME_NEVER;
    return (vtime_t)(elapsed + (ticks - now)) * CLINT_NS_PER_TICK;
}

static void timer_update(struct clint *c, unsigned hart)
{
    struct evq *q = &c->dev.env->actor->events;
    bool level = clint_mtime(c) >= c->mtimecmp[hart];
    vtime_t when = clint_when(c, c->mtimecmp[hart]);

    if (level || when == VTIME_NEVER)
        evq_cancel(q, &c->timers[hart].event);
    else
        evq_arm(q, &c->timers[hart].event, when);
    if (level == c->mtip[hart])
        return;
    c->mtip[hart] = level;
    c->ops->set(c->opaque, hart, CLINT_MTI, level);
}

static void timer_fire(struct event *ev, vtime_t now)
{
    struct clint_timer *t = container_of(ev, struct clint_timer, event);

    (void)now;
    timer_update(t->clint, t->hart);
}

void clint_set_mtimecmp(struct clint *c, unsigned hart, uint64_t ticks)
{
    c->mtimecmp[hart] = ticks;
    timer_update(c, hart);
}

void clint_set_msip(struct clint *c, unsigned hart, bool level)
{
    if (c->msip[hart] == level)
        return;
    c->msip[hart] = level;
    c->ops->set(c->opaque, hart, CLINT_MSI, level);
}

static void mtime_set(struct clint *c, uint64_t ticks)
{
    c->offset += ticks - clint_mtime(c);
    for (unsigned i = 0; i < c->n_harts; i++)
        timer_update(c, i);
    if (c->ops->mtime_written)
        c->ops->mtime_written(c->opaque);
}

/* Put `size` bytes of a write at `offset` into a 64-bit register. */
static uint64_t merge(uint64_t reg, uint64_t offset, uint64_t value, unsigned size)
{
    unsigned shift = (offset & 4) * 8;

    if (size == 8)
        return value;
    return (reg & ~(0xffffffffULL << shift)) | (value & 0xffffffff) << shift;
}

/* The 64-bit register that holds `offset`, or 0: nothing is there. */
static uint64_t reg64_read(const struct clint *c, uint64_t offset)
{
    uint64_t n = offset / 8;

    if (offset < MTIMECMP) {
        uint64_t low = 2 * n < c->n_harts ? c->msip[2 * n] : 0;
        uint64_t high = 2 * n + 1 < c->n_harts ? c->msip[2 * n + 1] : 0;

        return low | high << 32;
    }
    if (offset >= MTIME)
        return offset < MTIME + 8 ? clint_mtime(c) : 0;
    n -= MTIMECMP / 8;
    return n < c->n_harts ? c->mtimecmp[n] : 0;
}

static uint64_t clint_read(struct device *dev, uint64_t offset, unsigned size)
{
    uint64_t v = reg64_read(dev->object, offset);

    return size == 8 ? v : (v >> (offset & 4) * 8) & 0xffffffff;
}

static void clint_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct clint *c = dev->object;
    uint64_t n = (offset - MTIMECMP) / 8;

    if (offset < MTIMECMP) {
        for (unsigned i = 0; i < size / 4; i++)
            if (offset / 4 + i < c->n_harts)
                clint_set_msip(c, (unsigned)(offset / 4 + i), value >> 32 * i & 1);
    } else if (offset >= MTIME) {
        if (offset < MTIME + 8)
            mtime_set(c, merge(clint_mtime(c), offset, value, size));
    } else if (n < c->n_harts) {
        clint_set_mtimecmp(c, (unsigned)n, merge(c->mtimecmp[n], offset, value, size));
    }
}

static void clint_reset(struct device *dev)
{
    struct clint *c = dev->object;

    for (unsigned i = 0; i < c->n_harts; i++) {
        evq_cancel(&dev->env->actor->events, &c->timers[i].event);
        c->ops->set(c->opaque, i, CLINT_MSI, false);
        c->ops->set(c->opaque, i, CLINT_MTI, false);
    }
}

static void clint_clone(struct device *dev, const struct device *from)
{
    struct clint *c = dev->object;
    const struct clint *other = from->object;

    for (unsigned i = 0; i < c->n_harts; i++)
        evq_copy(&dev->env->actor->events, &c->timers[i].event, &other->timers[i].event);
}

static void clint_finish(struct device *dev)
{
    struct clint *c = dev->object;

    for (unsigned i = 0; i < c->n_harts; i++)
        evq_cancel(&dev->env->actor->events, &c->timers[i].event);
}

/* The manuals leave mtimecmp's reset value open; the largest raises no interrupt. */
static const struct field clint_fields[] = {
    FIELD(struct clint, msip, FIELD_U32, 0),
    FIELD(struct clint, mtimecmp, FIELD_U64, UINT64_MAX),
    FIELD(struct clint, offset, FIELD_U64, 0),
    FIELD(struct clint, mtip, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops clint_device_ops = {
    .name = "clint",
    .help = "core-local interruptor: software and timer interrupts",
    .state = clint_fields,
    .reset = clint_reset,
    .finish = clint_finish,
    .clone = clint_clone,
};

void clint_init(struct clint *c, struct device_env *env, const char *name, unsigned n_harts,
                const struct clint_ops *ops, void *opaque)
{
    assert(n_harts <= CLINT_MAX_HARTS);
    *c = (struct clint){.ops = ops, .opaque = opaque, .n_harts = n_harts};
    device_init(&c->dev, &clint_device_ops, c, name, env);
    for (unsigned i = 0; i < n_harts; i++) {
        c->timers[i].clint = c;
        c->timers[i].hart = i;
        event_init(&env->actor->events, &c->timers[i].event, timer_fire);
    }
    c->dev.region = (struct region){
        .name = "clint",
        .size = CLINT_SIZE,
        .min_size = 4,
        .max_size = 8,
        .read = clint_read,
        .write = clint_write,
    };
}
