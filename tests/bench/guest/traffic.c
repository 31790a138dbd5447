/*
 * TCP and UDP traffic between two Linux guests, or a guest and the host: a server, and clients that
 * move a fixed amount of it. Built for the guest with no C library, and for the host with its own.
 *
 *     traffic serve ADDRESS BASE               until it is ended; ADDRESS 0.0.0.0 for any
 *     traffic tcp ADDRESS BASE BYTES           client to server, until the server has all of it
 *     traffic get ADDRESS BASE BYTES           server to client
 *     traffic rr  ADDRESS BASE TRANSACTIONS    a byte there, a byte back, over one TCP connection
 *     traffic udp ADDRESS BASE DATAGRAMS       64 bytes each, at most WINDOW unacknowledged
 *
 * BASE is the first of four ports. Clients print "traffic: begin" when they are connected, and
 * "traffic: end AMOUNT". They tell no times: a guest's clock need not be the host's.
 */
#include <stdbool.h>

#ifdef __riscv
#include "linux.h"
#else
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#endif

enum { PORT_SINK, PORT_ECHO, PORT_UDP, PORT_SOURCE };

#define WINDOW 128    /* datagrams */
#define ACK_EVERY 32  /* datagrams */
#define PATIENCE_MS 200

/* A datagram there, and back as an acknowledgement. */
struct datagram {
    uint64_t count;
    uint64_t want_ack;
    uint64_t received; /* in an acknowledgement */
    uint8_t rest[40];
};

static uint8_t buffer[65536];

static void say(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    (void)!write(1, text, n);
}

static void say_end(uint64_t amount)
{
    char text[40] = "traffic: end ", digits[20];
    unsigned at = 13, n = 0;

    do
        digits[n++] = (char)('0' + amount % 10);
    while (amount /= 10);
    while (n)
        text[at++] = digits[--n];
    text[at++] = '\n';
    text[at] = '\0';
    say(text);
}

static _Noreturn void die(const char *text)
{
    say(text);
    _exit(1);
}

static uint64_t number(const char **s)
{
    uint64_t n = 0;
    while (**s >= '0' && **s <= '9')
        n = n * 10 + (uint64_t)(*(*s)++ - '0');
    return n;
}

static struct sockaddr_in address(const char *text, uint64_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    uint8_t *ip = (uint8_t *)&a.sin_addr, *p = (uint8_t *)&a.sin_port;

    for (int i = 0; i < 4; i++, text++)
        ip[i] = (uint8_t)number(&text);
    p[0] = (uint8_t)(port >> 8);
    p[1] = (uint8_t)port;
    return a;
}

