/*
 * When virtio-net interrupts its driver: moderated, as by any NIC.
 *
 * An interrupt costs a driver as much as several frames do, so:
 *
 * - Received frames: at once, but not within RX_GAP of the last interrupt for some. A request and
 *   its answer are not slower for it; a stream comes in bunches.
 * - Sent frames: their buffers are not urgent. The next received frame's interrupt tells of them
 *   too (with one line for all queues a driver looks at each), or one after TX_DELAY.
 * - In either case at once when the driver has half of the ring to look at, or has no buffer left.
 *
 * A driver that polls, or asks for interrupts by index (virtio 1.2, 2.7.7), is asked anew when
 * the delayed one is due. Nothing here is other than a slower device would do.
 */
#include "devices/virtio_net.h"

#define RX_GAP (50 * NS_PER_US) /* 20,000 interrupts a second */
#define TX_DELAY (100 * NS_PER_US)

static vtime_t now(const struct virtio_net *n)
{
    return n->nic.dev.env->actor->now;
}

static struct evq *events(struct virtio_net *n)
{
    return &n->nic.dev.env->actor->events;
}

/* Interrupt, if the driver still wants to be, for all queues in one. */
static void interrupt(struct virtio_net *n)
{
    struct virtio *v = &n->virtio;
    unsigned queues = 2 * virtio_net_pairs(n);

    evq_cancel(events(n), &n->notify);
    for (unsigned i = 0; i < queues; i++) {
        if (!virtio_wants_interrupt(v, &v->queues[i]))
            continue;
        if (i % 2 == VIRTIO_NET_RX)
            n->rx_quiet_until = (uint64_t)(now(n) + RX_GAP);
        virtio_interrupt(v, &v->queues[i]);
    }
}

static void fire(struct event *ev, vtime_t at)
{
    (void)at;
    interrupt(container_of(ev, struct virtio_net, notify));
}

/* Entries of q were published: interrupt at `due`, if the driver wants to be. */
static void publish(struct virtio_net *n, struct virtio_queue *q, vtime_t due)
{
    uint16_t was = q->signalled;
    bool valid = q->signalled_valid;

    if (!virtio_wants_interrupt(&n->virtio, q))
        return;
    bool many = (uint16_t)(q->used_idx - was) >= q->size / 2;
    q->signalled = was; /* it will be asked again */
    q->signalled_valid = valid;
    if (due <= now(n) || (valid && many))
        interrupt(n);
    else if (!event_armed(&n->notify) || n->notify.at > due)
        evq_arm(events(n), &n->notify, due);
}

void virtio_net_notify_rx(struct virtio_net *n, struct virtio_queue *q)
{
    publish(n, q, (vtime_t)n->rx_quiet_until);
}

void virtio_net_notify_tx(struct virtio_net *n, struct virtio_queue *q)
{
    publish(n, q, now(n) + TX_DELAY);
}

void virtio_net_notify_now(struct virtio_net *n)
{
    if (event_armed(&n->notify))
        interrupt(n);
}

void virtio_net_notify_init(struct virtio_net *n)
{
    event_init(events(n), &n->notify, fire);
}

void virtio_net_notify_reset(struct virtio_net *n)
{
    evq_cancel(events(n), &n->notify);
    n->rx_quiet_until = 0;
}
