/* AMD's PCnet-PCI II, Am79C970A. */
#ifndef DEVICES_PCNET_H
#define DEVICES_PCNET_H

#include "devices/nic.h"

/** A row of nic_models. */
struct nic *pcnet_create(struct device_env *env, const char *name, const struct nic_config *c,
                         struct err *err);

#endif
