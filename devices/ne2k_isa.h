/* ne2k_isa: Novell's NE2000, on an ISA bus. */
#ifndef DEVICES_NE2K_ISA_H
#define DEVICES_NE2K_ISA_H

#include "devices/nic.h"

#define NE2K_ISA_PORTS 0x20
#define NE2K_ISA_IOBASE 0x300 /* where it is, and its line, if nothing else is said */
#define NE2K_ISA_IRQ 9

/** A row of nic_models. */
struct nic *ne2k_isa_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err);

#endif
