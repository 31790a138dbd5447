/* A TCP connection for a command: calls wait, running the loop, and end at ctrl-C. */
#ifndef PROGRAMS_CMD_STREAM_H
#define PROGRAMS_CMD_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "lwip/tcp.h"

struct stream {
    struct tcp_pcb *pcb; /* NULL once lwIP has given it up */
    struct pbuf *in;     /* received and not read */
    bool connected, ended, interrupted;
    err_t err;
};

/* Each says what went wrong when it returns false (read: -1). stream_close() is called
   in every case, and says nothing. */
bool stream_open(struct stream *s, const ip_addr_t *to, u16_t port);
/* `keep`: the bytes stay where they are for ever, and need no copy. */
bool stream_write(struct stream *s, const void *bytes, size_t len, bool keep);
/* End our side, and wait until the peer has acknowledged that and everything written. */
bool stream_finish(struct stream *s);
/* Returns how many bytes were read, 0 at the end of the stream, -1 on failure. */
int stream_read(struct stream *s, void *to, size_t len, uint64_t deadline_ns);
void stream_close(struct stream *s);

#endif
