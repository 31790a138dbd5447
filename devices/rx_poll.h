/* Looking again for buffers that a driver gives without telling the card. */
#ifndef DEVICES_RX_POLL_H
#define DEVICES_RX_POLL_H

#include "sim/evq.h"

/**
 * Some cards find the buffers for received frames by looking at memory alone. A frame without one
 * waits, and the card looks again, after ever longer times; then the frame is given up, so that a
 * driver that sleeps does not keep the simulation awake.
 */
struct rx_poll {
    struct event event; /* fires the card's: look again */
    uint8_t tries;
    vtime_t gave_up; /* last */
};

#define RX_POLL_FIRST (20 * NS_PER_US)
#define RX_POLL_TRIES 10 /* 20 ms in all */

/** There was no buffer: true if the event has been armed, and the frame should be held. */
static inline bool rx_poll_later(struct rx_poll *p, struct evq *q, vtime_t now)
{
    if (p->tries >= RX_POLL_TRIES) {
        p->gave_up = now;
        return false;
    }
    evq_arm(q, &p->event, now + (RX_POLL_FIRST << p->tries++));
    return true;
}

/** Whether it is waiting to look: nothing is to be tried before. */
static inline bool rx_poll_waits(const struct rx_poll *p)
{
    return event_armed(&p->event);
}

/** Whether it has given up at this very time: a frame may be thousands of packets, and hundreds of
    frames may have been held, of which not each is to be another look. */
static inline bool rx_poll_gave_up(const struct rx_poll *p, vtime_t now)
{
    return p->tries >= RX_POLL_TRIES && p->gave_up == now;
}

/** There was a buffer, or none is wanted any more. */
static inline void rx_poll_reset(struct rx_poll *p, struct evq *q)
{
    p->tries = 0;
    evq_cancel(q, &p->event);
}

#endif
