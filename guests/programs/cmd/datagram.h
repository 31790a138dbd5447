/* A UDP socket for a command: calls that wait. */
#ifndef PROGRAMS_CMD_DATAGRAM_H
#define PROGRAMS_CMD_DATAGRAM_H

#include <stdbool.h>

#include "lwip/udp.h"

enum { DATAGRAMS_WAITING = 8 };

struct datagram_in {
    struct pbuf *bytes;
    ip_addr_t from;
    u16_t port;
};

struct datagram {
    struct udp_pcb *pcb;
    struct datagram_in in; /* the one that was waited for, or none */
    struct datagram_in waiting[DATAGRAMS_WAITING];
    unsigned count; /* of those that wait */
};

/* A new socket, or NULL. What it sends to a group goes one hop, and is heard by this machine too if
   that is in the group (RFC 1112, 6.1). */
struct udp_pcb *datagram_socket(void);

/* Each says what went wrong when it returns false. Close in every case. */
bool datagram_open(struct datagram *d);
bool datagram_send(struct datagram *d, const ip_addr_t *to, u16_t port, const void *bytes,
                   unsigned len);
/* Wait for the next one; it lies in d->in until the next call. Returns false, saying nothing,
   when none came until the deadline or ctrl-C was typed (then *interrupted). */
bool datagram_wait(struct datagram *d, uint64_t deadline_ns, bool *interrupted);
void datagram_close(struct datagram *d);

#endif
