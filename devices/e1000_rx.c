/*
 * The e1000 receives: frames that the filters let in go into the driver's buffers (317453, 3.2).
 *
 *     | address 8 | length 2 | packet checksum 2 | status 1 | errors 1 | special 2 |
 *
 * The line brings no damaged frames, so errors are those of checksums alone. A frame without a
 * buffer waits on the line (RNBC counts it); the card is asked again when the tail moves.
 */
#include <zlib.h>

#include "devices/e1000_internal.h"
#include "sim/offload.h"

#define LONGEST 1522 /* with CRC and tag, unless RCTL.LPE (13.4.22) */
#define LARGEST 16384
#define DELAY_UNIT 1024 /* ns, of RDTR and RADV */
#define CRC 4

enum { DD = 0x01, STA_EOP = 0x02, IXSM = 0x04, VP = 0x08, TCPCS = 0x20, IPCS = 0x40, PIF = 0x80 };
enum { ERR_TCP = 0x20, ERR_IP = 0x40 };

/* --- filters (3.2.1) --- */

/* The exact addresses. */
static bool address_matches(const struct e1000 *d, const uint8_t *mac)
{
    for (unsigned i = 0; i < E1000_RA; i += 2) {
        const uint32_t low = d->ra[i], high = d->ra[i + 1];
        if ((high >> 31) && load_le32(mac) == low && load_le16(mac + 4) == (high & 0xffff))
            return true;
    }
    return false;
}

/* Twelve bits of the address, which of them RCTL.MO says, pick a bit of the table (13.5.1). */
static bool multicast_hashed(const struct e1000 *d, const uint8_t *mac)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    unsigned mo = d->regs[E1000_RCTL] >> 12 & 3;
    unsigned hash = load_le16(mac + 4) >> shifts[mo] & 0xfff;

    return d->mta[hash >> 5] >> (hash & 31) & 1;
}

static bool is_tagged(const struct e1000 *d, const struct frame *f)
{
    return f->len >= ETH_HLEN + 4 && load_be16(f->data + 12) == (d->regs[E1000_VET] & 0xffff);
}

/* Tags are looked at only if RCTL.VFE; frames without one pass (9.3). */
static bool tag_passes(const struct e1000 *d, const struct frame *f)
{
    uint32_t rctl = d->regs[E1000_RCTL];
    uint16_t tag;

    if (!(rctl & RCTL_VFE) || !is_tagged(d, f))
        return true;
    tag = load_be16(f->data + 14);
    if ((rctl & RCTL_CFIEN) && (tag >> 12 & 1) != !!(rctl & RCTL_CFI))
        return false;
    return d->vfta[(tag & 0xfff) >> 5] >> (tag & 31) & 1;
}

/* Whether the card wants it, and (`pif`) only because of the hash. */
static bool wants(const struct e1000 *d, const struct frame *f, bool *pif)
{
    uint32_t rctl = d->regs[E1000_RCTL];
    const uint8_t *to = f->data;
    static const uint8_t broadcast[ETH_ALEN] = {255, 255, 255, 255, 255, 255};

    *pif = false;
    if (!tag_passes(d, f))
        return false;
    if (memcmp(to, broadcast, ETH_ALEN) == 0 && (rctl & RCTL_BAM))
        return true;
    if (address_matches(d, to) || (rctl & (eth_is_multicast(to) ? RCTL_MPE : RCTL_UPE)))
        return true;
    *pif = eth_is_multicast(to) && multicast_hashed(d, to);
    return *pif;
}

/* --- what is said of a packet --- */

/* The part of it that a descriptor describes. */
struct received {
    const uint8_t *data;
    uint32_t len;
    uint8_t status, errors;
    uint16_t checksum, special;
};

/* Sums of an IPv4 packet that RXCSUM asks to be checked (3.2.9). */
static void checksums_check(const struct e1000 *d, const struct frame *f, uint32_t l3,
                            struct received *r)
{
    const uint8_t *ip = f->data + l3;
    uint32_t header, len, rxcsum = d->regs[E1000_RXCSUM];

    if (f->len < l3 + 20 || load_be16(ip - 2) != 0x0800 || ip[0] >> 4 != 4)
        return;
    header = (ip[0] & 15u) * 4;
    len = load_be16(ip + 2);
    if (header < 20 || len < header || l3 + len > f->len)
        return;
    if (rxcsum & RXCSUM_IPOFL) {
        r->status |= IPCS;
        if (inet_fold(inet_sum(0, ip, header)))
            r->errors |= ERR_IP;
    }
    bool udp = ip[9] == 17, fragment = load_be16(ip + 6) & 0x3fff;
    if (!(rxcsum & RXCSUM_TUOFL) || fragment || (ip[9] != 6 && !udp) ||
        len < header + (udp ? 8 : 20))
        return;
    if (udp && load_be16(ip + header + 6) == 0)
        return; /* the sender did not sum (RFC 768) */
    r->status |= TCPCS;
    if (f->offload.csum_valid)
        return;
    if (inet_fold(
            inet_sum(inet_sum(ip[9] + (len - header), ip + 12, 8), ip + header, len - header)))
        r->errors |= ERR_TCP;
}

