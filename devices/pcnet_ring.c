/*
 * The pcnet's rings: descriptors become frames and frames fill buffers (19436, "Buffer
 * Management").
 *
 *     style 0    | address 15..0 | OWN..ENP, address 23..16 | BCNT | MCNT or status |   8 bytes
 *     style 2    | address 32 | OWN..ENP, BCNT | status, MCNT | user |                 16 bytes
 *     style 3    | status, MCNT | OWN..ENP, BCNT | address 32 | user |                 16 bytes
 *
 * BCNT and the rings' lengths are two's complements. No register tells the card of a new receive
 * buffer: it looks again for a frame that waits, ever more rarely, and then gives it up (MISS).
 * Simplifications: the transmit ring is looked at when TDMD demands it, not also every 2 ms; frames
 * are padded on the wire without APAD_XMT too; those shorter than a header are dropped, in loopback
 * too; without a cable there is no carrier even if the link test is off (DLNKTST).
 */
#include <zlib.h>

#include "devices/pcnet_internal.h"
#include "sim/offload.h"

#define FCS 4
#define LONGEST 4096
#define BABBLE 1518 /* more bytes than that, with the FCS, are too long for a cable */
#define WORK 512    /* descriptors taken at once */
#define WORK_PAUSE (10 * NS_PER_US)

static struct dma *dma_of(struct pcnet *d)
{
    return d->nic.dev.env->dma;
}

static unsigned style(const struct pcnet *d)
{
    return d->csr[CSR_STYLE] & 0xff;
}

static bool wide(const struct pcnet *d)
{
    return style(d) != 0;
}

/* An address of 24 bits gets its upper byte from the initialization block's (CSR2, IADR[31:24]). */
static uint32_t whole(const struct pcnet *d, uint32_t address)
{
    return wide(d) ? address : (address & 0xffffff) | (d->csr[2] & 0xff00u) << 16;
}

static uint32_t ring_size(const struct pcnet *d, unsigned csr)
{
    return (uint16_t)-d->csr[csr];
}

/* --- descriptors --- */

static bool descriptor_read(struct pcnet *d, unsigned base_csr, uint32_t index,
                            struct pcnet_descriptor *x)
{
    uint32_t base = whole(d, d->csr[base_csr] | (uint32_t)d->csr[base_csr + 1] << 16);
    uint8_t w[16];

    x->at = (uint64_t)base + (uint64_t)index * (wide(d) ? 16 : 8);
    if (!dma_of(d)->read(dma_of(d), x->at, w, wide(d) ? 16 : 8)) {
        pcnet_bus_failed(d, "a descriptor");
        return false;
    }
    if (!wide(d)) {
        x->address = whole(d, load_le32(w));
        x->status = (uint16_t)(w[3] << 8);
        x->length = (0x1000u - (load_le16(w + 4) & 0xfff)) & 0x1fff;
    } else {
        x->address = load_le32(w + (style(d) == 3 ? 8 : 0));
        x->status = load_le16(w + 6);
        x->length = 0x1000u - (load_le16(w + 4) & 0xfff);
    }
    return true;
}

/* Write back what the card changes: the message's length or the errors, and then the status with
 * OWN. */
static bool descriptor_write(struct pcnet *d, const struct pcnet_descriptor *x, uint32_t message)
{
    struct dma *dma = dma_of(d);
    uint8_t w[4], status[2]; /* of style 0 its upper byte alone */
    bool written;

    store_le32(w, message);
    store_le16(status, x->status);
    if (wide(d))
        written = dma->write(dma, x->at + (style(d) == 3 ? 0 : 8), w, 4) &&
                  dma->write(dma, x->at + 6, status, 2);
    else
        written = dma->write(dma, x->at + 6, w, 2) && dma->write(dma, x->at + 3, status + 1, 1);
    if (!written)
        pcnet_bus_failed(d, "a descriptor");
    return written;
}

/* --- initialization --- */

static uint32_t ring_code(unsigned code, unsigned most)
{
    return 1u << MIN(code, most);
}

