/* Network interfaces: cards that a driver of the table is for, as lwIP netifs. */
#ifndef PROGRAMS_NET_NIC_H
#define PROGRAMS_NET_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/dhcp.h"
#include "lwip/netif.h"

enum { NIC_MOST = 64 };
enum { NIC_FRAME_MOST = 1518 }; /* with a tag, without CRC */

struct nic_driver;

struct nic {
    struct netif netif;
    struct dhcp dhcp; /* of ifconfig.c */
    char name[8];     /* "eth0" */
    const char *model;
    const struct nic_driver *driver;
    void *card; /* the driver's */
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint64_t rx_dropped; /* no memory, or a length out of bounds */
    uint64_t tx_dropped; /* no free buffer, or too long */
};

/* Find the cards and add them to lwIP. Addresses are not set. */
void nics_init(void);

unsigned nic_count(void);
struct nic *nic_get(unsigned i);

/* The nic of that name, or NULL. */
struct nic *nic_find(const char *name);

/* Take the address that the card has now. */
void nic_read_address(struct nic *nic);

/* What kind of card it is, for people. */
const char *nic_model(const struct nic *nic);

/* The nic of an interface, or NULL for the loopback. */
struct nic *nic_of(const struct netif *netif);

/* --- for drivers --- */

/* A frame has come: hand it to lwIP if it is for this machine. `frame` is free afterwards. */
void nic_frame_received(struct nic *nic, const uint8_t *frame, uint32_t len);

/* Whether the cable is plugged in, where the card can tell; up unless said otherwise. */
void nic_link_set(struct nic *nic, bool up);

#endif
