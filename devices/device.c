/* What every device shares: its name, its reset, and a word when the guest misuses it. */
#include "devices/device.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

_Atomic uint64_t device_warnings;
bool device_trace;

void device_init(struct device *dev, const struct device_ops *ops, void *object, const char *name,
                 struct device_env *env)
{
    *dev = (struct device){.ops = ops, .name = xstrdup(name), .object = object, .env = env};
    if (ops->state)
        state_reset(ops->state, object);
}

void device_reset(struct device *dev)
{
    if (dev->ops->state)
        state_reset(dev->ops->state, dev->object);
    irq_set(&dev->irq, false);
    if (dev->ops->reset)
        dev->ops->reset(dev);
}

/* The line's level is in the controller's state already, which is copied likewise. */
void device_clone(struct device *dev, const struct device *from)
{
    assert(dev->ops == from->ops);
    if (dev->ops->state)
        state_copy(dev->ops->state, dev->object, from->object);
    dev->irq.level = from->irq.level;
    if (dev->ops->clone)
        dev->ops->clone(dev, from);
}

void device_finish(struct device *dev)
{
    if (!dev->ops)
        return;
    if (dev->ops->finish)
        dev->ops->finish(dev);
    free(dev->name);
    dev->name = NULL;
    dev->ops = NULL;
}

void device_warn(struct device *dev, const char *fmt, ...)
{
    va_list ap;
    char text[200];

    atomic_fetch_add_explicit(&device_warnings, 1, memory_order_relaxed);
    if (!device_trace)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s %s: %s\n", dev->name, dev->ops->name, text);
}
