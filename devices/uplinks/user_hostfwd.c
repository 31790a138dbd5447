/*
 * Redirections from the host to a guest: libslirp listens, on a port or on a path. Which port it
 * got, where a rule leaves that open, it does not tell: the descriptor that it waits for and did
 * not before has it.
 *
 * Answers are noted with a recorded run: "+PORT" or "-SENTENCE".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "devices/uplinks/address.h"
#include "devices/uplinks/user_stack.h"
#include "sim/sim.h"

/* --- libslirp's sockets --- */

struct descriptors {
    int *fds;
    uint32_t n, cap;
};

static int note_fd(int fd, int events, void *opaque)
{
    struct descriptors *d = opaque;

    (void)events;
    array_reserve(d->fds, &d->cap, d->n + 1);
    d->fds[d->n] = fd;
    return (int)d->n++;
}

static bool known(const struct descriptors *d, int fd)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->fds[i] == fd)
            return true;
    return false;
}

static struct descriptors waited_for(struct user_stack *u)
{
    struct descriptors d = {NULL, 0, 0};
    uint32_t timeout_ms = UINT32_MAX;

    slirp_pollfds_fill(u->slirp, &timeout_ms, note_fd, &d);
    return d;
}

static int flags_of(const struct user_hostfwd *f)
{
    return (f->udp ? SLIRP_HOSTFWD_UDP : 0) |
           (f->host.any.sa_family == AF_INET6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

/* --- adding and removing --- */

static void listening(struct user_stack *u, const char *rule, const struct user_hostfwd *f, int fd)
{
    struct user_redirection *r = xcalloc(1, sizeof(*r)), **end = &u->redirections;
    struct user_address *host = &r->fwd.host;
    socklen_t len = f->host.len;

    *r = (struct user_redirection){.rule = xstrdup(rule), .fwd = *f, .fd = fd};
    if (host->any.sa_family != AF_UNIX && fd >= 0)
        getsockname(fd, &host->any, &len);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    while (*end)
        end = &(*end)->next;
    *end = r;
}

bool user_redirect(struct user_stack *u, const char *rule, const struct user_hostfwd *f,
                   const char *file, int line, struct err *err)
{
    struct descriptors before = waited_for(u), after;
    char where[USER_ADDRESS_TEXT];
    int fd = -1;

    if (f->host.any.sa_family == AF_UNIX)
        address_remove_stale(&f->host.un, f->host.len, SOCK_STREAM);
    if (slirp_add_hostxfwd(u->slirp, &f->host.any, f->host.len, &f->guest.any, f->guest.len,
                           flags_of(f)) != 0) {
        int why = errno;
        free(before.fds);
        if (f->host.any.sa_family == AF_UNIX)
            err_at(err, file, line, "hostfwd \"%s\": cannot listen at %s: %s", rule,
                   user_address_text(&f->host, where), strerror(why));
        else
            err_at(err, file, line, "hostfwd \"%s\": cannot listen on port %u of the host: %s",
                   rule, user_address_port(&f->host), strerror(why));
        return false;
    }
    after = waited_for(u);
    for (uint32_t i = 0; i < after.n && fd < 0; i++)
        fd = known(&before, after.fds[i]) ? -1 : after.fds[i];
    listening(u, rule, f, fd);
    free(before.fds);
    free(after.fds);
    return true;
}

static void redirection_free(struct user_redirection *r)
{
    if (r->fwd.host.any.sa_family == AF_UNIX)
        unlink(r->fwd.host.un.sun_path);
    free(r->rule);
    free(r);
}

void user_redirections_close(struct user_stack *u)
{
    while (u->redirections) {
        struct user_redirection *r = u->redirections;
        u->redirections = r->next;
        redirection_free(r);
    }
}

/* By what was added, or by the host's end as it was said or as it became. */
static struct user_redirection **find(struct user_stack *u, const char *text)
{
    struct user_redirection **at;
    struct user_address host, said;
    bool udp, udp_said;
    bool parsed = user_hostfwd_parse_host(text, &udp, &host);

    for (at = &u->redirections; *at; at = &(*at)->next)
        if (strcmp((*at)->rule, text) == 0)
            return at;
    for (at = &u->redirections; *at && parsed; at = &(*at)->next)
        if ((*at)->fwd.udp == udp && (user_address_equal(&(*at)->fwd.host, &host) ||
                                      (user_hostfwd_parse_host((*at)->rule, &udp_said, &said) &&
                                       user_address_equal(&said, &host))))
            return at;
    return NULL;
}

static bool remove_one(struct user_stack *u, const char *text, const char *file, int line,
                       struct err *err)
{
    struct user_redirection **at = find(u, text), *r = at ? *at : NULL;

    if (!r) {
        err_at(err, file, line, "hostfwd \"%s\": there is no such redirection", text);
        return false;
    }
    slirp_remove_hostxfwd(u->slirp, &r->fwd.host.any, r->fwd.host.len, flags_of(&r->fwd));
    *at = r->next;
    redirection_free(r);
    return true;
}

static const struct user_redirection *last_of(const struct user_stack *u)
{
    const struct user_redirection *r = u->redirections;

    while (r->next)
        r = r->next;
    return r;
}

/* --- for others --- */

/* Takes the sentence that was just added out of err, and makes an answer of it. */
static char *answer_failed(struct err *err)
{
    char *answer = xasprintf("-%s", err->texts[err->n - 1]);

    free(err->texts[--err->n]);
    return answer;
}

int user_hostfwd_add(struct uplink *uplink, const char *rule, const char *file, int line,
                     struct err *err)
{
    struct user_hostfwd f;
    char *answer = NULL;
    int port;

    if (!inlet_played(&uplink->inlet)) {
        struct user_stack *u = user_stack_of(uplink);
        if (user_hostfwd_parse(rule, u->config.in_enabled, u->config.in6_enabled, &f, file, line,
                               err) &&
            user_redirect(u, rule, &f, file, line, err))
            answer = xasprintf("+%u", user_address_port(&last_of(u)->fwd.host));
        else
            answer = answer_failed(err);
        user_look_again(u);
    }
    answer = uplink_answer(uplink, answer);
    port = answer && *answer == '+' ? atoi(answer + 1) : -1;
    if (port < 0)
        err_add(err, "%s", answer ? answer + 1 : "the recording does not say what came of it");
    free(answer);
    return port;
}

bool user_hostfwd_remove(struct uplink *uplink, const char *rule, const char *file, int line,
                         struct err *err)
{
    char *answer = NULL;

    if (!inlet_played(&uplink->inlet)) {
        struct user_stack *u = user_stack_of(uplink);
        answer = remove_one(u, rule, file, line, err) ? xstrdup("+") : answer_failed(err);
        user_look_again(u);
    }
    answer = uplink_answer(uplink, answer);
    bool good = answer && *answer == '+';
    if (!good)
        err_add(err, "%s", answer ? answer + 1 : "the recording does not say what came of it");
    free(answer);
    return good;
}

char *user_hostfwd_list(struct uplink *uplink)
{
    char *text = NULL;
    size_t size = 0;

    if (!inlet_played(&uplink->inlet)) {
        FILE *to = open_memstream(&text, &size);
        for (struct user_redirection *r = user_stack_of(uplink)->redirections; r; r = r->next)
            fprintf(to, "%s %u\n", r->rule, user_address_port(&r->fwd.host));
        fclose(to);
    }
    text = uplink_answer(uplink, text);
    return text ? text : xstrdup("");
}
