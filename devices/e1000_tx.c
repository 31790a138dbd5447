/*
 * The e1000 sends: descriptors become frames (317453, 3.3).
 *
 *     legacy   | address 8 | length 2 | CSO 1 | CMD 1 | STA 1 | CSS 1 | special 2 |
 *     data     | address 8 | length 20 bit, type 1, DCMD | STA, POPTS, special      |
 *     context  | IPCSS IPCSO IPCSE | TUCSS TUCSO TUCSE | PAYLEN, type 0, TUCMD | STA, HDRLEN, MSS |
 *
 * Checksums and segmentation are left to whoever needs the finished packet (sim/offload.h); a
 * request that offload.h has no word for is carried out here. Descriptors are taken at once, but
 * no more at a time than a link could send in some microseconds; the rest follows by an event.
 * Simplifications: a segmentation request may be as long as a frame (64 KiB), not PAYLEN's 1 MiB;
 * short packets are padded whatever TCTL.PSP says; a driver that asks for no CRC (IFCS clear) and
 * has none of its own is given one, as those that forget to ask would send nothing.
 */
#include "devices/e1000_internal.h"
#include "sim/offload.h"

#define WORK_DESCRIPTORS 1024
#define WORK_BYTES (1u << 20)
#define WORK_PAUSE (8 * NS_PER_US)
#define CRC 4
#define ORDINARY 2048
#define DELAY_UNIT 1024 /* ns, of TIDV and TADV */

/* CMD and DCMD. */
enum { EOP = 0x01, IFCS = 0x02, IC = 0x04, TSE = 0x04, DEXT = 0x20, VLE = 0x40, IDE = 0x80 };
enum { POPTS_IXSM = 1, POPTS_TXSM = 2 };
enum { TUCMD_TCP = 1, TUCMD_IPV4 = 2, TUCMD_TSE = 4 };
enum { STA_DD = 1 };
enum { CONTEXT_CHECKSUM, CONTEXT_SEGMENT };

static struct device *dev_of(struct e1000 *d)
{
    return &d->nic.dev;
}

/* --- finishing a packet --- */

/* The Internet checksum over [start, end], bounds included, stored at `at`; end 0: to the end. */
static void checksum_store(struct frame *f, uint32_t start, uint32_t at, uint32_t end)
{
    uint32_t last = end && end < f->len ? end + 1 : f->len;

    if (start < last && at + 2 <= f->len)
        store_be16(f->data + at, inet_fold(inet_sum(0, f->data + start, last - start)));
}

/* TCP's or UDP's checksum: left undone where it can be. */
static void checksum_request(struct e1000 *d, struct frame *f, const struct e1000_context *c)
{
    if (c->tucse && c->tucse + 1u < f->len) {
        checksum_store(f, c->tucss, c->tucso, c->tucse);
    } else if (c->tucss < ETH_HLEN || c->tucso < c->tucss || c->tucso + 2u > f->len) {
        device_warn(dev_of(d), "TX checksum at %u from %u does not fit %u bytes", c->tucso,
                    c->tucss, f->len);
    } else {
        f->offload.needs_csum = true;
        f->offload.csum_start = c->tucss;
        f->offload.csum_offset = (uint16_t)(c->tucso - c->tucss);
    }
}

static bool segment_valid(const struct frame *f, const struct e1000_context *c)
{
    unsigned least = c->tucmd & TUCMD_TCP ? 20 : 8;

    return c->mss && c->ipcss >= ETH_HLEN && c->tucss >= c->ipcss + 20u &&
           c->hdrlen >= c->tucss + least && c->hdrlen < f->len && c->tucso >= c->tucss &&
           c->tucso + 2u <= c->hdrlen;
}

/*
 * The driver left the lengths out: of the IP header, and in the pseudo-header's sum (3.5.3). With
 * them the request is one of sim/frame.h. False: it makes no sense.
 */
