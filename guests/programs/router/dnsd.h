/* A name server for the names of the router's DHCP clients. */
#ifndef PROGRAMS_ROUTER_DNSD_H
#define PROGRAMS_ROUTER_DNSD_H

/* Returns whether it could be started. */
int dnsd_start(void);

#endif
