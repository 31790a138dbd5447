/* ping: ICMP echo requests and their round trips, printed as iputils does. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "lwip/icmp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip4.h"
#include "lwip/raw.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/random.h"

enum { SIZE_MOST = 8192, SLOTS = 64 };

static struct {
    ip_addr_t to;
    char text[ADDRESS_TEXT];
    uint16_t id;
    uint64_t count, size, interval_ns;
    uint64_t sent, received, again, timed;
    uint64_t sent_ns[SLOTS]; /* by sequence number */
    uint64_t answered;       /* a bit for each of them */
    uint64_t least_ns, most_ns, sum_ns;
} ping;

static void milliseconds_print(uint64_t ns)
{
    printf("%lu.%03lu", ns / NS_PER_MS, ns / NS_PER_US % 1000);
}

/* Of older requests it is not known when they were sent, nor whether they were answered before. */
static bool is_known(uint16_t seq)
{
    return (uint16_t)((uint16_t)ping.sent - seq) < SLOTS;
}

/* The first answer to a request counts. Others come from other members of a group, or because a
   packet was doubled on its way. */
static bool reply_count(uint16_t seq)
{
    uint64_t bit = is_known(seq) ? UINT64_C(1) << seq % SLOTS : 0;
    bool first = !(ping.answered & bit);

    ping.answered |= bit;
    ping.received += first;
    ping.again += !first;
    return first;
}

static void time_print(uint16_t seq)
{
    uint64_t ns = clock_ns() - ping.sent_ns[seq % SLOTS];

    ping.timed++;
    ping.sum_ns += ns;
    if (ns < ping.least_ns)
        ping.least_ns = ns;
    if (ns > ping.most_ns)
        ping.most_ns = ns;
    printf(" time=");
    milliseconds_print(ns);
    printf(" ms");
}

static void reply_print(const ip_addr_t *from, uint16_t seq, unsigned ttl, unsigned len)
{
    bool first = reply_count(seq);
    char text[ADDRESS_TEXT];

    address_print(text, ip_2_ip4(from));
    printf("%u bytes from %s: icmp_seq=%u ttl=%u", len, text, seq, ttl);
    if (is_known(seq))
        time_print(seq);
    printf("%s\n", first ? "" : " (DUP!)");
}

static void error_print(const struct pbuf *p, unsigned header, const ip_addr_t *from)
{
    static const char *const unreachable[] = {
        "Destination Net Unreachable", "Destination Host Unreachable",
        "Destination Protocol Unreachable", "Destination Port Unreachable"};
    /* The packet that it is about follows the error's eight bytes (RFC 792). */
    struct {
        struct icmp_echo_hdr icmp;
        struct ip_hdr ip;
        struct icmp_echo_hdr echo;
    } __attribute__((packed)) e;
    char text[ADDRESS_TEXT];

    if (pbuf_copy_partial(p, &e, sizeof e, (u16_t)header) != sizeof e ||
        IPH_PROTO(&e.ip) != IP_PROTO_ICMP || e.echo.id != ping.id)
        return;
    address_print(text, ip_2_ip4(from));
    printf("From %s icmp_seq=%u %s\n", text, lwip_ntohs(e.echo.seqno),
           e.icmp.type == ICMP_TE                       ? "Time to live exceeded"
           : e.icmp.type == ICMP_DUR && e.icmp.code < 4 ? unreachable[e.icmp.code]
                                                        : "error");
}

/* Returns 1 for a packet that was taken (and freed), 0 to let lwIP go on with it. */
static u8_t ping_receive(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct ip_hdr ip;
    struct icmp_echo_hdr echo;
    unsigned header;

    (void)arg;
    (void)pcb;
    if (pbuf_copy_partial(p, &ip, sizeof ip, 0) != sizeof ip)
        return 0;
    header = IPH_HL(&ip) * 4u;
    if (pbuf_copy_partial(p, &echo, sizeof echo, (u16_t)header) != sizeof echo)
        return 0;
    if (ICMPH_TYPE(&echo) == ICMP_TE || ICMPH_TYPE(&echo) == ICMP_DUR) {
        error_print(p, header, from);
        return 0;
    }
    if (ICMPH_TYPE(&echo) != ICMP_ER || echo.id != ping.id ||
        (!ip_addr_ismulticast(&ping.to) && !ip_addr_cmp(from, &ping.to)))
        return 0;
    reply_print(from, lwip_ntohs(echo.seqno), IPH_TTL(&ip), p->tot_len - header);
    pbuf_free(p);
    return 1;
}

