/*
 * Digital's 21143, "tulip" (the sections are those of its Hardware Reference Manual, 278074): rings
 * of descriptors, one buffer each.
 *
 *     descriptor  | OWN, status 4 | control, size 4 | buffer 4 | second buffer 4 |        4.2
 *     memory      | both rings | receive buffers | transmit buffers | setup frame 192 |
 *
 * The chip's own 100BASE-TX port is used, since an interrupt tells of its link; a PHY on the MII
 * would have to be asked again and again.
 */
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/memory.h"
#include "net/drivers.h"
#include "net/groups.h"

/* Registers (3.2.2). */
enum {
    BUS = 0x00,
    TX_DEMAND = 0x08,
    RX_DEMAND = 0x10,
    RX_LIST = 0x18,
    TX_LIST = 0x20,
    STATUS = 0x28,
    MODE = 0x30,
    ENABLE = 0x38,
    ROM = 0x48,
    SIA_STATUS = 0x60,
    SIA = 0x68,
    SIA_MODE = 0x70,
};
enum { BUS_RESET = 1, BUS_ALIGNED = 2 << 14 };
enum {
    RECEIVED = 1 << 6,
    NO_BUFFER = 1 << 7,
    ABNORMAL = 1 << 15,
    NORMAL = 1 << 16,
    LINK_CHANGED = 1 << 27,
    WANTED = RECEIVED | NO_BUFFER | LINK_CHANGED,
};
enum {
    MODE_RX = 1 << 1,
    MODE_FULL_DUPLEX = 1 << 9,
    MODE_TX = 1 << 13,
    MODE_100BASETX = 1 << 18 | 1 << 19 | 1 << 23 | 1 << 24, /* port, no heartbeat, PCS, scrambler */
    MODE_WHOLE = 1 << 21, /* before it is sent, it is in the FIFO */
    MODE_ONE = 1 << 25,
};
enum { SIA_STATUS_NO_LINK = 1 << 1 };

/* Of a descriptor: its status, and its control. */
enum { CRC_ERROR = 1 << 1, WATCHDOG = 1 << 4, RUNT = 1 << 11, CUT = 1 << 14 };
enum { FIRST = 1 << 9, LAST = 1 << 8, BAD = CRC_ERROR | WATCHDOG | RUNT | CUT };
#define OWN (1u << 31)
enum { RING_END = 1 << 25, TX_SETUP = 1 << 27 | 1 << 22, TX_PACKET = 1 << 30 | 1 << 29 };

/* The serial ROM's wires (3.2.2.9), and what is in it. */
enum { ROM_CS = 1, ROM_CLOCK = 2, ROM_IN = 4, ROM_OUT = 8, ROM_SELECT = 1 << 11 | 1 << 14 };
enum { ROM_READ = 6, ROM_READ_BITS = 3, ROM_ADDRESS_BITS = 6, ROM_WORD_BITS = 16, ROM_MAC = 10 };

enum { RX = PROGRAM_ROUTER ? 32 : 8, TX = 8, BUFFER = 1536, CRC = 4 };
enum { SETUP = 192, SETUP_ADDRESS = 156 };

#define WAIT_NS (10 * NS_PER_MS)
#define RESET_NS (10 * NS_PER_US) /* 50 cycles of the bus are enough (3.2.2.1) */

struct desc {
    uint32_t status, control, buffer, second;
};

struct card {
    uintptr_t base;
    volatile struct desc *rx, *tx;
    uint8_t *rx_memory, *tx_memory, *setup;
    volatile struct desc *setup_sent; /* by which it was sent last, or NULL */
    unsigned rx_at, tx_at;            /* the descriptors used next */
};

static uint32_t get(const struct card *c, unsigned reg)
{
    return io_read32(c->base + reg);
}

static void set(const struct card *c, unsigned reg, uint32_t value)
{
    io_write32(c->base + reg, value);
}

/* --- the serial ROM --- */

