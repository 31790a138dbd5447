/*
 * The goldfish RTC of Android's emulator ("google,goldfish-rtc"): nanoseconds since 1970.
 *
 * Reading TIME_LOW latches TIME_HIGH; TIME_HIGH and ALARM_HIGH are written before the low half,
 * which is what takes effect. The clock is epoch_ns plus virtual time.
 */
#include "devices/goldfish_rtc.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

static uint64_t rtc_now(const struct goldfish_rtc *r)
{
    return (uint64_t)r->epoch_ns + (uint64_t)r->dev.env->actor->now + r->offset;
}

static void irq_update(struct goldfish_rtc *r)
{
    irq_set(&r->dev.irq, r->pending && r->irq_enabled);
}

static void alarm_stop(struct goldfish_rtc *r)
{
    evq_cancel(&r->dev.env->actor->events, &r->event);
    r->alarm_running = false;
}

static void alarm_ring(struct goldfish_rtc *r)
{
    alarm_stop(r);
    r->pending = true;
    irq_update(r);
}

static void alarm_fire(struct event *ev, vtime_t now)
{
    (void)now;
    alarm_ring(container_of(ev, struct goldfish_rtc, event));
}

/* An alarm in the past rings at once; one beyond the end of time never does. */
static void alarm_start(struct goldfish_rtc *r)
{
    struct actor *a = r->dev.env->actor;
    uint64_t now = rtc_now(r);

    if (r->alarm <= now) {
        alarm_ring(r);
        return;
    }
    r->alarm_running = true;
    if (r->alarm - now < (uint64_t)(VTIME_NEVER - a->now))
        evq_arm(&a->events, &r->event, a->now + (vtime_t)(r->alarm - now));
    else
        evq_cancel(&a->events, &r->event);
}

static uint64_t rtc_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct goldfish_rtc *r = dev->object;
    uint64_t now;

    (void)size;
    switch (offset) {
    case TIME_LOW:
        now = rtc_now(r);
        r->time_high = (uint32_t)(now >> 32);
        return now & 0xffffffff;
    case TIME_HIGH:
        return r->time_high;
    case ALARM_LOW:
        return r->alarm & 0xffffffff;
    case ALARM_HIGH:
        return r->alarm >> 32;
    case IRQ_ENABLED:
        return r->irq_enabled;
    case ALARM_STATUS:
        return r->alarm_running;
    default:
        return 0;
    }
}

static void time_set(struct goldfish_rtc *r, uint32_t low)
{
    r->offset += ((uint64_t)r->time_high << 32 | low) - rtc_now(r);
    if (r->alarm_running)
        alarm_start(r);
}

static void rtc_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct goldfish_rtc *r = dev->object;
    uint32_t v = (uint32_t)value;

    (void)size;
    switch (offset) {
    case TIME_LOW:
        time_set(r, v);
        break;
    case TIME_HIGH:
        r->time_high = v;
        break;
    case ALARM_LOW:
        r->alarm = (uint64_t)r->alarm_high << 32 | v;
        alarm_start(r);
        break;
    case ALARM_HIGH:
        r->alarm_high = v;
        break;
    case IRQ_ENABLED:
        r->irq_enabled = v & 1;
        irq_update(r);
        break;
    case CLEAR_ALARM:
        alarm_stop(r);
        break;
    case CLEAR_INTERRUPT:
        r->pending = false;
        irq_update(r);
        break;
    default:
        break;
    }
}

static void rtc_reset(struct device *dev)
{
    struct goldfish_rtc *r = dev->object;

    evq_cancel(&dev->env->actor->events, &r->event);
}

static void rtc_clone(struct device *dev, const struct device *from)
{
    struct goldfish_rtc *r = dev->object;
    const struct goldfish_rtc *other = from->object;

    r->offset = other->offset;
    evq_copy(&dev->env->actor->events, &r->event, &other->event);
}

/* The clock itself goes on through a reset, as one with a battery does. */
static const struct field rtc_fields[] = {
    FIELD(struct goldfish_rtc, time_high, FIELD_U32, 0),
    FIELD(struct goldfish_rtc, alarm_high, FIELD_U32, 0),
    FIELD(struct goldfish_rtc, alarm, FIELD_U64, 0),
    FIELD(struct goldfish_rtc, alarm_running, FIELD_BOOL, 0),
    FIELD(struct goldfish_rtc, pending, FIELD_BOOL, 0),
    FIELD(struct goldfish_rtc, irq_enabled, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops rtc_ops = {
    .name = "goldfish_rtc",
    .help = "real-time clock on virtual time",
    .state = rtc_fields,
    .reset = rtc_reset,
    .finish = rtc_reset,
    .clone = rtc_clone,
};

void goldfish_rtc_init(struct goldfish_rtc *r, struct device_env *env, const char *name,
                       int64_t epoch_ns)
{
    *r = (struct goldfish_rtc){.epoch_ns = epoch_ns};
    device_init(&r->dev, &rtc_ops, r, name, env);
    event_init(&env->actor->events, &r->event, alarm_fire);
    r->dev.region = (struct region){
        .name = "rtc",
        .size = 0x1000,
        .min_size = 4,
        .max_size = 4,
        .read = rtc_read,
        .write = rtc_write,
    };
}
