/*
 * The NE2000's memory, and the DP8390's remote DMA by which software reaches it (9).
 *
 * A transfer goes through the data port, a byte or a word at a time; at PSTOP it goes on at PSTART,
 * so that a packet that wraps in the ring can be read in one go. The send packet command reads the
 * next packet of the ring by what its header says. What lies outside of the PROM and the RAM is not
 * decoded: it reads as all ones, and what is written there vanishes.
 */
#include "devices/dp8390.h"

#define HEADER_NEXT 1
#define HEADER_COUNT 2

/* Each byte of the PROM is there twice: it is eight bits wide on a bus of sixteen. */
static uint8_t prom_read(const struct dp8390 *d, unsigned at)
{
    unsigned i = at / 2;

    return i < ETH_ALEN ? d->nic.config.mac[i] : i >= 14 ? 0x57 : 0;
}

uint8_t dp8390_memory_read(const struct dp8390 *d, uint16_t at)
{
    if (at >= DP8390_RAM_BASE && at - DP8390_RAM_BASE < DP8390_RAM_SIZE)
        return d->ram[at - DP8390_RAM_BASE];
    return at < DP8390_PROM_SIZE ? prom_read(d, at) : 0xff;
}

void dp8390_memory_write(struct dp8390 *d, uint16_t at, uint8_t v)
{
    if (at >= DP8390_RAM_BASE && at - DP8390_RAM_BASE < DP8390_RAM_SIZE)
        d->ram[at - DP8390_RAM_BASE] = v;
}

/* Pages were freed: what is received has room again (7, buffer ring overflow). */
void dp8390_boundary_set(struct dp8390 *d, uint8_t page)
{
    d->bnry = page;
    d->full = false;
    if (d->overflowed) {
        d->overflowed = false;
        if (dp8390_running(d))
            d->isr &= (uint8_t)~ISR_RST;
    }
}

/* --- commands --- */

/* The next packet of the ring: from the boundary, as long as its header says (9, send packet).
 * To a header DCR.BOS makes no difference. */
static bool send_begin(struct dp8390 *d)
{
    uint16_t at = (uint16_t)(d->bnry << 8);

    if (!(d->dcr & DCR_AR)) {
        device_warn(&d->nic.dev, "send packet command without DCR.AR");
        return false;
    }
    d->rsar = at;
    d->rbcr = (uint16_t)(dp8390_memory_read(d, at + HEADER_COUNT) |
                         dp8390_memory_read(d, at + HEADER_COUNT + 1) << 8);
    d->remote_next = dp8390_memory_read(d, at + HEADER_NEXT);
    return true;
}

/* The packet is read: its pages are free. A pointer out of the ring is no packet's. */
static void send_done(struct dp8390 *d)
{
    if (d->remote_next >= d->pstart && d->remote_next < d->pstop)
        dp8390_boundary_set(d, d->remote_next);
    else
        device_warn(&d->nic.dev, "the header at page 0x%02x leads to 0x%02x, out of the ring",
                    d->bnry, d->remote_next);
}

static void complete(struct dp8390 *d)
{
    d->remote = false;
    if ((d->cr & CR_RD) == RD_SEND)
        send_done(d);
    dp8390_raise(d, ISR_RDC);
}

/* With a count of zero there is nothing to transfer, and it is done at once. */
void dp8390_remote_command(struct dp8390 *d, uint8_t rd)
{
    d->remote =
        (rd == RD_READ || rd == RD_WRITE || rd == RD_SEND) && (rd != RD_SEND || send_begin(d));
    if (d->remote && !d->rbcr)
        complete(d);
}

/* --- the data port --- */

/* `n` bytes have passed. */
static void advance(struct dp8390 *d, unsigned n)
{
    d->rsar = (uint16_t)(d->rsar + n);
    if (d->rsar == d->pstop << 8)
        d->rsar = (uint16_t)(d->pstart << 8);
    d->rbcr = d->rbcr > n ? (uint16_t)(d->rbcr - n) : 0;
    if (!d->rbcr)
        complete(d);
}

/* One transfer of the DMA: a word if DCR.WTS. */
static uint32_t unit_read(struct dp8390 *d, unsigned unit)
{
    uint32_t v = dp8390_memory_read(d, d->rsar);

    if (unit == 2)
        v |= (uint32_t)dp8390_memory_read(d, (uint16_t)(d->rsar + 1)) << 8;
    advance(d, unit);
    return v;
}

static void unit_write(struct dp8390 *d, uint32_t v, unsigned unit)
{
    dp8390_memory_write(d, d->rsar, (uint8_t)v);
    if (unit == 2)
        dp8390_memory_write(d, (uint16_t)(d->rsar + 1), (uint8_t)(v >> 8));
    advance(d, unit);
}

static bool transfer_valid(struct dp8390 *d, bool reading)
{
    if (d->remote && reading == ((d->cr & CR_RD) != RD_WRITE))
        return true;
    device_warn(&d->nic.dev, "data port %s with no remote DMA", reading ? "read" : "written");
    return false;
}

/* An access of more than the DMA's width is several transfers; one of less is one, cut. */
uint32_t dp8390_data_read(struct dp8390 *d, unsigned size)
{
    unsigned unit = d->dcr & DCR_WTS ? 2 : 1;
    uint32_t v = 0;

    for (unsigned i = 0; i < size; i += unit) {
        if (!transfer_valid(d, true))
            v |= (unit == 2 ? 0xffffu : 0xffu) << 8 * i;
        else
            v |= unit_read(d, unit) << 8 * i;
    }
    return size < 4 ? v & ((1u << 8 * size) - 1) : v;
}

void dp8390_data_write(struct dp8390 *d, uint32_t value, unsigned size)
{
    unsigned unit = d->dcr & DCR_WTS ? 2 : 1;

    for (unsigned i = 0; i < size && transfer_valid(d, false); i += unit)
        unit_write(d, value >> 8 * i, unit);
}