static bool same_text(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static int open_to(const char *to, uint64_t port, int type)
{
    struct sockaddr_in a = address(to, port);
    int one = 1, fd = socket(AF_INET, type, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        die("traffic: cannot connect\n");
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int open_at(const char *at, uint64_t port, int type)
{
    struct sockaddr_in a = address(at, port);
    int one = 1, fd = socket(AF_INET, type, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        (type == SOCK_STREAM && listen(fd, 8) < 0))
        die("traffic: cannot listen\n");
    return fd;
}

/* False at the end of the stream, or if it broke. */
static bool read_all(int fd, void *to, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = read(fd, (uint8_t *)to + got, len - got);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void write_amount(int fd, uint64_t amount)
{
    while (amount) {
        ssize_t n = write(fd, buffer, amount < sizeof(buffer) ? amount : sizeof(buffer));
        if (n <= 0)
            die("traffic: the connection broke\n");
        amount -= (uint64_t)n;
    }
}

/* --- the server's sides --- */

static void serve_sink(int fd)
{
    while (read(fd, buffer, sizeof(buffer)) > 0)
        ;
    (void)!write(fd, buffer, 1);
}

static void serve_echo(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    while (read(fd, buffer, 1) == 1 && write(fd, buffer, 1) == 1)
        ;
}

static void serve_source(int fd)
{
    uint64_t amount;

    if (read_all(fd, &amount, sizeof(amount)))
        write_amount(fd, amount);
}

static _Noreturn void serve_datagrams(int fd)
{
    struct datagram d;
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    uint64_t got = 0;

    for (;; len = sizeof(from)) {
        if (recvfrom(fd, &d, sizeof(d), 0, (struct sockaddr *)&from, &len) != (ssize_t)sizeof(d))
            continue;
        got = d.count ? got + 1 : 1; /* the first of a client is number 0 */
        if (!d.want_ack && d.count % ACK_EVERY)
            continue;
        d.received = got;
        sendto(fd, &d, sizeof(d), 0, (struct sockaddr *)&from, len);
    }
}

static _Noreturn void serve_stream(int listener, void (*serve)(int fd))
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        serve(fd);
        close(fd);
    }
}

static int traffic_serve(const char *at, uint64_t base)
{
    static void (*const streams[])(int) = {
        [PORT_SINK] = serve_sink, [PORT_ECHO] = serve_echo, [PORT_SOURCE] = serve_source};

    for (unsigned i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
        int fd = open_at(at, base + i, streams[i] ? SOCK_STREAM : SOCK_DGRAM);
        if (i == PORT_SOURCE)
            say("traffic: serving\n");
        if (i != PORT_SOURCE && fork() != 0)
            close(fd);
        else if (streams[i])
            serve_stream(fd, streams[i]);
        else
            serve_datagrams(fd);
    }
    return 1;
}

/* --- the clients --- */

static int traffic_tcp(const char *to, uint64_t base, uint64_t amount)
{
    int fd = open_to(to, base + PORT_SINK, SOCK_STREAM);

    say("traffic: begin\n");
    write_amount(fd, amount);
    shutdown(fd, SHUT_WR);
    if (!read_all(fd, buffer, 1)) /* written when the server has seen the end */
        die("traffic: the connection broke\n");
    say_end(amount);
    return 0;
}

static int traffic_get(const char *to, uint64_t base, uint64_t amount)
{
    int fd = open_to(to, base + PORT_SOURCE, SOCK_STREAM);
    uint64_t got = 0;

    say("traffic: begin\n");
    (void)!write(fd, &amount, sizeof(amount));
    while (got < amount) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            die("traffic: the connection broke\n");
        got += (uint64_t)n;
    }
    say_end(got);
    return 0;
}

static int traffic_rr(const char *to, uint64_t base, uint64_t amount)
{
    int fd = open_to(to, base + PORT_ECHO, SOCK_STREAM);

    say("traffic: begin\n");
    for (uint64_t i = 0; i < amount; i++)
        if (write(fd, buffer, 1) != 1 || read(fd, buffer, 1) != 1)
            die("traffic: the connection broke\n");
    say_end(amount);
    return 0;
}

/* Tells how many arrived. Whatever is silent for PATIENCE_MS is taken as lost. */
static int traffic_udp(const char *to, uint64_t base, uint64_t amount)
{
    struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
    struct datagram d = {0}, ack;
    uint64_t sent = 0, known = 0, arrived = 0;
    int fd = open_to(to, base + PORT_UDP, SOCK_DGRAM);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    say("traffic: begin\n");
    while (known < amount) {
        for (; sent < amount && sent - known < WINDOW; sent++) {
            d.count = sent;
            d.want_ack = sent + 1 == amount;
            (void)!write(fd, &d, sizeof(d));
        }
        if (read(fd, &ack, sizeof(ack)) != (ssize_t)sizeof(ack)) {
            known = sent;
            continue;
        }
        known = known > ack.count + 1 ? known : ack.count + 1;
        arrived = ack.received;
    }
    say_end(arrived);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const char *to, uint64_t base, uint64_t amount);
    } clients[] = {{"tcp", traffic_tcp}, {"get", traffic_get}, {"rr", traffic_rr},
                   {"udp", traffic_udp}};

    if (argc < 4)
        die("usage: traffic serve|tcp|get|rr|udp ADDRESS BASE [AMOUNT]\n");
    const char *base = argv[3], *amount = argc > 4 ? argv[4] : "0";
    if (same_text(argv[1], "serve"))
        return traffic_serve(argv[2], number(&base));
    for (unsigned i = 0; i < sizeof(clients) / sizeof(*clients); i++)
        if (same_text(argv[1], clients[i].name))
            return clients[i].run(argv[2], number(&base), number(&amount));
    die("traffic: there is no such mode\n");
}
