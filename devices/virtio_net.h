/* virtio-net: the paravirtual NIC (virtio 1.2, 5.1). */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include "devices/nic.h"
#include "devices/packets.h"
#include "devices/virtio_mmio.h"

#define VIRTIO_NET_MACS 64 /* addresses of the filter table, both lists together */
#define VIRTIO_NET_VLAN_BYTES (4096 / 8)

#define VIRTIO_NET_FLOWS 256

/** What a card that was asked for several pairs of queues has besides. */
struct virtio_net_mq {
    struct virtio_queue queues[2 * NIC_MAX_PAIRS + 1];
    uint16_t pairs;                        /* in use */
    uint32_t flows[VIRTIO_NET_FLOWS];      /* see virtio_net_mq.c */
    struct packets cut[NIC_MAX_PAIRS - 1]; /* as virtio_net.cut, of all pairs but the first */
    struct arrivals held[NIC_MAX_PAIRS];   /* frames that wait for a pair's buffers */
};

struct virtio_net {
    struct virtio virtio; /* first: see virtio.h */
    struct virtio_queue queues[3]; /* unless there are more */
    struct virtio_net_mq *mq;      /* behind the card, in its memory; NULL: there is one pair */
    struct virtio_mmio mmio;
    struct nic nic;
    uint8_t mac[ETH_ALEN];
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    bool uni_overflow, multi_overflow; /* the list did not fit: let all of its kind in */
    uint8_t n_uni, n_multi;
    uint8_t macs[VIRTIO_NET_MACS * ETH_ALEN]; /* unicast first */
    uint8_t vlans[VIRTIO_NET_VLAN_BYTES];     /* a bit per VLAN id let in */
    uint64_t guest_offloads; /* of the GUEST_ features, those in force */
    struct packets cut;      /* made of one frame, waiting for the driver's buffers */
    uint64_t no_buffers;     /* frames held because the driver gave none */
    uint64_t filtered;       /* frames for others */
    struct event notify;     /* an interrupt that has been put off */
    uint64_t rx_quiet_until; /* virtual time before which received frames do not interrupt */
};

/* Feature bits (5.1.3). */
#define VIRTIO_NET_F_CSUM (1ULL << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ULL << 1)
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS (1ULL << 2)
#define VIRTIO_NET_F_MTU (1ULL << 3)
#define VIRTIO_NET_F_MAC (1ULL << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ULL << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ULL << 8)
#define VIRTIO_NET_F_GUEST_ECN (1ULL << 9)
#define VIRTIO_NET_F_GUEST_UFO (1ULL << 10)
#define VIRTIO_NET_F_HOST_TSO4 (1ULL << 11)
#define VIRTIO_NET_F_HOST_TSO6 (1ULL << 12)
#define VIRTIO_NET_F_HOST_ECN (1ULL << 13)
#define VIRTIO_NET_F_HOST_UFO (1ULL << 14)
#define VIRTIO_NET_F_MRG_RXBUF (1ULL << 15)
#define VIRTIO_NET_F_STATUS (1ULL << 16)
#define VIRTIO_NET_F_CTRL_VQ (1ULL << 17)
#define VIRTIO_NET_F_CTRL_RX (1ULL << 18)
#define VIRTIO_NET_F_CTRL_VLAN (1ULL << 19)
#define VIRTIO_NET_F_CTRL_RX_EXTRA (1ULL << 20)
#define VIRTIO_NET_F_MQ (1ULL << 22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR (1ULL << 23)
#define VIRTIO_NET_F_SPEED_DUPLEX (1ULL << 63)

/* Those that say what a receiver takes unfinished; CTRL_GUEST_OFFLOADS switches them. */
#define VIRTIO_NET_GUEST_OFFLOADS                                                                  \
    (VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 |                 \
     VIRTIO_NET_F_GUEST_ECN | VIRTIO_NET_F_GUEST_UFO)

/* Queues (5.1.2): 2 * pair receives, 2 * pair + 1 transmits, and behind all pairs is the control
 * queue. */
enum { VIRTIO_NET_RX, VIRTIO_NET_TX };

/* Rows of the state table of a struct that begins with a struct virtio_net. */
#define VIRTIO_NET_FIELDS                                                                          \
    VIRTIO_FIELDS(struct virtio_net), VIRTIO_QUEUE_FIELDS(struct virtio_net, queues[0]),           \
        VIRTIO_QUEUE_FIELDS(struct virtio_net, queues[1]),                                         \
        VIRTIO_QUEUE_FIELDS(struct virtio_net, queues[2]),                                         \
        FIELD(struct virtio_net, mac, FIELD_BYTES, 0),                                             \
        FIELD(struct virtio_net, promisc, FIELD_BOOL, 1),                                          \
        FIELD(struct virtio_net, allmulti, FIELD_BOOL, 0),                                         \
        FIELD(struct virtio_net, alluni, FIELD_BOOL, 0),                                           \
        FIELD(struct virtio_net, nomulti, FIELD_BOOL, 0),                                          \
        FIELD(struct virtio_net, nouni, FIELD_BOOL, 0),                                            \
        FIELD(struct virtio_net, nobcast, FIELD_BOOL, 0),                                          \
        FIELD(struct virtio_net, uni_overflow, FIELD_BOOL, 0),                                     \
        FIELD(struct virtio_net, multi_overflow, FIELD_BOOL, 0),                                   \
        FIELD(struct virtio_net, n_uni, FIELD_U8, 0),                                              \
        FIELD(struct virtio_net, n_multi, FIELD_U8, 0),                                            \
        FIELD(struct virtio_net, macs, FIELD_BYTES, 0),                                            \
        FIELD(struct virtio_net, vlans, FIELD_BYTES, 0),                                           \
        FIELD(struct virtio_net, guest_offloads, FIELD_U64, 0),                                    \
        FIELD(struct virtio_net, rx_quiet_until, FIELD_U64, 0)

