/* The NIC models there are, and what every one of them needs at its end. */
#include "devices/nic.h"

#include "devices/virtio_net.h"
#include "devices/virtio_net_pci.h"

const struct nic_model nic_models[] = {
    {"virtio-net", "virtio-mmio", "paravirtual, with checksum and segmentation offload",
     virtio_net_create},
    {"virtio-net-pci", "pci", "the same as a PCI card, for drivers of either virtio interface",
     virtio_net_pci_create},
    {NULL, NULL, NULL, NULL},
};

const struct nic_model *nic_model_find(const char *name)
{
    for (const struct nic_model *m = nic_models; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

void nic_destroy(struct nic *nic)
{
    if (!nic)
        return;
    port_finish(&nic->port);
    device_finish(&nic->dev);
    free(nic->dev.object);
}
