/*
 * virtio-net: frames from and to the driver's rings (virtio 1.2, 5.1).
 *
 *   header  { u8 flags, gso_type; le16 hdr_len, gso_size, csum_start, csum_offset,
 *             num_buffers (with MRG_RXBUF or VERSION_1 only) }
 *
 * What a driver leaves undone (checksums, segmentation) travels beside the frame and is done
 * here only for a receiving driver that cannot take it.
 */
#include "devices/virtio_net.h"

#include "sim/offload.h"

#define HDR_LEGACY 10
#define HDR 12
#define DEFAULT_QUEUE 256
#define CTRL_QUEUE 64

enum { HDR_NEEDS_CSUM = 1, HDR_DATA_VALID = 2 };
enum { GSO_TCPV4 = 1, GSO_UDP = 3, GSO_TCPV6 = 4, GSO_ECN = 0x80 };
#define NEVER (1ull << 63) /* no feature has this bit */

/* How a kind of segmentation is called on either side. */
static const struct gso {
    uint8_t type; /* in the header */
    uint64_t host, guest;
} gsos[] = {
    [FRAME_GSO_TCPV4] = {GSO_TCPV4, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_GUEST_TSO4},
    [FRAME_GSO_UDP] = {GSO_UDP, VIRTIO_NET_F_HOST_UFO, VIRTIO_NET_F_GUEST_UFO},
    [FRAME_GSO_TCPV6] = {GSO_TCPV6, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_GUEST_TSO6},
    [FRAME_GSO_UDP_L4] = {0, NEVER, NEVER}, /* virtio 1.3's; not offered */
};

static struct virtio_net *net_of(struct virtio *v)
{
    return container_of(v, struct virtio_net, virtio);
}

static bool mergeable(const struct virtio_net *n)
{
    return virtio_has(&n->virtio, VIRTIO_NET_F_MRG_RXBUF);
}

static uint32_t header_len(const struct virtio_net *n)
{
    return virtio_has(&n->virtio, VIRTIO_F_VERSION_1) || mergeable(n) ? HDR : HDR_LEGACY;
}

/* --- transmission --- */

/* Headers of a segmentation request, as its bytes say; 0: they do not fit. */
static uint32_t gso_headers(const struct frame *f, unsigned start, bool udp)
{
    uint32_t least = udp ? 8 : 20, len;

    if (start + least > f->len)
        return 0;
    len = udp ? least : (f->data[start + 12] >> 4) * 4u;
    return len >= least && start + len <= f->len ? start + len : 0;
}

static bool gso_parse(const struct virtio_net *n, const uint8_t *h, struct frame *f)
{
    struct frame_offload *o = &f->offload;
    uint8_t type = h[1] & (uint8_t)~GSO_ECN;

    for (unsigned i = 1; i < ARRAY_LEN(gsos); i++)
        if (gsos[i].type == type && virtio_has(&n->virtio, gsos[i].host))
            o->gso = (uint8_t)i;
    o->ecn = h[1] & GSO_ECN;
    o->gso_size = load_le16(h + 4);
    uint32_t headers = gso_headers(f, o->csum_start, o->gso == FRAME_GSO_UDP);
    o->hdr_len = headers <= OFFLOAD_MAX_HEADERS ? (uint16_t)headers : 0;
    /* An unknown kind, a size of zero, no checksum (5.1.6.2), headers that do not fit. */
    return o->gso && o->gso_size && o->needs_csum && o->hdr_len &&
           (!o->ecn || virtio_has(&n->virtio, VIRTIO_NET_F_HOST_ECN));
}

/*
 * Read the driver's wishes into f->offload; false: they do not fit the frame. A driver that did
 * not negotiate CSUM cannot wish for anything, whatever it left in the header.
 */
static bool header_parse(const struct virtio_net *n, const uint8_t *h, struct frame *f)
{
    struct frame_offload *o = &f->offload;

    if (!virtio_has(&n->virtio, VIRTIO_NET_F_CSUM))
        return true;
    if (h[0] & HDR_NEEDS_CSUM) {
        o->needs_csum = true;
        o->csum_start = load_le16(h + 6);
        o->csum_offset = load_le16(h + 8);
        if (o->csum_start < ETH_HLEN || (uint32_t)o->csum_start + o->csum_offset + 2 > f->len)
            return false;
    }
    return h[1] == 0 || gso_parse(n, h, f);
}