/* The tag leaves the packet (9.2): `out` has room for it. */
static void tag_strip(const struct e1000 *d, const struct frame *f, uint8_t *out,
                      struct received *r)
{
    if (!(d->regs[E1000_CTRL] & CTRL_VME) || !is_tagged(d, f)) {
        memcpy(out, f->data, f->len);
        r->len = f->len;
        return;
    }
    memcpy(out, f->data, 12);
    memcpy(out + 12, f->data + 16, f->len - 16);
    r->len = f->len - 4;
    r->status |= VP;
    r->special = load_be16(f->data + 14);
}

static void describe(const struct e1000 *d, const struct frame *f, bool pif, uint8_t *out,
                     struct received *r)
{
    uint32_t start = d->regs[E1000_RXCSUM] & 0xff, l3 = is_tagged(d, f) ? ETH_HLEN + 4 : ETH_HLEN;

    *r = (struct received){.data = out, .status = DD | (pif ? PIF : 0)};
    tag_strip(d, f, out, r);
    if (start < f->len)
        r->checksum = (uint16_t)~inet_fold(inet_sum(0, f->data + start, f->len - start));
    checksums_check(d, f, l3, r);
    if (!(r->status & (IPCS | TCPCS)))
        r->status |= IXSM;
    if (!(d->regs[E1000_RCTL] & RCTL_SECRC)) {
        store_le32(out + r->len, (uint32_t)crc32(0, f->data, f->len));
        r->len += CRC;
    }
}

/* --- buffers --- */

static uint32_t ring_size(const struct e1000 *d)
{
    return d->regs[E1000_RDLEN] / E1000_DESCRIPTOR;
}

static uint32_t buffer_size(const struct e1000 *d)
{
    uint32_t rctl = d->regs[E1000_RCTL], code = rctl >> 16 & 3, size = 2048u >> code;

    if (!(rctl & RCTL_BSEX))
        return size;
    return code == 0 ? 2048 : size * 16; /* code 0 with BSEX is reserved */
}

/* Descriptors that the driver has filled; the head and tail were checked. */
static uint32_t ring_free(const struct e1000 *d)
{
    uint32_t n = ring_size(d);

    return (d->regs[E1000_RDT] + n - d->regs[E1000_RDH]) % n;
}

static bool ring_valid(const struct e1000 *d)
{
    uint32_t n = ring_size(d);

    return n && d->regs[E1000_RDH] < n && d->regs[E1000_RDT] < n;
}

/* RXT0, now or when the delays have passed (13.4.30, 13.4.32). */
static void interrupt_later(struct e1000 *d)
{
    uint64_t now = e1000_now(d);

    if (!d->regs[E1000_RDTR]) {
        e1000_raise(d, ICR_RXT0);
        return;
    }
    evq_arm(e1000_events(d), &d->rx_delay, (vtime_t)(now + d->regs[E1000_RDTR] * DELAY_UNIT));
    if (d->regs[E1000_RADV] && !event_armed(&d->rx_absolute))
        evq_arm(e1000_events(d), &d->rx_absolute,
                (vtime_t)(now + d->regs[E1000_RADV] * DELAY_UNIT));
}

/* A part of a packet into the next buffer. False: the ring or the buffer is not in RAM. */
static bool part_write(struct e1000 *d, const struct received *r, uint32_t at, uint32_t part)
{
    struct dma *dma = d->nic.dev.env->dma;
    uint32_t n = ring_size(d), i = d->regs[E1000_RDH];
    uint64_t base = (uint64_t)d->regs[E1000_RDBAH] << 32 | d->regs[E1000_RDBAL];
    uint8_t w[E1000_DESCRIPTOR];
    bool last = at + part == r->len;

    base += (uint64_t)i * E1000_DESCRIPTOR;
    if (!dma->read(dma, base, w, sizeof(w)))
        return false;
    if (load_le64(w) &&
        !dma->write(dma, load_le64(w), r->data + at, part)) /* null: skipped (3.2.3) */
        return false;
    store_le16(w + 8, (uint16_t)part);
    store_le16(w + 10, last ? r->checksum : 0);
    w[12] = last ? r->status | STA_EOP : DD;
    w[13] = last ? r->errors : 0;
    store_le16(w + 14, last ? r->special : 0);
    d->regs[E1000_RDH] = (i + 1) % n;
    return dma->write(dma, base, w, sizeof(w));
}

