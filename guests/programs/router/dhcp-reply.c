/*
 * The answer to a DHCP client. It is built as a whole Ethernet frame, because a client
 * without an address cannot be asked for its hardware address (RFC 2131, 4.1), and so
 * that a thousand of them need no entries in the ARP table to be answered.
 */
#include "router/dhcp-reply.h"

#include <string.h>

#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/udp.h"
#include "netif/ethernet.h"
#include "router/lan.h"

enum { OPTIONS_MOST = 64, MESSAGE_LEAST = 300, TTL = 64 };
enum { SERVER_PORT = 67, CLIENT_PORT = 68, BROADCAST_FLAG = 0x8000 };
enum { BOOTP_LEAST = MESSAGE_LEAST - sizeof(struct dhcp_message) };

/* No padding is wanted here: every part is a multiple of four but the options. */
struct answer {
    struct dhcp_message message;
    uint8_t options[OPTIONS_MOST];
} __attribute__((packed));

static uint8_t *option_put(uint8_t *at, uint8_t code, uint32_t value, unsigned len)
{
    *at++ = code;
    *at++ = (uint8_t)len;
    while (len-- > 0)
        *at++ = (uint8_t)(value >> 8 * len);
    return at;
}

/* Returns the options' length. */
static unsigned options_write(const struct request *r, uint8_t type, bool lease, uint8_t *at)
{
    const uint8_t *start = at;
    uint32_t dns = lwip_ntohl(r->lan->dns.addr);

    at = option_put(at, DHCP_OPTION_MESSAGE_TYPE, type, 1);
    at = option_put(at, DHCP_OPTION_SERVER_ID, r->own, 4);
    if (lease) {
        at = option_put(at, DHCP_OPTION_LEASE_TIME, r->lan->lease_s, 4);
        /* RFC 2131, 4.4.5: half of it, and seven eighths. */
        at = option_put(at, DHCP_OPTION_T1, r->lan->lease_s / 2, 4);
        at = option_put(at, DHCP_OPTION_T2, (uint32_t)((uint64_t)r->lan->lease_s * 7 / 8), 4);
    }
    if (type != DHCP_NAK) {
        at = option_put(at, DHCP_OPTION_SUBNET_MASK, r->mask, 4);
        at = option_put(at, DHCP_OPTION_ROUTER, r->own, 4);
        at = option_put(at, DHCP_OPTION_DNS_SERVER, dns ? dns : r->own, 4);
    }
    *at++ = DHCP_OPTION_END;
    return (unsigned)(at - start);
}

static unsigned answer_write(const struct request *r, uint8_t type, uint32_t address,
                             struct answer *a)
{
    unsigned len;

    memset(a, 0, sizeof *a);
    a->message.op = DHCP_BOOTREPLY;
    a->message.htype = r->message.htype;
    a->message.hlen = r->message.hlen;
    a->message.xid = r->message.xid;
    a->message.flags = r->message.flags;
    /* RFC 2131, table 3: ciaddr comes back in an ACK only. */
    if (type == DHCP_ACK)
        a->message.ciaddr = r->message.ciaddr;
    a->message.yiaddr.addr = lwip_htonl(address);
    memcpy(a->message.chaddr, r->message.chaddr, sizeof a->message.chaddr);
    a->message.cookie = PP_HTONL(DHCP_MAGIC_COOKIE);
    len = options_write(r, type, type != DHCP_NAK && address != 0, a->options);
    /* A BOOTP message has 300 bytes at least (RFC 1542, 2.1). */
    return sizeof a->message + (len < BOOTP_LEAST ? BOOTP_LEAST : len);
}

/* RFC 2131, 4.1: to ciaddr when the client has an address, else by broadcast when it
   asks for that (and always for a NAK), else to yiaddr at its hardware address. */
static ip4_addr_t destination(const struct request *r, uint8_t type, uint32_t address)
{
    ip4_addr_t to;

    if (type != DHCP_NAK && r->message.ciaddr.addr != 0)
        to.addr = r->message.ciaddr.addr;
    else if (type == DHCP_NAK || address == 0 || (lwip_ntohs(r->message.flags) & BROADCAST_FLAG))
        to.addr = IPADDR_BROADCAST;
    else
        to.addr = lwip_htonl(address);
    return to;
}

static void headers_write(struct pbuf *p, const ip4_addr_t *from, const ip4_addr_t *to,
                          unsigned len)
{
    struct udp_hdr *udp;
    struct ip_hdr *ip;
    u16_t sum;

    pbuf_add_header(p, UDP_HLEN);
    udp = p->payload;
    udp->src = PP_HTONS(SERVER_PORT);
    udp->dest = PP_HTONS(CLIENT_PORT);
    udp->len = lwip_htons((u16_t)(len + UDP_HLEN));
    udp->chksum = 0;
    sum = inet_chksum_pseudo(p, IP_PROTO_UDP, p->tot_len, from, to);
    udp->chksum = sum ? sum : 0xffff; /* RFC 768: 0 means that there is none */

    pbuf_add_header(p, IP_HLEN);
    ip = p->payload;
    memset(ip, 0, IP_HLEN);
    IPH_VHL_SET(ip, 4, IP_HLEN / 4);
    IPH_LEN_SET(ip, lwip_htons((u16_t)(len + UDP_HLEN + IP_HLEN)));
    IPH_TTL_SET(ip, TTL);
    IPH_PROTO_SET(ip, IP_PROTO_UDP);
    ip4_addr_copy(ip->src, *from);
    ip4_addr_copy(ip->dest, *to);
    IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
}

void dhcp_reply(const struct request *r, uint8_t type, uint32_t address)
{
    static const struct eth_addr everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct netif *netif = &r->lan->nic->netif;
    ip4_addr_t from = *netif_ip4_addr(netif), to = destination(r, type, address);
    struct eth_addr hardware, own;
    struct answer a;
    unsigned len = answer_write(r, type, address, &a);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);

    if (!p)
        return; /* the client asks again */
    pbuf_take(p, &a, (u16_t)len);
    headers_write(p, &from, &to, len);
    memcpy(hardware.addr, r->message.chaddr, sizeof hardware.addr);
    memcpy(own.addr, netif->hwaddr, sizeof own.addr);
    ethernet_output(netif, p, &own, to.addr == IPADDR_BROADCAST ? &everybody : &hardware,
                    ETHTYPE_IP);
    pbuf_free(p);
}
