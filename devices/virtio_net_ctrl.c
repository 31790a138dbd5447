/*
 * virtio-net's control queue, and the receive filter it sets (virtio 1.2, 5.1.6.5).
 *
 * A command is { u8 class, u8 command, data } to read and { u8 ack } to write.
 */
#include "devices/virtio_net.h"

enum { ACK_OK = 0, ACK_ERR = 1 };
enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_VLAN = 2, CLASS_MQ = 4, CLASS_OFFLOADS = 5 };

void virtio_net_filter_reset(struct virtio_net *n)
{
    n->promisc = true; /* a driver without a control queue expects every frame */
    n->allmulti = n->alluni = n->nomulti = n->nouni = n->nobcast = false;
    n->uni_overflow = n->multi_overflow = false;
    n->n_uni = n->n_multi = 0;
    memset(n->macs, 0, sizeof n->macs);
    memset(n->vlans, 0, sizeof n->vlans);
}

/* --- the filter --- */

static bool in_list(const uint8_t *list, unsigned n, const uint8_t *mac)
{
    for (unsigned i = 0; i < n; i++)
        if (memcmp(list + i * ETH_ALEN, mac, ETH_ALEN) == 0)
            return true;
    return false;
}

static bool vlan_wanted(const struct virtio_net *n, const struct frame *f)
{
    unsigned id;

    if (!virtio_has(&n->virtio, VIRTIO_NET_F_CTRL_VLAN) || f->len < ETH_HLEN + 4 ||
        load_be16(f->data + 12) != 0x8100)
        return true;
    id = load_be16(f->data + 14) & 0xfff;
    return n->vlans[id / 8] >> id % 8 & 1;
}

bool virtio_net_wants(const struct virtio_net *n, const struct frame *f)
{
    const uint8_t *to = f->data;

    if (n->promisc)
        return true;
    if (!vlan_wanted(n, f))
        return false;
    if (eth_is_broadcast(to))
        return !n->nobcast;
    if (eth_is_multicast(to))
        return !n->nomulti && (n->allmulti || n->multi_overflow ||
                               in_list(n->macs + n->n_uni * ETH_ALEN, n->n_multi, to));
    return !n->nouni && (n->alluni || n->uni_overflow || memcmp(to, n->mac, ETH_ALEN) == 0 ||
                         in_list(n->macs, n->n_uni, to));
}

/* --- commands: each is given its data, checks its length, and says whether it was done --- */

struct data {
    struct virtio_net *n;
    const struct virtio_chain *chain;
    uint64_t at, len; /* what is left of the chain's readable bytes */
};

static bool data_take(struct data *d, void *buf, size_t len)
{
    if (len > d->len || !virtio_chain_read(&d->n->virtio, d->chain, d->at, buf, len))
        return false;
    d->at += len;
    d->len -= len;
    return true;
}

static bool rx_mode(struct data *d, unsigned command)
{
    struct virtio_net *n = d->n;
    bool *const modes[] = {&n->promisc, &n->allmulti, &n->alluni,
                           &n->nomulti, &n->nouni,    &n->nobcast};
    uint64_t feature = command < 2 ? VIRTIO_NET_F_CTRL_RX : VIRTIO_NET_F_CTRL_RX_EXTRA;
    uint8_t on;

    if (command >= ARRAY_LEN(modes) || !virtio_has(&n->virtio, feature) || d->len != 1 ||
        !data_take(d, &on, 1))
        return false;
    *modes[command] = on != 0;
    return true;
}

/*
 * One of the two lists { le32 entries; u8 macs[entries][6] }, put behind the `used` entries of
 * `macs`. One that does not fit leaves no entry and sets *overflow.
 */
static bool mac_list(struct data *d, uint8_t *macs, unsigned used, uint8_t *count, bool *overflow)
{
    uint8_t le[4];
    uint64_t bytes;

    if (!data_take(d, le, sizeof le))
        return false;
    bytes = (uint64_t)load_le32(le) * ETH_ALEN;
    if (bytes > d->len)
        return false;
    *count = 0;
    *overflow = bytes > (uint64_t)(VIRTIO_NET_MACS - used) * ETH_ALEN;
    if (*overflow) {
        d->at += bytes;
        d->len -= bytes;
        return true;
    }
    *count = (uint8_t)(bytes / ETH_ALEN);
    return data_take(d, macs + used * ETH_ALEN, bytes);
}

