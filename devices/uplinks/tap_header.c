/* The virtio-net header before a TAP interface's frames, and what it asks for. */
#include "devices/uplinks/tap_header.h"

_Static_assert(sizeof(struct virtio_net_hdr) == TAP_HEADER, "layout");

#define GSO_UDP_L4 5 /* virtio 1.3; kernels before 6.2 refuse it */

struct virtio_net_hdr tap_header_of(const struct frame_offload *o)
{
    static const uint8_t types[] = {
        [FRAME_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
        [FRAME_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [FRAME_GSO_UDP] = VIRTIO_NET_HDR_GSO_UDP,
        [FRAME_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
        [FRAME_GSO_UDP_L4] = GSO_UDP_L4,
    };
    struct virtio_net_hdr h = {0};

    if (o->needs_csum) {
        h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h.csum_start = o->csum_start;
        h.csum_offset = o->csum_offset;
    }
    if (o->gso != FRAME_GSO_NONE) {
        h.gso_type = (uint8_t)(types[o->gso] | (o->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0));
        h.gso_size = o->gso_size;
        h.hdr_len = o->hdr_len;
    }
    return h;
}

bool tap_offload_of(const struct virtio_net_hdr *h, uint32_t len, struct frame_offload *o)
{
    static const struct {
        uint8_t theirs, ours;
    } types[] = {
        {VIRTIO_NET_HDR_GSO_NONE, FRAME_GSO_NONE},
        {VIRTIO_NET_HDR_GSO_TCPV4, FRAME_GSO_TCPV4},
        {VIRTIO_NET_HDR_GSO_UDP, FRAME_GSO_UDP},
        {VIRTIO_NET_HDR_GSO_TCPV6, FRAME_GSO_TCPV6},
    };
    uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    size_t i = 0;

    while (i < ARRAY_LEN(types) && types[i].theirs != type)
        i++;
    if (i == ARRAY_LEN(types) || (type && !h->gso_size))
        return false;
    *o = (struct frame_offload){
        .needs_csum = h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_valid = h->flags & VIRTIO_NET_HDR_F_DATA_VALID,
        .ecn = h->gso_type & VIRTIO_NET_HDR_GSO_ECN,
        .gso = types[i].ours,
        .gso_size = type ? h->gso_size : 0,
        .hdr_len = type ? h->hdr_len : 0,
    };
    if (o->needs_csum) {
        o->csum_start = h->csum_start;
        o->csum_offset = h->csum_offset;
    }
    return !o->needs_csum || (uint32_t)h->csum_start + h->csum_offset + 2 <= len;
}
