/*
 * Blocks of pcapng and records of pcap, encoded into a growing buffer.
 *
 * A block is: type, total length, body, options, total length again; all of it
 * padded to 32 bits.
 *
 *     0x0a0d0d0a section   magic, version 1.0, length unknown, options
 *     0x00000001 interface link type, snap length, options
 *     0x00000006 packet    interface, timestamp (high, low), captured and real length, data
 *     0x00000005 statistics
 */
#include "sim/pcapng.h"

#define LINKTYPE_ETHERNET 1
#define SNAPLEN_ALL 262144

enum { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_USERAPPL = 4 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9, IF_FILTER = 11 };
enum { EPB_FLAGS = 2 };
enum { ISB_IFRECV = 4, ISB_FILTERACCEPT = 6 };

static void put(struct bytes *b, const void *p, uint32_t n)
{
    if (n == 0)
        return;
    array_reserve(b->bytes, &b->cap, b->n + n);
    memcpy(b->bytes + b->n, p, n);
    b->n += n;
}

static void put16(struct bytes *b, uint16_t v)
{
    uint8_t le[2];

    store_le16(le, v);
    put(b, le, sizeof(le));
}

static void put32(struct bytes *b, uint32_t v)
{
    uint8_t le[4];

    store_le32(le, v);
    put(b, le, sizeof(le));
}

static void pad(struct bytes *b)
{
    static const uint8_t zero[3];

    put(b, zero, -b->n & 3);
}

static void put_time(struct bytes *b, int64_t epoch_ns)
{
    put32(b, (uint32_t)((uint64_t)epoch_ns >> 32));
    put32(b, (uint32_t)epoch_ns);
}

static void option(struct bytes *b, uint16_t code, const void *value, size_t n)
{
    uint16_t len = (uint16_t)MIN(n, 0xffff);

    put16(b, code);
    put16(b, len);
    put(b, value, len);
    pad(b);
}

static void option_text(struct bytes *b, uint16_t code, const char *text)
{
    if (text)
        option(b, code, text, strlen(text));
}

static void option_u64(struct bytes *b, uint16_t code, uint64_t v)
{
    uint8_t le[8];

    store_le64(le, v);
    option(b, code, le, sizeof(le));
}

/* A block's head; the length is filled in by block_end. Returns where it began. */
static uint32_t block_begin(struct bytes *b, uint32_t type)
{
    uint32_t at = b->n;

    put32(b, type);
    put32(b, 0);
    return at;
}

static void block_end(struct bytes *b, uint32_t begin)
{
    uint32_t len = b->n + 4 - begin;

    store_le32(b->bytes + begin + 4, len);
    put32(b, len);
}

void pcapng_section(struct bytes *b, const char *application)
{
    uint32_t begin = block_begin(b, BLOCK_SECTION);

    put32(b, 0x1a2b3c4d);
    put16(b, 1);
    put16(b, 0);
    put32(b, 0xffffffff); /* length of the section: not known */
    put32(b, 0xffffffff);
    option_text(b, SHB_USERAPPL, application);
    option(b, OPT_END, NULL, 0);
    block_end(b, begin);
}

void pcapng_interface(struct bytes *b, const char *name, const char *description,
                      const char *filter, uint32_t snaplen)
{
    static const uint8_t nanoseconds = 9;
    uint32_t begin = block_begin(b, BLOCK_INTERFACE);

    put16(b, LINKTYPE_ETHERNET);
    put16(b, 0);
    put32(b, snaplen);
    option_text(b, IF_NAME, name);
    option_text(b, IF_DESCRIPTION, description);
    option(b, IF_TSRESOL, &nanoseconds, 1);
    if (filter) {
        struct bytes text = {0};
        put(&text, "", 1); /* code 0: a libpcap expression follows */
        put(&text, filter, (uint32_t)strlen(filter));
        option(b, IF_FILTER, text.bytes, text.n);
        free(text.bytes);
    }
    option(b, OPT_END, NULL, 0);
    block_end(b, begin);
}

/* Room for `n` bytes at the end, which the caller fills. */
static uint8_t *extend(struct bytes *b, uint32_t n)
{
    array_reserve(b->bytes, &b->cap, b->n + n);
    b->n += n;
    return b->bytes + b->n - n;
}

/*
 * Millions of these are written, so the length is computed first and the common block, without
 * options, filled in one go:
 *
 *     type, length; interface, time (high, low), captured, real length; data; length
 */
static void packet_plain(struct bytes *b, const struct packet_record *p, uint32_t len)
{
    uint8_t *at = extend(b, len);
    uint32_t padding = -p->caplen & 3;

    store_le32(at, BLOCK_PACKET);
    store_le32(at + 4, len);
    store_le32(at + 8, p->iface);
    store_le32(at + 12, (uint32_t)((uint64_t)p->epoch_ns >> 32));
    store_le32(at + 16, (uint32_t)p->epoch_ns);
    store_le32(at + 20, p->caplen);
    store_le32(at + 24, p->len);
    memcpy(at + 28, p->data, p->caplen);
    memset(at + 28 + p->caplen, 0, padding);
    store_le32(at + 28 + p->caplen + padding, len);
}

void pcapng_packet(struct bytes *b, const struct packet_record *p)
{
    uint32_t begin = b->n;
    uint8_t flags[4];

    packet_plain(b, p, 32 + (p->caplen + 3) / 4 * 4);
    if (!p->direction && !p->comment)
        return;
    b->n -= 4; /* options go before the second length */
    option_text(b, OPT_COMMENT, p->comment);
    store_le32(flags, p->direction);
    option(b, EPB_FLAGS, flags, sizeof(flags));
    option(b, OPT_END, NULL, 0);
    block_end(b, begin);
}

void pcapng_statistics(struct bytes *b, uint32_t iface, int64_t epoch_ns, uint64_t received,
                       uint64_t accepted)
{
    uint32_t begin = block_begin(b, BLOCK_STATISTICS);

    put32(b, iface);
    put_time(b, epoch_ns);
    option_u64(b, ISB_IFRECV, received);
    option_u64(b, ISB_FILTERACCEPT, accepted);
    option(b, OPT_END, NULL, 0);
    block_end(b, begin);
}

void pcap_header(struct bytes *b, uint32_t snaplen)
{
    put32(b, 0xa1b23c4d); /* nanosecond timestamps */
    put16(b, 2);
    put16(b, 4);
    put32(b, 0);
    put32(b, 0);
    put32(b, snaplen ? snaplen : SNAPLEN_ALL);
    put32(b, LINKTYPE_ETHERNET);
}

void pcap_packet(struct bytes *b, const struct packet_record *p)
{
    uint8_t *at = extend(b, 16 + p->caplen);

    store_le32(at, (uint32_t)(p->epoch_ns / NS_PER_SEC));
    store_le32(at + 4, (uint32_t)(p->epoch_ns % NS_PER_SEC));
    store_le32(at + 8, p->caplen);
    store_le32(at + 12, p->len);
    memcpy(at + 16, p->data, p->caplen);
}
