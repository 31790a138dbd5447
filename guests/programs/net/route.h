/* Static routes, for destinations behind a gateway that is not the default one. */
#ifndef PROGRAMS_NET_ROUTE_H
#define PROGRAMS_NET_ROUTE_H

#include <stdbool.h>

#include "lwip/ip4_addr.h"

enum { ROUTE_MOST = 16 };

struct route {
    ip4_addr_t network, mask, gateway;
};

/* Add a route, or change the one to the same network. Returns false when full. */
bool route_add(const ip4_addr_t *network, const ip4_addr_t *mask, const ip4_addr_t *gateway);

unsigned route_count(void);
const struct route *route_get(unsigned i);

/* Print connected networks, static routes and the default one, as `ip route` does. */
void routes_print(void);

#endif
