/*
 * Checksums and segmentation that a NIC left undone (virtio 1.2, 5.1.6.2).
 *
 * Every request comes from a guest: each length is checked against the frame before use.
 */
#include "sim/offload.h"

#include <netinet/in.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define IPPROTO_FRAGMENT_HEADER 44
#define TCP_CHECKSUM 16 /* offsets in the headers */
#define UDP_CHECKSUM 6
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

/*
 * Words of 32 bits in the host's order; a ones' complement sum may be taken of words of any size,
 * and in either byte order, if it is swapped at the end (RFC 1071, 2). `len` is a multiple of 16.
 */
static uint32_t wide_sum(const uint8_t *b, size_t len)
{
    uint64_t sum[4] = {0};

    for (; len; b += 16, len -= 16) {
        uint64_t w[2];
        memcpy(w, b, sizeof(w));
        sum[0] += (uint32_t)w[0];
        sum[1] += w[0] >> 32;
        sum[2] += (uint32_t)w[1];
        sum[3] += w[1] >> 32;
    }
    uint64_t s = sum[0] + sum[1] + sum[2] + sum[3];
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    uint16_t native = (uint16_t)s;
    return load_be16(&native);
}

uint32_t inet_sum(uint32_t sum, const void *p, size_t len)
{
    const uint8_t *b = p;
    uint64_t s = sum;

    if (len >= 64) {
        s += wide_sum(b, len & ~(size_t)15);
        b += len & ~(size_t)15;
        len &= 15;
    }
    for (; len >= 2; b += 2, len -= 2)
        s += load_be16(b);
    if (len)
        s += (uint32_t)b[0] << 8;
    while (s >> 32)
        s = (s & 0xffffffff) + (s >> 32);
    return (uint32_t)s;
}

uint16_t inet_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* What a segmentation request works on: where the headers are, all of it inside the frame. */
struct layout {
    bool v6;
    uint16_t l3, l4;  /* offsets of the IP and of the transport header */
    uint32_t payload; /* where the transport's payload begins */
    uint32_t payload_len;
};

/* Offset of the network header, past any 802.1Q tags; 0 if it is not IP. */
static uint16_t find_l3(const struct frame *f, bool *v6)
{
    uint16_t at = 2 * ETH_ALEN;

    for (unsigned tags = 0; tags < 3 && at + 2u <= f->len; tags++) {
        uint16_t type = load_be16(f->data + at);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) {
            *v6 = type == ETHERTYPE_IPV6;
            return type == ETHERTYPE_IPV4 || *v6 ? (uint16_t)(at + 2) : 0;
        }
        at += 4;
    }
    return 0;
}

