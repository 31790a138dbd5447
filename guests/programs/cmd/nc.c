/* nc: send a line over TCP or UDP and print the reply. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/datagram.h"
#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "cmd/stream.h"
#include "net/address.h"

enum { TEXT = 256 };
#define PATIENCE_NS (5 * NS_PER_S)

static void text_print(const char *text, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        if (text[i] != '\r')
            printf("%c", text[i]);
    if (len == 0 || text[len - 1] != '\n')
        printf("\n");
}

static int tcp_talk(const ip_addr_t *to, u16_t port, char *text, unsigned len)
{
    struct stream s;
    int got = -1;

    /* One line is sent, one piece of answer is printed. */
    if (stream_open(&s, to, port) && stream_write(&s, text, len, false))
        got = stream_read(&s, text, TEXT, clock_ns() + PATIENCE_NS);
    if (got > 0)
        text_print(text, (unsigned)got);
    else if (got == 0)
        printf("closed without an answer\n");
    stream_close(&s);
    return got > 0 ? 0 : 1;
}

static int udp_talk(const ip_addr_t *to, u16_t port, char *text, unsigned len)
{
    struct datagram d;
    bool got = false, interrupted = false;

    if (datagram_open(&d) && datagram_send(&d, to, port, text, len)) {
        got = datagram_wait(&d, clock_ns() + PATIENCE_NS, &interrupted);
        if (got)
            text_print(text, pbuf_copy_partial(d.in, text, TEXT, 0));
        else if (!interrupted)
            printf("no answer\n");
    }
    datagram_close(&d);
    return got ? 0 : 1;
}

int command_nc(int argc, char **argv)
{
    char text[TEXT];
    const char *number;
    uint64_t port;
    ip_addr_t to;
    unsigned len = 0;
    bool udp = argc > 1 && strcmp(argv[1], "-u") == 0;

    if (udp) {
        argc--;
        argv++;
    }
    if (argc < 4)
        return COMMAND_USAGE;
    number = argv[2];
    if (!parse_number(&number, 65535, &port) || *number)
        return COMMAND_USAGE;
    for (int i = 3; i < argc && len < TEXT - 2; i++)
        len += (unsigned)snprintf(text + len, TEXT - len - 1, "%s%s", i > 3 ? " " : "", argv[i]);
    if (len > TEXT - 2)
        len = TEXT - 2;
    text[len++] = '\n';
    if (!name_resolve(argv[1], &to))
        return 1;
    return (udp ? udp_talk : tcp_talk)(&to, (u16_t)port, text, len);
}