static void csr_pair(struct pcnet *d, unsigned csr, uint32_t value)
{
    d->csr[csr] = (uint16_t)value;
    d->csr[csr + 1] = (uint16_t)(value >> 16);
}

/*
 * 16 bits:  mode 2 | address 6 | LADRF 8 | receive ring 4 | transmit ring 4
 * 32 bits:  mode 2 | lengths 2 | address 6 | 2 | LADRF 8 | receive ring 4 | transmit ring 4
 *
 * The rings' lengths, as powers of two: in their bits 31..29, or in bits 7..4 and 15..12.
 */
bool pcnet_initialize(struct pcnet *d)
{
    uint64_t at = d->csr[1] | (uint32_t)d->csr[2] << 16;
    uint32_t rx, tx, n_rx, n_tx;
    uint8_t b[28];
    const uint8_t *address = b + (wide(d) ? 4 : 2), *filter = b + (wide(d) ? 12 : 8);

    if (!dma_of(d)->read(dma_of(d), at, b, wide(d) ? 28 : 24)) {
        pcnet_bus_failed(d, "the initialization block");
        return false;
    }
    if (wide(d)) {
        n_rx = ring_code(b[2] >> 4, 9);
        n_tx = ring_code(b[3] >> 4, 9);
        rx = load_le32(b + 20);
        tx = load_le32(b + 24);
    } else {
        n_rx = ring_code(b[19] >> 5, 7);
        n_tx = ring_code(b[23] >> 5, 7);
        rx = whole(d, load_le32(b + 16));
        tx = whole(d, load_le32(b + 20));
    }
    d->csr[CSR_MODE] = load_le16(b);
    for (unsigned i = 0; i < 3; i++)
        d->csr[CSR_PADR + i] = load_le16(address + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        d->csr[CSR_LADRF + i] = load_le16(filter + 2 * i);
    csr_pair(d, CSR_RX_BASE, rx & ~(wide(d) ? 15u : 7u));
    csr_pair(d, CSR_TX_BASE, tx & ~(wide(d) ? 15u : 7u));
    d->csr[CSR_RX_LENGTH] = (uint16_t)-n_rx;
    d->csr[CSR_TX_LENGTH] = (uint16_t)-n_tx;
    pcnet_ring_rewind(d);
    return true;
}

void pcnet_ring_rewind(struct pcnet *d)
{
    d->rx_at = d->tx_at = 0;
    d->csr[CSR_RX_COUNT] = d->csr[CSR_RX_LENGTH];
    d->csr[CSR_TX_COUNT] = d->csr[CSR_TX_LENGTH];
}

/* --- sending --- */

/* False: its buffer is not in RAM. */
static bool tx_append(struct pcnet *d, const struct pcnet_descriptor *x)
{
    uint32_t have = d->tx->len;

    if (have + x->length > LONGEST) { /* CVE-2015-3209 */
        d->tx_bad = true;
        pcnet_raise(d, CSR0_BABL);
    } else if (dma_of(d)->read(dma_of(d), x->address, d->tx->data + have, x->length)) {
        d->tx->len = have + x->length;
    } else {
        pcnet_bus_failed(d, "a TX buffer");
        return false;
    }
    return true;
}

static bool loops(const struct pcnet *d)
{
    return d->csr[CSR_MODE] & MODE_LOOP;
}

static void tx_send(struct pcnet *d)
{
    struct device_env *env = d->nic.dev.env;
    struct frame *f = d->tx;

    d->tx = NULL;
    if (d->tx_has_fcs && !d->tx_bad)
        d->tx_bad = !frame_cut_fcs(f);
    if (d->tx_bad || f->len < ETH_HLEN) {
        device_warn(&d->nic.dev, "TX packet of %u bytes makes no sense", f->len);
        d->nic.port.stats.drops[f->len < ETH_HLEN ? DROP_RUNT : DROP_GIANT]++;
        frame_unref(f);
        return;
    }
    if (f->len + FCS > BABBLE) /* and is sent all the same */
        pcnet_raise(d, CSR0_BABL);
    if (d->csr[4] & CSR4_APAD_XMT || !loops(d))
        frame_pad(f);
    if (loops(d)) {
        packets_loop(&d->waiting, f);
        frame_unref(f);
        evq_arm(pcnet_events(d), &d->looped, env->actor->now + NS_PER_US);
        return;
    }
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&d->nic.port, f);
}

