/* The host: one or more interfaces, DHCP or fixed addresses, servers and commands. */
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
#include "serve/servers.h"

enum { PROMPT = 72 };

static const struct command no_commands[] = {{NULL, NULL, NULL, NULL}};

/* How each interface is to be addressed. */
static struct {
    bool fixed;
    ip4_addr_t address, mask, gateway;
} plan[NIC_MOST];
static unsigned plan_count;
static bool dhcp_wanted = true;

/*
 *     ip=ADDRESS/LEN[,[gw=]GATEWAY]  the next interface's address; ip=dhcp leaves it to DHCP
 *     dhcp=no                        interfaces without ip= stay without an address
 */
static void bootarg_take(const char *word)
{
    const char *s = word;
    unsigned i = plan_count;

    if (bootarg_common(word))
        return;
    if (strcmp(word, "dhcp=no") == 0) {
        dhcp_wanted = false;
        return;
    }
    if (parse_word(&s, "ip=") && i < NIC_MOST) {
        bool good;

        plan_count++;
        if (strcmp(s, "dhcp") == 0)
            return;
        good = parse_prefix(&s, &plan[i].address, &plan[i].mask);
        if (good && parse_char(&s, ','))
            good = (parse_word(&s, "gw="), parse_address(&s, &plan[i].gateway));
        plan[i].fixed = good && *s == '\0';
        if (plan[i].fixed)
            return;
    }
    printf("bootargs: '%s' is not understood\n", word);
}

static void nics_configure(void)
{
    for (unsigned i = 0; i < nic_count(); i++) {
        if (plan[i].fixed)
            nic_set_address(nic_get(i), &plan[i].address, &plan[i].mask, &plan[i].gateway);
        else if (dhcp_wanted || i < plan_count)
            nic_start_dhcp(nic_get(i));
    }
}

static void banner_print(void)
{
    char mac[MAC_TEXT];

    for (unsigned i = 0; i < nic_count(); i++) {
        mac_print(mac, nic_get(i)->netif.hwaddr);
        printf("lanarium host: %s %s\n", nic_model(nic_get(i)), mac);
    }
    if (nic_count() == 0)
        printf("lanarium host: no network interface\n");
}

static char prompt[PROMPT];

static void prompt_make(void)
{
    snprintf(prompt, sizeof prompt, "%s> ", host_name()[0] ? host_name() : "host");
}

void program_main(void)
{
    random_init();
    lwip_init();
    nics_init();
    banner_print();
    bootargs_each(bootarg_take);
    servers_start();
    nics_configure();
    prompt_make();
    instance_init(prompt_make);
    nics_wait_bound(clock_ns() + 15 * NS_PER_S);
    shell_run(no_commands, prompt);
}
