/*
 * The e1000e receives: extended descriptors, and packets split into headers and data (317694,
 * chapter 7).
 *
 *     given      | address 8                            | reserved 8                              |
 *     extended   | RSS type, queue 4 | hash 4           | status 20 bit, errors 4 | len 2 | tag 2 |
 *
 *     given      | four addresses, 8 each                                                         |
 *     split      | RSS type, queue 4 | hash 4           | status, errors 4 | length 0 2 | tag 2 |
 *                | header status 2 | lengths 1, 2, 3    | reserved 8                              |
 *
 * Where RXCSUM.PCSD is clear the hash's place has an IPv4 packet's identification and the packet
 * checksum. Without RFCTL.EXTEN descriptors are those of the 8254x. A split descriptor counts as
 * two of a ring's. Simplifications: time is stamped on no packet; a fragment's payload is not
 * summed (RXCSUM.IPPCSE).
 */
#include "devices/e1000e_internal.h"

#define SPLIT_DESCRIPTOR 32
#define STATUS 8 /* where its lowest byte is */
#define STATUS_IPIDV 0x200u
#define STATUS_UDPV 0x400u
#define HEADER_SPLIT 0x8000u
#define HEADER_MOST 0x3ffu /* of the length beside it */
#define BUFFERS 4

/** A packet on its way into a ring. */
struct incoming {
    const struct e1000_received *r;
    const struct e1000_rxq *q;
    uint32_t mrq, high, status;
    uint32_t header; /* what goes apart; 0: nothing */
};

/* --- what is said of it --- */

static void incoming_describe(struct e1000 *d, const struct e1000e_headers *h,
                              const struct e1000e_rss *rss, struct incoming *p)
{
    const struct e1000_received *r = p->r;

    p->mrq = rss->type | (uint32_t)rss->queue << 8;
    p->status = r->status | E1000_EOP | (uint32_t)r->errors << 24;
    if (d->regs[E1000_RXCSUM] & RXCSUM_PCSD) {
        p->high = rss->hash;
        return;
    }
    if (h->udp_fragment)
        p->status |= STATUS_UDPV;
    p->high = (uint32_t)r->checksum << 16;
    if (h->l3 && !h->v6) {
        p->high |= load_be16(r->data + h->l3 + 4);
        p->status |= STATUS_IPIDV;
    }
}

/* The part of a descriptor that both kinds have: of the last of a packet, or another. */
static void status_store(const struct incoming *p, bool last, uint32_t len, uint8_t *w)
{
    store_le32(w, last ? p->mrq : 0);
    store_le32(w + 4, last ? p->high : 0);
    store_le32(w + 8, last ? p->status : E1000_DD);
    store_le16(w + 12, (uint16_t)len);
    store_le16(w + 14, last ? p->r->special : 0);
}

static enum port_verdict not_ram(struct e1000 *d)
{
    device_warn(&d->nic.dev, "the RX ring or a buffer of it is not in RAM");
    return PORT_DROPPED;
}

/* --- extended descriptors --- */

/* As e1000_rx.c's part_write. */
static bool extended_write(struct e1000 *d, const struct incoming *p, uint32_t at, uint32_t *part)
{
    struct dma *dma = d->nic.dev.env->dma;
    uint8_t w[E1000_DESCRIPTOR];
    uint64_t where;
    enum e1000_next next = e1000_rx_next(d, p->q, STATUS, w);

    if (next != E1000_BUFFER) {
        *part = 0;
        return next == E1000_NO_BUFFER;
    }
    where = e1000_ring_address(d, p->q->ring);
    if (!dma->write(dma, load_le64(w), p->r->data + at, *part))
        return false;
    status_store(p, at + *part == p->r->len, *part, w);
    e1000_rx_advance(d, p->q, 1);
    return dma->write(dma, where, w, sizeof(w));
}

static enum port_verdict place_extended(struct e1000 *d, const struct incoming *p)
{
    uint32_t size = e1000_buffer_size(d), len = p->r->len, part;
    enum port_verdict room = e1000_rx_buffers(d, p->q, (len + size - 1) / size);

    if (room != PORT_TAKEN)
        return room;
    for (uint32_t at = 0; at < len; at += part) {
        part = MIN(size, len - at);
        if (!extended_write(d, p, at, &part))
            return not_ram(d);
    }
    e1000_rx_done(d, p->q);
    return PORT_TAKEN;
}

