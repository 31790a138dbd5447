/*
 * Realtek's RTL8139, of any letter (the sections are those of the RTL8139C data sheet): four
 * buffers to send from, and one to receive into that is a ring of bytes.
 *
 *     packet      | status 2 | length 2, with the CRC | frame | CRC 4 |   at multiples of 4
 *     memory      | receive ring | a tail, so that the last packet is in one piece | 4 x 1536 |
 *
 * CAPR, which says how far the ring has been read, is 16 less than that.
 */
#include "base/clock.h"
#include "base/io.h"
#include "base/memory.h"
#include "net/drivers.h"
#include "net/groups.h"

/* Registers (5). */
enum {
    IDR = 0x00,
    MAR = 0x08,
    TSD = 0x10,
    TSAD = 0x20,
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    MSR = 0x58,
};
enum { EMPTY = 0x01, TX_ENABLE = 0x04, RX_ENABLE = 0x08, RESET = 0x10 };
enum {
    RECEIVED = 0x0001,
    DAMAGED = 0x0002,
    OVERFLOW = 0x0010,
    LINK_CHANGED = 0x0020,
    FIFO_OVERFLOW = 0x0040,
    WANTED = RECEIVED | DAMAGED | OVERFLOW | LINK_CHANGED | FIFO_OVERFLOW,
};
enum { TSD_OWN = 1 << 13, TSD_THRESHOLD = 8 << 16 }; /* begin when 256 bytes are there */
enum { TCR_IEEE = 3 << 24, DMA_UNLIMITED = 7 << 8 };
enum {
    RCR_OWN = 0x02,
    RCR_GROUPS = 0x04,
    RCR_BROADCAST = 0x08,
    RCR_TAIL = 0x80,
    RCR_WHOLE = 7 << 13,
};
enum { MSR_NO_LINK = 0x04, PACKET_GOOD = 0x01 };

enum { HEADER = 4, CRC = 4, CAPR_BIAS = 16, FRAME_LEAST = 60 };
enum { RING_CODE = PROGRAM_ROUTER ? 2 : 0, RING = 8192 << RING_CODE, TAIL = 16 + 1536 };
enum { TX = 4, TX_BUFFER = 1536 };

#define RESET_NS (10 * NS_PER_MS)
#define TX_WAIT_NS (10 * NS_PER_MS)

struct card {
    uintptr_t base;
    uint8_t *ring, *tx_memory;
    unsigned at;    /* in the ring: the packet read next */
    unsigned tx_at; /* of the buffers, the one used next */
};

/* --- starting --- */

static bool reset(const struct card *c)
{
    uint64_t deadline = clock_ns() + RESET_NS;

    io_write8(c->base + CR, RESET);
    while (io_read8(c->base + CR) & RESET)
        if (clock_ns() > deadline)
            return false;
    return true;
}

/* Only while the receiver is on are its settings taken. */
static void receiver_start(struct card *c)
{
    io_write8(c->base + CR, TX_ENABLE);
    io_write32(c->base + RBSTART, (uint32_t)(uintptr_t)c->ring);
    io_write8(c->base + CR, TX_ENABLE | RX_ENABLE);
    io_write32(c->base + RCR, RCR_OWN | RCR_GROUPS | RCR_BROADCAST | RCR_TAIL | RCR_WHOLE |
                                  DMA_UNLIMITED | RING_CODE << 11);
    c->at = 0;
    io_write16(c->base + CAPR, (uint16_t)-CAPR_BIAS);
}

/* The card has read it from its EEPROM, and receives at it. */
static void rtl8139_read_address(struct nic *nic)
{
    const struct card *c = nic->card;

    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++)
        nic->netif.hwaddr[i] = io_read8(c->base + IDR + i);
}