static bool find_layout(const struct frame *f, struct layout *l)
{
    const struct frame_offload *o = &f->offload;
    bool tcp = o->gso == FRAME_GSO_TCPV4 || o->gso == FRAME_GSO_TCPV6;

    l->l3 = find_l3(f, &l->v6);
    l->l4 = o->csum_start;
    if (!l->l3 || !o->needs_csum || offload_is_too_fine(f) || l->l4 < l->l3 + (l->v6 ? 40 : 20) ||
        l->l4 + (tcp ? 20u : 8u) > f->len)
        return false;
    if ((o->gso == FRAME_GSO_TCPV4 && l->v6) || (o->gso == FRAME_GSO_TCPV6 && !l->v6))
        return false;
    if (!l->v6 && l->l3 + (f->data[l->l3] & 15u) * 4 != l->l4)
        return false;
    unsigned header = tcp ? (f->data[l->l4 + 12] >> 4) * 4u : 8;
    if (header < (tcp ? 20u : 8u) || l->l4 + header >= f->len ||
        l->l4 + header > OFFLOAD_MAX_HEADERS)
        return false;
    l->payload = l->l4 + header;
    l->payload_len = f->len - l->payload;
    return o->csum_offset == (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
}

uint32_t inet_pseudo_sum(const uint8_t *ip, bool v6, uint8_t proto, uint32_t len)
{
    uint32_t sum = inet_sum(proto, ip + (v6 ? 8 : 12), v6 ? 32 : 8);

    return sum + (len >> 16) + (len & 0xffff);
}

static void ipv4_finish(uint8_t *ip, uint32_t total_len)
{
    store_be16(ip + 2, (uint16_t)total_len);
    store_be16(ip + 10, 0);
    store_be16(ip + 10, inet_fold(inet_sum(0, ip, (ip[0] & 15u) * 4)));
}

static struct frame *piece_new(const struct frame *f, uint32_t len)
{
    struct frame *p = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    p->len = len;
    p->origin = f->origin;
    p->offload.csum_valid = true;
    return p;
}

/* A packet of `len` payload bytes from `offset`, whose transport header is still the request's. */
static struct frame *segment_new(const struct frame *f, const struct layout *l, uint32_t offset,
                                 uint32_t len)
{
    struct frame *p = piece_new(f, l->payload + len);
    uint8_t *ip = p->data + l->l3;

    memcpy(p->data, f->data, l->payload);
    memcpy(p->data + l->payload, f->data + l->payload + offset, len);
    if (l->v6) {
        store_be16(ip + 4, (uint16_t)(p->len - l->l3 - 40));
    } else {
        store_be16(ip + 4, (uint16_t)(load_be16(ip + 4) + offset / f->offload.gso_size));
        ipv4_finish(ip, p->len - l->l3);
    }
    return p;
}

static uint16_t transport_sum(const struct frame *p, const struct layout *l, uint8_t proto)
{
    uint32_t len = p->len - l->l4;

    return inet_fold(
        inet_sum(inet_pseudo_sum(p->data + l->l3, l->v6, proto, len), p->data + l->l4, len));
}

static void tcp_finish(struct frame *p, const struct layout *l, uint32_t offset)
{
    uint8_t *tcp = p->data + l->l4;

    store_be32(tcp + 4, load_be32(tcp + 4) + offset);
    if (offset + (p->len - l->payload) < l->payload_len)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (offset > 0)
        tcp[13] &= (uint8_t)~TCP_CWR;
    store_be16(tcp + TCP_CHECKSUM, 0);
    store_be16(tcp + TCP_CHECKSUM, transport_sum(p, l, IPPROTO_TCP));
}

static void udp_finish(struct frame *p, const struct layout *l, uint32_t offset)
{
    uint8_t *udp = p->data + l->l4;
    uint16_t sum;

    (void)offset;
    store_be16(udp + 4, (uint16_t)(p->len - l->l4));
    store_be16(udp + UDP_CHECKSUM, 0);
    sum = transport_sum(p, l, IPPROTO_UDP);
    store_be16(udp + UDP_CHECKSUM, sum ? sum : 0xffff); /* zero means "none" (RFC 768) */
}

/* Packets of gso_size bytes each, with headers of their own. */
static unsigned segments(const struct frame *f, const struct layout *l,
                         void (*finish)(struct frame *, const struct layout *, uint32_t),
                         void (*emit)(void *, struct frame *), void *opaque)
{
    unsigned n = 0;

    for (uint32_t at = 0; at < l->payload_len; at += f->offload.gso_size, n++) {
        struct frame *p = segment_new(f, l, at, MIN(f->offload.gso_size, l->payload_len - at));
        finish(p, l, at);
        emit(opaque, p);
        frame_unref(p);
    }
    return n;
}

/* One IP fragment of a UDP datagram: bytes [offset, offset+len) of what follows the IP header. */
static struct frame *udp_fragment(const struct frame *whole, const struct layout *l,
                                  uint32_t offset, uint32_t len, bool more)
{
    uint32_t extra = l->v6 ? 8 : 0;
    struct frame *p = piece_new(whole, l->l4 + extra + len);
    uint8_t *ip = p->data + l->l3;

    memcpy(p->data, whole->data, l->l4);
    memcpy(p->data + l->l4 + extra, whole->data + l->l4 + offset, len);
    if (l->v6) {
        uint8_t *fragment = p->data + l->l4; /* RFC 8200, 4.5 */
        memset(fragment, 0, 8);
        fragment[0] = ip[6];
        store_be16(fragment + 2, (uint16_t)(offset | more));
        store_be32(fragment + 4, load_be32(whole->data + l->l4 + 4)); /* length and checksum */
        ip[6] = IPPROTO_FRAGMENT_HEADER;
        store_be16(ip + 4, (uint16_t)(p->len - l->l3 - 40));
    } else {
        store_be16(ip + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
        ipv4_finish(ip, p->len - l->l3);
    }
    return p;
}

static unsigned udp_fragments(struct frame *f, const struct layout *l,
                              void (*emit)(void *, struct frame *), void *opaque)
{
    uint32_t size = f->offload.gso_size & ~7u, total = f->len - l->l4;
    struct frame *whole = !l->v6 || l->l4 == l->l3 + 40 ? offload_checksum(f) : NULL;
    unsigned n = 0;

    if (!whole)
        return 0;
    for (uint32_t at = 0; at < total; at += size, n++) {
        uint32_t len = MIN(size, total - at);
        struct frame *p = udp_fragment(whole, l, at, len, at + len < total);
        emit(opaque, p);
        frame_unref(p);
    }
    frame_unref(whole);
    return n;
}

struct frame *offload_checksum(struct frame *f)
{
    const struct frame_offload *o = &f->offload;

    if (!o->needs_csum)
        return frame_ref(f);
    if (o->csum_start >= f->len || o->csum_start + o->csum_offset + 2u > f->len)
        return NULL;
    struct frame *p = piece_new(f, f->len);
    memcpy(p->data, f->data, f->len);
    uint8_t *at = p->data + o->csum_start + o->csum_offset;
    uint16_t sum = inet_fold(inet_sum(0, p->data + o->csum_start, f->len - o->csum_start));
    /* A UDP sum of zero means "none": it is sent as ones (RFC 768). */
    store_be16(at, sum || o->csum_offset != UDP_CHECKSUM ? sum : 0xffff);
    return p;
}

struct frame *offload_whole(const struct frame *f)
{
    struct layout l;

    if (f->offload.gso != FRAME_GSO_TCPV4 || !find_layout(f, &l) || f->len - l.l3 > 0xffff)
        return NULL;
    struct frame *p = piece_new(f, f->len);
    uint8_t *sum = p->data + l.l4 + TCP_CHECKSUM;

    memcpy(p->data, f->data, f->len);
    ipv4_finish(p->data + l.l3, f->len - l.l3);
    store_be16(sum, 0);
    store_be16(sum, transport_sum(p, &l, IPPROTO_TCP));
    return p;
}

unsigned offload_finish(struct frame *f, void (*emit)(void *opaque, struct frame *packet),
                        void *opaque)
{
    struct layout l;

    if (f->offload.gso && !find_layout(f, &l))
        return 0;
    switch (f->offload.gso) {
    case FRAME_GSO_NONE: break;
    case FRAME_GSO_UDP: return udp_fragments(f, &l, emit, opaque);
    case FRAME_GSO_UDP_L4: return segments(f, &l, udp_finish, emit, opaque);
    default: return segments(f, &l, tcp_finish, emit, opaque);
    }
    struct frame *p = offload_checksum(f);
    if (!p)
        return 0;
    emit(opaque, p);
    frame_unref(p);
    return 1;
}
