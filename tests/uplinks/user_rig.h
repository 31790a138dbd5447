/* A client in raw frames on a VLAN with a user-mode stack, and a TCP of a few lines. */
#ifndef TESTS_UPLINKS_USER_RIG_H
#define TESTS_UPLINKS_USER_RIG_H

#include "tests/sim/rig.h"

#include "devices/uplinks/uplink.h"
#include "devices/uplinks/user.h"

#define ROUTER 0x0a000202u
#define CLIENT 0x0a00020fu

/** What the client has seen of the stack. */
struct user_seen {
    uint8_t udp[2048]; /* the last datagram's data */
    uint32_t udp_len;
    uint8_t echo[2048]; /* the last echo reply, its ICMP message; its length */
    uint32_t echo_len;
    unsigned n_udp, n_arp_replies, n_echo_replies, n_adverts;
    uint8_t advert[256]; /* the last router advertisement, from its Ethernet header on */
    uint32_t advert_len;
    vtime_t advert_at[64];
};

/** The client's end of one TCP connection, whoever opened it. */
struct user_tcp {
    uint32_t peer; /* address */
    uint16_t peer_port, port;
    uint32_t snd, rcv;     /* next sequence numbers */
    bool open, fin, reset; /* fin: the peer has ended */
    uint8_t got[4096];
    uint32_t n_got;
    unsigned n_opened; /* connections that the stack opened here, since the start */
    bool echoes;       /* sends back what comes, and ends when the peer does */
};

extern struct rig user_rig;
extern struct talker *user_client;
extern struct uplink *user_stack;
extern struct user_seen user_seen;
extern struct user_tcp user_tcp;

/** A network with a stack of these options; asserts that it could be made. */
void user_start(const struct user_options *o);
/** The same in an engine with a recording or a playback set up by `prepare`; stand-in: no stack. */
void user_start_with(const struct user_options *o, void (*prepare)(struct sim *s), bool stand_in);
void user_finish(void);

/** Let time pass; what the host's sockets bring is let in. */
void user_pass(vtime_t span);
/** Until *flag, or at most some seconds of the host's. */
bool user_pass_until(const bool *flag);

/** Send a frame of the client's at once (taken), and let a millisecond pass. */
void user_send_frame(struct frame *f);
/** An IPv4 packet; its Ethernet destination is broadcast. `fragment`: its offset and flags. */
void user_send_ip(uint32_t src, uint32_t dst, uint8_t proto, uint16_t id, uint16_t fragment,
                  const void *payload, uint32_t len);
void user_send_udp(uint32_t src, uint32_t dst, uint16_t from, uint16_t to, const void *payload,
                   uint32_t len);
/** An IPv6 packet; its checksum is put at `sum` in the payload unless that is 0. */
void user_send_ipv6(const char *src, const char *dst, uint8_t next, uint32_t sum,
                    const void *payload, uint32_t len);
/** A DHCP message of the client's, or of another by its last byte of address. */
void user_dhcp(uint8_t type, uint32_t requested, uint8_t mac);
void user_get_address(void);

/** Open a connection to the stack's network or beyond; false if nothing opens in a second. */
bool user_connect(uint32_t to, uint16_t port);
void user_tcp_send(const char *text);
void user_tcp_end(void);

#endif
