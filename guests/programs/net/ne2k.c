/*
 * The NE2000 and its like on PCI (the RTL8029AS): National's DP8390 with 16 KiB of RAM
 * that only the chip sees; the sections are those of the DP8390D data sheet.
 *
 *     page 0x40   a frame to send, 1536 bytes
 *     page 0x46   received packets, in a ring up to page 0x80
 *     packet      | status | page of the next one | length, low | high | frame, CRC |
 *
 * Each frame crosses the data port, a word at a time, and is copied once more here. The
 * card cannot tell whether its cable is plugged in, so the link is always up.
 */
#include <string.h>

#include "base/clock.h"
#include "base/dtb.h"
#include "base/io.h"
#include "net/drivers.h"
#include "net/groups.h"

/* Ports; those of the chip are registers of the page that CR selects (10.1). */
enum { CR = 0x00, DATA = 0x10, RESET = 0x1f };
enum { /* page 0 */
       PSTART = 0x01,
       PSTOP = 0x02,
       BNRY = 0x03,
       TPSR = 0x04,
       TBCR0 = 0x05,
       TBCR1 = 0x06,
       ISR = 0x07,
       RSAR0 = 0x08,
       RSAR1 = 0x09,
       RBCR0 = 0x0a,
       RBCR1 = 0x0b,
       RCR = 0x0c,
       TCR = 0x0d,
       DCR = 0x0e,
       IMR = 0x0f,
};
enum { PAR0 = 0x01, CURR = 0x07, MAR0 = 0x08 }; /* page 1 */

enum {
    STOP = 0x01,
    START = 0x02,
    TRANSMIT = 0x04,
    READ = 0x08,
    WRITE = 0x10,
    IDLE = 0x20,
    PAGE1 = 0x40
};
enum {
    RECEIVED = 0x01,
    SENT = 0x02,
    DAMAGED = 0x04,
    ABORTED = 0x08,
    OVERWRITE = 0x10,
    DONE = 0x40,
    RESTING = 0x80
};
enum { DCR_WORDS = 0x49 }; /* word transfers, no loopback, FIFO of 8 bytes */
enum { RCR_BROADCAST = 0x04, RCR_GROUPS = 0x08, RCR_OFF = 0x20 };
enum { TCR_NORMAL = 0x00, TCR_LOOP = 0x02 };

enum { TX_PAGE = 0x40, FIRST = 0x46, END = 0x80, PAGE = 256 };
enum { HEADER = 4, CRC = 4, FRAME_LEAST = 60, PROM = 32, TX_WAIT_NS = 10 * 1000000 };
#define RESET_NS (2 * NS_PER_MS)
#define OVERFLOW_NS (1600 * UINT64_C(1000))

struct card {
    uintptr_t base;
    uint8_t next; /* page of the packet to be read next */
    uint16_t frame[(NIC_FRAME_MOST + CRC + 3) / 2];
};

static uint8_t get(const struct card *c, unsigned reg)
{
    return io_read8(c->base + reg);
}

static void set(const struct card *c, unsigned reg, unsigned value)
{
    io_write8(c->base + reg, (uint8_t)value);
}

/* --- the card's memory (9) --- */

static void remote_begin(const struct card *c, unsigned command, unsigned at, unsigned len)
{
    set(c, RBCR0, len);
    set(c, RBCR1, len >> 8);
    set(c, RSAR0, at);
    set(c, RSAR1, at >> 8);
    set(c, CR, START | command);
}

/* Whole words; at the ring's end the chip goes on at its start by itself. */
static void remote_read(const struct card *c, unsigned at, uint16_t *to, unsigned len)
{
    len = (len + 1) & ~1u;
    remote_begin(c, READ, at, len);
    for (unsigned i = 0; i < len / 2; i++)
        to[i] = io_read16(c->base + DATA);
    set(c, CR, START | IDLE);
}

