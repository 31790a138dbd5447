/*
 * Commands that guests' connections start, each in a session of its own, so that it ends as a
 * whole. Its input and output are a TCP connection of the loopback, because Samba serves no other.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/uplinks/inherited.h"
#include "devices/uplinks/user_door.h"

struct user_command {
    uv_process_t process;
    pid_t pid; /* 0: it has ended, and was waited for */
    void (*ended)(void *opaque);
    void *opaque;
};

/* As a terminal does when its session's first process ends: the others are told. */
static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct user_command *c = process->data;

    (void)status;
    (void)signal;
    kill(-c->pid, SIGHUP);
    c->pid = 0;
    c->ended(c->opaque);
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

struct user_command *user_command_start(uv_loop_t *loop, const char *command, int fd,
                                        void (*ended)(void *opaque), void *opaque)
{
    struct user_command *c = xcalloc(1, sizeof(*c));
    char *args[] = {"sh", "-c", (char *)command, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = fd},
        {.flags = UV_INHERIT_FD, .data.fd = fd},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {.file = "/bin/sh",
                                    .args = args,
                                    .exit_cb = on_exit_of,
                                    .stdio = stdio,
                                    .stdio_count = 3,
                                    .flags = UV_PROCESS_DETACHED};

    inherit_nothing();
    c->process.data = c;
    c->ended = ended;
    c->opaque = opaque;
    if (uv_spawn(loop, &c->process, &options) != 0) {
        uv_close((uv_handle_t *)&c->process, on_closed);
        return NULL;
    }
    c->pid = c->process.pid;
    return c;
}

bool user_command_hang_up(struct user_command *c)
{
    if (c && c->pid)
        kill(-c->pid, SIGHUP);
    return c && c->pid;
}

void user_command_end(struct user_command *c)
{
    if (!c)
        return;
    if (c->pid) {
        kill(-c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    uv_close((uv_handle_t *)&c->process, on_closed);
}

/* A listening socket of the loopback's; its address in *a. */
static int listen_once(struct sockaddr_in *a)
{
    socklen_t len = sizeof(*a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (fd >= 0 && bind(fd, (struct sockaddr *)a, len) == 0 && listen(fd, 4) == 0 &&
        getsockname(fd, (struct sockaddr *)a, &len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Takes in the connection from our own socket; who else came is sent away. */
static int accept_ours(int listener, int ours)
{
    struct sockaddr_in self, peer;
    int fd;

    for (;;) {
        socklen_t len = sizeof(self), peer_len = sizeof(peer);
        fd = accept4(listener, (struct sockaddr *)&peer, &peer_len, SOCK_CLOEXEC);
        if (fd < 0 || getsockname(ours, (struct sockaddr *)&self, &len) != 0)
            return fd;
        if (peer.sin_port == self.sin_port && peer.sin_addr.s_addr == self.sin_addr.s_addr)
            return fd;
        close(fd);
    }
}

bool user_tcp_pair(int ends[2])
{
    struct sockaddr_in a;
    int listener = listen_once(&a);

    ends[0] = ends[1] = -1;
    if (listener < 0)
        return false;
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ends[0] >= 0 && connect(ends[0], (struct sockaddr *)&a, sizeof(a)) == 0)
        ends[1] = accept_ours(listener, ends[0]);
    close(listener);
    if (ends[1] >= 0)
        return true;
    if (ends[0] >= 0)
        close(ends[0]);
    return false;
}
