/*
 * Network interfaces: cards that a driver of the table is for, as lwIP netifs. They are
 * numbered as they are found: those that the device tree names, driver by driver, then
 * those on the PCI bus by slot.
 */
#include "net/nic.h"

#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/dtb.h"
#include "base/memory.h"
#include "base/plic.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "net/drivers.h"
#include "net/filter.h"
#include "net/random.h"
#include "net/timers.h"
#include "netif/ethernet.h"

static struct nic *nics[NIC_MOST];
static unsigned count;

unsigned nic_count(void)
{
    return count;
}

struct nic *nic_get(unsigned i)
{
    return nics[i];
}

struct nic *nic_find(const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(nics[i]->name, name) == 0)
            return nics[i];
    return NULL;
}

struct nic *nic_of(const struct netif *netif)
{
    for (unsigned i = 0; i < count; i++)
        if (&nics[i]->netif == netif)
            return nics[i];
    return NULL;
}

const char *nic_model(const struct nic *nic)
{
    return nic->model;
}

void nic_read_address(struct nic *nic)
{
    nic->driver->read_address(nic);
    random_stir(nic->netif.hwaddr, ETH_HWADDR_LEN);
}

void nic_link_set(struct nic *nic, bool up)
{
    if (up)
        netif_set_link_up(&nic->netif);
    else
        netif_set_link_down(&nic->netif);
}

/* lwIP gets a copy that starts at ETH_PAD_SIZE. */
void nic_frame_received(struct nic *nic, const uint8_t *frame, uint32_t len)
{
    struct pbuf *p;

    if (len < SIZEOF_ETH_HDR - ETH_PAD_SIZE || len > NIC_FRAME_MOST) {
        nic->rx_dropped++;
        return;
    }
    nic->rx_frames++;
    nic->rx_bytes += len;
    if (!filter_wants(&nic->netif, frame, len))
        return;
    p = pbuf_alloc(PBUF_RAW, (u16_t)(len + ETH_PAD_SIZE), PBUF_RAM);
    if (!p) {
        nic->rx_dropped++;
        return;
    }
    memcpy((uint8_t *)p->payload + ETH_PAD_SIZE, frame, len);
    timers_frame_received(frame, len);
    if (nic->netif.input(p, &nic->netif) != ERR_OK)
        pbuf_free(p);
}

static err_t nic_output(struct netif *netif, struct pbuf *p)
{
    struct nic *nic = netif->state;
    uint32_t len = (uint32_t)p->tot_len - ETH_PAD_SIZE;
    const uint8_t *frame;

    frame = len > NIC_FRAME_MOST ? NULL : nic->driver->send(nic, p, len);
    if (!frame) {
        nic->tx_dropped++;
        return ERR_BUF;
    }
    nic->tx_frames++;
    nic->tx_bytes += len;
    timers_frame_sent(frame, len);
    filter_frame_sent(frame, len);
    return ERR_OK;
}

static err_t nic_groups_changed(struct netif *netif, const ip4_addr_t *group,
                                enum netif_mac_filter_action action)
{
    struct nic *nic = netif->state;

    (void)group;
    (void)action;
    nic->driver->groups_set(nic);
    return ERR_OK;
}

static void nic_interrupt(void *arg)
{
    struct nic *nic = arg;

    nic->driver->interrupt(nic);
}

/* --- adding one --- */

static err_t nic_netif_init(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->output = etharp_output;
    netif->linkoutput = nic_output;
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    return ERR_OK;
}

static bool nic_start(struct nic *nic, struct nic_place *place)
{
    nic->model = nic->driver->name;
    nic->card = memory_take(nic->driver->size, 16);
    if (!nic->card || place->irq == 0)
        return false;
    if (place->card.id)
        pci_enable(&place->card);
    netif_set_link_up(&nic->netif);
    if (!nic->driver->start(nic, place))
        return false;
    if (nic->driver->groups_set) {
        netif_set_igmp_mac_filter(&nic->netif, nic_groups_changed);
        nic->driver->groups_set(nic); /* every interface is in 224.0.0.1 */
    }
    random_stir(nic->netif.hwaddr, ETH_HWADDR_LEN);
    return true;
}

static void nic_add(const struct nic_driver *driver, struct nic_place *place)
{
    struct nic *nic;

    if (count == NIC_MOST || (driver->match && !driver->match(place)))
        return;
    nic = memory_take(sizeof *nic, 16);
    if (!nic)
        panic("no memory for %u network interfaces", count + 1);
    nic->driver = driver;
    snprintf(nic->name, sizeof nic->name, "eth%u", count);
    netif_add(&nic->netif, NULL, NULL, NULL, nic, nic_netif_init, ethernet_input);
    if (!nic_start(nic, place)) {
        printf("%s: the %s refused to start\n", nic->name, driver->name);
        netif_remove(&nic->netif);
        return;
    }
    plic_attach(place->irq, nic_interrupt, nic);
    netif_set_up(&nic->netif);
    nics[count++] = nic;
}

/* --- finding them --- */

static void tree_search(void)
{
    for (unsigned i = 0; nic_drivers[i]; i++) {
        const struct nic_driver *driver = nic_drivers[i];

        if (!driver->compatible)
            continue;
        for (int node = -1; (node = dtb_compatible(node, driver->compatible)) >= 0;)
            nic_add(driver, &(struct nic_place){.node = node, .irq = dtb_interrupt(node)});
    }
}

static bool is_for(const struct nic_driver *driver, uint32_t id)
{
    for (const uint32_t *c = driver->cards; c && *c; c++)
        if (*c == id)
            return true;
    return false;
}

static void pci_search(void)
{
    struct nic_place place = {.node = -1};

    if (!pci_init())
        return;
    while (pci_next(&place.card)) {
        place.irq = place.card.irq;
        for (unsigned i = 0; nic_drivers[i]; i++)
            if (is_for(nic_drivers[i], place.card.id))
                nic_add(nic_drivers[i], &place);
    }
}

void nics_init(void)
{
    tree_search();
    pci_search();
}