/* The words have arrived when the chip says so: it must not be asked for others before. */
static void remote_write(const struct card *c, unsigned at, const uint16_t *from, unsigned len)
{
    len = (len + 1) & ~1u;
    set(c, ISR, DONE);
    remote_begin(c, WRITE, at, len);
    for (unsigned i = 0; i < len / 2; i++)
        io_write16(c->base + DATA, from[i]);
    for (unsigned i = 0; i < 1000 && !(get(c, ISR) & DONE); i++)
        ;
    set(c, CR, START | IDLE);
}

/* --- starting (11) --- */

static bool reset(const struct card *c)
{
    uint64_t deadline = clock_ns() + RESET_NS;

    set(c, RESET, get(c, RESET));
    while (!(get(c, ISR) & RESTING))
        if (clock_ns() > deadline)
            return false;
    set(c, ISR, 0xff);
    return true;
}

static void ring_start(struct card *c)
{
    set(c, PSTART, FIRST);
    set(c, BNRY, FIRST);
    set(c, PSTOP, END);
    set(c, CR, PAGE1 | IDLE | STOP);
    c->next = FIRST + 1;
    set(c, CURR, c->next);
    set(c, CR, IDLE | STOP);
}

/* The address from the PROM, whose bytes are there twice; and to where frames are sorted. */
static void ne2k_read_address(struct nic *nic)
{
    struct card *c = nic->card;
    uint16_t prom[PROM / 2];

    remote_read(c, 0, prom, PROM);
    set(c, CR, PAGE1 | IDLE | START);
    for (unsigned i = 0; i < ETH_HWADDR_LEN; i++) {
        nic->netif.hwaddr[i] = (uint8_t)prom[i];
        set(c, PAR0 + i, prom[i]);
    }
    set(c, CR, IDLE | START);
}

static void ne2k_groups_set(struct nic *nic)
{
    const struct card *c = nic->card;
    uint64_t hash = groups_hash_first(nic);

    set(c, CR, PAGE1 | IDLE | START);
    for (unsigned i = 0; i < 8; i++)
        set(c, MAR0 + i, (unsigned)(hash >> 8 * i));
    set(c, CR, IDLE | START);
}

static bool start(struct nic *nic)
{
    struct card *c = nic->card;

    if (!reset(c))
        return false;
    set(c, CR, IDLE | STOP);
    set(c, DCR, DCR_WORDS);
    set(c, RBCR0, 0);
    set(c, RBCR1, 0);
    set(c, RCR, RCR_OFF);
    set(c, TCR, TCR_LOOP);
    ring_start(c);
    ne2k_read_address(nic);
    set(c, ISR, 0xff);
    set(c, IMR, RECEIVED | DAMAGED | OVERWRITE);
    set(c, TCR, TCR_NORMAL);
    set(c, RCR, RCR_BROADCAST | RCR_GROUPS);
    return true;
}

/* --- receiving (7) --- */

static uint8_t current(const struct card *c)
{
    uint8_t page;

    set(c, CR, PAGE1 | IDLE | START);
    page = get(c, CURR);
    set(c, CR, IDLE | START);
    return page;
}

/* The boundary is kept one page behind, so that it meets CURR only if the ring is full. */
static void pages_free(struct card *c, uint8_t next)
{
    c->next = next;
    set(c, BNRY, next == FIRST ? END - 1 : next - 1);
}

/* The next packet leaves the ring for c->frame. Returns its length; 0 if the ring holds nonsense,
 * which is then forgotten. */
static unsigned packet_take(struct nic *nic)
{
    struct card *c = nic->card;
    unsigned at = c->next * PAGE, len, next;
    uint16_t header[HEADER / 2];

    remote_read(c, at, header, HEADER);
    next = header[0] >> 8;
    len = header[1];
    if (next < FIRST || next >= END || len < FRAME_LEAST + CRC || len > NIC_FRAME_MOST + CRC) {
        nic->rx_dropped++;
        pages_free(c, current(c));
        return 0;
    }
    len -= CRC;
    remote_read(c, at + HEADER, c->frame, len);
    pages_free(c, (uint8_t)next);
    return len;
}

/* The stack may answer at once, by ne2k_send: the card must be able to. */
static void packet_pass(struct nic *nic, unsigned len)
{
    struct card *c = nic->card;

    if (len)
        nic_frame_received(nic, (const uint8_t *)c->frame, len);
}

