/*
 * AMD's PCnet-PCI (the sections are those of the Am79C970A data sheet, 19436): rings of 32-bit
 * descriptors (software style 2), one buffer each.
 *
 *     descriptor  | address 4 | -size 2 | status 2 | length or errors 4 | ours 4 |
 *
 * A descriptor is the card's while OWN is set. Whether there is a link only shows on an LED,
 * of which no interrupt tells, so the link is always up.
 */
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/memory.h"
#include "net/drivers.h"
#include "net/groups.h"

/* 16 bits wide, as after a reset. RAP selects which CSR is behind RDP and which BCR behind BDP. */
enum { APROM = 0x00, RDP = 0x10, RAP = 0x12, RESET = 0x14, BDP = 0x16 };
enum { /* CSRs */
       INIT_LOW = 1,
       INIT_HIGH = 2,
       MASKS = 3,
       FEATURES = 4,
       SUSPEND = 5,
       LADRF = 8,
       PADR = 12,
};
enum { STYLE = 20 }; /* a BCR */

/* CSR0, and CSR3, which masks what is in the same place. */
enum {
    INIT = 0x0001,
    START = 0x0002,
    DEMAND = 0x0008,
    ENABLE = 0x0040,
    INIT_DONE = 0x0100,
    SENT = 0x0200,
    RECEIVED = 0x0400,
    CAUSES = 0x7f00,
};
enum { PAD = 0x0800, QUIET = 0x0115 }; /* CSR4: and none of its interrupts */
enum { STYLE_32BIT = 2 };

enum { OWN = 0x8000, ERROR = 0x4000, FIRST = 0x0200, LAST = 0x0100 }; /* of a descriptor */

enum { RX_LOG = PROGRAM_ROUTER ? 5 : 3, TX_LOG = 3, RX = 1 << RX_LOG, TX = 1 << TX_LOG };
enum { BUFFER = 1536, CRC = 4, LENGTH = 0xfff };

#define WAIT_NS (10 * NS_PER_MS)

struct desc {
    uint32_t address;
    uint16_t size, status;
    uint32_t message, ours;
};

/* The initialization block, 32 bits wide. */
struct setup {
    uint16_t mode;
    uint8_t rx_log, tx_log; /* in the upper four bits */
    uint8_t address[ETH_HWADDR_LEN];
    uint16_t reserved;
    uint8_t multicast[8];
    uint32_t rx, tx;
};

struct card {
    uintptr_t base;
    volatile struct desc *rx, *tx;
    uint8_t *rx_memory, *tx_memory;
    unsigned rx_at, tx_at; /* the descriptors used next */
    struct setup setup;
};

static uint16_t csr_get(const struct card *c, unsigned n)
{
    io_write16(c->base + RAP, (uint16_t)n);
    return io_read16(c->base + RDP);
}

static void csr_set(const struct card *c, unsigned n, unsigned value)
{
    io_write16(c->base + RAP, (uint16_t)n);
    io_write16(c->base + RDP, (uint16_t)value);
}

/* Wait for a bit that the card will set, but not for ever. */
static bool csr_wait(const struct card *c, unsigned n, unsigned bit)
{
    uint64_t deadline = clock_ns() + WAIT_NS;

    while (!(csr_get(c, n) & bit))
        if (clock_ns() > deadline)
            return false;
    return true;
}

/* --- starting --- */

static void rx_offer(volatile struct desc *d)
{
    d->message = 0;
    d->size = (uint16_t)-BUFFER;
    memory_fence();
    d->status = OWN;
}

static bool rings_fill(struct card *c)
{
    uint8_t *memory = memory_take((RX + TX) * (sizeof(struct desc) + BUFFER), 16);

    if (!memory)
        return false;
    c->rx = (volatile struct desc *)memory;
    c->tx = c->rx + RX;
    c->rx_memory = memory + (RX + TX) * sizeof(struct desc);
    c->tx_memory = c->rx_memory + RX * BUFFER;
    for (unsigned i = 0; i < RX; i++) {
        c->rx[i].address = (uint32_t)(uintptr_t)c->rx_memory + i * BUFFER;
        rx_offer(&c->rx[i]);
    }
    for (unsigned i = 0; i < TX; i++)
        c->tx[i].address = (uint32_t)(uintptr_t)c->tx_memory + i * BUFFER;
    return true;
}

