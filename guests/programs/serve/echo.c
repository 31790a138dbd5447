/* The echo server, TCP and UDP 7 (RFC 862). A TCP peer that does not read what comes
   back is sent no window, so that a connection never holds more than one. */
#include "lwip/mem.h"
#include "lwip/udp.h"
#include "serve/listen.h"
#include "serve/servers.h"

#include <stdbool.h>
#include <string.h>

enum { PORT = 7, POLL_HALF_SECONDS = 4 };

struct echo {
    struct pbuf *waiting; /* received and not sent back */
    bool ended;
};

static void udp_echo(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                     u16_t port)
{
    struct pbuf *copy;

    (void)arg;
    /* An answer to another server's echo port would go to and fro for ever. */
    if (port != PORT) {
        /* The answer needs room for headers, which a received pbuf may not have. */
        copy = pbuf_alloc(PBUF_TRANSPORT, p->tot_len, PBUF_RAM);
        if (copy && pbuf_copy(copy, p) == ERR_OK)
            udp_sendto(pcb, copy, from, port);
        if (copy)
            pbuf_free(copy);
    }
    pbuf_free(p);
}

/* Returns false when the connection was aborted. */
static bool echo_push(struct echo *e, struct tcp_pcb *pcb)
{
    while (e->waiting) {
        u16_t room = tcp_sndbuf(pcb);
        u16_t part = e->waiting->len < room ? e->waiting->len : room;

        if (part == 0 || tcp_write(pcb, e->waiting->payload, part, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
        tcp_recved(pcb, part);
        e->waiting = pbuf_free_header(e->waiting, part);
    }
    tcp_output(pcb);
    if (!e->ended || e->waiting)
        return true;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    mem_free(e);
    if (tcp_close(pcb) == ERR_OK)
        return true;
    tcp_abort(pcb);
    return false;
}

static err_t echo_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct echo *e = arg;

    (void)err;
    if (!p)
        e->ended = true;
    else if (e->waiting)
        pbuf_cat(e->waiting, p);
    else
        e->waiting = p;
    return echo_push(e, pcb) ? ERR_OK : ERR_ABRT;
}

static err_t echo_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)len;
    return echo_push(arg, pcb) ? ERR_OK : ERR_ABRT;
}

/* Memory that ran out may be there again. */
static err_t echo_poll(void *arg, struct tcp_pcb *pcb)
{
    return echo_push(arg, pcb) ? ERR_OK : ERR_ABRT;
}

static void echo_error(void *arg, err_t err)
{
    struct echo *e = arg;

    (void)err;
    if (e->waiting)
        pbuf_free(e->waiting);
    mem_free(e);
}

static err_t echo_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct echo *e;

    (void)arg;
    if (err != ERR_OK || !pcb || !(e = mem_malloc(sizeof *e)))
        return ERR_MEM;
    memset(e, 0, sizeof *e);
    tcp_arg(pcb, e);
    tcp_recv(pcb, echo_receive);
    tcp_sent(pcb, echo_sent);
    tcp_err(pcb, echo_error);
    tcp_poll(pcb, echo_poll, POLL_HALF_SECONDS);
    return ERR_OK;
}

int echo_start(void)
{
    struct udp_pcb *udp = udp_new();

    if (!udp || udp_bind(udp, IP_ADDR_ANY, PORT) != ERR_OK)
        return 0;
    udp_recv(udp, udp_echo, NULL);
    return tcp_serve(PORT, echo_accept);
}
