/* virtio-net as a PCI card: the same device, joined to the other transport. */
#include "devices/virtio_net_pci.h"

#include "devices/virtio_net.h"
#include "devices/virtio_pci.h"

#define CLASS_ETHERNET 0x020000

/* `net` is first, so that it is the device's object in either transport. */
struct virtio_net_pci {
    struct virtio_net net;
    struct virtio_pci transport;
};

static void net_pci_reset(struct device *dev)
{
    virtio_net_reset(dev);
    virtio_pci_reset(&((struct virtio_net_pci *)dev->object)->transport);
}

static const struct field net_pci_fields[] = {VIRTIO_NET_FIELDS,
                                              VIRTIO_PCI_FIELDS(struct virtio_net_pci), FIELD_END};

static const struct device_ops net_pci_ops = {
    .name = "virtio-net-pci",
    .help = "virtio network card",
    .state = net_pci_fields,
    .reset = net_pci_reset,
    .finish = virtio_net_finish,
    .clone = virtio_net_clone,
    .cloned = virtio_net_cloned,
};

struct nic *virtio_net_pci_create(struct device_env *env, const char *name,
                                  const struct nic_config *c, struct err *err)
{
    struct virtio_net_pci *n;

    if (!virtio_net_check(name, c, err))
        return NULL;
    n = xcalloc(1, sizeof(*n));
    virtio_net_init(&n->net, &net_pci_ops, env, name, c);
    virtio_pci_init(&n->transport, &n->net.virtio,
                    c->legacy ? VIRTIO_PCI_TRANSITIONAL : VIRTIO_PCI_MODERN, CLASS_ETHERNET, c->vectors);
    n->net.nic.pci = &n->transport.pci;
    net_pci_reset(&n->net.nic.dev);
    return &n->net.nic;
}
