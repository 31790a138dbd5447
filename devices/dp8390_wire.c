/*
 * The DP8390 sends from its RAM, receives into a ring of pages there, and loops back (7, 8, 12).
 *
 *     ring     PSTART ... BNRY (oldest page in use) ... CURR (next to fill) ... PSTOP
 *     packet   | status | next page | count, low | high | bytes, with CRC |
 *
 * Pointers may be anything: each is one of 256 pages, a packet takes no more pages than its length
 * asks for, and pages that are not RAM keep nothing. A frame without room is lost, as the data
 * sheet says (OVW), and so are others until pages are freed. Simplifications: no runts, since a
 * short frame is padded both ways; nothing longer than a tagged frame of Ethernet is sent or
 * received.
 */
#include <zlib.h>

#include "devices/dp8390.h"

#define PAGE 256
#define HEADER 4
#define CRC 4
#define LONGEST 1518 /* with a tag, without CRC */
#define TALLY_MOST 192
#define GAP_AND_PREAMBLE 20
#define LONGEST_NS ((LONGEST + CRC + GAP_AND_PREAMBLE) * 800LL) /* at 10 Mbit/s: 1.2 ms */

static uint32_t crc_of(const uint8_t *p, uint32_t len)
{
    return (uint32_t)crc32(0, p, len);
}

/* --- the local DMA --- */

/* With DCR.BOS a word's bytes are the other way round (10.3, DCR), but for the header's. */
static unsigned byte_swap(const struct dp8390 *d)
{
    return (d->dcr & (DCR_WTS | DCR_BOS)) == (DCR_WTS | DCR_BOS);
}

static bool is_plain(const struct dp8390 *d, uint16_t at, uint32_t len)
{
    return !byte_swap(d) && at >= DP8390_RAM_BASE && at - DP8390_RAM_BASE + len <= DP8390_RAM_SIZE;
}

static void local_read(const struct dp8390 *d, uint16_t at, uint8_t *to, uint32_t len)
{
    if (is_plain(d, at, len))
        memcpy(to, d->ram + (at - DP8390_RAM_BASE), len);
    else
        for (uint32_t i = 0; i < len; i++)
            to[i] = dp8390_memory_read(d, (uint16_t)((at + i) ^ byte_swap(d)));
}

static void local_write(struct dp8390 *d, uint16_t at, const uint8_t *from, uint32_t len)
{
    if (is_plain(d, at, len))
        memcpy(d->ram + (at - DP8390_RAM_BASE), from, len);
    else
        for (uint32_t i = 0; i < len; i++)
            dp8390_memory_write(d, (uint16_t)((at + i) ^ byte_swap(d)), from[i]);
}

/* --- what concerns this card (10.3, RCR) --- */

/* The upper six bits of the CRC of an address, as the chip has it: the first bit is the highest. */
static unsigned hash_of(const uint8_t *mac)
{
    uint32_t crc = ~crc_of(mac, ETH_ALEN);
    unsigned hash = 0;

    for (unsigned i = 0; i < 6; i++)
        hash = hash << 1 | (crc >> i & 1);
    return hash;
}

static bool is_wanted(const struct dp8390 *d, const uint8_t *mac)
{
    unsigned hash;

    if (!eth_is_multicast(mac))
        return (d->rcr & RCR_PRO) || memcmp(mac, d->par, ETH_ALEN) == 0;
    if ((d->rcr & RCR_AB) && eth_is_broadcast(mac))
        return true;
    hash = hash_of(mac);
    return (d->rcr & RCR_AM) && (d->mar[hash / 8] >> hash % 8 & 1);
}

/* --- reception (7) --- */

/* A counter stops at 192, and asks to be read from 128 on (10.3, network tally counters). */
static void tally(struct dp8390 *d, unsigned n)
{
    if (d->tally[n] < TALLY_MOST)
        d->tally[n]++;
    if (d->tally[n] & 0x80)
        dp8390_raise(d, ISR_CNT);
}

static void missed(struct dp8390 *d, uint8_t causes)
{
    d->rsr = (uint8_t)((d->rsr & RSR_DIS) | RSR_MPA);
    tally(d, TALLY_MISSED);
    dp8390_raise(d, ISR_RXE | causes);
}

static uint8_t page_after(const struct dp8390 *d, uint8_t page)
{
    page++;
    return page == d->pstop ? d->pstart : page;
}

/* Whether a packet of `n` pages reaches the boundary before it ends. */
static bool has_room(const struct dp8390 *d, unsigned n)
{
    uint8_t page = d->curr;

    if (d->full)
        return false;
    for (; n > 1; n--) {
        page = page_after(d, page);
        if (page == d->bnry)
            return false;
    }
    return true;
}

