/*
 * TCP segments that come one by one are put together again, so that a guest receives many at once.
 *
 *     Ethernet | IPv4 or IPv6 | TCP | payload       each segment
 *     -----------------------------   -------
 *      equal, but for lengths, sums,   of the first one's length; the last may be shorter, and have
 *      numbers that count on, PSH      PSH
 *
 * A stack spends as much on a segment as on a frame of 64 KiB, so whoever sends large ones to us
 * cut up (a peer, a datagram, an interface without a virtio-net header) makes guests slow. What is
 * asked of a segment is what offload.c makes. A sum is looked at before it is left to be made anew:
 * a wrong one stays as it is. Simplifications: only neighbours are joined, so that no frame
 * overtakes another; no VLAN tags, no extension headers, no flag but ACK and PSH.
 */
#include "devices/uplinks/coalesce.h"

#include "sim/offload.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPPROTO_TCP 6
#define IP4_FRAGMENT 0x3fff /* more to come, or an offset */
#define IP4_MAX 0xffffu     /* its length field */
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_SUM 16 /* where it is in the header */

static const uint8_t *l3_of(const struct frame *f)
{
    return f->data + ETH_HLEN;
}

static bool is_v6(const struct frame *f)
{
    return load_be16(f->data + 2 * ETH_ALEN) == ETHERTYPE_IPV6;
}

/* Where TCP begins in an IP packet that fills the frame; 0: it is none. */
static uint16_t find_tcp(const struct frame *f)
{
    const uint8_t *ip = l3_of(f);
    uint32_t len = f->len - ETH_HLEN;

    if (len < 40)
        return 0;
    if (is_v6(f))
        return ip[0] >> 4 == 6 && ip[6] == IPPROTO_TCP && load_be16(ip + 4) == len - 40
                   ? ETH_HLEN + 40
                   : 0;
    if (load_be16(f->data + 2 * ETH_ALEN) != ETHERTYPE_IPV4 || ip[0] >> 4 != 4 ||
        (ip[0] & 15) < 5 || ip[9] != IPPROTO_TCP || load_be16(ip + 2) != len ||
        load_be16(ip + 6) & IP4_FRAGMENT)
        return 0;
    return (uint16_t)(ETH_HLEN + (ip[0] & 15) * 4);
}

/* A sum over bytes that hold their own; ones stand for zero, but nobody makes them. */
static bool sum_is_right(uint32_t sum, const uint8_t *field)
{
    return inet_fold(sum) == 0 && load_be16(field) != 0xffff;
}

static bool sums_are_right(const struct frame *f, uint16_t l4)
{
    const uint8_t *ip = l3_of(f), *tcp = f->data + l4;
    uint32_t len = f->len - l4;

    if (!is_v6(f) && !sum_is_right(inet_sum(0, ip, l4 - ETH_HLEN), ip + 10))
        return false;
    return sum_is_right(inet_sum(inet_pseudo_sum(ip, is_v6(f), IPPROTO_TCP, len), tcp, len),
                        tcp + TCP_SUM);
}

/* A whole segment with data that could be one of a run; where its headers end. */
static bool find_segment(const struct frame *f, uint16_t *l4, uint16_t *hdr_len)
{
    if (!frame_is_finished(f) || f->len < ETH_HLEN)
        return false;
    *l4 = find_tcp(f);
    if (!*l4 || *l4 + 20u > f->len)
        return false;
    const uint8_t *tcp = f->data + *l4;
    *hdr_len = (uint16_t)(*l4 + (tcp[12] >> 4) * 4);
    return *hdr_len >= *l4 + 20 && *hdr_len < f->len && (tcp[13] & ~TCP_PSH) == TCP_ACK &&
           sums_are_right(f, *l4);
}

static bool same(const uint8_t *a, const uint8_t *b, unsigned from, unsigned to)
{
    return memcmp(a + from, b + from, to - from) == 0;
}

/* Its IP header is the one of the segment `number` after a. */
static bool ip_goes_on(const struct frame *a, const struct frame *f, uint16_t l4, unsigned number)
{
    const uint8_t *x = l3_of(a), *y = l3_of(f);

    if (is_v6(a))
        return same(x, y, 0, 4) && same(x, y, 6, 40);
    return same(x, y, 0, 2) && same(x, y, 6, 10) && same(x, y, 12, l4 - ETH_HLEN) &&
           load_be16(y + 4) == (uint16_t)(load_be16(x + 4) + number);
}