static void drop(struct virtio_net *n, enum port_drop why, const char *what, uint64_t len)
{
    n->nic.port.stats.drops[why]++;
    device_warn(&n->nic.dev, "%s (%llu bytes)", what, (unsigned long long)len);
}

/* False: the chain is not in RAM, and the queue has failed. */
static bool chain_send(struct virtio_net *n, struct virtio_queue *q, const struct virtio_chain *c)
{
    struct virtio *v = &n->virtio;
    struct device_env *env = n->nic.dev.env;
    uint32_t hlen = header_len(n);
    uint8_t h[HDR];
    struct frame *f;

    if (c->out_len < hlen + ETH_HLEN) {
        drop(n, DROP_RUNT, "TX chain shorter than its headers", c->out_len);
        return true;
    }
    if (c->out_len - hlen > FRAME_MAX_LEN) {
        drop(n, DROP_GIANT, "TX chain longer than any frame", c->out_len);
        return true;
    }
    f = frame_new((uint32_t)c->out_len - hlen);
    f->len = (uint32_t)c->out_len - hlen;
    if (!virtio_chain_read(v, c, 0, h, hlen) || !virtio_chain_read(v, c, hlen, f->data, f->len)) {
        frame_unref(f);
        virtio_fail(v, q, "a TX buffer is not in RAM");
        return false;
    }
    if (!header_parse(n, h, f)) {
        drop(n, DROP_MALFORMED, "TX header does not fit its frame", f->len);
        frame_unref(f);
        return true;
    }
    if (n->mq)
        virtio_net_mq_learn(n, f, (unsigned)(q - v->queues) / 2);
    if (env->origin)
        env->origin(env, &f->origin);
    port_send(&n->nic.port, f);
    return true;
}

/* Everything the driver has made available, and at most a ring's worth. */
static void transmit(struct virtio_net *n, struct virtio_queue *q)
{
    struct virtio *v = &n->virtio;
    struct virtio_chain c;
    uint16_t done = 0;

    while (done < q->size && virtio_take(v, q, &c) && chain_send(n, q, &c))
        virtio_put(v, q, c.head, 0, done++);
    if (done == 0)
        return;
    virtio_publish(v, q, done);
    virtio_want_kicks(v, q, true);
    virtio_net_notify_tx(n, q);
}

/* --- reception --- */

static void header_make(const struct virtio_net *n, const struct frame *f, uint16_t buffers,
                        uint8_t h[HDR])
{
    const struct frame_offload *o = &f->offload;

    memset(h, 0, HDR);
    if (o->needs_csum) {
        h[0] = HDR_NEEDS_CSUM;
        store_le16(h + 6, o->csum_start);
        store_le16(h + 8, o->csum_offset);
    } else if (o->csum_valid && (n->guest_offloads & VIRTIO_NET_F_GUEST_CSUM)) {
        h[0] = HDR_DATA_VALID;
    }
    if (o->gso) {
        h[1] = gsos[o->gso].type | (o->ecn ? GSO_ECN : 0);
        store_le16(h + 2, o->hdr_len);
        store_le16(h + 4, o->gso_size);
    }
    store_le16(h + 10, buffers);
}

/* Copy bytes [at, at + len) of header and frame into a chain; the header is of the first one. */
static bool part_write(struct virtio_net *n, const struct virtio_chain *c, const struct frame *f,
                       uint32_t at, uint32_t len)
{
    uint32_t hlen = header_len(n);

    if (at >= hlen)
        return virtio_chain_write(&n->virtio, c, 0, f->data + (at - hlen), len);
    return virtio_chain_write(&n->virtio, c, hlen, f->data, len - hlen);
}

/* Why a chain cannot take the next part of a packet; NULL if it can. */
static const char *rx_chain_wrong(const struct virtio_net *n, const struct virtio_chain *c,
                                  uint32_t at)
{
    if (c->in_len == 0)
        return "an RX chain with nothing to write to";
    if (at == 0 && c->in_len < header_len(n))
        return "an RX chain with no room for the header";
    return NULL;
}

