/* The router's interfaces: address, and the pool its DHCP server gives out there. */
#include "router/lan.h"

#include <stdio.h>

#include "lwip/dhcp.h"
#include "net/address.h"
#include "net/ifconfig.h"

enum { LEASE_S = 86400, LEASE_LEAST_S = 60 };

static struct lan lans[NIC_MOST];

unsigned lan_count(void)
{
    return nic_count();
}

struct lan *lan_get(unsigned i)
{
    return &lans[i];
}

struct lan *lan_of(const struct netif *netif)
{
    for (unsigned i = 0; i < lan_count(); i++)
        if (&lans[i].nic->netif == netif)
            return &lans[i];
    return NULL;
}

static void address_value_print(char to[ADDRESS_TEXT], uint32_t value)
{
    ip4_addr_t a = {lwip_htonl(value)};

    address_print(to, &a);
}

void lan_print(const struct lan *lan)
{
    char a[ADDRESS_TEXT], b[ADDRESS_TEXT];

    address_print(a, netif_ip4_addr(&lan->nic->netif));
    printf("router: %s ", lan->nic->name);
    if (netif_dhcp_data(&lan->nic->netif) && !dhcp_supplied_address(&lan->nic->netif)) {
        printf("dhcp\n");
        return;
    }
    if (ip4_addr_isany_val(*netif_ip4_addr(&lan->nic->netif))) {
        printf("no address\n");
        return;
    }
    printf("%s/%u", a, prefix_of(netif_ip4_netmask(&lan->nic->netif)));
    if (lan->pool_last != 0) {
        address_value_print(a, lan->pool_first);
        address_value_print(b, lan->pool_last);
        printf(" pool %s-%s lease %us", a, b, lan->lease_s);
    }
    printf("\n");
}

/* What follows ADDRESS/LEN; collected before anything is changed. */
struct wish {
    ip4_addr_t address, mask, gateway, dns;
    uint64_t lease_s;
    uint32_t first, last;
};

static bool pool_parse(const char **s, struct wish *w)
{
    ip4_addr_t first, last;

    if (!parse_address(s, &first) || !parse_char(s, '-') || !parse_address(s, &last))
        return false;
    w->first = lwip_ntohl(first.addr);
    w->last = lwip_ntohl(last.addr);
    return true;
}

static const char *wish_parse(const char *s, struct wish *w)
{
    *w = (struct wish){.lease_s = LEASE_S};
    if (!parse_prefix(&s, &w->address, &w->mask))
        return "it begins with ADDRESS/LEN, or is dhcp or none";
    while (parse_char(&s, ',')) {
        bool good;

        if (parse_word(&s, "gw="))
            good = parse_address(&s, &w->gateway);
        else if (parse_word(&s, "pool="))
            good = pool_parse(&s, w);
        else if (parse_word(&s, "dns="))
            good = parse_address(&s, &w->dns);
        else if (parse_word(&s, "lease="))
            good = parse_number(&s, UINT32_MAX / 2, &w->lease_s) && w->lease_s >= LEASE_LEAST_S;
        else
            good = false;
        if (!good)
            return "the words are gw=ADDRESS, pool=FIRST-LAST, dns=ADDRESS, lease=SECONDS";
    }
    return *s ? "there is something behind it" : NULL;
}

static const char *pool_check(const struct wish *w)
{
    uint32_t mask = lwip_ntohl(w->mask.addr), net = lwip_ntohl(w->address.addr) & mask;

    if (w->last == 0)
        return NULL;
    if (w->first > w->last || (w->first & mask) != net || (w->last & mask) != net)
        return "the pool does not lie in the network";
    if (w->first == net || w->last == (net | ~mask))
        return "the pool holds the network's own or its broadcast address";
    return NULL;
}

static const char *wish_apply(struct lan *lan, const struct wish *w)
{
    nic_set_address(lan->nic, &w->address, &w->mask, &w->gateway);
    lan->dns = w->dns;
    lan->lease_s = (uint32_t)w->lease_s;
    lan->pool_first = w->first;
    lan->pool_last = w->last;
    if (w->last != 0 &&
        !leases_start(&lan->leases, w->first, w->last, lwip_ntohl(w->address.addr))) {
        lan->pool_first = lan->pool_last = 0;
        return "there is no memory for the pool";
    }
    return NULL;
}

const char *lan_set(const char *name, const char *what)
{
    struct nic *nic = nic_find(name);
    const char *wrong, *s = what;
    struct lan *lan;
    struct wish w;

    if (!nic || !(lan = lan_of(&nic->netif)))
        return "there is no such interface";
    if ((parse_word(&s, "dhcp") || parse_word(&s, "none")) && *s == '\0') {
        lan->pool_first = lan->pool_last = 0;
        lan->set = true;
        if (*what == 'd')
            nic_start_dhcp(nic);
        else
            nic_set_address(nic, NULL, NULL, NULL);
        return NULL;
    }
    wrong = wish_parse(what, &w);
    if (!wrong)
        wrong = pool_check(&w);
    if (wrong)
        return wrong;
    lan->set = true;
    return wish_apply(lan, &w);
}

void lans_init(void)
{
    for (unsigned i = 0; i < lan_count(); i++)
        lans[i].nic = nic_get(i);
}

void lans_finish(void)
{
    char text[64];

    for (unsigned i = 0; i < lan_count(); i++) {
        if (!lans[i].set) {
            snprintf(text, sizeof text, "10.%u.0.1/16,pool=10.%u.1.0-10.%u.254.255", i, i, i);
            lan_set(lans[i].nic->name, text);
        }
        lan_print(&lans[i]);
    }
}