static bool mac_table(struct data *d)
{
    struct virtio_net *n = d->n;
    uint8_t macs[VIRTIO_NET_MACS * ETH_ALEN] = {0}, n_uni, n_multi;
    bool uni, multi;

    if (!virtio_has(&n->virtio, VIRTIO_NET_F_CTRL_RX) || !mac_list(d, macs, 0, &n_uni, &uni) ||
        !mac_list(d, macs, n_uni, &n_multi, &multi) || d->len)
        return false;
    memcpy(n->macs, macs, sizeof macs);
    n->n_uni = n_uni;
    n->n_multi = n_multi;
    n->uni_overflow = uni;
    n->multi_overflow = multi;
    return true;
}

static bool mac(struct data *d, unsigned command)
{
    uint8_t addr[ETH_ALEN];

    if (command == 0)
        return mac_table(d);
    if (command != 1 || !virtio_has(&d->n->virtio, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
        d->len != ETH_ALEN || !data_take(d, addr, ETH_ALEN))
        return false;
    memcpy(d->n->mac, addr, ETH_ALEN);
    d->n->virtio.generation++;
    return true;
}

static bool vlan(struct data *d, unsigned command)
{
    uint8_t le[2];
    unsigned id;

    if (command > 1 || !virtio_has(&d->n->virtio, VIRTIO_NET_F_CTRL_VLAN) || d->len != 2 ||
        !data_take(d, le, sizeof le))
        return false;
    id = load_le16(le);
    if (id >= VIRTIO_NET_VLAN_BYTES * 8)
        return false;
    if (command == 0)
        d->n->vlans[id / 8] |= (uint8_t)(1u << id % 8);
    else
        d->n->vlans[id / 8] &= (uint8_t) ~(1u << id % 8);
    return true;
}

static bool pairs(struct data *d, unsigned command)
{
    uint8_t le[2];

    return command == 0 && virtio_has(&d->n->virtio, VIRTIO_NET_F_MQ) && d->len == sizeof le &&
           data_take(d, le, sizeof le) && virtio_net_mq_set(d->n, load_le16(le));
}

static bool offloads(struct data *d, unsigned command)
{
    uint64_t allowed = d->n->virtio.accepted & VIRTIO_NET_GUEST_OFFLOADS, wanted;
    uint8_t le[8];

    if (command != 0 || !virtio_has(&d->n->virtio, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
        d->len != sizeof le || !data_take(d, le, sizeof le))
        return false;
    wanted = load_le64(le);
    if (wanted & ~allowed) /* only what was negotiated (5.1.6.5.6.1) */
        return false;
    d->n->guest_offloads = wanted;
    return true;
}

static const struct {
    uint8_t class;
    bool (*run)(struct data *d, unsigned command);
} classes[] = {
    {CLASS_RX, rx_mode}, {CLASS_MAC, mac},           {CLASS_VLAN, vlan},
    {CLASS_MQ, pairs},   {CLASS_OFFLOADS, offloads},
};

static bool execute(struct virtio_net *n, const struct virtio_chain *c)
{
    struct data d = {n, c, 0, c->out_len};
    uint8_t head[2];

    if (!data_take(&d, head, sizeof head))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].class == head[0] && classes[i].run(&d, head[1]))
            return true;
    device_warn(&n->nic.dev, "control command %u.%u refused", head[0], head[1]);
    return false;
}

void virtio_net_control(struct virtio_net *n, struct virtio_queue *q)
{
    struct virtio *v = &n->virtio;
    struct virtio_chain c;
    uint8_t ack;

    for (unsigned i = 0; i < q->size && virtio_take(v, q, &c); i++) {
        if (c.out_len < 2 || c.in_len < 1) {
            virtio_fail(v, q, "a control command without its header or room for the answer");
            return;
        }
        ack = execute(n, &c) ? ACK_OK : ACK_ERR;
        if (!virtio_chain_write(v, &c, 0, &ack, 1)) {
            virtio_fail(v, q, "a control command's answer is not in RAM");
            return;
        }
        virtio_done(v, q, c.head, 1);
    }
    virtio_want_kicks(v, q, true);
    virtio_notify(v, q);
}
