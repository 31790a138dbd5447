/* A TCP server's listening socket. */
#ifndef PROGRAMS_SERVE_LISTEN_H
#define PROGRAMS_SERVE_LISTEN_H

#include "lwip/tcp.h"

/* Listen on every address. Returns 0 when there is no memory or the port is taken. */
int tcp_serve(u16_t port, tcp_accept_fn accept);

#endif