/* Whether the end of a packet sent well is told: as TMD1's LTINT says, or unless TOKINTD forbids it
   (CSR5). */
static bool tx_interrupts(const struct pcnet *d, uint16_t status)
{
    return d->csr[5] & CSR5_LTINTEN ? status & TD_LTINT : !(d->csr[5] & CSR5_TOKINTD);
}

static void tx_begin(struct pcnet *d, const struct pcnet_descriptor *x)
{
    frame_unref(d->tx);
    d->tx = frame_new(x->status & D_ENP ? MAX(x->length, (uint32_t)FRAME_MIN_WIRE) : LONGEST);
    d->tx_bad = false;
    d->tx_has_fcs = (d->csr[CSR_MODE] & MODE_DXMTFCS) && !(x->status & TD_ADD_FCS) &&
                    !(d->csr[4] & CSR4_APAD_XMT);
}

/* Give a descriptor back, with TMD2's errors, which are TMD3's in style 0. */
static bool tx_return(struct pcnet *d, uint32_t n, struct pcnet_descriptor x, uint32_t errors)
{
    x.status &= (uint16_t) ~(D_OWN | D_ERR | TD_COLLISIONS);
    x.status |= errors ? D_ERR : 0;
    if (!descriptor_write(d, &x, wide(d) ? errors : errors >> 16))
        return false;
    d->tx_at = (d->tx_at + 1) % n;
    d->csr[CSR_TX_COUNT] = (uint16_t) - (n - d->tx_at);
    return true;
}

/* In the link fail state 10BASE-T finds neither carrier nor heartbeat. Errors are always told. */
static bool tx_end(struct pcnet *d, uint32_t n, const struct pcnet_descriptor *x)
{
    bool lost = !d->nic.port.up && !loops(d), tells = lost || tx_interrupts(d, x->status);

    tx_send(d);
    if (!tx_return(d, n, *x, lost ? TD_LCAR : 0))
        return false;
    d->csr[4] |= CSR4_TXSTRT;
    pcnet_raise(d, (lost ? CSR0_CERR : 0) | (tells ? CSR0_TINT : 0));
    return true;
}

/* A packet has no ENP, and no next buffer: the FIFO runs empty on the wire. If that does not turn
   the transmitter off, it goes on with the next STP. */
static bool tx_underflow(struct pcnet *d, uint32_t n, const struct pcnet_descriptor *x)
{
    device_warn(&d->nic.dev, "TX packet has no end");
    d->nic.port.stats.drops[DROP_MALFORMED]++;
    frame_unref(d->tx);
    d->tx = NULL;
    if (!tx_return(d, n, *x, TD_BUFF | TD_UFLO))
        return false;
    if (!(d->csr[3] & CSR3_DXSUFLO))
        d->csr[0] &= (uint16_t)~CSR0_TXON;
    d->csr[4] |= CSR4_TXSTRT;
    pcnet_raise(d, CSR0_TINT);
    return d->csr[0] & CSR0_TXON;
}

/* One descriptor, and a look at the next if the packet goes on there. False: the driver has given
   no more. */
static bool tx_take(struct pcnet *d, uint32_t n)
{
    struct pcnet_descriptor x, next = {0};

    if (!descriptor_read(d, CSR_TX_BASE, d->tx_at, &x) || !(x.status & D_OWN))
        return false;
    if (!(x.status & D_ENP) && !descriptor_read(d, CSR_TX_BASE, (d->tx_at + 1) % n, &next))
        return false;
    if (x.status & D_STP)
        tx_begin(d, &x);
    if (!d->tx) /* the rest of a packet that was given up */
        return tx_return(d, n, x, 0);
    if (!tx_append(d, &x))
        return false;
    if (x.status & D_ENP)
        return tx_end(d, n, &x);
    if ((next.status & D_OWN) && !(next.status & D_STP))
        return tx_return(d, n, x, 0);
    return tx_underflow(d, n, &x);
}