static void rtl8139_groups_set(struct nic *nic)
{
    const struct card *c = nic->card;
    uint64_t hash = groups_hash_first(nic);

    io_write32(c->base + MAR, (uint32_t)hash);
    io_write32(c->base + MAR + 4, (uint32_t)(hash >> 32));
}

static void link_update(struct nic *nic)
{
    const struct card *c = nic->card;

    nic_link_set(nic, !(io_read8(c->base + MSR) & MSR_NO_LINK));
}

static bool rtl8139_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    c->base = at->card.bars[1];
    c->ring = memory_take(RING + TAIL + TX * TX_BUFFER, 16);
    if (!c->base || !c->ring || !reset(c))
        return false;
    c->tx_memory = c->ring + RING + TAIL;
    rtl8139_read_address(nic);
    receiver_start(c);
    io_write32(c->base + TCR, TCR_IEEE | DMA_UNLIMITED);
    io_write16(c->base + ISR, 0xffff);
    io_write16(c->base + IMR, WANTED);
    link_update(nic);
    return true;
}

/* --- receiving --- */

/* False when the ring holds nonsense. */
static bool packet_read(struct nic *nic)
{
    struct card *c = nic->card;
    uint8_t *packet = c->ring + c->at;
    unsigned status = *(volatile uint16_t *)packet;
    unsigned len = *(volatile uint16_t *)(packet + 2);

    if (!(status & PACKET_GOOD) || len < FRAME_LEAST + CRC || len > NIC_FRAME_MOST + CRC)
        return false;
    nic_frame_received(nic, packet + HEADER, len - CRC);
    c->at = ((c->at + HEADER + len + 3) & ~3u) % RING;
    io_fence();
    io_write16(c->base + CAPR, (uint16_t)(c->at - CAPR_BIAS));
    return true;
}

/* As many as there can be at most: what comes meanwhile interrupts again. */
static void rx_poll(struct nic *nic)
{
    struct card *c = nic->card;

    for (unsigned i = 0; i < RING / (HEADER + FRAME_LEAST + CRC); i++) {
        if (io_read8(c->base + CR) & EMPTY)
            return;
        memory_fence();
        if (!packet_read(nic)) {
            nic->rx_dropped++;
            receiver_start(c);
        }
    }
}

static void rtl8139_interrupt(struct nic *nic)
{
    struct card *c = nic->card;
    unsigned why = io_read16(c->base + ISR) & WANTED;

    if (why == 0)
        return;
    io_write16(c->base + ISR, (uint16_t)why);
    if (why & LINK_CHANGED)
        link_update(nic);
    if (why & ~LINK_CHANGED)
        rx_poll(nic);
}

/* --- sending --- */

static bool tx_wait(const struct card *c)
{
    uint64_t deadline = clock_ns() + TX_WAIT_NS;

    while (!(io_read32(c->base + TSD + 4 * c->tx_at) & TSD_OWN))
        if (clock_ns() > deadline)
            return false;
    return true;
}

static const uint8_t *rtl8139_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    uint8_t *frame = c->tx_memory + c->tx_at * TX_BUFFER;

    if (!tx_wait(c))
        return NULL;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    for (; len < FRAME_LEAST; len++) /* the chip does not */
        frame[len] = 0;
    io_fence();
    io_write32(c->base + TSAD + 4 * c->tx_at, (uint32_t)(uintptr_t)frame);
    io_write32(c->base + TSD + 4 * c->tx_at, TSD_THRESHOLD | len);
    c->tx_at = (c->tx_at + 1) % TX;
    return frame;
}

static const uint32_t rtl8139_cards[] = {PCI_ID(0x10ec, 0x8139), 0};

const struct nic_driver rtl8139_driver = {
    .name = "rtl8139",
    .cards = rtl8139_cards,
    .size = sizeof(struct card),
    .start = rtl8139_start,
    .read_address = rtl8139_read_address,
    .send = rtl8139_send,
    .interrupt = rtl8139_interrupt,
    .groups_set = rtl8139_groups_set,
};
