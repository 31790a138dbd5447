/* The drivers there are. */
#include "net/drivers.h"

const struct nic_driver *const nic_drivers[] = {
    &virtio_net_driver, &virtio_net_pci_driver, &e1000_driver,
    &ne2k_isa_driver,   &ne2k_pci_driver,       &pcnet_driver,
    &rtl8139_driver,    &tulip_driver,          NULL,
};
