/* Network interfaces: a virtio-net device each (Virtio 1.2, 5.1), as an lwIP netif. */
#ifndef PROGRAMS_NET_NIC_H
#define PROGRAMS_NET_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"
#include "net/virtio.h"

enum { NIC_MOST = 8, NIC_TX = 8 };

struct nic {
    struct netif netif;
    char name[8]; /* "eth0" */
    struct virtio device;
    struct vq rx, tx;
    unsigned rx_buffers, tx_buffers;
    uint8_t *rx_memory, *tx_memory;
    uint8_t tx_free[NIC_TX]; /* a stack: the last one used is used again first */
    unsigned tx_free_count;
    bool has_mac, has_status;
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint64_t rx_dropped; /* no memory, or a length out of bounds */
    uint64_t tx_dropped; /* no free buffer, or too long */
};

/* Find the devices, in the order of the device tree, and add them to lwIP. Addresses
   are not set. */
void nics_init(void);

unsigned nic_count(void);
struct nic *nic_get(unsigned i);

/* The nic of that name, or NULL. */
struct nic *nic_find(const char *name);

/* Take the address that the device has now. */
void nic_read_address(struct nic *nic);

/* The nic of an interface, or NULL for the loopback. */
struct nic *nic_of(const struct netif *netif);

#endif
