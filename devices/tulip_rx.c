/*
 * The tulip receives: frames that the filter lets in fill the driver's buffers (278074, 4.2.1).
 *
 *     RDES0   | OWN | FF | length with the CRC 14 | ES | DE | DT 2 | RF | MF | FS | LS | TL ... |
 *     RDES1   | RER | RCH | size 2 11 | size 1 11 |
 *
 * A frame goes to as many descriptors as it needs; where the driver has not given the next one,
 * what fits is told with a descriptor error (DE). Where it has not even given the first, the
 * process is suspended (RU), and the frame waits for CSR2, or until the card finds a buffer by
 * looking again, ever more rarely; then it is missed (CSR8).
 */
#include <zlib.h>

#include "devices/tulip_internal.h"

#define LONGEST 4096         /* with the watchdog off */
#define WATCHDOG 2560        /* bytes that it lets through */
#define LONG 1518            /* with the CRC; beyond, TL says so */
#define MOST_DESCRIPTORS 256 /* of one frame */

enum {
    RD_FF = 1 << 30,
    RD_DE = 1 << 14,
    RD_INTERNAL = 1 << 12,
    RD_EXTERNAL = 2 << 12,
    RD_MF = 1 << 10,
    RD_FS = 1 << 9,
    RD_LS = 1 << 8,
    RD_TL = 1 << 7,
    RD_FT = 1 << 5, /* a type, not a length */
    RD_RW = 1 << 4,
};
enum { CSR15_RWD = 1 << 4 };
enum { CSR8_MISSED = 0xffff, CSR8_MFO = 1 << 16 };

/* --- what is told of a frame --- */

/* Whether a frame is for it; FF: only because RA lets all in, and says so (CSR6<30>). */
static bool wants(const struct tulip *d, const struct frame *f, uint32_t *status)
{
    uint32_t mode = d->csr[6];
    bool group = eth_is_multicast(f->data);

    *status = group ? RD_MF : 0;
    if (tulip_filter_matches(d, f->data) || (group && (mode & CSR6_PM)))
        return true;
    if (mode & CSR6_RA)
        *status |= RD_FF;
    return mode & (CSR6_PR | CSR6_RA);
}

static uint32_t loop_bits(const struct tulip *d)
{
    uint32_t loops = tulip_loops(d);

    return loops & CSR6_OM_INTERNAL ? RD_INTERNAL : loops ? RD_EXTERNAL : 0;
}

/* The bytes that go to memory: the CRC too, but for what the watchdog cuts off. */
static uint32_t message_make(const struct tulip *d, const struct frame *f, uint8_t *out,
                             uint32_t *status)
{
    uint32_t len = f->len + TULIP_FCS;

    if (len > WATCHDOG && !(d->csr[15] & CSR15_RWD)) {
        len = WATCHDOG;
        *status |= RD_RW;
    }
    memcpy(out, f->data, MIN(len, f->len));
    if (f->len < len)
        store_le32(out + f->len, (uint32_t)crc32(0, f->data, f->len));
    *status |= loop_bits(d) | (load_be16(f->data + 12) > 1500 ? RD_FT : 0) |
               (len > LONG ? RD_TL | D_ES : 0) | len << 16;
    return len;
}

/* --- descriptors --- */

static bool is_given(struct tulip *d, uint32_t at)
{
    struct tulip_descriptor x;

    return tulip_descriptor_read(d, at, &x) && (x.status & D_OWN);
}

/* Into one descriptor's buffers; what was stored is added to *done. */
static bool descriptor_fill(struct tulip *d, const struct tulip_descriptor *x, const uint8_t *p,
                            uint32_t len, uint32_t *done)
{
    uint32_t part1 = MIN(tulip_size1(x), len - *done);
    uint32_t part2 = MIN(tulip_size2(x), len - *done - part1);

    if (!tulip_buffer_write(d, x->buffer1, p + *done, part1) ||
        !tulip_buffer_write(d, x->buffer2, p + *done + part1, part2))
        return false;
    *done += part1 + part2;
    return true;
}

/* From the descriptor that is known to be given. False: the bus has failed, or the list was changed
   by what was stored. */
