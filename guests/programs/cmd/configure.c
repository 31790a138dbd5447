/* Commands that change the machine: addresses, power. */
#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/clock.h"
#include "cmd/console.h"
#include "cmd/shell.h"
#include "lwip/dhcp.h"
#include "net/address.h"
#include "net/ifconfig.h"
#include "net/loop.h"

int command_ifconfig(int argc, char **argv)
{
    struct nic *nic;
    const char *text;
    ip4_addr_t address, mask, gateway;

    ip4_addr_set_zero(&gateway);
    if (argc != 3 && argc != 4)
        return COMMAND_USAGE;
    nic = nic_find(argv[1]);
    text = argv[2];
    if (!parse_prefix(&text, &address, &mask) || *text ||
        (argc == 4 && !address_is(argv[3], &gateway)))
        return COMMAND_USAGE;
    if (!nic) {
        printf("%s: no such interface\n", argv[1]);
        return 1;
    }
    nic_set_address(nic, &address, &mask, &gateway);
    return 0;
}

/* Waits for the answer, so that what follows on the command line has an address. */
int command_dhcp(int argc, char **argv)
{
    struct nic *nic = nic_find(argc > 1 ? argv[1] : "eth0");
    uint64_t deadline = clock_ns() + 10 * NS_PER_S;

    if (argc > 2)
        return COMMAND_USAGE;
    if (!nic) {
        printf("%s: no such interface\n", argc > 1 ? argv[1] : "eth0");
        return 1;
    }
    nic_start_dhcp(nic);
    while (!dhcp_supplied_address(&nic->netif) && clock_ns() < deadline)
        if (console_interrupted())
            return 1;
        else
            loop_once(deadline);
    if (dhcp_supplied_address(&nic->netif))
        return 0;
    printf("dhcp: no answer yet\n");
    return 1;
}

int command_poweroff(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    /* Give the addresses back, as the server may have few. */
    for (unsigned i = 0; i < nic_count(); i++)
        if (dhcp_supplied_address(&nic_get(i)->netif))
            dhcp_release_and_stop(&nic_get(i)->netif);
    machine_poweroff();
}

int command_reboot(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    machine_reboot();
}
