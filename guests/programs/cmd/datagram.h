/* A UDP socket for a command: receives the first datagram that comes. */
#ifndef PROGRAMS_CMD_DATAGRAM_H
#define PROGRAMS_CMD_DATAGRAM_H

#include <stdbool.h>

#include "lwip/udp.h"

struct datagram {
    struct udp_pcb *pcb;
    struct pbuf *in; /* received and not taken: one */
    ip_addr_t from;
    u16_t from_port;
};

/* Each says what went wrong when it returns false. Close in every case. */
bool datagram_open(struct datagram *d);
bool datagram_send(struct datagram *d, const ip_addr_t *to, u16_t port, const void *bytes,
                   unsigned len);
/* Wait for one; it lies in d->in until the next call. Returns false, saying nothing,
   when none came until the deadline or ctrl-C was typed (then *interrupted). */
bool datagram_wait(struct datagram *d, uint64_t deadline_ns, bool *interrupted);
void datagram_close(struct datagram *d);

#endif
