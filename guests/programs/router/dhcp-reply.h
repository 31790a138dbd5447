/* What a DHCP client asked, and the answer to it. */
#ifndef PROGRAMS_ROUTER_DHCP_REPLY_H
#define PROGRAMS_ROUTER_DHCP_REPLY_H

#include <stdint.h>

#include "lwip/prot/dhcp.h"

struct lan;

/* The fixed part of a message (RFC 2131, section 2), in network order. */
struct dhcp_message {
    uint8_t op, htype, hlen, hops;
    uint32_t xid;
    uint16_t secs, flags;
    ip4_addr_p_t ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[16], sname[64], file[128];
    uint32_t cookie;
} __attribute__((packed));

struct request {
    struct lan *lan;
    struct dhcp_message message;
    const uint8_t *options;
    unsigned options_len;
    uint32_t own, mask; /* the interface's, host order */
};

/* Answer with a message of this type: `address` is the client's, host order, 0 in a NAK
   and in the answer to INFORM, which have no lease. */
void dhcp_reply(const struct request *r, uint8_t type, uint32_t address);

#endif
