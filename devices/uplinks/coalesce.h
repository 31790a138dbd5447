/* TCP segments that come one by one are put together again, so that a guest receives many at once.
 */
#ifndef UPLINKS_COALESCE_H
#define UPLINKS_COALESCE_H

#include "sim/frame.h"

/** Segments in one frame at most: 64 KiB of full ones, and a few more. */
#define COALESCE_MOST 48

/**
 * Frames go in and come out in their order. A run of neighbours becomes one frame with a request to
 * segment it, if carrying that out (offload_finish) gives the run's very bytes; all other frames
 * come out as they are. So nobody who looks at finished packets can tell.
 */
struct coalesce {
    void (*emit)(void *opaque, struct frame *f); /* takes the frame */
    void *opaque;

    /* The module's own; zero at first. */
    struct frame *run[COALESCE_MOST];
    unsigned n;           /* segments in the run */
    uint16_t l4, hdr_len; /* of each: where TCP's header begins, and its payload */
    uint32_t len;         /* of the frame that they make */
};

/** A frame (taken), without an offload request or with one. */
void coalesce_add(struct coalesce *c, struct frame *f);

/** No more come now: what waits comes out. */
void coalesce_flush(struct coalesce *c);

#endif
