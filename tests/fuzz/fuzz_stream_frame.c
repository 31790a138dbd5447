/*
 * The framing of stream links: the first byte says how the rest is cut up. Whatever comes, the
 * frames are those that reading it in one piece gives, no length is out of bounds, and none is left
 * alive.
 *
 * Built with: devices/uplinks/stream_frame.c sim/frame.c sim/base.c
 */
#include <assert.h>

#include "devices/uplinks/stream_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reading gave. */
struct reading {
    uint64_t hash;
    unsigned n;
    bool good;
    bool between;
};

static void take(void *opaque, struct frame *f)
{
    struct reading *r = opaque;

    assert(f->len >= 1 && f->len <= STREAM_MAX_LEN && f->cap >= FRAME_MIN_WIRE);
    for (uint32_t i = 0; i < f->len; i++)
        r->hash = (r->hash ^ f->data[i]) * 0x100000001b3;
    r->hash = (r->hash ^ f->len) * 0x100000001b3;
    r->n++;
    frame_pad(f);
    frame_unref(f);
}

/* In pieces of `step` bytes and of one, in turn. */
static struct reading read_stream(const uint8_t *p, size_t len, size_t step)
{
    struct stream_frame s = {0};
    struct reading r = {.good = true};

    for (size_t turn = 0; len && r.good; turn++) {
        size_t n = MIN(len, turn % 2 ? 1 : step);
        r.good = stream_frame_feed(&s, p, n, take, &r);
        p += n;
        len -= n;
    }
    r.between = stream_frame_between(&s);
    stream_frame_reset(&s);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct reading whole = read_stream(data + 1, size - 1, SIZE_MAX);
    struct reading cut = read_stream(data + 1, size - 1, 1u + data[0]);

    assert(cut.n == whole.n && cut.hash == whole.hash && cut.good == whole.good &&
           cut.between == whole.between);
    assert(frame_alive() == 0);
    return 0;
}