/* Rows for a struct `st` whose member `m` is the struct virtio_net_mq. */
#define VIRTIO_NET_MQ_FIELDS(st, m)                                                                \
    VIRTIO_QUEUE_FIELDS(st, m.queues[0]), VIRTIO_QUEUE_FIELDS(st, m.queues[1]),                    \
        VIRTIO_QUEUE_FIELDS(st, m.queues[2]), VIRTIO_QUEUE_FIELDS(st, m.queues[3]),                \
        VIRTIO_QUEUE_FIELDS(st, m.queues[4]), VIRTIO_QUEUE_FIELDS(st, m.queues[5]),                \
        VIRTIO_QUEUE_FIELDS(st, m.queues[6]), VIRTIO_QUEUE_FIELDS(st, m.queues[7]),                \
        VIRTIO_QUEUE_FIELDS(st, m.queues[8]), VIRTIO_QUEUE_FIELDS(st, m.queues[9]),                \
        VIRTIO_QUEUE_FIELDS(st, m.queues[10]), VIRTIO_QUEUE_FIELDS(st, m.queues[11]),              \
        VIRTIO_QUEUE_FIELDS(st, m.queues[12]), VIRTIO_QUEUE_FIELDS(st, m.queues[13]),              \
        VIRTIO_QUEUE_FIELDS(st, m.queues[14]), VIRTIO_QUEUE_FIELDS(st, m.queues[15]),              \
        VIRTIO_QUEUE_FIELDS(st, m.queues[16]), FIELD(st, m.pairs, FIELD_U16, 1),                   \
        FIELD(st, m.flows, FIELD_U32, 0)

/* --- for both transports --- */

bool virtio_net_check(const char *name, const struct nic_config *c, struct err *err);

/**
 * All but the transport, which is joined next, and the first reset. `mq` is zeroed, and NULL if
 * c->queues asks for one pair.
 */
void virtio_net_init(struct virtio_net *n, const struct device_ops *ops, struct device_env *env,
                     const char *name, const struct nic_config *c, struct virtio_net_mq *mq);

/* Of struct device_ops. */
void virtio_net_reset(struct device *dev);
void virtio_net_finish(struct device *dev);
void virtio_net_clone(struct device *dev, const struct device *from);
void virtio_net_cloned(struct device *dev);

/* --- virtio_net.c, for virtio_net_mq.c --- */

/** Pairs of queues that there are: as many as were asked for, once MQ is negotiated (5.1.2). */
static inline unsigned virtio_net_pairs(const struct virtio_net *n)
{
    return virtio_has(&n->virtio, VIRTIO_NET_F_MQ) ? n->nic.config.queues : 1;
}

/** The packets of one frame that wait for a pair's buffers. */
static inline struct packets *virtio_net_cut(struct virtio_net *n, unsigned pair)
{
    return pair ? &n->mq->cut[pair - 1] : &n->cut;
}

/** Offer a frame (borrowed) that the filter let in to a pair's receive queue: all of it, or none.
 */
enum port_verdict virtio_net_offer(struct virtio_net *n, unsigned pair, struct frame *f);

/** A pair has buffers, perhaps: offer again what waits for them. */
void virtio_net_resume(struct virtio_net *n, unsigned pair);

/** A row of nic_models: on virtio-mmio. */
struct nic *virtio_net_create(struct device_env *env, const char *name,
                              const struct nic_config *c, struct err *err);

/* --- virtio_net_ctrl.c: the control queue and the filter it sets --- */

/** The filter as after a reset: everything is let in until the driver says otherwise. */
void virtio_net_filter_reset(struct virtio_net *n);

/** Whether the filter lets a frame of at least ETH_HLEN bytes in. */
bool virtio_net_wants(const struct virtio_net *n, const struct frame *f);

/** Execute the commands on the control queue. */
void virtio_net_control(struct virtio_net *n, struct virtio_queue *q);

/* --- virtio_net_notify.c: when the driver is interrupted --- */

/** After virtio_publish on a queue: interrupt the driver, now or a little later. */
void virtio_net_notify_rx(struct virtio_net *n, struct virtio_queue *q);
void virtio_net_notify_tx(struct virtio_net *n, struct virtio_queue *q);

/** An interrupt that has been put off is due at once: the driver's buffers are needed. */
void virtio_net_notify_now(struct virtio_net *n);

void virtio_net_notify_init(struct virtio_net *n);
void virtio_net_notify_reset(struct virtio_net *n);

/* --- virtio_net_mq.c: several pairs of queues; n->mq is there --- */

/** The driver sends a frame with this pair: answers are to come to it. */
void virtio_net_mq_learn(struct virtio_net *n, const struct frame *f, unsigned pair);

/** A frame that the filter let in, for the pair of its flow; what finds no buffers waits there. */
enum port_verdict virtio_net_mq_rx(struct virtio_net *n, struct frame *f);

/** Offer again what waits for a pair's buffers. */
void virtio_net_mq_resume(struct virtio_net *n, unsigned pair);

/** Use this many pairs from now on. False: there are not so many, or they are not set up. */
bool virtio_net_mq_set(struct virtio_net *n, unsigned pairs);

/** One pair is in use, no flow is known, nothing waits. */
void virtio_net_mq_reset(struct virtio_net *n);
void virtio_net_mq_finish(struct virtio_net *n);

#endif