static bool frame_store(struct tulip *d, const uint8_t *p, uint32_t len, uint32_t status)
{
    uint32_t done = 0;

    for (unsigned n = 1;; n++) {
        struct tulip_descriptor x;
        uint32_t at = d->rx_at, first = n == 1 ? RD_FS : 0, next;
        if (!tulip_descriptor_read(d, at, &x) || !(x.status & D_OWN) ||
            !descriptor_fill(d, &x, p, len, &done))
            return false;
        next = tulip_next(d, at, &x, d->csr[3]);
        if (done < len && (n == MOST_DESCRIPTORS || next == at || !is_given(d, next)))
            status |= RD_DE | D_ES;
        bool last = done == len || (status & RD_DE);
        if (d->fatal || !tulip_status_write(d, at, first | (last ? RD_LS | status : 0)))
            return false;
        d->rx_at = next;
        if (last)
            return true;
    }
}

/* --- the process --- */

/* Told once for each time that there is none. */
static void rx_suspend(struct tulip *d)
{
    if (tulip_rx_state(d) == RS_SUSPENDED || d->fatal)
        return;
    tulip_rx_set(d, RS_SUSPENDED);
    tulip_raise(d, CSR5_RU);
}

static void rx_look(struct tulip *d)
{
    if (is_given(d, d->rx_at))
        tulip_rx_set(d, RS_WAITING);
    else
        rx_suspend(d);
}

static void missed_count(struct tulip *d)
{
    uint32_t n = (d->csr[8] + 1) & CSR8_MISSED;

    d->csr[8] = (d->csr[8] & ~(uint32_t)CSR8_MISSED) | n | (n ? 0 : CSR8_MFO);
}

static enum port_verdict rx_wait(struct tulip *d)
{
    rx_suspend(d);
    if (d->fatal)
        return PORT_DROPPED;
    if (rx_poll_later(&d->poll, tulip_events(d), tulip_now(d)))
        return PORT_HOLD;
    missed_count(d);
    return PORT_DROPPED;
}

static enum port_verdict packet_place(void *opaque, struct frame *f)
{
    struct tulip *d = opaque;
    uint8_t out[LONGEST + TULIP_FCS];
    uint32_t status, len;

    if (tulip_rx_state(d) == RS_STOPPED || ((d->csr[15] & CSR15_RWD) && f->len > LONGEST))
        return PORT_DROPPED;
    if (!wants(d, f, &status))
        return PORT_TAKEN;
    if (rx_poll_waits(&d->poll))
        return PORT_HOLD;
    if (!is_given(d, d->rx_at))
        return rx_wait(d);
    rx_poll_reset(&d->poll, tulip_events(d));
    tulip_rx_set(d, RS_WAITING);
    len = message_make(d, f, out, &status);
    if (!frame_store(d, out, len, status))
        return PORT_DROPPED;
    tulip_raise(d, CSR5_RI | (status & RD_RW ? CSR5_RWT : 0));
    rx_look(d);
    return PORT_TAKEN;
}

enum port_verdict tulip_rx(struct port *p, struct frame *f)
{
    struct tulip *d = container_of(p, struct tulip, nic.port);

    return tulip_loops(d) ? PORT_DROPPED : packets_offer(&d->waiting, f, packet_place, d);
}

void tulip_receive(struct tulip *d)
{
    if (packets_deliver(&d->waiting, packet_place, d) == PORT_TAKEN)
        port_ready(&d->nic.port);
}

void tulip_rx_demand(struct tulip *d)
{
    if (tulip_rx_state(d) == RS_STOPPED)
        return;
    rx_poll_reset(&d->poll, tulip_events(d));
    rx_look(d);
    tulip_receive(d);
}

void tulip_rx_start(struct tulip *d)
{
    if (d->fatal)
        return;
    tulip_rx_set(d, RS_WAITING);
    tulip_rx_demand(d);
}

void tulip_rx_stop(struct tulip *d)
{
    bool ran = tulip_rx_state(d) != RS_STOPPED;

    tulip_rx_set(d, RS_STOPPED);
    tulip_raise(d, ran ? CSR5_RPS : 0);
    tulip_rx_reset(d);
}

static void looped_fire(struct event *ev, vtime_t now)
{
    (void)now;
    tulip_receive(container_of(ev, struct tulip, looped));
}

static void poll_fire(struct event *ev, vtime_t now)
{
    (void)now;
    tulip_receive(container_of(ev, struct tulip, poll.event));
}

void tulip_rx_init(struct tulip *d)
{
    event_init(tulip_events(d), &d->looped, looped_fire);
    event_init(tulip_events(d), &d->poll.event, poll_fire);
}

void tulip_rx_reset(struct tulip *d)
{
    evq_cancel(tulip_events(d), &d->looped);
    rx_poll_reset(&d->poll, tulip_events(d));
    packets_forget(&d->waiting);
    port_ready(&d->nic.port);
}
