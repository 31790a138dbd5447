/* The client: answers ARP, notes what it sees, and speaks TCP without losing or reordering
 * anything. */
#include "tests/uplinks/user_rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "sim/offload.h"

struct rig user_rig;
struct talker *user_client;
struct uplink *user_stack;
struct user_seen user_seen;
struct user_tcp user_tcp;
static struct vlan *vlan;

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* --- building packets --- */

static void ethernet(uint8_t *p, uint16_t type)
{
    memset(p, 0xff, 6);
    memcpy(p + 6, (uint8_t[]){2, 0, 0, 0, 0, user_client->number}, 6);
    store_be16(p + 12, type);
}

static struct frame *ip_packet(uint32_t src, uint32_t dst, uint8_t proto, uint16_t id,
                               uint16_t fragment, const void *payload, uint32_t len)
{
    struct frame *f = frame_new(34 + len + 60);
    uint8_t *p = f->data;

    memset(p, 0, f->cap);
    ethernet(p, 0x0800);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(20 + len));
    store_be16(p + 18, id);
    store_be16(p + 20, fragment);
    p[22] = 64;
    p[23] = proto;
    store_be32(p + 26, src);
    store_be32(p + 30, dst);
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    memcpy(p + 34, payload, len);
    f->len = 34 + len;
    frame_pad(f);
    return f;
}

/* From on_rx, or with the run standing: something due, so that it is collected. */
static void give(struct frame *f)
{
    port_send(&user_client->port, f);
}

void user_send_frame(struct frame *f)
{
    user_client->actor.now = user_rig.sim.now;
    give(f);
    rig_send_at(user_client, user_rig.sim.now, 0x77, 60, 0);
    user_pass(NS_PER_MS);
}

void user_send_ip(uint32_t src, uint32_t dst, uint8_t proto, uint16_t id, uint16_t fragment,
                  const void *payload, uint32_t len)
{
    user_send_frame(ip_packet(src, dst, proto, id, fragment, payload, len));
}

void user_send_udp(uint32_t src, uint32_t dst, uint16_t from, uint16_t to, const void *payload,
                   uint32_t len)
{
    uint8_t b[2048] = {0};

    store_be16(b, from);
    store_be16(b + 2, to);
    store_be16(b + 4, (uint16_t)(8 + len));
    memcpy(b + 8, payload, len);
    user_send_ip(src, dst, 17, 1, 0, b, 8 + len);
}

void user_send_ipv6(const char *src, const char *dst, uint8_t next, uint32_t sum,
                    const void *payload, uint32_t len)
{
    struct frame *f = frame_new(54 + len + 60);
    uint8_t *p = f->data;

    memset(p, 0, f->cap);
    ethernet(p, 0x86dd);
    p[14] = 0x60;
    store_be16(p + 18, (uint16_t)len);
    p[20] = next;
    p[21] = 255;
    inet_pton(AF_INET6, src, p + 22);
    inet_pton(AF_INET6, dst, p + 38);
    memcpy(p + 54, payload, len);
    if (sum)
        store_be16(p + 54 + sum,
                   inet_fold(inet_sum(inet_sum(next + len, p + 22, 32), p + 54, len)));
    f->len = 54 + len;
    frame_pad(f);
    user_send_frame(f);
}

/* --- TCP --- */

static struct frame *segment(uint8_t flags, const void *data, uint32_t len)
{
    uint8_t b[1600] = {0}, pseudo[12] = {0};
    struct user_tcp *t = &user_tcp;

    store_be16(b, t->port);
    store_be16(b + 2, t->peer_port);
    store_be32(b + 4, t->snd);
    store_be32(b + 8, flags & ACK ? t->rcv : 0);
    b[12] = 0x50;
    b[13] = flags;
    store_be16(b + 14, 4096);
    memcpy(b + 20, data, len);
    store_be32(pseudo, CLIENT);
    store_be32(pseudo + 4, t->peer);
    pseudo[9] = 6;
    store_be16(pseudo + 10, (uint16_t)(20 + len));
    store_be16(b + 16, inet_fold(inet_sum(inet_sum(0, pseudo, 12), b, 20 + len)));
    t->snd += len + !!(flags & (SYN | FIN));
    return ip_packet(CLIENT, t->peer, 6, 1, 0, b, 20 + len);
}

