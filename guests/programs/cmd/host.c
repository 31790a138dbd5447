/* host: look a name up. */
#include <stdio.h>

#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "net/address.h"

int command_host(int argc, char **argv)
{
    ip_addr_t address;
    char text[ADDRESS_TEXT];

    if (argc != 2)
        return COMMAND_USAGE;
    if (!name_resolve(argv[1], &address))
        return 1;
    address_print(text, ip_2_ip4(&address));
    printf("%s has address %s\n", argv[1], text);
    return 0;
}
