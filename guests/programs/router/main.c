/* The router: several interfaces, forwarding between them, a DHCP server and a name
   server; the servers and commands of a host besides. */
#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/clock.h"
#include "cmd/shell.h"
#include "lwip/init.h"
#include "net/address.h"
#include "net/ifconfig.h"
#include "net/instance.h"
#include "net/nic.h"
#include "net/random.h"
#include "router/commands.h"
#include "router/dhcpd.h"
#include "router/dnsd.h"
#include "router/lan.h"
#include "serve/servers.h"

enum { PROMPT = 72, NAME = 16 };

/* ethN=WHAT, beside the words that every program knows; lan.h says what WHAT is. */
static void bootarg_take(const char *word)
{
    const char *what = strchr(word, '='), *wrong;
    char name[NAME];

    if (bootarg_common(word))
        return;
    if (!what || strncmp(word, "eth", 3) != 0 || (size_t)(what - word) >= sizeof name) {
        printf("bootargs: '%s' is not understood\n", word);
        return;
    }
    memcpy(name, word, (size_t)(what - word));
    name[what - word] = '\0';
    wrong = lan_set(name, what + 1);
    if (wrong)
        printf("bootargs: '%s': %s\n", word, wrong);
}

static char prompt[PROMPT];

static void prompt_make(void)
{
    snprintf(prompt, sizeof prompt, "%s> ", host_name()[0] ? host_name() : "router");
}

void program_main(void)
{
    random_init();
    lwip_init();
    nics_init();
    lans_init();
    bootargs_each(bootarg_take);
    lans_finish();
    if (nic_count() == 0)
        printf("router: no network interface\n");
    servers_start();
    if (!dhcpd_start() || !dnsd_start())
        printf("router: no memory for the DHCP server and the name server\n");
    prompt_make();
    instance_init(prompt_make);
    nics_wait_bound(clock_ns() + 15 * NS_PER_S);
    shell_run(router_commands, prompt);
}
