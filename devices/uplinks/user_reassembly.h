/* Fragments of guests' IPv4 packets put together, within bounds, before libslirp sees them. */
#ifndef UPLINKS_USER_REASSEMBLY_H
#define UPLINKS_USER_REASSEMBLY_H

#include "sim/frame.h"

struct user_partial;

#define USER_PARTIALS 16 /* packets being put together at once; the oldest gives way */

/** Zero-initialise it. */
struct user_reassembly {
    struct user_partial *partials[USER_PARTIALS];
};

/** Whether a frame is a fragment of an IPv4 packet. */
bool user_is_fragment(const struct frame *f);

/**
 * Take in a fragment (borrowed) that came at `now`. The whole packet, the caller's, if it was the
 * last that was missing; else NULL. False in `good`: it was malformed, or overlaps another.
 */
struct frame *user_reassemble(struct user_reassembly *r, const struct frame *f, vtime_t now,
                              bool *good);
void user_reassembly_finish(struct user_reassembly *r);

#endif
