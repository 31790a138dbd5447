/*
 * A virtio-net device (Virtio 1.2, 5.1), over MMIO or PCI: one receive and one transmit
 * queue, no offloads. Each buffer is two descriptors, header and frame, because a
 * legacy device may ask for that (5.1.6.6); and each frame is copied once, so that the
 * memory a device writes stays small and is given back at once.
 *
 *     receive   | ring | buffer 0 | buffer 1 | ...     on a page boundary
 *     transmit  | ring | buffer 0 | buffer 1 | ...     likewise
 *     buffer    | header, 10 or 12 | 18: frame, up to 1518, aligned as lwIP's copy is |
 *     control   | ring | command | answer |
 *
 * A modern device is told by a control queue which groups' frames to pass; a legacy one, or one
 * without that queue, passes everything.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/drivers.h"
#include "net/groups.h"
#include "net/random.h"
#include "net/virtio.h"

#define TX_WAIT_NS (10 * NS_PER_MS)
#define CONTROL_WAIT_NS NS_PER_S
#define F_MAC (UINT64_C(1) << 5)
#define F_STATUS (UINT64_C(1) << 16)
#define F_CONTROL (UINT64_C(1) << 17 | UINT64_C(1) << 18) /* and it has receive modes */

enum { QUEUE_RX = 0, QUEUE_TX = 1, QUEUE_CONTROL = 2 };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, STATUS_LINK_UP = 1 };
enum { FRAME_AT = 16 + ETH_PAD_SIZE, BUFFER = 1536, PAGE = 4096 };
enum { RX = PROGRAM_ROUTER ? 32 : 8, TX = 8, CONTROL = 2 };
enum { CLASS_RX = 0, RX_PROMISCUOUS = 0, CLASS_MAC = 1, MAC_TABLE = 0 }; /* 5.1.6.5 */
enum { GROUPS_MOST = 32 };

/* A command, as much of it as it needs, and its answer. */
struct control {
    uint8_t class, command;
    union {
        uint8_t on;
        struct {
            uint32_t stations, groups; /* how many addresses: of stations, none */
            uint8_t group[GROUPS_MOST][ETH_HWADDR_LEN];
        } __attribute__((packed)) table;
    };
    uint8_t answer;
} __attribute__((packed));

struct card {
    struct virtio device;
    struct vq rx, tx, commands;
    struct control *control; /* NULL: it is not controlled */
    unsigned rx_buffers, tx_buffers;
    uint8_t *rx_memory, *tx_memory;
    uint8_t tx_free[TX]; /* a stack: the last one used is used again first */
    unsigned tx_free_count;
    bool has_mac, has_status;
};

/* 5.1.6: num_buffers is there on the modern interface always, on the legacy one only
   with VIRTIO_NET_F_MRG_RXBUF, which is not asked for. */
static uint32_t header_len(const struct card *c)
{
    return c->device.version == 1 ? 10 : 12;
}

static uint8_t *rx_buffer(const struct card *c, unsigned i)
{
    return c->rx_memory + i * BUFFER;
}

static uint8_t *tx_buffer(const struct card *c, unsigned i)
{
    return c->tx_memory + i * BUFFER;
}

static void link_update(struct nic *nic)
{
    struct card *c = nic->card;

    nic_link_set(nic,
                 !c->has_status || (virtio_config16(&c->device, CONFIG_STATUS) & STATUS_LINK_UP));
}

static void rx_poll(struct nic *nic)
{
    struct card *c = nic->card;
    struct vq_used u;
    bool any = false;

    while (vq_take(&c->rx, &u)) {
        unsigned i = u.id / 2;

        any = true;
        if (u.id % 2 != 0 || i >= c->rx_buffers) {
            nic->rx_dropped++; /* no chain of ours starts there */
            continue;
        }
        nic_frame_received(nic, rx_buffer(c, i) + FRAME_AT,
                           u.len > header_len(c) ? u.len - header_len(c) : 0);
        vq_offer(&c->rx, (uint16_t)u.id);
    }
    if (any)
        vq_kick(&c->device, &c->rx);
}

static void tx_reclaim(struct card *c)
{
    struct vq_used u;

    while (vq_take(&c->tx, &u))
        if (u.id % 2 == 0 && u.id / 2 < c->tx_buffers && c->tx_free_count < c->tx_buffers)
            c->tx_free[c->tx_free_count++] = (uint8_t)(u.id / 2);
}

/* Wait for a buffer while the device is busy, but not for ever. Frames that come
   meanwhile wait in the receive ring. */
