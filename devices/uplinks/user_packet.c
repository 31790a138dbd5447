/*
 * What lies between libslirp and a wire of 1500 bytes.
 *
 * libslirp's cost, and a guest's, goes with the number of packets. It works on TCP segments of any
 * length, so it is told that its interface takes 64 KiB. What a guest leaves to be segmented
 * goes in as it is; what comes out becomes a segmentation request, which a guest's NIC takes
 * whole or cuts up. For a guest that speaks of the ordinary maximum segment size, 1460, libslirp
 * is told of a larger one (RFC 9293, 3.7.1); the guest is told 1460. A guest that can take less
 * than that gets less. Whatever is not TCP and does not fit is fragmented (RFC 791, 3.2; RFC 8200,
 * 4.5).
 */
#include "devices/uplinks/user_packet.h"

#include "sim/offload.h"
#include "sim/rng.h"

#define MTU 1500
#define MSS (MTU - 40)
#define MSS_WHOLE (USER_MTU - 40)
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IP_MORE_FRAGMENTS 0x2000
#define IPV6_HLEN 40
#define NEXT_FRAGMENT 44

enum { PROTO_TCP = 6, PROTO_UDP = 17 };
enum { TCP_SYN = 2 };
enum { OPTION_END, OPTION_NOP, OPTION_MSS };

/* An IPv4 packet of a transport, all of whose headers are inside of the frame. */
struct layout {
    uint32_t l4, payload; /* offsets; payload: TCP's only */
    uint8_t proto;
};

static bool find_layout(const uint8_t *p, uint32_t len, struct layout *l)
{
    const uint8_t *ip = p + ETH_HLEN;

    if (len < ETH_HLEN + 20 || load_be16(p + 12) != ETHERTYPE_IPV4 || ip[0] >> 4 != 4 ||
        (ip[0] & 15) < 5 || (load_be16(ip + 6) & 0x3fff))
        return false;
    l->l4 = ETH_HLEN + (ip[0] & 15u) * 4;
    l->proto = ip[9];
    if (l->proto == PROTO_UDP)
        return l->l4 + 8 <= len;
    if (l->proto != PROTO_TCP || l->l4 + 20 > len)
        return false;
    l->payload = l->l4 + (p[l->l4 + 12] >> 4) * 4u;
    return l->payload >= l->l4 + 20 && l->payload <= len;
}

/* The offset of a SYN's maximum segment size (RFC 9293, 3.2); 0: there is none. */
static uint32_t find_mss(const uint8_t *p, const struct layout *l)
{
    uint32_t at = l->l4 + 20;

    if (l->proto != PROTO_TCP || !(p[l->l4 + 13] & TCP_SYN))
        return 0;
    while (at + 4 <= l->payload && p[at] != OPTION_END) {
        if (p[at] == OPTION_MSS && p[at + 1] == 4)
            return at + 2;
        if (p[at] != OPTION_NOP && p[at + 1] < 2)
            return 0;
        at += p[at] == OPTION_NOP ? 1 : p[at + 1];
    }
    return 0;
}

/* Replace a word that the checksum at `sum` covers (RFC 1624, equation 3). */
static void replace16(uint8_t *p, uint32_t at, uint32_t sum, uint16_t value, uint32_t base)
{
    uint16_t was = load_be16(p + at);
    uint32_t delta = (uint16_t)~was + (uint32_t)value;

    if ((at - base) & 1) /* behind an odd number of options' bytes */
        delta = (delta & 0xff) << 8 | delta >> 8;
    store_be16(p + sum, inet_fold((uint16_t)~load_be16(p + sum) + delta));
    store_be16(p + at, value);
}

/* --- from the guest --- */

struct in {
    void (*input)(void *opaque, struct frame *packet);
    void *opaque;
};

/* A finished packet; a SYN's offer is raised in a copy. */
static void in_packet(void *opaque, struct frame *f)
{
    struct in *in = opaque;
    struct layout l;
    uint32_t mss = find_layout(f->data, f->len, &l) ? find_mss(f->data, &l) : 0;

    if (!mss || load_be16(f->data + mss) != MSS) {
        in->input(in->opaque, f);
        return;
    }
    struct frame *copy = frame_from(f->data, f->len);
    replace16(copy->data, mss, l.l4 + 16, MSS_WHOLE, l.l4);
    in->input(in->opaque, copy);
    frame_unref(copy);
}

bool user_packet_in(struct frame *f, void (*input)(void *opaque, struct frame *packet),
                    void *opaque)
{
    struct in in = {input, opaque};
    struct frame *whole;

    if (frame_is_finished(f)) {
        in_packet(&in, f);
        return true;
    }
    if (f->offload.gso != FRAME_GSO_TCPV4)
        return offload_finish(f, in_packet, &in) > 0;
    whole = offload_whole(f);
    if (!whole)
        return false;
    input(opaque, whole);
    frame_unref(whole);
    return true;
}

/* --- to the guest --- */

/* Ask for segmentation: the checksum becomes that of the pseudo-header (virtio 1.2, 5.1.6.2). */
static void request_segments(struct frame *f, const struct layout *l)
{
    const uint8_t *ip = f->data + ETH_HLEN;
    uint32_t tcp_len = f->len - l->l4;

    f->offload = (struct frame_offload){
        .needs_csum = true,
        .csum_start = (uint16_t)l->l4,
        .csum_offset = 16,
        .gso = FRAME_GSO_TCPV4,
        .gso_size = MSS,
        .hdr_len = (uint16_t)l->payload,
    };
    store_be16(f->data + l->l4 + 16,
               (uint16_t)~inet_fold(inet_sum(PROTO_TCP + tcp_len, ip + 12, 8)));
}

