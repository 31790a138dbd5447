/*
 * The rtl8139 receives: into one buffer that is a ring of bytes (C mode), or by descriptors (C+).
 *
 *     C     | status 16 | length 16, with the CRC | bytes | CRC |
 *     C+    | OWN EOR FS LS ... size or length 13 | TAVA, tag 16 | address 64 |
 *
 * In C mode packets begin at multiples of 4, CBR is behind the last of them, and the driver's CAPR
 * says how far it has read. Where there is no room, a frame waits; the driver is told of an
 * overflow all the same, since it may sleep with a full buffer.
 */
#include <zlib.h>

#include "devices/rtl8139_internal.h"

#define CRC 4
#define HEADER 4
#define LONGEST (4096 - CRC)
#define CAPR_BIAS 16

enum { RX_ROK = 0x0001, RX_BAR = 0x2000, RX_PAM = 0x4000, RX_MAR = 0x8000 };
enum {
    D_UDP = 2 << 16,
    D_TCP = 1 << 16,
    D_IP = 3 << 16,
    D_IPF = 1 << 15,
    D_UDPF = 1 << 14,
    D_TCPF = 1 << 13,
    D_TAVA = 1 << 16,
};

/* --- filters --- */

/* The CRC's six most significant bits, as they are sent, pick a bit of MAR. */
static bool hashed(const struct rtl8139 *d, const uint8_t *mac)
{
    uint32_t crc = ~(uint32_t)crc32(0, mac, ETH_ALEN), bit = 0;

    for (unsigned i = 0; i < 6; i++)
        bit = bit << 1 | (crc >> i & 1);
    return d->regs[RTL_MAR + bit / 8] >> bit % 8 & 1;
}

/* Which status bit a frame gets; 0: it is for others. */
static uint16_t kind_of(const struct rtl8139 *d, const struct frame *f)
{
    if (eth_is_broadcast(f->data))
        return RX_BAR;
    if (eth_is_multicast(f->data))
        return RX_MAR;
    return memcmp(f->data, d->regs + RTL_IDR, ETH_ALEN) == 0 ? RX_PAM : 0;
}

/* AAP takes frames to every station; groups and broadcasts have bits of their own (RCR). */
static bool wants(const struct rtl8139 *d, const struct frame *f, uint16_t kind)
{
    uint32_t rcr = reg32(d, RTL_RCR);

    switch (kind) {
    case RX_BAR: return rcr & RCR_AB;
    case RX_MAR: return (rcr & RCR_AM) && hashed(d, f->data);
    case RX_PAM: return rcr & (RCR_APM | RCR_AAP);
    default: return rcr & RCR_AAP;
    }
}

/* --- C mode --- */

static uint32_t buffer_size(const struct rtl8139 *d)
{
    return 8192u << (reg32(d, RTL_RCR) >> 11 & 3);
}

/* What the driver has yet to read. */
static uint32_t buffer_used(const struct rtl8139 *d)
{
    uint32_t size = buffer_size(d);

    return (reg16(d, RTL_CBR) + size - (uint16_t)(reg16(d, RTL_CAPR) + CAPR_BIAS) % size) % size;
}

bool rtl8139_is_empty(const struct rtl8139 *d)
{
    return buffer_used(d) == 0;
}

/* Bytes into the ring at `at`, an offset in it; with WRAP they may run over its end (into a tail
   that the driver has added), else they go on at its start. */
static bool ring_store(struct rtl8139 *d, uint32_t at, const uint8_t *p, uint32_t len)
{
    uint32_t size = buffer_size(d), room = size - at % size;
    uint64_t base = reg32(d, RTL_RBSTART);
    struct dma *dma = rtl8139_dma(d);
    bool wraps = !(reg32(d, RTL_RCR) & RCR_WRAP) || size == 65536;

    if (!wraps || len <= room)
        return dma->write(dma, base + at % size, p, len);
    return dma->write(dma, base + at % size, p, room) &&
           dma->write(dma, base, p + room, len - room);
}