static bool tx_wait(struct card *c)
{
    uint64_t deadline = clock_ns() + TX_WAIT_NS;

    tx_reclaim(c);
    if (c->tx_free_count > 0)
        return true;
    vq_want_interrupts(&c->tx, true);
    for (tx_reclaim(c); c->tx_free_count == 0 && clock_ns() < deadline; tx_reclaim(c))
        clock_sleep(deadline);
    vq_want_interrupts(&c->tx, false);
    return c->tx_free_count > 0;
}

static const uint8_t *net_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    unsigned i;
    uint8_t *frame;

    if (!tx_wait(c))
        return NULL;
    i = c->tx_free[--c->tx_free_count];
    frame = tx_buffer(c, i) + FRAME_AT;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    c->tx.desc[2 * i + 1].len = len;
    vq_offer(&c->tx, (uint16_t)(2 * i));
    vq_kick(&c->device, &c->tx);
    return frame;
}

static void rings_fill(struct card *c)
{
    uint32_t header = header_len(c);

    for (unsigned i = 0; i < c->tx_buffers; i++) {
        uintptr_t at = (uintptr_t)tx_buffer(c, i);

        /* All header fields stay 0: no offload is asked for. */
        c->tx.desc[2 * i] = (struct vq_desc){at, header, VQ_DESC_NEXT, (uint16_t)(2 * i + 1)};
        c->tx.desc[2 * i + 1] = (struct vq_desc){at + FRAME_AT, 0, 0, 0};
    }
    c->tx_free_count = c->tx_buffers;
    for (unsigned i = 0; i < c->tx_buffers; i++)
        c->tx_free[i] = (uint8_t)(c->tx_buffers - 1 - i);
    for (unsigned i = 0; i < c->rx_buffers; i++) {
        uintptr_t at = (uintptr_t)rx_buffer(c, i);

        c->rx.desc[2 * i] =
            (struct vq_desc){at, header, VQ_DESC_NEXT | VQ_DESC_WRITE, (uint16_t)(2 * i + 1)};
        c->rx.desc[2 * i + 1] = (struct vq_desc){at + FRAME_AT, NIC_FRAME_MOST, VQ_DESC_WRITE, 0};
        vq_offer(&c->rx, (uint16_t)(2 * i));
    }
}

/* The configuration may change while it is read: read until it held still (2.5.1). */
static void net_read_address(struct nic *nic)
{
    struct card *c = nic->card;
    uint32_t before;

    if (c->has_mac) {
        do {
            before = virtio_config_generation(&c->device);
            for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
                nic->netif.hwaddr[i] = virtio_config8(&c->device, CONFIG_MAC + i);
        } while (before != virtio_config_generation(&c->device));
    } else {
        for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
            nic->netif.hwaddr[i] = (u8_t)random_u32();
        nic->netif.hwaddr[0] = (nic->netif.hwaddr[0] & 0xfe) | 0x02; /* 5.1.5: local */
    }
}

static bool queues_start(struct card *c)
{
    unsigned rx = virtio_queue_size(&c->device, QUEUE_RX, 2 * RX);
    unsigned tx = virtio_queue_size(&c->device, QUEUE_TX, 2 * TX);
    uint8_t *memory;

    if (rx < 2 || tx < 2)
        return false;
    c->rx_buffers = rx / 2;
    c->tx_buffers = tx / 2;
    memory = memory_take(vq_bytes(tx) + c->tx_buffers * BUFFER, PAGE);
    if (!memory || !virtio_queue_start(&c->device, &c->tx, QUEUE_TX, tx, memory))
        return false;
    c->tx_memory = memory + vq_bytes(tx);
    memory = memory_take(vq_bytes(rx) + c->rx_buffers * BUFFER, PAGE);
    if (!memory || !virtio_queue_start(&c->device, &c->rx, QUEUE_RX, rx, memory))
        return false;
    c->rx_memory = memory + vq_bytes(rx);
    return true;
}

/* What it takes lies beside the card's struct, on a page that is written anyway. */
static bool control_start(struct card *c)
{
    uint8_t *memory;

    if (virtio_queue_size(&c->device, QUEUE_CONTROL, CONTROL) != CONTROL)
        return true;
    memory = memory_take(vq_bytes(CONTROL) + sizeof *c->control, VQ_USED_ALIGN);
    if (!memory || !virtio_queue_start(&c->device, &c->commands, QUEUE_CONTROL, CONTROL, memory))
        return false;
    c->control = (struct control *)(memory + vq_bytes(CONTROL));
    vq_want_interrupts(&c->commands, false);
    return true;
}

