/* The goldfish RTC: what time it is, and an alarm. */
#ifndef DEVICES_GOLDFISH_RTC_H
#define DEVICES_GOLDFISH_RTC_H

#include "devices/device.h"

struct goldfish_rtc {
    struct device dev;
    int64_t epoch_ns;  /* the clock at virtual time 0, ns since 1970 */
    uint64_t offset;   /* what setting the clock added */
    uint32_t time_high, alarm_high; /* latches */
    uint64_t alarm;
    bool alarm_running, pending, irq_enabled;
    struct event event;
};

/** Region 0x24 rounded up to 0x1000. */
void goldfish_rtc_init(struct goldfish_rtc *r, struct device_env *env, const char *name,
                       int64_t epoch_ns);

#endif
