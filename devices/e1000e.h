/* Intel's 82574L gigabit controller: e1000e. */
#ifndef DEVICES_E1000E_H
#define DEVICES_E1000E_H

#include "devices/nic.h"

/** A row of nic_models. */
struct nic *e1000e_create(struct device_env *env, const char *name, const struct nic_config *c,
                          struct err *err);

#endif
