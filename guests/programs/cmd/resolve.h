/* A host's address from its name, waiting for the answer. */
#ifndef PROGRAMS_CMD_RESOLVE_H
#define PROGRAMS_CMD_RESOLVE_H

#include <stdbool.h>

#include "lwip/ip_addr.h"

/* An address or a name. Says what is wrong when it returns false. */
bool name_resolve(const char *name, ip_addr_t *address);

#endif
