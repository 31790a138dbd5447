/*
 * A virtio-net device (Virtio 1.2, 5.1) as an lwIP interface: one receive and one
 * transmit queue, no offloads. Each buffer is two descriptors, header and frame,
 * because a legacy device may ask for that (5.1.6.6); and each frame is copied once, so
 * that the memory a device writes stays small and is given back at once.
 *
 *     receive   | ring | buffer 0 | buffer 1 | ...     on a page boundary
 *     transmit  | ring | buffer 0 | buffer 1 | ...     likewise
 *     buffer    | header, 10 or 12 | 18: frame, up to 1518, aligned as lwIP's copy is |
 */
#include "net/nic.h"

#include <stdio.h>
#include <string.h>

#include "base/boot.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/plic.h"
#include "lwip/etharp.h"
#include "net/filter.h"
#include "net/random.h"
#include "net/timers.h"
#include "netif/ethernet.h"

#define TX_WAIT_NS (10 * NS_PER_MS)
#define F_MAC (UINT64_C(1) << 5)
#define F_STATUS (UINT64_C(1) << 16)

enum { QUEUE_RX = 0, QUEUE_TX = 1 };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, STATUS_LINK_UP = 1 };
enum { FRAME_AT = 16 + ETH_PAD_SIZE, FRAME_MOST = 1518, BUFFER = 1536, PAGE = 4096 };
enum { RX = PROGRAM_ROUTER ? 32 : 8 };

static struct nic *nics;
static unsigned count;

unsigned nic_count(void)
{
    return count;
}

struct nic *nic_get(unsigned i)
{
    return &nics[i];
}

struct nic *nic_find(const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(nics[i].name, name) == 0)
            return &nics[i];
    return NULL;
}

struct nic *nic_of(const struct netif *netif)
{
    for (unsigned i = 0; i < count; i++)
        if (&nics[i].netif == netif)
            return &nics[i];
    return NULL;
}

/* 5.1.6: num_buffers is there on the modern interface always, on the legacy one only
   with VIRTIO_NET_F_MRG_RXBUF, which is not asked for. */
static uint32_t header_len(const struct nic *nic)
{
    return nic->device.version == 1 ? 10 : 12;
}

static uint8_t *rx_buffer(const struct nic *nic, unsigned i)
{
    return nic->rx_memory + i * BUFFER;
}

static uint8_t *tx_buffer(const struct nic *nic, unsigned i)
{
    return nic->tx_memory + i * BUFFER;
}

static void link_update(struct nic *nic)
{
    bool up = !nic->has_status || (virtio_config16(&nic->device, CONFIG_STATUS) & STATUS_LINK_UP);

    if (up)
        netif_set_link_up(&nic->netif);
    else
        netif_set_link_down(&nic->netif);
}

