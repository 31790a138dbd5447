/*
 * The e1000e reads headers, and chooses a queue by their hash: receive-side scaling
 * (317694, chapter 7).
 *
 * The hash is Toeplitz's over addresses, and ports of TCP; the low seven bits pick an entry of the
 * redirection table, whose highest bit is the queue. Simplification: of IPv6's extension headers
 * only the length matters; no address is taken from them.
 */
#include "devices/e1000e_internal.h"

#define MRQC_RSS 1u
enum {
    FIELD_TCP_V4 = 1 << 16,
    FIELD_V4 = 1 << 17,
    FIELD_TCP_V6 = 1 << 18 | 1 << 21, /* with, and without extensions */
    FIELD_V6_EX = 1 << 19,
    FIELD_V6 = 1 << 20,
};
enum { TYPE_TCP_V4 = 1, TYPE_V4, TYPE_TCP_V6, TYPE_V6_EX, TYPE_V6 };

enum { PROTOCOL_HOP = 0, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ROUTE = 43 };
enum { PROTOCOL_FRAGMENT = 44, PROTOCOL_OPTIONS = 60 };
#define EXTENSIONS_MOST 8

/* --- headers --- */

/* TCP or UDP at `at`, if they are whole. */
static void l4_find(const struct e1000_received *r, uint32_t at, uint8_t protocol,
                    struct e1000e_headers *h)
{
    uint32_t len = 8;

    if (protocol == PROTOCOL_TCP && at + 20 <= r->len)
        len = (r->data[at + 12] >> 4) * 4u;
    else if (protocol != PROTOCOL_UDP)
        return;
    if (at + len > r->len || (protocol == PROTOCOL_TCP && len < 20))
        return;
    h->tcp = protocol == PROTOCOL_TCP;
    h->udp = !h->tcp;
    h->l4 = at;
    h->end = at + len;
}

static void v4_find(const struct e1000_received *r, uint32_t at, struct e1000e_headers *h)
{
    const uint8_t *ip = r->data + at;
    uint32_t len;

    if (at + 20 > r->len || ip[0] >> 4 != 4)
        return;
    len = (ip[0] & 15u) * 4;
    if (len < 20 || at + len > r->len)
        return;
    h->l3 = at;
    h->end = at + len;
    if (!(load_be16(ip + 6) & 0x3fff)) /* a fragment has no ports to look at */
        l4_find(r, at + len, ip[9], h);
    else if ((load_be16(ip + 6) & 0x3fff) == 0x2000 && ip[9] == PROTOCOL_UDP &&
             at + len + 8 <= r->len)
        h->udp_fragment = load_be16(r->data + at + len + 6) != 0;
}

static bool is_extension(uint8_t next)
{
    return next == PROTOCOL_HOP || next == PROTOCOL_ROUTE || next == PROTOCOL_OPTIONS;
}

static void v6_find(const struct e1000_received *r, uint32_t at, struct e1000e_headers *h)
{
    uint32_t end = at + 40;
    uint8_t next;

    if (end > r->len || r->data[at] >> 4 != 6)
        return;
    h->v6 = true;
    h->l3 = at;
    h->end = end;
    next = r->data[at + 6];
    for (unsigned i = 0; i < EXTENSIONS_MOST && is_extension(next); i++) {
        if (end + 8 > r->len || end + (r->data[end + 1] + 1u) * 8 > r->len)
            return;
        next = r->data[end];
        end += (r->data[end + 1] + 1u) * 8;
        h->end = end;
    }
    l4_find(r, end, next, h);
}

void e1000e_headers_find(const struct e1000 *d, const struct e1000_received *r,
                         struct e1000e_headers *h)
{
    uint32_t at = 12;
    uint16_t type;

    *h = (struct e1000e_headers){0};
    if (r->len < ETH_HLEN + 4)
        return;
    if (load_be16(r->data + at) == (d->regs[E1000_VET] & 0xffff))
        at += 4;
    type = load_be16(r->data + at);
    if (type == 0x0800)
        v4_find(r, at + 2, h);
    else if (type == 0x86dd)
        v6_find(r, at + 2, h);
}

/* --- the hash --- */

/* Each bit of the input that is set adds (without carry) the 32 bits of the key that begin there.
 */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *in, uint32_t len)
{
    uint32_t window = load_be32(key), hash = 0;

    for (uint32_t i = 0; i < len; i++)
        for (int bit = 7; bit >= 0; bit--) {
            if (in[i] >> bit & 1)
                hash ^= window;
            window = window << 1 | (key[i + 4] >> bit & 1);
        }
    return hash;
}

/* Which of the hashes that MRQC allows is this packet's; 0: none. */
static uint8_t hash_type(uint32_t mrqc, const struct e1000e_headers *h)
{
    if (!h->l3 || (mrqc & 3) != MRQC_RSS)
        return 0;
    if (!h->v6)
        return h->tcp && (mrqc & FIELD_TCP_V4) ? TYPE_TCP_V4 : mrqc & FIELD_V4 ? TYPE_V4 : 0;
    if (h->tcp && (mrqc & FIELD_TCP_V6))
        return TYPE_TCP_V6;
    return mrqc & FIELD_V6_EX ? TYPE_V6_EX : mrqc & FIELD_V6 ? TYPE_V6 : 0;
}

void e1000e_rss(struct e1000e *e, const struct e1000_received *r, const struct e1000e_headers *h,
                struct e1000e_rss *rss)
{
    uint8_t key[E1000E_RSSRK * 4], in[36];
    uint32_t addresses = h->v6 ? 32 : 8, len = addresses, entry;

    *rss = (struct e1000e_rss){.type = hash_type(e->e1000.regs[E1000E_MRQC], h)};
    if (!rss->type)
        return;
    for (unsigned i = 0; i < E1000E_RSSRK; i++)
        store_le32(key + 4 * i, e->rssrk[i]);
    memcpy(in, r->data + h->l3 + (h->v6 ? 8 : 12), addresses);
    if (rss->type == TYPE_TCP_V4 || rss->type == TYPE_TCP_V6) {
        memcpy(in + addresses, r->data + h->l4, 4);
        len += 4;
    }
    rss->hash = toeplitz(key, in, len);
    entry = rss->hash & (E1000E_RETA * 4 - 1);
    rss->queue = e->reta[entry / 4] >> (8 * (entry & 3) + 7) & 1;
}