static bool ping_send(struct raw_pcb *pcb)
{
    u16_t len = (u16_t)(sizeof(struct icmp_echo_hdr) + ping.size);
    struct pbuf *p = pbuf_alloc(PBUF_IP, len, PBUF_RAM);
    struct icmp_echo_hdr *echo;
    uint16_t seq = (uint16_t)(ping.sent + 1);
    err_t err;

    if (!p)
        return false;
    echo = p->payload;
    ICMPH_TYPE_SET(echo, ICMP_ECHO);
    ICMPH_CODE_SET(echo, 0);
    echo->id = ping.id;
    echo->seqno = lwip_htons(seq);
    echo->chksum = 0;
    for (unsigned i = 0; i < ping.size; i++)
        ((uint8_t *)(echo + 1))[i] = (uint8_t)(i + 8);
    echo->chksum = inet_chksum(echo, len);
    ping.sent_ns[seq % SLOTS] = clock_ns();
    ping.answered &= ~(UINT64_C(1) << seq % SLOTS);
    err = raw_sendto(pcb, p, &ping.to);
    pbuf_free(p);
    ping.sent++;
    if (err != ERR_OK)
        printf("ping: %s\n", err == ERR_RTE ? "Network is unreachable" : "cannot send");
    return true;
}

static void summary_print(void)
{
    printf("\n--- %s ping statistics ---\n", ping.text);
    printf("%lu packets transmitted, %lu received, ", ping.sent, ping.received);
    if (ping.again > 0)
        printf("+%lu duplicates, ", ping.again);
    printf("%lu%% packet loss\n", ping.sent ? (ping.sent - ping.received) * 100 / ping.sent : 0);
    if (ping.timed == 0)
        return;
    printf("rtt min/avg/max = ");
    milliseconds_print(ping.least_ns);
    printf("/");
    milliseconds_print(ping.sum_ns / ping.timed);
    printf("/");
    milliseconds_print(ping.most_ns);
    printf(" ms\n");
}

/* Returns whether there is more to wait for: from a group, always. */
static bool replies_wait(uint64_t deadline_ns, bool last)
{
    do {
        loop_once(deadline_ns);
        if (console_interrupted() ||
            (last && ping.received >= ping.sent && !ip_addr_ismulticast(&ping.to)))
            return false;
    } while (clock_ns() < deadline_ns);
    return true;
}

static void ping_run(struct raw_pcb *pcb)
{
    /* The last reply is given a second, or an interval when that is longer. */
    uint64_t last_ns = ping.interval_ns > NS_PER_S ? ping.interval_ns : NS_PER_S;
    uint64_t next = clock_ns();
    bool last = false;

    while (!last) {
        if (!ping_send(pcb)) {
            printf("ping: no memory\n");
            break;
        }
        last = ping.count > 0 && ping.sent >= ping.count;
        next += ping.interval_ns;
        if (!replies_wait(last ? clock_ns() + last_ns : next, last))
            break;
    }
}

static bool options_parse(char **argv, char **name)
{
    for (argv++; *argv; argv++) {
        const char *value = argv[1];
        bool good = true;

        if ((*argv)[0] != '-') {
            *name = *argv;
            continue;
        }
        if (!value)
            return false;
        if (strcmp(*argv, "-c") == 0)
            good = parse_number(&value, 1000000000, &ping.count) && ping.count > 0;
        else if (strcmp(*argv, "-i") == 0)
            good = parse_decimal(&value, NS_PER_S, &ping.interval_ns);
        else if (strcmp(*argv, "-s") == 0)
            good = parse_number(&value, SIZE_MOST, &ping.size);
        else
            return false;
        if (!good || *value)
            return false;
        argv++;
    }
    return *name != NULL;
}

int command_ping(int argc, char **argv)
{
    struct raw_pcb *pcb;
    char *name = NULL;

    (void)argc;
    memset(&ping, 0, sizeof ping);
    ping.size = 56;
    ping.interval_ns = NS_PER_S;
    ping.least_ns = UINT64_MAX;
    if (!options_parse(argv, &name))
        return COMMAND_USAGE;
    if (!name_resolve(name, &ping.to))
        return 1;
    pcb = raw_new(IP_PROTO_ICMP);
    if (!pcb) {
        printf("ping: no memory\n");
        return 1;
    }
    ping.id = (uint16_t)random_u32();
    raw_recv(pcb, ping_receive, NULL);
    raw_bind(pcb, IP_ADDR_ANY);
    raw_set_multicast_ttl(pcb, 1); /* as in datagram_socket() */
    raw_set_flags(pcb, RAW_FLAGS_MULTICAST_LOOP);
    address_print(ping.text, ip_2_ip4(&ping.to));
    printf("PING %s (%s): %lu data bytes\n", name, ping.text, ping.size);
    ping_run(pcb);
    raw_remove(pcb);
    summary_print();
    return ping.received > 0 ? 0 : 1;
}
