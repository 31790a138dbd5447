/* The commands of any program. */
#include "cmd/shell.h"

#include <stddef.h>

const struct command common_commands[] = {
    {"arp", "", "the neighbours' addresses", command_arp},
    {"date", "", "the time since the start, in seconds", command_date},
    {"dhcp", "[ethN]", "give up the address and ask for one again", command_dhcp},
    {"host", "NAME", "look a name up", command_host},
    {"http", "ADDR[:PORT][/PATH]", "fetch a page: status, size, CRC-32", command_get},
    {"wget", "ADDR[:PORT][/PATH]", "the same", command_get},
    {"ifconfig", "ethN ADDR/LEN [GATEWAY]", "set an interface's address", command_ifconfig},
    {"ip", "", "interfaces, addresses and counters", command_ip},
    {"mcast", "[join|leave GROUP [ethN]]", "the multicast groups it is in, or one more or less",
     command_mcast},
    {"mem", "", "the most memory that was in use", command_mem},
    {"nc", "[-u] ADDR PORT TEXT...", "send a line and print the reply", command_nc},
    {"ping", "[-c N] [-i S] [-s SIZE] ADDR", "send echo requests", command_ping},
    {"poweroff", "", "stop the machine", command_poweroff},
    {"reboot", "", "start the machine again", command_reboot},
    {"routes", "", "where packets go", command_routes},
    {"send", "ADDR [PORT] [-t S | -n BYTES] [-u] [-b MBIT]", "send in bulk", command_send},
    {"tftp", "ADDR FILE", "fetch a file: size, CRC-32", command_tftp},
    {"uptime", "", "the time since the start", command_uptime},
    {NULL, NULL, NULL, NULL},
};