/* The stack opens a connection. */
static void tcp_opened(const uint8_t *p, const uint8_t *tcp)
{
    bool echoes = user_tcp.echoes;
    unsigned n = user_tcp.n_opened + 1;

    user_tcp = (struct user_tcp){.peer = load_be32(p + 26),
                                 .peer_port = load_be16(tcp),
                                 .port = load_be16(tcp + 2),
                                 .snd = 1000,
                                 .rcv = load_be32(tcp + 4) + 1,
                                 .open = true,
                                 .n_opened = n,
                                 .echoes = echoes};
    give(segment(SYN | ACK, "", 0));
}

static void tcp_data(const uint8_t *data, uint32_t len)
{
    struct user_tcp *t = &user_tcp;
    uint32_t room = (uint32_t)sizeof(t->got) - t->n_got;

    memcpy(t->got + t->n_got, data, MIN(len, room));
    t->n_got += MIN(len, room);
    t->rcv += len;
    give(t->echoes ? segment(PSH | ACK, data, len) : segment(ACK, "", 0));
}

static void tcp_see(const uint8_t *p)
{
    const uint8_t *tcp = p + 34, *data = tcp + (tcp[12] >> 4) * 4;
    struct user_tcp *t = &user_tcp;
    uint32_t len = (uint32_t)(p + 14 + load_be16(p + 16) - data);

    if ((tcp[13] & (SYN | ACK)) == SYN && !(t->open && load_be16(tcp) == t->peer_port)) {
        tcp_opened(p, tcp);
        return;
    }
    if (load_be16(tcp + 2) != t->port || load_be16(tcp) != t->peer_port)
        return;
    if (tcp[13] & RST) {
        t->reset = true;
        t->open = false;
        return;
    }
    if ((tcp[13] & SYN) && !t->open) {
        t->rcv = load_be32(tcp + 4) + 1;
        t->open = true;
        give(segment(ACK, "", 0));
        return;
    }
    if (load_be32(tcp + 4) != t->rcv)
        return;
    if (len)
        tcp_data(data, len);
    if (tcp[13] & FIN) {
        t->rcv++;
        t->fin = true;
        give(segment(t->echoes ? FIN | ACK : ACK, "", 0));
    }
}

bool user_connect(uint32_t to, uint16_t port)
{
    static uint16_t own = 30000;

    user_tcp = (struct user_tcp){
        .peer = to, .peer_port = port, .port = own++, .snd = 1, .n_opened = user_tcp.n_opened};
    user_send_frame(segment(SYN, "", 0));
    return user_pass_until(&user_tcp.open);
}

void user_tcp_send(const char *text)
{
    user_send_frame(segment(PSH | ACK, text, (uint32_t)strlen(text)));
}

void user_tcp_end(void)
{
    user_send_frame(segment(FIN | ACK, "", 0));
}

/* --- seeing --- */

static void answer_arp(const uint8_t *p)
{
    uint8_t arp[60] = {0};

    ethernet(arp, 0x0806);
    memcpy(arp + 14, "\0\1\x08\0\6\4\0\2", 8);
    memcpy(arp + 22, arp + 6, 6);
    store_be32(arp + 28, load_be32(p + 38));
    memcpy(arp + 32, p + 22, 10);
    give(frame_from(arp, sizeof(arp)));
}

