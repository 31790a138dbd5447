/* The commands that only the router has. */
#include "router/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/address.h"
#include "router/dhcpd.h"
#include "router/lan.h"

static void lease_print(const struct leases *ls, const struct lease *l, uint32_t now_s)
{
    static const char *const states[] = {[LEASE_FREE] = "free",
                                         [LEASE_OFFERED] = "offered",
                                         [LEASE_BOUND] = "bound",
                                         [LEASE_DECLINED] = "declined",
                                         [LEASE_RESERVED] = "reserved"};
    ip4_addr_t address = {lwip_htonl(lease_address(ls, l))};
    char text[ADDRESS_TEXT], mac[MAC_TEXT];

    address_print(text, &address);
    mac_print(mac, l->mac);
    printf("%s %s %s %us %s\n", text, mac,
           l->state != LEASE_RESERVED && lease_is_free(l, now_s) ? "free" : states[l->state],
           l->until_s > now_s ? l->until_s - now_s : 0, l->name ? l->name : "");
}

static int command_leases(int argc, char **argv)
{
    uint32_t now_s = (uint32_t)(clock_ns() / NS_PER_S), bound = 0, all = 0;

    (void)argv;
    for (unsigned i = 0; i < lan_count(); i++) {
        const struct leases *ls = &lan_get(i)->leases;

        for (uint32_t j = 0; j < ls->used; j++) {
            const struct lease *l = lease_get(ls, j);

            all++;
            bound += l->state == LEASE_BOUND && !lease_is_free(l, now_s);
            if (argc == 1)
                lease_print(ls, l, now_s);
        }
    }
    printf("%u leases, %u bound\n", all, bound);
    dhcpd_print();
    return 0;
}

static int command_lan(int argc, char **argv)
{
    const char *wrong;

    if (argc != 1 && argc != 3)
        return COMMAND_USAGE;
    wrong = argc == 3 ? lan_set(argv[1], argv[2]) : NULL;
    if (wrong) {
        printf("lan: %s\n", wrong);
        return 1;
    }
    for (unsigned i = 0; i < lan_count(); i++)
        if (argc == 1 || strcmp(lan_get(i)->nic->name, argv[1]) == 0)
            lan_print(lan_get(i));
    return 0;
}

const struct command router_commands[] = {
    {"lan", "[ethN ADDR/LEN[,pool=A-B]...]", "interfaces and their pools", command_lan},
    {"leases", "[count]", "who has which address", command_leases},
    {NULL, NULL, NULL, NULL},
};