static bool segment_request(struct frame *f, const struct e1000_context *c)
{
    uint32_t len = f->len - c->tucss;
    bool v4 = c->tucmd & TUCMD_IPV4;

    if (!segment_valid(f, c))
        return false;
    if (v4)
        store_be16(f->data + c->ipcss + 2, (uint16_t)(f->len - c->ipcss));
    else
        store_be16(f->data + c->ipcss + 4, (uint16_t)(f->len - c->ipcss - 40));
    if (!(c->tucmd & TUCMD_TCP))
        store_be16(f->data + c->tucss + 4, (uint16_t)len);
    store_be16(f->data + c->tucso,
               (uint16_t)~inet_fold(load_be16(f->data + c->tucso) + (len & 0xffff) + (len >> 16)));
    f->offload = (struct frame_offload){
        .needs_csum = true,
        .csum_start = c->tucss,
        .csum_offset = (uint16_t)(c->tucso - c->tucss),
        .gso = (uint8_t)(!(c->tucmd & TUCMD_TCP) ? FRAME_GSO_UDP_L4
                         : v4                    ? FRAME_GSO_TCPV4
                                                 : FRAME_GSO_TCPV6),
        .gso_size = c->mss,
        .hdr_len = c->hdrlen,
    };
    return true;
}

/* As many packets as the wire will carry (13.7), with their CRCs. */
static void count_sent(struct e1000 *d, const struct frame *f)
{
    const struct frame_offload *o = &f->offload;
    uint32_t headers = o->gso ? o->hdr_len : 0, data = f->len - headers;
    uint32_t whole = o->gso ? (data - 1) / o->gso_size : 0; /* before the last */
    uint32_t last = MAX(f->len - whole * o->gso_size, (uint32_t)FRAME_MIN_WIRE) + CRC;

    e1000_count(d, STAT_GPTC, whole + 1);
    e1000_count(d, STAT_TPT, whole + 1);
    e1000_count(d, STAT_TSCTC, o->gso != 0);
    e1000_count64(d, STAT_GOTC, last + whole * (uint64_t)(headers + o->gso_size + CRC));
    e1000_count64(d, STAT_TOT, last + whole * (uint64_t)(headers + o->gso_size + CRC));
    e1000_count_size(d, STAT_PTC64, headers + o->gso_size + CRC, whole);
    e1000_count_size(d, STAT_PTC64, last, 1);
    if (eth_is_multicast(f->data))
        e1000_count(d, eth_is_broadcast(f->data) ? STAT_BPTC : STAT_MPTC, whole + 1);
}

static void frame_send(struct e1000 *d, struct frame *f)
{
    struct device_env *env = dev_of(d)->env;

    count_sent(d, f);
    frame_pad(f);
    if (e1000_loops(d)) {
        e1000_loop(d, f);
        frame_unref(f);
        return;
    }
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&d->nic.port, f);
}

/* What the packet's descriptors asked for. False: it cannot be done, and the packet is dropped. */
static bool packet_finish(struct e1000_txq *q, const struct e1000_packet *p, struct frame *f)
{
    const struct e1000_context *c = &q->contexts[p->segments ? CONTEXT_SEGMENT : CONTEXT_CHECKSUM];

    if (!p->extended) {
        if (p->cmd & IC)
            checksum_store(f, p->css, p->cso, 0);
        return true;
    }
    if (p->segments && !segment_request(f, c))
        return false;
    if (p->popts & POPTS_IXSM)
        checksum_store(f, c->ipcss, c->ipcso, c->ipcse);
    if (!p->segments && (p->popts & POPTS_TXSM))
        checksum_request(q->card, f, c);
    return true;
}

static void packet_send(struct e1000_txq *q)
{
    struct e1000 *d = q->card;
    struct e1000_packet p = q->packet;
    struct frame *f = p.frame;
    bool tagged = p.tagged && (d->regs[E1000_CTRL] & CTRL_VME); /* 9.2 */

    q->packet = (struct e1000_packet){0};
    if (!f && !p.too_long)
        return; /* padding descriptors (3.3.3) */
    if (p.too_long || f->len < ETH_HLEN || !packet_finish(q, &p, f)) {
        d->nic.port.stats.drops[p.too_long ? DROP_GIANT : DROP_MALFORMED]++;
        device_warn(dev_of(d), "TX packet of %u bytes makes no sense", f ? f->len : 0);
        frame_unref(f);
        return;
    }
    if (!(p.cmd & IFCS) && !tagged && !f->offload.gso)
        frame_cut_fcs(f); /* its own, that the wire's takes the place of */
    if (tagged && f->len + 4 <= FRAME_MAX_LEN)
        f = frame_tagged(f, (uint16_t)d->regs[E1000_VET], p.special);
    frame_send(d, f);
}

/* --- descriptors --- */

/* The room that a packet's first buffer takes is its own (it may be padded), as it mostly is the
   only one; that of a full frame comes next, and then that of any. */
