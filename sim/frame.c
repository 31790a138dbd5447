/* Frames: allocation and reference counts. */
#include "sim/frame.h"

#include <assert.h>

static _Atomic size_t alive;

struct frame *frame_new(uint32_t cap)
{
    struct frame *f = xmalloc(sizeof(*f) + cap);

    *f = (struct frame){.cap = cap};
    atomic_store_explicit(&f->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&alive, 1, memory_order_relaxed);
    return f;
}

struct frame *frame_from(const void *bytes, uint32_t len)
{
    struct frame *f = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    memcpy(f->data, bytes, len);
    f->len = len;
    return f;
}

void frame_unref(struct frame *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) > 1)
        return;
    atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
    free(f);
}

size_t frame_alive(void)
{
    return atomic_load(&alive);
}

void frame_pad(struct frame *f)
{
    if (f->len >= FRAME_MIN_WIRE)
        return;
    assert(f->cap >= FRAME_MIN_WIRE);
    memset(f->data + f->len, 0, FRAME_MIN_WIRE - f->len);
    f->len = FRAME_MIN_WIRE;
}
