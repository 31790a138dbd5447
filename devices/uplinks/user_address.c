/* Parsing addresses, ports and networks. Names are not resolved: a run must not wait for a server.
 */
#include "devices/uplinks/user_address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "sim/base.h"

bool user_parse_ipv4(const char *s, struct in_addr *a)
{
    return inet_pton(AF_INET, s, a) == 1;
}

bool user_parse_ipv6(const char *s, struct in6_addr *a)
{
    return inet_pton(AF_INET6, s, a) == 1;
}

/* Digits only, 0..max. */
static bool parse_number(const char *s, size_t len, unsigned max, unsigned *out)
{
    unsigned n = 0;

    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s[i] - '0');
    }
    *out = n;
    return n <= max;
}

static uint32_t mask_of(unsigned prefix)
{
    return prefix ? htonl(~0u << (32 - prefix)) : 0;
}

/* Ones, then zeroes. */
static bool is_mask(struct in_addr mask)
{
    uint32_t inverse = ~ntohl(mask.s_addr);

    return (inverse & (inverse + 1)) == 0;
}

bool user_parse_net(const char *s, struct in_addr *net, struct in_addr *mask)
{
    char address[INET_ADDRSTRLEN];
    size_t len = strcspn(s, "/");
    unsigned prefix;

    if (len >= sizeof(address))
        return false;
    memcpy(address, s, len);
    address[len] = '\0';
    if (!user_parse_ipv4(address, net))
        return false;
    if (!s[len]) {
        uint32_t top = ntohl(net->s_addr) >> 30;
        mask->s_addr = mask_of(top < 2 ? 8 : top == 2 ? 16 : 24);
        return true;
    }
    s += len + 1;
    if (strchr(s, '.'))
        return user_parse_ipv4(s, mask) && is_mask(*mask);
    if (!parse_number(s, strlen(s), 32, &prefix))
        return false;
    mask->s_addr = mask_of(prefix);
    return true;
}

static void set_ipv4(struct user_address *out, struct in_addr a, unsigned port)
{
    *out = (struct user_address){.len = sizeof(out->in)};
    out->in.sin_family = AF_INET;
    out->in.sin_addr = a;
    out->in.sin_port = htons((uint16_t)port);
}

static void set_ipv6(struct user_address *out, struct in6_addr a, unsigned port)
{
    *out = (struct user_address){.len = sizeof(out->in6)};
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_addr = a;
    out->in6.sin6_port = htons((uint16_t)port);
}

bool user_parse_endpoint(const char *s, size_t len, int family, struct user_address *out)
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr a4 = {INADDR_ANY};
    struct in6_addr a6 = IN6ADDR_ANY_INIT;
    bool bracketed = len && s[0] == '[';
    const char *end = memchr(s, bracketed ? ']' : ':', len);
    const char *colon = end && bracketed ? end + 1 : end;
    const char *start = s + bracketed;
    unsigned port;

    if (!end || colon >= s + len || *colon != ':' || (size_t)(end - start) >= sizeof(address) ||
        !parse_number(colon + 1, len - (size_t)(colon + 1 - s), 65535, &port))
        return false;
    memcpy(address, start, (size_t)(end - start));
    address[end - start] = '\0';
    if (bracketed ? !user_parse_ipv6(address, &a6) : address[0] && !user_parse_ipv4(address, &a4))
        return false;
    if (bracketed || (!address[0] && family == AF_INET6))
        set_ipv6(out, a6, port);
    else
        set_ipv4(out, a4, port);
    return true;
}

bool user_parse_path(const char *s, size_t len, struct user_address *out)
{
    *out = (struct user_address){.len = sizeof(out->un)};
    out->un.sun_family = AF_UNIX;
    if (len == 0 || len >= sizeof(out->un.sun_path))
        return false;
    memcpy(out->un.sun_path, s, len);
    return true;
}

unsigned user_address_port(const struct user_address *a)
{
    if (a->any.sa_family == AF_UNIX)
        return 0;
    return ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

bool user_address_is_any(const struct user_address *a)
{
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
    return a->any.sa_family == AF_INET && a->in.sin_addr.s_addr == INADDR_ANY;
}

bool user_address_equal(const struct user_address *a, const struct user_address *b)
{
    return a->len == b->len && memcmp(&a->un, &b->un, a->len) == 0;
}

const char *user_address_text(const struct user_address *a, char buf[USER_ADDRESS_TEXT])
{
    buf[0] = '\0';
    if (a->any.sa_family == AF_UNIX)
        snprintf(buf, USER_ADDRESS_TEXT, "%s", a->un.sun_path);
    else if (a->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->in.sin_addr, buf, USER_ADDRESS_TEXT);
    else if (a->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, USER_ADDRESS_TEXT);
    return buf;
}
