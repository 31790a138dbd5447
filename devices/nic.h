/* NIC models: what a topology's `nic` can be. */
#ifndef DEVICES_NIC_H
#define DEVICES_NIC_H

#include "devices/device.h"
#include "sim/err.h"
#include "sim/frame.h"
#include "sim/port.h"

struct isa_card;
struct pci_function;

#define NIC_MAX_PAIRS 8 /* of queues, of any model */

/** What a NIC is asked to be; each model checks what it can do. */
struct nic_config {
    uint8_t mac[ETH_ALEN];
    bool legacy;      /* virtio-mmio: present the legacy interface (version 1) */
    bool no_offload;  /* do not offer checksum and segmentation offload */
    bool no_mrg_rxbuf;
    uint16_t queue_size; /* descriptors per ring the device allows; 0: the model's default.
                            (Linux's virtio-net driver sends nothing with fewer than 32.) */
    uint8_t queues;      /* pairs of them, up to the model's max_pairs; 0: one */
    uint8_t vectors;  /* PCI virtio: of its MSI-X table, up to PCI_MSIX_MAX; 0: it has none */
    uint8_t slot;     /* PCI: on the root bus, 1..31; 0: the next that is free */
    uint16_t iobase;  /* ISA: the first of its ports; 0: the model's default */
    uint8_t irq;      /* ISA: its line; 0: the model's default */
    uint16_t mtu;     /* told to the driver where the model can; 0: not told */
};

/** A NIC as the board sees it: a device to attach and a port to put on a VLAN. */
struct nic {
    struct device dev;
    struct port port;
    struct pci_function *pci; /* where it is a PCI card, for the board to connect; or NULL */
    struct isa_card *isa;     /* where it is an ISA card; or NULL */
    struct nic_config config;
};

struct nic_model {
    const char *name; /* "virtio-net" */
    const char *bus;  /* "virtio-mmio", "pci", "isa" */
    const char *help;
    /** Make one: its device (region not placed yet) and its port, named `name` ("h1.eth0"). */
    struct nic *(*create)(struct device_env *env, const char *name, const struct nic_config *c,
                          struct err *err);
    uint8_t max_pairs; /* of queues that it can be asked for */
};

/** Ends in a row whose name is NULL. */
extern const struct nic_model nic_models[];

/** Take it off its VLAN, finish its device and free it; at a barrier. NULL is accepted. */
void nic_destroy(struct nic *nic);

/** By name; NULL if there is none. */
const struct nic_model *nic_model_find(const char *name);

#endif
