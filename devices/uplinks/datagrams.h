/* Whole frames through a descriptor of the host, one per datagram: what dgram, l2tpv3 and vde
 * share. */
#ifndef UPLINKS_DATAGRAMS_H
#define UPLINKS_DATAGRAMS_H

#include <sys/socket.h>

#include "devices/uplinks/uplink.h"
#include "devices/uplinks/watch.h"
#include "sim/err.h"

struct datagrams;

#define DATAGRAM_MAX_UDP 65507u /* what a UDP datagram over IPv4 can carry */
#define DATAGRAM_MAX_HEADER 1088

/** One that was read; borrowed. */
struct datagram {
    const uint8_t *bytes;
    size_t len;
    const struct sockaddr_storage *from;
    socklen_t from_len; /* 0: the sender has no name, or nobody knows it */
};

/** How a kind differs. All may be NULL. */
struct datagrams_ops {
    /** Where the frame begins in a datagram; -1: it is none of ours, and has been counted. */
    ssize_t (*unwrap)(struct datagrams *d, const struct datagram *g);

    /** The header before a frame, into `h`; its length. `number`: this is the n-th sent, from 0. */
    size_t (*wrap)(struct datagrams *d, uint8_t h[DATAGRAM_MAX_HEADER], uint64_t number);

    /** In place of recvmmsg and sendmmsg: one frame; -1 and errno. */
    ssize_t (*read)(struct datagrams *d, void *bytes, size_t size);
    ssize_t (*write)(struct datagrams *d, const void *bytes, size_t len);

    /** The descriptor will not do any more; from the loop, or from the actor's run. */
    void (*broke)(struct datagrams *d);
};

/** The first member of a kind's struct. */
struct datagrams {
    struct uplink uplink;
    const struct datagrams_ops *ops;
    int fd;                     /* read from and watched; closed by datagrams_shut. -1: none now */
    int out;                    /* written to: the same or, also closed, another */
    uint32_t max_frame;         /* what a datagram has room for */
    struct sockaddr_storage to; /* where frames are sent; to_len 0: where `out` is connected */
    socklen_t to_len;
    struct watch *watch;
    struct watch *probe;     /* of a unix socket: tells when the receiver has room again */
    struct alarm *retry;     /* where nothing tells */
    struct arrivals waiting; /* finished frames that the host has not taken yet */
    bool blocked;            /* it takes none now */
    bool broken;             /* nothing but errors: no carrier */
    bool full;               /* the uplink is; nothing is read */
    unsigned n_errors;       /* in reading, in a row */
    uint64_t n_sent;
    uint64_t too_long;    /* frames that no datagram can hold, and datagrams that no frame can */
    uint64_t unreachable; /* not sent: nobody there, or the host's network had none of it */
    uint64_t errors;      /* that the host told when it was read from */
};

/** Register the uplink, with one port. `fd` and `out` are taken. */
void datagrams_init(struct datagrams *d, const struct uplink_ops *uplink_ops,
                    const struct datagrams_ops *ops, struct sim *s, const char *name, bool carrier);

/** Begin to read. False, with errno, if the descriptor cannot be watched; it is closed then. */
bool datagrams_open(struct datagrams *d, int fd, int out);

/** Let go of the descriptors and of frames that wait. */
void datagrams_shut(struct datagrams *d);

/* For the kind's struct uplink_ops. */
enum port_verdict datagrams_send(struct uplink_port *p, struct frame *f);
void datagrams_room(struct uplink_port *p);
void datagrams_woken(struct uplink *u);
void datagrams_describe(const struct datagrams *d, FILE *to);

/** Count something that came from outside and, the first time, say it where tracing is on. */
void datagrams_refuse(struct datagrams *d, uint64_t *count, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** As large a buffer for what arrives as the host allows: a burst waits there for a barrier. */
void datagrams_buffer(int fd);

#endif
