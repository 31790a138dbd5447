/* Addresses, ports and networks as the user-mode stack's options write them. */
#ifndef UPLINKS_USER_ADDRESS_H
#define UPLINKS_USER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/** Where a socket can be bound or connected to. `len` 0: nowhere. */
struct user_address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

/** "10.0.2.15", all of it. */
bool user_parse_ipv4(const char *s, struct in_addr *a);
bool user_parse_ipv6(const char *s, struct in6_addr *a);

/**
 * "10.0.2.0/24", "10.0.2.0/255.255.255.0", or alone with the mask of its class. False: no
 * network. Bits of a host are left in, for the caller to complain of.
 */
bool user_parse_net(const char *s, struct in_addr *net, struct in_addr *mask);

/**
 * "ADDRESS:PORT" or "[ADDRESS6]:PORT" in s[0..len). With no address it is 0.0.0.0, or with
 * `family` AF_INET6 "::".
 */
bool user_parse_endpoint(const char *s, size_t len, int family, struct user_address *out);

/** An absolute or relative path of a socket. False if it is empty or too long. */
bool user_parse_path(const char *s, size_t len, struct user_address *out);

/** In host byte order; 0 for a path. */
unsigned user_address_port(const struct user_address *a);
bool user_address_is_any(const struct user_address *a);
bool user_address_equal(const struct user_address *a, const struct user_address *b);

#define USER_ADDRESS_TEXT 128

/** "127.0.0.1", "::1", "/run/socket" without the port; in buf, which is returned. */
const char *user_address_text(const struct user_address *a, char buf[USER_ADDRESS_TEXT]);

#endif
