/* The virtio PCI transport, modern and transitional (virtio 1.2, 4.1). */
#ifndef DEVICES_VIRTIO_PCI_H
#define DEVICES_VIRTIO_PCI_H

#include "devices/pci_msix.h"
#include "devices/virtio.h"

struct virtio_pci {
    struct pci_function pci;
    struct virtio *virtio;
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    struct pci_msix msix; /* no vectors: it has no such capability */
    uint16_t config_vector, queue_vectors[VIRTIO_MAX_QUEUES];
    uint8_t access_capability; /* where VIRTIO_PCI_CAP_PCI_CFG lies in configuration space */
};

#define VIRTIO_NO_VECTOR 0xffff

/* Rows for the state table of a struct `st` whose member `transport` is the struct virtio_pci. */
#define VIRTIO_PCI_FIELDS(st)                                                                      \
    FIELD(st, transport.pci.config, FIELD_U8, 0),                                                  \
        FIELD(st, transport.pci.interrupting, FIELD_BOOL, 0),                                      \
        FIELD(st, transport.pci.line, FIELD_BOOL, 0),                                              \
        FIELD(st, transport.device_feature_select, FIELD_U32, 0),                                  \
        FIELD(st, transport.driver_feature_select, FIELD_U32, 0),                                  \
        FIELD(st, transport.queue_select, FIELD_U16, 0), PCI_MSIX_FIELDS(st, transport.msix),      \
        FIELD(st, transport.config_vector, FIELD_U16, VIRTIO_NO_VECTOR),                           \
        FIELD(st, transport.queue_vectors, FIELD_U16, VIRTIO_NO_VECTOR)

/** What a device is for drivers of either kind of interface. */
enum virtio_pci_kind { VIRTIO_PCI_TRANSITIONAL, VIRTIO_PCI_MODERN };

/**
 * Join a virtio device (whose dev is initialised) to a function; `class_code` is the device's,
 * `vectors` what its MSI-X table has (0: it has none). The board connects m->pci.
 */
void virtio_pci_init(struct virtio_pci *m, struct virtio *v, enum virtio_pci_kind kind,
                     uint32_t class_code, unsigned vectors);

/** The transport's part of the device's reset. */
void virtio_pci_reset(struct virtio_pci *m);

#endif
