/* The sink, TCP and UDP 5001: counts what `send` sends, and says at the end how much
   there was and how fast it came. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "lwip/mem.h"
#include "lwip/udp.h"
#include "net/address.h"
#include "net/rate.h"
#include "serve/bulk.h"
#include "serve/listen.h"
#include "serve/servers.h"

struct count {
    ip_addr_t from;
    uint64_t bytes, first_ns, last_ns;
};

static void count_add(struct count *c, uint64_t bytes)
{
    c->last_ns = clock_ns();
    if (c->bytes == 0)
        c->first_ns = c->last_ns;
    c->bytes += bytes;
}

static void count_print(const struct count *c, const char *what)
{
    char from[ADDRESS_TEXT], rate[RATE_TEXT];

    address_print(from, ip_2_ip4(&c->from));
    rate_print(rate, c->bytes, c->last_ns - c->first_ns);
    console_begin();
    printf("received %lu bytes from %s in %s (%s)\n", c->bytes, from, rate, what);
    console_end();
}

static err_t sink_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct count *c = arg;

    (void)err;
    if (p) {
        count_add(c, p->tot_len);
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    count_print(c, "tcp");
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    mem_free(c);
    if (tcp_close(pcb) == ERR_OK)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

static void sink_error(void *arg, err_t err)
{
    (void)err;
    count_print(arg, "tcp, broken off");
    mem_free(arg);
}

static err_t sink_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct count *c;

    (void)arg;
    if (err != ERR_OK || !pcb || !(c = mem_malloc(sizeof *c)))
        return ERR_MEM;
    memset(c, 0, sizeof *c);
    c->from = pcb->remote_ip;
    tcp_arg(pcb, c);
    tcp_recv(pcb, sink_receive);
    tcp_err(pcb, sink_error);
    return ERR_OK;
}

/* UDP transfers that are under way, or over: the oldest gives way to a new one. */
static struct transfer {
    struct count count;
    uint32_t id, datagrams;
    bool done;
} transfers[4];
static unsigned oldest;

static struct transfer *transfer_find(const ip_addr_t *from, uint32_t id)
{
    struct transfer *t;

    for (t = transfers; t < transfers + 4; t++)
        if (t->id == id && ip_addr_cmp(&t->count.from, from))
            return t;
    t = &transfers[oldest++ % 4];
    memset(t, 0, sizeof *t);
    t->id = id;
    t->count.from = *from;
    return t;
}

static void transfer_end(struct transfer *t, uint32_t sent)
{
    char what[48];
    uint32_t lost = sent > t->datagrams ? sent - t->datagrams : 0;

    t->done = true;
    snprintf(what, sizeof what, "udp, %u of %u datagrams lost", lost, sent);
    count_print(&t->count, what);
}

static void sink_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                          u16_t port)
{
    struct bulk_header header;

    (void)arg;
    (void)pcb;
    (void)port;
    if (pbuf_copy_partial(p, &header, sizeof header, 0) == sizeof header) {
        struct transfer *t = transfer_find(from, header.id);

        if (t->done) {
            /* the last datagram once more, or one that came too late */
        } else if (lwip_ntohl(header.flags) & BULK_LAST) {
            transfer_end(t, lwip_ntohl(header.number));
        } else {
            count_add(&t->count, p->tot_len);
            t->datagrams++;
        }
    }
    pbuf_free(p);
}

int sink_start(void)
{
    struct udp_pcb *udp = udp_new();

    if (!udp || udp_bind(udp, IP_ADDR_ANY, BULK_PORT) != ERR_OK)
        return 0;
    udp_recv(udp, sink_datagram, NULL);
    return tcp_serve(BULK_PORT, sink_accept);
}
