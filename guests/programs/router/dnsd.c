/*
 * A name server (RFC 1035) for the names that DHCP clients sent with their requests,
 * alone or below "lan", and for "router". It knows no other names and asks no other
 * server: they do not exist, it says.
 *
 *     id | flags | 1 question | answers | 0 | 0 | name type class | answer...
 */
#include "router/dnsd.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lwip/ip.h"
#include "lwip/udp.h"
#include "router/lan.h"

enum { PORT = 53, HEAD = 12, QUERY = 288, ANSWER = 16, TTL_S = 60 };
enum { TYPE_A = 1, TYPE_ANY = 255, CLASS_IN = 1 };
enum { NO_ERROR = 0, FORMAT_ERROR = 1, NO_SUCH_NAME = 3, NOT_IMPLEMENTED = 4 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool name_equal(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/* Reads labels as a name with dots, without a last label "lan". Returns the offset
   behind them, 0 when they are not whole. A question has no compressed names. */
static unsigned name_read(const uint8_t *m, unsigned len, unsigned at, char *name)
{
    unsigned to = 0;

    while (at < len && m[at] != 0) {
        unsigned label = m[at++];

        if (label > 63 || label > len - at || to + label + 2 > 256)
            return 0;
        if (to > 0)
            name[to++] = '.';
        memcpy(name + to, m + at, label);
        to += label;
        at += label;
    }
    name[to] = '\0';
    if (to > 4 && name_equal(name + to - 4, ".lan"))
        name[to - 4] = '\0';
    return at < len ? at + 1 : 0;
}

static uint32_t name_find(const char *name)
{
    const struct netif *netif = ip_current_input_netif();

    if (name_equal(name, "router"))
        return lwip_ntohl(netif_ip4_addr(netif)->addr);
    for (unsigned i = 0; i < lan_count(); i++) {
        const struct leases *ls = &lan_get(i)->leases;

        for (uint32_t j = 0; j < ls->used; j++) {
            const struct lease *l = lease_get(ls, j);

            if (l->state == LEASE_BOUND && l->name && l->name[0] && name_equal(l->name, name))
                return lease_address(ls, l);
        }
    }
    return 0;
}

static uint8_t *put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

/* The answer's one record; its name points back at the question's (4.1.4). */
static unsigned record_write(uint8_t *to, uint32_t address)
{
    to = put16(to, 0xc000 | HEAD);
    to = put16(to, TYPE_A);
    to = put16(to, CLASS_IN);
    to = put16(to, 0);
    to = put16(to, TTL_S);
    to = put16(to, 4);
    to = put16(to, address >> 16);
    put16(to, address & 0xffff);
    return ANSWER;
}

/* Turns a query into its answer in place. Returns the answer's length, 0 for none. */
static unsigned query_answer(uint8_t *m, unsigned len)
{
    char name[257];
    unsigned end, type, answers = 0, code;
    uint32_t address = 0;

    if (len < HEAD || (m[2] & 0x80))
        return 0; /* too short for an id, or itself an answer */
    if ((m[2] & 0x78) != 0) {
        code = NOT_IMPLEMENTED;
        end = HEAD;
    } else if (m[4] != 0 || m[5] != 1 || !(end = name_read(m, len, HEAD, name)) || end + 4 > len) {
        code = FORMAT_ERROR;
        end = HEAD;
    } else {
        type = (unsigned)m[end] << 8 | m[end + 1];
        end += 4;
        address = name_find(name);
        code = address ? NO_ERROR : NO_SUCH_NAME;
        answers = address && (type == TYPE_A || type == TYPE_ANY);
    }
    m[2] = 0x84 | (m[2] & 0x01); /* an answer, authoritative, recursion desired as asked */
    m[3] = (uint8_t)code;
    put16(m + 4, end > HEAD);
    put16(m + 6, answers);
    put16(m + 8, 0);
    put16(m + 10, 0);
    return end + (answers ? record_write(m + end, address) : 0);
}

static void query_take(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                       u16_t port)
{
    static uint8_t message[QUERY + ANSWER];
    unsigned len = pbuf_copy_partial(p, message, QUERY, 0);
    struct pbuf *reply;

    (void)arg;
    pbuf_free(p);
    len = query_answer(message, len);
    if (len == 0 || !(reply = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM)))
        return;
    pbuf_take(reply, message, (u16_t)len);
    udp_sendto(pcb, reply, from, port);
    pbuf_free(reply);
}

int dnsd_start(void)
{
    struct udp_pcb *pcb = udp_new();

    if (!pcb || udp_bind(pcb, IP_ADDR_ANY, PORT) != ERR_OK)
        return 0;
    udp_recv(pcb, query_take, NULL);
    return 1;
}
