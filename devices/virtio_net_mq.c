/*
 * virtio-net with several pairs of queues (virtio 1.2, 5.1.6.5.5 and 5.1.6.5.6).
 *
 * A packet goes to the receive queue of the pair whose transmit queue the driver last used for its
 * flow. Those are kept in a small table, where a flow may push out one that was not sent for
 * longer; a flow that is not there goes where its hash says, which is one place for each flow and
 * all for many.
 *
 * A flow is two addresses and two ports, whichever way: those of IP and of TCP, UDP or SCTP, else
 * the addresses alone, else those of Ethernet. Simplification: IPv6's extension headers are not
 * looked behind.
 *
 * A queue without buffers keeps its own packets waiting, and nobody else's: the port, which holds
 * back everything, is never asked to.
 */
#include "devices/virtio_net.h"

#include <assert.h>

#include "sim/rng.h"

static_assert(2 * NIC_MAX_PAIRS + 1 <= VIRTIO_MAX_QUEUES, "a NIC's queues");

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_SERVICE_VLAN = 0x88a8 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_SCTP = 132 };
#define TAGS_MOST 2

/* --- flows --- */

struct flow {
    uint8_t protocol;
    uint8_t ends[2][18]; /* address, and port behind it */
};

static void ends_set(struct flow *w, const uint8_t *from, const uint8_t *to, size_t len)
{
    memcpy(w->ends[0], from, len);
    memcpy(w->ends[1], to, len);
}

/* The ports at `at`, if that is a protocol that has some, and they are whole. */
static void ports_find(struct flow *w, const struct frame *f, uint32_t at)
{
    bool has =
        w->protocol == PROTOCOL_TCP || w->protocol == PROTOCOL_UDP || w->protocol == PROTOCOL_SCTP;

    if (!has || at + 4 > f->len)
        return;
    memcpy(w->ends[0] + 16, f->data + at, 2);
    memcpy(w->ends[1] + 16, f->data + at + 2, 2);
}

static bool v4_find(struct flow *w, const struct frame *f, uint32_t at)
{
    const uint8_t *ip = f->data + at;

    if (at + 20 > f->len || ip[0] >> 4 != 4)
        return false;
    w->protocol = ip[9];
    ends_set(w, ip + 12, ip + 16, 4);
    if (!(load_be16(ip + 6) & 0x3fff)) /* all fragments of a packet go the same way */
        ports_find(w, f, at + (ip[0] & 15u) * 4);
    return true;
}

static bool v6_find(struct flow *w, const struct frame *f, uint32_t at)
{
    const uint8_t *ip = f->data + at;

    if (at + 40 > f->len || ip[0] >> 4 != 6)
        return false;
    w->protocol = ip[6];
    ends_set(w, ip + 8, ip + 24, 16);
    ports_find(w, f, at + 40);
    return true;
}

static void flow_find(struct flow *w, const struct frame *f)
{
    uint32_t at = 12;
    uint16_t type = load_be16(f->data + at);

    *w = (struct flow){0};
    for (unsigned i = 0;
         i < TAGS_MOST && (type == TYPE_VLAN || type == TYPE_SERVICE_VLAN) && at + 6 <= f->len;
         i++) {
        at += 4;
        type = load_be16(f->data + at);
    }
    if (type == TYPE_IPV4 && v4_find(w, f, at + 2))
        return;
    if (type == TYPE_IPV6 && v6_find(w, f, at + 2))
        return;
    ends_set(w, f->data, f->data + ETH_ALEN, ETH_ALEN);
}

/* The same for both directions of a flow. */
static uint32_t flow_hash(const struct frame *f)
{
    struct flow w;
    unsigned first;
    uint64_t h;

    flow_find(&w, f);
    first = memcmp(w.ends[0], w.ends[1], sizeof(w.ends[0])) > 0;
    h = hash_bytes(RNG_HASH_START, w.ends[first], sizeof(w.ends[0]));
    h = hash_bytes(h, w.ends[!first], sizeof(w.ends[0]));
    h = hash_bytes(h, &w.protocol, 1);
    return (uint32_t)(h ^ h >> 32);
}

/* An entry of the table: the upper 28 bits of a hash, FLOW_KNOWN, a pair. Four that follow each
 * other are for the same hashes, those sent last first. */
#define FLOW_KNOWN 8u
#define FLOW_PAIR 7u
#define FLOW_HASH (~15u)
static_assert(NIC_MAX_PAIRS - 1 <= FLOW_PAIR, "a pair fits");

#define FLOW_WAYS 4

static uint32_t *flow_set(struct virtio_net_mq *m, uint32_t hash)
{
    return &m->flows[(hash >> 4) % (VIRTIO_NET_FLOWS / FLOW_WAYS) * FLOW_WAYS];
}

static bool flow_is(uint32_t entry, uint32_t hash)
{
    return (entry & FLOW_KNOWN) && !((entry ^ hash) & FLOW_HASH);
}

