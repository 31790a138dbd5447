/* Digital's, later Intel's, 21143: the last of the "tulip" family. */
#ifndef DEVICES_TULIP_H
#define DEVICES_TULIP_H

#include "devices/nic.h"

/** A row of nic_models. */
struct nic *tulip_create(struct device_env *env, const char *name, const struct nic_config *c,
                         struct err *err);

#endif
