/* How interfaces come by their addresses: DHCP or fixed, from /chosen/bootargs or by
   command. */
#include "net/ifconfig.h"

#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/clock.h"
#include "base/uart.h"
#include "cmd/console.h"
#include "lwip/dns.h"
#include "lwip/prot/dhcp.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/route.h"

enum { NAME_MOST = 64, WORD_MOST = 160 };

static char name[NAME_MOST];

const char *host_name(void)
{
    return name;
}

void host_rename(const char *text)
{
    snprintf(name, sizeof name, "%s", text);
}

/* The line that tests wait for. */
static void bound_print(struct nic *nic)
{
    const struct netif *netif = &nic->netif;
    const struct dhcp *dhcp = netif_dhcp_data(netif);
    char address[ADDRESS_TEXT], gateway[ADDRESS_TEXT], dns[ADDRESS_TEXT];

    address_print(address, netif_ip4_addr(netif));
    address_print(gateway, netif_ip4_gw(netif));
    address_print(dns, ip_2_ip4(dns_getserver(0)));
    console_begin();
    printf("bound to %s/%u gateway %s dns %s lease %us on %s\n", address,
           prefix_of(netif_ip4_netmask(netif)), gateway, dns, (unsigned)dhcp->offered_t0_lease,
           nic->name);
    console_end();
}

static void status_changed(struct netif *netif)
{
    struct nic *nic = nic_of(netif);

    if (nic && dhcp_supplied_address(netif)) {
        if (!netif_default || ip4_addr_isany_val(*netif_ip4_gw(netif_default)))
            netif_set_default(netif);
        bound_print(nic);
    }
}

void nic_set_address(struct nic *nic, const ip4_addr_t *address, const ip4_addr_t *mask,
                     const ip4_addr_t *gateway)
{
    dhcp_release_and_stop(&nic->netif);
    netif_set_addr(&nic->netif, address, mask, gateway);
    if (gateway && !ip4_addr_isany_val(*gateway))
        netif_set_default(&nic->netif);
}

void nic_start_dhcp(struct nic *nic)
{
    if (netif_dhcp_data(&nic->netif))
        dhcp_release_and_stop(&nic->netif);
    else
        dhcp_set_struct(&nic->netif, &nic->dhcp);
    netif_set_hostname(&nic->netif, name[0] ? name : NULL);
    netif_set_status_callback(&nic->netif, status_changed);
    if (dhcp_start(&nic->netif) != ERR_OK)
        printf("%s: DHCP could not be started: no memory\n", nic->name);
}

/* Not released: the server would take it from the machine that it belongs to. */
void nic_restart_dhcp(struct nic *nic)
{
    const struct dhcp *dhcp = netif_dhcp_data(&nic->netif);

    if (!dhcp || dhcp->state == DHCP_STATE_OFF)
        return;
    dhcp_remove_struct(&nic->netif);
    netif_set_addr(&nic->netif, NULL, NULL, NULL);
    nic_start_dhcp(nic);
}

bool nics_bound(void)
{
    for (unsigned i = 0; i < nic_count(); i++) {
        struct netif *netif = &nic_get(i)->netif;
        const struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp && dhcp->state != DHCP_STATE_OFF && !dhcp_supplied_address(netif))
            return false;
    }
    return true;
}

void nics_wait_bound(uint64_t deadline_ns)
{
    while (!nics_bound() && clock_ns() < deadline_ns && !uart_waiting())
        loop_once(deadline_ns);
}

static bool bootarg_route(const char *s)
{
    ip4_addr_t network, mask, gateway;

    return parse_prefix(&s, &network, &mask) && parse_char(&s, ',') &&
           parse_address(&s, &gateway) && *s == '\0' && route_add(&network, &mask, &gateway);
}

bool bootarg_common(const char *word)
{
    ip_addr_t dns;

    if (parse_word(&word, "hostname=")) {
        host_rename(word);
        return true;
    }
    if (parse_word(&word, "route="))
        return bootarg_route(word);
    if (parse_word(&word, "dns=") && address_is(word, ip_2_ip4(&dns))) {
        dns_setserver(0, &dns);
        return true;
    }
    return false;
}

void bootargs_each(void (*take)(const char *word))
{
    const char *s = boot_arguments();
    char word[WORD_MOST];

    while (*s) {
        size_t len = 0;

        while (s[len] && s[len] != ' ')
            len++;
        if (len > 0 && len < sizeof word) {
            memcpy(word, s, len);
            word[len] = '\0';
            take(word);
        } else if (len > 0) {
            printf("bootargs: '%.40s...' is too long\n", s);
        }
        s += len;
        while (*s == ' ')
            s++;
    }
}
