/*
 * L2TPv3 links. A data message (RFC 3931, 4.1.1 over IP, 4.1.2 over UDP):
 *
 *     UDP only   T=0, flags, version 3, reserved        4 bytes: 00 03 00 00
 *     session ID, not 0                                 4
 *     cookie                                            0, 4 or 8
 *     counter                                           0 or 4
 *     offset                                            as agreed
 *     the frame, without FCS
 *
 * On IPv4, what a raw socket gives begins with the IP header.
 *
 * Simplifications: no control connection, as in QEMU; the counter is QEMU's, 32 bits from 1 on, in
 * place of the default sublayer's 24, and is not looked at when it comes in.
 */
#include "devices/uplinks/l2tpv3.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices/uplinks/address.h"
#include "devices/uplinks/datagrams.h"

#define IPPROTO_L2TPV3 115
#define IPV4_HEADER 20

struct l2tpv3 {
    struct datagrams base;
    struct sockaddr_any dst;
    struct l2tpv3_options o; /* without its strings; rxsession is said */
    uint64_t malformed, control, sessions, bad_cookies, strangers;
};

static size_t cookie_size(const struct l2tpv3 *k)
{
    return !k->o.cookies ? 0 : k->o.cookie64 ? 8 : 4;
}

static size_t header_size(const struct l2tpv3 *k)
{
    return (k->o.udp ? 4 : 0) + 4 + cookie_size(k) + (k->o.counter ? 4 : 0) + k->o.offset;
}

/* --- out --- */

static uint8_t *put_cookie(const struct l2tpv3 *k, uint8_t *p)
{
    if (k->o.cookies && k->o.cookie64) {
        store_be32(p, (uint32_t)(k->o.txcookie >> 32));
        p += 4;
    }
    if (k->o.cookies) {
        store_be32(p, (uint32_t)k->o.txcookie);
        p += 4;
    }
    return p;
}

static size_t l2tpv3_wrap(struct datagrams *d, uint8_t h[DATAGRAM_MAX_HEADER], uint64_t number)
{
    const struct l2tpv3 *k = container_of(d, struct l2tpv3, base);
    size_t len = header_size(k);
    uint8_t *p = h;

    memset(h, 0, len);
    if (k->o.udp) {
        store_be32(p, 0x30000);
        p += 4;
    }
    store_be32(p, k->o.txsession);
    p = put_cookie(k, p + 4);
    if (k->o.counter && !k->o.pincounter)
        store_be32(p, (uint32_t)(number + 1));
    return len;
}

/* --- in --- */

static bool from_dst(const struct l2tpv3 *k, const struct datagram *g)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&k->dst.to;
    const struct sockaddr_in *from = (const struct sockaddr_in *)g->from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&k->dst.to;
    const struct sockaddr_in6 *from6 = (const struct sockaddr_in6 *)g->from;

    if (!g->from_len || g->from->ss_family != k->dst.to.ss_family)
        return false;
    if (k->o.ipv6)
        return memcmp(&in6->sin6_addr, &from6->sin6_addr, sizeof(in6->sin6_addr)) == 0 &&
               (!k->o.udp || in6->sin6_port == from6->sin6_port);
    return in->sin_addr.s_addr == from->sin_addr.s_addr &&
           (!k->o.udp || in->sin_port == from->sin_port);
}

/* Where the L2TP header begins; -1: there is no room for it. */
static ssize_t header_at(const struct l2tpv3 *k, const struct datagram *g)
{
    size_t at = 0;

    if (!k->o.udp && !k->o.ipv6) {
        if (g->len < IPV4_HEADER)
            return -1;
        at = (g->bytes[0] & 15u) * 4;
        if (at < IPV4_HEADER)
            return -1;
    }
    return g->len < at + (k->o.udp ? 8 : 4) ? -1 : (ssize_t)at;
}

