/*
 * The rtl8139 sends: from four descriptors in registers (C mode), or from a ring in memory (C+):
 *
 *     | OWN EOR FS LS LGSEN MSS or IPCS UDPCS TCPCS, size 16 | TAGC, tag 16 | address 64 |
 *
 * A large send's headers are looked at here, since the descriptor does not say where they are.
 * Simplifications: there is no ring of high priority; short frames are padded in C mode too, where
 * the card would send what no station takes.
 */
#include "devices/rtl8139_internal.h"
#include "sim/offload.h"

#define LONGEST 1792 /* a descriptor in registers holds no more */
#define WORK 256
#define WORK_BYTES (1u << 20)
#define WORK_PAUSE (10 * NS_PER_US)

enum {
    D_LGSEN = 1 << 27,
    D_IPCS = 1 << 18,
    D_UDPCS = 1 << 17,
    D_TCPCS = 1 << 16,
    D_TAGC = 1 << 17,
};

static void loop(struct rtl8139 *d, struct frame *f)
{
    packets_loop(&d->waiting, f);
    frame_unref(f);
    evq_arm(rtl8139_events(d), &d->looped, d->nic.dev.env->actor->now + NS_PER_US);
}

/* How many packets a large send is. */
static uint32_t packets_of(const struct frame *f)
{
    uint32_t size = f->offload.gso_size;

    return f->offload.gso ? (f->len - f->offload.hdr_len + size - 1) / size : 1;
}

static void frame_send(struct rtl8139 *d, struct frame *f)
{
    struct device_env *env = d->nic.dev.env;

    if ((reg32(d, RTL_TCR) & TCR_NO_CRC) && !frame_cut_fcs(f)) {
        device_warn(&d->nic.dev, "TX packet of %u bytes with a wrong CRC", f->len);
        d->nic.port.stats.drops[DROP_MALFORMED]++;
        frame_unref(f);
        return;
    }
    d->tally[TALLY_TX_OK] += packets_of(f);
    frame_pad(f);
    if ((reg32(d, RTL_TCR) & TCR_LOOPBACK) == TCR_LOOPBACK) {
        loop(d, f);
        return;
    }
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&d->nic.port, f);
}

/* --- C mode --- */

static void slot_send(struct rtl8139 *d, unsigned n)
{
    uint32_t tsd = reg32(d, RTL_TSD + 4 * n), len = tsd & 0x1fff;
    struct frame *f = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    f->len = len;
    if (len < ETH_HLEN || len > LONGEST ||
        !rtl8139_dma(d)->read(rtl8139_dma(d), reg32(d, RTL_TSAD + 4 * n), f->data, len)) {
        device_warn(&d->nic.dev, "TX descriptor %u of %u bytes makes no sense", n, len);
        d->nic.port.stats.drops[len < ETH_HLEN ? DROP_RUNT : DROP_GIANT]++;
        frame_unref(f);
        store_le32(d->regs + RTL_TSD + 4 * n, tsd | TSD_OWN | TSD_ABORTED);
        rtl8139_raise(d, ISR_TER);
        return;
    }
    store_le32(d->regs + RTL_TSD + 4 * n, tsd | TSD_OWN | TSD_TOK);
    frame_send(d, f);
    rtl8139_raise(d, ISR_TOK);
}

/* In turn, from the one after that which was sent last. */
void rtl8139_send(struct rtl8139 *d)
{
    if (reg16(d, RTL_CPCR) & CPCR_TX)
        return;
    for (unsigned i = 0; i < 4; i++) {
        if (!(d->regs[RTL_CR] & CR_TE) || (reg32(d, RTL_TSD + 4u * d->tx_next) & TSD_OWN))
            return;
        slot_send(d, d->tx_next);
        d->tx_next = (d->tx_next + 1) & 3;
    }
}

/* --- C+ --- */

/* Where an IPv4 packet's transport begins; 0: it is none, or fragmented, or cut short. */
static uint32_t transport_of(const struct frame *f, uint8_t proto)
{
    const uint8_t *ip = f->data + ETH_HLEN;
    uint32_t header;

    if (f->len < ETH_HLEN + 20 || load_be16(f->data + 12) != 0x0800 || ip[0] >> 4 != 4)
        return 0;
    header = (ip[0] & 15u) * 4;
    if (header < 20 || ETH_HLEN + header + (proto == 6 ? 20 : 8) > f->len || ip[9] != proto ||
        (load_be16(ip + 6) & 0x3fff))
        return 0;
    return ETH_HLEN + header;
}

static void ip_checksum(struct frame *f)
{
    uint8_t *ip = f->data + ETH_HLEN;
    uint32_t header = (ip[0] & 15u) * 4;

    if (f->len < ETH_HLEN + 20 || load_be16(f->data + 12) != 0x0800 || header < 20 ||
        ETH_HLEN + header > f->len)
        return;
    store_be16(ip + 10, 0);
    store_be16(ip + 10, inet_fold(inet_sum(0, ip, header)));
}

/* The pseudo-header's sum goes where the checksum is to be; the rest is left to do. What is no such
   packet goes as it is. Padding is cut off, to be added again when the sum has been made. */
