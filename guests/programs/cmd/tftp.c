/*
 * tftp: fetch a file in octet mode (RFC 1350) and print its size and CRC-32. Block
 * numbers go round after 65535, as every server has it.
 *
 *     RRQ 1 | name 0 | "octet" 0      DATA 3 | block | bytes      ACK 4 | block
 *     ERROR 5 | code | text 0         all numbers 16 bits, big-endian
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/datagram.h"
#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "net/pattern.h"
#include "net/rate.h"

enum { PORT = 69, RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, BLOCK = 512, HEADER = 4 };
enum { TRIES = 5, REQUEST = 256 };

struct transfer {
    struct datagram socket;
    ip_addr_t server;
    u16_t port; /* 69 until the first answer names another */
    uint8_t packet[REQUEST];
    unsigned len; /* of the packet that is sent again when no answer comes */
    uint16_t block;
    uint64_t bytes;
    uint32_t crc;
};

enum outcome { WAIT, NEXT, END, FAIL };

static enum outcome error_take(const uint8_t *p, unsigned len)
{
    printf("tftp: error %u: %.*s\n", (unsigned)(p[2] << 8 | p[3]), (int)(len - HEADER),
           (const char *)p + HEADER);
    return FAIL;
}

static enum outcome answer_take(struct transfer *t)
{
    uint8_t p[HEADER + BLOCK];
    const struct pbuf *in = t->socket.in.bytes;
    unsigned len = pbuf_copy_partial(in, p, sizeof p, 0);

    /* RFC 1350, section 4: the server's first answer fixes its port. */
    if (len < HEADER || in->tot_len > sizeof p || !ip_addr_cmp(&t->socket.in.from, &t->server) ||
        (t->port != PORT && t->socket.in.port != t->port))
        return WAIT;
    if (p[0] == 0 && p[1] == ERROR)
        return error_take(p, len);
    if (p[0] != 0 || p[1] != DATA || (uint16_t)(p[2] << 8 | p[3]) != (uint16_t)(t->block + 1))
        return WAIT;
    t->port = t->socket.in.port;
    t->block++;
    t->crc = crc32_add(t->crc, p + HEADER, len - HEADER);
    t->bytes += len - HEADER;
    t->packet[0] = 0;
    t->packet[1] = ACK;
    t->packet[2] = (uint8_t)(t->block >> 8);
    t->packet[3] = (uint8_t)t->block;
    t->len = HEADER;
    return len < sizeof p ? END : NEXT;
}

/* Send, wait for what comes next, and send again when it does not come. */
static enum outcome block_fetch(struct transfer *t)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t deadline = clock_ns() + NS_PER_S;
        enum outcome outcome = WAIT;
        bool interrupted;

        if (!datagram_send(&t->socket, &t->server, t->port, t->packet, t->len))
            return FAIL;
        while (outcome == WAIT && datagram_wait(&t->socket, deadline, &interrupted))
            outcome = answer_take(t);
        if (outcome != WAIT)
            return outcome;
        if (interrupted)
            return FAIL;
    }
    printf("tftp: no answer\n");
    return FAIL;
}

int command_tftp(int argc, char **argv)
{
    struct transfer t = {.port = PORT};
    enum outcome outcome = NEXT;
    uint64_t start = clock_ns();
    char rate[RATE_TEXT];
    int len;

    if (argc != 3)
        return COMMAND_USAGE;
    len = snprintf((char *)t.packet + 2, sizeof t.packet - 9, "%s", argv[2]);
    if (len > (int)sizeof t.packet - 10)
        return COMMAND_USAGE;
    t.packet[1] = RRQ;
    memcpy(t.packet + 2 + len + 1, "octet", 6);
    t.len = 2 + (unsigned)len + 1 + 6;
    if (!name_resolve(argv[1], &t.server))
        return 1;
    if (!datagram_open(&t.socket))
        outcome = FAIL;
    while (outcome == NEXT)
        outcome = block_fetch(&t);
    if (outcome == END) {
        datagram_send(&t.socket, &t.server, t.port, t.packet, t.len);
        rate_print(rate, t.bytes, clock_ns() - start);
        printf("%s: %lu bytes, crc32 %08x, %s\n", argv[2], t.bytes, t.crc, rate);
    }
    datagram_close(&t.socket);
    return outcome == END ? 0 : 1;
}