static enum port_verdict buffer_place(struct rtl8139 *d, const struct frame *f, uint16_t kind)
{
    uint8_t out[HEADER + LONGEST + CRC];
    uint32_t len = HEADER + f->len + CRC, size = buffer_size(d), at = reg16(d, RTL_CBR);

    if (buffer_used(d) + len + 8 >= size) {
        rtl8139_raise(d, ISR_RXOVW);
        return PORT_HOLD;
    }
    store_le16(out, RX_ROK | kind);
    store_le16(out + 2, (uint16_t)(f->len + CRC));
    memcpy(out + HEADER, f->data, f->len);
    store_le32(out + HEADER + f->len, (uint32_t)crc32(0, f->data, f->len));
    if (!ring_store(d, at, out, len)) {
        device_warn(&d->nic.dev, "the RX buffer is not in RAM");
        rtl8139_raise(d, ISR_SERR);
        return PORT_DROPPED;
    }
    store_le16(d->regs + RTL_CBR, (uint16_t)((at + ((len + 3) & ~3u)) % size));
    rtl8139_raise(d, ISR_ROK);
    return PORT_TAKEN;
}

/* --- C+ --- */

/* What the chip says of an IPv4 packet's checksums. */
static uint32_t checksum_bits(const struct frame *f)
{
    struct packet_sums sums;
    bool udp;

    packet_sums_check(f, ETH_HLEN, true, &sums);
    if (!sums.ip)
        return 0;
    udp = sums.transport == 17;
    return (uint32_t)(!sums.transport ? D_IP
                      : udp           ? D_UDP
                                      : D_TCP) |
           (sums.ip_bad ? D_IPF : 0) |
           (!sums.l4_bad ? 0
            : udp        ? D_UDPF
                         : D_TCPF);
}

/* The packet as it goes to memory; the tag may leave it, and is returned with TAVA. */
static uint32_t packet_make(const struct rtl8139 *d, const struct frame *f, uint8_t *out,
                            uint32_t *len)
{
    bool strip = (reg16(d, RTL_CPCR) & CPCR_VLAN) && f->len >= ETH_HLEN + 4 &&
                 load_be16(f->data + 12) == 0x8100;
    uint32_t cut = strip ? 4 : 0;

    memcpy(out, f->data, 12);
    memcpy(out + 12, f->data + 12 + cut, f->len - 12 - cut);
    store_le32(out + f->len - cut, (uint32_t)crc32(0, out, f->len - cut));
    *len = f->len - cut + CRC;
    return strip ? D_TAVA | load_le16(f->data + 14) : 0;
}

static uint64_t ring_at(const struct rtl8139 *d, uint32_t i)
{
    return (load_le64(d->regs + RTL_RDSAR) & ~255ULL) + i * RTL_DESCRIPTOR;
}

/* Buffers are multiples of 8 bytes, so none is where a descriptor names fewer. */
static uint32_t buffer_room(uint32_t flags)
{
    return (flags & 0x1fff) < 8 ? 0 : flags & 0x1fff;
}

/* Whether the next descriptors hold `len` bytes; one without a buffer ends them, as one that is the
   driver's does. */
static bool ring_holds(struct rtl8139 *d, uint32_t len)
{
    uint32_t i = d->cp_rx, room = 0;

    for (unsigned n = 0; n < RTL_RING; n++) {
        uint8_t w[4];
        if (!rtl8139_dma(d)->read(rtl8139_dma(d), ring_at(d, i), w, sizeof(w)))
            return false;
        uint32_t flags = load_le32(w);
        if (!(flags & D_OWN) || !buffer_room(flags))
            return false;
        room += buffer_room(flags);
        if (room >= len)
            return true;
        i = ring_next(i, flags);
        if (i == d->cp_rx)
            return false; /* that was all of them */
    }
    return false;
}

