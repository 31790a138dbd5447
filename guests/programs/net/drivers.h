/* The drivers of network cards: a file each, and a row in drivers.c. */
#ifndef PROGRAMS_NET_DRIVERS_H
#define PROGRAMS_NET_DRIVERS_H

#include <stddef.h>

#include "lwip/pbuf.h"
#include "lwip/prot/ethernet.h"
#include "net/nic.h"
#include "net/pci.h"

/* Where a card was found: a node of the device tree, or a function of the PCI bus. */
struct nic_place {
    int node;             /* -1: none */
    uint32_t irq;         /* at the PLIC */
    struct pci_card card; /* id 0: it is none; else enabled, its BARs assigned, before start() */
};

struct nic_driver {
    const char *name;       /* "ne2k_pci": the model, for people */
    const char *compatible; /* of the device tree's nodes it is for; or NULL */
    const uint32_t *cards;  /* PCI_ID()s of the cards it is for, then 0; or NULL */
    size_t size;            /* of its own struct: zeroed, at nic->card */

    /* Whether there is such a card at a node that is compatible; NULL: always. */
    bool (*match)(const struct nic_place *at);

    /* Bring the card up, its address read into nic->netif.hwaddr: from here on it may
       interrupt. Returns false if it refuses. */
    bool (*start)(struct nic *nic, const struct nic_place *at);

    /* Read the address anew into nic->netif.hwaddr, and have the card receive at it: this
       machine has become a clone. */
    void (*read_address)(struct nic *nic);

    /* Send the `len` bytes of a pbuf behind its first ETH_PAD_SIZE; at most NIC_FRAME_MOST.
       Returns where a copy of them is, for a moment; NULL if the card had no room in time. */
    const uint8_t *(*send)(struct nic *nic, const struct pbuf *p, uint32_t len);

    /* The card's line is held, or another's that shares it: quieten it, and hand over
       what has come by nic_frame_received(). */
    void (*interrupt)(struct nic *nic);

    /* Receive what is sent to the groups that the interface is in now (groups.h), and as little
       else as the card can: called after start(), and when they change. NULL: the card takes in
       what it likes, and filter.c drops it. */
    void (*groups_set)(struct nic *nic);
};

/* Ends in NULL. */
extern const struct nic_driver *const nic_drivers[];

extern const struct nic_driver e1000_driver, pcnet_driver, rtl8139_driver, tulip_driver;
extern const struct nic_driver ne2k_isa_driver, ne2k_pci_driver;
extern const struct nic_driver virtio_net_driver, virtio_net_pci_driver;

#endif
