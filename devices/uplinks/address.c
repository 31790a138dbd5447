/*
 * Addresses of sockets: reading, looking up, binding and writing them.
 *
 * Simplifications: ports are numbers, not names of services; an IPv6 address has no scope.
 */
#include "devices/uplinks/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/base.h"

#define PATH_MAX_LEN (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* --- reading --- */

static const char *parse_path(struct address *a, enum address_kind kind, const char *text)
{
    a->kind = kind;
    if (!*text)
        return kind == ADDRESS_UNIX ? "the path is empty" : "the name is empty";
    if (strlen(text) > PATH_MAX_LEN)
        return "it is longer than the 107 bytes that a socket's path may have";
    a->path = xstrdup(text);
    return NULL;
}

static const char *parse_port(struct address *a, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);

    if (!digits || text[digits] || digits > 9)
        return "the port is not a number";
    if (port > 65535)
        return "the port is outside 0..65535";
    a->port = (unsigned short)port;
    return NULL;
}

static const char *parse_inet(struct address *a, const char *text)
{
    const char *colon = strrchr(text, ':'), *host = text;
    size_t len = colon ? (size_t)(colon - text) : 0;

    a->kind = ADDRESS_INET;
    if (!colon)
        return "it has no port; write it as HOST:PORT";
    if (*host == '[') {
        if (len < 3 || host[len - 1] != ']')
            return "write an IPv6 address as [ADDRESS]:PORT";
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return "write an IPv6 address in brackets: [ADDRESS]:PORT";
    }
    if (len)
        a->host = xstrndup(host, len);
    return parse_port(a, colon + 1);
}

const char *address_parse(struct address *a, const char *text)
{
    if (strncmp(text, "unix:", 5) == 0)
        return parse_path(a, ADDRESS_UNIX, text + 5);
    if (strncmp(text, "abstract:", 9) == 0)
        return parse_path(a, ADDRESS_ABSTRACT, text + 9);
    return parse_inet(a, text);
}

void address_finish(struct address *a)
{
    free(a->host);
    free(a->path);
    *a = (struct address){0};
}

/* --- looking up --- */

static void resolve_path(const struct address *a, struct address_list *l)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&l->items[0].to;
    size_t len = strlen(a->path), skip = a->kind == ADDRESS_ABSTRACT;

    memset(&l->items[0], 0, sizeof(l->items[0]));
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path + skip, a->path, len);
    /* An abstract name begins with a zero and ends where the address does. */
    l->items[0].len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    l->n = 1;
}

const char *address_resolve(const struct address *a, int type, bool passive, struct address_list *l)
{
    struct addrinfo hints = {.ai_socktype = type, .ai_flags = passive ? AI_PASSIVE : 0};
    struct addrinfo *found = NULL;
    char port[8];

    l->n = 0;
    if (a->kind != ADDRESS_INET) {
        resolve_path(a, l);
        return NULL;
    }
    snprintf(port, sizeof(port), "%u", a->port);
    int rc = getaddrinfo(a->host, port, &hints, &found);
    if (rc != 0)
        return rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc);
    for (struct addrinfo *i = found; i && l->n < ADDRESS_MAX; i = i->ai_next) {
        if (i->ai_addrlen > sizeof(l->items[0].to))
            continue;
        memcpy(&l->items[l->n].to, i->ai_addr, i->ai_addrlen);
        l->items[l->n++].len = i->ai_addrlen;
    }
    freeaddrinfo(found);
    return l->n ? NULL : "the host has no address";
}

/* --- writing --- */

static char *format_path(const struct sockaddr_any *s)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&s->to;
    size_t base = offsetof(struct sockaddr_un, sun_path);
    size_t len = s->len > base ? s->len - base : 0;

    if (!len)
        return xstrdup("unix:(unnamed)");
    if (un->sun_path[0])
        return xasprintf("unix:%.*s", (int)strnlen(un->sun_path, len), un->sun_path);
    return xasprintf("abstract:%.*s", (int)(len - 1), un->sun_path + 1);
}

char *address_format(const struct sockaddr_any *s)
{
    char text[INET6_ADDRSTRLEN];
    const struct sockaddr_in *in = (const struct sockaddr_in *)&s->to;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&s->to;

    switch (s->to.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        return xasprintf("%s:%u", text, ntohs(in->sin_port));
    case AF_INET6:
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
        return xasprintf("[%s]:%u", text, ntohs(in6->sin6_port));
    case AF_UNIX: return format_path(s);
    default: return xasprintf("(address family %u)", s->to.ss_family);
    }
}

static char *format_end(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_any s = {.len = sizeof(s.to)};

    if (ask(fd, (struct sockaddr *)&s.to, &s.len) != 0)
        return xasprintf("(%s)", strerror(errno));
    return address_format(&s);
}

static int ask_own(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockname(fd, sa, len);
}

static int ask_peer(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getpeername(fd, sa, len);
}

char *address_of_socket(int fd)
{
    return format_end(fd, ask_own);
}

char *address_of_peer(int fd)
{
    return format_end(fd, ask_peer);
}

bool address_is_local(const struct sockaddr_any *s)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&s->to;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&s->to;

    if (s->to.ss_family == AF_INET)
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    if (s->to.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    return s->to.ss_family == AF_UNIX;
}

/* --- binding --- */

static const char *file_of(const struct sockaddr_any *s)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&s->to;

    return s->to.ss_family == AF_UNIX && un->sun_path[0] ? un->sun_path : NULL;
}

bool address_remove_stale(const struct sockaddr_un *un, socklen_t len, int type)
{
    struct stat st;
    int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (probe < 0)
        return false;
    bool stale = lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
                 connect(probe, (const struct sockaddr *)un, len) != 0 && errno == ECONNREFUSED;
    close(probe);
    return stale && unlink(un->sun_path) == 0;
}

static bool stale_removed(int fd, const struct sockaddr_any *s)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           address_remove_stale((const struct sockaddr_un *)&s->to, s->len, type);
}

int address_bind(int fd, const struct sockaddr_any *s)
{
    if (bind(fd, (const struct sockaddr *)&s->to, s->len) == 0)
        return 0;
    if (errno != EADDRINUSE || !file_of(s))
        return -1;
    if (!stale_removed(fd, s)) {
        errno = EADDRINUSE;
        return -1;
    }
    return bind(fd, (const struct sockaddr *)&s->to, s->len);
}

void address_unlink(const struct sockaddr_any *s)
{
    if (file_of(s))
        unlink(file_of(s));
}
