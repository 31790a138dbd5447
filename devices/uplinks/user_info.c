/*
 * What `info usernet` shows, in the columns that QEMU's users know. libslirp writes a line per
 * connection; redirections are written here, because it knows no address but IPv4's.
 */
#include <glib.h>
#include <stdio.h>

#include "devices/uplinks/user_stack.h"

static void write_redirection(const struct user_redirection *r, FILE *to)
{
    char host[USER_ADDRESS_TEXT], guest[USER_ADDRESS_TEXT];
    const char *protocol = r->fwd.host.any.sa_family == AF_UNIX ? "UNIX"
                           : r->fwd.udp                         ? "UDP"
                                                                : "TCP";
    bool any = user_address_is_any(&r->fwd.guest);

    fprintf(to, "  %s[HOST_FORWARD]  %3d %15s %5u %15s %5u %5d %5d\n", protocol, r->fd,
            user_address_is_any(&r->fwd.host) ? "*" : user_address_text(&r->fwd.host, host),
            user_address_port(&r->fwd.host), any ? "*" : user_address_text(&r->fwd.guest, guest),
            user_address_port(&r->fwd.guest), 0, 0);
}

/* All lines of `text` but those on redirections. */
static void write_connections(const char *text, FILE *to)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        len += text[len] == '\n';
        char *line = xstrndup(text, len);
        if (!strstr(line, "[HOST_FORWARD]"))
            fputs(line, to);
        free(line);
        text += len;
    }
}

char *user_info(struct uplink *uplink)
{
    char *text = NULL;
    size_t size = 0;

    if (!inlet_played(&uplink->inlet)) {
        struct user_stack *u = user_stack_of(uplink);
        FILE *to = open_memstream(&text, &size);
        char *connections = slirp_connection_info(u->slirp);
        write_connections(connections, to);
        g_free(connections);
        for (struct user_redirection *r = u->redirections; r; r = r->next)
            write_redirection(r, to);
        user_doors_describe(u, to);
        fclose(to);
    }
    text = uplink_answer(uplink, text);
    return text ? text : xstrdup("");
}
