/*
 * Which received frames concern this machine.
 *
 * lwIP takes a few hundred instructions, and a copy, to find that a broadcast is not for it; on a
 * LAN of a thousand hosts that is nearly all they do while they start. A frame passes unless
 * lwIP would certainly drop it:
 *
 *   - it is for another station, or for a group that the interface is not in, or not IPv4 or ARP;
 *   - it is an ARP request for another address, from a neighbour that is not in the table (RFC 826
 *     has the table's entries brought up to date by any request);
 *   - it is for a group, while the interface has no address;
 *   - it is UDP, to all or to a group, to a port that nobody listens at, or a DHCP answer to
 *     another client.
 */
#include "net/filter.h"

#include <string.h>

#include "lwip/igmp.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806 };
enum { ARP_FRAME = 42, ARP_OP = 20, ARP_SENDER = 28, ARP_TARGET = 38, ARP_REQUEST = 1 };
enum { IP = 14, IP_LEAST = 20, IP_PROTO = 9, IP_TARGET = 16, UDP_LEAST = 8, IGMP = 2, UDP = 17 };
enum { DHCP_CLIENT = 68, DHCP_CHADDR = 28 };

/* Addresses that may be in lwIP's table, by a hash: one that is there has its bit set. */
static uint32_t neighbours[8];

static unsigned load16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static unsigned neighbour_bit(const uint8_t *address)
{
    return (address[3] ^ address[2] * 31u) & 255;
}

static void neighbour_note(const uint8_t *address)
{
    unsigned bit = neighbour_bit(address);

    neighbours[bit / 32] |= UINT32_C(1) << bit % 32;
}

static bool neighbour_maybe(const uint8_t *address)
{
    unsigned bit = neighbour_bit(address);

    return neighbours[bit / 32] >> bit % 32 & 1;
}

static bool is_arp(const uint8_t *frame, uint32_t len)
{
    return len >= ARP_FRAME && load16(frame + 12) == TYPE_ARP;
}

void filter_frame_sent(const uint8_t *frame, uint32_t len)
{
    if (is_arp(frame, len))
        neighbour_note(frame + ARP_TARGET);
}

static bool arp_wanted(const struct netif *netif, const uint8_t *frame)
{
    if (load16(frame + ARP_OP) != ARP_REQUEST)
        return true;
    if (memcmp(frame + ARP_TARGET, netif_ip4_addr(netif), 4) == 0) {
        neighbour_note(frame + ARP_SENDER);
        return true;
    }
    return neighbour_maybe(frame + ARP_SENDER);
}

static bool udp_port_open(unsigned port)
{
    for (const struct udp_pcb *pcb = udp_pcbs; pcb; pcb = pcb->next)
        if (pcb->local_port == port)
            return true;
    return false;
}

/* Only what certainly is a whole UDP datagram is refused. */
static bool datagram_wanted(const struct netif *netif, const uint8_t *frame, uint32_t len)
{
    const uint8_t *ip = frame + IP, *udp = ip + (ip[0] & 15) * 4;
    unsigned port;

    if (ip[0] >> 4 != 4 || ip[IP_PROTO] != UDP || (load16(ip + 6) & 0x3fff) != 0 ||
        udp + UDP_LEAST > frame + len)
        return true;
    port = load16(udp + 2);
    if (port == DHCP_CLIENT && udp + UDP_LEAST + DHCP_CHADDR + 6 <= frame + len)
        return memcmp(udp + UDP_LEAST + DHCP_CHADDR, netif->hwaddr, 6) == 0;
    return udp_port_open(port);
}

/* Without an address of its own only membership can be spoken of: lwIP would answer a ping from
   0.0.0.0. */
static bool group_wanted(const struct netif *netif, const uint8_t *frame, uint32_t len)
{
    const uint8_t *ip = frame + IP;
    ip4_addr_t group;

    if (len < IP + IP_LEAST || load16(frame + 12) != TYPE_IPV4)
        return false;
    if (ip4_addr_isany_val(*netif_ip4_addr(netif)) && ip[IP_PROTO] != IGMP)
        return false;
    memcpy(&group, ip + IP_TARGET, sizeof group);
    return igmp_lookfor_group((struct netif *)netif, &group) && datagram_wanted(netif, frame, len);
}

bool filter_wants(const struct netif *netif, const uint8_t *frame, uint32_t len)
{
    bool to_all = memcmp(frame, ethbroadcast.addr, 6) == 0;

    if ((frame[0] & 1) && !to_all)
        return group_wanted(netif, frame, len);
    if (!to_all && memcmp(frame, netif->hwaddr, 6) != 0)
        return false;
    if (is_arp(frame, len))
        return arp_wanted(netif, frame);
    if (load16(frame + 12) != TYPE_IPV4)
        return false;
    return !to_all || len < IP + IP_LEAST || datagram_wanted(netif, frame, len);
}
