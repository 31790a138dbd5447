/* A UDP socket for a command: calls that wait. */
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
    if (d->count == DATAGRAMS_WAITING)
        pbuf_free(p); /* as a full socket buffer loses it */
    else
        d->waiting[d->count++] = (struct datagram_in){p, *from, port};
}

struct udp_pcb *datagram_socket(void)
{
    struct udp_pcb *pcb = udp_new();

    if (!pcb)
        return NULL;
    udp_set_multicast_ttl(pcb, 1);
    udp_set_flags(pcb, UDP_FLAGS_MULTICAST_LOOP);
    return pcb;
}

bool datagram_open(struct datagram *d)
{
    memset(d, 0, sizeof *d);
    d->pcb = datagram_socket();
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

static void in_free(struct datagram *d)
{
    if (d->in.bytes)
        pbuf_free(d->in.bytes);
    d->in.bytes = NULL;
}

static void in_next(struct datagram *d)
{
    if (d->count == 0)
        return;
    d->in = d->waiting[0];
    memmove(d->waiting, d->waiting + 1, --d->count * sizeof d->waiting[0]);
}

bool datagram_wait(struct datagram *d, uint64_t deadline_ns, bool *interrupted)
{
    in_free(d);
    *interrupted = false;
    while (d->count == 0 && !*interrupted && clock_ns() < deadline_ns) {
        loop_once(deadline_ns);
        *interrupted = console_interrupted();
    }
    in_next(d);
    return d->in.bytes != NULL;
}

void datagram_close(struct datagram *d)
{
    if (d->pcb)
        udp_remove(d->pcb);
    d->pcb = NULL;
    for (in_free(d); d->count > 0; in_free(d))
        in_next(d);
}
