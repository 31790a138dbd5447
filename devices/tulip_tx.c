/*
 * The tulip sends: descriptors become frames, and setup frames its address filter (278074, 4.2.2,
 * 4.2.3).
 *
 *     TDES1   | IC | LS | FS | FT1 | SET | AC | TER | TCH | DPD | FT0 | size 2 11 | size 1 11 |
 *
 * A packet may be in several descriptors, of which the first (FS) says whether it is padded (DPD)
 * and has a CRC of its own (AC). Simplifications: the list is looked at when CSR1 demands it, not
 * from time to time (CSR0.TAP); a packet whose end has not been given yet waits for it, and
 * underflows nothing; what is not padded is padded all the same on the wire.
 */
#include "devices/tulip_internal.h"

#define LONGEST 2560 /* what the jabber timer lets through, whatever CSR15 says */
#define WORK 256 /* descriptors taken at once */
#define WORK_BYTES (512u << 10)
#define WORK_PAUSE (10 * NS_PER_US)

enum {
    TD_IC = 1u << 31,
    TD_LS = 1 << 30,
    TD_FS = 1 << 29,
    TD_FT1 = 1 << 28,
    TD_SET = 1 << 27,
    TD_AC = 1 << 26,
    TD_DPD = 1 << 23,
    TD_FT0 = 1 << 22,
};
enum { TD_JABBER = 1 << 14 };     /* TDES0 */
#define TD_SETUP_DONE 0x7fffffffu /* TDES0 of a setup frame that was taken */

uint32_t tulip_loops(const struct tulip *d)
{
    uint32_t om = d->csr[6] & (CSR6_OM_INTERNAL | CSR6_OM_EXTERNAL);

    return om ? om : tulip_phy_loops(d) ? CSR6_OM_EXTERNAL : 0;
}

/* --- packets --- */

static void loop(struct tulip *d, struct frame *f)
{
    packets_loop(&d->waiting, f);
    frame_unref(f);
    evq_arm(tulip_events(d), &d->looped, tulip_now(d) + NS_PER_US);
}

/* A short packet that is padded gets a CRC too, whatever AC says. */
static bool packet_finish(struct frame *f, uint32_t control)
{
    bool padded = f->len < FRAME_MIN_WIRE && !(control & TD_DPD);

    if (f->len < ETH_HLEN || ((control & TD_AC) && !padded && !frame_cut_fcs(f)))
        return false;
    frame_pad(f);
    return true;
}

static void packet_send(struct tulip *d)
{
    struct device_env *env = d->nic.dev.env;
    struct frame *f = d->tx;

    d->tx = NULL;
    if (!packet_finish(f, d->tx_control)) {
        device_warn(&d->nic.dev, "TX packet of %u bytes makes no sense", f->len);
        d->nic.port.stats.drops[f->len < ETH_HLEN ? DROP_RUNT : DROP_MALFORMED]++;
        frame_unref(f);
        return;
    }
    if (tulip_loops(d)) {
        loop(d, f);
        return;
    }
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&d->nic.port, f);
}

/* The jabber timer stops the process. */
static uint32_t packet_cut(struct tulip *d)
{
    device_warn(&d->nic.dev, "TX packet of more than %u bytes", LONGEST);
    d->nic.port.stats.drops[DROP_GIANT]++;
    frame_unref(d->tx);
    d->tx = NULL;
    tulip_tx_set(d, TS_STOPPED);
    tulip_raise(d, CSR5_TJT | CSR5_TPS);
    return TD_JABBER | D_ES;
}

static bool buffer_append(struct tulip *d, uint32_t at, uint32_t len)
{
    uint32_t have = d->tx->len;

    d->tx_long |= have + len > LONGEST; /* CVE-2015-3209 */
    if (d->tx_long)
        return true;
    d->tx->len = have + len;
    return tulip_buffer_read(d, at, d->tx->data + have, len);
}

/* --- descriptors --- */

/* Buffer 1 alone holds a setup frame, all of it. */
static bool setup_take(struct tulip *d, const struct tulip_descriptor *x)
{
    uint8_t setup[TULIP_SETUP];
    unsigned type = (x->control & TD_FT1 ? 2u : 0) | (x->control & TD_FT0 ? 1u : 0);

    if (tulip_size1(x) != TULIP_SETUP) {
        device_warn(&d->nic.dev, "setup frame of %u bytes", tulip_size1(x));
        return true;
    }
    if (!tulip_buffer_read(d, x->buffer1, setup, sizeof(setup)))
        return false;
    tulip_filter_set(d, setup, type);
    return true;
}

