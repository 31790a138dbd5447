/*
 * A client of GDB's remote serial protocol (the GDB manual, appendix E): "$data#checksum", each
 * packet acknowledged with a "+". Nothing is lost between two ends of a local socket, so theirs
 * are skipped, and a "-" cannot come.
 */
#include "tests/diff/gdb.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define SILENCE_MS 10000
#define CHUNK 1500 /* bytes of memory in a packet: QEMU takes packets up to 4096 characters */
#define PACKET (2 * CHUNK + 64)

static bool send_all(struct gdb *g, const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(g->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive_more(struct gdb *g)
{
    struct pollfd p = {.fd = g->fd, .events = POLLIN};
    ssize_t n;
    int ready;

    if (g->in_len == sizeof(g->in))
        return false;
    do
        ready = poll(&p, 1, SILENCE_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    n = read(g->fd, g->in + g->in_len, sizeof(g->in) - g->in_len);
    if (n <= 0)
        return false;
    g->in_len += (size_t)n;
    return true;
}

/** The data of the next packet, at most `max` - 1 characters and a zero. */
static bool receive(struct gdb *g, char *data, size_t max)
{
    for (;;) {
        char *dollar = memchr(g->in, '$', g->in_len);
        char *hash = dollar ? memchr(dollar, '#', g->in_len - (size_t)(dollar - g->in)) : NULL;
        size_t used, len;

        if (!hash || g->in + g->in_len - hash < 3) {
            if (!receive_more(g))
                return false;
            continue;
        }
        len = (size_t)(hash - dollar - 1);
        if (len >= max)
            return false;
        memcpy(data, dollar + 1, len);
        data[len] = 0;
        used = (size_t)(hash + 3 - g->in);
        memmove(g->in, g->in + used, g->in_len - used);
        g->in_len -= used;
        return send_all(g, "+", 1);
    }
}

static bool exchange(struct gdb *g, const char *request, char *reply, size_t max)
{
    char packet[PACKET + 8];
    uint8_t sum = 0;
    int len;

    for (const char *c = request; *c; c++)
        sum = (uint8_t)(sum + (uint8_t)*c);
    len = snprintf(packet, sizeof(packet), "$%s#%02x", request, sum);
    return len < (int)sizeof(packet) && send_all(g, packet, (size_t)len) && receive(g, reply, max);
}

static bool command(struct gdb *g, const char *request)
{
    char reply[64];

    return exchange(g, request, reply, sizeof(reply)) && strcmp(reply, "OK") == 0;
}

bool gdb_open(struct gdb *g, int fd)
{
    char reply[PACKET];

    g->fd = fd;
    g->in_len = 0;
    /* QEMU sets single registers only for those who have asked for their description. */
    return exchange(g, "qSupported", reply, sizeof(reply)) &&
           exchange(g, "qXfer:features:read:target.xml:0,800", reply, sizeof(reply));
}

static void hex_put(char *to, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_get(const char *from, uint8_t *bytes, size_t len)
{
    if (strlen(from) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(from[2 * i]), low = hex_digit(from[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool gdb_write(struct gdb *g, uint64_t addr, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;

    while (len) {
        size_t n = MIN(len, (size_t)CHUNK);
        char packet[PACKET];
        int head = snprintf(packet, sizeof(packet), "M%llx,%zx:", (unsigned long long)addr, n);

        hex_put(packet + head, from, n);
        if (!command(g, packet))
            return false;
        from += n;
        addr += n;
        len -= n;
    }
    return true;
}

bool gdb_read(struct gdb *g, uint64_t addr, void *bytes, size_t len)
{
    uint8_t *to = bytes;

    while (len) {
        size_t n = MIN(len, (size_t)CHUNK);
        char request[64], reply[PACKET];

        snprintf(request, sizeof(request), "m%llx,%zx", (unsigned long long)addr, n);
        if (!exchange(g, request, reply, sizeof(reply)) || !hex_get(reply, to, n))
            return false;
        to += n;
        addr += n;
        len -= n;
    }
    return true;
}

bool gdb_set_reg(struct gdb *g, unsigned number, uint64_t value)
{
    uint8_t bytes[8];
    char request[64];

    store_le64(bytes, value);
    hex_put(request + sprintf(request, "P%x=", number), bytes, 8);
    return command(g, request);
}

bool gdb_break(struct gdb *g, uint64_t addr)
{
    char request[64];

    snprintf(request, sizeof(request), "Z1,%llx,4", (unsigned long long)addr);
    return command(g, request);
}

bool gdb_continue(struct gdb *g)
{
    char reply[256];

    /* "S05" or "T05...": stopped by a trap, here the breakpoint. */
    return exchange(g, "c", reply, sizeof(reply)) && (reply[0] == 'T' || reply[0] == 'S');
}
