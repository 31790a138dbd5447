/* http: fetch a page over HTTP/1.0 (RFC 1945) and print its status, size and CRC-32,
   and the page itself when it is short. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/resolve.h"
#include "cmd/shell.h"
#include "cmd/stream.h"
#include "net/address.h"
#include "net/pattern.h"

enum { CHUNK = 512, SHORT = 512, NAME = 128, LINE = 96 };
#define PATIENCE_NS (30 * NS_PER_S)

/* What has come so far. The head ends at an empty line; `newlines` counts the line
   feeds just seen, past carriage returns. */
struct page {
    char status[LINE];
    unsigned status_len, newlines;
    bool in_body, status_done;
    uint64_t bytes;
    uint32_t crc;
    char text[SHORT];
};

static void head_take(struct page *page, char c)
{
    if (c == '\r')
        return;
    if (c == '\n') {
        page->status_done = true;
        page->in_body = ++page->newlines == 2;
        return;
    }
    page->newlines = 0;
    if (!page->status_done && page->status_len + 1 < LINE)
        page->status[page->status_len++] = c;
}

static void page_take(struct page *page, const char *bytes, unsigned len)
{
    for (; len > 0 && !page->in_body; len--)
        head_take(page, *bytes++);
    if (page->bytes < SHORT)
        memcpy(page->text + page->bytes, bytes,
               len < SHORT - page->bytes ? len : SHORT - page->bytes);
    page->crc = crc32_add(page->crc, bytes, len);
    page->bytes += len;
}

static void page_print(const struct page *page)
{
    printf("%s\n%lu bytes, crc32 %08x\n", page->status, page->bytes, page->crc);
    if (page->bytes == 0 || page->bytes > SHORT)
        return;
    for (unsigned i = 0; i < page->bytes; i++) {
        char c = page->text[i];

        if (c != '\r')
            printf("%c", c == '\n' || (c >= ' ' && c <= '~') ? c : '.');
    }
    if (page->text[page->bytes - 1] != '\n')
        printf("\n");
}

static int page_fetch(struct stream *s, const char *name, const char *path)
{
    static struct page page;
    char chunk[CHUNK];
    int len;

    memset(&page, 0, sizeof page);
    if (!stream_write(s, "GET ", 4, true) || !stream_write(s, path, strlen(path), false))
        return 1;
    len = snprintf(chunk, sizeof chunk, " HTTP/1.0\r\nHost: %s\r\n\r\n", name);
    if (!stream_write(s, chunk, (size_t)len, false))
        return 1;
    while ((len = stream_read(s, chunk, sizeof chunk, clock_ns() + PATIENCE_NS)) > 0)
        page_take(&page, chunk, (unsigned)len);
    if (len < 0)
        return 1;
    if (!page.in_body) {
        printf("the answer is not HTTP\n");
        return 1;
    }
    page_print(&page);
    return 0;
}

int command_get(int argc, char **argv)
{
    struct stream s;
    ip_addr_t to;
    uint64_t port = 80;
    char name[NAME];
    const char *at = argv[1], *path;
    unsigned len = 0;
    int status;

    if (argc != 2)
        return COMMAND_USAGE;
    parse_word(&at, "http://");
    while (at[len] && at[len] != ':' && at[len] != '/')
        len++;
    if (len == 0 || len >= sizeof name)
        return COMMAND_USAGE;
    memcpy(name, at, len);
    name[len] = '\0';
    path = at + len;
    if (parse_char(&path, ':') && !parse_number(&path, 65535, &port))
        return COMMAND_USAGE;
    if (*path != '/' && *path != '\0')
        return COMMAND_USAGE;
    if (!name_resolve(name, &to))
        return 1;
    status = stream_open(&s, &to, (u16_t)port) ? page_fetch(&s, name, *path ? path : "/") : 1;
    stream_close(&s);
    return status;
}
