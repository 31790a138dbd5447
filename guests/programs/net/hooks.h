/* What lwIP calls in the programs, beyond what its own headers declare. */
#ifndef PROGRAMS_NET_HOOKS_H
#define PROGRAMS_NET_HOOKS_H

#include "lwip/ip4_addr.h"
#include "lwip/ip_addr.h"

struct netif;

/* route.c: the interface for a destination, or NULL to let lwIP choose. */
struct netif *route_find(const ip4_addr_t *dest);

/* route.c: the next hop on that interface, or NULL for its default gateway. */
const ip4_addr_t *route_gateway(struct netif *netif, const ip4_addr_t *dest);

/* random.c: where a connection's sequence numbers start (RFC 6528). */
u32_t random_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote,
                 u16_t remote_port);

#endif