static void packet_begin(struct tulip *d, uint32_t control)
{
    if (d->tx)
        device_warn(&d->nic.dev, "TX packet of %u bytes without an end", d->tx->len);
    frame_unref(d->tx);
    d->tx = frame_new(LONGEST);
    d->tx_control = control;
    d->tx_long = false;
}

/* A part of a packet, which is passed over if there was no beginning. False: the bus has failed. */
static bool segment_take(struct tulip *d, const struct tulip_descriptor *x, uint32_t *status)
{
    if (x->control & TD_FS)
        packet_begin(d, x->control);
    if (!d->tx) {
        device_warn(&d->nic.dev, "TX packet without a beginning");
        return true;
    }
    if (!buffer_append(d, x->buffer1, tulip_size1(x)) ||
        !buffer_append(d, x->buffer2, tulip_size2(x)))
        return false;
    if (!(x->control & TD_LS))
        return true;
    if (d->tx_long)
        *status = packet_cut(d);
    else
        packet_send(d);
    return true;
}

/* One descriptor. False: the driver has given no more, or the process has stopped. */
static bool descriptor_take(struct tulip *d, uint32_t *bytes)
{
    struct tulip_descriptor x;
    uint32_t at = d->tx_at, status = 0;
    bool setup;

    if (!tulip_descriptor_read(d, at, &x) || !(x.status & D_OWN))
        return false;
    setup = x.control & TD_SET;
    *bytes += tulip_size1(&x) + tulip_size2(&x);
    if (setup ? !setup_take(d, &x) : !segment_take(d, &x, &status))
        return false;
    if (!tulip_status_write(d, at, setup ? TD_SETUP_DONE : status))
        return false;
    d->tx_at = tulip_next(d, at, &x, d->csr[4]);
    if ((x.control & TD_IC) && (setup || (x.control & TD_LS)))
        tulip_raise(d, CSR5_TI);
    return tulip_tx_state(d) != TS_STOPPED;
}

/* --- the process --- */

/* A demand that finds nothing is told once, like what it was suspended for. */
void tulip_transmit(struct tulip *d)
{
    bool suspended = tulip_tx_state(d) == TS_SUSPENDED;
    uint32_t taken = 0, bytes = 0;

    if (tulip_tx_state(d) == TS_STOPPED || event_armed(&d->tx_more))
        return;
    tulip_tx_set(d, TS_FETCHING);
    while (taken < WORK && bytes < WORK_BYTES && descriptor_take(d, &bytes))
        taken++;
    if (tulip_tx_state(d) == TS_STOPPED)
        return;
    if (taken == WORK || bytes >= WORK_BYTES) {
        evq_arm(tulip_events(d), &d->tx_more, tulip_now(d) + WORK_PAUSE);
        return;
    }
    tulip_tx_set(d, TS_SUSPENDED);
    if (taken || !suspended)
        tulip_raise(d, CSR5_TU);
}

void tulip_tx_start(struct tulip *d)
{
    if (d->fatal)
        return;
    tulip_tx_set(d, TS_FETCHING);
    tulip_transmit(d);
}

/* It goes on later where it has stopped, but not within a packet. */
void tulip_tx_stop(struct tulip *d)
{
    bool ran = tulip_tx_state(d) != TS_STOPPED;

    tulip_tx_reset(d);
    tulip_tx_set(d, TS_STOPPED);
    tulip_raise(d, ran ? CSR5_TPS : 0);
}

static void more_fire(struct event *ev, vtime_t now)
{
    (void)now;
    tulip_transmit(container_of(ev, struct tulip, tx_more));
}

void tulip_tx_init(struct tulip *d)
{
    event_init(tulip_events(d), &d->tx_more, more_fire);
}

void tulip_tx_reset(struct tulip *d)
{
    evq_cancel(tulip_events(d), &d->tx_more);
    frame_unref(d->tx);
    d->tx = NULL;
    d->tx_long = false;
}

void tulip_tx_clone(struct tulip *d, const struct tulip *from)
{
    evq_copy(tulip_events(d), &d->tx_more, &from->tx_more);
    d->tx = from->tx ? frame_with_room(from->tx, LONGEST) : NULL;
}