/*
 * How much of a packet goes into a chain. The headers of a large one get a buffer to themselves,
 * so that its data begins where a buffer does: a guest without fast misaligned loads copies it
 * three times as fast. (5.1.6.4.1 has all buffers but the last filled; drivers take the lengths that
 * are in the used ring.)
 */
static uint32_t rx_part(const struct virtio_net *n, const struct virtio_chain *c,
                        const struct frame *f, uint32_t at)
{
    uint32_t hlen = header_len(n), part = (uint32_t)MIN(c->in_len, hlen + f->len - at);

    if (at > 0 || part == hlen + f->len || !mergeable(n) || !f->offload.gso || !f->offload.hdr_len)
        return part;
    return MIN(part, hlen + f->offload.hdr_len);
}

/* The driver has no buffers left for the packet: give back the `taken`, wait for a kick. */
static enum port_verdict rx_wait(struct virtio_net *n, struct virtio_queue *q, uint16_t taken)
{
    if (q->broken || !virtio_live(&n->virtio))
        return PORT_DROPPED;
    virtio_untake(q, taken);
    virtio_want_kicks(&n->virtio, q, true);
    virtio_net_notify_now(n);
    n->no_buffers++;
    return PORT_HOLD;
}

static enum port_verdict rx_fail(struct virtio_net *n, struct virtio_queue *q, const char *what)
{
    virtio_fail(&n->virtio, q, what);
    return PORT_DROPPED;
}

/* Whether a driver that was told an MTU gets more than that, and is not to (5.1.4.1). */
static bool rx_too_long(const struct virtio_net *n, const struct frame *f)
{
    uint32_t tag = load_be16(f->data + 12) == 0x8100 ? 4 : 0;

    return virtio_has(&n->virtio, VIRTIO_NET_F_MTU) && !f->offload.gso &&
           f->len > ETH_HLEN + tag + n->nic.config.mtu;
}

/* Put one packet into the driver's buffers: all of it, or none. */
static enum port_verdict rx_place(struct virtio_net *n, struct virtio_queue *q,
                                  const struct frame *f)
{
    struct virtio *v = &n->virtio;
    uint32_t total = header_len(n) + f->len, at = 0, part;
    struct virtio_chain first, other, *c = &first;
    uint16_t buffers = 0;
    const char *wrong;
    uint8_t h[HDR];

    if (rx_too_long(n, f))
        return PORT_DROPPED;
    for (; at < total; at += part, c = &other) {
        if (!virtio_take(v, q, c))
            return rx_wait(n, q, buffers);
        wrong = rx_chain_wrong(n, c, at);
        if (wrong)
            return rx_fail(n, q, wrong);
        part = rx_part(n, c, f, at);
        if (part < total && !mergeable(n)) { /* the chain stays for a packet that fits */
            virtio_untake(q, 1);
            device_warn(&n->nic.dev, "RX packet of %u bytes > chain of %u", total, part);
            return PORT_DROPPED;
        }
        if (!part_write(n, c, f, at, part))
            return rx_fail(n, q, "an RX buffer is not in RAM");
        virtio_put(v, q, c->head, part, buffers++);
    }
    header_make(n, f, buffers, h);
    if (!virtio_chain_write(v, &first, 0, h, header_len(n)))
        return rx_fail(n, q, "an RX buffer is not in RAM");
    virtio_publish(v, q, buffers);
    virtio_net_notify_rx(n, q);
    return PORT_TAKEN;
}

/* Whether the driver takes the frame with this work undone. */
static bool covers(const struct virtio_net *n, const struct frame_offload *o)
{
    uint64_t need = o->needs_csum || o->gso ? VIRTIO_NET_F_GUEST_CSUM : 0;

    if (o->gso)
        need |= gsos[o->gso].guest | (o->ecn ? VIRTIO_NET_F_GUEST_ECN : 0);
    return (n->guest_offloads & need) == need;
}

/*
 * Whether a packet that does not fit may wait for ever. Drivers give new buffers when half of the
 * ring is used; if more is left of a short ring, and too little for a large packet, nobody moves.
 */
static bool rx_may_stall(struct virtio_net *n, struct virtio_queue *q)
{
    return 2 * virtio_given(&n->virtio, q) >= q->size;
}

static struct virtio_queue *rx_queue(struct virtio_net *n, unsigned pair)
{
    return &n->virtio.queues[2 * pair + VIRTIO_NET_RX];
}

