/* nc: send a line over TCP or UDP and print the reply; from a group, the replies. */
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
#define GROUP_NS NS_PER_S /* nobody knows how many there will be */

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

/* Returns how many replies there were. */
static unsigned replies_print(struct datagram *d, bool group, char *text)
{
    uint64_t deadline = clock_ns() + (group ? GROUP_NS : PATIENCE_NS);
    char from[ADDRESS_TEXT];
    bool interrupted;
    unsigned count = 0;

    while ((group || count == 0) && datagram_wait(d, deadline, &interrupted)) {
        count++;
        address_print(from, ip_2_ip4(&d->in.from));
        if (group)
            printf("%s: ", from);
        text_print(text, pbuf_copy_partial(d->in.bytes, text, TEXT, 0));
    }
    if (count == 0 && !interrupted)
        printf("no answer\n");
    return count;
}

static int udp_talk(const ip_addr_t *to, u16_t port, char *text, unsigned len)
{
    struct datagram d;
    unsigned count = 0;

    if (datagram_open(&d) && datagram_send(&d, to, port, text, len))
        count = replies_print(&d, ip_addr_ismulticast(to), text);
    datagram_close(&d);
    return count > 0 ? 0 : 1;
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
