/* What the machine knows of itself: interfaces, neighbours, routes, memory, time. */
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/shell.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/stats.h"
#include "net/address.h"
#include "net/ifconfig.h"
#include "net/nic.h"
#include "net/route.h"

static void nic_print(const struct nic *nic)
{
    const struct netif *netif = &nic->netif;
    char a[ADDRESS_TEXT], gateway[ADDRESS_TEXT], mac[MAC_TEXT];

    mac_print(mac, netif->hwaddr);
    printf("%s: %s %s mtu %u link %s\n", nic->name, nic_model(nic), mac, netif->mtu,
           netif_is_link_up(netif) ? "up" : "down");
    address_print(a, netif_ip4_addr(netif));
    address_print(gateway, netif_ip4_gw(netif));
    printf("    inet %s/%u gateway %s%s\n", a, prefix_of(netif_ip4_netmask(netif)), gateway,
           dhcp_supplied_address(netif) ? " by dhcp" : "");
    printf("    received %lu frames %lu bytes %lu dropped\n", nic->rx_frames, nic->rx_bytes,
           nic->rx_dropped);
    printf("    sent %lu frames %lu bytes %lu dropped\n", nic->tx_frames, nic->tx_bytes,
           nic->tx_dropped);
}

int command_ip(int argc, char **argv)
{
    char dns[ADDRESS_TEXT];

    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < nic_count(); i++)
        nic_print(nic_get(i));
    address_print(dns, ip_2_ip4(dns_getserver(0)));
    printf("dns %s\n", dns);
    return 0;
}

int command_arp(int argc, char **argv)
{
    ip4_addr_t *address;
    struct netif *netif;
    struct eth_addr *eth;
    char text[ADDRESS_TEXT], mac[MAC_TEXT];

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < ARP_TABLE_SIZE; i++) {
        if (!etharp_get_entry(i, &address, &netif, &eth) || !nic_of(netif))
            continue;
        address_print(text, address);
        mac_print(mac, eth->addr);
        printf("%s dev %s lladdr %s\n", text, nic_of(netif)->name, mac);
    }
    return 0;
}

int command_routes(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    routes_print();
    return 0;
}

int command_mem(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("stack %zu of %zu bytes\n", stack_used(), stack_size());
    printf("heap %zu now, %zu most, of %zu bytes\n", (size_t)lwip_stats.mem.used,
           (size_t)lwip_stats.mem.max, (size_t)lwip_stats.mem.avail);
    printf("memory behind the image %zu of %zu bytes\n", memory_taken(), memory_total());
    printf("slept %lu times\n", clock_sleeps());
    return 0;
}

static void seconds_print(uint64_t ns)
{
    printf("%lu.%06lu", ns / NS_PER_S, ns % NS_PER_S / NS_PER_US);
}

int command_date(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    seconds_print(clock_ns());
    printf("\n");
    return 0;
}

int command_uptime(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("up ");
    seconds_print(clock_ns());
    printf(" s, slept %lu times\n", clock_sleeps());
    return 0;
}
