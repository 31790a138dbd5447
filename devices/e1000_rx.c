/*
 * The e1000 receives: frames that the filters let in go into the driver's buffers (317453, 3.2).
 *
 *     | address 8 | length 2 | packet checksum 2 | status 1 | errors 1 | special 2 |
 *
 * A frame without a buffer waits on the line (RNBC counts it); the card is asked again when the
 * tail moves.
 */
#include "devices/e1000_internal.h"

#define LONGEST 1522 /* with CRC and tag, unless RCTL.LPE (13.4.22) */
#define LARGEST 16384
#define DELAY_UNIT 1024 /* ns, of RDTR and RADV */
#define CRC 4
#define STATUS 12 /* where it is in a descriptor */

/* --- buffers --- */

uint32_t e1000_buffer_size(const struct e1000 *d)
{
    uint32_t rctl = d->regs[E1000_RCTL], code = rctl >> 16 & 3, size = 2048u >> code;

    if (rctl & RCTL_FLXBUF)
        return (rctl & RCTL_FLXBUF) / (RCTL_FLXBUF & -RCTL_FLXBUF) * 1024;
    if (!(rctl & RCTL_BSEX))
        return size;
    return code == 0 ? 2048 : size * 16; /* code 0 with BSEX is reserved */
}

/* Descriptors that the driver has filled; the head and tail were checked. */
static uint32_t ring_free(struct e1000 *d, const struct e1000_rxq *q)
{
    uint32_t n = e1000_ring_size(d, q->ring);

    return (e1000_ring_tail(d, q->ring) + n - *e1000_ring_head(d, q->ring)) % n;
}

static enum port_verdict no_room(struct e1000 *d, const struct e1000_rxq *q)
{
    e1000_count(d, STAT_RNBC, 1);
    e1000_raise(d, ICR_RXDMT0 | q->cause);
    return PORT_HOLD;
}

enum port_verdict e1000_rx_room(struct e1000 *d, const struct e1000_rxq *q, uint32_t units)
{
    if (!e1000_ring_valid(d, q->ring))
        return PORT_HOLD;
    if (ring_free(d, q) >= units)
        return PORT_TAKEN;
    if (units >= e1000_ring_size(d, q->ring)) { /* one is never given */
        device_warn(&d->nic.dev, "a packet of %u descriptors of an RX ring of %u", units,
                    e1000_ring_size(d, q->ring));
        e1000_count(d, STAT_MPC, 1);
        return PORT_DROPPED;
    }
    return no_room(d, q);
}

enum port_verdict e1000_rx_buffers(struct e1000 *d, const struct e1000_rxq *q, uint32_t n)
{
    enum port_verdict room = e1000_rx_room(d, q, n);
    struct dma *dma = d->nic.dev.env->dma;
    uint32_t head = *e1000_ring_head(d, q->ring), found = 0;
    uint64_t base = e1000_ring_address(d, q->ring) - (uint64_t)head * E1000_DESCRIPTOR;

    if (room != PORT_TAKEN)
        return room;
    for (uint32_t i = 0, given = ring_free(d, q); i < given && found < n; i++) {
        uint64_t at = (head + i) % e1000_ring_size(d, q->ring) * E1000_DESCRIPTOR;
        uint8_t address[8];
        if (!dma->read(dma, base + at, address, sizeof(address)))
            return PORT_TAKEN; /* whoever fills it finds that, too */
        found += load_le64(address) != 0;
    }
    return found == n ? PORT_TAKEN : no_room(d, q);
}

void e1000_rx_flush(struct e1000 *d)
{
    uint32_t causes = d->rx_causes;

    d->rx_causes = 0;
    evq_cancel(e1000_events(d), &d->rx_delay);
    evq_cancel(e1000_events(d), &d->rx_absolute);
    e1000_raise(d, ICR_RXT0 | causes);
}

/* RXDMT0 if as few buffers are left as RCTL.RDMTS says (13.4.22); RXT0, now or when the delays have
   passed (13.4.30, 13.4.32). */
void e1000_rx_done(struct e1000 *d, const struct e1000_rxq *q)
{
    uint64_t now = e1000_now(d);
    uint32_t low = e1000_ring_size(d, q->ring) >> ((d->regs[E1000_RCTL] >> 8 & 3) + 1);

    if (ring_free(d, q) <= low)
        e1000_raise(d, ICR_RXDMT0 | q->cause);
    d->rx_causes |= q->cause;
    if (!d->regs[E1000_RDTR]) {
        e1000_rx_flush(d);
        return;
    }
    if (!e1000_chip(d)->rdtr_absolute || !event_armed(&d->rx_delay))
        evq_arm(e1000_events(d), &d->rx_delay, (vtime_t)(now + d->regs[E1000_RDTR] * DELAY_UNIT));
    if (d->regs[E1000_RADV] && !event_armed(&d->rx_absolute))
        evq_arm(e1000_events(d), &d->rx_absolute,
                (vtime_t)(now + d->regs[E1000_RADV] * DELAY_UNIT));
}

void e1000_rx_advance(struct e1000 *d, const struct e1000_rxq *q, uint32_t units)
{
    uint32_t *head = e1000_ring_head(d, q->ring);

    *head = (*head + units) % e1000_ring_size(d, q->ring);
}