/* Deliver the packets a frame was cut into; HOLD: some still wait. */
static enum port_verdict cut_deliver(struct virtio_net *n, unsigned pair)
{
    struct packets *cut = virtio_net_cut(n, pair);

    for (; packets_any(cut); cut->next++) {
        struct frame *f = cut->frames[cut->next];
        enum port_verdict verdict = rx_place(n, rx_queue(n, pair), f);

        if (verdict == PORT_HOLD)
            return PORT_HOLD;
        if (verdict == PORT_DROPPED)
            n->nic.port.stats.drops[DROP_REFUSED]++;
        frame_unref(f);
    }
    packets_forget(cut);
    return PORT_TAKEN;
}

enum port_verdict virtio_net_offer(struct virtio_net *n, unsigned pair, struct frame *f)
{
    struct virtio_queue *q = rx_queue(n, pair);
    struct packets *cut = virtio_net_cut(n, pair);
    enum port_verdict verdict;
    struct frame *done;

    if (!q->ready)
        return PORT_DROPPED;
    if (packets_any(cut))
        return PORT_HOLD;
    if (covers(n, &f->offload)) {
        verdict = rx_place(n, q, f);
        if (verdict != PORT_HOLD || !f->offload.gso || !rx_may_stall(n, q))
            return verdict;
    }
    if (f->offload.gso) {
        if (offload_finish(f, packets_add, cut) == 0)
            return PORT_DROPPED;
        cut_deliver(n, pair);
        return PORT_TAKEN;
    }
    done = offload_checksum(f);
    if (!done)
        return PORT_DROPPED;
    verdict = rx_place(n, q, done);
    frame_unref(done);
    return verdict;
}

static enum port_verdict net_rx(struct port *p, struct frame *f)
{
    struct virtio_net *n = container_of(p, struct virtio_net, nic.port);

    if (!virtio_live(&n->virtio) || !rx_queue(n, 0)->ready || f->len < ETH_HLEN)
        return PORT_DROPPED;
    if (!virtio_net_wants(n, f)) {
        n->filtered++;
        return PORT_TAKEN;
    }
    return n->mq ? virtio_net_mq_rx(n, f) : virtio_net_offer(n, 0, f);
}

void virtio_net_resume(struct virtio_net *n, unsigned pair)
{
    if (cut_deliver(n, pair) != PORT_TAKEN)
        return;
    if (n->mq)
        virtio_net_mq_resume(n, pair);
    else
        port_ready(&n->nic.port);
}

/* The driver has given buffers. While there are some it need not tell of more. */
static void rx_kick(struct virtio_net *n, unsigned pair)
{
    virtio_want_kicks(&n->virtio, rx_queue(n, pair), false);
    virtio_net_resume(n, pair);
}

/* --- configuration (5.1.4) --- */

static void net_config_read(struct virtio *v)
{
    struct virtio_net *n = net_of(v);
    const struct port *p = &n->nic.port;
    uint8_t *c = v->config;

    memcpy(c, n->mac, ETH_ALEN);
    store_le16(c + 6, p->up);   /* status: LINK_UP */
    store_le16(c + 8, n->nic.config.queues); /* max_virtqueue_pairs */
    store_le16(c + 10, n->nic.config.mtu);
    /* Mbit/s of the link; unknown (all ones) for one that is infinitely fast, or none. */
    store_le32(c + 12, p->vlan && p->link.rate_bps ? (uint32_t)(p->link.rate_bps / 1000000) : ~0u);
    c[16] = 1;                  /* full duplex */
}

/* Legacy drivers set the address by writing it (5.1.4, legacy interface). */
static void net_config_written(struct virtio *v, uint32_t offset, uint32_t len)
{
    struct virtio_net *n = net_of(v);

    if (virtio_has(v, VIRTIO_F_VERSION_1) || offset + len > ETH_ALEN)
        device_warn(&n->nic.dev, "configuration byte 0x%x is read-only", (unsigned)offset);
    else
        memcpy(n->mac + offset, v->config + offset, len);
}

static void net_carrier(struct port *p, bool up)
{
    struct virtio_net *n = container_of(p, struct virtio_net, nic.port);

    (void)up;
    if (virtio_has(&n->virtio, VIRTIO_NET_F_STATUS))
        virtio_config_changed(&n->virtio);
    else
        n->virtio.generation++;
}

