/* The test finisher: a register by which a guest ends its run. */
#ifndef DEVICES_FINISHER_H
#define DEVICES_FINISHER_H

#include "devices/device.h"

struct finisher {
    struct device dev;
};

/** Region 0x1000. Speaks to env->power; the code of POWER_FAIL is the guest's 16 bits. */
void finisher_init(struct finisher *f, struct device_env *env, const char *name);

#endif
