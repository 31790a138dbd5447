/* The discard server, TCP 9 (RFC 863): what comes is thrown away. */
#include "serve/listen.h"
#include "serve/servers.h"

enum { PORT = 9 };

static err_t discard_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    if (tcp_close(pcb) == ERR_OK)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

static err_t discard_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    if (err != ERR_OK || !pcb)
        return ERR_VAL;
    tcp_recv(pcb, discard_receive);
    return ERR_OK;
}

int discard_start(void)
{
    return tcp_serve(PORT, discard_accept);
}
