/* mcast: the multicast groups that the interfaces are in, and joining and leaving them. */
#include <stdio.h>
#include <string.h>

#include "cmd/shell.h"
#include "lwip/ip4.h"
#include "net/address.h"
#include "net/groups.h"

static void groups_print(const struct nic *nic)
{
    const struct igmp_group *at = NULL;
    uint8_t mac[ETH_HWADDR_LEN];
    char group[ADDRESS_TEXT], text[MAC_TEXT];

    while (groups_next(nic, &at, mac)) {
        address_print(group, &at->group_address);
        mac_print(text, mac);
        printf("%s %s %s\n", nic->name, group, text);
    }
}

/* Where packets to the group go; before there are addresses, the first. */
static struct nic *nic_towards(const ip4_addr_t *group)
{
    struct netif *netif = ip4_route(group);
    struct nic *nic = netif ? nic_of(netif) : NULL;

    return nic || nic_count() == 0 ? nic : nic_get(0);
}

static const char *join(struct nic *nic, const ip4_addr_t *group)
{
    if (igmp_lookfor_group(&nic->netif, group))
        return "it is in that group already";
    return igmp_joingroup_netif(&nic->netif, group) == ERR_OK ? NULL : "no memory";
}

static const char *leave(struct nic *nic, const ip4_addr_t *group)
{
    if (!igmp_lookfor_group(&nic->netif, group))
        return "it is not in that group";
    return igmp_leavegroup_netif(&nic->netif, group) == ERR_OK ? NULL
                                                               : "every host is in that group";
}

int command_mcast(int argc, char **argv)
{
    const char *wrong;
    struct nic *nic;
    ip4_addr_t group;
    bool joins = argc > 1 && strcmp(argv[1], "join") == 0;

    for (unsigned i = 0; argc == 1 && i < nic_count(); i++)
        groups_print(nic_get(i));
    if (argc == 1)
        return 0;
    if ((!joins && strcmp(argv[1], "leave") != 0) || argc < 3 || argc > 4 ||
        !address_is(argv[2], &group))
        return COMMAND_USAGE;
    nic = argc == 4 ? nic_find(argv[3]) : nic_towards(&group);
    if (!nic)
        wrong = "no such interface";
    else if (!ip4_addr_ismulticast(&group))
        wrong = "groups are 224.0.0.0 to 239.255.255.255";
    else
        wrong = (joins ? join : leave)(nic, &group);
    if (wrong)
        printf("mcast: %s\n", wrong);
    return wrong ? 1 : 0;
}
