/* Packets of a frame that waits for buffers: an array that is used up from the front. */
#include "devices/packets.h"

#include <zlib.h>

#include "sim/offload.h"

#define LOOPED_MOST 256

enum { IP_TCP = 6, IP_UDP = 17 };

/* Before it grows, what was used up makes room. */
void packets_add(void *opaque, struct frame *packet)
{
    struct packets *q = opaque;

    if (q->next > q->n / 2) {
        memmove(q->frames, q->frames + q->next, (q->n - q->next) * sizeof(*q->frames));
        q->n -= q->next;
        q->next = 0;
    }
    array_reserve(q->frames, &q->cap, q->n + 1);
    q->frames[q->n++] = frame_ref(packet);
}

/* Paravirtual cards do not pad; a cable has no frame as short as that (IEEE 802.3, 4.2.3.3). */
static enum port_verdict offer_padded(struct frame *f,
                                      enum port_verdict (*place)(void *opaque, struct frame *p),
                                      void *opaque)
{
    struct frame *padded;
    enum port_verdict verdict;

    if (f->len >= FRAME_MIN_WIRE)
        return place(opaque, f);
    padded = frame_from(f->data, f->len);
    padded->offload = f->offload;
    frame_pad(padded);
    verdict = place(opaque, padded);
    frame_unref(padded);
    return verdict;
}

static enum port_verdict deliver(struct packets *q, bool padded,
                                 enum port_verdict (*place)(void *opaque, struct frame *packet),
                                 void *opaque)
{
    while (packets_any(q)) {
        struct frame *f = q->frames[q->next];
        enum port_verdict verdict = padded ? offer_padded(f, place, opaque) : place(opaque, f);

        if (verdict == PORT_HOLD)
            return PORT_HOLD;
        if (verdict == PORT_DROPPED)
            q->port->stats.drops[DROP_REFUSED]++;
        frame_unref(f);
        q->next++;
    }
    q->n = q->next = 0;
    return PORT_TAKEN;
}

enum port_verdict packets_deliver(struct packets *q,
                                  enum port_verdict (*place)(void *opaque, struct frame *packet),
                                  void *opaque)
{
    return deliver(q, true, place, opaque);
}

enum port_verdict
packets_deliver_runts(struct packets *q,
                      enum port_verdict (*place)(void *opaque, struct frame *packet), void *opaque)
{
    return deliver(q, false, place, opaque);
}

enum port_verdict packets_offer(struct packets *q, struct frame *f,
                                enum port_verdict (*place)(void *opaque, struct frame *packet),
                                void *opaque)
{
    if (packets_any(q))
        return PORT_HOLD;
    if (frame_is_finished(f))
        return offer_padded(f, place, opaque);
    if (offload_finish(f, packets_add, q) == 0)
        return PORT_DROPPED;
    packets_deliver(q, place, opaque);
    return PORT_TAKEN;
}

void packets_loop(struct packets *q, struct frame *f)
{
    if (q->n - q->next >= LOOPED_MOST)
        q->port->stats.drops[DROP_HELD]++;
    else if (frame_is_finished(f))
        packets_add(q, f);
    else if (offload_finish(f, packets_add, q) == 0)
        q->port->stats.drops[DROP_MALFORMED]++;
}

void packet_sums_check(const struct frame *f, uint32_t l3, bool l4, struct packet_sums *s)
{
    const uint8_t *ip = f->data + l3;
    uint32_t header, len;
    bool udp;

    *s = (struct packet_sums){0};
    if (f->len < l3 + 20 || load_be16(ip - 2) != 0x0800 || ip[0] >> 4 != 4)
        return;
    header = (ip[0] & 15u) * 4;
    len = load_be16(ip + 2);
    if (header < 20 || len < header || l3 + len > f->len)
        return;
    s->ip = true;
    s->ip_bad = inet_fold(inet_sum(0, ip, header));
    udp = ip[9] == IP_UDP;
    if ((ip[9] != IP_TCP && !udp) || (load_be16(ip + 6) & 0x3fff) || /* a fragment */
        len < header + (udp ? 8 : 20))
        return;
    s->transport = ip[9];
    s->l4 = l4 && (!udp || load_be16(ip + header + 6)); /* its sender need not sum (RFC 768) */
    s->l4_bad = s->l4 && !f->offload.csum_valid &&
                inet_fold(inet_sum(inet_pseudo_sum(ip, false, ip[9], len - header), ip + header,
                                   len - header));
}

struct frame *frame_tagged(struct frame *f, uint16_t type, uint16_t tag)
{
    struct frame *tagged = frame_new(MAX(f->len + 4, (uint32_t)FRAME_MIN_WIRE));

    memcpy(tagged->data, f->data, 12);
    store_be16(tagged->data + 12, type);
    store_be16(tagged->data + 14, tag);
    memcpy(tagged->data + 16, f->data + 12, f->len - 12);
    tagged->len = f->len + 4;
    tagged->offload = f->offload;
    if (f->offload.needs_csum)
        tagged->offload.csum_start = (uint16_t)(f->offload.csum_start + 4);
    if (f->offload.gso)
        tagged->offload.hdr_len = (uint16_t)(f->offload.hdr_len + 4);
    frame_unref(f);
    return tagged;
}

bool frame_cut_fcs(struct frame *f)
{
    uint32_t len = f->len - 4;

    if (f->len < ETH_HLEN + 4 || load_le32(f->data + len) != (uint32_t)crc32(0, f->data, len))
        return false;
    f->len = len;
    return true;
}

void packets_forget(struct packets *q)
{
    if (packets_any(q))
        q->port->stats.drops[DROP_REFUSED] += q->n - q->next;
    while (packets_any(q))
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