static uint32_t room_for(uint32_t have, uint32_t len)
{
    if (!have)
        return MAX(len, (uint32_t)FRAME_MIN_WIRE);
    return have + len <= ORDINARY ? ORDINARY : FRAME_MAX_LEN;
}

/* Append a buffer to the packet. */
static void buffer_append(struct e1000_txq *q, uint64_t addr, uint32_t len)
{
    struct e1000_packet *p = &q->packet;
    uint32_t have = p->frame ? p->frame->len : 0;
    struct dma *dma = dev_of(q->card)->env->dma;

    if (!len || !addr || p->too_long) /* no data, which is not wrong (3.3.3) */
        return;
    if (have + len > FRAME_MAX_LEN - 4) { /* a tag may come */
        p->too_long = true;
        return;
    }
    if (!p->frame || p->frame->cap < have + len) {
        struct frame *larger = frame_with_room(p->frame, room_for(have, len));
        frame_unref(p->frame);
        p->frame = larger;
    }
    if (!dma->read(dma, addr, p->frame->data + have, len)) {
        device_warn(dev_of(q->card), "a TX buffer is not in RAM");
        p->too_long = true;
        return;
    }
    p->frame->len = have + len;
}

static void context_load(struct e1000_txq *q, const uint8_t *w)
{
    bool segment = w[11] & TUCMD_TSE;

    q->contexts[segment ? CONTEXT_SEGMENT : CONTEXT_CHECKSUM] = (struct e1000_context){
        .ipcss = w[0],
        .ipcso = w[1],
        .ipcse = load_le16(w + 2),
        .tucss = w[4],
        .tucso = w[5],
        .tucse = load_le16(w + 6),
        .paylen = load_le32(w + 8) & 0xfffff,
        .tucmd = w[11],
        .hdrlen = w[13],
        .mss = load_le16(w + 14),
    };
}

/* Of a packet's options some are those of its first descriptor, and some of its last (3.3.3,
   3.3.7.1); a tag is the last's, unless the packet is to be segmented. */
static void options_take(struct e1000_packet *p, const uint8_t *w)
{
    bool first = !p->frame;
    uint8_t cmd = w[11];

    if (first) {
        p->extended = cmd & DEXT;
        p->segments = (cmd & DEXT) && (cmd & TSE);
        p->popts = p->css = w[13];
    }
    if (first || !p->segments) {
        p->tagged = cmd & VLE;
        p->special = load_le16(w + 14);
    }
    p->cmd = cmd;
    p->cso = w[10];
}

/* Take one in; returns bytes it stands for. */
static uint32_t descriptor_take(struct e1000_txq *q, const uint8_t *w)
{
    uint8_t cmd = w[11];
    uint32_t len;

    if ((cmd & DEXT) && (w[10] >> 4) == 0) {
        context_load(q, w);
        return 0;
    }
    len = cmd & DEXT ? load_le32(w + 8) & 0xfffff : load_le16(w + 8);
    options_take(&q->packet, w);
    buffer_append(q, load_le64(w), len);
    if (cmd & EOP)
        packet_send(q);
    return len;
}

/* --- the ring --- */

void e1000_tx_flush(struct e1000 *d)
{
    uint32_t causes = d->tx_causes;

    d->tx_causes = 0;
    evq_cancel(e1000_events(d), &d->tx_delay);
    evq_cancel(e1000_events(d), &d->tx_absolute);
    e1000_raise(d, ICR_TXDW | causes);
}

/* TXDW, now or when the delays have passed (13.4.41, 13.4.44). */
static void written_back(struct e1000_txq *q, bool delayed)
{
    struct e1000 *d = q->card;
    uint64_t now = e1000_now(d);

    d->tx_causes |= q->cause;
    if (!delayed || !d->regs[E1000_TIDV]) {
        e1000_tx_flush(d);
        return;
    }
    evq_arm(e1000_events(d), &d->tx_delay, (vtime_t)(now + d->regs[E1000_TIDV] * DELAY_UNIT));
    if (d->regs[E1000_TADV] && !event_armed(&d->tx_absolute))
        evq_arm(e1000_events(d), &d->tx_absolute,
                (vtime_t)(now + d->regs[E1000_TADV] * DELAY_UNIT));
}

