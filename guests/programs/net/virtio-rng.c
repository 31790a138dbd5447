/* Entropy from a virtio entropy device: one request at the start, then it is reset. */
#include "net/virtio-rng.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/virtio.h"

enum { SIZE = 2, MOST = 64 };

/* A queue of two takes 116 bytes; a legacy one starts on a page. */
struct area {
    uint8_t queue[256];
    uint8_t buffer[MOST];
};

size_t virtio_rng_read(void *to, size_t len)
{
    struct virtio v;
    struct vq q;
    struct vq_used u = {0, 0};
    uint64_t got, give_up = clock_ns() + NS_PER_S;
    int node = -1;
    bool done = false;
    struct area *area;

    if (!virtio_mmio_find(&node, VIRTIO_ID_RNG, &v) || !virtio_start(&v, 0, &got) ||
        virtio_queue_size(&v, 0, SIZE) != SIZE || !(area = memory_take(sizeof *area, 4096)) ||
        !virtio_queue_start(&v, &q, 0, SIZE, area->queue))
        return 0;
    q.desc[0] =
        (struct vq_desc){(uintptr_t)area->buffer, len < MOST ? len : MOST, VQ_DESC_WRITE, 0};
    vq_want_interrupts(&q, false);
    virtio_ready(&v);
    vq_offer(&q, 0);
    vq_kick(&v, &q);
    while (!(done = vq_take(&q, &u)) && clock_ns() < give_up)
        ;
    virtio_reset(&v);
    if (!done)
        return 0;
    len = u.len < len ? u.len : len;
    memcpy(to, area->buffer, len);
    return len;
}
