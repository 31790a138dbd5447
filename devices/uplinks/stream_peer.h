/* One connection of a stream link: its handshake, what comes, the bounded queue of what goes. */
#ifndef UPLINKS_STREAM_PEER_H
#define UPLINKS_STREAM_PEER_H

#include "devices/uplinks/stream_frame.h"
#include "devices/uplinks/stream_tls.h"
#include "devices/uplinks/uplink.h"
#include "devices/uplinks/watch.h"

#define STREAM_MAX_OUT (1u << 20) /* bytes that may wait for a peer before frames are held */
/** Host ms after which a peer that has not shown the secret has to go: 10000; tests change it. */
extern unsigned stream_handshake_ms;

enum stream_state {
    STREAM_SHAKING, /* who it is is not known yet */
    STREAM_OPEN,
    STREAM_LOST, /* `why` says it; it waits for the barrier, to be removed */
};

struct stream_peer {
    struct uplink *uplink;
    struct uplink_port *port; /* NULL until it has one */
    struct stream_peer *next;
    enum stream_state state;
    char *name; /* whom the socket is connected to */
    int fd;     /* the watch's */
    struct watch *watch;
    struct stream_tls *tls; /* NULL: in the clear */
    struct alarm *deadline; /* of the handshake */
    struct stream_frame in;
    uint8_t *out; /* framed bytes: those from head to end wait to be written */
    uint32_t out_head, out_end, out_cap;
    bool blocked;     /* the socket takes nothing now */
    bool holding;     /* PORT_HOLD was the answer to a frame */
    bool refused;     /* lost in the handshake */
    bool misbehaved;  /* lost by what it sent */
    uint64_t dropped; /* segments of requests for which there was no room at all */
    char why[128];
};

/**
 * A peer on a connected, non-blocking socket (taken). With a secret it is STREAM_SHAKING at first.
 * The uplink is poked when its state changes, and when there is room again for frames held.
 */
struct stream_peer *stream_peer_create(struct uplink *u, int fd, bool server,
                                       const struct stream_secret *secret);
void stream_peer_destroy(struct stream_peer *p);

/** At a barrier: it has a port, and its frames may come. */
void stream_peer_join(struct stream_peer *p, struct uplink_port *port);

/** A frame for it (borrowed; offload requests are carried out). Written at the next barrier. */
enum port_verdict stream_peer_send(struct stream_peer *p, struct frame *f);

/** At a barrier: write what waits; let the port go on if there is room again. */
void stream_peer_woken(struct stream_peer *p);

/** There is room again for what it sends. */
void stream_peer_read_on(struct stream_peer *p);

/** Say it where faults are traced: "lan2 stream: 127.0.0.1:40000: WHAT". */
void stream_trace(const struct uplink *u, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