/* One descriptor: read, taken, written back if that was asked for. False: it is not in RAM. */
static bool descriptor_do(struct e1000_txq *q, uint32_t *bytes, bool *done, bool *delayed)
{
    struct e1000 *d = q->card;
    struct dma *dma = dev_of(d)->env->dma;
    uint64_t at = e1000_ring_address(d, q->ring);
    uint32_t *head = e1000_ring_head(d, q->ring);
    uint8_t w[E1000_DESCRIPTOR];

    if (!dma->read(dma, at, w, sizeof(w))) {
        device_warn(dev_of(d), "the TX ring is not in RAM");
        return false;
    }
    *bytes += descriptor_take(q, w);
    if (w[11] & e1000_chip(d)->reports) {
        uint8_t status = w[12] | STA_DD;
        dma->write(dma, at + 12, &status, 1);
        *done = true;
        *delayed &= (w[11] & IDE) != 0;
    }
    *head = (*head + 1) % e1000_ring_size(d, q->ring);
    return true;
}

static bool ring_has(struct e1000_txq *q)
{
    return *e1000_ring_head(q->card, q->ring) != e1000_ring_tail(q->card, q->ring);
}

/* Whether it may be walked. */
static bool ring_ready(struct e1000_txq *q)
{
    struct e1000 *d = q->card;
    uint32_t n = e1000_ring_size(d, q->ring);

    if (!(d->regs[E1000_TCTL] & TCTL_EN) || !n || event_armed(&q->more))
        return false;
    if (e1000_ring_valid(d, q->ring))
        return true;
    device_warn(dev_of(d), "TX head %u or tail %u beyond the ring of %u",
                *e1000_ring_head(d, q->ring), e1000_ring_tail(d, q->ring), n);
    return false;
}

void e1000_transmit(struct e1000_txq *q)
{
    uint32_t bytes = 0, taken = 0;
    bool there = true, done = false, delayed = true;

    if (!ring_ready(q))
        return;
    while (there && ring_has(q) && taken < WORK_DESCRIPTORS && bytes < WORK_BYTES) {
        there = descriptor_do(q, &bytes, &done, &delayed);
        taken++;
    }
    if (done)
        written_back(q, delayed);
    if (!there)
        return;
    if (ring_has(q))
        evq_arm(e1000_events(q->card), &q->more, (vtime_t)e1000_now(q->card) + WORK_PAUSE);
    else if (taken)
        e1000_raise(q->card, ICR_TXQE);
}

/* --- life --- */

static void more_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_transmit(container_of(ev, struct e1000_txq, more));
}

static void delay_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_tx_flush(container_of(ev, struct e1000, tx_delay));
}

static void absolute_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_tx_flush(container_of(ev, struct e1000, tx_absolute));
}

/* A chip with a second ring says later where that is. */
void e1000_tx_init(struct e1000 *d)
{
    for (unsigned i = 0; i < E1000_QUEUES; i++) {
        d->tx[i] = (struct e1000_txq){.card = d, .ring = E1000_TDBAL};
        event_init(e1000_events(d), &d->tx[i].more, more_fire);
    }
    event_init(e1000_events(d), &d->tx_delay, delay_fire);
    event_init(e1000_events(d), &d->tx_absolute, absolute_fire);
}

static void queue_reset(struct e1000_txq *q)
{
    evq_cancel(e1000_events(q->card), &q->more);
    frame_unref(q->packet.frame);
    q->packet = (struct e1000_packet){0};
    memset(q->contexts, 0, sizeof(q->contexts));
}

void e1000_tx_reset(struct e1000 *d)
{
    evq_cancel(e1000_events(d), &d->tx_delay);
    evq_cancel(e1000_events(d), &d->tx_absolute);
    d->tx_causes = 0;
    for (unsigned i = 0; i < E1000_QUEUES; i++)
        queue_reset(&d->tx[i]);
}

/* A packet of which only a part has come so far is a copy of its own. */
static void queue_clone(struct e1000_txq *q, const struct e1000_txq *from)
{
    const struct frame *f = from->packet.frame;

    evq_copy(e1000_events(q->card), &q->more, &from->more);
    q->packet.frame = f ? frame_from(f->data, f->len) : NULL;
}

void e1000_tx_clone(struct e1000 *d, const struct e1000 *from)
{
    evq_copy(e1000_events(d), &d->tx_delay, &from->tx_delay);
    evq_copy(e1000_events(d), &d->tx_absolute, &from->tx_absolute);
    for (unsigned i = 0; i < E1000_QUEUES; i++)
        queue_clone(&d->tx[i], &from->tx[i]);
}