/* T is set over UDP; session 0 over IP (3.2.1, 4.1.1.2). */
static bool is_control(const struct l2tpv3 *k, const uint8_t *p)
{
    return k->o.udp ? p[0] & 0x80 : load_be32(p) == 0;
}

static bool cookie_good(const struct l2tpv3 *k, const uint8_t *p)
{
    uint64_t cookie = !k->o.cookies ? 0 : load_be32(p);

    if (k->o.cookies && k->o.cookie64)
        cookie = cookie << 32 | load_be32(p + 4);
    return !k->o.cookies || cookie == k->o.rxcookie;
}

static ssize_t l2tpv3_unwrap(struct datagrams *d, const struct datagram *g)
{
    struct l2tpv3 *k = container_of(d, struct l2tpv3, base);
    ssize_t at = header_at(k, g);
    const uint8_t *p = g->bytes + MAX(at, 0), *session = p + (k->o.udp ? 4 : 0);

    if (!from_dst(k, g))
        datagrams_refuse(d, &k->strangers, "a datagram that is not from dst is dropped");
    else if (at < 0)
        datagrams_refuse(d, &k->malformed, "a datagram of %zu bytes is too short", g->len);
    else if (is_control(k, p))
        datagrams_refuse(d, &k->control, "a control message is dropped: there are none here");
    else if (k->o.udp && (p[1] & 15) != 3)
        datagrams_refuse(d, &k->malformed, "its version is %d, not 3", p[1] & 15);
    else if (g->len < (size_t)at + header_size(k))
        datagrams_refuse(d, &k->malformed,
                         "a datagram of %zu bytes is shorter than its header of %zu", g->len,
                         (size_t)at + header_size(k));
    else if (load_be32(session) != k->o.rxsession)
        datagrams_refuse(d, &k->sessions, "its session is %u, not %u", load_be32(session),
                         k->o.rxsession);
    else if (!cookie_good(k, session + 4))
        datagrams_refuse(d, &k->bad_cookies, "its cookie is another than rxcookie");
    else
        return at + (ssize_t)header_size(k);
    return -1;
}

/* --- options --- */

static bool complain(const struct l2tpv3_options *o, struct err *err, bool wrong, const char *what)
{
    if (wrong)
        err_at(err, o->file, o->line, "%s", what);
    return !wrong;
}

bool l2tpv3_options_check(const struct l2tpv3_options *o, struct err *err)
{
    bool large = (o->txcookie | o->rxcookie) >> 32;
    bool ok = complain(o, err, !o->src || !o->dst, "it needs src and dst, this host and the other");

    ok &= complain(o, err, o->udp && (!o->srcport || !o->dstport),
                   "over UDP it needs srcport and dstport");
    ok &= complain(o, err, !o->udp && (o->srcport || o->dstport),
                   "srcport and dstport are UDP's: they need udp = true");
    ok &= complain(o, err, !o->txsession, "it needs txsession, the other end's session ID, not 0");
    ok &= complain(o, err, o->cookies && large && !o->cookie64,
                   "a cookie that is larger than 4 bytes needs cookie64 = true");
    ok &= complain(o, err, o->pincounter && !o->counter, "pincounter needs counter = true");
    ok &= complain(o, err, o->offset > L2TPV3_MAX_OFFSET, "offset is outside 0..1024");
    return ok;
}

/* --- opening --- */

static bool resolve(const struct l2tpv3_options *o, const char *host, unsigned port, bool passive,
                    struct sockaddr_any *out, struct err *err)
{
    struct address a = {
        .kind = ADDRESS_INET, .host = xstrdup(host), .port = (unsigned short)(o->udp ? port : 0)};
    struct address_list l;
    const char *problem = address_resolve(&a, SOCK_DGRAM, passive, &l);
    unsigned i = 0;

