/* Parsing of a stream link's options. */
#include "devices/uplinks/stream_options.h"

#include <errno.h>
#include <stdio.h>

#include "devices/uplinks/dialer.h"
#include "devices/uplinks/stream_tls.h"
#include "sim/units.h"

#define MAX_SECRET 1024

#define COMPLAIN(o, err, ...) err_at(err, (o)->file, (o)->line, __VA_ARGS__)

static void plan_role(struct stream_plan *p, const struct stream_options *o, struct err *err)
{
    const char *text = o->listen ? o->listen : o->connect, *problem;

    if (!!o->listen + !!o->connect + !!o->fd != 1) {
        COMPLAIN(o, err, "a stream link has one of listen, connect and fd");
        return;
    }
    p->role = o->listen ? STREAM_LISTENS : o->connect ? STREAM_CONNECTS : STREAM_INHERITS;
    if (!text)
        return;
    problem = address_parse(&p->address, text);
    if (!problem && o->connect && p->address.kind == ADDRESS_INET && !p->address.port)
        problem = "port 0 is nobody's; it can only be listened on";
    if (problem)
        COMPLAIN(o, err, "%s = \"%s\": %s", o->listen ? "listen" : "connect", text, problem);
}

static void plan_reconnect(struct stream_plan *p, const struct stream_options *o, struct err *err)
{
    vtime_t time = 0;

    p->again_ms = DIALER_BACK_OFF;
    if (!o->reconnect)
        return;
    if (!o->connect)
        COMPLAIN(o, err, "reconnect is for links that connect");
    if (strcmp(o->reconnect, "never") == 0)
        p->again_ms = DIALER_NEVER;
    else if (!units_time(o->reconnect, &time) || (time && time < NS_PER_MS) ||
             time > 86400 * NS_PER_SEC)
        COMPLAIN(o, err, "reconnect = \"%s\" is not a time of 1ms..24h, or \"never\"",
                 o->reconnect);
    else
        p->again_ms = time ? time / NS_PER_MS : DIALER_NEVER;
}

/* The file's first line, or all that fits. */
static char *read_secret(const struct stream_options *o, struct err *err)
{
    char text[MAX_SECRET + 1] = "";
    FILE *f = fopen(o->secret_file, "re");

    if (!f) {
        COMPLAIN(o, err, "secret_file \"%s\": %s", o->secret_file, strerror(errno));
        return NULL;
    }
    bool any = fgets(text, sizeof(text), f) != NULL;
    fclose(f);
    text[any ? strcspn(text, "\r\n") : 0] = '\0';
    char *secret = xstrdup(text);
    explicit_bzero(text, sizeof(text));
    return secret;
}

static void plan_secret(struct stream_plan *p, const struct stream_options *o, struct err *err)
{
    const char *name = o->secret ? "secret" : "secret_file";

    if (o->secret && o->secret_file)
        COMPLAIN(o, err, "secret and secret_file cannot both be said");
    if (o->secret)
        p->secret = xstrdup(o->secret);
    else if (o->secret_file)
        p->secret = read_secret(o, err);
    if (!p->secret)
        return;
    p->secret_len = strlen(p->secret);
    if (p->secret_len < STREAM_MIN_SECRET)
        COMPLAIN(o, err,
                 "%s: %zu bytes can be guessed; a secret has %d at least (openssl rand -hex 16 "
                 "makes one)",
                 name, p->secret_len, STREAM_MIN_SECRET);
    else if (p->secret_len > MAX_SECRET - 1)
        COMPLAIN(o, err, "%s: it is longer than %d bytes", name, MAX_SECRET - 1);
}

bool stream_plan_make(struct stream_plan *p, const struct stream_options *o, struct err *err)
{
    size_t before = err->n;

    *p = (struct stream_plan){0};
    plan_role(p, o, err);
    plan_reconnect(p, o, err);
    plan_secret(p, o, err);
    return err->n == before;
}

void stream_plan_finish(struct stream_plan *p)
{
    address_finish(&p->address);
    if (p->secret)
        explicit_bzero(p->secret, p->secret_len);
    free(p->secret);
    *p = (struct stream_plan){0};
}

bool stream_options_check(const struct stream_options *o, struct err *err)
{
    struct stream_plan p;
    bool good = stream_plan_make(&p, o, err);

    stream_plan_finish(&p);
    return good;
}
