/*
 * What libslirp 4.7 does not stand, or does without end:
 *
 *     fragments              it keeps any number of them; they are put together here
 *     DHCP, no lease left    it loses a buffer per request
 *     packets that wait for  it keeps each for a second: a guest that sends from addresses
 *     a guest's address      where nobody answers makes it keep any number
 *     sockets                as many as a guest opens
 *     TFTP of a folder       it reads a buffer that it has freed; of a FIFO, it waits for ever
 *     IPv6 with a tail       bytes behind the packet's end become data of the stream
 *     restrict and IPv6      compares a part of the address with guestfwd's
 *     ICMPv6 echo beyond     it complains on standard error each time
 *     NC-SI                  a protocol of other hardware, which nobody here speaks
 *     groups, broadcasts     it sends them on to the host's network, as no router does
 *
 * And what a run would show of the host: whether that knows a DNS server by IPv6 is in its router
 * advertisements. Here the topology decides: it is told if the option says where, or if IPv6 is
 * all there is.
 */
#include "devices/uplinks/user_guard.h"

#include <stdio.h>
#include <sys/stat.h>

#include "devices/device.h"
#include "devices/uplinks/user_options.h"
#include "sim/offload.h"

enum { TCP = 6, UDP = 17, ICMP = 1, ICMPV6 = 58 };
enum { PORT_BOOTPS = 67, PORT_TFTP = 69, PORT_DHCPV6 = 547 };
enum { SYN = 2, ACK = 16 };
enum { ECHO_REQUEST = 8, ECHO6_REQUEST = 128, ADVERTISEMENT = 134, SOLICITATION = 135, NEIGHBOUR };

#define MAX_UNANSWERED 64 /* buffers that may be lost */
#define IPV6_HLEN 40

/* A packet whose headers, IP's and the first eight bytes of what it carries, are there. */
struct view {
    const uint8_t *p, *ip, *l4;
    uint32_t len, l4_len; /* l4_len: with all that follows, by IP's own length */
    uint8_t proto;
    bool v6;
};

static bool view_ipv4(struct view *v)
{
    uint32_t header = (v->ip[0] & 15u) * 4, total;

    if (v->len < ETH_HLEN + 20 || v->ip[0] >> 4 != 4)
        return false;
    total = load_be16(v->ip + 2);
    if (header < 20 || total < header + 8 || ETH_HLEN + total > v->len)
        return false;
    v->proto = v->ip[9];
    v->l4 = v->ip + header;
    v->l4_len = total - header;
    return true;
}

static bool view_ipv6(struct view *v)
{
    uint32_t payload;

    if (v->len < ETH_HLEN + IPV6_HLEN || v->ip[0] >> 4 != 6)
        return false;
    payload = load_be16(v->ip + 4);
    if (payload < 8 || ETH_HLEN + IPV6_HLEN + payload > v->len)
        return false;
    v->proto = v->ip[6];
    v->l4 = v->ip + IPV6_HLEN;
    v->l4_len = payload;
    v->v6 = true;
    return true;
}

static bool view_find(struct view *v, const uint8_t *p, uint32_t len)
{
    *v = (struct view){.p = p, .ip = p + ETH_HLEN, .len = len};
    if (len < ETH_HLEN + 20)
        return false;
    if (load_be16(p + 12) == 0x0800)
        return view_ipv4(v);
    return load_be16(p + 12) == 0x86dd && view_ipv6(v);
}

static bool is_link_local_router(const uint8_t a[16])
{
    static const uint8_t router[16] = {0xfe, 0x80, [15] = 2};

    return memcmp(a, router, 16) == 0;
}

/* To one of the stack's own addresses, which answer themselves. */
static bool is_to_stack(const struct user_guard *g, const struct view *v)
{
    const uint8_t *to = v->ip + (v->v6 ? 24 : 16);

    if (v->v6)
        return memcmp(to, &g->host6, 16) == 0 || memcmp(to, &g->dns6, 16) == 0 ||
               is_link_local_router(to);
    return memcmp(to, &g->host, 4) == 0 || memcmp(to, &g->dns, 4) == 0;
}

/* --- what is not let in --- */

/*
 * For a group, for everybody, or for a reserved address (RFC 1112, 4; RFC 919, 7), and for none of
 * the stack's servers: what hosts tell each other stays on the VLAN.
 */
static bool is_for_others(const struct user_guard *g, const struct view *v)
{
    const uint8_t *to = v->ip + (v->v6 ? 24 : 16);
    bool udp = v->proto == UDP;

    if (v->v6)
        return to[0] == 0xff && v->proto != ICMPV6 && !(udp && load_be16(v->l4 + 2) == PORT_DHCPV6);
    if (load_be32(to) == INADDR_BROADCAST && udp && load_be16(v->l4 + 2) == PORT_BOOTPS)
        return false;
    return to[0] >= 224 || memcmp(to, &g->broadcast, 4) == 0;
}

static bool opens_tcp(const struct view *v)
{
    return v->proto == TCP && v->l4_len >= 20 && (v->l4[13] & (SYN | ACK)) == SYN;
}

