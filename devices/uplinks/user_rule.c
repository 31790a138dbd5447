/* Parsing redirections. */
#include "devices/uplinks/user_rule.h"

#include <stdio.h>

#include "sim/base.h"

/* Takes a word and its colon off the front: "tcp:". An empty word is TCP, as in QEMU. */
static bool take_word(const char **s, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*s, word, len) != 0 || (*s)[len] != ':')
        return false;
    *s += len + 1;
    return true;
}

enum protocol { TCP, UDP, UNIX_SOCKET, NO_PROTOCOL };

static enum protocol take_protocol(const char **s)
{
    if (take_word(s, "tcp") || take_word(s, ""))
        return TCP;
    return take_word(s, "udp") ? UDP : take_word(s, "unix") ? UNIX_SOCKET : NO_PROTOCOL;
}

static bool parse_host(const char *s, size_t len, enum protocol p, struct user_address *host)
{
    if (p == UNIX_SOCKET)
        return user_parse_path(s, len, host);
    return p != NO_PROTOCOL && user_parse_endpoint(s, len, AF_INET, host);
}

bool user_hostfwd_parse_host(const char *text, bool *udp, struct user_address *host)
{
    enum protocol p = take_protocol(&text);
    const char *dash = strrchr(text, '-');
    size_t whole = strlen(text), len = dash ? (size_t)(dash - text) : whole;
    struct user_address guest;

    *udp = p == UDP;
    /* A path may have a dash of its own. */
    if (dash && !user_parse_endpoint(dash + 1, whole - len - 1, AF_INET, &guest))
        len = whole;
    return parse_host(text, len, p, host);
}

/* What libslirp could not do, or would do in another way than it says. */
static const char *what_is_wrong(const struct user_hostfwd *f, bool ipv4, bool ipv6)
{
    int host = f->host.any.sa_family, guest = f->guest.any.sa_family;

    if (user_address_port(&f->guest) == 0)
        return "the guest's port must not be 0";
    if (guest == AF_INET6 && !ipv6)
        return "it leads to IPv6, which is off; write ipv6 = true";
    if (guest == AF_INET && !ipv4)
        return "it leads to IPv4, which is off";
    if (host == AF_UNIX && guest == AF_INET6 && ipv4)
        return "a path leads to a guest's IPv4 address, unless IPv4 is off";
    if (host != AF_UNIX && host != guest)
        return "both ends must be IPv4, or both IPv6";
    if (f->udp && guest == AF_INET6 && user_address_is_any(&f->guest))
        return "with UDP over IPv6 it must say the guest's address";
    return NULL;
}

bool user_hostfwd_parse(const char *rule, bool ipv4, bool ipv6, struct user_hostfwd *f,
                        const char *file, int line, struct err *err)
{
    const char *s = rule;
    enum protocol p = take_protocol(&s);
    const char *dash = strrchr(s, '-');

    *f = (struct user_hostfwd){.udp = p == UDP};
    bool good = dash && parse_host(s, (size_t)(dash - s), p, &f->host);
    int family = f->host.any.sa_family == AF_INET6 || !ipv4 ? AF_INET6 : AF_INET;
    good = good && user_parse_endpoint(dash + 1, strlen(dash + 1), family, &f->guest);
    const char *wrong = good ? what_is_wrong(f, ipv4, ipv6) : NULL;
    if (!good)
        err_at(err, file, line,
               "hostfwd \"%s\" is not of the form tcp:HOSTADDR:PORT-GUESTADDR:PORT (or udp:), "
               "unix:PATH-GUESTADDR:PORT",
               rule);
    else if (wrong)
        err_at(err, file, line, "hostfwd \"%s\": %s", rule, wrong);
    return good && !wrong;
}

static bool parse_target(const char *s, struct user_guestfwd *f)
{
    f->target = USER_TARGET_ADDRESS;
    if (take_word(&s, "tcp"))
        return user_parse_endpoint(s, strlen(s), AF_INET, &f->address) &&
               user_address_port(&f->address) && !user_address_is_any(&f->address);
    if (take_word(&s, "unix"))
        return user_parse_path(s, strlen(s), &f->address);
    f->target = USER_TARGET_COMMAND;
    f->command = s + strlen("cmd:");
    return take_word(&s, "cmd") && *s;
}

bool user_guestfwd_parse(const char *rule, struct user_guestfwd *f, const char *file, int line,
                         struct err *err)
{
    const char *s = rule, *dash;
    struct user_address server = {.len = 0};

    *f = (struct user_guestfwd){.port = 0};
    if ((take_word(&s, "tcp") || take_word(&s, "")) && (dash = strchr(s, '-')) &&
        user_parse_endpoint(s, (size_t)(dash - s), AF_INET, &server) &&
        server.any.sa_family == AF_INET && user_address_port(&server) &&
        parse_target(dash + 1, f)) {
        f->server = server.in.sin_addr;
        f->port = (uint16_t)user_address_port(&server);
        return true;
    }
    err_at(err, file, line,
           "guestfwd \"%s\" is not of the form tcp:SERVER:PORT-tcp:HOSTADDR:PORT, -unix:PATH or "
           "-cmd:COMMAND",
           rule);
    return false;
}
