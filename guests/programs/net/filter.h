/* Which received frames concern this machine: most of a large LAN's broadcasts do not. */
#ifndef PROGRAMS_NET_FILTER_H
#define PROGRAMS_NET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"

/* Whether lwIP would do anything with a frame. What it would look at and drop is told apart
   here, in the ring, without a copy. `frame` is aligned so that an IP header is. */
bool filter_wants(const struct netif *netif, const uint8_t *frame, uint32_t len);

/* A frame is sent: an ARP request names a neighbour that lwIP now knows. */
void filter_frame_sent(const uint8_t *frame, uint32_t len);

#endif
