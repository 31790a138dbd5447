/* The router's interfaces: address, and the pool its DHCP server gives out there. */
#ifndef PROGRAMS_ROUTER_LAN_H
#define PROGRAMS_ROUTER_LAN_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nic.h"
#include "router/lease.h"

struct lan {
    struct nic *nic;
    bool set;                       /* by bootargs or command */
    uint32_t pool_first, pool_last; /* host order; both 0: no DHCP server */
    uint32_t lease_s;
    ip4_addr_t dns; /* 0.0.0.0: the router itself */
    struct leases leases;
};

/* All interfaces, set to their defaults: ethN is 10.N.0.1/16 with the pool 10.N.1.0 to
   10.N.254.255. */
void lans_init(void);

/**
 * Set an interface: "eth0=WHAT" of bootargs or "lan eth0 WHAT" of the command line.
 *
 *     ADDRESS/LEN[,gw=ADDRESS][,pool=FIRST-LAST][,dns=ADDRESS][,lease=SECONDS]
 *     dhcp     ask another server for an address
 *     none     no address
 *
 * An interface that is set has a DHCP server only with a pool. Returns NULL, or what is
 * wrong.
 */
const char *lan_set(const char *name, const char *what);

/* Give the interfaces that were not set their defaults, and print them all. */
void lans_finish(void);

void lan_print(const struct lan *lan);
unsigned lan_count(void);
struct lan *lan_get(unsigned i);
/* NULL when the interface is not one of them. */
struct lan *lan_of(const struct netif *netif);

#endif
