/*
 * A DHCP server (RFC 2131, RFC 2132) on every interface that has a pool.
 *
 * Simplifications: a client is known by its hardware address, not its client
 * identifier; the address a client asks for in DISCOVER is not considered, so that
 * addresses are given out strictly in the order of asking; options that overflow into
 * the file and sname fields (option 52) are not read; relays are not served.
 *
 *     op htype hlen hops | xid | secs flags | ciaddr | yiaddr | siaddr | giaddr |
 *     chaddr 16 | sname 64 | file 128 | 63 82 53 63 | options...
 */
#include "router/dhcpd.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lwip/ip.h"
#include "lwip/prot/dhcp.h"
#include "lwip/udp.h"
#include "router/dhcp-reply.h"
#include "router/lan.h"

enum { SERVER_PORT = 67, OPTIONS = 512, OFFER_S = 60, DECLINE_S = 3600 };

static uint64_t answered, malformed, not_ours, unknown, exhausted;

static uint32_t now_s(void)
{
    return (uint32_t)(clock_ns() / NS_PER_S);
}

/* The option's value in place, or NULL when it is absent or not whole. */
static const uint8_t *option_find(const struct request *r, uint8_t code, unsigned *len)
{
    const uint8_t *o = r->options;
    unsigned left = r->options_len;

    while (left > 0 && *o != DHCP_OPTION_END) {
        unsigned whole = *o == DHCP_OPTION_PAD ? 1 : left >= 2 ? 2u + o[1] : left + 1;

        if (whole > left)
            return NULL;
        if (*o == code && whole >= 2) {
            *len = o[1];
            return o + 2;
        }
        o += whole;
        left -= whole;
    }
    return NULL;
}

/* A value of four bytes in host order, 0 when there is none. */
static uint32_t option_u32(const struct request *r, uint8_t code)
{
    unsigned len;
    const uint8_t *v = option_find(r, code, &len);

    if (!v || len != 4)
        return 0;
    return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
}

static void name_take(const struct request *r, struct lease *l)
{
    unsigned len;
    const uint8_t *name = option_find(r, DHCP_OPTION_HOSTNAME, &len);

    if (name)
        lease_set_name(l, name, len);
}

static void offer(const struct request *r)
{
    struct lease *l = lease_take(&r->lan->leases, r->message.chaddr, now_s());

    if (!l) {
        exhausted++;
        return;
    }
    if (lease_is_free(l, now_s())) {
        l->state = LEASE_OFFERED;
        l->until_s = now_s() + OFFER_S;
    }
    answered++;
    dhcp_reply(r, DHCP_OFFER, lease_address(&r->lan->leases, l));
}

static void acknowledge(const struct request *r, struct lease *l)
{
    l->state = LEASE_BOUND;
    l->until_s = now_s() + r->lan->lease_s;
    name_take(r, l);
    answered++;
    dhcp_reply(r, DHCP_ACK, lease_address(&r->lan->leases, l));
}

static void refuse(const struct request *r)
{
    answered++;
    dhcp_reply(r, DHCP_NAK, 0);
}

/* The client took another server's offer: ours is free again. */
static void offer_forget(struct lease *l)
{
    not_ours++;
    if (l && l->state == LEASE_OFFERED)
        l->state = LEASE_FREE;
}

/* RFC 2131, 4.3.2: what the client means shows in which fields it filled in. */
static void request_take(const struct request *r)
{
    struct leases *ls = &r->lan->leases;
    struct lease *l = lease_of_mac(ls, r->message.chaddr);
    uint32_t server = option_u32(r, DHCP_OPTION_SERVER_ID);
    uint32_t wanted = option_u32(r, DHCP_OPTION_REQUESTED_IP);
    uint32_t has = lwip_ntohl(r->message.ciaddr.addr);

    if (server != 0 && server != r->own) {
        offer_forget(l);
    } else if (wanted != 0 || has != 0) {
        uint32_t address = wanted ? wanted : has;

        if (l && l->state != LEASE_DECLINED && lease_address(ls, l) == address)
            acknowledge(r, l);
        else if (l || server != 0 || (address & r->mask) != (r->own & r->mask))
            refuse(r);
        else
            unknown++; /* no record of it: silence, another server may know it */
    } else {
        malformed++;
    }
}

static void decline_take(const struct request *r)
{
    struct leases *ls = &r->lan->leases;
    struct lease *l = lease_of_mac(ls, r->message.chaddr);

    if (!l || lease_address(ls, l) != option_u32(r, DHCP_OPTION_REQUESTED_IP) ||
        option_u32(r, DHCP_OPTION_SERVER_ID) != r->own) {
        unknown++;
        return;
    }
    lease_detach(ls, l);
    l->state = LEASE_DECLINED;
    l->until_s = now_s() + DECLINE_S;
    answered++;
}

static void release_take(const struct request *r)
{
    struct leases *ls = &r->lan->leases;
    struct lease *l = lease_of_mac(ls, r->message.chaddr);

    if (!l || lease_address(ls, l) != lwip_ntohl(r->message.ciaddr.addr)) {
        unknown++;
        return;
    }
    l->state = LEASE_FREE;
    answered++;
}

static void inform_take(const struct request *r)
{
    answered++;
    dhcp_reply(r, DHCP_ACK, 0);
}

static void message_take(const struct request *r)
{
    static void (*const take[])(const struct request *) = {
        [DHCP_DISCOVER] = offer,       [DHCP_REQUEST] = request_take, [DHCP_DECLINE] = decline_take,
        [DHCP_RELEASE] = release_take, [DHCP_INFORM] = inform_take,
    };
    unsigned len;
    const uint8_t *type = option_find(r, DHCP_OPTION_MESSAGE_TYPE, &len);

    if (!type || len != 1 || *type >= sizeof take / sizeof take[0] || !take[*type])
        malformed++;
    else
        take[*type](r);
}

static void datagram_take(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                          u16_t port)
{
    static uint8_t options[OPTIONS];
    const struct netif *netif = ip_current_input_netif();
    struct request r;
    unsigned head = sizeof r.message;

    (void)arg;
    (void)pcb;
    (void)from;
    (void)port;
    r.lan = lan_of(netif);
    if (!r.lan || r.lan->pool_last == 0) {
        not_ours++;
    } else if (pbuf_copy_partial(p, &r.message, (u16_t)head, 0) != head ||
               r.message.op != DHCP_BOOTREQUEST || r.message.htype != 1 || r.message.hlen != 6 ||
               r.message.giaddr.addr != 0 || r.message.cookie != PP_HTONL(DHCP_MAGIC_COOKIE)) {
        malformed++;
    } else {
        r.options = options;
        r.options_len = pbuf_copy_partial(p, options, sizeof options, (u16_t)head);
        r.own = lwip_ntohl(netif_ip4_addr(netif)->addr);
        r.mask = lwip_ntohl(netif_ip4_netmask(netif)->addr);
        message_take(&r);
    }
    pbuf_free(p);
}

int dhcpd_start(void)
{
    struct udp_pcb *pcb = udp_new();

    if (!pcb || udp_bind(pcb, IP_ADDR_ANY, SERVER_PORT) != ERR_OK)
        return 0;
    udp_recv(pcb, datagram_take, NULL);
    return 1;
}

void dhcpd_print(void)
{
    printf("dhcp: %lu answered, %lu malformed, %lu for others, %lu unknown, %lu without "
           "an address\n",
           answered, malformed, not_ours, unknown, exhausted);
}