/* One bit in, one bit out. */
static unsigned rom_bit(const struct card *c, unsigned in)
{
    uint32_t wires = ROM_SELECT | ROM_CS | (in ? ROM_IN : 0);
    unsigned out;

    set(c, ROM, wires);
    set(c, ROM, wires | ROM_CLOCK);
    out = get(c, ROM) & ROM_OUT ? 1 : 0;
    set(c, ROM, wires);
    return out;
}

static unsigned rom_read(const struct card *c, unsigned at)
{
    unsigned command = ROM_READ << ROM_ADDRESS_BITS | at, word = 0;

    set(c, ROM, ROM_SELECT);
    for (unsigned i = ROM_READ_BITS + ROM_ADDRESS_BITS; i-- > 0;)
        rom_bit(c, command >> i & 1);
    for (unsigned i = 0; i < ROM_WORD_BITS; i++)
        word = word << 1 | rom_bit(c, 0);
    set(c, ROM, ROM_SELECT);
    return word;
}

static void address_read(struct nic *nic)
{
    for (unsigned i = 0; i < ETH_HWADDR_LEN; i += 2) {
        unsigned word = rom_read(nic->card, ROM_MAC + i / 2);

        nic->netif.hwaddr[i] = (u8_t)word;
        nic->netif.hwaddr[i + 1] = (u8_t)(word >> 8);
    }
}

/* --- sending --- */

/* Wait until a descriptor is the driver's, but not for ever. */
static bool tx_wait(const volatile struct desc *d)
{
    uint64_t deadline = clock_ns() + WAIT_NS;

    while (d->status & OWN)
        if (clock_ns() > deadline)
            return false;
    return true;
}

static void tx_give(struct card *c, const uint8_t *at, uint32_t control)
{
    volatile struct desc *d = &c->tx[c->tx_at];

    d->buffer = (uint32_t)(uintptr_t)at;
    d->control = control | (c->tx_at == TX - 1 ? RING_END : 0);
    memory_fence();
    d->status = OWN;
    c->tx_at = (c->tx_at + 1) % TX;
    io_fence();
    set(c, TX_DEMAND, 1);
}

static const uint8_t *tulip_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    uint8_t *frame = c->tx_memory + c->tx_at * BUFFER;

    if (!tx_wait(&c->tx[c->tx_at]))
        return NULL;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    tx_give(c, frame, TX_PACKET | len);
    return frame;
}

/* Bits of a setup frame lie in the lower halves of its longwords. */
static void hash_add(uint8_t *setup, const uint8_t mac[ETH_HWADDR_LEN])
{
    unsigned bit = groups_crc(mac) & 0x1ff;

    setup[bit / 16 * 4 + bit / 8 % 2] |= (uint8_t)(1 << bit % 8);
}

/* What the card receives at is sent to it (4.2.3): its own address, and 512 bits of a hash, one of
   which each group has, and everyone. */
