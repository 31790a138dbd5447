/*
 * The framing of stream links:
 *
 *      0        4              4 + length
 *     +--------+----------------+--------+------ ...
 *     | length | frame, no FCS  | length | frame
 *     +--------+----------------+--------+------ ...
 *       big-endian
 *
 * A frame's bytes are copied once, into the frame itself, however they are cut up; so a peer that
 * sends one byte at a time costs a call each, and what it may make us hold is one frame.
 */
#include "devices/uplinks/stream_frame.h"

/* As much of the header as there is. Returns the bytes used. */
static size_t take_header(struct stream_frame *s, const uint8_t *p, size_t len)
{
    size_t n = MIN(len, STREAM_HEADER - s->n_header);

    memcpy(s->header + s->n_header, p, n);
    s->n_header += (uint32_t)n;
    return n;
}

/* The header is whole. */
static bool begin_frame(struct stream_frame *s)
{
    uint32_t want = load_be32(s->header);

    if (want == 0 || want > STREAM_MAX_LEN) {
        s->bad_length = want;
        return false;
    }
    s->want = want;
    s->partial = frame_new(MAX(want, (uint32_t)FRAME_MIN_WIRE));
    return true;
}

static size_t take_bytes(struct stream_frame *s, const uint8_t *p, size_t len)
{
    size_t n = MIN(len, s->want - s->partial->len);

    memcpy(s->partial->data + s->partial->len, p, n);
    s->partial->len += (uint32_t)n;
    return n;
}

bool stream_frame_feed(struct stream_frame *s, const uint8_t *p, size_t len,
                       void (*emit)(void *opaque, struct frame *f), void *opaque)
{
    while (len) {
        size_t n = s->partial ? take_bytes(s, p, len) : take_header(s, p, len);
        p += n;
        len -= n;
        if (!s->partial) {
            if (s->n_header == STREAM_HEADER && !begin_frame(s))
                return false;
        } else if (s->partial->len == s->want) {
            struct frame *f = s->partial;
            s->partial = NULL;
            s->n_header = 0;
            emit(opaque, f);
        }
    }
    return true;
}

bool stream_frame_between(const struct stream_frame *s)
{
    return s->n_header == 0;
}

void stream_frame_reset(struct stream_frame *s)
{
    frame_unref(s->partial);
    *s = (struct stream_frame){0};
}
