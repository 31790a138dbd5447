/*
 * Redirections from a guest to the host, one connection of the host's per guest's.
 *
 * libslirp can open a socket's path for each connection to an address and port. So a door listens
 * at such a path, and leads on to where the rule says:
 *
 *     guest --TCP--> libslirp --PRIVATE/0--> door --relay--> 127.0.0.1:8080, or a socket's path
 *                                                 --relay--> sh -c COMMAND, on its input and output
 *
 * libslirp connects within the stack's run and would wait if too many did before; so each is taken
 * in at once (user_doors_accept). What comes back enters, as all that its sockets bring, at
 * barriers.
 */
#include "devices/uplinks/user_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/uplinks/user_folder.h"
#include "devices/uplinks/user_relay.h"
#include "devices/uplinks/user_smb.h"
#include "sim/sim.h"

/* --- connections --- */

static void line_end(struct user_line *l)
{
    struct user_stack *u = l->door->stack;
    struct user_line **at = &u->lines;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    u->n_lines--;
    l->door->n_open--;
    if (l->relay)
        relay_close(l->relay);
    user_command_end(l->command);
    free(l);
}

static void line_ended(void *opaque, bool failed)
{
    struct user_line *l = opaque;
    struct user_stack *u = l->door->stack;

    if (failed) {
        l->door->n_failed++;
        device_warnings++;
    }
    if (user_command_hang_up(l->command)) {
        relay_close(l->relay);
        l->relay = NULL;
        return;
    }
    line_end(l);
    user_look_again(u);
}

/* Its last words may still be under way. */
static void command_ended(void *opaque)
{
    struct user_line *l = opaque;
    struct user_stack *u = l->door->stack;

    if (l->relay)
        return;
    line_end(l);
    user_look_again(u);
}

/* A socket connected, or about to be; -1, with errno. */
static int connect_to(const struct user_address *a, bool *connecting)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    *connecting = connect(fd, &a->any, a->len) != 0;
    if (*connecting && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A socket behind which a command was started; -1. */
static int start_command(struct user_line *l, uv_loop_t *loop)
{
    int ends[2];

    if (!user_tcp_pair(ends))
        return -1;
    l->command = user_command_start(loop, l->door->command, ends[1], command_ended, l);
    close(ends[1]);
    if (l->command)
        return ends[0];
    close(ends[0]);
    return -1;
}

static bool lead_on(struct user_line *l, int near)
{
    struct user_door *d = l->door;
    uv_loop_t *loop = &d->stack->uplink.actor.sim->loop;
    bool connecting = false;
    int far = d->command ? start_command(l, loop) : connect_to(&d->fwd.address, &connecting);

    if (far < 0) {
        close(near);
        return false;
    }
    fcntl(near, F_SETFL, O_NONBLOCK);
    fcntl(far, F_SETFL, O_NONBLOCK);
    l->relay = relay_open(loop, near, far, connecting, line_ended, l);
    return true;
}

static void line_open(struct user_door *d, int near)
{
    struct user_stack *u = d->stack;
    struct user_line *l;

    if (u->n_lines >= DOOR_MAX_LINES) {
        close(near);
        d->n_failed++;
        device_warnings++;
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->door = d;
    l->next = u->lines;
    u->lines = l;
    u->n_lines++;
    d->n_open++;
    d->n_opened++;
    if (!lead_on(l, near)) {
        d->n_failed++;
        device_warnings++;
        line_end(l);
    }
}

void user_doors_accept(struct user_stack *u)
{
    for (struct user_door *d = u->doors; d; d = d->next) {
        int fd;
        while ((fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            line_open(d, fd);
    }
}

/* --- doors --- */

static bool door_listen(struct user_door *d, unsigned number)
{
    char *path = xasprintf("%s/%u", d->stack->folder->path, number);
    bool fits = user_parse_path(path, strlen(path), &d->path);

    free(path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    errno = fits ? errno : ENAMETOOLONG;
    return fits && d->listener >= 0 && bind(d->listener, &d->path.any, d->path.len) == 0 &&
           listen(d->listener, 128) == 0 &&
           slirp_add_unix(d->stack->slirp, d->path.un.sun_path, &d->fwd.server, d->fwd.port) == 0;
}

/* `command` is taken. */
static bool door_open(struct user_stack *u, const char *name, const struct user_guestfwd *f,
                      char *command)
{
    struct user_door *d = xcalloc(1, sizeof(*d)), **end = &u->doors;
    unsigned number = 0;

    d->stack = u;
    d->name = xstrdup(name);
    d->fwd = *f;
    d->command = command;
    for (; *end; end = &(*end)->next)
        number++;
    *end = d;
    return door_listen(d, number);
}

static bool open_all(struct user_stack *u, const struct user_options *o, const struct user_plan *p)
{
    static const uint16_t ports[] = {139, 445};

    for (size_t i = 0; i < p->n_guestfwd; i++) {
        const struct user_guestfwd *f = &p->guestfwd[i];
        if (!door_open(u, o->guestfwd[i], f, f->command ? xstrdup(f->command) : NULL))
            return false;
    }
    char *smbd = o->smb ? user_smb_configure(u->folder->path, o->smb) : NULL;
    bool good = smbd || !o->smb;
    for (size_t i = 0; i < ARRAY_LEN(ports) && smbd && good; i++) {
        struct user_guestfwd f = {.server = p->smbserver, .port = ports[i]};
        good = door_open(u, "smb", &f, xstrdup(smbd));
    }
    free(smbd);
    return good;
}

bool user_doors_open(struct user_stack *u, const struct user_options *o, const struct user_plan *p,
                     struct err *err)
{
    if (!p->n_guestfwd && !o->smb)
        return true;
    u->folder = user_folder_make();
    if (u->folder && open_all(u, o, p))
        return true;
    err_at(err, o->file, o->line, "%s: cannot use a private folder in %s: %s",
           o->smb ? "smb" : "guestfwd", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
           strerror(errno));
    return false;
}

void user_doors_describe(const struct user_stack *u, FILE *to)
{
    char server[INET_ADDRSTRLEN];

    for (const struct user_door *d = u->doors; d; d = d->next)
        fprintf(to, "  guestfwd %s:%u (%s): %u open, %llu opened, %llu failed\n",
                inet_ntop(AF_INET, &d->fwd.server, server, sizeof(server)), d->fwd.port, d->name,
                d->n_open, (unsigned long long)d->n_opened, (unsigned long long)d->n_failed);
}

void user_doors_close(struct user_stack *u)
{
    while (u->lines)
        line_end(u->lines);
    while (u->doors) {
        struct user_door *d = u->doors;
        u->doors = d->next;
        if (d->listener >= 0)
            close(d->listener);
        free(d->name);
        free(d->command);
        free(d);
    }
    user_folder_remove(u->folder);
    u->folder = NULL;
}
