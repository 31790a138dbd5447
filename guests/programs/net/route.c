/* Static routes: the longest matching prefix of a short list, and connected networks
   before it, as lwIP itself knows one gateway per interface only. */
#include "net/route.h"

#include <stdio.h>

#include "lwip/netif.h"
#include "net/address.h"
#include "net/hooks.h"
#include "net/nic.h"

static struct route routes[ROUTE_MOST];
static unsigned count;

bool route_add(const ip4_addr_t *network, const ip4_addr_t *mask, const ip4_addr_t *gateway)
{
    struct route *r = routes;

    while (r < routes + count &&
           !(ip4_addr_cmp(&r->network, network) && ip4_addr_cmp(&r->mask, mask)))
        r++;
    if (r == routes + ROUTE_MOST)
        return false;
    if (r == routes + count)
        count++;
    ip4_addr_set(&r->network, network);
    ip4_addr_set(&r->mask, mask);
    ip4_addr_set(&r->gateway, gateway);
    return true;
}

unsigned route_count(void)
{
    return count;
}

const struct route *route_get(unsigned i)
{
    return &routes[i];
}

static struct netif *connected(const ip4_addr_t *dest)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (netif_is_up(netif) && netif_is_link_up(netif) &&
            !ip4_addr_isany_val(*netif_ip4_addr(netif)) &&
            ip4_addr_netcmp(dest, netif_ip4_addr(netif), netif_ip4_netmask(netif)))
            return netif;
    }
    return NULL;
}

static const struct route *best(const ip4_addr_t *dest)
{
    const struct route *found = NULL;

    for (const struct route *r = routes; r < routes + count; r++)
        if (ip4_addr_netcmp(dest, &r->network, &r->mask) &&
            (!found || lwip_ntohl(r->mask.addr) > lwip_ntohl(found->mask.addr)))
            found = r;
    return found;
}

/* Groups are on the first interface, if there is no default one. */
static struct netif *group_way(void)
{
    for (unsigned i = 0; !netif_default && i < nic_count(); i++) {
        struct netif *netif = &nic_get(i)->netif;

        if (netif_is_link_up(netif) && !ip4_addr_isany_val(*netif_ip4_addr(netif)))
            return netif;
    }
    return NULL;
}

struct netif *route_find(const ip4_addr_t *dest)
{
    const struct route *r = count > 0 && !connected(dest) ? best(dest) : NULL;

    if (r)
        return connected(&r->gateway);
    return ip4_addr_ismulticast(dest) ? group_way() : NULL;
}

const ip4_addr_t *route_gateway(struct netif *netif, const ip4_addr_t *dest)
{
    const struct route *r = count > 0 ? best(dest) : NULL;

    return r && connected(&r->gateway) == netif ? &r->gateway : NULL;
}

static void connected_print(const struct nic *nic)
{
    ip4_addr_t network;
    char text[ADDRESS_TEXT];

    if (ip4_addr_isany_val(*netif_ip4_addr(&nic->netif)))
        return;
    network.addr = netif_ip4_addr(&nic->netif)->addr & netif_ip4_netmask(&nic->netif)->addr;
    address_print(text, &network);
    printf("%s/%u dev %s src ", text, prefix_of(netif_ip4_netmask(&nic->netif)), nic->name);
    address_print(text, netif_ip4_addr(&nic->netif));
    printf("%s\n", text);
}

void routes_print(void)
{
    char network[ADDRESS_TEXT], gateway[ADDRESS_TEXT];
    const struct nic *nic = netif_default ? nic_of(netif_default) : NULL;

    if (nic && !ip4_addr_isany_val(*netif_ip4_gw(&nic->netif))) {
        address_print(gateway, netif_ip4_gw(&nic->netif));
        printf("default via %s dev %s\n", gateway, nic->name);
    }
    for (unsigned i = 0; i < nic_count(); i++)
        connected_print(nic_get(i));
    for (unsigned i = 0; i < count; i++) {
        address_print(network, &routes[i].network);
        address_print(gateway, &routes[i].gateway);
        printf("%s/%u via %s\n", network, prefix_of(&routes[i].mask), gateway);
    }
}
