/* A host's address from its name, waiting for the answer. */
#include "cmd/resolve.h"

#include <stdio.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "lwip/dns.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/timers.h"

/* Outlives a command that was interrupted, because lwIP answers later. */
static struct {
    unsigned serial;
    bool done, found;
    ip_addr_t address;
} query;

static void name_found(const char *name, const ip_addr_t *address, void *serial)
{
    (void)name;
    timers_dns_pending(-1);
    if ((uintptr_t)serial != query.serial)
        return;
    query.done = true;
    query.found = address != NULL;
    if (address)
        query.address = *address;
}

static bool answer_wait(const char *name)
{
    while (!query.done && !console_interrupted())
        loop_once(CLOCK_NEVER);
    if (query.done && !query.found)
        printf("%s: not found\n", name);
    return query.done && query.found;
}

bool name_resolve(const char *name, ip_addr_t *address)
{
    err_t err;

    if (address_is(name, ip_2_ip4(address)))
        return true;
    if (ip_addr_isany(dns_getserver(0))) {
        printf("%s: there is no name server\n", name);
        return false;
    }
    query.serial++;
    query.done = query.found = false;
    err = dns_gethostbyname(name, address, name_found, (void *)(uintptr_t)query.serial);
    if (err == ERR_OK)
        return true;
    if (err != ERR_INPROGRESS) {
        printf("%s: not a name that can be looked up\n", name);
        return false;
    }
    timers_dns_pending(1);
    if (!answer_wait(name))
        return false;
    *address = query.address;
    return true;
}
