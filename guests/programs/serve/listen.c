/* A TCP server's listening socket. */
#include "serve/listen.h"

int tcp_serve(u16_t port, tcp_accept_fn accept)
{
    struct tcp_pcb *pcb = tcp_new(), *listener;

    if (!pcb)
        return 0;
    if (tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK || !(listener = tcp_listen(pcb))) {
        tcp_abort(pcb);
        return 0;
    }
    tcp_accept(listener, accept);
    return 1;
}
