/* A TCP connection for a command: calls wait, running the loop, and end at ctrl-C. */
#include "cmd/stream.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "net/loop.h"

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct stream *s = arg;

    (void)pcb;
    (void)err;
    s->connected = true;
    return ERR_OK;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct stream *s = arg;

    (void)pcb;
    (void)err;
    if (!p)
        s->ended = true;
    else if (s->in)
        pbuf_cat(s->in, p);
    else
        s->in = p;
    return ERR_OK;
}

/* lwIP has freed the connection already. */
static void on_error(void *arg, err_t err)
{
    struct stream *s = arg;

    s->pcb = NULL;
    s->err = err;
}

static bool failure_print(const struct stream *s)
{
    if (s->interrupted)
        return false;
    printf("%s\n", s->err == ERR_RST    ? (s->connected ? "connection reset" : "connection refused")
                   : s->err == ERR_ABRT ? "connection timed out"
                   : s->err == ERR_RTE  ? "network is unreachable"
                   : s->err == ERR_MEM  ? "no memory"
                                        : "connection failed");
    return false;
}

/* Run the loop once. Returns false when there is no more to wait for. */
static bool wait_once(struct stream *s, uint64_t deadline_ns)
{
    loop_once(deadline_ns);
    if (console_interrupted())
        s->interrupted = true;
    return s->pcb && !s->interrupted && clock_ns() < deadline_ns;
}

bool stream_open(struct stream *s, const ip_addr_t *to, u16_t port)
{
    memset(s, 0, sizeof *s);
    s->pcb = tcp_new();
    if (!s->pcb) {
        s->err = ERR_MEM;
        return failure_print(s);
    }
    tcp_arg(s->pcb, s);
    tcp_recv(s->pcb, on_received);
    tcp_err(s->pcb, on_error);
    /* lwIP would try; a group has no connections (RFC 1122, 4.2.3.10). */
    s->err = ip_addr_ismulticast(to) ? ERR_RTE : tcp_connect(s->pcb, to, port, on_connected);
    if (s->err != ERR_OK)
        return failure_print(s);
    while (!s->connected)
        if (!wait_once(s, CLOCK_NEVER))
            return failure_print(s);
    return true;
}

bool stream_write(struct stream *s, const void *bytes, size_t len, bool keep)
{
    const char *from = bytes;

    while (len > 0) {
        size_t room = s->pcb ? tcp_sndbuf(s->pcb) : 0;
        size_t part = len < room ? len : room;

        if (part > 0 &&
            tcp_write(s->pcb, from, (u16_t)part, keep ? 0 : TCP_WRITE_FLAG_COPY) == ERR_OK) {
            from += part;
            len -= part;
            tcp_output(s->pcb);
            continue;
        }
        if (!s->pcb || !wait_once(s, CLOCK_NEVER))
            return failure_print(s);
    }
    return true;
}

bool stream_finish(struct stream *s)
{
    /* The end is acknowledged at once, data alone only after a while (RFC 1122,
       4.2.3.2). */
    while (s->pcb && tcp_shutdown(s->pcb, 0, 1) != ERR_OK)
        if (!wait_once(s, CLOCK_NEVER))
            return failure_print(s);
    while (s->pcb && (s->pcb->unsent || s->pcb->unacked))
        if (!wait_once(s, CLOCK_NEVER))
            break;
    return s->pcb && !s->interrupted ? true : failure_print(s);
}

int stream_read(struct stream *s, void *to, size_t len, uint64_t deadline_ns)
{
    u16_t got;

    while (!s->in) {
        if (s->ended)
            return 0;
        if (!wait_once(s, deadline_ns) && !s->in) {
            if (s->pcb && !s->interrupted)
                printf("no answer\n");
            else
                failure_print(s);
            return -1;
        }
    }
    got = pbuf_copy_partial(s->in, to, (u16_t)(len < 0xffff ? len : 0xffff), 0);
    s->in = pbuf_free_header(s->in, got);
    if (s->pcb)
        tcp_recved(s->pcb, got);
    return got;
}

void stream_close(struct stream *s)
{
    if (s->in)
        pbuf_free(s->in);
    s->in = NULL;
    if (!s->pcb)
        return;
    tcp_arg(s->pcb, NULL);
    tcp_recv(s->pcb, NULL);
    tcp_err(s->pcb, NULL);
    if (s->interrupted || tcp_close(s->pcb) != ERR_OK)
        tcp_abort(s->pcb);
    s->pcb = NULL;
}