/* Hand one received frame to lwIP, in a copy that starts at ETH_PAD_SIZE, if it is for us. */
static void frame_receive(struct nic *nic, const uint8_t *frame, uint32_t len)
{
    struct pbuf *p;

    if (len < SIZEOF_ETH_HDR - ETH_PAD_SIZE || len > FRAME_MOST) {
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

static void rx_poll(struct nic *nic)
{
    struct vq_used u;
    bool any = false;

    while (vq_take(&nic->rx, &u)) {
        unsigned i = u.id / 2;

        any = true;
        if (u.id % 2 != 0 || i >= nic->rx_buffers) {
            nic->rx_dropped++; /* no chain of ours starts there */
            continue;
        }
        frame_receive(nic, rx_buffer(nic, i) + FRAME_AT,
                      u.len > header_len(nic) ? u.len - header_len(nic) : 0);
        vq_offer(&nic->rx, (uint16_t)u.id);
    }
    if (any)
        vq_kick(&nic->device, &nic->rx);
}

static void tx_reclaim(struct nic *nic)
{
    struct vq_used u;

    while (vq_take(&nic->tx, &u))
        if (u.id % 2 == 0 && u.id / 2 < nic->tx_buffers && nic->tx_free_count < nic->tx_buffers)
            nic->tx_free[nic->tx_free_count++] = (uint8_t)(u.id / 2);
}

/* Wait for a buffer while the device is busy, but not for ever. Frames that come
   meanwhile wait in the receive ring. */
static bool tx_wait(struct nic *nic)
{
    uint64_t deadline = clock_ns() + TX_WAIT_NS;

    tx_reclaim(nic);
    if (nic->tx_free_count > 0)
        return true;
    vq_want_interrupts(&nic->tx, true);
    for (tx_reclaim(nic); nic->tx_free_count == 0 && clock_ns() < deadline; tx_reclaim(nic))
        clock_sleep(deadline);
    vq_want_interrupts(&nic->tx, false);
    return nic->tx_free_count > 0;
}

static err_t nic_output(struct netif *netif, struct pbuf *p)
{
    struct nic *nic = netif->state;
    uint32_t len = (uint32_t)p->tot_len - ETH_PAD_SIZE;
    unsigned i;
    uint8_t *frame;

    if (len > FRAME_MOST || !tx_wait(nic)) {
        nic->tx_dropped++;
        return ERR_BUF;
    }
    i = nic->tx_free[--nic->tx_free_count];
    frame = tx_buffer(nic, i) + FRAME_AT;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    nic->tx.desc[2 * i + 1].len = len;
    nic->tx_frames++;
    nic->tx_bytes += len;
    timers_frame_sent(frame, len);
    filter_frame_sent(frame, len);
    vq_offer(&nic->tx, (uint16_t)(2 * i));
    vq_kick(&nic->device, &nic->tx);
    return ERR_OK;
}

static void rings_fill(struct nic *nic)
{
    uint32_t header = header_len(nic);

    for (unsigned i = 0; i < nic->tx_buffers; i++) {
        uintptr_t at = (uintptr_t)tx_buffer(nic, i);

        /* All header fields stay 0: no offload is asked for. */
        nic->tx.desc[2 * i] = (struct vq_desc){at, header, VQ_DESC_NEXT, (uint16_t)(2 * i + 1)};
        nic->tx.desc[2 * i + 1] = (struct vq_desc){at + FRAME_AT, 0, 0, 0};
    }
    nic->tx_free_count = nic->tx_buffers;
    for (unsigned i = 0; i < nic->tx_buffers; i++)
        nic->tx_free[i] = (uint8_t)(nic->tx_buffers - 1 - i);
    for (unsigned i = 0; i < nic->rx_buffers; i++) {
        uintptr_t at = (uintptr_t)rx_buffer(nic, i);

        nic->rx.desc[2 * i] =
            (struct vq_desc){at, header, VQ_DESC_NEXT | VQ_DESC_WRITE, (uint16_t)(2 * i + 1)};
        nic->rx.desc[2 * i + 1] = (struct vq_desc){at + FRAME_AT, FRAME_MOST, VQ_DESC_WRITE, 0};
        vq_offer(&nic->rx, (uint16_t)(2 * i));
    }
}

/* The configuration may change while it is read: read until it held still (2.5.1). */
void nic_read_address(struct nic *nic)
{
    uint32_t before;

    if (nic->has_mac) {
        do {
            before = virtio_config_generation(&nic->device);
            for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
                nic->netif.hwaddr[i] = virtio_config8(&nic->device, CONFIG_MAC + i);
        } while (before != virtio_config_generation(&nic->device));
    } else {
        for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
            nic->netif.hwaddr[i] = (u8_t)random_u32();
        nic->netif.hwaddr[0] = (nic->netif.hwaddr[0] & 0xfe) | 0x02; /* 5.1.5: local */
    }
    random_stir(nic->netif.hwaddr, ETH_HWADDR_LEN);
}

static bool queues_start(struct nic *nic)
{
    unsigned rx = virtio_queue_size(&nic->device, QUEUE_RX, 2 * RX);
    unsigned tx = virtio_queue_size(&nic->device, QUEUE_TX, 2 * NIC_TX);
    uint8_t *memory;

    if (rx < 2 || tx < 2)
        return false;
    nic->rx_buffers = rx / 2;
    nic->tx_buffers = tx / 2;
    memory = memory_take(vq_bytes(tx) + nic->tx_buffers * BUFFER, PAGE);
    if (!memory || !virtio_queue_start(&nic->device, &nic->tx, QUEUE_TX, tx, memory))
        return false;
    nic->tx_memory = memory + vq_bytes(tx);
    memory = memory_take(vq_bytes(rx) + nic->rx_buffers * BUFFER, PAGE);
    if (!memory || !virtio_queue_start(&nic->device, &nic->rx, QUEUE_RX, rx, memory))
        return false;
    nic->rx_memory = memory + vq_bytes(rx);
    return true;
}

static void nic_interrupt(void *arg)
{
    struct nic *nic = arg;
    uint32_t pending = virtio_irq_take(&nic->device);

    if (pending & VIRTIO_IRQ_CONFIG) {
        if (virtio_status(&nic->device) & VIRTIO_STATUS_NEEDS_RESET) {
            printf("%s: the device failed\n", nic->name);
            netif_set_link_down(&nic->netif);
            return;
        }
        link_update(nic);
    }
    rx_poll(nic);
}

static err_t nic_netif_init(struct netif *netif)
{
    struct nic *nic = netif->state;
    uint64_t got;

    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->output = etharp_output;
    netif->linkoutput = nic_output;
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    if (!virtio_start(&nic->device, F_MAC | F_STATUS, &got) || !queues_start(nic))
        return ERR_IF;
    nic->has_status = (got & F_STATUS) != 0;
    nic->has_mac = (got & F_MAC) != 0;
    nic_read_address(nic);
    rings_fill(nic);
    /* A sent frame is noticed when the next one is sent. */
    vq_want_interrupts(&nic->tx, false);
    virtio_ready(&nic->device);
    vq_kick(&nic->device, &nic->rx);
    return ERR_OK;
}

static void nic_add(const struct virtio *device)
{
    struct nic *nic = &nics[count];

    nic->device = *device;
    snprintf(nic->name, sizeof nic->name, "eth%u", count);
    if (!netif_add(&nic->netif, NULL, NULL, NULL, nic, nic_netif_init, ethernet_input)) {
        printf("%s: the device refused to start\n", nic->name);
        return;
    }
    plic_attach(device->irq, nic_interrupt, nic);
    netif_set_up(&nic->netif);
    link_update(nic);
    count++;
}

void nics_init(void)
{
    struct virtio device;
    int node = -1;
    unsigned found = 0;

    while (virtio_find(&node, VIRTIO_ID_NET, &device))
        found++;
    nics = memory_take(sizeof *nics * (found < NIC_MOST ? found : NIC_MOST), 16);
    if (!nics && found > 0)
        panic("no memory for %u network interfaces", found);
    for (node = -1; count < NIC_MOST && virtio_find(&node, VIRTIO_ID_NET, &device);)
        nic_add(&device);
}
