/*
 * IPv4 reassembly (RFC 791, 3.2). Of each packet a map says which units of 8 bytes are there. A
 * fragment that says something else about what is there already makes the packet suspect, and it
 * goes as a whole (as RFC 5722 has it for IPv6); one that repeats the same is ignored.
 */
#include "devices/uplinks/user_reassembly.h"

#include "sim/offload.h"

#define MAX_DATA 65515u /* the longest packet, less the shortest header */
#define MAX_HEADER (ETH_HLEN + 60)
#define LIFETIME (30 * NS_PER_SEC)
#define MORE 0x2000
#define OFFSET 0x1fff

struct user_partial {
    uint32_t src, dst;
    uint16_t id;
    uint8_t proto;
    vtime_t since;
    uint32_t header_len; /* Ethernet's and IP's, of the first fragment; 0: not there yet */
    uint32_t total;      /* bytes of data; 0: the last fragment is not there yet */
    uint32_t n_units;    /* that are there */
    uint8_t header[MAX_HEADER];
    uint8_t map[(MAX_DATA + 7) / 8 / 8 + 1];
    uint8_t data[MAX_DATA + 7];
};

/* One fragment, its lengths checked. */
struct piece {
    const uint8_t *ip, *data;
    uint32_t header_len, at, len; /* header_len: Ethernet's too */
    bool more;
};

bool user_is_fragment(const struct frame *f)
{
    return f->len >= ETH_HLEN + 20 && load_be16(f->data + 12) == 0x0800 &&
           f->data[ETH_HLEN] >> 4 == 4 && (load_be16(f->data + ETH_HLEN + 6) & (MORE | OFFSET));
}

static bool piece_find(const struct frame *f, struct piece *p)
{
    const uint8_t *ip = f->data + ETH_HLEN;
    uint32_t ip_header = (ip[0] & 15u) * 4, ip_len = load_be16(ip + 2);

    if (ip_header < 20 || ip_len <= ip_header || ETH_HLEN + ip_len > f->len ||
        inet_fold(inet_sum(0, ip, ip_header)) != 0)
        return false;
    *p = (struct piece){
        .ip = ip,
        .data = ip + ip_header,
        .header_len = ETH_HLEN + ip_header,
        .at = (load_be16(ip + 6) & OFFSET) * 8u,
        .len = ip_len - ip_header,
        .more = load_be16(ip + 6) & MORE,
    };
    return (!p->more || p->len % 8 == 0) && p->at + p->len <= 65535 - ip_header;
}

static bool is_of(const struct user_partial *q, const struct piece *p)
{
    return q->src == load_be32(p->ip + 12) && q->dst == load_be32(p->ip + 16) &&
           q->id == load_be16(p->ip + 4) && q->proto == p->ip[9];
}

static void drop(struct user_partial **slot)
{
    free(*slot);
    *slot = NULL;
}

/* The packet's slot; a new one, in the oldest's place if there is no other. */
static struct user_partial **slot_of(struct user_reassembly *r, const struct piece *p, vtime_t now)
{
    struct user_partial **best = &r->partials[0];

    for (unsigned i = 0; i < USER_PARTIALS; i++) {
        struct user_partial **slot = &r->partials[i];
        if (*slot && now - (*slot)->since > LIFETIME)
            drop(slot);
        if (*slot && is_of(*slot, p))
            return slot;
        if (*best && (!*slot || (*slot)->since < (*best)->since))
            best = slot;
    }
    drop(best);
    struct user_partial *q = *best = xcalloc(1, sizeof(*q));
    q->src = load_be32(p->ip + 12);
    q->dst = load_be32(p->ip + 16);
    q->id = load_be16(p->ip + 4);
    q->proto = p->ip[9];
    q->since = now;
    return best;
}

/* How many of its units are there already. */
static uint32_t units_there(const struct user_partial *q, const struct piece *p)
{
    uint32_t n = 0;

    for (uint32_t unit = p->at / 8; unit < (p->at + p->len + 7) / 8; unit++)
        n += q->map[unit / 8] >> unit % 8 & 1;
    return n;
}

static bool piece_put(struct user_partial *q, const struct piece *p)
{
    uint32_t units = (p->len + 7) / 8, there = units_there(q, p);

    if (there)
        return there == units && memcmp(q->data + p->at, p->data, p->len) == 0;
    if (!p->more && q->total)
        return false;
    if (!p->more)
        q->total = p->at + p->len;
    memcpy(q->data + p->at, p->data, p->len);
    for (uint32_t unit = p->at / 8; unit < p->at / 8 + units; unit++)
        q->map[unit / 8] |= (uint8_t)(1 << unit % 8);
    q->n_units += units;
    if (p->at == 0) {
        q->header_len = p->header_len;
        memcpy(q->header, p->ip - ETH_HLEN, p->header_len);
    }
    return true;
}

/* Data behind the last fragment's end would be there too. */
static bool is_overlong(const struct user_partial *q)
{
    return q->total && q->n_units > (q->total + 7) / 8;
}

static bool is_whole(const struct user_partial *q)
{
    for (uint32_t unit = 0; unit < (q->total + 7) / 8; unit++)
        if (!(q->map[unit / 8] >> unit % 8 & 1))
            return false;
    return q->total && q->header_len;
}

static struct frame *whole_packet(const struct user_partial *q)
{
    struct frame *f = frame_new(MAX(q->header_len + q->total, (uint32_t)FRAME_MIN_WIRE));
    uint8_t *ip = f->data + ETH_HLEN;

    memcpy(f->data, q->header, q->header_len);
    memcpy(f->data + q->header_len, q->data, q->total);
    f->len = q->header_len + q->total;
    store_be16(ip + 2, (uint16_t)(f->len - ETH_HLEN));
    store_be16(ip + 6, 0);
    store_be16(ip + 10, 0);
    store_be16(ip + 10, inet_fold(inet_sum(0, ip, q->header_len - ETH_HLEN)));
    return f;
}

struct frame *user_reassemble(struct user_reassembly *r, const struct frame *f, vtime_t now,
                              bool *good)
{
    struct piece p;
    struct frame *whole = NULL;

    *good = piece_find(f, &p);
    if (!*good)
        return NULL;
    struct user_partial **slot = slot_of(r, &p, now);
    *good = piece_put(*slot, &p) && !is_overlong(*slot);
    if (*good && is_whole(*slot) && (*slot)->header_len + (*slot)->total <= ETH_HLEN + 65535u)
        whole = whole_packet(*slot);
    if (!*good || whole)
        drop(slot);
    return whole;
}

void user_reassembly_finish(struct user_reassembly *r)
{
    for (unsigned i = 0; i < USER_PARTIALS; i++)
        drop(&r->partials[i]);
}