static bool ring_fill(struct rtl8139 *d, const uint8_t *p, uint32_t len, uint32_t bits,
                      uint32_t tag)
{
    struct dma *dma = rtl8139_dma(d);

    /* As many as ring_holds has seen; what is written may have changed them since. */
    for (uint32_t at = 0, n = 0; at < len; n++) {
        uint64_t where = ring_at(d, d->cp_rx);
        uint8_t w[RTL_DESCRIPTOR];
        if (n == RTL_RING || !dma->read(dma, where, w, sizeof(w)))
            return false;
        uint32_t flags = load_le32(w), part = MIN(buffer_room(flags), len - at);
        if (!part || !dma->write(dma, load_le64(w + 8), p + at, part))
            return false;
        bool first = at == 0, last = at + part == len;
        store_le32(w + 4, last ? tag : 0);
        store_le32(w, (flags & D_EOR) | (first ? D_FS : 0) | (last ? D_LS | bits | len : part));
        dma->write(dma, where, w, 8);
        d->cp_rx = ring_next(d->cp_rx, flags);
        at += part;
    }
    return true;
}

static enum port_verdict packet_miss(struct rtl8139 *d)
{
    d->tally[TALLY_MISSED]++;
    store_le32(d->regs + RTL_MPC, (reg32(d, RTL_MPC) + 1) & 0xffffff);
    rtl8139_raise(d, ISR_RXOVW);
    return PORT_DROPPED;
}

static enum port_verdict ring_place(struct rtl8139 *d, const struct frame *f, uint16_t kind)
{
    uint32_t bits = (uint32_t)kind << 11, len, tag; /* BAR, PAM, MAR: bits 24, 25, 26 */
    uint8_t out[LONGEST + CRC];
    vtime_t now = d->nic.dev.env->actor->now;

    if (rx_poll_waits(&d->poll))
        return PORT_HOLD;
    if (rx_poll_gave_up(&d->poll, now))
        return packet_miss(d);
    tag = packet_make(d, f, out, &len);
    if (!ring_holds(d, len))
        return rx_poll_later(&d->poll, rtl8139_events(d), now) ? PORT_HOLD : packet_miss(d);
    rx_poll_reset(&d->poll, rtl8139_events(d));
    if (reg16(d, RTL_CPCR) & CPCR_CHECKSUM)
        bits |= checksum_bits(f);
    if (!ring_fill(d, out, len, bits, tag)) {
        device_warn(&d->nic.dev, "an RX buffer is not in RAM, or none");
        rtl8139_raise(d, ISR_SERR);
        return PORT_DROPPED;
    }
    rtl8139_raise(d, ISR_ROK);
    return PORT_TAKEN;
}

/* --- both --- */

static void packet_count(struct rtl8139 *d, uint16_t kind)
{
    d->tally[TALLY_RX_OK]++;
    d->tally[kind == RX_BAR   ? TALLY_RX_BROADCAST
             : kind == RX_MAR ? TALLY_RX_MULTICAST
                              : TALLY_RX_PHYSICAL]++;
}

static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct rtl8139 *d = opaque;
    uint16_t kind = kind_of(d, f);
    enum port_verdict verdict;

    if (!(d->regs[RTL_CR] & CR_RE) || f->len > LONGEST)
        return PORT_DROPPED;
    if (!wants(d, f, kind))
        return PORT_TAKEN;
    verdict = reg16(d, RTL_CPCR) & CPCR_RX ? ring_place(d, f, kind) : buffer_place(d, f, kind);
    if (verdict == PORT_TAKEN)
        packet_count(d, kind);
    return verdict;
}

enum port_verdict rtl8139_rx(struct port *p, struct frame *f)
{
    struct rtl8139 *d = container_of(p, struct rtl8139, nic.port);

    if ((reg32(d, RTL_TCR) & TCR_LOOPBACK) == TCR_LOOPBACK)
        return PORT_DROPPED;
    return packets_offer(&d->waiting, f, packet_place, d);
}

void rtl8139_receive(struct rtl8139 *d)
{
    if (packets_deliver(&d->waiting, packet_place, d) == PORT_TAKEN)
        port_ready(&d->nic.port);
}

void rtl8139_rx_reset(struct rtl8139 *d)
{
    evq_cancel(rtl8139_events(d), &d->looped);
    rx_poll_reset(&d->poll, rtl8139_events(d));
    packets_forget(&d->waiting);
    port_ready(&d->nic.port);
}
