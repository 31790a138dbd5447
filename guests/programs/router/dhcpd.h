/* A DHCP server on every interface that has a pool (RFC 2131, RFC 2132). */
#ifndef PROGRAMS_ROUTER_DHCPD_H
#define PROGRAMS_ROUTER_DHCPD_H

/* Returns whether it could be started. */
int dhcpd_start(void);

/* Messages that were answered, and those that were not: malformed, for another server,
   from an unknown client, or because the pool is used up. */
void dhcpd_print(void);

#endif