static bool is_external_echo(const struct user_guard *g, const struct view *v)
{
    return v->proto == (v->v6 ? ICMPV6 : ICMP) &&
           v->l4[0] == (v->v6 ? ECHO6_REQUEST : ECHO_REQUEST) && !is_to_stack(g, v);
}

/* Whether it could need a socket that is not there yet. */
static bool wants_socket(const struct user_guard *g, const struct view *v)
{
    uint16_t to = load_be16(v->l4 + 2);

    if (v->proto == UDP)
        return to != PORT_BOOTPS && to != PORT_TFTP && to != PORT_DHCPV6;
    return opens_tcp(v) || is_external_echo(g, v);
}

/* Option 53's value; 0: it has none, which is an old BOOTP client; -1: no DHCP packet at all. */
static int dhcp_type(const struct view *v)
{
    static const uint8_t cookie[] = {99, 130, 83, 99};
    const uint8_t *b = v->l4 + 8, *end = v->l4 + v->l4_len, *o = b + 240;

    if (v->v6 || v->proto != UDP || load_be16(v->l4 + 2) != PORT_BOOTPS || end - b < 236 ||
        b[0] != 1)
        return -1;
    if (end < o || memcmp(b + 236, cookie, 4) != 0)
        return 0;
    while (o + 2 < end && *o != 255) {
        if (*o == 53)
            return o[2];
        o += *o ? 2 + o[1] : 1;
    }
    return 0;
}

/* Discover, request: what would be answered if there were a lease. */
static bool asks_for_lease(const struct view *v)
{
    int type = dhcp_type(v);

    return type == 0 || type == 1 || type == 3;
}

static bool is_client(const struct user_guard *g, const uint8_t mac[ETH_ALEN])
{
    for (unsigned i = 0; i < g->n_clients; i++)
        if (memcmp(g->clients[i], mac, ETH_ALEN) == 0)
            return true;
    return false;
}

/* Where a packet's answer would wait is full. */
static bool too_many_wait(const struct user_guard *g, vtime_t now)
{
    vtime_t oldest = g->asked[g->next_asked];

    return oldest && now - oldest < NS_PER_SEC;
}

static bool is_refused(struct user_guard *g, const struct view *v, vtime_t now, bool crowded)
{
    if (too_many_wait(g, now) || (crowded && wants_socket(g, v)))
        return true;
    if (v->v6 && (is_external_echo(g, v) || (g->restricted && opens_tcp(v))))
        return true;
    if (!asks_for_lease(v))
        return false;
    g->awaits_answer = g->n_unanswered < MAX_UNANSWERED;
    return !g->awaits_answer && !is_client(g, v->l4 + 8 + 28);
}

/* --- TFTP --- */

/* The name that a read request asks for; NULL: it is none, or libslirp will see that it is bad. */
static const char *tftp_name(const struct view *v)
{
    const uint8_t *name = v->l4 + 10;
    size_t room = v->l4_len > 10 ? v->l4_len - 10 : 0;

    if (v->proto != UDP || load_be16(v->l4 + 2) != PORT_TFTP || !room ||
        load_be16(v->l4 + 8) != 1 || !memchr(name, '\0', room))
        return NULL;
    return (const char *)name;
}

static bool is_file(const char *folder, const char *name)
{
    struct stat st;
    char *path = xasprintf("%s/%s", folder, name);
    bool there = stat(path, &st) == 0;

    free(path);
    return !there || S_ISREG(st.st_mode);
}

/* The same request for a file without a name, which is refused as it should be. */
static struct frame *without_name(const struct frame *f, const struct view *v)
{
    struct frame *other = frame_from(f->data, f->len);
    uint8_t *l4 = other->data + (v->l4 - v->p);
    uint32_t sum = UDP + v->l4_len;

    l4[10] = '\0';
    store_be16(l4 + 6, 0);
    if (v->v6) {
        sum = inet_sum(inet_sum(sum, v->ip + 8, 32), l4, v->l4_len);
        store_be16(l4 + 6, inet_fold(sum));
    }
    return other;
}

/* --- in --- */

static struct frame *refuse(struct user_guard *g)
{
    g->dropped++;
    device_warnings++;
    return NULL;
}

static struct frame *reassemble(struct user_guard *g, const struct frame *f, vtime_t now)
{
    bool good;
    struct frame *whole = user_reassemble(&g->reassembly, f, now, &good);

    return good ? whole : refuse(g);
}

/* Without what lies behind an IPv6 packet's end. */
static struct frame *trimmed(struct frame *f, const struct view *v)
{
    uint32_t len = ETH_HLEN + IPV6_HLEN + v->l4_len;

    return v->v6 && f->len > len ? frame_from(f->data, len) : frame_ref(f);
}

static struct frame *look_at(struct user_guard *g, struct frame *f, vtime_t now, bool crowded)
{
    struct view v;
    uint16_t type = f->len >= ETH_HLEN ? load_be16(f->data + 12) : 0;