void virtio_net_mq_learn(struct virtio_net *n, const struct frame *f, unsigned pair)
{
    uint32_t hash, *set;
    unsigned i = 0;

    if (n->mq->pairs == 1 || pair >= n->mq->pairs)
        return;
    hash = flow_hash(f);
    set = flow_set(n->mq, hash);
    while (i < FLOW_WAYS - 1 && !flow_is(set[i], hash))
        i++;
    memmove(set + 1, set, i * sizeof(*set));
    set[0] = (hash & FLOW_HASH) | FLOW_KNOWN | pair;
}

static unsigned steer(struct virtio_net_mq *m, const struct frame *f)
{
    uint32_t hash, *set;

    if (m->pairs == 1)
        return 0;
    hash = flow_hash(f);
    set = flow_set(m, hash);
    for (unsigned i = 0; i < FLOW_WAYS; i++)
        if (flow_is(set[i], hash) && (set[i] & FLOW_PAIR) < m->pairs)
            return set[i] & FLOW_PAIR;
    return (uint32_t)((uint64_t)hash * m->pairs >> 32);
}

/* --- packets that wait, of each pair --- */

/* The port counts a frame as received when it is handed over: if nothing comes of it, take that
 * back and count it as lost. */
static void lose(struct virtio_net *n, const struct frame *f, enum port_drop why)
{
    struct port_stats *s = &n->nic.port.stats;

    s->rx_frames--;
    s->rx_bytes -= f->len;
    s->drops[why]++;
}

/* Keep a frame (borrowed) for a pair, if there are not too many: all together, no more than a port
 * holds. */
static void hold(struct virtio_net *n, unsigned pair, struct frame *f)
{
    struct arrivals *held = &n->mq->held[pair];

    if (held->n < PORT_MAX_HELD / n->nic.config.queues)
        arrivals_push(held, frame_ref(f), n->nic.dev.env->actor->now);
    else
        lose(n, f, DROP_HELD);
}

enum port_verdict virtio_net_mq_rx(struct virtio_net *n, struct frame *f)
{
    unsigned pair = steer(n->mq, f);
    enum port_verdict verdict;

    verdict = n->mq->held[pair].n ? PORT_HOLD : virtio_net_offer(n, pair, f);
    if (verdict != PORT_HOLD)
        return verdict;
    hold(n, pair, f);
    return PORT_TAKEN;
}

void virtio_net_mq_resume(struct virtio_net *n, unsigned pair)
{
    struct arrivals *held = &n->mq->held[pair];
    enum port_verdict verdict;
    struct arrival *first;

    while ((first = arrivals_first(held))) {
        verdict = virtio_net_offer(n, pair, first->frame);
        if (verdict == PORT_HOLD)
            return;
        if (verdict == PORT_DROPPED)
            lose(n, first->frame, DROP_REFUSED);
        frame_unref(arrivals_pop(held));
    }
}

/* --- how many pairs are in use --- */

/* What waits for a pair that is in use no longer goes to the others. Of a frame that was cut, each
 * packet counts as one from here on. */
static void pair_leave(struct virtio_net *n, unsigned pair)
{
    struct packets *cut = virtio_net_cut(n, pair);
    struct arrivals *held = &n->mq->held[pair];
    struct port_stats *s = &n->nic.port.stats;
    struct frame *f;

    for (; packets_any(cut); cut->next++) {
        f = cut->frames[cut->next];
        s->rx_frames++;
        s->rx_bytes += f->len;
        hold(n, steer(n->mq, f), f);
        frame_unref(f);
    }
    packets_forget(cut);
    while (held->n) {
        f = arrivals_pop(held);
        hold(n, steer(n->mq, f), f);
        frame_unref(f);
    }
}

bool virtio_net_mq_set(struct virtio_net *n, unsigned pairs)
{
    if (pairs < 1 || pairs > virtio_net_pairs(n))
        return false;
    for (unsigned i = 0; i < 2 * pairs; i++) /* the driver's part comes first (5.1.6.5.6.1) */
        if (!n->virtio.queues[i].ready)
            return false;
    n->mq->pairs = (uint16_t)pairs;
    for (unsigned i = pairs; i < n->nic.config.queues; i++)
        pair_leave(n, i);
    for (unsigned i = 0; i < pairs; i++)
        virtio_net_resume(n, i);
    return true;
}

void virtio_net_mq_reset(struct virtio_net *n)
{
    n->mq->pairs = 1;
    memset(n->mq->flows, 0, sizeof(n->mq->flows));
    for (unsigned i = 0; i < n->nic.config.queues; i++) {
        struct arrivals *held = &n->mq->held[i];
        packets_forget(virtio_net_cut(n, i));
        for (struct frame *f; held->n; frame_unref(f)) {
            f = arrivals_pop(held);
            lose(n, f, DROP_REFUSED);
        }
    }
}

void virtio_net_mq_finish(struct virtio_net *n)
{
    for (unsigned i = 0; i < NIC_MAX_PAIRS; i++)
        arrivals_finish(&n->mq->held[i]);
    for (unsigned i = 1; i < NIC_MAX_PAIRS; i++)
        packets_finish(virtio_net_cut(n, i));
}