static void transport_checksum(struct frame *f, uint8_t proto)
{
    uint32_t l4 = transport_of(f, proto), at = proto == 6 ? 16 : 6, end;
    const uint8_t *ip = f->data + ETH_HLEN;

    end = l4 ? ETH_HLEN + (uint32_t)load_be16(ip + 2) : 0;
    if (!l4 || end > f->len || end < l4 + at + 2)
        return;
    f->len = end;
    store_be16(f->data + l4 + at,
               (uint16_t)~inet_fold(inet_sum(proto + (f->len - l4), ip + 12, 8)));
    f->offload.needs_csum = true;
    f->offload.csum_start = (uint16_t)l4;
    f->offload.csum_offset = (uint16_t)at;
}

static bool large_send(struct frame *f, uint16_t mss)
{
    uint32_t l4 = transport_of(f, 6), headers;

    if (!l4 || !mss)
        return false;
    headers = l4 + (f->data[l4 + 12] >> 4) * 4u;
    if (headers < l4 + 20 || headers >= f->len)
        return false;
    store_be16(f->data + ETH_HLEN + 2, (uint16_t)(f->len - ETH_HLEN));
    ip_checksum(f);
    transport_checksum(f, 6);
    f->offload.gso = FRAME_GSO_TCPV4;
    f->offload.gso_size = mss;
    f->offload.hdr_len = (uint16_t)headers;
    return true;
}

/* What the last descriptor asks for. False: it cannot be done. */
static bool packet_finish(struct frame *f, uint32_t flags)
{
    if (flags & D_LGSEN)
        return large_send(f, flags >> 16 & 0x7ff);
    if (flags & D_IPCS)
        ip_checksum(f);
    if (flags & D_TCPCS)
        transport_checksum(f, 6);
    else if (flags & D_UDPCS)
        transport_checksum(f, 17);
    return true;
}

static void packet_send(struct rtl8139 *d, uint32_t flags, uint32_t tag)
{
    struct frame *f = d->tx;

    d->tx = NULL;
    if (d->tx_bad || f->len < ETH_HLEN || !packet_finish(f, flags)) {
        device_warn(&d->nic.dev, "TX packet of %u bytes makes no sense", f->len);
        d->nic.port.stats.drops[DROP_MALFORMED]++;
        frame_unref(f);
        return;
    }
    if (tag & D_TAGC) /* the descriptor has it as it is on the wire */
        f = frame_tagged(f, 0x8100, (uint16_t)(tag << 8 | (tag >> 8 & 0xff)));
    frame_send(d, f);
}

static void buffer_append(struct rtl8139 *d, uint64_t at, uint32_t len)
{
    uint32_t have = d->tx->len;

    if (have + len > FRAME_MAX_LEN - 4) {
        d->tx_bad = true;
        return;
    }
    if (d->tx->cap < have + len) {
        struct frame *larger = frame_with_room(d->tx, FRAME_MAX_LEN);
        frame_unref(d->tx);
        d->tx = larger;
    }
    if (!rtl8139_dma(d)->read(rtl8139_dma(d), at, d->tx->data + have, len))
        d->tx_bad = true;
    else
        d->tx->len = have + len;
}

/* One descriptor of the ring. False: the driver has given no more. What is written back keeps the
   size; where checksums and MSS were asked for, errors and collisions are told: none. */
static bool descriptor_take(struct rtl8139 *d, uint32_t *bytes)
{
    uint64_t at = (load_le64(d->regs + RTL_TNPDS) & ~255ULL) + d->cp_tx * RTL_DESCRIPTOR;
    uint8_t w[RTL_DESCRIPTOR];
    uint32_t flags;

    if (!rtl8139_dma(d)->read(rtl8139_dma(d), at, w, sizeof(w))) {
        device_warn(&d->nic.dev, "the TX ring is not in RAM");
        return false;
    }
    flags = load_le32(w);
    if (!(flags & D_OWN))
        return false;
    *bytes += flags & 0xffff;
    if (flags & D_FS) {
        frame_unref(d->tx);
        d->tx = frame_new(2048);
        d->tx_bad = false;
    }
    if (d->tx)
        buffer_append(d, load_le64(w + 8), flags & 0xffff);
    if (d->tx && (flags & D_LS))
        packet_send(d, flags, load_le32(w + 4));
    store_le32(w, flags & (D_EOR | D_FS | D_LS | 0xffff));
    rtl8139_dma(d)->write(rtl8139_dma(d), at, w, 4);
    d->cp_tx = ring_next(d->cp_tx, flags);
    return true;
}

void rtl8139_poll(struct rtl8139 *d)
{
    uint32_t taken = 0, bytes = 0;
    bool more;

    if (!(d->regs[RTL_CR] & CR_TE) || !(reg16(d, RTL_CPCR) & CPCR_TX) || event_armed(&d->tx_more))
        return;
    while (taken < WORK && bytes < WORK_BYTES && descriptor_take(d, &bytes))
        taken++;
    more = taken == WORK || bytes >= WORK_BYTES;
    if (more)
        evq_arm(rtl8139_events(d), &d->tx_more, d->nic.dev.env->actor->now + WORK_PAUSE);
    if (taken)
        rtl8139_raise(d, ISR_TOK | (more ? 0 : ISR_TDU));
}

void rtl8139_tx_reset(struct rtl8139 *d)
{
    evq_cancel(rtl8139_events(d), &d->tx_more);
    frame_unref(d->tx);
    d->tx = NULL;
    d->tx_bad = false;
}