    if (type == 0x0806)
        return frame_ref(f);
    if (type != 0x0800 && type != 0x86dd)
        return NULL;
    if (!view_find(&v, f->data, f->len))
        return refuse(g);
    if (is_for_others(g, &v))
        return NULL;
    if (is_refused(g, &v, now, crowded))
        return refuse(g);
    const char *name = g->tftp ? tftp_name(&v) : NULL;
    if (name && !is_file(g->tftp, name))
        return without_name(f, &v);
    return trimmed(f, &v);
}

struct frame *user_guard_in(struct user_guard *g, struct frame *f, vtime_t now, bool crowded)
{
    struct frame *whole, *passed;

    g->awaits_answer = false;
    if (!user_is_fragment(f))
        return look_at(g, f, now, crowded);
    whole = reassemble(g, f, now);
    if (!whole)
        return NULL;
    passed = look_at(g, whole, now, crowded);
    frame_unref(whole);
    return passed;
}

bool user_guard_passed(struct user_guard *g, const struct frame *f)
{
    struct view v;

    g->n_unanswered += g->awaits_answer;
    if (load_be16(f->data + 12) == 0x0806)
        return true;
    return view_find(&v, f->data, f->len) && v.v6 && v.proto == ICMPV6 && v.l4[0] >= SOLICITATION &&
           v.l4[0] <= NEIGHBOUR;
}

/* --- out --- */

static bool is_question(const uint8_t *p, uint32_t len, const struct view *v, bool known)
{
    if (len >= 42 && load_be16(p + 12) == 0x0806)
        return load_be16(p + 20) == 1;
    return known && v->v6 && v->proto == ICMPV6 && v->l4[0] == SOLICITATION;
}

static void note_answer(struct user_guard *g, const struct view *v)
{
    const uint8_t *b = v->l4 + 8;
    int type;

    if (v->v6 || v->proto != UDP || load_be16(v->l4) != PORT_BOOTPS || v->l4_len < 8 + 243)
        return;
    g->awaits_answer = false;
    type = b[242]; /* libslirp's first option is the type */
    if ((type == 2 || type == 5) && !is_client(g, b + 28) && g->n_clients < GUARD_CLIENTS)
        memcpy(g->clients[g->n_clients++], b + 28, ETH_ALEN);
}

/* The DNS option of a router advertisement (RFC 8106, 5.1), the last that libslirp writes; or its
 * end. */
static uint32_t dns_option(const struct view *v)
{
    uint32_t at = 16;

    while (at + 8 <= v->l4_len && v->l4[at] != 25 && v->l4[at + 1])
        at += v->l4[at + 1] * 8u;
    return at;
}

static struct frame *advertisement(const struct user_guard *g, const struct view *v)
{
    static const uint8_t head[8] = {25, 3, 0, 0, 0, 0, 0x12, 0xc0}; /* for 4,800 s */
    uint32_t l4_len = dns_option(v), l4 = (uint32_t)(v->l4 - v->p);
    struct frame *f = frame_new(l4 + l4_len + 24 + FRAME_MIN_WIRE);
    uint8_t *p = f->data;

    memcpy(p, v->p, l4 + MIN(l4_len, v->l4_len));
    if (g->tells_dns6) {
        memcpy(p + l4 + l4_len, head, sizeof(head));
        memcpy(p + l4 + l4_len + 8, &g->dns6, 16);
        l4_len += 24;
    }
    store_be16(p + ETH_HLEN + 4, (uint16_t)l4_len);
    store_be16(p + l4 + 2, 0);
    store_be16(p + l4 + 2, inet_fold(inet_sum(inet_sum(ICMPV6 + l4_len, p + ETH_HLEN + 8, 32),
                                              p + l4, l4_len)));
    f->len = l4 + l4_len;
    return f;
}

struct frame *user_guard_out(struct user_guard *g, const uint8_t *p, uint32_t len, vtime_t now)
{
    struct view v;
    bool known = view_find(&v, p, len);

    if (is_question(p, len, &v, known)) {
        g->asked[g->next_asked] = MAX(now, 1);
        g->next_asked = (g->next_asked + 1) % GUARD_QUESTIONS;
    }
    if (!known)
        return NULL;
    note_answer(g, &v);
    return v.v6 && v.proto == ICMPV6 && v.l4[0] == ADVERTISEMENT && v.l4_len >= 16
               ? advertisement(g, &v)
               : NULL;
}

/* --- life --- */

void user_guard_init(struct user_guard *g, const struct user_options *o, const struct user_plan *p)
{
    *g = (struct user_guard){
        .host = p->host,
        .dns = p->dns,
        .broadcast.s_addr = p->net.s_addr | ~p->mask.s_addr,
        .host6 = p->host6,
        .dns6 = p->dns6,
        .tftp = o->tftp ? xstrdup(o->tftp) : NULL,
        .restricted = o->restrict_host,
        .tells_dns6 = o->ipv6_dns || o->ipv4_off,
    };
}

void user_guard_finish(struct user_guard *g)
{
    user_reassembly_finish(&g->reassembly);
    free(g->tftp);
}
