/* QEMU's -netdev stream: its address in parts becomes one of ours. */
#include "topo/classic_stream.h"

/* Those that say what is so anyway. */
static bool is_given_anyway(const char *name, const char *value)
{
    static const char *const names[] = {"addr.numeric", "addr.keep-alive", "addr.tight",
                                        "addr.ipv4", "addr.ipv6"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return strcmp(value, "on") == 0 || !*value;
    return strcmp(name, "addr.mptcp") == 0 && strcmp(value, "off") == 0;
}

static bool is_on(const struct classic_list *l, const char *name)
{
    const char *value = classic_get(l, name);

    return value && (strcmp(value, "on") == 0 || !*value);
}

static const char *need(struct classic *c, const struct classic_list *l, const char *name)
{
    const char *value = classic_get(l, name);

    if (!value)
        classic_error(c, "it has no %s=", name);
    return value;
}

static char *inet_text(struct classic *c, const struct classic_list *l)
{
    const char *host = need(c, l, "addr.host"), *port = need(c, l, "addr.port");

    if (!host || !port)
        return NULL;
    return xasprintf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* The address as we write it, on the heap; NULL with a sentence. */
static char *address_text(struct classic *c, const struct classic_list *l)
{
    const char *type = need(c, l, "addr.type"), *value = NULL;

    if (!type)
        return NULL;
    if (strcmp(type, "inet") == 0)
        return inet_text(c, l);
    if (strcmp(type, "unix") == 0) {
        value = need(c, l, "addr.path");
        return value ? xasprintf("%s:%s", is_on(l, "addr.abstract") ? "abstract" : "unix", value)
                     : NULL;
    }
    if (strcmp(type, "fd") == 0)
        return (value = need(c, l, "addr.str")) ? xstrdup(value) : NULL;
    classic_error(c, "addr.type=%s is not inet, unix or fd", type);
    return NULL;
}

static void replace(struct classic *c, struct classic_list *l, size_t i, const char *name,
                    char *value)
{
    l->items[i].name = name;
    l->items[i].value = topo_intern(&c->t, value);
    free(value);
}

static bool is_part(const char *name)
{
    static const char *const parts[] = {"server",    "addr.type",     "addr.host", "addr.port",
                                        "addr.path", "addr.abstract", "addr.str"};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strcmp(parts[i], name) == 0)
            return true;
    return false;
}

void classic_stream(struct classic *c, struct classic_list *l)
{
    const char *type = classic_get(l, "addr.type"), *seconds = classic_get(l, "reconnect");
    const char *role = type && strcmp(type, "fd") == 0 ? "fd"
                       : is_on(l, "server")            ? "listen"
                                                       : "connect";
    char *address = address_text(c, l);
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!is_part(l->items[i].name) && !is_given_anyway(l->items[i].name, l->items[i].value))
            l->items[n++] = l->items[i];
    l->n = n;
    for (size_t i = 0; seconds && i < n; i++)
        if (strcmp(l->items[i].name, "reconnect") == 0 &&
            seconds[strspn(seconds, "0123456789")] == 0)
            replace(c, l, i, "reconnect", xasprintf("%ss", seconds));
    if (address) /* it took the place of addr.type, at least */
        replace(c, l, l->n++, role, address);
}