void pcnet_transmit(struct pcnet *d)
{
    uint32_t n = ring_size(d, CSR_TX_LENGTH), taken = 0;

    if (!(d->csr[0] & CSR0_TXON) || (d->csr[5] & CSR5_SPND) || !n || event_armed(&d->tx_more))
        return;
    d->tx_at %= n;
    while (taken < WORK && tx_take(d, n))
        taken++;
    if (taken == WORK)
        evq_arm(pcnet_events(d), &d->tx_more, d->nic.dev.env->actor->now + WORK_PAUSE);
}

/* --- receiving --- */

/* The upper six bits of the address's CRC pick a bit of LADRF. */
static bool hashed(const struct pcnet *d, const uint8_t *mac)
{
    uint32_t bit = ~(uint32_t)crc32(0, mac, ETH_ALEN) >> 26;

    return d->csr[CSR_LADRF + bit / 16] >> bit % 16 & 1;
}

/* Whether a frame is for it, and which address said so: RD_PAM, RD_LAFM, RD_BAM, or none. */
static bool wants(const struct pcnet *d, const struct frame *f, uint16_t *match)
{
    uint16_t mode = d->csr[CSR_MODE];
    uint8_t own[ETH_ALEN];

    for (unsigned i = 0; i < 3; i++)
        store_le16(own + 2 * i, d->csr[CSR_PADR + i]);
    *match = 0;
    if (eth_is_broadcast(f->data) && !(mode & MODE_DRCVBC))
        *match = RD_BAM;
    else if (eth_is_multicast(f->data))
        *match = hashed(d, f->data) ? RD_LAFM : 0;
    else if (!(mode & MODE_DRCVPA) && memcmp(f->data, own, ETH_ALEN) == 0)
        *match = RD_PAM;
    return *match || (mode & MODE_PROM);
}

/* The bytes that go to memory: the FCS too, unless stripping takes it (with the padding). */
static uint32_t rx_message(const struct pcnet *d, const struct frame *f, uint8_t *out)
{
    uint32_t len = f->len, type = load_be16(f->data + 12);

    memcpy(out, f->data, len);
    if ((d->csr[4] & CSR4_ASTRP_RCV) && type < 46 && ETH_HLEN + type <= len)
        return ETH_HLEN + type; /* an 802.3 length field, and padding behind it */
    store_le32(out + len, (uint32_t)crc32(0, f->data, len));
    return len + FCS;
}

/* How many of the next descriptors hold `len` bytes; 0: the driver has not given enough. */
static uint32_t rx_needed(struct pcnet *d, uint32_t n, uint32_t len)
{
    struct pcnet_descriptor x;

    for (uint32_t i = 0, room = 0; i < n; i++) {
        if (!descriptor_read(d, CSR_RX_BASE, (d->rx_at + i) % n, &x) || !(x.status & D_OWN))
            return 0;
        room += x.length;
        if (room >= len)
            return i + 1;
    }
    return 0;
}

static bool rx_fill(struct pcnet *d, uint32_t n, const uint8_t *p, uint32_t len, uint16_t match)
{
    for (uint32_t at = 0; at < len;) {
        struct pcnet_descriptor x;
        if (!descriptor_read(d, CSR_RX_BASE, d->rx_at, &x))
            return false;
        uint32_t part = MIN(x.length, len - at);
        if (!dma_of(d)->write(dma_of(d), x.address, p + at, part)) {
            pcnet_bus_failed(d, "an RX buffer");
            return false;
        }
        x.status = (uint16_t)((x.status & 0x0f) | (at == 0 ? D_STP : 0) |
                              (at + part == len ? D_ENP | match : 0));
        if (!descriptor_write(d, &x, at + part == len ? len : 0))
            return false;
        d->rx_at = (d->rx_at + 1) % n;
        at += part;
    }
    d->csr[CSR_RX_COUNT] = (uint16_t) - (n - d->rx_at);
    return true;
}