    while (!problem && i < l.n && l.items[i].to.ss_family != (o->ipv6 ? AF_INET6 : AF_INET))
        i++;
    if (!problem && i == l.n)
        problem = o->ipv6 ? "it has no IPv6 address"
                          : "it has no IPv4 address; ipv6 = true asks for others";
    if (problem)
        err_at(err, o->file, o->line, "\"%s\": %s", host, problem);
    else
        *out = l.items[i];
    address_finish(&a);
    return !problem;
}

static int socket_open(const struct l2tpv3_options *o, const struct sockaddr_any *src,
                       struct err *err)
{
    int type = (o->udp ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(o->ipv6 ? AF_INET6 : AF_INET, type, o->udp ? 0 : IPPROTO_L2TPV3);

    if (fd < 0 && errno == EPERM) {
        err_at(err, o->file, o->line,
               "L2TPv3 over IP needs the privilege to open raw sockets: run it as root, give the "
               "program CAP_NET_RAW, or use udp = true");
    } else if (fd < 0 || address_bind(fd, src) != 0) {
        char *text = address_format(src);
        err_at(err, o->file, o->line, "cannot bind %s: %s%s", text, strerror(errno),
               errno == EADDRINUSE ? "; another program has it" : "");
        free(text);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    return fd;
}

/* --- life --- */

static void l2tpv3_describe(const struct uplink *u, FILE *to)
{
    const struct l2tpv3 *k = container_of(u, struct l2tpv3, base.uplink);
    const struct {
        const char *what;
        uint64_t n;
    } counts[] = {{"other sessions", k->sessions},
                  {"wrong cookies", k->bad_cookies},
                  {"control messages", k->control},
                  {"malformed", k->malformed},
                  {"strangers' datagrams", k->strangers}};
    char *src = address_of_socket(k->base.fd), *dst = address_format(&k->dst);

    fprintf(to, "src=%s, dst=%s, txsession=%u, rxsession=%u", src, dst, k->o.txsession,
            k->o.rxsession);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i].n)
            fprintf(to, ", %s %llu", counts[i].what, (unsigned long long)counts[i].n);
    datagrams_describe(&k->base, to);
    free(src);
    free(dst);
}

static void l2tpv3_close(struct uplink *u)
{
    datagrams_shut(&container_of(u, struct l2tpv3, base.uplink)->base);
}

struct uplink *l2tpv3_create(struct sim *s, const char *name, const struct l2tpv3_options *o,
                             struct err *err)
{
    static const struct uplink_ops ops = {.kind = "l2tpv3",
                                          .send = datagrams_send,
                                          .room = datagrams_room,
                                          .woken = datagrams_woken,
                                          .describe = l2tpv3_describe,
                                          .close = l2tpv3_close};
    static const struct datagrams_ops datagrams = {.unwrap = l2tpv3_unwrap, .wrap = l2tpv3_wrap};
    struct sockaddr_any src, dst;

    if (!l2tpv3_options_check(o, err) || !resolve(o, o->src, o->srcport, true, &src, err) ||
        !resolve(o, o->dst, o->dstport, false, &dst, err))
        return NULL;
    int fd = socket_open(o, &src, err);
    if (fd < 0)
        return NULL;
    datagrams_buffer(fd);
    struct l2tpv3 *k = xcalloc(1, sizeof(*k));
    datagrams_init(&k->base, &ops, &datagrams, s, name, true);
    k->o = *o;
    k->o.src = k->o.dst = k->o.file = NULL;
    if (!k->o.rxsession)
        k->o.rxsession = o->txsession;
    k->dst = dst;
    k->base.to = dst.to;
    k->base.to_len = dst.len;
    k->base.max_frame = DATAGRAM_MAX_UDP - (uint32_t)header_size(k);
    if (!datagrams_open(&k->base, fd, fd)) {
        err_at(err, o->file, o->line, "the socket cannot be watched: %s", strerror(errno));
        uplink_destroy(&k->base.uplink);
        return NULL;
    }
    return &k->base.uplink;
}