static bool page_is_ram(uint8_t page)
{
    return page >= DP8390_RAM_BASE / PAGE && page < (DP8390_RAM_BASE + DP8390_RAM_SIZE) / PAGE;
}

/* Bytes that follow each other in the ring, from `*page` and `*used` bytes of it on. */
static void ring_write(struct dp8390 *d, uint8_t *page, uint32_t *used, const uint8_t *p,
                       uint32_t len)
{
    while (len) {
        uint32_t part;

        if (*used == PAGE) {
            *page = page_after(d, *page);
            *used = 0;
        }
        if (!page_is_ram(*page))
            device_warn(&d->nic.dev, "page 0x%02x of the receive ring is not RAM", *page);
        part = MIN(len, PAGE - *used);
        local_write(d, (uint16_t)(*page * PAGE + *used), p, part);
        p += part;
        len -= part;
        *used += part;
    }
}

/* Its bytes are where they are with either DCR.BOS (10.3, DCR; DP83902A, page 21). */
static void header_write(struct dp8390 *d, uint16_t at, const uint8_t header[HEADER])
{
    for (uint16_t i = 0; i < HEADER; i++)
        dp8390_memory_write(d, (uint16_t)(at + i), header[i]);
}

/* The header is written last, as by the chip, when all is known. */
static void packet_store(struct dp8390 *d, const uint8_t *bytes, uint32_t len)
{
    uint8_t crc[CRC], header[HEADER], page = d->curr;
    uint32_t used = HEADER;

    store_le32(crc, crc_of(bytes, len));
    ring_write(d, &page, &used, bytes, len);
    ring_write(d, &page, &used, crc, CRC);
    d->clda = (uint16_t)(page * PAGE + used);
    d->rsr = (uint8_t)(RSR_PRX | (eth_is_multicast(bytes) ? RSR_PHY : 0));
    header[0] = d->rsr;
    header[1] = page_after(d, page);
    store_le16(header + 2, (uint16_t)(len + CRC));
    header_write(d, (uint16_t)(d->curr * PAGE), header);
    d->curr = d->local_next = header[1];
    d->full = d->curr == d->bnry;
}

static enum port_verdict packet_receive(struct dp8390 *d, const uint8_t *bytes, uint32_t len)
{
    if (d->rcr & RCR_MON) {
        missed(d, 0); /* looked at, and not kept */
        return PORT_TAKEN;
    }
    if (d->overflowed || !has_room(d, (HEADER + len + CRC + PAGE - 1) / PAGE)) {
        d->overflowed = true;
        missed(d, ISR_OVW | ISR_RST);
        return PORT_DROPPED;
    }
    packet_store(d, bytes, len);
    dp8390_raise(d, ISR_PRX);
    return PORT_TAKEN;
}

/* One finished packet. */
static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct dp8390 *d = opaque;

    if (!dp8390_running(d) || (d->tcr & TCR_LB))
        return PORT_DROPPED;
    if (!is_wanted(d, f->data))
        return PORT_TAKEN;
    if (f->len > LONGEST)
        return PORT_DROPPED;
    return packet_receive(d, f->data, f->len);
}

enum port_verdict dp8390_rx(struct port *p, struct frame *f)
{
    struct dp8390 *d = container_of(p, struct dp8390, nic.port);

    return packets_offer(&d->waiting, f, packet_place, d);
}

/* --- loopback (12) --- */

/*
 * What comes back passes the FIFO and is not stored; there, its last eight bytes can be read, its
 * length (twice the upper half) the last three of them. What the receiver checks is in RSR: the
 * address first, then the CRC - which is wrong if the transmitter made one, for they share the
 * logic. Of a packet to somebody else it says no error, whatever its CRC (12, test C).
 */
static void loop_receive(struct dp8390 *d, const uint8_t *bytes, uint32_t len, uint32_t software)
{
    uint8_t count[3] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 8)};
    bool good = d->tcr & TCR_CRC && software >= CRC &&
                load_le32(bytes + software - CRC) == crc_of(bytes, software - CRC);

    for (uint32_t i = 0; i < len; i++)
        d->fifo[i % DP8390_FIFO] = bytes[i];
    for (uint32_t i = 0; i < sizeof(count); i++)
        d->fifo[(len + i) % DP8390_FIFO] = count[i];
    d->fifo_at = 0;
    if (len < ETH_ALEN)
        return;
    d->rsr = RSR_PRX;
    if (!is_wanted(d, bytes))
        return;
    d->rsr = (uint8_t)((good ? RSR_PRX : RSR_CRC) | (eth_is_multicast(bytes) ? RSR_PHY : 0));
    if (!good)
        tally(d, TALLY_CRC);
}

