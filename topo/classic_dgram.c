/* -netdev dgram: QEMU's two addresses, each in parts, as our attributes. */
#include <arpa/inet.h>

#include "topo/classic.h"
#include "topo/schema.h"

/* side "local", part "host": the value of local.host, or NULL. */
static const char *part(const struct classic_list *l, const char *side, const char *name)
{
    char key[32];

    snprintf(key, sizeof(key), "%s.%s", side, name);
    return classic_get(l, key);
}

static const char *need(struct classic *c, const struct classic_list *l, const char *side,
                        const char *name)
{
    const char *value = part(l, side, name);

    if (!value)
        classic_error(c, "it needs %s.%s=", side, name);
    return value;
}

static char *inet_text(struct classic *c, const struct classic_list *l, const char *side)
{
    const char *host = need(c, l, side, "host"), *port = need(c, l, side, "port");

    if (!host || !port)
        return NULL;
    return strchr(host, ':') ? xasprintf("[%s]:%s", host, port) : xasprintf("%s:%s", host, port);
}

/* "HOST:PORT" or "unix:PATH"; NULL with a sentence. */
static char *address_text(struct classic *c, const struct classic_list *l, const char *side)
{
    const char *type = need(c, l, side, "type");

    if (!type)
        return NULL;
    if (strcmp(type, "inet") == 0)
        return inet_text(c, l, side);
    if (strcmp(type, "unix") == 0) {
        const char *path = need(c, l, side, "path"), *abstract = part(l, side, "abstract");
        bool in_folder = !abstract || strcmp(abstract, "off") == 0;
        return path ? xasprintf("%s:%s", in_folder ? "unix" : "abstract", path) : NULL;
    }
    classic_error(c, "%s.type=%s is not inet, unix or fd", side, type);
    return NULL;
}

static void set(struct classic *c, struct topo_object *o, const char *name, char *text)
{
    if (text)
        schema_set(c->t, o, name, text, c->place);
    free(text);
}

static bool is_group(const struct classic_list *l)
{
    const char *type = part(l, "remote", "type"), *host = part(l, "remote", "host");
    struct in_addr a;

    return type && host && strcmp(type, "inet") == 0 && inet_pton(AF_INET, host, &a) == 1 &&
           IN_MULTICAST(ntohl(a.s_addr));
}

static void local_set(struct classic *c, struct topo_object *o, const struct classic_list *l)
{
    const char *type = part(l, "local", "type");

    if (type && strcmp(type, "fd") == 0) {
        const char *fd = need(c, l, "local", "str");
        set(c, o, "fd", fd ? xstrdup(fd) : NULL);
    } else if (is_group(l)) { /* the interface's address: its port says nothing */
        const char *host = part(l, "local", "host");
        set(c, o, "localaddr", host ? xstrdup(host) : NULL);
    } else {
        set(c, o, "localaddr", address_text(c, l, "local"));
    }
}

void classic_dgram(struct classic *c, struct topo_object *o, const struct classic_list *l)
{
    bool local = part(l, "local", "type") || part(l, "local", "host");

    if (part(l, "remote", "type"))
        set(c, o, is_group(l) ? "mcast" : "remote", address_text(c, l, "remote"));
    if (local)
        local_set(c, o, l);
    else if (!is_group(l))
        classic_error(c, "it needs local.type=, and the address of that type");
}
