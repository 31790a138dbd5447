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

/* With several pairs of queues. */
struct virtio_net_pci_mq {
    struct virtio_net_pci card;
    struct virtio_net_mq mq;
};

static const struct field net_pci_fields[] = {VIRTIO_NET_FIELDS,
                                              VIRTIO_PCI_FIELDS(struct virtio_net_pci), FIELD_END};
static const struct field net_pci_mq_fields[] = {
    VIRTIO_NET_FIELDS, VIRTIO_PCI_FIELDS(struct virtio_net_pci),
    VIRTIO_NET_MQ_FIELDS(struct virtio_net_pci_mq, mq), FIELD_END};

#define NET_PCI_OPS(fields)                                                                        \
    {                                                                                              \
        .name = "virtio-net-pci", .help = "virtio network card", .state = fields,                  \
        .reset = net_pci_reset, .finish = virtio_net_finish, .clone = virtio_net_clone,            \
        .cloned = virtio_net_cloned                                                                \
    }
static const struct device_ops net_pci_ops = NET_PCI_OPS(net_pci_fields);
static const struct device_ops net_pci_mq_ops = NET_PCI_OPS(net_pci_mq_fields);

struct nic *virtio_net_pci_create(struct device_env *env, const char *name,
                                  const struct nic_config *c, struct err *err)
{
    struct virtio_net_pci_mq *m = NULL;
    struct virtio_net_pci *n;

    if (!virtio_net_check(name, c, err))
        return NULL;
    if (c->queues > 1)
        m = xcalloc(1, sizeof(*m));
    n = m ? &m->card : xcalloc(1, sizeof(*n));
    virtio_net_init(&n->net, m ? &net_pci_mq_ops : &net_pci_ops, env, name, c, m ? &m->mq : NULL);
    virtio_pci_init(&n->transport, &n->net.virtio,
                    c->legacy ? VIRTIO_PCI_TRANSITIONAL : VIRTIO_PCI_MODERN, CLASS_ETHERNET, c->vectors);
    n->net.nic.pci = &n->transport.pci;
    net_pci_reset(&n->net.nic.dev);
    return &n->net.nic;
}
