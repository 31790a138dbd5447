/* Frames in a stream of bytes: a length of four bytes, then the frame; read in pieces of any size.
 */
#ifndef UPLINKS_STREAM_FRAME_H
#define UPLINKS_STREAM_FRAME_H

#include "sim/frame.h"

#define STREAM_HEADER 4

/**
 * The longest frame that a peer may announce: QEMU's own bound (68 KiB), so that nothing which
 * QEMU would take from another QEMU ends a link with us. What is longer than a frame can be
 * (FRAME_MAX_LEN), or shorter than a header, is then refused as a frame, by uplink_receive. A
 * length of 0 is no frame in anybody's eyes: the sender has lost its place.
 */
#define STREAM_MAX_LEN (65536u + 4096u)

/** How far into a frame the stream is. Zero-initialise it. */
struct stream_frame {
    uint8_t header[STREAM_HEADER];
    uint32_t n_header;     /* bytes of it that have come */
    struct frame *partial; /* the frame whose length is known; its len: what has come of it */
    uint32_t want;         /* its length */
    uint32_t bad_length;   /* why stream_frame_feed has said false */
};

/**
 * The next bytes of a stream. `emit` is called for each frame that they complete, in order, and
 * takes it; the frame has room to be padded. False: a length was out of bounds, and whatever
 * follows it is meaningless; feed no more.
 */
bool stream_frame_feed(struct stream_frame *s, const uint8_t *p, size_t len,
                       void (*emit)(void *opaque, struct frame *f), void *opaque);

/** Whether the stream stands between two frames. */
bool stream_frame_between(const struct stream_frame *s);

/** Give up what has come of a frame; the stream can begin anew. */
void stream_frame_reset(struct stream_frame *s);

#endif