/* No buffer: look again, or count the frame as missed (CSR112). */
static enum port_verdict rx_wait(struct pcnet *d)
{
    if (!(d->csr[0] & CSR0_RXON)) /* looking for one has stopped the card */
        return PORT_DROPPED;
    if (rx_poll_later(&d->poll, pcnet_events(d), d->nic.dev.env->actor->now))
        return PORT_HOLD;
    d->csr[CSR_MISSED]++;
    if (!d->csr[CSR_MISSED])
        d->csr[4] |= CSR4_MFCO;
    pcnet_raise(d, CSR0_MISS);
    return PORT_DROPPED;
}

static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct pcnet *d = opaque;
    uint32_t n = ring_size(d, CSR_RX_LENGTH), len;
    uint8_t out[LONGEST + FCS];
    uint16_t match;
    bool gave_up = rx_poll_gave_up(&d->poll, d->nic.dev.env->actor->now);

    if (!(d->csr[0] & CSR0_RXON) || !n || f->len > LONGEST)
        return PORT_DROPPED;
    if (!wants(d, f, &match))
        return PORT_TAKEN;
    if (rx_poll_waits(&d->poll))
        return PORT_HOLD;
    d->rx_at %= n;
    len = rx_message(d, f, out);
    if (gave_up || (d->csr[5] & CSR5_SPND) || !rx_needed(d, n, len))
        return rx_wait(d);
    rx_poll_reset(&d->poll, pcnet_events(d));
    if (!rx_fill(d, n, out, len, match))
        return PORT_DROPPED;
    pcnet_raise(d, CSR0_RINT);
    return PORT_TAKEN;
}

enum port_verdict pcnet_rx(struct port *p, struct frame *f)
{
    struct pcnet *d = container_of(p, struct pcnet, nic.port);

    return loops(d) ? PORT_DROPPED : packets_offer(&d->waiting, f, packet_place, d);
}

/* What loops back may be a runt; on a cable there is none. */
void pcnet_receive(struct pcnet *d)
{
    enum port_verdict verdict = loops(d) ? packets_deliver_runts(&d->waiting, packet_place, d)
                                         : packets_deliver(&d->waiting, packet_place, d);

    if (verdict == PORT_TAKEN)
        port_ready(&d->nic.port);
}

/* --- life --- */

static void looped_fire(struct event *ev, vtime_t now)
{
    (void)now;
    pcnet_receive(container_of(ev, struct pcnet, looped));
}

static void poll_fire(struct event *ev, vtime_t now)
{
    (void)now;
    pcnet_receive(container_of(ev, struct pcnet, poll.event));
}

static void more_fire(struct event *ev, vtime_t now)
{
    (void)now;
    pcnet_transmit(container_of(ev, struct pcnet, tx_more));
}

void pcnet_ring_init(struct pcnet *d)
{
    event_init(pcnet_events(d), &d->looped, looped_fire);
    event_init(pcnet_events(d), &d->tx_more, more_fire);
    event_init(pcnet_events(d), &d->poll.event, poll_fire);
}

/* Without RXON, looking at what waits is giving it up. */
void pcnet_ring_halt(struct pcnet *d)
{
    evq_arm(pcnet_events(d), &d->looped, d->nic.dev.env->actor->now);
    evq_cancel(pcnet_events(d), &d->tx_more);
    rx_poll_reset(&d->poll, pcnet_events(d));
    frame_unref(d->tx);
    d->tx = NULL;
    d->tx_bad = false;
}

void pcnet_ring_reset(struct pcnet *d)
{
    pcnet_ring_halt(d);
    evq_cancel(pcnet_events(d), &d->looped);
    packets_forget(&d->waiting);
    port_ready(&d->nic.port);
}

void pcnet_ring_clone(struct pcnet *d, const struct pcnet *from)
{
    evq_copy(pcnet_events(d), &d->tx_more, &from->tx_more);
    d->tx = from->tx ? frame_with_room(from->tx, LONGEST) : NULL;
}
