/* send: as much as possible for some time, or some bytes, over TCP; or datagrams at a
   rate over UDP. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/console.h"
#include "cmd/datagram.h"
#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "cmd/stream.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/pattern.h"
#include "net/random.h"
#include "net/rate.h"
#include "serve/bulk.h"

struct job {
    ip_addr_t to;
    char *name;
    uint64_t port, bytes, time_ns; /* bytes 0: as many as go in time_ns */
    uint64_t rate_bps;
    bool udp;
};

static void result_print(const struct job *job, uint64_t bytes, uint64_t ns)
{
    char rate[RATE_TEXT];

    rate_print(rate, bytes, ns);
    printf("sent %lu bytes to %s in %s (%s)\n", bytes, job->name, rate, job->udp ? "udp" : "tcp");
}

static bool is_done(const struct job *job, uint64_t sent, uint64_t start_ns)
{
    return job->bytes ? sent >= job->bytes : clock_ns() - start_ns >= job->time_ns;
}

static int tcp_run(const struct job *job)
{
    struct stream s;
    uint64_t sent = 0, start;
    bool good = stream_open(&s, &job->to, (u16_t)job->port);

    start = clock_ns();
    while (good && !is_done(job, sent, start)) {
        uint64_t part = job->bytes && job->bytes - sent < PATTERN ? job->bytes - sent : PATTERN;

        good = stream_write(&s, pattern + sent % PATTERN_PERIOD, part, true);
        sent += good ? part : 0;
    }
    good = good && stream_finish(&s);
    if (good)
        result_print(job, sent, clock_ns() - start);
    stream_close(&s);
    return good ? 0 : 1;
}

static err_t datagram_out(struct udp_pcb *pcb, const struct job *job,
                          const struct bulk_header *header, unsigned body)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)(sizeof *header + body), PBUF_RAM);
    err_t err;

    if (!p)
        return ERR_MEM;
    pbuf_take(p, header, sizeof *header);
    if (body > 0)
        pbuf_take_at(p, pattern, (u16_t)body, sizeof *header);
    err = udp_sendto(pcb, p, &job->to, (u16_t)job->port);
    pbuf_free(p);
    return err;
}

/* Sends one datagram, waiting while the interface is busy. */
static bool datagram_push(struct udp_pcb *pcb, const struct job *job,
                          const struct bulk_header *header, unsigned body)
{
    err_t err;

    while ((err = datagram_out(pcb, job, header, body)) == ERR_BUF || err == ERR_MEM) {
        loop_once(clock_ns() + NS_PER_MS);
        if (console_interrupted())
            return false;
    }
    if (err != ERR_OK)
        printf("%s\n", err == ERR_RTE ? "network is unreachable" : "cannot send");
    return err == ERR_OK;
}

static bool wait_until(uint64_t at_ns)
{
    do {
        loop_once(at_ns);
        if (console_interrupted())
            return false;
    } while (clock_ns() < at_ns);
    return true;
}

static int udp_run(const struct job *job)
{
    struct udp_pcb *pcb = datagram_socket();
    struct bulk_header header = {random_u32(), 0, 0};
    uint64_t sent = 0, number = 0, start = clock_ns();
    bool good = pcb != NULL;

    while (good && !is_done(job, sent, start)) {
        uint64_t len =
            job->bytes && job->bytes - sent < BULK_DATAGRAM ? job->bytes - sent : BULK_DATAGRAM;

        /* Each datagram has its moment, whatever became of the one before. */
        good = wait_until(start + sent * 8 * 1000 / (job->rate_bps / 1000000));
        header.number = lwip_htonl((u32_t)number++);
        if (len < sizeof header)
            len = sizeof header;
        good = good && datagram_push(pcb, job, &header, (unsigned)(len - sizeof header));
        sent += good ? len : 0;
    }
    if (good)
        result_print(job, sent, clock_ns() - start);
    header.number = lwip_htonl((u32_t)number);
    header.flags = lwip_htonl(BULK_LAST);
    for (int i = 0; good && i < 3; i++)
        good = datagram_push(pcb, job, &header, 0) && wait_until(clock_ns() + 10 * NS_PER_MS);
    if (pcb)
        udp_remove(pcb);
    return good ? 0 : 1;
}

static bool option_parse(struct job *job, const char *option, const char *value)
{
    if (strcmp(option, "-t") == 0 && parse_decimal(&value, NS_PER_S, &job->time_ns))
        return *value == '\0';
    if (strcmp(option, "-n") == 0 && parse_number(&value, UINT64_MAX / 800, &job->bytes))
        return *value == '\0' && job->bytes > 0;
    if (strcmp(option, "-b") == 0 && parse_number(&value, 100000, &job->rate_bps)) {
        job->rate_bps *= 1000000;
        return *value == '\0' && job->rate_bps > 0;
    }
    return false;
}

int command_send(int argc, char **argv)
{
    struct job job = {
        .port = BULK_PORT, .time_ns = 10 * NS_PER_S, .rate_bps = 100 * UINT64_C(1000000)};

    for (int i = 1; i < argc; i++) {
        const char *value = argv[i];

        if (strcmp(argv[i], "-u") == 0) {
            job.udp = true;
        } else if (argv[i][0] == '-') {
            if (i + 1 >= argc || !option_parse(&job, argv[i], argv[i + 1]))
                return COMMAND_USAGE;
            i++;
        } else if (!job.name) {
            job.name = argv[i];
        } else if (!parse_number(&value, 65535, &job.port) || *value) {
            return COMMAND_USAGE;
        }
    }
    if (!job.name)
        return COMMAND_USAGE;
    if (!name_resolve(job.name, &job.to))
        return 1;
    return job.udp ? udp_run(&job) : tcp_run(&job);
}
