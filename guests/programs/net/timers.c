/*
 * lwIP's timers, run only while one of them has something to do.
 *
 * lwIP counts in ticks of each timer's interval. Two kinds of rows share one table:
 * an eager timer (TCP, DHCP's fine one, reassembly, IGMP) has no state while it is not
 * needed, and starts to count when it is; a lazy one (ARP, DNS, DHCP's coarse one) has
 * entries that grow old: its ticks are made up for at the next wake-up, and only the
 * tick at which something happens sets the alarm.
 */
#include "net/timers.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/dhcp.h"
#include "lwip/sys.h"

/* ARP_MAXPENDING and IP_REASS_MAXAGE ticks, and one: by then lwIP has given up. */
enum { ARP_TICKS = 6, REASS_TICKS = 17 };

static unsigned arp_ticks, reass_ticks;
static int dns_pending;

static unsigned tcp_due(void)
{
    return tcp_active_pcbs || tcp_tw_pcbs ? 1 : 0;
}

static unsigned arp_due(void)
{
    return arp_ticks > 0 ? 1 : 0;
}

static void arp_tick(void)
{
    if (arp_ticks > 0)
        arp_ticks--;
    etharp_tmr();
}

static unsigned reass_due(void)
{
    return reass_ticks > 0 ? 1 : 0;
}

static void reass_tick(void)
{
    reass_ticks--;
    ip_reass_tmr();
}

static unsigned dns_due(void)
{
    return dns_pending > 0 ? 1 : 0;
}

static unsigned dhcp_fine_due(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        const struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp && dhcp->request_timeout > 0)
            return 1;
    }
    return 0;
}

static void sooner(unsigned *due, unsigned ticks)
{
    if (ticks > 0 && (*due == 0 || ticks < *due))
        *due = ticks;
}

/* The ticks until an address is to be renewed, rebound or given up (dhcp_coarse_tmr()
   counts these down). */
static unsigned dhcp_coarse_due(void)
{
    struct netif *netif;
    unsigned due = 0;

    NETIF_FOREACH(netif)
    {
        const struct dhcp *dhcp = netif_dhcp_data(netif);

        if (!dhcp || dhcp->state == DHCP_STATE_OFF)
            continue;
        sooner(&due, dhcp->t1_renew_time);
        sooner(&due, dhcp->t2_rebind_time);
        if (dhcp->t0_timeout > dhcp->lease_used)
            sooner(&due, dhcp->t0_timeout - dhcp->lease_used);
    }
    return due;
}

/* The ticks until membership of a group is to be reported (igmp_tmr() counts these down). */
static unsigned igmp_due(void)
{
    struct netif *netif;
    unsigned due = 0;

    NETIF_FOREACH(netif)
    {
        for (const struct igmp_group *g = netif_igmp_data(netif); g; g = g->next)
            sooner(&due, g->timer);
    }
    return due;
}

static struct timer {
    void (*tick)(void);
    unsigned (*due)(void); /* ticks until one matters, 0: none does */
    uint32_t interval_ms;
    uint32_t make_up_most; /* ticks after a sleep; 0: eager */
    uint64_t last_ns;
} timers[] = {
    {tcp_tmr, tcp_due, TCP_TMR_INTERVAL, 0, 0},
    {arp_tick, arp_due, ARP_TMR_INTERVAL, 301, 0}, /* ARP_MAXAGE */
    {reass_tick, reass_due, IP_TMR_INTERVAL, 0, 0},
    {igmp_tmr, igmp_due, IGMP_TMR_INTERVAL, 0, 0},
    {dhcp_fine_tmr, dhcp_fine_due, DHCP_FINE_TIMER_MSECS, 0, 0},
    {dhcp_coarse_tmr, dhcp_coarse_due, DHCP_COARSE_TIMER_MSECS, UINT32_MAX, 0},
    {dns_tmr, dns_due, DNS_TMR_INTERVAL, DNS_MAX_TTL, 0},
};

enum { TIMERS = sizeof timers / sizeof timers[0] };

static void timer_run(struct timer *t, uint64_t now)
{
    uint64_t interval = t->interval_ms * NS_PER_MS;
    uint64_t ticks = (now - t->last_ns) / interval;

    if (t->make_up_most == 0 && t->due() == 0) {
        t->last_ns = now;
        return;
    }
    t->last_ns += ticks * interval;
    if (t->make_up_most > 0 && ticks > t->make_up_most)
        ticks = t->make_up_most;
    while (ticks-- > 0 && (t->make_up_most > 0 || t->due() > 0))
        t->tick();
}

void timers_run(void)
{
    uint64_t now = clock_ns();

    for (unsigned i = 0; i < TIMERS; i++)
        timer_run(&timers[i], now);
}

uint64_t timers_next_ns(void)
{
    uint64_t next = CLOCK_NEVER;

    for (unsigned i = 0; i < TIMERS; i++) {
        unsigned due = timers[i].due();
        uint64_t at = timers[i].last_ns + due * (timers[i].interval_ms * NS_PER_MS);

        if (due > 0 && at < next)
            next = at;
    }
    return next;
}

/* An ARP request may have left an entry that waits for its answer. */
void timers_frame_sent(const uint8_t *frame, uint32_t len)
{
    if (len >= 22 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1)
        arp_ticks = ARP_TICKS;
}

/* A fragment (RFC 791: more fragments, or an offset) may wait for the others. */
void timers_frame_received(const uint8_t *frame, uint32_t len)
{
    if (len >= 34 && frame[12] == 0x08 && frame[13] == 0x00 &&
        ((frame[20] & 0x3f) != 0 || frame[21] != 0))
        reass_ticks = REASS_TICKS;
}

void timers_dns_pending(int change)
{
    dns_pending += change;
}

/* lwIP asks for these. tcp_due() sees what tcp_timer_needed() would say. */
u32_t sys_now(void)
{
    return (u32_t)(clock_ns() / NS_PER_MS);
}

void tcp_timer_needed(void)
{
}
