/*
 * The multicast groups that an interface is in, as the filters of cards want to know them. lwIP has
 * the list, and counts in it; a card's filter is made anew from all of it, so that it does not
 * matter which groups share a bit.
 */
#ifndef PROGRAMS_NET_GROUPS_H
#define PROGRAMS_NET_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/igmp.h"
#include "lwip/prot/ethernet.h"
#include "net/nic.h"

/* The Ethernet address (RFC 1112, 6.4) of the group behind `*at`, or of the first if that is NULL.
   Returns false when there is no more. Groups may have the same address. */
bool groups_next(const struct nic *nic, const struct igmp_group **at, uint8_t mac[ETH_HWADDR_LEN]);

/* 64 bits, of which each group has one set. Six bits of its address's CRC, not complemented, say
   which: those that are sent first (IEEE 802.3, 3.2.9), the first being the highest; or those sent
   last, the last being the highest. */
uint64_t groups_hash_first(const struct nic *nic);
uint64_t groups_hash_last(const struct nic *nic);

/* The CRC of an address, not complemented; the bit sent first is the highest. For other hashes. */
uint32_t groups_crc(const uint8_t mac[ETH_HWADDR_LEN]);

#endif