/* --- life --- */

static void net_kick(struct virtio *v, unsigned queue)
{
    struct virtio_net *n = net_of(v);

    if (queue < 2 * virtio_net_pairs(n)) {
        if (queue % 2 == VIRTIO_NET_RX)
            rx_kick(n, queue / 2);
        else
            transmit(n, &v->queues[queue]);
    } else if (virtio_has(v, VIRTIO_NET_F_CTRL_VQ)) {
        virtio_net_control(n, &v->queues[queue]);
    }
}

/* Which queues there are (5.1.2), and that one pair of them is in use without MQ. */
static void net_chosen(struct virtio *v)
{
    struct virtio_net *n = net_of(v);
    unsigned control = 2 * virtio_net_pairs(n);
    uint16_t size = n->nic.config.queue_size ? n->nic.config.queue_size : DEFAULT_QUEUE;

    for (unsigned i = 0; i < v->n_queues; i++)
        virtio_add_queue(v, i, i < control ? size : i == control ? CTRL_QUEUE : 0);
    if (n->mq && control == 2)
        n->mq->pairs = 1;
}

#define HOST_TSO (VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6)
#define GUEST_TSO (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)

/* Whoever takes any of these takes one of those (5.1.3.1). */
static const struct {
    uint64_t any, need;
} dependencies[] = {
    {HOST_TSO | VIRTIO_NET_F_HOST_UFO, VIRTIO_NET_F_CSUM},
    {GUEST_TSO | VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_GUEST_CSUM},
    {VIRTIO_NET_F_HOST_ECN, HOST_TSO},
    {VIRTIO_NET_F_GUEST_ECN, GUEST_TSO},
    {VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_CTRL_MAC_ADDR,
     VIRTIO_NET_F_CTRL_VQ},
};

static bool net_features_ok(struct virtio *v, uint64_t features)
{
    (void)v;
    for (size_t i = 0; i < ARRAY_LEN(dependencies); i++)
        if ((features & dependencies[i].any) && !(features & dependencies[i].need))
            return false;
    return true;
}

static void net_start(struct virtio *v)
{
    net_of(v)->guest_offloads = v->accepted & VIRTIO_NET_GUEST_OFFLOADS;
}

static void net_virtio_reset(struct virtio *v)
{
    struct virtio_net *n = net_of(v);

    memcpy(n->mac, n->nic.config.mac, ETH_ALEN);
    n->guest_offloads = 0;
    virtio_net_filter_reset(n);
    virtio_net_notify_reset(n);
    net_chosen(v);
    packets_forget(&n->cut);
    if (n->mq)
        virtio_net_mq_reset(n);
    port_ready(&n->nic.port); /* what waited is offered again, and refused */
}

void virtio_net_reset(struct device *dev)
{
    virtio_reset(dev->object);
}

/*
 * Its address is its own, whatever the original's driver set; a driver reads it when it starts.
 * Frames that were on their way to the original are the original's.
 */
void virtio_net_clone(struct device *dev, const struct device *from)
{
    struct virtio_net *n = dev->object;

    virtio_clone(&n->virtio, from->object);
    net_chosen(&n->virtio);
    evq_copy(&dev->env->actor->events, &n->notify, &((struct virtio_net *)from->object)->notify);
    memcpy(n->mac, n->nic.config.mac, ETH_ALEN);
}

/* A new configuration, since the address is another (2.5.1). */
void virtio_net_cloned(struct device *dev)
{
    virtio_config_changed(dev->object);
}

void virtio_net_finish(struct device *dev)
{
    struct virtio_net *n = dev->object;

    virtio_net_notify_reset(n);
    packets_finish(&n->cut);
    if (n->mq)
        virtio_net_mq_finish(n);
}

/* On virtio-mmio, with several pairs of queues. */
struct virtio_net_mmio_mq {
    struct virtio_net net;
    struct virtio_net_mq mq;
};

static const struct field net_fields[] = {VIRTIO_NET_FIELDS, VIRTIO_MMIO_FIELDS(struct virtio_net),
                                          FIELD_END};
static const struct field net_mq_fields[] = {
    VIRTIO_NET_FIELDS, VIRTIO_MMIO_FIELDS(struct virtio_net),
    VIRTIO_NET_MQ_FIELDS(struct virtio_net_mmio_mq, mq), FIELD_END};

