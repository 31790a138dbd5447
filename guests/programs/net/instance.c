/*
 * Which machine this is, and becoming another one: a clone of it wakes up in this program.
 *
 *     "microsoft,vmgenid"   16 bytes that differ between machines; an interrupt when they change
 *     "lanarium,instance"   registers, below: the number of the clone, and its name
 */
#include "net/instance.h"

#include <stdint.h>
#include <stdio.h>

#include "base/dtb.h"
#include "base/io.h"
#include "base/plic.h"
#include "cmd/console.h"
#include "lwip/igmp.h"
#include "net/ifconfig.h"
#include "net/nic.h"
#include "net/random.h"

enum { GENID = 16, MAGIC = 0x696e616c, NUMBER = 0x08, NAME = 0x40, NAME_MOST = 64 };

static uint64_t genid, registers;
static void (*tell)(void);

static void name_read(char name[NAME_MOST])
{
    for (unsigned i = 0; i < NAME_MOST; i++)
        name[i] = (char)io_read8(registers + NAME + i);
    name[NAME_MOST - 1] = '\0';
}

/* It is at another place of the network than the one whose memory this was. An interface that has
   yet to get its address reports then. */
static void nic_move(struct nic *nic)
{
    nic_read_address(nic);
    nic_restart_dhcp(nic);
    if (!ip4_addr_isany_val(*netif_ip4_addr(&nic->netif)))
        igmp_report_groups(&nic->netif);
}

static void cloned(void *arg)
{
    char name[NAME_MOST];
    uint8_t id[GENID];

    (void)arg;
    for (unsigned i = 0; i < GENID; i++)
        id[i] = io_read8(genid + i);
    random_stir(id, sizeof id);
    name_read(name);
    host_rename(name);
    for (unsigned i = 0; i < nic_count(); i++)
        nic_move(nic_get(i));
    console_begin();
    printf("clone %u: this is %s now\n", (unsigned)io_read32(registers + NUMBER), name);
    tell();
    console_end();
}

void instance_init(void (*renamed)(void))
{
    int id = dtb_compatible(-1, "microsoft,vmgenid");
    int instance = dtb_compatible(-1, "lanarium,instance");
    uint64_t size;

    if (id < 0 || instance < 0 || dtb_interrupt(id) == 0 || !dtb_reg(id, 0, &genid, &size) ||
        !dtb_reg(instance, 0, &registers, &size) || io_read32(registers) != MAGIC)
        return;
    tell = renamed;
    plic_attach(dtb_interrupt(id), cloned, NULL);
}