/* INIT reads the block, and is done when INIT_DONE says so. */
static bool setup_load(struct nic *nic)
{
    struct card *c = nic->card;
    uintptr_t at = (uintptr_t)&c->setup;

    c->setup.rx_log = RX_LOG << 4;
    c->setup.tx_log = TX_LOG << 4;
    memcpy(c->setup.address, nic->netif.hwaddr, ETH_HWADDR_LEN);
    c->setup.rx = (uint32_t)(uintptr_t)c->rx;
    c->setup.tx = (uint32_t)(uintptr_t)c->tx;
    io_fence();
    csr_set(c, INIT_LOW, (unsigned)at);
    csr_set(c, INIT_HIGH, (unsigned)(at >> 16));
    csr_set(c, 0, INIT);
    return csr_wait(c, 0, INIT_DONE);
}

static void address_read(struct nic *nic)
{
    const struct card *c = nic->card;

    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
        nic->netif.hwaddr[i] = io_read8(c->base + APROM + i);
}

static bool pcnet_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    c->base = at->card.bars[1];
    if (!c->base || !rings_fill(c))
        return false;
    io_read16(c->base + RESET);
    io_write16(c->base + RAP, STYLE);
    io_write16(c->base + BDP, STYLE_32BIT);
    address_read(nic);
    csr_set(c, MASKS, INIT_DONE | SENT);
    csr_set(c, FEATURES, PAD | QUIET);
    if (!setup_load(nic))
        return false;
    csr_set(c, 0, INIT_DONE | START | ENABLE);
    return true;
}

/* What the card receives at is its driver's to set, while it is suspended. */
static void filter_set(const struct card *c, unsigned csr, const uint16_t *to, unsigned count)
{
    csr_set(c, SUSPEND, 1);
    csr_wait(c, SUSPEND, 1);
    for (unsigned i = 0; i < count; i++)
        csr_set(c, csr + i, to[i]);
    csr_set(c, SUSPEND, 0);
}

static void pcnet_read_address(struct nic *nic)
{
    uint16_t address[ETH_HWADDR_LEN / 2];

    address_read(nic);
    memcpy(address, nic->netif.hwaddr, sizeof address);
    filter_set(nic->card, PADR, address, ETH_HWADDR_LEN / 2);
}

static void pcnet_groups_set(struct nic *nic)
{
    uint64_t hash = groups_hash_last(nic);
    uint16_t filter[4];

    memcpy(filter, &hash, sizeof filter);
    filter_set(nic->card, LADRF, filter, 4);
}

/* --- receiving --- */

static void packet_take(struct nic *nic, volatile struct desc *d, const uint8_t *frame)
{
    unsigned status = d->status & (ERROR | FIRST | LAST), len = d->message & LENGTH;

    if (status != (FIRST | LAST) || len < CRC || len > BUFFER)
        nic->rx_dropped++;
    else
        nic_frame_received(nic, frame, len - CRC);
}

/* Once round the ring at most: what comes meanwhile interrupts again. */
static void rx_poll(struct nic *nic)
{
    struct card *c = nic->card;

    for (unsigned i = 0; i < RX && !(c->rx[c->rx_at].status & OWN); i++) {
        volatile struct desc *d = &c->rx[c->rx_at];

        memory_fence();
        packet_take(nic, d, c->rx_memory + c->rx_at * BUFFER);
        rx_offer(d);
        c->rx_at = (c->rx_at + 1) % RX;
    }
}

/* Any cause that is not masked: of frames without a buffer it is enough to know that there are
 * some. */
static void pcnet_interrupt(struct nic *nic)
{
    const struct card *c = nic->card;
    unsigned why = csr_get(c, 0) & CAUSES;

    if (!(why & ~(INIT_DONE | SENT)))
        return;
    csr_set(c, 0, why | ENABLE);
    rx_poll(nic);
}

/* --- sending --- */

static bool tx_wait(const struct card *c)
{
    uint64_t deadline = clock_ns() + WAIT_NS;

    while (c->tx[c->tx_at].status & OWN)
        if (clock_ns() > deadline)
            return false;
    return true;
}

static const uint8_t *pcnet_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    volatile struct desc *d = &c->tx[c->tx_at];
    uint8_t *frame = c->tx_memory + c->tx_at * BUFFER;

    if (!tx_wait(c))
        return NULL;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    d->message = 0;
    d->size = (uint16_t)-len;
    memory_fence();
    d->status = OWN | FIRST | LAST;
    c->tx_at = (c->tx_at + 1) % TX;
    io_fence();
    csr_set(c, 0, DEMAND | ENABLE);
    return frame;
}

static const uint32_t pcnet_cards[] = {PCI_ID(0x1022, 0x2000), 0};

const struct nic_driver pcnet_driver = {
    .name = "pcnet",
    .cards = pcnet_cards,
    .size = sizeof(struct card),
    .start = pcnet_start,
    .read_address = pcnet_read_address,
    .send = pcnet_send,
    .interrupt = pcnet_interrupt,
    .groups_set = pcnet_groups_set,
};