/* Do what is in *c->control, `len` bytes of data behind its two of class and command. Until it is
   done the command is the device's: one that takes forever is given no other. */
static bool control_run(struct card *c, uint32_t len)
{
    uint64_t deadline = clock_ns() + CONTROL_WAIT_NS;
    struct vq_used u;

    c->commands.desc[0] = (struct vq_desc){(uintptr_t)c->control, 2 + len, VQ_DESC_NEXT, 1};
    c->commands.desc[1] = (struct vq_desc){(uintptr_t)&c->control->answer, 1, VQ_DESC_WRITE, 0};
    vq_offer(&c->commands, 0);
    vq_kick(&c->device, &c->commands);
    while (!vq_take(&c->commands, &u))
        if (clock_ns() > deadline) {
            c->control = NULL;
            return false;
        }
    return true;
}

/* Everything, if there are more groups than there is room for, or an address that the device does
   not know. */
static void net_groups_set(struct nic *nic)
{
    struct card *c = nic->card;
    struct control *control = c->control;
    const struct igmp_group *at = NULL;
    uint8_t mac[ETH_HWADDR_LEN];
    unsigned count = 0;

    if (!control)
        return;
    for (; groups_next(nic, &at, mac); count++)
        if (count < GROUPS_MOST)
            memcpy(control->table.group[count], mac, sizeof mac);
    control->class = CLASS_MAC;
    control->command = MAC_TABLE;
    control->table.stations = 0;
    control->table.groups = count < GROUPS_MOST ? count : GROUPS_MOST;
    if (!control_run(c, 8 + control->table.groups * ETH_HWADDR_LEN))
        return;
    control->class = CLASS_RX;
    control->command = RX_PROMISCUOUS;
    control->on = count > GROUPS_MOST || !c->has_mac;
    control_run(c, 1);
}

static void net_interrupt(struct nic *nic)
{
    struct card *c = nic->card;
    uint32_t pending = virtio_irq_take(&c->device);

    if (pending & VIRTIO_IRQ_CONFIG) {
        if (virtio_status(&c->device) & VIRTIO_STATUS_NEEDS_RESET) {
            printf("%s: the device failed\n", nic->name);
            nic_link_set(nic, false);
            return;
        }
        link_update(nic);
    }
    rx_poll(nic);
}

static bool net_start(struct nic *nic)
{
    struct card *c = nic->card;
    uint64_t wanted = F_MAC | F_STATUS | (c->device.version == 1 ? 0 : F_CONTROL), got;

    if (!virtio_start(&c->device, wanted, &got) ||
        ((got & F_CONTROL) == F_CONTROL && !control_start(c)) || !queues_start(c))
        return false;
    c->has_status = (got & F_STATUS) != 0;
    c->has_mac = (got & F_MAC) != 0;
    net_read_address(nic);
    rings_fill(c);
    /* A sent frame is noticed when the next one is sent. */
    vq_want_interrupts(&c->tx, false);
    virtio_ready(&c->device);
    vq_kick(&c->device, &c->rx);
    link_update(nic);
    return true;
}

static bool mmio_match(const struct nic_place *at)
{
    struct virtio v;

    return virtio_mmio_open(&v, at->node) && virtio_mmio_id(&v) == VIRTIO_ID_NET;
}

static bool mmio_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    virtio_mmio_open(&c->device, at->node);
    if (c->device.version == 1)
        nic->model = "virtio-net (legacy)";
    return net_start(nic);
}

static bool pci_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    return virtio_pci_open(&c->device, &at->card) && net_start(nic);
}

const struct nic_driver virtio_net_driver = {
    .name = "virtio-net",
    .compatible = "virtio,mmio",
    .size = sizeof(struct card),
    .match = mmio_match,
    .start = mmio_start,
    .read_address = net_read_address,
    .send = net_send,
    .interrupt = net_interrupt,
    .groups_set = net_groups_set,
};

static const uint32_t net_cards[] = {PCI_ID(0x1af4, 0x1000), PCI_ID(0x1af4, 0x1041), 0};

const struct nic_driver virtio_net_pci_driver = {
    .name = "virtio-net-pci",
    .cards = net_cards,
    .size = sizeof(struct card),
    .start = pci_start,
    .read_address = net_read_address,
    .send = net_send,
    .interrupt = net_interrupt,
    .groups_set = net_groups_set,
};