/* --- split packets --- */

/* Sizes of the buffers of a descriptor; what is given apart is alone in the first one. */
static void split_sizes(const struct e1000 *d, const struct incoming *p, bool first,
                        uint32_t sizes[BUFFERS])
{
    uint32_t psrctl = d->regs[E1000E_PSRCTL];

    sizes[0] = (psrctl & 0x7f) * 128;
    for (unsigned i = 1; i < BUFFERS; i++)
        sizes[i] = (psrctl >> 8 * i & 0x3f) * 1024;
    if (p->header)
        sizes[0] = first ? p->header : 0;
}

static uint32_t sizes_sum(const uint32_t sizes[BUFFERS])
{
    return sizes[0] + sizes[1] + sizes[2] + sizes[3];
}

/* One descriptor from byte *at on, which moves. */
static bool split_write(struct e1000 *d, const struct incoming *p, uint32_t *at)
{
    struct dma *dma = d->nic.dev.env->dma;
    uint64_t where = e1000_ring_address(d, p->q->ring), addresses[BUFFERS];
    uint32_t sizes[BUFFERS];
    uint16_t lengths[BUFFERS];
    uint8_t w[SPLIT_DESCRIPTOR];
    bool first = *at == 0;

    if (!dma->read(dma, where, w, sizeof(w)))
        return false;
    split_sizes(d, p, first, sizes);
    for (unsigned i = 0; i < BUFFERS; i++) {
        addresses[i] = load_le64(w + 8 * i);
        lengths[i] = (uint16_t)MIN(sizes[i], p->r->len - *at);
        if (lengths[i] && addresses[i] &&
            !dma->write(dma, addresses[i], p->r->data + *at, lengths[i]))
            return false;
        *at += lengths[i];
    }
    memset(w, 0, sizeof(w));
    status_store(p, *at == p->r->len, lengths[0], w);
    store_le16(w + 16, (uint16_t)(p->header && first ? HEADER_SPLIT | p->header : 0));
    for (unsigned i = 1; i < BUFFERS; i++)
        store_le16(w + 16 + 2 * i, lengths[i]);
    e1000_rx_advance(d, p->q, 2);
    return dma->write(dma, where, w, sizeof(w));
}

static enum port_verdict place_split(struct e1000 *d, struct incoming *p,
                                     const struct e1000e_headers *h)
{
    uint32_t sizes[BUFFERS], first, more, n = 1;
    enum port_verdict room;

    split_sizes(d, p, true, sizes);
    if (h->end && h->end <= MIN(sizes[0], HEADER_MOST) && h->end < p->r->len &&
        sizes_sum(sizes) > sizes[0])
        p->header = h->end;
    split_sizes(d, p, true, sizes);
    first = sizes_sum(sizes);
    split_sizes(d, p, false, sizes);
    more = sizes_sum(sizes);
    if (!more) {
        device_warn(&d->nic.dev, "packets are to be split into buffers of no bytes");
        return PORT_DROPPED;
    }
    if (p->r->len > first)
        n += (p->r->len - first + more - 1) / more;
    room = e1000_rx_room(d, p->q, 2 * n);
    if (room != PORT_TAKEN)
        return room;
    for (uint32_t at = 0; at < p->r->len;)
        if (!split_write(d, p, &at))
            return not_ram(d);
    e1000_rx_done(d, p->q);
    return PORT_TAKEN;
}

enum port_verdict e1000e_place(struct e1000 *d, const struct e1000_received *r)
{
    struct e1000e_headers h;
    struct e1000e_rss rss;
    struct incoming p = {.r = r};

    e1000e_headers_find(d, r, &h);
    e1000e_rss(e1000e_of(d), r, &h, &rss);
    p.q = &d->rx[rss.queue];
    if (!(d->regs[E1000E_RFCTL] & RFCTL_EXTEN))
        return e1000_place_in(d, p.q, r);
    incoming_describe(d, &h, &rss, &p);
    if ((d->regs[E1000_RCTL] >> 10 & 3) == 1) /* DTYP */
        return place_split(d, &p, &h);
    return place_extended(d, &p);
}
