/* The one loop of a program: devices, timers, sleep. */
#include "net/loop.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/plic.h"
#include "lwip/netif.h"
#include "net/timers.h"

/* Frames that an interface sent to itself wait in lwIP. */
static bool loopback_poll(void)
{
    struct netif *netif;
    bool any = false;

    NETIF_FOREACH(netif)
    {
        any |= netif->loop_first != NULL;
        netif_poll(netif);
    }
    return any;
}

void loop_once(uint64_t deadline_ns)
{
    uint64_t next;

    stack_check();
    timers_run();
    if (plic_poll() | loopback_poll())
        return;
    next = timers_next_ns();
    if (next > deadline_ns)
        next = deadline_ns;
    /* An interrupt that comes from here on ends the sleep at once. */
    if (next > clock_ns())
        clock_sleep(next);
}
