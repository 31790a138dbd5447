/* A UDP socket for a command: receives the first datagram that comes. */
#include "cmd/datagram.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "net/loop.h"

static void on_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    struct datagram *d = arg;

    (void)pcb;
    if (d->in) {
        pbuf_free(p); /* as a full socket buffer loses it */
        return;
    }
    d->in = p;
    d->from = *from;
    d->from_port = port;
}

bool datagram_open(struct datagram *d)
{
    memset(d, 0, sizeof *d);
    d->pcb = udp_new();
    if (d->pcb && udp_bind(d->pcb, IP_ADDR_ANY, 0) == ERR_OK) {
        udp_recv(d->pcb, on_received, d);
        return true;
    }
    printf("no memory\n");
    return false;
}

bool datagram_send(struct datagram *d, const ip_addr_t *to, u16_t port, const void *bytes,
                   unsigned len)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
    err_t err = ERR_MEM;

    if (p) {
        pbuf_take(p, bytes, (u16_t)len);
        err = udp_sendto(d->pcb, p, to, port);
        pbuf_free(p);
    }
    if (err != ERR_OK)
        printf("%s\n", err == ERR_RTE ? "network is unreachable" : "cannot send");
    return err == ERR_OK;
}

bool datagram_wait(struct datagram *d, uint64_t deadline_ns, bool *interrupted)
{
    if (d->in)
        pbuf_free(d->in);
    d->in = NULL;
    *interrupted = false;
    while (!d->in && !*interrupted && clock_ns() < deadline_ns) {
        loop_once(deadline_ns);
        *interrupted = console_interrupted();
    }
    return d->in != NULL;
}

void datagram_close(struct datagram *d)
{
    if (d->in)
        pbuf_free(d->in);
    if (d->pcb)
        udp_remove(d->pcb);
    d->in = NULL;
    d->pcb = NULL;
}
