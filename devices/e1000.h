/* Intel's 8254x gigabit controllers: e1000. */
#ifndef DEVICES_E1000_H
#define DEVICES_E1000_H

#include "devices/nic.h"

/** Rows of nic_models. */
struct nic *e1000_82540em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err);
struct nic *e1000_82544gc_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err);
struct nic *e1000_82545em_create(struct device_env *env, const char *name,
                                 const struct nic_config *c, struct err *err);

#endif
