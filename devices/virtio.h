/* Virtio, whatever the transport: status, features, configuration, queues (virtio 1.2, 2). */
#ifndef DEVICES_VIRTIO_H
#define DEVICES_VIRTIO_H

#include "devices/device.h"

#define VIRTIO_MAX_QUEUES 17 /* of one device: a NIC's eight pairs, and its control queue */
#define VIRTIO_MAX_QUEUE_SIZE 1024
#define VIRTIO_MAX_CHAIN 1024 /* buffers in one chain, indirect ones included */

/**
 * What the chains that a device takes within a microsecond may come to, in bytes (64 for each
 * buffer, and what they hold, up to 64 KiB a chain). Full rings stay far below. A driver that
 * offers the same ring again at each instruction, which would stop the host's clock, does not.
 */
#define VIRTIO_MAX_WORK (128u << 20)

/* Device status bits (2.1). */
enum {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

/* Feature bits that belong to no device type (6, 6.3). */
#define VIRTIO_F_NOTIFY_ON_EMPTY (1ULL << 24)
#define VIRTIO_F_ANY_LAYOUT (1ULL << 27)
#define VIRTIO_F_INDIRECT_DESC (1ULL << 28)
#define VIRTIO_F_EVENT_IDX (1ULL << 29)
#define VIRTIO_F_VERSION_1 (1ULL << 32)

/* Interrupt status bits (4.2.2). */
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

struct virtio;

/** What makes a device type. */
struct virtio_ops {
    const char *name;     /* "net" */
    uint16_t id;          /* section 5 */
    uint16_t config_size; /* bytes of configuration space, a multiple of 4 */

    /** Buffers were made available on a queue of a live device. */
    void (*kick)(struct virtio *v, unsigned queue);

    /** Make v->config current before it is read. May be NULL. */
    void (*config_read)(struct virtio *v);

    /** The driver wrote `len` bytes of v->config at `offset`. NULL: it is read-only. */
    void (*config_written)(struct virtio *v, uint32_t offset, uint32_t len);

    /** The driver chose v->accepted, on which it depends what queues there are. May be NULL. */
    void (*chosen)(struct virtio *v);

    /** Whether the device can work with this choice (2.2.2). NULL: with any. */
    bool (*features_ok)(struct virtio *v, uint64_t features);

    /** DRIVER_OK was set. May be NULL. */
    void (*start)(struct virtio *v);

    /** The driver reset the device: forget what the type holds. May be NULL. */
    void (*reset)(struct virtio *v);
};

/** One split virtqueue (2.7). Addresses and indices are the driver's word and never trusted. */
struct virtio_queue {
    uint16_t max;      /* descriptors at most; 0: no such queue */
    uint16_t size;     /* what the driver chose */
    bool ready;
    bool broken;       /* its ring made no sense: not looked at until reset */
    bool signalled_valid; /* `signalled` means something (2.7.7.1) */
    uint16_t next;     /* of the available ring: the next entry to take */
    uint16_t used_idx; /* of the used ring: the next entry to fill */
    uint16_t signalled;  /* used_idx when the driver was last interrupted */
    uint64_t desc, avail, used;
};

#define VIRTIO_CONFIG_MAX 64

/**
 * Embedded as the *first* member of each device type's struct, which is its dev->object.
 */
struct virtio {
    const struct virtio_ops *ops;
    struct device *dev;    /* the one on the bus: its name, its lines, its machine */
    void *transport;       /* struct virtio_mmio, for example */
    void (*changed)(struct virtio *v); /* the transport's: isr changed */
    /** The transport's: tell of a queue, or with NULL of the configuration, by a message; false:
     * it does not send messages now, so that isr tells. May be NULL. */
    bool (*message)(struct virtio *v, const struct virtio_queue *q);
    bool legacy;           /* 0.9.5 driver interface: the transport decides */

