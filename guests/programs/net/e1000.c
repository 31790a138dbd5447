/*
 * Intel's gigabit controllers 8254x and 82574: receive and transmit rings of legacy
 * descriptors, one buffer each, no offloads. The sections are those of the 8254x manual,
 * 317453; the 82574's (317694) has the same registers at the same places.
 *
 *     receive    | address 8 | length 2 | checksum 2 | status 1 | errors 1 | tag 2 |      3.2.3
 *     transmit   | address 8 | length 2 | CSO 1 | command 1 | status 1 | CSS 1 | tag 2 |  3.3.3
 *     memory     | both rings | receive buffers of 2048 | transmit buffers of 1536 |
 *
 * A ring's tail is what the card may not use yet, so one receive buffer is always idle.
 */
#include "base/clock.h"
#include "base/io.h"
#include "base/memory.h"
#include "net/drivers.h"
#include "net/groups.h"

/* Registers (13.3). */
enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    ICR = 0x00c0,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    TIPG = 0x0410,
    RDBAL = 0x2800,
    TDBAL = 0x3800,
    MTA = 0x5200,
    RAL = 0x5400,
    RAH = 0x5404,
};
enum { RING_HIGH = 0x04, RING_LEN = 0x08, RING_HEAD = 0x10, RING_TAIL = 0x18 }; /* behind xDBAL */

#define CTRL_RST (1u << 26)
#define CTRL_OFF (1u << 31 | 1u << 30 | 1u << 7 | 1u << 3) /* PHY reset, tags, loss, link reset */
enum { CTRL_ASDE = 1 << 5, CTRL_SLU = 1 << 6, STATUS_LU = 2 };
enum { LINK_CHANGED = 0x04, OVERRUN = 0x40, RECEIVED = 0x80 };
enum { RCTL_EN = 1 << 1, RCTL_BAM = 1 << 15, RCTL_SECRC = 1 << 26 }; /* buffers of 2048 */
enum { TCTL_EN = 1 << 1, TCTL_PSP = 1 << 3, TCTL_COLLISIONS = 0x0f << 4 | 0x40 << 12 };
#define TIPG_IEEE (10u | 8u << 10 | 6u << 20)

enum { DONE = 1, PACKET_END = 2 };             /* status */
enum { COMMAND_PACKET = 1 | 2 | 8 };           /* its end, with CRC, say when done */
enum { RX = PROGRAM_ROUTER ? 32 : 8, TX = 8 }; /* multiples of 8: RDLEN, TDLEN */
enum { RX_BUFFER = 2048, TX_BUFFER = 1536, MULTICAST_WORDS = 128 };

#define RESET_NS (10 * NS_PER_MS)
#define TX_WAIT_NS (10 * NS_PER_MS)

struct rx_desc {
    uint64_t address;
    uint16_t len, sum;
    uint8_t status, errors;
    uint16_t tag;
};

struct tx_desc {
    uint64_t address;
    uint16_t len;
    uint8_t cso, command, status, css;
    uint16_t tag;
};

struct card {
    uintptr_t base;
    volatile struct rx_desc *rx;
    volatile struct tx_desc *tx;
    uint8_t *rx_memory, *tx_memory;
    unsigned rx_at, tx_at; /* the descriptors used next */
};

static uint32_t get(const struct card *c, unsigned reg)
{
    return io_read32(c->base + reg);
}

static void set(const struct card *c, unsigned reg, uint32_t value)
{
    io_write32(c->base + reg, value);
}

/* --- starting (14.3 to 14.5) --- */

static bool reset(const struct card *c)
{
    uint64_t until = clock_ns() + RESET_NS;

    set(c, IMC, ~0u);
    set(c, CTRL, get(c, CTRL) | CTRL_RST);
    while (clock_ns() < until) /* the EEPROM is read again */
        clock_sleep(until);
    set(c, IMC, ~0u);
    return !(get(c, CTRL) & CTRL_RST);
}

static void ring_set(const struct card *c, unsigned ring, volatile void *at, unsigned bytes)
{
    set(c, ring, (uint32_t)(uintptr_t)at);
    set(c, ring + RING_HIGH, (uint32_t)((uintptr_t)at >> 32));
    set(c, ring + RING_LEN, bytes);
    set(c, ring + RING_HEAD, 0);
    set(c, ring + RING_TAIL, 0);
}

static bool rings_start(struct card *c)
{
    unsigned rings = RX * sizeof *c->rx + TX * sizeof *c->tx;
    uint8_t *memory = memory_take(rings + RX * RX_BUFFER + TX * TX_BUFFER, 128);

    if (!memory)
        return false;
    c->rx = (volatile struct rx_desc *)memory;
    c->tx = (volatile struct tx_desc *)(memory + RX * sizeof *c->rx);
    c->rx_memory = memory + rings;
    c->tx_memory = c->rx_memory + RX * RX_BUFFER;
    for (unsigned i = 0; i < RX; i++)
        c->rx[i].address = (uintptr_t)c->rx_memory + i * RX_BUFFER;
    for (unsigned i = 0; i < TX; i++) {
        c->tx[i].address = (uintptr_t)c->tx_memory + i * TX_BUFFER;
        c->tx[i].status = DONE;
    }
    ring_set(c, RDBAL, c->rx, RX * sizeof *c->rx);
    ring_set(c, TDBAL, c->tx, TX * sizeof *c->tx);
    return true;
}