static void finish_header(uint8_t *ip, uint32_t total_len)
{
    store_be16(ip + 2, (uint16_t)total_len);
    store_be16(ip + 10, 0);
    store_be16(ip + 10, inet_fold(inet_sum(0, ip, (ip[0] & 15u) * 4)));
}

/* Fragments of an IPv4 packet: each but the last holds a multiple of 8 bytes. */
static void out_fragments(const uint8_t *packet, uint32_t len,
                          void (*send)(void *opaque, struct frame *f), void *opaque)
{
    uint32_t header = (packet[ETH_HLEN] & 15u) * 4, data = ETH_HLEN + header;
    uint32_t size = (MTU - header) & ~7u, flags = load_be16(packet + ETH_HLEN + 6);

    for (uint32_t at = data; at < len; at += size) {
        uint32_t part = MIN(size, len - at);
        struct frame *f = frame_new(MAX(data + part, (uint32_t)FRAME_MIN_WIRE));
        memcpy(f->data, packet, data);
        memcpy(f->data + data, packet + at, part);
        f->len = data + part;
        store_be16(f->data + ETH_HLEN + 6, (uint16_t)((flags + (at - data) / 8) |
                                                      (at + part < len ? IP_MORE_FRAGMENTS : 0)));
        finish_header(f->data + ETH_HLEN, header + part);
        frame_pad(f);
        send(opaque, f);
    }
}

/* Whether a packet has a whole IPv4 header. */
static bool is_ipv4(const uint8_t *p, uint32_t len)
{
    return len >= ETH_HLEN + 20 && load_be16(p + 12) == ETHERTYPE_IPV4 && (p[ETH_HLEN] & 15) >= 5 &&
           ETH_HLEN + (p[ETH_HLEN] & 15u) * 4 <= len;
}

/* --- IPv6 to the guest --- */

static bool is_ipv6(const uint8_t *p, uint32_t len)
{
    return len >= ETH_HLEN + IPV6_HLEN && load_be16(p + 12) == ETHERTYPE_IPV6;
}

/* Fragments of an IPv6 packet without extension headers; what names them is a hash of it. */
static void out_fragments6(const uint8_t *packet, uint32_t len,
                           void (*send)(void *opaque, struct frame *f), void *opaque)
{
    uint32_t data = ETH_HLEN + IPV6_HLEN, size = (MTU - IPV6_HLEN - 8) & ~7u;
    uint32_t name = (uint32_t)hash_bytes(RNG_HASH_START, packet, len);

    for (uint32_t at = data; at < len; at += size) {
        uint32_t part = MIN(size, len - at);
        struct frame *f = frame_new(data + 8 + part);
        uint8_t *fragment = f->data + data;
        memcpy(f->data, packet, data);
        store_be16(f->data + ETH_HLEN + 4, (uint16_t)(8 + part));
        fragment[0] = packet[ETH_HLEN + 6];
        fragment[1] = 0;
        f->data[ETH_HLEN + 6] = NEXT_FRAGMENT;
        store_be16(fragment + 2, (uint16_t)((at - data) | (at + part < len)));
        store_be32(fragment + 4, name);
        memcpy(fragment + 8, packet + at, part);
        f->len = data + 8 + part;
        frame_pad(f);
        send(opaque, f);
    }
}

/* A request to cut up a TCP segment; false: its headers are not all there. */
static bool out_segments6(const uint8_t *packet, uint32_t len,
                          void (*send)(void *opaque, struct frame *f), void *opaque)
{
    uint32_t l4 = ETH_HLEN + IPV6_HLEN, payload;

    if (packet[ETH_HLEN + 6] != PROTO_TCP || len < l4 + 20)
        return false;
    payload = l4 + (packet[l4 + 12] >> 4) * 4u;
    if (payload < l4 + 20 || payload >= len)
        return false;
    struct frame *f = frame_from(packet, len);
    f->offload = (struct frame_offload){
        .needs_csum = true,
        .csum_start = (uint16_t)l4,
        .csum_offset = 16,
        .gso = FRAME_GSO_TCPV6,
        .gso_size = MTU - IPV6_HLEN - 20,
        .hdr_len = (uint16_t)payload,
    };
    store_be16(f->data + l4 + 16,
               (uint16_t)~inet_fold(inet_sum(PROTO_TCP + len - l4, packet + ETH_HLEN + 8, 32)));
    send(opaque, f);
    return true;
}

void user_packet_out(const uint8_t *packet, uint32_t len,
                     void (*send)(void *opaque, struct frame *f), void *opaque)
{
    struct layout l;
    bool known = find_layout(packet, len, &l);
    uint32_t mss = known ? find_mss(packet, &l) : 0;

    if (len > ETH_HLEN + MTU && is_ipv4(packet, len) && !(known && l.proto == PROTO_TCP)) {
        out_fragments(packet, len, send, opaque);
        return;
    }
    if (len > ETH_HLEN + MTU && is_ipv6(packet, len)) {
        if (!out_segments6(packet, len, send, opaque))
            out_fragments6(packet, len, send, opaque);
        return;
    }
    struct frame *f = frame_from(packet, len);
    if (known) /* libslirp has just computed the checksum */
        f->offload.csum_valid = true;
    if (mss && load_be16(packet + mss) > MSS)
        replace16(f->data, mss, l.l4 + 16, MSS, l.l4);
    if (known && l.proto == PROTO_TCP && len - l.payload > MSS)
        request_segments(f, &l);
    frame_pad(f);
    send(opaque, f);
}