static bool filter_set(struct nic *nic)
{
    static const uint8_t everyone[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct card *c = nic->card;
    const struct igmp_group *at = NULL;
    uint8_t mac[ETH_HWADDR_LEN];

    if ((c->setup_sent && !tx_wait(c->setup_sent)) || !tx_wait(&c->tx[c->tx_at]))
        return false;
    memset(c->setup, 0, SETUP);
    hash_add(c->setup, everyone);
    while (groups_next(nic, &at, mac))
        hash_add(c->setup, mac);
    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
        c->setup[SETUP_ADDRESS + i / 2 * 4 + i % 2] = nic->netif.hwaddr[i];
    c->setup_sent = &c->tx[c->tx_at];
    tx_give(c, c->setup, TX_SETUP | SETUP);
    return true;
}

static void tulip_groups_set(struct nic *nic)
{
    filter_set(nic);
}

static void tulip_read_address(struct nic *nic)
{
    address_read(nic);
    filter_set(nic);
}

/* --- starting --- */

static void rx_offer(volatile struct desc *d)
{
    memory_fence();
    d->status = OWN;
}

static bool rings_start(struct card *c)
{
    uint8_t *memory = memory_take((RX + TX) * (sizeof(struct desc) + BUFFER) + SETUP, 16);

    if (!memory)
        return false;
    c->rx = (volatile struct desc *)memory;
    c->tx = c->rx + RX;
    c->rx_memory = memory + (RX + TX) * sizeof(struct desc);
    c->tx_memory = c->rx_memory + RX * BUFFER;
    c->setup = c->tx_memory + TX * BUFFER;
    for (unsigned i = 0; i < RX; i++) {
        c->rx[i].buffer = (uint32_t)(uintptr_t)c->rx_memory + i * BUFFER;
        c->rx[i].control = BUFFER | (i == RX - 1 ? RING_END : 0);
        rx_offer(&c->rx[i]);
    }
    io_fence();
    set(c, RX_LIST, (uint32_t)(uintptr_t)c->rx);
    set(c, TX_LIST, (uint32_t)(uintptr_t)c->tx);
    return true;
}

static void reset(const struct card *c)
{
    uint64_t until = clock_ns() + RESET_NS;

    set(c, BUS, BUS_RESET);
    while (clock_ns() < until)
        clock_sleep(until);
    set(c, BUS, BUS_ALIGNED);
}

static void link_update(struct nic *nic)
{
    nic_link_set(nic, !(get(nic->card, SIA_STATUS) & SIA_STATUS_NO_LINK));
}

static bool tulip_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;
    uint32_t mode = MODE_100BASETX | MODE_FULL_DUPLEX | MODE_WHOLE | MODE_ONE;

    c->base = at->card.bars[1];
    if (!c->base)
        return false;
    reset(c);
    address_read(nic);
    if (!rings_start(c))
        return false;
    set(c, SIA, 0);
    set(c, SIA_MODE, 0); /* nothing is negotiated */
    set(c, MODE, mode | MODE_TX);
    if (!filter_set(nic))
        return false;
    set(c, STATUS, ~0u); /* before anything can be received */
    set(c, MODE, mode | MODE_TX | MODE_RX);
    set(c, ENABLE, WANTED | NORMAL | ABNORMAL);
    link_update(nic);
    return true;
}

/* --- receiving --- */

static void packet_take(struct nic *nic, uint32_t status, const uint8_t *frame)
{
    unsigned len = status >> 16 & 0x3fff;

    if ((status & (BAD | FIRST | LAST)) != (FIRST | LAST) || len < CRC || len > BUFFER)
        nic->rx_dropped++;
    else
        nic_frame_received(nic, frame, len - CRC);
}

/* Once round the ring at most: what comes meanwhile interrupts again. */
static void rx_poll(struct nic *nic)
{
    struct card *c = nic->card;

    for (unsigned i = 0; i < RX; i++) {
        volatile struct desc *d = &c->rx[c->rx_at];
        uint32_t status = d->status;

        if (status & OWN)
            return;
        memory_fence();
        packet_take(nic, status, c->rx_memory + c->rx_at * BUFFER);
        rx_offer(d);
        c->rx_at = (c->rx_at + 1) % RX;
    }
}

static void tulip_interrupt(struct nic *nic)
{
    const struct card *c = nic->card;
    uint32_t why = get(c, STATUS) & WANTED;

    if (why == 0)
        return;
    set(c, STATUS, why | NORMAL | ABNORMAL);
    if (why & LINK_CHANGED)
        link_update(nic);
    rx_poll(nic);
    io_fence();
    if (why & NO_BUFFER)
        set(c, RX_DEMAND, 1);
}

static const uint32_t tulip_cards[] = {PCI_ID(0x1011, 0x0019), 0};

const struct nic_driver tulip_driver = {
    .name = "tulip",
    .cards = tulip_cards,
    .size = sizeof(struct card),
    .start = tulip_start,
    .read_address = tulip_read_address,
    .send = tulip_send,
    .interrupt = tulip_interrupt,
    .groups_set = tulip_groups_set,
};