/* In word mode one half of each word is sent: the lower with BOS, else the upper. */
static uint32_t loop_gather(struct dp8390 *d, uint8_t *to)
{
    unsigned step = d->dcr & DCR_WTS ? 2 : 1, odd = step == 2 && !(d->dcr & DCR_BOS);
    uint32_t n = d->tbcr / step;

    for (uint32_t i = 0; i < n; i++)
        to[i] = dp8390_memory_read(d, (uint16_t)(d->tpsr * PAGE + i * step + odd));
    return n;
}

static void loop(struct dp8390 *d)
{
    struct frame *f = frame_new(d->tbcr + CRC);
    uint32_t n = loop_gather(d, f->data), len = n;
    uint8_t mode = d->tcr & TCR_LB;

    if (!(d->tcr & TCR_CRC)) {
        store_le32(f->data + n, crc_of(f->data, n));
        len += CRC;
    }
    if (!(d->dcr & DCR_LS))
        loop_receive(d, f->data, len, n);
    frame_unref(f);
    d->tsr = TSR_PTX | TSR_ND;
    if (mode != LB_EXTERNAL) /* carrier and heartbeat are not looked at */
        d->tsr |= mode == LB_NIC ? TSR_CDH | TSR_CRS : TSR_CDH;
}

/* --- transmission (8) --- */

/* With TCR.CRC the last four bytes are the CRC. A wrong one is a frame that nobody takes. */
static bool crc_strip(struct dp8390 *d, struct frame *f)
{
    if (!(d->tcr & TCR_CRC))
        return true;
    if (f->len < CRC || load_le32(f->data + f->len - CRC) != crc_of(f->data, f->len - CRC)) {
        device_warn(&d->nic.dev, "TX packet with a wrong CRC of its own");
        return false;
    }
    f->len -= CRC;
    return true;
}

static void frame_transmit(struct dp8390 *d)
{
    struct device_env *env = d->nic.dev.env;
    struct frame *f;

    if (d->tbcr > LONGEST + CRC) {
        device_warn(&d->nic.dev, "TX length %u > %u", d->tbcr, LONGEST + CRC);
        d->nic.port.stats.drops[DROP_GIANT]++;
        return;
    }
    f = frame_new(MAX(d->tbcr, (uint32_t)FRAME_MIN_WIRE));
    f->len = d->tbcr;
    local_read(d, (uint16_t)(d->tpsr * PAGE), f->data, f->len);
    if (f->len < ETH_HLEN || !crc_strip(d, f) || f->len < ETH_HLEN) {
        d->nic.port.stats.drops[d->tbcr < ETH_HLEN ? DROP_RUNT : DROP_MALFORMED]++;
        device_warn(&d->nic.dev, "TX packet of %u bytes is none", d->tbcr);
        frame_unref(f);
        return;
    }
    frame_pad(f);
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&d->nic.port, f);
}

/* The chip does not know more of a frame than that it has left, and whether there was a carrier. */
static void transmit_now(struct dp8390 *d)
{
    d->cr &= (uint8_t)~CR_TXP;
    if (d->tcr & TCR_LB) {
        loop(d);
    } else {
        frame_transmit(d);
        d->tsr = (uint8_t)(TSR_PTX | TSR_ND | (d->nic.port.up ? 0 : TSR_CRS));
    }
    dp8390_raise(d, ISR_PTX);
    if (d->cr & CR_STP)
        dp8390_rest(d);
}

void dp8390_tx_fire(struct event *ev, vtime_t now)
{
    (void)now;
    transmit_now(container_of(ev, struct dp8390, tx_event));
}

static vtime_t room_at(const struct dp8390 *d)
{
    return d->tcr & TCR_LB ? d->nic.dev.env->actor->now : port_room_at(&d->nic.port);
}

void dp8390_transmit(struct dp8390 *d)
{
    struct actor *a = d->nic.dev.env->actor;

    if (!dp8390_running(d)) {
        device_warn(&d->nic.dev, "TXP while stopped");
        return;
    }
    if (d->cr & CR_TXP)
        return; /* one is waiting for the line */
    d->cr |= CR_TXP;
    if (room_at(d) <= a->now)
        transmit_now(d);
    else
        evq_arm(&a->events, &d->tx_event, room_at(d));
}

/* A line that has no room by then loses the frame, for the chip is sure to rest (7). */
void dp8390_transmit_finish(struct dp8390 *d)
{
    struct actor *a = d->nic.dev.env->actor;

    if (d->tx_event.at > a->now + LONGEST_NS)
        evq_arm(&a->events, &d->tx_event, a->now + LONGEST_NS);
}

void dp8390_transmit_resume(struct dp8390 *d)
{
    if (d->cr & CR_TXP)
        evq_arm(&d->nic.dev.env->actor->events, &d->tx_event, room_at(d));
}