/* RXDMT0: as few buffers are left as RCTL.RDMTS says (13.4.22). */
static bool is_low(const struct e1000 *d)
{
    return ring_free(d) <= ring_size(d) >> ((d->regs[E1000_RCTL] >> 8 & 3) + 1);
}

static enum port_verdict buffers_fill(struct e1000 *d, const struct received *r)
{
    uint32_t size = buffer_size(d), part;

    if (ring_free(d) < (r->len + size - 1) / size) {
        d->stats[STAT_RNBC]++;
        e1000_raise(d, ICR_RXDMT0);
        return PORT_HOLD;
    }
    for (uint32_t at = 0; at < r->len; at += part) {
        part = MIN(size, r->len - at);
        if (!part_write(d, r, at, part)) {
            device_warn(&d->nic.dev, "the RX ring or a buffer of it is not in RAM");
            return PORT_DROPPED;
        }
    }
    if (is_low(d))
        e1000_raise(d, ICR_RXDMT0);
    interrupt_later(d);
    return PORT_TAKEN;
}

static void count_received(struct e1000 *d, const struct frame *f)
{
    uint32_t len = f->len + CRC;

    d->stats[STAT_GPRC]++;
    d->stats[STAT_TPR]++;
    e1000_count64(d, STAT_GORC, len);
    e1000_count64(d, STAT_TOR, len);
    e1000_count_size(d, STAT_PRC64, len);
    if (eth_is_multicast(f->data))
        d->stats[f->data[0] == 0xff ? STAT_BPRC : STAT_MPRC]++;
}

/* One finished packet. */
static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct e1000 *d = opaque;
    uint8_t out[LARGEST + CRC];
    struct received r;
    enum port_verdict verdict;
    bool pif;

    if (!(d->regs[E1000_RCTL] & RCTL_EN) || !(d->regs[E1000_STATUS] & STATUS_LU))
        return PORT_DROPPED;
    if (!wants(d, f, &pif))
        return PORT_TAKEN;
    if (f->len + CRC > (d->regs[E1000_RCTL] & RCTL_LPE ? LARGEST : LONGEST)) {
        d->stats[STAT_ROC]++;
        return PORT_DROPPED;
    }
    if (!ring_valid(d))
        return PORT_HOLD;
    describe(d, f, pif, out, &r);
    verdict = buffers_fill(d, &r);
    if (verdict == PORT_TAKEN)
        count_received(d, f);
    return verdict;
}

enum port_verdict e1000_rx(struct port *p, struct frame *f)
{
    struct e1000 *d = container_of(p, struct e1000, nic.port);

    if (e1000_loops(d))
        return PORT_DROPPED; /* the PHY is turned away from the cable */
    return packets_offer(&d->waiting, f, packet_place, d);
}

void e1000_receive(struct e1000 *d)
{
    if (packets_deliver(&d->waiting, packet_place, d) == PORT_TAKEN)
        port_ready(&d->nic.port);
}

/* Not at once: the driver is in the middle of sending (CVE-2021-20257). */
void e1000_loop(struct e1000 *d, struct frame *f)
{
    if (d->waiting.n < 256)
        packets_add(&d->waiting, f);
    evq_arm(e1000_events(d), &d->looped, (vtime_t)e1000_now(d) + NS_PER_US);
}

/* --- life --- */

static void looped_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_receive(container_of(ev, struct e1000, looped));
}

static void delay_over(struct e1000 *d)
{
    evq_cancel(e1000_events(d), &d->rx_delay);
    evq_cancel(e1000_events(d), &d->rx_absolute);
    e1000_raise(d, ICR_RXT0);
}

static void delay_fire(struct event *ev, vtime_t now)
{
    (void)now;
    delay_over(container_of(ev, struct e1000, rx_delay));
}

static void absolute_fire(struct event *ev, vtime_t now)
{
    (void)now;
    delay_over(container_of(ev, struct e1000, rx_absolute));
}

void e1000_rx_init(struct e1000 *d)
{
    event_init(e1000_events(d), &d->looped, looped_fire);
    event_init(e1000_events(d), &d->rx_delay, delay_fire);
    event_init(e1000_events(d), &d->rx_absolute, absolute_fire);
}

void e1000_rx_reset(struct e1000 *d)
{
    evq_cancel(e1000_events(d), &d->looped);
    evq_cancel(e1000_events(d), &d->rx_delay);
    evq_cancel(e1000_events(d), &d->rx_absolute);
    packets_forget(&d->waiting);
    port_ready(&d->nic.port); /* what waited is offered again, and refused */
}

/* Frames on their way to the original's buffers are the original's. */
void e1000_rx_clone(struct e1000 *d, const struct e1000 *from)
{
    evq_copy(e1000_events(d), &d->rx_delay, &from->rx_delay);
    evq_copy(e1000_events(d), &d->rx_absolute, &from->rx_absolute);
}
