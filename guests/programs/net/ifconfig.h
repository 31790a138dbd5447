/* How interfaces come by their addresses: DHCP or fixed, from /chosen/bootargs or by
   command. */
#ifndef PROGRAMS_NET_IFCONFIG_H
#define PROGRAMS_NET_IFCONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/ip4_addr.h"
#include "net/nic.h"

/* Give an interface a fixed address; gateway and dns may be NULL or 0.0.0.0. */
void nic_set_address(struct nic *nic, const ip4_addr_t *address, const ip4_addr_t *mask,
                     const ip4_addr_t *gateway);

/* Begin, or begin again, to ask for an address by DHCP. */
void nic_start_dhcp(struct nic *nic);

/* Forget a lease, which is another machine's, and ask for one; nothing if it does not use DHCP. */
void nic_restart_dhcp(struct nic *nic);

/* Whether every interface that asks for an address has one. */
bool nics_bound(void);

/* Wait until they all are, `deadline_ns` has come, or a key is pressed. */
void nics_wait_bound(uint64_t deadline_ns);

/* This machine's name; "" when none was given. */
const char *host_name(void);
void host_rename(const char *text);

/**
 * Act on one word of /chosen/bootargs that concerns any program:
 *
 *     hostname=NAME              the name in the prompt and in DHCP requests
 *     route=NETWORK/LEN,GATEWAY  a static route
 *     dns=ADDRESS                a name server
 *
 * Returns false when it is none of these.
 */
bool bootarg_common(const char *word);

/* Call `take` with each word of /chosen/bootargs. */
void bootargs_each(void (*take)(const char *word));

#endif
