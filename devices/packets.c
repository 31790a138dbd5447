/* Packets of a frame that waits for buffers: an array that is used up from the front. */
#include "devices/packets.h"

#include "sim/offload.h"

void packets_add(struct packets *q, struct frame *f)
{
    array_reserve(q->frames, &q->cap, q->n + 1);
    q->frames[q->n++] = frame_ref(f);
}

static void add(void *opaque, struct frame *packet)
{
    packets_add(opaque, packet);
}

enum port_verdict packets_deliver(struct packets *q,
                                  enum port_verdict (*place)(void *opaque, struct frame *packet),
                                  void *opaque)
{
    while (q->next < q->n) {
        struct frame *f = q->frames[q->next];

        if (place(opaque, f) == PORT_HOLD)
            return PORT_HOLD;
        frame_unref(f);
        q->next++;
    }
    q->n = q->next = 0;
    return PORT_TAKEN;
}

enum port_verdict packets_offer(struct packets *q, struct frame *f,
                                enum port_verdict (*place)(void *opaque, struct frame *packet),
                                void *opaque)
{
    if (packets_any(q))
        return PORT_HOLD;
    if (frame_is_finished(f))
        return place(opaque, f);
    if (offload_finish(f, add, q) == 0)
        return PORT_DROPPED;
    packets_deliver(q, place, opaque);
    return PORT_TAKEN;
}

void packets_forget(struct packets *q)
{
    while (q->next < q->n)
        frame_unref(q->frames[q->next++]);
    q->n = q->next = 0;
}

void packets_finish(struct packets *q)
{
    packets_forget(q);
    free(q->frames);
    q->frames = NULL;
    q->cap = 0;
}
