/* Realtek's RTL8139C+ and RTL8139C. */
#ifndef DEVICES_RTL8139_H
#define DEVICES_RTL8139_H

#include "devices/nic.h"

/** Rows of nic_models. */
struct nic *rtl8139_create(struct device_env *env, const char *name, const struct nic_config *c,
                           struct err *err);
struct nic *rtl8139c_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err);

#endif
