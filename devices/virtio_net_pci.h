/* virtio-net as a PCI card. */
#ifndef DEVICES_VIRTIO_NET_PCI_H
#define DEVICES_VIRTIO_NET_PCI_H

#include "devices/nic.h"

/** A row of nic_models. */
struct nic *virtio_net_pci_create(struct device_env *env, const char *name,
                                  const struct nic_config *c, struct err *err);

#endif
