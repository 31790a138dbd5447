/* Starts the servers that every program runs. */
#include "serve/servers.h"

#include <stdio.h>

void servers_start(void)
{
    static const struct {
        const char *name;
        int (*start)(void);
    } all[] = {
        {"echo", echo_start},
        {"discard", discard_start},
        {"http", http_start},
        {"sink", sink_start},
    };

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!all[i].start())
            printf("%s: the server could not be started\n", all[i].name);
}
