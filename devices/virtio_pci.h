/* The virtio PCI transport, modern and transitional (virtio 1.2, 4.1). */
#ifndef DEVICES_VIRTIO_PCI_H
#define DEVICES_VIRTIO_PCI_H

#include "devices/pci.h"
#include "devices/virtio.h"

struct virtio_pci {
    struct pci_function pci;
    struct virtio *virtio;
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    uint8_t access_capability; /* where VIRTIO_PCI_CAP_PCI_CFG lies in configuration space */
};

/* Rows for the state table of a struct `st` whose member `transport` is the struct virtio_pci. */
#define VIRTIO_PCI_FIELDS(st)                                                                      \
    FIELD(st, transport.pci.config, FIELD_U8, 0),                                                  \
        FIELD(st, transport.pci.interrupting, FIELD_BOOL, 0),                                      \
        FIELD(st, transport.pci.line, FIELD_BOOL, 0),                                              \
        FIELD(st, transport.device_feature_select, FIELD_U32, 0),                                  \
        FIELD(st, transport.driver_feature_select, FIELD_U32, 0),                                  \
        FIELD(st, transport.queue_select, FIELD_U16, 0)

/** What a device is for drivers of either kind of interface. */
enum virtio_pci_kind { VIRTIO_PCI_TRANSITIONAL, VIRTIO_PCI_MODERN };

/**
 * Join a virtio device (whose dev is initialised) to a function; `class_code` is the device's.
 * The board connects m->pci.
 */
void virtio_pci_init(struct virtio_pci *m, struct virtio *v, enum virtio_pci_kind kind,
                     uint32_t class_code);

#endif