static void ring_empty(struct nic *nic)
{
    struct card *c = nic->card;

    for (unsigned i = 0; i < END - FIRST && c->next != current(c); i++)
        packet_pass(nic, packet_take(nic));
}

/* The ring was full: what the chip does then it only leaves as this says (7, buffer ring overflow):
 * one packet is taken out in loopback, and passed on when frames can be sent again. */
static void overflow(struct nic *nic)
{
    struct card *c = nic->card;
    bool sending = get(c, CR) & TRANSMIT;
    uint64_t until = clock_ns() + OVERFLOW_NS;
    unsigned len;

    set(c, CR, IDLE | STOP);
    while (clock_ns() < until)
        clock_sleep(until);
    set(c, RBCR0, 0);
    set(c, RBCR1, 0);
    sending = sending && !(get(c, ISR) & (SENT | ABORTED));
    set(c, TCR, TCR_LOOP);
    set(c, CR, IDLE | START);
    len = c->next != current(c) ? packet_take(nic) : 0;
    set(c, ISR, OVERWRITE);
    set(c, TCR, TCR_NORMAL);
    if (sending)
        set(c, CR, IDLE | START | TRANSMIT);
    packet_pass(nic, len);
    ring_empty(nic);
}

static void ne2k_interrupt(struct nic *nic)
{
    struct card *c = nic->card;
    unsigned why;

    for (unsigned i = 0; i < 16; i++) {
        why = get(c, ISR) & (RECEIVED | DAMAGED | OVERWRITE);
        if (why == 0)
            return;
        set(c, ISR, why & ~OVERWRITE);
        if (why & OVERWRITE)
            overflow(nic);
        else
            ring_empty(nic);
    }
}

/* --- sending (8) --- */

static bool tx_wait(const struct card *c)
{
    uint64_t deadline = clock_ns() + TX_WAIT_NS;

    while (get(c, CR) & TRANSMIT)
        if (clock_ns() > deadline)
            return false;
    return true;
}

static const uint8_t *ne2k_send(struct nic *nic, const struct pbuf *p, uint32_t len)
{
    struct card *c = nic->card;
    uint8_t *frame = (uint8_t *)c->frame;

    if (!tx_wait(c))
        return NULL;
    pbuf_copy_partial(p, frame, (u16_t)len, ETH_PAD_SIZE);
    for (; len < FRAME_LEAST; len++) /* the chip does not (8) */
        frame[len] = 0;
    remote_write(c, TX_PAGE * PAGE, c->frame, len);
    set(c, ISR, SENT | ABORTED);
    set(c, TPSR, TX_PAGE);
    set(c, TBCR0, len);
    set(c, TBCR1, len >> 8);
    set(c, CR, IDLE | START | TRANSMIT);
    return frame;
}

/* --- on either bus --- */

static bool isa_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;
    uint64_t ports;

    if (!dtb_isa_ports(at->node, &ports))
        return false;
    c->base = ports;
    return start(nic);
}

static bool pci_start(struct nic *nic, const struct nic_place *at)
{
    struct card *c = nic->card;

    c->base = at->card.bars[0];
    return c->base && start(nic);
}

const struct nic_driver ne2k_isa_driver = {
    .name = "ne2k_isa",
    .compatible = "ne2000",
    .size = sizeof(struct card),
    .start = isa_start,
    .read_address = ne2k_read_address,
    .send = ne2k_send,
    .interrupt = ne2k_interrupt,
    .groups_set = ne2k_groups_set,
};

static const uint32_t ne2k_cards[] = {PCI_ID(0x10ec, 0x8029), 0};

const struct nic_driver ne2k_pci_driver = {
    .name = "ne2k_pci",
    .cards = ne2k_cards,
    .size = sizeof(struct card),
    .start = pci_start,
    .read_address = ne2k_read_address,
    .send = ne2k_send,
    .interrupt = ne2k_interrupt,
    .groups_set = ne2k_groups_set,
};