enum e1000_next e1000_rx_next(struct e1000 *d, const struct e1000_rxq *q, unsigned status,
                              uint8_t *w)
{
    struct dma *dma = d->nic.dev.env->dma;
    uint64_t where = e1000_ring_address(d, q->ring);

    if (!ring_free(d, q) || !dma->read(dma, where, w, E1000_DESCRIPTOR))
        return E1000_NO_DESCRIPTOR;
    if (load_le64(w))
        return E1000_BUFFER;
    w[status] |= E1000_DD;
    e1000_rx_advance(d, q, 1);
    return dma->write(dma, where + status, &w[status], 1) ? E1000_NO_BUFFER : E1000_NO_DESCRIPTOR;
}

/* A part of a packet into the next buffer, of which `part` bytes become what was written. False:
   the ring or the buffer is not in RAM. */
static bool part_write(struct e1000 *d, const struct e1000_rxq *q, const struct e1000_received *r,
                       uint32_t at, uint32_t *part)
{
    struct dma *dma = d->nic.dev.env->dma;
    uint8_t w[E1000_DESCRIPTOR];
    bool last = at + *part == r->len;
    uint64_t where;
    enum e1000_next next = e1000_rx_next(d, q, STATUS, w);

    if (next != E1000_BUFFER) {
        *part = 0;
        return next == E1000_NO_BUFFER;
    }
    where = e1000_ring_address(d, q->ring);
    if (!dma->write(dma, load_le64(w), r->data + at, *part))
        return false;
    store_le16(w + 8, (uint16_t)*part);
    store_le16(w + 10, at ? 0 : r->checksum); /* "always in the first" (3.2.3) */
    w[STATUS] = last ? r->status | E1000_EOP : E1000_DD;
    w[13] = last ? r->errors : 0;
    store_le16(w + 14, last ? r->special : 0);
    e1000_rx_advance(d, q, 1);
    return dma->write(dma, where, w, sizeof(w));
}

enum port_verdict e1000_place_in(struct e1000 *d, const struct e1000_rxq *q,
                                 const struct e1000_received *r)
{
    uint32_t size = e1000_buffer_size(d), part;
    enum port_verdict room = e1000_rx_buffers(d, q, (r->len + size - 1) / size);

    if (room != PORT_TAKEN)
        return room;
    for (uint32_t at = 0; at < r->len; at += part) {
        part = MIN(size, r->len - at);
        if (!part_write(d, q, r, at, &part)) {
            device_warn(&d->nic.dev, "the RX ring or a buffer of it is not in RAM");
            return PORT_DROPPED;
        }
    }
    e1000_rx_done(d, q);
    return PORT_TAKEN;
}

enum port_verdict e1000_place(struct e1000 *d, const struct e1000_received *r)
{
    return e1000_place_in(d, &d->rx[0], r);
}

static void count_received(struct e1000 *d, const struct frame *f)
{
    uint32_t len = f->len + CRC;

    e1000_count(d, STAT_GPRC, 1);
    e1000_count(d, STAT_TPR, 1);
    e1000_count64(d, STAT_GORC, len);
    e1000_count64(d, STAT_TOR, len);
    e1000_count_size(d, STAT_PRC64, len, 1);
    if (eth_is_multicast(f->data))
        e1000_count(d, eth_is_broadcast(f->data) ? STAT_BPRC : STAT_MPRC, 1);
}

/* One finished packet. */
static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct e1000 *d = opaque;
    uint8_t out[LARGEST + CRC];
    struct e1000_received r;
    enum port_verdict verdict;
    bool pif;

    if (!(d->regs[E1000_RCTL] & RCTL_EN) || !(d->regs[E1000_STATUS] & STATUS_LU))
        return PORT_DROPPED;
    if (!e1000_wants(d, f, &pif))
        return PORT_TAKEN;
    if (f->len + CRC > (d->regs[E1000_RCTL] & RCTL_LPE ? LARGEST : LONGEST)) {
        e1000_count(d, STAT_ROC, 1);
        e1000_count(d, STAT_RLEC, 1);
        return PORT_DROPPED;
    }
    e1000_describe(d, f, pif, out, &r);
    verdict = e1000_chip(d)->place(d, &r);
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
    packets_loop(&d->waiting, f);
    evq_arm(e1000_events(d), &d->looped, (vtime_t)e1000_now(d) + NS_PER_US);
}

/* --- life --- */

static void looped_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_receive(container_of(ev, struct e1000, looped));
}

static void delay_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_rx_flush(container_of(ev, struct e1000, rx_delay));
}

static void absolute_fire(struct event *ev, vtime_t now)
{
    (void)now;
    e1000_rx_flush(container_of(ev, struct e1000, rx_absolute));
}

void e1000_rx_init(struct e1000 *d)
{
    d->rx[0] = (struct e1000_rxq){.ring = E1000_RDBAL};
    event_init(e1000_events(d), &d->looped, looped_fire);
    event_init(e1000_events(d), &d->rx_delay, delay_fire);
    event_init(e1000_events(d), &d->rx_absolute, absolute_fire);
}

void e1000_rx_forget(struct e1000 *d)
{
    evq_cancel(e1000_events(d), &d->looped);
    evq_cancel(e1000_events(d), &d->rx_delay);
    evq_cancel(e1000_events(d), &d->rx_absolute);
    d->rx_causes = 0;
    packets_forget(&d->waiting);
}

void e1000_rx_reset(struct e1000 *d)
{
    e1000_rx_forget(d);
    port_ready(&d->nic.port); /* what waited is offered again, and refused */
}

/* Frames on their way to the original's buffers are the original's. */
void e1000_rx_clone(struct e1000 *d, const struct e1000 *from)
{
    evq_copy(e1000_events(d), &d->rx_delay, &from->rx_delay);
    evq_copy(e1000_events(d), &d->rx_absolute, &from->rx_absolute);
}
