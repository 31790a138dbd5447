/* The NIC models there are, and what every one of them needs at its end. */
#include "devices/nic.h"

#include "devices/e1000.h"
#include "devices/e1000e.h"
#include "devices/ne2k_isa.h"
#include "devices/ne2k_pci.h"
#include "devices/pcnet.h"
#include "devices/rtl8139.h"
#include "devices/tulip.h"
#include "devices/virtio_net.h"
#include "devices/virtio_net_pci.h"

const struct nic_model nic_models[] = {
    {"virtio-net", "virtio-mmio", "paravirtual, with checksum and segmentation offload",
     virtio_net_create, NIC_MAX_PAIRS},
    {"virtio-net-pci", "pci", "the same as a PCI card, for drivers of either virtio interface",
     virtio_net_pci_create, NIC_MAX_PAIRS},
    {"e1000", "pci", "Intel 82540EM: gigabit, checksum and segmentation offload, VLAN tags",
     e1000_82540em_create, 1},
    {"e1000-82544gc", "pci", "Intel 82544GC: the same with other ids", e1000_82544gc_create, 1},
    {"e1000-82545em", "pci", "Intel 82545EM: the same with other ids", e1000_82545em_create, 1},
    {"e1000e", "pci", "Intel 82574L: two queues each way, receive-side scaling; else as the e1000",
     e1000e_create, 1},
    {"ne2k_pci", "pci", "Realtek RTL8029AS: the NE2000 of every old system, on PCI",
     ne2k_pci_create, 1},
    {"ne2k_isa", "isa", "Novell's NE2000, at I/O ports and on an interrupt line of its own",
     ne2k_isa_create, 1},
    {"pcnet", "pci", "AMD Am79C970A (PCnet-PCI II): 16- and 32-bit rings", pcnet_create, 1},
    {"rtl8139", "pci", "Realtek RTL8139C+: rings, checksum and segmentation offload, VLAN tags",
     rtl8139_create, 1},
    {"rtl8139c", "pci", "Realtek RTL8139C: one receive buffer, four transmit descriptors",
     rtl8139c_create, 1},
    {"tulip", "pci", "Digital 21143: rings or chains, a filter of 16 addresses or a hash, MII",
     tulip_create, 1},
    {NULL, NULL, NULL, NULL, 0},
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