#define NET_DEVICE_OPS(fields)                                                                     \
    {                                                                                              \
        .name = "virtio-net", .help = "virtio network device", .state = fields,                    \
        .reset = virtio_net_reset, .finish = virtio_net_finish, .clone = virtio_net_clone,         \
        .cloned = virtio_net_cloned                                                                \
    }
static const struct device_ops net_device_ops = NET_DEVICE_OPS(net_fields);
static const struct device_ops net_mq_device_ops = NET_DEVICE_OPS(net_mq_fields);

static const struct virtio_ops net_ops = {
    .name = "net",
    .id = 1,
    .config_size = 20,
    .kick = net_kick,
    .config_read = net_config_read,
    .config_written = net_config_written,
    .chosen = net_chosen,
    .features_ok = net_features_ok,
    .start = net_start,
    .reset = net_virtio_reset,
};

static const struct port_ops net_port_ops = {
    .kind = "nic",
    .rx = net_rx,
    .carrier = net_carrier,
};

static uint64_t features(const struct nic_config *c)
{
    uint64_t f = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ |
                 VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_CTRL_VLAN |
                 VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_SPEED_DUPLEX;

    if (!c->no_offload)
        f |= VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |
             VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_HOST_UFO | VIRTIO_NET_GUEST_OFFLOADS |
             VIRTIO_NET_F_CTRL_GUEST_OFFLOADS;
    if (!c->no_mrg_rxbuf)
        f |= VIRTIO_NET_F_MRG_RXBUF;
    if (c->mtu)
        f |= VIRTIO_NET_F_MTU;
    if (c->queues > 1)
        f |= VIRTIO_NET_F_MQ;
    return f;
}

bool virtio_net_check(const char *name, const struct nic_config *c, struct err *err)
{
    uint16_t q = c->queue_size;

    if (q > VIRTIO_MAX_QUEUE_SIZE || (q & (q - 1)))
        err_add(err, "%s: a queue of %u descriptors: virtio-net takes powers of two up to %d",
                name, q, VIRTIO_MAX_QUEUE_SIZE);
    else if (eth_is_multicast(c->mac))
        err_add(err, "%s: a group address (%02x:...) cannot be a NIC's own", name, c->mac[0]);
    else if (c->queues > NIC_MAX_PAIRS)
        err_add(err, "%s: %u pairs of queues: virtio-net has at most %d", name, c->queues,
                NIC_MAX_PAIRS);
    else if (c->mtu && c->mtu < 68) /* 5.1.4.1 */
        err_add(err, "%s: an MTU of %u is below 68, the least of IPv4", name, c->mtu);
    else
        return true;
    return false;
}

void virtio_net_init(struct virtio_net *n, const struct device_ops *ops, struct device_env *env,
                     const char *name, const struct nic_config *c, struct virtio_net_mq *mq)
{
    n->mq = mq;
    n->nic.config = *c;
    n->nic.config.queues = MAX(c->queues, 1);
    device_init(&n->nic.dev, ops, n, name, env);
    port_init(&n->nic.port, &net_port_ops, env->actor, name);
    for (unsigned i = 0; i < n->nic.config.queues; i++)
        packets_init(virtio_net_cut(n, i), &n->nic.port);
    virtio_net_notify_init(n);
    virtio_init(&n->virtio, &net_ops, &n->nic.dev, features(c), mq ? mq->queues : n->queues,
                (uint16_t)(2 * n->nic.config.queues + 1));
    net_chosen(&n->virtio);
}

struct nic *virtio_net_create(struct device_env *env, const char *name,
                              const struct nic_config *c, struct err *err)
{
    struct virtio_net_mmio_mq *m = NULL;
    struct virtio_net *n;

    if (!virtio_net_check(name, c, err))
        return NULL;
    if (c->queues > 1)
        m = xcalloc(1, sizeof(*m));
    n = m ? &m->net : xcalloc(1, sizeof(*n));
    virtio_net_init(n, m ? &net_mq_device_ops : &net_device_ops, env, name, c, m ? &m->mq : NULL);
    virtio_mmio_init(&n->mmio, &n->virtio, c->legacy);
    virtio_reset(&n->virtio);
    return &n->nic;
}