    uint64_t offered;      /* features */
    uint64_t accepted;     /* those the driver took */
    uint8_t status;
    uint8_t isr;
    uint8_t config[VIRTIO_CONFIG_MAX]; /* little-endian */
    uint32_t generation;   /* of the configuration (2.5) */
    struct virtio_queue *queues; /* of the type's struct */
    uint16_t n_queues;           /* at most, whatever was negotiated */
    vtime_t work_at;       /* the microsecond in which `work` was done; a reset leaves both */
    uint64_t work;
};

/* Rows for the state table of a struct `st`: for each of its queues, and for its member `virtio`.
 */
#define VIRTIO_QUEUE_FIELDS(st, q)                                                                 \
    FIELD(st, q.size, FIELD_U16, 0), FIELD(st, q.ready, FIELD_BOOL, 0),                            \
        FIELD(st, q.broken, FIELD_BOOL, 0), FIELD(st, q.signalled_valid, FIELD_BOOL, 0),           \
        FIELD(st, q.next, FIELD_U16, 0), FIELD(st, q.used_idx, FIELD_U16, 0),                      \
        FIELD(st, q.signalled, FIELD_U16, 0), FIELD(st, q.desc, FIELD_U64, 0),                     \
        FIELD(st, q.avail, FIELD_U64, 0), FIELD(st, q.used, FIELD_U64, 0)
#define VIRTIO_FIELDS(st)                                                                          \
    FIELD(st, virtio.accepted, FIELD_U64, 0), FIELD(st, virtio.status, FIELD_U8, 0),               \
        FIELD(st, virtio.isr, FIELD_U8, 0), FIELD(st, virtio.generation, FIELD_U32, 0)

/**
 * Prepare the common part; the transport is joined afterwards (virtio_mmio_init). `offered`
 * are the type's features; those of the ring, and VERSION_1, are added here. `queues` are n,
 * zeroed, and none of them exists yet.
 */
void virtio_init(struct virtio *v, const struct virtio_ops *ops, struct device *dev,
                 uint64_t offered, struct virtio_queue *queues, uint16_t n);

/** Queue `n` exists, with room for `max` descriptors (a power of two); 0: it does not. */
void virtio_add_queue(struct virtio *v, unsigned n, uint16_t max);

static inline bool virtio_has(const struct virtio *v, uint64_t feature)
{
    return (v->accepted & feature) != 0;
}

/** Whether the driver is running the device and nothing has gone wrong. */
static inline bool virtio_live(const struct virtio *v)
{
    return (v->status & VIRTIO_DRIVER_OK) && !(v->status & VIRTIO_NEEDS_RESET);
}

/** Take over what the state table does not list from the same device of another machine. */
void virtio_clone(struct virtio *v, const struct virtio *from);

/* The transport's side. */

/** What the device offers this transport's kind of driver. */
uint64_t virtio_offer(const struct virtio *v);
/** Store features chosen; ignored once they are fixed (3.1.1). */
void virtio_accept(struct virtio *v, uint64_t features);
/** Write the device status (2.1); 0 resets. */
void virtio_set_status(struct virtio *v, uint8_t status);
/** Everything to the state after reset, the configuration excepted. */
void virtio_reset(struct virtio *v);
/** Choose a queue's size, while it is not ready; a size it cannot have is refused. */
void virtio_queue_resize(struct virtio *v, unsigned queue, uint32_t size);
/** The driver has placed a queue's three parts: look at them from now on. */
void virtio_queue_enable(struct virtio *v, unsigned queue);
/** The driver's notification of a queue. */
void virtio_kick(struct virtio *v, unsigned queue);
/** Read or write configuration space; bytes beyond its end read 0 and are not written. */
uint64_t virtio_config_read(struct virtio *v, uint32_t offset, unsigned size);
void virtio_config_write(struct virtio *v, uint32_t offset, uint64_t value, unsigned size);

/* The device type's side. */

/** The configuration changed: a new generation, and an interrupt if the driver runs. */
void virtio_config_changed(struct virtio *v);

/**
 * The driver broke the rules: count it, say it, stop the queue, and ask a modern driver for a
 * reset (2.1.2).
 */
void virtio_fail(struct virtio *v, struct virtio_queue *q, const char *what);

/** One buffer in guest memory. */
struct virtio_buf {
    uint64_t addr;
    uint32_t len;
};

/** A chain taken from a queue: what the driver wrote, then what it wants written. */
struct virtio_chain {
    uint16_t head;             /* names it in virtio_put */
    uint16_t n_out, n_in;      /* bufs[0..n_out) are readable, the n_in after them writable */
    uint64_t out_len, in_len;  /* bytes of each */
    struct virtio_buf bufs[VIRTIO_MAX_CHAIN];
};

/** Whether the driver has made something available. Reads guest memory. */
bool virtio_pending(struct virtio *v, struct virtio_queue *q);

/**
 * Take the next available chain. False: there is none, or the ring is malformed, and
 * virtio_fail was called. Every index, count and flag has been checked; addresses have not:
 * the copies below say whether they are RAM.
 */
bool virtio_take(struct virtio *v, struct virtio_queue *q, struct virtio_chain *c);

/** Give back the last `n` chains taken, unused: virtio_take returns them again. */
void virtio_untake(struct virtio_queue *q, uint16_t n);

/** How many chains the driver has made available that are not taken; as it says, unchecked. */
uint16_t virtio_given(struct virtio *v, struct virtio_queue *q);

/** Return a chain, `written` bytes of it filled: fills used entry used_idx + `ahead`. */
void virtio_put(struct virtio *v, struct virtio_queue *q, uint16_t head, uint32_t written,
                uint16_t ahead);

/** Publish `n` entries put: moves the used index. */
void virtio_publish(struct virtio *v, struct virtio_queue *q, uint16_t n);

/** put and publish one. */
void virtio_done(struct virtio *v, struct virtio_queue *q, uint16_t head, uint32_t written);

/** Whether the driver wants to hear of what was published since it was asked last. */
bool virtio_wants_interrupt(struct virtio *v, struct virtio_queue *q);

/** Interrupt the driver, for a queue or, with NULL, for its configuration. */
void virtio_interrupt(struct virtio *v, const struct virtio_queue *q);

/** The same for a queue, if it wants to be (2.7.7, 2.7.10). */
void virtio_notify(struct virtio *v, struct virtio_queue *q);

/**
 * Ask the driver for notifications of new buffers, or spare it (2.7.10). No driver runs
 * meanwhile, so nothing can be missed between asking and having looked.
 */
void virtio_want_kicks(struct virtio *v, struct virtio_queue *q, bool wanted);

/** Copy from the readable, or to the writable, bytes of a chain at `offset`; false: not RAM, or
 * beyond the end. */
bool virtio_chain_read(struct virtio *v, const struct virtio_chain *c, uint64_t offset, void *buf,
                       size_t len);
bool virtio_chain_write(struct virtio *v, const struct virtio_chain *c, uint64_t offset,
                        const void *buf, size_t len);

#endif