/* So is its TCP header, with that many bytes between them. */
static bool tcp_goes_on(const uint8_t *x, const uint8_t *y, unsigned len, uint32_t bytes)
{
    return same(x, y, 0, 4) && load_be32(y + 4) == load_be32(x + 4) + bytes && same(x, y, 8, 13) &&
           same(x, y, 14, 16) && same(x, y, 18, len);
}

/* Nothing can follow a shorter one, nor a push. */
static bool run_is_open(const struct coalesce *c)
{
    const struct frame *last = c->run[c->n - 1];

    return c->n < COALESCE_MOST && last->len == c->run[0]->len &&
           !(last->data[c->l4 + 13] & TCP_PSH);
}

static bool goes_on(const struct coalesce *c, const struct frame *f, uint16_t l4, uint16_t hdr_len)
{
    const struct frame *first = c->run[0];
    uint32_t bytes = c->len - c->hdr_len;

    return run_is_open(c) && l4 == c->l4 && hdr_len == c->hdr_len && f->len <= first->len &&
           c->len + (f->len - hdr_len) <= ETH_HLEN + IP4_MAX &&
           same(first->data, f->data, 0, ETH_HLEN) && ip_goes_on(first, f, l4, c->n) &&
           tcp_goes_on(first->data + l4, f->data + l4, (unsigned)(hdr_len - l4), bytes);
}

/* Headers as a NIC would leave them: the frame's lengths, and the pseudo-header's sum (virtio 1.2,
   5.1.6.2). */
static void finish_headers(const struct coalesce *c, struct frame *f)
{
    uint8_t *ip = f->data + ETH_HLEN, *tcp = f->data + c->l4;
    bool v6 = is_v6(f);
    uint32_t sum;

    tcp[13] = c->run[c->n - 1]->data[c->l4 + 13];
    if (v6) {
        store_be16(ip + 4, (uint16_t)(f->len - ETH_HLEN - 40));
    } else {
        store_be16(ip + 2, (uint16_t)(f->len - ETH_HLEN));
        store_be16(ip + 10, 0);
        store_be16(ip + 10, inet_fold(inet_sum(0, ip, c->l4 - ETH_HLEN)));
    }
    sum = inet_pseudo_sum(ip, v6, IPPROTO_TCP, f->len - c->l4);
    store_be16(tcp + TCP_SUM, (uint16_t)~inet_fold(sum));
    f->offload = (struct frame_offload){
        .needs_csum = true,
        .csum_start = c->l4,
        .csum_offset = TCP_SUM,
        .gso = v6 ? FRAME_GSO_TCPV6 : FRAME_GSO_TCPV4,
        .gso_size = (uint16_t)(c->run[0]->len - c->hdr_len),
        .hdr_len = c->hdr_len,
    };
}

/* The run as one frame. */
static struct frame *join(const struct coalesce *c)
{
    struct frame *f = frame_new(c->len);

    memcpy(f->data, c->run[0]->data, c->hdr_len);
    f->len = c->hdr_len;
    for (unsigned i = 0; i < c->n; i++) {
        uint32_t len = c->run[i]->len - c->hdr_len;
        memcpy(f->data + f->len, c->run[i]->data + c->hdr_len, len);
        f->len += len;
    }
    finish_headers(c, f);
    return f;
}

void coalesce_flush(struct coalesce *c)
{
    if (c->n == 1) {
        c->emit(c->opaque, c->run[0]);
    } else if (c->n) {
        c->emit(c->opaque, join(c));
        for (unsigned i = 0; i < c->n; i++)
            frame_unref(c->run[i]);
    }
    c->n = 0;
}

void coalesce_add(struct coalesce *c, struct frame *f)
{
    uint16_t l4, hdr_len;

    if (!find_segment(f, &l4, &hdr_len)) {
        coalesce_flush(c);
        c->emit(c->opaque, f);
        return;
    }
    if (c->n && !goes_on(c, f, l4, hdr_len))
        coalesce_flush(c);
    if (!c->n) {
        f->offload.csum_valid = true; /* its receiver need not look again */
        c->l4 = l4;
        c->hdr_len = hdr_len;
        c->len = hdr_len;
    }
    c->run[c->n++] = f;
    c->len += f->len - hdr_len;
}