static void see_ipv6(struct talker *t, struct frame *f)
{
    if (f->data[20] != 58 || f->data[54] != 134)
        return;
    user_seen.advert_len = MIN(f->len, (uint32_t)sizeof(user_seen.advert));
    memcpy(user_seen.advert, f->data, user_seen.advert_len);
    if (user_seen.n_adverts < ARRAY_LEN(user_seen.advert_at))
        user_seen.advert_at[user_seen.n_adverts] = t->actor.now;
    user_seen.n_adverts++;
}

static void see(struct talker *t, struct frame *f)
{
    const uint8_t *p = f->data;
    uint16_t type = load_be16(p + 12);

    if (type == 0x0806 && load_be16(p + 20) == 2)
        user_seen.n_arp_replies++;
    else if (type == 0x0806 && load_be32(p + 38) == CLIENT)
        answer_arp(p);
    else if (type == 0x86dd)
        see_ipv6(t, f);
    if (type != 0x0800)
        return;
    if (p[23] == 17) {
        user_seen.udp_len = MIN(load_be16(p + 38) - 8u, (uint32_t)sizeof(user_seen.udp));
        memcpy(user_seen.udp, p + 42, user_seen.udp_len);
        user_seen.n_udp++;
    } else if (p[23] == 1 && p[34] == 0) {
        user_seen.n_echo_replies++;
        user_seen.echo_len = MIN(load_be16(p + 16) - 20u, (uint32_t)sizeof(user_seen.echo));
        memcpy(user_seen.echo, p + 34, user_seen.echo_len);
    } else if (p[23] == 6) {
        tcp_see(p);
    }
}

/* --- life --- */

void user_start_with(const struct user_options *o, void (*prepare)(struct sim *s), bool stand_in)
{
    struct err err = {0};

    rig_init(&user_rig, NULL);
    if (prepare)
        prepare(&user_rig.sim);
    vlan = vlan_create(&user_rig.sim, "lan", VLAN_SWITCH);
    user_client = rig_talker(&user_rig, vlan);
    user_client->on_rx = see;
    user_stack = stand_in ? uplink_stand_in(&user_rig.sim, "gw", UPLINK_UP)
                          : user_create(&user_rig.sim, "gw", o, &err);
    if (!user_stack)
        err_print(&err, stderr);
    assert_non_null(user_stack);
    uplink_attach(user_stack, vlan, &vlan->link);
    user_seen = (struct user_seen){.n_udp = 0};
    user_tcp = (struct user_tcp){.open = false};
}

void user_start(const struct user_options *o)
{
    user_start_with(o, NULL, false);
}

void user_finish(void)
{
    uplink_destroy(user_stack);
    rig_finish(&user_rig);
}

void user_pass(vtime_t span)
{
    sim_run(&user_rig.sim, user_rig.sim.now + span);
}

bool user_pass_until(const bool *flag)
{
    time_t last = time(NULL) + 10;

    while (!*flag && time(NULL) < last)
        user_pass(5 * NS_PER_MS);
    return *flag;
}

void user_dhcp(uint8_t type, uint32_t requested, uint8_t mac)
{
    uint8_t b[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};

    memcpy(b + 28, (uint8_t[]){2, 0, 0, 0, 0, mac}, 6);
    store_be32(b + 236, 0x63825363);
    uint8_t *o = b + 240;
    memcpy(o, (uint8_t[]){53, 1, type}, 3);
    o += 3;
    if (requested) {
        memcpy(o, (uint8_t[]){50, 4}, 2);
        store_be32(o + 2, requested);
        o += 6;
    }
    *o = 255;
    user_send_udp(0, 0xffffffff, 68, 67, b, sizeof(b));
}

void user_get_address(void)
{
    user_dhcp(1, 0, user_client->number);
    assert_int_equal(user_seen.n_udp, 1);
    assert_int_equal(load_be32(user_seen.udp + 16), CLIENT);
    assert_int_equal(user_seen.udp[240 + 2], 2); /* offer */
    user_dhcp(3, CLIENT, user_client->number);
    assert_int_equal(user_seen.n_udp, 2);
    assert_int_equal(user_seen.udp[240 + 2], 5); /* ack */
}
