/*
 * libpcap reads pcap and pcapng, of any byte order and resolution, a packet at a time: no more of a
 * file is in memory than its longest packet and a stream's buffer. What a packet says of itself is
 * not believed here: lengths are checked, and times only ever go forward.
 *
 * A frame check sequence that some captures keep is not known as such: it stays, as four bytes
 * more.
 */
#include "devices/uplinks/pcap_reader.h"

#include <errno.h>

struct pcap_reader {
    pcap_t *pcap; /* NULL: it could not be rewound */
    char *path;   /* NULL: a stream */
    char *filter;
    struct bpf_program program;
    struct pcap_counts counts;
    bool begun;
    __int128 first; /* ns since 1970 of the first packet */
    vtime_t last;   /* of the last one, since then */
    bool faulty;
    char fault[PCAP_ERRBUF_SIZE];
};

struct frame *pcap_packet_frame(const struct pcap_pkthdr *h, const uint8_t *bytes,
                                struct pcap_counts *counts)
{
    uint32_t captured = MIN(h->caplen, h->len);
    struct frame *f;

    if (h->len < ETH_HLEN) {
        counts->runts++;
        return NULL;
    }
    if (h->len > FRAME_MAX_LEN) {
        counts->giants++;
        return NULL;
    }
    if (captured < h->len)
        counts->cut++;
    f = frame_new(MAX(h->len, (uint32_t)FRAME_MIN_WIRE));
    memcpy(f->data, bytes, captured);
    memset(f->data + captured, 0, h->len - captured);
    f->len = h->len;
    return f;
}

/* --- filters --- */

/* The first line of what libpcap says, without its end. */
static void why_copy(char why[PCAP_ERRBUF_SIZE], const char *text)
{
    snprintf(why, PCAP_ERRBUF_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
}

static bool filter_compile(struct bpf_program *program, const char *filter,
                           char why[PCAP_ERRBUF_SIZE])
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 262144);
    bool good = dead && pcap_compile(dead, program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;

    if (!good)
        why_copy(why, dead ? pcap_geterr(dead) : "out of memory");
    if (dead)
        pcap_close(dead);
    return good;
}

bool pcap_filter_check(const char *filter, char why[PCAP_ERRBUF_SIZE])
{
    struct bpf_program program;

    if (!filter_compile(&program, filter, why))
        return false;
    pcap_freecode(&program);
    return true;
}

/* --- opening --- */

/* Takes f. */
static pcap_t *stream_open(FILE *f, char why[PCAP_ERRBUF_SIZE])
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *p = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
    int type;

    if (!p) {
        fclose(f);
        snprintf(why, PCAP_ERRBUF_SIZE, "it is no capture that can be read (%.180s)", text);
        return NULL;
    }
    type = pcap_datalink(p);
    if (type == DLT_EN10MB)
        return p;
    const char *name = pcap_datalink_val_to_name(type);
    snprintf(why, PCAP_ERRBUF_SIZE,
             "its packets are not Ethernet's but of link type %.40s (%d); capture on one Ethernet "
             "interface, not on \"any\"",
             name ? name : "unknown", type);
    pcap_close(p);
    return NULL;
}

static pcap_t *path_open(const char *path, char why[PCAP_ERRBUF_SIZE])
{
    FILE *f = fopen(path, "rbe");

    if (f)
        return stream_open(f, why);
    snprintf(why, PCAP_ERRBUF_SIZE, "%s", strerror(errno));
    return NULL;
}

static struct pcap_reader *reader_new(pcap_t *p, const char *path, const char *filter,
                                      char why[PCAP_ERRBUF_SIZE])
{
    struct pcap_reader *r = xcalloc(1, sizeof(*r));

    r->pcap = p;
    r->path = path ? xstrdup(path) : NULL;
    if (!filter)
        return r;
    if (!filter_compile(&r->program, filter, why)) {
        pcap_reader_close(r);
        return NULL;
    }
    r->filter = xstrdup(filter);
    return r;
}

struct pcap_reader *pcap_reader_open(const char *path, const char *filter,
                                     char why[PCAP_ERRBUF_SIZE])
{
    pcap_t *p = path_open(path, why);

    return p ? reader_new(p, path, filter, why) : NULL;
}

struct pcap_reader *pcap_reader_from(FILE *f, const char *filter, char why[PCAP_ERRBUF_SIZE])
{
    pcap_t *p = stream_open(f, why);

    return p ? reader_new(p, NULL, filter, why) : NULL;
}

void pcap_reader_close(struct pcap_reader *r)
{
    if (!r)
        return;
    if (r->pcap)
        pcap_close(r->pcap);
    if (r->filter)
        pcap_freecode(&r->program);
    free(r->filter);
    free(r->path);
    free(r);
}

bool pcap_reader_rewind(struct pcap_reader *r)
{
    if (r->pcap)
        pcap_close(r->pcap);
    why_copy(r->fault, "a stream cannot be read twice");
    r->pcap = r->path ? path_open(r->path, r->fault) : NULL;
    r->faulty = !r->pcap;
    r->begun = false;
    r->last = 0;
    return r->pcap;
}

/* --- reading --- */

/* With this precision, tv_usec holds nanoseconds. */
static vtime_t packet_time(struct pcap_reader *r, const struct pcap_pkthdr *h)
{
    __int128 ns = (__int128)h->ts.tv_sec * NS_PER_SEC + h->ts.tv_usec;

    if (!r->begun)
        r->first = ns;
    r->begun = true;
    ns -= r->first;
    if (ns < r->last)
        r->counts.backwards++;
    else
        r->last = (vtime_t)MIN(ns, (__int128)PCAP_MAX_SPAN);
    return r->last;
}

struct frame *pcap_reader_next(struct pcap_reader *r, vtime_t *at)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int rc = PCAP_ERROR_BREAK;

    while (r->pcap && !r->faulty && (rc = pcap_next_ex(r->pcap, &h, &bytes)) == 1) {
        struct frame *f = NULL;
        r->counts.packets++;
        *at = packet_time(r, h);
        if (!r->filter || pcap_offline_filter(&r->program, h, bytes))
            f = pcap_packet_frame(h, bytes, &r->counts);
        if (f)
            return f;
    }
    if (rc == PCAP_ERROR) {
        why_copy(r->fault, pcap_geterr(r->pcap));
        r->faulty = true;
    }
    *at = r->last;
    return NULL;
}

const char *pcap_reader_fault(const struct pcap_reader *r)
{
    return r->faulty ? r->fault : NULL;
}

const struct pcap_counts *pcap_reader_counts(const struct pcap_reader *r)
{
    return &r->counts;
}