/* The card has read it from its EEPROM (13.5.2), and receives at it. */
static void e1000_read_address(struct nic *nic)
{
    const struct card *c = nic->card;
    uint64_t address = (uint64_t)get(c, RAH) << 32 | get(c, RAL);

    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
        nic->netif.hwaddr[i] = (u8_t)(address >> 8 * i);
}

/* Bits 47 to 36 of an address pick a bit of the table (13.5.1: RCTL.MO is 0). It is written from
   its end: the 82544 would let an odd word spill over the one before. */
static void e1000_groups_set(struct nic *nic)
{
    const struct igmp_group *at = NULL;
    uint32_t table[MULTICAST_WORDS] = {0};
    uint8_t mac[ETH_HWADDR_LEN];

    while (groups_next(nic, &at, mac)) {
        unsigned bit = (unsigned)mac[5] << 4 | mac[4] >> 4;

        table[bit / 32] |= 1u << bit % 32;
    }
    for (unsigned i = MULTICAST_WORDS; i-- > 0;)
        set(nic->card, MTA + 4 * i, table[i]);
}

static void link_update(struct nic *nic)
{
    nic_link_set(nic, get(nic->card, STATUS) & STATUS_LU);
}

static bool e1000_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    c->base = at->card.bars[0];
    if (!c->base || !reset(c))
        return false;
    set(c, CTRL, (get(c, CTRL) & ~CTRL_OFF) | CTRL_SLU | CTRL_ASDE);
    e1000_read_address(nic);
    if (!rings_start(c))
        return false;
    set(c, TIPG, TIPG_IEEE);
    set(c, TCTL, TCTL_EN | TCTL_PSP | TCTL_COLLISIONS);
    set(c, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
    io_fence();
    set(c, RDBAL + RING_TAIL, RX - 1);
    set(c, IMS, LINK_CHANGED | OVERRUN | RECEIVED);
    link_update(nic);
    return true;
}

/* --- receiving (3.2) --- */

/* Once round the ring at most: what comes meanwhile interrupts again. */
static void rx_poll(struct nic *nic)
{
    struct card *c = nic->card;
    unsigned n;

    for (n = 0; n < RX && (c->rx[c->rx_at].status & DONE); n++) {
        volatile struct rx_desc *d = &c->rx[c->rx_at];

        memory_fence();
        if (!(d->status & PACKET_END) || d->errors || d->len > RX_BUFFER)
            nic->rx_dropped++; /* it is longer than any frame that is for us */
        else
            nic_frame_received(nic, c->rx_memory + c->rx_at * RX_BUFFER, d->len);
        d->status = 0;
        c->rx_at = (c->rx_at + 1) % RX;
    }
    if (n == 0)
        return;
    io_fence();
    set(c, RDBAL + RING_TAIL, (c->rx_at + RX - 1) % RX);
}

static void e1000_interrupt(struct nic *nic)
{
    uint32_t why = get(nic->card, ICR); /* which takes them (13.4.17) */

    if (why & LINK_CHANGED)
        link_update(nic);
    if (why & (OVERRUN | RECEIVED))
        rx_poll(nic);
}

/* --- sending (3.3) --- */

/* The one behind is free as well: a ring that is full looks like an empty one. */
static bool tx_wait(const struct card *c)
{
    const volatile struct tx_desc *behind = &c->tx[(c->tx_at + 1) % TX];
    uint64_t deadline = clock_ns() + TX_WAIT_NS;

    while (!(behind->status & DONE))
        if (clock_ns() > deadline)
            return false;
    return true;
}

static const uint8_t *e1000_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    volatile struct tx_desc *d = &c->tx[c->tx_at];
    uint8_t *frame = c->tx_memory + c->tx_at * TX_BUFFER;

    if (!tx_wait(c))
        return NULL;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    d->len = (uint16_t)len;
    d->command = COMMAND_PACKET;
    d->status = 0;
    c->tx_at = (c->tx_at + 1) % TX;
    io_fence();
    set(c, TDBAL + RING_TAIL, c->tx_at);
    return frame;
}

static const uint32_t e1000_cards[] = {
    PCI_ID(0x8086, 0x100e), /* 82540EM */
    PCI_ID(0x8086, 0x100c), /* 82544GC */
    PCI_ID(0x8086, 0x100f), /* 82545EM */
    PCI_ID(0x8086, 0x10d3), /* 82574L */
    0,
};

const struct nic_driver e1000_driver = {
    .name = "e1000",
    .cards = e1000_cards,
    .size = sizeof(struct card),
    .start = e1000_start,
    .read_address = e1000_read_address,
    .send = e1000_send,
    .interrupt = e1000_interrupt,
    .groups_set = e1000_groups_set,
};
