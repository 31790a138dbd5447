/* -netdev stream: QEMU's address in parts, role and seconds, as our attributes. */
#include "topo/classic.h"
#include "topo/schema.h"

static const char *need(struct classic *c, const struct classic_list *l, const char *name)
{
    const char *value = classic_get(l, name);

    if (!value)
        classic_error(c, "it needs %s=", name);
    return value;
}

/* on, off, or not said: the preset. */
static bool is_on(struct classic *c, const struct classic_list *l, const char *name, bool preset)
{
    const char *value = classic_get(l, name);

    if (!value)
        return preset;
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        return strcmp(value, "on") == 0;
    classic_error(c, "%s=%s is not on or off", name, value);
    return preset;
}

static char *inet_text(struct classic *c, const struct classic_list *l)
{
    const char *host = need(c, l, "addr.host"), *port = need(c, l, "addr.port");

    if (!host || !port)
        return NULL;
    return strchr(host, ':') ? xasprintf("[%s]:%s", host, port) : xasprintf("%s:%s", host, port);
}

static char *unix_text(struct classic *c, const struct classic_list *l)
{
    const char *path = need(c, l, "addr.path");

    if (!path)
        return NULL;
    return xasprintf("%s:%s", is_on(c, l, "addr.abstract", false) ? "abstract" : "unix", path);
}

/* The address as we write it, on the heap; NULL with a sentence. */
static char *address_text(struct classic *c, const struct classic_list *l)
{
    const char *type = need(c, l, "addr.type");

    if (!type)
        return NULL;
    if (strcmp(type, "inet") == 0)
        return inet_text(c, l);
    if (strcmp(type, "unix") == 0)
        return unix_text(c, l);
    if (strcmp(type, "fd") == 0) {
        const char *fd = need(c, l, "addr.str");
        return fd ? xstrdup(fd) : NULL;
    }
    classic_error(c, "addr.type=%s is not inet, unix or fd", type);
    return NULL;
}

static void set(struct classic *c, struct topo_object *o, const char *name, char *text)
{
    if (text)
        schema_set(c->t, o, name, text, c->place);
    free(text);
}

/* What is so here can be said; the contrary cannot be had. */
static void check_flags(struct classic *c, const struct classic_list *l)
{
    static const struct {
        const char *name;
        bool ours, must;
    } flags[] = {{"addr.ipv4", true, true},        {"addr.ipv6", true, true},
                 {"addr.tight", true, true},       {"addr.mptcp", false, true},
                 {"addr.keep-alive", true, false}, {"addr.numeric", true, false}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        bool said = is_on(c, l, flags[i].name, flags[i].ours);
        if (said != flags[i].ours && flags[i].must)
            classic_error(c, "%s=%s cannot be had here", flags[i].name,
                          classic_get(l, flags[i].name));
    }
}

void classic_stream(struct classic *c, struct topo_object *o, const struct classic_list *l)
{
    const char *type = classic_get(l, "addr.type"), *seconds = classic_get(l, "reconnect");
    bool server = is_on(c, l, "server", false);
    const char *role = type && strcmp(type, "fd") == 0 ? "fd" : server ? "listen" : "connect";

    check_flags(c, l);
    set(c, o, role, address_text(c, l));
    if (seconds && seconds[strspn(seconds, "0123456789")] == '\0')
        set(c, o, "reconnect", xasprintf("%ss", seconds));
    else if (seconds)
        classic_error(c, "reconnect=%s is not a number of seconds", seconds);
}
