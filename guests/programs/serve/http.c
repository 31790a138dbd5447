/*
 * A web server (RFC 9112) that answers GET and HEAD, one request to a connection:
 *
 *     /          this machine's name, address and time
 *     /bytes/N   N bytes of the pattern in net/pattern.h
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lwip/mem.h"
#include "net/address.h"
#include "net/ifconfig.h"
#include "net/pattern.h"
#include "serve/listen.h"
#include "serve/servers.h"

enum { PORT = 80, REQUEST = 256, ANSWER = 512, POLL_HALF_SECONDS = 4, PATIENCE = 15 };

struct visit {
    char request[REQUEST]; /* its beginning; the rest is read and thrown away */
    unsigned len, newlines, polls;
    bool answered;
    uint64_t offset, left; /* of the pattern that is still to be sent */
};

static err_t visit_end(struct visit *v, struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    mem_free(v);
    if (tcp_close(pcb) == ERR_OK)
        return ERR_OK;
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Send what there is room for; the end of it is the end of the connection. */
static err_t visit_push(struct visit *v, struct tcp_pcb *pcb)
{
    while (v->left > 0) {
        uint64_t part = tcp_sndbuf(pcb);

        if (part > PATTERN)
            part = PATTERN;
        if (part > v->left)
            part = v->left;
        if (part == 0 || tcp_write(pcb, pattern + v->offset % PATTERN_PERIOD, (u16_t)part,
                                   part < v->left ? TCP_WRITE_FLAG_MORE : 0) != ERR_OK)
            break;
        v->offset += part;
        v->left -= part;
        v->polls = 0;
    }
    tcp_output(pcb);
    return v->left > 0 ? ERR_OK : visit_end(v, pcb);
}

static unsigned page_write(char *to, unsigned size, const struct tcp_pcb *pcb)
{
    char address[ADDRESS_TEXT];
    uint64_t now = clock_ns();

    address_print(address, ip_2_ip4(&pcb->local_ip));
    return (unsigned)snprintf(
        to, size, "<!DOCTYPE html>\n<title>%s</title>\n<p>This is %s at %s, up %lu.%03lu s.\n",
        host_name()[0] ? host_name() : "lanarium", host_name()[0] ? host_name() : "a host", address,
        now / NS_PER_S, now % NS_PER_S / NS_PER_MS);
}

static err_t answer(struct visit *v, struct tcp_pcb *pcb, const char *status, const char *type,
                    const char *body, uint64_t body_len, bool head)
{
    char text[ANSWER];
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %lu\r\n"
                       "Connection: close\r\n\r\n%s",
                       status, type, body_len, head ? "" : body);

    v->answered = true;
    if (tcp_write(pcb, text, (u16_t)len, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        v->left = 0;
        return visit_end(v, pcb);
    }
    return visit_push(v, pcb);
}

static err_t error_answer(struct visit *v, struct tcp_pcb *pcb, const char *status, bool head)
{
    char body[64];
    int len = snprintf(body, sizeof body, "%s\n", status);

    return answer(v, pcb, status, "text/plain", body, (uint64_t)len, head);
}

static err_t request_answer(struct visit *v, struct tcp_pcb *pcb)
{
    const char *s = v->request;
    char body[288];
    uint64_t n;
    bool head = parse_word(&s, "HEAD ");

    v->request[v->len < REQUEST ? v->len : REQUEST - 1] = '\0';
    if (!head && !parse_word(&s, "GET "))
        return error_answer(v, pcb, strchr(s, ' ') ? "501 Not Implemented" : "400 Bad Request",
                            false);
    if (parse_word(&s, "/ ") || parse_word(&s, "/index.html "))
        return answer(v, pcb, "200 OK", "text/html", body, page_write(body, sizeof body, pcb),
                      head);
    if (parse_word(&s, "/bytes/") && parse_number(&s, UINT64_MAX / 16, &n) && *s == ' ') {
        v->left = head ? 0 : n;
        return answer(v, pcb, "200 OK", "application/octet-stream", "", n, head);
    }
    return error_answer(v, pcb, "404 Not Found", head);
}

/* The request's head ends at an empty line. */
static bool head_take(struct visit *v, const struct pbuf *p)
{
    for (; p; p = p->next) {
        const char *bytes = p->payload;

        for (u16_t i = 0; i < p->len; i++) {
            if (v->len < REQUEST)
                v->request[v->len++] = bytes[i];
            if (bytes[i] == '\n')
                v->newlines++;
            else if (bytes[i] != '\r')
                v->newlines = 0;
            if (v->newlines == 2)
                return true;
        }
    }
    return false;
}

static err_t http_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct visit *v = arg;
    bool whole;

    (void)err;
    if (!p)
        /* The peer may have ended its side and still wait for the page. */
        return v->answered && v->left > 0 ? ERR_OK : visit_end(v, pcb);
    whole = !v->answered && head_take(v, p);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return whole ? request_answer(v, pcb) : ERR_OK;
}

static err_t http_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    struct visit *v = arg;

    (void)len;
    v->polls = 0;
    return v->answered ? visit_push(v, pcb) : ERR_OK;
}

/* A visitor who does nothing for half a minute is sent away. */
static err_t http_poll(void *arg, struct tcp_pcb *pcb)
{
    struct visit *v = arg;

    if (++v->polls < PATIENCE)
        return v->answered ? visit_push(v, pcb) : ERR_OK;
    tcp_abort(pcb); /* http_error() frees */
    return ERR_ABRT;
}

static void http_error(void *arg, err_t err)
{
    (void)err;
    mem_free(arg);
}

static err_t http_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct visit *v;

    (void)arg;
    if (err != ERR_OK || !pcb || !(v = mem_malloc(sizeof *v)))
        return ERR_MEM;
    memset(v, 0, sizeof *v);
    tcp_arg(pcb, v);
    tcp_recv(pcb, http_receive);
    tcp_sent(pcb, http_sent);
    tcp_err(pcb, http_error);
    tcp_poll(pcb, http_poll, POLL_HALF_SECONDS);
    return ERR_OK;
}

int http_start(void)
{
    return tcp_serve(PORT, http_accept);
}
